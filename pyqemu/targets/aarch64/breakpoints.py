"""Breakpoints and watchpoints of the debug registers (ARM DDI 0487A.f, D2.9, D2.10).

They are hooks (:mod:`pyqemu.tcg.hooks`): code that has none is as it was. Hooks are there for all processors that take
turns, so each looks whether it is its own. Breakpoints match addresses, or those of one context; breakpoints of
contexts alone and of virtual machines never hit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pyqemu.targets.aarch64 import self_hosted
from pyqemu.targets.aarch64.exceptions import Aarch64Exception
from pyqemu.targets.aarch64.layout import EC_BREAKPOINT, EC_WATCHPOINT, EL_MMU, M64, PSTATE_D
from pyqemu.targets.aarch64.self_hosted import MDSCR_MDE

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu
    from pyqemu.tcg.hooks import MemoryGuard

ENABLED, HMC, LINKED = 1, 1 << 13, 1 << 20  #: of DBGBCR and DBGWCR
ADDRESS, LINKED_ADDRESS, LINKED_CONTEXT = 0, 1, 3  #: DBGBCR.BT
SECOND_HALFWORD = 0xC  #: DBGBCR.BAS: of 16-bit instructions
LOADS, STORES = 1, 2  #: DBGWCR.LSC
DEBUG_EXCEPTION, WNR = 0x22, 1 << 6  #: of the syndromes
PLACES = 1 << 49  #: addresses are extended from 49 bits


@dataclass(frozen=True)
class Watched:
    """What a watchpoint watches."""

    number: int
    first: int
    last: int
    reads: bool
    writes: bool


class Breakpoints:
    """Keeps hooks in step with the debug registers of one processor."""

    def __init__(self, cpu: Aarch64Cpu) -> None:
        self._cpu = cpu
        dfr0 = cpu.model.aa64dfr0
        self._breakpoints, self._watchpoints = (dfr0 >> 12 & 15) + 1, (dfr0 >> 20 & 15) + 1
        self._first_of_contexts = self._breakpoints - (dfr0 >> 28 & 15) - 1
        self._places: set[int] = set()
        self._guards: dict[Watched, MemoryGuard] = {}

    def update(self) -> None:
        """A debug register may have changed."""
        cpu = self._cpu
        if cpu.engine is None:
            return
        on = cpu.sys.mdscr_el1 & MDSCR_MDE
        places = {place for number in range(self._breakpoints) for place in self._place(number)} if on else set()
        for place in self._places - places:
            cpu.hooks.remove_address(place, self._reached)
        for place in places - self._places:
            cpu.hooks.add_address(place, self._reached)
        self._places = places
        watched = {each for number in range(self._watchpoints) for each in self._range(number)} if on else set()
        if watched != set(self._guards):
            self._guard(watched)

    # --- breakpoints --------------------------------------------------------------------------------------------------

    def _place(self, number: int) -> list[int]:
        """Where a breakpoint is, if it is on."""
        control, value = self._cpu.sys.dbgbcr[number], self._cpu.sys.dbgbvr[number]
        selected = control >> 5 & 15
        if not control & ENABLED or control >> 20 & 15 not in (ADDRESS, LINKED_ADDRESS) or not selected:
            return []
        return [(_extended(value) & ~3) + (2 if selected == SECOND_HALFWORD else 0)]

    def _reached(self, address: int) -> None:
        """An instruction that has a breakpoint is about to run.

        :raise Aarch64Exception: it is one of this processor, here and now.
        """
        cpu = self._cpu
        if cpu.hooks.cpu is not cpu or not self._may_hit():
            return
        for number in range(self._breakpoints):
            if address in self._place(number) and self._matches(cpu.sys.dbgbcr[number], cpu.el):
                raise self._exception(EC_BREAKPOINT)

    # --- watchpoints --------------------------------------------------------------------------------------------------

    def _range(self, number: int) -> list[Watched]:
        """What a watchpoint watches, if it is on."""
        control, value = self._cpu.sys.dbgwcr[number], self._cpu.sys.dbgwvr[number]
        kinds, selected, mask = control >> 3 & 3, control >> 5 & 0xFF, control >> 24 & 31
        if not control & ENABLED or not kinds or mask in (1, 2):
            return []
        start = _extended(value) & ~3
        if mask:
            start, size = start & -(1 << mask), 1 << mask
        else:
            selected &= 0xF if start & 4 else 0xFF
            skipped = (selected & -selected).bit_length() - 1
            start, size = start + skipped, _ones(selected >> skipped) if selected else 0
        return [Watched(number, start, start + size - 1, bool(kinds & LOADS), bool(kinds & STORES))] if size else []

    def _guard(self, watched: set[Watched]) -> None:
        from pyqemu.tcg.hooks import MemoryGuard  # hardly any guest needs them

        hooks = self._cpu.hooks
        for each in set(self._guards) - watched:
            hooks.remove_guard(self._guards.pop(each))
        for each in watched - set(self._guards):
            guard = MemoryGuard(each.first, each.last, each.reads, each.writes, partial(self._asked, each))
            self._guards[each] = guard
            hooks.add_guard(guard)

    def _asked(self, watched: Watched, address: int, _size: int, is_write: bool, mmu: int) -> None:
        """An access will be made to what is watched.

        :raise Aarch64Exception: it is one of this processor, here and now.
        """
        cpu = self._cpu
        el = 0 if mmu == EL_MMU[0] else cpu.el  # instructions may have less privilege than they run with
        if cpu.hooks.cpu is cpu and self._may_hit() and self._matches(cpu.sys.dbgwcr[watched.number], el):
            raise self._exception(EC_WATCHPOINT, WNR if is_write else 0, max(address, watched.first))

    # --- both ---------------------------------------------------------------------------------------------------------

    def _may_hit(self) -> bool:
        cpu = self._cpu
        masked = bool(cpu.daif & PSTATE_D)
        return self_hosted.are_enabled(cpu, cpu.el, secure=cpu.is_secure, masked=masked)

    def _matches(self, control: int, el: int) -> bool:
        """Whether security state, exception level and context are those that a control register wants (D2.9.3)."""
        wanted = control >> 14 & 3
        if wanted and (wanted == 2) != self._cpu.is_secure:
            return False
        if not (control & HMC if el > 1 else control >> 2 - el & 1):
            return False
        return not control & LINKED or self._is_context(control >> 16 & 15)

    def _is_context(self, number: int) -> bool:
        """Whether the present context is that of a breakpoint which others are linked to."""
        cpu = self._cpu
        if not self._first_of_contexts <= number < self._breakpoints or cpu.el > 1:
            return False
        control = cpu.sys.dbgbcr[number]
        is_on = control & ENABLED and control >> 20 & 15 == LINKED_CONTEXT
        return bool(is_on) and cpu.sys.contextidr_el1 == cpu.sys.dbgbvr[number] & 0xFFFF_FFFF

    def _exception(self, ec: int, syndrome: int = 0, far: int | None = None) -> Aarch64Exception:
        target = self_hosted.target_level(self._cpu, secure=self._cpu.is_secure)
        return Aarch64Exception(ec, syndrome | DEBUG_EXCEPTION, far, target_el=target)


def _extended(value: int) -> int:
    """An address of a value register: the highest bits are those of the sign."""
    return ((value & PLACES - 1 ^ PLACES >> 1) - (PLACES >> 1)) & M64


def _ones(bits: int) -> int:
    """How many lowest bits are set."""
    return (~bits & bits + 1).bit_length() - 1
