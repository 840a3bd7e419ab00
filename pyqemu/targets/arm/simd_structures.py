"""Structures of two to four elements as they are in memory, and vectors of elements that belong together.

What VLD2 to VLD4 and VST2 to VST4 do between memory and registers (ARM DDI 0406C.b, A4.13.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyqemu.tcg.builder import Value

if TYPE_CHECKING:
    from pyqemu.targets.arm.vectors import VectorTranslator

LETTERS = {8: "bw", 16: "wd", 32: "dq"}


def deinterleave(t: VectorTranslator, bits: int, structure: int, parts: Sequence[Value]) -> list[Value]:
    """The vectors of first elements, second elements and so on.

    :param bits: of an element
    :param parts: memory in parts of 16 bytes; of three elements 24 bytes
    """
    if structure == 3:
        order = [[3 * byte + n * bits // 8 for byte in _starts(bits)] for n in range(3)]
        return [_selected(t, parts, _bytes(first, bits)) for first in order]
    if structure == 2:
        return _unzipped(t, bits, parts[0], parts[-1])
    (even, odd) = _unzipped(t, bits, parts[0], parts[1])
    (first, third), (second, fourth) = _unzipped(t, bits, even, even), _unzipped(t, bits, odd, odd)
    return [first, second, third, fourth]


def interleave(t: VectorTranslator, bits: int, vectors: Sequence[Value]) -> list[Value]:
    """The reverse: memory in parts of 16 bytes, the last one of 8 where there are three elements."""
    if len(vectors) == 3:
        parts = [t.vec("pair64", vectors[0].low(64), vectors[1].low(64), out=t.temp(128)),
                 t.vec("widen128", vectors[2].low(64), out=t.temp(128))]  # fmt: skip
        order = [8 * n + start for start in _starts(bits) for n in range(3)]
        whole = _bytes(order, bits)
        return [_selected(t, parts, whole[:16]), _selected(t, parts, whole[16:])]
    if len(vectors) == 2:
        halves = (0, 1) if vectors[0].bits == 128 else (0,)
        return [_zipped(t, bits, vectors[0], vectors[1], upper) for upper in halves]
    first, second, third, fourth = vectors
    even, odd = _zipped(t, bits, first, third, 0), _zipped(t, bits, second, fourth, 0)
    return [_zipped(t, bits, even, odd, upper) for upper in (0, 1)]


def _starts(bits: int) -> range:
    """Where the elements of 8 bytes begin."""
    return range(0, 8, bits // 8)


def _bytes(starts: Sequence[int], bits: int) -> list[int]:
    """All bytes of elements that begin at such bytes."""
    return [start + n for start in starts for n in range(bits // 8)]


def _unzipped(t: VectorTranslator, bits: int, a: Value, b: Value) -> list[Value]:
    return [t.vec(f"v_uzp{n}_{bits}", a, b, out=t.temp(128)) for n in (1, 2)]


def _zipped(t: VectorTranslator, bits: int, a: Value, b: Value, upper: int) -> Value:
    return t.vec(f"punpck{'lh'[upper]}{LETTERS[bits]}", a, b, out=t.temp(128))


def _selected(t: VectorTranslator, parts: Sequence[Value], order: Sequence[int]) -> Value:
    """The bytes with these numbers of two vectors, one after the other."""
    indexes = t.temp(128)
    for at in range(0, len(order), 8):
        t.mov(t.glob(indexes.offset + at, 64), int.from_bytes(bytes(order[at : at + 8]), "little"))
    low, high = (t.vec("v_tbl", part, indexes, 16 * n, out=t.temp(128)) for n, part in enumerate(parts))
    return t.vec("por", low, high, out=low)
