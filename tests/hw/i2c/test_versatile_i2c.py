"""The serial bus of Arm's boards with a clock on it: lines, bytes, and the time."""

from __future__ import annotations

import calendar
import random
from typing import Protocol

import pytest

from pyqemu.hw.i2c.versatile_i2c import CLEAR, SCL, SDA, SET, VersatileI2c
from pyqemu.hw.timer import ds1338
from pyqemu.hw.timer.ds1338 import Ds1338
from pyqemu.system import FakeClock, System
from pyqemu.system.clock import RtcClock
from tests.hw.board_rig import Region
from tests.qtest_reference import QtestReference, needs_qemu_arm

ADDRESS = 0x68
START = calendar.timegm((2016, 5, 11, 20, 15, 30))  # a Wednesday
BASE = 0x1000_2000


class Lines(Protocol):
    """The register that drives the lines."""

    def read(self, offset: int, size: int = 4) -> int: ...
    def write(self, offset: int, size: int, value: int) -> None: ...


class Host:
    """What software does with the lines."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.high(SCL | SDA)

    def high(self, bits: int) -> None:
        self.lines.write(SET, 4, bits)

    def low(self, bits: int) -> None:
        self.lines.write(CLEAR, 4, bits)

    def start(self) -> None:
        self.high(SDA)
        self.high(SCL)
        self.low(SDA)
        self.low(SCL)

    def stop(self) -> None:
        self.low(SDA)
        self.high(SCL)
        self.high(SDA)

    def bit(self, value: int) -> int:
        """One clock; what the line is in it."""
        (self.high if value else self.low)(SDA)
        self.high(SCL)
        found = self.lines.read(SET) >> 1 & 1
        self.low(SCL)
        return found

    def send(self, value: int) -> bool:
        """Whether it is acknowledged."""
        for shift in range(7, -1, -1):
            self.bit(value >> shift & 1)
        return not self.bit(1)

    def receive(self, *, last: bool) -> int:
        value = 0
        for _ in range(8):
            value = value << 1 | self.bit(1)
        self.bit(int(last))
        return value

    def write(self, register: int, *values: int) -> list[bool]:
        self.start()
        found = [self.send(value) for value in (ADDRESS << 1, register, *values)]
        self.stop()
        return found

    def read(self, register: int, count: int) -> list[int]:
        self.start()
        self.send(ADDRESS << 1)
        self.send(register)
        self.start()
        self.send(ADDRESS << 1 | 1)
        found = [self.receive(last=number == count - 1) for number in range(count)]
        self.stop()
        return found


class Rig(Host):
    """The interface with a clock."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        system = System(clock=self.clock)
        self.chip = Ds1338(RtcClock(float(START), "vm", self.clock), address=ADDRESS)
        device = VersatileI2c(system)
        device.i2c.plug(self.chip)
        super().__init__(Region(device))


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_the_time(rig: Rig) -> None:
    assert rig.read(0, 7) == [0x30, 0x15, 0x20, 4, 0x11, 0x05, 0x16]
    rig.clock.advance(3600 * 4 * 10**9)
    assert rig.read(0, 5) == [0x30, 0x15, 0x00, 5, 0x12]


def test_nobody_else_answers(rig: Rig) -> None:
    rig.start()
    assert not rig.send((ADDRESS + 1) << 1)
    rig.start()
    assert not rig.send((ADDRESS + 1) << 1 | 1) and rig.receive(last=True) == 0xFF
    rig.stop()
    assert rig.write(0) == [True, True]


def test_the_time_can_be_set(rig: Rig) -> None:
    rig.write(0, 0x59, 0x58, 0x23, 0, 0x31, 0x12, 0x99)
    rig.write(ds1338.DAY, 1)
    assert rig.read(0, 7) == [0x59, 0x58, 0x23, 1, 0x31, 0x12, 0x99]
    rig.clock.advance(61 * 10**9)
    assert rig.read(0, 7) == [0x00, 0x00, 0x00, 2, 0x01, 0x01, 0x00]


@pytest.mark.parametrize(("hour", "shown"), [(0, 0x52), (1, 0x41), (11, 0x51), (12, 0x72), (13, 0x61), (23, 0x71)])
def test_twelve_hours(rig: Rig, hour: int, shown: int) -> None:
    rig.write(ds1338.HOURS, shown)
    assert rig.read(ds1338.HOURS, 1) == [shown]
    assert rig.chip.seconds // 3600 % 24 == hour


def test_memory_and_control(rig: Rig) -> None:
    rig.write(ds1338.CONTROL, 0xFF, 1, 2, 3)
    assert rig.read(ds1338.CONTROL, 4) == [0x93, 1, 2, 3]


def test_registers_wrap_around_with_a_new_time(rig: Rig) -> None:
    rig.write(0x3F, 0xAA)
    assert rig.read(0x3F, 3) == [0xAA, 0x30, 0x15]


def test_state_is_saved(rig: Rig) -> None:
    rig.write(0, 0x00, 0x00, 0x12)
    rig.write(0x20, 7)
    other = Rig()
    Ds1338.vmstate.load(other.chip, Ds1338.vmstate.save(rig.chip))
    assert other.read(0, 3) == [0x00, 0x00, 0x12] and other.read(0x20, 1) == [7]


class Theirs:
    """QEMU's register."""

    def __init__(self, qemu: QtestReference) -> None:
        self.qemu = qemu

    def read(self, offset: int, size: int = 4) -> int:
        return self.qemu.read(BASE + offset)

    def write(self, offset: int, size: int, value: int) -> None:
        self.qemu.write(BASE + offset, value)


@needs_qemu_arm
def test_transfers_are_qemus(rig: Rig, rng: random.Random) -> None:
    """Dates are left alone: where days do not fit into months there are several opinions."""
    with QtestReference("-M", "versatilepb", "-rtc", "base=2016-05-11T20:15:30,clock=vm") as qemu:
        hosts = (rig, Host(Theirs(qemu)))
        assert rig.read(0, 16) == hosts[1].read(0, 16)
        for _ in range(30):
            register = rng.choice((0, 1, 2, 2, 3, 7, 8, 0x20))
            value = {
                0: 0x45,
                1: 0x07,
                2: rng.choice((0x00, 0x12, 0x23, 0x52, 0x72, 0x41, 0x65)),
                3: rng.randrange(1, 8),
            }
            written = [value.get(register, rng.getrandbits(8))]
            for host in hosts:
                host.write(register, *written)
            if register == 2 and written[0] & 0x40:
                continue  # QEMU's does not remember that hours are to be shown by halves of days
            assert rig.read(3, 8) == hosts[1].read(3, 8), (register, written)
