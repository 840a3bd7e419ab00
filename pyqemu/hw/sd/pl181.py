"""PrimeCell multimedia card interface PL181 (DDI 0205B; tables are its).

A command's response is there when the write of its register ends. Data moves between card and FIFO as far as there is
room, whenever something changes: the FIFO never runs over or dry.
"""

from __future__ import annotations

from collections import deque

from pyqemu.hw.core.primecell import identification, peripheral_id
from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.hw.sd.sd import SdCard
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import I32, U32, Array, VMState
from pyqemu.system import Irq

FIFO_WORDS = 16
# fmt: off
POWER, CLOCK, ARGUMENT, COMMAND, RESPCMD, RESPONSE0     = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
DATATIMER, DATALENGTH, DATACTRL, DATACNT, STATUS, CLEAR = 0x24, 0x28, 0x2C, 0x30, 0x34, 0x38
MASK0, MASK1, FIFOCNT, FIFO, FIFO_END                   = 0x3C, 0x40, 0x48, 0x80, 0xC0
# table 3-6
CMD_RESPONSE, CMD_LONG, CMD_PENDING, CMD_ENABLE         = 1 << 6, 1 << 7, 1 << 9, 1 << 10
# table 3-12
DATA_ENABLE, DATA_FROM_CARD                             = 1 << 0, 1 << 1
# table 3-14
CMD_TIMEOUT, DATA_TIMEOUT, CMD_RESPEND, CMD_SENT        = 1 << 2, 1 << 3, 1 << 6, 1 << 7
DATA_END, DATA_BLOCK_END, TX_ACTIVE, RX_ACTIVE          = 1 << 8, 1 << 10, 1 << 12, 1 << 13
TX_HALF_EMPTY, RX_HALF_FULL, TX_FULL, RX_FULL           = 1 << 14, 1 << 15, 1 << 16, 1 << 17
TX_EMPTY, RX_EMPTY, TX_AVAILABLE, RX_AVAILABLE          = 1 << 18, 1 << 19, 1 << 20, 1 << 21
TX_FLAGS = TX_ACTIVE | TX_HALF_EMPTY | TX_FULL | TX_EMPTY | TX_AVAILABLE
RX_FLAGS = RX_ACTIVE | RX_HALF_FULL | RX_FULL | RX_EMPTY | RX_AVAILABLE
# fmt: on
CLEARABLE = 0x7FF
IDS = peripheral_id(0x181)


@device_class("pl181", bus="sysbus", user_creatable=False)
class Pl181(SysBusDevice):
    """The interface.

    :param irqs: by mask 0 and by mask 1
    :param card: what is in its slot; its lines ``inserted`` and ``protected`` go where the board has them
    """

    vmstate = VMState(
        "pl181",
        version=1,
        fields=(
            U32("clock"), U32("power"), U32("cmdarg"), U32("cmd"), U32("datatimer"), U32("datalength"), U32("respcmd"),
            Array("response", U32, 4), U32("datactrl"), U32("datacnt", maximum=0xFFFF), U32("status"),
            Array("mask", U32, 2), I32("fifo_pos", minimum=0, maximum=FIFO_WORDS - 1),
            I32("fifo_len", minimum=0, maximum=FIFO_WORDS), I32("linux_hack"),
            Array("saved_fifo", U32, FIFO_WORDS, wire="fifo"),
        ),
        pre_save=lambda mci: mci.settle(),
        post_load=lambda mci: mci.loaded(),
    )  # fmt: skip

    def __init__(self, irqs: tuple[Irq, Irq], card: SdCard) -> None:
        super().__init__()
        self.irqs = irqs
        self.card = card
        self.fifo: deque[int] = deque()
        self.saved_fifo, self.fifo_pos, self.fifo_len = [0] * FIFO_WORDS, 0, 0
        self.linux_hack = 0  # only for the saved state
        self.add_registers("pl181", 0x1000, self)
        self.reset()

    def reset(self) -> None:
        """Table 3-1."""
        self.power = self.clock = self.cmdarg = self.cmd = self.datatimer = self.datalength = self.respcmd = 0
        self.response = [0] * 4
        self.datactrl = self.datacnt = self.status = 0
        self.mask = [0, 0]
        self.fifo.clear()
        self.update()

    def settle(self) -> None:
        """Before saving."""
        self.saved_fifo = [*self.fifo, *([0] * (FIFO_WORDS - len(self.fifo)))]
        self.fifo_pos, self.fifo_len = 0, len(self.fifo)

    def loaded(self) -> None:
        """After loading."""
        ring = self.saved_fifo[self.fifo_pos :] + self.saved_fifo[: self.fifo_pos]
        self.fifo = deque(ring[: self.fifo_len])
        self.update()

    def update(self) -> None:
        """Drive the interrupts from state."""
        for line, mask in zip(self.irqs, self.mask, strict=True):
            line.set(bool(self.status & mask))

    # -- commands and data

    def _send_command(self) -> None:
        response = self.card.do_command(self.cmd & 0x3F, self.cmdarg)
        if not self.cmd & CMD_RESPONSE:
            self.status |= CMD_SENT
            return
        if not response or len(response) != (16 if self.cmd & CMD_LONG else 4):
            self.status |= CMD_TIMEOUT
            return
        self.respcmd = self.cmd & 0x3F
        words = [int.from_bytes(response[n : n + 4], "big") for n in range(0, len(response), 4)]
        if self.cmd & CMD_LONG:
            words[3] &= ~1  # the end bit is not kept
        self.response = words + [0] * (4 - len(words))
        self.status |= CMD_RESPEND

    def _move(self) -> None:
        """Move what can be moved, and show the state of the FIFO (table 3-14)."""
        reading = bool(self.datactrl & DATA_FROM_CARD)
        if self.datactrl & DATA_ENABLE and self.datacnt:
            self._from_card() if reading else self._to_card()
        self.status &= ~(TX_FLAGS | RX_FLAGS)
        count = len(self.fifo)
        if reading:
            self.status |= RX_AVAILABLE if count else RX_EMPTY
            self.status |= RX_FULL * (count == FIFO_WORDS) | RX_HALF_FULL * (count >= FIFO_WORDS // 2)
        else:
            self.status |= TX_AVAILABLE if count else TX_EMPTY
            self.status |= TX_FULL * (count == FIFO_WORDS) | TX_HALF_EMPTY * (count <= FIFO_WORDS // 2)
        if self.datactrl & DATA_ENABLE and self.datacnt:
            self.status |= RX_ACTIVE if reading else TX_ACTIVE

    def _from_card(self) -> None:
        while self.datacnt and len(self.fifo) < FIFO_WORDS and self.card.data_ready:
            size = min(4, self.datacnt)
            self.fifo.append(int.from_bytes(self.card.read(size), "little"))
            self._moved(size)

    def _to_card(self) -> None:
        while self.datacnt and self.fifo:
            size = min(4, self.datacnt)
            self.card.write(self.fifo.popleft().to_bytes(4, "little")[:size])
            self._moved(size)

    def _moved(self, size: int) -> None:
        self.datacnt -= size
        if not self.datacnt:
            self.status |= DATA_END | DATA_BLOCK_END

    # -- registers, table 3-1

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        if RESPONSE0 <= offset < DATATIMER:
            return self.response[offset - RESPONSE0 >> 2]
        if FIFO <= offset < FIFO_END:
            return self._pop()
        plain = {
            POWER: self.power, CLOCK: self.clock, ARGUMENT: self.cmdarg, COMMAND: self.cmd, RESPCMD: self.respcmd,
            DATATIMER: self.datatimer, DATALENGTH: self.datalength, DATACTRL: self.datactrl, DATACNT: self.datacnt,
            STATUS: self.status, MASK0: self.mask[0], MASK1: self.mask[1], FIFOCNT: self.datacnt + 3 >> 2,
        }  # fmt: skip
        if offset == FIFOCNT:  # 3.3.13: words that are still to be moved through the FIFO by software
            waiting = len(self.fifo) if self.datactrl & DATA_FROM_CARD else -len(self.fifo)
            return max(plain[FIFOCNT] + waiting, 0)
        return plain[offset] if offset in plain else identification(IDS, offset)

    def _pop(self) -> int:
        value = self.fifo.popleft() if self.fifo and self.datactrl & DATA_FROM_CARD else 0
        self._move()
        self.update()
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        if FIFO <= offset < FIFO_END and not self.datactrl & DATA_FROM_CARD and len(self.fifo) < FIFO_WORDS:
            self.fifo.append(value)
        match offset:
            case 0x00:
                self.power = value & 0xFF
            case 0x04:
                self.clock = value & 0xFFF
            case 0x08:
                self.cmdarg = value
            case 0x0C:
                self._write_command(value)
            case 0x24:
                self.datatimer = value
            case 0x28:
                self.datalength = value & 0xFFFF
            case 0x2C:
                self.datactrl = value & 0xFF
                if value & DATA_ENABLE:
                    self.datacnt = self.datalength
                    self.fifo.clear()
            case 0x38:
                self.status &= ~(value & CLEARABLE)
            case 0x3C | 0x40:
                self.mask[offset - MASK0 >> 2] = value & 0x3F_FFFF
        self._move()
        self.update()

    def _write_command(self, value: int) -> None:
        self.cmd = value
        if value & CMD_ENABLE:
            self._send_command()
            self.cmd &= ~CMD_ENABLE
