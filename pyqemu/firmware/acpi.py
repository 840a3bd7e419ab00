r"""ACPI tables of the pc board (i440FX and PIIX3/PIIX4), for whoever boots it.

The tables are built once as one relocatable blob (``_Blob``), of which two things can be made:

* ``build_tables(config, address)``: everything resolved for that address; the built-in BIOS copies it there;
* ``loader_files(config)``: the fw_cfg files ``etc/acpi/tables``, ``etc/acpi/rsdp`` and ``etc/table-loader``.
  The last is a list of commands by which the firmware places the other two, adds addresses to pointers and
  sums up.

Layout of the tables: ACPI 1.0b chapter 5 (what the machine of 2016 has: FADT revision 1, RSDT only), IA-PC HPET
specification 1.0a section 3.2.4. The objects of the DSDT are in ``dsdt.py``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from pyqemu.firmware.dsdt import dsdt_body

PM_BASE = 0x600
SCI_IRQ = 9
SMI_COMMAND_PORT, ACPI_ENABLE, ACPI_DISABLE = 0xB2, 0xF1, 0xF0
GPE0_BASE, GPE0_LENGTH = 0xAFE0, 4
LOCAL_APIC, IO_APIC, HPET = 0xFEE00000, 0xFEC00000, 0xFED00000

TABLES_FILE, RSDP_FILE, LOADER_FILE = "etc/acpi/tables", "etc/acpi/rsdp", "etc/table-loader"
_TABLES_FILE_SIZE, _LOADER_FILE_SIZE = 0x20000, 0x1000
"""Sizes that QEMU pads to, so that the files keep theirs (they are part of a migration stream)."""


@dataclass(frozen=True)
class AcpiConfig:
    """What of the machine shows in its tables."""

    ram_below_4g: int
    ram_above_4g: int = 0
    cpus: int = 1
    hpet: bool = True
    floppies: tuple[bool, bool] = (False, False)
    serial_ports: tuple[tuple[int, int], ...] = ((0x3F8, 4), (0x2F8, 3))  # base, irq
    parallel_ports: tuple[tuple[int, int], ...] = ((0x378, 7),)
    pvpanic_port: int | None = None
    fw_cfg: bool = True
    disable_s3: bool = False
    disable_s4: bool = False
    hotplug_slots: tuple[int, ...] = ()  # of the PCI bus: where devices may come and go


@dataclass(frozen=True)
class AcpiTables:
    """Tables made for one address."""

    address: int
    tables: bytes
    rsdp: bytes


@dataclass
class _Blob:
    """The concatenated tables with what must be done to them once their address is known."""

    data: bytearray = field(default_factory=bytearray)
    pointers: list[int] = field(default_factory=list)  # offsets of 32-bit offsets into the blob
    sums: list[tuple[int, int]] = field(default_factory=list)  # (start, length) of tables with a checksum

    def append(self, table: bytes, *, align: int = 4, pointers: tuple[int, ...] = (), header: bool = True) -> int:
        """Add a table and return its offset; ``pointers`` are offsets within it."""
        self.data.extend(bytes(-len(self.data) % align))
        start = len(self.data)
        self.data.extend(table)
        self.pointers.extend(start + pointer for pointer in pointers)
        if header:
            self.sums.append((start, len(table)))
        return start


_CHECKSUM = 9
"""Offset of the checksum byte in every system description table's header (5.2.5)."""


def _table(signature: bytes, revision: int, body: bytes) -> bytes:
    """A table with its 36-byte header; the checksum is left 0."""
    oem_id, oem_table_id = b"PYQEMU", b"PC" + signature.ljust(6)
    ids = struct.pack("<6s8sI4sI", oem_id, oem_table_id, 1, b"PYQM", 1)
    return struct.pack("<4sIBB", signature, 36 + len(body), revision, 0) + ids + body


def _facs() -> bytes:
    """Firmware ACPI control structure (5.2.8): no checksum, 64-byte aligned."""
    return struct.pack("<4sI", b"FACS", 64).ljust(64, b"\x00")


def _fadt(facs: int, dsdt: int) -> bytes:
    """Fixed ACPI description table, revision 1 (5.2.7)."""
    body = struct.pack("<IIBBHI", facs, dsdt, 1, 0, SCI_IRQ, SMI_COMMAND_PORT)  # model 1: dual PIC
    body += bytes((ACPI_ENABLE, ACPI_DISABLE, 0, 0))  # no S4BIOS
    body += struct.pack("<8I", PM_BASE, 0, PM_BASE + 4, 0, 0, PM_BASE + 8, GPE0_BASE, 0)
    # Lengths of the blocks: events, control, PM2, timer, GPE0, GPE1; base of GPE1; reserved.
    body += bytes((4, 2, 0, 4, GPE0_LENGTH, 0, 0, 0))
    body += struct.pack("<4H", 0xFFF, 0xFFF, 0, 0)  # C2 and C3 latencies that say "not supported"
    body += bytes((0, 0, 0, 0, 0x32))  # no duty cycle, no alarm days and months; century in CMOS byte 32h
    body += bytes(3)
    # WBINVD works; C1 on all CPUs; no fixed sleep button (the fixed power button is there: its bit is 0);
    # RTC wakes from S4; use the platform timer.
    flags = 1 << 0 | 1 << 2 | 1 << 5 | 1 << 7 | 1 << 15
    return _table(b"FACP", 1, body + struct.pack("<I", flags))


def _madt(cpus: int) -> bytes:
    """Multiple APIC description table, revision 1 (5.2.8 of ACPI 1.0b, corrected)."""
    entries = b"".join(struct.pack("<BBBBI", 0, 8, cpu, cpu, 1) for cpu in range(cpus))
    entries += struct.pack("<BBBBII", 1, 12, 0, 0, IO_APIC, 0)
    entries += struct.pack("<BBBBIH", 2, 10, 0, 0, 2, 0)  # the PIT's line goes to input 2
    for irq in (5, SCI_IRQ, 10, 11):  # what PIIX3 links can be set to, and the SCI: active high, level
        entries += struct.pack("<BBBBIH", 2, 10, 0, irq, irq, 0xD)
    entries += struct.pack("<BBBHB", 4, 6, 0xFF, 0, 1)  # NMI at LINT1 of all CPUs
    return _table(b"APIC", 1, struct.pack("<II", LOCAL_APIC, 1) + entries)


def _hpet() -> bytes:
    """HPET description table (IA-PC HPET 1.0a, 3.2.4)."""
    block_id = 0x8086A201  # Intel, legacy routing capable, 64-bit counter, three comparators, revision 1
    address = struct.pack("<BBBBQ", 0, 0, 0, 0, HPET)
    return _table(b"HPET", 1, struct.pack("<I", block_id) + address + struct.pack("<BHB", 0, 0, 0))


def _build(config: AcpiConfig) -> tuple[_Blob, int]:
    """All tables, and the offset of the RSDT."""
    blob = _Blob()
    facs = blob.append(_facs(), align=64, header=False)
    dsdt = blob.append(_table(b"DSDT", 1, dsdt_body(config)))
    tables = [
        blob.append(_fadt(facs, dsdt), pointers=(36, 40)),
        blob.append(_madt(config.cpus)),
    ]
    if config.hpet:
        tables.append(blob.append(_hpet()))
    pointers = tuple(range(36, 36 + 4 * len(tables), 4))
    rsdt = blob.append(_table(b"RSDT", 1, struct.pack(f"<{len(tables)}I", *tables)), pointers=pointers)
    return blob, rsdt


def _checksum(data: bytes | bytearray) -> int:
    return -sum(data) & 0xFF


def _rsdp(rsdt_address: int) -> bytearray:
    """Root system description pointer (5.2.4) with checksum 0."""
    return bytearray(struct.pack("<8sB6sBI", b"RSD PTR ", 0, b"PYQEMU", 0, rsdt_address))


def build_tables(config: AcpiConfig, address: int) -> AcpiTables:
    """Tables ready to be copied to ``address``, and the RSDP to put on a 16-byte boundary of 0xE0000-0xFFFFF.

    :param address: a multiple of 64 (the FACS comes first).
    """
    if address % 64:
        raise ValueError(f"ACPI tables at {address:#x} are not 64-byte aligned")
    blob, rsdt = _build(config)
    for pointer in blob.pointers:
        (offset,) = struct.unpack_from("<I", blob.data, pointer)
        struct.pack_into("<I", blob.data, pointer, offset + address)
    for start, length in blob.sums:
        blob.data[start + _CHECKSUM] = _checksum(blob.data[start : start + length])
    rsdp = _rsdp(address + rsdt)
    rsdp[8] = _checksum(rsdp)
    return AcpiTables(address, bytes(blob.data), bytes(rsdp))


# -- the table loader's commands: 128 bytes each, little-endian, file names of 56 bytes --------------------

_ALLOCATE, _ADD_POINTER, _ADD_CHECKSUM = 1, 2, 3
_ZONE_HIGH, _ZONE_FSEG = 1, 2


def _command(layout: str, *values: int | bytes) -> bytes:
    return struct.pack(layout, *values).ljust(128, b"\x00")


def _allocate(file: str, align: int, zone: int) -> bytes:
    return _command("<I56sIB", _ALLOCATE, file.encode(), align, zone)


def _add_pointer(file: str, target: str, offset: int) -> bytes:
    return _command("<I56s56sIB", _ADD_POINTER, file.encode(), target.encode(), offset, 4)


def _add_checksum(file: str, offset: int, start: int, length: int) -> bytes:
    return _command("<I56sIII", _ADD_CHECKSUM, file.encode(), offset, start, length)


def loader_files(config: AcpiConfig) -> dict[str, bytes]:
    """The three fw_cfg files by which firmware that does not make ACPI tables itself gets ours."""
    blob, rsdt = _build(config)
    rsdp = _rsdp(rsdt)
    script = _allocate(RSDP_FILE, 16, _ZONE_FSEG) + _allocate(TABLES_FILE, 64, _ZONE_HIGH)
    script += b"".join(_add_pointer(TABLES_FILE, TABLES_FILE, pointer) for pointer in blob.pointers)
    script += b"".join(_add_checksum(TABLES_FILE, start + _CHECKSUM, start, length) for start, length in blob.sums)
    script += _add_pointer(RSDP_FILE, TABLES_FILE, 16) + _add_checksum(RSDP_FILE, 8, 0, len(rsdp))
    return {
        TABLES_FILE: bytes(blob.data).ljust(_TABLES_FILE_SIZE, b"\x00"),
        RSDP_FILE: bytes(rsdp),
        LOADER_FILE: script.ljust(_LOADER_FILE_SIZE, b"\x00"),
    }
