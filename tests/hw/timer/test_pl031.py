"""The PL031: the date, and its alarm."""

from __future__ import annotations

import random

import pytest

from pyqemu.hw.timer.pl031 import CR, DR, ICR, IMSC, LR, MIS, MR, RIS, Pl031
from pyqemu.system import FakeClock, Irq
from pyqemu.system.clock import SECOND, RtcClock
from tests.hw.board_rig import PRIMECELL_ID, Region, compare
from tests.qtest_reference import QtestReference, needs_qemu_arm


class Rtc(Region):
    """A clock that began in the second 1 000 000."""

    def __init__(self, now: int = 0) -> None:
        self.clock, self.irq = FakeClock(now), Irq()
        self.chip = Pl031(self.clock, RtcClock(1_000_000, "vm", self.clock), self.irq)
        super().__init__(self.chip)


@pytest.fixture
def rtc() -> Rtc:
    return Rtc()


def test_it_counts_seconds_and_is_always_on(rtc: Rtc) -> None:
    rtc.clock.advance(5 * SECOND)
    assert rtc.read(DR) == 1_000_005 and rtc.read(CR) == 1
    rtc.write(CR, 4, 0)
    assert rtc.read(CR) == 1


def test_it_can_be_set(rtc: Rtc) -> None:
    rtc.write(LR, 4, 7)
    rtc.clock.advance(3 * SECOND)
    assert rtc.read(DR) == 10 and rtc.read(LR) == 7


def test_an_alarm_holds_its_line_until_it_is_cleared(rtc: Rtc) -> None:
    rtc.write(IMSC, 4, 1)
    rtc.write(MR, 4, 1_000_060)
    rtc.clock.advance(59 * SECOND)
    assert not rtc.irq.level
    rtc.clock.advance(SECOND)
    assert rtc.irq.level and rtc.read(MIS) == 1
    rtc.write(ICR, 4, 1)
    assert not rtc.irq.level and rtc.read(RIS) == 0


def test_a_masked_alarm_is_raw_only(rtc: Rtc) -> None:
    rtc.write(MR, 4, 1_000_001)
    rtc.clock.advance(SECOND)
    assert (rtc.irq.level, rtc.read(RIS), rtc.read(MIS)) == (False, 1, 0)


def test_setting_the_date_moves_the_alarm(rtc: Rtc) -> None:
    rtc.write(MR, 4, 1_000_060)
    rtc.write(LR, 4, 1_000_055)
    rtc.clock.advance(5 * SECOND)
    assert rtc.read(RIS) == 1


def test_it_shows_the_same_date_on_another_host(rtc: Rtc) -> None:
    rtc.write(LR, 4, 77)
    rtc.write(MR, 4, 80)
    rtc.write(IMSC, 4, 1)
    other = Rtc()
    other.chip.offset = 12345
    Pl031.vmstate.load(other.chip, Pl031.vmstate.save(rtc.chip))
    assert other.read(DR) == 77
    other.clock.advance(3 * SECOND)
    assert other.irq.level


@needs_qemu_arm
def test_registers_are_qemus(rng: random.Random) -> None:
    """But for what follows from the host's time, which passes there."""
    registers = (MR, CR, IMSC)
    with QtestReference("-M", "virt-2.6", "-cpu", "cortex-a15") as qemu:
        compare(Rtc().chip, qemu, 0x09010000, rng, [*registers, *PRIMECELL_ID], registers, count=300)
