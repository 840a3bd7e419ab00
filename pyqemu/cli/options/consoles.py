"""Options about displays, character devices and monitors."""

from __future__ import annotations

from pyqemu.boards.config import MAX_PARALLELS, MAX_SERIALS, MonitorConfig
from pyqemu.cli.options.registry import CommandLine, Finished, option, switch
from pyqemu.cli.structured import parse_flat
from pyqemu.util.errors import OptionError
from pyqemu.util.options import parse_bool, parse_options

DISPLAYS = ("none", "curses")


@option("display", "none|curses", "how the screen is shown")
def display(line: CommandLine, text: str) -> None:
    kind = text.split(",")[0]
    if kind not in DISPLAYS:
        raise OptionError(f"-display {text}: this display is not available", "none or curses")
    line.config.display = kind
    line.display_given = True


@switch("curses", "the same as -display curses")
def curses(line: CommandLine) -> None:
    display(line, "curses")


@switch("nographic", "no screen: serial port and monitor share the terminal")
def nographic(line: CommandLine) -> None:
    line.nographic = True


@option("vnc", "none", "VNC server (none, for now)")
def vnc(line: CommandLine, text: str) -> None:
    if text != "none":
        raise OptionError(f"-vnc {text}: there is no VNC server yet", "-vnc none, -display none or curses")
    display(line, "none")


@option("vga", "std|none", "the display adapter")
def vga(line: CommandLine, text: str) -> None:
    known = ("std", "cirrus", "vmware", "qxl", "xenfb", "tcx", "cg3", "virtio", "none")
    if text not in known:
        raise OptionError(f"-vga: unknown vga type: {text}", "std or none")
    if text not in ("std", "none"):
        raise OptionError(f"-vga {text}: this display adapter is not supported yet", "std or none")
    line.config.vga = text
    line.vga_given = True


@option("k", "LAYOUT", "keyboard layout (en-us, for now)")
def keyboard_layout(line: CommandLine, text: str) -> None:
    if text != "en-us":
        raise OptionError(f"-k {text}: could not read keymap file: '{text}'", "en-us is the only one")


@option("audiodev", "none,id=ID", "audio backend (none, for now)")
def audiodev(line: CommandLine, text: str) -> None:
    options = parse_flat(text, "driver")
    if options.get("driver") != "none":
        raise OptionError(f"-audiodev {text}: there is no such audio backend", "driver none is the only one")
    if not options.get("id"):
        raise OptionError("-audiodev: Parameter 'id' is missing", "-audiodev none,id=ID")


# --- character devices ------------------------------------------------------------------------------------------------


@option("serial", "DEV", "where a serial port leads: stdio, pty, file:, unix:, tcp:, null, mon:stdio, vc, chardev:")
def serial(line: CommandLine, text: str) -> None:
    if len(line.config.serials) == MAX_SERIALS:
        raise OptionError(f"-serial {text}: too many serial ports", f"there are {MAX_SERIALS}")
    line.config.serials.append(text)
    line.serial_given = True
    line.monitor_given |= text.startswith("mon:")


@option("parallel", "DEV", "where a parallel port leads")
def parallel(line: CommandLine, text: str) -> None:
    if len(line.config.parallels) == MAX_PARALLELS:
        raise OptionError(f"-parallel {text}: too many parallel ports", f"there are {MAX_PARALLELS}")
    line.config.parallels.append(text)
    line.parallel_given = True
    line.monitor_given |= text.startswith("mon:")


@option("chardev", "backend,id=ID[,...]", "a character device for -device, -mon and -serial chardev:ID")
def chardev(line: CommandLine, text: str) -> None:
    options = parse_options(text, "backend")
    if options.get("backend") in ("help", "?"):
        from pyqemu.cli.lists import chardevs

        raise Finished(chardevs())
    line.groups.record("chardev", options)
    backend = options.pop("backend", "")
    line.config.chardevs.append((backend, options))


@option("echr", "CHAR", "the key that begins commands of a multiplexed terminal, as a number or ^X (Ctrl-A)")
def echr(line: CommandLine, text: str) -> None:
    if len(text) == 2 and text[0] == "^":
        line.config.escape = ord(text[1].upper()) & 0x1F
    elif text.isdigit() or text.startswith("0x"):
        line.config.escape = int(text, 0) & 0xFF
    else:
        raise OptionError(f"-echr: bad argument {text}", "a number, or ^ and a letter")


# --- monitors ---------------------------------------------------------------------------------------------------------


def add_monitor(line: CommandLine, option: str, device: str, *, mode: str = "readline", pretty: bool = False) -> None:
    """A monitor on a device that is described as for ``-serial``."""
    line.monitor_given = True
    if device == "none":
        return
    given = f"{option} {device}"
    if device.startswith("chardev:"):
        label = device.removeprefix("chardev:")
    else:
        label = f"compat_monitor{line.compat_monitors}"
        line.compat_monitors += 1
    line.config.monitors.append(MonitorConfig(device, mode=mode, pretty=pretty, label=label, option=given))
    _record(line, device, label, mode, pretty)


def _record(line: CommandLine, device: str, label: str, mode: str, pretty: bool) -> None:
    from pyqemu.chardev.errors import ChardevError
    from pyqemu.chardev.parse import parse_device

    try:
        backend, options = parse_device(device)
    except ChardevError as error:
        raise OptionError(error.message, error.hint) from None
    if backend != "chardev":
        line.groups.record("chardev", {"id": label, "backend": backend, **options})
    values = {"chardev": label, "mode": mode} | ({"pretty": "on"} if pretty else {})
    line.groups.record("mon", values)


@option("monitor", "DEV", "where the human monitor is: stdio, vc, telnet:, unix:, tcp:, pty, chardev:, none")
def monitor(line: CommandLine, text: str) -> None:
    add_monitor(line, "-monitor", text)


@option("qmp", "DEV", "where QMP is spoken: unix:PATH,server,nowait, tcp:HOST:PORT,server,nowait, stdio, ...")
def qmp(line: CommandLine, text: str) -> None:
    add_monitor(line, "-qmp", text, mode="control")


@option("qmp-pretty", "DEV", "like -qmp, with replies on several lines")
def qmp_pretty(line: CommandLine, text: str) -> None:
    add_monitor(line, "-qmp-pretty", text, mode="control", pretty=True)


@option("mon", "[chardev=]ID[,mode=readline|control][,pretty=on|off]", "a monitor on a -chardev")
def mon(line: CommandLine, text: str) -> None:
    options = parse_options(text, "chardev")
    line.groups.record("mon", options)
    chardev = options.pop("chardev", "")
    mode = options.pop("mode", "readline")
    pretty = parse_bool(options.pop("pretty", "off"), "pretty")
    parse_bool(options.pop("default", "off"), "default")
    options.pop("id", None)
    if options:
        raise OptionError(f"-mon: Invalid parameter '{next(iter(options))}'", "chardev=, mode=, pretty= or id=")
    if not chardev:
        raise OptionError("-mon: Parameter 'chardev' is missing", "-mon chardev=ID,mode=readline|control")
    if mode not in ("readline", "control"):
        raise OptionError(f'-mon: unknown monitor mode "{mode}"', "readline or control")
    if pretty and mode != "control":
        raise OptionError("-mon: 'pretty' is not compatible with HMP monitors", "mode=control")
    line.monitor_given = True
    line.config.monitors.append(
        MonitorConfig(f"chardev:{chardev}", mode=mode, pretty=pretty, label=chardev, option=f"-mon {text}")
    )
