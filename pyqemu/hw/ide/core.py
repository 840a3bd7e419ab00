"""An IDE channel: two places for drives, the registers that they share, and the transfers through the data
port.

What is common to all drives is here: the task file of each of the two places (`Unit`), the data port,
selection, resets, the interrupt. What a drive does with a command is its `Model` (`ata.AtaDisk`,
`atapi.AtapiDrive`).

**Time.** A command does nothing at once: it sets BSY and leaves the rest to a timer a microsecond later, so
that a guest sees BSY first and the interrupt after. A guest that polls the status register needs no timer to
come: a read that showed BSY completes what is due, so that the next one shows the result.

**Data.** A block is one `bytes` object and a position in it; a read of the data port is an index and an
addition. The CPU's string instructions take the rest of a block at once (`IdeBus.read_block`,
`IdeBus.write_block`).
"""

from __future__ import annotations

import enum
import sys
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from pyqemu.hw.core.bus import DeviceBus
from pyqemu.hw.ide import registers as r
from pyqemu.system import Clock, Irq, System

if TYPE_CHECKING:
    from pyqemu.hw.ide.devices import IdeDevice

__all__ = ["COMPLETION_DELAY", "BusMaster", "EndTransfer", "IdeBus", "Model", "Unit"]

COMPLETION_DELAY = 1_000  # ns from a command to its first effect


class EndTransfer(enum.IntEnum):
    """What happens when a block has gone through the data port. The values are those of the saved state."""

    SECTOR_READ = 0
    SECTOR_WRITE = 1
    PACKET_REPLY = 2
    STOP = 3
    PACKET_COMMAND = 4
    NOTHING = 5


def _words(data: bytes | bytearray) -> Sequence[int]:
    """The little-endian words of a block."""
    if sys.byteorder == "little":
        return memoryview(data).cast("H")
    swapped = array("H", bytes(data))
    swapped.byteswap()
    return swapped


class BusMaster(Protocol):
    """The DMA engine of a channel. Its buffer is what its descriptor table says."""

    @property
    def active(self) -> bool:
        """Whether the guest has started it."""

    @property
    def to_memory_wanted(self) -> bool:
        """Whether the guest has set it to write into memory."""

    def prepare(self, limit: int) -> int:
        """Read descriptors until they hold `limit` bytes or end; the number of bytes they hold."""

    def to_memory(self, data: bytes) -> None:
        """Put data into the buffer."""

    def peek(self, length: int) -> bytes:
        """Data from the buffer. They stay, so that a write that fails can be tried again."""

    def skip(self, length: int) -> None:
        """The data that `peek` showed are through."""

    def finish(self) -> None:
        """The device has transferred all it will. The engine stays active if its buffer is larger."""

    def abandon(self) -> None:
        """The transfer failed, or the buffer was too small: the engine stops."""

    def interrupt(self) -> None:
        """The device raised its interrupt."""


class Model(ABC):
    """What is behind a unit: it executes commands and says what it looks like after a reset."""

    signature: tuple[int, int] = (0, 0)  # of the two upper address registers (ATA/ATAPI-6 9.12)
    status_after_reset = r.STATUS_IDLE

    def __init__(self, unit: Unit) -> None:
        self.unit = unit

    @abstractmethod
    def execute(self, command: int) -> None:
        """Carry out a command; BSY is set before and cleared by whoever finishes it."""

    @abstractmethod
    def end_transfer(self, how: EndTransfer) -> None:
        """A block has gone through the data port."""

    @abstractmethod
    def reset(self) -> None:
        """A power-on or software reset."""


class Unit:
    """One of the two places of a channel: its task file, and the block that is being transferred."""

    def __init__(self, bus: IdeBus, number: int) -> None:
        self.bus = bus
        self.number = number
        self.model: Model | None = None
        self.timer = bus.clock.timer(self._complete)
        self._pending: Callable[[], None] | None = None
        self._stopped: Callable[[], None] | None = None
        self.mult_sectors = 0
        self.identify_set = 0
        self.identify_data = bytearray(512)
        self.feature = self.error = self.nsector = self.sector = self.lcyl = self.hcyl = 0
        self.hob_feature = self.hob_sector = self.hob_nsector = self.hob_lcyl = self.hob_hcyl = 0
        self.select = r.SELECT_FIXED
        self.status = 0
        self.lba48 = 0
        self.sense_key = self.asc = 0
        self.cdrom_changed = 0
        self.tray_open = self.tray_locked = False
        self.new_media = self.eject_request = False
        self.buffer: bytes | bytearray = b""
        self.words: Sequence[int] = b""  # the block on its way to the host, word by word
        self.position = 0
        self.in_end = 0  # end of a block on its way to the host; 0 if there is none
        self.out_end = 0  # the same for one on its way to the drive
        self.end = EndTransfer.NOTHING
        self.hard_reset()

    # -- resets

    def hard_reset(self) -> None:
        """Power on."""
        if event := self.bus.system.trace.ide_reset:
            event(s=id(self))
        self.mult_sectors = 16
        self.identify_set = 0
        self.feature = self.error = 0
        self.hob_feature = self.hob_sector = self.hob_nsector = self.hob_lcyl = self.hob_hcyl = 0
        self.select = r.SELECT_FIXED
        self.lba48 = 0
        self.sense_key = self.asc = 0
        self.soft_reset()
        self.error = 0
        self.status = r.STATUS_IDLE if self.model is not None else 0

    def soft_reset(self) -> None:
        """What SRST and the commands that reset do: forget what is going on, show the signature."""
        self.cancel()
        self.error = r.DIAGNOSTIC_PASSED
        self.set_signature()
        if self.model is not None:
            self.status = self.model.status_after_reset
            self.model.reset()

    def set_signature(self) -> None:
        """Show what kind of device this is."""
        self.select = self.select & r.SELECT_DEV | r.SELECT_FIXED
        self.nsector = self.sector = 1
        self.lcyl, self.hcyl = self.model.signature if self.model is not None else (0xFF, 0xFF)

    # -- time

    def defer(self, action: Callable[[], None]) -> None:
        """Be busy, and do the rest soon."""
        self.status |= r.STATUS_BSY
        self._pending = action
        clock = self.bus.clock
        self.timer.set(clock.now() + self.bus.delay)

    def complete_now(self) -> None:
        """Do what is due without waiting for the timer."""
        if self._pending is not None:
            self.timer.cancel()
            self._complete()

    def _complete(self) -> None:
        action, self._pending = self._pending, None
        if action is not None:
            self.status &= ~r.STATUS_BSY
            action()

    def hold(self, action: Callable[[], None]) -> None:
        """An error stops the machine: stay busy, and try again when it goes on."""
        self.status |= r.STATUS_BSY
        self._stopped = action

    def resume(self) -> None:
        """The machine goes on."""
        action, self._stopped = self._stopped, None
        if action is not None:
            self.defer(action)

    def cancel(self) -> None:
        """Forget the command that is being carried out, and its transfer."""
        self.timer.cancel()
        self._pending = self._stopped = None
        self.status &= ~(r.STATUS_BSY | r.STATUS_DRQ)
        self.position = self.in_end = self.out_end = 0
        self.bus.cancel_dma(self)

    # -- the end of commands

    def finish(self, status: int = r.STATUS_IDLE) -> None:
        """The command is done: say so, with an interrupt."""
        self.status = status
        self.bus.raise_irq()

    def abort(self, error: int = r.ERROR_ABRT) -> None:
        """The command failed, or is none."""
        self.error = error
        self.finish(r.STATUS_DRDY | r.STATUS_ERR)

    # -- transfers through the data port

    def send(self, data: bytes, end: EndTransfer, *, interrupt: bool = True) -> None:
        """Offer a block to the host: an even number of bytes."""
        self.buffer = data
        self.words = _words(data)
        self.position = self.out_end = 0
        self.in_end = len(data)
        self.end = end
        self.status |= r.STATUS_DRQ
        if interrupt:
            self.bus.raise_irq()

    def load_block(self, data: bytes, position: int, *, to_host: bool) -> None:
        """Continue with a block that was saved."""
        self.buffer = bytearray(data)
        self.words = _words(data + bytes(len(data) & 1))
        self.position = position
        self.in_end, self.out_end = (len(data), 0) if to_host else (0, len(data))

    def receive(self, length: int, end: EndTransfer, *, interrupt: bool = True) -> None:
        """Ask the host for a block; `end` finds it in `buffer`."""
        self.buffer = bytearray(length)
        self.position = self.in_end = 0
        self.out_end = length
        self.end = end
        self.status |= r.STATUS_DRQ
        if interrupt:
            self.bus.raise_irq()

    def block_done(self) -> None:
        """The last byte of the block has gone through the port."""
        self.position = self.in_end = self.out_end = 0
        self.status &= ~r.STATUS_DRQ
        if self.model is not None:
            self.model.end_transfer(self.end)


class IdeBus(DeviceBus["IdeDevice"]):
    """A channel: handler of its eight command block ports. `control_ports` handles the control block."""

    type_name = "IDE"
    MAX_UNITS = 2

    def __init__(
        self, system: System, irq: Irq, *, name: str = "ide.0", number: int = 0, delay: int = COMPLETION_DELAY
    ) -> None:
        super().__init__(name, system)
        self.irq = irq
        self.number = number
        self.clock: Clock = system.clock
        self.delay = delay
        self.dma: BusMaster | None = None
        self.cmd = 0  # the device control register; QEMU's name in the saved state
        self._dma_request: tuple[Unit, Callable[[], None]] | None = None
        self.units = [Unit(self, 0), Unit(self, 1)]
        self.unit = 0
        self.selected = self.units[0]
        self.control_ports = ControlPort(self)

    @property
    def devices(self) -> list[IdeDevice]:
        """The drives on the channel."""
        return self.children

    def reset(self) -> None:
        """Power-on reset of the channel and its drives."""
        self.cmd = 0
        self._select(0)
        for unit in self.units:
            unit.hard_reset()
        self.lower_irq()

    # -- interrupt

    def raise_irq(self) -> None:
        """The selected device interrupts. While the guest has that disabled, it is lost, as in QEMU."""
        if not self.cmd & r.CONTROL_NIEN:
            if self.dma is not None:
                self.dma.interrupt()
            self.irq.set(True)

    def lower_irq(self) -> None:
        """The guest has seen the interrupt."""
        self.irq.set(False)

    # -- DMA

    def request_dma(self, unit: Unit, run: Callable[[], None]) -> None:
        """A command has data for the bus master: `run` it as soon as the guest has started the engine."""
        unit.status |= r.STATUS_BSY | r.STATUS_DRQ
        self._dma_request = unit, run
        if self.dma is not None and self.dma.active:
            self.dma_started()

    def dma_started(self) -> None:
        """The guest has started the engine (or a command finds it running)."""
        if self._dma_request is not None:
            (unit, run), self._dma_request = self._dma_request, None
            unit.defer(run)

    def cancel_dma(self, unit: Unit) -> None:
        """The command that waits for the engine was reset away."""
        if self._dma_request is not None and self._dma_request[0] is unit:
            self._dma_request = None

    def complete_now(self) -> None:
        """Do what is due on both drives."""
        for unit in self.units:
            unit.complete_now()

    # -- the command block

    @property
    def empty(self) -> bool:
        """Whether there is no drive at all."""
        return self.units[0].model is None and self.units[1].model is None

    def read(self, offset: int, size: int) -> int:
        """Read a port of the command block; the data port in words or double words."""
        if not offset:
            if size == 2:  # the one case that must be quick: not the last word
                unit = self.selected
                position = unit.position
                if position < unit.in_end - 2:
                    unit.position = position + 2
                    return unit.words[position >> 1]
            return self._read_data(size)
        if size > 1:  # one byte each, as an 8-bit register file on a 16-bit bus
            return int.from_bytes((self.read(offset + n & 7, 1) for n in range(size)), "little")
        value = self._read_register(offset)
        if event := self.system.trace.ide_ioport_read:
            event(addr=offset, reg=r.NAMES_READ[offset], val=value, bus=id(self), s=id(self.selected))
        return value

    def _read_register(self, offset: int) -> int:
        unit = self.selected
        match offset:
            case r.DEVICE:
                return 0 if self.empty else unit.select
            case r.STATUS:
                self.lower_irq()  # first: a drive that gets on with its work may interrupt at once
                return self.read_status()
            case r.ERROR if self.empty or (self.unit and unit.model is None):
                return 0
            case _:
                return 0 if self.empty else self._read_address(unit, offset)

    def _read_address(self, unit: Unit, offset: int) -> int:
        hob = bool(self.cmd & r.CONTROL_HOB)
        match offset:
            case r.ERROR:
                return unit.hob_feature if hob else unit.error
            case r.SECTOR_COUNT:
                return unit.hob_nsector if hob else unit.nsector & 0xFF
            case r.LBA_LOW:
                return unit.hob_sector if hob else unit.sector
            case r.LBA_MID:
                return unit.hob_lcyl if hob else unit.lcyl
            case _:
                return unit.hob_hcyl if hob else unit.hcyl

    def read_status(self) -> int:
        """The status, without the side effect on the interrupt. A drive that shows BSY gets on with it."""
        unit = self.selected
        if self.empty or (self.unit and unit.model is None):
            return 0
        value = unit.status
        if value & r.STATUS_BSY:
            unit.complete_now()
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a port of the command block. Both drives latch the registers; the selected one executes."""
        if offset == 0:
            self._write_data(size, value)
            return
        if size > 1:
            for n in range(size):
                self.write(offset + n & 7, 1, value >> 8 * n & 0xFF)
            return
        if event := self.system.trace.ide_ioport_write:
            event(addr=offset, reg=r.NAMES_WRITTEN[offset], val=value, bus=id(self), s=id(self.selected))
        if offset == r.COMMAND:
            self._command(value)
        elif not self.selected.status & (r.STATUS_BSY | r.STATUS_DRQ):
            self.cmd &= ~r.CONTROL_HOB
            if offset == r.DEVICE:
                self._write_device(value)
            else:
                for unit in self.units:
                    self._latch(unit, offset, value)

    def _latch(self, unit: Unit, offset: int, value: int) -> None:
        match offset:
            case r.FEATURES:
                unit.hob_feature, unit.feature = unit.feature, value
            case r.SECTOR_COUNT:
                unit.hob_nsector, unit.nsector = unit.nsector & 0xFF, value
            case r.LBA_LOW:
                unit.hob_sector, unit.sector = unit.sector, value
            case r.LBA_MID:
                unit.hob_lcyl, unit.lcyl = unit.lcyl, value
            case _:
                unit.hob_hcyl, unit.hcyl = unit.hcyl, value

    def _write_device(self, value: int) -> None:
        self.units[0].select = value & ~r.SELECT_DEV | r.SELECT_FIXED
        self.units[1].select = value | r.SELECT_DEV | r.SELECT_FIXED
        self._select(value >> 4 & 1)

    def _select(self, number: int) -> None:
        self.unit = number
        self.selected = self.units[number]

    def _command(self, command: int) -> None:
        self.cmd &= ~r.CONTROL_HOB
        self.lower_irq()
        unit = self.selected
        model = unit.model
        if model is None:
            return
        if unit.status & (r.STATUS_BSY | r.STATUS_DRQ):
            if command != 0x08 or model.status_after_reset:  # only DEVICE RESET of a packet device gets through
                return
            unit.cancel()
        if event := self.system.trace.ide_exec_cmd:
            event(bus=id(self), state=id(unit), cmd=command)
        unit.error = 0
        unit.status = r.STATUS_DRDY
        unit.defer(lambda: model.execute(command))

    # -- the data port

    def _read_data(self, size: int) -> int:
        unit = self.selected
        position = unit.position
        end = position + size
        if size == 1:
            return 0xFF
        if end > unit.in_end:  # also without a block: in_end is 0
            return 0
        value = int.from_bytes(unit.buffer[position:end], "little")
        unit.position = end
        if end == unit.in_end:
            unit.block_done()
        return value

    def _write_data(self, size: int, value: int) -> None:
        unit = self.selected
        position = unit.position
        end = position + size
        if end > unit.out_end or size == 1:
            return
        assert isinstance(unit.buffer, bytearray)
        unit.buffer[position:end] = value.to_bytes(size, "little")
        unit.position = end
        if end == unit.out_end:
            unit.block_done()

    def read_block(self, offset: int, size: int, count: int) -> bytes:
        """Up to `count` reads of `size` bytes from the data port in one: as many as the block still has.

        Empty if that is none, or the port is another one: the caller then reads one by one.
        """
        unit = self.selected
        position = unit.position
        amount = min(count, (unit.in_end - position) // size) * size
        if offset or amount <= 0 or size == 1:
            return b""
        data = bytes(unit.buffer[position : position + amount])
        unit.position = position + amount
        if unit.position == unit.in_end:
            unit.block_done()
        return data

    def write_block(self, offset: int, size: int, data: bytes) -> int:
        """The same for writes: takes as many whole accesses from `data` as the block has room for, and says
        how many bytes.
        """
        unit = self.selected
        position = unit.position
        amount = min(len(data), unit.out_end - position) // size * size
        if offset or amount <= 0 or size == 1:
            return 0
        assert isinstance(unit.buffer, bytearray)
        unit.buffer[position : position + amount] = data[:amount]
        unit.position = position + amount
        if unit.position == unit.out_end:
            unit.block_done()
        return amount


class ControlPort:
    """The control block: alternate status when read, device control when written."""

    def __init__(self, bus: IdeBus) -> None:
        self.bus = bus

    def read(self, offset: int, size: int) -> int:
        """The status; leaves the interrupt alone."""
        bus = self.bus
        value = bus.read_status()
        if event := bus.system.trace.ide_status_read:
            event(addr=offset, val=value, bus=id(bus), s=id(bus.selected))
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        """Interrupt enable, software reset, and which half of the 48-bit registers is read."""
        bus = self.bus
        if event := bus.system.trace.ide_cmd_write:
            event(addr=offset, val=value, bus=id(bus))
        before, bus.cmd = bus.cmd, value & 0xFF
        if not before & r.CONTROL_SRST and value & r.CONTROL_SRST:
            for unit in bus.units:
                unit.cancel()
                if unit.model is not None:
                    unit.status = r.STATUS_BSY | r.STATUS_DSC
                unit.error = r.DIAGNOSTIC_PASSED
        elif before & r.CONTROL_SRST and not value & r.CONTROL_SRST:
            bus._select(0)
            for unit in bus.units:
                unit.soft_reset()
            bus.lower_irq()
