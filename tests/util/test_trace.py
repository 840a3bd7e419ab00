"""Trace events: patterns, lines, and that those who tell of an event tell what was declared."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pyqemu
from pyqemu.util.errors import UserError
from pyqemu.util.trace import Trace, declare
from pyqemu.util.trace_events import SILENT, TraceEvents

ROOT = Path(pyqemu.__file__).parent


class Few(Trace):
    """Some events."""

    pit_read = declare("addr {addr:#x} val {val}")
    pit_write = declare("addr {addr:#x} val {val}")
    pic_interrupt = declare("irq {irq}")
    reset = declare()


def now() -> int:
    return 12_000_034_567


# --- what is on -------------------------------------------------------------------------------------------------------


def test_event_that_is_off_is_nothing() -> None:
    trace = Few()
    assert list(trace.events) == ["pit_read", "pit_write", "pic_interrupt", "reset"]
    assert trace.pit_read is None
    assert not trace.is_on("pit_read")


def test_event_is_switched_in_one_object_only() -> None:
    trace, other = Few(), Few()
    trace.switch(trace.find("pit_*"), True)
    assert [name for name in trace.events if trace.is_on(name)] == ["pit_read", "pit_write"]
    assert other.pit_read is None
    trace.switch(trace.find("*write"), False)
    assert [name for name in trace.events if trace.is_on(name)] == ["pit_read"]


def test_patterns_as_options_have_them() -> None:
    trace = Few()
    assert trace.apply("*")
    assert trace.apply("-pi*")
    assert [name for name in trace.events if trace.is_on(name)] == ["reset"]
    assert trace.apply("nobody*")
    assert not trace.apply("nobody")
    assert not trace.apply("-nobody")


@given(st.text("ab*", max_size=8))
def test_star_stands_for_any_text_and_nothing_else_is_special(pattern: str) -> None:
    class Words(Trace):
        """All short words of two letters."""

        a, b, aa, ab, ba, aba = (declare() for _ in range(6))

    assert {event.name for event in Words().find(pattern)} == {w for w in Words.events if fnmatchcase(w, pattern)}


def test_those_whose_wiring_depends_on_it_are_told() -> None:
    trace = Few()
    heard = []
    trace.on_change.append(lambda: heard.append(trace.is_on("reset")))
    trace.apply("reset")
    trace.apply("-*")
    assert heard == [True, False]


# --- lines ------------------------------------------------------------------------------------------------------------


def test_line_has_the_form_of_qemu(capsys: pytest.CaptureFixture[str]) -> None:
    trace = Few(now)
    trace.apply("pit_read")
    if event := trace.pit_read:
        event(addr=0x40, val=7)
    assert capsys.readouterr().err == f"{os.getpid()}@12.000034:pit_read addr 0x40 val 7\n"


def test_lines_go_to_a_file_behind_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "log"
    path.write_text("before\n")
    trace = Few(now)
    trace.apply("reset")
    trace.set_path(str(path))
    if event := trace.reset:
        event()
    trace.close()
    assert path.read_text() == f"before\n{os.getpid()}@12.000034:reset \n"
    assert capsys.readouterr().err == ""
    assert trace.reset is None


def test_file_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    trace = Few()
    trace.set_path(str(tmp_path / "log"))
    with pytest.raises(UserError, match="No such file"):
        trace.set_path("/nowhere/log")
    assert trace.path == str(tmp_path / "log")
    trace.close()


# --- the events of pyqemu ---------------------------------------------------------------------------------------------


def told() -> Iterator[tuple[str, int, str, set[str] | None]]:
    """File, line, event and argument names of all ``if event := trace.NAME:``; None: they are not spelled out."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.If):
                continue
            test = node.test.values[-1] if isinstance(node.test, ast.BoolOp) else node.test
            if not isinstance(test, ast.NamedExpr) or test.target.id != "event":
                continue
            choices = [test.value.body, test.value.orelse] if isinstance(test.value, ast.IfExp) else [test.value]
            calls = [n for n in ast.walk(node) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "event"]
            for choice in choices:
                for call in calls:
                    keys = [keyword.arg for keyword in call.keywords]
                    names = None if None in keys else {key for key in keys if key is not None}
                    assert not call.args
                    yield path.name, node.lineno, choice.attr, names  # type: ignore[attr-defined]


def test_events_are_told_with_the_arguments_that_are_declared() -> None:
    wrong = [
        f"{file}:{line}: {name}"
        for file, line, name, arguments in told()
        if name not in TraceEvents.events or arguments not in (None, TraceEvents.events[name].arguments)
    ]
    assert not wrong


def test_every_declared_event_is_told_by_somebody() -> None:
    assert {name for _, _, name, _ in told()} == set(TraceEvents.events)


def test_nothing_is_on_in_the_object_of_those_without_a_machine() -> None:
    assert not any(SILENT.is_on(name) for name in SILENT.events)
