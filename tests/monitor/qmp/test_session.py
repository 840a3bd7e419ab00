"""One client: greeting, negotiation, the members of a command, order, errors, and clients that do not read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from pyqemu import QMP_VERSION, __version__
from pyqemu.monitor.qmp.session import HIGH_WATER, MOST_COMMANDS, MOST_EVENTS

NAME = {"return": {"name": "guest"}}


def error(text: str, kind: str = "GenericError") -> dict[str, Any]:
    return {"error": {"class": kind, "desc": text}}


def test_greeting(new_client: Any) -> None:
    (greeting,) = new_client.answers()
    major, minor, micro = QMP_VERSION
    assert greeting == {
        "QMP": {
            "version": {
                "qemu": {"major": major, "minor": minor, "micro": micro}, "package": f"pyqemu-{__version__}",
            },
            "capabilities": ["oob"],
        }
    }  # fmt: skip


def test_lines_end_as_on_a_terminal(make_client: Callable[..., Any]) -> None:
    assert make_client().link.output.endswith(b"}\r\n")
    pretty = make_client(pretty=True).link.output
    assert pretty.startswith(b'{\n    "QMP": {\n') and pretty.endswith(b"}\r\n")


@pytest.mark.parametrize(("message", "reply"), [
    ({"execute": "query-name", "id": 1},
     error("Expecting capabilities negotiation with 'qmp_capabilities'", "CommandNotFound") | {"id": 1}),
    ({"execute": "no-such"}, error("Expecting capabilities negotiation with 'qmp_capabilities'", "CommandNotFound")),
    ({"exec-oob": "qmp_capabilities"}, error("QMP input member 'exec-oob' is unexpected")),
    ({"execute": "qmp_capabilities", "arguments": {"enable": 1}},
     error("Invalid parameter type for 'enable', expected: array")),
    ({"execute": "qmp_capabilities", "arguments": {"enable": [1]}},
     error("Invalid parameter type for 'enable[0]', expected: string")),
    ({"execute": "qmp_capabilities", "arguments": {"enable": ["oob", "x"]}},
     error("Parameter 'enable[1]' does not accept value 'x'")),
    ({"execute": "qmp_capabilities", "arguments": {"x": 1}}, error("Parameter 'x' is unexpected")),
])  # fmt: skip
def test_before_negotiation(new_client: Any, message: object, reply: object) -> None:
    new_client.answers()
    assert new_client.ask(message) == [reply]
    assert not new_client.session.negotiated and not new_client.dispatcher.calls
    assert new_client.ask({"execute": "qmp_capabilities", "id": "x"}) == [{"return": {}, "id": "x"}]
    assert new_client.session.negotiated


def test_negotiation_happens_once(client: Any) -> None:
    text = "Capabilities negotiation is already complete, command ignored"
    assert client.ask({"execute": "qmp_capabilities"})[-1] == error(text, "CommandNotFound")


@pytest.mark.parametrize(("message", "text"), [
    (b"[]", "QMP input must be a JSON object"),
    (b"1 ", "QMP input must be a JSON object"),
    (b"null ", "QMP input must be a JSON object"),
    ({}, "QMP input lacks member 'execute'"),
    ({"arguments": {}}, "QMP input lacks member 'execute'"),
    ({"execute": 1}, "QMP input member 'execute' must be a string"),
    ({"execute": None}, "QMP input member 'execute' must be a string"),
    ({"execute": "query-name", "arguments": 1}, "QMP input member 'arguments' must be an object"),
    ({"execute": "query-name", "arguments": None}, "QMP input member 'arguments' must be an object"),
    ({"execute": "query-name", "x": 1}, "QMP input member 'x' is unexpected"),
    ({"execute": "query-name", "": 1}, "QMP input member '' is unexpected"),
    ({"exec-oob": "quick"}, "QMP input member 'exec-oob' is unexpected"),
    (b"{'a': 1, 'a': 1}", "JSON parse error, duplicate key"),
])  # fmt: skip
def test_malformed_commands(client: Any, message: object, text: str) -> None:
    client.answers()
    assert client.ask(message) == [error(text)]
    assert client.ask({"execute": "query-name"}) == [NAME]


def test_unknown_command(client: Any) -> None:
    client.answers()
    assert client.ask({"execute": "no-such"}) == [error("The command no-such has not been found", "CommandNotFound")]


@pytest.mark.parametrize("id_", [None, 0, "x", [1, {"a": [None]}], {"b": 1.5}, "é\U0001f600"])
def test_id_is_echoed(client: Any, id_: object) -> None:
    client.answers()
    assert client.ask({"execute": "query-name", "id": id_}) == [NAME | {"id": id_}]
    assert client.ask({"id": id_})[0]["id"] == id_


def test_the_deepest_id_is_echoed(client: Any) -> None:
    client.answers()
    text = b"[" * 1023 + b"]" * 1023
    client.session.receive(b'{"execute":"query-name","id":' + text + b"}")
    client.turn()
    assert client.link.output == b'{"return": {"name": "guest"}, "id": ' + text + b"}\r\n"


def test_arguments_reach_the_handler(client: Any) -> None:
    client.answers()
    assert client.ask({"execute": "big", "arguments": {"size": 3}}) == [{"return": "xxx"}]
    assert client.dispatcher.calls == [("big", {"size": 3})]


def test_handlers_errors(client: Any, capfd: pytest.CaptureFixture[str]) -> None:
    client.answers()
    assert client.ask({"execute": "refuse", "id": 1}) == [error("Device 'x' not found", "DeviceNotFound") | {"id": 1}]
    assert client.ask({"execute": "mistake"}) == [error("the operator's mistake")]
    assert capfd.readouterr().err == ""


def test_a_defect_is_loud_and_the_session_lives(client: Any, capfd: pytest.CaptureFixture[str]) -> None:
    client.answers()
    (reply,) = client.ask({"execute": "bug", "id": 5})
    assert reply == error("internal error (a defect of pyqemu): ZeroDivisionError: oops") | {"id": 5}
    told = capfd.readouterr().err
    assert "pyqemu: internal error in QMP command 'bug':" in told and "Traceback" in told
    (reply,) = client.ask({"execute": "nonsense"})
    assert reply["error"]["desc"].startswith("internal error")
    assert client.ask({"execute": "query-name"}) == [NAME]


# -- order -------------------------------------------------------------------------------------------------------------


def test_commands_are_answered_in_order(client: Any) -> None:
    client.answers()
    assert client.ask(b'{"execute":"slow","id":1}{"execute":"query-name","id":2}@{"execute":"query-name","id":3}') == []
    assert client.dispatcher.calls == [("slow", {})]
    client.dispatcher.gate.set()
    assert [reply.get("id") for reply in client.answers()] == [1, 2, None, 3]


def test_nothing_is_read_while_a_command_is_carried_out(client: Any) -> None:
    """So whoever sends commands and hangs up has them all carried out: the hang-up is not seen before."""
    client.answers()
    client.ask(b'{"execute":"slow"}{"execute":"query-name"}')
    assert client.session.room() == 0
    resumed = client.link.resumed
    client.dispatcher.gate.set()
    assert len(client.answers()) == 2
    assert client.session.room() > 0 and client.link.resumed == resumed + 1


def test_out_of_band_reading_stops_while_too_many_wait(oob_client: Any) -> None:
    client = oob_client
    client.answers()
    client.ask({"execute": "slow"})
    for _ in range(MOST_COMMANDS):
        assert client.session.room() > 0
        client.ask({"execute": "query-name"})
    assert client.session.room() == 0
    resumed = client.link.resumed
    client.dispatcher.gate.set()
    assert len(client.answers()) == MOST_COMMANDS + 1
    assert client.session.room() > 0 and client.link.resumed > resumed


def test_out_of_band_overtakes(oob_client: Any) -> None:
    client = oob_client
    client.answers()
    assert client.ask({"execute": "slow", "id": 1}) == []
    assert client.ask({"execute": "query-name", "id": 2}) == []
    assert client.ask({"exec-oob": "quick", "id": 3}) == [{"return": {"quick": True}, "id": 3}]
    client.dispatcher.gate.set()
    assert [reply["id"] for reply in client.answers()] == [1, 2]


@pytest.mark.parametrize(("message", "reply"), [
    ({"exec-oob": "query-name"}, error("The command query-name does not support OOB")),
    ({"exec-oob": "qmp_capabilities"}, error("The command qmp_capabilities does not support OOB")),
    ({"exec-oob": "no-such"}, error("The command no-such has not been found", "CommandNotFound")),
    ({"exec-oob": 1}, error("QMP input member 'exec-oob' must be a string")),
    ({"exec-oob": "quick", "execute": "quick"}, error("QMP input member 'execute' clashes with 'exec-oob'")),
    ({"execute": "quick"}, {"return": {"quick": True}}),
])  # fmt: skip
def test_out_of_band_rules(oob_client: Any, message: object, reply: object) -> None:
    oob_client.answers()
    assert oob_client.ask(message) == [reply]


def test_negotiation_and_oob_in_one_go(new_client: Any) -> None:
    new_client.answers()
    text = b'{"execute":"qmp_capabilities","arguments":{"enable":["oob"]}}{"exec-oob":"quick"}{"exec-oob":"query-name"}'
    assert new_client.ask(text)[1:] == [
        {"return": {"quick": True}}, error("The command query-name does not support OOB"),
    ]  # fmt: skip


# -- events and clients that do not read -------------------------------------------------------------------------------


def test_no_events_before_negotiation(new_client: Any) -> None:
    new_client.answers()
    new_client.session.event("STOP", {"event": "STOP"})
    assert new_client.answers() == []
    new_client.ask({"execute": "qmp_capabilities"})
    new_client.session.event("STOP", {"event": "STOP"})
    assert new_client.answers() == [{"event": "STOP"}]


def test_a_client_that_does_not_read_is_not_read(client: Any) -> None:
    client.answers()
    client.link.reading = False
    for _ in range(3):
        client.session.receive(b'{"execute":"big"}{"execute":"big"}')
    client.turn()
    assert len(client.dispatcher.calls) == 1
    assert client.link.unread > HIGH_WATER and client.session.room() == 0
    client.link.unread = 0
    client.link.reading = True
    client.session.drained()
    assert len(client.answers()) == 6
    assert client.session.room() > 0


def test_events_of_a_client_that_does_not_read(client: Any, capfd: pytest.CaptureFixture[str]) -> None:
    client.answers()
    client.link.unread = HIGH_WATER + 1
    client.session.event("RTC_CHANGE", {"event": "RTC_CHANGE"})
    for number in range(MOST_EVENTS):
        client.session.event("RESET", {"n": number})
    assert client.answers() == []
    assert "does not read" in capfd.readouterr().err
    client.session.event("RESET", {"n": "last"})
    assert capfd.readouterr().err == ""  # said once
    client.link.unread = 0
    client.session.drained()
    assert [event["n"] for event in client.answers()] == [*range(1, MOST_EVENTS), "last"]  # RTC_CHANGE went first


def test_after_the_client_has_gone_nothing_is_said_or_done(client: Any) -> None:
    client.answers()
    client.session.receive(b'{"execute":"slow"}{"execute":"query-name"}')
    client.turn()
    client.session.close()
    client.dispatcher.gate.set()
    assert client.answers() == []
    assert client.dispatcher.calls == [("slow", {})]
    assert client.session.room() == 0


# -- descriptors -------------------------------------------------------------------------------------------------------


def pipe() -> int:
    read_fd, write_fd = os.pipe()
    os.close(write_fd)
    return read_fd


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_descriptors_belong_to_the_message_they_came_with(client: Any) -> None:
    client.answers()
    fd = pipe()
    replies = client.ask(b'{"execute":"query-name"}{"execute":"getfd"}', (fd,))
    assert replies == [NAME, {"return": fd}] and is_open(fd)
    os.close(fd)
    assert client.ask({"execute": "getfd"}) == [error("No file descriptor supplied via SCM_RIGHTS")]


def test_descriptors_of_a_message_that_has_only_begun(client: Any) -> None:
    client.answers()
    fd = pipe()
    assert client.ask(b'{"execute":"query-name"}{"execute":', (fd,)) == [NAME]
    assert client.ask(b'"getfd"}') == [{"return": fd}]
    os.close(fd)


def test_descriptors_that_nobody_takes_are_closed(client: Any) -> None:
    for message in (b'{"execute":"query-name"}', b'{"execute":"no-such"}', b"]", b'{"execute":"bug"}'):
        fd = pipe()
        client.ask(message, (fd,))
        assert not is_open(fd)
    waiting, loose = pipe(), pipe()
    client.ask(b'{"execute":"slow"}')
    client.ask(b'{"execute":"getfd"}', (waiting,))
    client.ask(b"{", (loose,))
    client.session.close()
    assert not is_open(waiting) and not is_open(loose)


def test_output_is_ascii(client: Any) -> None:
    client.answers()
    client.session.receive(json.dumps({"execute": "é"}, ensure_ascii=False).encode())
    client.turn()
    assert client.link.output.isascii()
