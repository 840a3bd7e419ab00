"""What network cards at fixed places have in common: an address, and a cable."""

from __future__ import annotations

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.net import NetClient, Network
from pyqemu.qom import Property


class SysBusCard(SysBusDevice):
    """A card of a board.

    :ivar mac_address: which it was given
    :ivar client: its end of the cable
    """

    mac_property = Property.macaddr("mac")
    netdev = Property.link("netdev", "netdev")
    bootindex = Property.int("bootindex", -1)

    client: NetClient
    mac_address: bytes

    def realize(self) -> None:
        """Take an address and a name, and the cable."""
        network = Network.of(self.bus.system)
        self.mac_address = network.claim_address(self.mac_property)
        self.mac_property = self.mac_address
        name = self.id or network.free_name(self.type_name)
        self.client = NetClient(name, "nic", receive=self.receive, can_receive=self.can_receive,
                                link_changed=self.link_changed)  # fmt: skip
        self.tell_address(self.mac_address)
        network.add(self.client)
        if self.netdev is not None:
            self.client.connect(self.netdev)

    def tell_address(self, address: bytes) -> None:
        """Let people know which address the card listens to."""
        self.client.info = f"model={self.type_name},macaddr={address.hex(':')}"

    def receive(self, frame: bytes) -> bool:
        """A frame has arrived; False lets it wait."""
        raise NotImplementedError

    def can_receive(self) -> bool:
        """Whether a frame need not wait."""
        return True

    def link_changed(self) -> None:
        """The cable was plugged in or pulled out."""
