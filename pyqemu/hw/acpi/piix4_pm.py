"""Power management function of the PIIX4 (data sheet 290562), as QEMU's PIIX3 boards have it at 00:01.3.

Firmware chooses where the PM registers are (configuration 40h, enabled by 80h). The general purpose events, the
APM ports and the SMBus are where QEMU has them.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyqemu.hw.acpi import registers
from pyqemu.hw.acpi.apm import Apm
from pyqemu.hw.acpi.pci_hotplug import BUSES, EVENT, PORT_COUNT, PORTS, PciHotplug, SlotStatus
from pyqemu.hw.acpi.pm_smbus import PmSmbus
from pyqemu.hw.acpi.registers import Gpe, Pm1
from pyqemu.hw.pci import regs
from pyqemu.hw.pci.device import PciDevice
from pyqemu.hw.pci.state import pci_function
from pyqemu.memory import MemoryRegion
from pyqemu.qom import Property, device_class
from pyqemu.qom.vmstate import I64, U16, U32, Array, Struct, Timer64, VMState
from pyqemu.system import Irq
from pyqemu.system.runstate import ShutdownCause

# configuration space
PMBA, DEVACTB, PMREGMISC, SMBBA, SMBHSTCFG = 0x40, 0x58, 0x80, 0x90, 0xD2
APMC_EN = 0x02
"""In byte 3 of DEVACTB: a write to port b2h raises an SMI."""

PM_SIZE, SMB_SIZE = 64, 64
GPE_BASE, GPE_LENGTH = 0xAFE0, 4
APM_BASE = 0xB2
ACPI_ENABLE, ACPI_DISABLE = 0xF1, 0xF0
"""Values for port b2h that the ACPI tables name."""

SLEEP_OFF, SLEEP_SUSPEND = 0, 1
"""SLP_TYP values of S5 and S3 in the ACPI tables."""

PRESENT = {0x378: (0x5F, 0x80), 0x3F8: (0x67, 0x08), 0x2F8: (0x67, 0x90)}
"""Where firmware and guests see that a legacy port has a device: configuration byte and bits."""


class MemoryHotplug:
    """The slot of memory that a guest has selected, for the saved state: there are none."""

    vmstate = VMState("memory hotplug state", version=1, fields=(U32("selector"),))

    def __init__(self) -> None:
        self.selector = 0


@device_class("PIIX4_PM", description="PM", bus="PCI", category="bridge", user_creatable=False)
class Piix4Pm(PciDevice):
    """The function.

    The board connects ``sci`` (ISA IRQ 9), ``smi``, and ``cmos_s3``, which rises when the guest suspends: firmware
    finds out from CMOS byte 0fh (feh) that it is to resume.
    """

    vendor_id = regs.VENDOR_INTEL
    device_id = 0x7113
    revision = 3
    class_id = 0x0680
    status = regs.STATUS_DEVSEL_MEDIUM | regs.STATUS_FAST_BACK
    interrupt_pin = 1
    hotpluggable = False

    smb_io_base = Property.uint("smb_io_base", 0xB100)
    disable_s3 = Property.uint("disable_s3", 0, 8)
    disable_s4 = Property.uint("disable_s4", 0, 8)
    s4_val = Property.uint("s4_val", 2, 8)
    smm_enabled = Property.bool("smm-enabled", False)

    vmstate = VMState(
        "piix4_pm",
        version=3,
        fields=(
            pci_function("parent_obj"), U16("pm.sts", wire="ar.pm1.evt.sts"), U16("pm.en", wire="ar.pm1.evt.en"),
            U16("pm.cnt", wire="ar.pm1.cnt.cnt"), Struct("apm", Apm.vmstate), Timer64("pm.timer", wire="ar.tmr.timer"),
            I64("pm.overflow_time", wire="ar.tmr.overflow_time"), Struct("pm.gpe", Gpe.vmstate, wire="ar.gpe", since=2),
            U32("hotplug.select", wire="acpi_pci_hotplug.hotplug_select"),
            Array("hotplug.buses", SlotStatus.vmstate, BUSES, wire="acpi_pci_hotplug.acpi_pcihp_pci_status", since=1,
                  each=True),
        ),
        subsections=(
            VMState("piix4_pm/memhp", version=1,
                    fields=(Struct("memory_hotplug", MemoryHotplug.vmstate, wire="acpi_memory_hotplug", since=1),)),
        ),
        post_load=lambda device: device.loaded(),
    )  # fmt: skip

    def __init__(self, **props: object) -> None:
        super().__init__(**props)
        self.sci = Irq()
        self.smi = Irq()
        self.cmos_s3 = Irq()
        self.smbus = PmSmbus()
        self.memory_hotplug = MemoryHotplug()
        self.apm = Apm(self._apm_command)
        self.pm: Pm1
        self.hotplug: PciHotplug

    def realize(self) -> None:
        """Map what has a fixed place; the PM registers wait for firmware."""
        system = self.bus.system
        self.pm = Pm1(system.clock, self.sci, GPE_LENGTH, self._sleep)
        system.on_powerdown(self.pm.press_power_button)
        system.on_wakeup(lambda: self.pm.set_event(registers.WAKE))
        io = self.bus.io
        self._pm_region = MemoryRegion.mmio("piix4-pm", PM_SIZE, self.pm, access=(1, 4))
        self._smb_region = MemoryRegion.mmio("pm-smbus", SMB_SIZE, self.smbus, access=(1, 4), impl=(1, 1))
        self._pm_region.enabled = self._smb_region.enabled = False
        io.add(0, self._pm_region)
        io.add(0, self._smb_region)
        io.add(GPE_BASE, MemoryRegion.mmio("acpi-gpe0", GPE_LENGTH, self.pm.gpe, access=(1, 4)))
        self.hotplug = PciHotplug(self.bus, lambda: self.pm.gpe.set_event(EVENT))
        io.add(PORTS, MemoryRegion.mmio("acpi-pci-hotplug", PORT_COUNT, self.hotplug, access=(4, 4)))
        io.add(APM_BASE, MemoryRegion.mmio("apm-io", 2, self.apm, access=(1, 1)))
        self._reset_config()

    def _init_config(self) -> None:
        super()._init_config()
        self.set_long(SMBBA, self.smb_io_base | 1)
        self.config[SMBHSTCFG] = 0x09
        self.config[0x5F] = 0x10
        self.config[0x63] = 0x60
        for register in (PMBA, SMBBA):
            self.wmask[register : register + 4] = b"\xc0\xff\0\0"

    def _reset_config(self) -> None:
        self.set_long(PMBA, 1)
        self.config[PMREGMISC] = 0
        self.set_long(DEVACTB, 0)
        if not self.smm_enabled:
            self.config[DEVACTB + 3] = APMC_EN  # firmware takes that as: SMM has been set up, nothing to do
        self._map()

    def note_ports(self, ports: Iterable[int]) -> None:
        """Show in the configuration that the bridge decodes ``ports`` (378h, 3f8h, 2f8h are of interest)."""
        for port in ports:
            register, bits = PRESENT.get(port, (0x5F, 0))
            self.config[register] |= bits

    def reset(self) -> None:
        """Power management off; its ports go away until firmware places them again."""
        self.pm.reset()
        self.apm.reset()
        self.smbus.reset()
        self.hotplug.reset()
        self._reset_config()

    def config_write(self, addr: int, size: int, value: int) -> None:
        super().config_write(addr, size, value)
        if addr + size > PMBA:
            self._map()

    def loaded(self) -> None:
        """After loading: regions and the SCI follow from the state."""
        self._map()
        self.pm.update()

    def _map(self) -> None:
        """Put the regions where the configuration says."""
        self._pm_region.address = self.long(PMBA) & 0xFFC0
        self._pm_region.enabled = bool(self.config[PMREGMISC] & 1)
        self._smb_region.address = self.long(SMBBA) & 0xFFC0
        self._smb_region.enabled = bool(self.config[SMBHSTCFG] & 1)

    def _apm_command(self, value: int) -> None:
        if value in (ACPI_ENABLE, ACPI_DISABLE):
            self.pm.enable_acpi(value == ACPI_ENABLE)
        if self.smm_enabled and self.config[DEVACTB + 3] & APMC_EN:
            self.smi.pulse()

    def _sleep(self, kind: int) -> None:
        """The guest wants to sleep, or to be turned off."""
        system = self.bus.system
        if kind == SLEEP_OFF:
            system.request_shutdown(ShutdownCause.GUEST_SHUTDOWN)
        elif kind == SLEEP_SUSPEND and not self.disable_s3:
            self.cmos_s3.pulse()
            system.request_suspend()
        elif kind == self.s4_val and not self.disable_s4:
            system.emit("SUSPEND_DISK")
            system.request_shutdown(ShutdownCause.GUEST_SHUTDOWN)
