"""From keyword arguments, and from the command line's own words, to a machine's configuration."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from pyqemu.api.line import BACKEND
from pyqemu.block.drives import DriveOptions, cdrom, floppy, hard_disk
from pyqemu.boards.config import MachineConfig, RtcConfig
from pyqemu.util.errors import UserError
from pyqemu.util.options import parse_options
from pyqemu.util.units import parse_size

SERIAL = "serial0"
DEFAULT_SHIFT = 3  #: of ``icount=True``: 8 ns for an instruction
Path_ = str | os.PathLike[str]


def configuration(args: Iterable[str]) -> tuple[MachineConfig, bool]:
    """What options of the command line say, and whether they lead a serial port somewhere.

    :raise UserError: what is wrong, as the command line says it.
    """
    words = list(args)
    if not words:
        return MachineConfig(), False
    from pyqemu.cli.options import Finished, parse_options_of

    try:
        line = parse_options_of("pyqemu", words)
    except Finished:
        raise UserError(f"args {words}: options that only print something are of no use here") from None
    if not line.config.defaults and not line.vga_given:
        line.config.vga = "none"
    return line.config, line.serial_given


def memory_size(memory: int | str) -> int:
    """Bytes of ``64M``, ``"1G"``, or a number of bytes.

    :raise UserError: it is no size.
    """
    return memory if isinstance(memory, int) else parse_size(memory, "memory", "M")


def add_drives(config: MachineConfig, disk: Path_ | bytes | None, cd: Path_ | None, diskette: Path_ | None,
               drives: Iterable[str | DriveOptions]) -> None:  # fmt: skip
    """``-hda``, ``-cdrom``, ``-fda``, ``-drive``."""
    if disk is not None and not isinstance(disk, bytes):
        config.drives.append(_image(disk))
    if cd is not None:
        config.drives.append(cdrom(os.fspath(cd)))
    if diskette is not None:
        config.drives.append(floppy(os.fspath(diskette), 0))
    config.drives += [DriveOptions.parse(drive) if isinstance(drive, str) else drive for drive in drives]


def _image(path: Path_) -> DriveOptions:
    """A hard disk; of an image whose name says so little as ``.img``, the format is not guessed."""
    is_raw = Path(path).suffix in (".img", ".raw", ".bin")
    return hard_disk(os.fspath(path), 0, **({"format": "raw"} if is_raw else {}))


def add_devices(config: MachineConfig, devices: Iterable[str | Mapping[str, str]]) -> None:
    """``-device``: as text, or as a mapping with ``driver``."""
    for device in devices:
        config.devices.append(parse_options(device, "driver") if isinstance(device, str) else dict(device))


def add_serial(config: MachineConfig) -> None:
    """Lead the first serial port to the script."""
    config.chardevs.append((BACKEND, {"id": SERIAL}))
    config.serials.insert(0, f"chardev:{SERIAL}")


def make_repeatable(config: MachineConfig, icount: int | bool) -> None:
    """Count instructions, skip the time that the processor sleeps, and let no time of the host in."""
    config.icount = DEFAULT_SHIFT if icount is True else int(icount)
    if not 0 <= config.icount <= 10:
        raise UserError(f"icount={icount}: the binary logarithm of nanoseconds for an instruction", "0 to 10")
    config.icount_sleep = False
    if config.rtc == RtcConfig():
        config.rtc = RtcConfig(0.0, "vm")
