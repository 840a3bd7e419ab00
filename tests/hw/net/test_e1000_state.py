"""The e1000's saved state: all of it, in QEMU's layout, whatever it was in the midst of; and none that does harm."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyqemu.hw.net import e1000_registers as reg
from pyqemu.hw.net.e1000_state import FULL_MAC_STATE, MIT_STATE, TX_TSO_STATE, VMSTATE
from pyqemu.hw.net.e1000_transmit import PAUSE, SLICE, Context
from pyqemu.qom.vmstate import LoadError
from tests.hw.net.card_rig import (
    BUFFERS,
    DATA,
    EOP,
    IP,
    MMIO,
    OWN,
    RX_RING,
    TCP,
    TSE,
    TX_RING,
    VLE,
    Rig,
    context,
    descriptor,
    frame_to,
)

MS = 1_000_000
WAIVED = {
    "Transmitter": "busy cutting tag _left _frames",
    "Receiver": "busy",
    "Interrupts": "delay_transmit",
    "Eeprom": "",
    "Phy": "_autonegotiation",
    "MacRegisters": "",
}
"""Of the card's parts: what QEMU has no place for, and what is an option."""
SAVED = {
    "Transmitter": "data header size tso_frames sum_needed props tso_props",
    "Receiver": "",
    "Interrupts": "level _mitigation",
    "Eeprom": "data val_in bitnum_in bitnum_out reading old_eecd",
    "Phy": "reg",
    "MacRegisters": "words",
}


def copy(rig: Rig, **props: Any) -> Rig:
    """Another card that goes on where the first one is."""
    rig.card.complete_now()
    state = VMSTATE.save(rig.card)
    other = Rig(**props)
    other.poke(TX_RING, rig.peek(TX_RING, 0x30_0000))
    VMSTATE.load(other.card, state)
    return other


def test_state_is_as_long_as_qemus() -> None:
    assert len(VMSTATE.save(Rig().card)) == 198744


def test_nothing_of_the_parts_is_forgotten() -> None:
    card = Rig().card
    for part in (card.transmitter, card.receiver, card.interrupts, card.eeprom, card.phy, card.mac):
        kind = type(part).__name__
        wires = {"_mac", "_memory", "_interrupts", "_clock", "_send", "_enabled", "_later", "_irq", "_pause", "_client",
                 "_negotiated", "_negotiation"}  # fmt: skip
        assert set(vars(part)) - wires == {*WAIVED[kind].split(), *SAVED[kind].split()}


@pytest.mark.parametrize(
    ("layout", "props"),
    [(MIT_STATE, {"mitigation": False}), (FULL_MAC_STATE, {"extra_mac_registers": False})],
)
def test_options_take_subsections_away(layout: Any, props: dict[str, bool]) -> None:
    assert layout.name.encode() in VMSTATE.save(Rig().card)
    assert layout.name.encode() not in VMSTATE.save(Rig(**props).card)


def test_registers_and_eeprom_in_the_midst_of_a_read() -> None:
    rig = Rig()
    for offset in (reg.VET, reg.RA + 16, reg.MTA + 4, reg.VFTA + 8, reg.WUC, reg.IMS, reg.PBM + 0x100):
        rig.write(offset, 0x1234_5678)
    for value in (2, 6, 7, 6, 7, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3):  # a part of a read of word 0
        rig.write(reg.EECD, value)
    other = copy(rig)
    assert other.card.mac.words == rig.card.mac.words
    for _ in range(16):
        assert other.read(reg.EECD) == rig.read(reg.EECD)
        for value in (3, 2):
            rig.write(reg.EECD, value)
            other.write(reg.EECD, value)


def test_frame_that_is_gathered() -> None:
    rig = Rig()
    rig.transmit_ring()
    rig.poke(BUFFERS, frame_to(OWN, 300))
    rig.put(descriptor(BUFFERS, 100), descriptor(BUFFERS + 100, 50))
    other = copy(rig)
    other.put(descriptor(BUFFERS + 150, 150 | EOP))
    assert other.sent == [frame_to(OWN, 300)]


def test_piece_that_is_cut() -> None:
    """In the midst of it, with the context for it; on the same frames as without a move."""
    command = context(ipcs=(14, 24, 33), tucs=(34, 50, 0), paylen=900, header=54, mss=300, flags=IP | TCP | TSE)
    first, second = descriptor(BUFFERS, 500 | DATA | TSE, 0x300), descriptor(BUFFERS + 500, 454 | DATA | TSE | EOP)
    frames = []
    for moves in (False, True):
        rig = Rig()
        rig.transmit_ring()
        rig.poke(BUFFERS, bytes(index * 11 & 0xFF for index in range(954)))
        rig.put(command, first)
        other = copy(rig) if moves else rig
        other.ring_size = rig.ring_size
        other.put(second)
        frames.append(rig.sent + other.sent if moves else rig.sent)
    assert frames[0] == frames[1]
    assert len(frames[0]) == 3


def test_both_contexts_where_a_newer_machine_sends_them() -> None:
    rig = Rig()
    rig.transmit_ring()
    rig.put(context(tucs=(1, 2, 3), mss=4, header=5), context(tucs=(6, 7, 8), mss=9, header=10, flags=TSE | IP))
    second = VMSTATE.save(rig.card) + b"\x05" + bytes((len(TX_TSO_STATE.name),)) + TX_TSO_STATE.name.encode()
    second += struct.pack(">I", 1) + TX_TSO_STATE.save(rig.card)
    other = Rig()
    VMSTATE.load(other.card, second)
    assert other.card.transmitter.tso_props == rig.card.transmitter.tso_props
    VMSTATE.load(other.card, VMSTATE.save(rig.card))
    assert other.card.transmitter.props == other.card.tso_props, "one context is all that there is"


def test_interrupt_that_was_held_back_is_not_lost() -> None:
    rig = Rig()
    rig.write(reg.IMS, reg.ICR_LSC)
    rig.write(reg.ICS, reg.ICR_LSC)
    rig.read(reg.ICR)
    rig.write(reg.ICS, reg.ICR_LSC)
    assert not rig.irq
    other = copy(rig)
    assert other.irq


def test_interrupt_that_another_machine_holds_back_comes_soon() -> None:
    """QEMU 7.2 goes away without waiting for its timer."""
    rig = Rig()
    rig.write(reg.IMS, reg.ICR_LSC)
    rig.write(reg.ICS, reg.ICR_LSC)
    rig.read(reg.ICR)
    rig.write(reg.ICS, reg.ICR_LSC)
    other = Rig()
    VMSTATE.load(other.card, VMSTATE.save(rig.card))
    assert not other.irq
    other.wait(1)
    assert other.irq


@pytest.mark.parametrize("plugged", [True, False])
def test_cable(plugged: bool) -> None:
    rig = Rig()
    rig.wait(MS)
    rig.card.client.set_link(plugged)
    other = copy(rig)
    other.wait(600 * MS)
    assert other.card.client.link_down != plugged
    assert bool(other.read(reg.STATUS) & reg.STATUS_LU) == plugged


def test_negotiation_begins_anew() -> None:
    rig = Rig()
    rig.write_phy(0, 0x1340)
    rig.wait(300 * MS)
    other = copy(rig)
    assert not other.read(reg.STATUS) & reg.STATUS_LU
    other.wait(500 * MS)
    assert other.read(reg.STATUS) & reg.STATUS_LU


def test_ring_that_was_not_done_is_done() -> None:
    rig = Rig()
    count = SLICE + 100
    rig.transmit_ring(count + 8)
    rig.poke(TX_RING, descriptor(BUFFERS, 60 | EOP) * count)
    rig.write(reg.TDT, count)
    other = copy(rig)
    assert rig.sent
    for _ in range(4):
        other.wait(PAUSE)
    assert len(rig.sent) + len(other.sent) == count


def test_interrupt_pin() -> None:
    rig = Rig(mitigation=False)
    rig.write(reg.IMS, reg.ICR_LSC)
    rig.write(reg.ICS, reg.ICR_LSC)
    other = copy(rig, mitigation=False)
    assert other.irq
    other.read(reg.ICR)
    assert not other.irq


def test_without_mitigation_what_belongs_to_it_is_dropped() -> None:
    rig = Rig()
    rig.write(reg.ITR, 1000)
    rig.write(reg.RADV, 1000)
    other = copy(rig, mitigation=False)
    assert [other.card.mac[offset] for offset in (reg.ITR, reg.RADV)] == [0, 0]


def test_version_1_has_a_number_in_front() -> None:
    state = VMSTATE.save(Rig(extra_mac_registers=False, mitigation=False).card)
    function = state[:276]
    VMSTATE.load(Rig().card, function + bytes(4) + state[276:], version=1)
    with pytest.raises(LoadError):
        VMSTATE.load(Rig().card, state, version=1)


# -- what means no good


def busy(rig: Rig) -> None:
    """Let the card do whatever it can."""
    rig.arrive(frame_to(b"\xff" * 6, 1500))
    rig.arrive(frame_to(OWN, 70))
    rig.write(reg.TDT, 3)
    rig.write(reg.RDT, 2)
    rig.wait(600 * MS)
    VMSTATE.save(rig.card)


@settings(max_examples=30, deadline=None)
@given(
    registers=st.dictionaries(
        st.sampled_from([reg.TDLEN, reg.TDH, reg.TDT, reg.RDLEN, reg.RDH, reg.RDT, reg.RCTL, reg.TCTL, reg.CTRL,
                         reg.TDBAL, reg.TDBAH, reg.RDBAL, reg.RDBAH, reg.EERD, reg.VET]),
        st.integers(0, 0xFFFF_FFFF),
    ),
    size=st.integers(0, 0xFFFF),
    props=st.tuples(*(st.integers(0, 255),) * 5, st.integers(0, 0xFFFF)),
)  # fmt: skip
def test_any_registers_can_be_loaded(registers: dict[int, int], size: int, props: tuple[int, ...]) -> None:
    rig = Rig()
    card = rig.card
    for offset, value in registers.items():
        card.mac[offset] = value
    card.transmitter.size = size
    card.transmitter.props = Context(ipcss=props[0], ipcso=props[1], tucss=props[2], tucso=props[3], hdr_len=props[4],
                                     mss=props[5])  # fmt: skip
    state = VMSTATE.save(card)
    other = Rig()
    VMSTATE.load(other.card, state)
    busy(other)


words = st.integers(0, 0xFFFF_FFFF)
addresses = st.one_of(
    st.integers(0, 0xFF_FFFF), st.integers(MMIO, MMIO + 0x20000), st.integers(0, 0xFFFF_FFFF_FFFF_FFFF), st.just(0),
    st.integers(TX_RING, TX_RING + 0x400), st.integers(RX_RING, RX_RING + 0x400),
)  # fmt: skip
kinds = st.sampled_from([EOP, EOP | VLE, 0, DATA, DATA | EOP, DATA | TSE, DATA | TSE | EOP, 0x2000_0000, 0x2400_0000])
descriptors = st.one_of(
    st.builds(descriptor, addresses, words, words),
    st.builds(lambda where, length, kind, upper: descriptor(where, length & 0xFFFF | kind, upper), addresses, words,
              kinds, words),
    st.builds(lambda raw, flags: raw[:8] + struct.pack("<I", 0x2000_0000 | flags) + raw[8:12],
              st.binary(min_size=12, max_size=12), words),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    ring=st.lists(descriptors, min_size=1, max_size=16),
    receive=st.lists(addresses, min_size=8, max_size=8),
    control=words,
    length=st.sampled_from([0, 128, 0x100, 0xF_FF80, 0x8000]),
    tail=st.integers(0, 0xFFFF),
    loop=st.booleans(),
)
def test_any_rings_end(ring: list[bytes], receive: list[int], control: int, length: int, tail: int, loop: bool) -> None:
    """Whatever a driver writes: the card never raises, and comes to an end."""
    rig = Rig(cable=not loop)
    if loop:
        rig.write_phy(0, 0x4140)
    rig.write(reg.CTRL, control)
    rig.receive_ring(8, control)
    for index, where in enumerate(receive):
        rig.poke(RX_RING + 16 * index, struct.pack("<Q", where))
    rig.transmit_ring()
    rig.write(reg.TDLEN, length)
    rig.poke(TX_RING, b"".join(ring))
    rig.write(reg.TDT, tail if length < 0x1000 else min(tail, 32))
    busy(rig)
