"""Programs for Linux on Arm, written for the assembler: where a kernel for it is, no compiler for it need be."""

from __future__ import annotations

import struct
from typing import Any

import keystone as _keystone

keystone: Any = _keystone  # its types are not for us
START, MEMORY = 0x40_0000, 0x8000  #: where programs are, and how much they have
EM_ARM, EM_AARCH64 = 40, 183
PAGE, HEADERS = 0x1000, 0x100
ARM_EABI5 = 0x0500_0000
END = "that's it\n"

ROUTINES = """
say:                        // X0: text, X1: length
    mov x2, x1
    mov x1, x0
    mov x0, #1
    mov x8, #64             // write
    svc #0
    ret

number:                     // X0
    stp x29, x30, [sp, #-48]!
    add x1, sp, #16
    mov w2, #32
    strb w2, [x1], #1
    mov x3, #60
digit:
    lsr x2, x0, x3
    and x2, x2, #15
    cmp x2, #10
    add x4, x2, #39
    csel x2, x4, x2, ge
    add x2, x2, #48
    strb w2, [x1], #1
    subs x3, x3, #4
    b.ge digit
    add x0, sp, #16
    mov x1, #17
    bl say
    ldp x29, x30, [sp], #48
    ret

off:
    adr x0, end
    mov x1, #10
    bl say
    movz x0, #0xdead
    movk x0, #0xfee1, lsl #16
    movz x1, #0x1969
    movk x1, #0x2812, lsl #16
    movz x2, #0xfedc
    movk x2, #0x4321, lsl #16
    mov x8, #142            // reboot
    svc #0
    b off
"""
"""Of A64: ``say``, ``number`` with a space before it, and ``off``, which says the :data:`END` at the label ``end`` and
turns the machine off."""


def _assembled(text: str, machine: int, *, thumb: bool = False) -> bytes:
    if machine == EM_AARCH64:
        assembler = keystone.Ks(keystone.KS_ARCH_ARM64, keystone.KS_MODE_LITTLE_ENDIAN)
    else:
        assembler = keystone.Ks(keystone.KS_ARCH_ARM, keystone.KS_MODE_THUMB if thumb else keystone.KS_MODE_ARM)
    lines = (line.partition("//")[0] for line in text.splitlines())
    code, _ = assembler.asm("\n".join(lines), START + HEADERS)
    return bytes(code)


def program(text: str, machine: int = EM_AARCH64, *, thumb: bool = False) -> bytes:
    """A program as an ELF file: one segment, with zeros behind the code."""
    code = _assembled(text, machine, thumb=thumb)
    size = HEADERS + len(code)
    entry = START + HEADERS + thumb
    if machine == EM_AARCH64:
        header = b"\x7fELF\2\1\1" + bytes(9)
        header += struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, entry, 64, 0, 0, 64, 56, 1, 0, 0, 0)
        header += struct.pack("<IIQQQQQQ", 1, 7, 0, START, START, size, MEMORY, PAGE)
    else:
        header = b"\x7fELF\1\1\1" + bytes(9)
        header += struct.pack("<HHIIIIIHHHHHH", 2, machine, 1, entry, 52, 0, ARM_EABI5, 52, 32, 1, 0, 0, 0)
        header += struct.pack("<IIIIIIII", 1, 0, START, START, size, MEMORY, 7, PAGE)
    return header.ljust(HEADERS, b"\0") + code
