"""Control and debug registers (SDM vol. 3, 2.5, 17.2; vol. 2, MOV to/from control and debug registers, LMSW,
CLTS).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.x86.exceptions import X86Exception, gp, ud
from pyqemu.targets.x86.layout import (
    CR0_AM,
    CR0_CD,
    CR0_EM,
    CR0_ET,
    CR0_MP,
    CR0_NE,
    CR0_NW,
    CR0_PE,
    CR0_PG,
    CR0_TS,
    CR0_WP,
    CR4_DE,
    CR4_FSGSBASE,
    CR4_MCE,
    CR4_OSFXSR,
    CR4_OSXMMEXCPT,
    CR4_OSXSAVE,
    CR4_PAE,
    CR4_PCE,
    CR4_PCIDE,
    CR4_PGE,
    CR4_PSE,
    CR4_PVI,
    CR4_SMAP,
    CR4_SMEP,
    CR4_TSD,
    CR4_VME,
    DESC_L,
    DR,
    DR6_BD,
    DR6_ONES,
    DR7_GD,
    DR7_ONES,
    EFER_LMA,
    EFER_LME,
    EXC_DB,
    HF_CS64,
    M32,
    TSS16_BUSY,
)
from pyqemu.targets.x86.mmu import PTE_ADDRESS

if TYPE_CHECKING:
    from pyqemu.targets.x86.models import CpuModel
    from pyqemu.targets.x86.state import X86Cpu

CR0_DEFINED = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG
CR0_FLUSH = CR0_PG | CR0_WP  # not PE: without paging, addresses mean the same in real and in protected mode
CR4_FLUSH = CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP | CR4_SMAP
CR4_FEATURES = {
    "vme": CR4_VME | CR4_PVI, "tsc": CR4_TSD, "de": CR4_DE, "pse": CR4_PSE, "pae": CR4_PAE, "mce": CR4_MCE,
    "pge": CR4_PGE, "fxsr": CR4_OSFXSR, "sse": CR4_OSXMMEXCPT, "fsgsbase": CR4_FSGSBASE, "pcid": CR4_PCIDE,
    "xsave": CR4_OSXSAVE, "smep": CR4_SMEP, "smap": CR4_SMAP, "fpu": CR4_PCE,
}  # fmt: skip


def read_cr(cpu: X86Cpu, number: int) -> int:
    """Return a control register."""
    match number:
        case 0:
            return cpu.cr0
        case 2:
            return cpu.cr2
        case 3:
            return cpu.cr3
        case 4:
            return cpu.cr4
        case 8:
            return 0 if cpu.apic is None else cpu.apic.cr8
    raise ud()


def write_cr(cpu: X86Cpu, number: int, value: int) -> None:
    """MOV to a control register."""
    match number:
        case 0:
            write_cr0(cpu, value)
        case 2:
            cpu.cr2 = value
        case 3:
            write_cr3(cpu, value)
        case 4:
            write_cr4(cpu, value)
        case 8:
            if value >> 4:
                raise gp(0)
            if cpu.apic is not None:
                cpu.apic.cr8 = value
        case _:
            raise ud()


def write_cr0(cpu: X86Cpu, value: int) -> None:
    """Write CR0; paging and protection may be switched on and off (SDM vol. 3, 2.5, 9.8.5, 9.9)."""
    if (value & CR0_PG and not value & CR0_PE) or (value & CR0_NW and not value & CR0_CD) or value > M32:
        raise gp(0)
    value = value & CR0_DEFINED | CR0_ET
    old = cpu.cr0
    changed = old ^ value
    if changed & CR0_PG:
        _switch_paging(cpu, bool(value & CR0_PG))
    cpu.cr0 = value
    if changed & CR0_FLUSH:
        cpu.tlb_flush()
    cpu.update_control()
    if changed & CR0_PE:
        cpu.update_segment_ranges()


def _switch_paging(cpu: X86Cpu, on: bool) -> None:
    """Switch long mode on or off together with paging, if EFER.LME asks for it."""
    if not on:
        if cpu.hflags & HF_CS64:
            raise gp(0)
        cpu.efer &= ~EFER_LMA
    elif cpu.efer & EFER_LME:
        tss16 = cpu.tr.flags >> 8 & 15 == TSS16_BUSY
        if not cpu.cr4 & CR4_PAE or cpu.cs.flags & DESC_L or tss16:
            raise gp(0)
        cpu.efer |= EFER_LMA


def write_cr3(cpu: X86Cpu, value: int) -> None:
    """Write CR3: the translations of all but global pages are forgotten."""
    if cpu.efer & EFER_LMA:
        if value & ~(PTE_ADDRESS & (1 << cpu.model.physical_bits) - 1 | 0xFFF):
            raise gp(0)
    else:
        value &= M32
    cpu.cr3 = value
    if cpu.cr0 & CR0_PG:
        cpu.tlb_flush(global_too=False)


def cr4_mask(model: CpuModel) -> int:
    """Return the bits of CR4 that a model has."""
    return sum(bits for name, bits in CR4_FEATURES.items() if model.has(name))


def write_cr4(cpu: X86Cpu, value: int) -> None:
    """Write CR4; bits of features that the model lacks are reserved."""
    if value & ~cr4_mask(cpu.model) or (cpu.efer & EFER_LMA and not value & CR4_PAE):
        raise gp(0)
    changed = cpu.cr4 ^ value
    cpu.cr4 = value
    if changed & CR4_FLUSH:
        cpu.tlb_flush()
    cpu.update_control()


def lmsw(cpu: X86Cpu, value: int) -> None:
    """LMSW: the low four bits of CR0; PE can only be set."""
    write_cr0(cpu, cpu.cr0 & ~0xE | value & 0xF)


def clts(cpu: X86Cpu) -> None:
    """CLTS."""
    cpu.cr0 &= ~CR0_TS
    cpu.update_control()


def _debug_register(cpu: X86Cpu, number: int) -> int:
    """Return which register `number` names, after the checks that all accesses share (SDM vol. 3, 17.2.2, 17.2.4)."""
    if number in (4, 5):
        if cpu.cr4 & CR4_DE:
            raise ud()
        number += 2
    if cpu.dr7 & DR7_GD:
        raise X86Exception(EXC_DB, dr6=DR6_BD)
    return number


def read_dr(cpu: X86Cpu, number: int) -> int:
    """MOV from a debug register."""
    return cpu.q[(DR >> 3) + _debug_register(cpu, number)]


def write_dr(cpu: X86Cpu, number: int, value: int) -> None:
    """MOV to a debug register."""
    number = _debug_register(cpu, number)
    if number >= 6 and value > M32:
        raise gp(0)
    if number == 6:
        value = value & 0xE00F | DR6_ONES
    elif number == 7:
        value = value & ~0xD000 | DR7_ONES
    cpu.q[(DR >> 3) + number] = value
    cpu.update_control()
