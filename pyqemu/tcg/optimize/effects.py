"""What an op reads and writes, as byte ranges of the environment."""

from __future__ import annotations

from pyqemu.tcg.builder import Insn
from pyqemu.tcg.env import ENV_SIZE, GLOBALS, NEAR_TEMPORARIES, TEMPORARIES
from pyqemu.tcg.ops import Op

Range = tuple[int, int]  #: first byte, byte after the last
EVERYTHING: Range = (0, ENV_SIZE)
NO_TEMPORARY: tuple[Range, ...] = ((0, NEAR_TEMPORARIES), (GLOBALS, TEMPORARIES))


Signature = tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]
_signatures: dict[str, Signature] = {}


def _signature(op: Op) -> Signature:
    """Which places of an op's tuple name slots that are read and written, each with the bytes of the slot."""
    read, written = [], []
    for place, (letter, bits) in enumerate(op.operands, 1):
        if letter in "abce":
            read.append((place, bits // 8))
        elif letter == "d":
            written.append((place, 8 if bits == 32 else bits // 8))
        elif letter == "s":
            written.append((place, 24))
    found = _signatures[op.name] = (tuple(read), tuple(written))
    return found


def reads(insn: Insn, table: dict[str, Op]) -> list[Range]:
    """The slots that an op reads."""
    name = insn[0]
    if name == "label":
        return []
    if name in ("call", "gosub"):
        return [EVERYTHING]
    signature = _signatures.get(name) or _signature(table[name])
    return [(insn[place], insn[place] + size) for place, size in signature[0]]


def writes(insn: Insn, table: dict[str, Op]) -> list[Range]:
    """The slots that an op writes; a call may write every global, but no temporary except its result."""
    name = insn[0]
    if name == "label":
        return []
    if name == "gosub":
        return [*NO_TEMPORARY]
    if name == "call":
        return [*NO_TEMPORARY, (insn[3], insn[3] + 8)] if insn[3] >= 0 else [*NO_TEMPORARY]
    signature = _signatures.get(name) or _signature(table[name])
    return [(insn[place], insn[place] + size) for place, size in signature[1]]


def overlap(a: Range, b: Range) -> bool:
    """Whether two ranges share a byte."""
    return a[0] < b[1] and b[0] < a[1]
