"""Loads and stores of A32 (ARM DDI 0406C.b, A5.2.8, A5.3), and what Thumb shares with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pyqemu.targets.arm.decode import A32, A32_UNCONDITIONAL
from pyqemu.targets.arm.domains import use_user_table
from pyqemu.targets.arm.modes import LEVEL_MMU
from pyqemu.targets.arm.operands import shifted
from pyqemu.tcg.builder import Value

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.tcg.hole import Hole


class Access(NamedTuple):
    """What is loaded or stored."""

    name: str
    loads: bool
    size: int
    signed: bool = False

    def move(self, t: ArmTranslator, Rt: int, address: Value, disp: int | Hole, mmu: int | None = None) -> Value:
        """Emit it; returns what was loaded, in the register, or in a temporary for R15."""
        if self.loads:
            return t.load(address, disp, size=self.size, signed=self.signed, out=t.dest(Rt), mmu=mmu)
        value = t.reg(Rt)
        t.store(address, value, disp, size=self.size, mmu=mmu)
        return value


STR, LDR, STRB, LDRB = (
    Access("str", False, 4),
    Access("ldr", True, 4),
    Access("strb", False, 1),
    Access("ldrb", True, 1),
)
STRH, LDRH = Access("strh", False, 2), Access("ldrh", True, 2)
LDRSB, LDRSH = Access("ldrsb", True, 1, True), Access("ldrsh", True, 2, True)
WORDS_AND_BYTES = {(0, 0): STR, (1, 0): LDR, (0, 1): STRB, (1, 1): LDRB}  #: by L and B


def single(t: ArmTranslator, access: Access, Rn: int, Rt: int, offset: Value | Hole, *, P: int, W: int,
           unprivileged: bool = False) -> None:  # fmt: skip
    """A load or store of one register: with an offset, or indexed before (P and W) or after it (not P)."""
    base = t.value(t.pc_aligned, 32) if Rn == 15 else t.reg(Rn)
    moved = base + offset if isinstance(offset, Value) else None
    disp: int | Hole = 0
    if P and moved is not None:
        address = moved
    else:
        address = base
        if P and not isinstance(offset, Value):
            disp = offset
    if unprivileged and t.level:
        t.call(use_user_table)
    value = access.move(t, Rt, address, disp, LEVEL_MMU[0] if unprivileged else None)
    if W or not P:
        if access.loads and Rt == Rn:
            return  # UNPREDICTABLE: what was loaded stays
        base.set(moved) if moved is not None else t.add(base, offset, out=base)
    if access.loads:
        t.loaded(Rt, value)


def with_sign(U: int, imm12: int) -> int:
    """An offset that is added or subtracted."""
    return imm12 if U else -imm12


@A32.insn("010 P:1 U:1 B:1 W:1 L:1 Rn:4 Rt:4 imm12:12", disp=with_sign, name="ldr")
def word_or_byte(t: ArmTranslator, P: int, B: int, W: int, L: int, Rn: int, Rt: int, disp: Hole) -> None:
    """LDR, STR, LDRB, STRB (immediate, literal), LDRT and its like (A8.8.62 to A8.8.69, A8.8.203 to A8.8.208)."""
    single(t, WORDS_AND_BYTES[L, B], Rn, Rt, disp, P=P, W=W, unprivileged=not P and bool(W))


@A32.insn("011 P:1 U:1 B:1 W:1 L:1 Rn:4 Rt:4 imm5:5 type:2 0 Rm:4", name="ldr")
def word_or_byte_register(t: ArmTranslator, P: int, U: int, B: int, W: int, L: int, Rn: int, Rt: int, imm5: int,
                          type: int, Rm: int) -> None:  # fmt: skip
    """LDR, STR, LDRB, STRB (register), LDRT and its like."""
    offset = shifted(t, Rm, type, imm5)[0]
    single(t, WORDS_AND_BYTES[L, B], Rn, Rt, offset if U else -offset, P=P, W=W, unprivileged=not P and bool(W))


# --- halfwords, bytes with sign, two words ----------------------------------------------------------------------------

EXTRA = {(0, 1): STRH, (1, 1): LDRH, (1, 2): LDRSB, (1, 3): LDRSH}  #: by L, and the bits S and H


def split_offset(U: int, immH: int, immL: int) -> int:
    """An offset of eight bits in two halves."""
    return with_sign(U, immH << 4 | immL)


def _enter_extra(access: Access, L: int, op: int) -> None:
    def immediate(t: ArmTranslator, P: int, W: int, Rn: int, Rt: int, disp: Hole) -> None:
        """With an immediate offset (A8.8.80 to A8.8.92, A8.8.217, A8.8.218)."""
        single(t, access, Rn, Rt, disp, P=P, W=W, unprivileged=not P and bool(W))

    def register(t: ArmTranslator, P: int, U: int, W: int, Rn: int, Rt: int, Rm: int) -> None:
        """With a register as offset."""
        offset = t.reg(Rm)
        single(t, access, Rn, Rt, offset if U else -offset, P=P, W=W, unprivileged=not P and bool(W))

    A32.insn(f"000 P:1 U:1 1 W:1 {L} Rn:4 Rt:4 immH:4 1 {op:02b} 1 immL:4", disp=split_offset,
             name=access.name)(immediate)  # fmt: skip
    A32.insn(f"000 P:1 U:1 0 W:1 {L} Rn:4 Rt:4 xxxx 1 {op:02b} 1 Rm:4", name=access.name)(register)


for (_L, _op), _access in EXTRA.items():
    _enter_extra(_access, _L, _op)


def double(t: ArmTranslator, loads: bool, Rn: int, Rt: int, Rt2: int, offset: Value | Hole, *, P: int,
           W: int) -> None:  # fmt: skip
    """LDRD, STRD; no register is written before both accesses."""
    base = t.value(t.pc_aligned, 32) if Rn == 15 else t.reg(Rn)
    moved = base + offset
    address = moved if P else base
    if loads:
        first = t.load(address, size=4)
        t.load(address, 4, size=4, out=t.dest(Rt2))
        t.mov(t.dest(Rt), first)
    else:
        t.store(address, t.reg(Rt), size=4)
        t.store(address, t.reg(Rt2), 4, size=4)
    if W or not P:
        base.set(moved)


def _enter_double(loads: bool) -> None:
    def immediate(t: ArmTranslator, P: int, W: int, Rn: int, Rt: int, disp: Hole) -> None:
        """With an immediate offset (A8.8.72, A8.8.210)."""
        if Rt & 1 or (W and not P):
            t.undefined()
        else:
            double(t, loads, Rn, Rt, Rt + 1, disp, P=P, W=W)

    def register(t: ArmTranslator, P: int, U: int, W: int, Rn: int, Rt: int, Rm: int) -> None:
        """With a register as offset (A8.8.74, A8.8.211)."""
        if Rt & 1 or (W and not P):
            t.undefined()
        else:
            offset = t.reg(Rm)
            double(t, loads, Rn, Rt, Rt + 1, offset if U else -offset, P=P, W=W)

    name, op = ("ldrd", "10") if loads else ("strd", "11")
    A32.insn(f"000 P:1 U:1 1 W:1 0 Rn:4 Rt:4 immH:4 1 {op} 1 immL:4", disp=split_offset, feature="v5e",
             name=name)(immediate)  # fmt: skip
    A32.insn(f"000 P:1 U:1 0 W:1 0 Rn:4 Rt:4 xxxx 1 {op} 1 Rm:4", feature="v5e", name=name)(register)


for _loads in (False, True):
    _enter_double(_loads)


# --- hints ------------------------------------------------------------------------------------------------------------


@A32_UNCONDITIONAL.insn("0101 x x 01 xxxx 1111 xxxxxxxxxxxx", feature="v5e")
@A32_UNCONDITIONAL.insn("0100 x 1 01 xxxx 1111 xxxxxxxxxxxx", feature="thumb2", name="pli")
@A32_UNCONDITIONAL.insn("0111 x x 01 xxxx 1111 xxxxxxx 0 xxxx", feature="v5e")
@A32_UNCONDITIONAL.insn("0110 x 1 01 xxxx 1111 xxxxxxx 0 xxxx", feature="thumb2", name="pli")
@A32_UNCONDITIONAL.insn("0100 x 0 01 xxxx xxxx xxxxxxxxxxxx", feature="thumb2", name="nop")
@A32_UNCONDITIONAL.insn("0110 x 0 01 xxxx xxxx xxxxxxx 0 xxxx", feature="thumb2", name="nop")
def pld(t: ArmTranslator) -> None:
    """PLD, PLDW, PLI, and hints for memory that are not allocated (A8.8.126 to A8.8.130, A5.7.1): nothing to do."""
