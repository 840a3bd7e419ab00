"""Data processing of T16 (ARM DDI 0406C.b, A6.2.1 to A6.2.3, A6.2.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.decode import T16
from pyqemu.targets.arm.insns.data import (
    ADC,
    ADD_,
    AND,
    BIC,
    CMN,
    CMP,
    EOR,
    MOV,
    MVN,
    ORR,
    RSB,
    SBC,
    SUB_,
    TST,
    perform,
)
from pyqemu.targets.arm.operands import ASR, LSL, LSR, ROR, shifted, shifted_by_register

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.tcg.hole import Hole


def _shifts(code: int, type: int) -> None:
    def immediate(t: ArmTranslator, imm5: int, Rm: int, Rd: int) -> None:
        """LSL, LSR, ASR (immediate) (A8.8.94, A8.8.96, A8.8.16)."""
        second, carry = shifted(t, Rm, type, imm5, with_carry=t.sets_flags)
        perform(t, MOV, 0, Rd, second, carry, S=t.sets_flags)

    T16.insn(f"000 {code:02b} imm5:5 Rm:3 Rd:3", name=("lsl", "lsr", "asr")[code])(immediate)


for _code, _type in enumerate((LSL, LSR, ASR)):
    _shifts(_code, _type)


@T16.insn("000 11 0 op:1 Rm:3 Rn:3 Rd:3", name="add")
def add_register(t: ArmTranslator, op: int, Rm: int, Rn: int, Rd: int) -> None:
    """ADD, SUB (register) (A8.8.6, A8.8.223)."""
    perform(t, SUB_ if op else ADD_, Rn, Rd, t.reg(Rm), S=t.sets_flags)


@T16.insn("000 11 1 op:1 imm:3 Rn:3 Rd:3", name="add")
def add_immediate(t: ArmTranslator, op: int, imm: Hole, Rn: int, Rd: int) -> None:
    """ADD, SUB (immediate), three bits (A8.8.4, A8.8.221)."""
    perform(t, SUB_ if op else ADD_, Rn, Rd, imm, S=t.sets_flags)


@T16.insn("001 op:2 Rd:3 imm:8", name="mov")
def immediate(t: ArmTranslator, op: int, Rd: int, imm: Hole) -> None:
    """MOV, CMP, ADD, SUB (immediate), eight bits (A8.8.102, A8.8.37, A8.8.4, A8.8.221)."""
    perform(t, (MOV, CMP, ADD_, SUB_)[op], Rd, Rd, imm, S=t.sets_flags)


OPERATIONS = {0: AND, 1: EOR, 5: ADC, 6: SBC, 8: TST, 10: CMP, 11: CMN, 12: ORR, 14: BIC, 15: MVN}
SHIFTS = {2: LSL, 3: LSR, 4: ASR, 7: ROR}
NEGATE, MULTIPLY = 9, 13
NAMES = ("and", "eor", "lsl", "lsr", "asr", "adc", "sbc", "ror", "tst", "rsb", "cmp", "cmn", "orr", "mul", "bic", "mvn")


def _register(code: int) -> None:
    def register(t: ArmTranslator, Rm: int, Rd: int) -> None:
        """Data processing of two registers (A6.2.2)."""
        S = t.sets_flags
        if code in SHIFTS:
            second, carry = shifted_by_register(t, Rd, SHIFTS[code], Rm, with_carry=S)
            perform(t, MOV, 0, Rd, second, carry, S=S)
        elif code == NEGATE:
            perform(t, RSB, Rm, Rd, t.value(0, 32), S=S)
        elif code == MULTIPLY:
            out = t.dest(Rd)
            t.mul(t.reg(Rm), out, out=out)
            if S:
                t.set_nz(out)
        else:
            perform(t, OPERATIONS[code], Rd, Rd, t.reg(Rm), S=S)

    T16.insn(f"010000 {code:04b} Rm:3 Rd:3", name=NAMES[code])(register)


for _code in range(16):
    _register(_code)


@T16.insn("010001 00 Rd[3:3] Rm:4 Rd[2:0]", name="add")
def add_high(t: ArmTranslator, Rd: int, Rm: int) -> None:
    """ADD (register, SP plus register) (A8.8.6, T2; A8.8.10)."""
    perform(t, ADD_, Rd, Rd, t.reg(Rm), S=0)


@T16.insn("010001 01 Rn[3:3] Rm:4 Rn[2:0]", name="cmp")
def cmp_high(t: ArmTranslator, Rn: int, Rm: int) -> None:
    """CMP (register) (A8.8.38, T2)."""
    perform(t, CMP, Rn, 0, t.reg(Rm), S=1)


@T16.insn("010001 10 Rd[3:3] Rm:4 Rd[2:0]", name="mov")
def mov_high(t: ArmTranslator, Rd: int, Rm: int) -> None:
    """MOV (register) (A8.8.103, T1)."""
    perform(t, MOV, 0, Rd, t.reg(Rm), S=0)


@T16.insn("1010 0 Rd:3 imm:8*4")
def adr(t: ArmTranslator, Rd: int, imm: Hole) -> None:
    """ADR (A8.8.12, T1)."""
    t.add(t.value(t.pc_aligned, 32), imm, out=t.dest(Rd))


@T16.insn("1010 1 Rd:3 imm:8*4", name="add")
def add_sp(t: ArmTranslator, Rd: int, imm: Hole) -> None:
    """ADD (SP plus immediate) (A8.8.9, T1)."""
    t.add(t.reg(13), imm, out=t.dest(Rd))


@T16.insn("1011 0000 op:1 imm:7*4", name="add")
def adjust_sp(t: ArmTranslator, op: int, imm: Hole) -> None:
    """ADD, SUB (SP plus or minus immediate) (A8.8.9, T2; A8.8.225, T1)."""
    (t.sub if op else t.add)(t.reg(13), imm, out=t.dest(13))
