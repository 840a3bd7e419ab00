"""The interrupt controller of a ``virt`` board, and the lines of its processors: two inputs, four outputs of timers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pyqemu.boards import virt_map as at
from pyqemu.boards.virt_options import VirtOptions
from pyqemu.boards.virt_processor import Processor
from pyqemu.hw.intc.arm_gic import MAX_CPUS, ArmGic
from pyqemu.hw.intc.arm_gic_lists import VirtualInterface
from pyqemu.hw.intc.arm_gicv3 import ArmGicV3, Mode
from pyqemu.hw.intc.arm_gicv3_distributor import REDISTRIBUTOR_SIZE
from pyqemu.system import Irq
from pyqemu.targets.aarch64.layout import FIQ, IRQ, VFIQ, VIRQ
from pyqemu.targets.aarch64.state import Aarch64Cpu
from pyqemu.targets.arm.generic_timer import HYPERVISOR, PHYSICAL, SECURE, VIRTUAL
from pyqemu.targets.arm.state import ArmCpu
from pyqemu.util.errors import UserError

TIMER_PPIS = {PHYSICAL: at.PPI_PHYSICAL, VIRTUAL: at.PPI_VIRTUAL, HYPERVISOR: at.PPI_HYPERVISOR, SECURE: at.PPI_SECURE}
MOST_CPUS = {2: MAX_CPUS, 3: at.GIC_REDISTRIBUTORS.size // REDISTRIBUTOR_SIZE}
"""By the version of the controller."""
SCR_FIQ = 1 << 2


def check(version: int, max_cpus: int) -> None:
    """See that there is room for the processors.

    :raise UserError: a controller of that version serves fewer.
    """
    if max_cpus > MOST_CPUS[version]:
        raise UserError(
            f"Number of SMP CPUs requested ({max_cpus}) exceeds max CPUs supported by machine 'mach-virt' "
            f"({MOST_CPUS[version]})",
            f"with gic-version=3 up to {MOST_CPUS[3]}" if version == 2 else f"-smp {MOST_CPUS[3]} or less",
        )


def interrupt_controller(options: VirtOptions, cpus: Sequence[Processor],
                         secure_access: Callable[[], bool]) -> ArmGic | ArmGicV3:  # fmt: skip
    """Make it, and wire the processors to it.

    :param secure_access: whether a register is being accessed securely right now
    :raise UserError: one of that version does not go with them.
    """
    inputs = [(Irq(partial(_request, cpu, IRQ)), Irq(partial(_request, cpu, FIQ))) for cpu in cpus]
    gic: ArmGic | ArmGicV3
    if options.gic_version == 3:
        gic = ArmGicV3(num_cpu=len(cpus), num_irq=at.GIC_IRQS, affinities=[_affinity(cpu) for cpu in cpus],
                       secure_access=secure_access, security_extn=options.secure)  # fmt: skip
        for cpu, part, (irq, fiq) in zip(cpus, gic.cpus, inputs, strict=True):
            if isinstance(cpu, ArmCpu):
                raise UserError(f"gic-version=3: not with {cpu.model.name}, which has 32 bits", "gic-version=2")
            part.irq.connect(irq.set)
            part.fiq.connect(fiq.set)
            cpu.gic = part.interface
            if options.secure:
                part.mode = partial(_mode, cpu)
            part.has_virtual = options.virtualization
        private = [part.inputs for part in gic.cpus]
        virtual = [part.virtual for part in gic.cpus if part.has_virtual]
    else:
        turns = cpus[0].turns
        gic = ArmGic(inputs, num_cpu=len(cpus), num_irq=at.GIC_IRQS, revision=2,
                     requester=lambda: (turns.current.index, secure_access()),
                     security_extn=options.secure, virtualization_extn=options.virtualization)  # fmt: skip
        private, virtual = gic.private_inputs, gic.virtual
    for cpu, lines in zip(cpus, private, strict=True):
        for timer, ppi in TIMER_PPIS.items():
            cpu.timer.outputs[timer] = lines[ppi].set
    for cpu, interface, lines in zip(cpus, virtual, private, strict=False):
        _connect_virtual(cpu, interface, lines[at.PPI_MAINTENANCE])
    return gic


def _connect_virtual(cpu: Processor, interface: VirtualInterface, maintenance: Irq) -> None:
    assert isinstance(cpu, Aarch64Cpu)
    interface.irq.connect(partial(cpu.set_virtual_line, VIRQ))
    interface.fiq.connect(partial(cpu.set_virtual_line, VFIQ))
    interface.maintenance.connect(maintenance.set)


def _mode(cpu: Aarch64Cpu) -> Mode:
    return Mode(cpu.is_secure, cpu.el, bool(cpu.sys.scr_el3 & SCR_FIQ))


def _request(cpu: Processor, mask: int, level: bool) -> None:
    (cpu.interrupt if level else cpu.clear_interrupt)(mask)


def _affinity(cpu: Processor) -> int:
    """As GICR_TYPER has it: Aff3 beside the others."""
    return cpu.affinity >> 8 & 0xFF00_0000 | cpu.affinity & 0xFF_FFFF
