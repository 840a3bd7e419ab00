"""Debug registers in coprocessor 14 (ARM DDI 0406C.b, C11.11).

Breakpoints and watchpoints are kept, and have no effect yet: a debugger in the guest sees none of its own hit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.cp15 import Check, Read, Write, constant, define, ignored, storage

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu

OS_LOCK_KEY = 0xC5ACCE55
OS_LOCKED, OS_LOCK_IMPLEMENTED = 2, 8  #: of OSLSR
BREAKPOINTS_SHIFT, WATCHPOINTS_SHIFT = 24, 28  #: of DBGDIDR: how many there are, less 1


def _lock_os(cpu: ArmCpu, value: int) -> None:
    cpu.sys.oslsr_el1 = OS_LOCK_IMPLEMENTED | (OS_LOCKED if value == OS_LOCK_KEY else 0)


def _element(name: str, number: int) -> tuple[Read, Write]:
    """One of a row of registers."""

    def read(cpu: ArmCpu) -> int:
        values: list[int] = getattr(cpu.sys, name)
        return values[number]

    def write(cpu: ArmCpu, value: int) -> None:
        values: list[int] = getattr(cpu.sys, name)
        values[number] = value

    return read, write


def _there(number: int, shift: int) -> Check:
    """Whether the processor has that many."""
    return lambda cpu, is_write: cpu.model.dbgdidr >> shift & 15 >= number


def define_all() -> None:
    """Enter them."""
    constant("DBGDIDR", (14, 0, 0, 0, 0), lambda cpu: cpu.model.dbgdidr, level=0)
    constant("DBGDSCRint", (14, 0, 0, 1, 0), lambda cpu: cpu.sys.mdscr_el1, level=0, feature="v7")
    storage("DBGDSCRext", (14, 0, 0, 2, 2), "mdscr_el1", feature="v7")
    ignored("DBGVCR", (14, 0, 0, 7, 0), feature="v7")
    constant("DBGDRAR", (14, 0, 1, 0, 0), 0, level=0)
    constant("DBGDSAR", (14, 0, 2, 0, 0), 0, level=0)
    define("DBGOSLAR", (14, 0, 1, 0, 4), write=_lock_os, feature="v7")
    constant("DBGOSLSR", (14, 0, 1, 1, 4), lambda cpu: cpu.sys.oslsr_el1, feature="v7")
    ignored("DBGOSDLR", (14, 0, 1, 3, 4), feature="v7")
    for number in range(16):
        for opc2, name, shift in ((4, "dbgbvr", BREAKPOINTS_SHIFT), (5, "dbgbcr", BREAKPOINTS_SHIFT),
                                  (6, "dbgwvr", WATCHPOINTS_SHIFT), (7, "dbgwcr", WATCHPOINTS_SHIFT)):  # fmt: skip
            read, write = _element(name, number)
            define(f"{name.upper()}{number}", (14, 0, 0, number, opc2), read=read, write=write, feature="v7",
                   check=_there(number, shift))  # fmt: skip
