"""Events: every place that sends one says what the schema says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pyqemu
from pyqemu.qapi.generated.events import EVENTS
from pyqemu.qapi.visit import fields
from tests.monitor.commands.asker import Asker

ROOT = Path(pyqemu.__file__).parent


def call_sites() -> Iterator[tuple[str, str, set[str]]]:
    """Where, which event, which data. One with ``**data`` can't be judged."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "emit"):
                continue
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value.isupper():
                names = {keyword.arg for keyword in node.keywords}
                if None not in names:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", first.value, {str(name) for name in names}


SITES = list(call_sites())


@pytest.mark.parametrize(("event", "given"), [site[1:] for site in SITES], ids=[f"{s[0]}-{s[1]}" for s in SITES])
def test_data_has_the_members_of_the_schema(event: str, given: set[str]) -> None:
    members, flags = EVENTS[event]
    if flags == "boxed":
        return
    expected = fields(members)
    assert given <= {field.attribute for field in expected}
    assert {field.attribute for field in expected if not field.optional} <= given


def test_guest_that_sets_its_clock_is_noticed(fresh: Asker) -> None:
    io = fresh.machine.cpu.io  # type: ignore[attr-defined]

    def cmos(register: int, value: int) -> None:
        io.store(0x70, 1, register)
        io.store(0x71, 1, value)

    with fresh.system.lock:
        cmos(0x0B, 0x82)  # 24 hours, clock held
        cmos(0x32, 0x20)
        cmos(0x09, 0x01)  # the year
        cmos(0x0B, 0x02)
    ((name, data),) = fresh.events
    assert name == "RTC_CHANGE"
    assert data is not None
    assert isinstance(data["offset"], int)
    assert data["offset"] < -20 * 365 * 86400
    assert fresh("qom-get", path=data["qom-path"], property="type") == "mc146818rtc"
    assert fresh("qom-get", path="/machine", property="rtc-time")["tm_year"] == 101
