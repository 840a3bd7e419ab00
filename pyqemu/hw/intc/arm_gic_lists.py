"""The virtual interface of Arm's interrupt controllers, versions 2 and 3: what a guest of a hypervisor sees instead of
the interface of its processor (IHI 0048B, 5; IHI 0069H, 5 and 12.4).

A hypervisor puts interrupts into list registers; the guest acknowledges and completes them as if they came from a
distributor, and the hypervisor hears of it by maintenance interrupts. Both versions have the same rules and, but for
list registers, the same layouts of registers. How they are reached is in `arm_gic_virtual.py` and
`arm_gicv3_virtual.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyqemu.system import Irq

LIST_REGISTERS = 4
PRIORITY_BITS = 5
PRIORITIES = 0xF8  #: the bits of a priority that there are
MIN_BPR, MIN_ABPR = 2, 3
SPURIOUS, OF_GROUP1 = 1023, 1022
SPECIAL = 1020  #: numbers from here on are none of interrupts
IDLE = 0xFF  #: running priority without an active interrupt
PENDING, ACTIVE = 1, 2

# GICH_HCR, ICH_HCR_EL2; the enabling bits of maintenance interrupts have the places of MISR from bit 1 on
HCR_EN, HCR_UIE, HCR_LRENPIE, HCR_NPIE = 1 << 0, 1 << 1, 1 << 2, 1 << 3
EOI_COUNT_SHIFT, EOI_COUNT = 27, 0x1F
GROUP_CHANGES = ((4, 0, True), (5, 0, False), (6, 1, True), (7, 1, False))
"""Bit of HCR and MISR, group, and whether it means that the group is enabled."""

# GICV_CTLR, and the lowest bits of GICH_VMCR and ICH_VMCR_EL2
ENABLE_GROUP0, ENABLE_GROUP1, ACK, FIQ, CBPR, EOI_MODE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 9
CONTROL = 0x21F
ABPR_SHIFT, BPR_SHIFT, PMR_SHIFT = 18, 21, 24


@dataclass(slots=True)
class Listed:
    """A list register.

    :ivar state: a combination of PENDING and ACTIVE; 0: it is free
    :ivar physical: the interrupt that is completed with it, where it has one
    :ivar source: the processor that sent a software interrupt
    :ivar tells: whether the hypervisor wants to know when it is completed
    """

    number: int = 0
    priority: int = 0
    state: int = 0
    group: int = 0
    hardware: bool = False
    physical: int = 0
    source: int = 0
    tells: bool = False


class VirtualInterface:
    """What one processor has.

    :param complete_physical: completes an interrupt of the real controller
    :param is_version3: whether groups have priorities and wires of their own
    :ivar irq: VIRQ of the processor
    :ivar fiq: VFIQ of the processor
    :ivar maintenance: to the real controller
    """

    def __init__(self, complete_physical: Callable[[int], None], *, is_version3: bool = False) -> None:
        self._complete_physical = complete_physical
        self.is_version3 = is_version3
        self.irq, self.fiq, self.maintenance = Irq(), Irq(), Irq()
        self.reset()

    def reset(self) -> None:
        """All off."""
        self.hcr = self.control = self.pmr = 0
        self.bpr, self.abpr = MIN_BPR, MIN_ABPR
        self.apr = [0, 0]  # active priorities by group; version 2 has the first only
        self.lists = [Listed() for _ in range(LIST_REGISTERS)]

    # -- what the hypervisor sees

    @property
    def vmcr(self) -> int:
        """GICH_VMCR, ICH_VMCR_EL2: the guest's registers in one word."""
        control = self.control | (FIQ if self.is_version3 else 0)
        return control | self.abpr << ABPR_SHIFT | self.bpr << BPR_SHIFT | self.pmr << PMR_SHIFT

    def set_vmcr(self, value: int) -> None:
        """Write all of them."""
        self.control = value & CONTROL
        self.abpr = max(value >> ABPR_SHIFT & 7, MIN_ABPR)
        self.bpr = max(value >> BPR_SHIFT & 7, MIN_BPR)
        self.pmr = value >> PMR_SHIFT & (0xFF if self.is_version3 else PRIORITIES)
        self.update()

    @property
    def eisr(self) -> int:
        """List registers whose completion the hypervisor is to be told."""
        return sum((not each.state and not each.hardware and each.tells) << n for n, each in enumerate(self.lists))

    @property
    def elrsr(self) -> int:
        """List registers that are free."""
        return sum(
            (not each.state and (each.hardware or not each.tells)) << n for n, each in enumerate(self.lists)
        )  # fmt: skip

    @property
    def misr(self) -> int:
        """Why there is a maintenance interrupt (IHI 0048B 5.3.4)."""
        hcr = self.hcr
        if not hcr & HCR_EN:
            return 0
        value = int(self.eisr != 0)
        if hcr & HCR_UIE and sum(each.state != 0 for each in self.lists) < 2:
            value |= HCR_UIE
        if hcr & HCR_LRENPIE and hcr >> EOI_COUNT_SHIFT & EOI_COUNT:
            value |= HCR_LRENPIE
        if hcr & HCR_NPIE and not any(each.state == PENDING for each in self.lists):
            value |= HCR_NPIE
        for bit, group, enabled in GROUP_CHANGES:
            if hcr >> bit & 1 and bool(self.control >> group & 1) is enabled:
                value |= 1 << bit
        return value

    def set_hcr(self, value: int, mask: int) -> None:
        """Write the control register; *mask* are its bits."""
        self.hcr = value & mask
        self.update()

    def _count_completion(self) -> None:
        """The guest has completed what is in no list register (any more)."""
        count = (self.hcr >> EOI_COUNT_SHIFT) + 1 & EOI_COUNT
        self.hcr = self.hcr & ~(EOI_COUNT << EOI_COUNT_SHIFT) | count << EOI_COUNT_SHIFT

    # -- which interrupt

    @property
    def running_priority(self) -> int:
        """The most urgent priority that is active."""
        active = self.apr[0] | self.apr[1]
        return (active & -active).bit_length() - 1 << 8 - PRIORITY_BITS if active else IDLE

    def group_mask(self, group: int) -> int:
        """The part of a group's priorities that counts for preemption."""
        return -1 << (self.abpr if group and not self.control & CBPR else self.bpr + 1)

    def most_urgent(self) -> Listed | None:
        """The pending interrupt of the highest priority whose group is enabled."""
        if not self.hcr & HCR_EN:
            return None
        found = [each for each in self.lists if each.state == PENDING and self.control >> each.group & 1]
        best = min(found, key=lambda each: each.priority, default=None)
        return best if self.is_version3 or (best is not None and best.priority < self.pmr) else None

    def _preempts(self, each: Listed) -> bool:
        return each.priority < self.pmr and each.priority & self.group_mask(each.group) < self.running_priority

    def update(self) -> None:
        """Drive the wires from state."""
        best = self.most_urgent()
        asks = best is not None and self._preempts(best)
        is_fiq = asks and best is not None and not best.group and bool(self.is_version3 or self.control & FIQ)
        self.irq.set(asks and not is_fiq)
        self.fiq.set(is_fiq)
        self.maintenance.set(bool(self.misr))

    # -- what the guest does

    def pending(self, group: int | None = None) -> int:
        """The number that HPPIR tells: of that group alone, or as version 2 answers."""
        best = self.most_urgent()
        if best is None or (group is not None and best.group != group):
            return SPURIOUS
        if group is None and best.group and not self.control & ACK:
            return OF_GROUP1
        return best.number

    def acknowledge(self, group: int | None = None) -> int:
        """IAR: the interrupt becomes active; its number, and the sender of a software interrupt."""
        number = self.pending(group)
        best = self.most_urgent()
        if number >= SPECIAL or best is None:
            return number
        if not self._preempts(best):
            return SPURIOUS
        level = (best.priority & self.group_mask(best.group) & 0xFF) >> 8 - PRIORITY_BITS
        self.apr[best.group if self.is_version3 else 0] |= 1 << level
        best.state = ACTIVE
        self.update()
        return best.number | (0 if best.hardware else best.source << 10)

    def complete(self, number: int, group: int | None = None) -> None:
        """EOIR: the priority drops, and unless that is a step of its own, the interrupt is done."""
        if number >= SPECIAL or not self.apr[0] | self.apr[1]:
            return
        dropped = self.running_priority
        apr = next(n for n in (0, 1) if self.apr[n] and self._lowest(n) == dropped)
        self.apr[apr] &= self.apr[apr] - 1
        each = self._find_active(number)
        split = bool(self.control & EOI_MODE)
        if each is None:
            if not split:
                self._count_completion()
        elif not split and group in (None, each.group):
            self._deactivate(each)
        self.update()

    def _lowest(self, group: int) -> int:
        active = self.apr[group]
        return (active & -active).bit_length() - 1 << 8 - PRIORITY_BITS

    def deactivate(self, number: int) -> None:
        """DIR: the second step, where there are two."""
        if number >= SPECIAL or not self.control & EOI_MODE:
            return
        each = self._find_active(number)
        if each is None:
            self._count_completion()
        else:
            self._deactivate(each)
        self.update()

    def _find_active(self, number: int) -> Listed | None:
        return next((each for each in self.lists if each.state & ACTIVE and each.number == number), None)

    def _deactivate(self, each: Listed) -> None:
        each.state &= ~ACTIVE
        if each.hardware and each.physical < SPECIAL:
            self._complete_physical(each.physical)

    # -- registers that both versions have

    def set_pmr(self, value: int) -> None:
        """The priority mask."""
        self.pmr = value & PRIORITIES
        self.update()

    def set_control(self, value: int, mask: int = CONTROL) -> None:
        """Enables, and how interrupts are completed."""
        self.control = self.control & ~mask | value & mask
        self.update()

    def read_bpr(self, group: int) -> int:
        """The binary point of a group; that of both where they have one in common."""
        if group and self.control & CBPR:
            return min(self.bpr + 1, 7)
        return self.abpr if group else self.bpr

    def set_bpr(self, group: int, value: int) -> None:
        """Not below what the number of priorities allows."""
        if not group:
            self.bpr = max(value & 7, MIN_BPR)
        elif not self.control & CBPR:
            self.abpr = max(value & 7, MIN_ABPR)
        self.update()

    def set_apr(self, group: int, value: int) -> None:
        """Active priorities, for whoever changes guests."""
        self.apr[group] = value & 0xFFFF_FFFF
        self.update()
