"""Interrupt lines, and any other wire with two levels."""

from __future__ import annotations

from collections.abc import Callable

IrqHandler = Callable[[bool], None]


class Irq:
    """A line that knows its level. The handler at its far end is called when the level changes.

    ``edges`` counts how often the line rose, which tests look at.
    """

    __slots__ = ("edges", "handler", "level")

    def __init__(self, handler: IrqHandler | None = None) -> None:
        self.handler = handler
        self.level = False
        self.edges = 0

    @classmethod
    def none(cls) -> Irq:
        """A line that leads nowhere."""
        return Irq()

    def set(self, level: bool | int) -> None:
        """Drive the line."""
        level = bool(level)
        if level == self.level:
            return
        self.level = level
        if level:
            self.edges += 1
        if self.handler is not None:
            self.handler(level)

    def raise_(self) -> None:
        """Drive it high."""
        self.set(True)

    def lower(self) -> None:
        """Drive it low."""
        self.set(False)

    def pulse(self) -> None:
        """Drive it high, then low."""
        self.set(True)
        self.set(False)

    def connect(self, handler: IrqHandler | None) -> None:
        """Lead the line to ``handler``, which learns of the level at once if it is high."""
        self.handler = handler
        if handler is not None and self.level:
            handler(True)


class FakeIrq(Irq):
    """A line for tests: ``level`` and ``edges`` are all that there is of it."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()


class SplitIrq(Irq):
    """A line that leads to several others."""

    __slots__ = ("outputs",)

    def __init__(self, *outputs: Irq) -> None:
        super().__init__(self._fan_out)
        self.outputs = list(outputs)

    def _fan_out(self, level: bool) -> None:
        for output in self.outputs:
            output.set(level)


class OrIrq:
    """Several lines, ``inputs``, that drive one: it is high while any of them is."""

    def __init__(self, count: int, output: Irq) -> None:
        self.output = output
        self.inputs = [Irq(self._update) for _ in range(count)]

    def _update(self, _level: bool) -> None:
        self.output.set(any(line.level for line in self.inputs))
