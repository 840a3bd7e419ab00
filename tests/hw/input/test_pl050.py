"""The PL050 with a keyboard and a mouse."""

from __future__ import annotations

import pytest

from pyqemu.hw.input.pl050 import CLKDIV, CR, DATA, IR, STAT, Pl050Keyboard, Pl050Mouse
from pyqemu.system import Irq
from tests.hw.board_rig import Region
from tests.qtest_reference import QtestReference, needs_qemu_arm

RX_FULL, PARITY, TX_EMPTY = 0x10, 0x04, 0x40


@pytest.fixture
def port() -> Region:
    return Region(Pl050Keyboard(Irq()))


def test_a_key_is_read_byte_by_byte() -> None:
    irq = Irq()
    device = Pl050Keyboard(irq)
    port = Region(device)
    port.write(CR, 4, 0x10)
    device.keyboard.put_key("a", False)
    assert irq.level and port.read(IR) == 3 and port.read(STAT) & RX_FULL
    assert [port.read(DATA), port.read(DATA)] == [0xF0, 0x1C]
    assert not irq.level and port.read(IR) == 2 and not port.read(STAT) & RX_FULL


def test_nothing_new_reads_as_the_last_byte(port: Region) -> None:
    port.write(DATA, 4, 0xF4)
    assert [port.read(DATA), port.read(DATA)] == [0xFA, 0xFA]


def test_parity_is_odd(port: Region) -> None:
    port.write(DATA, 4, 0xF4)
    port.read(DATA)  # 0xFA has six bits set
    assert port.read(STAT) == TX_EMPTY | PARITY


def test_the_transmitter_is_always_ready(port: Region) -> None:
    irq = Irq()
    port = Region(Pl050Mouse(irq))
    port.write(CR, 4, 0x08)
    assert irq.level and port.read(STAT) & TX_EMPTY


@needs_qemu_arm
@pytest.mark.parametrize(
    ("offset", "device", "commands"),
    [(0x6000, Pl050Keyboard, (0xFF, 0xF2, 0xEE)), (0x7000, Pl050Mouse, (0xFF, 0xF2, 0xE9))],
)
def test_answers_are_qemus(offset: int, device: type[Pl050Keyboard | Pl050Mouse], commands: tuple[int, ...]) -> None:
    port = Region(device(Irq()))
    with QtestReference("-M", "vexpress-a9") as qemu:
        base = 0x10000000 + offset
        for command in commands:
            port.write(DATA, 4, command)
            qemu.write(base + DATA, command)
            for register in (IR, DATA, IR, DATA, IR, DATA, IR, DATA, CLKDIV):
                assert port.read(register) == qemu.read(base + register)
