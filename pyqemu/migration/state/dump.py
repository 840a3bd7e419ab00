"""``-dump-vmstate``: the layouts of saved state as JSON, by type of device, in the form that QEMU writes.

State that is not a device type's own (``timer``, ``cpu``, ``ram`` and the like) is not in it, as in QEMU.
"""

from __future__ import annotations

import json
from typing import Any

from pyqemu.migration.state.machine import SavedMachine


def layouts(machine: SavedMachine) -> dict[str, Any]:
    """What is told of a machine."""
    told: dict[str, Any] = {"vmschkmachine": {"Name": machine.name}}
    for state in machine.states:
        name = state.type_name or getattr(state.device, "type_name", "")
        if name and state.layout is getattr(state.device, "vmstate", None):
            told[name] = {
                "Name": name,
                "version_id": state.layout.version,
                "minimum_version_id": state.layout.oldest,
                "Description": state.layout.declare(),
            }
    return told


def dump(machine: SavedMachine) -> str:
    """The file's text."""
    return json.dumps(layouts(machine), indent=2) + "\n"
