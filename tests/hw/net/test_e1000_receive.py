"""What the e1000 receives: filters, buffers, interrupts."""

from __future__ import annotations

import pytest

from pyqemu.hw.net import e1000_registers as reg
from pyqemu.hw.net.e1000_receive import DD, EOP, IXSM, MOST_SKIPPED, VP
from pyqemu.hw.pci import regs
from tests.hw.net.card_rig import (
    LANDING,
    MMIO,
    OTHER,
    OWN,
    PHY_LOOPBACK,
    RX_RING,
    Rig,
    descriptor,
    frame_to,
)

BROADCAST = b"\xff" * 6
MULTICAST = bytes.fromhex("01005e000001")


@pytest.fixture
def rig() -> Rig:
    return Rig()


def tagged(vlan: int, kind: int = 0x8100, length: int = 100) -> bytes:
    frame = frame_to(OWN, length)
    return frame[:12] + kind.to_bytes(2, "big") + vlan.to_bytes(2, "big") + frame[12:]


# -- a frame


def test_frame_lands_in_memory_and_the_guest_is_told(rig: Rig) -> None:
    rig.write(reg.IMS, reg.ICR_RXT0)
    rig.receive_ring(control=reg.RCTL_SECRC)
    assert rig.arrive(frame_to(OWN, 200))
    assert rig.contents() == frame_to(OWN, 200)
    assert rig.received().status == DD | EOP | IXSM
    assert rig.read(reg.RDH) == 1
    assert rig.irq
    assert rig.read(reg.ICR) == reg.ICR_RXT0


def test_short_frame_is_filled_up(rig: Rig) -> None:
    rig.receive_ring(control=reg.RCTL_SECRC)
    rig.arrive(frame_to(OWN, 20))
    assert rig.contents() == frame_to(OWN, 20).ljust(60, b"\0")


def test_length_counts_the_wires_checksum(rig: Rig) -> None:
    rig.receive_ring()
    rig.arrive(frame_to(OWN, 100))
    assert rig.received().length == 104


@pytest.mark.parametrize(
    ("control", "size"),
    [
        (0, 2048), (1 << 16, 1024), (2 << 16, 512), (3 << 16, 256),
        (reg.RCTL_BSEX, 2048), (reg.RCTL_BSEX | 1 << 16, 16384), (reg.RCTL_BSEX | 2 << 16, 8192),
        (reg.RCTL_BSEX | 3 << 16, 4096),
    ],
)  # fmt: skip
def test_long_frame_goes_into_several_buffers(rig: Rig, control: int, size: int) -> None:
    rig.receive_ring(size=128, control=control | reg.RCTL_SECRC | reg.RCTL_LPE)
    frame = frame_to(OWN, 16000)
    rig.arrive(frame)
    used = -(-16000 // size)
    assert rig.read(reg.RDH) == used
    assert b"".join(rig.contents(index) for index in range(used)) == frame
    assert [rig.received(index).status for index in range(used)] == [DD] * (used - 1) + [DD | EOP | IXSM]


def test_buffer_without_address_is_skipped(rig: Rig) -> None:
    rig.receive_ring(control=reg.RCTL_SECRC)
    rig.poke(RX_RING, bytes(16))
    rig.arrive(frame_to(OWN))
    assert rig.received(0).status == DD
    assert rig.contents(1) == frame_to(OWN)


def test_received_is_counted(rig: Rig) -> None:
    rig.receive_ring(control=reg.RCTL_BAM | reg.RCTL_MPE)
    for frame in (frame_to(OWN, 60), frame_to(BROADCAST, 300), frame_to(MULTICAST, 1000)):
        rig.arrive(frame)
    assert rig.read(reg.TORL) == 60 + 300 + 1000 + 12
    assert [rig.read(reg.PRC64 + 4 * number) for number in range(6)] == [1, 0, 0, 1, 1, 0]
    assert (rig.read(reg.BPRC), rig.read(reg.MPRC), rig.read(reg.TPR), rig.read(reg.GPRC)) == (1, 1, 3, 3)


# -- what stands in the way


def test_nothing_is_lost_while_there_are_no_buffers(rig: Rig) -> None:
    rig.receive_ring(free=0)
    assert not rig.arrive(frame_to(OWN, 70))
    assert not rig.arrive(frame_to(OWN, 80))
    rig.write(reg.RDT, 4)
    assert [rig.received(index).length for index in range(2)] == [74, 84]


@pytest.mark.parametrize("how", ["receiver off", "no master", "no link"])
def test_frames_wait_until_the_card_can_receive(rig: Rig, how: str) -> None:
    rig.receive_ring()
    if how == "receiver off":
        rig.write(reg.RCTL, 0)
    elif how == "no master":
        rig.card.config_write(regs.COMMAND, 2, regs.COMMAND_MEMORY)
    else:
        rig.write_phy(0, 0x1340)  # negotiates
    assert not rig.arrive(frame_to(OWN))
    assert rig.read(reg.RDH) == 0
    rig.write(reg.RCTL, reg.RCTL_EN)
    rig.card.config_write(regs.COMMAND, 2, regs.COMMAND_MEMORY | regs.COMMAND_MASTER)
    rig.wait(500_000_000)
    assert rig.read(reg.RDH) == 1


def test_overrun_is_told(rig: Rig) -> None:
    """One buffer is free, and the frame needs two."""
    rig.receive_ring(control=reg.RCTL_LPE, free=1)
    rig.arrive(frame_to(OWN, 3000))
    assert rig.read(reg.ICR) == reg.ICR_RXO
    assert (rig.read(reg.RDH), rig.read(reg.RNBC), rig.read(reg.MPC)) == (0, 1, 1)


@pytest.mark.parametrize(("threshold", "told"), [(0, 4), (1, 6), (2, 7), (3, None)])
def test_few_buffers_are_told(rig: Rig, threshold: int, told: int | None) -> None:
    """RDMTS: half, a quarter, an eighth of the ring; of 8, all but one were free."""
    rig.receive_ring(control=threshold << 8)
    for number in range(1, 8):
        rig.read(reg.ICR)
        rig.arrive(frame_to(OWN))
        low = bool(rig.read(reg.ICR) & reg.ICR_RXDMT0)
        free = 7 - number
        assert low == (free <= (8 >> (threshold + 1)))
        if told == number:
            assert low


@pytest.mark.parametrize(
    ("length", "control", "taken"),
    [
        (1522, 0, True), (1523, 0, False), (1523, reg.RCTL_LPE, True), (16384, reg.RCTL_LPE, True),
        (16385, reg.RCTL_LPE, False), (1523, reg.RCTL_SBP, True),
    ],
)  # fmt: skip
def test_too_long_frames(rig: Rig, length: int, control: int, taken: bool) -> None:
    rig.receive_ring(size=32, control=control)
    assert rig.arrive(frame_to(OWN, length))
    assert bool(rig.read(reg.RDH)) == taken
    assert rig.read(reg.ROC) == (0 if taken else 1)


# -- filters


@pytest.mark.parametrize(
    ("address", "control", "taken"),
    [
        (OWN, 0, True),
        (OTHER, 0, False),
        (OTHER, reg.RCTL_UPE, True),
        (OTHER, reg.RCTL_MPE | reg.RCTL_BAM, False),
        (BROADCAST, 0, False),
        (BROADCAST, reg.RCTL_BAM, True),
        (BROADCAST, reg.RCTL_UPE | reg.RCTL_MPE, False),
        (MULTICAST, reg.RCTL_UPE | reg.RCTL_BAM, False),
        (MULTICAST, reg.RCTL_MPE, True),
    ],
)
def test_who_is_heard(rig: Rig, address: bytes, control: int, taken: bool) -> None:
    rig.receive_ring(control=control)
    assert rig.arrive(frame_to(address)), "what is not for the card is not kept for it"
    assert bool(rig.read(reg.RDH)) == taken


@pytest.mark.parametrize("index", [1, 15])
def test_further_addresses(rig: Rig, index: int) -> None:
    rig.receive_ring(size=16)
    rig.write(reg.RA + 8 * index, int.from_bytes(OTHER[:4], "little"))
    rig.write(reg.RA + 8 * index + 4, int.from_bytes(OTHER[4:], "little"))
    rig.arrive(frame_to(OTHER))
    assert rig.read(reg.RDH) == 0, "it is not valid yet"
    rig.write(reg.RA + 8 * index + 4, int.from_bytes(OTHER[4:], "little") | reg.RAH_AV)
    rig.arrive(frame_to(OTHER))
    assert rig.read(reg.RDH) == 1


@pytest.mark.parametrize(("offset", "shift"), [(0, 4), (1, 3), (2, 2), (3, 0)])
def test_multicast_hashes(rig: Rig, offset: int, shift: int) -> None:
    """MO says which twelve bits of the last two bytes are the hash (Intel 317453, 13.5.1)."""
    address = bytes.fromhex("01005e7fa5c3")
    number = 0xC3A5 >> shift & 0xFFF
    rig.receive_ring(control=offset << 12)
    rig.arrive(frame_to(address))
    assert rig.read(reg.RDH) == 0
    rig.write(reg.MTA + 4 * (number >> 5), 1 << (number & 31))
    rig.arrive(frame_to(address))
    assert rig.read(reg.RDH) == 1


def test_vlan_filter(rig: Rig) -> None:
    rig.write(reg.VET, 0x8100)
    rig.receive_ring(control=reg.RCTL_VFE)
    rig.arrive(tagged(0x6123))
    assert rig.read(reg.RDH) == 0
    rig.arrive(frame_to(OWN))
    assert rig.read(reg.RDH) == 1, "without a tag it passes"
    rig.write(reg.VFTA + 4 * (0x123 >> 5), 1 << (0x123 & 31))
    rig.arrive(tagged(0x6123))
    assert rig.read(reg.RDH) == 2


def test_tag_is_taken_off(rig: Rig) -> None:
    rig.write(reg.VET, 0x8100)
    rig.write(reg.CTRL, reg.CTRL_VME)
    rig.receive_ring(control=reg.RCTL_SECRC)
    rig.arrive(tagged(0x6123))
    rig.arrive(tagged(0x6123, kind=0x88A8))
    assert rig.contents(0) == frame_to(OWN, 100)
    assert rig.received(0).special == 0x6123
    assert rig.received(0).status == DD | EOP | IXSM | VP
    assert rig.contents(1) == tagged(0x6123, kind=0x88A8), "another type is no tag"


# -- loopback


@pytest.mark.parametrize("how", ["card", "transceiver"])
def test_loopback(rig: Rig, how: str) -> None:
    rig.receive_ring(control=reg.RCTL_SECRC | (reg.RCTL_LBM_MAC if how == "card" else 0))
    if how == "transceiver":
        rig.write_phy(0, PHY_LOOPBACK)
    rig.transmit_ring()
    rig.transmit(frame_to(OWN, 123))
    assert rig.contents() == frame_to(OWN, 123)
    assert rig.sent == []


# -- guests that mean no good


@pytest.mark.parametrize("length", [0, 128, 0xF_FF80])
def test_ring_of_buffers_without_addresses_is_no_endless_task(rig: Rig, length: int) -> None:
    rig.write(reg.RDBAL, RX_RING)
    rig.write(reg.RDLEN, length)
    rig.write(reg.RCTL, reg.RCTL_EN)
    rig.write(reg.RDT, 5)
    rig.arrive(frame_to(OWN))
    assert rig.read(reg.ICR) & reg.ICR_RXO
    assert rig.read(reg.RDH) <= MOST_SKIPPED + 1


def test_head_outside_the_ring(rig: Rig) -> None:
    rig.receive_ring()
    rig.write(reg.RDH, 0x100)
    rig.arrive(frame_to(OWN))
    assert rig.read(reg.RDH) == 0


def test_buffer_in_its_own_registers(rig: Rig) -> None:
    rig.receive_ring()
    rig.poke(RX_RING, descriptor(MMIO + reg.RDT, 0))
    rig.arrive(frame_to(OWN))
    assert rig.read(reg.RDT) == 7


def test_loop_of_frames_that_make_frames_ends(rig: Rig) -> None:
    """A received frame becomes the descriptor of the next one that is sent, and is received again."""
    rig.receive_ring(size=64, control=reg.RCTL_LBM_MAC | reg.RCTL_UPE)
    rig.transmit_ring(8)
    rig.poke(LANDING, bytes(64))
    rig.write(reg.TDBAL, LANDING)
    rig.write(reg.TDT, 0xFFFF)
    rig.wait(10**9)
    assert rig.read(reg.TDH) < 8
