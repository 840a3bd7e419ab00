"""Shorter code for what is near: displacements of four bytes that may become one.

A slot within 128 bytes of the pointer (`tcg/env.py`) can be addressed with a displacement of one byte. LLVM does not
know where the slots will be, so every displacement in its code has four. Here, once, when the stencils are made, the
fields are found that may be shortened; :func:`shorten` does it when a stencil is used with slots that are near.
"""

from __future__ import annotations

from typing import Any

Patch = tuple[int, str, int, int]  #: offset in the code, hole, addend, bytes; :data:`SHORT` bytes where one would do
Piece = tuple[bytes, list[Patch]]

SHORT = 14  #: a field of four bytes that may have one
_SLOTS = "dabces"
_R13 = 5  # the low three bits of its number; no other base is encoded so, but for RBP, which holds no pointer


def relaxable(code: bytes, patches: list[Patch]) -> Piece:
    """The piece, with the fields marked that may be shortened.

    None may where code is addressed relative to the instruction pointer within the piece: it would have to move.
    """
    candidates = {offset for offset, letter, _, size in patches if letter in _SLOTS and size == 4}
    if not candidates:
        return code, patches
    import capstone

    decoder: Any = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    decoder.detail = True
    fields = {offset for offset, *_ in patches}
    short = set()
    end = 0
    for insn in decoder.disasm(code, 0):
        end = insn.address + insn.size
        if end - 4 not in fields and _is_relative(insn):
            return code, patches
        offset = insn.address + insn.disp_offset
        if offset in candidates and insn.disp_offset and _has_plain_base(code, insn):
            short.add(offset)
    if end != len(code):  # constants behind the code
        return code, patches
    return code, [(offset, hole, addend, SHORT if offset in short else size) for offset, hole, addend, size in patches]


def _is_relative(insn: Any) -> bool:
    """Whether an instruction refers to a place in its own piece."""
    import capstone

    return bool(insn.group(capstone.CS_GRP_JUMP) and insn.bytes[0] != 0xFF) or insn.modrm & 0xC7 == 5


def _has_plain_base(code: bytes, insn: Any) -> bool:
    """Whether the address is R13 and a displacement of four bytes that scales by nothing (as EVEX would)."""
    return bool(
        code[insn.address] != 0x62
        and insn.modrm & 0xC7 == 0x80 | _R13
        and code[insn.address + insn.disp_offset - 1] == insn.modrm
    )


def shorten(code: bytes, patches: list[Patch], offsets: set[int]) -> Piece:
    """The piece with displacements of one byte in the fields at *offsets*."""
    out = bytearray()
    moved: list[Patch] = []
    position = 0
    for offset, letter, addend, size in sorted(patches):
        out += code[position:offset]
        moved.append((len(out), letter, addend, 1 if offset in offsets else size))
        if offset in offsets:
            out[-1] ^= 0xC0  # mod 10 (four bytes) becomes 01 (one byte)
            out += b"\0"
            position = offset + 4
        else:
            position = offset
    return bytes(out + code[position:]), moved
