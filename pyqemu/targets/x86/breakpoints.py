"""Breakpoints on data and ports (SDM vol. 3, 17.2): traps after the instruction that made the access.

Those on instructions are faults and stand in `stepping.py`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pyqemu.targets.x86.exceptions import X86Exception
from pyqemu.targets.x86.layout import CR4_DE, EXC_DB

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu
    from pyqemu.tcg.hooks import MemoryWatch, PortWatch

WRITE, PORT, READ_OR_WRITE = 1, 2, 3  # DR7.R/W
LENGTHS = (1, 2, 8, 4)  # bytes, by DR7.LEN


class DataBreakpoints:
    """Keeps what is watched in step with the debug registers.

    :ivar hit: which breakpoints the running instruction has met, as DR6 bits B0 to B3
    """

    def __init__(self, cpu: X86Cpu) -> None:
        self._cpu = cpu
        self._wanted: list[tuple[int, int, int, int]] = []  # number, condition, first, last
        self._memory: list[MemoryWatch] = []
        self._ports: list[PortWatch] = []
        self.hit = 0

    def update(self) -> None:
        """A debug register or CR4.DE may have changed."""
        wanted = self._enabled() if self._cpu.dr7 & 0xFF else []
        if wanted == self._wanted or self._cpu.engine is None:
            return
        self._wanted = wanted
        self._stop_watching()
        for breakpoint in wanted:
            self._watch(*breakpoint)

    def _enabled(self) -> list[tuple[int, int, int, int]]:
        cpu = self._cpu
        found = []
        for number, address in enumerate((cpu.dr0, cpu.dr1, cpu.dr2, cpu.dr3)):
            control = cpu.dr7 >> 16 + 4 * number
            condition, length = control & 3, LENGTHS[control >> 2 & 3]
            if cpu.dr7 >> 2 * number & 3 and condition and (condition != PORT or cpu.cr4 & CR4_DE):
                first = address & -length
                found.append((number, condition, first, first + length - 1))
        return found

    def _stop_watching(self) -> None:
        hooks = self._cpu.hooks
        for memory in self._memory:
            hooks.remove_memory(memory)
        for ports in self._ports:
            hooks.remove_port(ports)
        self._memory.clear()
        self._ports.clear()

    def _watch(self, number: int, condition: int, first: int, last: int) -> None:
        from pyqemu.tcg.hooks import MemoryWatch, PortWatch  # hardly any guest needs them

        reached = partial(self._reached, 1 << number)
        if condition == PORT:
            self._ports.append(PortWatch(first, last, True, True, reached))
            self._cpu.hooks.add_port(self._ports[-1])
        else:
            watch = MemoryWatch(first, last, True, condition == READ_OR_WRITE, True, reached)
            self._memory.append(watch)
            self._cpu.hooks.add_memory(watch)

    def _reached(self, bit: int, _access: object) -> None:
        """The running instruction has made an access that is watched."""
        engine = self._cpu.engine
        assert engine is not None
        self.hit |= bit
        engine.leave_after_instruction()

    def trap(self) -> X86Exception:
        """The exception for the breakpoints that were met."""
        return X86Exception(EXC_DB, dr6=self.take())

    def take(self) -> int:
        """The breakpoints that were met, and forget them."""
        hit, self.hit = self.hit, 0
        return hit
