"""``virtio-blk``: a disk (Virtual I/O Device Version 1.0, 5.2).

A request is carried out a little later than it is made, by a timer of the guest's clock, as a disk's is; the drive says
what becomes of one that fails (``rerror``, ``werror``). SCSI commands are answered as unsupported.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyqemu.block import BlockIOError, Drive, ErrorAction, ErrorPolicy
from pyqemu.hw.virtio import registers as r
from pyqemu.hw.virtio.device import VirtioDevice, bits
from pyqemu.hw.virtio.elements import pack_element, read_element
from pyqemu.hw.virtio.pci import VirtioPci
from pyqemu.hw.virtio.queue import CHUNK, Element, VirtQueue, gather, part_of, scatter
from pyqemu.hw.virtio.ring import Piece, is_memory
from pyqemu.hw.virtio.state import virtio_vmstate
from pyqemu.qom import DeviceError, Property, device_class
from pyqemu.qom.vmstate import Field, LoadError, Reader, Scope, VMState
from pyqemu.system import RunState

if TYPE_CHECKING:
    from pyqemu.qom.vmstate.layout import Description

# fmt: off
F_SEG_MAX, F_GEOMETRY, F_RO, F_BLK_SIZE, F_SCSI, F_FLUSH, F_TOPOLOGY, F_CONFIG_WCE = 2, 4, 5, 6, 7, 9, 10, 11

T_OUT = 1  # a bit: a write instead of a read
T_BARRIER = 0x8000_0000  # legacy; nothing is reordered here
S_OK, S_IOERR, S_UNSUPP = 0, 1, 2
# fmt: on


class Command(enum.IntEnum):
    """Requests other than transfers (5.2.6)."""

    SCSI = 2  # legacy
    FLUSH = 4
    GET_ID = 8  # QEMU's, and so everybody's


HEADER = struct.Struct("<IIQ")  # type, priority (unused), sector
CONFIG = struct.Struct("<QIIHBBIBBHIBBH")  # 5.2.4, then QEMU's num_queues
WCE_OFFSET = 32
SECTOR = 512
SCSI_FAILED = struct.pack("<I", 255)  # in the field "errors"
ID_SIZE = 20
QUEUE_SIZE = 128
SEG_MAX = QUEUE_SIZE - 2  # header and status take one each
MAX_SECTORS = 0x7FFF_FFFF // SECTOR  # of a request
GEOMETRY_LIMITS = {"cyls": 65535, "heads": 255, "secs": 255}
DELAY = 20_000  # ns until a request is looked at; what an IDE command takes here
BUDGET = 16 << 20  # bytes that are moved before the processor has its turn again


@dataclass
class Request:
    """A request, taken apart.

    :ivar out: the driver's data; ``in_``: the room for ours, both without header and status
    """

    element: Element
    type: int
    sector: int
    out: list[Piece]
    in_: list[Piece]
    status: Piece

    @property
    def out_size(self) -> int:
        """Bytes to write to the disk."""
        return sum(piece.length for piece in self.out)

    @property
    def in_size(self) -> int:
        """Bytes to read from it."""
        return sum(piece.length for piece in self.in_)


class BadRequest(Exception):
    """It has no header, or no room for a status."""


def parse_request(device: VirtioDevice, element: Element) -> Request:
    """Take a request apart.

    :raise BadRequest: it is none.
    """
    if not element.out or not element.in_:
        raise BadRequest("virtio-blk missing headers")
    if element.out_size < HEADER.size:
        raise BadRequest("virtio-blk request outhdr too short")
    kind, _, sector = HEADER.unpack(gather(device.space, element.out, 0, HEADER.size))
    out = list(part_of(element.out, HEADER.size, element.out_size - HEADER.size))
    last = element.in_[-1]
    in_ = list(part_of(element.in_, 0, element.in_size - 1))
    return Request(element, kind & ~T_BARRIER, sector, out, in_, Piece(last.address + last.length - 1, 1))


class Stopped(Field):
    """Requests that wait for the machine to go on, because an error has stopped it."""

    def write(self, device: Any, out: bytearray) -> list[Description]:
        for request in reversed(device.stopped):
            out += b"\1" + pack_element(request.element)
        out += b"\0"
        return []

    def read(self, reader: Reader, scope: Scope) -> list[Element]:
        found: list[Element] = []
        while (mark := reader.take(1)[0]) == 1 and len(found) < QUEUE_SIZE:
            found.append(read_element(reader, QUEUE_SIZE))
        if mark:
            raise LoadError(f"expected at most {QUEUE_SIZE} requests that wait", reader.position)
        return found

    def apply(self, device: Any, value: Any) -> None:
        device.loaded_requests = list(reversed(value))


@device_class("virtio-blk-device", bus="virtio-bus", category="storage")
class VirtioBlk(VirtioDevice):
    """The disk."""

    device_id = r.ID_BLOCK
    config_size = CONFIG.size
    legacy_only = bits(F_SCSI)

    drive = Property.link("drive", "drive")
    logical_block_size = Property.uint("logical_block_size", SECTOR, bits=16)
    physical_block_size = Property.uint("physical_block_size", SECTOR, bits=16)
    min_io_size = Property.uint("min_io_size", 0, bits=16)
    opt_io_size = Property.uint("opt_io_size", 0)
    bootindex = Property.int("bootindex", -1)
    cyls = Property.uint("cyls", 0)
    heads = Property.uint("heads", 0)
    secs = Property.uint("secs", 0)
    serial = Property.str("serial")
    config_wce = Property.bool("config-wce", True)
    scsi = Property.bool("scsi", False)
    request_merging = Property.bool("request-merging", True)
    write_cache = Property.enum("write-cache", ("on", "off", "auto"), "auto", "on/off/auto")
    rerror = Property.enum("rerror", ("report", "ignore", "stop", "auto"), "auto", "what a read error does")
    werror = Property.enum("werror", ("report", "ignore", "enospc", "stop", "auto"), "auto", "what a write error does")

    vmstate = virtio_vmstate("virtio-blk", 2)
    model_state = VMState("virtio-blk requests", fields=(Stopped("stopped"),))

    def realize(self) -> None:
        """Take the drive."""
        super().realize()
        if self.scsi:
            raise DeviceError(f"'{self.name}': SCSI commands cannot be passed on to a disk of the host", "scsi=off")
        self._check_sizes()
        drive = self._take_drive()
        self.queue0 = self.add_queue(QUEUE_SIZE, self._kicked)
        self.stopped: list[Request] = []
        self.loaded_requests: list[Element] = []
        self.timer = self.bus.system.clock.timer(self._work)
        self.original_wce = drive.write_cache
        drive.on_resize.append(self.notify_config)
        drive.on_stop = self._stop_machine

    def unrealize(self) -> None:
        """Give the drive back."""
        self.reset()
        self.drive.detach()

    def _check_sizes(self) -> None:
        for name, size in (("logical_block_size", self.logical_block_size),
                           ("physical_block_size", self.physical_block_size)):  # fmt: skip
            if not SECTOR <= size <= 32768 or size & (size - 1):
                raise DeviceError(
                    f"Property '{self.type_name}.{name}' doesn't take value {size} (minimum: 512, maximum: 32768)",
                    "a power of two",
                )
        if self.logical_block_size > self.physical_block_size:
            raise DeviceError("logical_block_size > physical_block_size not supported")

    def _take_drive(self) -> Drive:
        drive: Drive | None = self.drive
        if drive is None:
            raise DeviceError("drive property not set", "drive=ID of a -drive with if=none")
        if drive.attached_to is not None:
            raise DeviceError(f"Drive '{drive.id}' is already in use by another device", "if=none in its -drive")
        if not drive.inserted:
            raise DeviceError(f"Device needs media, but drive '{drive.id}' is empty")
        self._take_geometry(drive)
        drive.attach(self, can_stop=True)
        drive.want_writes()
        if self.write_cache != "auto":
            drive.write_cache = self.write_cache == "on"
        if self.rerror != "auto":
            drive.read_error = ErrorPolicy(self.rerror)
        if self.werror != "auto":
            drive.write_error = ErrorPolicy(self.werror)
        return drive

    def _take_geometry(self, drive: Drive) -> None:
        if self.cyls or self.heads or self.secs:
            drive.chs = self.cyls, self.heads, self.secs
        if drive.chs is not None:
            for (name, limit), value in zip(GEOMETRY_LIMITS.items(), drive.chs, strict=True):
                if not 1 <= value <= limit:
                    raise DeviceError(f"{name} must be between 1 and {limit}")
        self.geometry = drive.geometry()

    # -- features and configuration

    def features(self) -> int:
        """What a driver can rely on."""
        found = bits(F_SEG_MAX, F_GEOMETRY, F_BLK_SIZE, F_TOPOLOGY) | self.is_legacy_only << F_SCSI
        found |= self.config_wce << F_CONFIG_WCE | (1 << F_FLUSH if self.drive.write_cache else 0)
        return found | (1 << F_RO if self.drive.read_only else 0)

    def withheld(self) -> int:
        """SCSI commands of old drivers need a layout."""
        return bits(r.F_ANY_LAYOUT) if self.is_legacy_only else 0

    def fill_config(self) -> None:
        """Capacity, limits, geometry, topology."""
        geometry, block = self.geometry, self.logical_block_size
        exponent = (self.physical_block_size // block).bit_length() - 1
        sectors = geometry.sectors
        if self.drive.size // geometry.cylinders // geometry.heads % block:
            sectors &= ~(block // SECTOR - 1)
        self.config[:] = CONFIG.pack(
            self.drive.size // SECTOR, 0, SEG_MAX, geometry.cylinders, geometry.heads, sectors, block,
            exponent, 0, self.min_io_size // block, self.opt_io_size // block, self.drive.write_cache, 0, 0,
        )  # fmt: skip

    def config_written(self) -> None:
        """The driver may turn the write cache off and on."""
        if self.config_wce:
            self.drive.write_cache = bool(self.config[WCE_OFFSET])

    def status_changed(self, status: int) -> None:
        """Whoever cannot flush has no write cache."""
        if status & r.STATUS_DRIVER_OK and not self.negotiated(F_CONFIG_WCE):
            self.drive.write_cache = self.negotiated(F_FLUSH)

    def device_reset(self) -> None:
        """Forget requests."""
        self.timer.cancel()
        self.stopped.clear()
        self.loaded_requests.clear()
        self.drive.write_cache = self.original_wce

    # -- time

    def _kicked(self, queue: VirtQueue) -> None:
        if not self.timer.pending and not self.stopped:
            clock = self.bus.system.clock
            self.timer.set(clock.now() + DELAY)

    def complete_now(self) -> None:
        """Carry out what was asked for."""
        if self.timer.pending:
            self.timer.cancel()
            self._work(budget=None)

    def _work(self, budget: int | None = BUDGET) -> None:
        """Carry out requests, as many as may be done at once."""
        count = 0
        queue = self.queue0
        while not self.stopped and (element := queue.pop()) is not None:
            try:
                request = parse_request(self, element)
            except BadRequest as error:
                queue.discard(element)
                self.fail(str(error))
                break
            count += self._execute(request)
            if budget is not None and (budget := budget - element.out_size - element.in_size) <= 0:
                self._kicked(queue)
                break
        if count:
            queue.notify()

    def started(self) -> None:
        """The machine goes on: try again what has failed, then look for more."""
        self.drive.forget_errors()
        waiting, self.stopped = self.stopped, []
        elements, self.loaded_requests = self.loaded_requests, []
        try:
            waiting += [parse_request(self, element) for element in elements]
        except BadRequest as error:
            self.fail(str(error))
        done = [self._execute(request) for request in waiting]
        if any(done):
            self.queue0.notify()
        if waiting and not self.stopped:
            self._kicked(self.queue0)
        super().started()

    def _stop_machine(self, is_write: bool, error: BlockIOError) -> None:
        self.bus.system.request_stop(RunState.IO_ERROR)

    # -- requests

    def _execute(self, request: Request) -> bool:
        """Carry out one; returns whether it was given back."""
        is_write = bool(request.type & T_OUT) or request.type == Command.FLUSH
        try:
            status = self._status_of(request)
        except BlockIOError as error:
            action = self.drive.handle_error(error, is_write=is_write)
            if action is ErrorAction.STOP:
                self.stopped.append(request)
                return False
            status = S_OK if action is ErrorAction.IGNORE else S_IOERR
        if is_memory(self.space, request.status.address, 1):
            self.space.write(request.status.address, bytes((status,)))
        self.queue0.push(request.element, request.element.in_size)
        return True

    def _status_of(self, request: Request) -> int:
        match request.type & ~T_OUT:  # the bit counts for transfers only
            case 0:
                return self._write(request) if request.type & T_OUT else self._read(request)
            case Command.SCSI:
                return self._refuse_scsi(request.element)
            case Command.FLUSH:
                self.drive.flush()
                return S_OK
            case Command.GET_ID:
                return self._identify(request)
        return S_UNSUPP

    def _refuse_scsi(self, element: Element) -> int:
        """The last but one buffer is what becomes of a command (0.9.5, appendix D)."""
        if len(element.out) < 2 or len(element.in_) < 3:
            return S_IOERR
        scatter(self.space, [element.in_[-2]], SCSI_FAILED)
        return S_UNSUPP

    def _in_range(self, sector: int, length: int) -> bool:
        drive: Drive = self.drive
        sectors, total, block = length // SECTOR, drive.size // SECTOR, self.logical_block_size
        if sectors > MAX_SECTORS or length % block or sector * SECTOR % block:
            return False
        return sector <= total and sectors <= total - sector

    def _read(self, request: Request) -> int:
        if not self._in_range(request.sector, request.in_size):
            self.drive.accounting.read.invalid += 1
            return S_IOERR
        offset, done, total = request.sector * SECTOR, 0, request.in_size
        while done < total:
            data = self.drive.read(offset + done, min(CHUNK, total - done))
            scatter(self.space, request.in_, data, done)
            done += len(data)
        return S_OK

    def _write(self, request: Request) -> int:
        if not self._in_range(request.sector, request.out_size):
            self.drive.accounting.write.invalid += 1
            return S_IOERR
        if self.drive.read_only:
            return S_IOERR
        offset, done, total = request.sector * SECTOR, 0, request.out_size
        while done < total:
            data = gather(self.space, request.out, done, min(CHUNK, total - done))
            self.drive.write(offset + done, data)
            done += len(data)
        return S_OK

    def _identify(self, request: Request) -> int:
        text = (self.serial or self.drive.serial).encode("latin-1", "replace") + b"\0"
        scatter(self.space, request.in_, text[: min(ID_SIZE, request.in_size)])
        return S_OK


@device_class("virtio-blk-pci", bus="pci", category="storage", alias="virtio-blk")
class VirtioBlkPci(VirtioPci):
    """A disk behind PCI."""

    device_id = 0x1001
    class_id = 0x0100
    backend_class = VirtioBlk
    backend: VirtioBlk
    default_vectors = 2
