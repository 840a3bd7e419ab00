"""Registers of the generic timer (ARM DDI 0487A.f, D7.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.sysregs import Read, Trap, Write, define
from pyqemu.targets.arm.generic_timer import HYPERVISOR, PHYSICAL, SECURE, VIRTUAL

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

KCTL_PCTEN, KCTL_VCTEN, KCTL_VTEN, KCTL_PTEN = 1, 2, 1 << 8, 1 << 9
HCTL_PCTEN, HCTL_PCEN = 1, 2
SCR_ST = 1 << 11

Check = Callable[["Aarch64Cpu", bool], None]


def _el0(bits: int, hypervisor_bit: int = 0) -> Check:
    """CNTKCTL_EL1 lets EL0 in, CNTHCTL_EL2 lets EL1 and EL0 in to what is physical."""

    def check(cpu: Aarch64Cpu, is_write: bool) -> None:
        if cpu.el == 0 and not cpu.sys.cntkctl_el1 & bits:
            raise Trap(1)
        if cpu.el < 2 and cpu.el2_enabled and hypervisor_bit and not cpu.sys.cnthctl_el2 & hypervisor_bit:
            raise Trap(2)

    return check


def _secure(cpu: Aarch64Cpu, is_write: bool) -> None:
    """SCR_EL3.ST lets secure EL1 in."""
    if cpu.el == 1 and not cpu.sys.scr_el3 & SCR_ST:
        raise Trap(3)


def _control(number: int) -> tuple[Read, Write]:
    return (lambda cpu: cpu.timer.read_control(number), lambda cpu, value: cpu.timer.write_control(number, value))


def _compare(number: int) -> tuple[Read, Write]:
    return (lambda cpu: cpu.timer.compare[number], lambda cpu, value: cpu.timer.write_compare(number, value))


def _value(number: int) -> tuple[Read, Write]:
    return (lambda cpu: cpu.timer.read_value(number), lambda cpu, value: cpu.timer.write_value(number, value))


def _timer(name: str, number: int, op1: int, crm: int, el: int, check: Check | None) -> None:
    suffix = {3: "EL0", 4: "EL2", 7: "EL1"}[op1]
    for op2, part, (read, write) in ((0, "TVAL", _value(number)), (1, "CTL", _control(number)),
                                     (2, "CVAL", _compare(number))):  # fmt: skip
        define(f"{name}_{part}_{suffix}", (3, op1, 14, crm, op2), el=el, read=read, write=write, check=check)


def _write_offset(cpu: Aarch64Cpu, value: int) -> None:
    cpu.timer.set_offset(value)


def define_all() -> None:
    """Enter them."""
    define("CNTFRQ_EL0", (3, 3, 14, 0, 0), el=0, write_el=1, mask=0xFFFFFFFF, check=_el0(KCTL_PCTEN | KCTL_VCTEN))
    define("CNTPCT_EL0", (3, 3, 14, 0, 1), el=0, write_el=4, read=lambda cpu: cpu.timer.physical,
           check=_el0(KCTL_PCTEN, HCTL_PCTEN))  # fmt: skip
    define("CNTVCT_EL0", (3, 3, 14, 0, 2), el=0, write_el=4, read=lambda cpu: cpu.timer.virtual, check=_el0(KCTL_VCTEN))
    define("CNTKCTL_EL1", (3, 0, 14, 1, 0), mask=0x3FF)
    define("CNTHCTL_EL2", (3, 4, 14, 1, 0), el=2, mask=0xFF)
    define("CNTVOFF_EL2", (3, 4, 14, 0, 3), el=2, read=lambda cpu: cpu.timer.offset, write=_write_offset)
    _timer("CNTP", PHYSICAL, 3, 2, 0, _el0(KCTL_PTEN, HCTL_PCEN))
    _timer("CNTV", VIRTUAL, 3, 3, 0, _el0(KCTL_VTEN))
    _timer("CNTHP", HYPERVISOR, 4, 2, 2, None)
    _timer("CNTPS", SECURE, 7, 2, 1, _secure)
