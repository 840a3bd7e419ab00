"""The floppy disk controller of a PC: Intel 82078 (data sheet 290468-003), two drives, DMA channel 2,
interrupt 6.

A command goes through three phases. In the *command phase* its bytes come through the FIFO port; in the
*execution phase* data go by DMA, or by the FIFO if SPECIFY said so; in the *result phase* the host reads what
came of it. The commands are in `fdc_commands`, the way of the data is in `fdc_transfer`. Commands begin to
execute a moment after their last byte, so that a guest sees the controller busy, and the interrupt after.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from pyqemu.block import Drive
from pyqemu.hw.block import fdc_commands as commands
from pyqemu.hw.block import fdc_registers as r
from pyqemu.hw.block.fdc_state import fdc_vmstate
from pyqemu.hw.block.fdc_transfer import Transfer
from pyqemu.hw.block.floppy import DriveKind, FloppyDrive
from pyqemu.hw.isa.bus import DmaChannel, IsaDevice
from pyqemu.qom import DeviceError, Property, device_class
from pyqemu.system import Irq, Timer

__all__ = ["IsaFdc", "Phase"]

MAX_DRIVES = 2
FIFO_SIZE = 512
COMMAND_DELAY = 1_000  # ns
NO_DRIVE = DriveKind.NONE

_KINDS = tuple(kind.value for kind in DriveKind)


class Phase(enum.IntEnum):
    """The values are those of the saved state."""

    COMMAND = 1
    EXECUTION = 2
    RESULT = 3


@device_class("isa-fdc", description="", bus="isa", category="storage")
class IsaFdc(IsaDevice):
    """The controller. Its drives are there from the start; without a `Drive` behind it, one is missing."""

    iobase = Property.uint("iobase", 0x3F0)
    irq = Property.uint("irq", 6)
    dma = Property.uint("dma", 2)
    drive_a = Property.link("driveA", "drive")
    drive_b = Property.link("driveB", "drive")
    bootindex_a = Property.int("bootindexA", -1)
    bootindex_b = Property.int("bootindexB", -1)
    check_media_rate = Property.bool("check_media_rate", True)
    type_a = Property.enum("fdtypeA", _KINDS, "auto")
    type_b = Property.enum("fdtypeB", _KINDS, "auto")
    fallback = Property.enum("fallback", _KINDS, "288")

    vmstate = fdc_vmstate

    def __init__(self, **props: object) -> None:
        super().__init__(**props)
        self.drives = [FloppyDrive(NO_DRIVE, NO_DRIVE, None) for _ in range(MAX_DRIVES)]
        self.num_floppies = MAX_DRIVES
        self.line = Irq()
        self.channel: DmaChannel | None = None
        self.timer: Timer | None = None
        self.fifo = bytearray(FIFO_SIZE)
        self._power_on()

    def _power_on(self) -> None:
        """What only the reset pin resets."""
        self.lock = 0
        self.timer0 = self.timer1 = 0  # of SPECIFY
        self.no_dma = False
        self.config, self.precomp_trk = r.CONFIG_RESET, 0
        self.pwrd = self.tdr = self.dsr = 0
        self.dor = r.DOR_NRESET | r.DOR_DMA
        self._clear()

    def _clear(self) -> None:
        """What any reset resets."""
        self.sra = 0 if self.drives[1].present else r.SRA_NO_DRIVE2
        self._mirror_dor()
        self.msr = r.MSR_READY
        self.status0 = 0
        self.status1 = self.status2 = self.data_state = self.data_dir = self.eot = 0  # only for the saved state
        self.reset_sensei = 0  # how many SENSE INTERRUPT STATUS are due after a reset
        self.current = self.dor & r.DOR_SELECT
        self.phase = Phase.COMMAND
        self.data_pos = self.data_len = 0
        self.command = commands.INVALID
        self.transfer: Transfer | None = None
        self._action: Callable[[IsaFdc], None] | None = None

    # -- life

    def realize(self) -> None:
        self.timer = self.bus.system.clock.timer(self.complete_now)
        self.line = self.bus.irq(self.irq)
        self.channel = self.bus.dma(self.dma)
        self.channel.set_handler(self._serve_dma)
        fallback = DriveKind(self.fallback)
        for index, (drive, kind) in enumerate(((self.drive_a, self.type_a), (self.drive_b, self.type_b))):
            self._claim(drive)
            self.drives[index] = FloppyDrive(DriveKind(kind), fallback, drive)
        self.bus.register_ports(self.iobase, 6, self, "fdc", access=(1, 1))
        self.bus.register_ports(self.iobase + 7, 1, _LastPort(self), "fdc-dir", access=(1, 1))
        self._power_on()

    def _claim(self, drive: Drive | None) -> None:
        if drive is None:
            return
        if drive.attached_to is not None:
            raise DeviceError(f"Drive '{drive.id}' is already in use by another device", "if=none in its -drive")
        drive.attach(self, removable=True)

    @property
    def cmos_types(self) -> tuple[int, int]:
        """The numbers of the two drives' types for the CMOS (byte 10h)."""
        return self.drives[0].kind.cmos, self.drives[1].kind.cmos

    def reset(self) -> None:
        """Power-on reset."""
        self._stop()
        for drive in self.drives:
            drive.track = drive.head = drive.perpendicular = 0
        self._power_on()

    def soft_reset(self) -> None:
        """The end of a reset by DOR or DSR: an interrupt, and four changes of state to ask for."""
        self._clear()
        for drive in self.drives:
            drive.track = 0
            drive.perpendicular = 0
        if not self.lock:
            self.config, self.precomp_trk = r.CONFIG_RESET, 0
        self.raise_irq(r.ST0_READY_CHANGED)
        self.reset_sensei = 4

    def _stop(self) -> None:
        """Drop what is going on, with its interrupt."""
        self._action = None
        if self.timer is not None:
            self.timer.cancel()
        self.end_execution()
        self.lower_irq()

    # -- time

    def defer(self, action: Callable[[IsaFdc], None], delay: int = COMMAND_DELAY) -> None:
        """Do something soon."""
        assert self.timer is not None
        self._action = action
        self.timer.set(self.bus.system.clock.now() + delay)

    def complete_now(self) -> None:
        """Do what is due."""
        action, self._action = self._action, None
        if action is not None:
            assert self.timer is not None
            self.timer.cancel()
            action(self)

    def after_load(self) -> None:
        """Derive from a loaded state what is not in it."""
        self.current = self.dor & r.DOR_SELECT
        self.phase = Phase(self.phase)
        self.line.set(bool(self.sra & r.SRA_PENDING))
        self.transfer = None
        if self.phase is not Phase.EXECUTION and 0 < self.data_len <= self.data_pos:  # QEMU never says so
            self.to_command_phase()
        if self.phase is Phase.COMMAND and self.data_pos:  # the rest of its bytes will come
            self.command = commands.find(self.fifo[0])
        if self.timer is not None and self.timer.pending:
            self._action = commands.read_id_done
        elif self.phase is Phase.EXECUTION:
            self.transfer = Transfer.resumed(self)
            if self.transfer is None:  # the driver will try again
                self.finish((0, 0, 1), r.ST0_ABNORMAL, r.ST1_BAD_DATA)
            elif not self.msr & r.MSR_NO_DMA:
                self.defer(IsaFdc._ask_for_dma)  # not now: not all devices are loaded

    # -- interrupt

    def raise_irq(self, status0: int) -> None:
        """Interrupt; `status0` is what SENSE INTERRUPT STATUS will say."""
        self.status0 = status0
        self.reset_sensei = 0
        self.sra |= r.SRA_PENDING
        self.line.set(True)

    def lower_irq(self) -> None:
        """The host has seen it."""
        self.sra &= ~r.SRA_PENDING
        self.line.set(False)

    # -- registers

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        match offset:
            case 0:
                return self.sra
            case 1:
                return self.srb
            case 2:
                return self.dor
            case 3:
                return self.tdr
            case 4:
                return self._read_msr()
            case 5:
                return self._read_fifo()
            case 7:
                return r.DIR_CHANGED if self.drive is not None and self.drive.media_changed else 0
            case _:
                return 0xFF

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        match offset:
            case 2:
                self._write_dor(value)
            case 3:
                self.tdr = value & 3
            case 4 if self.dor & r.DOR_NRESET:
                self.dsr = value & ~r.DSR_RESET  # which clears itself
                if value & r.DSR_RESET:
                    self._begin_reset()
            case 5 if self.dor & r.DOR_NRESET:
                self._write_fifo(value)
            case 7:
                self.dsr = self.dsr & ~r.DSR_RATE | value & r.DSR_RATE

    @property
    def drive(self) -> FloppyDrive | None:
        """The drive that DOR or the last command selected; None if there is none."""
        if self.current < MAX_DRIVES and self.drives[self.current].present:
            return self.drives[self.current]
        return None

    def _read_msr(self) -> int:
        """A guest that polls while a command is about to execute need not wait for the timer."""
        value = self.msr if self.dor & r.DOR_NRESET else 0
        if self._action is not None and not self.command.slow and self.timer is not None:
            self.timer.cancel()
            self.complete_now()
        return value

    def _write_dor(self, value: int) -> None:
        before, self.dor = self.dor, value
        self._mirror_dor()
        self.current = value & r.DOR_SELECT
        if before & r.DOR_NRESET and not value & r.DOR_NRESET:
            self._stop()
        elif value & r.DOR_NRESET and not before & r.DOR_NRESET:
            self.dsr &= ~r.DSR_POWERDOWN
            self._begin_reset()

    def _mirror_dor(self) -> None:
        """Status register B shows the motors and the drive."""
        self.srb = r.SRB_RESET | self.dor >> 4 & 3 | (self.dor & 1) << 5

    def _begin_reset(self) -> None:
        self._stop()
        self.msr = 0
        self.command = commands.INVALID
        self.defer(IsaFdc.soft_reset)

    # -- the FIFO port

    def _write_fifo(self, value: int) -> None:
        self.dsr &= ~r.DSR_POWERDOWN
        if self.msr & (r.MSR_READY | r.MSR_TO_HOST) != r.MSR_READY:
            return
        if self.phase is Phase.EXECUTION:
            assert self.transfer is not None
            self.transfer.put_byte(value)
            return
        if self.data_pos == 0:
            self.command = commands.find(value)
            self.data_len = 1 + self.command.parameters
            self.msr |= r.MSR_BUSY
        self.fifo[self.data_pos] = value
        self.data_pos += 1
        if self.data_pos == self.data_len or (self.command.open_ended and self.data_pos > 1 and value & 0x80):
            self.msr &= ~r.MSR_READY
            if self.command.deferred:
                self.defer(self.command.run)
            else:
                self.command.run(self)

    def _read_fifo(self) -> int:
        if not self.dor & r.DOR_NRESET or ~self.msr & (r.MSR_READY | r.MSR_TO_HOST):
            return 0
        if self.phase is Phase.EXECUTION:
            assert self.transfer is not None
            return self.transfer.get_byte()
        self.lower_irq()
        value = self.fifo[self.data_pos]
        self.data_pos += 1
        if self.data_pos == self.data_len:
            self.to_command_phase()
        return value

    # -- phases

    def to_command_phase(self) -> None:
        """Wait for a command."""
        self.phase = Phase.COMMAND
        self.data_pos = self.data_len = 0
        self.msr = r.MSR_READY

    def to_result_phase(self, *result: int) -> None:
        """Offer result bytes."""
        self.phase = Phase.RESULT
        self.fifo[: len(result)] = bytes(result)
        self.data_pos, self.data_len = 0, len(result)
        self.msr = r.MSR_READY | r.MSR_TO_HOST | r.MSR_BUSY

    def execute(self, transfer: Transfer) -> None:
        """Move data: by DMA, or byte by byte through the FIFO port."""
        self.phase = Phase.EXECUTION
        self.transfer = transfer
        if transfer.without_host:
            transfer.run_alone()
        elif self.dor & r.DOR_DMA and not self.no_dma:
            assert self.channel is not None
            self.channel.hold_dreq()  # may be served at once
        else:
            self.msr |= r.MSR_NO_DMA | r.MSR_READY | (r.MSR_TO_HOST if transfer.to_host else 0)
            self.sra |= r.SRA_PENDING
            self.line.set(True)

    def _ask_for_dma(self) -> None:
        if self.channel is not None:
            self.channel.hold_dreq()

    def end_execution(self) -> None:
        """No more data."""
        self.transfer = None
        if self.channel is not None:
            self.channel.release_dreq()

    def finish(self, address: tuple[int, int, int], *status: int) -> None:
        """A command on sectors is done: interrupt, and seven bytes of result.

        `address` is the cylinder, head and sector that come next; `status` are status 0 to 2 as far as not
        zero.
        """
        self.end_execution()
        status0, status1, status2 = (*status, 0, 0, 0)[:3]
        head = self.drive.head if self.drive is not None else address[1]
        status0 |= head << 2 & 4 | self.current
        self.to_result_phase(status0, status1, status2, *address, 2)
        self.raise_irq(status0)

    def _serve_dma(self, _channel: int, position: int, size: int) -> int:
        """The DMA controller has `size - position` bytes for us."""
        if self.transfer is None or self.msr & r.MSR_NO_DMA or self.channel is None:
            if self.channel is not None:
                self.channel.release_dreq()
            return position
        return self.transfer.run_dma(self.channel, position, size)


class _LastPort:
    """The port that lies behind one of the IDE controller's: DIR when read, CCR when written."""

    def __init__(self, fdc: IsaFdc) -> None:
        self.fdc = fdc

    def read(self, offset: int, size: int) -> int:
        return self.fdc.read(7, size)

    def write(self, offset: int, size: int, value: int) -> None:
        self.fdc.write(7, size, value)
