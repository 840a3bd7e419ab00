"""Builds the guest's disk: boot sector, stage 2, and a FAT12 partition with two files.

======= ======================================================================================
sector  content
======= ======================================================================================
0       boot sector with partition table
1-      stage 2
2040    free for the guest's write test
2048-   partition 1: FAT12 with ``README.TXT`` and ``DATA.BIN``, whose checksums the guest knows
======= ======================================================================================
"""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from importlib.resources import files

SECTOR = 512
HEADS, SECTORS_PER_TRACK, CYLINDERS = 16, 63, 8
TOTAL_SECTORS = HEADS * SECTORS_PER_TRACK * CYLINDERS
PARTITION_START = 2048
WRITE_SECTOR = 2040

STAGE2_ADDRESS = 0x8000
STAGE2_LIMIT = 0x10000
STAGE2_SOURCES = ("main", "console", "info", "disk", "protected", "bench", "faults", "long", "memory", "power")

README = b"""This disk was made by pyqemu, byte by byte, when you started it.\r
\r
The programs that run on it are in the directory pyqemu/guest of the\r
source tree: a boot sector, and a second stage that looks at the CPU,\r
the memory, the disks and the clock of the machine around it.\r
\r
If its guest tells you that this file's checksum is right, then a disk\r
controller, a BIOS and a file system have understood each other.\r
"""

DISK_SIGNATURE = 0x71656D75  # "qemu"
VOLUME_ID = 0x20160526

_SYMBOLS = {
    # What the parts of the benchmark have to compute, and with how many instructions.
    "SIEVE_INSTRUCTIONS": 104566,
    "CRC_INSTRUCTIONS": 47120,
    "CRC_RESULT": 0x5D3DE8ED,
    "SORT_INSTRUCTIONS": 66559,
    "SORT_RESULT": 0xB6FB884E,
    "LONG_RESULT_LOW": 0xB7870653,
    "LONG_RESULT_HIGH": 0x1DE3AC23,
}


def _data_file() -> bytes:
    """Bytes from a linear congruential generator: enough for a chain of several clusters."""
    value, out = 1, bytearray()
    for _ in range(5000):
        value = (value * 1664525 + 1013904223) & 0xFFFFFFFF
        out += value.to_bytes(4, "little")
    return bytes(out)


DATA = _data_file()
README_CRC, DATA_CRC = zlib.crc32(README), zlib.crc32(DATA)


def _source(*names: str) -> str:
    package = files("pyqemu.guest")
    return "\n".join((package / f"{name}.asm").read_text(encoding="utf-8") for name in names)


def stage2_symbols() -> dict[str, int]:
    """The constants that stage 2's source is given."""
    return {
        **_SYMBOLS,
        "STAGE2": STAGE2_ADDRESS,
        "WRITE_SECTOR": WRITE_SECTOR,
        "README_CRC": README_CRC,
        "DATA_CRC": DATA_CRC,
    }


def stage2_source() -> str:
    """The source of stage 2: all its files in their order."""
    return _source(*STAGE2_SOURCES)


def _chs(sector: int) -> bytes:
    """A sector as a partition table has it: head, sector with the cylinder's high bits, cylinder."""
    track, number = divmod(sector, SECTORS_PER_TRACK)
    cylinder, head = divmod(track, HEADS)
    return bytes((head, number + 1 | cylinder >> 8 << 6, cylinder & 0xFF))


def _partition_table() -> bytes:
    """Disk signature and one active FAT12 partition, up to the end of the disk; bytes 0x1b8 to 0x1ff."""
    last = TOTAL_SECTORS - 1
    entry = b"\x80" + _chs(PARTITION_START) + b"\x01" + _chs(last)
    entry += struct.pack("<II", PARTITION_START, TOTAL_SECTORS - PARTITION_START)
    return struct.pack("<IH", DISK_SIGNATURE, 0) + entry + bytes(48) + b"\x55\xaa"


# -- the FAT12 volume (Microsoft's FAT specification 1.03) -------------------------------------------------

_CLUSTER_SECTORS = 4
_FAT_SECTORS = 5
_ROOT_ENTRIES = 64
_MEDIA = 0xF8
_TIMESTAMP = (0x6000, 0x48BA)  # 12:00, 26 May 2016


def _bios_parameter_block(sectors: int) -> bytes:
    """The volume's first sector; nothing boots from it."""
    block = b"\xeb\x3c\x90" + b"PYQEMU  "
    block += struct.pack("<HBHBHHBH", SECTOR, _CLUSTER_SECTORS, 1, 2, _ROOT_ENTRIES, sectors, _MEDIA, _FAT_SECTORS)
    block += struct.pack("<HHII", SECTORS_PER_TRACK, HEADS, PARTITION_START, 0)
    block += struct.pack("<BBBI11s8s", 0x80, 0, 0x29, VOLUME_ID, b"PYQEMU     ", b"FAT12   ")
    return block.ljust(510, b"\xf4") + b"\x55\xaa"


def _directory_entry(name: bytes, attributes: int, cluster: int, size: int) -> bytes:
    time, date = _TIMESTAMP
    return struct.pack("<11sB8xHHHHI", name, attributes, 0, time, date, cluster, size)


def _pack_fat12(entries: list[int]) -> bytes:
    """Pairs of 12-bit numbers in three bytes."""
    out = bytearray()
    padded = entries + [0] * (len(entries) % 2)
    for first, second in zip(padded[::2], padded[1::2], strict=True):
        out += (first | second << 12).to_bytes(3, "little")
    return bytes(out)


def _volume() -> bytes:
    """The whole partition."""
    sectors = TOTAL_SECTORS - PARTITION_START
    fat = [0xF00 | _MEDIA, 0xFFF]
    directory, data = _directory_entry(b"PYQEMU     ", 0x08, 0, 0), bytearray()
    cluster_bytes = _CLUSTER_SECTORS * SECTOR
    for name, content in ((b"README  TXT", README), (b"DATA    BIN", DATA)):
        first, count = len(fat), -(-len(content) // cluster_bytes)
        fat += [*range(first + 1, first + count), 0xFFF]
        directory += _directory_entry(name, 0x20, first, len(content))
        data += content.ljust(count * cluster_bytes, b"\x00")
    packed = _pack_fat12(fat).ljust(_FAT_SECTORS * SECTOR, b"\x00")
    volume = _bios_parameter_block(sectors) + 2 * packed + directory.ljust(_ROOT_ENTRIES * 32, b"\x00") + data
    return volume.ljust(sectors * SECTOR, b"\x00")


@lru_cache(maxsize=1)
def build_image() -> bytes:
    """The disk image, always the same bytes."""
    from pyqemu.util.x86asm import assemble  # here: an assembler is no small thing to import

    stage2 = assemble(stage2_source(), symbols=stage2_symbols()).code
    if STAGE2_ADDRESS + len(stage2) > STAGE2_LIMIT:
        raise ValueError(f"the guest's second stage is too long: {len(stage2)} bytes")
    sectors = -(-len(stage2) // SECTOR)
    symbols = {"STAGE2": STAGE2_ADDRESS, "STAGE2_SECTORS": sectors}
    boot = assemble(_source("boot"), symbols=symbols).code
    if len(boot) > 0x1B8:
        raise ValueError(f"the guest's boot sector is too long: {len(boot)} bytes")
    head = boot.ljust(0x1B8, b"\x00") + _partition_table() + stage2.ljust(sectors * SECTOR, b"\x00")
    return head.ljust(PARTITION_START * SECTOR, b"\x00") + _volume()
