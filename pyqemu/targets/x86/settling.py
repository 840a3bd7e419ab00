"""Flags from a record whose kind is not known when a block is translated: IR subroutines.

A binary search for the kind, then what :class:`pyqemu.targets.x86.flags.Flags` emits for that kind. ``SETTLE`` turns
the record into one of kind EFLAGS. ``CARRY`` computes CF alone, into a slot of its own: INC and DEC need nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu.targets.x86 import flags, layout
from pyqemu.targets.x86.layout import CC_DST, CC_OP, CC_SRC, CF, ZF
from pyqemu.tcg.builder import Builder, Label, Subroutine

EmitKind = Callable[[Builder, int], None]


def _search(t: Builder, kinds: tuple[int, ...], done: Label, first_temporary: int, emit: EmitKind) -> None:
    """Go to the code of the present kind, which is one of *kinds*."""
    if len(kinds) == 1:
        t._cc_in = kinds[0]
        emit(t, kinds[0])
        t.br(done)
        return
    middle = len(kinds) // 2
    upper = t.label()
    t.brcond("geu", t.glob(CC_OP, 64), kinds[middle], upper)
    _search(t, kinds[:middle], done, first_temporary, emit)
    t.bind(upper)
    t._next = first_temporary  # the two halves never run both
    _search(t, kinds[middle:], done, first_temporary, emit)


def _flags(t: Builder) -> flags.Flags:
    translator: Any = t
    return flags.Flags(translator)


def _settle_kind(t: Builder, kind: int) -> None:
    """The record of one kind, made one of kind EFLAGS."""
    image = _flags(t).image()
    t.mov(t.glob(CC_SRC, 32), image)
    t.mov(t.glob(CC_DST, 64), t.and_(t.not_(image), ZF).zext(64))
    t.mov(t.glob(CC_OP, 64), flags.CC_OP_EFLAGS)


def _build_settle(t: Builder) -> None:
    done = t.label()
    kinds = tuple(range(flags.LOGIC * 4, flags.DEC * 4 + 4))
    t.brcond("ltu", t.glob(CC_OP, 64), kinds[0], done)
    _search(t, kinds, done, t._next, _settle_kind)
    t.bind(done)


def _carry_kind(t: Builder, kind: int) -> None:
    """CF of the record of one kind."""
    if kind == flags.CC_OP_EFLAGS:
        t.and_(t.glob(CC_SRC, 32), CF, out=t.glob(layout.CARRY, 32))
    else:
        t.setcond(*_flags(t).below(), out=t.glob(layout.CARRY, 32))


def _build_carry(t: Builder) -> None:
    done = t.label()
    kinds = (flags.CC_OP_EFLAGS, *range(flags.LOGIC * 4, flags.MUL * 4))
    _search(t, kinds, done, t._next, _carry_kind)
    t.bind(done)


def carry(cpu: Any) -> None:
    """CF of the CPU's record, to the slot ``layout.CARRY``."""
    cpu.q[layout.CARRY >> 3] = flags.compute(cpu.cc_op, cpu.cc_dst, cpu.cc_src) & CF


SETTLE = Subroutine(flags.settle, _build_settle)
CARRY = Subroutine(carry, _build_carry)
