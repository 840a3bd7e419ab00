"""Interrupt lines."""

from __future__ import annotations

from pyqemu.system import FakeIrq, Irq, OrIrq, SplitIrq


def test_handler_hears_of_changes_only() -> None:
    heard: list[bool] = []
    line = Irq(heard.append)
    line.set(0)
    line.set(1)
    line.raise_()
    line.lower()
    line.pulse()
    assert heard == [True, False, True, False]
    assert (line.level, line.edges) == (False, 2)


def test_line_to_nowhere_keeps_level_and_count() -> None:
    line = Irq.none()
    line.raise_()
    assert (line.level, line.edges) == (True, 1)


def test_connecting_a_high_line_tells_the_level() -> None:
    line, target = Irq.none(), FakeIrq()
    line.raise_()
    line.connect(target.set)
    assert target.level


def test_split_drives_all_outputs() -> None:
    first, second = FakeIrq(), FakeIrq()
    SplitIrq(first, second).raise_()
    assert first.level
    assert second.level


def test_or_is_high_while_any_input_is() -> None:
    output = FakeIrq()
    gate = OrIrq(3, output)
    gate.inputs[0].raise_()
    gate.inputs[2].raise_()
    gate.inputs[0].lower()
    assert (output.level, output.edges) == (True, 1)
    gate.inputs[2].lower()
    assert not output.level
