"""SMBIOS tables: what ``dmidecode`` shows in the guest.

Structures are those of DMTF DSP0134 version 2.8, as the machine of 2016 has them (types 0, 1, 3, 4, 16, 17, 19,
32 and 127), with handles numbered as QEMU does. The entry point is the 32-bit one, which says 2.8.

* ``build_smbios(config, address)``, for the built-in BIOS: the structures and an anchor that points to them;
* ``fw_cfg_files(config)``, for firmware that places them itself: the anchor's address and checksums are 0.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from uuid import UUID

from pyqemu.firmware.e820 import FOUR_GIB
from pyqemu.util.units import GIB, KIB, MIB

ANCHOR_FILE, TABLES_FILE = "etc/smbios/smbios-anchor", "etc/smbios/smbios-tables"

_UNKNOWN = 2
"""The value "unknown" that most SMBIOS enumerations share."""


@dataclass(frozen=True)
class SmbiosConfig:
    """What the tables tell; the defaults are the pc machine's."""

    ram_below_4g: int
    ram_above_4g: int = 0
    sockets: int = 1
    cores: int = 1
    threads: int = 1
    cpu_id: int = 0  # CPUID leaf 1: EAX, and EDX in the high half
    cpu_mhz: int = 2000
    manufacturer: str = "QEMU"
    product: str = "Standard PC (i440FX + PIIX, 1996)"
    version: str = "pc-i440fx-2.6"
    serial: str = ""
    sku: str = ""
    family: str = ""
    uuid: UUID | None = None
    bios_vendor: str = "pyqemu"
    bios_version: str = "1.0"
    bios_date: str = "04/01/2014"


@dataclass(frozen=True)
class SmbiosTables:
    """Tables made for one address; the anchor belongs on a 16-byte boundary of 0xF0000-0xFFFFF."""

    address: int
    structures: bytes
    anchor: bytes


@dataclass
class _Writer:
    """Collects structures; strings of a structure follow its formatted part (6.1.3)."""

    data: bytearray = field(default_factory=bytearray)
    count: int = 0
    largest: int = 0

    def add(self, kind: int, handle: int, body: bytes, *strings: str) -> None:
        """Append one structure."""
        structure = struct.pack("<BBH", kind, 4 + len(body), handle) + body
        structure += b"".join(text.encode("ascii", "replace") + b"\x00" for text in strings) or b"\x00"
        structure += b"\x00"
        self.data.extend(structure)
        self.count += 1
        self.largest = max(self.largest, len(structure))


@dataclass
class _Strings:
    """Numbers strings from 1; an empty one is 0, "not given"."""

    texts: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> int:
        if not text:
            return 0
        self.texts.append(text)
        return len(self.texts)


def _bios(writer: _Writer, config: SmbiosConfig) -> None:
    """Type 0, BIOS information (7.1)."""
    characteristics = 1 << 3  # "not supported": nothing is promised
    extensions = bytes((0, 1 << 2 | 1 << 4))  # targeted content distribution; the machine is virtual
    text = _Strings()
    body = struct.pack("<BBHBB", text(config.bios_vendor), text(config.bios_version), 0xE800, 3, 0)
    body = body[:4] + bytes((text(config.bios_date), 0)) + struct.pack("<Q", characteristics) + extensions
    body += bytes((0, 0, 0xFF, 0xFF))  # BIOS release 0.0, no embedded controller
    writer.add(0, 0x000, body, *text.texts)


def _system(writer: _Writer, config: SmbiosConfig) -> None:
    """Type 1, system information (7.2). The UUID's first three fields are little-endian (7.2.1)."""
    text = _Strings()
    names = bytes(map(text, (config.manufacturer, config.product, config.version, config.serial)))
    uuid = config.uuid.bytes_le if config.uuid else bytes(16)
    wake_up = 6  # power switch
    tail = bytes((wake_up, text(config.sku), text(config.family)))
    writer.add(1, 0x100, names + uuid + tail, *text.texts)


def _chassis(writer: _Writer, config: SmbiosConfig) -> None:
    """Type 3, system enclosure (7.4)."""
    text = _Strings()
    manufacturer, kind, version = text(config.manufacturer), 1, text(config.version)
    states = bytes((3, 3, 3, 2))  # boot-up, power supply, thermal: safe; security: unknown
    body = bytes((manufacturer, kind, version, 0, 0)) + states + struct.pack("<IBBBBB", 0, 0, 0, 0, 0, 0)
    writer.add(3, 0x300, body, *text.texts)


def _processor(writer: _Writer, config: SmbiosConfig, socket: int) -> None:
    """Type 4, processor information (7.5)."""
    text = _Strings()
    designation = text(f"CPU {socket}")
    body = bytes((designation, 3, 1, text(config.manufacturer))) + struct.pack("<Q", config.cpu_id)
    body += bytes((text(config.version), 0)) + struct.pack("<HHH", 0, config.cpu_mhz, config.cpu_mhz)
    body += bytes((0x41, 1)) + struct.pack("<HHH", 0xFFFF, 0xFFFF, 0xFFFF)  # populated and enabled; no caches
    body += bytes((0, 0, 0, config.cores, config.cores, config.threads)) + struct.pack("<HH", _UNKNOWN, 1)
    writer.add(4, 0x400 + socket, body, *text.texts)


_LARGEST_KIB_ARRAY = 0x80000000
_MODULE_LIMIT = 16 * GIB


def _memory_modules(total: int) -> list[int]:
    """Sizes of the memory devices: 16 GiB each but for the last."""
    sizes = [_MODULE_LIMIT] * (total // _MODULE_LIMIT)
    if total % _MODULE_LIMIT:
        sizes.append(total % _MODULE_LIMIT)
    return sizes


def _memory(writer: _Writer, config: SmbiosConfig) -> None:
    """Types 16, 17 and 19: the array, its modules, and where they are mapped (7.17, 7.18, 7.20)."""
    total = config.ram_below_4g + config.ram_above_4g
    modules = _memory_modules(total)
    kib = total // KIB
    short = min(kib, _LARGEST_KIB_ARRAY)
    extended = 0 if kib < _LARGEST_KIB_ARRAY else total
    body = struct.pack("<BBBIHHQ", 1, 3, 6, short, 0xFFFE, len(modules), extended)  # other, system, multi-bit
    writer.add(16, 0x1000, body)
    for index, size in enumerate(modules):
        _memory_device(writer, config, index, size)
    ranges = [(0, config.ram_below_4g), (FOUR_GIB, config.ram_above_4g)]
    for index, (start, length) in enumerate(ranges):
        if length:
            _mapped_address(writer, index, start, length)


def _memory_device(writer: _Writer, config: SmbiosConfig, index: int, size: int) -> None:
    text = _Strings()
    mib = size // MIB
    body = struct.pack("<HHHHHBB", 0x1000, 0xFFFE, 0xFFFF, 0xFFFF, mib, 9, 0)  # DIMM in no set
    body += struct.pack("<BBBHH", text(f"DIMM {index}"), 0, 7, 2, 0)  # RAM, other; speed unknown
    body += bytes((text(config.manufacturer), 0, 0, 0, 0)) + struct.pack("<IHHHH", 0, 0, 0, 0, 0)
    writer.add(17, 0x1100 + index, body, *text.texts)


def _mapped_address(writer: _Writer, index: int, start: int, length: int) -> None:
    first, last = start // KIB, (start + length - 1) // KIB
    if last <= 0xFFFFFFFF:
        body = struct.pack("<IIHBQQ", first, last, 0x1000, 1, 0, 0)
    else:
        body = struct.pack("<IIHBQQ", 0xFFFFFFFF, 0xFFFFFFFF, 0x1000, 1, start, start + length - 1)
    writer.add(19, 0x1300 + index, body)


def _structures(config: SmbiosConfig) -> _Writer:
    writer = _Writer()
    _bios(writer, config)
    _system(writer, config)
    _chassis(writer, config)
    for socket in range(config.sockets):
        _processor(writer, config, socket)
    _memory(writer, config)
    writer.add(32, 0x2000, bytes(6 + 1))  # system boot information: no errors detected (7.33)
    writer.add(127, 0x7F00, b"")  # end of table
    return writer


def _anchor(writer: _Writer, address: int) -> bytearray:
    """The 32-bit entry point (5.2.1) with both checksums 0."""
    head = struct.pack("<4sBBBBHB5s", b"_SM_", 0, 31, 2, 8, writer.largest, 0, b"")
    tail = struct.pack("<5sBHIHB", b"_DMI_", 0, len(writer.data), address, writer.count, 0x28)
    return bytearray(head + tail)


def build_smbios(config: SmbiosConfig, address: int) -> SmbiosTables:
    """Structures for ``address`` and the anchor that points there."""
    writer = _structures(config)
    anchor = _anchor(writer, address)
    anchor[0x15] = -sum(anchor[0x10:]) & 0xFF  # the intermediate part sums to 0 on its own
    anchor[4] = -sum(anchor) & 0xFF
    return SmbiosTables(address, bytes(writer.data), bytes(anchor))


def fw_cfg_files(config: SmbiosConfig) -> dict[str, bytes]:
    """The fw_cfg files from which SeaBIOS installs the tables."""
    writer = _structures(config)
    return {TABLES_FILE: bytes(writer.data), ANCHOR_FILE: bytes(_anchor(writer, 0))}
