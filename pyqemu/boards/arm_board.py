"""What boards with Arm's processors of 32 bits have in common: devices at fixed places, how they start.

A board says what is where (:meth:`ArmBoard.wire`); memory and interrupt controller are its own matter, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from pyqemu.boards.arm_boot import Boot, KernelPlace, load_kernel
from pyqemu.boards.arm_saved import saved_machine
from pyqemu.boards.arm_show import show_board
from pyqemu.boards.config import MachineConfig, NicConfig
from pyqemu.boards.device_board import DeviceBoard
from pyqemu.boards.registry import BoardType, register
from pyqemu.boards.semihosting import arm_semihosting
from pyqemu.hw.char.pl011 import Pl011
from pyqemu.hw.display.bcm2835_fb import Bcm2835Fb
from pyqemu.hw.display.pl110 import Pl110Base
from pyqemu.hw.input.pl050 import Pl050Keyboard, Pl050Mouse
from pyqemu.hw.net.sysbus_card import SysBusCard
from pyqemu.hw.pci.device import PciDevice
from pyqemu.hw.sd.bus import SdBus
from pyqemu.hw.sd.sd import SdCard
from pyqemu.memory import MemoryRegion
from pyqemu.qom import Device, DeviceError
from pyqemu.system import Irq, ShutdownCause, System
from pyqemu.system.guest_time import GuestTime
from pyqemu.targets.arm.delivery import REQUEST_FIQ as FIQ
from pyqemu.targets.arm.delivery import REQUEST_IRQ as IRQ
from pyqemu.targets.arm.state import ArmCpu
from pyqemu.ui.pointer import Pointer
from pyqemu.ui.screen import Screen
from pyqemu.util.errors import UserError
from pyqemu.util.units import MIB, format_size

if TYPE_CHECKING:
    from pyqemu.block import DriveTable
    from pyqemu.chardev import Chardevs
    from pyqemu.tcg.engine import Engine
    from pyqemu.ui.frame import Frame

WITHOUT_EFFECT = ("kernel_irqchip", "kernel-irqchip", "mem-merge", "dump-guest-core", "graphics", "suppress-vmdesc")
"""Machine properties whose subjects are KVM or the host's memory."""
FLASH_BANK = 64 * MIB
FLASH_SECTOR = 256 << 10


@dataclass(frozen=True)
class BoardFacts:
    """What tells one board from another.

    :ivar board_id: of Linux's list of machines, which a kernel without a device tree gets
    :ivar ram: where RAM begins; *ram_name* is QEMU's name of it, *most_ram* how much there may be
    :ivar drives: how many drives of each interface there are places for
    :ivar nic: the model of its network card; empty if it has none
    :ivar options: its own properties, for ``-machine``
    """

    name: str
    board_id: int
    cpu: str
    ram: int
    ram_name: str
    most_ram: int
    drives: dict[str, int] = field(default_factory=dict)
    nic: str = ""
    options: tuple[str, ...] = ()


class ArmBoard(DeviceBoard):
    """One board. Its constructor wires everything; :meth:`reset` is registered with *system*."""

    facts: BoardFacts

    def __init__(self, config: MachineConfig, system: System, engine: Engine, drives: DriveTable,
                 chardevs: Chardevs) -> None:  # fmt: skip
        super().__init__(config, system, drives, chardevs, drive_limits=self.facts.drives, gaps_read_zero=True)
        self._check()
        self.sd_buses: list[SdBus] = []
        self.keyboard: Pl050Keyboard | None = None
        self.lcd: Pl110Base | Bcm2835Fb | None = None
        self.card: SysBusCard | None = None
        self.ram = MemoryRegion.ram(self.facts.ram_name, self.memory_size)
        self.system_memory.add(self.facts.ram, self.ram)
        self.memory_space.main_ram = self.ram.ram_block
        self.other_ram: list[MemoryRegion] = []
        self.time = GuestTime(system.clock)
        self.cpus = [self._make_cpu(engine) for _ in range(config.smp.cpus)]
        self.cpu = self.cpus[0]
        self.cpu_inputs = [(Irq(partial(_request, cpu, IRQ)), Irq(partial(_request, cpu, FIQ))) for cpu in self.cpus]
        self.cpu_irq, self.cpu_fiq = self.cpu_inputs[0]
        self.wire()
        self.add_user_devices()
        self.boot = self.load()
        semihosting = arm_semihosting(config, system, range(self.facts.ram, self.facts.ram + self.processors_ram))
        for cpu in self.cpus:
            cpu.semihosting = semihosting
        system.on_reset(self.reset)
        system.add_part(Screen(self.frame, lambda: "" if self.lcd is None else self.lcd.qom_path))
        show_board(self)
        system.add_part(saved_machine(self))

    # --- to be said by a board ----------------------------------------------------------------------------------------

    def wire(self) -> None:
        """Make all devices."""
        raise NotImplementedError

    def check_options(self, options: dict[str, str]) -> None:
        """See that the machine's properties, all of which are known, make sense.

        :raise UserError: one of them does not.
        """

    @property
    def memory_size(self) -> int:
        """Bytes of RAM."""
        return self.config.memory

    # --- configuration ------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        name, most = self.facts.name, self.facts.most_ram
        known = (*WITHOUT_EFFECT, *self.facts.options)
        if strange := [key for key in self.config.machine_options if key not in known]:
            raise UserError(f"Property '.{strange[0]}' not found", f"machine properties: {', '.join(sorted(known))}")
        self.check_options(self.config.machine_options)
        if self.memory_size > most:
            raise UserError(
                f"-m: machine '{name}' takes up to {format_size(most)} of memory", f"-m {most // MIB} or less"
            )

    def _make_cpu(self, engine: Engine) -> ArmCpu:
        """One processor."""
        return ArmCpu(self.config.cpu or self.facts.cpu, memory=self.memory_space, io=self.io_space, engine=engine,
                      clock=self.system.clock, lock=self.system.lock)  # fmt: skip

    def who(self) -> tuple[int, bool]:
        """The processor whose turn it is, and that it is not in the secure state."""
        return self.cpu.turns.current.index, False

    # --- devices ------------------------------------------------------------------------------------------------------

    def add_ram(self, name: str, address: int, size: int) -> None:
        """Memory besides the main one."""
        region = MemoryRegion.ram(name, size)
        self.system_memory.add(address, region)
        self.other_ram.append(region)

    def add_alias(self, name: str, address: int, target: MemoryRegion, size: int) -> None:
        """Show the beginning of a region at another place, too."""
        self.system_memory.add(address, MemoryRegion.alias(name, target, 0, size))

    def add_uarts(self, *places: tuple[int, Irq]) -> list[Pl011]:
        """UARTs at addresses with their interrupts: the operator's serial lines, in turn."""
        return [
            self.plug(Pl011(irq, chardev=self.open_serial(index)), address)
            for index, (address, irq) in enumerate(places)
        ]

    def add_input(self, keyboard: tuple[int, Irq], mouse: tuple[int, Irq]) -> None:
        """A keyboard and a mouse: where their interfaces are, and the interrupts of these."""
        self.keyboard = self.plug(Pl050Keyboard(keyboard[1]), keyboard[0])
        self.mouse = self.plug(Pl050Mouse(mouse[1]), mouse[0])
        self.system.add_part(Pointer(self.mouse.mouse, "QEMU PS/2 Mouse"))

    def make_card(self, *, protected: Irq | None = None, inserted: Irq | None = None) -> SdCard:
        """The memory card in the next slot: the next drive of ``if=sd``, or none."""
        number = len(self.sd_buses)
        bus = SdBus(f"sd-bus.{number}" if number else "sd-bus", self.system)
        card = SdCard(self.system.clock, inserted=inserted, protected=protected,
                      drive=self.drives.by_index("sd", number))  # fmt: skip
        bus.plug(card)
        self.sd_buses.append(bus)
        return card

    def wanted_nics(self) -> list[NicConfig]:
        """The network cards that the operator asked for; who says nothing gets one.

        :raise UserError: the board has no place for one of them.
        """
        found = self.config.nics
        if found is None:
            found = [NicConfig()] if self.config.defaults and self.facts.nic else []
        for number, nic in enumerate(found):
            if not self.facts.nic or number:
                places = "one network card" if self.facts.nic else "no network cards"
                raise UserError(f"{nic.option}: machine '{self.facts.name}' has {places}", "-net none")
            if nic.model not in ("", self.facts.nic):
                raise UserError(f"{nic.option}: Unsupported NIC model: {nic.model}", f"models: {self.facts.nic}")
            if nic.netdev:
                raise UserError(f"{nic.option}: netdev '{nic.netdev}' not found", "there are no network backends yet")
        return found

    def add_nic(self, card: SysBusCard, nic: NicConfig, address: int) -> None:
        """Plug a card, configured as the operator wants it."""
        try:
            if nic.mac:
                card.set_option("mac", nic.mac)
            card.id = nic.name or None
            self.card = self.plug(card, address)
        except DeviceError as exc:
            raise UserError(f"{nic.option}: {exc.message}", exc.hint) from None

    def operators_devices(self) -> list[Device]:
        """Those of ``-drive if=virtio`` and ``-device``, in the order in which they were made."""
        return [*(bus.device for bus in self.device_buses if getattr(bus, "device", None) is not None),
                *(device for device in self.user_devices if isinstance(device, PciDevice))]  # fmt: skip

    # --- starting -----------------------------------------------------------------------------------------------------

    def load(self) -> Boot | None:
        """What ``-kernel`` or ``-bios`` name; None to begin where the processor does.

        :raise UserError: neither is there, nor what could be started without.
        """
        config = self.config
        if config.kernel:
            return load_kernel(self.kernel_place, config)
        if config.bios:
            return self.load_firmware()
        if not any(bank.drive is not None for bank in self.flash) or not self.starts_in_flash:
            raise UserError(f"machine '{self.facts.name}' needs a kernel", "-kernel FILE")
        return None

    starts_in_flash = False
    """Whether the first bank of flash is where the processor begins."""

    @property
    def kernel_place(self) -> KernelPlace:
        """Where kernels are put, and what they are told."""
        return KernelPlace(self.memory_space, self.facts.ram, self.processors_ram, board_id=self.facts.board_id)

    @property
    def processors_ram(self) -> int:
        """Bytes of RAM that kernels are told of."""
        return self.memory_size

    def load_firmware(self) -> Boot | None:
        """What ``-bios`` names.

        :raise UserError: there is no place for it, or it cannot be there.
        """
        raise UserError(f"-bios: machine '{self.facts.name}' has no place for firmware", "-kernel FILE")

    def power_off(self) -> None:
        """Software turns the board off."""
        self.system.request_shutdown(ShutdownCause.GUEST_SHUTDOWN)

    def restart(self) -> None:
        """Software resets the board."""
        self.system.request_reset(ShutdownCause.GUEST_RESET)

    def reset(self) -> None:
        """After all devices: the processors. The first one begins what was loaded; so do the others with a program, but
        with a kernel they wait until it wants them."""
        for cpu, lines in zip(self.cpus, self.cpu_inputs, strict=True):
            cpu.interrupt_request = 0
            cpu.reset()
            for mask, line in zip((IRQ, FIQ), lines, strict=True):
                if line.level:
                    cpu.interrupt(mask)
            if self.boot is None:
                continue
            if cpu is self.cpu or not self.boot.is_linux:
                self.boot.start(cpu)
            else:
                cpu.pc = self.pen

    pen = 0
    """Where the code is that processors after the first one wait in."""

    # --- for who looks at the machine ---------------------------------------------------------------------------------

    def frame(self, *, pixels: bool = True) -> Frame | None:
        """The picture of the display controller, if there is one."""
        return self.lcd.frame() if self.lcd is not None else None

    def put_key(self, qcode: str, down: bool) -> None:
        """Press or release a key, if there is a keyboard."""
        if self.keyboard is not None:
            self.keyboard.keyboard.put_key(qcode, down)


def _request(cpu: ArmCpu, mask: int, level: bool) -> None:
    (cpu.interrupt if level else cpu.clear_interrupt)(mask)


ARCHITECTURES = ("aarch64", "arm")
"""Both names of the architecture know the boards."""


def register_board(board: type[ArmBoard], description: str, *, max_cpus: int = 1) -> None:
    """Make a board known as a machine type."""

    def build(*arguments: Any) -> ArmBoard:
        try:
            return board(*arguments)
        except DeviceError as exc:
            raise UserError(exc.message, exc.hint) from None

    facts = board.facts
    register(
        BoardType(
            facts.name, description, ARCHITECTURES, build,
            default_cpus=dict.fromkeys(ARCHITECTURES, f"{facts.cpu}-arm-cpu"), default_ram=facts.ram_name,
            max_cpus=max_cpus,
        )
    )  # fmt: skip
