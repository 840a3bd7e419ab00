"""What the e1000 sends: descriptors, checksums, cutting, tags. QEMU's card does the same with the same descriptors."""

from __future__ import annotations

import struct

import pytest

from pyqemu.hw.net import e1000_registers as reg
from pyqemu.hw.net import e1000_transmit
from pyqemu.hw.pci import regs
from pyqemu.net.checksum import ones_sum
from tests.hw.net.card_rig import (
    BUFFERS,
    DATA,
    EOP,
    IC,
    INSERT_IP,
    INSERT_TCP,
    IP,
    MMIO,
    OWN,
    RS,
    TCP,
    TSE,
    TX_RING,
    VLE,
    Rig,
    context,
    descriptor,
    frame_to,
    ipv4_tcp,
)

HEADER = 54  # Ethernet, IPv4, TCP
IPV4_TCP = context(ipcs=(14, 24, 33), tucs=(34, 50, 0), flags=IP | TCP)


@pytest.fixture
def rig() -> Rig:
    made = Rig()
    made.transmit_ring()
    return made


def status(rig: Rig, index: int = 0) -> int:
    return rig.peek(TX_RING + 16 * index + 12, 1)[0]


def pseudo_header(length: int) -> int:
    """The sum of the addresses, the protocol and a length, as the driver puts it into TCP's checksum."""
    return ones_sum(bytes((10, 0, 2, 15, 10, 0, 2, 2, 0, 6)) + length.to_bytes(2, "big"))


def with_pseudo_header(frame: bytes, length: int) -> bytes:
    return frame[:50] + pseudo_header(length).to_bytes(2, "big") + frame[52:]


def check_sums(frame: bytes) -> None:
    """A receiver's test of both checksums."""
    length = int.from_bytes(frame[16:18], "big")
    assert length == len(frame) - 14
    assert ones_sum(frame[14:34]) == 0xFFFF
    pseudo = frame[26:34] + b"\0\6" + (length - 20).to_bytes(2, "big")
    assert ones_sum(pseudo + frame[34:]) == 0xFFFF


# -- the ring


def test_frame_goes_out_and_the_guest_is_told(rig: Rig) -> None:
    rig.write(reg.IMS, reg.ICR_TXDW)
    rig.transmit(frame_to(OWN, 100))
    assert rig.sent == [frame_to(OWN, 100)]
    assert status(rig) == e1000_transmit.DD
    assert (rig.read(reg.TDH), rig.read(reg.TDT)) == (1, 1)
    assert rig.irq
    assert rig.read(reg.ICR) == reg.ICR_TXDW | reg.ICR_TXQE


def test_guest_that_does_not_ask_is_not_told(rig: Rig) -> None:
    rig.transmit(frame_to(OWN), EOP)
    assert len(rig.sent) == 1
    assert status(rig) == 0
    assert rig.read(reg.ICR) == reg.ICR_TXQE


def test_nothing_is_sent_while_the_transmitter_is_off(rig: Rig) -> None:
    rig.write(reg.TCTL, 0)
    rig.transmit(frame_to(OWN))
    assert rig.sent == []
    rig.write(reg.TCTL, reg.TCTL_EN)
    assert len(rig.sent) == 1


def test_nothing_is_sent_without_bus_mastering(rig: Rig) -> None:
    rig.card.config_write(regs.COMMAND, 2, regs.COMMAND_MEMORY)
    rig.transmit(frame_to(OWN))
    assert rig.sent == []
    rig.card.config_write(regs.COMMAND, 2, regs.COMMAND_MEMORY | regs.COMMAND_MASTER)
    rig.wait(e1000_transmit.PAUSE)
    assert len(rig.sent) == 1


def test_ring_goes_round(rig: Rig) -> None:
    rig.transmit_ring(8)
    for number in range(20):
        rig.transmit(frame_to(OWN, 60 + number))
    assert [len(frame) for frame in rig.sent] == list(range(60, 80))
    assert rig.read(reg.TDH) == 20 % 8


def test_frame_of_several_buffers(rig: Rig) -> None:
    frame = frame_to(OWN, 300)
    rig.poke(BUFFERS, frame)
    rig.put(descriptor(BUFFERS, 14), descriptor(BUFFERS + 14, 0), descriptor(BUFFERS + 14, 286 | EOP))
    assert rig.sent == [frame]


def test_frame_without_a_cable_vanishes() -> None:
    rig = Rig(cable=False)
    rig.transmit_ring()
    rig.transmit(frame_to(OWN))
    assert status(rig) == e1000_transmit.DD


def test_frame_with_the_cable_pulled_vanishes(rig: Rig) -> None:
    rig.card.client.set_link(False)
    rig.transmit(frame_to(OWN))
    assert rig.sent == []
    assert status(rig) == e1000_transmit.DD


def test_what_was_sent_is_counted(rig: Rig) -> None:
    for frame in (frame_to(b"\xff" * 6, 60), frame_to(bytes.fromhex("01005e000001"), 200), frame_to(OWN, 1514)):
        rig.transmit(frame)
    assert rig.read(reg.TOTL) == rig.read(reg.GOTCL) == 60 + 200 + 1514 + 3 * 4
    assert (rig.read(reg.BPTC), rig.read(reg.MPTC)) == (1, 1)
    assert [rig.read(reg.PTC64 + 4 * number) for number in range(6)] == [1, 0, 1, 0, 0, 1]
    assert rig.read(reg.TPT) == 3
    assert rig.read(reg.TPT) == 0, "a read clears it"
    assert rig.read(reg.GPTC) == 3


# -- checksums


def test_context_tells_where_checksums_go(rig: Rig) -> None:
    frame = with_pseudo_header(ipv4_tcp(101), 121)
    frame = frame[:16] + (len(frame) - 14).to_bytes(2, "big") + frame[18:]
    rig.poke(BUFFERS, frame)
    rig.put(IPV4_TCP, descriptor(BUFFERS, len(frame) | DATA | EOP, INSERT_IP | INSERT_TCP))
    (sent,) = rig.sent
    check_sums(sent)
    assert sent[54:] == frame[54:]


def test_only_what_is_asked_for_is_inserted(rig: Rig) -> None:
    frame = ipv4_tcp(64)
    rig.poke(BUFFERS, frame)
    rig.put(IPV4_TCP, descriptor(BUFFERS, len(frame) | DATA | EOP), descriptor(BUFFERS, len(frame) | EOP))
    assert rig.sent == [frame, frame]


def test_legacy_descriptor_with_a_checksum(rig: Rig) -> None:
    """CSO says where, CSS from where on (Intel 317453, 3.3.3)."""
    frame = with_pseudo_header(ipv4_tcp(33), 53)
    rig.transmit(frame, EOP | IC | 50 << 16, 34 << 8)
    (sent,) = rig.sent
    assert ones_sum(sent[26:34] + b"\0\6" + (53).to_bytes(2, "big") + sent[34:]) == 0xFFFF


def test_sum_of_zero_is_sent_as_its_complement(rig: Rig) -> None:
    rig.poke(BUFFERS, bytes(60))
    rig.put(context(tucs=(14, 20, 33)), descriptor(BUFFERS, 60 | DATA | EOP, INSERT_TCP))
    assert rig.sent[0][20:22] == b"\xff\xff"
    rig.poke(BUFFERS, b"\0" * 14 + b"\xff\xff" + bytes(44))
    rig.put(descriptor(BUFFERS, 60 | DATA | EOP, INSERT_TCP))
    assert rig.sent[1][20:22] == b"\xff\xff", "0000h would say that there is none"


@pytest.mark.parametrize("where", [59, 60, 255])
def test_checksum_has_no_place_behind_the_frame(rig: Rig, where: int) -> None:
    frame = frame_to(OWN)
    rig.poke(BUFFERS, frame)
    rig.put(context(tucs=(14, where, 0)), descriptor(BUFFERS, 60 | DATA | EOP, INSERT_TCP))
    assert rig.sent == [frame]


# -- cutting


def test_tcp_is_cut(rig: Rig) -> None:
    payload, mss = 3000, 1000
    frame = with_pseudo_header(ipv4_tcp(payload, flags=0x19), 0)
    rig.poke(BUFFERS, frame)
    rig.put(
        context(ipcs=(14, 24, 33), tucs=(34, 50, 0), paylen=payload, header=HEADER, mss=mss, flags=IP | TCP | TSE),
        descriptor(BUFFERS, HEADER | DATA | TSE, INSERT_IP | INSERT_TCP),
        descriptor(BUFFERS + HEADER, 1700 | DATA | TSE),
        descriptor(BUFFERS + HEADER + 1700, 1300 | DATA | TSE | EOP | RS),
    )
    assert [len(sent) for sent in rig.sent] == [HEADER + mss] * 3
    for number, sent in enumerate(rig.sent):
        check_sums(sent)
        assert sent[54:] == frame[54 + 1000 * number :][:1000]
        assert int.from_bytes(sent[18:20], "big") == 0x1234 + number
        assert int.from_bytes(sent[38:42], "big") == 0x1000_0000 + 1000 * number
        assert sent[47] == (0x19 if number == 2 else 0x10), "FIN and PSH with the last one only"


def test_last_frame_may_be_shorter(rig: Rig) -> None:
    frame = with_pseudo_header(ipv4_tcp(2500), 0)
    rig.poke(BUFFERS, frame)
    rig.put(
        context(ipcs=(14, 24, 33), tucs=(34, 50, 0), paylen=2500, header=HEADER, mss=1460, flags=IP | TCP | TSE),
        descriptor(BUFFERS, len(frame) | DATA | TSE | EOP, INSERT_IP | INSERT_TCP),
    )
    assert [len(sent) for sent in rig.sent] == [HEADER + 1460, HEADER + 1040]
    for sent in rig.sent:
        check_sums(sent)


def test_each_kind_of_frame_has_its_context(rig: Rig) -> None:
    """The one for cutting survives frames in between that are sent as they are."""
    plain, large = with_pseudo_header(ipv4_tcp(10), 30), with_pseudo_header(ipv4_tcp(2000), 0)
    rig.poke(BUFFERS, plain)
    rig.poke(BUFFERS + 0x1000, large)
    cut = context(ipcs=(14, 24, 33), tucs=(34, 50, 0), paylen=2000, header=HEADER, mss=1000, flags=IP | TCP | TSE)
    rig.put(
        cut,
        context(tucs=(34, 50, 0)),
        descriptor(BUFFERS, len(plain) | DATA | EOP, INSERT_TCP),
        descriptor(BUFFERS + 0x1000, len(large) | DATA | TSE | EOP, INSERT_IP | INSERT_TCP),
    )
    assert [len(sent) for sent in rig.sent] == [64, HEADER + 1000, HEADER + 1000]
    check_sums(rig.sent[2])


def test_udp_over_ipv6_is_cut(rig: Rig) -> None:
    head = OWN + OWN + b"\x86\xdd" + b"\x60\0\0\0\0\0\x11\x40" + bytes(range(32)) + b"\x12\x34\x56\x78\0\0\0\0"
    rig.poke(BUFFERS, head + bytes(range(200)))
    rig.put(
        context(tucs=(54, 60, 0), ipcs=(14, 0, 0), paylen=200, header=62, mss=100, flags=TSE),
        descriptor(BUFFERS, 262 | DATA | TSE | EOP, INSERT_TCP),
    )
    for number, sent in enumerate(rig.sent):
        assert struct.unpack_from(">H", sent, 18) == (148,)
        assert struct.unpack_from(">H", sent, 58) == (108,)
        assert sent[62:] == bytes(range(200))[100 * number : 100 * number + 100]
    assert len(rig.sent) == 2


# -- tags


def test_tag_is_inserted(rig: Rig) -> None:
    rig.write(reg.VET, 0x8100)
    frame = frame_to(OWN)
    rig.transmit(frame, EOP | VLE, 0x6123 << 16)
    rig.write(reg.CTRL, reg.CTRL_VME)
    rig.transmit(frame, EOP | VLE, 0x6123 << 16)
    rig.transmit(frame, EOP, 0x6123 << 16)
    assert rig.sent == [frame, frame[:12] + b"\x81\x00\x61\x23" + frame[12:], frame]


# -- guests that mean no good


def test_tail_outside_the_ring_is_no_endless_task(rig: Rig) -> None:
    rig.transmit_ring(8)
    for index in range(8):
        rig.poke(TX_RING + 16 * index, descriptor(BUFFERS, 60 | EOP))
    rig.write(reg.TDT, 0xFFFF)
    rig.wait(10**9)
    assert len(rig.sent) == 8


@pytest.mark.parametrize("head", [1, 8, 0xFFFF])
def test_ring_without_length_has_one_descriptor(rig: Rig, head: int) -> None:
    rig.write(reg.TDLEN, 0)
    rig.write(reg.TDH, head)
    rig.write(reg.TDT, 5)
    rig.wait(10**9)
    assert rig.read(reg.TDH) == 0


def test_long_ring_is_worked_at_in_slices(rig: Rig) -> None:
    """The guest runs on in between."""
    count = 3 * e1000_transmit.SLICE
    rig.transmit_ring(count + 8)
    for index in range(count):
        rig.poke(TX_RING + 16 * index, descriptor(BUFFERS, 60 | EOP))
    rig.read(reg.ICR)
    rig.write(reg.TDT, count)
    assert 0 < len(rig.sent) <= e1000_transmit.SLICE
    assert not rig.read(reg.ICR) & reg.ICR_TXQE, "it is not empty"
    for _ in range(8):
        rig.wait(e1000_transmit.PAUSE)
    assert len(rig.sent) == count
    assert rig.read(reg.ICR) & reg.ICR_TXQE


def test_cutting_into_nothing(rig: Rig) -> None:
    rig.poke(BUFFERS, bytes(1000))
    rig.put(context(flags=TSE), descriptor(BUFFERS, 1000 | DATA | TSE | EOP | RS))
    assert status(rig, 1) == e1000_transmit.DD


def test_frame_that_never_ends(rig: Rig) -> None:
    """What is too much for the card's buffer is lost."""
    for _ in range(5):
        rig.put(descriptor(BUFFERS, 0xFFFF))
    rig.put(descriptor(BUFFERS, EOP | 1))
    assert len(rig.sent[0]) == 0xFFFF


def test_card_does_not_program_itself(rig: Rig) -> None:
    """A descriptor ring in its own registers: each completion would be a command."""
    rig.write(reg.TDBAL, MMIO + reg.TDBAL)
    rig.write(reg.TDT, 8)
    assert (rig.read(reg.TDBAL), rig.read(reg.TDT)) == (MMIO + reg.TDBAL, 8)


@pytest.mark.parametrize("address", [0xFFFF_FFFF_FFFF_FFF8, 0xFFFF_FFFF_FFFF_FFFF, MMIO, 0x8000_0000])
def test_buffer_where_no_memory_is(rig: Rig, address: int) -> None:
    rig.put(descriptor(address, 2000 | EOP))
    assert len(rig.sent) == 1


def test_ring_at_the_end_of_all_addresses(rig: Rig) -> None:
    rig.write(reg.TDBAL, 0xFFFF_FFF0)
    rig.write(reg.TDBAH, 0xFFFF_FFFF)
    rig.write(reg.TDT, 3)
    assert rig.read(reg.TDH) == 3
