"""A processor's interface to the interrupt controller: what its system registers do (IHI 0069H 12.2, 4.6 to 4.8).

The target calls these functions from its system registers, ICC_*_EL1 and their AArch32 names. They ask the processor
what mode it is in; whether an access traps is the target's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyqemu.hw.intc.arm_gicv3 import Redistributor
    from pyqemu.hw.intc.arm_gicv3_virtual import VirtualCpuInterface

GROUP0, GROUP1S, GROUP1NS = range(3)
SECURE, NONSECURE = 0, 1
PRIORITY_BITS = 5
PRIORITY_MASK = 0xFF << 8 - PRIORITY_BITS & 0xFF
MIN_BPR = 7 - PRIORITY_BITS
MIN_BPR_NS = MIN_BPR + 1
IDLE = 0xFF
SECURE_INTID, NONSECURE_INTID, SPURIOUS = 1020, 1021, 1023
INTERNAL = 32

# ICC_CTLR_EL1, 12.2.6, and ICC_CTLR_EL3, 12.2.7
CBPR, EOI_MODE, PMHE = 1 << 0, 1 << 1, 1 << 6
FIXED = (PRIORITY_BITS - 1) << 8 | 1 << 11 | 1 << 15  # bits of priorities and numbers, and Aff3 is valid
EL3_CBPR_S, EL3_CBPR_NS, EL3_EOI_EL3, EL3_EOI_S, EL3_EOI_NS = 1, 2, 4, 8, 16


class CpuInterface:
    """The interface of one processor."""

    def __init__(self, cpu: Redistributor) -> None:
        self.cpu = cpu
        self.virtual: VirtualCpuInterface | None = None
        """What a hypervisor's guest has in its place."""
        self.hppi, self.hppi_priority = SPURIOUS, IDLE
        self.icc_sre_el1 = 7
        """System registers are all there is."""

    def reset(self) -> None:
        """12.2: off, nothing active."""
        self.icc_ctlr_el1 = [FIXED, FIXED]
        self.icc_ctlr_el3 = FIXED | 1 << 17  # it has no 1-of-N disabling
        self.icc_pmr_el1 = 0
        self.icc_bpr = [MIN_BPR, MIN_BPR, MIN_BPR_NS]
        self.icc_apr = [[0] * 4 for _ in range(3)]
        self.icc_igrpen = [0, 0, 0]

    # -- which interrupt

    @property
    def _bank(self) -> int:
        """Of the banked registers, the one that is seen now."""
        mode = self.cpu.mode()
        return SECURE if mode.secure and not self.cpu.gic.single_state else NONSECURE

    @property
    def group1(self) -> int:
        """What group 1 means to the processor now."""
        return GROUP1S if self._bank == SECURE else GROUP1NS

    @property
    def _restricted(self) -> bool:
        """Whether priorities are seen by the ranges of non-secure software (4.8.6)."""
        mode = self.cpu.mode()
        return not mode.secure and mode.fiq_to_el3 and self.cpu.gic.security_extn

    @property
    def running_priority(self) -> int:
        """The most urgent priority that is active; 255 if none is."""
        active = self.icc_apr[0][0] | self.icc_apr[1][0] | self.icc_apr[2][0]
        return ((active & -active).bit_length() - 1) << 8 - PRIORITY_BITS if active else IDLE

    def _highest_active_group(self) -> int | None:
        running = [(apr[0] & -apr[0]).bit_length() if apr[0] else 99 for apr in self.icc_apr]
        best = min(running)
        return None if best == 99 else running.index(best)

    def _group_mask(self, group: int) -> int:
        """The part of priorities that counts for preemption (4.8.2)."""
        common = group and self.icc_ctlr_el1[NONSECURE if group == GROUP1NS else SECURE] & CBPR
        if common:
            group = GROUP0
        bpr = self.icc_bpr[group] - (group == GROUP1NS)
        return -1 << bpr + 1

    def update(self) -> None:
        """Drive the processor's IRQ and FIQ from state; also to be called when its mode changes."""
        cpu = self.cpu
        self.hppi, self.hppi_priority = cpu.most_urgent()
        irq = fiq = False
        if self._may_interrupt():
            mode = cpu.mode()
            group = cpu.group_of(self.hppi)
            if group == GROUP0:
                fiq = True
            elif group == GROUP1S:
                fiq = not mode.secure or mode.el == 3
            else:
                fiq = mode.secure
            irq = not fiq
        cpu.irq.set(irq)
        cpu.fiq.set(fiq)

    def _may_interrupt(self) -> bool:
        """Whether the most urgent interrupt is urgent enough."""
        if self.hppi == SPURIOUS or self.hppi_priority >= self.icc_pmr_el1:
            return False
        group = self.cpu.group_of(self.hppi)
        if not self.icc_igrpen[group]:
            return False
        return self.hppi_priority & self._group_mask(group) < self.running_priority

    # -- ICC_IARn_EL1, ICC_HPPIRn_EL1

    def read_hppir0(self) -> int:
        """12.2.13: the pending interrupt if it is in group 0; EL3 learns that it is in another one."""
        if self.hppi == SPURIOUS:
            return SPURIOUS
        group = self.cpu.group_of(self.hppi)
        if not self.icc_igrpen[group]:
            return SPURIOUS
        if group == GROUP0:
            return self.hppi if not self._restricted else SPURIOUS
        if self.cpu.mode().el == 3:
            return SECURE_INTID if group == GROUP1S else NONSECURE_INTID
        return SPURIOUS

    def read_hppir1(self) -> int:
        """12.2.14."""
        if self.hppi == SPURIOUS:
            return SPURIOUS
        group = self.cpu.group_of(self.hppi)
        return self.hppi if group == self.group1 and self.icc_igrpen[group] else SPURIOUS

    def read_iar0(self) -> int:
        """12.2.15: acknowledge an interrupt of group 0."""
        return self._acknowledge(self.read_hppir0())

    def read_iar1(self) -> int:
        """12.2.16."""
        return self._acknowledge(self.read_hppir1())

    def _acknowledge(self, irq: int) -> int:
        if not self._may_interrupt() and irq < SECURE_INTID:
            return SPURIOUS
        if irq >= SECURE_INTID:
            return irq
        cpu = self.cpu
        group = cpu.group_of(irq)
        level = (self.hppi_priority & self._group_mask(group) & 0xFF) >> 8 - PRIORITY_BITS
        self.icc_apr[group][0] |= 1 << level
        of = cpu if irq < INTERNAL else cpu.gic
        of.active |= 1 << irq
        of.pending &= ~(1 << irq)
        self._changed(irq)
        return irq

    def _changed(self, irq: int) -> None:
        if irq < INTERNAL:
            self.update()
        else:
            self.cpu.gic.update()

    # -- ICC_EOIRn_EL1, ICC_DIR_EL1

    def write_eoir0(self, value: int) -> None:
        """12.2.10: end of an interrupt of group 0."""
        self._end(value & 0xFF_FFFF, GROUP0)

    def write_eoir1(self, value: int) -> None:
        """12.2.11."""
        self._end(value & 0xFF_FFFF, self.group1)

    def _end(self, irq: int, group: int) -> None:
        if irq >= self.cpu.gic.num_irq or self._highest_active_group() != group:
            return
        apr = self.icc_apr[group]
        apr[0] &= apr[0] - 1
        if not self._splits_eoi:
            self._deactivate(irq)
        self._changed(irq)

    @property
    def _splits_eoi(self) -> bool:
        if self.cpu.mode().el == 3 and self.cpu.gic.security_extn:
            return bool(self.icc_ctlr_el3 & EL3_EOI_EL3)
        return bool(self.icc_ctlr_el1[self._bank] & EOI_MODE)

    def _deactivate(self, irq: int) -> None:
        of = self.cpu if irq < INTERNAL else self.cpu.gic
        of.active &= ~(1 << irq)

    def write_dir(self, value: int) -> None:
        """12.2.9: the second step, where there are two."""
        irq = value & 0xFF_FFFF
        if irq >= self.cpu.gic.num_irq or not self._splits_eoi:
            return
        group = self.cpu.group_of(irq)
        if not self.cpu.mode().secure and not self.cpu.gic.single_state and group != GROUP1NS:
            return
        self.deactivate(irq)

    def deactivate(self, irq: int) -> None:
        """An interrupt has been dealt with."""
        self._deactivate(irq)
        self._changed(irq)

    # -- priorities

    def read_pmr(self) -> int:
        """12.2.19."""
        return self._as_seen(self.icc_pmr_el1)

    def _as_seen(self, priority: int) -> int:
        if not self._restricted or priority == IDLE:
            return priority
        return priority << 1 & 0xFF if priority & 0x80 else 0

    def write_pmr(self, value: int) -> None:
        """Non-secure software stays in its half."""
        value &= PRIORITY_MASK
        if self._restricted:
            if not self.icc_pmr_el1 & 0x80:
                return
            value = (value >> 1 | 0x80) & PRIORITY_MASK
        self.icc_pmr_el1 = value
        self.update()

    def read_rpr(self) -> int:
        """12.2.20."""
        return self._as_seen(self.running_priority)

    def read_bpr(self, group1: bool) -> int:
        """12.2.4 and 12.2.5: non-secure software sees the common one as a bit more."""
        group = self.group1 if group1 else GROUP0
        if group1 and self.icc_ctlr_el1[self._bank] & CBPR:
            return min(self.icc_bpr[GROUP0] + (group == GROUP1NS), 7)
        return self.icc_bpr[group]

    def write_bpr(self, group1: bool, value: int) -> None:
        """Not below what the number of priorities allows."""
        group = self.group1 if group1 else GROUP0
        if group1 and self.icc_ctlr_el1[self._bank] & CBPR:
            if group == GROUP1NS:
                return
            group = GROUP0
        self.icc_bpr[group] = max(value & 7, MIN_BPR_NS if group == GROUP1NS else MIN_BPR)
        self.update()

    def read_apr(self, group1: bool, number: int) -> int:
        """ICC_AP0Rn and ICC_AP1Rn, 12.2.2: with so few priorities the first one has them all."""
        return self.icc_apr[self.group1 if group1 else GROUP0][number] if number == 0 else 0

    def write_apr(self, group1: bool, number: int, value: int) -> None:
        """Saved and restored by software that changes contexts."""
        if number == 0:
            self.icc_apr[self.group1 if group1 else GROUP0][0] = value & 0xFFFF_FFFF
            self.update()

    # -- control

    def read_ctlr(self) -> int:
        """ICC_CTLR_EL1."""
        return self.icc_ctlr_el1[self._bank]

    def write_ctlr(self, value: int) -> None:
        """The common binary point is secure software's alone, where there is such."""
        bank = self._bank
        mask = EOI_MODE if bank == NONSECURE and not self.cpu.gic.single_state else EOI_MODE | CBPR
        self.icc_ctlr_el1[bank] = self.icc_ctlr_el1[bank] & ~mask | value & mask
        self.update()

    def read_ctlr_el3(self) -> int:
        """ICC_CTLR_EL3: also the bits of both banks of ICC_CTLR_EL1."""
        value = self.icc_ctlr_el3
        value |= EL3_EOI_NS if self.icc_ctlr_el1[NONSECURE] & EOI_MODE else 0
        value |= EL3_CBPR_NS if self.icc_ctlr_el1[NONSECURE] & CBPR else 0
        value |= EL3_EOI_S if self.icc_ctlr_el1[SECURE] & EOI_MODE else 0
        return value | (EL3_CBPR_S if self.icc_ctlr_el1[SECURE] & CBPR else 0)

    def write_ctlr_el3(self, value: int) -> None:
        """Writes both banks, too."""
        banks = (value & EL3_CBPR_S, value & EL3_EOI_S), (value & EL3_CBPR_NS, value & EL3_EOI_NS)
        for bank, (common, split) in enumerate(banks):
            self.icc_ctlr_el1[bank] = FIXED | (CBPR if common else 0) | (EOI_MODE if split else 0)
        mask = EL3_EOI_EL3 | PMHE
        self.icc_ctlr_el3 = self.icc_ctlr_el3 & ~mask | value & mask
        self.update()

    def read_igrpen(self, group1: bool) -> int:
        """ICC_IGRPENn_EL1."""
        return self.icc_igrpen[self.group1 if group1 else GROUP0]

    def write_igrpen(self, group1: bool, value: int) -> None:
        """Let interrupts of a group come, or not."""
        self.icc_igrpen[self.group1 if group1 else GROUP0] = value & 1
        self.update()

    def read_igrpen1_el3(self) -> int:
        """ICC_IGRPEN1_EL3: non-secure and secure group 1."""
        return self.icc_igrpen[GROUP1NS] | self.icc_igrpen[GROUP1S] << 1

    def write_igrpen1_el3(self, value: int) -> None:
        """Both."""
        self.icc_igrpen[GROUP1NS], self.icc_igrpen[GROUP1S] = value & 1, value >> 1 & 1
        self.update()

    # -- software interrupts

    def write_sgi1r(self, value: int) -> None:
        """12.2.23: of the group 1 that this processor knows."""
        self.cpu.gic.send_sgi(self.cpu, value, self.group1, self._bank == NONSECURE)

    def write_asgi1r(self, value: int) -> None:
        """12.2.3: of the other group 1."""
        group = GROUP1S if self._bank == NONSECURE else GROUP1NS
        self.cpu.gic.send_sgi(self.cpu, value, group, self._bank == NONSECURE)

    def write_sgi0r(self, value: int) -> None:
        """12.2.22: of group 0."""
        self.cpu.gic.send_sgi(self.cpu, value, GROUP0, self._bank == NONSECURE)
