"""The embedded guest: a small disk that shows what the machine can do, and that the tests run.

Its programs are the ``.asm`` files of this package, assembled by :mod:`pyqemu.util.x86asm`; :func:`build_image` makes
the disk. What it shows goes to the screen and to COM1 alike; keys are taken from both.
"""

from pyqemu.guest.image import DATA_CRC, README_CRC, WRITE_SECTOR, build_image

__all__ = ["DATA_CRC", "README_CRC", "WRITE_SECTOR", "build_image"]
