"""``vexpress-a9`` and ``vexpress-a15``: Arm's Versatile Express, a motherboard (DUI 0447J) with a daughterboard, which
has the processors (DUI 0448I, DUI 0604E).

The motherboard's devices are the same, at places that depend on the daughterboard: those of the "legacy" memory map or
those of the "Cortex-A series" map. Not there: sound (PL041), CompactFlash, USB, watchdogs; of the secure world nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pyqemu.boards.arm_board import ArmBoard, BoardFacts, register_board
from pyqemu.boards.arm_boot import Boot, KernelPlace
from pyqemu.boards.arm_pens import interrupt_pen
from pyqemu.boards.vexpress_tree import add_virtio
from pyqemu.boards.virtio_slots import SIZE as SLOT_SIZE
from pyqemu.hw.cpu.mpcore import A9MpCore, A15MpCore
from pyqemu.hw.display.pl110 import Pl111
from pyqemu.hw.misc.arm_l2x0 import L2x0
from pyqemu.hw.misc.arm_sysctl import FLAGS, ArmSysctl
from pyqemu.hw.net.lan9118 import Lan9118
from pyqemu.hw.sd.pl181 import Pl181
from pyqemu.hw.timer.pl031 import Pl031
from pyqemu.hw.timer.sp804 import Sp804
from pyqemu.targets.arm.generic_timer import HYPERVISOR, PHYSICAL, SECURE, VIRTUAL
from pyqemu.util.errors import UserError
from pyqemu.util.options import parse_bool
from pyqemu.util.units import GIB, MIB

SYS_ID = 0x1190_F500
VIRTIO_SLOTS = 4
SRAM_SIZE, VIDEO_RAM_SIZE = 32 * MIB, 8 * MIB
# Shared interrupts of the motherboard, DUI 0447J table 2-7.  fmt: off
IRQ_TIMERS01, IRQ_TIMERS23, IRQ_RTC, IRQ_UART0, IRQ_MMC, IRQ_KEYBOARD, IRQ_MOUSE = 2, 3, 4, 5, 9, 12, 13
IRQ_LCD, IRQ_ETHERNET, IRQ_VIRTIO, IRQ_A9_LCD, IRQ_A9_TIMERS = 14, 15, 40, 44, 48
# fmt: on
TIMER_PPIS = {HYPERVISOR: 26, VIRTUAL: 27, SECURE: 29, PHYSICAL: 30}


@dataclass(frozen=True)
class Motherboard:
    """Where its devices are. The small ones are *step* apart from *small* on, in the same order on all boards."""

    flash: tuple[int, int]
    sram: int
    video_ram: int
    ethernet: int
    sysregs: int
    small: int
    step: int


LEGACY = Motherboard(flash=(0x4000_0000, 0x4400_0000), sram=0x4800_0000, video_ram=0x4C00_0000,
                     ethernet=0x4E00_0000, sysregs=0x1000_0000, small=0x1000_0000, step=0x1000)  # fmt: skip
A_SERIES = Motherboard(flash=(0x0800_0000, 0x0C00_0000), sram=0x1400_0000, video_ram=0x1800_0000,
                       ethernet=0x1A00_0000, sysregs=0x1C01_0000, small=0x1C00_0000, step=0x1_0000)  # fmt: skip
MMC, KEYBOARD, MOUSE, UART0, TIMERS01, TIMERS23, VIRTIO, RTC, LCD = 5, 6, 7, 9, 17, 18, 19, 23, 31
"""Numbers of the small devices."""


class Vexpress(ArmBoard):
    """The motherboard, with what all daughterboards share."""

    motherboard: Motherboard
    proc_id: int
    voltages: tuple[int, ...]
    """In microvolts, of the daughterboard's regulators."""
    clocks: tuple[int, ...]
    """In hertz, of its oscillators."""
    private: int
    """Where the processors' private memory is."""
    mpcore: A9MpCore | A15MpCore
    gic_interface: int
    """Where in it the processors' interface of the interrupt controller is."""
    starts_in_flash = True

    def check_options(self, options: dict[str, str]) -> None:
        """There is no secure world."""
        if parse_bool(options.get("secure", "off"), "secure"):
            raise UserError("-machine secure=on: boards with EL3 are not there yet", "secure=off")

    def wire(self) -> None:
        """Make all devices."""
        for cpu in self.cpus:
            cpu.cbar = self.private
        self._daughterboard()
        irqs = self.mpcore.inputs
        clock, board = self.system.clock, self.motherboard
        self.sysctl = self.plug(
            ArmSysctl(clock, daughterboard_voltages=self.voltages, daughterboard_clocks=self.clocks, sys_id=SYS_ID,
                      proc_id=self.proc_id, shutdown=self.power_off, reboot=self.restart), board.sysregs)  # fmt: skip
        protected, inserted = self.sysctl.mmc_inputs
        card = self.make_card(protected=protected, inserted=inserted)
        self.plug(Pl181((irqs[IRQ_MMC], irqs[IRQ_MMC + 1]), card), self._at(MMC))
        self.add_input((self._at(KEYBOARD), irqs[IRQ_KEYBOARD]), (self._at(MOUSE), irqs[IRQ_MOUSE]))
        self.uarts = self.add_uarts(*((self._at(UART0 + number), irqs[IRQ_UART0 + number]) for number in range(4)))
        for place, number in ((TIMERS01, IRQ_TIMERS01), (TIMERS23, IRQ_TIMERS23)):
            self.plug(Sp804(clock, irqs[number]), self._at(place))
        self.plug(Pl031(clock, self.system.rtc_clock, irqs[IRQ_RTC]), self._at(RTC))
        self.lcd = self.plug(Pl111(irqs[IRQ_LCD], self.memory_space), self._at(LCD))
        self._memories(board)
        for nic in self.wanted_nics():
            self.add_nic(Lan9118(clock, irqs[IRQ_ETHERNET]), nic, board.ethernet)
        self.add_virtio(self._at(VIRTIO), irqs[IRQ_VIRTIO : IRQ_VIRTIO + VIRTIO_SLOTS])

    def _at(self, number: int) -> int:
        return self.motherboard.small + number * self.motherboard.step

    def _memories(self, board: Motherboard) -> None:
        """Flash in two banks, of which the first is at address 0, too; static memory and that of the display."""
        for number, address in enumerate(board.flash):
            self.add_flash(f"vexpress.flash{number}", address, device_width=2)
        self.add_alias("vexpress.flashalias", 0, self.flash[0].region, self.flash[0].size)
        self.add_ram("vexpress.sram", board.sram, SRAM_SIZE)
        self.add_ram("vexpress.vram", board.video_ram, VIDEO_RAM_SIZE)

    def _daughterboard(self) -> None:
        raise NotImplementedError

    def load_firmware(self) -> Boot | None:
        """Firmware is in the flash, where the processor begins."""
        self.load_flash()
        return None

    @property
    def kernel_place(self) -> KernelPlace:
        """The device tree that the operator gives gets the places for virtio."""
        return replace(super().kernel_place, change_tree=self._add_virtio_nodes)

    def _add_virtio_nodes(self, tree: Any) -> None:
        places = [(self._at(VIRTIO) + number * SLOT_SIZE, IRQ_VIRTIO + number) for number in range(VIRTIO_SLOTS)]
        add_virtio(tree, places, SLOT_SIZE)

    def load(self) -> Boot | None:
        """As all boards; with a kernel, other processors than the first wait in the static memory."""
        boot = super().load()
        if boot is not None and boot.is_linux and len(self.cpus) > 1:
            self.pen = self.motherboard.sram
            flags = self.motherboard.sysregs + FLAGS
            boot.add(self.pen, interrupt_pen(self.private + self.gic_interface, flags), "the other processors' code")
        return boot


class VexpressA9(Vexpress):
    """With the CoreTile Express A9x4 (DUI 0448I)."""

    facts = BoardFacts("vexpress-a9", board_id=2272, cpu="cortex-a9", ram=0x6000_0000, ram_name="vexpress.highmem",
                       most_ram=GIB, drives={"sd": 1, "pflash": 2, "virtio": VIRTIO_SLOTS}, nic="lan9118",
                       options=("secure",))  # fmt: skip
    motherboard = LEGACY
    proc_id = 0x0C00_0191
    voltages = (1_000_000, 1_000_000, 1_000_000, 1_800_000, 900_000, 3_300_000)
    clocks = (45_000_000, 23_750_000, 66_670_000)
    private, gic_interface = 0x1E00_0000, 0x100

    def _daughterboard(self) -> None:
        self.add_alias("vexpress.lowmem", 0, self.ram, min(self.memory_size, 64 * MIB))
        self.mpcore = self.plug(
            A9MpCore(self.system.clock, self.cpu_inputs, self.who, num_cpu=len(self.cpus)), self.private
        )
        irqs = self.mpcore.inputs
        self.plug(Pl111(irqs[IRQ_A9_LCD], self.memory_space), 0x1002_0000)
        self.plug(Sp804(self.system.clock, irqs[IRQ_A9_TIMERS]), 0x100E_4000)
        self.plug(L2x0(), self.private + 0xA000)


class VexpressA15(Vexpress):
    """With the CoreTile Express A15x2 (DUI 0604E)."""

    facts = BoardFacts("vexpress-a15", board_id=2272, cpu="cortex-a15", ram=0x8000_0000, ram_name="vexpress.highmem",
                       most_ram=30 * GIB, drives={"sd": 1, "pflash": 2, "virtio": VIRTIO_SLOTS},
                       nic="lan9118", options=("secure",))  # fmt: skip
    motherboard = A_SERIES
    proc_id = 0x1400_0237
    voltages = (900_000,)
    clocks = (60_000_000, 0, 0, 0, 40_000_000, 23_750_000, 50_000_000, 60_000_000, 40_000_000)
    private, gic_interface = 0x2C00_0000, 0x2000

    def _daughterboard(self) -> None:
        self.mpcore = self.plug(
            A15MpCore(self.system.clock, self.cpu_inputs, self.who, num_cpu=len(self.cpus)), self.private
        )
        for cpu, lines in zip(self.cpus, self.mpcore.gic.private_inputs, strict=True):
            for timer, ppi in TIMER_PPIS.items():
                cpu.timer.outputs[timer] = lines[ppi].set
        self.add_ram("vexpress.a15sram", 0x2E00_0000, 64 << 10)


register_board(VexpressA9, "ARM Versatile Express for Cortex-A9", max_cpus=4)
register_board(VexpressA15, "ARM Versatile Express for Cortex-A15", max_cpus=4)
