"""Two Intel 8237A DMA controllers with page registers, as a PC has them (data sheet 231466-005).

Channels 0 to 3 move bytes, 5 to 7 words; channel 4 cascades. A device that has a transfer for memory asks by
``hold_dreq``; when its channel is open, its handler is called with how far the transfer has come and how long it
is, moves what it can through ``read_memory`` and ``write_memory``, and returns how far it is now.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.memory import AddressSpace
from pyqemu.qom.vmstate import I32, U8, U16, Array, LoadError, Values, VMState
from pyqemu.util.trace_events import SILENT, TraceEvents

TransferHandler = Callable[[int, int, int], int]
"""``handler(channel number, position, size)`` returns the new position; both count bytes from the start."""

PAGE_OF_PORT = {7: 0, 3: 1, 1: 2, 2: 3}
"""Channel of a page register, by its port modulo 8."""

MODE_DECREMENT, MODE_AUTO_INIT = 0x20, 0x10
TYPE_VERIFY, TYPE_TO_MEMORY, TYPE_FROM_MEMORY = range(3)
COMMAND_DISABLE = 0x04
ADDRESS, COUNT = 0, 1


class DmaChannel:
    """One channel, as the controller and the device at its DREQ and DACK lines see it."""

    vmstate = VMState(
        "dma_regs",
        version=1,
        fields=(
            Array("now", I32, 2, minimum=0, maximum=0x20000),
            Array("base", U16, 2), U8("mode"), U8("page"), U8("pageh"), U8("dack"), U8("eop"),
        ),
    )  # fmt: skip

    def __init__(self, controller: I8257, number: int) -> None:
        self.controller = controller
        self.number = number
        self.handler: TransferHandler | None = None
        self.page = 0
        self.pageh = 0
        self.dack = self.eop = 0  # only for the migration stream
        self.reset()

    def reset(self) -> None:
        """Master clear does not touch page registers."""
        self.now = [0, 0]  # address as loaded (in bytes), bytes transferred
        self.base = [0, 0]
        self.mode = 0

    # ---- the device's side ----

    def set_handler(self, transfer: TransferHandler) -> None:
        """Connect a device."""
        self.handler = transfer

    def hold_dreq(self) -> None:
        """Ask for service; it may be given before this returns."""
        self.controller.request(self.number, True)

    def release_dreq(self) -> None:
        """Take the request back."""
        self.controller.request(self.number, False)

    @property
    def size(self) -> int:
        """Bytes of the whole transfer."""
        return self.base[COUNT] + 1 << self.controller.dshift

    @property
    def transfer_type(self) -> int:
        """TYPE_VERIFY, TYPE_TO_MEMORY or TYPE_FROM_MEMORY."""
        return self.mode >> 2 & 3

    @property
    def auto_init(self) -> bool:
        """Whether it starts over at the end."""
        return bool(self.mode & MODE_AUTO_INIT)

    def read_memory(self, position: int, length: int) -> bytes:
        """Fetch ``length`` bytes of the transfer from ``position`` on."""
        out = b"".join(self.controller.memory.read(address, n) for address, n in self._spans(position, length))
        return out[::-1] if self.mode & MODE_DECREMENT else out

    def write_memory(self, position: int, data: bytes) -> None:
        """Store ``data`` at ``position`` of the transfer; a verify transfer stores nothing."""
        if self.transfer_type == TYPE_VERIFY:
            return
        if self.mode & MODE_DECREMENT:
            data = data[::-1]
        done = 0
        for address, length in self._spans(position, len(data)):
            self.controller.memory.write(address, data[done : done + length])
            done += length

    def _spans(self, position: int, length: int) -> list[tuple[int, int]]:
        """Physical ranges, ascending: the address counter wraps within 64 Ki units, the page stays."""
        shift = self.controller.dshift
        window = 0x10000 << shift
        page = (self.pageh & 0x7F) << 24 | (self.page & (0xFE if shift else 0xFF)) << 16
        if self.mode & MODE_DECREMENT:
            start = self.now[ADDRESS] - position - length + (1 << shift) & window - 1
        else:
            start = self.now[ADDRESS] + position & window - 1
        spans = []
        while length:
            count = min(length, window - start)
            spans.append((page | start, count))
            start, length = 0, length - count
        return spans


def _same_width(controller: I8257, values: Values) -> None:
    if values["dshift"] != controller.dshift:
        raise LoadError(f"dshift: expected {controller.dshift}, found {values['dshift']}")


class I8257:
    """One controller. ``dshift`` is 0 for the byte controller, 1 for the word controller.

    ``read``/``write`` take the register number (0 to 15) times ``1 << dshift`` as offset; ``pages`` is the
    handler for its eight page registers.
    """

    vmstate = VMState(
        "dma",
        version=1,
        fields=(
            U8("command"), U8("mask"), U8("flip_flop", maximum=1), I32("dshift", minimum=0, maximum=1),
            Array("channels", DmaChannel.vmstate, 4, wire="regs", since=1),
        ),
        check=_same_width,
    )  # fmt: skip

    def __init__(self, memory: AddressSpace, dshift: int, trace: TraceEvents = SILENT) -> None:
        self.trace = trace
        self.memory = memory
        self.dshift = dshift
        self.channels = [DmaChannel(self, number) for number in range(4)]
        self.pages = PageRegisters(self)
        self.dreq = 0
        self.running = False
        self.reset()

    def reset(self) -> None:
        """RESET or master clear."""
        self.command = 0
        self.status = 0  # bits 0 to 3: terminal count reached
        self.mask = 15
        self.flip_flop = 0
        self.requests = 0  # by software

    # ---- transfers ----

    def request(self, number: int, level: bool) -> None:
        """DREQ of a channel."""
        if level:
            self.dreq |= 1 << number
            self.run()
        else:
            self.dreq &= ~(1 << number)

    def run(self) -> None:
        """Serve channels, the lowest first, as long as one of them gets on."""
        if self.running:
            return  # a handler asked for more: the loop below will see it
        self.running = True
        try:
            stuck = 0
            while not self.command & COMMAND_DISABLE:
                ready = (self.dreq | self.requests) & ~self.mask & ~stuck & 15
                if not ready:
                    return
                number = (ready & -ready).bit_length() - 1
                if not self._serve(self.channels[number]):
                    stuck |= 1 << number
        finally:
            self.running = False

    def _serve(self, channel: DmaChannel) -> bool:
        """Let a device transfer. Return whether it may be asked again."""
        bit = 1 << channel.number
        self.requests &= ~bit
        before, size = channel.now[COUNT], channel.size
        if channel.handler is None:
            if event := self.trace.i8257_unregistered_dma:
                event(nchan=channel.number | self.dshift << 2, dma_pos=before, dma_len=size)
            return False
        position = channel.handler(channel.number | self.dshift << 2, before, size)
        if position < size:
            channel.now[COUNT] = position
            return position > before
        self.status |= bit
        if channel.auto_init:
            channel.now = [channel.base[ADDRESS] << self.dshift, 0]
        else:
            channel.now[COUNT] = size
            self.mask |= bit
        return False  # a device that wants another round asks again

    # ---- registers ----

    def read(self, offset: int, size: int) -> int:
        """Addresses and counts, status, mask."""
        register = offset >> self.dshift
        if register < 8:
            return self._read_channel(self.channels[register >> 1], register & 1)
        if register == 8:
            value = self.status | (self.dreq | self.requests) << 4
            self.status = 0
            return value & 0xFF
        return 0xF0 | self.mask if register == 15 else 0

    def _read_channel(self, channel: DmaChannel, which: int) -> int:
        done = channel.now[COUNT]
        if which == COUNT:
            value = (channel.size - done >> self.dshift) - 1
        else:
            value = channel.now[ADDRESS] + (-done if channel.mode & MODE_DECREMENT else done) >> self.dshift
        high = self.flip_flop
        self.flip_flop ^= 1
        return value >> 8 & 0xFF if high else value & 0xFF

    def write(self, offset: int, size: int, value: int) -> None:
        """Addresses and counts; the command registers."""
        register = offset >> self.dshift
        if register < 8:
            self._write_channel(self.channels[register >> 1], register & 1, value & 0xFF)
            return
        bit = 1 << (value & 3)
        match register:
            case 8:
                self.command = value
            case 9:
                self.requests = self.requests | bit if value & 4 else self.requests & ~bit
            case 10:
                self.mask = self.mask | bit if value & 4 else self.mask & ~bit
            case 11:
                self.channels[value & 3].mode = value
            case 12:
                self.flip_flop = 0
            case 13:
                self.reset()
            case 14:
                self.mask = 0
            case _:
                self.mask = value & 15
        self.run()

    def _write_channel(self, channel: DmaChannel, which: int, value: int) -> None:
        base = channel.base[which]
        if self.flip_flop:
            base = base & 0x00FF | value << 8
        else:
            base = base & 0xFF00 | value
        channel.base[which] = base
        channel.now = [channel.base[ADDRESS] << self.dshift, 0]
        self.flip_flop ^= 1


class PageRegisters:
    """Address bits 16 to 23 by channel; the registers without a channel are plain memory."""

    def __init__(self, controller: I8257) -> None:
        self.controller = controller
        self.scratch = bytearray(8)

    def read(self, offset: int, size: int) -> int:
        number = PAGE_OF_PORT.get(offset)
        return self.scratch[offset] if number is None else self.controller.channels[number].page

    def write(self, offset: int, size: int, value: int) -> None:
        number = PAGE_OF_PORT.get(offset)
        if number is None:
            self.scratch[offset] = value & 0xFF
        else:
            self.controller.channels[number].page = value & 0xFF


class Dma:
    """Both controllers: ``channels[0..3]`` of 8 bits, ``channels[5..7]`` of 16 (4 is the cascade).

    Ports: ``low`` 00h (16 ports), ``high`` c0h (32), ``low.pages`` 80h (8; 80h itself
    may lie below another device), ``high.pages`` 88h (8).
    """

    def __init__(self, memory: AddressSpace, *, trace: TraceEvents = SILENT) -> None:
        self.low = I8257(memory, 0, trace)
        self.high = I8257(memory, 1, trace)
        self.channels = self.low.channels + self.high.channels

    def reset(self) -> None:
        """RESET of both."""
        self.low.reset()
        self.high.reset()
