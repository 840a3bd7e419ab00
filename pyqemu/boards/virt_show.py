"""What a ``virt`` board shows of itself to monitors."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pyqemu.boards.arm_dump import dump_target
from pyqemu.boards.arm_models import processor_models
from pyqemu.boards.object_tree import object_tree
from pyqemu.boards.registry import machine_infos
from pyqemu.boards.virt_processor import Processor, architecture
from pyqemu.hw.pci.monitor import pci_text
from pyqemu.qom import Container
from pyqemu.qom.types import TYPES
from pyqemu.system.inspection import Inspection
from pyqemu.system.machine import CpuPlace, MachineFacts
from pyqemu.targets.aarch64.introspection import Aarch64CpuNode
from pyqemu.targets.aarch64.monitor import Aarch64View
from pyqemu.targets.arm.introspection import ArmCpuNode, CpuNode
from pyqemu.targets.arm.monitor import ArmView, StateView
from pyqemu.targets.arm.state import ArmCpu

if TYPE_CHECKING:
    from pyqemu.boards.virt import Virt


class VirtMachine(Container):
    """``/machine``."""

    type_name = "virt-2.6-machine"


def show_virt(board: Virt) -> None:
    """Register processor, address space, buses and devices with the machine."""
    machine = VirtMachine()
    root = object_tree(machine, board.chardevs)
    peripheral, anonymous, unattached = (
        machine.container(name) for name in ("peripheral", "peripheral-anon", "unattached")
    )
    for device in board.user_devices:
        if device.id is not None:
            peripheral.add_child(device.id, device)
        else:
            anonymous.add_child("device[*]", device)
    target = architecture(board.config, board.cpu)
    models = processor_models(target)
    shown = [_shown(cpu) for cpu in board.cpus]
    for processor, _ in shown:
        unattached.add_child("device[*]", processor)
    unattached.add_child("sysbus", board.sysbus)
    for card in board.cards:
        unattached.add_child("device[*]", card)
    facts = MachineFacts(
        "virt-2.6", target, memory=board.config.memory, machines=partial(machine_infos, target),
        cpu_places=[CpuPlace(processor.type_name, processor.qom_path, *board.config.smp.place(number))
                    for number, (processor, _) in enumerate(shown)],
    )  # fmt: skip
    inspection = Inspection(roots=[board.sysbus, *(slot.virtio_bus for slot in board.virtio_slots if slot.virtio_bus)],
                            spaces=[board.memory_space])  # fmt: skip
    if board.secure is not None:
        inspection.spaces.append(board.secure.space)
    inspection.cpus += [view for _, view in shown]
    inspection.add_text("pci", partial(pci_text, board.pcie.pci))
    for part in (root, inspection, facts, models, dump_target(board.cpus)):
        board.system.add_part(part)


def _shown(cpu: Processor) -> tuple[CpuNode, StateView]:
    """A processor for the tree of objects, and for monitors."""
    if isinstance(cpu, ArmCpu):
        return ArmCpuNode(cpu), ArmView(cpu, index=cpu.index)
    return Aarch64CpuNode(cpu), Aarch64View(cpu, index=cpu.index)


TYPES.add(VirtMachine.type_name, "machine")
