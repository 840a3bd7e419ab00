"""What a pc shows of itself to monitors."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pyqemu.boards.pc_cmos import set_boot_order
from pyqemu.boards.pc_tree import PcTree
from pyqemu.boards.registry import machine_infos
from pyqemu.hw.core.bus import DeviceBus
from pyqemu.hw.intc.monitor import apic_text, ioapic_text, irq_text, pic_text
from pyqemu.hw.pci.monitor import pci_text
from pyqemu.qom import Device
from pyqemu.system.inspection import Inspection
from pyqemu.system.machine import CpuPlace, MachineFacts
from pyqemu.targets.x86.introspection import X86Models
from pyqemu.targets.x86.introspection import register_types as register_cpu_types
from pyqemu.targets.x86.monitor import X86View

if TYPE_CHECKING:
    from pyqemu.boards.pc import Pc


def show_pc(pc: Pc) -> None:
    """Register processor, address spaces, buses and chips with the machine."""
    inspection = Inspection()
    inspection.cpus.append(X86View(pc.cpu))
    inspection.spaces += [pc.memory_space, pc.io_space]
    inspection.roots.append(_main_bus(pc))
    inspection.add_text("pic", partial(pic_text, pc.pic))
    inspection.add_text("irq", partial(irq_text, pc.pic))
    inspection.add_text("ioapic", partial(ioapic_text, pc.ioapic))
    inspection.add_text("lapic", partial(apic_text, pc.apic))
    inspection.add_text("pci", partial(pci_text, pc.pci))
    pc.system.add_part(inspection)
    target = pc.config.architecture or "x86_64"
    register_cpu_types(target)
    pc.tree = PcTree(pc, inspection.roots, pc.user_devices, target)
    pc.system.add_part(pc.tree.root)
    pc.rtc.on_change = partial(_date_changed, pc)
    _describe(pc, target)


def _date_changed(pc: Pc, offset: int) -> None:
    pc.system.emit("RTC_CHANGE", offset=offset, qom_path=pc.tree.rtc.qom_path)


def _describe(pc: Pc, target: str) -> None:
    """What commands tell of the machine's type, processors and memory."""
    place = CpuPlace(pc.tree.cpu.type_name, pc.tree.cpu.qom_path)
    facts = MachineFacts(
        name="pc-i440fx-2.6", target=target, memory=pc.config.memory, machines=partial(machine_infos, target),
        cpu_places=[place], inject_nmi=pc.apic.lint1.pulse, can_wake=not pc.pm.disable_s3,
        set_boot_order=partial(set_boot_order, pc.rtc.cmos_data),
    )  # fmt: skip
    pc.system.add_part(facts)
    pc.system.add_part(X86Models(target))


def _main_bus(pc: Pc) -> DeviceBus[Device]:
    """The devices that are soldered to the board, which has realized them itself."""
    bus: DeviceBus[Device] = DeviceBus("main-system-bus", pc.system)
    bus.children += [pc.fw_cfg, pc.host]
    return bus
