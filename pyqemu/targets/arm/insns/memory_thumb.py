"""Loads and stores of one or two registers in Thumb (ARM DDI 0406C.b, A6.2.4, A6.3.6 to A6.3.10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.targets.arm.decode import T16, T32
from pyqemu.targets.arm.insns.memory import (
    LDR,
    LDRB,
    LDRH,
    LDRSB,
    LDRSH,
    STR,
    STRB,
    STRH,
    Access,
    double,
    single,
    with_sign,
)

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.tcg.hole import Hole

THUMB2 = "thumb2"

# --- T16 --------------------------------------------------------------------------------------------------------------


@T16.insn("01001 Rt:3 disp:8*4", name="ldr")
def ldr_literal(t: ArmTranslator, Rt: int, disp: Hole) -> None:
    """LDR (literal) (A8.8.64, T1)."""
    t.load(t.value(t.pc_aligned, 32), disp, size=4, out=t.dest(Rt))


def _register_offset(code: int, access: Access) -> None:
    def register(t: ArmTranslator, Rm: int, Rn: int, Rt: int) -> None:
        """With a register as offset."""
        single(t, access, Rn, Rt, t.reg(Rm), P=1, W=0)

    T16.insn(f"0101 {code:03b} Rm:3 Rn:3 Rt:3", name=access.name)(register)


for _code, _access in enumerate((STR, STRH, STRB, LDRSB, LDR, LDRH, LDRB, LDRSH)):
    _register_offset(_code, _access)


def _immediate_offset(code: str, access: Access) -> None:
    def immediate(t: ArmTranslator, disp: Hole, Rn: int, Rt: int) -> None:
        """With an immediate offset."""
        single(t, access, Rn, Rt, disp, P=1, W=0)

    T16.insn(f"{code} disp:5*{access.size} Rn:3 Rt:3", name=access.name)(immediate)


for _head, _access in (("01100", STR), ("01101", LDR), ("01110", STRB), ("01111", LDRB), ("10000", STRH),
                       ("10001", LDRH)):  # fmt: skip
    _immediate_offset(_head, _access)


@T16.insn("1001 L:1 Rt:3 disp:8*4", name="ldr")
def relative_to_sp(t: ArmTranslator, L: int, Rt: int, disp: Hole) -> None:
    """LDR, STR with SP as base (A8.8.63, A8.8.203, T2)."""
    single(t, LDR if L else STR, 13, Rt, disp, P=1, W=0)


# --- T32 --------------------------------------------------------------------------------------------------------------


def _is_hint(access: Access, Rt: int) -> bool:
    """Whether a load is PLD, PLI or another hint (A6.3.8, A6.3.9)."""
    return access.loads and Rt == 15 and access.size < 4


PREFIXES = ("1", "01", "001", "0001", "00001", "000001", "000000")
"""What a negative literal's offset can begin with, apart from each other, as the first and the last are refinements of
other patterns."""


def _negative(prefix: str) -> Callable[[int], int]:
    """The offset of a literal below."""
    return lambda rest: -(int(prefix, 2) << 12 - len(prefix) | rest)


def _t32(access: Access) -> None:
    size, S, L = access.size.bit_length() - 1, int(access.signed), int(access.loads)

    def positive(t: ArmTranslator, Rn: int, Rt: int, disp: Hole) -> None:
        """With a positive offset of 12 bits."""
        if Rn == 15 and not access.loads:
            t.undefined()
        elif not _is_hint(access, Rt):
            single(t, access, Rn, Rt, disp, P=1, W=0)

    def indexed(t: ArmTranslator, Rn: int, Rt: int, P: int, U: int, W: int, disp: Hole) -> None:
        """With an offset of eight bits, or indexed; P and U alone: as an access of User mode."""
        if Rn == 15 or not (P or W):
            t.undefined()
        elif not (_is_hint(access, Rt) and P and not W):
            single(t, access, Rn, Rt, disp, P=P, W=W, unprivileged=bool(P and U and not W))

    def register(t: ArmTranslator, Rn: int, Rt: int, imm2: int, Rm: int) -> None:
        """With a register as offset, shifted left."""
        if Rn == 15:
            t.undefined()
        elif not _is_hint(access, Rt):
            offset = t.reg(Rm)
            single(t, access, Rn, Rt, offset.shl(imm2) if imm2 else offset, P=1, W=0)

    def literal(t: ArmTranslator, Rt: int, disp: Hole) -> None:
        """Relative to the program counter."""
        if not _is_hint(access, Rt):
            single(t, access, 15, Rt, disp, P=1, W=0)

    head = f"1111100 {S}"
    T32.insn(f"{head} 1 {size:02b} {L} Rn:4 Rt:4 disp:12", feature=THUMB2, name=access.name)(positive)
    T32.insn(f"{head} 0 {size:02b} {L} Rn:4 Rt:4 1 P:1 U:1 W:1 imm8:8", feature=THUMB2, name=access.name,
             disp=lambda U, imm8: with_sign(U, imm8))(indexed)  # fmt: skip
    T32.insn(f"{head} 0 {size:02b} {L} Rn:4 Rt:4 000000 imm2:2 Rm:4", feature=THUMB2, name=access.name)(register)
    if access.loads:
        T32.insn(f"{head} 1 {size:02b} 1 1111 Rt:4 disp:12", feature=THUMB2, name=access.name)(literal)
        for prefix in PREFIXES:
            T32.insn(f"{head} 0 {size:02b} 1 1111 Rt:4 {prefix} rest:{12 - len(prefix)}", feature=THUMB2,
                     name=access.name, disp=_negative(prefix))(literal)  # fmt: skip


for _access in (STR, STRH, STRB, LDR, LDRH, LDRB, LDRSB, LDRSH):
    _t32(_access)


@T32.insn("1110100 1 U:1 1 W:1 L:1 Rn:4 Rt:4 Rt2:4 imm8:8", feature=THUMB2, name="ldrd",
          disp=lambda U, imm8: with_sign(U, 4 * imm8))  # fmt: skip
def double_offset(t: ArmTranslator, W: int, L: int, Rn: int, Rt: int, Rt2: int, disp: Hole) -> None:
    """LDRD, STRD (A8.8.72, A8.8.73, A8.8.210): with an offset, or indexed before."""
    double(t, bool(L), Rn, Rt, Rt2, disp, P=1, W=W)


@T32.insn("1110100 0 U:1 1 1 L:1 Rn:4 Rt:4 Rt2:4 imm8:8", feature=THUMB2, name="ldrd",
          disp=lambda U, imm8: with_sign(U, 4 * imm8))  # fmt: skip
def double_post_index(t: ArmTranslator, L: int, Rn: int, Rt: int, Rt2: int, disp: Hole) -> None:
    """LDRD, STRD, indexed after."""
    double(t, bool(L), Rn, Rt, Rt2, disp, P=0, W=1)
