"""What is saved of a board with 32-bit processors: its devices in the order in which they were made, as QEMU does it.

Interrupt controllers are applied after everything that drives their inputs, the processor after these.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from pyqemu.block.sent import sent_drives
from pyqemu.hw.cpu.mpcore import MpCore
from pyqemu.hw.i2c.versatile_i2c import VersatileI2c
from pyqemu.hw.input.pl050 import Pl050Keyboard, Pl050Mouse
from pyqemu.hw.intc.arm_gic import ArmGic
from pyqemu.hw.intc.bcm2835_ic import Bcm2835Ic
from pyqemu.hw.intc.bcm2836_control import Bcm2836Control
from pyqemu.hw.intc.pl190 import Pl190, VersatileSic
from pyqemu.hw.pci.device import PciDevice
from pyqemu.hw.pci.state import pci_bus_vmstate
from pyqemu.hw.sd.card import Card
from pyqemu.hw.timer.sp804 import Sp804
from pyqemu.memory import MemoryRegion, RamBlock
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.targets.arm.vmstate import COMMON_ORDER, CPU_ORDER, CommonState, SavedCpu
from pyqemu.targets.arm.vmstate_layout import STREAM_PAGE

if TYPE_CHECKING:
    from pyqemu.boards.arm_board import ArmBoard


ABSENT = ("pl041", "i2c_bus", "i2c-ddc", "sii9022")
"""Sections of QEMU's boards that are kept and sent on: sound, and what newer versions have besides."""
PCI_BUS = "pci"
"""What QEMU calls the bus of a Versatile board; other boards' ones have a number."""
LATE = {VersatileSic: 1, Bcm2835Ic: 1, Pl190: 2, ArmGic: 2, Bcm2836Control: 2}
"""Interrupt controllers, by how near to the processor they are."""


def saved_machine(board: ArmBoard) -> SavedMachine:
    """The list of sections and blocks of memory."""
    machine = SavedMachine(board.facts.name, board.system, disks=lambda: sent_drives(board.drives),
                           page_size=STREAM_PAGE)  # fmt: skip
    machine.add("timer", board.time)
    for cpu in board.cpus:
        saved = SavedCpu(cpu)
        board.system.on_reset(saved.reset)
        machine.add("cpu_common", CommonState(cpu), order=COMMON_ORDER)
        machine.add("cpu", saved, order=CPU_ORDER)
    for device in board.sysbus.children:
        for part in _parts(device):
            _add(machine, part)
    for slot in board.sd_buses:
        for card in slot.children:  # newer versions of QEMU have no state of empty slots
            machine.add("sd-card", card, needed=partial(_has_medium, card))
    for bus in board.pci_buses():
        machine.add("PCIBUS", bus, pci_bus_vmstate)
    for given in board.operators_devices():
        _add(machine, given)
    for name in ABSENT:
        machine.accept(name, after="realview_sysctl")
    machine.add_block(board.ram.name, _block(board.ram), is_paged=True)
    for region in board.other_ram:
        machine.add_block(region.name, _block(region))
    for bank in board.flash:
        machine.add_block(bank.flash.ram_block.name, bank.flash.ram_block)
    _hooks(board, machine)
    return machine


def _block(region: MemoryRegion) -> RamBlock:
    block = region.ram_block
    assert block is not None
    return block


def _parts(device: Any) -> Iterator[Any]:
    """What has a section of its own in a device, in QEMU's order, and the device."""
    if isinstance(device, Sp804):
        yield from device.timers
    elif isinstance(device, MpCore):
        yield from device.parts
    elif isinstance(device, Pl050Keyboard):
        yield device.keyboard
    elif isinstance(device, Pl050Mouse):
        yield device.mouse
    elif isinstance(device, VersatileI2c):
        yield from device.i2c.children
    yield device


def _add(machine: SavedMachine, device: Any) -> None:
    layout = type(device).vmstate
    if layout is None:
        if not isinstance(device, MpCore | VersatileI2c):
            machine.unsaved.append(device)
        return
    name = layout.name
    if isinstance(device, PciDevice):
        name = f"{PCI_BUS}:{device.devfn >> 3:02x}.{device.devfn & 7}/{name}"
    machine.add(name, device, order=LATE.get(type(device), 0))


def _has_medium(card: Card) -> bool:
    return card.drive is not None


def _hooks(board: ArmBoard, machine: SavedMachine) -> None:
    """Transfers of disks end before memory is saved; whoever has copies of memory forgets them when it is loaded."""

    def settle() -> None:
        for device in board.operators_devices():
            complete = getattr(device, "complete_now", None)
            if complete is not None:
                complete()

    def written(block: RamBlock, offset: int, length: int) -> None:
        for listener in board.memory_space.write_listeners:
            listener(block, offset, length)

    def forget_code() -> None:
        if board.cpu.engine is not None:
            board.cpu.engine.flush()

    machine.before_save.append(settle)
    boot, system = board.boot, board.system
    machine.before_load.append(partial(boot.reset_keeping_memory, system) if boot is not None else system.reset)
    machine.after_load.append(forget_code)
    machine.before_restore.append(board.system.reset)
    machine.page_written.append(written)
