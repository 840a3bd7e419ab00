"""Model-specific registers (SDM vol. 4; APM vol. 2, appendix A).

Registers that are fields of the CPU stand in a table; a few need code; MTRRs, machine check banks and the like only
store what is written. What is not listed reads as zero and takes no writes, as in QEMU: guests probe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.x86.exceptions import gp
from pyqemu.targets.x86.layout import (
    CR0_PG,
    EFER_FFXSR,
    EFER_LMA,
    EFER_LME,
    EFER_NXE,
    EFER_SCE,
    FS,
    GS,
    M32,
    M64,
)
from pyqemu.targets.x86.mmu import canonical

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu

TSC, APIC_BASE, EFER, STAR, FS_BASE, GS_BASE = 0x10, 0x1B, 0xC0000080, 0xC0000081, 0xC0000100, 0xC0000101
MTRR_CAP, MCG_CAP, MCG_STATUS, MCG_CTL, PERF_STATUS, MISC_ENABLE, PAT = 0xFE, 0x179, 0x17A, 0x17B, 0x198, 0x1A0, 0x277

FIELDS = {
    0x174: "sysenter_cs", 0x175: "sysenter_esp", 0x176: "sysenter_eip", PAT: "pat",
    STAR: "star", 0xC0000082: "lstar", 0xC0000083: "cstar", 0xC0000084: "sfmask", 0xC0000102: "kernel_gs_base",
    0xC0000103: "tsc_aux",
}  # fmt: skip
FEATURE_OF = {0x174: "sep", 0x175: "sep", 0x176: "sep", 0xC0000082: "lm", 0xC0000083: "lm", 0xC0000084: "syscall",
              0xC0000102: "lm", FS_BASE: "lm", GS_BASE: "lm", 0xC0000103: "rdtscp"}  # fmt: skip
ADDRESSES = frozenset({0x175, 0x176, 0xC0000082, 0xC0000083, 0xC0000102, FS_BASE, GS_BASE})
NARROW = frozenset({0x174, 0xC0000084, 0xC0000103})  # 32 bits

MTRRS = frozenset({*range(0x200, 0x210), 0x250, 0x258, 0x259, *range(0x268, 0x270), 0x2FF})
MCE_BANKS = 10
BANKS = frozenset(range(0x400, 0x400 + 4 * MCE_BANKS))
STORED = MTRRS | BANKS | {MCG_STATUS, MCG_CTL, MISC_ENABLE, 0x3B, 0x6E0, 0x1D9, 0xC0010117}
INITIAL = {MISC_ENABLE: 1, MCG_CTL: M64} | {0x400 + 4 * n: M64 for n in range(MCE_BANKS)}
# MTRRcap: 8 variable ranges, fixed ranges, write combining. MCG_CAP: bank count, MCG_CTL present, software recovery.
CONSTANT = {MTRR_CAP: 8 | 1 << 8 | 1 << 10, MCG_CAP: MCE_BANKS | 1 << 8 | 1 << 24, PERF_STATUS: 1000 | 4 << 40}
PAT_TYPES = frozenset({0, 1, 4, 5, 6, 7})


def _check_feature(cpu: X86Cpu, index: int) -> None:
    feature = FEATURE_OF.get(index)
    if feature is not None and not cpu.model.has(feature):
        raise gp(0)


def read(cpu: X86Cpu, index: int) -> int:
    """Return the 64-bit value of register `index`."""
    _check_feature(cpu, index)
    field = FIELDS.get(index)
    if field is not None:
        value: int = getattr(cpu, field)
        return value
    match index:
        case 0xC0000080:
            return cpu.efer
        case 0xC0000100:
            return cpu.fs.base
        case 0xC0000101:
            return cpu.gs.base
        case 0x10:
            return read_tsc(cpu)
        case 0x1B:
            return 0 if cpu.apic is None else cpu.apic.apicbase
    if index in CONSTANT:
        return CONSTANT[index]
    return cpu.msrs.get(index, INITIAL.get(index, 0))


def write(cpu: X86Cpu, index: int, value: int) -> None:
    """Write register `index`."""
    _check_feature(cpu, index)
    if index in ADDRESSES and not canonical(value):
        raise gp(0)
    if index in NARROW:
        value &= M32
    field = FIELDS.get(index)
    if index == PAT and any(value >> shift & 0xFF not in PAT_TYPES for shift in range(0, 64, 8)):
        raise gp(0)
    if field is not None:
        setattr(cpu, field, value)
        return
    match index:
        case 0xC0000080:
            write_efer(cpu, value)
        case 0xC0000100:
            cpu.seg[FS].set_base(value)
        case 0xC0000101:
            cpu.seg[GS].set_base(value)
        case 0x10:
            cpu.tsc_offset = value - cpu.read_tsc() & M64
        case 0x1B:
            if cpu.apic is not None:
                cpu.apic.set_base(value)
        case _ if (index in BANKS and index & 3 == 0) or index == MCG_CTL:
            if value in (0, M64):
                cpu.msrs[index] = value
        case _ if index in STORED:
            cpu.msrs[index] = value


def read_tsc(cpu: X86Cpu) -> int:
    """Return the time-stamp counter."""
    return cpu.read_tsc() + cpu.tsc_offset & M64


def write_efer(cpu: X86Cpu, value: int) -> None:
    """Write EFER: LMA is read-only, LME cannot change while paging is on, bits of absent features stay zero."""
    if (value ^ cpu.efer) & EFER_LME and cpu.cr0 & CR0_PG:
        raise gp(0)
    mask = 0
    for name, bit in (("syscall", EFER_SCE), ("lm", EFER_LME), ("nx", EFER_NXE), ("fxsr_opt", EFER_FFXSR)):
        if cpu.model.has(name):
            mask |= bit
    old = cpu.efer
    cpu.efer = value & mask | old & EFER_LMA
    if (old ^ cpu.efer) & EFER_NXE:
        cpu.tlb_flush()
    cpu.update_control()
