"""The LAN9118: FIFOs, the MAC and the transceiver behind it, the EEPROM, interrupts."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from itertools import pairwise

import pytest

from pyqemu.hw.net import lan9118 as lan
from pyqemu.hw.net import lan9118_mac as mac
from pyqemu.hw.net import lan9118_phy as phy
from pyqemu.hw.net import lan9118_transmit as tx
from pyqemu.hw.net.lan9118 import Lan9118
from tests.hw.board_rig import compare, saved_and_loaded, words
from tests.hw.net.sysbus_card_rig import ADDRESS, BROADCAST, CardRig, frame_to
from tests.qtest_reference import QtestReference, needs_qemu_arm

BASE = 0x4E00_0000  # on a vexpress-a9
ACTIVE_HIGH = lan.IRQ_EN | lan.IRQ_POL | lan.IRQ_TYPE


class Driver(CardRig):
    """What a driver does."""

    def __init__(self, **props: int) -> None:
        super().__init__(Lan9118, **props)

    def read_mac(self, number: int) -> int:
        self.write(lan.MAC_CSR_CMD, lan.CSR_BUSY | lan.CSR_READ | number)
        return self.read(lan.MAC_CSR_DATA)

    def write_mac(self, number: int, value: int) -> None:
        self.write(lan.MAC_CSR_DATA, value)
        self.write(lan.MAC_CSR_CMD, lan.CSR_BUSY | number)

    def read_phy(self, number: int) -> int:
        self.write_mac(mac.MII_ACC, 1 << 11 | number << 6)
        return self.read_mac(mac.MII_DATA)

    def write_phy(self, number: int, value: int) -> None:
        self.write_mac(mac.MII_DATA, value)
        self.write_mac(mac.MII_ACC, 1 << 11 | number << 6 | mac.MII_WRITE)

    def eeprom(self, command: int, address: int = 0, value: int = 0) -> int:
        self.write(lan.E2P_DATA, value)
        self.write(lan.E2P_CMD, 1 << 31 | command << 28 | address)
        return self.read(lan.E2P_DATA)

    def start(self, control: int = 0) -> None:
        self.write_mac(mac.CR, mac.CR_TXEN | mac.CR_RXEN | control)
        self.write(lan.IRQ_CFG, ACTIVE_HIGH)

    def push(self, data: bytes) -> None:
        for start in range(0, len(data), 4):
            self.write(lan.TX_DATA, int.from_bytes(data[start : start + 4].ljust(4, b"\0"), "little"))

    def transmit(self, frame: bytes, *, tag: int = 0, offset: int = 0, cuts: tuple[int, ...] = ()) -> None:
        """Send a frame in pieces, which end at *cuts*."""
        edges = [0, *cuts, len(frame)]
        for number, (first, last) in enumerate(pairwise(edges)):
            flags = (tx.A_FIRST if number == 0 else 0) | (tx.A_LAST if last == len(frame) else 0)
            self.write(lan.TX_DATA, flags | offset << tx.A_OFFSET | last - first)
            self.write(lan.TX_DATA, tag << 16 | len(frame))
            self.push(bytes(offset) + frame[first:last])

    def pop(self, count: int) -> bytes:
        return b"".join(self.read(lan.RX_DATA).to_bytes(4, "little") for _ in range(count))


@pytest.fixture
def driver() -> Driver:
    return Driver()


def test_who_it_is(driver: Driver) -> None:
    assert driver.read(lan.ID_REV) >> 16 == 0x0118 and driver.read(lan.BYTE_TEST) == 0x87654321


def test_the_address_comes_from_the_eeprom(driver: Driver) -> None:
    assert driver.read(lan.E2P_CMD) == lan.E2P_LOADED
    both = driver.read_mac(mac.ADDRL) | driver.read_mac(mac.ADDRH) << 32
    assert both.to_bytes(6, "little") == ADDRESS
    assert bytes(driver.eeprom(lan.EEPROM_READ, place) for place in range(7)) == b"\xa5" + ADDRESS


def test_the_eeprom_must_be_unlocked_and_erased(driver: Driver) -> None:
    driver.eeprom(lan.EEPROM_WRITE, 0, 0)
    assert driver.eeprom(lan.EEPROM_READ, 0) == 0xA5
    driver.eeprom(lan.EEPROM_EWEN)
    driver.eeprom(lan.EEPROM_WRITE, 0, 0x0F)
    assert driver.eeprom(lan.EEPROM_READ, 0) == 0x05
    driver.eeprom(lan.EEPROM_ERASE, 0)
    driver.eeprom(lan.EEPROM_RELOAD)
    assert not driver.read(lan.E2P_CMD) & lan.E2P_LOADED


def test_software_may_change_the_address(driver: Driver) -> None:
    driver.write_mac(mac.ADDRL, 0x04030201)
    driver.write_mac(mac.ADDRH, 0x0605)
    assert driver.card.client.info.endswith("01:02:03:04:05:06")


# -- transmitting


@pytest.mark.parametrize("offset", range(8))
@pytest.mark.parametrize("cuts", [(), (14,), (1, 40, 41)])
def test_a_frame_leaves(driver: Driver, offset: int, cuts: tuple[int, ...]) -> None:
    driver.start()
    frame = frame_to(BROADCAST, 61)
    driver.transmit(frame, tag=0x1234, offset=offset, cuts=cuts)
    assert driver.sent == [frame]
    assert driver.read(lan.TX_FIFO_INF) >> 16 == 1
    assert driver.read(lan.TX_STATUS_PEEK) == driver.read(lan.TX_STATUS) == 0x12340000
    assert driver.read(lan.TX_FIFO_INF) == tx.FIFO_SIZE


def test_buffers_are_aligned_at_the_end(driver: Driver) -> None:
    driver.start()
    frame = frame_to(BROADCAST, 60)  # 15 words, to be 16
    driver.write(lan.TX_DATA, 1 << tx.A_END | tx.A_FIRST | tx.A_LAST | tx.A_IOC | 60)
    driver.write(lan.TX_DATA, 60)
    driver.push(frame)
    assert driver.sent == [] and not driver.read(lan.INT_STS) & lan.TX_IOC_INT
    driver.push(bytes(4))
    assert driver.sent == [frame] and driver.read(lan.INT_STS) & lan.TX_IOC_INT


def test_statuses_may_run_full(driver: Driver) -> None:
    driver.start()
    for _ in range(tx.STATUS_SIZE + 1):
        driver.transmit(frame_to(BROADCAST, 14))
    assert driver.read(lan.INT_STS) & lan.TSFF_INT
    assert driver.read(lan.TX_FIFO_INF) >> 16 == tx.STATUS_SIZE
    driver.write(lan.TX_CFG, lan.DUMP)
    assert driver.read(lan.TX_FIFO_INF) >> 16 == 0


# -- receiving


def test_a_frame_arrives(driver: Driver) -> None:
    driver.start()
    driver.write(lan.INT_EN, lan.RSFL_INT)
    driver.write(lan.FIFO_INT, 0)
    frame = frame_to(ADDRESS, 62)
    driver.arrive(frame)
    assert driver.irq.level
    assert driver.read(lan.RX_FIFO_INF) == 1 << 16 | 17 << 2
    assert driver.read(lan.RX_STATUS_PEEK) == driver.read(lan.RX_STATUS) == 66 << 16
    assert driver.pop(17)[:66] == frame + zlib.crc32(frame).to_bytes(4, "little")
    assert driver.read(lan.RX_FIFO_INF) == 0
    driver.write(lan.INT_STS, lan.RSFL_INT)
    assert not driver.irq.level


@pytest.mark.parametrize("offset", range(12))
@pytest.mark.parametrize("end", [0, 1, 2])
def test_a_packet_is_read_as_it_shall_lie(driver: Driver, offset: int, end: int) -> None:
    driver.start()
    driver.write(lan.RX_CFG, end << 30 | offset << 8)
    frames = [frame_to(ADDRESS, 60), frame_to(ADDRESS, 63)]
    for frame in frames:
        driver.arrive(frame)
    step = (1, 4, 8)[end]
    for frame in frames:
        # QEMU, like this, always has a word for the checksum, however much of it the frame's last one has room for
        words = (offset >> 2) + (len(frame) + (offset & 3) + 3 >> 2) + 1
        data = driver.pop(-(-words // step) * step)
        assert data[offset : offset + len(frame)] == frame
    driver.read(lan.RX_DATA)
    assert driver.read(lan.INT_STS) & lan.RXE_INT


def test_a_packet_can_be_left_out(driver: Driver) -> None:
    driver.start()
    for length in (60, 64):
        driver.arrive(frame_to(ADDRESS, length))
    driver.pop(2)
    driver.write(lan.RX_DP_CTRL, lan.RX_FFWD)
    assert driver.pop(16) == frame_to(ADDRESS, 64)


def test_frames_wait_for_room(driver: Driver) -> None:
    driver.start()
    taken = [driver.arrive(frame_to(ADDRESS, 1514)) for _ in range(8)]
    assert taken == [True] * 6 + [False] * 2
    driver.pop(380)
    assert driver.card.client.queued == 1


@pytest.mark.parametrize(("control", "to", "taken"), [
    (0, ADDRESS, True),
    (0, bytes(6), False),
    (mac.CR_PRMS, bytes(6), True),
    (mac.CR_INVFILT, ADDRESS, False),
    (mac.CR_INVFILT, bytes(6), True),
    (0, BROADCAST, True),
    (mac.CR_BCAST, BROADCAST, False),
    (0, bytes.fromhex("01005e000001"), False),
    (mac.CR_MCPAS, bytes.fromhex("01005e000001"), True),
    (mac.CR_HPFILT, bytes.fromhex("01005e000001"), True),   # whose CRC begins with 31, as Linux computes it
    (mac.CR_HPFILT, bytes.fromhex("01005e000002"), False),
    (mac.CR_RXALL, bytes(6), True),
])  # fmt: skip
def test_which_frames_are_taken(driver: Driver, control: int, to: bytes, taken: bool) -> None:
    driver.write_mac(mac.HASHL, 1 << 31)
    driver.start(control)
    driver.arrive(frame_to(to))
    assert (driver.read(lan.RX_FIFO_INF) != 0) is taken


def test_what_arrives_while_the_receiver_is_off_is_lost(driver: Driver) -> None:
    assert driver.arrive(frame_to(ADDRESS))
    driver.start()
    driver.write_mac(mac.CR, 0)
    assert driver.read(lan.INT_STS) & lan.RXSTOP_INT and driver.read(lan.RX_FIFO_INF) == 0


# -- the transceiver


def test_the_transceiver_sees_the_cable(driver: Driver) -> None:
    assert driver.read_phy(phy.STATUS) & phy.STATUS_LINK
    assert driver.read_phy(phy.INT_SOURCE) == phy.INT_ENERGYON | phy.INT_AUTONEG_DONE
    driver.start()
    driver.write(lan.INT_EN, lan.PHY_INT)
    driver.write_phy(phy.INT_MASK, phy.INT_DOWN)
    driver.card.client.set_link(False)
    assert driver.irq.level and not driver.read_phy(phy.STATUS) & phy.STATUS_LINK
    assert driver.read_phy(phy.INT_SOURCE) == phy.INT_DOWN and not driver.irq.level


def test_frames_may_come_back(driver: Driver) -> None:
    driver.start()
    driver.write_phy(phy.CONTROL, phy.CONTROL_LOOPBACK)
    driver.transmit(frame_to(BROADCAST, 60))
    assert driver.sent == [] and driver.pop(15) == frame_to(BROADCAST, 60)


# -- interrupts and timers


def test_the_interrupt_is_low_when_active(driver: Driver) -> None:
    driver.write(lan.INT_EN, lan.SW_INT)
    assert driver.irq.level  # it does not drive the line yet
    driver.write(lan.IRQ_CFG, lan.IRQ_EN)
    assert not driver.irq.level
    driver.write(lan.INT_STS, lan.SW_INT)
    assert driver.irq.level


def test_the_timer_counts_tenths_of_milliseconds(driver: Driver) -> None:
    driver.start()
    driver.write(lan.INT_EN, lan.GPT_INT)
    driver.write(lan.GPT_CFG, lan.TIMER_EN | 10)
    driver.wait(500_000)
    assert driver.read(lan.GPT_CNT) == 5 and not driver.irq.level
    driver.wait(500_000)
    assert driver.irq.level


def test_the_free_counter_runs_at_25_mhz(driver: Driver) -> None:
    before = driver.read(lan.FREE_RUN)
    driver.wait(1_000_000)
    assert driver.read(lan.FREE_RUN) - before == 25_000


def test_half_words(driver: Driver) -> None:
    card = Driver(mode_16bit=1)
    card.write(lan.FIFO_INT, 0x5678, 2)
    assert card.read(lan.FIFO_INT, 4) == 0x48000000
    card.write(lan.FIFO_INT + 2, 0x1234, 2)
    assert [card.read(lan.FIFO_INT, 2), card.read(lan.FIFO_INT + 2, 2)] == [0x5678, 0x1234]


def test_a_reset_keeps_how_the_interrupt_is_wired(driver: Driver) -> None:
    driver.start()
    driver.arrive(frame_to(BROADCAST))
    driver.write(lan.HW_CFG, lan.SRST)
    assert driver.read(lan.IRQ_CFG) == lan.IRQ_POL | lan.IRQ_TYPE
    assert driver.read(lan.RX_FIFO_INF) == 0 and driver.read(lan.HW_CFG) == 0x00050004


def test_state_is_saved(driver: Driver) -> None:
    driver.start()
    driver.transmit(frame_to(BROADCAST), tag=7)
    driver.arrive(frame_to(ADDRESS, 64))
    driver.push(bytes(4))
    other = Driver()
    assert saved_and_loaded(driver.card, other.card)
    assert other.pop(16) == frame_to(ADDRESS, 64) and other.read(lan.TX_STATUS) == 7 << 16


@pytest.fixture
def qemu() -> Iterator[QtestReference]:
    with QtestReference("-M", "vexpress-a9", "-net", "nic,model=lan9118,macaddr=52:54:00:12:34:56") as found:
        yield found


@needs_qemu_arm
def test_registers_are_qemus(rng: random.Random, qemu: QtestReference) -> None:
    window = [lan.MAC_CSR_CMD, lan.MAC_CSR_DATA] * 4
    plain = words(0x50, 0xB8)
    readable = [*plain, *window]
    writable = [offset for offset in readable if offset not in (lan.GPT_CFG, lan.RX_DP_CTRL)]
    known = (0, 1, 2, 3, 4, 5, 7, 8)
    commands = [lan.CSR_BUSY | lan.CSR_READ | number for number in known]
    commands += [lan.CSR_BUSY | number for number in known]
    only = {
        lan.MAC_CSR_CMD: commands,
        lan.E2P_CMD: [1 << 31 | command << 28 | place for command in range(8) for place in (0, 1, 9)],
        lan.HW_CFG: [0, 1, 0x00050000, 0x3F300],
    }
    compare(Driver().card, qemu, BASE, rng, readable, writable, only=only, count=3000)


@needs_qemu_arm
def test_the_transceiver_is_qemus(rng: random.Random, qemu: QtestReference) -> None:
    card = Driver()
    for _ in range(200):
        number = rng.choice((0, 1, 2, 3, 4, 5, 6, 29, 30))
        value = rng.getrandbits(16)
        if rng.random() < 0.5 and number in (0, 4, 30):
            card.write_phy(number, value)
            for register, written in ((mac.MII_DATA, value), (mac.MII_ACC, 1 << 11 | number << 6 | mac.MII_WRITE)):
                qemu.write(BASE + lan.MAC_CSR_DATA, written)
                qemu.write(BASE + lan.MAC_CSR_CMD, lan.CSR_BUSY | register)
        else:
            qemu.write(BASE + lan.MAC_CSR_DATA, 1 << 11 | number << 6)
            qemu.write(BASE + lan.MAC_CSR_CMD, lan.CSR_BUSY | mac.MII_ACC)
            qemu.write(BASE + lan.MAC_CSR_CMD, lan.CSR_BUSY | lan.CSR_READ | mac.MII_DATA)
            assert card.read_phy(number) == qemu.read(BASE + lan.MAC_CSR_DATA), number
