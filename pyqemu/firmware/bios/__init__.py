"""The built-in BIOS of the pc board: a small ROM whose services are Python.

``rom.asm`` is the ROM, ``bios.py`` takes its calls, ``post.py`` and ``boot.py`` lead from reset to the boot sector, and
there is one file for each interrupt. ``layout.py`` says where in guest memory the state is.
"""

from pyqemu.firmware.bios.bios import BuiltinBios
from pyqemu.firmware.bios.context import BiosContext
from pyqemu.firmware.bios.layout import ROM_SIZE, TRAP_PORT

__all__ = ["ROM_SIZE", "TRAP_PORT", "BiosContext", "BuiltinBios"]
