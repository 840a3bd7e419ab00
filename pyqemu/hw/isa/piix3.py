"""The PIIX3's PCI-to-ISA bridge (Intel 82371SB data sheet, 290550): function 0."""

from __future__ import annotations

from pyqemu.hw.isa.bus import IsaBus
from pyqemu.hw.pci import regs
from pyqemu.hw.pci.device import PciDevice
from pyqemu.hw.pci.state import pci_function
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import I32, U8, Array, VMState
from pyqemu.system import ShutdownCause

PIRQS = 4
PIRQ_ROUTE_CONTROL = 0x60
PIRQ_DISABLED = 0x80
RESET_CONTROL = 0xCF9

RCR_RESET_CPU = 0x04
RCR_SYSTEM_RESET = 0x02

# fmt: off
DEFAULTS = {  # section 2.2
    0x4C: 0x4D, 0x4E: 0x03, 0x4F: 0x00,                       # recovery timer, X-bus chip selects
    0x60: 0x80, 0x61: 0x80, 0x62: 0x80, 0x63: 0x80,           # PIRQ route control: off
    0x69: 0x02,                                               # top of memory
    0x70: 0x80, 0x76: 0x0C, 0x77: 0x0C, 0x78: 0x02, 0x79: 0x00,
    0x80: 0x00, 0x82: 0x00,
    0xA0: 0x08, 0xA2: 0x00, 0xA3: 0x00, 0xA4: 0x00, 0xA5: 0x00, 0xA6: 0x00, 0xA7: 0x00,
    0xA8: 0x0F, 0xAA: 0x00, 0xAB: 0x00, 0xAC: 0x00, 0xAE: 0x00,
}
# fmt: on


def slot_to_pirq(devfn: int, pin: int) -> int:
    """How the pc board wires the slots: INTA# of slot 1 is PIRQA, and each slot is one further."""
    return (pin + (devfn >> 3) - 1) % PIRQS


class ResetControl:
    """Port 0xCF9 (2.5.12)."""

    def __init__(self, bridge: Piix3) -> None:
        self._bridge = bridge

    def read(self, offset: int, size: int) -> int:
        """Return the register."""
        return self._bridge.rcr

    def write(self, offset: int, size: int, value: int) -> None:
        """A rise of bit 2 resets; bit 1 says whether the whole system or the CPU alone."""
        if value & RCR_RESET_CPU:
            self._bridge.bus.system.request_reset(ShutdownCause.GUEST_RESET)
        else:
            self._bridge.rcr = value & RCR_SYSTEM_RESET


@device_class("PIIX3", description="ISA bridge", category="bridge", user_creatable=False)
class Piix3(PciDevice):
    """The bridge: the ISA bus, the way of PCI interrupts to it, and the reset port."""

    vendor_id = regs.VENDOR_INTEL
    device_id = 0x7000
    class_id = 0x0601
    status = regs.STATUS_DEVSEL_MEDIUM
    hotpluggable = False

    vmstate = VMState(
        "PIIX3",
        version=3,
        minimum_version=2,
        fields=(pci_function("dev"), Array("pirq_levels", I32, 4, wire="pci_irq_levels_vmstate", since=3)),
        subsections=(VMState("PIIX3/rcr", fields=(U8("rcr"),), needed=lambda bridge: bridge.rcr != 0),),
        post_load=lambda bridge: bridge.update(),
    )

    def __init__(self, address_space_io: AddressSpace | None = None, **props: object) -> None:
        super().__init__(**{"multifunction": True, **props})
        self._space_io = address_space_io
        self.rcr = 0

    def realize(self) -> None:
        """Make the ISA bus and take the interrupt lines of the PCI bus."""
        self.isa = IsaBus(
            self.bus.system,
            memory=self.bus.dma_space.root,
            io=self.bus.io,
            address_space_memory=self.bus.dma_space,
            address_space_io=self._space_io or AddressSpace("I/O", self.bus.io),
        )
        region = MemoryRegion.mmio("piix3-reset-control", 1, ResetControl(self), access=(1, 1))
        self.bus.io.add(RESET_CONTROL, region, 1)
        self.bus.route_irqs(self._pirq_changed, slot_to_pirq)

    @property
    def child_buses(self) -> tuple[IsaBus, ...]:
        """The ISA bus."""
        return (self.isa,)

    @property
    def pirq_levels(self) -> list[int]:
        """The levels of PIRQA to PIRQD: a view of the bus's, for the saved state."""
        return [int(self.bus.line_level(pirq)) for pirq in range(PIRQS)]

    def route(self, pirq: int) -> int | None:
        """The ISA line that ``pirq`` is steered to, if any (2.2.8)."""
        control = self.config[PIRQ_ROUTE_CONTROL + pirq]
        return None if control & PIRQ_DISABLED else control & 0x0F

    def _pirq_changed(self, _pirq: int, _level: bool) -> None:
        self.update()

    def update(self) -> None:
        """Drive the ISA lines from the PIRQs and the routing. Several PIRQs may share a line."""
        levels = [False] * 16
        for pirq in range(PIRQS):
            target = self.route(pirq)
            if target is not None and self.bus.line_level(pirq):
                levels[target] = True
        for number, level in enumerate(levels):
            self.isa.steered_irq(number).set(level)

    def reset(self) -> None:
        """Set the registers to their defaults."""
        self.set_word(regs.COMMAND, regs.COMMAND_IO | regs.COMMAND_MEMORY | regs.COMMAND_MASTER)
        for register, value in DEFAULTS.items():
            self.config[register] = value
        self.rcr = 0
        self.update()

    def config_write(self, addr: int, size: int, value: int) -> None:
        """The routing takes effect at once."""
        super().config_write(addr, size, value)
        if addr < PIRQ_ROUTE_CONTROL + PIRQS and addr + size > PIRQ_ROUTE_CONTROL:
            self.update()
