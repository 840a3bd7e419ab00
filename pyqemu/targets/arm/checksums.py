"""CRC32 and CRC32C of both states (ARM DDI 0487A.f, C6.6.43, F7.1.39)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyqemu.tcg.builder import Builder, Value

CRC32_POLYNOMIAL, CRC32C_POLYNOMIAL = 0xEDB88320, 0x82F63B78  #: 0x04C11DB7 and 0x1EDC6F41, low bit first


def crc32(t: Builder, start: Value, data: Value, size: int, *, castagnoli: int) -> Value:
    """The checksum that goes on from *start* with the low *size* bytes of *data*."""
    total = t.temp(32)
    total.set(start)
    for byte in range(size):
        part = data.shr(8 * byte) if byte else data
        t.vec("crc8", total, part, CRC32C_POLYNOMIAL if castagnoli else CRC32_POLYNOMIAL, out=total)
    return total
