"""System control, translation and exception registers (ARM DDI 0487A.f, D7.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.exceptions import ANY_CONDITION, Aarch64Exception
from pyqemu.targets.aarch64.layout import EC_FP_TRAP
from pyqemu.targets.aarch64.sysregs import M32, M64, Trap, Write, constant, define, hypervisor_traps

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

OP1_OF_EL = {1: 0, 2: 4, 3: 6}
HCR_TVM, HCR_TRVM, HCR_TACR, HCR_TID2 = 1 << 26, 1 << 30, 1 << 21, 1 << 17
CPTR_TCPAC = 1 << 31
CPACR_BITS = 0xD0F00000  #: with those that only EL1 in AArch32 state knows, for who keeps them for it
SCTLR_RES1 = 0x30D00800  #: bits that read as one in ARMv8.0


def _then(attribute: str, effect: str, mask: int = M64) -> Write:
    """Store, and call a method of the CPU if the value has changed."""

    def write(cpu: Aarch64Cpu, value: int) -> None:
        value &= mask
        if getattr(cpu.sys, attribute) != value:
            setattr(cpu.sys, attribute, value)
            getattr(cpu, effect)()

    return write


def _translates(cpu: Aarch64Cpu, is_write: bool) -> None:
    """HCR_EL2.TVM and TRVM: virtual memory controls of EL1 trap to EL2."""
    if cpu.el == 1:
        hypervisor_traps(cpu, HCR_TVM if is_write else HCR_TRVM)


def _traps_cpacr(cpu: Aarch64Cpu, is_write: bool) -> None:
    """CPTR_EL2.TCPAC and CPTR_EL3.TCPAC (D7.2.19)."""
    if cpu.el == 1 and cpu.el2_enabled and cpu.sys.cptr_el2 & CPTR_TCPAC:
        raise Trap(2)
    if cpu.el < 3 and cpu.has_el3 and cpu.sys.cptr_el3 & CPTR_TCPAC:
        raise Trap(3)


def _traps_actlr(cpu: Aarch64Cpu, is_write: bool) -> None:
    if cpu.el == 1:
        hypervisor_traps(cpu, HCR_TACR)


def _traps_cache_id(cpu: Aarch64Cpu, is_write: bool) -> None:
    if cpu.el == 1:
        hypervisor_traps(cpu, HCR_TID2)


def _traps_fp(cpu: Aarch64Cpu, is_write: bool) -> None:
    """It is an FP register like others."""
    if cpu.fp_trap(cpu.el):
        raise Aarch64Exception(EC_FP_TRAP, ANY_CONDITION)


def _banked() -> None:
    """Registers that EL1, EL2 and EL3 have alike."""
    for el, op1 in OP1_OF_EL.items():
        vm = _translates if el == 1 else None
        define(f"SCTLR_EL{el}", (3, op1, 1, 0, 0), el=el, ones=SCTLR_RES1, check=vm,
               write=_then(f"sctlr_el{el}", "translation_changed", M32))  # fmt: skip
        define(f"ACTLR_EL{el}", (3, op1, 1, 0, 1), el=el, write=lambda cpu, value: None,
               check=_traps_actlr if el == 1 else None)  # fmt: skip
        define(f"TTBR0_EL{el}", (3, op1, 2, 0, 0), el=el, check=vm, write=_then(f"ttbr0_el{el}", "tables_changed"))
        define(f"TCR_EL{el}", (3, op1, 2, 0, 2), el=el, check=vm,
               write=_then(f"tcr_el{el}", "translation_changed", M64 if el == 1 else M32))  # fmt: skip
        define(f"AFSR0_EL{el}", (3, op1, 5, 1, 0), el=el, write=lambda cpu, value: None, check=vm)
        define(f"AFSR1_EL{el}", (3, op1, 5, 1, 1), el=el, write=lambda cpu, value: None, check=vm)
        define(f"ESR_EL{el}", (3, op1, 5, 2, 0), el=el, mask=M32, check=vm)
        define(f"FAR_EL{el}", (3, op1, 6, 0, 0), el=el, check=vm)
        define(f"MAIR_EL{el}", (3, op1, 10, 2, 0), el=el, check=vm)
        define(f"AMAIR_EL{el}", (3, op1, 10, 3, 0), el=el, write=lambda cpu, value: None, check=vm)
        define(f"VBAR_EL{el}", (3, op1, 12, 0, 0), el=el, mask=M64 & ~0x7FF)
        _saved(el, op1)


def _saved(el: int, op1: int) -> None:
    """ELR, SPSR, and the stack pointer of the level below: native code has them."""
    define(f"ELR_EL{el}", (3, op1, 4, 0, 1), el=el, read=lambda cpu: cpu.elr(el),
           write=lambda cpu, value: cpu.set_elr(el, value))  # fmt: skip
    define(f"SPSR_EL{el}", (3, op1, 4, 0, 0), el=el, read=lambda cpu: cpu.spsr(el),
           write=lambda cpu, value: cpu.set_spsr(el, value & M32))  # fmt: skip
    below = el - 1
    define(f"SP_EL{below}", (3, OP1_OF_EL[el], 4, 1, 0), el=el, read=lambda cpu: cpu.banked_sp(below),
           write=lambda cpu, value: cpu.set_banked_sp(below, value))  # fmt: skip


def _of_el1() -> None:
    define("TTBR1_EL1", (3, 0, 2, 0, 1), check=_translates, write=_then("ttbr1_el1", "tables_changed"))
    define("CONTEXTIDR_EL1", (3, 0, 13, 0, 1), mask=M32, check=_translates)
    define("CPACR_EL1", (3, 0, 1, 0, 2), check=_traps_cpacr, write=_then("cpacr_el1", "mode_changed", CPACR_BITS))
    define("PAR_EL1", (3, 0, 7, 4, 0))
    define("CSSELR_EL1", (3, 2, 0, 0, 0), mask=15, check=_traps_cache_id)
    define("TPIDR_EL1", (3, 0, 13, 0, 4), read=lambda cpu: cpu.tpidr_el1, write=_tpidr("tpidr_el1"))
    define("TPIDR_EL0", (3, 3, 13, 0, 2), el=0, read=lambda cpu: cpu.tpidr_el0, write=_tpidr("tpidr_el0"))
    define("TPIDRRO_EL0", (3, 3, 13, 0, 3), el=0, write_el=1)
    constant("ISR_EL1", (3, 0, 12, 1, 0), lambda cpu: cpu.pending_interrupts())
    constant("RVBAR_EL1", (3, 0, 12, 0, 1), lambda cpu: cpu.sys.rvbar)


def _tpidr(name: str) -> Write:
    return lambda cpu, value: setattr(cpu, name, value)


def _of_el2() -> None:
    define("HCR_EL2", (3, 4, 1, 1, 0), el=2, write=_then("hcr_el2", "hypervisor_changed", 0x3_FFFF_FFFF))
    define("MDCR_EL2", (3, 4, 1, 1, 1), el=2, write=_then("mdcr_el2", "mode_changed", 0xFFF))
    define("CPTR_EL2", (3, 4, 1, 1, 2), el=2, ones=0x33FF, write=_then("cptr_el2", "mode_changed", 0x80100400))
    define("HSTR_EL2", (3, 4, 1, 1, 3), el=2, mask=0xFFFF)
    define("HACR_EL2", (3, 4, 1, 1, 7), el=2, write=lambda cpu, value: None)
    define("VTTBR_EL2", (3, 4, 2, 1, 0), el=2, write=_then("vttbr_el2", "hypervisor_changed"))
    define("VTCR_EL2", (3, 4, 2, 1, 2), el=2, ones=1 << 31, write=_then("vtcr_el2", "hypervisor_changed", M32))
    define("HPFAR_EL2", (3, 4, 6, 0, 4), el=2, mask=0xFF_FFFF_FFF0)
    define("TPIDR_EL2", (3, 4, 13, 0, 2), el=2)
    define("VPIDR_EL2", (3, 4, 0, 0, 0), el=2, mask=M32)
    define("VMPIDR_EL2", (3, 4, 0, 0, 5), el=2)
    define("DACR32_EL2", (3, 4, 3, 0, 0), el=2, write=_then("dacr32_el2", "tables_changed", M32))
    define("IFSR32_EL2", (3, 4, 5, 0, 1), el=2, mask=M32)
    define("FPEXC32_EL2", (3, 4, 5, 3, 0), el=2, mask=M32, check=_traps_fp)
    constant("RVBAR_EL2", (3, 4, 12, 0, 1), lambda cpu: cpu.sys.rvbar, el=2)
    for number, name in enumerate(("irq", "abt", "und", "fiq")):
        define(f"SPSR_{name}", (3, 4, 4, 3, number), el=2, mask=M32)


def _of_el3() -> None:
    define("SCR_EL3", (3, 6, 1, 1, 0), el=3, ones=0x30, write=_then("scr_el3", "security_changed", 0x3FAF))
    define("SDER32_EL3", (3, 6, 1, 1, 1), el=3, mask=3)
    define("CPTR_EL3", (3, 6, 1, 1, 2), el=3, write=_then("cptr_el3", "mode_changed", 0x80100400))
    define("MDCR_EL3", (3, 6, 1, 3, 1), el=3, write=_then("mdcr_el3", "mode_changed", 0x7FFFFFF))
    define("TPIDR_EL3", (3, 6, 13, 0, 2), el=3)
    constant("RVBAR_EL3", (3, 6, 12, 0, 1), lambda cpu: cpu.sys.rvbar, el=3)


def _inline() -> None:
    """Those that translated code reads and writes by itself, for whoever asks in another way."""
    define("NZCV", (3, 3, 4, 2, 0), el=0, read=lambda cpu: cpu.nzcv, write=_nzcv)
    define("DAIF", (3, 3, 4, 2, 1), el=0, read=lambda cpu: cpu.daif, write=lambda cpu, value: cpu.set_daif(value))
    define("FPCR", (3, 3, 4, 4, 0), el=0, read=lambda cpu: cpu.fpcr, write=lambda cpu, value: cpu.set_fpcr(value))
    define("FPSR", (3, 3, 4, 4, 1), el=0, read=lambda cpu: cpu.fpsr, write=lambda cpu, value: cpu.set_fpsr(value))
    define("SPSel", (3, 0, 4, 2, 0), read=lambda cpu: cpu.spsel, write=lambda cpu, value: cpu.set_spsel(value & 1))
    constant("CurrentEL", (3, 0, 4, 2, 2), lambda cpu: cpu.el << 2)


def _nzcv(cpu: Aarch64Cpu, value: int) -> None:
    cpu.nzcv = value & 0xF0000000


def define_all() -> None:
    """Enter them."""
    _banked()
    _of_el1()
    _of_el2()
    _of_el3()
    _inline()
