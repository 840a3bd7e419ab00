"""How Arm's PrimeCells say what they are: eight or twelve bytes, each in a word, at the end of their 4 KiB."""

from __future__ import annotations

CELL_ID = bytes((0x0D, 0xF0, 0x05, 0xB1))
"""The last four words of every PrimeCell."""


def peripheral_id(part: int, revision_and_configuration: int = 0x0004) -> bytes:
    """The eight bytes at 0xFE0: designed by Arm (0x41), a part of three digits, its revision and configuration."""
    low, high = part & 0xFF, part >> 8 & 0x0F | 0x10
    return bytes((low, high, revision_and_configuration & 0xFF, revision_and_configuration >> 8)) + CELL_ID


def identification(table: bytes, offset: int) -> int:
    """What reads at an offset in the last words of the 4 KiB; the table ends with them."""
    index = (offset >> 2) - (0x400 - len(table))
    return table[index] if 0 <= index < len(table) else 0
