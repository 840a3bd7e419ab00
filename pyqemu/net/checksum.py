"""The Internet checksum (RFC 1071)."""

from __future__ import annotations

import sys
from array import array


def ones_sum(data: bytes | bytearray | memoryview) -> int:
    """The ones' complement sum of big-endian 16-bit words; an odd last byte is a word's high half."""
    padded = bytes(data) + b"\0" if len(data) & 1 else bytes(data)
    words = array("H", padded)
    if sys.byteorder == "little":
        words.byteswap()
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def internet_checksum(data: bytes | bytearray | memoryview) -> int:
    """What belongs into a header's checksum field if *data*, which includes the field, sums up with it."""
    return ~ones_sum(data) & 0xFFFF
