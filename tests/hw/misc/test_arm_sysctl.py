"""The system registers of Arm's boards."""

from __future__ import annotations

import random

import pytest

from pyqemu.hw.misc.arm_sysctl import (
    CFG_START,
    CFG_WRITE,
    COUNTER_24MHZ,
    COUNTER_100HZ,
    FLAGS,
    FLAGSCLR,
    ID,
    LOCK,
    NVFLAGS,
    RESETCTL,
    SYS_CFGCTRL,
    SYS_CFGDATA,
    SYS_CFGSTAT,
    ArmSysctl,
)
from pyqemu.system import FakeClock
from pyqemu.system.clock import MILLISECOND
from tests.hw.board_rig import Region, compare, saved_and_loaded, words
from tests.qtest_reference import QtestReference, needs_qemu_arm

VOLTAGES = (1_000_000, 1_000_000, 1_000_000, 1_800_000, 900_000, 3_300_000)
CLOCKS = (45_000_000, 23_750_000, 66_670_000)
OSC, SHUTDOWN, REBOOT = 1 << 20, 8 << 20, 9 << 20
DAUGHTERBOARD = 1 << 16


def vexpress(**extra: object) -> ArmSysctl:
    return ArmSysctl(
        FakeClock(), sys_id=0x1190F500, proc_id=0x0C000191, daughterboard_voltages=VOLTAGES,
        daughterboard_clocks=CLOCKS, **extra,
    )  # fmt: skip


def test_flags_are_set_and_cleared_by_bits_and_some_survive_a_reset() -> None:
    device = vexpress()
    board = Region(device)
    board.write(FLAGS, 4, 0x8000_1234)
    board.write(FLAGSCLR, 4, 0x34)
    board.write(NVFLAGS, 4, 5)
    assert board.read(FLAGS) == 0x8000_1200
    device.reset()
    assert (board.read(FLAGS), board.read(NVFLAGS), board.read(ID)) == (0, 5, 0x1190F500)


def test_counters() -> None:
    clock = FakeClock()
    board = Region(ArmSysctl(clock, sys_id=0x41007004))
    clock.advance(1500 * MILLISECOND)
    assert (board.read(COUNTER_100HZ), board.read(COUNTER_24MHZ)) == (150, 36_000_000)


def test_clocks_of_the_daughterboard_can_be_asked_and_set() -> None:
    board = Region(vexpress())
    board.write(SYS_CFGCTRL, 4, CFG_START | OSC | DAUGHTERBOARD | 1)
    assert (board.read(SYS_CFGDATA), board.read(SYS_CFGSTAT)) == (CLOCKS[1], 1)
    board.write(SYS_CFGDATA, 4, 40_000_000)
    board.write(SYS_CFGCTRL, 4, CFG_START | CFG_WRITE | OSC | DAUGHTERBOARD | 1)
    board.write(SYS_CFGDATA, 4, 0)
    board.write(SYS_CFGCTRL, 4, CFG_START | OSC | DAUGHTERBOARD | 1)
    assert board.read(SYS_CFGDATA) == 40_000_000


def test_what_is_not_there_is_an_error() -> None:
    board = Region(vexpress())
    board.write(SYS_CFGCTRL, 4, CFG_START | OSC | DAUGHTERBOARD | 9)
    assert board.read(SYS_CFGSTAT) == 3


@pytest.mark.parametrize(("function", "expected"), [(SHUTDOWN, "off"), (REBOOT, "again")])
def test_the_board_turns_itself_off_and_on(function: int, expected: str) -> None:
    done: list[str] = []
    board = Region(vexpress(shutdown=lambda: done.append("off"), reboot=lambda: done.append("again")))
    board.write(SYS_CFGCTRL, 4, CFG_START | CFG_WRITE | function)
    assert done == [expected]


@pytest.mark.parametrize(("sys_id", "value"), [(0x41007004, 0x100), (0x01780500, 0x04)])
def test_a_reset_must_be_unlocked(sys_id: int, value: int) -> None:
    done: list[str] = []
    board = Region(ArmSysctl(FakeClock(), sys_id=sys_id, reboot=lambda: done.append("again")))
    board.write(RESETCTL, 4, value)
    assert not done
    board.write(LOCK, 4, 0xA05F)
    board.write(RESETCTL, 4, value)
    assert done == ["again"]


def test_its_state_has_as_many_clocks_as_there_are() -> None:
    device, other = vexpress(), vexpress()
    Region(device).write(FLAGS, 4, 3)
    device.db_clock[2] = 1
    assert saved_and_loaded(device, other) and other.db_clock[2] == 1


@needs_qemu_arm
@pytest.mark.parametrize(
    ("machine", "device"),
    [
        ("vexpress-a9", vexpress()),
        ("versatilepb", ArmSysctl(FakeClock(), sys_id=0x41007004, proc_id=0x02000000)),
        ("realview-pb-a8", ArmSysctl(FakeClock(), sys_id=0x01780500, proc_id=0x0E000000)),
    ],
    ids=["vexpress-a9", "versatilepb", "realview-pb-a8"],
)
def test_registers_are_qemus(machine: str, device: ArmSysctl, rng: random.Random) -> None:
    registers = words(0, 0xB0)
    requests = (0x80100000, 0xC0100001, 0x80110001, 0x80200000, 0x80210002, 0x84110000, 0x80110009, 0xC0700000)
    writable = [each for each in registers if each != RESETCTL]
    with QtestReference("-M", machine) as qemu:
        compare(device, qemu, 0x10000000, rng, registers, writable, only={SYS_CFGCTRL: requests})
