"""``virt``: QEMU's board for Arm guests that is modelled on no hardware: memory, a GIC, a UART, and virtio.

Places and interrupts are in `virt_map.py`, the device tree that tells them to a guest in `virt_tree.py`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pyqemu.boards import virt_interrupts
from pyqemu.boards import virt_map as at
from pyqemu.boards.arm_boot import Boot, KernelPlace, load_kernel, load_tree, read_file
from pyqemu.boards.arm_boot_files import unpacked
from pyqemu.boards.config import MachineConfig
from pyqemu.boards.device_board import FLASH_BANK, DeviceBoard
from pyqemu.boards.pc_network import plug_cards
from pyqemu.boards.registry import BoardType, register
from pyqemu.boards.semihosting import arm_semihosting
from pyqemu.boards.virt_options import VirtOptions
from pyqemu.boards.virt_processor import DEFAULT_CPU, Processor, ask_firmware, compatible, make_processor
from pyqemu.boards.virt_saved import saved_machine
from pyqemu.boards.virt_secure import SECURE_SPACE, SecureWorld
from pyqemu.boards.virt_show import show_virt
from pyqemu.boards.virt_tree import TreeFacts, device_tree
from pyqemu.hw.char.pl011 import Pl011
from pyqemu.hw.gpio.gpio_key import GpioKey
from pyqemu.hw.gpio.pl061 import Pl061
from pyqemu.hw.intc.arm_gicv2m import ArmGicV2m
from pyqemu.hw.nvram.fw_cfg import FwCfgMem
from pyqemu.hw.pci.bus import PciBus
from pyqemu.hw.pci_host.gpex import GpexHost
from pyqemu.hw.timer.pl031 import Pl031
from pyqemu.memory import MemoryRegion
from pyqemu.qom import DeviceError
from pyqemu.system import Irq, ShutdownCause, System
from pyqemu.system.guest_time import GuestTime
from pyqemu.targets.aarch64.state import Aarch64Cpu
from pyqemu.targets.arm.psci import Psci
from pyqemu.util.errors import UserError
from pyqemu.util.units import MIB

if TYPE_CHECKING:
    from pyqemu.block import DriveTable
    from pyqemu.chardev import Chardevs
    from pyqemu.tcg.engine import Engine
    from pyqemu.ui.frame import Frame

DRIVE_LIMITS = {"pflash": at.FLASH_BANKS, "virtio": at.VIRTIO_SLOTS}
DEFAULT_CARD = "virtio"
FLASH_BLOCKS, FLASH_SECTOR = 256, 256 << 10
FW_CFG_NB_CPUS = 0x05
FW_CFG_KERNEL, FW_CFG_INITRD, FW_CFG_CMDLINE = (0x08, 0x11), (0x0B, 0x12), (0x14, 0x15)
"""Keys of sizes and contents."""


class Virt(DeviceBoard):
    """One board. Its constructor wires everything; :meth:`reset` is registered with *system*."""

    def __init__(self, config: MachineConfig, system: System, engine: Engine, drives: DriveTable,
                 chardevs: Chardevs) -> None:  # fmt: skip
        super().__init__(config, system, drives, chardevs, drive_limits=DRIVE_LIMITS)
        self.options = VirtOptions.of(config)
        self._memory(engine)
        self._interrupts()
        self._periphery()
        self._firmware_devices()
        self._pcie()
        self.add_virtio(at.VIRTIO.base, [self._spi(at.IRQ_VIRTIO + number) for number in range(at.VIRTIO_SLOTS)])
        self.add_user_devices()
        self.boot = self._load()
        self.gic.irq_reset_nonsecure = self.boot.is_linux
        system.on_reset(self.reset)
        show_virt(self)
        self.saved = saved_machine(self)
        system.add_part(self.saved)

    # --- memory and processor -----------------------------------------------------------------------------------------

    def _memory(self, engine: Engine) -> None:
        config = self.config
        self.ram = MemoryRegion.ram("mach-virt.ram", config.memory)
        self.system_memory.add(at.RAM.base, self.ram)
        self.secure = SecureWorld(self.system_memory, self.memory_space) if self.options.secure else None
        seen = self.memory_space if self.secure is None else self.secure.space
        virt_interrupts.check(self.options.gic_version, config.smp.max_cpus)
        self.cpus = [make_processor(config, self.options, memory=seen, io=self.io_space, engine=engine,
                                    clock=self.system.clock, lock=self.system.lock)
                     for _ in range(config.smp.cpus)]  # fmt: skip
        self.cpu = self.cpus[0]
        semihosting = arm_semihosting(config, self.system, range(at.RAM.base, at.RAM.base + config.memory))
        for cpu in self.cpus:
            cpu.semihosting = semihosting
        self.time = GuestTime(self.system.clock)
        self.psci = Psci(partial(self.system.request_shutdown, ShutdownCause.GUEST_SHUTDOWN),
                         partial(self.system.request_reset, ShutdownCause.GUEST_RESET), self.cpus)  # fmt: skip
        for cpu in self.cpus:
            if self._has_psci:
                cpu.firmware_call = partial(self._firmware_call, cpu)
            if self.secure is not None and isinstance(cpu, Aarch64Cpu):
                cpu.secure_space = SECURE_SPACE

    @property
    def _has_psci(self) -> bool:
        """Whether firmware's part is played: not where there is firmware that begins in the secure world."""
        return not (self.options.secure and (self.config.bios or self.drives.by_index("pflash", 0) is not None))

    def _firmware_call(self, cpu: Processor, exception_class: int) -> bool:
        return ask_firmware(self.psci, cpu, exception_class, self.options)

    # --- devices ------------------------------------------------------------------------------------------------------

    def _interrupts(self) -> None:
        secure = self.secure
        self.gic = virt_interrupts.interrupt_controller(
            self.options, self.cpus, lambda: secure is not None and secure.accessing
        )
        third = self.options.gic_version == 3
        places = [at.GIC_DISTRIBUTOR, at.GIC_REDISTRIBUTORS if third else at.GIC_CPU]
        if self.options.virtualization and not third:
            places += [at.GIC_HYPERVISOR, at.GIC_GUEST]
        self.plug(self.gic, *(place.base for place in places))
        if secure is not None:
            for region in self.gic.regions[:2]:
                secure.show_difference(region)
        if not third:
            messages = ArmGicV2m(self.gic.shared_inputs, base_spi=at.IRQ_V2M, num_spi=at.V2M_IRQS)
            self.plug(messages, at.GIC_V2M.base)

    def _spi(self, number: int) -> Irq:
        return self.gic.shared_inputs[number]

    def _periphery(self) -> None:
        self.uart = self._serial_line(0, at.IRQ_UART)
        self.plug(self.uart, at.UART.base)
        self.secure_uart = self._serial_line(1, at.IRQ_SECURE_UART) if self.secure is not None else None
        if self.secure is not None and self.secure_uart is not None:
            self.plug(self.secure_uart, at.SECURE_UART.base, memory=self.secure.memory)
        self.rtc = Pl031(self.system.clock, self.system.rtc_clock, self._spi(at.IRQ_RTC))
        self.plug(self.rtc, at.RTC.base)

        self.gpio = Pl061(self._spi(at.IRQ_GPIO))
        self.plug(self.gpio, at.GPIO.base)
        self.power_key = GpioKey(self.system.clock, self.gpio.inputs[at.POWER_BUTTON])
        self.system.on_powerdown(self.power_key.press)
        self.system.on_reset(self.power_key.reset)

    def _firmware_devices(self) -> None:
        """Banks of flash with the drives of ``if=pflash``, or firmware of ``-bios``, and what firmware asks for."""
        for number in range(at.FLASH_BANKS):
            memory = self.secure.memory if self.secure is not None and not number else None
            self.add_flash(f"virt.flash{number}", at.FLASH.base + number * FLASH_BANK, device_width=2, memory=memory)
        self.fw_cfg = FwCfgMem(self.memory_space, trace=self.system.trace)
        self.fw_cfg.map(self.system_memory, at.FW_CFG.base)
        self.fw_cfg.add_i16(FW_CFG_NB_CPUS, self.config.smp.cpus)
        self.system.on_reset(self.fw_cfg.reset)

    def _pcie(self) -> None:
        lines = [self._spi(at.IRQ_PCIE + number) for number in range(4)]
        has_messages = self.options.gic_version == 2  # who takes them belongs to it
        self.pcie = GpexHost(self.system, address_space=self.memory_space, irqs=lines, has_messages=has_messages)
        ecam, memory, ports = self.pcie.regions
        windows = [("pcie-ecam", ecam, at.PCIE_ECAM, 0), ("pcie-mmio", memory, at.PCIE_MMIO, at.PCIE_MMIO.base)]
        if self.options.highmem:
            windows.append(("pcie-mmio-high", memory, at.PCIE_HIGH, at.PCIE_HIGH.base))
        for name, region, window, offset in windows:
            self.system_memory.add(window.base, MemoryRegion.alias(name, region, offset, window.size))
        self.system_memory.add(at.PCIE_PIO.base, ports)
        self.sysbus.plug(self.pcie)
        self.cards = plug_cards(self.config, self.pcie.pci, DEFAULT_CARD)

    def _serial_line(self, index: int, irq: int) -> Pl011:
        return Pl011(self._spi(irq), chardev=self.open_serial(index))

    def pci_buses(self) -> list[PciBus]:
        """The one of PCI Express."""
        return [self.pcie.pci]

    # --- starting -----------------------------------------------------------------------------------------------------

    def _load(self) -> Boot:
        """What ``-bios``, ``if=pflash`` or ``-kernel`` name; without these nothing runs: no firmware is built in."""
        config = self.config
        place = KernelPlace(self.memory_space, at.RAM.base, config.memory, is_64bit=self.is_64bit, tree=self._tree)
        if config.bios:
            self.load_flash()
        if config.bios or self.flash[0].drive is not None:
            self._offer_kernel()
            return load_tree(place, config)
        if not config.kernel:
            raise UserError("machine 'virt' needs firmware or a kernel", "-bios FILE or -kernel FILE")
        return load_kernel(place, config)

    @property
    def is_64bit(self) -> bool:
        """Whether the processors have 64 bits."""
        return isinstance(self.cpu, Aarch64Cpu)

    def _tree(self) -> bytes:
        cpus = tuple((compatible(cpu), cpu.affinity) for cpu in self.cpus)
        facts = TreeFacts(self.config.memory, cpus, gic_version=self.options.gic_version, is_64bit=self.is_64bit,
                          highmem=self.options.highmem, virtualization=self.options.virtualization,
                          secure=self.options.secure,
                          psci_conduit=self.options.psci_conduit if self._has_psci else "")  # fmt: skip
        return device_tree(facts)

    def _offer_kernel(self) -> None:
        """Firmware finds the kernel by fw_cfg."""
        config = self.config
        files = ((config.kernel, "-kernel", FW_CFG_KERNEL), (config.initrd, "-initrd", FW_CFG_INITRD))
        for path, option, (size, data) in files:
            contents = read_file(path, option) if path else b""
            if option == "-kernel" and self.is_64bit:
                contents = unpacked(contents, path)
            self.fw_cfg.add_i32(size, len(contents))
            self.fw_cfg.add_bytes(data, contents)
        if config.append:
            size, data = FW_CFG_CMDLINE
            self.fw_cfg.add_i32(size, len(config.append) + 1)
            self.fw_cfg.add_string(data, config.append)

    def reset(self) -> None:
        """After all devices: the first processor, at the kernel's first instruction, or firmware's; others are off."""
        for cpu in self.cpus:
            cpu.interrupt_request = 0
            cpu.reset()
            cpu.powered_off = cpu.halted = self._has_psci
        self.cpu.powered_off = self.cpu.halted = False
        self.boot.start(self.cpu)

    # --- for who looks at the machine ---------------------------------------------------------------------------------

    def frame(self, *, pixels: bool = True) -> Frame | None:
        """There is no display adapter."""
        return None

    def put_key(self, qcode: str, down: bool) -> None:
        """There is no keyboard."""


def build(config: MachineConfig, system: System, engine: Engine, drives: DriveTable, chardevs: Chardevs) -> Virt:
    """Make a virt board.

    :raise UserError: the configuration makes no sense for it.
    """
    if config.memory > at.RAM.size or config.memory % MIB:
        raise UserError("-m: machine 'virt' takes whole mebibytes, up to 255 GiB")
    try:
        return Virt(config, system, engine, drives, chardevs)
    except DeviceError as exc:
        raise UserError(exc.message, exc.hint) from None


register(
    BoardType(
        "virt-2.6",
        "QEMU 2.6 ARM Virtual Machine",
        ("aarch64", "arm"),
        build,
        alias="virt",
        default_cpus={name: f"{cpu}-arm-cpu" for name, cpu in DEFAULT_CPU.items()},
        default_ram="mach-virt.ram",
        max_cpus=255,
    )
)
