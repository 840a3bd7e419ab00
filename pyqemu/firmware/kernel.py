"""``-kernel``: find out what kind of program a file is and lay it out."""

from __future__ import annotations

from pathlib import Path

from pyqemu.firmware.boot_image import BootImage, read_file
from pyqemu.firmware.linux_boot import load_linux
from pyqemu.firmware.multiboot import find_header, load_multiboot


def load_kernel(
    kernel_path: str | Path, ram_below_4g: int, *, initrd: str | None = None, append: str = ""
) -> BootImage:
    """Load a Linux bzImage or a multiboot kernel.

    A file with the Linux header's magic is Linux even if the multiboot magic should occur in it.

    :param initrd: the ``-initrd`` option: one file for Linux, a list of modules for multiboot.
    :raise LoadError: a file is missing or bad, or does not fit.
    """
    image = read_file(kernel_path, "kernel")
    if image[0x202:0x206] != b"HdrS" and find_header(image) is not None:
        return load_multiboot(kernel_path, ram_below_4g, modules=initrd, append=append)
    return load_linux(kernel_path, ram_below_4g, initrd_path=initrd, append=append)
