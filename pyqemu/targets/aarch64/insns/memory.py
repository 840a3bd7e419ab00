"""Loads and stores of general registers (ARM DDI 0487A.f, C4.3).

Each instruction has one size, and comes with every way to make an address. Two things are UNPREDICTABLE, and done as
QEMU does them: where a register that is loaded is also the base that is written back, the base wins; where a pair is
one register twice, it gets what is loaded first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.operands import extended
from pyqemu.tcg.builder import Value

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator
    from pyqemu.tcg.hole import Hole

Displacement = "int | Hole"


class Access(NamedTuple):
    """What a load or store does at its address.

    :ivar name: the mnemonic; its unscaled and unprivileged forms have others
    :ivar size: of the field ``size``; the access has ``1 << size`` bytes
    :ivar opc: of the field ``opc``
    :ivar bits: of the register
    """

    name: str
    size: int
    opc: int
    bits: int
    loads: bool
    signed: bool = False

    def perform(self, t: A64Translator, address: Value, disp: int | Hole, Rt: int, *, base: int = -1,
                mmu: int | None = None) -> None:  # fmt: skip
        """Emit it; *base* is the register that will be written back."""
        size = 1 << self.size
        if not self.loads:
            t.store(address, t.reg(Rt, self.bits), disp, size=size, mmu=mmu)
            return
        out = t.temp(self.bits) if Rt == base else t.dest(Rt, self.bits)
        t.load(address, disp, size=size, signed=self.signed, out=out, mmu=mmu)

    def other_name(self, letter: str) -> str:
        """The mnemonic of a form: LDRSW, LDURSW, LDTRSW."""
        return self.name[:2] + letter + self.name[2:]


ACCESSES = (
    Access("strb", 0, 0, 32, False), Access("ldrb", 0, 1, 32, True),
    Access("ldrsb", 0, 2, 64, True, True), Access("ldrsb", 0, 3, 32, True, True),
    Access("strh", 1, 0, 32, False), Access("ldrh", 1, 1, 32, True),
    Access("ldrsh", 1, 2, 64, True, True), Access("ldrsh", 1, 3, 32, True, True),
    Access("str", 2, 0, 32, False), Access("ldr", 2, 1, 32, True), Access("ldrsw", 2, 2, 64, True, True),
    Access("str", 3, 0, 64, False), Access("ldr", 3, 1, 64, True),
)  # fmt: skip


def indexed_address(t: A64Translator, Rn: int, Rm: int, option: int, shift: int) -> Value | None:
    """Base and register offset; None, and UNDEFINED, for options that there are not."""
    if not option & 2:
        t.undefined()
        return None
    index = extended(t, 64, Rm, option)
    base = t.reg_sp(Rn)
    if shift > 3:  # of 16 bytes: no row of an address scales like that
        return base + index.shl(shift)
    return t.lea(base, index, shift, 0, 64) if shift else base + index


def _register(access: Access) -> None:
    """Enter an instruction with all its ways to make an address."""

    def unsigned_offset(t: A64Translator, Rn: int, Rt: int, disp: Hole) -> None:
        """Unsigned offset."""
        access.perform(t, t.reg_sp(Rn), disp, Rt)

    def unprivileged(t: A64Translator, Rn: int, Rt: int, disp: Hole) -> None:
        """LDTR, STTR: at EL1 as EL0 would."""
        access.perform(t, t.reg_sp(Rn), disp, Rt, mmu=1 if t.el == 1 else None)

    def post_index(t: A64Translator, Rn: int, Rt: int, disp: Hole) -> None:
        """The offset is added behind the access."""
        base = t.reg_sp(Rn)
        access.perform(t, base, 0, Rt, base=Rn)
        t.add(base, disp, out=base)

    def pre_index(t: A64Translator, Rn: int, Rt: int, disp: Hole) -> None:
        """The offset is added before the access."""
        base = t.reg_sp(Rn)
        access.perform(t, base, disp, Rt, base=Rn)
        t.add(base, disp, out=base)

    def register_offset(t: A64Translator, Rm: int, option: int, S: int, Rn: int, Rt: int) -> None:
        """Register offset, extended or shifted."""
        if address := indexed_address(t, Rn, Rm, option, access.size * S):
            access.perform(t, address, 0, Rt)

    head = f"{access.size:02b} 111 0"
    opc = f"{access.opc:02b}"
    A64.insn(f"{head} 01 {opc} disp:12*{1 << access.size} Rn:5 Rt:5", name=access.name)(unsigned_offset)
    A64.insn(f"{head} 00 {opc} 0 disp:s9 00 Rn:5 Rt:5", name=access.other_name("u"))(unsigned_offset)
    A64.insn(f"{head} 00 {opc} 0 disp:s9 01 Rn:5 Rt:5", name=access.name)(post_index)
    A64.insn(f"{head} 00 {opc} 0 disp:s9 10 Rn:5 Rt:5", name=access.other_name("t"))(unprivileged)
    A64.insn(f"{head} 00 {opc} 0 disp:s9 11 Rn:5 Rt:5", name=access.name)(pre_index)
    A64.insn(f"{head} 00 {opc} 1 Rm:5 option:3 S:1 10 Rn:5 Rt:5", name=access.name)(register_offset)


for _access in ACCESSES:
    _register(_access)


# --- literals ---------------------------------------------------------------------------------------------------------


@A64.insn("00 011 0 00 disp:s19*4 Rt:5")
def ldr_literal_word(t: A64Translator, Rt: int, disp: Hole) -> None:
    """LDR (literal) of 32 bits."""
    t.load(t.value(t.pc + disp, 64), size=4, out=t.dest(Rt, 32))


@A64.insn("01 011 0 00 disp:s19*4 Rt:5")
def ldr_literal(t: A64Translator, Rt: int, disp: Hole) -> None:
    """LDR (literal) of 64 bits."""
    t.load(t.value(t.pc + disp, 64), size=8, out=t.dest(Rt))


@A64.insn("10 011 0 00 disp:s19*4 Rt:5")
def ldrsw_literal(t: A64Translator, Rt: int, disp: Hole) -> None:
    """LDRSW (literal)."""
    t.load(t.value(t.pc + disp, 64), size=4, signed=True, out=t.dest(Rt))


# --- hints ------------------------------------------------------------------------------------------------------------


@A64.insn("11 011 0 00 imm:19 Rt:5")
@A64.insn("11 111 0 01 10 imm:12 Rn:5 Rt:5")
@A64.insn("11 111 0 00 10 0 imm:9 00 Rn:5 Rt:5", name="prfum")
def prfm(t: A64Translator, imm: Hole, Rt: int, Rn: int = 0) -> None:
    """PRFM, PRFUM: nothing to do."""


@A64.insn("11 111 0 00 10 1 Rm:5 option:3 S:1 10 Rn:5 Rt:5")
def prfm_register(t: A64Translator, Rm: int, option: int, S: int, Rn: int, Rt: int) -> None:
    """PRFM (register)."""
    if not option & 2:
        t.undefined()


# --- pairs ------------------------------------------------------------------------------------------------------------


class Pair(NamedTuple):
    """A load or store of two registers."""

    name: str
    opc: int
    loads: bool
    size: int
    bits: int
    signed: bool = False

    def perform(self, t: A64Translator, address: Value, disp: int | Hole, Rt: int, Rt2: int, base: int = -1) -> None:
        """Emit it; *base* is the register that will be written back. No register is written before both accesses."""
        if not self.loads:
            t.store(address, t.reg(Rt, self.bits), disp, size=self.size)
            t.store(address, t.reg(Rt2, self.bits), disp + self.size, size=self.size)
            return
        first = t.load(address, disp, size=self.size, signed=self.signed, out=t.temp(self.bits))
        second = t.temp(self.bits) if Rt2 == base else t.dest(Rt2, self.bits)
        t.load(address, disp + self.size, size=self.size, signed=self.signed, out=second)
        if Rt not in (base, 31):
            t.mov(t.dest(Rt, self.bits), first)


PAIRS = (
    Pair("stp", 0, False, 4, 32), Pair("ldp", 0, True, 4, 32), Pair("ldpsw", 1, True, 4, 64, True),
    Pair("stp", 2, False, 8, 64), Pair("ldp", 2, True, 8, 64),
)  # fmt: skip


def _register_pair(pair: Pair) -> None:
    def offset(t: A64Translator, Rt2: int, Rn: int, Rt: int, disp: Hole) -> None:
        """Signed offset, and without allocation in caches."""
        pair.perform(t, t.reg_sp(Rn), disp, Rt, Rt2)

    def post_index(t: A64Translator, Rt2: int, Rn: int, Rt: int, disp: Hole) -> None:
        """The offset is added behind the access."""
        base = t.reg_sp(Rn)
        pair.perform(t, base, 0, Rt, Rt2, Rn)
        t.add(base, disp, out=base)

    def pre_index(t: A64Translator, Rt2: int, Rn: int, Rt: int, disp: Hole) -> None:
        """The offset is added before the access."""
        base = t.reg_sp(Rn)
        pair.perform(t, base, disp, Rt, Rt2, Rn)
        t.add(base, disp, out=base)

    head, rest = f"{pair.opc:02b} 101 0", f"{pair.loads:d} disp:s7*{pair.size} Rt2:5 Rn:5 Rt:5"
    if not pair.signed:
        A64.insn(f"{head} 000 {rest}", name=f"{pair.name[:2]}n{pair.name[2:]}")(offset)
    A64.insn(f"{head} 001 {rest}", name=pair.name)(post_index)
    A64.insn(f"{head} 010 {rest}", name=pair.name)(offset)
    A64.insn(f"{head} 011 {rest}", name=pair.name)(pre_index)


for _pair in PAIRS:
    _register_pair(_pair)
