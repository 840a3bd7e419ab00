"""What a board with 32-bit processors shows of itself to monitors."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pyqemu.boards.arm_dump import dump_target
from pyqemu.boards.arm_models import processor_models
from pyqemu.boards.object_tree import object_tree
from pyqemu.boards.registry import machine_infos
from pyqemu.hw.pci.monitor import pci_text
from pyqemu.qom import Container
from pyqemu.qom.types import TYPES
from pyqemu.system.inspection import Inspection
from pyqemu.system.machine import CpuPlace, MachineFacts
from pyqemu.targets.arm.introspection import ArmCpuNode
from pyqemu.targets.arm.monitor import ArmView

if TYPE_CHECKING:
    from pyqemu.boards.arm_board import ArmBoard


class ArmMachine(Container):
    """``/machine``."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.type_name = f"{name}-machine"


def show_board(board: ArmBoard) -> None:
    """Register processor, address space, buses and devices with the machine."""
    name = board.facts.name
    machine = ArmMachine(name)
    root = object_tree(machine, board.chardevs)
    unattached = machine.container("unattached")
    for given in board.user_devices:
        if given.id is not None:
            machine.container("peripheral").add_child(given.id, given)
        else:
            machine.container("peripheral-anon").add_child("device[*]", given)
    TYPES.add(machine.type_name, "machine")
    processors = [ArmCpuNode(cpu) for cpu in board.cpus]
    for processor in processors:
        unattached.add_child("device[*]", processor)
    unattached.add_child("sysbus", board.sysbus)
    for device in board.sysbus.children:
        unattached.add_child("device[*]", device)
    target = board.config.architecture or "arm"
    models = processor_models(target)
    facts = MachineFacts(
        name, target, memory=board.memory_size, machines=partial(machine_infos, target),
        cpu_places=[CpuPlace(processor.type_name, processor.qom_path, core=number)
                    for number, processor in enumerate(processors)],
    )  # fmt: skip
    inspection = Inspection(
        roots=[board.sysbus, *board.sd_buses, *(slot.virtio_bus for slot in board.virtio_slots if slot.virtio_bus)],
        spaces=[board.memory_space],
    )
    for bus in board.pci_buses():
        inspection.add_text("pci", partial(pci_text, bus))
    inspection.cpus += [ArmView(cpu, index=cpu.index) for cpu in board.cpus]
    for part in (root, inspection, facts, models, dump_target(board.cpus)):
        board.system.add_part(part)
