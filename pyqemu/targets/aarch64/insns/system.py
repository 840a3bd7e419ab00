"""System instructions: exceptions, hints, barriers, registers (ARM DDI 0487A.f, C4.2).

System registers that native code has are read and written in place; all others are in `sysregs.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from pyqemu.targets.aarch64 import delivery, exceptions, sysregs
from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.layout import (
    DAIF,
    EC_SVC64,
    EC_SYSTEM,
    ELR_BANK,
    EXCLUSIVE_ADDRESS,
    FPCR,
    FPSR,
    IRQ_PENDING,
    M_SPSEL,
    M_STEP_OWN,
    M_SYSREG_TRAPS,
    M_UMA,
    M_ZVA_TRAP,
    NO_ADDRESS,
    NZCV,
    PSTATE_DAIF,
    SP_BANK,
    SPSR_BANK,
    TPIDR_EL0,
    TPIDR_EL1,
)
from pyqemu.tcg.env import EXIT_REQUEST

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu
    from pyqemu.targets.aarch64.translator import A64Translator
    from pyqemu.tcg.builder import Value
    from pyqemu.tcg.hole import Hole

ZVA_BLOCK = 64  #: bytes, as DCZID_EL0 says

# --- exceptions -------------------------------------------------------------------------------------------------------


@A64.insn("11010100 000 imm:16 000 01")
def svc(t: A64Translator, imm: Hole) -> None:
    """SVC."""
    t.raise_following(EC_SVC64, imm)


@A64.insn("11010100 000 imm:16 000 10")
def hvc(t: A64Translator, imm: Hole) -> None:
    """HVC."""
    _call_upwards(t, exceptions.hypervisor_call, imm)


@A64.insn("11010100 000 imm:16 000 11")
def smc(t: A64Translator, imm: Hole) -> None:
    """SMC."""
    _call_upwards(t, exceptions.secure_monitor_call, imm)


def _call_upwards(t: A64Translator, helper: Callable[[Aarch64Cpu, int], None], imm: Hole) -> None:
    """Calls that firmware may answer instead of an exception level."""
    if t.el == 0:
        t.undefined()
        return
    t.call(helper, imm)
    t.exit_loop_next()


@A64.insn("11010100 001 imm:16 000 00")
def brk(t: A64Translator, imm: Hole) -> None:
    """BRK."""
    t.call(exceptions.software_breakpoint, imm, noreturn=True)
    t.exit_loop()


@A64.insn("11010100 010 imm:16 000 00")
def hlt(t: A64Translator, imm: Hole) -> None:
    """HLT."""
    t.call(exceptions.halting_breakpoint, imm)
    t.exit_loop_next()


@A64.insn("1101011 0100 11111 000000 11111 00000")
def eret(t: A64Translator) -> None:
    """ERET."""
    if t.el == 0:
        t.undefined()
        return
    t.call(delivery.exception_return)
    t.goto_ptr()


# --- hints and barriers -----------------------------------------------------------------------------------------------


@A64.insn("1101010100 0 00 011 0010 xxxx xxx 11111", name="nop")
def hint(t: A64Translator) -> None:
    """NOP, and hints that are not allocated."""


@A64.insn("1101010100 0 00 011 0010 0000 001 11111", name="yield")
def yield_(t: A64Translator) -> None:
    """YIELD."""
    if t.is_one_of_several:
        t.call(exceptions.give_way)
        t.exit_loop_next()


@A64.insn("1101010100 0 00 011 0010 0000 100 11111")
def sev(t: A64Translator) -> None:
    """SEV."""
    if t.is_one_of_several:
        t.call(exceptions.send_event)


@A64.insn("1101010100 0 00 011 0010 0000 101 11111")
def sevl(t: A64Translator) -> None:
    """SEVL."""
    if t.is_one_of_several:
        t.call(exceptions.send_event_local)


@A64.insn("1101010100 0 00 011 0010 0000 010 11111")
def wfe(t: A64Translator) -> None:
    """WFE."""
    t.call(exceptions.wait_for_event)
    t.exit_loop_next()


@A64.insn("1101010100 0 00 011 0010 0000 011 11111")
def wfi(t: A64Translator) -> None:
    """WFI."""
    t.call(exceptions.wait_for_interrupt)
    t.exit_loop_next()


@A64.insn("1101010100 0 00 011 0011 xxxx 010 11111")
def clrex(t: A64Translator) -> None:
    """CLREX."""
    t.glob(EXCLUSIVE_ADDRESS, 64).set(NO_ADDRESS)


@A64.insn("1101010100 0 00 011 0011 xxxx 10x 11111")
def dsb(t: A64Translator) -> None:
    """DSB, DMB: accesses are in order anyway."""


@A64.insn("1101010100 0 00 011 0011 xxxx 110 11111")
def isb(t: A64Translator) -> None:
    """ISB: what comes behind it is fetched anew."""
    t.goto(t.next_pc)


# --- PSTATE -----------------------------------------------------------------------------------------------------------


@A64.insn("1101010100 0 00 000 0100 CRm:4 101 11111", name="msr")
def msr_spsel(t: A64Translator, CRm: int) -> None:
    """MSR SPSel, #imm."""
    if t.el == 0:
        t.undefined()
    else:
        _set_spsel(t, t.value(CRm & 1, 64))


@A64.insn("1101010100 0 00 011 0100 CRm:4 110 11111", name="msr")
def msr_daifset(t: A64Translator, CRm: int) -> None:
    """MSR DAIFSet, #imm."""
    if _may_mask(t, 3, 4, CRm, 6, 31, reads=False):
        if t.mode & M_STEP_OWN:
            _set_masks(t, t.glob(DAIF, 64) | CRm << 6)
        else:
            t.or_(t.glob(DAIF, 64), CRm << 6, out=t.glob(DAIF, 64))


@A64.insn("1101010100 0 00 011 0100 CRm:4 111 11111", name="msr")
def msr_daifclr(t: A64Translator, CRm: int) -> None:
    """MSR DAIFClr, #imm."""
    if _may_mask(t, 3, 4, CRm, 7, 31, reads=False, op0=0):
        if t.mode & M_STEP_OWN:
            _set_masks(t, t.glob(DAIF, 64) & ~(CRm << 6))
            return
        t.and_(t.glob(DAIF, 64), ~(CRm << 6), out=t.glob(DAIF, 64))
        _look_at_interrupts(t)


def _may_mask(t: A64Translator, op1: int, CRn: int, CRm: int, op2: int, Rt: int, *, reads: bool, op0: int = 0) -> bool:
    """Whether interrupt masks may be accessed; if not, the trap is emitted (SCTLR_EL1.UMA)."""
    if t.el == 0 and not t.mode & M_UMA:
        t.raise_exception(EC_SYSTEM, _syndrome(op0, op1, CRn, CRm, op2, Rt, reads=reads))
        return False
    return True


def _syndrome(op0: int, op1: int, CRn: int, CRm: int, op2: int, Rt: int, *, reads: bool) -> int:
    """The ISS of a trapped access to a system register (D7.2, ESR_ELx)."""
    return op0 << 20 | op2 << 17 | op1 << 14 | CRn << 10 | Rt << 5 | CRm << 1 | reads


def request_exit(cpu: Aarch64Cpu) -> None:
    """Come back to the main loop at the next block: an interrupt that waited may be taken now."""
    cpu.l[EXIT_REQUEST >> 2] = 1


def _look_at_interrupts(t: A64Translator) -> None:
    """End the block; if an interrupt is waiting, the next one is not begun."""
    with t.if_("ne", t.glob(IRQ_PENDING, 64), 0):
        t.call(request_exit)
    t.goto(t.next_pc)


def _set_masks(t: A64Translator, value: Value) -> None:
    """Write DAIF where stepping depends on it."""
    t.call(exceptions.set_masks, value)
    t.goto_next_mode()


def _set_spsel(t: A64Translator, value: Value) -> None:
    t.call(exceptions.select_stack, value)
    t.goto_next_mode()


# --- registers that native code has -----------------------------------------------------------------------------------

Key = tuple[int, int, int, int, int]
Inline = Callable[["A64Translator", int], bool]
READS: dict[Key, Inline] = {}
WRITES: dict[Key, Inline] = {}
"""What reads a system register to a general register, or writes it; False where that is not possible in place."""


def _plain(key: Key, offset: int, *, el: int, mask: int = 0) -> None:
    """A register that is only storage, from exception level *el* on; *mask* are its bits, where not all can be set."""

    def read(t: A64Translator, Rt: int) -> bool:
        if t.el >= el:
            t.dest(Rt).set(t.glob(offset, 64))
        return t.el >= el

    def write(t: A64Translator, Rt: int) -> bool:
        if t.el >= el:
            value = t.reg(Rt)
            t.glob(offset, 64).set(value & mask if mask else value)
        return t.el >= el

    READS[key], WRITES[key] = read, write


_plain((3, 3, 13, 0, 2), TPIDR_EL0, el=0)
_plain((3, 0, 13, 0, 4), TPIDR_EL1, el=1)
_plain((3, 0, 4, 0, 1), ELR_BANK + 8, el=1)
_plain((3, 0, 4, 0, 0), SPSR_BANK + 8, el=1, mask=0xFFFF_FFFF)


def _read(*key: int) -> Callable[[Inline], Inline]:
    def enter(function: Inline) -> Inline:
        READS[key] = function  # type: ignore[index]
        return function

    return enter


def _write(*key: int) -> Callable[[Inline], Inline]:
    def enter(function: Inline) -> Inline:
        WRITES[key] = function  # type: ignore[index]
        return function

    return enter


@_read(3, 0, 4, 1, 0)
def _read_sp_el0(t: A64Translator, Rt: int) -> bool:
    if t.el and t.mode & M_SPSEL:
        t.dest(Rt).set(t.glob(SP_BANK, 64))
    else:
        t.undefined()
    return True


@_write(3, 0, 4, 1, 0)
def _write_sp_el0(t: A64Translator, Rt: int) -> bool:
    if t.el and t.mode & M_SPSEL:
        t.glob(SP_BANK, 64).set(t.reg(Rt))
    else:
        t.undefined()
    return True


@_read(3, 0, 4, 2, 0)
def _read_spsel(t: A64Translator, Rt: int) -> bool:
    if t.el:
        t.dest(Rt).set(int(t.mode & M_SPSEL != 0))
    return bool(t.el)


@_write(3, 0, 4, 2, 0)
def _write_spsel(t: A64Translator, Rt: int) -> bool:
    if t.el:
        _set_spsel(t, t.reg(Rt) & 1)
    return bool(t.el)


@_read(3, 0, 4, 2, 2)
def _read_current_el(t: A64Translator, Rt: int) -> bool:
    if t.el:
        t.dest(Rt).set(t.el << 2)
    return bool(t.el)


@_read(3, 3, 4, 2, 0)
def _read_nzcv(t: A64Translator, Rt: int) -> bool:
    t.extend(t.flags.image(), 64, signed=False, out=t.dest(Rt))
    return True


@_write(3, 3, 4, 2, 0)
def _write_nzcv(t: A64Translator, Rt: int) -> bool:
    t.set_nzcv(t.reg(Rt, 32) & NZCV)
    return True


@_read(3, 3, 4, 2, 1)
def _read_daif(t: A64Translator, Rt: int) -> bool:
    if _may_mask(t, 3, 4, 2, 1, Rt, reads=True, op0=3):
        t.dest(Rt).set(t.glob(DAIF, 64))
    return True


@_write(3, 3, 4, 2, 1)
def _write_daif(t: A64Translator, Rt: int) -> bool:
    if _may_mask(t, 3, 4, 2, 1, Rt, reads=False, op0=3):
        if t.mode & M_STEP_OWN:
            _set_masks(t, t.reg(Rt))
            return True
        t.glob(DAIF, 64).set(t.reg(Rt) & PSTATE_DAIF)
        _look_at_interrupts(t)
    return True


@_read(3, 3, 4, 4, 0)
def _read_fpcr(t: A64Translator, Rt: int) -> bool:
    if t.fp_enabled():
        t.dest(Rt).set(t.glob(FPCR, 64))
    return True


@_write(3, 3, 4, 4, 0)
def _write_fpcr(t: A64Translator, Rt: int) -> bool:
    if t.fp_enabled():
        t.call(set_fpcr, t.reg(Rt))
        t.goto_next_mode()
    return True


@_read(3, 3, 4, 4, 1)
def _read_fpsr(t: A64Translator, Rt: int) -> bool:
    if t.fp_enabled():
        t.dest(Rt).set(t.glob(FPSR, 64))
    return True


@_write(3, 3, 4, 4, 1)
def _write_fpsr(t: A64Translator, Rt: int) -> bool:
    if t.fp_enabled():
        t.call(set_fpsr, t.reg(Rt))
    return True


def set_fpcr(cpu: Aarch64Cpu, value: int) -> None:
    """Write FPCR, on which the mode depends."""
    cpu.set_fpcr(value)


def set_fpsr(cpu: Aarch64Cpu, value: int) -> None:
    """Write FPSR."""
    cpu.set_fpsr(value)


def _read_dczid(t: A64Translator, Rt: int) -> bool:
    """DCZID_EL0: the block of DC ZVA, and whether that is prohibited here."""
    t.dest(Rt).set(t.model.dczid | (DZP if t.mode & M_ZVA_TRAP else 0))
    return True


def _read_ctr(t: A64Translator, Rt: int) -> bool:
    """CTR_EL0, where nothing traps it."""
    if t.el == 0 or t.mode & M_SYSREG_TRAPS:
        return False
    t.dest(Rt).set(t.model.ctr)
    return True


DZP = 1 << 4
READS[3, 3, 0, 0, 7] = _read_dczid
READS[3, 3, 0, 0, 1] = _read_ctr
MAINTENANCE = frozenset((
    (0, 7, 1, 0), (0, 7, 5, 0), (3, 7, 5, 1), (0, 7, 6, 1), (3, 7, 10, 1), (3, 7, 11, 1), (3, 7, 14, 1),
))  # fmt: skip
"""IC IALLUIS, IC IALLU, IC IVAU, DC IVAC, DC CVAC, DC CVAU, DC CIVAC: there is nothing to be done for any of them."""


# --- all other registers ----------------------------------------------------------------------------------------------


def _which(op0: int, op1: int, crn: int, crm: int, op2: int, rt: int) -> int:
    """The register, and the general register that goes with it, as the instruction has them."""
    return op0 << 19 | op1 << 16 | crn << 12 | crm << 8 | op2 << 5 | rt


@cache
def _named(which: int) -> tuple[Key, int]:
    return (which >> 19, which >> 16 & 7, which >> 12 & 15, which >> 8 & 15, which >> 5 & 7), which & 31


def read_sysreg(cpu: Aarch64Cpu, which: int) -> int:
    """MRS and SYSL of a register that native code does not have."""
    key, rt = _named(which)
    return sysregs.read(cpu, key, rt)


def write_sysreg(cpu: Aarch64Cpu, which: int, value: int) -> None:
    """MSR and SYS of a register that native code does not have."""
    key, rt = _named(which)
    sysregs.write(cpu, key, value, rt)


@A64.insn("1101010100 1 op0[1:1] op0[0:0] op1:3 CRn:4 CRm:4 op2:3 Rt:5")
def mrs(t: A64Translator, op0: int, op1: int, CRn: int, CRm: int, op2: int, Rt: int) -> None:
    """MRS, SYSL."""
    if op0 == 0:
        t.undefined()
        return
    inline = READS.get((op0, op1, CRn, CRm, op2))
    if inline is None or not inline(t, Rt):
        t.call(read_sysreg, _which(op0, op1, CRn, CRm, op2, Rt), returns=64, out=t.dest(Rt))


@A64.insn("1101010100 0 1 op0[0:0] op1:3 CRn:4 CRm:4 op2:3 Rt:5")
def msr(t: A64Translator, op0: int, op1: int, CRn: int, CRm: int, op2: int, Rt: int) -> None:
    """MSR (register)."""
    inline = WRITES.get((2 + op0, op1, CRn, CRm, op2))
    if inline is None or not inline(t, Rt):
        t.call(write_sysreg, _which(2 + op0, op1, CRn, CRm, op2, Rt), t.reg(Rt))
        t.goto_next_mode()


@A64.insn("1101010100 0 01 op1:3 CRn:4 CRm:4 op2:3 Rt:5")
def sys(t: A64Translator, op1: int, CRn: int, CRm: int, op2: int, Rt: int) -> None:
    """SYS: AT, DC, IC, TLBI. Cache maintenance changes nothing that translated code depends on."""
    if (op1, CRn, CRm, op2) == (3, 7, 4, 1):
        if t.mode & M_ZVA_TRAP:
            t.call(exceptions.trap_zeroing, _syndrome(1, op1, CRn, CRm, op2, Rt, reads=False), noreturn=True)
            t.exit_loop()
        else:
            _zero_block(t, t.reg(Rt))
        return
    if t.el == 1 and not t.mode & M_SYSREG_TRAPS and (op1, CRn, CRm, op2) in MAINTENANCE:
        return
    t.call(write_sysreg, _which(1, op1, CRn, CRm, op2, Rt), t.reg(Rt))
    if CRn != 7:
        t.goto_next_mode()


def _zero_block(t: A64Translator, address: Value) -> None:
    """DC ZVA."""
    start = address & -ZVA_BLOCK
    zero = t.temp(128)
    t.mov(zero.low(64), 0)
    t.mov(t.glob(zero.offset + 8, 64), 0)
    for disp in range(0, ZVA_BLOCK, 16):
        t.st(start, zero, disp, size=16)
