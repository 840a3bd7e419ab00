"""SMSC LAN91C111, a network card with 8 KiB of packet memory (its data sheet, Rev. 1.92; sections are its).

Sixteen bytes of registers show one of four banks; the last two choose it. Packets are in pages of 2 KiB, which the
card's memory unit gives out: to the driver, which fills a page and queues it, and to the receiver.

As in QEMU a packet has left when it is queued, all frames are received whatever the multicast table says, and the
interface to the transceiver is there but does not answer.
"""

from __future__ import annotations

import zlib

from pyqemu.hw.net.sysbus_card import SysBusCard
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import I32, U8, U16, Array, Buffer, VMState
from pyqemu.system import Irq

PAGES, PAGE = 4, 2048
ALL_PAGES = (1 << PAGES) - 1
FAILED = 0x80  #: in place of a page's number: there is none
# fmt: off
BANK, BANK_HIGH                                             = 14, 15
TCR, EPH_STATUS, RCR, COUNTER, MIR                          = 0, 2, 4, 6, 8          # bank 0
CONFIG, BASE, IA, GENERAL, CONTROL                          = 0, 2, 4, 10, 12        # bank 1
MMU, PNR, ARR, TX_FIFO, RX_FIFO, POINTER, DATA, INT, MASK   = 0, 2, 3, 4, 5, 6, 8, 12, 13  # bank 2
MANAGEMENT, REVISION, ERCV                                  = 8, 10, 12              # bank 3

TCR_TXENA, TCR_PAD_EN                                       = 0x0001, 0x0080
RCR_RXEN, RCR_STRIP_CRC, RCR_SOFT_RST                       = 0x0100, 0x0200, 0x8000
CTR_COMMANDS, CTR_AUTO_RELEASE                              = 0x0003, 0x0800
PTR_AUTO_INCR, PTR_RCV, PTR_ADDRESS, PTR_SHOWN              = 0x4000, 0x8000, 0x07FF, 0xF7FF
INT_RCV, INT_TX, INT_TX_EMPTY, INT_ALLOC                    = 0x01, 0x02, 0x04, 0x08
INT_ACKNOWLEDGED                                            = 0xD6
(MMU_NOP, MMU_ALLOCATE, MMU_RESET, MMU_REMOVE_RX, MMU_RELEASE_RX, MMU_RELEASE, MMU_ENQUEUE,
 MMU_RESET_TX)                                              = range(8)

RS_ODD, RS_TOO_LONG                                         = 0x1000, 0x0800         # 6.6
CONTROL_ODD, CONTROL_CRC                                    = 0x20, 0x40
# fmt: on
TX_STATUS = 0x4001  #: of a packet that has left
SHORTEST, LONGEST = 64, 1518
OVERHEAD = 6  #: bytes of a page that are not the frame's: status, count, control byte with its companion
LINK_OK = 0x4000


@device_class("smc91c111", bus="sysbus", user_creatable=False, category="network")
class Smc91c111(SysBusCard):
    """The card."""

    vmstate = VMState(
        "smc91c111",
        version=1,
        fields=(
            U16("tcr"), U16("rcr"), U16("cr"), U16("ctr"), U16("gpr"), U16("ptr"), U16("ercv"),
            I32("bank_select", wire="bank"), I32("packet_num"), I32("tx_alloc"),
            I32("allocated", minimum=0, maximum=ALL_PAGES),
            I32("tx_fifo_len", minimum=0, maximum=PAGES), Array("tx_fifo", I32, PAGES, minimum=0, maximum=PAGES - 1),
            I32("rx_fifo_len", minimum=0, maximum=PAGES), Array("rx_fifo", I32, PAGES, minimum=0, maximum=PAGES - 1),
            I32("tx_fifo_done_len", minimum=0, maximum=PAGES),
            Array("tx_fifo_done", I32, PAGES, minimum=0, maximum=PAGES - 1),
            Buffer("data", PAGES * PAGE), U8("int_level"), U8("int_mask"),
        ),
        pre_save=lambda card: card.before_save(),
        post_load=lambda card: card.loaded(),
    )  # fmt: skip

    def __init__(self, irq: Irq, **props: object) -> None:
        super().__init__(**props)
        self.irq = irq
        self.data = bytearray(PAGES * PAGE)
        self.gpr = 0
        self.tx_queue: list[int] = []
        self.rx_queue: list[int] = []
        self.done_queue: list[int] = []
        self.add_registers("smc91c111-mmio", 0x10, self)
        self._clear()
        self.before_save()

    def _clear(self) -> None:
        """Table in 8.1: as after a reset, of whichever kind."""
        self.tcr = self.rcr = self.ptr = 0
        self.cr, self.ctr, self.ercv = 0xA0B1, 0x1210, 0x1F
        self.bank_select = self.packet_num = self.tx_alloc = self.allocated = 0
        self._forget_packets()
        self.int_level, self.int_mask = INT_TX_EMPTY, 0
        self.update()

    def _forget_packets(self) -> None:
        for queue in (self.tx_queue, self.rx_queue, self.done_queue):
            queue.clear()

    def reset(self) -> None:
        """As after power-on; packet memory keeps what is in it."""
        self._clear()

    def update(self) -> None:
        """Drive the interrupt from state."""
        if not self.tx_queue:
            self.int_level |= INT_TX_EMPTY
        if self.done_queue:
            self.int_level |= INT_TX
        self.irq.set(bool(self.int_level & self.int_mask))

    # -- registers: bytes, of which a wider access is made

    def read(self, offset: int, size: int) -> int:
        """Read one register or several."""
        return sum(self._read_byte(offset + index & 15) << 8 * index for index in range(size))

    def write(self, offset: int, size: int, value: int) -> None:
        """Write one register or several. A word at the end chooses a bank, and nothing else (6.3)."""
        first = 2 if size == 4 and offset == 12 else 0
        for index in range(first, size):
            self._write_byte(offset + index & 15, value >> 8 * index & 0xFF)

    def _read_byte(self, offset: int) -> int:
        if offset >= BANK:
            return self.bank_select & 0xFF if offset == BANK else 0x33
        number, half = offset & ~1, offset & 1
        if self.bank_select == 2:
            return self._read_bank2(offset)
        words = (self._bank0, self._bank1, None, self._bank3)
        bank = words[self.bank_select] if self.bank_select < len(words) else None
        return bank(number) >> 8 * half & 0xFF if bank is not None else 0

    def _bank0(self, number: int) -> int:
        free = PAGES - self.allocated.bit_count()
        return {TCR: self.tcr, EPH_STATUS: LINK_OK, RCR: self.rcr, MIR: free << 8 | PAGES}.get(number, 0)

    def _bank1(self, number: int) -> int:
        if IA <= number < GENERAL:
            return int.from_bytes(self.mac_address[number - IA : number - IA + 2], "little")
        return {CONFIG: self.cr, GENERAL: self.gpr, CONTROL: self.ctr}.get(number, 0)

    def _bank3(self, number: int) -> int:
        return {MANAGEMENT: 0x3330, REVISION: 0x3391, ERCV: self.ercv}.get(number, 0)

    def _read_bank2(self, offset: int) -> int:
        if DATA <= offset < INT:
            return self.data[self._data_place(offset)]
        queues = {TX_FIFO: self.done_queue, RX_FIFO: self.rx_queue}
        if offset in queues:
            return queues[offset][0] if queues[offset] else FAILED
        pointer = self.ptr & PTR_SHOWN
        plain = {PNR: self.packet_num, ARR: self.tx_alloc, POINTER: pointer & 0xFF, POINTER + 1: pointer >> 8,
                 INT: self.int_level, MASK: self.int_mask}  # fmt: skip
        return plain.get(offset, 0)

    def _write_byte(self, offset: int, value: int) -> None:
        if offset >= BANK:
            if offset == BANK:
                self.bank_select = value
        elif self.bank_select == 2:
            self._write_bank2(offset, value)
        elif self.bank_select == 3:
            if offset == ERCV:
                self.ercv = value & 0x1F
        else:
            self._write_word_register(offset, value)

    def _write_word_register(self, offset: int, value: int) -> None:
        """One byte of a register of 16 bits in the first two banks."""
        names = ({TCR: "tcr", RCR: "rcr"}, {CONFIG: "cr", GENERAL: "gpr", CONTROL: "ctr"})
        name = names[self.bank_select].get(offset & ~1) if self.bank_select < len(names) else None
        if name is None:
            return
        if name == "ctr" and not offset & 1:
            value &= ~CTR_COMMANDS  # there is no EEPROM
        shift = 8 * (offset & 1)
        setattr(self, name, getattr(self, name) & ~(0xFF << shift) | value << shift)
        if name == "rcr" and offset & 1:
            if self.rcr & RCR_SOFT_RST:
                self._clear()
            self._flush()

    def _write_bank2(self, offset: int, value: int) -> None:
        if DATA <= offset < INT:
            self.data[self._data_place(offset)] = value
        elif offset in (POINTER, POINTER + 1):
            shift = 8 * (offset - POINTER)
            self.ptr = self.ptr & ~(0xFF << shift) | value << shift
        elif offset == MMU:
            self._command(value >> 5)
        elif offset == PNR:
            self.packet_num = value
        elif offset == INT:
            self._acknowledge(value)
        elif offset == MASK:
            self.int_mask = value
            self.update()

    def _data_place(self, offset: int) -> int:
        """Where the data register leads; it goes on by itself if it was told to."""
        page = (self.rx_queue[0] if self.rx_queue else 0) if self.ptr & PTR_RCV else self.packet_num
        address = self.ptr & PTR_ADDRESS
        if self.ptr & PTR_AUTO_INCR:
            self.ptr = self.ptr & ~PTR_ADDRESS | address + 1 & PTR_ADDRESS
        else:
            address = address + (offset & 3) & PTR_ADDRESS
        return (page & PAGES - 1) * PAGE + address

    def _acknowledge(self, value: int) -> None:
        self.int_level &= ~(value & INT_ACKNOWLEDGED)
        if value & INT_TX and self.done_queue:
            self.done_queue.pop(0)
        self.update()

    # -- the memory unit, 8.11

    def _command(self, command: int) -> None:
        if command == MMU_ALLOCATE:
            self.tx_alloc = FAILED
            self.int_level &= ~INT_ALLOC
            self.update()
            self._allocate_for_driver()
        elif command == MMU_RESET:
            self.allocated = self.tx_alloc = 0
            self._forget_packets()
        elif command in (MMU_REMOVE_RX, MMU_RELEASE_RX):
            self._remove_received(release=command == MMU_RELEASE_RX)
        elif command == MMU_RELEASE:
            self._release(self.packet_num & PAGES - 1)
        elif command == MMU_ENQUEUE:
            self._enqueue(self.packet_num & PAGES - 1)
        elif command == MMU_RESET_TX:
            self.tx_queue.clear()
            self.done_queue.clear()

    def _allocate(self) -> int:
        """A free page's number, or FAILED."""
        for page in range(PAGES):
            if not self.allocated >> page & 1:
                self.allocated |= 1 << page
                return page
        return FAILED

    def _allocate_for_driver(self) -> None:
        self.tx_alloc = self._allocate()
        if self.tx_alloc != FAILED:
            self.int_level |= INT_ALLOC
            self.update()

    def _release(self, page: int) -> None:
        self.allocated &= ~(1 << page)
        if self.tx_alloc == FAILED:  # the driver waits for one
            self._allocate_for_driver()
        self._flush()

    def _remove_received(self, *, release: bool) -> None:
        if self.rx_queue:
            page = self.rx_queue.pop(0)
            if release:
                self._release(page)
        self.int_level = self.int_level & ~INT_RCV | (INT_RCV if self.rx_queue else 0)
        self._flush()
        self.update()

    # -- transmitting

    def _enqueue(self, page: int) -> None:
        if len(self.tx_queue) < PAGES:
            self.tx_queue.append(page)
        if self.tcr & TCR_TXENA:
            self._transmit()

    def _transmit(self) -> None:
        waiting, self.tx_queue = self.tx_queue, []
        for page in waiting:
            frame = self._frame_of(page)
            if self.ctr & CTR_AUTO_RELEASE:
                self._release(page)
            elif len(self.done_queue) < PAGES:
                self.done_queue.append(page)
            self.client.send(frame)
        self.update()

    def _frame_of(self, page: int) -> bytes:
        """The frame in a page (6.6); its status word becomes that of a packet that has left."""
        start = page * PAGE
        self.data[start : start + 2] = TX_STATUS.to_bytes(2, "little")
        count = int.from_bytes(self.data[start + 2 : start + 4], "little") & PTR_ADDRESS
        length = max(count - OVERHEAD, 0)
        contents = self.data[start + 4 : start + PAGE]
        if contents[min(length + 1, len(contents) - 1)] & CONTROL_ODD:
            length += 1
        frame = bytes(contents[:length])
        return frame.ljust(SHORTEST, b"\0") if self.tcr & TCR_PAD_EN else frame

    # -- receiving

    @property
    def _listens(self) -> bool:
        return bool(self.rcr & RCR_RXEN and not self.rcr & RCR_SOFT_RST)

    def can_receive(self) -> bool:
        """What arrives while the receiver is off is lost; else there must be a page."""
        return not self._listens or (self.allocated != ALL_PAGES and len(self.rx_queue) < PAGES)

    def _flush(self) -> None:
        if self.can_receive() and self.realized:
            self.client.flush()

    def receive(self, frame: bytes) -> bool:
        """Put a frame into a page; one that is too long for it is lost."""
        if not self._listens:
            return True
        data = self._received(frame)
        if len(data) > PAGE:
            return True
        page = self._allocate()
        if page == FAILED:
            return False
        self.rx_queue.append(page)
        self.data[page * PAGE : page * PAGE + len(data)] = data
        self.int_level |= INT_RCV
        self.update()
        return True

    def _received(self, frame: bytes) -> bytes:
        """What a page of that frame has in it: an odd last byte comes after the checksum, beside the control byte."""
        status = (RS_ODD if len(frame) & 1 else 0) | (RS_TOO_LONG if len(frame) > LONGEST else 0)
        padded = frame.ljust(SHORTEST, b"\0")
        even = len(padded) & ~1
        body = padded[:even]
        if not self.rcr & RCR_STRIP_CRC:
            body += zlib.crc32(padded).to_bytes(4, "little")
        end = bytes((padded[-1], CONTROL_CRC | CONTROL_ODD)) if len(padded) & 1 else bytes((0, CONTROL_CRC))
        return status.to_bytes(2, "little") + (len(body) + OVERHEAD).to_bytes(2, "little") + body + end

    # -- the saved state

    @staticmethod
    def _of_queue(queue: list[int]) -> list[int]:
        return (queue + [0] * PAGES)[:PAGES]

    def before_save(self) -> None:
        """Queues are saved at full length."""
        self.tx_fifo_len, self.rx_fifo_len = len(self.tx_queue), len(self.rx_queue)
        self.tx_fifo_done_len = len(self.done_queue)
        self.tx_fifo, self.rx_fifo = self._of_queue(self.tx_queue), self._of_queue(self.rx_queue)
        self.tx_fifo_done = self._of_queue(self.done_queue)

    def loaded(self) -> None:
        """Queues from what was loaded."""
        self.tx_queue, self.rx_queue = self.tx_fifo[: self.tx_fifo_len], self.rx_fifo[: self.rx_fifo_len]
        self.done_queue = self.tx_fifo_done[: self.tx_fifo_done_len]
        self.irq.set(bool(self.int_level & self.int_mask))
