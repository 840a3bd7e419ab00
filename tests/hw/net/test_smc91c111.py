"""The LAN91C111: banks of registers, pages of memory, and packets in them."""

from __future__ import annotations

import random
import zlib

import pytest

from pyqemu.hw.net import smc91c111 as smc
from pyqemu.hw.net.smc91c111 import Smc91c111
from pyqemu.system import Clock, Irq
from tests.hw.board_rig import Region, saved_and_loaded
from tests.hw.net.sysbus_card_rig import ADDRESS, BROADCAST, CardRig, frame_to
from tests.qtest_reference import Access, QtestReference, disagreement, needs_qemu_arm, random_accesses

BASE = 0x1001_0000  # on a versatilepb


def make(_clock: Clock, irq: Irq) -> Smc91c111:
    return Smc91c111(irq)


class Driver(CardRig):
    """What a driver does."""

    def __init__(self) -> None:
        super().__init__(make)

    def bank(self, number: int) -> None:
        self.write(smc.BANK, number, 2)

    def command(self, number: int) -> None:
        self.bank(2)
        self.write(smc.MMU, number << 5, 2)

    def start(self, *, receive: int = smc.RCR_RXEN | smc.RCR_STRIP_CRC, transmit: int = smc.TCR_TXENA) -> None:
        self.bank(0)
        self.write(smc.TCR, transmit, 2)
        self.write(smc.RCR, receive, 2)
        self.bank(2)

    def allocate(self) -> int:
        self.command(smc.MMU_ALLOCATE)
        return self.read(smc.ARR, 1)

    def transmit(self, frame: bytes) -> int:
        page = self.allocate()
        self.write(smc.PNR, page, 1)
        self.write(smc.POINTER, smc.PTR_AUTO_INCR, 2)
        odd = len(frame) & 1
        data = bytes(2) + (len(frame) + 6 & ~1).to_bytes(2, "little") + frame
        data += b"\x20" if odd else b"\x00\x00"
        for start in range(0, len(data), 2):
            self.write(smc.DATA, int.from_bytes(data[start : start + 2], "little"), 2)
        self.command(smc.MMU_ENQUEUE)
        return page

    def received(self) -> tuple[int, bytes]:
        """Status and contents of the packet that came first; it is released."""
        self.write(smc.POINTER, smc.PTR_AUTO_INCR | smc.PTR_RCV, 2)
        status, count = self.read(smc.DATA, 2), self.read(smc.DATA, 2)
        data = b"".join(self.read(smc.DATA, 4).to_bytes(4, "little") for _ in range(-(-(count - 4) // 4)))
        self.command(smc.MMU_RELEASE_RX)
        return status, data[: count - 4]


@pytest.fixture
def driver() -> Driver:
    return Driver()


def test_the_address_is_in_bank_1(driver: Driver) -> None:
    driver.bank(1)
    assert bytes(driver.read(smc.IA + index, 1) for index in range(6)) == ADDRESS
    assert driver.card.client.info == "model=smc91c111,macaddr=52:54:00:12:34:56"


def test_a_word_at_the_end_chooses_the_bank_alone(driver: Driver) -> None:
    driver.bank(2)
    driver.write(smc.INT, 3 << 16 | 0xFFFF)
    assert driver.read(smc.BANK, 2) == 0x3303
    driver.bank(2)
    assert driver.read(smc.MASK, 1) == 0


def test_pages_run_out_and_come_back(driver: Driver) -> None:
    driver.start()
    assert [driver.allocate() for _ in range(5)] == [0, 1, 2, 3, smc.FAILED]
    driver.bank(0)
    assert driver.read(smc.MIR, 2) == 0x0004
    driver.command(smc.MMU_NOP)
    driver.write(smc.PNR, 2, 1)
    driver.command(smc.MMU_RELEASE)
    assert driver.read(smc.ARR, 1) == 2 and driver.read(smc.INT, 1) & smc.INT_ALLOC


@pytest.mark.parametrize("length", [60, 61, 1514])
def test_a_frame_leaves(driver: Driver, length: int) -> None:
    driver.start()
    frame = frame_to(BROADCAST, length)
    page = driver.transmit(frame)
    assert driver.sent == [frame]
    assert driver.read(smc.TX_FIFO, 1) == page
    driver.write(smc.POINTER, smc.PTR_AUTO_INCR, 2)
    assert driver.read(smc.DATA, 2) == smc.TX_STATUS


def test_a_short_frame_is_padded_if_wanted(driver: Driver) -> None:
    driver.start(transmit=smc.TCR_TXENA | smc.TCR_PAD_EN)
    driver.transmit(frame_to(BROADCAST, 42))
    assert driver.sent == [frame_to(BROADCAST, 42) + bytes(22)]


def test_the_transmit_interrupt_is_for_each_packet(driver: Driver) -> None:
    driver.start()
    driver.write(smc.MASK, smc.INT_TX, 1)
    for _ in range(2):
        driver.transmit(frame_to(BROADCAST))
    seen = []
    while driver.irq.level:
        seen.append(driver.read(smc.TX_FIFO, 1))
        driver.write(smc.INT, smc.INT_TX, 1)
    assert seen == [0, 1]


def test_packets_that_release_themselves_raise_no_interrupt(driver: Driver) -> None:
    driver.bank(1)
    driver.write(smc.CONTROL, smc.CTR_AUTO_RELEASE, 2)
    driver.start()
    driver.write(smc.MASK, smc.INT_TX, 1)
    for _ in range(6):
        driver.transmit(frame_to(BROADCAST))
    assert len(driver.sent) == 6 and not driver.irq.level


@pytest.mark.parametrize(("length", "status"), [(60, 0), (64, 0), (99, 0x1000), (1514, 0)])
def test_a_frame_arrives(driver: Driver, length: int, status: int) -> None:
    driver.start()
    driver.write(smc.MASK, smc.INT_RCV, 1)
    frame = frame_to(ADDRESS, length)
    assert driver.arrive(frame) and driver.irq.level
    found, data = driver.received()
    padded = frame.ljust(64, b"\0")
    control = b"\x60" if length & 1 else b"\x00\x40"
    assert (found, data) == (status, padded + control)
    assert not driver.irq.level and driver.read(smc.RX_FIFO, 1) == smc.FAILED


def test_the_checksum_can_be_had(driver: Driver) -> None:
    driver.start(receive=smc.RCR_RXEN)
    frame = frame_to(ADDRESS, 100)
    driver.arrive(frame)
    assert driver.received()[1] == frame + zlib.crc32(frame).to_bytes(4, "little") + b"\x00\x40"


def test_frames_wait_for_pages(driver: Driver) -> None:
    driver.start()
    taken = [driver.arrive(frame_to(ADDRESS, 64 + index)) for index in range(0, 12, 2)]
    assert taken == [True] * 4 + [False] * 2
    lengths = []
    while driver.read(smc.RX_FIFO, 1) != smc.FAILED:
        lengths.append(len(driver.received()[1]) - 2)
    assert lengths == [64, 66, 68, 70, 72, 74]


def test_what_arrives_while_the_receiver_is_off_is_lost(driver: Driver) -> None:
    assert driver.arrive(frame_to(ADDRESS))
    driver.start()
    assert driver.read(smc.RX_FIFO, 1) == smc.FAILED


def test_a_soft_reset_is_a_reset(driver: Driver) -> None:
    driver.start()
    driver.allocate()
    driver.bank(0)
    driver.write(smc.RCR, smc.RCR_SOFT_RST, 2)
    assert driver.read(smc.BANK, 1) == 0 and driver.read(smc.RCR, 2) == 0
    driver.bank(2)
    assert driver.allocate() == 0


def test_state_is_saved(driver: Driver) -> None:
    driver.start()
    driver.transmit(frame_to(BROADCAST))
    driver.arrive(frame_to(ADDRESS))
    other = Driver()
    assert saved_and_loaded(driver.card, other.card)
    assert other.received() == (0, frame_to(ADDRESS).ljust(64, b"\0") + b"\x00\x40")


def accesses(rng: random.Random, count: int) -> list[Access]:
    """Of bytes and half-words; the memory unit's size register has another idea of what is free than QEMU's."""
    found: list[Access] = []
    while len(found) < count:
        bank = rng.randrange(4)
        found.append(Access(smc.BANK, bank, 2))
        plain = {0: (0, 1, 2, 3, 4, 6, 8, 10, 12), 1: range(14), 2: (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13),
                 3: range(14)}[bank]  # fmt: skip
        writable = {0: (0, 1, 4), 1: (0, 1, 10, 11, 13), 2: (0, 2, 6, 7, 8, 9, 10, 11, 12, 13), 3: (12,)}[bank]
        only = {smc.MMU: [command << 5 for command in range(8)], smc.PNR: range(4)} if bank == 2 else {}
        for each in random_accesses(rng, 12, list(plain), list(writable), only=only):
            found.append(Access(each.offset, None if each.value is None else each.value & 0xFF, 1))
    return found


@needs_qemu_arm
def test_registers_are_qemus(rng: random.Random) -> None:
    with QtestReference("-M", "versatilepb", "-net", "nic,model=smc91c111,macaddr=52:54:00:12:34:56") as qemu:
        found = disagreement(Region(Driver().card), qemu, BASE, accesses(rng, 3000))
    assert found is None, found and (found[0][-20:], found[1:])
