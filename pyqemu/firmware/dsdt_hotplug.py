r"""The part of the DSDT by which a guest learns of PCI devices that come and go.

The registers at ae00h (QEMU ``docs/specs/acpi_pci_hotplug.txt``, :mod:`pyqemu.hw.acpi.pci_hotplug`) say which slots
changed; general purpose event 1 says that something did. ``\_GPE._E01`` notifies the slots' devices, and ``_EJ0``,
which the guest calls when it has let go of a device, writes the slot's bit back.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyqemu.firmware import aml

PORTS, PORT_COUNT = 0xAE00, 0x14
ROOT_BUS = 0
DEVICE_CHECK, EJECT_REQUEST = 1, 3
"""Notification values of 5.6.6: a device has appeared; it shall be let go."""


def _slot_name(slot: int) -> str:
    return f"S{slot << 3:02X}"


def host_terms(slots: Sequence[int]) -> list[bytes]:
    """What stands in the host bridge: registers, a device for each slot, and methods that notify these."""
    return [
        aml.operation_region("PCST", aml.REGION_IO, PORTS, 8),
        aml.field("PCST", aml.ACCESS_DWORD, ("PCIU", 32), ("PCID", 32)),
        aml.operation_region("SEJ", aml.REGION_IO, PORTS + 8, 4),
        aml.field("SEJ", aml.ACCESS_DWORD, ("B0EJ", 32)),
        aml.operation_region("BNMR", aml.REGION_IO, PORTS + 16, 4),
        aml.field("BNMR", aml.ACCESS_DWORD, ("BNUM", 32)),
        aml.mutex("BLCK"),
        aml.method(
            "PCEJ",
            1,
            aml.acquire("BLCK"),
            aml.store(aml.integer(ROOT_BUS), aml.path("BNUM")),
            aml.shift_left(aml.ONE, aml.arg(0), aml.path("B0EJ")),
            aml.release("BLCK"),
            serialized=True,
        ),
        *(_slot(slot) for slot in slots),
        aml.method("DVNT", 2, *(_notify(slot) for slot in slots)),
        aml.method(
            "PCNT",
            0,
            aml.acquire("BLCK"),
            aml.store(aml.integer(ROOT_BUS), aml.path("BNUM")),
            aml.call("DVNT", aml.path("PCIU"), aml.integer(DEVICE_CHECK)),
            aml.call("DVNT", aml.path("PCID"), aml.integer(EJECT_REQUEST)),
            aml.release("BLCK"),
            serialized=True,
        ),
    ]


def _slot(slot: int) -> bytes:
    return aml.device(
        _slot_name(slot),
        aml.name("_SUN", aml.integer(slot)),
        aml.name("_ADR", aml.integer(slot << 16)),
        aml.method("_EJ0", 1, aml.call("PCEJ", aml.path("_SUN"))),
    )


def _notify(slot: int) -> bytes:
    changed = aml.and_(aml.arg(0), aml.integer(1 << slot))
    return aml.if_(changed, aml.notify(_slot_name(slot), aml.arg(1)))


def event_scope() -> bytes:
    """The event's method."""
    return aml.scope("\\_GPE", aml.method("_E01", 0, aml.call("\\_SB.PCI0.PCNT")))
