"""The interrupt controller of versions 1 and 2, through its registers and lines (IHI 0048B)."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from pyqemu.hw.intc.arm_gic import ArmGic
from pyqemu.qom import DeviceError
from pyqemu.system import Irq
from tests.qtest_reference import QtestReference, disagreement, needs_qemu_arm, random_accesses

SPURIOUS = 1023
CTLR, TYPER, IGROUPR, ISENABLER, ICENABLER, ISPENDR, ICPENDR = 0, 4, 0x80, 0x100, 0x180, 0x200, 0x280
ISACTIVER, IPRIORITYR, ITARGETSR, ICFGR, SGIR = 0x300, 0x400, 0x800, 0xC00, 0xF00
C_CTLR, PMR, BPR, IAR, EOIR, RPR, HPPIR, DIR = 0, 4, 8, 0xC, 0x10, 0x14, 0x18, 0x1000


class Rig:
    """A controller whose registers are accessed by any processor, securely or not."""

    def __init__(self, num_cpu: int = 1, **props: object) -> None:
        self.who = (0, False)
        self.irqs = [Irq() for _ in range(num_cpu)]
        self.fiqs = [Irq() for _ in range(num_cpu)]
        lines = list(zip(self.irqs, self.fiqs, strict=True))
        props = {"num_irq": 96, "revision": 2, **props}
        self.gic = ArmGic(lines, requester=lambda: self.who, num_cpu=num_cpu, **props)

    def by(self, cpu: int, secure: bool = False) -> Rig:
        self.who = (cpu, secure)
        return self

    def d(self, offset: int, value: int | None = None, size: int = 4) -> int:
        """A register of the distributor."""
        if value is None:
            return self.gic.regions[0].load(offset, size)
        self.gic.regions[0].store(offset, size, value)
        return value

    def c(self, offset: int, value: int | None = None) -> int:
        """A register of the interface of whoever it is."""
        if value is None:
            return self.gic.regions[1].load(offset, 4)
        self.gic.regions[1].store(offset, 4, value)
        return value

    def open(self) -> Rig:
        """Enable group 0 on the way to all processors."""
        self.by(0, True).d(CTLR, 1)
        for cpu in range(self.gic.num_cpu):
            self.by(cpu, True)
            self.c(C_CTLR, 1)
            self.c(PMR, 0xF0)
        return self.by(0, True)

    def enable(self, irq: int, priority: int = 0x80, targets: int = 1) -> None:
        self.d(ISENABLER + irq // 32 * 4, 1 << irq % 32)
        self.d(IPRIORITYR + irq, priority, 1)
        self.d(ITARGETSR + irq, targets, 1)


def test_reset_values() -> None:
    rig = Rig(num_cpu=2)
    assert [rig.d(offset) for offset in (CTLR, TYPER, IGROUPR, ISENABLER, ICFGR, ICFGR + 4)] == [
        0, 2 | 1 << 5, 0, 0xFFFF, 0xAAAAAAAA, 0,
    ]  # fmt: skip
    assert [rig.c(offset) for offset in (C_CTLR, PMR, BPR, IAR, RPR, HPPIR)] == [0, 0, 0, SPURIOUS, 0xFF, SPURIOUS]


def test_a_level_interrupt_from_its_line_to_its_end() -> None:
    rig = Rig().open()
    rig.enable(40)
    rig.gic.shared_inputs[8].raise_()
    assert rig.irqs[0].level and not rig.fiqs[0].level
    assert rig.c(IAR) == 40
    assert not rig.irqs[0].level and rig.c(RPR) == 0x80
    assert rig.d(ISACTIVER + 4) == 1 << 8
    rig.c(EOIR, 40)
    assert rig.irqs[0].level, "the line is still high"
    rig.c(IAR)
    rig.gic.shared_inputs[8].lower()
    rig.c(EOIR, 40)
    assert not rig.irqs[0].level and rig.c(RPR) == 0xFF


def test_an_edge_is_remembered_once() -> None:
    rig = Rig().open()
    rig.enable(41)
    rig.d(ICFGR + 8, 2 << 18)
    rig.gic.shared_inputs[9].pulse()
    assert rig.c(IAR) == 41
    rig.gic.shared_inputs[9].pulse()  # while it is active
    assert not rig.irqs[0].level
    rig.c(EOIR, 41)
    assert rig.c(IAR) == 41
    rig.c(EOIR, 41)
    assert rig.c(IAR) == SPURIOUS


def test_a_level_that_went_away_is_spurious() -> None:
    rig = Rig().open()
    rig.enable(40)
    rig.gic.shared_inputs[8].pulse()
    assert rig.c(IAR) == SPURIOUS


def test_the_more_urgent_preempts_and_the_less_urgent_waits() -> None:
    rig = Rig().open()
    rig.enable(40, 0x80)
    rig.enable(41, 0x40)
    rig.enable(42, 0xA0)
    rig.gic.shared_inputs[8].raise_()
    assert rig.c(IAR) == 40
    rig.gic.shared_inputs[10].raise_()
    assert not rig.irqs[0].level and rig.c(IAR) == SPURIOUS
    rig.gic.shared_inputs[9].raise_()
    assert rig.irqs[0].level and rig.c(IAR) == 41 and rig.c(RPR) == 0x40
    rig.c(EOIR, 41)
    assert rig.c(RPR) == 0x80


def test_the_binary_point_keeps_a_group_together() -> None:
    rig = Rig().open()
    rig.c(BPR, 6)  # one bit of a priority counts for preemption
    rig.enable(40, 0x70)
    rig.enable(41, 0x10)
    rig.gic.shared_inputs[8].raise_()
    assert rig.c(IAR) == 40 and rig.c(RPR) == 0
    rig.gic.shared_inputs[9].raise_()
    assert not rig.irqs[0].level
    rig.c(EOIR, 40)
    assert rig.c(IAR) == 41


def test_equal_priorities_go_by_number_and_the_mask_is_a_bound() -> None:
    rig = Rig().open()
    rig.enable(45)
    rig.enable(40)
    for number in (8, 13):
        rig.gic.shared_inputs[number].raise_()
    assert rig.c(HPPIR) == 40
    rig.c(PMR, 0x80)
    assert not rig.irqs[0].level and rig.c(IAR) == SPURIOUS
    rig.c(PMR, 0x81)
    assert rig.irqs[0].level


def test_software_interrupts_tell_their_senders_one_by_one() -> None:
    rig = Rig(num_cpu=4).open()
    rig.by(3).d(SGIR, 0x0001_0000 | 5)
    rig.by(1).d(SGIR, 0x0001_0000 | 5)
    rig.by(0, True)
    assert rig.irqs[0].level and not rig.irqs[1].level
    assert rig.c(IAR) == 1 << 10 | 5
    rig.c(EOIR, 5)
    assert rig.c(IAR) == 3 << 10 | 5
    rig.c(EOIR, 5)
    assert rig.c(IAR) == SPURIOUS


@pytest.mark.parametrize(
    ("value", "reached"), [(0x0005_0001, [0, 2]), (0x0100_0001, [0, 2, 3]), (0x0200_0001, [1]), (0x0300_0001, [])]
)
def test_targets_of_software_interrupts(value: int, reached: list[int]) -> None:
    rig = Rig(num_cpu=4).open()
    rig.by(1, True).d(SGIR, value)
    assert [cpu for cpu in range(4) if rig.irqs[cpu].level] == reached


def test_private_interrupts_are_banked() -> None:
    rig = Rig(num_cpu=2).open()
    rig.by(1, True).d(ISENABLER, 1 << 27)
    assert rig.by(0, True).d(ISENABLER) == 0xFFFF
    for lines in rig.gic.private_inputs:
        lines[27].raise_()
    assert (rig.irqs[0].level, rig.irqs[1].level) == (False, True)
    assert rig.by(1, True).c(IAR) == 27
    assert rig.by(1, True).d(ISACTIVER) == 1 << 27 and rig.by(0, True).d(ISACTIVER) == 0


def test_shared_interrupts_go_where_their_targets_are() -> None:
    rig = Rig(num_cpu=2).open()
    rig.enable(40, targets=2)
    rig.gic.shared_inputs[8].raise_()
    assert (rig.irqs[0].level, rig.irqs[1].level) == (False, True)
    rig.d(ITARGETSR + 40, 3, 1)
    assert rig.irqs[0].level
    assert rig.by(0, True).c(IAR) == 40
    assert not rig.irqs[1].level and rig.by(1, True).c(IAR) == SPURIOUS, "one processor takes it"


def test_each_processor_finds_itself_in_the_targets_of_its_own() -> None:
    rig = Rig(num_cpu=4)
    assert [rig.by(cpu).d(ITARGETSR) for cpu in range(4)] == [0x01010101 << cpu for cpu in range(4)]


def test_interfaces_are_at_places_of_their_own_too() -> None:
    rig = Rig(num_cpu=2).open()
    rig.gic.regions[3].store(PMR, 4, 0x50)
    assert rig.by(1, True).c(PMR) == 0x50 and rig.by(0, True).c(PMR) == 0xF0


def test_priority_drop_and_deactivation_may_be_two_steps() -> None:
    rig = Rig().open()
    rig.c(C_CTLR, 1 | 1 << 9)
    rig.enable(40)
    rig.enable(41, 0x90)
    rig.gic.shared_inputs[8].raise_()
    assert rig.c(IAR) == 40
    rig.c(EOIR, 40)
    assert rig.c(RPR) == 0xFF and rig.d(ISACTIVER + 4) == 1 << 8
    assert not rig.irqs[0].level
    rig.gic.shared_inputs[9].raise_()
    assert rig.irqs[0].level, "another one of a lower priority may come meanwhile"
    rig.c(DIR, 40)
    assert rig.d(ISACTIVER + 4) == 0 and rig.c(HPPIR) == 40


def test_group_0_may_be_fiq_and_group_1_is_irq() -> None:
    rig = Rig().open()
    rig.d(CTLR, 3)
    rig.c(C_CTLR, 3 | 1 << 3 | 1 << 2)
    rig.enable(40)
    rig.enable(41)
    rig.d(IGROUPR + 4, 1 << 9)
    rig.gic.shared_inputs[8].raise_()
    assert (rig.irqs[0].level, rig.fiqs[0].level) == (False, True)
    rig.gic.shared_inputs[8].lower()
    rig.gic.shared_inputs[9].raise_()
    assert (rig.irqs[0].level, rig.fiqs[0].level) == (True, False)


def test_group_1_is_acknowledged_by_its_own_only() -> None:
    rig = Rig().open()
    rig.d(CTLR, 3)
    rig.c(C_CTLR, 3)
    rig.enable(41)
    rig.d(IGROUPR + 4, 1 << 9)
    rig.gic.shared_inputs[9].raise_()
    assert rig.c(IAR) == 1022 and rig.irqs[0].level
    rig.c(C_CTLR, 7)  # AckCtl
    assert rig.c(IAR) == 41


def test_a_disabled_group_hides_none_of_the_other() -> None:
    """QEMU chooses the most urgent interrupt of both, and is silent if its group is off."""
    rig = Rig().open()
    rig.enable(40, 0x10)
    rig.enable(41, 0x20)
    rig.d(IGROUPR + 4, 1 << 8)
    for number in (8, 9):
        rig.gic.shared_inputs[number].raise_()
    assert rig.irqs[0].level and rig.c(IAR) == 41


class TestSecurityExtensions:
    @pytest.fixture
    def rig(self) -> Rig:
        return Rig(security_extn=True).open()

    def test_nonsecure_software_sees_group_1_alone(self, rig: Rig) -> None:
        rig.d(IGROUPR + 4, 2)
        rig.d(ISENABLER + 4, 3)
        rig.by(0, False)
        assert rig.d(ISENABLER + 4) == 2 and rig.d(IGROUPR + 4) == 0
        rig.d(ICENABLER + 4, 3)
        assert rig.by(0, True).d(ISENABLER + 4) == 1

    def test_its_priorities_are_the_lower_half(self, rig: Rig) -> None:
        rig.d(IGROUPR + 4, 1)
        rig.by(0, False).d(IPRIORITYR + 32, 0x40, 1)
        assert rig.d(IPRIORITYR + 32, size=1) == 0x40
        assert rig.by(0, True).d(IPRIORITYR + 32, size=1) == 0xA0

    def test_its_mask_does_not_reach_the_upper_half(self, rig: Rig) -> None:
        rig.c(PMR, 0x40)
        rig.by(0, False).c(PMR, 0xFF)
        assert rig.c(PMR) == 0 and rig.by(0, True).c(PMR) == 0x40

    def test_its_enable_is_that_of_group_1(self, rig: Rig) -> None:
        rig.by(0, False).d(CTLR, 1)
        assert rig.d(CTLR) == 1 and rig.by(0, True).d(CTLR) == 3

    def test_group_0_is_spurious_to_it(self, rig: Rig) -> None:
        rig.enable(40)
        rig.gic.shared_inputs[8].raise_()
        assert rig.by(0, False).c(IAR) == SPURIOUS and rig.c(HPPIR) == SPURIOUS
        assert rig.by(0, True).c(IAR) == 40
        rig.by(0, False).c(EOIR, 40)
        assert rig.by(0, True).c(RPR) == 0x80

    def test_a_kernel_without_firmware_finds_all_in_group_1(self) -> None:
        rig = Rig(security_extn=True)
        rig.gic.irq_reset_nonsecure = True
        rig.gic.reset()
        assert rig.by(0, True).d(IGROUPR + 4) == 0xFFFFFFFF and rig.c(PMR) == 0x80


def test_the_11mpcore_latches_levels_while_they_last() -> None:
    rig = Rig(revision=0)
    rig.d(CTLR, 1)
    rig.c(C_CTLR, 1)
    assert rig.c(PMR) == 0xF0
    rig.enable(40)
    rig.gic.shared_inputs[8].raise_()
    assert rig.c(IAR) == 40 and rig.d(ISPENDR + 4) == 0
    rig.c(EOIR, 40)
    assert rig.d(ISPENDR + 4) == 1 << 8, "its line is still high"
    rig.gic.shared_inputs[8].lower()
    assert rig.d(ISPENDR + 4) == 0


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"num_cpu": 9}, "requested 9 CPUs exceeds GIC maximum 8"),
        ({"num_irq": 1024}, "requested 1024 interrupt lines exceeds GIC maximum 1020"),
        ({"num_irq": 40}, "40 interrupt lines unsupported: not divisible by 32"),
        ({"revision": 0, "security_extn": True}, "does not implement the security extensions"),
    ],
)
def test_what_there_is_not(props: dict[str, int], message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        ArmGic([], **props)


def test_saved_and_loaded_it_goes_on() -> None:
    rig, other = Rig(num_cpu=2).open(), Rig(num_cpu=2)
    rig.enable(40, targets=2)
    rig.enable(41, 0x20)
    rig.by(1, True).d(SGIR, 0x0002_0003)
    rig.by(0, True)
    rig.gic.shared_inputs[9].raise_()
    assert rig.c(IAR) == 41
    rig.gic.shared_inputs[8].raise_()
    ArmGic.vmstate.load(other.gic, ArmGic.vmstate.save(rig.gic))
    assert other.irqs[1].level and not other.irqs[0].level
    other.by(0, True)
    assert other.c(RPR) == 0x20
    other.c(EOIR, 41)
    other.gic.shared_inputs[9].lower()
    assert ArmGic.vmstate.save(rig.gic) != ArmGic.vmstate.save(other.gic)
    assert other.by(1, True).c(IAR) == 1 << 10 | 3


SGIS = (0x2000001, 0x10003, 0x200000F, 0x1FF0002, 0x28)
ONLY = {SGIR: SGIS, 0xF20: (0x01020104,)}
"""Some things QEMU does in its own way: SGIR's reserved filter, SPENDSGIR with zeros, which make an SGI pending."""
WRITABLE_D = [
    CTLR, CTLR, CTLR, 4, *(base + n for base in (0x80, 0x100, 0x180, 0x200, 0x280) for n in (0, 4, 8)), 0x300, 0x380,
    0x384, *range(0x400, 0x460, 4), 0x800, 0x820, 0x900, *range(0xC00, 0xC10, 4), SGIR, 0xF10, 0xF20,
]  # fmt: skip
WRITABLE_C = [0x10000 + offset for offset in (0, 4, 8, 0xC, 0x10, 0x14, 0x18, 0x1C)]
READABLE = [*WRITABLE_D, 0x304, 0xFE8, *(3 * [*WRITABLE_C, 0x100FC, 0x100D0, 0x100DC])]


class Map:
    """The regions where the board has them."""

    def __init__(self, gic: ArmGic) -> None:
        self.regions = gic.regions

    def read(self, offset: int, size: int) -> int:
        return self.regions[offset >> 16].load(offset & 0xFFFF, size)

    def write(self, offset: int, size: int, value: int) -> None:
        self.regions[offset >> 16].store(offset & 0xFFFF, size, value)


@pytest.fixture(params=["", ",secure=on"], ids=["plain", "secure"])
def qemu(request: pytest.FixtureRequest) -> Iterator[tuple[QtestReference, bool]]:
    with QtestReference("-M", f"virt-2.6,gic-version=2{request.param}", "-cpu", "cortex-a15") as reference:
        yield reference, bool(request.param)


@needs_qemu_arm
def test_registers_are_qemus(
    qemu: tuple[QtestReference, bool], rng: random.Random, pytestconfig: pytest.Config
) -> None:
    reference, secure = qemu
    gic = ArmGic([(Irq(), Irq())], num_irq=288, revision=2, security_extn=secure)
    only = {**ONLY, CTLR: (1, 0) if secure else (3, 3, 3, 0)}
    values = (3, 1, 0xFF, 0xF0, 32, 33, 40, 0x80808080, 0x40404040)
    for _ in range(100 if pytestconfig.getoption("--full") else 10):
        accesses = random_accesses(rng, 400, READABLE, [*WRITABLE_D, *3 * WRITABLE_C], values, only)
        assert disagreement(Map(gic), reference, 0x08000000, accesses) is None
