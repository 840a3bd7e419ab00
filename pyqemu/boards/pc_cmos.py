"""The CMOS of a pc: what firmware reads to learn of memory, drives and boot order.

Locations are those of the PC/AT and of QEMU's own additions (SeaBIOS reads these).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.boards.pc_boot import ide_disk
from pyqemu.qapi.errors import QapiError
from pyqemu.util.units import KIB, MIB

if TYPE_CHECKING:
    from pyqemu.block import Drive
    from pyqemu.boards.pc import Pc

BOOT_LETTERS = {"a": 1, "c": 2, "d": 3, "n": 4}
MAX_BOOT_DEVICES = 3
EQUIPMENT_FPU, EQUIPMENT_PS2 = 0x02, 0x04


def fill_cmos(pc: Pc) -> None:
    """Write what does not change while the machine runs."""
    cmos = pc.rtc.cmos_data
    _memory(cmos, pc.ram_below_4g, pc.ram_above_4g)
    cmos[0x5F] = 0  # processors minus one
    _boot_order(cmos, pc.config.boot.once or pc.config.boot.order or "cad")
    _floppies(cmos, pc)
    _hard_disks(cmos, [ide_disk(pc, 0, unit) for unit in range(2)])
    _translations(cmos, pc)


def _memory(cmos: bytearray, below_4g: int, above_4g: int) -> None:
    """Sizes in KiB, in KiB above 1 MiB, and in 64 KiB above 16 MiB and above 4 GiB."""
    cmos[0x15], cmos[0x16] = 640 & 0xFF, 640 >> 8
    extended = min(max(below_4g - MIB, 0) // KIB, 0xFFFF)
    for low in (0x17, 0x30):
        cmos[low], cmos[low + 1] = extended & 0xFF, extended >> 8
    above_16m = min(max(below_4g - 16 * MIB, 0) // (64 * KIB), 0xFFFF)
    cmos[0x34], cmos[0x35] = above_16m & 0xFF, above_16m >> 8
    cmos[0x5B:0x5E] = (above_4g // (64 * KIB)).to_bytes(3, "little")


def _boot_order(cmos: bytearray, letters: str) -> None:
    """Three nibbles: first and second device in 3Dh, third in the high half of 38h; bit 0 of 38h: no floppy check."""
    devices = [BOOT_LETTERS.get(letter, 0) for letter in letters[:MAX_BOOT_DEVICES]]
    devices += [0] * (MAX_BOOT_DEVICES - len(devices))
    cmos[0x3D] = devices[1] << 4 | devices[0]
    cmos[0x38] = devices[2] << 4


def set_boot_order(cmos: bytearray, letters: str) -> None:
    """What ``boot_set`` does: firmware reads the order whenever the machine starts.

    :raise QapiError: it cannot be told so in CMOS.
    """
    if len(letters) > MAX_BOOT_DEVICES:
        raise QapiError("Too many boot devices for PC")
    if any(letter not in BOOT_LETTERS for letter in letters):
        raise QapiError("Invalid boot device for PC")
    _boot_order(cmos, letters)


def _floppies(cmos: bytearray, pc: Pc) -> None:
    kinds = pc.fdc.cmos_types if pc.fdc is not None else (0, 0)
    cmos[0x10] = kinds[0] << 4 | kinds[1]
    count = sum(1 for kind in kinds if kind)
    cmos[0x14] = EQUIPMENT_FPU | EQUIPMENT_PS2 | (0x01 | (count - 1) << 6 if count else 0)


def _hard_disks(cmos: bytearray, disks: list[Drive | None]) -> None:
    """Types 0Fh in 12h mean: extended type, here 47, whose geometry follows from 1Bh and 24h on."""
    for index, (drive, base) in enumerate(zip(disks, (0x1B, 0x24), strict=True)):
        if drive is None or not drive.inserted:
            continue
        geometry = drive.geometry()
        cmos[0x12] |= 0xF0 >> 4 * index
        cmos[0x19 + index] = 47
        cylinders = geometry.cylinders
        cmos[base : base + 9] = bytes((
            cylinders & 0xFF, cylinders >> 8, geometry.heads, 0xFF, 0xFF, 0xC0 | (geometry.heads > 8) << 3,
            cylinders & 0xFF, cylinders >> 8, geometry.sectors,
        ))  # fmt: skip


def _translations(cmos: bytearray, pc: Pc) -> None:
    """Two bits for each IDE drive: none, LBA, large, R-ECHS."""
    value = 0
    for index in range(4):
        drive = ide_disk(pc, index // 2, index % 2)
        if drive is not None and drive.inserted:
            value |= int(drive.geometry().translation) << 2 * index
    cmos[0x39] = value
