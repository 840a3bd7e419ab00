"""Data of events is checked before it is sent."""

from __future__ import annotations

from types import ModuleType

import pytest

from pyqemu.qapi.errors import SchemaMismatch
from pyqemu.qapi.events import Events, event_data


def test_data_is_converted(events: Events, small: ModuleType) -> None:
    thing = small.Thing_colours(data=[small.Colour.DARK_BLUE])
    assert events.to_json("SPLASH", {"thing": thing, "node_name": "pond"}) == {
        "thing": {"type": "colours", "data": ["dark-blue"]},
        "node-name": "pond",
    }


def test_what_is_none_is_left_out(events: Events, small: ModuleType) -> None:
    data = {"thing": small.Thing_number(data=3), "node_name": None}
    assert events.to_json("SPLASH", data) == {"thing": {"type": "number", "data": 3}}


def test_event_without_data(events: Events) -> None:
    assert events.to_json("EBB", {}) is None


@pytest.mark.parametrize("whole", [True, False])
def test_boxed_event(events: Events, small: ModuleType, whole: bool) -> None:
    data = {"arguments": small.Paint_red(shade=1)} if whole else {"colour": "red", "shade": 1}
    assert events.to_json("MIXED", data) == {"colour": "red", "shade": 1}


@pytest.mark.parametrize(
    ("event", "data", "message"),
    [
        ("FLOOD", {}, "event FLOOD is not in the schema"),
        ("EBB", {"x": 1}, "event EBB has no data, but got x"),
        ("SPLASH", {}, "data of event SPLASH does not fit the schema: Parameter 'thing' is missing"),
        (
            "SPLASH",
            {"thing": {"type": "number", "data": 1}, "where": 2},
            "data of event SPLASH does not fit the schema: Parameter 'where' is unexpected",
        ),
        (
            "SPLASH",
            {"thing": {"type": "number", "data": 1}, "node_name": 2},
            "data of event SPLASH does not fit the schema: Invalid parameter type for 'node-name', expected: string",
        ),
        ("SPLASH", {"thing": object}, r"data of event SPLASH does not fit the schema: .* can't be expressed in JSON"),
        ("MIXED", {"colour": "red"}, "data of event MIXED does not fit the schema: Parameter 'shade' is missing"),
    ],
)
def test_data_that_does_not_fit(events: Events, event: str, data: dict[str, object], message: str) -> None:
    with pytest.raises(SchemaMismatch, match=f"^{message}$"):
        events.to_json(event, data)


def test_an_event_of_the_real_schema() -> None:
    assert event_data("DEVICE_DELETED", {"device": "d", "path": "/machine/peripheral/d"}) == {
        "device": "d",
        "path": "/machine/peripheral/d",
    }
