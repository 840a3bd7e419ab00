"""``versatilepb``: Arm's Versatile Platform Baseboard for the ARM926EJ-S (DUI 0225D; sections are its).

Not there: sound (PL041), USB and SCSI cards. Their registers read as zero.
"""

from __future__ import annotations

from dataclasses import replace

from pyqemu.boards.arm_board import ArmBoard, BoardFacts, register_board
from pyqemu.hw.display.pl110 import Pl110Versatile
from pyqemu.hw.dma.pl080 import Pl080
from pyqemu.hw.gpio.pl061 import Pl061
from pyqemu.hw.i2c.versatile_i2c import VersatileI2c
from pyqemu.hw.intc.pl190 import Pl190, VersatileSic
from pyqemu.hw.misc.arm_sysctl import ArmSysctl
from pyqemu.hw.net.smc91c111 import Smc91c111
from pyqemu.hw.pci.bus import PciBus
from pyqemu.hw.pci_host.versatile_pci import VersatilePci
from pyqemu.hw.sd.pl181 import Pl181
from pyqemu.hw.timer.ds1338 import Ds1338
from pyqemu.hw.timer.pl031 import Pl031
from pyqemu.hw.timer.sp804 import Sp804
from pyqemu.util.units import MIB

SYS_ID, PROC_ID = 0x4100_7004, 0x0200_0000
# Places, table 4-1; interrupts, tables 4-43 and 4-44.  fmt: off
SYSTEM, PCI, I2C, SIC, MMC0 = 0x1000_0000, 0x1000_1000, 0x1000_2000, 0x1000_3000, 0x1000_5000
KEYBOARD, MOUSE, UART3, MMC1, ETHERNET = 0x1000_6000, 0x1000_7000, 0x1000_9000, 0x1000_B000, 0x1001_0000
LCD, DMA, VIC, TIMERS01, TIMERS23 = 0x1012_0000, 0x1013_0000, 0x1014_0000, 0x101E_2000, 0x101E_3000
GPIO0, RTC, UART0, UART1, UART2 = 0x101E_4000, 0x101E_8000, 0x101F_1000, 0x101F_2000, 0x101F_3000
FLASH = 0x3400_0000
PCI_SELF, PCI_CONFIG, PCI_IO = 0x4100_0000, 0x4200_0000, 0x4300_0000
PCI_WINDOWS = 0x4400_0000, 0x5000_0000, 0x6000_0000

VIC_TIMERS01, VIC_TIMERS23, VIC_GPIO0, VIC_RTC, VIC_UART0, VIC_LCD, VIC_DMA = 4, 5, 6, 10, 12, 16, 17
SIC_MMC0B, SIC_MMC1B, SIC_KEYBOARD, SIC_MOUSE, SIC_UART3, SIC_MMC0A = 1, 2, 3, 4, 6, 22
SIC_MMC1A, SIC_ETHERNET, SIC_PCI = 23, 25, 27
# fmt: on
GPIO_PORTS = 4
DS1338_ADDRESS = 0x68


class VersatilePb(ArmBoard):
    """The board."""

    facts = BoardFacts("versatilepb", board_id=387, cpu="arm926", ram=0, ram_name="versatile.ram", most_ram=256 * MIB,
                       drives={"sd": 2, "pflash": 1}, nic="smc91c111")  # fmt: skip

    def wire(self) -> None:
        """Make all devices."""
        registers = ArmSysctl(self.system.clock, reboot=self.restart, sys_id=SYS_ID, proc_id=PROC_ID)
        self.sysctl = self.plug(registers, SYSTEM)
        self.vic = self.plug(Pl190(self.cpu_irq, self.cpu_fiq), VIC)
        self.sic = self.plug(VersatileSic(self.vic.inputs), SIC)
        vic, sic = self.vic.inputs, self.sic.inputs
        self.add_input((KEYBOARD, sic[SIC_KEYBOARD]), (MOUSE, sic[SIC_MOUSE]))
        self._pci()
        for nic in self.wanted_nics():
            self.add_nic(Smc91c111(sic[SIC_ETHERNET]), nic, ETHERNET)
        self.uarts = self.add_uarts((UART0, vic[VIC_UART0]), (UART1, vic[VIC_UART0 + 1]), (UART2, vic[VIC_UART0 + 2]),
                                    (UART3, sic[SIC_UART3]))  # fmt: skip
        self.plug(Pl080(vic[VIC_DMA], self.memory_space), DMA)
        for address, number in ((TIMERS01, VIC_TIMERS01), (TIMERS23, VIC_TIMERS23)):
            self.plug(Sp804(self.system.clock, vic[number]), address)
        for port in range(GPIO_PORTS):
            self.plug(Pl061(vic[VIC_GPIO0 + port]), GPIO0 + port * 0x1000)
        self._display()
        for address, first, second in ((MMC0, SIC_MMC0A, SIC_MMC0B), (MMC1, SIC_MMC1A, SIC_MMC1B)):
            self.plug(Pl181((sic[first], sic[second]), self.make_card()), address)
        self.plug(Pl031(self.system.clock, self.system.rtc_clock, vic[VIC_RTC]), RTC)
        self.i2c = self.plug(VersatileI2c(self.system), I2C)
        self.i2c.i2c.plug(Ds1338(self.system.rtc_clock, address=DS1338_ADDRESS))
        self.add_flash("versatile.flash", FLASH)

    def _pci(self) -> None:
        irqs = self.sic.inputs[SIC_PCI : SIC_PCI + 4]
        self.pci_host = VersatilePci(self.system, address_space=self.memory_space, irqs=irqs)
        self.plug(self.pci_host, PCI, PCI_SELF, PCI_CONFIG, PCI_IO, *PCI_WINDOWS)

    def _display(self) -> None:
        """The system controller chooses how the controller's colours are wired to the connector."""
        lcd = Pl110Versatile(self.vic.inputs[VIC_LCD], self.memory_space)
        for output, input_ in zip(self.sysctl.clcd_select, lcd.mux_inputs, strict=True):
            output.connect(input_.set)
        self.lcd = self.plug(lcd, LCD)

    def pci_buses(self) -> list[PciBus]:
        """The one that has the slots."""
        return [self.pci_host.pci]


class VersatileAb(VersatilePb):
    """The Versatile Application Baseboard: for QEMU it differs by its number alone."""

    facts = replace(VersatilePb.facts, name="versatileab", board_id=0x25E)


register_board(VersatilePb, "ARM Versatile/PB (ARM926EJ-S)")
register_board(VersatileAb, "ARM Versatile/AB (ARM926EJ-S)")
