"""Arm's generic interrupt controller, version 3, without translation of messages (IHI 0069H).

The distributor has the shared interrupts, one redistributor for each processor its own ones, and the processor reads
its interface by system registers. Affinity routing is always on. In this file: the state, and which interrupt reaches
which processor. Registers are in :mod:`~pyqemu.hw.intc.arm_gicv3_distributor`, the functions that system registers
call in :mod:`~pyqemu.hw.intc.arm_gicv3_cpuif`, saving in :mod:`~pyqemu.hw.intc.arm_gicv3_state`.

As in the older controller, what is known of interrupts are integers with a bit for each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.hw.intc.arm_gic_lists import VirtualInterface
from pyqemu.hw.intc.arm_gicv3_cpuif import CpuInterface
from pyqemu.hw.intc.arm_gicv3_distributor import DistributorV3, Redistributors
from pyqemu.hw.intc.arm_gicv3_state import SavedGicV3, SavedVirtual, gicv3_vmstate
from pyqemu.hw.intc.arm_gicv3_virtual import VirtualCpuInterface
from pyqemu.qom import DeviceError, Property, device_class
from pyqemu.system import Irq

INTERNAL = 32
MAX_IRQS = 1020
SPURIOUS = 1023
M32 = 0xFFFF_FFFF
GROUP0, GROUP1S, GROUP1NS = range(3)
CTLR_DS = 1 << 6
CTLR_ARE, CTLR_ARE_S = 3 << 4, 1 << 4
WAKER_SLEEPS = 6
"""ProcessorSleep and ChildrenAsleep."""
REDISTRIBUTOR_SIZE = 0x20000


@dataclass(frozen=True)
class Mode:
    """What a processor is in, as far as its interface asks.

    :ivar fiq_to_el3: whether SCR_EL3.FIQ takes group 0 away from non-secure software
    """

    secure: bool = False
    el: int = 1
    fiq_to_el3: bool = False


NONSECURE_EL1 = Mode()


class Redistributor:
    """What one processor has by itself."""

    def __init__(self, gic: ArmGicV3, number: int, affinity: int) -> None:
        self.gic = gic
        self.number = number
        self.affinity = affinity
        self.level = 0
        self.inputs = [Irq(partial(self._input, irq)) for irq in range(INTERNAL)]
        self.interface = CpuInterface(self)
        self.virtual = VirtualInterface(self._complete_for_guest, is_version3=True)
        self.interface.virtual = VirtualCpuInterface(self.virtual)
        self.has_virtual = False
        self.saved_virtual = SavedVirtual()
        self.mode: Callable[[], Mode] = lambda: NONSECURE_EL1
        self.irq, self.fiq = Irq(), Irq()
        self.reset()

    def reset(self) -> None:
        """GICR registers, and the interface."""
        nonsecure = self.gic.security_extn and self.gic.irq_reset_nonsecure
        self.gicr_ctlr = self.gicr_propbaser = self.gicr_pendbaser = self.gicr_nsacr = 0
        self.gicr_statusr = [0, 0]
        self.gicr_waker = WAKER_SLEEPS
        self.group = M32 if nonsecure else 0
        self.enabled = self.pending = self.active = self.grpmod = 0
        self.edge = 0xFFFF
        self.priority = [0] * INTERNAL
        self.interface.reset()
        self.virtual.reset()
        if self.has_virtual:
            self.virtual.update()
        self.look_at_lines()

    def look_at_lines(self) -> None:
        """Levels are what the lines have."""
        self.level = sum(line.level << irq for irq, line in enumerate(self.inputs))

    def _input(self, irq: int, level: bool) -> None:
        mask = 1 << irq
        if level:
            self.pending |= mask & self.edge
            self.level |= mask
        else:
            self.level &= ~mask
        self.interface.update()

    def _complete_for_guest(self, irq: int) -> None:
        """A guest has completed an interrupt that a list register names."""
        if irq < self.gic.num_irq:
            self.interface.deactivate(irq)

    @property
    def asking(self) -> int:
        """Its own interrupts that are pending."""
        return self.pending | self.level & ~self.edge

    def most_urgent(self) -> tuple[int, int]:
        """The pending interrupt of the highest priority that reaches this processor, and that; (1023, 255) if none."""
        gic = self.gic
        own = self.asking & self.enabled & ~self.active
        shared = gic.asking & gic.enabled & ~gic.active & gic.targets[self.number]
        best, best_priority = SPURIOUS, 0xFF
        candidates = own | shared
        while candidates:
            low = candidates & -candidates
            candidates ^= low
            irq = low.bit_length() - 1
            priority = self.priority[irq] if irq < INTERNAL else gic.priority[irq]
            if priority < best_priority and gic.gicd_ctlr >> (0, 2, 1)[self.group_of(irq)] & 1:
                best, best_priority = irq, priority
        return best, best_priority

    def group_of(self, irq: int) -> int:
        """Which of the three groups an interrupt is in (4.6)."""
        gic = self.gic
        of = self if irq < INTERNAL else gic
        if of.group >> irq & 1:
            return GROUP1NS
        return GROUP1S if of.grpmod >> irq & 1 and not gic.single_state else GROUP0


@device_class("arm-gicv3", bus="sysbus", user_creatable=False)
class ArmGicV3(SysBusDevice):
    """The controller. Its regions: the distributor, and all redistributors one after another.

    :param affinities: of each processor: Aff3.Aff2.Aff1.Aff0, a byte each
    :param secure_access: whether a register is being accessed securely right now
    :ivar inputs: QEMU's order: shared interrupts from number 32 on, then 32 of each processor
    :ivar cpus: what each processor has; the board connects its ``irq``, ``fiq`` and ``mode``, and with a processor that
        has EL2 the wires of ``virtual``, and sets ``has_virtual``
    """

    num_cpu = Property.uint("num-cpu", 1)
    num_irq = Property.uint("num-irq", 32)
    revision = Property.uint("revision", 3)
    security_extn = Property.bool("has-security-extensions", False)

    vmstate = gicv3_vmstate

    def __init__(
        self,
        *,
        affinities: Sequence[int] | None = None,
        secure_access: Callable[[], bool] = lambda: False,
        **props: object,
    ) -> None:
        super().__init__(**props)
        if self.num_irq > MAX_IRQS:
            raise DeviceError(f"requested {self.num_irq} interrupt lines exceeds GIC maximum {MAX_IRQS}")
        if self.num_irq < INTERNAL or self.num_irq % 32:
            raise DeviceError(f"{self.num_irq} interrupt lines unsupported: not divisible by 32")
        self.secure_access = secure_access
        self.irq_reset_nonsecure = False
        self.shared = (1 << self.num_irq) - 1 & ~M32
        self.level = 0
        self.gicd_ctlr = 0
        chosen = affinities if affinities is not None else range(self.num_cpu)
        self.cpus = [Redistributor(self, number, affinity) for number, affinity in enumerate(chosen)]
        self.shared_inputs = [Irq(partial(self._input, irq)) for irq in range(INTERNAL, self.num_irq)]
        self.inputs = [*self.shared_inputs, *(line for cpu in self.cpus for line in cpu.inputs)]
        self.saved = SavedGicV3()
        self.add_registers("gicv3_dist", 0x10000, DistributorV3(self), impl=(1, 8))
        size = REDISTRIBUTOR_SIZE * len(self.cpus)
        self.add_registers("gicv3_redist", size, Redistributors(self), impl=(1, 8))
        self.reset()

    @property
    def single_state(self) -> bool:
        """Whether there is no difference between secure and non-secure (GICD_CTLR.DS)."""
        return bool(self.gicd_ctlr & CTLR_DS)

    def reset(self) -> None:
        """12.9: everything disabled, and secure where there is such a thing."""
        nonsecure = self.security_extn and self.irq_reset_nonsecure
        self.gicd_ctlr = CTLR_ARE if self.security_extn else CTLR_ARE_S | CTLR_DS
        self.gicd_statusr = [0, 0]
        self.group = self.shared if nonsecure else 0
        self.enabled = self.pending = self.active = self.edge = self.grpmod = 0
        self.priority = [0] * MAX_IRQS
        self.gicd_nsacr = [0] * 64
        self.level = sum(line.level << irq for irq, line in enumerate(self.shared_inputs, INTERNAL))
        self.gicd_irouter = [0] * MAX_IRQS
        self.targets = [0] * len(self.cpus)
        for irq in range(INTERNAL, self.num_irq):
            self.route(irq, 0)
        for cpu in self.cpus:
            cpu.reset()
        self.update()

    # -- shared interrupts

    def _input(self, irq: int, level: bool) -> None:
        mask = 1 << irq
        if level:
            self.pending |= mask & self.edge
            self.level |= mask
        else:
            self.level &= ~mask
        self.update(mask)

    @property
    def asking(self) -> int:
        """The shared interrupts that are pending."""
        return self.pending | self.level & ~self.edge

    def update(self, mask: int = -1) -> None:
        """Drive the outputs of the processors that interrupts of *mask* reach."""
        for cpu in self.cpus:
            if mask < 0 or self.targets[cpu.number] & mask:
                cpu.interface.update()

    def route(self, irq: int, value: int) -> None:
        """GICD_IROUTER, 12.9.22: to the processor of an affinity, or to any, which is the first one here."""
        self.gicd_irouter[irq] = value & 0xFF_80FF_FFFF
        affinity = value >> 8 & 0xFF00_0000 | value & 0xFF_FFFF
        anybody = bool(value & 1 << 31)
        for cpu in self.cpus:
            mine = cpu.number == 0 if anybody else cpu.affinity == affinity
            self.targets[cpu.number] = self.targets[cpu.number] & ~(1 << irq) | mine << irq

    def send_sgi(self, sender: Redistributor, value: int, group: int, nonsecure: bool) -> None:
        """ICC_SGI1R, ICC_ASGI1R and ICC_SGI0R (12.2.17): interrupt processors, if the interrupt is in that group."""
        irq = value >> 24 & 0xF
        everybody = bool(value >> 40 & 1)
        cluster = (value >> 48 & 0xFF) << 24 | (value >> 32 & 0xFF) << 16 | (value >> 16 & 0xFF) << 8
        for cpu in self.cpus:
            if everybody:
                reached = cpu is not sender
            else:
                reached = cpu.affinity & ~0xFF == cluster and cpu.affinity & 0xFF < 16
                reached = reached and bool(value >> (cpu.affinity & 0xF) & 1)
            if reached and self._may_send(cpu, irq, group, nonsecure):
                cpu.pending |= 1 << irq
                cpu.interface.update()

    def _may_send(self, cpu: Redistributor, irq: int, group: int, nonsecure: bool) -> bool:
        """Table 12-9: the groups must agree; to secure ones GICR_NSACR has to let non-secure software."""
        actual = cpu.group_of(irq)
        if self.single_state or not nonsecure:
            return actual == group or (group == GROUP1S and self.single_state and actual == GROUP1NS)
        if actual == GROUP1NS:
            return group == GROUP1NS
        return cpu.gicr_nsacr >> 2 * irq & 3 >= (1 if actual == GROUP0 else 2)

    def loaded(self) -> None:
        """State was loaded, after that of whoever drives the lines."""
        self.update()
        for cpu in self.cpus:
            if cpu.has_virtual:
                cpu.virtual.update()
