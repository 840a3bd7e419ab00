"""The machine that is none: clients start it to ask the program what it can do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pyqemu.boards.arm_models import processor_models
from pyqemu.boards.config import MachineConfig
from pyqemu.boards.object_tree import object_tree
from pyqemu.boards.registry import BoardType, machine_infos, register
from pyqemu.chardev import ChardevError
from pyqemu.hw.core.bus import DeviceBus
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.qom import DEVICES, Container, Device, DeviceError
from pyqemu.qom.plugging import Plugging
from pyqemu.qom.types import TYPES
from pyqemu.system import System
from pyqemu.system.inspection import Inspection
from pyqemu.system.machine import CpuModels, MachineFacts
from pyqemu.targets.x86 import introspection as x86
from pyqemu.targets.x86.state import X86Cpu
from pyqemu.util.errors import UserError

if TYPE_CHECKING:
    from pyqemu.block import DriveTable
    from pyqemu.chardev import Chardevs
    from pyqemu.tcg.engine import Engine
    from pyqemu.ui.frame import Frame


class NoneMachine(Container):
    """``/machine``."""

    type_name = "none-machine"


class NoMachine(Plugging):
    """Buses without devices. The runner wants a processor, so there is one, which sleeps and which nobody sees."""

    def __init__(self, config: MachineConfig, system: System, engine: Engine, drives: DriveTable,
                 chardevs: Chardevs) -> None:  # fmt: skip
        drives.check_supported({})
        if config.nics:
            raise UserError(f"{config.nics[0].option}: machine 'none' has no place for network cards", "-net none")
        memory = AddressSpace("memory", MemoryRegion.container("system"))
        io = AddressSpace("I/O", MemoryRegion.container("io", 0x10000))
        self.cpu = X86Cpu("qemu64", memory=memory, io=io, engine=engine, clock=system.clock, lock=system.lock)
        self.cpu.is_bsp = False  # such a one waits for the first to wake it
        self.cpu.reset()
        system.on_reset(self.cpu.reset)
        _open_ports(config, chardevs)
        DEVICES.look_in("pyqemu.hw")
        for options in config.devices:
            self.add_device(options)
        self._show(config.architecture or "x86_64", system, chardevs, (memory, io))

    def _show(self, target: str, system: System, chardevs: Chardevs, spaces: tuple[AddressSpace, ...]) -> None:
        bus: DeviceBus[Device] = DeviceBus("main-system-bus", system)
        machine = NoneMachine()
        root = object_tree(machine, chardevs)
        machine.container("unattached").add_child("sysbus", bus)
        facts = MachineFacts("none", target, memory=0, machines=partial(machine_infos, target))
        for part in (root, Inspection(roots=[bus], spaces=list(spaces)), facts, _models(target)):
            system.add_part(part)

    def add_device(self, options: dict[str, str], *, hotplug: bool = False) -> Device:
        device = DEVICES.from_options({key: text for key, text in options.items() if key != "bus"})
        raise DeviceError(f"No '{device.bus_type}' bus found for device '{device.type_name}'")

    def frame(self, *, pixels: bool = True) -> Frame | None:
        """There is no display adapter."""
        return None

    def put_key(self, qcode: str, down: bool) -> None:
        """There is no keyboard."""


def _models(target: str) -> CpuModels:
    """What processors the program could have, which is what most clients start it for."""
    if target in ("aarch64", "arm"):
        return processor_models(target)
    x86.register_types(target)
    return x86.X86Models(target)


def _open_ports(config: MachineConfig, chardevs: Chardevs) -> None:
    """Nothing is behind the ports, but a monitor may be beside them."""
    for kind, devices in (("serial", config.serials), ("parallel", config.parallels)):
        for index, text in enumerate(devices):
            try:
                if text != "none":
                    chardevs.open(text, f"{kind}{index}")
            except ChardevError as exc:
                raise UserError(f"-{kind} {text}: {exc.message}", exc.hint) from None


TYPES.add(NoneMachine.type_name, "machine")
register(BoardType("none", "empty machine", ("aarch64", "arm", "i386", "x86_64"), NoMachine, is_empty=True))
