"""System control, translation and exception registers of coprocessor 15 (ARM DDI 0406C.b, B3.17.2, B4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.cp15 import Check, Read, Write, define, ignored, storage
from pyqemu.targets.arm.layout import M32
from pyqemu.targets.arm.modes import M_LEVEL

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu

SCTLR_U = 1 << 22
CPACR_OPEN = 0xF << 20  #: coprocessors 10 and 11, which are all there are
HIGH = 32


def _write_sctlr(cpu: ArmCpu, value: int) -> None:
    if cpu.model.has("v7"):
        value |= SCTLR_U
    if cpu.sys.sctlr_el1 != value:
        cpu.sys.sctlr_el1 = value
        cpu.translation_changed()


def _read_cpacr(cpu: ArmCpu) -> int:
    return cpu.sys.cpacr_el1 & ~(CPACR_OPEN if cpu.is_kept_from_vfp() else 0)


def _write_cpacr(cpu: ArmCpu, value: int) -> None:
    writable = 3 << 30 if cpu.is_kept_from_vfp() else CPACR_OPEN | 3 << 30
    cpu.sys.cpacr_el1 = cpu.sys.cpacr_el1 & CPACR_OPEN & ~writable | value & writable
    cpu.mode_changed()


def _half(attribute: str, shift: int) -> tuple[Read, Write]:
    """A register that is half of one of 64 bits."""

    def read(cpu: ArmCpu) -> int:
        value: int = getattr(cpu.sys, attribute)
        return value >> shift & M32

    def write(cpu: ArmCpu, value: int) -> None:
        rest = getattr(cpu.sys, attribute) & ~(M32 << shift)
        setattr(cpu.sys, attribute, rest | (value & M32) << shift)

    return read, write


def _table(attribute: str) -> Write:
    """TTBR0 and TTBR1 as 32 bits: the upper half becomes zero."""

    def write(cpu: ArmCpu, value: int) -> None:
        if getattr(cpu.sys, attribute) != value:
            setattr(cpu.sys, attribute, value)
            cpu.tables_changed()

    return write


def _attribute(name: str) -> tuple[Read, Write]:
    """A register that is an attribute of the CPU."""
    return lambda cpu: int(getattr(cpu, name)), lambda cpu, value: setattr(cpu, name, value)


def _write_fcse(cpu: ArmCpu, value: int) -> None:
    cpu.fcse = value & 0xFE000000
    cpu.translation_changed()


def _whole(attribute: str) -> Read:
    """All 64 bits of a register."""
    return lambda cpu: int(getattr(cpu.sys, attribute))


def _writable(level: int) -> Check:
    """Writes need a privilege level of their own."""
    return lambda cpu, is_write: not is_write or cpu.mode & M_LEVEL >= level


def _define_control() -> None:
    define("SCTLR", (15, 0, 1, 0, 0), read=lambda cpu: cpu.sys.sctlr_el1, write=_write_sctlr)
    storage("ACTLR", (15, 0, 1, 0, 1), "actlr_el1")
    define("CPACR", (15, 0, 1, 0, 2), read=_read_cpacr, write=_write_cpacr, feature="v6")
    ignored("CPACR", (15, 0, 1, 0, 2), feature="!v6")
    define("SCR", (15, 0, 1, 1, 0), read=lambda cpu: cpu.sys.scr_el3, write=_write_scr, feature="security",
           check=lambda cpu, write: cpu.has_el3)  # fmt: skip
    storage("SDER", (15, 0, 1, 1, 1), "sder32_el3", mask=3, feature="security")
    storage("NSACR", (15, 0, 1, 1, 2), "cptr_el3", feature="security", effect="mode_changed")


def _write_scr(cpu: ArmCpu, value: int) -> None:
    cpu.sys.scr_el3 = value & 0x3FF
    cpu.mode_changed()
    if cpu.interrupt_request:
        cpu.kick()


def _define_translation() -> None:
    for number, attribute in enumerate(("ttbr0_el1", "ttbr1_el1")):
        define(f"TTBR{number}", (15, 0, 2, 0, number), read=_half(attribute, 0)[0], write=_table(attribute))
        define(f"TTBR{number}", (15, number, 2), read=_whole(attribute),
               write=_table(attribute), feature="lpae")  # fmt: skip
    storage("TTBCR", (15, 0, 2, 0, 2), "tcr_el1", effect="translation_changed")
    storage("DACR", (15, 0, 3, 0, 0), "dacr32_el2", effect="domains_changed")
    for shift, name in ((0, "PRRR"), (HIGH, "NMRR")):
        read, write = _half("mair_el1", shift)
        define(name, (15, 0, 10, 2, shift // HIGH), read=read, write=write, feature="v6k")
        read, write = _half("amair_el1", shift)
        define(f"AMAIR{shift // HIGH}", (15, 0, 10, 3, shift // HIGH), read=read, write=write, feature="lpae")
    ignored("TLB lockdown", (15, 0, 10, 0, 0))
    define("FCSEIDR", (15, 0, 13, 0, 0), read=lambda cpu: cpu.fcse, write=_write_fcse)
    storage("CONTEXTIDR", (15, 0, 13, 0, 1), "contextidr_el1", feature="v6", effect="tlb_flush")


def _define_faults() -> None:
    storage("DFSR", (15, 0, 5, 0, 0), "esr_el1")
    storage("IFSR", (15, 0, 5, 0, 1), "ifsr32_el2")
    storage("ADFSR", (15, 0, 5, 1, 0), "afsr0_el1", mask=0)
    storage("AIFSR", (15, 0, 5, 1, 1), "afsr1_el1", mask=0)
    define("DFAR", (15, 0, 6, 0, 0), read=_attribute("dfar")[0], write=_attribute("dfar")[1])
    define("WFAR", (15, 0, 6, 0, 1), read=lambda cpu: 0, write=lambda cpu, value: None, feature="v6")
    for opc2, feature in ((2, "v6"), (1, "ifar_1026")):
        define("IFAR", (15, 0, 6, 0, opc2), read=_attribute("ifar")[0], write=_attribute("ifar")[1], feature=feature)
    storage("VBAR", (15, 0, 12, 0, 0), "vbar_el1", mask=0xFFFFFFE0, feature="vbar")
    storage("MVBAR", (15, 0, 12, 0, 1), "vbar_el3", mask=0xFFFFFFE0, feature="security")
    define("ISR", (15, 0, 12, 1, 0), read=lambda cpu: cpu.pending_interrupts(), feature="security")


def _define_software() -> None:
    """Registers for software's own use: translated code has them; these are for debuggers and odd accesses."""
    for opc2, name, level, write_level in ((2, "tpidrurw", 0, 0), (3, "tpidruro", 0, 1), (4, "tpidrprw", 1, 1)):
        read, write = _attribute(name)
        define(name.upper(), (15, 0, 13, 0, opc2), read=read, write=write, level=level, feature="v6k",
               check=_writable(write_level))  # fmt: skip


def define_all() -> None:
    """Enter them."""
    _define_control()
    _define_translation()
    _define_faults()
    _define_software()
