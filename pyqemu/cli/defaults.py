"""What follows from the options: where ports lead, how the screen is shown, and which options exclude each other.

QEMU opens a window unless told otherwise. There is none here, so the terminal takes its place: if the program sits at
one that nothing else uses, it shows the screen (``-display curses``); otherwise the screen is not shown, and one line
says how it could be.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from pyqemu.boards.config import MachineConfig, MonitorConfig
from pyqemu.cli.options import CommandLine, parse_options_of
from pyqemu.util.errors import OptionError

CONSOLE = "vc:80Cx24C"
# Models that take the place of a default device.
ADAPTERS = ("VGA", "isa-vga", "cirrus-vga", "isa-cirrus-vga", "vmware-svga", "qxl-vga", "virtio-vga")
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
    _choose_accelerator(line)
    _leave_out_defaults(line)
    with_monitor = config.defaults and not line.monitor_given
    if config.defaults:
        if not line.serial_given:
            config.serials.append(_default_serial(line.nographic, with_monitor))
        if not line.parallel_given:
            config.parallels.append("null" if line.nographic else CONSOLE)
    _check_background(line, with_monitor)
    _check_stdio(config)
    _choose_display(line, interactive)
    if with_monitor:
        _add_default_monitor(line)


def _choose_accelerator(line: CommandLine) -> None:
    """The first of those that were asked for that there is: as QEMU does, with a line for each that there is not."""
    missing = []
    for name in line.accelerators:
        if name == "tcg":
            break
        missing.append(f"invalid accelerator {name}")
    else:
        if missing:
            raise OptionError(f"-accel {line.accelerators[0]}: {missing[0]}", "tcg is the only one")
    if missing:
        line.notes += [*missing, "falling back to tcg"]


def _leave_out_defaults(line: CommandLine) -> None:
    """A device that was asked for takes the place of the default one of its kind."""
    models = {options["driver"] for options in line.config.devices}
    if not line.vga_given and (not line.config.defaults or models.intersection(ADAPTERS)):
        line.config.vga = "none"
    line.serial_given |= "isa-serial" in models
    line.parallel_given |= "isa-parallel" in models


def _default_serial(nographic: bool, with_monitor: bool) -> str:
    if not nographic:
        return CONSOLE
    return "mon:stdio" if with_monitor else "stdio"


def _add_default_monitor(line: CommandLine) -> None:
    """It shares the terminal with the serial port, or is one of the text consoles beside the screen."""
    config = line.config
    if any(device == "mon:stdio" for device in config.serials):
        return
    if line.nographic:
        device = "stdio" if not terminal_user(config) else ""
    else:
        device = CONSOLE if config.display == "curses" else ""
    if device:
        config.monitors.append(MonitorConfig(device, label=f"compat_monitor{line.compat_monitors}"))


def _check_background(line: CommandLine, with_monitor: bool) -> None:
    if not line.process.daemonize:
        return
    config = line.config
    ports_given = line.serial_given and line.parallel_given
    if line.nographic and config.defaults and (with_monitor or not ports_given):
        raise OptionError("-nographic cannot be used with -daemonize", "-display none")
    if config.display == "curses":
        raise OptionError("curses display cannot be used with -daemonize", "-display none")
    line.display_given = True  # nobody will see it, and that is meant
    if user := terminal_user(config):
        raise OptionError(f"{user}: cannot use stdio with -daemonize", "pty, unix:PATH,server,nowait, ...")


def _check_stdio(config: MachineConfig) -> None:
    users = list(_terminal_users(config))
    if len(users) > 1:
        raise OptionError(
            f"{users[0]} and {users[1]}: cannot use stdio by multiple character devices",
            "-serial mon:stdio shares it between serial port and monitor",
        )


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
        elif not line.serial_given and not line.monitor_given:
            line.notes.append(NO_DISPLAY)


def terminal_user(config: MachineConfig) -> str:
    """The option that takes standard input and output; empty if none does."""
    return next(_terminal_users(config), "")


def _terminal_users(config: MachineConfig) -> Iterator[str]:
    for name, devices in (("-serial", config.serials), ("-parallel", config.parallels)):
        yield from (f"{name} {device}" for device in devices if device in ("stdio", "mon:stdio"))
    yield from (monitor.option for monitor in config.monitors if monitor.device in ("stdio", "mon:stdio"))
    yield from ("-chardev stdio" for backend, _ in config.chardevs if backend == "stdio")


def has_screen(config: MachineConfig) -> bool:
    """Whether the machine has a display adapter."""
    return config.vga != "none" or any(options["driver"] in ADAPTERS for options in config.devices)
