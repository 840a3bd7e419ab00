"""The saved state of the processor, in QEMU's layout.

:class:`SavedCpu` shows an :class:`~pyqemu.targets.x86.state.X86Cpu` as QEMU's fields. What this processor does not have
(KVM's registers, nested virtualization, wide vectors) is kept as it was loaded, and goes on with the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyqemu.qom.vmstate import (
    I32,
    U8,
    U16,
    U32,
    U64,
    Array,
    Field,
    LoadError,
    Number,
    Struct,
    Tmp,
    Values,
    VMState,
)
from pyqemu.targets.x86 import layout
from pyqemu.targets.x86.layout import (
    AC,
    CR0_PE,
    CR0_PG,
    DESC_G,
    EFER_LMA,
    HF_CPL,
    HF_CS32,
    HF_CS64,
    HF_EM,
    HF_LMA,
    HF_MP,
    HF_OSFXSR,
    HF_PE,
    HF_SHADOW,
    HF_SS32,
    HF_TS,
    IOPL_MASK,
    IRQ_HARD,
    IRQ_INIT,
    IRQ_NMI,
    IRQ_SIPI,
    IRQ_SMI,
    M32,
    M64,
    RF,
    TF,
    VM,
)
from pyqemu.targets.x86.msr import CONSTANT as CONSTANT_MSRS
from pyqemu.targets.x86.msr import INITIAL, MCE_BANKS, MCG_CAP, MCG_CTL, MCG_STATUS, MISC_ENABLE
from pyqemu.targets.x86.vmstate_extra import EXTRA, Kept
from pyqemu.tcg import saved_cpu

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu

CPU_ORDER = 4
"""After interrupt controllers (:class:`pyqemu.migration.state.machine.SavedState`)."""

FIXED_MTRRS = (0x250, 0x258, 0x259, *range(0x268, 0x270))
VARIABLE_MTRRS = 8
DESCRIPTOR_BITS = 0x00F0FF00  # of a descriptor's second word: the rest is base and limit
LIMIT_BITS = 0x000F0000
TSS_BUSY, TSS_KIND, TSS_KIND_AVAILABLE = 0x200, 0x700, 0x100  # of a system descriptor's type, 16 and 32 bits

QEMU_SHADOW, QEMU_CS32, QEMU_SS32, QEMU_ADDSEG, QEMU_PE, QEMU_TF = (1 << n for n in (3, 4, 5, 6, 7, 8))
_HFLAGS = (
    (HF_CS32, QEMU_CS32), (HF_SS32, QEMU_SS32), (HF_PE, QEMU_PE), (HF_MP, 1 << 9), (HF_EM, 1 << 10), (HF_TS, 1 << 11),
    (HF_LMA, 1 << 14), (HF_CS64, 1 << 15), (HF_OSFXSR, 1 << 22),
)  # fmt: skip
_EFLAGS_IN_HFLAGS = TF | IOPL_MASK | RF | VM | AC
HF2_GIF, HF2_NMI = 1, 4


class _Pair:
    """Two numbers of 64 bits."""

    def __init__(self, first: int, second: int) -> None:
        self.first, self.second = first, second


class _X87:
    """One register of the x87: mantissa, sign and exponent."""

    def __init__(self, mantissa: int, exponent: int) -> None:
        self.mantissa, self.exponent = mantissa, exponent


class _Segment:
    """A segment register with its hidden part, or a table register."""

    vmstate = VMState("segment", version=1, fields=(U32("selector"), U64("base"), U32("limit"), U32("flags")))

    def __init__(self, selector: int = 0, base: int = 0, limit: int = 0, flags: int = 0) -> None:
        self.selector, self.base, self.limit, self.flags = selector, base, limit, flags


_fpreg_tmp = VMState("fpreg_tmp", version=0, fields=(U64("mantissa", wire="tmp_mant"), U16("exponent", wire="tmp_exp")))


def _same(register: _X87) -> _X87:
    return register


def _done(_register: _X87, _made: _X87) -> None:
    """It was the register itself."""


_fpreg = VMState("fpreg", version=0, fields=(Tmp(_fpreg_tmp, _same, _done),))
_mtrr = VMState("mtrr_var", version=1, fields=(U64("first", wire="base"), U64("second", wire="mask")))
_xmm = VMState("xmm_reg", version=1, fields=(U64("first", wire="_q_ZMMReg[0]"), U64("second", wire="_q_ZMMReg[1]")))
_ymmh = VMState("ymmh_reg", version=1, fields=(U64("first", wire="_q_ZMMReg[2]"), U64("second", wire="_q_ZMMReg[3]")))


def _check(saved: SavedCpu, values: Values) -> None:
    """What no processor can be in."""
    if values["fpregs_format"]:
        raise LoadError(f"env.fpregs_format_vmstate: expected 0, found {values['fpregs_format']}")
    efer, cr0 = values["efer"], values["cr0"]
    if efer & EFER_LMA and not cr0 & CR0_PG:
        raise LoadError(f"env.efer: long mode is active ({efer:#x}) without paging (CR0 {cr0:#x})")
    if efer & EFER_LMA and not saved.cpu.model.has("lm"):
        raise LoadError("env.efer: long mode is active, but this processor model has none (-cpu qemu64 has)")


def _env(kind: type[Number], name: str, **options: Any) -> Field:
    return kind(name, wire=f"env.{name}", **options)


# fmt: off
_FIELDS: tuple[Field, ...] = (
    Array("regs", U64, 16, wire="env.regs"), _env(U64, "eip"), _env(U64, "eflags"), _env(U32, "hflags"),
    _env(U16, "fpuc"), U16("fpus", wire="env.fpus_vmstate"), U16("fptag", wire="env.fptag_vmstate"),
    U16("fpregs_format", wire="env.fpregs_format_vmstate"), Array("fpregs", _fpreg, 8, wire="env.fpregs"),
    Array("segs", _Segment.vmstate, 6, wire="env.segs"), Struct("ldt", _Segment.vmstate, wire="env.ldt"),
    Struct("tr", _Segment.vmstate, wire="env.tr"), Struct("gdt", _Segment.vmstate, wire="env.gdt"),
    Struct("idt", _Segment.vmstate, wire="env.idt"), _env(U32, "sysenter_cs"), _env(U64, "sysenter_esp"),
    _env(U64, "sysenter_eip"), U64("cr0", wire="env.cr[0]"), U64("cr2", wire="env.cr[2]"),
    U64("cr3", wire="env.cr[3]"), U64("cr4", wire="env.cr[4]"), Array("dr", U64, 8, wire="env.dr"),
    _env(I32, "a20_mask"), _env(U32, "mxcsr"), Array("xmm", _xmm, 16, wire="env.xmm_regs[0]"), _env(U64, "efer"),
    _env(U64, "star"), _env(U64, "lstar"), _env(U64, "cstar"), _env(U64, "fmask"), _env(U64, "kernelgsbase"),
    _env(U32, "smbase"), _env(U64, "pat"), _env(U32, "hflags2"), _env(U64, "vm_hsave"), _env(U64, "vm_vmcb"),
    _env(U64, "tsc_offset"), _env(U64, "intercept"), _env(U16, "intercept_cr_read"), _env(U16, "intercept_cr_write"),
    _env(U16, "intercept_dr_read"), _env(U16, "intercept_dr_write"), _env(U32, "intercept_exceptions"),
    _env(U8, "v_tpr"), Array("mtrr_fixed", U64, 11, wire="env.mtrr_fixed"), _env(U64, "mtrr_deftype"),
    Array("mtrr_var", _mtrr, VARIABLE_MTRRS, wire="env.mtrr_var"), _env(I32, "interrupt_injected"),
    _env(U32, "mp_state"), _env(U64, "tsc"), _env(I32, "exception_nr"), _env(U8, "soft_interrupt"),
    _env(U8, "nmi_injected"), _env(U8, "nmi_pending"), _env(U8, "has_error_code"), _env(U32, "sipi_vector"),
    _env(U64, "mcg_cap"), _env(U64, "mcg_status"), _env(U64, "mcg_ctl"),
    Array("mce_banks", U64, 4 * MCE_BANKS, wire="env.mce_banks"), _env(U64, "tsc_aux"),
    _env(U64, "system_time_msr"), _env(U64, "wall_clock_msr"), _env(U64, "xcr0"), _env(U64, "xstate_bv"),
    Array("ymmh", _ymmh, 16, wire="env.xmm_regs[1]"),
)
# fmt: on


class CommonState(saved_cpu.CommonState["X86Cpu"]):
    """The section ``cpu_common``."""

    requests = ((IRQ_HARD, 0x02), (IRQ_SMI, 0x40), (IRQ_NMI, 0x200), (IRQ_INIT, 0x400), (IRQ_SIPI, 0x800))

    def loaded(self) -> None:
        """The external interrupt follows from the APIC, which was loaded before."""
        apic = self.cpu.apic
        external = IRQ_HARD if apic is not None and apic.has_interrupt() else 0
        self.request(self._requested & ~IRQ_HARD | external)


class SavedCpu(Kept):
    """The section ``cpu``."""

    vmstate = VMState(
        "cpu",
        version=12,
        minimum_version=11,
        fields=_FIELDS,
        subsections=EXTRA,
        pre_save=lambda saved: saved.collect(),
        check=_check,
        post_load=lambda saved: saved.deliver(),
    )

    def __init__(self, cpu: X86Cpu) -> None:
        self.cpu = cpu
        self.reset()

    def reset(self) -> None:
        """Forget what was kept."""
        self.reset_kept()
        self.collect()

    # -- before saving

    def collect(self) -> None:
        """Fill the fields from the processor."""
        cpu = self.cpu
        self.regs = [int(cpu.q[(layout.GPR >> 3) + n]) for n in range(16)]
        self.eip, self.eflags, self.hflags = cpu.eip, cpu.eflags, self._qemu_hflags()
        self._collect_x87()
        self.segs = [_segment(each) for each in cpu.seg[:6]]
        self.ldt, self.tr = _segment(cpu.ldtr), _segment(cpu.tr)
        if cpu.cr0 & CR0_PE:
            self.tr.flags &= ~TSS_BUSY  # QEMU keeps the descriptor as it was before LTR, and insists on that
        self.gdt = _Segment(0, cpu.gdt_base, cpu.gdt_limit)
        self.idt = _Segment(0, cpu.idt_base, cpu.idt_limit)
        self.sysenter_cs, self.sysenter_esp, self.sysenter_eip = cpu.sysenter_cs, cpu.sysenter_esp, cpu.sysenter_eip
        self.cr0, self.cr2, self.cr3, self.cr4 = cpu.cr0, cpu.cr2, cpu.cr3, cpu.cr4
        self.dr = [int(cpu.q[(layout.DR >> 3) + n]) for n in range(8)]
        self.a20_mask = -1 if cpu.a20_mask == M64 else ~(1 << 20)
        self.efer, self.star, self.lstar, self.cstar = cpu.efer, cpu.star, cpu.lstar, cpu.cstar
        self.fmask, self.kernelgsbase, self.smbase = cpu.sfmask, cpu.kernel_gs_base, cpu.smbase or 0x30000
        self.pat, self.tsc_offset, self.tsc_aux, self.xcr0 = cpu.pat, cpu.tsc_offset, cpu.tsc_aux, cpu.xcr0
        self.hflags2 = self.hflags2 & ~HF2_NMI | HF2_GIF | (HF2_NMI if cpu.nmi_blocked else 0)
        self._collect_msrs()

    def _collect_x87(self) -> None:
        cpu = self.cpu
        self.fpuc, self.mxcsr = cpu.fpuc, cpu.mxcsr
        self.fpus = cpu.fpus & ~0x3800 | (cpu.fpstt & 7) << 11
        empty = cpu.fptags
        self.fptag = sum(1 << n for n in range(8) if not empty >> 8 * n & 1)
        self.fpregs_format = 0
        at = layout.FPST >> 3
        self.fpregs = [_X87(int(cpu.q[at + 2 * n]), int(cpu.q[at + 2 * n + 1]) & 0xFFFF) for n in range(8)]
        at = layout.XMM >> 3
        self.xmm = [_Pair(int(cpu.q[at + 2 * n]), int(cpu.q[at + 2 * n + 1])) for n in range(16)]
        self.fpop, self.fpip, self.fpdp = cpu.fpop, cpu.fpip, cpu.fpdp

    def _collect_msrs(self) -> None:
        read = self._msr
        self.mtrr_fixed = [read(index) for index in FIXED_MTRRS]
        self.mtrr_deftype = read(0x2FF)
        self.mtrr_var = [_Pair(read(0x200 + 2 * n), read(0x201 + 2 * n)) for n in range(VARIABLE_MTRRS)]
        self.mcg_cap = CONSTANT_MSRS[MCG_CAP]
        self.mcg_status, self.mcg_ctl = read(MCG_STATUS), read(MCG_CTL)
        self.mce_banks = [read(0x400 + n) for n in range(4 * MCE_BANKS)]
        self.msr_ia32_misc_enable = read(MISC_ENABLE)

    def _msr(self, index: int) -> int:
        return self.cpu.msrs.get(index, INITIAL.get(index, 0))

    def _qemu_hflags(self) -> int:
        """The mode bits as QEMU numbers them."""
        cpu = self.cpu
        ours = cpu.hflags
        told = ours & HF_CPL | sum(theirs for bit, theirs in _HFLAGS if ours & bit)
        told |= cpu.eflags_rest & _EFLAGS_IN_HFLAGS
        if ours & HF_SHADOW or cpu.shadow_eip == cpu.eip:
            told |= QEMU_SHADOW
        if not ours & HF_CS64 and (
            not ours & HF_PE or cpu.eflags_rest & VM or not ours & HF_CS32
            or any(segment.base for segment in (cpu.ds, cpu.es, cpu.ss))
        ):  # fmt: skip
            told |= QEMU_ADDSEG
        return told

    # -- after loading

    def deliver(self) -> None:
        """Put the fields into the processor, and derive the rest."""
        cpu = self.cpu
        for number, value in enumerate(self.regs):
            cpu.q[(layout.GPR >> 3) + number] = value
        cpu.eip = self.eip
        self._deliver_system()
        self._deliver_x87()
        self._deliver_msrs()
        cpu.nmi_blocked = int(bool(self.hflags2 & HF2_NMI))
        cpu.wait_for_sipi = bool(getattr(cpu.apic, "wait_for_sipi", False))
        cpu.shadow_eip = M64
        cpu.eflags = self.eflags
        cpu.hflags = self.hflags & HF_CPL
        cpu.update_control()
        cpu.update_hflags(self._cpl())
        cpu.update_segment_ranges()
        if self.hflags & QEMU_SHADOW:
            cpu.shadow_eip = cpu.eip
        cpu.tlb_flush()

    def _cpl(self) -> int:
        """The privilege level is that of SS."""
        return self.segs[layout.SS].flags >> layout.DESC_DPL_SHIFT & 3

    def _deliver_system(self) -> None:
        cpu = self.cpu
        for index, segment in enumerate((*self.segs, self.ldt, self.tr)):
            flags = segment.flags & DESCRIPTOR_BITS
            if index == layout.TR and flags & TSS_KIND == TSS_KIND_AVAILABLE:
                flags |= TSS_BUSY
            base = segment.base & M32 if index < layout.FS else segment.base  # the others have 64 bits in long mode
            cpu.seg[index].set_raw(segment.selector & 0xFFFF, base, segment.limit, flags)
        cpu.gdt_base, cpu.gdt_limit = self.gdt.base, self.gdt.limit
        cpu.idt_base, cpu.idt_limit = self.idt.base, self.idt.limit
        cpu.sysenter_cs, cpu.sysenter_esp, cpu.sysenter_eip = self.sysenter_cs, self.sysenter_esp, self.sysenter_eip
        cpu.cr0, cpu.cr2, cpu.cr3, cpu.cr4 = self.cr0, self.cr2, self.cr3, self.cr4
        for number, value in enumerate(self.dr):
            cpu.q[(layout.DR >> 3) + number] = value
        cpu.a20_mask = M64 if self.a20_mask & 1 << 20 else M64 & ~(1 << 20)
        cpu.efer, cpu.star, cpu.lstar, cpu.cstar = self.efer, self.star, self.lstar, self.cstar
        cpu.sfmask, cpu.kernel_gs_base, cpu.smbase = self.fmask, self.kernelgsbase, self.smbase
        cpu.pat, cpu.tsc_offset, cpu.tsc_aux, cpu.xcr0 = self.pat, self.tsc_offset, self.tsc_aux, self.xcr0

    def _deliver_x87(self) -> None:
        cpu = self.cpu
        cpu.fpuc, cpu.mxcsr = self.fpuc, self.mxcsr
        cpu.fpus, cpu.fpstt = self.fpus & ~0x3800, self.fpus >> 11 & 7
        cpu.fptags = sum(1 << 8 * n for n in range(8) if not self.fptag >> n & 1)
        at = layout.FPST >> 3
        for number, register in enumerate(self.fpregs):
            cpu.q[at + 2 * number], cpu.q[at + 2 * number + 1] = register.mantissa, register.exponent
        at = layout.XMM >> 3
        for number, pair in enumerate(self.xmm):
            cpu.q[at + 2 * number], cpu.q[at + 2 * number + 1] = pair.first, pair.second
        cpu.fpop, cpu.fpip, cpu.fpdp = self.fpop, self.fpip, self.fpdp

    def _deliver_msrs(self) -> None:
        stored = dict(zip(FIXED_MTRRS, self.mtrr_fixed, strict=True))
        stored[0x2FF] = self.mtrr_deftype
        for number, pair in enumerate(self.mtrr_var):
            stored[0x200 + 2 * number], stored[0x201 + 2 * number] = pair.first, pair.second
        stored[MCG_STATUS], stored[MCG_CTL] = self.mcg_status, self.mcg_ctl
        stored.update({0x400 + n: value for n, value in enumerate(self.mce_banks)})
        stored[MISC_ENABLE] = self.msr_ia32_misc_enable
        msrs = self.cpu.msrs
        for index, value in stored.items():
            if value == INITIAL.get(index, 0):
                msrs.pop(index, None)
            else:
                msrs[index] = value


def _segment(cache: Any) -> _Segment:
    limit = cache.limit >> 12 if cache.flags & DESC_G else cache.limit
    flags = cache.flags & DESCRIPTOR_BITS | limit & LIMIT_BITS
    return _Segment(cache.selector, cache.base, cache.limit & M32, flags)


__all__ = ["CPU_ORDER", "CommonState", "SavedCpu"]
