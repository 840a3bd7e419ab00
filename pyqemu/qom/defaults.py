"""``-global``: what properties of devices are unless a device is told otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pyqemu.qom.device import Device
from pyqemu.qom.errors import DeviceError
from pyqemu.qom.registry import DEVICES


class PropertyDefault(NamedTuple):
    """One of them."""

    driver: str
    property: str
    value: str

    def __str__(self) -> str:
        return f"-global {self.driver}.{self.property}={self.value}"


class PropertyDefaults:
    """All of them."""

    def __init__(self, rows: Iterable[PropertyDefault]) -> None:
        self._rows = list(rows)
        self._used: set[PropertyDefault] = set()

    def apply(self, device: Device) -> None:
        """Set what was not set in *device*, which is about to be realized. Of two rows the later one counts.

        :raise DeviceError: there is no such property, or it cannot have that value.
        """
        rows = {row.property: row for row in self._rows if _name_of(row.driver) == device.type_name}
        for row in rows.values():
            self._used.add(row)
            try:
                if device.find_property(row.property).attribute not in vars(device):
                    device.set_option(row.property, row.value)
            except DeviceError as error:
                raise DeviceError(f"{row}: {error.message}", error.hint) from None

    def strange(self) -> Iterator[PropertyDefault]:
        """Those whose model does not exist: of no effect, but maybe misspelled."""
        return (row for row in self._rows if row not in self._used and row.driver not in DEVICES)


def _name_of(driver: str) -> str:
    """A model's name; of an alias, what it stands for."""
    return DEVICES.find(driver).name if driver in DEVICES else driver
