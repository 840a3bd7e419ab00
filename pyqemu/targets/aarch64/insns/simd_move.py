"""Vector registers moved and rearranged (ARM DDI 0487A.f, C4.4.6: copy, permute, extract, table, immediates)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.arm.simd import Form, write
from pyqemu.targets.arm.simd_move import (
    element_of,
    extract,
    look_up,
    modified_immediate,
    transposed,
    unzipped,
    wide_element,
    zipped,
)

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator


@A64.insn("0 Q:1 0 01110000 imm5:5 0 0000 1 Rn:5 Rd:5")
def dup_element(t: A64Translator, Q: int, imm5: int, Rn: int, Rd: int) -> None:
    """DUP (element) (C6.3.31)."""
    found = element_of(imm5)
    if found is None or (found[1] == 64 and not Q):
        t.undefined()
    elif t.fp_enabled():
        t.replicate(Rd, found[1], wide_element(t, Rn, *found), whole=bool(Q))


@A64.insn("01 0 11110000 imm5:5 0 0000 1 Rn:5 Rd:5")
def dup_scalar(t: A64Translator, imm5: int, Rn: int, Rd: int) -> None:
    """DUP (element), scalar (C6.3.31)."""
    found = element_of(imm5)
    if found is None:
        t.undefined()
    elif t.fp_enabled():
        t.mov(t.v(Rd, 64), wide_element(t, Rn, *found))
        t.clear_high(Rd)


@A64.insn("0 Q:1 0 01110000 imm5:5 0 0001 1 Rn:5 Rd:5")
def dup_general(t: A64Translator, Q: int, imm5: int, Rn: int, Rd: int) -> None:
    """DUP (general) (C6.3.32)."""
    found = element_of(imm5)
    if found is None or (found[1] == 64 and not Q):
        t.undefined()
    elif t.fp_enabled():
        bits = found[1]
        t.replicate(Rd, bits, t.extend(t.reg(Rn, 64).low(bits), 64, signed=False), whole=bool(Q))


@A64.insn("0 1 0 01110000 imm5:5 0 0011 1 Rn:5 Rd:5")
def ins_general(t: A64Translator, imm5: int, Rn: int, Rd: int) -> None:
    """INS (general) (C6.3.136)."""
    found = element_of(imm5)
    if found is None:
        t.undefined()
    elif t.fp_enabled():
        t.set_element(Rd, *found, t.reg(Rn))


@A64.insn("0 1 1 01110000 imm5:5 0 imm4:4 1 Rn:5 Rd:5")
def ins_element(t: A64Translator, imm5: int, imm4: int, Rn: int, Rd: int) -> None:
    """INS (element) (C6.3.135)."""
    found = element_of(imm5)
    if found is None:
        t.undefined()
    elif t.fp_enabled():
        index, bits = found
        source = imm4 >> (bits.bit_length() - 4)
        t.set_element(Rd, index, bits, wide_element(t, Rn, source, bits))


@A64.insn("0 Q:1 0 01110000 imm5:5 0 0101 1 Rn:5 Rd:5")
def smov(t: A64Translator, Q: int, imm5: int, Rn: int, Rd: int) -> None:
    """SMOV (C6.3.230)."""
    found = element_of(imm5)
    if found is None or found[1] == 64 or (found[1] == 32 and not Q):
        t.undefined()
    elif t.fp_enabled():
        index, bits = found
        t.extend(t.element(Rn, index, bits), 64 if Q else 32, signed=True, out=t.dest(Rd, 64 if Q else 32))


@A64.insn("0 Q:1 0 01110000 imm5:5 0 0111 1 Rn:5 Rd:5")
def umov(t: A64Translator, Q: int, imm5: int, Rn: int, Rd: int) -> None:
    """UMOV (C6.3.321)."""
    found = element_of(imm5)
    if found is None or (found[1] == 64) != bool(Q):
        t.undefined()
    elif t.fp_enabled():
        index, bits = found
        t.extend(t.element(Rn, index, bits), 64, signed=False, out=t.dest(Rd))


# --- immediates -------------------------------------------------------------------------------------------------------


@A64.insn("0 Q:1 op:1 0111100000 a:3 cmode:4 0 1 b:5 Rd:5", name="movi")
def immediate(t: A64Translator, Q: int, op: int, a: int, cmode: int, b: int, Rd: int) -> None:
    """MOVI, MVNI, ORR, BIC (vector, immediate), FMOV (vector, immediate) (C4.4.6)."""
    if cmode == 15 and op and not Q:
        t.undefined()
    elif t.fp_enabled():
        modified_immediate(t, Form(64, bool(Q), Rd, Rd), op, cmode, a << 5 | b)


# --- rearranged -------------------------------------------------------------------------------------------------------


@A64.insn("0 Q:1 101110000 Rm:5 0 imm4:4 0 Rn:5 Rd:5")
def ext(t: A64Translator, Q: int, Rm: int, imm4: int, Rn: int, Rd: int) -> None:
    """EXT (C6.3.33)."""
    if not Q and imm4 & 8:
        t.undefined()
    elif t.fp_enabled():
        extract(t, Form(8, bool(Q), Rd, Rn, Rm), imm4)


@A64.insn("0 Q:1 001110 000 Rm:5 0 len:2 op:1 00 Rn:5 Rd:5", name="tbl")
def table_lookup(t: A64Translator, Q: int, Rm: int, len: int, op: int, Rn: int, Rd: int) -> None:
    """TBL, TBX (C6.3.287, C6.3.288)."""
    if t.fp_enabled():
        table = [t.v((Rn + number) & 31) for number in range(len + 1)]
        look_up(t, Form(8, bool(Q), Rd, Rn, Rm), table, 16 * (len + 1), keep=bool(op))


@A64.insn("0 Q:1 001110 size:2 0 Rm:5 0 part:1 kind:2 10 Rn:5 Rd:5", name="zip1")
def permute(t: A64Translator, Q: int, size: int, Rm: int, part: int, kind: int, Rn: int, Rd: int) -> None:
    """UZP1, TRN1, ZIP1, UZP2, TRN2, ZIP2 (C4.4.6, permute)."""
    if not kind or (size == 3 and not Q):
        t.undefined()
    elif t.fp_enabled():
        form = Form(8 << size, bool(Q), Rd, Rn, Rm)  # of two elements all three are the same
        stage = zipped if size == 3 else {1: unzipped, 2: transposed, 3: zipped}[kind]
        write(t, form, stage(t, form, part))
