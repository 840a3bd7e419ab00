"""The PIIX3's function 0."""

from __future__ import annotations

import pytest

from pyqemu.hw.isa.piix3 import Piix3, slot_to_pirq
from pyqemu.hw.pci import PciBus, PciDevice
from pyqemu.memory import AddressSpace
from pyqemu.system import FakeIrq


class Card(PciDevice):
    type_name = "card"
    interrupt_pin = 1


class Board:
    def __init__(self) -> None:
        self.pci = PciBus.standalone()
        self.io = AddressSpace("I/O", self.pci.io)
        self.bridge = Piix3(self.io)
        self.pci.add(self.bridge, 0x08)
        self.irqs = [FakeIrq() for _ in range(16)]
        self.bridge.isa.connect_irqs(self.irqs)
        self.cards = [Card(), Card()]
        self.pci.add(self.cards[0], 0x18)  # INTA# of slot 3: PIRQC
        self.pci.add(self.cards[1], 0x20)  # of slot 4: PIRQD
        self.pci.system.reset()

    def route(self, pirq: int, value: int) -> None:
        self.pci.config_write(0x08, 0x60 + pirq, 1, value)


@pytest.fixture
def board() -> Board:
    return Board()


def test_identity_and_defaults(board: Board) -> None:
    assert board.pci.config_read(0x08, 0, 4) == 0x70008086
    assert board.pci.config_read(0x08, 8, 4) == 0x06010000
    assert board.pci.config_read(0x08, 0x0E, 1) == 0x80
    assert board.pci.config_read(0x08, 0x60, 4) == 0x80808080


def test_wiring_of_slots() -> None:
    assert [slot_to_pirq(slot << 3, 0) for slot in range(1, 6)] == [0, 1, 2, 3, 0]
    assert slot_to_pirq(1 << 3, 3) == 3


def test_pirqs_go_where_they_are_routed(board: Board) -> None:
    board.cards[0].irq.raise_()
    assert not any(line.level for line in board.irqs)
    board.route(2, 10)
    assert board.irqs[10].level
    board.route(2, 11)
    assert [line.level for line in board.irqs[10:12]] == [False, True]
    board.route(2, 0x8B)
    assert not board.irqs[11].level


def test_two_pirqs_share_a_line(board: Board) -> None:
    board.route(2, 11)
    board.route(3, 11)
    board.cards[0].irq.raise_()
    board.cards[1].irq.raise_()
    board.cards[0].irq.lower()
    assert (board.irqs[11].level, board.irqs[11].edges) == (True, 1)
    board.cards[1].irq.lower()
    assert not board.irqs[11].level


def test_reset_port(board: Board) -> None:
    system = board.pci.system
    board.io.store(0xCF9, 1, 0x02)
    assert board.io.load(0xCF9, 1) == 0x02
    assert not system.request_pending
    board.io.store(0xCF9, 1, 0x06)
    assert system.request_pending
    system.process_requests()
    assert board.io.load(0xCF9, 1) == 0


def test_state_bytes(board: Board) -> None:
    bridge = board.bridge
    assert bridge.vmstate is not None
    board.cards[0].irq.raise_()
    state = bridge.vmstate.save(bridge)
    assert len(state) == 276 + 16
    assert state[276:].hex() == "00000000000000000000000100000000"
    board.io.store(0xCF9, 1, 2)
    assert bridge.vmstate.save(bridge)[292:] == b"\x05\x09PIIX3/rcr\0\0\0\1\2"
