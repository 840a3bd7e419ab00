"""What an SD card says of itself: CID, CSD, SCR, SD status (SD Physical Layer Simplified Specification 3.01, 5)."""

from __future__ import annotations

SERIAL = 0xDEADBEEF
HIGH_CAPACITY = 2 << 30


def crc7(data: bytes) -> int:
    """4.5: the checksum of commands and of registers, with its end bit."""
    crc = 0
    for byte in data:
        for bit in range(7, -1, -1):
            crc = crc << 1 ^ (0x09 if (byte >> bit ^ crc >> 6) & 1 else 0)
        crc &= 0x7F
    return crc << 1 | 1


def make_cid() -> bytes:
    """5.2: manufacturer, name, serial number, date: February 2006."""
    body = b"\xaaXYQEMU!\x01" + SERIAL.to_bytes(4, "big") + b"\x00\x62"
    return body + bytes((crc7(body),))


def make_csd(size: int) -> bytes:
    """5.3: the capacity, in the form of standard or of high-capacity cards."""
    if size > HIGH_CAPACITY:
        units = max(size // (512 << 10) - 1, 0)
        fields = bytes((0x40, 0x0E, 0x00, 0x32, 0x5B, 0x59, 0x00)) + units.to_bytes(3, "big")
        body = fields + bytes((0x7F, 0x80, 0x0A, 0x40, 0x00))
        return body + bytes((crc7(body),))
    length = 9 if size <= 1 << 30 else 10  # of a block, as a power of two
    units = max(size // (512 << length) - 1, 0)  # with the largest multiplier, 512
    value = 0x26 << 112 | 0x32 << 96 | 0x5F5 << 84 | length << 80 | 0xE << 76
    value |= units << 62 | 0x3F << 50 | 7 << 47 | 0x7F << 39 | 1 << 46 | 2 << 26 | length << 22
    body = value.to_bytes(16, "big")[:15]
    return body + bytes((crc7(body),))


def make_scr() -> bytes:
    """5.6: of version 2.00, buses of one and four bits."""
    return bytes((0x02, 0x25, 0, 0, 0, 0, 0, 0))


def make_ssr() -> bytes:
    """4.10.2: nothing remarkable."""
    return bytes(64)
