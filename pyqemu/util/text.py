"""Bytes and names from elsewhere in messages: whatever they are, it stays one line that a terminal can show."""

from __future__ import annotations

MOST_BYTES = 16
MOST_CHARACTERS = 64


def printable(text: str, most: int = MOST_CHARACTERS) -> str:
    """The text with a dot for each character that is no printable ASCII; of a long one, its beginning."""
    shown = "".join(char if char.isascii() and char.isprintable() else "." for char in text[:most])
    return f"{shown}..." if len(text) > most else shown


def bytes_shown(data: bytes, most: int = MOST_BYTES) -> str:
    """``6e 6f 74 20 ('not ')``: bytes as numbers and as text; of many, the first."""
    more = " ..." if len(data) > most else ""
    return f"{data[:most].hex(' ')}{more} ('{printable(data.decode('latin-1'), most)}')"
