"""Data processing of A32, and what Thumb shares of it (ARM DDI 0406C.b, A5.2.1 to A5.2.3, A8.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyqemu.targets.arm.decode import A32, T32
from pyqemu.targets.arm.delivery import exception_return_to
from pyqemu.targets.arm.flags import ADD, SUB, kind
from pyqemu.targets.arm.operands import (
    add_with_carry,
    arm_immediate,
    shifted,
    shifted_by_register,
    thumb_immediate,
    wide_immediate,
)

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.tcg.builder import Value
    from pyqemu.tcg.hole import Hole

ADD_KIND, SUB_KIND = kind(ADD, 32), kind(SUB, 32)
AND, EOR, SUB_, RSB, ADD_, ADC, SBC, RSC, TST, TEQ, CMP, CMN, ORR, MOV, BIC, MVN, ORN = range(17)
"""The field ``opcode`` of A32, and an operation that only Thumb has."""
NAMES = ("and", "eor", "sub", "rsb", "add", "adc", "sbc", "rsc", "tst", "teq", "cmp", "cmn", "orr", "mov", "bic", "mvn")
LOGICAL = frozenset((AND, EOR, TST, TEQ, ORR, MOV, BIC, MVN, ORN))
WITHOUT_RESULT = frozenset((TST, TEQ, CMP, CMN))
WITHOUT_FIRST = frozenset((MOV, MVN))


def perform(t: ArmTranslator, op: int, Rn: int, Rd: int, second: Value | Hole, carry: Value | None = None, *,
            S: int) -> None:  # fmt: skip
    """Emit one operation.

    :param second: the second operand; it may be the register that is written
    :param carry: of the shifter; None where it is C as it was
    """
    first = None if op in WITHOUT_FIRST else t.reg(Rn)
    if op in WITHOUT_RESULT:
        _compare(t, op, first, second, carry)
        return
    if S and Rd == 15:
        _return(t, op, first, second)
        return
    out = t.dest(Rd)
    if op in LOGICAL:
        _logical(t, op, first, second, out)
        if S:
            t.set_nz(out, carry)
    else:
        _arithmetic(t, op, first, second, out, S)
    t.finish(Rd, out)


def _return(t: ArmTranslator, op: int, first: Value | None, second: Value | Hole) -> None:
    """With S and R15: the return from an exception (B9.3.20)."""
    out = t.temp(32)
    if op in LOGICAL:
        _logical(t, op, first, second, out)
    else:
        _arithmetic(t, op, first, second, out, 0)
    exception_return(t, out)


def exception_return(t: ArmTranslator, address: Value) -> None:
    """Take CPSR from SPSR, and go there; UNPREDICTABLE in modes without SPSR, where it is UNDEFINED here."""
    if not t.has_spsr:
        t.undefined()
        return
    t.call(exception_return_to, address)
    t.goto_ptr()


def _compare(t: ArmTranslator, op: int, first: Any, second: Value | Hole, carry: Value | None) -> None:
    if op == CMP:
        t.cmp_cc(first, second, SUB_KIND)
    elif op == CMN:
        t.add_cc(first, second, ADD_KIND)
    else:
        t.set_nz(t.and_(first, second) if op == TST else t.xor(first, second), carry)


def _logical(t: ArmTranslator, op: int, first: Any, second: Value | Hole, out: Value) -> None:
    if op in (BIC, MVN, ORN):
        second = ~t.value(second, 32)
    if op in WITHOUT_FIRST:
        out.set(second)
    elif op in (AND, BIC):
        t.and_(first, second, out=out)
    elif op in (ORR, ORN):
        t.or_(first, second, out=out)
    else:
        t.xor(first, second, out=out)


def _arithmetic(t: ArmTranslator, op: int, first: Any, second: Value | Hole, out: Value, S: int) -> None:
    if op == ADD_:
        t.add_cc(first, second, ADD_KIND, out=out) if S else t.add(first, second, out=out)
    elif op == SUB_:
        t.sub_cc(first, second, SUB_KIND, out=out) if S else t.sub(first, second, out=out)
    elif op == RSB:
        minuend = t.value(second, 32)
        t.sub_cc(minuend, first, SUB_KIND, out=out) if S else t.sub(minuend, first, out=out)
    elif op == ADC:
        add_with_carry(t, first, t.value(second, 32), out, set_flags=bool(S))
    elif op == SBC:
        add_with_carry(t, first, ~t.value(second, 32), out, set_flags=bool(S))
    else:
        add_with_carry(t, t.value(second, 32), ~first, out, set_flags=bool(S))


# --- A32 --------------------------------------------------------------------------------------------------------------


def _a32(op: int) -> None:
    """Enter an operation with its three kinds of second operand."""
    head = f"{op:04b} " + ("1" if op in WITHOUT_RESULT else "S:1")
    head += (" xxxx" if op in WITHOUT_FIRST else " Rn:4") + (" xxxx" if op in WITHOUT_RESULT else " Rd:4")

    def immediate(t: ArmTranslator, imm: Hole, rot: int, Rn: int = 0, Rd: int = 0, S: int = 1) -> None:
        """The second operand is an immediate."""
        carry = None
        if S and op in LOGICAL and rot:
            carry = t.value(imm, 32).shr(31)
        perform(t, op, Rn, Rd, imm, carry, S=S)

    def register(t: ArmTranslator, imm5: int, type: int, Rm: int, Rn: int = 0, Rd: int = 0, S: int = 1) -> None:
        """The second operand is a register, shifted by a number."""
        second, carry = shifted(t, Rm, type, imm5, with_carry=bool(S) and op in LOGICAL)
        perform(t, op, Rn, Rd, second, carry, S=S)

    def by_register(t: ArmTranslator, Rs: int, type: int, Rm: int, Rn: int = 0, Rd: int = 0, S: int = 1) -> None:
        """The second operand is a register, shifted by a register."""
        second, carry = shifted_by_register(t, Rm, type, Rs, with_carry=bool(S) and op in LOGICAL)
        perform(t, op, Rn, Rd, second, carry, S=S)

    name = NAMES[op]
    A32.insn(f"001 {head} rot:4 imm8:8", imm=arm_immediate, name=name)(immediate)
    A32.insn(f"000 {head} imm5:5 type:2 0 Rm:4", name=name)(register)
    A32.insn(f"000 {head} Rs:4 0 type:2 1 Rm:4", name=name)(by_register)


for _op in range(16):
    _a32(_op)


# --- T32 --------------------------------------------------------------------------------------------------------------

T32_OPERATIONS = {0: AND, 1: BIC, 2: ORR, 3: ORN, 4: EOR, 8: ADD_, 10: ADC, 11: SBC, 13: SUB_, 14: RSB}
COMPARISONS = {AND: TST, EOR: TEQ, ADD_: CMN, SUB_: CMP}  #: what they are with S and 15 as Rd
MOVES = {ORR: MOV, ORN: MVN}  #: what they are with 15 as Rn


def _chosen(op: int, Rn: int, Rd: int, S: int) -> int:
    """The operation that is meant (A6.3.1, A6.3.11)."""
    if Rd == 15 and S and op in COMPARISONS:
        return COMPARISONS[op]
    return MOVES.get(op, op) if Rn == 15 else op


def _t32(code: int, op: int) -> None:
    """Enter an operation of T32."""

    def immediate(t: ArmTranslator, imm: Hole, i: int, imm3: int, S: int, Rn: int, Rd: int) -> None:
        """The second operand is an immediate."""
        chosen, carry = _chosen(op, Rn, Rd, S), None
        if S and op in LOGICAL and i << 3 | imm3 >= 4:
            carry = t.value(imm, 32).shr(31)
        perform(t, chosen, Rn, Rd, imm, carry, S=S)

    def register(t: ArmTranslator, S: int, Rn: int, imm5: int, Rd: int, type: int, Rm: int) -> None:
        """The second operand is a register, shifted by a number."""
        second, carry = shifted(t, Rm, type, imm5, with_carry=bool(S) and op in LOGICAL)
        perform(t, _chosen(op, Rn, Rd, S), Rn, Rd, second, carry, S=S)

    name = "orn" if op == ORN else NAMES[op]
    T32.insn(f"11110 i:1 0 {code:04b} S:1 Rn:4 0 imm3:3 Rd:4 imm8:8", imm=thumb_immediate, name=name,
             feature="thumb2")(immediate)  # fmt: skip
    T32.insn(f"1110101 {code:04b} S:1 Rn:4 0 imm5[4:2] Rd:4 imm5[1:0] type:2 Rm:4", name=name,
             feature="thumb2")(register)  # fmt: skip


for _code, _operation in T32_OPERATIONS.items():
    _t32(_code, _operation)


@T32.insn("111 11010 0 type:2 S:1 Rn:4 1111 Rd:4 0000 Rm:4", feature="thumb2", name="lsl")
def shift_register(t: ArmTranslator, type: int, S: int, Rn: int, Rd: int, Rm: int) -> None:
    """LSL, LSR, ASR, ROR (register) (A8.8.95 and others)."""
    second, carry = shifted_by_register(t, Rn, type, Rm, with_carry=bool(S))
    perform(t, MOV, 0, Rd, second, carry, S=S)


# --- wide moves and addresses -----------------------------------------------------------------------------------------


@A32.insn("0011 0000 imm4:4 Rd:4 imm12:12", feature="thumb2", imm=lambda imm4, imm12: imm4 << 12 | imm12)
@T32.insn("11110 i:1 10 0 1 0 0 imm4:4 0 imm3:3 Rd:4 imm8:8", feature="thumb2", imm=wide_immediate)
def movw(t: ArmTranslator, Rd: int, imm: Hole) -> None:
    """MOV (immediate), 16 bits (A8.8.102)."""
    t.dest(Rd).set(imm)


@A32.insn("0011 0100 imm4:4 Rd:4 imm12:12", feature="thumb2", imm=lambda imm4, imm12: imm4 << 28 | imm12 << 16)
@T32.insn("11110 i:1 10 1 1 0 0 imm4:4 0 imm3:3 Rd:4 imm8:8", feature="thumb2",
          imm=lambda imm4, i, imm3, imm8: wide_immediate(imm4, i, imm3, imm8) << 16)  # fmt: skip
def movt(t: ArmTranslator, Rd: int, imm: Hole) -> None:
    """MOVT (A8.8.106)."""
    out = t.dest(Rd)
    t.or_(out & 0xFFFF, imm, out=out)


@T32.insn("11110 i:1 10 0 0 0 0 Rn:4 0 imm3:3 Rd:4 imm8:8", feature="thumb2",
          imm=lambda i, imm3, imm8: i << 11 | imm3 << 8 | imm8)  # fmt: skip
def addw(t: ArmTranslator, Rn: int, Rd: int, imm: Hole) -> None:
    """ADD (immediate), 12 bits, ADR (A8.8.4, T4; A8.8.12, T3)."""
    t.add(t.value(t.pc_aligned, 32) if Rn == 15 else t.reg(Rn), imm, out=t.dest(Rd))


@T32.insn("11110 i:1 10 1 0 1 0 Rn:4 0 imm3:3 Rd:4 imm8:8", feature="thumb2",
          imm=lambda i, imm3, imm8: i << 11 | imm3 << 8 | imm8)  # fmt: skip
def subw(t: ArmTranslator, Rn: int, Rd: int, imm: Hole) -> None:
    """SUB (immediate), 12 bits, ADR (A8.8.221, T4; A8.8.12, T2)."""
    t.sub(t.value(t.pc_aligned, 32) if Rn == 15 else t.reg(Rn), imm, out=t.dest(Rd))
