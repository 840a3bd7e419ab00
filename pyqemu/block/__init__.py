"""Disk images and drives.

A device holds a `Drive`; a drive holds a `BlockNode`; nodes stack from a format down to a file. `open_image`
makes such a stack from a file name, `DriveTable` makes drives from the command line's options.
"""

from pyqemu.block.drive import Drive, ErrorAction, ErrorPolicy
from pyqemu.block.drives import DriveOptions, DriveTable
from pyqemu.block.errors import BlockError, BlockIOError, DriveError, LockError
from pyqemu.block.formats import open_image
from pyqemu.block.geometry import Geometry, Translation, guess_geometry
from pyqemu.block.node import SECTOR_SIZE, BlockNode, MemoryNode

__all__ = [
    "SECTOR_SIZE",
    "BlockError",
    "BlockIOError",
    "BlockNode",
    "Drive",
    "DriveError",
    "DriveOptions",
    "DriveTable",
    "ErrorAction",
    "ErrorPolicy",
    "Geometry",
    "LockError",
    "MemoryNode",
    "Translation",
    "guess_geometry",
    "open_image",
]
