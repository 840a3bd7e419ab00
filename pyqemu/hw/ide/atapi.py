"""A CD-ROM drive: the PACKET command and how its data travel (ATA/ATAPI-6 8.23 and 9.5).

The packets' own meaning is in `mmc`. Here a packet is taken from the host, and its answer goes back through
the data port, in blocks no longer than the host's byte count limit, or through the bus master. An answer is a
size and a function that yields its bytes piece by piece, so that no request, however large, is in memory as a
whole.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from pyqemu.block import BlockIOError, Drive, ErrorAction
from pyqemu.hw.ide import mmc
from pyqemu.hw.ide import registers as r
from pyqemu.hw.ide.core import EndTransfer, Model, Unit
from pyqemu.hw.ide.identify import packet_words, select_transfer_mode

__all__ = ["AtapiDrive"]

PACKET_SIZE = 12
DMA_CHUNK = 512 * 1024
Fetch = Callable[[int], bytes]


def _lost(length: int) -> bytes:
    raise mmc.CheckCondition(mmc.ABORTED_COMMAND, mmc.ASC_COMMUNICATION_FAILURE)


class AtapiDrive(Model):
    """A CD-ROM or DVD-ROM drive, with or without a medium."""

    signature = (0x14, 0xEB)
    status_after_reset = 0  # a packet device is not "ready" until it is spoken to (ATA/ATAPI-6 9.12)

    def __init__(self, unit: Unit, drive: Drive, *, serial: str, firmware: str, model: str) -> None:
        super().__init__(unit)
        self.drive = drive
        self.serial, self.firmware, self.model_name = serial, firmware, model
        self.packet = bytes(PACKET_SIZE)
        self._use_dma = False
        self._limit = 0
        self._left = 0  # bytes of the answer that are still to go
        self._ahead = b""  # the begin of that, where it was fetched before its time
        self._fetch: Fetch = bytes
        drive.on_change.append(self.medium_changed)
        drive.tray = self

    # -- the medium

    @property
    def blocks(self) -> int:
        """Blocks of 2048 bytes on the medium."""
        return self.drive.size // mmc.BLOCK

    @property
    def medium_present(self) -> bool:
        """Whether there is a medium and the tray is closed."""
        return not self.unit.tray_open and self.blocks > 0

    def medium_changed(self) -> None:
        """Somebody put in another medium, or took it out."""
        self.move(not self.drive.inserted)

    @property
    def is_open(self) -> bool:
        """Whether the tray is."""
        return self.unit.tray_open

    @property
    def locked(self) -> bool:
        """Whether the guest keeps the tray closed."""
        return self.unit.tray_locked

    def move(self, is_open: bool) -> None:
        """Somebody opened or closed the tray: the guest first sees it open, then the new medium."""
        unit = self.unit
        unit.tray_open = is_open
        unit.cdrom_changed = 1
        unit.new_media = True
        unit.eject_request = False

    def request(self, *, force: bool) -> None:
        """The eject button while the guest has locked the tray: it can find out by asking for events."""
        self.unit.eject_request = True
        if force:
            self.unit.tray_locked = False

    def reset(self) -> None:
        self._left = 0
        self.unit.tray_locked = False

    # -- ATA commands

    def execute(self, command: int) -> None:
        unit = self.unit
        match command:
            case 0xA0:
                self._start_packet()
            case 0x08:  # DEVICE RESET (8.8)
                unit.soft_reset()
                unit.error = 0
            case 0x90:  # EXECUTE DEVICE DIAGNOSTIC (8.11)
                for other in unit.bus.units:
                    other.soft_reset()
                unit.bus.raise_irq()
            case 0xA1:  # IDENTIFY PACKET DEVICE (8.13)
                self._make_words()
                unit.status = r.STATUS_IDLE
                unit.send(bytes(unit.identify_data), EndTransfer.STOP)
            case 0xEC | 0x20:  # commands of disks: fail, and show what this is (8.12)
                unit.set_signature()
                unit.abort()
            case 0xEF:
                self._set_features()
            case 0xE5:  # CHECK POWER MODE
                unit.nsector = 0xFF
                unit.finish()
            case 0x00 | 0xE0 | 0xE1 | 0xE2 | 0xE3 | 0xE6 | 0xE7 if command:  # STANDBY, IDLE, SLEEP, FLUSH CACHE
                unit.finish()
            case _:
                unit.abort()

    def _make_words(self) -> None:
        if not self.unit.identify_set:
            self.unit.identify_set = 1
            self.unit.identify_data[:] = packet_words(self.serial, self.firmware, self.model_name)

    def _set_features(self) -> None:
        unit = self.unit
        good = unit.feature in (0x02, 0x82, 0x66, 0xCC)
        if unit.feature == 0x03:
            self._make_words()
            good = select_transfer_mode(unit.identify_data, unit.nsector & 0xFF)
        if good:
            unit.finish()
        else:
            unit.abort()

    def end_transfer(self, how: EndTransfer) -> None:
        match how:
            case EndTransfer.PACKET_COMMAND:
                self.packet = bytes(self.unit.buffer[:PACKET_SIZE])
                self.unit.defer(self._run_packet)
            case EndTransfer.PACKET_REPLY:
                self.unit.defer(self._next_block)
            case _:
                self.unit.status = r.STATUS_IDLE

    # -- packets

    def _start_packet(self) -> None:
        unit = self.unit
        if unit.feature & 2:  # overlapped
            unit.abort()
            return
        self._use_dma = bool(unit.feature & 1)
        self._limit = unit.hcyl << 8 | unit.lcyl
        unit.nsector = r.REASON_CD
        unit.status = r.STATUS_IDLE
        unit.receive(PACKET_SIZE, EndTransfer.PACKET_COMMAND, interrupt=False)

    def _run_packet(self) -> None:
        try:
            self._check(mmc.PACKETS.get(self.packet[0]))
        except mmc.CheckCondition as condition:
            self.fail(condition.key, condition.asc)

    def _check(self, packet: mmc.Packet | None) -> None:
        """The conditions that come before the packet itself, by rank, and then the packet."""
        unit = self.unit
        always = packet is not None and packet.when is mmc.When.ALWAYS
        if not always and unit.cdrom_changed and not unit.tray_open and self.drive.inserted:
            # Guests that do not ask for events must see that the tray was open in between.
            if unit.cdrom_changed == 1:
                unit.cdrom_changed = 2
                raise mmc.CheckCondition.no_medium()
            unit.cdrom_changed = 0
            raise mmc.CheckCondition(mmc.UNIT_ATTENTION, mmc.ASC_MEDIUM_CHANGED)
        if packet is None:
            raise mmc.CheckCondition(mmc.ILLEGAL_REQUEST, mmc.ASC_INVALID_COMMAND)
        if packet.when is mmc.When.MEDIUM and not self.medium_present:
            raise mmc.CheckCondition.no_medium()
        if packet.has_data and not self._use_dma and not self._limit:  # where to put the data?
            unit.set_signature()
            unit.lcyl = unit.hcyl = 0
            unit.abort()
            return
        packet.run(self)

    def succeed(self) -> None:
        """The packet is done."""
        self.unit.error = 0
        self.unit.nsector = r.REASON_IO | r.REASON_CD
        self.unit.finish()

    def fail(self, key: int, asc: int) -> None:
        """The packet ends with CHECK CONDITION: REQUEST SENSE tells why."""
        unit = self.unit
        unit.sense_key, unit.asc = key, asc
        unit.error = key << 4
        unit.nsector = r.REASON_IO | r.REASON_CD
        unit.finish(r.STATUS_DRDY | r.STATUS_ERR)

    # -- answers

    def reply(self, data: bytes, allocated: int) -> None:
        """Answer with `data`, or as much of it as the host has allocated room for."""
        data = data[:allocated]
        position = 0

        def fetch(length: int) -> bytes:
            nonlocal position
            position += length
            return data[position - length : position]

        self.reply_stream(len(data), fetch)

    def reply_stream(self, length: int, fetch: Fetch) -> None:
        """Answer with `length` bytes, which `fetch(n)` gives in order."""
        self._left, self._ahead, self._fetch = length, b"", fetch
        if length and self._use_dma:
            self.unit.bus.request_dma(self.unit, self._run_dma)
        else:
            self._next_block()

    def look_ahead(self, most: int) -> tuple[bytes, int]:
        """What follows the present block of an answer: its next bytes, at most so many, and the length of all of it."""
        wanted = min(self._left, most)
        if len(self._ahead) < wanted:
            with suppress(BlockIOError, mmc.CheckCondition):  # the guest will see when it comes to that
                self._ahead += self._fetch(wanted - len(self._ahead))
        return self._ahead[:wanted], self._left

    def resume_reply(self, data: bytes, left: int) -> None:
        """Go on with an answer that was saved: with what :meth:`look_ahead` has told. What it has not is lost; the
        command fails when it comes to that, and guests try again."""
        self._left = left
        self._limit = self.unit.hcyl << 8 | self.unit.lcyl  # of the present block: those before the last are as long
        self._ahead, self._fetch = data, _lost

    def _next_block(self) -> None:
        if not self._left:
            self.succeed()
            return
        unit = self.unit
        size = min(self._left, 0xFFFE if self._limit == 0xFFFF else self._limit)
        if size < self._left and size > 1:
            size &= ~1  # only the last block may be odd
        data = self._get(size, self._next_block)
        if data is None:
            return
        self._left -= size
        unit.lcyl, unit.hcyl = size & 0xFF, size >> 8
        unit.nsector = r.REASON_IO
        unit.status = r.STATUS_IDLE
        unit.send(data + bytes(size & 1), EndTransfer.PACKET_REPLY)

    def _run_dma(self) -> None:
        master = self.unit.bus.dma
        assert master is not None
        room = master.prepare(self._left)
        short = room < self._left
        while self._left and room:
            size = min(self._left, room, DMA_CHUNK)
            data = self._get(size, self._run_dma)
            if data is None:
                if self.unit.status & r.STATUS_ERR:
                    master.abandon()
                return
            master.to_memory(data)
            self._left -= size
            room -= size
        if short:
            master.abandon()
        else:
            master.finish()
        self.succeed()

    def _get(self, size: int, again: Callable[[], None]) -> bytes | None:
        """The next bytes of the answer; None if the host could not read them: that has been dealt with."""
        try:
            missing = size - len(self._ahead)
            data = self._ahead[:size] + (self._fetch(missing) if missing > 0 else b"")
            self._ahead = self._ahead[size:]
            return data
        except mmc.CheckCondition as condition:
            self.fail(condition.key, condition.asc)
        except BlockIOError as error:
            match self.drive.handle_error(error, is_write=False):
                case ErrorAction.IGNORE:
                    return bytes(size)
                case ErrorAction.STOP:
                    self.unit.hold(again)
                case ErrorAction.REPORT:
                    self.fail(mmc.MEDIUM_ERROR, mmc.ASC_UNRECOVERED_READ)
        return None
