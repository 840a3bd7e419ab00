"""Devices that the guest lets go of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyqemu.api.machine import Machine
from pyqemu.migration.state.machine import SavedMachine
from tests.migration.state.saved_rig import config, counter_rom

EJECT = 0xAE08  # of the ACPI hot-plug registers: a bit for each slot


def test_a_guest_may_eject_the_network_card_of_the_default_board(tmp_path: Path) -> None:
    """It was looked for among the devices of ``-device``: an exception in the middle of the guest's write."""
    with Machine(config(counter_rom(tmp_path), defaults=True), say=lambda text: None) as machine:
        board: Any = machine.board
        (card,) = board.cards
        with machine.system.lock:
            board.io_space.store(EJECT, 4, 1 << (card.devfn >> 3))
        assert card not in board.pci.devices.values()
        assert board.cards == []
        assert all(state.device is not card for state in machine.system.part(SavedMachine).states)
