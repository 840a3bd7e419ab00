"""The PCI network cards of a board that no ``-device`` asked for: ``-net nic``, ``-nic``, and the default one.

No card is given an option ROM: QEMU's is iPXE, which boots from a network, and there is none to boot from. ``-device
e1000,romfile=FILE`` has one.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pyqemu.boards.config import MachineConfig, NicConfig
from pyqemu.hw.pci.bus import PciBus, parse_devfn
from pyqemu.qom import DeviceError
from pyqemu.util.errors import UserError

if TYPE_CHECKING:
    from pyqemu.boards.pc import Pc

MODELS = {
    "e1000": ("pyqemu.hw.net.e1000", "E1000"),
    "e1000-82540em": ("pyqemu.hw.net.e1000", "E1000"),
    "virtio": ("pyqemu.hw.virtio.net", "VirtioNetPci"),
    "virtio-net-pci": ("pyqemu.hw.virtio.net", "VirtioNetPci"),
}
"""Modules and classes: only those that are used are loaded."""
CARD_TYPES = ("e1000", "virtio-net-pci")
DEFAULT_MODEL = "e1000"


def wanted_cards(config: MachineConfig) -> list[NicConfig]:
    """What the operator asked for; who says nothing about networks gets a card, as in QEMU."""
    if config.nics is not None:
        return config.nics
    return [NicConfig()] if config.defaults else []


def all_cards(pc: Pc) -> list[Any]:
    """The board's, and those of ``-device``."""
    return [*pc.cards, *(device for device in pc.user_devices if device.type_name in CARD_TYPES)]


def plug_cards(config: MachineConfig, bus: PciBus, default_model: str = DEFAULT_MODEL) -> list[Any]:
    """Make the cards and plug them, each at its address or into the first free slot.

    :raise UserError: there is no such model or backend, or no room.
    """
    cards: list[Any] = []
    for nic in wanted_cards(config):
        model = MODELS.get(nic.model or default_model)
        if model is None:
            raise UserError(f"{nic.option}: Unsupported NIC model: {nic.model}", f"models: {', '.join(MODELS)}")
        if nic.netdev:
            raise UserError(f"{nic.option}: netdev '{nic.netdev}' not found", "there are no network backends yet")
        card = getattr(importlib.import_module(model[0]), model[1])()
        try:
            if nic.mac:
                card.set_option("mac", nic.mac)
            card.id = nic.name or None
            bus.add(card, parse_devfn(nic.addr) if nic.addr else None)
        except DeviceError as exc:
            raise UserError(f"{nic.option}: {exc.message}", exc.hint) from None
        cards.append(card)
    return cards
