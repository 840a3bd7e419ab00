"""The 440FX host bridge (Intel 82441FX PMC data sheet, 290549): PCI bus, shadow RAM, SMRAM.

Memory as the guest sees it, from what wins to what loses:

* the 13 PAM segments from 0xC0000 to 0xFFFFF, each RAM, RAM without writes, or PCI (the ROMs);
* 0xA0000 to 0xBFFFF, PCI (the VGA's window) or the SMRAM that lies below it;
* RAM; and PCI wherever there is nothing else.
"""

from __future__ import annotations

from pyqemu.hw.pci import regs
from pyqemu.hw.pci.bus import PciBus
from pyqemu.hw.pci.device import PciDevice
from pyqemu.hw.pci.state import pci_function
from pyqemu.hw.pci_host.config_ports import ConfigPorts
from pyqemu.memory import AddressSpace, MemoryRegion, memory_transaction
from pyqemu.qom import Device, device_class
from pyqemu.qom.vmstate import Unused, VMState
from pyqemu.system import System

PAM_FIRST = 0x59
PAM_LAST = 0x5F
SMRAM = 0x72

SMRAM_D_OPEN = 0x40
SMRAM_D_CLS = 0x20
SMRAM_D_LCK = 0x10
SMRAM_G_SMRAME = 0x08
SMRAM_BASE = 0x02  # C_BASE_SEG: hard-wired to 0xA0000

# fmt: off
PAM_SEGMENTS = (  # (register, shift, address, size), table 3-6
    (0x59, 4, 0xF0000, 0x10000),
    (0x5A, 0, 0xC0000, 0x4000), (0x5A, 4, 0xC4000, 0x4000),
    (0x5B, 0, 0xC8000, 0x4000), (0x5B, 4, 0xCC000, 0x4000),
    (0x5C, 0, 0xD0000, 0x4000), (0x5C, 4, 0xD4000, 0x4000),
    (0x5D, 0, 0xD8000, 0x4000), (0x5D, 4, 0xDC000, 0x4000),
    (0x5E, 0, 0xE0000, 0x4000), (0x5E, 4, 0xE4000, 0x4000),
    (0x5F, 0, 0xE8000, 0x4000), (0x5F, 4, 0xEC000, 0x4000),
)
# fmt: on

READ_ENABLE = 1
WRITE_ENABLE = 2


class PamSegment:
    """One segment of shadow RAM.

    Bit 0 lets reads come from RAM, bit 1 lets writes go there. As in QEMU, "writes to RAM, reads
    from ROM" is plain ROM (nobody shadows in place), and "reads from RAM" drops the writes.
    """

    def __init__(
        self, system_memory: MemoryRegion, ram: MemoryRegion, pci: MemoryRegion, address: int, size: int
    ) -> None:
        self._pci = MemoryRegion.alias("pam-pci", pci, address, size)
        self._rom = MemoryRegion.alias("pam-rom", ram, address, size)
        self._rom.readonly = True
        self._rom.enabled = False
        system_memory.add(address, self._pci, 1)
        system_memory.add(address, self._rom, 1)

    def set(self, attribute: int) -> None:
        """Apply the two bits."""
        self._pci.enabled = not attribute & READ_ENABLE
        self._rom.enabled = attribute & (READ_ENABLE | WRITE_ENABLE) == READ_ENABLE


@device_class("i440FX", description="Host bridge", category="bridge", user_creatable=False)
class I440fx(PciDevice):
    """The bridge as function 0 of slot 0."""

    vendor_id = regs.VENDOR_INTEL
    device_id = 0x1237
    revision = 2
    class_id = 0x0600
    status = regs.STATUS_FAST_BACK | regs.STATUS_DEVSEL_MEDIUM
    hotpluggable = False

    vmstate = VMState(
        "I440FX",
        version=3,
        fields=(pci_function("parent_obj"), Unused(1)),
        post_load=lambda bridge: bridge.update(),
    )

    def __init__(self, system_memory: MemoryRegion, ram: MemoryRegion, ram_size: int) -> None:
        super().__init__()
        self._memory = system_memory
        self._ram = ram
        # Of all the DRAM registers, firmware made for QEMU knows this one: RAM in units of 8 MiB.
        self.config[0x57] = min(ram_size >> 23, 255)

    def realize(self) -> None:
        """Build the windows on the first megabyte."""
        pci = self.bus.memory
        with memory_transaction():
            self.segments = [
                PamSegment(self._memory, self._ram, pci, address, size) for _, _, address, size in PAM_SEGMENTS
            ]
            self.vga_window = MemoryRegion.alias("smram-region", pci, 0xA0000, 0x20000)
            self._memory.add(0xA0000, self.vga_window, 1)
            # What a CPU in system management mode sees on top of the rest.
            self.smram = MemoryRegion.container("smram")
            self._low_smram = MemoryRegion.alias("smram-low", self._ram, 0xA0000, 0x20000)
            self.smram.add(0xA0000, self._low_smram)
        self.update()

    def reset(self) -> None:
        """Everything from 0xC0000 to 0xFFFFF is ROM again."""
        self.config[PAM_FIRST : PAM_LAST + 1] = bytes(PAM_LAST + 1 - PAM_FIRST)
        self.config[SMRAM] = SMRAM_BASE
        self.set_word(regs.COMMAND, regs.COMMAND_MEMORY | regs.COMMAND_MASTER)
        self.update()

    def config_write(self, addr: int, size: int, value: int) -> None:
        """PAM and SMRAM registers take effect at once."""
        before = self.config[SMRAM]
        super().config_write(addr, size, value)
        after = self.config[SMRAM]
        if before & SMRAM_D_LCK:  # 3.2.22: locked until reset, D_OPEN stays clear
            after = before
        elif after & SMRAM_D_LCK:
            after &= ~SMRAM_D_OPEN
        self.config[SMRAM] = after & 0x78 | SMRAM_BASE
        if addr <= SMRAM and addr + size > PAM_FIRST:
            self.update()

    def update(self) -> None:
        """Drive the windows from the registers."""
        with memory_transaction():
            for segment, (register, shift, _, _) in zip(self.segments, PAM_SEGMENTS, strict=True):
                segment.set(self.config[register] >> shift)
            self.vga_window.enabled = not self.config[SMRAM] & SMRAM_D_OPEN
            self._low_smram.enabled = bool(self.config[SMRAM] & SMRAM_G_SMRAME)


@device_class("i440FX-pcihost", description="PCI host of the i440FX", category="bridge", user_creatable=False)
class I440fxHost(Device):
    """The bridge's system side: makes the PCI bus and puts the bridge's own function on it.

    ``ram`` is the whole RAM, offset 0 of it at address 0; the board has mapped it in
    ``system_memory``. PCI memory lies below all else in there.
    """

    def __init__(
        self,
        system: System,
        *,
        system_memory: MemoryRegion,
        io: MemoryRegion,
        address_space: AddressSpace,
        ram: MemoryRegion,
        ram_size: int | None = None,
    ) -> None:
        super().__init__()
        self.pci_memory = MemoryRegion.container("pci")
        system_memory.add(0, self.pci_memory, -1)
        self.pci = PciBus(system, memory=self.pci_memory, io=io, dma_space=address_space)
        self.bridge = I440fx(system_memory, ram, ram.size if ram_size is None else ram_size)
        self.ports = ConfigPorts(self.pci)
        self.pci.add(self.bridge, 0)
        system.on_reset(self.reset)

    @property
    def child_buses(self) -> tuple[PciBus, ...]:
        """The PCI bus."""
        return (self.pci,)

    @property
    def smram(self) -> MemoryRegion:
        """What a CPU in system management mode sees above system memory."""
        return self.bridge.smram

    def reset(self) -> None:
        """After reset no configuration register is selected."""
        self.ports.reset()
