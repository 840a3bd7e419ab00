"""System registers of Arm's boards: Versatile PB (DUI 0225D 4.3), RealView (DUI 0303E 4.2), Versatile Express
(DUI 0447J 4.3), whose motherboard also answers for clocks and voltages of its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyqemu.hw.core.per_part import PerPart
from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.qom import Property, device_class
from pyqemu.qom.vmstate import U16, U32, Array, VMState
from pyqemu.system import Clock, Irq
from pyqemu.system.clock import SECOND

# fmt: off
ID, SW, LED, OSC0, LOCK, COUNTER_100HZ, CFGDATA1, CFGDATA2  = 0x00, 0x04, 0x08, 0x0C, 0x20, 0x24, 0x28, 0x2C
FLAGS, FLAGSCLR, NVFLAGS, NVFLAGSCLR, RESETCTL, PCICTL      = 0x30, 0x34, 0x38, 0x3C, 0x40, 0x44
MCI, FLASH, CLCD, CLCDSER, BOOTCS, COUNTER_24MHZ, MISC      = 0x48, 0x4C, 0x50, 0x54, 0x58, 0x5C, 0x60
PROCID0, PROCID1, SYS_CFGDATA, SYS_CFGCTRL, SYS_CFGSTAT     = 0x84, 0x88, 0xA0, 0xA4, 0xA8

PB926, EB, PBA8, PBX, VEXPRESS = 0x100, 0x140, 0x178, 0x182, 0x190  # bits 16 to 27 of the identification

# SYS_CFGCTRL, table 4-21
CFG_START, CFG_WRITE                                        = 1 << 31, 1 << 30
CFG_OSC, CFG_VOLT, CFG_MUXFPGA, CFG_SHUTDOWN                = 1, 2, 7, 8
CFG_REBOOT, CFG_DVIMODE                                     = 9, 11
SITE_MOTHERBOARD, SITE_DAUGHTERBOARD                        = 0, 1
STAT_COMPLETE, STAT_ERROR                                   = 1, 2
# fmt: on
UNLOCK = 0xA05F
M32 = 0xFFFF_FFFF
MOTHERBOARD_CLOCKS = (50_000_000, 23_750_000, 24_000_000, 24_000_000, 24_000_000, 24_000_000)


@device_class("realview_sysctl", bus="sysbus", user_creatable=False)
class ArmSysctl(SysBusDevice):
    """The registers.

    :param mmc_write_protect: the motherboard's LED-like output that software sets for the second MMC multiplexer
    :param clcd_select: bits that choose the display's wiring on the Versatile
    :param daughterboard_voltages: in microvolts, and *daughterboard_clocks* in hertz, which software may change
    :param shutdown: software turns the board off; *reboot*: it resets it
    :ivar mmc_inputs: levels of the card slots: write protection, and presence of a card
    """

    user_switch = Property.bool("user-switch", False)
    sys_id = Property.uint("sys_id", 0)
    proc_id = Property.uint("proc_id", 0)

    vmstate = VMState(
        "realview_sysctl",
        version=4,
        minimum_version=1,
        fields=(
            U32("leds"), U16("lockval"), U32("cfgdata1"), U32("cfgdata2"), U32("flags"), U32("nvflags"),
            U32("resetlevel"), U32("sys_mci", since=2), U32("sys_cfgdata", since=2), U32("sys_cfgctrl", since=2),
            U32("sys_cfgstat", since=2), U32("sys_clcd", since=3), Array("mb_clock", U32, 6, since=4),
            PerPart("db_clock", U32, since=4),
        ),
    )  # fmt: skip

    def __init__(
        self,
        clock: Clock,
        *,
        daughterboard_voltages: Sequence[int] = (),
        daughterboard_clocks: Sequence[int] = (),
        shutdown: Callable[[], None] | None = None,
        reboot: Callable[[], None] | None = None,
        **props: object,
    ) -> None:
        super().__init__(**props)
        self.clock = clock
        self.db_voltage = list(daughterboard_voltages)
        self.db_clock_reset = list(daughterboard_clocks)
        self.shutdown, self.reboot = shutdown, reboot
        self.clcd_select = [Irq(), Irq()]
        self.mmc_inputs = [Irq(self._mmc_changed), Irq(self._mmc_changed)]
        self.nvflags = 0
        self.sys_mci = 0
        self.add_registers("arm-sysctl", 0x1000, self)
        self.reset()

    @property
    def board(self) -> int:
        """Which board it is."""
        return self.sys_id >> 16 & 0xFFF

    def reset(self) -> None:
        """Everything but the flags that survive it."""
        self.leds = self.lockval = self.cfgdata1 = self.cfgdata2 = self.flags = self.resetlevel = 0
        self.mb_clock = list(MOTHERBOARD_CLOCKS)
        self.db_clock = list(self.db_clock_reset)
        self.sys_cfgdata = self.sys_cfgctrl = self.sys_cfgstat = 0
        # On Versatile Express the display's clock comes from elsewhere, and the register is as at power-on.
        self.sys_clcd = 0 if self.board == VEXPRESS else 0x1F00
        for line in self.clcd_select:
            line.set(False)

    def _mmc_changed(self, _level: bool) -> None:
        protected, inserted = (line.level for line in self.mmc_inputs)
        self.sys_mci = inserted | protected << 1 if self.board != PB926 else int(inserted) | protected << 1

    # -- reading

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        plain = {
            ID: self.sys_id, SW: int(self.user_switch), LED: self.leds, LOCK: self.lockval,
            CFGDATA1: self.cfgdata1, CFGDATA2: self.cfgdata2, FLAGS: self.flags, NVFLAGS: self.nvflags,
            PCICTL: 1, MCI: self.sys_mci, CLCD: self.sys_clcd, PROCID0: self.proc_id, PROCID1: 0xFF000000,
        }  # fmt: skip
        if offset in plain:
            return plain[offset]
        match offset:
            case 0x24:
                return self.clock.now() * 100 // SECOND & M32
            case 0x5C:
                return self.clock.now() * 24_000_000 // SECOND & M32
            case 0x40:
                return self.resetlevel if self.board != VEXPRESS else 0
            case 0xA0 | 0xA4 | 0xA8 if self.board == VEXPRESS:
                return (self.sys_cfgdata, self.sys_cfgctrl, self.sys_cfgstat)[offset - SYS_CFGDATA >> 2]
            case _:
                return 0

    # -- writing

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        match offset:
            case 0x08:
                self.leds = value
            case 0x20:
                self.lockval = value & 0x7FFF
            case 0x28:
                self.cfgdata1 = value
            case 0x2C:
                self.cfgdata2 = value
            case 0x30:
                self.flags |= value
            case 0x34:
                self.flags &= ~value
            case 0x38:
                self.nvflags |= value
            case 0x3C:
                self.nvflags &= ~value
            case 0x40:
                self._write_reset(value)
            case 0x50:
                self._write_clcd(value)
            case 0xA0 | 0xA4 | 0xA8 if self.board == VEXPRESS:
                self._write_configuration(offset, value)

    def _write_reset(self, value: int) -> None:
        """What resets the board is not the same everywhere (bit 2 or bit 8), but it must be unlocked."""
        if self.board not in (PB926, PBA8, PBX, EB) or self.lockval != UNLOCK & 0x7FFF:
            return
        self.resetlevel = value
        if value & (0x100 if self.board in (PB926, EB) else 0x04) and self.reboot is not None:
            self.reboot()

    def _write_clcd(self, value: int) -> None:
        if self.board == VEXPRESS:
            return
        fixed = 0x80 if self.board in (PBA8, PBX) else 0x3F00
        self.sys_clcd = self.sys_clcd & fixed | value & ~fixed
        if self.board == PB926:
            for bit, line in enumerate(self.clcd_select):
                line.set(value >> bit & 1)

    def _write_configuration(self, offset: int, value: int) -> None:
        if offset == SYS_CFGDATA:
            self.sys_cfgdata = value
        elif offset == SYS_CFGSTAT:
            self.sys_cfgstat = value & 3
        else:
            self.sys_cfgctrl = value & ~(3 << 18 | 1 << 31)
            self.sys_cfgstat = 0
            if value & CFG_START:
                done = self._configure(value)
                self.sys_cfgstat = STAT_COMPLETE | (0 if done else STAT_ERROR)

    def _configure(self, control: int) -> bool:
        """Ask or tell a controller on some board; whether there is such a thing (4.3.26)."""
        controller, function = control >> 26 & 0xF, control >> 20 & 0x3F
        site, position, device = control >> 16 & 3, control >> 12 & 0xF, control & 0xFFF
        if controller or position:
            return False
        return self._set(function, site, device) if control & CFG_WRITE else self._get(function, site, device)

    def _clocks(self, site: int) -> list[int]:
        return {SITE_MOTHERBOARD: self.mb_clock, SITE_DAUGHTERBOARD: self.db_clock}.get(site, [])

    def _get(self, function: int, site: int, device: int) -> bool:
        if function == CFG_OSC and device < len(self._clocks(site)):
            self.sys_cfgdata = self._clocks(site)[device]
            return True
        if function == CFG_VOLT:
            voltages = {SITE_MOTHERBOARD: [3_300_000], SITE_DAUGHTERBOARD: self.db_voltage}.get(site, [])
            if device < len(voltages):
                self.sys_cfgdata = voltages[device]
                return True
        return False

    def _set(self, function: int, site: int, device: int) -> bool:
        if function == CFG_OSC and device < len(self._clocks(site)):
            self._clocks(site)[device] = self.sys_cfgdata
            return True
        if site != SITE_MOTHERBOARD or device:
            return False
        if function in (CFG_SHUTDOWN, CFG_REBOOT):
            action = self.shutdown if function == CFG_SHUTDOWN else self.reboot
            if action is not None:
                action()
            return True
        return function in (CFG_MUXFPGA, CFG_DVIMODE)  # there is one display, whatever it is told
