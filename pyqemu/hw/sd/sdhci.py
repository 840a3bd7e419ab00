"""The standard SD host controller (SD Host Controller Simplified Specification 2.00; its sections).

A command is over when its register's write ends, and so is a transfer by DMA, except where it has to wait for software:
for data at the buffer port, or for a new address at a boundary of the system's memory (SDMA).
"""

from __future__ import annotations

from typing import Any

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.hw.sd.sd import SdCard
from pyqemu.memory import AddressSpace
from pyqemu.qom import Property, device_class
from pyqemu.qom.vmstate import U8, U16, U32, U64, Array, Bool, Buffer, Reader, Scope, Timer64, VMState
from pyqemu.system import Clock, Irq

# fmt: off
SDMASYSAD, BLKSIZE, BLKCNT, ARGUMENT, TRNMOD, CMDREG, RSPREG0   = 0x00, 0x04, 0x06, 0x08, 0x0C, 0x0E, 0x10
BDATA, PRNSTS, HOSTCTL, PWRCON, CLKCON, TIMEOUTCON, SWRST       = 0x20, 0x24, 0x28, 0x29, 0x2C, 0x2E, 0x2F
NORINTSTS, ERRINTSTS, NORINTSTSEN, ERRINTSTSEN                  = 0x30, 0x32, 0x34, 0x36
NORINTSIGEN, ERRINTSIGEN, ACMD12ERRSTS, CAPAREG, MAXCURR        = 0x38, 0x3A, 0x3C, 0x40, 0x48
ADMAERR, ADMASYSADDR, SLOT_INT_STATUS, HCVER                    = 0x54, 0x58, 0xFC, 0xFE

TRNS_DMA, TRNS_COUNT, TRNS_ACMD12, TRNS_READ, TRNS_MULTI        = 0x01, 0x02, 0x04, 0x10, 0x20      # 2.2.5
CMD_RESPONSE, CMD_DATA                                          = 0x03, 0x20                        # 2.2.6
CMD_INHIBIT, DATA_INHIBIT, DAT_ACTIVE                           = 1 << 0, 1 << 1, 1 << 2            # 2.2.9
WRITE_ACTIVE, READ_ACTIVE, SPACE_AVAILABLE, DATA_AVAILABLE      = 1 << 8, 1 << 9, 1 << 10, 1 << 11
CARD_LINES, CARD_PRESENT, WRITE_ENABLED                         = 0x01F0_0000, 7 << 16, 1 << 19
INT_COMMAND, INT_TRANSFER, INT_DMA, INT_WRITE, INT_READ         = 1 << 0, 1 << 1, 1 << 3, 1 << 4, 1 << 5
INT_INSERTED, INT_REMOVED, INT_ERROR                            = 1 << 6, 1 << 7, 1 << 15           # 2.2.18
ERR_COMMAND_TIMEOUT, ERR_ADMA                                   = 1 << 0, 1 << 9                    # 2.2.19
RESET_ALL, RESET_COMMAND, RESET_DATA                            = 1, 2, 4                           # 2.2.17
ADMA_VALID, ADMA_END, ADMA_INT, ADMA_ACTION, ADMA_TRANSFER, ADMA_LINK = 1, 2, 4, 0x30, 0x20, 0x30   # 1.13.4
# fmt: on
CLOCK_STABLE = 2
MAX_DESCRIPTORS = 0x10000
"""Of one ADMA transfer: a table may lead back to itself."""
VERSION = 0x2401


class _Fifo(Buffer):
    """As long as the largest block."""

    def write(self, device: object, out: bytearray) -> list[dict[str, Any]]:
        self.length = len(self.fetch(device))
        return super().write(device, out)

    def read(self, reader: Reader, scope: Scope) -> bytes:
        return reader.take(len(self.fetch(scope.device)))


@device_class("generic-sdhci", bus="sysbus", category="storage", user_creatable=False)
class Sdhci(SysBusDevice):
    """The controller.

    :param card: what is in its slot
    :param memory: where DMA goes
    """

    capareg = Property.uint("capareg", 0x057834B4, bits=64)
    maxcurr = Property.uint("maxcurr", 0, bits=64)
    pending_insert_quirk = Property.bool("pending-insert-quirk", False)

    vmstate = VMState(
        "sdhci",
        version=1,
        fields=(
            U32("sdmasysad"), U16("blksize"), U16("blkcnt"), U32("argument"), U16("trnmod"), U16("cmdreg"),
            Array("rspreg", U32, 4), U32("prnsts"), U8("hostctl1"), U8("pwrcon"), U8("blkgap"), U8("wakcon"),
            U16("clkcon"), U8("timeoutcon"), U8("admaerr"), U16("norintsts"), U16("errintsts"), U16("norintstsen"),
            U16("errintstsen"), U16("norintsigen"), U16("errintsigen"), U16("acmd12errsts"),
            U16("data_count", maximum=4096), U64("admasysaddr"), U8("stopped_state"),
            _Fifo("fifo_buffer", 512, since=1), Timer64("insert_timer"), Timer64("transfer_timer"),
        ),
        subsections=(
            VMState("sdhci/pending-insert", fields=(Bool("pending_insert_state"),),
                    needed=lambda host: host.pending_insert_state),
        ),
        post_load=lambda host: host.update(),
    )  # fmt: skip

    def __init__(self, clock: Clock, irq: Irq, card: SdCard, memory: AddressSpace, **props: object) -> None:
        super().__init__(**props)
        self.irq, self.card, self.memory = irq, card, memory
        self.insert_timer = clock.timer(self._inserted)
        self.transfer_timer = clock.timer(self._continue)
        self.fifo_buffer = bytearray(512 << (self.capareg >> 16 & 3))  # 2.2.26, maximum block length
        self.add_registers("sdhci", 0x100, self)
        self.reset()
        card.inserted.connect(self._card_changed)

    def reset(self) -> None:
        """2.2.17, for all: what is in the slot stays."""
        self.sdmasysad = self.blksize = self.blkcnt = self.argument = self.trnmod = self.cmdreg = 0
        self.rspreg = [0] * 4
        self.hostctl1 = self.pwrcon = self.blkgap = self.wakcon = self.clkcon = self.timeoutcon = 0
        self.admaerr = self.norintsts = self.errintsts = self.norintstsen = self.errintstsen = 0
        self.norintsigen = self.errintsigen = self.acmd12errsts = self.data_count = 0
        self.admasysaddr = 0
        self.stopped_state = 0
        self.pending_insert_state = False
        self._show_card()
        if self.pending_insert_quirk and self.card.inserted.level:
            self.pending_insert_state = True
        self.update()

    def _show_card(self) -> None:
        present = CARD_PRESENT if self.card.inserted.level else 0
        writable = 0 if self.card.protected.level else WRITE_ENABLED
        self.prnsts = CARD_LINES | present | writable

    def _card_changed(self, level: bool) -> None:
        self._show_card()
        self._status(INT_INSERTED if level else INT_REMOVED)
        self.update()

    def _inserted(self) -> None:
        self._card_changed(self.card.inserted.level)

    def _status(self, bits: int) -> None:
        """2.2.20: what is not enabled is not noted."""
        self.norintsts |= bits & self.norintstsen

    def _error(self, bits: int) -> None:
        found = bits & self.errintstsen
        self.errintsts |= found
        if found:
            self.norintsts |= INT_ERROR

    def update(self) -> None:
        """Drive the interrupt from state."""
        normal, error = self.norintsts & self.norintsigen, self.errintsts & self.errintsigen
        self.irq.set(bool(normal or error))

    # -- commands

    def _send_command(self) -> None:
        response = self.card.do_command(self.cmdreg >> 8 & 0x3F, self.argument)
        wanted = {0: 0, 1: 16}.get(self.cmdreg & CMD_RESPONSE, 4)
        if wanted and (response is None or len(response) != wanted):
            self._error(ERR_COMMAND_TIMEOUT)
            return
        if response and wanted == 16:  # 2.2.7: without its checksum
            words = [int.from_bytes(response[:-1].rjust(16, b"\0")[n : n + 4], "big") for n in (12, 8, 4, 0)]
            self.rspreg = words
        elif response and wanted:
            self.rspreg[0] = int.from_bytes(response, "big")
        self._status(INT_COMMAND)
        if self.cmdreg & CMD_DATA and self.blksize & 0xFFF:
            self._begin()
        elif self.cmdreg & CMD_RESPONSE == 3:
            self._status(INT_TRANSFER)  # it is busy no more

    def _begin(self) -> None:
        reading = bool(self.trnmod & TRNS_READ)
        self.prnsts |= DATA_INHIBIT | DAT_ACTIVE | (READ_ACTIVE if reading else WRITE_ACTIVE)
        self.data_count = 0
        if not self.trnmod & TRNS_DMA:
            self._next_block()
        elif self.hostctl1 & 0x18 >= 0x10:
            self._adma()
        else:
            self._sdma()

    @property
    def _length(self) -> int:
        """Bytes of a block."""
        return self.blksize & 0xFFF

    def _blocks_left(self) -> bool:
        """Whether there is another block after one was moved."""
        if not self.trnmod & TRNS_MULTI:
            return False
        if not self.trnmod & TRNS_COUNT:
            return True
        self.blkcnt -= 1
        return self.blkcnt > 0

    def _end(self) -> None:
        """2.2.18: the transfer is complete."""
        if self.trnmod & TRNS_ACMD12:
            response = self.card.do_command(12, 0)
            if response:
                self.rspreg[3] = int.from_bytes(response, "big")
        self.prnsts &= ~(DATA_INHIBIT | DAT_ACTIVE | READ_ACTIVE | WRITE_ACTIVE | SPACE_AVAILABLE | DATA_AVAILABLE)
        self._status(INT_TRANSFER)

    # -- the buffer port

    def _next_block(self) -> None:
        """Fill the buffer, or wait for software to do it."""
        self.data_count = 0
        if self.trnmod & TRNS_READ:
            length = min(self._length, len(self.fifo_buffer))
            self.fifo_buffer[:length] = self.card.read(length)
            self.prnsts |= DATA_AVAILABLE
            self._status(INT_READ)
        else:
            self.prnsts |= SPACE_AVAILABLE
            self._status(INT_WRITE)

    def _read_port(self, size: int) -> int:
        if not self.prnsts & DATA_AVAILABLE:
            return 0
        piece = self.fifo_buffer[self.data_count : self.data_count + size]
        self._count(size)
        return int.from_bytes(piece, "little")

    def _write_port(self, size: int, value: int) -> None:
        if not self.prnsts & SPACE_AVAILABLE:
            return
        end = min(self.data_count + size, len(self.fifo_buffer))
        data = value.to_bytes(size, "little")
        self.fifo_buffer[self.data_count : end] = data[: end - self.data_count]
        self._count(size)

    def _count(self, size: int) -> None:
        self.data_count += size
        length = min(self._length, len(self.fifo_buffer))
        if self.data_count < length:
            return
        if not self.trnmod & TRNS_READ:
            self.card.write(bytes(self.fifo_buffer[:length]))
        self.prnsts &= ~(DATA_AVAILABLE | SPACE_AVAILABLE)
        if self._blocks_left():
            self._next_block()
        else:
            self._end()

    # -- DMA

    def _exchange(self, address: int, length: int) -> None:
        """Bytes between card and memory."""
        if self.trnmod & TRNS_READ:
            self.memory.write(address, self.card.read(length))
        else:
            self.card.write(bytes(self.memory.read(address, length)))

    def _sdma(self) -> None:
        """Move blocks up to the next boundary (1.9)."""
        boundary = 4096 << (self.blksize >> 12 & 7)
        while True:
            length = min(self._length - self.data_count, boundary - self.sdmasysad % boundary)
            self._exchange(self.sdmasysad, length)
            self.sdmasysad = self.sdmasysad + length & 0xFFFF_FFFF
            self.data_count += length
            if self.data_count == self._length:
                self.data_count = 0
                if not self._blocks_left():
                    self._end()
                    return
            if self.sdmasysad % boundary == 0:
                self._status(INT_DMA)
                return

    def _continue(self) -> None:
        """Software has given another address."""
        if self.prnsts & DAT_ACTIVE and self.trnmod & TRNS_DMA:
            self._sdma()
            self.update()

    def _adma(self) -> None:
        """Descriptors of 8 or 12 bytes tell what goes where (1.13)."""
        wide = self.hostctl1 & 0x18 == 0x18
        size = 12 if wide else 8
        for _ in range(MAX_DESCRIPTORS):
            descriptor = bytes(self.memory.read(self.admasysaddr, size))
            attributes = descriptor[0]
            address = int.from_bytes(descriptor[4:size], "little")
            if not attributes & ADMA_VALID:
                break
            action = attributes & ADMA_ACTION
            if action == ADMA_TRANSFER:
                self._exchange(address, int.from_bytes(descriptor[2:4], "little") or 0x10000)
            if attributes & ADMA_INT:
                self._status(INT_DMA)
            self.admasysaddr = address if action == ADMA_LINK else self.admasysaddr + size
            if attributes & ADMA_END:
                self.blkcnt = 0
                self._end()
                return
        self.admaerr = 1
        self._error(ERR_ADMA)
        self.prnsts &= ~(DATA_INHIBIT | DAT_ACTIVE | READ_ACTIVE | WRITE_ACTIVE)

    # -- registers, 2.1

    def read(self, offset: int, size: int) -> int:
        """Read a register, or a part of one."""
        if offset & ~3 == BDATA:
            value = self._read_port(size)
            self.update()
            return value
        return self._word(offset & ~3) >> 8 * (offset & 3) & (1 << 8 * size) - 1

    def _word(self, offset: int) -> int:
        if RSPREG0 <= offset < BDATA:
            return self.rspreg[offset - RSPREG0 >> 2]
        words = {
            0x00: self.sdmasysad, 0x04: self.blksize | self.blkcnt << 16, 0x08: self.argument,
            0x0C: self.trnmod | self.cmdreg << 16, 0x24: self.prnsts,
            0x28: self.hostctl1 | self.pwrcon << 8 | self.blkgap << 16 | self.wakcon << 24,
            0x2C: self.clkcon | self.timeoutcon << 16, 0x30: self.norintsts | self.errintsts << 16,
            0x34: self.norintstsen | self.errintstsen << 16, 0x38: self.norintsigen | self.errintsigen << 16,
            0x3C: self.acmd12errsts, 0x40: self.capareg & 0xFFFF_FFFF, 0x44: self.capareg >> 32,
            0x48: self.maxcurr & 0xFFFF_FFFF, 0x4C: self.maxcurr >> 32, 0x54: self.admaerr,
            0x58: self.admasysaddr & 0xFFFF_FFFF, 0x5C: self.admasysaddr >> 32,
            0xFC: VERSION << 16 | self.irq.level,
        }  # fmt: skip
        return words.get(offset, 0)

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register, or a part of one."""
        if offset & ~3 == BDATA:
            self._write_port(size, value)
        else:
            shift = 8 * (offset & 3)
            mask = ((1 << 8 * size) - 1) << shift
            self._set_word(offset & ~3, value << shift, mask)
        self.update()

    def _set_word(self, offset: int, value: int, mask: int) -> None:
        merged = self._word(offset) & ~mask | value
        low, high = merged & 0xFFFF, merged >> 16
        match offset:
            case 0x00:
                self.sdmasysad = merged
                if mask >> 24:  # its last byte goes on with a transfer that waits
                    self._continue()
            case 0x04:
                self.blksize, self.blkcnt = low & 0x7FFF, high
            case 0x08:
                self.argument = merged
            case 0x0C:
                self.trnmod = low & 0x37
                if mask >> 24:
                    self.cmdreg = high & 0x3FFB
                    self._send_command()
            case 0x28:
                self.hostctl1, self.pwrcon = merged & 0xFF, merged >> 8 & 0xFF
                self.blkgap, self.wakcon = merged >> 16 & 0x0F, merged >> 24 & 0x07
            case 0x2C:
                self._write_clock(low, high & 0x0F, value >> 24)
            case 0x30:
                self._clear_status(value)
            case 0x34:
                self._enable_status(low, high)
            case 0x38:
                self.norintsigen, self.errintsigen = low, high
            case 0x58:
                self.admasysaddr = self.admasysaddr & ~0xFFFF_FFFF | merged
            case 0x5C:
                self.admasysaddr = self.admasysaddr & 0xFFFF_FFFF | merged << 32

    def _write_clock(self, control: int, timeout: int, reset: int) -> None:
        self.clkcon = control & ~CLOCK_STABLE | (CLOCK_STABLE if control & 1 else 0)
        self.timeoutcon = timeout
        if reset & RESET_ALL:
            self.reset()
        if reset & RESET_COMMAND:
            self.norintsts &= ~INT_COMMAND
        if reset & RESET_DATA:
            self.data_count = 0
            self.prnsts &= ~0xF07 & 0xFFFF_FFFF
            self.norintsts &= ~(INT_TRANSFER | INT_DMA | INT_READ | INT_WRITE)

    def _clear_status(self, value: int) -> None:
        self.norintsts &= ~(value & ~INT_ERROR & 0xFFFF)
        self.errintsts &= ~(value >> 16)
        if not self.errintsts:
            self.norintsts &= ~INT_ERROR

    def _enable_status(self, normal: int, error: int) -> None:
        self.norintstsen, self.errintstsen = normal & 0x7FFF, error
        self.norintsts &= self.norintstsen | INT_ERROR
        self.errintsts &= self.errintstsen
        if not self.errintsts:
            self.norintsts &= ~INT_ERROR
        if self.pending_insert_state and normal & INT_INSERTED:  # the Raspberry Pi's tells of a card that was there
            self.pending_insert_state = False
            self._status(INT_INSERTED)
