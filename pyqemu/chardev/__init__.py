"""Character devices: backends for serial ports, consoles and monitors (see :mod:`pyqemu.chardev.base`)."""

from pyqemu.chardev.base import Chardev, ChardevEvent, ChardevHost, NullChardev
from pyqemu.chardev.errors import ChardevError
from pyqemu.chardev.mux import MuxChardev
from pyqemu.chardev.parse import parse_device
from pyqemu.chardev.table import Chardevs, create_chardev, open_chardev

__all__ = [
    "Chardev",
    "ChardevError",
    "ChardevEvent",
    "ChardevHost",
    "Chardevs",
    "MuxChardev",
    "NullChardev",
    "create_chardev",
    "open_chardev",
    "parse_device",
]
