"""System instructions (SDM vol. 1, 5.20; vol. 2): control registers, tables, MSRs, halting, information."""

from __future__ import annotations

from pyqemu.targets.x86 import control, msr, segmentation
from pyqemu.targets.x86.exceptions import gp, ud
from pyqemu.targets.x86.insns.segments import store_selector
from pyqemu.targets.x86.layout import (
    AC,
    CR0,
    CR2,
    CR3,
    CR4,
    CR4_FSGSBASE,
    CR4_OSXSAVE,
    CR4_PCE,
    CR4_TSD,
    FS,
    GDT_BASE,
    GDT_LIMIT,
    GS,
    HF_CPL,
    HF_PE,
    IDT_BASE,
    IDT_LIMIT,
    KERNEL_GS_BASE,
    LDTR,
    M32,
    SEG_BASE,
    SEG_SELECTOR,
    TR,
)
from pyqemu.targets.x86.mmu import canonical
from pyqemu.targets.x86.operands import MemoryOperand, Operand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.state import X86Cpu
from pyqemu.targets.x86.translator import X86Translator


def privileged(t: X86Translator) -> bool:
    """Return whether CPL is 0; stage #GP(0) if not."""
    if t.cpl == 0:
        return True
    t.raise_gp()
    return False


# --- control and debug registers
# --------------------------------------------------------------------------------------

READABLE = {0: CR0, 2: CR2, 3: CR3, 4: CR4}


def _wide(t: X86Translator) -> int:
    return 64 if t.mode == 64 else 32


@op("0F20", "Rd Cd", mod_ignored=True)
def mov_from_cr(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOV r, CRn."""
    if src.number not in (0, 2, 3, 4, 8):
        t.raise_ud()
    elif privileged(t):
        target = t.reg(t.insn.rm, _wide(t))
        if src.number in READABLE:
            target.set(t.glob(READABLE[src.number], target.bits))
        else:
            t.call(control.read_cr, src.number, out=target, returns=target.bits)


@op("0F22", "Cd Rd", mod_ignored=True)
def mov_to_cr(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOV CRn, r. All but CR2 and CR8 may change what the next instruction means."""
    if dst.number not in (0, 2, 3, 4, 8):
        t.raise_ud()
    elif privileged(t):
        value = t.reg(t.insn.rm, _wide(t))
        t.call(control.write_cr, dst.number, value)
        if dst.number not in (2, 8):
            t.exit_loop_next()


@op("0F21", "Rd Dd", mod_ignored=True)
def mov_from_dr(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOV r, DRn."""
    if src.number > 7:
        t.raise_ud()
    elif privileged(t):
        target = t.reg(t.insn.rm, _wide(t))
        t.call(control.read_dr, src.number, out=target, returns=target.bits)


@op("0F23", "Dd Rd", mod_ignored=True)
def mov_to_dr(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOV DRn, r."""
    if dst.number > 7:
        t.raise_ud()
    elif privileged(t):
        t.call(control.write_dr, dst.number, t.reg(t.insn.rm, _wide(t)))
        t.exit_loop_next()


@op("0F01 /4", "Ev")
def smsw(t: X86Translator, dst: Operand) -> None:
    """SMSW: the low word of CR0; a register of 32 or 64 bits gets more of it."""
    store_selector(t, dst, t.glob(CR0, 64))


@op("0F01 /6", "Ew")
def lmsw(t: X86Translator, src: Operand) -> None:
    """LMSW."""
    if privileged(t):
        t.call(control.lmsw, src.get())
        t.exit_loop_next()


@op("0F06")
def clts(t: X86Translator) -> None:
    """CLTS."""
    if privileged(t):
        t.call(control.clts)
        t.mov(t.glob(t.pc_slot, 64), t.next_pc)
        t.goto_ptr()


# --- descriptor tables
# ------------------------------------------------------------------------------------------------


@op("0F01 /0", "M")
@op("0F01 /1", "M")
def sgdt(t: X86Translator, dst: MemoryOperand) -> None:
    """SGDT, SIDT: 2 bytes of limit, 4 or 8 of base."""
    base, limit = (IDT_BASE, IDT_LIMIT) if t.insn.reg & 1 else (GDT_BASE, GDT_LIMIT)
    size = 8 if t.mode == 64 else 4
    dst.probe(size, skip=2)
    dst.store(t.glob(limit, 16), 2)
    dst.store(t.glob(base, 8 * size), size, skip=2)


@op("0F01 /2", "M")
@op("0F01 /3", "M")
def lgdt(t: X86Translator, src: MemoryOperand) -> None:
    """LGDT, LIDT: with a 16-bit operand size the base has 24 bits."""
    if not privileged(t):
        return
    size = 8 if t.mode == 64 else 4
    limit, base = src.load(2), src.load(size, skip=2)
    if size == 8:
        helper = load_gdt if t.insn.reg == 2 else load_idt
        t.call(helper, base, limit)
        return
    if t.opsize == 16:
        base = base & 0xFFFFFF
    base_slot, limit_slot = (IDT_BASE, IDT_LIMIT) if t.insn.reg & 1 else (GDT_BASE, GDT_LIMIT)
    t.glob(base_slot, 64).set(base.zext(64))
    t.glob(limit_slot, 64).set(limit.zext(64))


def load_gdt(cpu: X86Cpu, base: int, limit: int) -> None:
    """LGDT in 64-bit mode."""
    if not canonical(base):
        raise gp(0)
    cpu.gdt_base, cpu.gdt_limit = base, limit


def load_idt(cpu: X86Cpu, base: int, limit: int) -> None:
    """LIDT in 64-bit mode."""
    if not canonical(base):
        raise gp(0)
    cpu.idt_base, cpu.idt_limit = base, limit


def _no_tables(t: X86Translator) -> bool:
    """Stage #UD in real and virtual-8086 mode."""
    if t.static.protected and not t.static.vm86:
        return False
    t.raise_ud()
    return True


@op("0F00 /0", "Ev")
@op("0F00 /1", "Ev")
def sldt(t: X86Translator, dst: Operand) -> None:
    """SLDT, STR."""
    if not _no_tables(t):
        store_selector(t, dst, t.glob(SEG_SELECTOR(TR if t.insn.reg & 1 else LDTR), 64))


@op("0F00 /2", "Ew")
@op("0F00 /3", "Ew")
def lldt(t: X86Translator, src: Operand) -> None:
    """LLDT, LTR."""
    if not _no_tables(t) and privileged(t):
        t.call(load_tr if t.insn.reg & 1 else load_ldtr, src.get())


def load_ldtr(cpu: X86Cpu, selector: int) -> None:
    """LLDT."""
    segmentation.load_ldtr(cpu, selector)


def load_tr(cpu: X86Cpu, selector: int) -> None:
    """LTR."""
    segmentation.load_tr(cpu, selector)


@op("0F01 /7", "M")
def invlpg(t: X86Translator, page: MemoryOperand) -> None:
    """INVLPG."""
    if privileged(t):
        offset = t.clean(*page.offset())
        address = offset if page.segment in t.flat else t.linear(page.segment, offset)
        t.call(invalidate_page, address.zext(64))
        t.exit_loop_next()


def invalidate_page(cpu: X86Cpu, address: int) -> None:
    """INVLPG."""
    cpu.tlb_flush_page(address)


# --- MSRs, time, identity
# ---------------------------------------------------------------------------------------------


@op("0F32", feature="msr")
def rdmsr(t: X86Translator) -> None:
    """RDMSR."""
    if privileged(t):
        t.call(read_msr)


def read_msr(cpu: X86Cpu) -> None:
    """RDMSR."""
    value = msr.read(cpu, cpu.rcx & M32)
    cpu.rax, cpu.rdx = value & M32, value >> 32


@op("0F30", feature="msr")
def wrmsr(t: X86Translator) -> None:
    """WRMSR."""
    if privileged(t):
        t.call(write_msr)
        t.exit_loop_next()


def write_msr(cpu: X86Cpu) -> None:
    """WRMSR."""
    msr.write(cpu, cpu.rcx & M32, cpu.rax & M32 | (cpu.rdx & M32) << 32)


@op("0F31", feature="tsc")
def rdtsc(t: X86Translator) -> None:
    """RDTSC."""
    t.call(read_time)


def read_time(cpu: X86Cpu) -> None:
    """RDTSC: CR4.TSD keeps it from users."""
    if cpu.cr4 & CR4_TSD and cpu.hflags & HF_CPL and cpu.hflags & HF_PE:
        raise gp(0)
    value = msr.read_tsc(cpu)
    cpu.rax, cpu.rdx = value & M32, value >> 32


@op("0F01 F9", feature="rdtscp")
def rdtscp(t: X86Translator) -> None:
    """RDTSCP."""
    t.call(read_time_and_processor)


def read_time_and_processor(cpu: X86Cpu) -> None:
    """RDTSCP."""
    read_time(cpu)
    cpu.rcx = cpu.tsc_aux


@op("0F33")
def rdpmc(t: X86Translator) -> None:
    """RDPMC: there are no counters."""
    t.call(read_counter)


def read_counter(cpu: X86Cpu) -> None:
    """RDPMC."""
    if cpu.hflags & HF_CPL and not cpu.cr4 & CR4_PCE and cpu.hflags & HF_PE:
        raise gp(0)
    cpu.rax = cpu.rdx = 0


@op("0FA2")
def cpuid(t: X86Translator) -> None:
    """CPUID."""
    t.call(identify)


def identify(cpu: X86Cpu) -> None:
    """CPUID."""
    leaf = cpu.model.cpuid(cpu.rax & M32, cpu.rcx & M32, cpu.apic_id, bool(cpu.cr4 & CR4_OSXSAVE))
    cpu.rax, cpu.rbx, cpu.rcx, cpu.rdx = leaf


# --- halting, caches
# --------------------------------------------------------------------------------------------------


@op("F4")
def hlt(t: X86Translator) -> None:
    """HLT."""
    if privileged(t):
        t.call(halt)
        t.exit_loop_next()


def halt(cpu: X86Cpu) -> None:
    """HLT: wait for an interrupt."""
    cpu.halted = True


@op("0F08")
@op("0F09")
def invd(t: X86Translator) -> None:
    """INVD, WBINVD: there are no caches."""
    privileged(t)


@op("0F01 C8", feature="monitor")
def monitor(t: X86Translator) -> None:
    """MONITOR: the range is not watched; MWAIT ends at once."""
    if t.cpl:
        t.raise_ud()
    else:
        t.call(check_monitor)


@op("0F01 C9", feature="monitor")
def mwait(t: X86Translator) -> None:
    """MWAIT: without a watched range it waits like HLT, as every wait may end early for an interrupt only."""
    if t.cpl:
        t.raise_ud()
    else:
        t.call(check_monitor)
        t.call(halt)
        t.exit_loop_next()


def check_monitor(cpu: X86Cpu) -> None:
    """#GP(0) for extensions in ECX that do not exist (MWAIT's "interrupts break" bit does)."""
    if cpu.rcx & M32 > 1:
        raise gp(0)


# --- GS, FS bases
# -----------------------------------------------------------------------------------------------------


@op("0F01 F8", only64=True)
def swapgs(t: X86Translator) -> None:
    """SWAPGS."""
    if privileged(t):
        base, other = t.glob(SEG_BASE(GS), 64), t.glob(KERNEL_GS_BASE, 64)
        before = t.mov(t.temp(64), base)
        base.set(other)
        other.set(before)


@op("F3 0FAE /0", "Ry", only64=True, feature="fsgsbase")
@op("F3 0FAE /1", "Ry", only64=True, feature="fsgsbase")
def rdfsbase(t: X86Translator, dst: Operand) -> None:
    """RDFSBASE, RDGSBASE."""
    t.call(check_base_access)
    dst.set(t.glob(SEG_BASE(FS + (t.insn.reg & 1)), dst.bits))


@op("F3 0FAE /2", "Ry", only64=True, feature="fsgsbase")
@op("F3 0FAE /3", "Ry", only64=True, feature="fsgsbase")
def wrfsbase(t: X86Translator, src: Operand) -> None:
    """WRFSBASE, WRGSBASE."""
    t.call(write_base, FS + (t.insn.reg & 1), src.get().zext(64))


def check_base_access(cpu: X86Cpu) -> None:
    """#UD unless CR4.FSGSBASE is set."""
    if not cpu.cr4 & CR4_FSGSBASE:
        raise ud()


def write_base(cpu: X86Cpu, index: int, value: int) -> None:
    """WRFSBASE, WRGSBASE."""
    check_base_access(cpu)
    if not canonical(value):
        raise gp(0)
    cpu.seg[index].set_base(value)


# --- SMAP
# -------------------------------------------------------------------------------------------------------------


@op("0F01 CA", feature="smap")
@op("0F01 CB", feature="smap")
def clac(t: X86Translator) -> None:
    """CLAC, STAC."""
    if t.cpl:
        t.raise_ud()
    else:
        t.call(set_access_check, t.insn.rm & 1)
        t.mov(t.glob(t.pc_slot, 64), t.next_pc)
        t.goto_ptr()


def set_access_check(cpu: X86Cpu, on: int) -> None:
    """Set EFLAGS.AC; the mmu index of data accesses follows."""
    cpu.eflags_rest = cpu.eflags_rest | AC if on else cpu.eflags_rest & ~AC
    cpu.update_hflags()
