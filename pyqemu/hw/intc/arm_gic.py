"""Arm's generic interrupt controller, versions 1 and 2 (IHI 0048B.b), and the one of the ARM11 MPCore (DDI 0360F, 10).

A distributor holds the state of all interrupts; each processor has an interface that shows it the most urgent one. In
this file: the state of interrupts, and which of them reach which processor. Registers are in
:mod:`~pyqemu.hw.intc.arm_gic_distributor` and :mod:`~pyqemu.hw.intc.arm_gic_interface`, saving in
:mod:`~pyqemu.hw.intc.arm_gic_state`.

State is kept as integers with a bit for each interrupt, 0 to 31 of each processor and the others once, so that looking
for the most urgent interrupt costs a few operations, however many there are: almost always no bit is left over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.hw.intc.arm_gic_distributor import Distributor
from pyqemu.hw.intc.arm_gic_interface import Interface, InterfaceView
from pyqemu.hw.intc.arm_gic_lists import VirtualInterface
from pyqemu.hw.intc.arm_gic_state import SavedGic, gic_vmstate
from pyqemu.hw.intc.arm_gic_virtual import GuestView, HypervisorView
from pyqemu.qom import DeviceError, Property, device_class
from pyqemu.system import Irq

SGIS = 16
INTERNAL = 32
"""Interrupts below are each processor's own: 16 from software (SGI), 16 from its periphery (PPI)."""
MAX_IRQS = 1020
MAX_CPUS = 8
SPURIOUS = 1023
M32 = 0xFFFF_FFFF

REV_11MPCORE = 0
"""The revision that QEMU gives the controller of the ARM11 MPCore."""
REV_VIRTUAL = 2
"""The one that may have virtualization extensions."""


class Bits:
    """One property of all interrupts: a bit for each."""

    def __init__(self) -> None:
        self.private = [0] * MAX_CPUS
        self.shared = 0

    def of(self, cpu: int) -> int:
        """All bits as one processor sees them."""
        return self.shared | self.private[cpu]

    def test(self, irq: int, cpu: int) -> bool:
        """An interrupt's bit."""
        return bool(self.of(cpu) >> irq & 1)

    def change(self, mask: int, cpu: int, value: bool | int) -> None:
        """Set or clear the bits of *mask*."""
        private = mask & M32
        shared = mask & ~M32
        if value:
            self.private[cpu] |= private
            self.shared |= shared
        else:
            self.private[cpu] &= ~private
            self.shared &= ~shared

    def clear(self) -> None:
        """All of them, of all processors."""
        self.private = [0] * MAX_CPUS
        self.shared = 0


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set, from the lowest on."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _first_and_not_secure() -> tuple[int, bool]:
    return 0, False


Requester = Callable[[], tuple[int, bool]]
"""Who is accessing a register right now: the number of the processor, and whether it does so securely."""


@device_class("arm_gic", bus="sysbus", user_creatable=False)
class ArmGic(SysBusDevice):
    """The controller. Its regions: the distributor, the interface of whoever accesses it; with virtualization
    extensions the registers of his hypervisor and his guest; each interface by itself, and those of hypervisors.

    :param outputs: IRQ and FIQ of each processor
    :param requester: tells who accesses a register
    :ivar virtual: the virtual interface of each processor, where there are virtualization extensions
    :ivar inputs: QEMU's order: shared interrupts from number 32 on, then 32 of each processor
    :ivar shared_inputs: the lines of shared interrupts; the first is interrupt 32
    :ivar private_inputs: of each processor, by interrupt number 0 to 31; 16 to 31 are of use
    """

    num_cpu = Property.uint("num-cpu", 1)
    num_irq = Property.uint("num-irq", 32)
    revision = Property.uint("revision", 1)
    security_extn = Property.bool("has-security-extensions", False)
    virtualization_extn = Property.bool("has-virtualization-extensions", False)

    vmstate = gic_vmstate

    def __init__(
        self,
        outputs: Sequence[tuple[Irq, Irq]],
        *,
        requester: Requester = _first_and_not_secure,
        **props: object,
    ) -> None:
        super().__init__(**props)
        self._check()
        self.requester = requester
        self.outputs = list(outputs)
        self.irq_reset_nonsecure = False
        """Whether a reset leaves all to non-secure software: set where a kernel is started without firmware."""
        self.enabled, self.pending, self.active = Bits(), Bits(), Bits()
        self.level, self.edge, self.group, self.model = Bits(), Bits(), Bits(), Bits()
        self.valid = (1 << self.num_irq) - 1
        self.targets = [0] * MAX_CPUS  # of shared interrupts: those that go to a processor
        self.priority1 = [[0] * INTERNAL for _ in range(MAX_CPUS)]
        self.priority2 = [0] * (MAX_IRQS - INTERNAL)
        self.sgi_sources = [[0] * MAX_CPUS for _ in range(SGIS)]  # [SGI][target]: mask of the processors that sent it
        self.interfaces = [Interface(self, cpu) for cpu in range(MAX_CPUS)]
        self.distributor = Distributor(self)
        virtual = range(self.num_cpu) if self.virtualization_extn else range(0)
        self.virtual = [VirtualInterface(partial(self._complete_for_guest, cpu)) for cpu in virtual]
        self._add_regions()
        self.saved = SavedGic()
        self._make_inputs()
        self.reset()

    def _check(self) -> None:
        """:raise DeviceError: there is no such controller."""
        if not 1 <= self.num_cpu <= MAX_CPUS:
            raise DeviceError(f"requested {self.num_cpu} CPUs exceeds GIC maximum {MAX_CPUS}")
        if self.num_irq > MAX_IRQS:
            raise DeviceError(f"requested {self.num_irq} interrupt lines exceeds GIC maximum {MAX_IRQS}")
        if self.num_irq < 32 or self.num_irq % 32:
            raise DeviceError(f"{self.num_irq} interrupt lines unsupported: not divisible by 32")
        if self.security_extn and self.revision == REV_11MPCORE:
            raise DeviceError("this GIC revision does not implement the security extensions")
        if self.virtualization_extn and self.revision != REV_VIRTUAL:
            raise DeviceError("this GIC revision does not implement the virtualization extensions")

    def _add_regions(self) -> None:
        self.add_registers("gic_dist", 0x1000, self.distributor)
        self.add_registers("gic_cpu", 0x2000 if self.revision == 2 else 0x100, InterfaceView(self, None))
        if self.virtual:
            self.add_registers("gic_viface", 0x1000, HypervisorView(self, None), impl=(4, 4))
            self.add_registers("gic_vcpu", 0x2000, GuestView(self, None), impl=(4, 4))
        for cpu in range(self.num_cpu):
            self.add_registers("gic_cpu", 0x100, InterfaceView(self, cpu))
        for cpu in range(len(self.virtual)):
            self.add_registers("gic_viface", 0x200, HypervisorView(self, cpu), impl=(4, 4))

    def _make_inputs(self) -> None:
        self.shared_inputs = [Irq(partial(self.set_irq, irq, 0)) for irq in range(INTERNAL, self.num_irq)]
        self.private_inputs = [
            [Irq(partial(self.set_irq, irq, cpu)) for irq in range(INTERNAL)] for cpu in range(self.num_cpu)
        ]
        self.inputs = [*self.shared_inputs, *(line for lines in self.private_inputs for line in lines)]

    @property
    def is_11mpcore(self) -> bool:
        """Whether it is the variant of the ARM11 MPCore."""
        return self.revision == REV_11MPCORE

    @property
    def has_groups(self) -> bool:
        """Whether interrupts are in one of two groups."""
        return self.revision == 2 or self.security_extn

    # -- inputs

    def set_irq(self, irq: int, cpu: int, level: bool) -> None:
        """A line of an interrupt changed."""
        mask = 1 << irq
        self.level.change(mask, cpu, level)
        if level and (self.is_11mpcore or self.edge.test(irq, cpu)):
            self.pending.change(mask, cpu, True)
        elif not level and self.is_11mpcore and not self.edge.test(irq, cpu):
            self.pending.change(mask, cpu, False)
        self.update(cpu if irq < INTERNAL else None)

    def send_sgi(self, irq: int, targets: int, source: int) -> None:
        """A processor interrupts those of a mask."""
        for cpu in bits(targets & (1 << self.num_cpu) - 1):
            self.sgi_sources[irq][cpu] |= 1 << source
            self.pending.change(1 << irq, cpu, True)
        self.update()

    # -- which interrupt

    def priority(self, irq: int, cpu: int) -> int:
        """0 (most urgent) to 255."""
        return self.priority1[cpu][irq] if irq < INTERNAL else self.priority2[irq - INTERNAL]

    def asking(self, cpu: int) -> int:
        """The interrupts that are pending: latched, or held by their line if that is what they are sensitive to."""
        pending = self.pending.of(cpu)
        return pending if self.is_11mpcore else pending | self.level.of(cpu) & ~self.edge.of(cpu)

    def most_urgent(self, cpu: int) -> tuple[int, int]:
        """The pending interrupt of the highest priority, and that; (1023, 256) if there is none."""
        mine = self.enabled.of(cpu) & ~self.active.of(cpu) & (self.targets[cpu] | M32)
        best, best_priority = SPURIOUS, 0x100
        groups = self.distributor.ctlr
        for irq in bits(self.asking(cpu) & mine & self.valid):
            group = self.group.test(irq, cpu) if self.has_groups else 0
            if groups >> group & 1 and (priority := self.priority(irq, cpu)) < best_priority:
                best, best_priority = irq, priority
        return best, best_priority

    def update(self, cpu: int | None = None) -> None:
        """Drive the outputs of a processor, or of all, from state."""
        for each in range(self.num_cpu) if cpu is None else (cpu,):
            self.interfaces[each].update()

    def deactivate(self, irq: int, cpu: int) -> None:
        """An interrupt has been dealt with."""
        self.active.change(1 << irq, cpu, False)

    def _complete_for_guest(self, cpu: int, irq: int) -> None:
        """A guest has completed an interrupt that a list register names."""
        if irq < self.num_irq:
            self.deactivate(irq, cpu)
            self.update()

    # -- life

    def reset(self) -> None:
        """IHI 0048B 4.3: everything disabled but SGIs, which are always enabled here."""
        for each in (self.enabled, self.pending, self.active, self.edge, self.group, self.model):
            each.clear()
        nonsecure = self.security_extn and self.irq_reset_nonsecure
        priority = 0x80 if nonsecure else 0
        for cpu in range(self.num_cpu):
            self.enabled.private[cpu] = self.edge.private[cpu] = 0xFFFF
            self.group.private[cpu] = M32 if nonsecure else 0
        self.group.shared = self.valid & ~M32 if nonsecure else 0
        self.priority1 = [[priority] * INTERNAL for _ in range(MAX_CPUS)]
        self.priority2 = [priority] * (MAX_IRQS - INTERNAL)
        self.targets = [0] * MAX_CPUS
        if self.num_cpu == 1:
            self.targets[0] = self.valid & ~M32
        self.sgi_sources = [[0] * MAX_CPUS for _ in range(SGIS)]
        self.distributor.ctlr = 0
        for interface in self.interfaces:
            interface.reset(0xF0 if self.is_11mpcore else priority)
        for virtual in self.virtual:
            virtual.reset()
            virtual.update()
        self._look_at_lines()
        self.update()

    def _look_at_lines(self) -> None:
        """Levels are what the lines have, whatever else is reset or loaded."""
        self.level.clear()
        for irq, line in enumerate(self.shared_inputs, INTERNAL):
            self.level.shared |= line.level << irq
        for cpu, lines in enumerate(self.private_inputs):
            self.level.private[cpu] = sum(line.level << irq for irq, line in enumerate(lines))

    def loaded(self) -> None:
        """State was loaded, after that of whoever drives the lines."""
        self.update()
        for virtual in self.virtual:
            virtual.update()
