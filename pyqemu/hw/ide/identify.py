"""The 256 words that IDENTIFY (PACKET) DEVICE answers (ATA/ATAPI-6 8.12 and 8.13), with QEMU's values."""

from __future__ import annotations

import struct
from dataclasses import dataclass

__all__ = ["DiskParameters", "disk_words", "lba_words", "packet_words", "select_transfer_mode"]

MAX_MULT_SECTORS = 16
LBA28_SECTORS = 0x0FFF_FFFF

SINGLE_WORD_DMA, MULTI_WORD_DMA, ULTRA_DMA = 62, 63, 88


@dataclass(frozen=True)
class DiskParameters:
    """What the words of a disk depend on."""

    geometry: tuple[int, int, int]  # cylinders, heads, sectors by default
    current: tuple[int, int, int]  # the same after INITIALIZE DEVICE PARAMETERS
    sectors: int
    serial: str
    firmware: str
    model: str
    mult_sectors: int
    write_cache: bool
    wwn: int = 0
    physical_exponent: int = 0  # log2 of 512-byte sectors in a physical one


def _text(words: list[int], index: int, length: int, text: str) -> None:
    """Put ASCII text, padded with spaces, two characters a word, the first in the upper half."""
    data = text.encode("ascii", "replace")[:length].ljust(length)
    for position in range(0, length, 2):
        words[index + position // 2] = data[position] << 8 | data[position + 1]


def _wide(words: list[int], index: int, value: int, count: int) -> None:
    for position in range(count):
        words[index + position] = value >> 16 * position & 0xFFFF


def lba_words(sectors: int) -> dict[int, int]:
    """The words that tell how many sectors there are, by their numbers."""
    words = [0] * 104
    _wide(words, 60, min(sectors, LBA28_SECTORS), 2)
    _wide(words, 100, sectors, 4)
    return {index: words[index] for index in (60, 61, 100, 101, 102, 103)}


def disk_words(disk: DiskParameters) -> bytearray:
    """The answer of a hard disk to IDENTIFY DEVICE."""
    words = [0] * 256
    cylinders, heads, sectors = disk.geometry
    # fmt: off
    words[0]  = 0x0040                     # not removable
    words[1], words[3], words[6] = cylinders, heads, sectors
    words[4]  = 512 * sectors & 0xFFFF     # retired: bytes in a track, in a sector
    words[5]  = 512
    words[20] = 3                          # retired: a dual-ported cache ...
    words[21] = 512                        # ... of that many sectors
    words[22] = 4                          # ECC bytes of READ LONG
    words[47] = 0x8000 | MAX_MULT_SECTORS
    words[48] = 1                          # the data port takes double words
    words[49] = 1 << 11 | 1 << 9 | 1 << 8  # IORDY, LBA, DMA
    words[51] = words[52] = 0x200          # PIO mode 2, retired DMA mode 2
    words[53] = 7                          # words 54-58, 64-70 and 88 are valid
    words[54:57] = disk.current
    words[59] = 0x100 | disk.mult_sectors if disk.mult_sectors else 0
    words[62] = words[63] = 7              # single word DMA, multiword DMA modes 0-2
    words[64] = 3                          # PIO modes 3 and 4
    words[65:69] = [120] * 4               # ns a cycle
    words[69] = 1 << 14                    # what TRIM leaves can be read again and again
    words[80] = 0x00F0                     # ATA-4 to ATA/ATAPI-7
    words[81] = 0x0016                     # ATA/ATAPI-5 T13 1321D revision 1
    words[82] = 1 << 14 | 1 << 5 | 1       # NOP, write cache, SMART
    words[83] = 1 << 14 | 1 << 13 | 1 << 12 | 1 << 10  # FLUSH CACHE (EXT), 48-bit addresses
    words[84] = 1 << 14
    words[85] = 1 << 14 | disk.write_cache << 5 | 1
    words[86] = 1 << 13 | 1 << 12 | 1 << 10
    words[87] = 1 << 14
    words[88] = 0x203F                     # Ultra DMA modes 0-5, mode 5 is selected
    words[93] = 1 << 14 | 1 << 13 | 1      # an 80-wire cable
    words[106] = 0x6000 | disk.physical_exponent
    words[169] = 1                         # DATA SET MANAGEMENT takes TRIM
    # fmt: on
    _text(words, 10, 20, disk.serial)
    _text(words, 23, 8, disk.firmware)
    _text(words, 27, 40, disk.model)
    current_cylinders, current_heads, current_sectors = disk.current
    _wide(words, 57, current_cylinders * current_heads * current_sectors, 2)
    for index, value in lba_words(disk.sectors).items():
        words[index] = value
    if disk.wwn:
        words[84] |= 1 << 8
        words[87] |= 1 << 8
        for position in range(4):
            words[108 + position] = disk.wwn >> 48 - 16 * position & 0xFFFF
    return bytearray(struct.pack("<256H", *words))


def packet_words(serial: str, firmware: str, model: str) -> bytearray:
    """The answer of a CD-ROM drive to IDENTIFY PACKET DEVICE."""
    words = [0] * 256
    # fmt: off
    words[0]  = 2 << 14 | 5 << 8 | 1 << 7 | 2 << 5  # ATAPI, CD-ROM, removable, DRQ soon, 12-byte packets
    words[20] = 3
    words[21] = 512
    words[22] = 4
    words[48] = 1
    words[49] = 1 << 9 | 1 << 8            # LBA, DMA
    words[53] = 7
    words[62] = words[63] = 7
    words[64] = 3
    words[65:69] = [0xB4, 0xB4, 0x12C, 0xB4]
    words[71] = words[72] = 30             # ns from PACKET to bus release, from SERVICE to not busy
    words[80] = 0x001E                     # ATA-1 to ATA/ATAPI-4
    words[88] = 0x203F
    # fmt: on
    _text(words, 10, 20, serial)
    _text(words, 23, 8, firmware)
    _text(words, 27, 40, model)
    return bytearray(struct.pack("<256H", *words))


def select_transfer_mode(words: bytearray, count: int) -> bool:
    """SET FEATURES 03h: select what the sector count says (ATA/ATAPI-6 8.46.11). False if it is no mode."""
    kind, mode = count >> 3, count & 7
    single, multi, ultra = 7, 7, 0x3F
    match kind:
        case 0 | 1:  # PIO default mode, PIO flow control mode
            pass
        case 2:
            single |= 1 << mode + 8
        case 4:
            multi |= 1 << mode + 8
        case 8:
            ultra |= 1 << mode + 8
        case _:
            return False
    for index, value in ((SINGLE_WORD_DMA, single), (MULTI_WORD_DMA, multi), (ULTRA_DMA, ultra)):
        struct.pack_into("<H", words, 2 * index, value)
    return True
