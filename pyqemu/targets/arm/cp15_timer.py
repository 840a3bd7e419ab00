"""Registers of the generic timer (ARM DDI 0406C.b, B8.1, B4.1.21 and following), and of performance monitors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.cp15 import Check, Read, Write, define, storage
from pyqemu.targets.arm.generic_timer import PHYSICAL, VIRTUAL
from pyqemu.targets.arm.modes import M_LEVEL

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu

PL0PCTEN, PL0VCTEN, PL0VTEN, PL0PTEN = 1, 2, 1 << 8, 1 << 9
FEATURE = "generic_timer"
PMCR_E, PMCR_D = 1, 8


def _user(bits: int) -> Check:
    """CNTKCTL lets User mode in."""

    def check(cpu: ArmCpu, is_write: bool) -> bool:
        return bool(cpu.mode & M_LEVEL or cpu.sys.cntkctl_el1 & bits)

    return check


def _timer(name: str, number: int, crm: int, bit: int) -> None:
    ways: tuple[tuple[int, str, Read, Write], ...] = (
        (0, "TVAL", lambda cpu: cpu.timer.read_value(number), lambda cpu, v: cpu.timer.write_value(number, v)),
        (1, "CTL", lambda cpu: cpu.timer.read_control(number), lambda cpu, v: cpu.timer.write_control(number, v)),
    )
    for op, part, read, write in ways:
        define(f"{name}_{part}", (15, 0, 14, crm, op), read=read, write=write, level=0, feature=FEATURE,
               check=_user(bit))  # fmt: skip
    define(f"{name}_CVAL", (15, 2 if number == PHYSICAL else 3, 14), read=lambda cpu: cpu.timer.compare[number],
           write=lambda cpu, v: cpu.timer.write_compare(number, v), level=0, feature=FEATURE,
           check=_user(bit))  # fmt: skip


def _read_only(cpu: ArmCpu, is_write: bool) -> bool:
    """CNTFRQ: User mode may read it if any counter is open to it."""
    return bool(cpu.mode & M_LEVEL or (not is_write and cpu.sys.cntkctl_el1 & (PL0PCTEN | PL0VCTEN)))


def _write_frequency(cpu: ArmCpu, value: int) -> None:
    cpu.sys.cntfrq_el0 = value


def _write_pmcr(cpu: ArmCpu, value: int) -> None:
    cpu.sys.pmcr_el0 = value & (PMCR_E | PMCR_D)
    if value & 4:
        cpu.cycle_counter.set(0)
    cpu.cycle_counter.switch(on=bool(value & PMCR_E), divider=64 if value & PMCR_D else 1)


def define_all() -> None:
    """Enter them."""
    define("CNTFRQ", (15, 0, 14, 0, 0), read=lambda cpu: cpu.sys.cntfrq_el0, write=_write_frequency, level=0,
           feature=FEATURE, check=_read_only)  # fmt: skip
    storage("CNTKCTL", (15, 0, 14, 1, 0), "cntkctl_el1", mask=0x3FF, feature=FEATURE)
    define("CNTPCT", (15, 0, 14), read=lambda cpu: cpu.timer.physical, level=0, feature=FEATURE, check=_user(PL0PCTEN))
    define("CNTVCT", (15, 1, 14), read=lambda cpu: cpu.timer.virtual, level=0, feature=FEATURE, check=_user(PL0VCTEN))
    _timer("CNTP", PHYSICAL, 2, PL0PTEN)
    _timer("CNTV", VIRTUAL, 3, PL0VTEN)
    define("PMCR", (15, 0, 9, 12, 0), read=lambda cpu: cpu.sys.pmcr_el0, write=_write_pmcr, feature="v7")
    define("PMCCNTR", (15, 0, 9, 13, 0), read=lambda cpu: cpu.cycle_counter.value,
           write=lambda cpu, value: cpu.cycle_counter.set(value), feature="v7")  # fmt: skip
