"""``raspi2``: the Raspberry Pi 2, with a BCM2836 (*BCM2835 ARM Peripherals*; *QA7 ARM Quad A7 core*).

As in QEMU 2.6 its processors are Cortex-A15. Not there: USB, the system timer, sound.
"""

from __future__ import annotations

from pyqemu.boards.arm_board import ArmBoard, BoardFacts, register_board
from pyqemu.boards.arm_boot import Boot, Loader, read_file
from pyqemu.boards.arm_pens import mailbox_pen
from pyqemu.boards.device_board import D
from pyqemu.hw.char.bcm2835_aux import Bcm2835Aux
from pyqemu.hw.char.pl011 import Pl011
from pyqemu.hw.display.bcm2835_fb import Bcm2835Fb
from pyqemu.hw.dma.bcm2835_dma import Bcm2835Dma
from pyqemu.hw.intc.bcm2835_ic import Bcm2835Ic
from pyqemu.hw.intc.bcm2836_control import MAILBOX_CLEAR, Bcm2836Control
from pyqemu.hw.misc.bcm2835_cprman import Bcm2835Cprman
from pyqemu.hw.misc.bcm2835_mbox import Bcm2835Mbox
from pyqemu.hw.misc.bcm2835_property import Bcm2835Property
from pyqemu.hw.sd.sdhci import Sdhci
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.system import Irq
from pyqemu.targets.arm.generic_timer import HYPERVISOR, PHYSICAL, SECURE, VIRTUAL
from pyqemu.util.errors import UserError
from pyqemu.util.units import GIB, MIB, format_size

PERIPHERALS, CONTROL, PERIPHERALS_SIZE = 0x3F00_0000, 0x4000_0000, 16 * MIB
BUS_PERIPHERALS = 0x7E00_0000  #: as the graphics core and the DMA controller see them
GRAPHICS_RAM = 64 * MIB
FIRMWARE = 0x8000  #: where it is loaded
PEN = 0x300  #: behind the list of tags
LAST_MAILBOX = MAILBOX_CLEAR + 12
CLUSTER = 0xF00  #: Aff1 of all processors
BOARD_REVISION = 0xA2_1041
SD_CAPABILITIES = 0x0520_34B4
# Offsets of devices, and their interrupts of the graphics core's.  fmt: off
DMA, DMA15, IC, MAILBOX, CLOCKS = 0x7000, 0xE0_5000, 0xB200, 0xB800, 0x10_1000
UART0, AUX, EMMC = 0x20_1000, 0x21_5000, 0x30_0000
IRQ_DMA0, IRQ_AUX, IRQ_UART0, IRQ_EMMC = 16, 29, 57, 62
ARM_IRQ_MAILBOX = 1
DMA_CHANNELS, DMA_INTERRUPTS = 16, 13
CHANNEL_PICTURE, CHANNEL_PROPERTY = 1, 8
# fmt: on
TIMER_INPUTS = {SECURE: 0, PHYSICAL: 1, HYPERVISOR: 2, VIRTUAL: 3}


class Raspi2(ArmBoard):
    """The board."""

    facts = BoardFacts("raspi2", board_id=0xC43, cpu="cortex-a15", ram=0, ram_name="ram", most_ram=GIB,
                       drives={"sd": 1})  # fmt: skip

    def check_options(self, options: dict[str, str]) -> None:
        """Some of memory is the graphics core's."""
        if self.memory_size <= GRAPHICS_RAM:
            core = format_size(GRAPHICS_RAM)
            raise UserError(f"-m: machine 'raspi2' needs more than the {core} of its graphics core", "-m 128 or more")

    def wire(self) -> None:
        """Make all devices."""
        clock = self.system.clock
        self.control = self.plug(Bcm2836Control(clock, self.cpu_inputs), CONTROL)
        for cpu, inputs in zip(self.cpus, self.control.timer_inputs, strict=False):
            cpu.cbar, cpu.mpidr = PERIPHERALS, cpu.mpidr | CLUSTER
            for timer, number in TIMER_INPUTS.items():
                cpu.timer.outputs[timer] = inputs[number].set
        self.peripherals = MemoryRegion.container("bcm2835-peripherals", PERIPHERALS_SIZE)
        self.system_memory.add(PERIPHERALS, self.peripherals, priority=1)
        self.bus_space = AddressSpace("bcm2835-gpu", self._graphics_view(), gaps_read_zero=True)
        self.ic = self._peripheral(Bcm2835Ic(self.control.gpu_irq, self.control.gpu_fiq), IC)
        self._peripheral(Bcm2835Cprman(), CLOCKS)
        irqs = self.ic.gpu_inputs
        self.uart = self._peripheral(Pl011(irqs[IRQ_UART0], chardev=self.open_serial(0)), UART0)
        self._peripheral(Bcm2835Aux(irqs[IRQ_AUX], chardev=self.open_serial(1)), AUX)
        self._mailbox()
        self._peripheral(
            Sdhci(clock, irqs[IRQ_EMMC], self.make_card(), self.bus_space, capareg=SD_CAPABILITIES,
                  pending_insert_quirk=True), EMMC)  # fmt: skip
        lines = [irqs[IRQ_DMA0 + number] if number < DMA_INTERRUPTS else Irq() for number in range(DMA_CHANNELS)]
        self._peripheral(Bcm2835Dma(self.bus_space, lines), DMA, DMA15)
        self.wanted_nics()

    def _peripheral(self, device: D, *offsets: int) -> D:
        for region, offset in zip(device.regions, offsets, strict=True):
            self.peripherals.add(offset, region)
        return self.plug(device)

    def _graphics_view(self) -> MemoryRegion:
        """The graphics core sees RAM four times, with different kinds of caching, and the peripherals elsewhere."""
        view = MemoryRegion.container("bcm2835-gpu", 1 << 32)
        for number in range(4):
            view.add(number << 30, MemoryRegion.alias("bcm2835-gpu-ram-alias[*]", self.ram, 0, self.memory_size))
        view.add(BUS_PERIPHERALS, MemoryRegion.alias("bcm2835-peripherals", self.peripherals, 0, PERIPHERALS_SIZE), 1)
        return view

    def _mailbox(self) -> None:
        mailbox = Bcm2835Mbox(self.ic.arm_inputs[ARM_IRQ_MAILBOX])
        self._peripheral(mailbox, MAILBOX)
        picture = self.plug(Bcm2835Fb(self.bus_space, vcram_base=self.processors_ram, vcram_size=GRAPHICS_RAM))
        self.lcd = picture
        mailbox.channels[CHANNEL_PICTURE] = picture
        self.property = Bcm2835Property(self.bus_space, self.processors_ram, gpu_size=GRAPHICS_RAM,
                                        picture=picture.tags(), board_rev=BOARD_REVISION)  # fmt: skip
        self._peripheral(self.property)
        mailbox.channels[CHANNEL_PROPERTY] = self.property

    @property
    def memory_size(self) -> int:
        """A whole gibibyte, unless it was said."""
        return self.config.memory if self.config.memory_given else GIB

    @property
    def processors_ram(self) -> int:
        """Without the graphics core's, which is at the end."""
        return self.memory_size - GRAPHICS_RAM

    def load(self) -> Boot | None:
        """As all boards; with a kernel, other processors than the first wait at the start of memory."""
        boot = super().load()
        if boot is not None and boot.is_linux and len(self.cpus) > 1:
            self.pen = PEN
            boot.add(PEN, mailbox_pen(CONTROL + LAST_MAILBOX), "the other processors' code")
        return boot

    def load_firmware(self) -> Boot | None:
        """As the graphics core does it with ``kernel7.img``."""
        boot = Boot(Loader(self.kernel_place), FIRMWARE)
        boot.add(FIRMWARE, read_file(self.config.bios, "-bios"), "the firmware")
        return boot


register_board(Raspi2, "Raspberry Pi 2", max_cpus=4)
