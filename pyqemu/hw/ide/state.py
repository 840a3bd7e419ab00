"""The saved state of IDE controllers, in QEMU's layout.

A request that is under way when the machine is saved is completed first, so that only blocks at the data port
have to be described; that is the subsection ``pio_state``.
"""

from __future__ import annotations

import struct
from typing import Any

from pyqemu.hw.ide import registers as r
from pyqemu.hw.ide.ata import AtaDisk
from pyqemu.hw.ide.atapi import AtapiDrive
from pyqemu.hw.ide.core import EndTransfer, IdeBus, Unit
from pyqemu.hw.pci.state import pci_function
from pyqemu.qom.vmstate import (
    I32,
    I64,
    U8,
    U32,
    Array,
    Bool,
    Buffer,
    Field,
    LoadError,
    Reader,
    Scope,
    VMState,
)

__all__ = ["bmdma_vmstate", "bus_vmstate", "ide_pci_vmstate", "unit_vmstate"]

MAX_SECTORS = 256
IO_BUFFER_SIZE = 256 * 512 + 4  # QEMU's transfer buffer, which it saves whole


class Block(Field):
    """The block at the data port, in the fields that QEMU describes it with: the sectors of a multiple block, the
    transfer buffer, position and length in it, what comes after, how much of a packet's answer follows in the buffer
    and in all.
    """

    layout = struct.Struct(">iiBii")
    NAMES = ("cur_io_buffer_offset", "cur_io_buffer_len", "end_transfer_fn_idx", "elementary_transfer_size",
             "packet_transfer_size")  # fmt: skip

    @property
    def attributes(self) -> tuple[str, ...]:
        return ("buffer", "words", "position", "in_end", "out_end", "end")

    def write(self, device: object, out: bytearray) -> list[dict[str, Any]]:
        assert isinstance(device, Unit)
        sectors = device.model.block_sectors if isinstance(device.model, AtaDisk) else 0
        length = (device.in_end or device.out_end) - device.position
        data, ahead, left = bytes(device.buffer), b"", 0
        if device.end is EndTransfer.PACKET_REPLY and isinstance(device.model, AtapiDrive):
            ahead, left = device.model.look_ahead(IO_BUFFER_SIZE - len(data))
        out += struct.pack(">i", sectors) + (data + ahead).ljust(IO_BUFFER_SIZE, b"\0")
        out += self.layout.pack(device.position, length, device.end, len(ahead), left)
        return [
            {"name": "req_nb_sectors", "type": "int32", "size": 4},
            {"name": "io_buffer", "array_len": IO_BUFFER_SIZE, "type": "uint8", "size": 1},
            *({"name": name, "type": "int32" if size == 4 else "uint8", "size": size}
              for name, size in zip(self.NAMES, (4, 4, 1, 4, 4), strict=True)),
        ]  # fmt: skip

    def read(self, reader: Reader, scope: Scope) -> tuple[int, bytes, int, EndTransfer, bytes, int]:
        (sectors,) = struct.unpack(">i", reader.take(4))
        data = reader.take(IO_BUFFER_SIZE)
        start = reader.position
        position, length, end, ahead, left = self.layout.unpack(reader.take(self.layout.size))
        if end > EndTransfer.NOTHING or position < 0 or length < 0 or position + length > IO_BUFFER_SIZE:
            raise LoadError(
                f"expected a block within {IO_BUFFER_SIZE} bytes, found {length} at {position}, then {end}", start
            )
        if not 0 <= sectors <= MAX_SECTORS:
            raise LoadError(f"expected at most {MAX_SECTORS} sectors, found {sectors}", start)
        if ahead < 0 or left < 0:
            raise LoadError(f"expected what is left of an answer, found {ahead} of {left} bytes", start)
        behind = data[position + length :][: min(ahead, left)]
        return sectors, data[: position + length], position, EndTransfer(end), behind, left

    def apply(self, device: object, value: Any) -> None:
        assert isinstance(device, Unit)
        sectors, data, position, end, behind, left = value
        if isinstance(device.model, AtaDisk):
            device.model.block_sectors = sectors
        device.end = end
        to_host = end not in (EndTransfer.SECTOR_WRITE, EndTransfer.PACKET_COMMAND)
        device.load_block(data, position, to_host=to_host)
        if end is EndTransfer.PACKET_REPLY and isinstance(device.model, AtapiDrive):
            device.model.resume_reply(behind, left)

    def declare(self) -> dict[str, Any]:
        return {**super().declare(), "field": "io_buffer"}


_AWAITS_ENGINE = r.STATUS_BSY | r.STATUS_DRQ


def _loaded(unit: Unit) -> None:
    if not unit.status & r.STATUS_DRQ:
        unit.position = unit.in_end = unit.out_end = 0
    elif unit.status & _AWAITS_ENGINE == _AWAITS_ENGINE and isinstance(unit.model, AtaDisk):
        unit.model.await_dma()


# fmt: off
unit_vmstate = VMState(
    "ide_drive",
    version=3,
    minimum_version=0,
    post_load=_loaded,
    fields=(
        I32("mult_sectors", minimum=0, maximum=16), I32("identify_set"),
        Buffer("identify_data", 512, when="identify_set"),
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


def _never(_: object) -> bool:
    return False


bus_vmstate = VMState(
    "ide_bus",
    version=1,
    fields=(U8("cmd"), U8("unit", maximum=1)),
    subsections=(
        VMState(
            "ide_bus/error", version=2, minimum_version=1, needed=_never,
            fields=(I32("error_status"), I64("retry_sector_num", since=2), U32("retry_nsector", since=2),
                    U8("retry_unit", since=2)),
        ),
    ),
    post_load=_select,
)  # fmt: skip

bmdma_vmstate = VMState(
    "ide bmdma",
    version=3,
    minimum_version=0,
    fields=(
        U8("cmd"),
        U8("status", wire="migration_compat_status"),
        U32("addr"),
        I64("retry_sector_num", wire="migration_retry_sector_num"),
        U32("retry_nsector", wire="migration_retry_nsector"),
        U8("retry_unit", wire="migration_retry_unit"),
    ),
    subsections=(
        VMState(
            "ide bmdma_current", needed=_never,
            fields=(U32("cur_addr"), U32("cur_prd_last"), U32("cur_prd_addr"), U32("cur_prd_len")),
        ),
        VMState("ide bmdma/status", needed=_never, fields=(U8("status"),)),
    ),
)  # fmt: skip


def _complete(controller: object) -> None:
    for bus in getattr(controller, "ide_buses"):  # noqa: B009 (its class imports this module)
        bus.complete_now()


ide_pci_vmstate = VMState(
    "ide",
    version=3,
    minimum_version=0,
    pre_save=_complete,
    fields=(
        pci_function("parent_obj"),
        Array("bmdma", bmdma_vmstate, 2, each=True),
        Array("ide_buses", bus_vmstate, 2, wire="bus", each=True),
        Array("primary_units", unit_vmstate, 2, wire="bus[0].ifs", each=True),
        Array("secondary_units", unit_vmstate, 2, wire="bus[1].ifs", each=True),
    ),
)
