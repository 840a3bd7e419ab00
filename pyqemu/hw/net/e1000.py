"""``e1000``: the Intel 82540EM Gigabit Ethernet controller (Intel 317453, *PCI/PCI-X Family of Gigabit Ethernet
Controllers Software Developer's Manual*), as far as drivers use it.

Where QEMU's card differs from the manual it is followed, since that is the one that guests have been tried with: a
software reset (CTRL.RST) clears nothing but itself, checksums of what is received are not looked at. Unlike QEMU's,
this one has the access by ports (IOADDR, IODATA) and legacy descriptors that ask for a checksum; and it does not
program itself: what it writes to its own registers as a bus master is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from pathlib import Path

from pyqemu.hw.net import e1000_registers as registers
from pyqemu.hw.net.e1000_eeprom import Eeprom, contents
from pyqemu.hw.net.e1000_interrupts import Interrupts
from pyqemu.hw.net.e1000_phy import Phy
from pyqemu.hw.net.e1000_receive import Receiver
from pyqemu.hw.net.e1000_registers import (
    CTRL,
    CTRL_RST,
    EECD,
    EERD,
    EERD_ADDRESS,
    EERD_DATA,
    EERD_DONE,
    EERD_START,
    ICR,
    ICR_LSC,
    ICR_MDAC,
    ICS,
    IMC,
    IMS,
    IOADDR,
    MDIC,
    MDIC_INTERRUPT,
    RA,
    RAH_AV,
    RCTL,
    RCTL_LBM,
    RCTL_LBM_MAC,
    RDT,
    SPACE,
    TCTL,
    TDT,
    MacRegisters,
)
from pyqemu.hw.net.e1000_state import VMSTATE
from pyqemu.hw.net.e1000_transmit import Context, Transmitter
from pyqemu.hw.pci import regs
from pyqemu.hw.pci.device import PciDevice
from pyqemu.memory import MemoryRegion
from pyqemu.net import NetClient, Network
from pyqemu.qom import Property, device_class

PORTS = 0x40
IODATA = 4

Reader = Callable[[], int]
Writer = Callable[[int], None]


@device_class("e1000", description="Intel Gigabit Ethernet", bus="pci", category="network", alias="e1000-82540em")
class E1000(PciDevice):
    """The card. BAR 0 has the registers, BAR 1 a window of two ports to the same ones.

    :ivar mac_address: which it was given
    :ivar client: its end of the cable
    """

    vendor_id, device_id, revision, class_id = 0x8086, 0x100E, 3, 0x0200
    interrupt_pin = 1

    mac_property = Property.macaddr("mac")
    netdev = Property.link("netdev", "netdev")
    autonegotiation = Property.bool("autonegotiation", True)
    mitigation = Property.bool("mitigation", True)
    extra_mac_registers = Property.bool("extra_mac_registers", True)
    bootindex = Property.int("bootindex", -1)

    vmstate = VMSTATE

    mac: MacRegisters
    eeprom: Eeprom
    phy: Phy
    interrupts: Interrupts
    transmitter: Transmitter
    receiver: Receiver
    client: NetClient
    mac_address: bytes

    def __init__(self, **props: object) -> None:
        super().__init__(**props)
        self.mig_props = Context()
        self.two_contexts_loaded = False

    def realize(self) -> None:
        """Take an address and a name, and put the chips together."""
        system = self.bus.system
        network = Network.of(system)
        self.mac_address = network.claim_address(self.mac_property)
        self.mac_property = self.mac_address
        self._join(network)
        self.mac = MacRegisters()
        self.eeprom = Eeprom(contents(self.mac_address, self.device_id))
        self.phy = Phy(self.mac, self.client, system.clock, autonegotiation=self.autonegotiation,
                       negotiated=self._link_is_up)  # fmt: skip
        self.interrupts = Interrupts(self.mac, self.irq, system.clock, mitigation=self.mitigation)
        self.transmitter = Transmitter(self.mac, self.dma, self.interrupts, system.clock, send=self._send,
                                       enabled=self._is_master)  # fmt: skip
        self.receiver = Receiver(self.mac, self.dma, self.interrupts)
        self._readers: dict[int, Reader | int] = self._make_readers()
        self._writers: dict[int, Writer | int] = self._make_writers()
        self.register_bar(0, MemoryRegion.mmio("e1000-mmio", SPACE, self, access=(1, 8), impl=(4, 4)))
        self.register_bar(1, MemoryRegion.mmio("e1000-io", PORTS, Ports(self), access=(1, 4), impl=(4, 4)), "io")
        if self.romfile and self.rombar:
            self.load_romfile(Path(self.romfile))

    def _join(self, network: Network) -> None:
        name = self.id or network.free_name(self.type_name)
        info = f"model={self.type_name},macaddr={self.mac_address.hex(':')}"
        self.client = NetClient(name, "nic", receive=self._receive, can_receive=self._can_receive,
                                link_changed=self._cable_changed, info=info)  # fmt: skip
        network.add(self.client)
        if self.netdev is not None:
            self.client.connect(self.netdev)

    def unrealize(self) -> None:
        """Pull the cable."""
        self.reset()
        network = Network.of(self.bus.system)
        network.remove(self.client)
        network.release_address(self.mac_address)

    def reset(self) -> None:
        """As after power-on; the EEPROM keeps its contents and the interface to it its state."""
        self.interrupts.reset()
        self.mac.reset()
        self.phy.reset()
        self.transmitter.reset()
        self.mac[RA] = int.from_bytes(self.mac_address[:4], "little")
        self.mac[RA + 4] = int.from_bytes(self.mac_address[4:], "little") | RAH_AV

    def config_write(self, addr: int, size: int, value: int) -> None:
        """As all functions do it; what waits for memory goes on as soon as the card may be master."""
        before = self._is_master()
        super().config_write(addr, size, value)
        if not before and self._is_master():
            self.client.flush()
            self.transmitter.loaded()

    def _is_master(self) -> bool:
        return bool(self.command & regs.COMMAND_MASTER)

    # -- registers

    def read(self, offset: int, size: int) -> int:
        """The guest reads a register. What is not there is zero."""
        if self._is_working():
            return 0
        reader = self._readers.get(offset)
        if reader is None:
            return 0
        return self.mac[offset] & reader if isinstance(reader, int) else reader()

    def write(self, offset: int, size: int, value: int) -> None:
        """The guest writes a register."""
        if self._is_working():
            return
        writer = self._writers.get(offset)
        if isinstance(writer, int):
            self.mac[offset] = value & writer
        elif writer is not None:
            writer(value)

    def _is_working(self) -> bool:
        """Whether the card itself is at work: then an access is its own."""
        return self.transmitter.busy or self.receiver.busy

    def _make_readers(self) -> dict[int, Reader | int]:
        """What answers to a read: a function, or the bits of the word that count."""
        extra = self.extra_mac_registers
        table: dict[int, Reader | int] = dict(registers.readable(mitigation=self.mitigation, extra=extra))
        for offset, cleared in registers.cleared_by_read(extra=extra).items():
            table[offset] = self._clearing(cleared)
        table.update({ICR: self._read_icr, EECD: self.eeprom.read_register, EERD: self._read_eerd})
        return table

    def _make_writers(self) -> dict[int, Writer | int]:
        """What takes a write: a function, or the bits that are kept."""
        extra = self.extra_mac_registers
        table: dict[int, Writer | int] = dict(registers.writable(mitigation=self.mitigation, extra=extra))
        table.update({
            CTRL: self._write_ctrl, EECD: self.eeprom.write_register, MDIC: self._write_mdic,
            ICR: self._write_icr, ICS: self.interrupts.raise_, IMS: self._write_ims, IMC: self._write_imc,
            RCTL: self._write_rctl, RDT: self._write_rdt, TCTL: self._write_tctl, TDT: self._write_tdt,
        })  # fmt: skip
        return table

    def _clearing(self, offsets: tuple[int, ...]) -> Reader:
        """A read of the first one that clears all."""

        def read() -> int:
            value = self.mac[offsets[0]]
            for offset in offsets:
                self.mac[offset] = 0
            return value

        return read

    def _write_ctrl(self, value: int) -> None:
        self.mac[CTRL] = value & ~CTRL_RST

    def _read_eerd(self) -> int:
        """A read that was started is done: the word is there at once. Behind the last one there is none."""
        value = self.mac[EERD]
        if not value & EERD_START:
            return value
        value = value & ~EERD_START | EERD_DONE
        number = value >> EERD_ADDRESS
        if number >= len(self.eeprom.data):
            return value
        return self.eeprom.data[number] << EERD_DATA | value

    def _write_mdic(self, value: int) -> None:
        self.mac[MDIC] = self.phy.access(value, self.mac[MDIC])
        if self.mac[MDIC] & MDIC_INTERRUPT:
            self.interrupts.raise_(ICR_MDAC)

    def _read_icr(self) -> int:
        value = self.mac[ICR]
        self.interrupts.set_causes(0)
        return value

    def _write_icr(self, value: int) -> None:
        self.interrupts.set_causes(self.mac[ICR] & ~value)

    def _write_ims(self, value: int) -> None:
        self.mac[IMS] |= value
        self.interrupts.raise_(0)

    def _write_imc(self, value: int) -> None:
        self.mac[IMS] &= ~value
        self.interrupts.raise_(0)

    def _write_rctl(self, value: int) -> None:
        self.mac[RCTL] = value
        self.client.flush()

    def _write_rdt(self, value: int) -> None:
        self.mac[RDT] = value & 0xFFFF
        self.client.flush()

    def _write_tctl(self, value: int) -> None:
        self.mac[TCTL] = value
        self.transmitter.start()

    def _write_tdt(self, value: int) -> None:
        self.mac[TDT] = value & 0xFFFF
        self.transmitter.start()

    # -- the network

    def _send(self, frame: bytes) -> None:
        if self.phy.loopback or self.mac[RCTL] & RCTL_LBM == RCTL_LBM_MAC:
            self.receiver.receive(frame)
        else:
            self.client.send(frame)

    def _can_receive(self) -> bool:
        return self.receiver.listening and self._is_master() and self.receiver.has_room()

    def _receive(self, frame: bytes) -> bool:
        return self.receiver.receive(frame)

    def _link_is_up(self) -> None:
        self.client.flush()
        self.interrupts.raise_(ICR_LSC)

    def _cable_changed(self) -> None:
        if self.phy.cable_changed():
            self.client.flush()
            self.interrupts.raise_(ICR_LSC)

    # -- the saved state

    @property
    def rxbuf_size(self) -> int:
        """Bytes of a receive buffer."""
        return self.receiver.buffer_size

    @property
    def rxbuf_min_shift(self) -> int:
        """The part of the receive ring at which it is low."""
        return self.receiver.threshold_shift

    @property
    def tso_props(self) -> Context:
        """The context for cutting."""
        return self.transmitter.tso_props

    def complete_now(self) -> None:
        """The machine is about to be saved: an interrupt that is held back comes now."""
        self.interrupts.end_pause()

    def before_save(self) -> None:
        """There is place for one context, of whichever kind came last."""
        self.phy.before_save()
        self.mig_props = copy(self.tso_props if self.transmitter.cutting else self.transmitter.props)
        self.two_contexts_loaded = False

    def loaded(self) -> None:
        """Let everything else follow from what was loaded."""
        transmitter = self.transmitter
        transmitter.props = copy(self.mig_props)
        if not self.two_contexts_loaded:
            transmitter.tso_props = copy(self.mig_props)
        self.two_contexts_loaded = False
        transmitter.cutting, transmitter.tag = False, b""
        self.mac.limit()
        self.phy.loaded()
        self.interrupts.loaded()
        transmitter.loaded()


class Ports:
    """BAR 1: IOADDR chooses a register of BAR 0, IODATA is it (Intel 317453, 13.2.2)."""

    def __init__(self, card: E1000) -> None:
        self._card = card

    def read(self, offset: int, size: int) -> int:
        """The guest reads a port."""
        address = self._card.mac[IOADDR]
        if offset == 0:
            return address
        return self._card.read(address & ~3, 4) if offset == IODATA and address < SPACE else 0

    def write(self, offset: int, size: int, value: int) -> None:
        """The guest writes a port."""
        address = self._card.mac[IOADDR]
        if offset == 0:
            self._card.mac[IOADDR] = value
        elif offset == IODATA and address < SPACE:
            self._card.write(address & ~3, 4, value)
