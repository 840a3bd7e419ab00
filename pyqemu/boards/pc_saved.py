"""What is saved of a pc, in the order of QEMU's ``pc-i440fx-2.6``.

Interrupt controllers and the processor are applied after everything that drives their inputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.block.sent import sent_drives
from pyqemu.boards.added_saved import STATELESS, section_name
from pyqemu.boards.pc_network import all_cards
from pyqemu.hw.char.parallel_isa import IsaParallel
from pyqemu.hw.char.serial_isa import IsaSerial
from pyqemu.hw.display.vga_isa import IsaVga
from pyqemu.hw.display.vga_pci import VgaPci
from pyqemu.hw.intc.vapic import Vapic
from pyqemu.hw.misc.port92 import Port92
from pyqemu.hw.misc.vmmouse import VmMouse
from pyqemu.hw.pci.device import ROM_BAR
from pyqemu.hw.pci.state import pci_bus_vmstate
from pyqemu.memory import RamBlock
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.qom import Device
from pyqemu.qom.vmstate import U8, Values, VMState
from pyqemu.targets.x86.vmstate import CPU_ORDER, CommonState, SavedCpu

if TYPE_CHECKING:
    from pyqemu.boards.pc import Pc

MACHINE_TYPE = "pc-i440fx-2.6"
PIC_ORDER, IOAPIC_ORDER, APIC_ORDER = 1, 2, 3
OPTION_ROM_AREA = 0x20000
CARD_ROM = 0x40000
SLAVE_IDE_LINES = (6, 7)  # ISA interrupts 14 and 15
ACPI_BLOCKS = (("etc/acpi/tables", 0x20000, 0x200000), ("etc/table-loader", 0x1000, 0x10000),
               ("etc/acpi/rsdp", 0x1000, 0x1000))  # fmt: skip
"""fw_cfg file, how long QEMU's block of it is, and may become."""


class AcpiBuild:
    """Whether a guest has read the ACPI tables."""

    vmstate = VMState("acpi_build", version=1, fields=(U8("patched"),))

    def __init__(self) -> None:
        self.patched = 0


def saved_machine(pc: Pc) -> SavedMachine:
    """The list of sections and blocks of memory."""
    machine = SavedMachine(MACHINE_TYPE, pc.system, disks=lambda: sent_drives(pc.drives))
    _processor(pc, machine)
    _chipset(pc, machine)
    _isa(pc, machine)
    _pci(pc, machine)
    for device in pc.user_devices:
        add_device(machine, device)
    machine.add("acpi_build", AcpiBuild())
    _foreign(pc, machine)
    _memory(pc, machine)
    _hooks(pc, machine)
    return machine


def _foreign(pc: Pc, machine: SavedMachine) -> None:
    """What QEMU's default board has besides: user-mode networking, of which a guest notices that it is gone, at worst,
    when nobody answers; and option ROMs of its cards, which firmware has copied long ago.
    """
    machine.accept("slirp", after="timer")
    for card in all_cards(pc):
        if ROM_BAR not in card.bars:
            machine.foreign_blocks[_rom_name(card)] = CARD_ROM


def add_device(machine: SavedMachine, device: Device) -> None:
    """A device that the operator added. One whose state would be lost keeps the machine from leaving."""
    if isinstance(device, IsaVga):  # the chip's state alone
        machine.add(section_name(device), device.vga, before="acpi_build", type_name=device.type_name)
    elif type(device).vmstate is not None:
        machine.add(section_name(device), device, before="acpi_build")
    elif device.type_name not in STATELESS:
        machine.unsaved.append(device)


def _rom_name(card: Device) -> str:
    """The block of a card's option ROM is named after its type."""
    return f"{section_name(card).rpartition('/')[0]}/{card.type_name}.rom"


def _processor(pc: Pc, machine: SavedMachine) -> None:
    machine.add("timer", pc.time)
    saved = SavedCpu(pc.cpu)
    vapic = Vapic()
    pc.system.on_reset(saved.reset)
    pc.system.on_reset(vapic.reset)
    machine.add("cpu_common", CommonState(pc.cpu), order=CPU_ORDER + 1)
    machine.add("cpu", saved, order=CPU_ORDER)
    machine.add("kvm-tpr-opt", vapic, type_name="kvmvapic")
    machine.add("apic", pc.apic, instance=pc.apic.initial_id, order=APIC_ORDER)


def _chipset(pc: Pc, machine: SavedMachine) -> None:
    machine.add("fw_cfg", pc.fw_cfg)
    machine.add("PCIBUS", pc.pci, pci_bus_vmstate)
    machine.add(section_name(pc.host.bridge), pc.host.bridge)
    machine.add("dma", pc.dma.low, type_name="i8257")
    machine.add("dma", pc.dma.high, type_name="i8257")
    machine.add(section_name(pc.piix3), pc.piix3)
    machine.add("i8259", pc.pic.master, order=PIC_ORDER, type_name="isa-i8259")
    slave = machine.add("i8259", pc.pic.slave, order=PIC_ORDER, type_name="isa-i8259")
    slave.prepare = lambda values: _raise_ide_lines(pc, values)
    machine.add("ioapic", pc.ioapic, order=IOAPIC_ORDER, type_name="ioapic")
    if pc.vga is not None and pc.vga not in pc.user_devices:
        machine.add(section_name(pc.vga), pc.vga)
    if pc.config.hpet:
        machine.add("hpet", pc.hpet, type_name="hpet")
    machine.add("mc146818rtc", pc.rtc, type_name="mc146818rtc")
    machine.add("i8254", pc.pit, type_name="isa-pit")


def _raise_ide_lines(pc: Pc, values: Values) -> None:
    """No section tells the level of the IDE channels' interrupts; the interrupt controller's inputs do."""
    for bus, line in zip(pc.ide.ide_buses, SLAVE_IDE_LINES, strict=True):
        if values["last_irr"] >> line & 1:
            bus.irq.set(True)


def _isa(pc: Pc, machine: SavedMachine) -> None:
    for kind in (IsaSerial, IsaParallel):
        for device in pc.isa.devices:
            if isinstance(device, kind) and device not in pc.user_devices:
                machine.add(section_name(device), device)
    if pc.fdc is not None:
        machine.add("fdc", pc.fdc)
    machine.add("ps2kbd", pc.i8042.keyboard, type_name="ps2-kbd")
    machine.add("ps2mouse", pc.i8042.mouse, type_name="ps2-mouse")
    machine.add("pckbd", pc.i8042)
    mouse = VmMouse()
    pc.system.on_reset(mouse.reset)
    machine.add("vmmouse", mouse, type_name="vmmouse")
    for device in pc.isa.devices:
        if isinstance(device, Port92):
            machine.add("port92", device)
    for card in pc.cards:
        machine.add(section_name(card), card)


def _pci(pc: Pc, machine: SavedMachine) -> None:
    machine.add(section_name(pc.ide), pc.ide)
    machine.add("i2c_bus", pc.pm.smbus)
    machine.add(section_name(pc.pm), pc.pm)


def _memory(pc: Pc, machine: SavedMachine) -> None:
    blocks = [pc.ram.ram_block, pc.memory_space.lookup(0xFFFFFFF0).ram]
    for block in blocks:
        assert block is not None
        machine.add_block(block.name, block, is_paged=block is pc.ram.ram_block)
    # Option ROMs are in RAM here, where firmware has put them; QEMU has this block below, and leaves it empty.
    machine.add_block("pc.rom", RamBlock("pc.rom", OPTION_ROM_AREA))
    if pc.vga is not None:
        machine.add_block("vga.vram", pc.vga.vga.vram)
        rom = pc.vga.bars.get(ROM_BAR) if isinstance(pc.vga, VgaPci) else None
        if rom is not None and rom.region.ram_block is not None:
            name = section_name(pc.vga).rpartition("/")[0]
            machine.add_block(f"{name}/vga.rom", rom.region.ram_block)
    for card in all_cards(pc):
        card_rom = card.bars.get(ROM_BAR)
        if card_rom is not None and card_rom.region.ram_block is not None:
            machine.add_block(_rom_name(card), card_rom.region.ram_block)
    for name, length, maximum in ACPI_BLOCKS:
        if name in pc.fw_cfg.file_names:
            _acpi_block(pc, machine, name, length, maximum)


def _acpi_block(pc: Pc, machine: SavedMachine, name: str, length: int, maximum: int) -> None:
    """A fw_cfg file that QEMU has in a block of memory, because its guest may have changed it."""
    block = RamBlock(f"/rom@{name}", maximum)
    contents = pc.fw_cfg.file(name)
    block.data[: len(contents)] = contents
    size = len(contents)

    def loaded(data: bytes) -> None:
        pc.fw_cfg.modify_file(name, data[:size] if size < length else data)

    machine.add_block(block.name, block, length=length, loaded=loaded)


def _hooks(pc: Pc, machine: SavedMachine) -> None:
    """Transfers of disks end before memory is saved; whoever has copies of memory forgets them when it is loaded."""

    def settle() -> None:
        for device in (pc.ide, *pc.user_devices):
            for bus in getattr(device, "ide_buses", ()):
                bus.complete_now()
        for device in (pc.fdc, *pc.cards, *pc.user_devices):
            complete_now = getattr(device, "complete_now", None)
            if complete_now is not None:
                complete_now()
        if pc.vga is not None:
            pc.vga.vga.window.write_back()

    def written(block: RamBlock, offset: int, length: int) -> None:
        for listener in pc.memory_space.write_listeners:
            listener(block, offset, length)

    def forget_code() -> None:
        if pc.cpu.engine is not None:
            pc.cpu.engine.flush()

    machine.before_save.append(settle)
    machine.before_load.append(pc.system.reset)
    machine.after_load.append(forget_code)
    machine.before_restore.append(pc.system.reset)
    machine.page_written.append(written)
