"""What is saved of ``virt``, in the order of QEMU's ``virt-2.6``.

The interrupt controller and the processor are applied after everything that drives their inputs.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pyqemu.block.sent import sent_drives
from pyqemu.boards.added_saved import STATELESS, section_name
from pyqemu.boards.virt_map import GIC_DISTRIBUTOR
from pyqemu.boards.virt_processor import Processor
from pyqemu.hw.pci.state import pci_bus_vmstate
from pyqemu.hw.virtio.device import VirtioDevice
from pyqemu.memory import RamBlock
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.qom import Device
from pyqemu.qom.vmstate import Bool, VMState
from pyqemu.targets.aarch64.vmstate import COMMON_ORDER, CPU_ORDER, CommonState, SavedCpu
from pyqemu.targets.arm.state import ArmCpu
from pyqemu.targets.arm.vmstate import SavedCpu as SavedArmCpu
from pyqemu.targets.arm.vmstate_layout import STREAM_PAGE

if TYPE_CHECKING:
    from pyqemu.boards.virt import Virt

MACHINE_TYPE = "virt-2.6"
GIC_ORDER = 1
FOREIGN_BLOCKS = {"/rom@etc/acpi/tables": 0x20_0000, "/rom@etc/table-loader": 0x1_0000, "/rom@etc/acpi/rsdp": 0x1000}
"""What QEMU's board has besides, and how long it may be: tables that firmware has copied long ago."""


class AcpiBuild:
    """Whether a guest has read the ACPI tables."""

    vmstate = VMState("virt_acpi_build", version=1, fields=(Bool("patched"),))

    def __init__(self) -> None:
        self.patched = False


def saved_machine(virt: Virt) -> SavedMachine:
    """The list of sections and blocks of memory.

    Where there is an EL2, the interrupt controller comes before the processors, which is not QEMU's order: there
    CNTVOFF_EL2, when it is loaded, drives the timer's line, and if the controller is not loaded yet, a processor loses
    an interrupt that it has not taken.
    """
    machine = SavedMachine(MACHINE_TYPE, virt.system, disks=lambda: sent_drives(virt.drives), page_size=STREAM_PAGE)
    machine.add("timer", virt.time)
    for bank in virt.flash:
        machine.add("pflash_cfi01", bank, type_name="cfi.pflash01")
    if virt.options.virtualization:
        _controller(virt, machine)
    for cpu in virt.cpus:
        _processor(virt, machine, cpu)
    if not virt.options.virtualization:
        _controller(virt, machine)
    machine.add("pl011", virt.uart)
    if virt.secure_uart is not None:
        machine.add("pl011", virt.secure_uart)
    machine.add("pl031", virt.rtc)
    machine.add("0000:00:00.0/gpex_root", virt.pcie.root)
    machine.add("PCIBUS", virt.pcie.pci, pci_bus_vmstate)
    for card in virt.cards:
        machine.add(section_name(card), card)
    machine.add("pl061", virt.gpio)
    machine.add("gpio-key", virt.power_key, type_name="gpio-key")
    machine.add("fw_cfg", virt.fw_cfg)
    machine.add("virt_acpi_build", AcpiBuild())
    for device in _virtio_devices(virt):
        _add_device(machine, device)
    for added in virt.user_devices:
        if not isinstance(added, VirtioDevice):
            _add_device(machine, added)
    _memory(virt, machine)
    _hooks(virt, machine)
    return machine


def _controller(virt: Virt, machine: SavedMachine) -> None:
    machine.add(type(virt.gic).vmstate.name, virt.gic, order=GIC_ORDER)


def _processor(virt: Virt, machine: SavedMachine, cpu: Processor) -> None:
    saved: SavedArmCpu | SavedCpu
    if isinstance(cpu, ArmCpu):
        saved = SavedArmCpu(cpu, has_pmu=False)
    else:
        saved = SavedCpu(cpu, peripherals=GIC_DISTRIBUTOR.base)
    virt.system.on_reset(saved.reset)
    machine.add("cpu_common", CommonState(cpu), order=COMMON_ORDER)
    machine.add("cpu", saved, order=CPU_ORDER)


def _virtio_devices(virt: Virt) -> list[VirtioDevice]:
    """In the order in which they were made: the first has the last slot. Those that ask for a slot by name may be made
    in another order, and then are told apart by their slots alone."""
    return [slot.device for slot in reversed(virt.virtio_slots) if slot.device is not None]


def _add_device(machine: SavedMachine, device: Device) -> None:
    """QEMU's machine types up to 2.6 number virtio devices of a kind in windows; later ones have the window's address
    in the name."""
    if type(device).vmstate is not None:
        machine.add(section_name(device), device, before="virt_acpi_build")
    elif device.type_name not in STATELESS:
        machine.unsaved.append(device)


def _memory(virt: Virt, machine: SavedMachine) -> None:
    ram = virt.ram.ram_block
    assert ram is not None
    machine.add_block(ram.name, ram, is_paged=True)
    for bank in virt.flash:
        machine.add_block(bank.flash.ram_block.name, bank.flash.ram_block)
    machine.foreign_blocks |= FOREIGN_BLOCKS
    if virt.secure is not None:
        block = virt.secure.ram.ram_block
        assert block is not None
        machine.add_block(block.name, block, is_paged=True)


def _hooks(virt: Virt, machine: SavedMachine) -> None:
    """Transfers of disks end before memory is saved; whoever has copies of memory forgets them when it is loaded."""

    def settle() -> None:
        for device in (*_virtio_devices(virt), *virt.cards, *virt.user_devices):
            complete_now = getattr(device, "complete_now", None)
            if complete_now is not None:
                complete_now()

    def written(block: RamBlock, offset: int, length: int) -> None:
        for listener in virt.memory_space.write_listeners:
            listener(block, offset, length)

    def forget_code() -> None:
        if virt.cpu.engine is not None:
            virt.cpu.engine.flush()

    machine.before_save.append(settle)
    machine.before_load.append(partial(virt.boot.reset_keeping_memory, virt.system))
    machine.after_load.append(forget_code)
    machine.before_restore.append(virt.system.reset)
    machine.page_written.append(written)
