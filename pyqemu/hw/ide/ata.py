"""The commands of a hard disk (ATA/ATAPI-6 chapter 8).

Each command is a method that `@command` enters into a table under its codes. Sizes of requests come from a
guest, so they are read and written piece by piece: by blocks in PIO, by `DMA_CHUNK` in DMA.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.block import BlockIOError, Drive, ErrorAction
from pyqemu.hw.ide import registers as r
from pyqemu.hw.ide.core import EndTransfer, Model, Unit
from pyqemu.hw.ide.identify import MAX_MULT_SECTORS, DiskParameters, disk_words, lba_words, select_transfer_mode
from pyqemu.hw.ide.smart import Smart

__all__ = ["AtaDisk"]

SECTOR = 512
DMA_CHUNK = 2048 * SECTOR

Command = Callable[["AtaDisk", int], None]


COMMANDS: dict[int, Command] = {}
"""The commands by their codes; filled while the class below is made."""


def command(*codes: int) -> Callable[[Command], Command]:
    """Enter a method into the command table."""

    def register(method: Command) -> Command:
        COMMANDS.update(dict.fromkeys(codes, method))
        return method

    return register


class AtaDisk(Model):
    """A hard disk on a drive that always has a medium."""

    def __init__(self, unit: Unit, drive: Drive, *, serial: str, firmware: str, model: str, wwn: int = 0) -> None:
        super().__init__(unit)
        self.drive = drive
        self.serial, self.firmware, self.model_name, self.wwn = serial, firmware, model, wwn
        geometry = drive.geometry()
        self.geometry = geometry.cylinders, geometry.heads, geometry.sectors
        self.current = self.geometry
        self.smart = Smart()
        self.block_sectors = 1  # that the data port moves at a time; QEMU's req_nb_sectors
        drive.on_resize.append(self.medium_resized)

    def medium_resized(self) -> None:
        """The disk has become longer or shorter: IDENTIFY DEVICE tells."""
        if self.unit.identify_set:
            self._patch_words(lba_words(self.sectors))

    @property
    def sectors(self) -> int:
        return self.drive.size // SECTOR

    def reset(self) -> None:
        self.block_sectors = 1
        self.current = self.geometry

    def execute(self, command: int) -> None:
        method = COMMANDS.get(command)
        if method is None:
            self.unit.abort()
        else:
            method(self, command)

    def end_transfer(self, how: EndTransfer) -> None:
        match how:
            case EndTransfer.SECTOR_READ:
                self._next_read()
            case EndTransfer.SECTOR_WRITE:
                self.unit.defer(self._write_block)
            case _:
                self.unit.status = r.STATUS_IDLE

    # -- addresses

    def _take_count(self, command: int) -> None:
        """Where the command has 48-bit registers, join the halves; a count of zero means the most there can
        be.
        """
        unit = self.unit
        unit.lba48 = int(command in _EXTENDED)
        if unit.lba48:
            unit.nsector = unit.hob_nsector << 8 | unit.nsector & 0xFF or 0x10000
        else:
            unit.nsector = unit.nsector & 0xFF or 0x100

    def _address(self) -> int:
        """The sector that the registers name (ATA/ATAPI-6 6.2); -1 if they name none (CHS sectors count from
        1).
        """
        unit = self.unit
        if not unit.select & r.SELECT_LBA:
            _, heads, sectors = self.current
            if not unit.sector:
                return -1
            return ((unit.hcyl << 8 | unit.lcyl) * heads + (unit.select & 0x0F)) * sectors + unit.sector - 1
        low = unit.hcyl << 16 | unit.lcyl << 8 | unit.sector
        if unit.lba48:
            return unit.hob_hcyl << 40 | unit.hob_lcyl << 32 | unit.hob_sector << 24 | low
        return (unit.select & 0x0F) << 24 | low

    def _set_address(self, address: int) -> None:
        unit = self.unit
        if not unit.select & r.SELECT_LBA:
            _, heads, sectors = self.current
            cylinder, rest = divmod(address, heads * sectors)
            head, sector = divmod(rest, sectors)
            unit.hcyl, unit.lcyl, unit.sector = cylinder >> 8 & 0xFF, cylinder & 0xFF, sector + 1
            unit.select = unit.select & 0xF0 | head & 0x0F
            return
        unit.sector, unit.lcyl, unit.hcyl = address & 0xFF, address >> 8 & 0xFF, address >> 16 & 0xFF
        if unit.lba48:
            unit.hob_sector, unit.hob_lcyl, unit.hob_hcyl = (address >> shift & 0xFF for shift in (24, 32, 40))
        else:
            unit.select = unit.select & 0xF0 | address >> 24 & 0x0F

    def _in_range(self, address: int, count: int) -> bool:
        return 0 <= address <= self.sectors - count

    def _advance(self, count: int) -> None:
        self._set_address(self._address() + count)
        self.unit.nsector -= count

    # -- errors of the host

    def _attempt(self, action: Callable[[], None], again: Callable[[], None], *, is_write: bool) -> bool:
        """Do something to the drive; if that fails, what the drive's policy says. True if the command goes
        on.
        """
        try:
            action()
        except BlockIOError as error:
            match self.drive.handle_error(error, is_write=is_write):
                case ErrorAction.REPORT:
                    self.smart.errors += 1
                    self.unit.abort()
                    return False
                case ErrorAction.STOP:
                    self.unit.hold(again)
                    return False
        return True

    # -- READ and WRITE SECTOR(S), MULTIPLE

    @command(0x20, 0x21, 0x24, 0xC4, 0x29)
    def read_sectors(self, command: int) -> None:
        """8.34, 8.35, 8.30, 8.31: READ SECTOR(S), READ MULTIPLE."""
        if self._start_blocks(command, command in (0xC4, 0x29)):
            self._read_block()

    @command(0x30, 0x31, 0x34, 0xC5, 0x39, 0x3C)
    def write_sectors(self, command: int) -> None:
        """8.62 to 8.65: WRITE SECTOR(S), WRITE MULTIPLE. No interrupt asks for the first block."""
        if self._start_blocks(command, command in (0xC5, 0x39)):
            unit = self.unit
            unit.status = r.STATUS_IDLE
            length = min(unit.nsector, self.block_sectors) * SECTOR
            unit.receive(length, EndTransfer.SECTOR_WRITE, interrupt=False)

    def _start_blocks(self, command: int, multiple: bool) -> bool:
        unit = self.unit
        if multiple and not unit.mult_sectors:
            unit.abort()
            return False
        self.block_sectors = unit.mult_sectors if multiple else 1
        self._take_count(command)
        return True

    def _read_block(self) -> None:
        unit = self.unit
        count = min(unit.nsector, self.block_sectors)
        address = self._address()
        if not self._in_range(address, count):
            self.drive.accounting.read.invalid += 1
            unit.abort()
            return
        data = bytearray(count * SECTOR)

        def read() -> None:
            data[:] = self.drive.read(address * SECTOR, count * SECTOR)

        if self._attempt(read, self._read_block, is_write=False):
            self._advance(count)
            unit.status = r.STATUS_IDLE
            unit.send(bytes(data), EndTransfer.SECTOR_READ)

    def _next_read(self) -> None:
        if self.unit.nsector:
            self.unit.defer(self._read_block)
        else:
            self.unit.status = r.STATUS_IDLE

    def _write_block(self) -> None:
        unit = self.unit
        count = min(unit.nsector, self.block_sectors)
        address = self._address()
        data = unit.buffer
        if not self._in_range(address, count):
            self.drive.accounting.write.invalid += 1
            unit.abort()
            return
        if not self._attempt(lambda: self.drive.write(address * SECTOR, data), self._write_block, is_write=True):
            return
        self._advance(count)
        unit.status = r.STATUS_IDLE
        if unit.nsector:
            unit.receive(min(unit.nsector, self.block_sectors) * SECTOR, EndTransfer.SECTOR_WRITE)
        else:
            unit.finish()

    # -- DMA

    @command(0xC8, 0xC9, 0x25)
    def read_dma(self, command: int) -> None:
        """8.25, 8.26: READ DMA (EXT)."""
        self._take_count(command)
        self.unit.bus.request_dma(self.unit, lambda: self._run_dma(self._read_piece, is_write=False))

    @command(0xCA, 0xCB, 0x35)
    def write_dma(self, command: int) -> None:
        """8.55, 8.56: WRITE DMA (EXT)."""
        self._take_count(command)
        self.unit.bus.request_dma(self.unit, lambda: self._run_dma(self._write_piece, is_write=True))

    def await_dma(self) -> None:
        """Go on with a command that waited for the guest to start the engine when the machine was saved.

        Which command it was is not in the saved state; the engine knows the direction as soon as it is started.
        """
        self.unit.bus.request_dma(self.unit, self._run_awaited)

    def _run_awaited(self) -> None:
        master = self.unit.bus.dma
        is_write = master is not None and not master.to_memory_wanted
        self._run_dma(self._write_piece if is_write else self._read_piece, is_write=is_write)

    def _run_dma(self, piece: Callable[[int, int], None], *, is_write: bool) -> None:
        """Move all sectors between the drive and the bus master's buffer."""
        unit = self.unit
        master = unit.bus.dma
        assert master is not None
        length = unit.nsector * SECTOR
        if master.prepare(length) < length:  # PIIX3: the drive then waits for more for ever; QEMU gives up
            master.abandon()
            unit.status = r.STATUS_IDLE
            return
        if not self._in_range(self._address(), unit.nsector):
            counter = self.drive.accounting.write if is_write else self.drive.accounting.read
            counter.invalid += 1
            master.abandon()
            unit.abort()
            return
        while unit.nsector:
            address, count = self._address(), min(unit.nsector, DMA_CHUNK // SECTOR)

            def move(address: int = address, count: int = count) -> None:
                piece(address * SECTOR, count * SECTOR)

            def again() -> None:
                self._run_dma(piece, is_write=is_write)

            if not self._attempt(move, again, is_write=is_write):
                if unit.status & r.STATUS_ERR:
                    master.abandon()
                return
            self._advance(count)
        master.finish()
        unit.finish()

    def _read_piece(self, offset: int, length: int) -> None:
        assert self.unit.bus.dma is not None
        self.unit.bus.dma.to_memory(self.drive.read(offset, length))

    def _write_piece(self, offset: int, length: int) -> None:
        master = self.unit.bus.dma
        assert master is not None
        self.drive.write(offset, master.peek(length))
        master.skip(length)

    @command(0x06)
    def data_set_management(self, command: int) -> None:
        """ACS-2 7.10, TRIM: the data are sector numbers of 48 bits with counts of 16."""
        if self.unit.feature & 1:
            self._take_count(0x20)
            self.unit.bus.request_dma(self.unit, self._run_trim)
        else:
            self.unit.abort()

    def _run_trim(self) -> None:
        unit = self.unit
        master = unit.bus.dma
        assert master is not None
        length = unit.nsector * SECTOR
        if master.prepare(length) < length:
            master.abandon()
            unit.status = r.STATUS_IDLE
            return
        data = master.peek(length)
        master.skip(length)
        for position in range(0, length, 8):
            entry = int.from_bytes(data[position : position + 8], "little")
            address, count = entry & 0xFFFF_FFFF_FFFF, entry >> 48
            if count and not self._in_range(address, count):
                master.abandon()
                unit.abort()
                return
            if count:
                self.drive.discard(address * SECTOR, count * SECTOR)
        unit.nsector = 0
        master.finish()
        unit.finish()

    # -- commands without data

    @command(0x10, 0x70)
    def seek(self, command: int) -> None:
        """RECALIBRATE, SEEK (8.40)."""
        self.unit.lba48 = 0
        if command == 0x70 and not self._in_range(self._address(), 1):
            self.unit.abort()
        else:
            self.unit.finish()

    @command(0x40, 0x41, 0x42)
    def verify(self, command: int) -> None:
        """8.36: READ VERIFY SECTOR(S) (EXT): in range is good enough."""
        self._take_count(command)
        if self._in_range(self._address(), self.unit.nsector):
            self._advance(self.unit.nsector)
            self.unit.finish()
        else:
            self.unit.abort()

    @command(0xE7, 0xEA)
    def flush_cache(self, command: int) -> None:
        """8.9, 8.10."""
        if self._attempt(self.drive.flush, lambda: self.flush_cache(command), is_write=True):
            self.unit.finish()

    @command(0x90)
    def diagnostic(self, command: int) -> None:
        """8.11: EXECUTE DEVICE DIAGNOSTIC. Both drives of the channel carry it out; both pass."""
        for unit in self.unit.bus.units:
            if unit is not self.unit:
                unit.soft_reset()
        self.unit.set_signature()
        self.unit.error = r.DIAGNOSTIC_PASSED
        self.unit.finish()

    @command(0x91)
    def initialize_parameters(self, command: int) -> None:
        """ATA-5 8.16: INITIALIZE DEVICE PARAMETERS: the geometry that CHS addresses use from now on."""
        unit = self.unit
        heads, sectors = (unit.select & 0x0F) + 1, unit.nsector & 0xFF
        if not sectors:
            unit.abort()
            return
        self.current = min(self.sectors // (heads * sectors), 0xFFFF), heads, sectors
        self._patch_words({54: self.current[0], 55: heads, 56: sectors})
        capacity = self.current[0] * heads * sectors
        self._patch_words({57: capacity & 0xFFFF, 58: capacity >> 16 & 0xFFFF})
        unit.finish()

    @command(0x27, 0xF8)
    def read_native_max(self, command: int) -> None:
        """8.32, 8.33: READ NATIVE MAX ADDRESS (EXT)."""
        self.unit.lba48 = int(command == 0x27)
        last = self.sectors - 1
        self._set_address(last if command == 0x27 else min(last, 0x0FFF_FFFE))
        self.unit.finish()

    @command(0xC6)
    def set_multiple_mode(self, command: int) -> None:
        """8.48: how many sectors a block of READ and WRITE MULTIPLE has; 0 turns these commands off."""
        count = self.unit.nsector & 0xFF
        if count > MAX_MULT_SECTORS or count & (count - 1):
            self.unit.abort()
            return
        self.unit.mult_sectors = count
        self._patch_words({59: 0x100 | count if count else 0})
        self.unit.finish()

    @command(0xE0, 0x94, 0xE1, 0x95, 0xE2, 0x96, 0xE3, 0x97, 0xE6, 0x99)
    def power(self, command: int) -> None:
        """STANDBY (IMMEDIATE), IDLE (IMMEDIATE), SLEEP: there is nothing that turns."""
        self.unit.finish(r.STATUS_DRDY)

    @command(0xE5, 0x98)
    def check_power_mode(self, command: int) -> None:
        """8.6: active or idle."""
        self.unit.nsector = 0xFF
        self.unit.finish()

    # -- IDENTIFY DEVICE, SET FEATURES, SMART

    @command(0xEC)
    def identify(self, command: int) -> None:
        """8.12."""
        unit = self.unit
        self._make_words()
        unit.status = r.STATUS_IDLE
        unit.send(bytes(unit.identify_data), EndTransfer.STOP)

    def _make_words(self) -> None:
        """Fill the IDENTIFY data when they are first needed; from then on commands change single words."""
        if self.unit.identify_set:
            return
        self.unit.identify_set = 1
        self.unit.identify_data[:] = disk_words(
            DiskParameters(
                geometry=self.geometry,
                current=self.current,
                sectors=self.sectors,
                serial=self.serial,
                firmware=self.firmware,
                model=self.model_name,
                mult_sectors=self.unit.mult_sectors,
                write_cache=self.drive.write_cache,
                wwn=self.wwn,
            )
        )

    def _patch_words(self, words: dict[int, int]) -> None:
        self._make_words()
        for index, value in words.items():
            self.unit.identify_data[2 * index : 2 * index + 2] = value.to_bytes(2, "little")

    @command(0xEF)
    def set_features(self, command: int) -> None:
        """8.46."""
        unit = self.unit
        match unit.feature:
            case 0x02 | 0x82:  # write cache on, off
                self._set_write_cache(unit.feature == 0x02)
                return
            case 0x03:  # transfer mode
                self._make_words()
                if not select_transfer_mode(unit.identify_data, unit.nsector & 0xFF):
                    unit.abort()
                    return
            # Read look-ahead, reverting to defaults, power and acoustic management: nothing to do.
            case 0x05 | 0x85 | 0x42 | 0xC2 | 0x55 | 0xAA | 0x66 | 0xCC | 0x67 | 0x96 | 0x9A | 0x69:
                pass
            case _:
                unit.abort()
                return
        unit.finish()

    def _set_write_cache(self, on: bool) -> None:
        self.drive.write_cache = on
        self._patch_words({85: 1 << 14 | on << 5 | 1})
        if on or self._attempt(self.drive.flush, lambda: self._set_write_cache(on), is_write=True):
            self.unit.finish()

    @command(0xB0)
    def smart_command(self, command: int) -> None:
        """8.54: the cylinder registers hold the key C24Fh."""
        unit, smart = self.unit, self.smart
        data: bytes | None = None
        good = (unit.hcyl, unit.lcyl) == (0xC2, 0x4F) and (smart.enabled or unit.feature == 0xD8)
        match unit.feature if good else None:
            case 0xD8 | 0xD9:
                smart.enabled = unit.feature == 0xD8
            case 0xD2:
                good = unit.nsector in (0x00, 0xF1)
                smart.autosave = unit.nsector == 0xF1 if good else smart.autosave
            case 0xD3:  # save attribute values
                pass
            case 0xDA:  # status: the key comes back if all is well
                unit.hcyl, unit.lcyl = 0xC2, 0x4F
            case 0xD0:
                data = smart.read_data()
            case 0xD1:
                data = smart.read_thresholds()
            case 0xD4:
                good = smart.run_selftest(unit.sector)
            case 0xD5:
                data = smart.read_log(unit.sector)
                good = data is not None
            case _:
                good = False
        if not good:
            unit.abort()
        elif data is None:
            unit.finish()
        else:
            unit.status = r.STATUS_IDLE
            unit.send(data, EndTransfer.STOP)


_EXTENDED = frozenset((0x24, 0x25, 0x27, 0x29, 0x34, 0x35, 0x39, 0x42))
