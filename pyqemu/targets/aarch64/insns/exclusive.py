"""Exclusive, acquire and release accesses (ARM DDI 0487A.f, C4.3, B2.10).

The local monitor is an address and what was loaded from there. A store-exclusive succeeds where the monitor has its
address and memory still holds that value; so stores of other processors need not be watched. Processors run in turn:
acquire and release order nothing that is not ordered anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.layout import EXCLUSIVE_ADDRESS, EXCLUSIVE_HIGH, EXCLUSIVE_VALUE, NO_ADDRESS

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator
    from pyqemu.tcg.builder import Value


def _bits(size: int) -> int:
    return 64 if size == 3 else 32


@A64.insn("size:2 001000 1 0 0 xxxxx 1 xxxxx Rn:5 Rt:5")
def stlr(t: A64Translator, size: int, Rn: int, Rt: int) -> None:
    """STLR, STLRB, STLRH."""
    address = t.reg_sp(Rn)
    if size:
        t.check_aligned(address, 0, 1 << size, write=True)
    t.store(address, t.reg(Rt, _bits(size)), size=1 << size)


@A64.insn("size:2 001000 1 1 0 xxxxx 1 xxxxx Rn:5 Rt:5")
def ldar(t: A64Translator, size: int, Rn: int, Rt: int) -> None:
    """LDAR, LDARB, LDARH."""
    address = t.reg_sp(Rn)
    if size:
        t.check_aligned(address, 0, 1 << size, write=False)
    t.load(address, size=1 << size, out=t.dest(Rt, _bits(size)))


@A64.insn("size:2 001000 0 1 0 xxxxx o0:1 xxxxx Rn:5 Rt:5")
def ldxr(t: A64Translator, size: int, o0: int, Rn: int, Rt: int) -> None:
    """LDXR, LDAXR and their like for bytes and halfwords."""
    value = _load_exclusive(t, t.reg_sp(Rn), size)
    t.mov(t.dest(Rt, _bits(size)), value.low(_bits(size)))


@A64.insn("size:2 001000 0 0 0 Rs:5 o0:1 xxxxx Rn:5 Rt:5")
def stxr(t: A64Translator, size: int, Rs: int, o0: int, Rn: int, Rt: int) -> None:
    """STXR, STLXR and their like for bytes and halfwords."""
    _store_exclusive(t, t.reg_sp(Rn), size, t.reg(Rt, _bits(size)), Rs)


@A64.insn("10 001000 0 1 1 xxxxx o0:1 Rt2:5 Rn:5 Rt:5")
def ldxp_words(t: A64Translator, o0: int, Rt2: int, Rn: int, Rt: int) -> None:
    """LDXP, LDAXP of 32 bits: one access of 64 bits."""
    value = _load_exclusive(t, t.reg_sp(Rn), 3)
    low, high = value.low(32), value.shr(32).low(32)
    if t.big_endian:
        low, high = high, low
    if Rt != Rt2:
        t.mov(t.dest(Rt, 32), low)
    t.mov(t.dest(Rt2, 32), high)


@A64.insn("10 001000 0 0 1 Rs:5 o0:1 Rt2:5 Rn:5 Rt:5")
def stxp_words(t: A64Translator, Rs: int, o0: int, Rt2: int, Rn: int, Rt: int) -> None:
    """STXP, STLXP of 32 bits."""
    low, high = (t.reg(number, 32).zext(64) for number in ((Rt2, Rt) if t.big_endian else (Rt, Rt2)))
    _store_exclusive(t, t.reg_sp(Rn), 3, low | high.shl(32), Rs)


def _load_exclusive(t: A64Translator, address: Value, size: int) -> Value:
    """Load, extended to 64 bits, and set the monitor."""
    if size:
        t.check_aligned(address, 0, 1 << size, write=False)
    value = t.load(address, size=1 << size, out=t.glob(EXCLUSIVE_VALUE, 64))
    t.mov(t.glob(EXCLUSIVE_ADDRESS, 64), address)
    return value


def _store_exclusive(t: A64Translator, address: Value, size: int, value: Value, Rs: int) -> None:
    if size:
        t.check_aligned(address, 0, 1 << size, write=True)
    failed = t.label()
    status = t.temp(32)
    status.set(1)
    t.brcond("ne", address, t.glob(EXCLUSIVE_ADDRESS, 64), failed)
    present = t.load(address, size=1 << size, out=t.temp(64))
    t.brcond("ne", present, t.glob(EXCLUSIVE_VALUE, 64), failed)
    t.store(address, value, size=1 << size)
    status.set(0)
    t.bind(failed)
    _finish(t, status, Rs)


def _finish(t: A64Translator, status: Value, Rs: int) -> None:
    """Open the monitor and report: 0 where the store was made."""
    t.glob(EXCLUSIVE_ADDRESS, 64).set(NO_ADDRESS)
    t.mov(t.dest(Rs, 32), status)


@A64.insn("11 001000 0 1 1 xxxxx o0:1 Rt2:5 Rn:5 Rt:5")
def ldxp(t: A64Translator, o0: int, Rt2: int, Rn: int, Rt: int) -> None:
    """LDXP, LDAXP of 64 bits."""
    address = t.reg_sp(Rn)
    t.check_aligned(address, 0, 16, write=False)
    low = t.load(address, size=8, out=t.temp(64))
    high = t.load(address, 8, size=8, out=t.glob(EXCLUSIVE_HIGH, 64))
    t.mov(t.glob(EXCLUSIVE_VALUE, 64), low)
    t.mov(t.glob(EXCLUSIVE_ADDRESS, 64), address)
    if Rt != Rt2:
        t.mov(t.dest(Rt), low)
    t.mov(t.dest(Rt2), high)


@A64.insn("11 001000 0 0 1 Rs:5 o0:1 Rt2:5 Rn:5 Rt:5")
def stxp(t: A64Translator, Rs: int, o0: int, Rt2: int, Rn: int, Rt: int) -> None:
    """STXP, STLXP of 64 bits."""
    address = t.reg_sp(Rn)
    t.check_aligned(address, 0, 16, write=True)
    failed = t.label()
    status = t.temp(32)
    status.set(1)
    t.brcond("ne", address, t.glob(EXCLUSIVE_ADDRESS, 64), failed)
    for disp, expected in ((0, EXCLUSIVE_VALUE), (8, EXCLUSIVE_HIGH)):
        present = t.load(address, disp, size=8, out=t.temp(64))
        t.brcond("ne", present, t.glob(expected, 64), failed)
    t.store(address, t.reg(Rt), size=8)
    t.store(address, t.reg(Rt2), 8, size=8)
    status.set(0)
    t.bind(failed)
    _finish(t, status, Rs)
