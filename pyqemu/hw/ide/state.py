"""The saved state of IDE controllers, in QEMU's layout.

A request that is under way when the machine is saved is completed first, so that only blocks at the data port
have to be described; that is the subsection ``pio_state``.
"""

from __future__ import annotations

import struct

from pyqemu.hw.ide import registers as r
from pyqemu.hw.ide.ata import AtaDisk
from pyqemu.hw.ide.core import EndTransfer, IdeBus, Unit
from pyqemu.hw.pci.state import pci_vmstate
from pyqemu.qom.vmstate import I32, I64, U8, U32, Array, Bool, Field, LoadError, Reader, Struct, VMState

__all__ = ["bmdma_vmstate", "bus_vmstate", "ide_pci_vmstate", "unit_vmstate"]

IO_BUFFER_SIZE = 256 * 512 + 4  # QEMU's transfer buffer, which it saves whole


class IdentifyData(Field):
    """The IDENTIFY words: there only if a command changed them."""

    def save(self, device: object) -> bytes:
        assert isinstance(device, Unit)
        return bytes(device.identify_data) if device.identify_set else b""

    def load(self, device: object, reader: Reader) -> None:
        assert isinstance(device, Unit)
        if device.identify_set:
            device.identify_data[:] = reader.take(512)


class Block(Field):
    """The block at the data port: sectors a block, buffer, position, length, what comes after, two packet
    sizes.
    """

    layout = struct.Struct(">iiBii")

    def save(self, device: object) -> bytes:
        assert isinstance(device, Unit)
        sectors = device.model.block_sectors if isinstance(device.model, AtaDisk) else 0
        length = (device.in_end or device.out_end) - device.position
        packet = length if device.end is EndTransfer.PACKET_REPLY else 0
        data = bytes(device.buffer[:IO_BUFFER_SIZE]).ljust(IO_BUFFER_SIZE, b"\0")
        tail = self.layout.pack(device.position, length, device.end, packet, packet)
        return struct.pack(">i", sectors) + data + tail

    def load(self, device: object, reader: Reader) -> None:
        assert isinstance(device, Unit)
        (sectors,) = struct.unpack(">i", reader.take(4))
        data = reader.take(IO_BUFFER_SIZE)
        position, length, end, _, _ = self.layout.unpack(reader.take(self.layout.size))
        if end > EndTransfer.NOTHING or position < 0 or length < 0 or position + length > IO_BUFFER_SIZE:
            raise LoadError(f"ide_drive: a block of {length} bytes at {position}, then {end}")
        if isinstance(device.model, AtaDisk):
            device.model.block_sectors = sectors
        device.end = EndTransfer(end)
        to_host = device.end not in (EndTransfer.SECTOR_WRITE, EndTransfer.PACKET_COMMAND)
        device.load_block(data[: position + length], position, to_host=to_host)


def _forget_block(unit: Unit) -> None:
    if not unit.status & r.STATUS_DRQ:
        unit.position = unit.in_end = unit.out_end = 0


# fmt: off
unit_vmstate = VMState(
    "ide_drive",
    version=3,
    minimum_version=0,
    post_load=_forget_block,
    fields=(
        I32("mult_sectors"), I32("identify_set"), IdentifyData("identify_data"),
        U8("feature"), U8("error"), U32("nsector"), U8("sector"), U8("lcyl"), U8("hcyl"),
        U8("hob_feature"), U8("hob_sector"), U8("hob_nsector"), U8("hob_lcyl"), U8("hob_hcyl"),
        U8("select"), U8("status"), U8("lba48"),
        U8("sense_key"), U8("asc"), U8("cdrom_changed", since=3),
    ),
    subsections=(
        VMState(
            "ide_drive/pio_state",
            needed=lambda unit: bool(unit.status & r.STATUS_DRQ),
            fields=(Block("block"),),
        ),
        VMState(
            "ide_drive/tray_state",
            needed=lambda unit: unit.tray_open or unit.tray_locked,
            fields=(Bool("tray_open"), Bool("tray_locked")),
        ),
        VMState(
            "ide_drive/atapi/gesn_state",
            needed=lambda unit: unit.new_media or unit.eject_request,
            fields=(Bool("new_media"), Bool("eject_request")),
        ),
    ),
)
# fmt: on


def _select(bus: IdeBus) -> None:
    bus.unit &= 1
    bus.selected = bus.units[bus.unit]


bus_vmstate = VMState("ide_bus", version=1, fields=(U8("cmd"), U8("unit")), post_load=_select)

bmdma_vmstate = VMState(
    "ide bmdma",
    version=3,
    minimum_version=0,
    fields=(
        U8("cmd"),
        U8("status"),
        U32("addr"),
        I64("retry_sector_num"),
        U32("retry_nsector"),
        U8("retry_unit"),
    ),
)


def _complete(controller: object) -> None:
    for bus in getattr(controller, "ide_buses"):  # noqa: B009 (its class imports this module)
        bus.complete_now()


ide_pci_vmstate = VMState(
    "ide",
    version=3,
    minimum_version=0,
    pre_save=_complete,
    fields=(
        Struct("", pci_vmstate),
        Array("bmdma", bmdma_vmstate, 2),
        Array("ide_buses", bus_vmstate, 2),
        Array("primary_units", unit_vmstate, 2),
        Array("secondary_units", unit_vmstate, 2),
    ),
)
