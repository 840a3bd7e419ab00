"""The tables that operating systems look for in 0xF0000-0xFFFFF, other than those of ACPI and SMBIOS.

BIOS32 service directory (standard revision 0.4), $PIR (Microsoft PCI IRQ Routing Table Specification 1.0),
MP configuration (Intel MultiProcessor Specification 1.4), $PnP (Plug and Play BIOS 1.0A, 4.4), $PMM (POST
Memory Manager 1.01).
"""

from __future__ import annotations

import struct

from pyqemu.firmware.bios.pci_setup import PIRQ_IRQS

LOCAL_APIC, IO_APIC = 0xFEE00000, 0xFEC00000
_SLOTS = range(1, 32)


def checksum(data: bytes, at: int) -> bytes:
    """*data* with the byte at *at* set so that all sum to 0."""
    out = bytearray(data)
    out[at] = 0
    out[at] = -sum(out) & 0xFF
    return bytes(out)


def bios32(entry: int) -> bytes:
    """The service directory's header; *entry* is a physical address."""
    return checksum(struct.pack("<4sIBBB5x", b"_32_", entry, 0, 1, 0), 10)


def pnp_installation_check(segment: int, real_entry: int, protected_entry: int) -> bytes:
    """What option ROMs get in ES:DI."""
    data = struct.pack("<4sBBHBIHHHIIHI", b"$PnP", 0x10, 0x21, 0, 0, 0, real_entry, segment, protected_entry,
                       segment << 4, 0, 0, 0)  # fmt: skip
    return checksum(data, 8)


def pmm_header(segment: int, entry: int) -> bytes:
    """Where option ROMs find the POST memory manager."""
    return checksum(struct.pack("<4sBBBHH5x", b"$PMM", 1, 16, 0, entry, segment), 6)


def pirq_links(slot: int) -> list[int]:
    """The PIIX3's PIRQ register (60h to 63h) of INTA# to INTD# of a slot."""
    return [0x60 + (pin + slot - 1) % 4 for pin in range(4)]


def pirq_slots() -> bytes:
    """The slot entries of the routing table (16 bytes each); all on-board devices and slots of bus 0."""
    possible = sum(1 << irq for irq in (3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15))
    entries = b""
    for slot in _SLOTS:
        links = b"".join(struct.pack("<BH", link, possible) for link in pirq_links(slot))
        entries += struct.pack("<BB", 0, slot << 3) + links + struct.pack("<BB", 0 if slot == 1 else slot, 0)
    return entries


def pirq_table() -> bytes:
    """The whole $PIR table. The router is the PIIX3 at 00:01.0."""
    slots = pirq_slots()
    head = struct.pack("<4sHHBBHII11xB", b"$PIR", 0x100, 32 + len(slots), 0, 1 << 3, 0, 0x122E8086, 0, 0)
    return checksum(head + slots, 31)


def _mp_interrupts(io_apic: int, pci_pins: list[tuple[int, int, int]]) -> list[bytes]:
    """I/O and local interrupt assignment entries (MP 1.4, 4.3.4 and 4.3.5)."""
    pci_irqs = set(PIRQ_IRQS)
    entries = [struct.pack("<BBHBBBB", 3, 0, 0xD, 0, slot << 2 | pin, io_apic, irq) for slot, pin, irq in pci_pins]
    for irq in range(16):
        if irq in pci_irqs or irq == 2:
            continue
        target = 2 if irq == 0 else irq
        entries.append(struct.pack("<BBHBBBB", 3, 0, 0, 1, irq, io_apic, target))
    entries.append(struct.pack("<BBHBBBB", 4, 3, 0, 1, 0, 0, 0))  # 8259s to LINT0 of CPU 0
    entries.append(struct.pack("<BBHBBBB", 4, 1, 0, 1, 0, 0xFF, 1))  # NMI to LINT1 of all
    return entries


def mp_table(cpus: int, cpu_signature: int, cpu_features: int, pci_pins: list[tuple[int, int, int]]) -> bytes:
    """The MP configuration table; *pci_pins* are (slot, pin, irq) of the functions that have a pin."""
    io_apic = 0  # as in the MADT, and in the chip's own register after reset
    entries = [
        struct.pack("<BBBBIIII", 0, cpu, 0x14, 3 if cpu == 0 else 1, cpu_signature, cpu_features, 0, 0)
        for cpu in range(cpus)
    ]
    entries.append(struct.pack("<BB6s", 1, 0, b"PCI   "))
    entries.append(struct.pack("<BB6s", 1, 1, b"ISA   "))
    entries.append(struct.pack("<BBBBI", 2, io_apic, 0x11, 1, IO_APIC))
    entries.extend(_mp_interrupts(io_apic, pci_pins))
    body = b"".join(entries)
    head = struct.pack("<4sHBB8s12sIHHIHBB", b"PCMP", 44 + len(body), 4, 0, b"PYQEMU  ", b"PC          ", 0, 0,
                       len(entries), LOCAL_APIC, 0, 0, 0)  # fmt: skip
    return checksum(head + body, 7)


def mp_pointer(address: int) -> bytes:
    """The floating pointer structure."""
    return checksum(struct.pack("<4sIBBB5x", b"_MP_", address, 1, 4, 0), 10)
