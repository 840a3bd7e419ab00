"""Options about how the machine runs, and what is logged of it."""

from __future__ import annotations

import errno
import os

from pyqemu.boards.config import SemihostingConfig
from pyqemu.cli.options.registry import CommandLine, Finished, option, switch
from pyqemu.util.errors import OptionError
from pyqemu.util.options import parse_bool, parse_options, parse_pairs


@option("icount", "[shift=]N|auto", "count instructions, each taking 2^N ns of guest time: runs become repeatable")
def icount(line: CommandLine, text: str) -> None:
    options = parse_options(text, "shift")
    line.groups.record("icount", options)
    shift = options.pop("shift", "auto")
    line.config.icount_sleep = parse_bool(options.pop("sleep", "on"), "sleep")
    if parse_bool(options.pop("align", "off"), "align"):
        raise OptionError("-icount: align=on is not supported", "align=off")
    if options:
        raise OptionError(f"-icount: Invalid parameter '{next(iter(options))}'")
    if shift != "auto" and not (shift.isdigit() and int(shift) <= 10):
        raise OptionError("-icount: Invalid shift value", "0 to 10, or auto")
    line.config.icount = 3 if shift == "auto" else int(shift)


@switch("semihosting", "let programs without an operating system ask the host for files, a console, the time ... (Arm)")
def semihosting(line: CommandLine) -> None:
    line.config.semihosting = line.config.semihosting or SemihostingConfig()


@option("semihosting-config", "[enable=on|off][,target=native|gdb|auto][,arg=TEXT...]",
        "the same; what programs are told as their command line, word by word")  # fmt: skip
def semihosting_config(line: CommandLine, text: str) -> None:
    pairs = list(parse_pairs(text, "enable"))
    options = dict(pairs)
    enable = parse_bool(options.pop("enable", "on"), "enable")
    target = options.pop("target", "auto")
    options.pop("arg", None)
    if options:
        raise OptionError(f"-semihosting-config: Invalid parameter '{next(iter(options))}'", "enable=, target=, arg=")
    if target not in ("native", "gdb", "auto"):
        raise OptionError(f"-semihosting-config: unsupported semihosting-config {text}", "target=native, gdb or auto")
    if target == "gdb":
        raise OptionError("-semihosting-config: target=gdb: there is no gdb stub yet", "target=native or auto")
    before = line.config.semihosting.arguments if line.config.semihosting else ()
    arguments = (*before, *(value for key, value in pairs if key == "arg"))
    line.config.semihosting = SemihostingConfig(arguments) if enable else None


@option("d", "item,...", "log items: in_asm, op, out_asm, exec, int, cpu, trace:PATTERN ('-d help')")
def log_items(line: CommandLine, text: str) -> None:
    from pyqemu.cli.lists import LOG_ITEMS, TRACE, log_help

    words = text.split(",")
    if "help" in words or "?" in words:
        raise Finished(log_help())
    items = [word for word in words if not word.startswith(TRACE)]
    for word in words:
        if word.startswith(TRACE):
            _add_pattern(line, word.removeprefix(TRACE))
    if unknown := [item for item in items if item not in LOG_ITEMS]:
        raise OptionError(f"-d: there is no log item '{unknown[0]}'", ", ".join(LOG_ITEMS))
    line.config.log_items += tuple(items)


@option("trace", "[[enable=]PATTERN][,events=FILE][,file=FILE]",
        "trace events that match PATTERN, or the patterns in FILE ('-trace help' lists the events)")  # fmt: skip
def trace(line: CommandLine, text: str) -> None:
    options = parse_options(text, "enable")
    line.groups.record("trace", options)
    if (pattern := options.pop("enable", "")) != "":
        _add_pattern(line, pattern)
    if (path := options.pop("events", "")) != "":
        for pattern in _patterns(path):
            _add_pattern(line, pattern)
    line.config.log_file = options.pop("file", line.config.log_file)
    if options:
        raise OptionError(f"-trace: Invalid parameter '{next(iter(options))}'", "enable=, events= and file=")


def _add_pattern(line: CommandLine, pattern: str) -> None:
    if pattern in ("help", "?"):
        from pyqemu.cli.lists import trace_events

        raise Finished(trace_events())
    line.config.trace += (pattern,)


def _patterns(path: str) -> list[str]:
    """What a file says: a pattern on each line, or a comment."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = [line.strip() for line in file]
    except (OSError, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "this is no text file"
        raise OptionError(f"-trace: could not open trace events file '{path}': {why}", "one pattern a line") from None
    return [line for line in lines if line and not line.startswith("#")]


@option("D", "FILE", "write the log to FILE (default: standard error)")
def log_file(line: CommandLine, text: str) -> None:
    line.config.log_file = text


@switch("S", "do not start the CPU")
def paused(line: CommandLine) -> None:
    line.config.paused = True


@switch("no-reboot", "exit instead of rebooting")
def no_reboot(line: CommandLine) -> None:
    line.config.no_reboot = True


@switch("no-shutdown", "stop before shutdown")
def no_shutdown(line: CommandLine) -> None:
    line.config.no_shutdown = True


@option("screenshot-on-exit", "FILE", "when the program ends, write the screen to FILE (.png or .ppm)")
def screenshot_on_exit(line: CommandLine, text: str) -> None:
    if not text.lower().endswith((".png", ".ppm")):
        raise OptionError(f"-screenshot-on-exit {text}: the name says the format", "FILE.png or FILE.ppm")
    _check_writable(text)
    line.config.screenshot = os.path.abspath(text)  # -daemonize leaves the directory


def _check_writable(path: str) -> None:
    """Find out now what would otherwise come to light when it is too late."""
    place = path if os.path.exists(path) else os.path.dirname(path) or "."
    try:
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        os.stat(place)
        if not os.access(place, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as exc:
        raise OptionError(f"-screenshot-on-exit: cannot write '{path}': {exc.strerror}") from None
