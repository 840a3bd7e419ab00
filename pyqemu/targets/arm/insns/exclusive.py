"""Exclusive accesses, those that acquire and release, and swaps (ARM DDI 0406C.b, A3.4, A5.2.10, A6.3.6; ARM DDI
0487A.f, F2.7).

The local monitor is an address and what was loaded from there. A store-exclusive succeeds where the monitor has its
address and memory still holds that value; so stores of other processors need not be watched. Processors run in turn:
acquire and release order nothing that is not ordered anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.targets.arm.decode import A32, A32_UNCONDITIONAL, T32
from pyqemu.targets.arm.layout import EXCLUSIVE_ADDRESS, EXCLUSIVE_VALUE, NO_ADDRESS

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.tcg.builder import Value
    from pyqemu.tcg.hole import Hole

THUMB2 = "thumb2"


def _load(t: ArmTranslator, address: Value, size: int) -> Value:
    """Load, extended to 64 bits, and set the monitor."""
    if size > 1:
        t.check_aligned(address, 0, size, write=False)
    value = t.load(address, size=size, out=t.temp(64))
    t.mov(t.glob(EXCLUSIVE_VALUE, 64), value)
    t.extend(address, 64, signed=False, out=t.glob(EXCLUSIVE_ADDRESS, 64))
    return value


def load_exclusive(t: ArmTranslator, Rn: int, Rt: int, size: int, Rt2: int = 0) -> None:
    """LDREX and its like."""
    value = _load(t, t.reg(Rn), size)
    if size < 8:
        t.mov(t.dest(Rt), value.low(32))
        return
    first, second = value.low(32), value.shr(32).low(32)
    if t.big_endian:
        first, second = second, first
    t.mov(t.dest(Rt), first)
    t.mov(t.dest(Rt2), second)


def store_exclusive(t: ArmTranslator, Rd: int, Rn: int, Rt: int, size: int, Rt2: int = 0) -> None:
    """STREX and its like: the result is 0 where the store was made."""
    _store(t, t.reg(Rn), Rd, Rt, size, Rt2)


def _store(t: ArmTranslator, address: Value, Rd: int, Rt: int, size: int, Rt2: int = 0) -> None:
    if size > 1:
        t.check_aligned(address, 0, size, write=True)
    failed, status, wide = t.label(), t.temp(32), t.temp(64)
    status.set(1)
    value = t.reg(Rt)
    if size == 8:
        low, high = (t.reg(number).zext(64) for number in ((Rt2, Rt) if t.big_endian else (Rt, Rt2)))
        value = low | high.shl(32)
    t.extend(address, 64, signed=False, out=wide)
    t.brcond("ne", wide, t.glob(EXCLUSIVE_ADDRESS, 64), failed)
    present = t.load(address, size=size, out=t.temp(64))
    t.brcond("ne", present, t.glob(EXCLUSIVE_VALUE, 64), failed)
    t.store(address, value, size=size)
    status.set(0)
    t.bind(failed)
    t.glob(EXCLUSIVE_ADDRESS, 64).set(NO_ADDRESS)
    t.mov(t.dest(Rd), status)


SIZES = {0: 4, 1: 8, 2: 1, 3: 2}  #: by the field ``op`` of A32
FEATURES = {0: "v6", 1: "v6k", 2: "v6k", 3: "v6k"}
SUFFIXES = {4: "", 8: "d", 1: "b", 2: "h"}
Load = Callable[["ArmTranslator", int, int], None]
Store = Callable[["ArmTranslator", int, int, int], None]


def load_acquire(t: ArmTranslator, Rn: int, Rt: int, size: int) -> None:
    """LDA, LDAB, LDAH."""
    address = t.reg(Rn)
    if size > 1:
        t.check_aligned(address, 0, size, write=False)
    t.load(address, size=size, out=t.dest(Rt))


def store_release(t: ArmTranslator, Rn: int, Rt: int, size: int) -> None:
    """STL, STLB, STLH."""
    address = t.reg(Rn)
    if size > 1:
        t.check_aligned(address, 0, size, write=True)
    t.store(address, t.reg(Rt), size=size)


def _exclusive(size: int) -> tuple[Load, Store]:
    """Exclusive accesses of A32: those of 8 bytes have a pair of registers that begins with an even one."""

    def load(t: ArmTranslator, Rn: int, Rt: int) -> None:
        """LDREX, LDREXB, LDREXH, LDREXD (A8.8.75 to A8.8.78), LDAEX and its like."""
        if size == 8 and Rt & 1:
            t.undefined()
        else:
            load_exclusive(t, Rn, Rt, size, Rt + 1)

    def store(t: ArmTranslator, Rn: int, Rd: int, Rt: int) -> None:
        """STREX, STREXB, STREXH, STREXD (A8.8.212 to A8.8.215), STLEX and its like."""
        if size == 8 and Rt & 1:
            t.undefined()
        else:
            store_exclusive(t, Rd, Rn, Rt, size, Rt + 1)

    return load, store


def _ordered(size: int) -> tuple[Load, Callable[[ArmTranslator, int, int], None]]:
    def load(t: ArmTranslator, Rn: int, Rt: int) -> None:
        """LDA, LDAB, LDAH."""
        load_acquire(t, Rn, Rt, size)

    def store(t: ArmTranslator, Rn: int, Rt: int) -> None:
        """STL, STLB, STLH."""
        store_release(t, Rn, Rt, size)

    return load, store


def _enter(op: int, size: int) -> None:
    load, store = _exclusive(size)
    first, suffix = f"0001 1 {op:02b}", SUFFIXES[size]
    A32.insn(f"{first} 1 Rn:4 Rt:4 xx11 1001 xxxx", feature=FEATURES[op], name=f"ldrex{suffix}")(load)
    A32.insn(f"{first} 0 Rn:4 Rd:4 xx11 1001 Rt:4", feature=FEATURES[op], name=f"strex{suffix}")(store)
    A32.insn(f"{first} 1 Rn:4 Rt:4 xx10 1001 xxxx", feature="v8", name=f"ldaex{suffix}")(load)
    A32.insn(f"{first} 0 Rn:4 Rd:4 xx10 1001 Rt:4", feature="v8", name=f"stlex{suffix}")(store)
    if size < 8:
        acquire, release = _ordered(size)
        A32.insn(f"{first} 1 Rn:4 Rt:4 xx00 1001 xxxx", feature="v8", name=f"lda{suffix}")(acquire)
        A32.insn(f"{first} 0 Rn:4 xxxx xx00 1001 Rt:4", feature="v8", name=f"stl{suffix}")(release)


for _op, _size in SIZES.items():
    _enter(_op, _size)


def _exclusive_thumb(op: int, size: int, feature: str, names: tuple[str, str]) -> None:
    def load(t: ArmTranslator, Rn: int, Rt: int) -> None:
        """LDREXB, LDREXH, LDAEX, LDAEXB, LDAEXH."""
        load_exclusive(t, Rn, Rt, size)

    def store(t: ArmTranslator, Rn: int, Rt: int, Rd: int) -> None:
        """STREXB, STREXH, STLEX, STLEXB, STLEXH."""
        store_exclusive(t, Rd, Rn, Rt, size)

    T32.insn(f"111010001101 Rn:4 Rt:4 xxxx {op:04b} xxxx", feature=feature, name=names[0])(load)
    T32.insn(f"111010001100 Rn:4 Rt:4 xxxx {op:04b} Rd:4", feature=feature, name=names[1])(store)


def _enter_thumb(op: int, size: int) -> None:
    suffix = SUFFIXES[size]
    if size < 4:
        _exclusive_thumb(4 + op, size, THUMB2, (f"ldrex{suffix}", f"strex{suffix}"))
    _exclusive_thumb(12 + op, size, "v8", (f"ldaex{suffix}", f"stlex{suffix}"))
    acquire, release = _ordered(size)
    T32.insn(f"111010001101 Rn:4 Rt:4 xxxx {8 + op:04b} xxxx", feature="v8", name=f"lda{suffix}")(acquire)
    T32.insn(f"111010001100 Rn:4 Rt:4 xxxx {8 + op:04b} xxxx", feature="v8", name=f"stl{suffix}")(release)


for _op, _size in enumerate((1, 2, 4)):
    _enter_thumb(_op, _size)


@T32.insn("111010000101 Rn:4 Rt:4 xxxx disp:8*4", feature=THUMB2, name="ldrex")
def ldrex_thumb(t: ArmTranslator, Rn: int, Rt: int, disp: Hole) -> None:
    """LDREX (A8.8.75, T1)."""
    value = _load(t, t.add(t.reg(Rn), disp), 4)
    t.mov(t.dest(Rt), value.low(32))


@T32.insn("111010000100 Rn:4 Rt:4 Rd:4 disp:8*4", feature=THUMB2, name="strex")
def strex_thumb(t: ArmTranslator, Rn: int, Rt: int, Rd: int, disp: Hole) -> None:
    """STREX (A8.8.212, T1)."""
    _store(t, t.add(t.reg(Rn), disp), Rd, Rt, 4)


@T32.insn("111010001101 Rn:4 Rt:4 Rt2:4 0111 xxxx", feature=THUMB2, name="ldrexd")
@T32.insn("111010001101 Rn:4 Rt:4 Rt2:4 1111 xxxx", feature="v8", name="ldaexd")
def ldrexd_thumb(t: ArmTranslator, Rn: int, Rt: int, Rt2: int) -> None:
    """LDREXD (A8.8.77, T1), LDAEXD."""
    load_exclusive(t, Rn, Rt, 8, Rt2)


@T32.insn("111010001100 Rn:4 Rt:4 Rt2:4 0111 Rd:4", feature=THUMB2, name="strexd")
@T32.insn("111010001100 Rn:4 Rt:4 Rt2:4 1111 Rd:4", feature="v8", name="stlexd")
def strexd_thumb(t: ArmTranslator, Rn: int, Rt: int, Rt2: int, Rd: int) -> None:
    """STREXD (A8.8.214, T1), STLEXD."""
    store_exclusive(t, Rd, Rn, Rt, 8, Rt2)


@A32_UNCONDITIONAL.insn("0101 0111 xxxx xxxx xxxx 0001 xxxx", feature="v6k")
@T32.insn("11110 0 111 01 1 xxxx 10 x 0 xxxx 0010 xxxx", feature=THUMB2)
def clrex(t: ArmTranslator) -> None:
    """CLREX (A8.8.32)."""
    t.glob(EXCLUSIVE_ADDRESS, 64).set(NO_ADDRESS)


@A32.insn("0001 0 B:1 00 Rn:4 Rt:4 xxxx 1001 Rt2:4")
def swp(t: ArmTranslator, B: int, Rn: int, Rt: int, Rt2: int) -> None:
    """SWP, SWPB (A8.8.229)."""
    size, address = 1 if B else 4, t.reg(Rn)
    if not B and "v6" in t.features:
        t.check_aligned(address, 0, 4, write=True)
    t.probe_write(address, size, addr_bits=32)
    value = t.load(address, size=size)
    t.store(address, t.reg(Rt2), size=size)
    t.mov(t.dest(Rt), value)
