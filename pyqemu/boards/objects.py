"""Objects that devices refer to. Those of ``-object`` are made after the board, so a device gets a reference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyqemu.boards.config import MachineConfig
from pyqemu.qapi.errors import QapiError
from pyqemu.qom import Container
from pyqemu.qom.rng import RngBackend
from pyqemu.system import System

if TYPE_CHECKING:
    from pyqemu.block import DriveTable
    from pyqemu.chardev import Chardev


@dataclass(frozen=True)
class RngReference:
    """A source of entropy by its id."""

    id: str
    system: System

    def take(self, count: int) -> bytes:
        """As the object does; nothing if it has been deleted."""
        found = _object(self.system, self.id)
        return found.take(count) if isinstance(found, RngBackend) else b""


def _object(system: System, name: str) -> object | None:
    try:
        return system.part(Container).container("objects").qom_children.get(name)
    except QapiError:
        return None  # the machine is being made


def device_resource(config: MachineConfig, system: System, drives: DriveTable, chardevs: Iterable[Chardev], kind: str,
                    name: str) -> Any:  # fmt: skip
    """What a device's property names, by its kind (``drive``, ``chardev``, ``rng``); None if there is no such thing."""
    if kind == "drive":
        return drives.for_device(name)
    if kind == "chardev":
        return next((chardev for chardev in chardevs if chardev.label == name), None)
    if kind == "rng":
        return find_rng(config, system, name)
    return None


def find_rng(config: MachineConfig, system: System, name: str) -> RngReference | None:
    """A reference to the source of that name; None if there is none, nor will be."""
    told = any(tree["id"] == name and str(tree["qom-type"]).startswith("rng-") for tree in config.objects)
    return RngReference(name, system) if told or isinstance(_object(system, name), RngBackend) else None
