"""``lan9118``: SMSC's network controller for a bus of 32 bits (SMSC LAN9118 data sheet, Rev. 1.5; sections are its).

FIFOs for packets in both directions, with windows of 32 bytes on the first words; MAC and transceiver are reached
through registers of commands and data, and so is an EEPROM with the address.

As in QEMU packets leave when they are complete, FIFO levels other than that of received statuses raise no interrupts,
and dropped frames are not counted.
"""

from __future__ import annotations

from pyqemu.hw.core.ptimer import PTimer
from pyqemu.hw.net.lan9118_mac import CR_RXALL, CR_RXEN, Mac
from pyqemu.hw.net.lan9118_phy import Phy
from pyqemu.hw.net.lan9118_receive import LONGEST, RECEIVE_FIELDS, SHORTEST, Receiver
from pyqemu.hw.net.lan9118_transmit import TRANSMIT_FIELDS, Packet, Transmitter
from pyqemu.hw.net.sysbus_card import SysBusCard
from pyqemu.qom import Property, device_class
from pyqemu.qom.vmstate import I32, U8, U16, U32, Array, Struct, VMState
from pyqemu.system import Clock, Irq

# fmt: off
RX_DATA, TX_DATA, TX_DATA_END                       = 0x00, 0x20, 0x40
RX_STATUS, RX_STATUS_PEEK, TX_STATUS, TX_STATUS_PEEK = 0x40, 0x44, 0x48, 0x4C
ID_REV, IRQ_CFG, INT_STS, INT_EN, BYTE_TEST         = 0x50, 0x54, 0x58, 0x5C, 0x64
FIFO_INT, RX_CFG, TX_CFG, HW_CFG, RX_DP_CTRL        = 0x68, 0x6C, 0x70, 0x74, 0x78
RX_FIFO_INF, TX_FIFO_INF, PMT_CTRL, GPIO_CFG        = 0x7C, 0x80, 0x84, 0x88
GPT_CFG, GPT_CNT, WORD_SWAP, FREE_RUN, RX_DROP      = 0x8C, 0x90, 0x98, 0x9C, 0xA0
MAC_CSR_CMD, MAC_CSR_DATA, AFC_CFG, E2P_CMD, E2P_DATA = 0xA4, 0xA8, 0xAC, 0xB0, 0xB4

IRQ_INT, IRQ_EN, IRQ_POL, IRQ_TYPE                  = 1 << 12, 1 << 8, 1 << 4, 1 << 0  # 5.3.2
SW_INT, RXSTOP_INT, TX_IOC_INT, GPT_INT, PHY_INT    = 1 << 31, 1 << 24, 1 << 21, 1 << 19, 1 << 18  # 5.3.3
RXE_INT, TDFO_INT, TSFF_INT, RSFL_INT               = 1 << 14, 1 << 10, 1 << 8, 1 << 3
INT_RESERVED                                        = 0x7C00_1000
DUMP, TXD_DUMP, SRST, RX_FFWD, PHY_RST, TIMER_EN    = 1 << 15, 1 << 14, 1, 1 << 31, 1 << 10, 1 << 29
CSR_BUSY, CSR_READ                                  = 1 << 31, 1 << 30
E2P_LOADED                                          = 1 << 8
EEPROM_READ, EEPROM_EWDS, EEPROM_EWEN, EEPROM_WRITE, EEPROM_WRAL, EEPROM_ERASE, EEPROM_ERAL, EEPROM_RELOAD = range(8)
# fmt: on
ID = 0x0118_0001
TEST_PATTERN = 0x8765_4321
EEPROM_SIZE, EEPROM_MARK = 128, 0xA5
FREE_RUN_NS = 40  #: the counter runs at 25 MHz
TIMER_HZ = 10_000
M32 = 0xFFFF_FFFF


@device_class("lan9118", bus="sysbus", user_creatable=False, category="network")
class Lan9118(SysBusCard):
    """The controller."""

    mode_16bit = Property.uint("mode_16bit", 0)

    # fmt: off
    vmstate = VMState(
        "lan9118",
        version=2,
        minimum_version=1,
        fields=(
            Struct("timer", PTimer.vmstate, since=1),
            *(U32(name) for name in (
                "irq_cfg", "int_sts", "int_en", "fifo_int", "rx_cfg", "tx_cfg", "hw_cfg", "pmt_ctrl", "gpio_cfg",
                "gpt_cfg", "word_swap", "free_timer_start", "mac_cmd", "mac_data", "afc_cfg", "e2p_cmd", "e2p_data",
            )),
            *(U32(f"mac.{name}", wire=f"mac_{name}") for name in (
                "cr", "hashh", "hashl", "mii_acc", "mii_data", "flow",
            )),
            U32("phy.status", wire="phy_status"), U32("phy.control", wire="phy_control"),
            U32("phy.advertise", wire="phy_advertise"), U32("phy.int_source", wire="phy_int"),
            U32("phy.int_mask", wire="phy_int_mask"), I32("eeprom_writable"), Array("eeprom", U8, EEPROM_SIZE),
            I32("tx.fifo_size", wire="tx_fifo_size"), Struct("tx.packet", Packet.vmstate, wire="tx_packet"),
            *TRANSMIT_FIELDS, *RECEIVE_FIELDS,
            U32("write_word_prev_offset", since=2), U32("write_word_n", since=2), U16("write_word_l", since=2),
            U16("write_word_h", since=2), U32("read_word_prev_offset", since=2), U32("read_word_n", since=2),
            U32("read_long", since=2), U32("mode_16bit", since=2),
        ),
        post_load=lambda card: card.update(),
    )
    # fmt: on

    def __init__(self, clock: Clock, irq: Irq, **props: object) -> None:
        super().__init__(**props)
        self.clock, self.irq = clock, irq
        self.timer = PTimer(clock, self._timer_ended)
        self.timer.set_frequency(TIMER_HZ)
        self.timer.set_limit(0xFFFF, reload=True)
        self.eeprom = bytearray(b"\xff" * EEPROM_SIZE)
        self.pmt_ctrl = 1
        self.irq_cfg = self.int_sts = self.int_en = self.word_swap = 0
        self.write_word_prev_offset = self.write_word_n = self.write_word_l = self.write_word_h = 0
        self.read_word_prev_offset = self.read_word_n = self.read_long = 0
        self.phy = Phy(lambda: not self.client.link_down, self._phy_changed)
        self.mac = Mac(self.phy)
        self.tx = Transmitter(self._send)
        self.rx = Receiver()
        self.add_registers("lan9118-mmio", 0x100, self)

    def realize(self) -> None:
        """Join the network; the EEPROM has the address."""
        super().realize()
        self.eeprom[:7] = bytes((EEPROM_MARK,)) + self.mac_address
        self.reset()

    def reset(self) -> None:
        """5.3: as after power-on or SRST. How the interrupt is wired (5.3.2) outlives it."""
        self.irq_cfg &= IRQ_TYPE | IRQ_POL
        self.int_sts = self.int_en = self.rx_cfg = self.tx_cfg = self.gpio_cfg = 0
        self.fifo_int = 0x4800_0000
        self.hw_cfg = 0x0005_0000 if self.mode_16bit else 0x0005_0004
        self.pmt_ctrl &= 0x45
        self.mac_cmd = self.mac_data = self.afc_cfg = self.e2p_cmd = self.e2p_data = 0
        self.free_timer_start = self.clock.now() // FREE_RUN_NS & M32
        self.timer.stop()
        self.timer.set_count(0xFFFF)
        self.gpt_cfg = 0xFFFF
        self.read_word_n = self.write_word_n = 0
        self.tx.reset()
        self.rx.reset()
        self.mac.reset()
        self.phy.reset()
        self.eeprom_writable = 0
        self._reload_address()

    def update(self) -> None:
        """Drive the interrupt from state: low when active, unless told otherwise (5.3.2)."""
        level = bool(self.int_sts & self.int_en)
        self.irq_cfg = self.irq_cfg & ~IRQ_INT | (IRQ_INT if level else 0)
        active_high = self.irq_cfg & (IRQ_TYPE | IRQ_POL) == IRQ_TYPE | IRQ_POL
        self.irq.set((level and bool(self.irq_cfg & IRQ_EN)) is active_high)

    def _phy_changed(self) -> None:
        self.int_sts = self.int_sts & ~PHY_INT | (PHY_INT if self.phy.interrupt else 0)
        self.update()

    def _timer_ended(self) -> None:
        if self.int_en & GPT_INT:
            self.int_sts |= GPT_INT
        self.update()

    # -- registers, 5.3

    def read(self, offset: int, size: int) -> int:
        """Read a register. Half-words come from a register that is read with the first of them (3.6)."""
        if not self.mode_16bit or size == 4:
            return self._read(offset & ~3)
        if self.read_word_prev_offset != offset & ~3:
            self.read_word_n, self.read_word_prev_offset = 0, offset & ~3
        self.read_word_n += 1
        if self.read_word_n == 1:
            self.read_long = self._read(offset & ~3)
        else:
            self.read_word_n = 0
        return self.read_long >> 16 if offset & 2 else self.read_long & 0xFFFF

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register. With half-words, the second one does it (3.6)."""
        if not self.mode_16bit or size == 4:
            self._write(offset & ~3, value)
            return
        if self.write_word_prev_offset != offset & ~3:
            self.write_word_n, self.write_word_prev_offset = 0, offset & ~3
        if offset & 2:
            self.write_word_h = value
        else:
            self.write_word_l = value
        self.write_word_n += 1
        if self.write_word_n == 2:
            self.write_word_n = 0
            self._write(offset & ~3, self.write_word_h << 16 | self.write_word_l)

    PLAIN = {
        IRQ_CFG: "irq_cfg", INT_STS: "int_sts", INT_EN: "int_en", FIFO_INT: "fifo_int", RX_CFG: "rx_cfg",
        TX_CFG: "tx_cfg", HW_CFG: "hw_cfg", PMT_CTRL: "pmt_ctrl", GPIO_CFG: "gpio_cfg", GPT_CFG: "gpt_cfg",
        WORD_SWAP: "word_swap", MAC_CSR_CMD: "mac_cmd", MAC_CSR_DATA: "mac_data", AFC_CFG: "afc_cfg",
        E2P_CMD: "e2p_cmd", E2P_DATA: "e2p_data",
    }  # fmt: skip
    """Registers that read as they are."""

    def _read(self, offset: int) -> int:
        if offset < TX_DATA:
            return self._pop_data()
        if offset in self.PLAIN:
            value: int = getattr(self, self.PLAIN[offset])
            return value
        match offset:
            case 0x40:
                return self.rx.pop_status()
            case 0x44:
                return self.rx.peek_status()
            case 0x48:
                return self.tx.pop_status()
            case 0x4C:
                return self.tx.peek_status()
            case 0x7C:
                return self.rx.status_used << 16 | self.rx.fifo_used << 2
            case 0x80:
                return self.tx.status_used << 16 | self.tx.free
            case 0x90:
                return self.timer.count & 0xFFFF
            case 0x9C:
                return self.clock.now() // FREE_RUN_NS - self.free_timer_start & M32
            case _:
                return {ID_REV: ID, BYTE_TEST: TEST_PATTERN}.get(offset, 0)

    def _pop_data(self) -> int:
        word = self.rx.pop(self.rx_cfg)
        if word is None:
            self.int_sts |= RXE_INT
            self.update()
            return 0
        self.client.flush()
        return word

    def _write(self, offset: int, value: int) -> None:
        if TX_DATA <= offset < TX_DATA_END:
            self._push_data(value)
            return
        match offset:
            case 0x54:
                self.irq_cfg = self.irq_cfg & IRQ_INT | value & (IRQ_EN | IRQ_POL | IRQ_TYPE)
            case 0x58:
                self.int_sts &= ~value
            case 0x5C:
                self.int_en = value & ~INT_RESERVED
                self.int_sts |= value & SW_INT
            case 0x68:
                self.fifo_int = value
            case 0x6C:
                self._write_rx_cfg(value)
            case 0x70:
                self._write_tx_cfg(value)
            case 0x74:
                self._write_hw_cfg(value)
            case 0x78 if value & RX_FFWD:
                self.rx.skip(self.rx_cfg)
                self.client.flush()
            case 0x84:
                self._write_pmt_ctrl(value)
            case 0x88:
                self.gpio_cfg = value & 0x7777_071F
            case 0x8C:
                self._write_timer(value)
            case 0x98:
                self.word_swap = value
            case 0xA4:
                self._access_mac(value)
            case 0xA8:
                self.mac_data = value
            case 0xAC:
                self.afc_cfg = value & 0x00FF_FFFF
            case 0xB0:
                self._access_eeprom(value >> 28 & 7, value & 0x7F)
            case 0xB4:
                self.e2p_data = value & 0xFF
        self.update()

    def _write_rx_cfg(self, value: int) -> None:
        if value & DUMP:
            self.rx.dump()
        self.rx_cfg = value & 0xCFFF_1FF0

    def _write_tx_cfg(self, value: int) -> None:
        if value & DUMP:
            self.tx.status_used = 0
        if value & TXD_DUMP:
            self.tx.dump()
        self.tx_cfg = value & 6

    def _write_hw_cfg(self, value: int) -> None:
        if value & SRST:
            self.reset()
        else:
            self.hw_cfg = value & 0x0003_F300 | self.hw_cfg & 4

    def _write_pmt_ctrl(self, value: int) -> None:
        if value & PHY_RST:
            self.phy.reset()
        self.pmt_ctrl = self.pmt_ctrl & ~0x34E | value & 0x34E

    def _write_timer(self, value: int) -> None:
        if (self.gpt_cfg ^ value) & TIMER_EN:
            if value & TIMER_EN:
                self.timer.set_count(value & 0xFFFF)
                self.timer.run(once=False)
            else:
                self.timer.stop()
                self.timer.set_count(0xFFFF)
        self.gpt_cfg = value & (TIMER_EN | 0xFFFF)

    def _access_mac(self, value: int) -> None:
        """5.3.20: a read or a write of a register of the MAC, done at once."""
        self.mac_cmd = value & (CSR_READ | 0xF)
        if not value & CSR_BUSY:
            return
        number = value & 0xF
        if value & CSR_READ:
            self.mac_data = self.mac.read(number)
            return
        if self.mac.write(number, self.mac_data):
            self.int_sts |= RXSTOP_INT
        self.tell_address(self.mac.address)
        self.client.flush()

    # -- the EEPROM, 3.9 and 5.3.23

    def _access_eeprom(self, command: int, address: int) -> None:
        self.e2p_cmd = self.e2p_cmd & E2P_LOADED | command << 28 | address
        if command == EEPROM_READ:
            self.e2p_data = self.eeprom[address]
        elif command in (EEPROM_EWDS, EEPROM_EWEN):
            self.eeprom_writable = int(command == EEPROM_EWEN)
        elif command == EEPROM_RELOAD:
            self._reload_address()
        elif self.eeprom_writable:
            places = range(EEPROM_SIZE) if command in (EEPROM_WRAL, EEPROM_ERAL) else (address,)
            erases = command in (EEPROM_ERASE, EEPROM_ERAL)
            for place in places:  # bits can only be set by erasing
                self.eeprom[place] = 0xFF if erases else self.eeprom[place] & self.e2p_data

    def _reload_address(self) -> None:
        self.e2p_cmd &= ~E2P_LOADED
        if self.eeprom[0] == EEPROM_MARK:
            self.mac.address = bytes(self.eeprom[1:7])
            self.e2p_cmd |= E2P_LOADED
            self.tell_address(self.mac.address)

    # -- the network

    def _push_data(self, word: int) -> None:
        if self.tx.free == 0:
            self.int_sts |= TDFO_INT
        elif self.tx.push(word):
            self.int_sts |= TX_IOC_INT
        if self.tx.status_full:
            self.int_sts |= TSFF_INT
        self.update()

    def _send(self, frame: bytes) -> None:
        if self.phy.loopback:
            self.receive(frame)
        else:
            self.client.send(frame)

    def link_changed(self) -> None:
        """The transceiver sees it."""
        self.phy.cable_changed()

    def receive(self, frame: bytes) -> bool:
        """Take a frame, if the receiver is on, and it is for this card. Without room it waits."""
        if not self.mac.cr & CR_RXEN or not SHORTEST <= len(frame) <= LONGEST:
            return True
        passed = self.mac.accepts(frame)
        if not passed and not self.mac.cr & CR_RXALL:
            return True
        if not self.rx.put(frame, self.rx_cfg, passed=passed):
            return False
        if self.rx.status_used > self.fifo_int & 0xFF:
            self.int_sts |= RSFL_INT
        self.update()
        return True
