"""What follows from the options: where ports lead, how the screen is shown, and which options exclude each other.

QEMU opens a window unless told otherwise. There is none here, so the terminal takes its place: if the program sits at
one that nothing else uses, it shows the screen (``-display curses``); otherwise the screen is not shown, and one line
says how it could be.
"""

from __future__ import annotations

import os
import sys

from pyqemu.boards.config import MachineConfig
from pyqemu.cli.options import CommandLine, parse_options_of
from pyqemu.util.errors import OptionError

CONSOLE = "vc:80Cx24C"
NO_DISPLAY = (
    "the screen is not shown: -nographic puts the guest's serial port on the terminal, -display curses its screen, "
    "-display none silences this line"
)


def parse_command_line(program: str, arguments: list[str], *, interactive: bool | None = None) -> CommandLine:
    """Read the whole command line. *interactive* tells whether there is a terminal; None finds out.

    :raise UserError: in one line, what is wrong and what would be right.
    :raise Finished: an option that only prints something.
    """
    line = parse_options_of(program, arguments)
    complete(line, is_interactive() if interactive is None else interactive)
    return line


def is_interactive() -> bool:
    """Whether a terminal that can move its cursor is at standard input and output."""
    try:
        return os.environ.get("TERM", "dumb") != "dumb" and sys.stdin.isatty() and sys.stdout.isatty()
    except (AttributeError, ValueError):  # closed, or replaced by something that is no file
        return False


def complete(line: CommandLine, interactive: bool) -> None:
    """Fill in what was not said.

    :raise OptionError: options exclude each other.
    """
    config = line.config
    if not config.defaults and not line.vga_given:
        config.vga = "none"
    if config.defaults:
        if not line.serial_given:
            config.serials.append("mon:stdio" if line.nographic else CONSOLE)
        if not line.parallel_given:
            config.parallels.append("null" if line.nographic else CONSOLE)
    _choose_display(line, interactive)


def _choose_display(line: CommandLine, interactive: bool) -> None:
    config = line.config
    user = terminal_user(config)
    if line.nographic:
        if config.display == "curses":
            raise OptionError("-nographic cannot be used with -display curses", "leave out one of them")
        config.display = "none"
    elif config.display == "curses":
        if user:
            raise OptionError(f"-display curses cannot share the terminal with {user}", "-serial vc, -serial pty, ...")
        if not interactive:
            raise OptionError("-display curses: standard input and output are no terminal", "-display none")
    elif not line.display_given and has_screen(config):
        if interactive and not user:
            config.display = "curses"
        elif not line.serial_given:
            line.notes.append(NO_DISPLAY)


def terminal_user(config: MachineConfig) -> str:
    """The option that takes standard input and output; empty if none does."""
    for name, devices in (("-serial", config.serials), ("-parallel", config.parallels)):
        for device in devices:
            if device in ("stdio", "mon:stdio"):
                return f"{name} {device}"
    return next(("-chardev stdio" for backend, _ in config.chardevs if backend == "stdio"), "")


def has_screen(config: MachineConfig) -> bool:
    """Whether the machine has a display adapter."""
    return config.vga != "none" or any(options.get("driver") == "VGA" for options in config.devices)
