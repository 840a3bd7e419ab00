"""SD memory cards, on the SD bus (SD Physical Layer Simplified Specification 3.01; its sections): state and data.

A host sends a command with an argument and gets a response of 4 or 16 bytes, or none; a command may open a transfer,
whose bytes then go over the data lines. Cards of up to 2 GiB are of standard capacity and count in bytes, larger ones
in blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

from pyqemu.block import BlockIOError, Drive
from pyqemu.hw.sd.registers import HIGH_CAPACITY, make_cid, make_csd, make_ssr
from pyqemu.qom import Device, DeviceError, Property
from pyqemu.qom.vmstate import (
    I32,
    U8,
    U16,
    U32,
    U64,
    Array,
    Bitmap,
    Bool,
    Buffer,
    Reader,
    Scope,
    Timer64,
    Unused,
    VMState,
)
from pyqemu.system import Clock, Irq

BLOCK = 512
GROUP_SHIFT = 21
"""Write protection is by groups of 2 MiB."""

# fmt: off
OCR_VOLTAGES, OCR_HIGH_CAPACITY, OCR_POWERED    = 0x00FF_FF00, 1 << 30, 1 << 31     # 5.1
OUT_OF_RANGE, ADDRESS_ERROR, BLOCK_LEN_ERROR    = 1 << 31, 1 << 30, 1 << 29         # 4.10.1
ERASE_SEQ_ERROR, ERASE_PARAM, WP_VIOLATION      = 1 << 28, 1 << 27, 1 << 26
ILLEGAL_COMMAND, ERROR, READY_FOR_DATA, APP_CMD = 1 << 22, 1 << 19, 1 << 8, 1 << 5
STATE_SHIFT, STATE_MASK, CLEARED_BY_RESPONSE    = 9, 0xF << 9, 0xFDF9_8008
# fmt: on
SILENT = None


class State(IntEnum):
    """4.10.1, CURRENT_STATE."""

    INACTIVE = -1
    IDLE = 0
    READY = 1
    IDENTIFICATION = 2
    STANDBY = 3
    TRANSFER = 4
    SENDING = 5
    RECEIVING = 6
    PROGRAMMING = 7
    DISCONNECT = 8


Command = Callable[["Card", int], "bytes | None"]
COMMANDS: dict[int, tuple[frozenset[State], Command]] = {}
APPLICATION: dict[int, tuple[frozenset[State], Command]] = {}
IDENTIFYING = {State.IDLE, State.READY, State.IDENTIFICATION}


def command(
    number: int, *states: State, table: dict[int, tuple[frozenset[State], Command]] = COMMANDS
) -> Callable[[Command], Command]:
    """Register what a command does in the states in which there is such a command (table 4-29)."""

    def register(function: Command) -> Command:
        table[number] = (frozenset(states), function)
        return function

    return register


class _Groups(Bitmap):
    """As many bits as the card has groups."""

    def write(self, device: object, out: bytearray) -> list[dict[str, Any]]:
        self._measure(device)
        return super().write(device, out)

    def read(self, reader: Reader, scope: Scope) -> int:
        self._measure(scope.device)
        bits: int = super().read(reader, scope)
        return bits

    def _measure(self, device: object) -> None:
        assert isinstance(device, Card)
        super().__init__(self.name, (device.size >> GROUP_SHIFT) + 1, wire=self.wire)


class Card(Device):
    """A card, or a slot without one.

    :param inserted: high while there is a card
    :param protected: high while the card must not be written
    :raise DeviceError: the image cannot be a card's
    """

    drive: Property[Drive | None] = Property.link("drive", "drive")
    spi = Property.bool("spi", False)

    vmstate = VMState(
        "sd-card",
        version=2,
        fields=(
            U32("mode", maximum=2), I32("state", minimum=-1, maximum=8), Array("cid", U8, 16), Array("csd", U8, 16),
            U16("rca"), U32("card_status"), Buffer("saved_status", 1, wire="sd_status"), U32("vhs"),
            _Groups("wp_group_bmap", 1), U32("blk_len", maximum=BLOCK), U32("multi_blk_cnt"), U32("erase_start"),
            U32("erase_end"), Array("pwd", U8, 16), U32("pwd_len", maximum=16), Array("function_group", U8, 6),
            U8("current_cmd"), Bool("expecting_acmd"), U32("blk_written"), U64("data_start"),
            U32("data_offset", maximum=BLOCK), Array("data", U8, BLOCK), Unused(512, since=1), Bool("enable"),
        ),
        subsections=(
            VMState("sd-card/ocr-state", fields=(U32("ocr"), Timer64("ocr_power_timer"))),
        ),
    )  # fmt: skip

    def __init__(
        self, clock: Clock, *, inserted: Irq | None = None, protected: Irq | None = None, **props: object
    ) -> None:
        super().__init__(**props)
        if self.spi:
            raise DeviceError("sd-card: the SPI mode is not supported", "spi=off")
        self.inserted, self.protected = inserted or Irq(), protected or Irq()
        self.ocr_power_timer = clock.timer(self.power_up)
        self.enable = True
        if self.drive is not None:
            self.drive.attach(self, removable=True)
            self.drive.on_change.append(self._changed)
            self.drive.want_writes()
        self.reset()

    @property
    def size(self) -> int:
        """Bytes of the card."""
        return self.drive.size if self.drive is not None else 0

    @property
    def high_capacity(self) -> bool:
        """Whether addresses are numbers of blocks."""
        return self.size > HIGH_CAPACITY

    def reset(self) -> None:
        """Power-on."""
        self.cid, self.csd = bytearray(make_cid()), bytearray(make_csd(self.size))
        self.sd_status = bytearray(make_ssr())
        self.wp_group_bmap = 0
        self.function_group = [0] * 6
        self.pwd, self.pwd_len = [0] * 16, 0
        self.ocr = OCR_VOLTAGES
        self.idle()
        present = self.drive is not None and self.drive.inserted
        self.inserted.set(present)
        self.protected.set(present and self.drive is not None and self.drive.read_only)

    def idle(self) -> None:
        """As after CMD0."""
        self.state, self.mode = State.IDLE, 1
        self.rca = self.vhs = self.card_status = 0
        self.card_status = READY_FOR_DATA
        self.blk_len = BLOCK
        self.multi_blk_cnt = self.erase_start = self.erase_end = self.blk_written = 0
        self.current_cmd, self.expecting_acmd = 0, False
        self.data_start = self.data_offset = 0
        self.data = bytearray(BLOCK)
        self._before = State.IDLE
        self._reply = b""  # what is sent that is no block of the medium

    def _changed(self) -> None:
        """Another card, or none: out first, so that the host notices."""
        self.inserted.set(False)
        self.reset()

    def power_up(self) -> None:
        """It is ready to be used."""
        self.ocr |= OCR_POWERED | (OCR_HIGH_CAPACITY if self.high_capacity else 0)

    @property
    def saved_status(self) -> bytes:
        """The part of the SD status that QEMU saves: its first byte, with the width of the bus."""
        return bytes(self.sd_status[:1])

    @saved_status.setter
    def saved_status(self, value: bytes) -> None:
        self.sd_status[:1] = value

    # -- commands

    def do_command(self, number: int, argument: int) -> bytes | None:
        """Carry out a command; its response without framing (empty: there is none), or None if the card is silent."""
        if self.drive is None or not self.drive.inserted or not self.enable or self.state == State.INACTIVE:
            return SILENT
        application, self.expecting_acmd = self.expecting_acmd, False
        found = APPLICATION.get(number) if application else None
        if found is None:
            application, found = False, COMMANDS.get(number)
        if found is None or State(self.state) not in found[0]:
            self.card_status |= ILLEGAL_COMMAND
            return SILENT
        if number not in (12, 13, 55):
            self.current_cmd = number
        if not application:
            self.card_status &= ~APP_CMD
        self._before = State(self.state)
        response = found[1](self, argument)
        self.card_status &= ~APP_CMD if application else -1
        return response

    def r1(self) -> bytes:
        """4.9.1: the card's status, which forgets errors by that. The state is the one before the command."""
        status = self.card_status & ~STATE_MASK | (max(self._before, 0) << STATE_SHIFT)
        self.card_status &= ~CLEARED_BY_RESPONSE
        return status.to_bytes(4, "big")

    def enter(self, state: State) -> None:
        """Go to a state; a response tells the one before."""
        self.state = state

    def send(self, data: bytes) -> bytes:
        """Send bytes that are no block of the medium; R1."""
        self._reply = data
        self.data_offset = 0
        self.enter(State.SENDING)
        return self.r1()

    def address(self, argument: int) -> int:
        """Bytes from the begin of the medium."""
        return argument * BLOCK if self.high_capacity else argument

    # -- data

    @property
    def data_ready(self) -> bool:
        """Whether it has something to send."""
        return self.state == State.SENDING

    def read(self, count: int) -> bytes:
        """The next bytes on the data lines; zeros when it has none."""
        out = bytearray()
        while len(out) < count and self.state == State.SENDING:
            if self.current_cmd not in (17, 18):
                piece = self._reply[self.data_offset : self.data_offset + count - len(out)]
                self.data_offset += len(piece)
                if self.data_offset >= len(self._reply):
                    self.state = State.TRANSFER
            else:
                piece = self._read_block(count - len(out))
            out += piece
        return bytes(out).ljust(count, b"\0")

    def _read_block(self, count: int) -> bytes:
        assert self.drive is not None
        if not self.data_offset:
            if self.data_start + self.blk_len > self.size:
                self.card_status |= OUT_OF_RANGE
                self.state = State.TRANSFER
                return b""
            try:
                self.data[: self.blk_len] = self.drive.read(self.data_start, self.blk_len)
            except BlockIOError:
                self.card_status |= ERROR
        piece = bytes(self.data[self.data_offset : min(self.data_offset + count, self.blk_len)])
        self.data_offset += len(piece)
        if self.data_offset >= self.blk_len:
            self.data_start += self.blk_len
            self.data_offset = 0
            if self.current_cmd == 17 or self._last_of_count():
                self.state = State.TRANSFER
        return piece

    def _last_of_count(self) -> bool:
        if self.multi_blk_cnt:
            self.multi_blk_cnt -= 1
            return self.multi_blk_cnt == 0
        return False

    def write(self, data: bytes) -> None:
        """Bytes come on the data lines."""
        while data and self.state == State.RECEIVING:
            room = self.blk_len - self.data_offset
            piece, data = data[:room], data[room:]
            self.data[self.data_offset : self.data_offset + len(piece)] = piece
            self.data_offset += len(piece)
            if self.data_offset == self.blk_len:
                self._write_block()

    def _write_block(self) -> None:
        assert self.drive is not None
        self.data_offset = 0
        if self.data_start + self.blk_len > self.size:
            self.card_status |= OUT_OF_RANGE
            self.state = State.TRANSFER
            return
        if self.drive.read_only:
            self.card_status |= WP_VIOLATION
        else:
            try:
                self.drive.write(self.data_start, bytes(self.data[: self.blk_len]))
            except BlockIOError:
                self.card_status |= ERROR
        self.data_start += self.blk_len
        self.blk_written += 1
        if self.current_cmd == 24 or self._last_of_count():
            self.state = State.TRANSFER
