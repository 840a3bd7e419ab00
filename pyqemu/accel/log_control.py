"""The log of what the vCPU executes, switched while the machine runs (``log``, ``logfile``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyqemu.tcg.cpu import Cpu
from pyqemu.tcg.log import ExecutionLog
from pyqemu.util.errors import UserError

ITEMS: Mapping[str, str] = {
    "in_asm": "the guest's instructions, when they are translated",
    "op": "their translation's operations",
    "out_asm": "the host code made from these",
    "exec": "each block that is entered (a lot)",
    "cpu": "the registers before each block (a lot)",
    "int": "exceptions and interrupts that are delivered",
}
"""What can be logged."""


class LogControl:
    """What is logged, and where to. Whoever changes it has parked the machine.

    :ivar path: the file, empty for standard error
    """

    def __init__(self, cpu: Cpu, items: Iterable[str] = (), path: str = "") -> None:
        self.cpu = cpu
        self.path = path
        self._log: ExecutionLog | None = None
        if items := tuple(items):
            self._open(items)

    @property
    def items(self) -> frozenset[str]:
        """What is logged now."""
        return self._log.items if self._log is not None else frozenset()

    def set_items(self, items: Iterable[str]) -> None:
        """Log these items, or nothing.

        :raise UserError: there is no such item, or the file cannot be written.
        """
        items = tuple(items)
        for item in items:
            if item not in ITEMS:
                raise UserError(f"there is no log item '{item}'", f"log items: none, {', '.join(ITEMS)}")
        self.close()
        if items:
            self._open(items)

    def set_path(self, path: str) -> None:
        """Go on in another file.

        :raise UserError: it cannot be written; then nothing changes.
        """
        try:
            with open(path, "a"):
                pass
        except OSError as error:
            raise UserError(f"Error opening logfile {path}: {error.strerror}") from None
        items, self.path = self.items, path
        self.set_items(items)

    def _open(self, items: tuple[str, ...]) -> None:
        self._log = ExecutionLog(items, self.path, self.cpu)

    def close(self) -> None:
        """Log nothing any more."""
        if self._log is None:
            return
        self._log.close()
        self._log = None
        engine = self.cpu.engine
        if engine is not None:
            engine.on_translate = engine.trace = None
        for cpu in self.cpu.turns.cpus:
            cpu.on_event = None

    @property
    def single_step(self) -> bool:
        """Whether each block is one instruction (``-singlestep``)."""
        return self.cpu.engine is not None and self.cpu.engine.single_step

    @single_step.setter
    def single_step(self, on: bool) -> None:
        engine = self.cpu.engine
        if engine is not None and engine.single_step != on:
            engine.single_step = on
            engine.flush()
