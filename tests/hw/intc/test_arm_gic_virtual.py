"""The virtual interface of both versions, as hypervisors and their guests see it (IHI 0048B 5, IHI 0069H 5)."""

from __future__ import annotations

import pytest

from pyqemu.hw.intc.arm_gic import ArmGic
from pyqemu.hw.intc.arm_gic_lists import Listed
from pyqemu.hw.intc.arm_gicv3 import ArmGicV3
from pyqemu.hw.intc.arm_gicv3_virtual import VirtualCpuInterface, packed, unpacked
from pyqemu.qom import DeviceError
from pyqemu.system import Irq

HCR, VTR, VMCR, MISR, EISR, ELRSR, APR, LR = 0, 4, 8, 0x10, 0x20, 0x30, 0xF0, 0x100
CTLR, PMR, BPR, IAR, EOIR, RPR, HPPIR, DIR = 0, 4, 8, 0xC, 0x10, 0x14, 0x18, 0x1000
PENDING, ACTIVE, GROUP1, HARDWARE, TELLS = 1 << 28, 2 << 28, 1 << 30, 1 << 31, 1 << 19
GUEST_IRQ, EDGE_PPI = 48, 27


def listed(number: int, priority: int = 0x80, *, more: int = PENDING) -> int:
    """A list register of version 2."""
    return number | priority >> 3 << 23 | more


class Rig:
    """A controller of version 2, its wires, and a guest that takes interrupts of both groups."""

    def __init__(self) -> None:
        self.gic = ArmGic([(Irq(), Irq())], num_irq=96, revision=2, virtualization_extn=True)
        self.lines = self.gic.virtual[0]
        self.h(HCR, 1)
        self.v(CTLR, 3)
        self.v(PMR, 0xF8)

    def h(self, offset: int, value: int | None = None) -> int:
        """A register of the hypervisor."""
        return self._access(2, offset, value)

    def v(self, offset: int, value: int | None = None) -> int:
        """A register of the guest."""
        return self._access(3, offset, value)

    def _access(self, region: int, offset: int, value: int | None) -> int:
        if value is None:
            return self.gic.regions[region].load(offset, 4)
        self.gic.regions[region].store(offset, 4, value)
        return value


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_only_version_2_can_have_it() -> None:
    with pytest.raises(DeviceError, match="virtualization extensions"):
        ArmGic([(Irq(), Irq())], num_irq=96, revision=1, virtualization_extn=True)


def test_what_there_is(rig: Rig) -> None:
    assert rig.h(VTR) == 4 << 29 | 4 << 26 | 3  # 32 priorities, 4 list registers
    assert rig.h(ELRSR) == 0xF
    assert rig.v(IAR) == 1023


def test_a_guest_takes_and_completes_what_is_listed(rig: Rig) -> None:
    rig.h(LR + 4, listed(GUEST_IRQ, 0x80))
    rig.h(LR + 8, listed(3 | 2 << 10, 0x40))
    assert rig.lines.irq.level and not rig.lines.fiq.level
    assert (rig.v(HPPIR), rig.v(IAR), rig.v(RPR)) == (3, 3 | 2 << 10, 0x40)  # software interrupts tell the sender
    assert not rig.lines.irq.level  # the other one is less urgent
    assert rig.h(LR + 8) == listed(3 | 2 << 10, 0x40, more=ACTIVE)
    assert rig.h(APR) == 1 << 8
    rig.v(EOIR, 3 | 2 << 10)
    assert rig.lines.irq.level
    assert rig.h(ELRSR) == 0b1101
    assert rig.v(IAR) == GUEST_IRQ
    rig.v(EOIR, GUEST_IRQ)
    assert (rig.v(RPR), rig.h(ELRSR), rig.v(IAR)) == (0xFF, 0xF, 1023)


def test_masks_and_enables_hold_interrupts_back(rig: Rig) -> None:
    rig.h(LR, listed(GUEST_IRQ, 0x80))
    rig.v(PMR, 0x80)
    assert not rig.lines.irq.level and rig.v(IAR) == 1023
    rig.v(PMR, 0x88)
    assert rig.lines.irq.level
    rig.v(CTLR, 2)
    assert not rig.lines.irq.level
    rig.v(CTLR, 1)
    rig.h(HCR, 0)
    assert not rig.lines.irq.level


def test_group_0_is_an_fiq_if_the_guest_says_so_and_group_1_is_acknowledged_by_its_own_register(rig: Rig) -> None:
    rig.v(CTLR, 3 | 1 << 3)
    rig.h(LR, listed(GUEST_IRQ))
    assert rig.lines.fiq.level and not rig.lines.irq.level
    rig.h(LR, listed(GUEST_IRQ, more=PENDING | GROUP1))
    assert rig.lines.irq.level and not rig.lines.fiq.level
    assert rig.v(IAR) == 1022
    assert rig.v(0x20) == GUEST_IRQ  # GICV_AIAR
    rig.v(0x24, GUEST_IRQ)  # GICV_AEOIR
    assert rig.h(ELRSR) == 0xF


def test_completion_reaches_the_real_interrupt(rig: Rig) -> None:
    gic = rig.gic
    gic.active.change(1 << EDGE_PPI, 0, True)
    rig.h(LR, listed(GUEST_IRQ, more=PENDING | HARDWARE | EDGE_PPI << 10))
    assert rig.v(IAR) == GUEST_IRQ
    assert gic.active.test(EDGE_PPI, 0)
    rig.v(EOIR, GUEST_IRQ)
    assert not gic.active.test(EDGE_PPI, 0)


def test_two_steps_of_completion(rig: Rig) -> None:
    rig.v(CTLR, 3 | 1 << 9)
    rig.h(LR, listed(GUEST_IRQ))
    rig.v(IAR)
    rig.v(EOIR, GUEST_IRQ)
    assert (rig.v(RPR), rig.h(LR) & (3 << 28)) == (0xFF, ACTIVE)
    rig.v(DIR, GUEST_IRQ)
    assert rig.h(LR) & 3 << 28 == 0


def test_the_hypervisor_hears_of_what_it_asked_for(rig: Rig) -> None:
    """Completion, too few interrupts, unknown ones that were completed, nothing pending, groups that change."""
    line = rig.lines.maintenance
    rig.h(LR, listed(GUEST_IRQ, more=PENDING | TELLS))
    assert not line.level
    rig.v(IAR)
    rig.v(EOIR, GUEST_IRQ)
    assert (line.level, rig.h(MISR), rig.h(EISR), rig.h(ELRSR)) == (True, 1, 1, 0b1110)
    rig.h(LR, 0)
    assert not line.level
    rig.h(HCR, 1 | 1 << 1)
    assert rig.h(MISR) == 2
    rig.h(LR, listed(40))
    rig.h(LR + 4, listed(41))
    assert rig.h(MISR) == 0
    rig.h(HCR, 1 | 1 << 2)
    rig.v(IAR)
    rig.h(LR, 0)
    rig.v(EOIR, 40)  # is in no list register any more
    assert (rig.h(MISR), rig.h(HCR) >> 27) == (4, 1)
    rig.h(HCR, 1 | 1 << 3)
    assert rig.h(MISR) == 0
    rig.h(LR + 4, 0)
    assert rig.h(MISR) == 8
    rig.h(HCR, 1 | 0xF0)
    assert rig.h(MISR) == 0x50
    rig.v(CTLR, 2)
    assert rig.h(MISR) == 0x60


def test_the_guests_registers_are_in_one_of_the_hypervisors(rig: Rig) -> None:
    rig.v(BPR, 4)
    rig.v(PMR, 0xA8)
    assert rig.h(VMCR) == 3 | 3 << 18 | 4 << 21 | 0xA8 << 24
    rig.h(VMCR, 1 << 9 | 2 | 5 << 18 | 0 << 21 | 0x50 << 24)
    assert (rig.v(CTLR), rig.v(0x1C), rig.v(BPR), rig.v(PMR)) == (1 << 9 | 2, 5, 2, 0x50)  # 2 is the least there is


def test_version_3_has_groups_with_wires_and_registers_of_their_own() -> None:
    gic = ArmGicV3(num_cpu=1, num_irq=64)
    cpu = gic.cpus[0]
    cpu.has_virtual = True
    guest = cpu.interface.virtual
    assert isinstance(guest, VirtualCpuInterface)
    guest.write_ich_hcr(1)
    guest.write_pmr(0xF8)
    guest.write_igrpen(False, 1)
    guest.write_igrpen(True, 1)
    guest.write_lr(0, packed(Listed(40, 0x60, 1, 1)))
    guest.write_lr(1, packed(Listed(41, 0xA0, 1, 0, hardware=True, physical=EDGE_PPI)))
    assert (cpu.virtual.irq.level, cpu.virtual.fiq.level) == (True, False)
    assert (guest.read_iar0(), guest.read_hppir1(), guest.read_iar1()) == (1023, 40, 40)
    assert (guest.read_apr(True, 0), guest.read_apr(False, 0)) == (1 << 12, 0)
    guest.write_eoir1(40)
    assert (cpu.virtual.irq.level, cpu.virtual.fiq.level) == (False, True)
    cpu.active = 1 << EDGE_PPI
    assert guest.read_iar0() == 41
    guest.write_eoir0(41)
    assert (cpu.active, guest.read_elrsr()) == (0, 0xF)
    assert guest.read_vtr() == 0x90B80003


@pytest.mark.parametrize("value", [0x7060_001B_0000_0028, 0x9010_0200_0000_0029 & ~(1 << 61), 0])
def test_list_registers_of_version_3_keep_what_is_written(value: int) -> None:
    assert packed(unpacked(value)) == value & ~(7 << 48)
