r"""The DSDT of the pc board: its name space, written with the AML builder.

``\_SB.PCI0`` is the i440FX with the ranges that it passes on and the interrupt routing; ``\_SB.PCI0.ISA`` is
the PIIX3 with what hangs on its ISA bus; ``\_SB.LNKA`` to ``LNKD`` set the PIIX3's PIRQ registers (82371SB data
sheet, 2.2.10), ``LNKS`` stands for the SCI, which cannot be moved.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pyqemu.firmware import aml, dsdt_hotplug

if TYPE_CHECKING:
    from pyqemu.firmware.acpi import AcpiConfig

_PCI_HOLE_END = 0xFEBFFFFF
"""The last address below the I/O APIC that can be given to a PCI device."""

_HIGH_WINDOW_SIZE = 1 << 31
"""A 64-bit window behind high RAM is offered only when there is high RAM; 2 GiB are plenty for BARs."""


@lru_cache(maxsize=1)  # a start needs it twice: for fw_cfg, and for the built-in BIOS
def dsdt_body(config: AcpiConfig) -> bytes:
    """The definition block's terms."""
    return (
        aml.scope("\\_SB", _pci_host(config), *_links(), *_system_devices(config))
        + aml.scope("\\_SB", *_processors(config.cpus))
        + (dsdt_hotplug.event_scope() if config.hotplug_slots else b"")
        + _sleep_states(config)
    )


# -- host bridge -----------------------------------------------------------------------------------------


def _pci_host(config: AcpiConfig) -> bytes:
    return aml.device(
        "PCI0",
        aml.name("_HID", aml.eisa_id("PNP0A03")),
        aml.name("_ADR", aml.ZERO),
        aml.name("_UID", aml.ONE),
        aml.name("_CRS", _pci_windows(config)),
        aml.name("_PRT", _pci_routing()),
        _isa_bridge(config),
        *_reserved_ports(config),
        *(dsdt_hotplug.host_terms(config.hotplug_slots) if config.hotplug_slots else ()),
    )


def _pci_windows(config: AcpiConfig) -> bytes:
    """Everything that is no RAM and that no chip on the host side of the bridge answers to."""
    windows = [
        aml.word_bus_number(0, 0xFF),
        aml.io(0xCF8, 8),  # consumed by the bridge itself: configuration address and data
        aml.word_io(0, 0xCF7),
        aml.word_io(0xD00, 0xFFFF),
        aml.dword_memory(0xA0000, 0xBFFFF, cacheable=True),
        aml.dword_memory(config.ram_below_4g, _PCI_HOLE_END),
    ]
    if config.ram_above_4g:
        start = (1 << 32) + config.ram_above_4g
        start += -start % _HIGH_WINDOW_SIZE
        windows.append(aml.qword_memory(start, start + _HIGH_WINDOW_SIZE - 1))
    return aml.resources(*windows)


_SLOTS = 32
_PM_SLOT = 1  # the PIIX4's function is in the PIIX3's slot; its pin A is the SCI


def _pci_routing() -> bytes:
    """``_PRT``: pins of slot n are turned by n - 1 against the PIRQ inputs, as on the 440FX boards."""
    entries = []
    for slot in range(_SLOTS):
        for pin in range(4):
            link = "LNK" + "ABCD"[(slot + pin - 1) % 4]
            if (slot, pin) == (_PM_SLOT, 0):
                link = "LNKS"
            address = aml.integer(slot << 16 | 0xFFFF)
            entries.append(aml.package(address, aml.integer(pin), aml.path(link), aml.ZERO))
    return aml.package(*entries)


def _container(label: str, uid: str, base: int, length: int) -> bytes:
    """A device that only says which ports are taken."""
    return aml.device(
        label,
        aml.name("_HID", aml.eisa_id("PNP0A06")),
        aml.name("_UID", aml.string(uid)),
        aml.name("_STA", aml.integer(0x0B)),
        aml.name("_CRS", aml.resources(aml.io(base, length))),
    )


def _reserved_ports(config: AcpiConfig) -> list[bytes]:
    devices = [_container("GPE0", "GPE0 resources", 0xAFE0, 4)]
    if config.hotplug_slots:
        devices.append(_container("PHPR", "PCI Hotplug resources", dsdt_hotplug.PORTS, dsdt_hotplug.PORT_COUNT))
    if config.fw_cfg:
        devices.append(
            aml.device(
                "FWCF",
                aml.name("_HID", aml.string("QEMU0002")),
                aml.name("_STA", aml.integer(0x0B)),
                aml.name("_CRS", aml.resources(aml.io(0x510, 12))),
            )
        )
    return devices


# -- ISA bridge ------------------------------------------------------------------------------------------


def _isa_device(label: str, hardware_id: str, *descriptors: bytes, extra: bytes = b"") -> bytes:
    return aml.device(
        label,
        aml.name("_HID", aml.eisa_id(hardware_id)),
        aml.name("_STA", aml.integer(0x0F)),
        aml.name("_CRS", aml.resources(*descriptors)),
        extra,
    )


def _isa_bridge(config: AcpiConfig) -> bytes:
    devices = [
        _isa_device("RTC", "PNP0B00", aml.io(0x70, 8), aml.irq_no_flags(8)),
        _isa_device("KBD", "PNP0303", aml.io(0x60, 1), aml.io(0x64, 1), aml.irq_no_flags(1)),
        _isa_device("MOU", "PNP0F13", aml.irq_no_flags(12)),
    ]
    if any(config.floppies):
        devices.append(_floppy_controller(config.floppies))
    for index, (base, irq) in enumerate(config.parallel_ports, start=1):
        resources = (aml.io(base, 8, alignment=8), aml.irq_no_flags(irq))
        devices.append(_isa_device(f"LPT{index}", "PNP0400", *resources, extra=_uid(index)))
    for index, (base, irq) in enumerate(config.serial_ports, start=1):
        resources = (aml.io(base, 8, alignment=8), aml.irq_no_flags(irq))
        devices.append(_isa_device(f"COM{index}", "PNP0501", *resources, extra=_uid(index)))
    if config.pvpanic_port is not None:
        devices.append(_pvpanic(config.pvpanic_port))
    registers = aml.operation_region("P40C", aml.REGION_PCI_CONFIG, 0x60, 4)
    return aml.device("ISA", aml.name("_ADR", aml.integer(1 << 16)), registers, *devices)


def _uid(number: int) -> bytes:
    return aml.name("_UID", aml.integer(number))


def _floppy_controller(floppies: tuple[bool, bool]) -> bytes:
    """``_FDE``: four "drive present" values and whether there is a tape (2: do not know), 9.9.1."""
    present = [*floppies, False, False]
    enumeration = b"".join(int(there).to_bytes(4, "little") for there in present) + (2).to_bytes(4, "little")
    ports = (aml.io(0x3F2, 4), aml.io(0x3F7, 1))
    extra = aml.name("_FDE", aml.buffer(enumeration))
    return _isa_device("FDC0", "PNP0700", *ports, aml.irq_no_flags(6), aml.dma(2), extra=extra)


def _pvpanic(port: int) -> bytes:
    """Device QEMU0001: the guest reads which events the port knows and writes those that happened."""
    return aml.device(
        "PEVT",
        aml.name("_HID", aml.string("QEMU0001")),
        aml.name("_STA", aml.integer(0x0F)),
        aml.name("_CRS", aml.resources(aml.io(port, 1))),
        aml.operation_region("PEOR", aml.REGION_IO, port, 1),
        aml.field("PEOR", aml.ACCESS_BYTE, ("PEPT", 8)),
        aml.method("RDPT", 0, aml.return_(aml.path("PEPT"))),
        aml.method("WRPT", 1, aml.store(aml.arg(0), aml.path("PEPT"))),
    )


# -- interrupt links -------------------------------------------------------------------------------------

_PIRQ_DISABLED = 0x80
_PIRQ_CHOICES = (5, 10, 11)


def _links() -> list[bytes]:
    r"""LNKA to LNKD, and the two methods that they share."""
    routes = aml.field("PCI0.ISA.P40C", aml.ACCESS_BYTE, *((f"PRQ{index}", 8) for index in range(4)))
    template = aml.name("PRR0", aml.resources(aml.interrupt(0)))
    number = aml.create_dword_field(aml.path("PRR0"), 5, "PRRI")  # first interrupt of the descriptor
    disabled = aml.integer(_PIRQ_DISABLED)
    status = aml.method(
        "IQST",
        1,
        aml.if_(aml.and_(aml.arg(0), disabled), aml.return_(aml.integer(0x09))),
        aml.return_(aml.integer(0x0B)),
    )
    current = aml.method(
        "IQCR",
        1,
        template,
        number,
        aml.if_(aml.less(aml.arg(0), disabled), aml.store(aml.arg(0), aml.path("PRRI"))),
        aml.return_(aml.path("PRR0")),
        serialized=True,
    )
    return [routes, status, current, *(_link(index) for index in range(4)), _sci_link()]


def _link(index: int) -> bytes:
    register = aml.path(f"PRQ{index}")
    first_interrupt = aml.create_dword_field(aml.arg(0), 5, "PRRI")
    return aml.device(
        "LNK" + "ABCD"[index],
        aml.name("_HID", aml.eisa_id("PNP0C0F")),
        aml.name("_UID", aml.integer(index)),
        aml.name("_PRS", aml.resources(aml.interrupt(*_PIRQ_CHOICES))),
        aml.method("_STA", 0, aml.return_(aml.call("IQST", register))),
        aml.method("_DIS", 0, aml.or_(register, aml.integer(_PIRQ_DISABLED), register)),
        aml.method("_CRS", 0, aml.return_(aml.call("IQCR", register))),
        aml.method("_SRS", 1, first_interrupt, aml.store(aml.path("PRRI"), register)),
    )


def _sci_link() -> bytes:
    return aml.device(
        "LNKS",
        aml.name("_HID", aml.eisa_id("PNP0C0F")),
        aml.name("_UID", aml.integer(4)),
        aml.name("_PRS", aml.resources(aml.interrupt(9))),
        aml.method("_STA", 0, aml.return_(aml.integer(0x0B))),
        aml.method("_DIS", 0),
        aml.method("_CRS", 0, aml.return_(aml.path("_PRS"))),
        aml.method("_SRS", 1),
    )


# -- the rest --------------------------------------------------------------------------------------------


def _system_devices(config: AcpiConfig) -> list[bytes]:
    if not config.hpet:
        return []
    window = aml.resources(aml.memory32_fixed(0xFED00000, 0x400, writable=False))
    present = aml.name("_STA", aml.integer(0x0F))
    identity = aml.name("_HID", aml.eisa_id("PNP0103"))
    return [aml.device("HPET", identity, _uid(0), present, aml.name("_CRS", window))]


def _processors(count: int) -> list[bytes]:
    return [aml.processor(f"C{index:03X}", index) for index in range(count)]


def _sleep_states(config: AcpiConfig) -> bytes:
    """SLP_TYP values of the PIIX4 (82371AB data sheet 7.2.3) for each state that is offered."""
    states = {"_S5": 0}
    if not config.disable_s3:
        states["_S3"] = 1
    if not config.disable_s4:
        states["_S4"] = 2
    return b"".join(
        aml.name(state, aml.package(aml.integer(kind), aml.integer(kind), aml.ZERO, aml.ZERO))
        for state, kind in states.items()
    )
