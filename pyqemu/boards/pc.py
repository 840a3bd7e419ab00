"""The pc board: i440FX, PIIX3 and what hangs on them, as QEMU's ``pc-i440fx-2.6``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pyqemu.boards.buses import find_bus
from pyqemu.boards.config import MachineConfig
from pyqemu.boards.drives import settled_drives
from pyqemu.boards.objects import device_resource
from pyqemu.boards.pc_cmos import fill_cmos
from pyqemu.boards.pc_console import install_console
from pyqemu.boards.pc_firmware import install_firmware, vga_rom
from pyqemu.boards.pc_inspection import show_pc
from pyqemu.boards.pc_network import plug_cards
from pyqemu.boards.pc_options import apply_options
from pyqemu.boards.pc_saved import add_device as save_device
from pyqemu.boards.pc_saved import saved_machine
from pyqemu.boards.pc_tree import PcTree
from pyqemu.boards.registry import BoardType, register
from pyqemu.chardev import ChardevError
from pyqemu.firmware.e820 import FOUR_GIB, ram_split
from pyqemu.hw.acpi.piix4_pm import Piix4Pm
from pyqemu.hw.block.fdc import IsaFdc
from pyqemu.hw.char.parallel_isa import IsaParallel
from pyqemu.hw.char.serial_isa import IsaSerial
from pyqemu.hw.display.vga_isa import IsaVga
from pyqemu.hw.display.vga_pci import VgaPci
from pyqemu.hw.dma.i8257 import Dma
from pyqemu.hw.ide.devices import IdeCd, IdeHd
from pyqemu.hw.ide.pci import Piix3Ide
from pyqemu.hw.input.pckbd import I8042
from pyqemu.hw.intc.apic import Apic
from pyqemu.hw.intc.apic_bus import ApicBus
from pyqemu.hw.intc.i8259 import Pic
from pyqemu.hw.intc.ioapic import IoApic
from pyqemu.hw.isa.piix3 import Piix3
from pyqemu.hw.misc.port92 import Port92
from pyqemu.hw.nvram.fw_cfg import FwCfgIo
from pyqemu.hw.pci.device import PciDevice
from pyqemu.hw.pci_host.i440fx import I440fxHost
from pyqemu.hw.timer.hpet import Hpet
from pyqemu.hw.timer.i8254 import I8254, Pcspk
from pyqemu.hw.timer.mc146818rtc import Mc146818Rtc
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.qom import Device, DeviceError
from pyqemu.qom.objects import check_identifier
from pyqemu.qom.plugging import Plugging
from pyqemu.qom.registry import DEVICES
from pyqemu.system import Irq, SplitIrq, System
from pyqemu.system.guest_time import GuestTime
from pyqemu.targets.x86.models import CpuModel, CpuModelError, cpu_model
from pyqemu.targets.x86.state import X86Cpu
from pyqemu.util.errors import UserError

if TYPE_CHECKING:
    from pyqemu.block import DriveTable
    from pyqemu.chardev import Chardev, Chardevs
    from pyqemu.tcg.engine import Engine
    from pyqemu.ui.frame import Frame

IOAPIC_BASE, HPET_BASE, APIC_BASE = 0xFEC00000, 0xFED00000, 0xFEE00000
PIIX3_DEVFN, IDE_DEVFN, PM_DEVFN, VGA_DEVFN = 0x08, 0x09, 0x0B, 0x10
DRIVE_LIMITS = {"ide": 4, "floppy": 2, "virtio": 31}


class Pc(Plugging):
    """One pc. Its constructor wires everything; :meth:`reset` is registered with *system*."""

    def __init__(self, config: MachineConfig, system: System, engine: Engine, drives: DriveTable,
                 chardevs: Chardevs) -> None:  # fmt: skip
        self.config = config
        self.system = system
        self.drives = drives
        self.chardevs = chardevs
        self.drives.check_supported(DRIVE_LIMITS)
        self.user_devices: list[Device] = []
        self.tree: PcTree
        self._memory(engine)
        self._bridges()
        self._interrupts()
        self._timers()
        self._isa_devices()
        self._pci_devices()
        self._user_devices()
        fill_cmos(self)
        install_firmware(self)
        system.on_reset(self.reset)
        show_pc(self)
        install_console(self)
        self.saved = saved_machine(self)
        system.add_part(self.saved)

    # --- memory and processor -----------------------------------------------------------------------------------------

    def _memory(self, engine: Engine) -> None:
        config = self.config
        self.ram_below_4g, self.ram_above_4g = ram_split(config.memory)
        self.system_memory = MemoryRegion.container("system")
        self.io = MemoryRegion.container("io", 0x10000)
        self.ram = MemoryRegion.ram("pc.ram", config.memory)
        self.system_memory.add(0, MemoryRegion.alias("ram-below-4g", self.ram, 0, self.ram_below_4g))
        if self.ram_above_4g:
            above = MemoryRegion.alias("ram-above-4g", self.ram, self.ram_below_4g, self.ram_above_4g)
            self.system_memory.add(FOUR_GIB, above)
        self.memory_space = AddressSpace("memory", self.system_memory)
        self.io_space = AddressSpace("I/O", self.io)
        model = _cpu_model(config.cpu or ("qemu32" if config.architecture == "i386" else "qemu64"))
        self.cpu = X86Cpu(model, memory=self.memory_space, io=self.io_space, engine=engine,
                          clock=self.system.clock, lock=self.system.lock)  # fmt: skip
        self.time = GuestTime(self.system.clock)
        self.cpu.read_tsc = self.time.read

    # --- chipset ------------------------------------------------------------------------------------------------------

    def _bridges(self) -> None:
        self.host = I440fxHost(self.system, system_memory=self.system_memory, io=self.io,
                               address_space=self.memory_space, ram=self.ram)  # fmt: skip
        self.pci = self.host.pci
        self.piix3 = Piix3(self.io_space)
        self.pci.add(self.piix3, PIIX3_DEVFN)
        self.isa = self.piix3.isa

    def _interrupts(self) -> None:
        trace, clock = self.system.trace, self.system.clock
        self.pic = Pic(Irq(), trace=trace)
        self.apic_bus = ApicBus(trace=trace)
        acknowledge = self.pic.acknowledge
        self.apic = Apic(self.cpu, clock, bus=self.apic_bus, acknowledge_pic=acknowledge, trace=trace)
        self.pic.output.connect(self.apic.lint0.set)
        self.cpu.apic = self.apic
        self.ioapic = IoApic(self.apic_bus, acknowledge, trace=trace)
        lines: list[Irq] = [SplitIrq(self.pic.inputs[n], self.ioapic.inputs[n]) for n in range(16)]
        self.isa.connect_irqs(lines)
        self._mmio(APIC_BASE, 1 << 20, self.apic_bus, "apic-msi", (1, 4), 0x1000)
        self._mmio(IOAPIC_BASE, 0x1000, self.ioapic, "ioapic", (1, 4))
        for base, chip, name in (
            (0x20, self.pic.master, "pic"),
            (0xA0, self.pic.slave, "pic"),
            (0x4D0, self.pic.elcr, "elcr"),
        ):
            self.isa.register_ports(base, 2, chip, name, access=(1, 1))
        self._on_reset(self.pic, self.apic, self.ioapic)

    def _timers(self) -> None:
        system, clock = self.system, self.system.clock
        self.pit = I8254(clock, self.isa.irq(0))
        self.pcspk = Pcspk(self.pit)
        rtc_irq = self.isa.irq(8)
        if self.config.hpet:
            self.hpet = Hpet(clock, [self.isa.irq(n) for n in range(16)], self.pit.irq_enable)
            self._mmio(HPET_BASE, 0x400, self.hpet, "hpet", (4, 8))
            rtc_irq = self.hpet.rtc_irq
            self._on_reset(self.hpet)
        self.rtc = Mc146818Rtc(clock, system.rtc_clock, rtc_irq)
        self.isa.register_ports(0x40, 4, self.pit, "pit", access=(1, 4), impl=(1, 1))
        self.isa.register_ports(0x61, 1, self.pcspk, "pcspk", access=(1, 1))
        self.isa.register_ports(0x70, 2, self.rtc, "rtc", access=(1, 4), impl=(1, 1))
        self._on_reset(self.pit, self.pcspk, self.rtc)

    def _isa_devices(self) -> None:
        config, isa = self.config, self.isa
        self.dma = Dma(self.memory_space, trace=self.system.trace)
        for base, length, handler in ((0x00, 16, self.dma.low), (0xC0, 32, self.dma.high),
                                      (0x80, 8, self.dma.low.pages), (0x88, 8, self.dma.high.pages)):  # fmt: skip
            isa.register_ports(base, length, handler, "dma", access=(1, 4), impl=(1, 1))
        isa.connect_dma(self.dma.channels)
        self._on_reset(self.dma)
        self._a20_sources = [True, False]  # keyboard controller, port 92h
        isa.add(Port92(a20=Irq(partial(self._a20, 1))))
        self.i8042 = I8042()
        self.i8042.a20_out.connect(partial(self._a20, 0))
        isa.add(self.i8042)
        for index, text in enumerate(config.serials):
            if text != "none":
                isa.add(IsaSerial(chardev=self._open_port("serial", index, text), index=index))
        for index, text in enumerate(config.parallels):
            if text != "none":
                isa.add(IsaParallel(chardev=self._open_port("parallel", index, text), index=index))
        self.fdc = IsaFdc(drive_a=self._floppy(0), drive_b=self._floppy(1))
        isa.add(self.fdc)
        self.fw_cfg = FwCfgIo(self.memory_space, trace=self.system.trace)
        self.fw_cfg.map(self.io)
        self.system.on_reset(self.fw_cfg.reset)

    def _open_port(self, kind: str, index: int, text: str) -> Chardev:
        """Where a port leads; what is wrong with it is told with the option that said so."""
        try:
            return self.chardevs.open(text, f"{kind}{index}")
        except ChardevError as exc:
            raise UserError(f"-{kind} {text}: {exc.message}", exc.hint) from None

    def _floppy(self, index: int) -> Any:
        if index == 0 and self.config.defaults:
            self.drives.add_default("floppy", 0)
        return self.drives.by_index("floppy", index)

    def _pci_devices(self) -> None:
        if self.config.defaults:
            self.drives.add_default("ide", 2, "cdrom")
        self.ide = Piix3Ide()
        self.pci.add(self.ide, IDE_DEVFN)
        self.ide.connect_isa(self.io, [self.isa.irq(n) for n in range(16)])
        for drive in self.drives:
            if drive.interface == "ide":
                model = IdeCd if drive.media == "cdrom" else IdeHd
                self.ide.ide_buses[drive.bus].plug(model(drive=drive, unit=drive.unit))
        self.pm = Piix4Pm()
        self.pm.sci = self.isa.irq(9)
        self.pm.cmos_s3.connect(self._mark_s3)
        self.pci.add(self.pm, PM_DEVFN)
        self.pm.hotplug.on_eject = self._ejected
        self.pci.hotplug = self.config.acpi  # a guest learns of it by ACPI
        self.vga: VgaPci | IsaVga | None = None
        if self.config.vga == "std":
            self.vga = VgaPci(romfile=vga_rom(self.config))
            self.pci.add(self.vga, VGA_DEVFN)
        self.cards = plug_cards(self.config, self.pci)
        self.pm.note_ports((0x378, 0x3F8, 0x2F8, 0x3F0))

    def _mark_s3(self, level: bool) -> None:
        """Firmware learns from the CMOS shutdown byte that it is woken."""
        if level:
            self.rtc.cmos_data[0x0F] = 0xFE

    def _user_devices(self) -> None:
        """``-device``."""
        DEVICES.look_in("pyqemu.hw")
        for options in self.config.devices:
            self.add_device(options)
        for drive in self.drives:
            if drive.interface == "virtio" and drive.attached_to is None:
                address = {"addr": drive.device_address} if drive.device_address else {}
                self.add_device({"driver": "virtio-blk-pci", "drive": drive.id, **address})

    def add_device(self, options: dict[str, str], *, hotplug: bool = False) -> Device:
        self._check_device(options, hotplug)
        given = dict(options)
        bus_name = given.pop("bus", "")
        address = given.pop("addr", "")
        device = DEVICES.from_options(given, self._resolve)
        bus = self._bus_of(device, bus_name)
        if hotplug and not bus.hotplug:
            raise DeviceError(f"Bus '{bus.name}' does not support hotplugging")
        device.hotplugged = hotplug
        with self.system.parked(), settled_drives(self.drives, device):
            self._plug(device, bus, address)
        self.user_devices.append(device)
        if hotplug:
            self.tree.place(device)
            save_device(self.saved, device)
            if isinstance(device, PciDevice):
                self.pm.hotplug.plugged(device)
        return device

    def _check_device(self, options: dict[str, str], hotplug: bool) -> None:
        """What can be said before the device is made."""
        driver, name = options.get("driver", ""), options.get("id")
        if not driver:
            raise DeviceError("Parameter 'driver' is missing", "-device help lists the models")
        if name is not None:
            check_identifier(name)
        if hotplug and not DEVICES.find(driver).cls.hotpluggable:
            raise DeviceError("Parameter 'driver' expects a pluggable device type")
        if driver in ("VGA", "isa-vga") and self.vga is not None:
            raise DeviceError(f"Device '{driver}': there is a display adapter already", "-vga none leaves it out")
        if name is not None and any(device.id == name for device in self.user_devices):
            raise DeviceError(f"Duplicate device ID '{name}'")

    def _plug(self, device: Device, bus: Any, address: str) -> None:
        if bus is self.pci:
            self.pci.add(device, self._devfn(address) if address else None)
        else:
            bus.plug(device)
        if isinstance(device, VgaPci | IsaVga):
            self.vga = device

    def request_unplug(self, device: Device) -> None:
        if isinstance(device, PciDevice):
            self.pm.hotplug.request_unplug(device)
            return
        path = device.qom_path
        with self.system.parked():
            device.bus.unplug(device)
        self._forget(device, path)

    def _ejected(self, device: Device) -> None:
        """The guest has let go of a device, and it is off its bus."""
        self._forget(device, device.qom_path)

    def _forget(self, device: Device, path: str) -> None:
        self.saved.remove(device)
        self.tree.remove(device)
        self.user_devices[:] = [each for each in self.user_devices if each is not device]
        self.cards[:] = [each for each in self.cards if each is not device]
        self.system.emit("DEVICE_DELETED", device=device.id, path=path)

    def _bus_of(self, device: Device, name: str) -> Any:
        buses: dict[str, Any] = {"PCI": self.pci, "ISA": self.isa}
        kind = (device.bus_type or "").upper()
        if kind == "IDE":
            return self._ide_bus(name)
        if kind not in buses and device.bus_type is not None:
            return find_bus((self.pci, self.isa), device, name)
        if kind not in buses:
            raise DeviceError(f"No '{device.bus_type}' bus found for device '{device.type_name}'")
        bus = buses[kind]
        if name and name != bus.name:
            raise DeviceError(f"Bus '{name}' not found", f"'{bus.name}' is the {kind} bus")
        return bus

    def _ide_bus(self, name: str) -> Any:
        """The channel of that name, or the first with a free place."""
        channels = self.ide.ide_buses
        if name:
            for channel in channels:
                if channel.name == name:
                    return channel
            raise DeviceError(f"Bus '{name}' not found", "ide.0 and ide.1 are the IDE channels")
        free = (channel for channel in channels if any(unit.model is None for unit in channel.units))
        return next(free, channels[-1])

    @staticmethod
    def _devfn(text: str) -> int:
        try:
            slot, _, function = text.partition(".")
            devfn = int(slot, 16) << 3 | int(function or "0", 16)
        except ValueError:
            raise DeviceError(f"Property 'addr' doesn't take value '{text}'", "such as 04 or 04.1") from None
        if not 0 <= devfn < 256:
            raise DeviceError(f"Property 'addr' doesn't take value '{text}'", "00.0 to 1f.7")
        return devfn

    def _resolve(self, kind: str, name: str) -> Any:
        return device_resource(self.config, self.system, self.drives, self.chardevs, kind, name)

    # --- small parts --------------------------------------------------------------------------------------------------

    def _mmio(self, base: int, size: int, handler: Any, name: str, access: tuple[int, int], priority: int = 1) -> None:
        self.system_memory.add(base, MemoryRegion.mmio(name, size, handler, access=access), priority)

    def _on_reset(self, *chips: Any) -> None:
        for chip in chips:
            self.system.on_reset(chip.reset)

    def _a20(self, source: int, level: bool) -> None:
        self._a20_sources[source] = level
        self.cpu.set_a20(any(self._a20_sources))

    def reset(self) -> None:
        """After all devices: the processor."""
        self.cpu.interrupt_request = 0
        self.cpu.reset()
        self._a20_sources = [True, False]

    # --- for who looks at the machine ---------------------------------------------------------------------------------

    def frame(self, *, pixels: bool = True) -> Frame | None:
        """What is on the screen."""
        return None if self.vga is None else self.vga.vga.render(pixels=pixels)

    def put_key(self, qcode: str, down: bool) -> None:
        """Press or release a key of the PS/2 keyboard."""
        self.i8042.controller.keyboard.put_key(qcode, down)


def _cpu_model(spec: str) -> CpuModel:
    try:
        return cpu_model(spec)
    except CpuModelError as exc:
        raise UserError(f"-cpu {spec}: {exc.message}", exc.hint) from None


def build(config: MachineConfig, system: System, engine: Engine, drives: DriveTable, chardevs: Chardevs) -> Pc:
    """Make a pc.

    :raise UserError: the configuration makes no sense for it.
    """
    apply_options(config)
    return Pc(config, system, engine, drives, chardevs)


register(
    BoardType(
        "pc-i440fx-2.6",
        "Standard PC (i440FX + PIIX, 1996)",
        ("i386", "x86_64"),
        build,
        alias="pc",
        default=True,
        default_cpus={"i386": "qemu32-i386-cpu", "x86_64": "qemu64-x86_64-cpu"},
        default_ram="pc.ram",
    )
)
