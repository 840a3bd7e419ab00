"""Version 3 of the interrupt controller: registers, and what system registers do (IHI 0069H)."""

from __future__ import annotations

import random

import pytest

from pyqemu.hw.intc.arm_gicv3 import NONSECURE_EL1, ArmGicV3, Mode
from pyqemu.qom import DeviceError
from tests.hw.board_rig import Region, compare, words
from tests.qtest_reference import QtestReference, needs_qemu_arm

SPURIOUS = 1023
CTLR, TYPER, IGROUPR, ISENABLER, ISPENDR, ISACTIVER = 0, 4, 0x80, 0x100, 0x200, 0x300
IPRIORITYR, ICFGR, IGRPMODR, IROUTER, PIDR2 = 0x400, 0xC00, 0xD00, 0x6000, 0xFFE8
R_TYPER, R_WAKER, SGI = 8, 0x14, 0x10000
SECURE_EL1, SECURE_EL3 = Mode(secure=True), Mode(secure=True, el=3)
NONSECURE_WITH_EL3 = Mode(fiq_to_el3=True)


class Rig:
    """A controller of some processors, whose modes can be set."""

    def __init__(self, num_cpu: int = 1, **props: object) -> None:
        self.secure = True
        self.gic = ArmGicV3(num_cpu=num_cpu, num_irq=96, secure_access=lambda: self.secure, **props)
        self.modes = [NONSECURE_EL1] * num_cpu
        for number, cpu in enumerate(self.gic.cpus):
            cpu.mode = lambda number=number: self.modes[number]
        self.interfaces = [cpu.interface for cpu in self.gic.cpus]
        self.one = self.interfaces[0]
        self.dist, self.redist = Region(self.gic), Region(self.gic, 1)

    def open(self) -> Rig:
        """Let group 1 come to all processors."""
        self.dist.write(CTLR, 4, 2)
        for each in self.interfaces:
            each.write_pmr(0xF0)
            each.write_igrpen(True, 1)
        return self

    def enable(self, irq: int, priority: int = 0x80, group: int = 1) -> None:
        if irq >= 32:
            frame, base = self.dist, 4 * (irq // 32)
            priorities = IPRIORITYR
        else:
            frame, base, priorities = self.redist, SGI, SGI + IPRIORITYR
        bit = 1 << irq % 32
        frame.write(IGROUPR + base, 4, frame.read(IGROUPR + base) & ~bit | bit * group)
        frame.write(priorities + irq, 1, priority)
        frame.write(ISENABLER + base, 4, bit)

    def raise_(self, irq: int, cpu: int = 0) -> None:
        (self.gic.shared_inputs[irq - 32] if irq >= 32 else self.gic.cpus[cpu].inputs[irq]).raise_()

    @property
    def lines(self) -> list[tuple[bool, bool]]:
        """IRQ and FIQ of each processor."""
        return [(cpu.irq.level, cpu.fiq.level) for cpu in self.gic.cpus]


def test_identification() -> None:
    rig = Rig(num_cpu=2)
    assert rig.dist.read(PIDR2) == 0x3B and rig.redist.read(PIDR2) == 0x3B
    assert rig.dist.read(TYPER) & 0x1F == 2 and rig.dist.read(CTLR) == 0x50
    assert [rig.redist.read(cpu * 0x20000 + R_TYPER, 8) for cpu in range(2)] == [0x01000000, 1 << 32 | 0x01000110]


def test_a_processor_wakes_its_redistributor() -> None:
    rig = Rig()
    assert rig.redist.read(R_WAKER) == 6
    rig.redist.write(R_WAKER, 4, 0)
    assert rig.redist.read(R_WAKER) == 0


@pytest.mark.parametrize("irq", [27, 40])
def test_a_level_interrupt_from_its_line_to_its_end(irq: int) -> None:
    rig = Rig().open()
    rig.enable(irq)
    rig.raise_(irq)
    assert rig.lines == [(True, False)]
    assert rig.one.read_hppir1() == irq and rig.one.read_iar1() == irq
    assert rig.lines == [(False, False)] and rig.one.read_rpr() == 0x80
    rig.one.write_eoir1(irq)
    assert rig.lines == [(True, False)] and rig.one.read_rpr() == 0xFF


def test_an_edge_is_remembered_once() -> None:
    rig = Rig().open()
    rig.enable(41)
    rig.dist.write(ICFGR + 8, 4, 2 << 18)
    rig.gic.shared_inputs[9].pulse()
    assert rig.one.read_iar1() == 41
    rig.one.write_eoir1(41)
    assert rig.one.read_iar1() == SPURIOUS


def test_the_more_urgent_preempts() -> None:
    rig = Rig().open()
    rig.enable(40, 0x80)
    rig.enable(41, 0x40)
    rig.raise_(40)
    assert rig.one.read_iar1() == 40
    rig.raise_(41)
    assert rig.lines[0][0] and rig.one.read_iar1() == 41 and rig.one.read_rpr() == 0x40
    rig.one.write_eoir1(40)  # out of order: the priority drops as if it were 41
    assert rig.one.read_rpr() == 0x80


def test_the_binary_point_keeps_a_group_together() -> None:
    rig = Rig().open()
    rig.one.write_bpr(True, 7)
    rig.enable(40, 0x70)
    rig.enable(41, 0x10)
    rig.raise_(40)
    assert rig.one.read_iar1() == 40
    rig.raise_(41)
    assert rig.lines == [(False, False)]
    assert [rig.one.read_bpr(True), rig.one.read_bpr(False)] == [7, 2]
    rig.one.write_bpr(True, 0)
    assert rig.one.read_bpr(True) == 3


def test_end_and_deactivation_may_be_two_steps() -> None:
    rig = Rig().open()
    rig.one.write_ctlr(2)
    rig.enable(40)
    rig.raise_(40)
    rig.one.read_iar1()
    rig.one.write_eoir1(40)
    assert rig.dist.read(ISACTIVER + 4) == 1 << 8 and rig.one.read_rpr() == 0xFF
    rig.one.write_dir(40)
    assert rig.dist.read(ISACTIVER + 4) == 0 and rig.lines == [(True, False)]


def test_a_priority_has_five_bits_for_the_mask() -> None:
    rig = Rig()
    rig.one.write_pmr(0xFF)
    assert rig.one.read_pmr() == 0xF8
    assert rig.one.read_ctlr() >> 8 & 7 == 4


def test_shared_interrupts_go_to_the_affinity_of_their_route() -> None:
    rig = Rig(num_cpu=2, affinities=(0x000, 0x101)).open()
    rig.enable(40)
    rig.dist.write(IROUTER + 8 * 40, 8, 0x101)
    rig.raise_(40)
    assert rig.lines == [(False, False), (True, False)]
    rig.dist.write(IROUTER + 8 * 40, 8, 1 << 31)  # any of them
    assert rig.lines == [(True, False), (False, False)]


@pytest.mark.parametrize(
    ("value", "reached"), [(0x0500_0002, [1]), (1 << 16 | 0x0500_0003, [2, 3]), (1 << 40 | 0x0500_0000, [1, 2, 3])]
)
def test_software_interrupts(value: int, reached: list[int]) -> None:
    rig = Rig(num_cpu=4, affinities=(0x000, 0x001, 0x100, 0x101)).open()
    for cpu in range(4):
        rig.redist.write(cpu * 0x20000 + SGI + IGROUPR, 4, 0xFFFFFFFF)
        rig.redist.write(cpu * 0x20000 + SGI + ISENABLER, 4, 0xFFFF)
    rig.one.write_sgi1r(value)
    assert [cpu for cpu in range(4) if rig.lines[cpu][0]] == reached
    assert rig.interfaces[reached[0]].read_iar1() == 5


class TestTwoSecurityStates:
    @pytest.fixture
    def rig(self) -> Rig:
        rig = Rig(security_extn=True)
        rig.dist.write(CTLR, 4, 7)
        rig.modes[0] = SECURE_EL3
        rig.one.write_pmr(0xF8)
        rig.one.write_igrpen(False, 1)
        rig.one.write_igrpen1_el3(3)
        return rig

    def test_group_0_is_fiq(self, rig: Rig) -> None:
        rig.enable(40, group=0)
        rig.raise_(40)
        assert rig.lines == [(False, True)] and rig.one.read_iar1() == 1023
        assert rig.one.read_iar0() == 40

    @pytest.mark.parametrize(
        ("mode", "lines"),
        [(SECURE_EL1, (False, True)), (SECURE_EL3, (False, True)), (NONSECURE_WITH_EL3, (True, False))],
    )
    def test_nonsecure_group_1_is_fiq_to_secure_software(self, rig: Rig, mode: Mode, lines: tuple[bool, bool]) -> None:
        rig.enable(40)
        rig.modes[0] = mode
        rig.raise_(40)
        assert rig.lines == [lines]

    def test_secure_group_1_is_fiq_to_the_others(self, rig: Rig) -> None:
        rig.enable(40, group=0)
        rig.dist.write(IGRPMODR + 4, 4, 1 << 8)
        rig.modes[0] = NONSECURE_WITH_EL3
        rig.raise_(40)
        assert rig.lines == [(False, True)]
        rig.modes[0] = SECURE_EL1
        rig.one.update()
        assert rig.lines == [(True, False)] and rig.one.read_iar1() == 40

    def test_el3_learns_whose_interrupt_it_is(self, rig: Rig) -> None:
        rig.enable(40)
        rig.raise_(40)
        assert rig.one.read_iar0() == 1021

    def test_nonsecure_software_has_the_lower_half_of_priorities(self, rig: Rig) -> None:
        rig.enable(40, 0xA0)
        rig.modes[0] = NONSECURE_WITH_EL3
        rig.one.write_pmr(0xFF)
        assert rig.one.read_pmr() == 0xF0
        rig.raise_(40)
        assert rig.one.read_iar1() == 40 and rig.one.read_rpr() == 0x40
        rig.secure = False
        assert rig.dist.read(IPRIORITYR + 40, 1) == 0x40

    def test_nonsecure_accesses_see_their_own(self, rig: Rig) -> None:
        rig.enable(40)
        rig.enable(41, group=0)
        rig.secure = False
        assert rig.dist.read(ISENABLER + 4) == 1 << 8 and rig.dist.read(IGROUPR + 4) == 0
        assert rig.dist.read(CTLR) == 0x12 and rig.redist.read(R_WAKER) == 0

    def test_one_state_is_chosen_for_good(self, rig: Rig) -> None:
        rig.dist.write(CTLR, 4, 0x40)
        rig.dist.write(CTLR, 4, 0)
        assert rig.dist.read(CTLR) & 0x40


def test_saved_and_loaded_it_goes_on() -> None:
    rig, other = Rig(num_cpu=2).open(), Rig(num_cpu=2)
    rig.enable(40)
    rig.enable(41, 0x20)
    rig.dist.write(IROUTER + 8 * 41, 8, 1)
    rig.raise_(40)
    assert rig.one.read_iar1() == 40
    rig.raise_(41)
    layout = ArmGicV3.vmstate
    layout.load(other.gic, layout.save(rig.gic))
    assert layout.save(other.gic) == layout.save(rig.gic)
    assert other.lines == [(False, False), (True, False)] and other.one.read_rpr() == 0x80
    assert other.interfaces[1].read_iar1() == 41


@pytest.mark.parametrize(("num_irq", "message"), [(1024, "exceeds GIC maximum"), (40, "not divisible by 32")])
def test_what_there_is_not(num_irq: int, message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        ArmGicV3(num_irq=num_irq)


DISTRIBUTOR = [
    0, 0, 8, *(base + n for base in (0x80, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, 0xD00) for n in (0, 4, 8, 0x20)),
    *words(0x400, 0x460), 0x520, 0x800, 0xC00, 0xC04, 0xC08, 0xC0C, 0xC44, 0xE00, 0xE08, 0xF00, *words(0x6100, 0x6140),
]  # fmt: skip
PRIVATE = (0x80, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, 0xD00, 0xC00, 0xC04, 0xE00)
REDISTRIBUTOR = [0, 4, 8, 0xC, *(0x10000 + each for each in PRIVATE), *words(0x10400, 0x10420)]


@needs_qemu_arm
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "secure"])
def test_registers_are_qemus(secure: bool, rng: random.Random, pytestconfig: pytest.Config) -> None:
    """But for GICD_TYPER, which tells of too few interrupts there, and reserved bits of routes."""
    options = ",secure=on" if secure else ""
    count = 40_000 if pytestconfig.getoption("--full") else 4000
    gic = ArmGicV3(num_irq=288, num_cpu=2, security_extn=secure)
    routes = {each: (0, 1) if each & 4 else (0, 1, 0x8000_0000) for each in words(0x6100, 0x6140)}
    with QtestReference("-M", f"virt-2.6,gic-version=3{options}", "-cpu", "cortex-a57", "-smp", "2") as qemu:
        readable = [*DISTRIBUTOR, *words(0xFFD0, 0x10000)]
        compare(gic, qemu, 0x08000000, rng, readable, DISTRIBUTOR, count=count, only=routes)
        both = [base + each for base in (0, 0x20000) for each in REDISTRIBUTOR]
        compare(gic, qemu, 0x080A0000, rng, [*both, *words(0xFFD0, 0x10000)], both, count=count, number=1)
