"""Loads and stores of vector registers (ARM DDI 0487A.f, C4.4.3: bit V is set; C6.3: LD1 to LD4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.insns.memory import indexed_address
from pyqemu.targets.aarch64.layout import v
from pyqemu.tcg.builder import Value

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator
    from pyqemu.tcg.hole import Hole

SIZES = {1: ("00", 0), 2: ("01", 0), 4: ("10", 0), 8: ("11", 0), 16: ("00", 1)}
"""Bytes of a register's part: the field ``size``, and the upper bit of ``opc``."""


def load_vector(t: A64Translator, number: int, address: Value, disp: int | Hole, size: int) -> None:
    """Load *size* bytes into a vector register, whose other bytes become zero."""
    if size == 16 and not t.big_endian:
        if t.mode_aligns:
            t.check_aligned(address, disp, 16, write=False)
        t.ld(address, disp, size=16, out=t.v(number))
        return
    if size == 16:
        high = t.load(address, disp, size=8, out=t.temp(64))
        t.load(address, disp + 8, size=8, out=t.glob(v(number), 64))
        t.mov(t.glob(v(number) + 8, 64), high)
        return
    t.load(address, disp, size=size, out=t.glob(v(number), 64))
    t.mov(t.glob(v(number) + 8, 64), 0)


def store_vector(t: A64Translator, number: int, address: Value, disp: int | Hole, size: int) -> None:
    """Store the low *size* bytes of a vector register."""
    if size == 16 and not t.big_endian:
        if t.mode_aligns:
            t.check_aligned(address, disp, 16, write=True)
        t.st(address, t.v(number), disp, size=16)
    elif size == 16:
        t.probe_write(address, 16, disp)
        t.store(address, t.glob(v(number) + 8, 64), disp, size=8)
        t.store(address, t.glob(v(number), 64), disp + 8, size=8)
    else:
        t.store(address, t.v(number, 8 * size), disp, size=size)


# --- one register -----------------------------------------------------------------------------------------------------


def _register(size: int, *, loads: bool) -> None:
    """Enter LDR or STR of one size with all ways to make an address."""
    move = load_vector if loads else store_vector
    shift = size.bit_length() - 1

    def unsigned_offset(t: A64Translator, Rn: int, Rt: int, disp: Hole) -> None:
        """Unsigned offset."""
        if t.fp_enabled():
            move(t, Rt, t.reg_sp(Rn), disp, size)

    def post_index(t: A64Translator, Rn: int, Rt: int, disp: Hole) -> None:
        """The offset is added behind the access."""
        if t.fp_enabled():
            move(t, Rt, t.reg_sp(Rn), 0, size)
            t.add(t.reg_sp(Rn), disp, out=t.reg_sp(Rn))

    def pre_index(t: A64Translator, Rn: int, Rt: int, disp: Hole) -> None:
        """The offset is added before the access."""
        if t.fp_enabled():
            move(t, Rt, t.reg_sp(Rn), disp, size)
            t.add(t.reg_sp(Rn), disp, out=t.reg_sp(Rn))

    def register_offset(t: A64Translator, Rm: int, option: int, S: int, Rn: int, Rt: int) -> None:
        """Register offset, extended or shifted."""
        if t.fp_enabled() and (address := indexed_address(t, Rn, Rm, option, shift * S)):
            move(t, Rt, address, 0, size)

    name, (field, high) = "ldr" if loads else "str", SIZES[size]
    head, opc = f"{field} 111 1", f"{high}{loads:d}"
    A64.insn(f"{head} 01 {opc} disp:12*{size} Rn:5 Rt:5", name=name)(unsigned_offset)
    A64.insn(f"{head} 00 {opc} 0 disp:s9 00 Rn:5 Rt:5", name=name[:2] + "u" + name[2:])(unsigned_offset)
    A64.insn(f"{head} 00 {opc} 0 disp:s9 01 Rn:5 Rt:5", name=name)(post_index)
    A64.insn(f"{head} 00 {opc} 0 disp:s9 11 Rn:5 Rt:5", name=name)(pre_index)
    A64.insn(f"{head} 00 {opc} 1 Rm:5 option:3 S:1 10 Rn:5 Rt:5", name=name)(register_offset)


for _size in SIZES:
    for _loads in (False, True):
        _register(_size, loads=_loads)


# --- literals and pairs -----------------------------------------------------------------------------------------------


def _literal(opc: str, size: int) -> None:
    def literal(t: A64Translator, Rt: int, disp: Hole) -> None:
        """LDR (literal, SIMD&FP) (C6.3.154)."""
        if t.fp_enabled():
            load_vector(t, Rt, t.value(t.pc + disp, 64), 0, size)

    A64.insn(f"{opc} 011 1 00 disp:s19*4 Rt:5", name="ldr")(literal)


def _pair(opc: str, size: int, *, loads: bool) -> None:
    move = load_vector if loads else store_vector

    def both(t: A64Translator, Rt: int, Rt2: int, Rn: int, disp: int | Hole) -> None:
        if not loads and size == 16:  # nothing is written unless all can be
            t.probe_write(t.reg_sp(Rn), 16, disp + 16)
        move(t, Rt, t.reg_sp(Rn), disp, size)
        move(t, Rt2, t.reg_sp(Rn), disp + size, size)

    def offset(t: A64Translator, Rt2: int, Rn: int, Rt: int, disp: Hole) -> None:
        """Signed offset, and without allocation in caches."""
        if t.fp_enabled():
            both(t, Rt, Rt2, Rn, disp)

    def post_index(t: A64Translator, Rt2: int, Rn: int, Rt: int, disp: Hole) -> None:
        """The offset is added behind the access."""
        if t.fp_enabled():
            both(t, Rt, Rt2, Rn, 0)
            t.add(t.reg_sp(Rn), disp, out=t.reg_sp(Rn))

    def pre_index(t: A64Translator, Rt2: int, Rn: int, Rt: int, disp: Hole) -> None:
        """The offset is added before the access."""
        if t.fp_enabled():
            both(t, Rt, Rt2, Rn, disp)
            t.add(t.reg_sp(Rn), disp, out=t.reg_sp(Rn))

    name, rest = "ldp" if loads else "stp", f"{loads:d} disp:s7*{size} Rt2:5 Rn:5 Rt:5"
    A64.insn(f"{opc} 101 1 000 {rest}", name=name[:2] + "np")(offset)
    A64.insn(f"{opc} 101 1 001 {rest}", name=name)(post_index)
    A64.insn(f"{opc} 101 1 010 {rest}", name=name)(offset)
    A64.insn(f"{opc} 101 1 011 {rest}", name=name)(pre_index)


for _opc, _size in (("00", 4), ("01", 8), ("10", 16)):
    _literal(_opc, _size)
    for _loads in (False, True):
        _pair(_opc, _size, loads=_loads)


# --- structures -------------------------------------------------------------------------------------------------------

MULTIPLE = {0b0000: (4, 1), 0b0010: (1, 4), 0b0100: (3, 1), 0b0110: (1, 3), 0b0111: (1, 1), 0b1000: (2, 1),
            0b1010: (1, 2)}  # fmt: skip
"""By opcode: elements of a structure, and registers that go one after the other."""


def _multiple(t: A64Translator, Q: int, L: int, opcode: int, size: int, Rn: int, Rt: int) -> int:
    """LD1 to LD4, ST1 to ST4 (multiple structures); returns how many bytes, 0 where there is no such thing."""
    structure, repeat = MULTIPLE.get(opcode, (0, 0))
    if not structure or (size == 3 and not Q and structure > 1):
        t.undefined()
        return 0
    if not t.fp_enabled():
        return 0
    base, width = t.reg_sp(Rn), 16 if Q else 8
    if structure == 1 and not t.big_endian:
        for n in range(repeat):
            (load_vector if L else store_vector)(t, (Rt + n) & 31, base, n * width, width)
        return repeat * width
    step, at = 1 << size, 0
    for _ in range(repeat):
        for index in range(width // step):
            for n in range(structure):
                number = (Rt + n + _) & 31
                if L:
                    t.set_element(number, index, 8 * step, t.load(base, at, size=step, out=t.temp(64)))
                else:
                    t.store(base, t.element(number, index, 8 * step), at, size=step)
                at += step
    if L and not Q:
        for n in range(structure * repeat):
            t.mov(t.glob(v((Rt + n) & 31) + 8, 64), 0)
    return at


@A64.insn("0 Q:1 0011000 L:1 000000 opcode:4 size:2 Rn:5 Rt:5", name="ld1")
def structures(t: A64Translator, Q: int, L: int, opcode: int, size: int, Rn: int, Rt: int) -> None:
    """LD1 to LD4, ST1 to ST4 (multiple structures) (C6.3.137)."""
    _multiple(t, Q, L, opcode, size, Rn, Rt)


@A64.insn("0 Q:1 0011001 L:1 0 Rm:5 opcode:4 size:2 Rn:5 Rt:5", name="ld1")
def structures_post_index(t: A64Translator, Q: int, L: int, Rm: int, opcode: int, size: int, Rn: int, Rt: int) -> None:
    """The same, and the base moves on."""
    _advance(t, Rn, Rm, _multiple(t, Q, L, opcode, size, Rn, Rt))


def _advance(t: A64Translator, Rn: int, Rm: int, count: int) -> None:
    if count:
        t.add(t.reg_sp(Rn), count if Rm == 31 else t.reg(Rm), out=t.reg_sp(Rn))


def _single(t: A64Translator, Q: int, L: int, R: int, opcode: int, S: int, size: int, Rn: int, Rt: int) -> int:
    """LD1 to LD4, ST1 to ST4 (single structure), LD1R to LD4R; returns how many bytes."""
    structure = ((opcode & 1) << 1 | R) + 1
    scale, replicate, index = opcode >> 1, False, Q << 3 | S << 2 | size
    if scale == 3:
        if not L or S:
            t.undefined()
            return 0
        scale, replicate = size, True
    elif scale == 1:
        if size & 1:
            t.undefined()
            return 0
        index >>= 1
    elif scale == 2:
        if size & 2 or (size & 1 and S):
            t.undefined()
            return 0
        scale, index = (3, index >> 3) if size & 1 else (2, index >> 2)
    if not t.fp_enabled():
        return 0
    step, base = 1 << scale, t.reg_sp(Rn)
    for n in range(structure):
        number = (Rt + n) & 31
        if not L:
            t.store(base, t.element(number, index, 8 * step), n * step, size=step)
            continue
        value = t.load(base, n * step, size=step, out=t.temp(64))
        if replicate:
            t.replicate(number, 8 * step, value, whole=bool(Q))
        else:
            t.set_element(number, index, 8 * step, value)
    return structure * step


@A64.insn("0 Q:1 0011010 L:1 R:1 00000 opcode:3 S:1 size:2 Rn:5 Rt:5", name="ld1")
def single_structure(
    t: A64Translator, Q: int, L: int, R: int, opcode: int, S: int, size: int, Rn: int, Rt: int
) -> None:
    """LD1 to LD4, ST1 to ST4 (single structure), LD1R to LD4R (C6.3.138, C6.3.139)."""
    _single(t, Q, L, R, opcode, S, size, Rn, Rt)


@A64.insn("0 Q:1 0011011 L:1 R:1 Rm:5 opcode:3 S:1 size:2 Rn:5 Rt:5", name="ld1")
def single_structure_post_index(t: A64Translator, Q: int, L: int, R: int, Rm: int, opcode: int, S: int, size: int,
                                Rn: int, Rt: int) -> None:  # fmt: skip
    """The same, and the base moves on."""
    _advance(t, Rn, Rm, _single(t, Q, L, R, opcode, S, size, Rn, Rt))
