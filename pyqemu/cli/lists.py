"""The texts of ``-help``, ``-machine help``, ``-cpu help``, ``-device help`` and ``-d help``."""

from __future__ import annotations

import importlib

LOG_ITEMS = {
    "in_asm": "show guest code of each block that is translated",
    "op": "show the IR of each block",
    "out_asm": "show the native code of each block",
    "exec": "show each block that is entered",
    "cpu": "show the registers before each block",
    "int": "show exceptions and interrupts",
}
TRACE = "trace:"


def log_help() -> str:
    """The log items."""
    items = {**LOG_ITEMS, f"{TRACE}PATTERN": "show trace events ('-d trace:help' lists them)"}
    return "Log items (comma separated):\n" + "\n".join(f"{name:13} {text}" for name, text in items.items())


def trace_events() -> str:
    """The trace events."""
    from pyqemu.util.trace_events import TraceEvents

    return "\n".join(TraceEvents.events)


def machines(architecture: str | None = None) -> str:
    """The machine types, of one architecture or of all."""
    from pyqemu.boards.registry import all_types

    lines = ["Supported machines are:"]
    for board in all_types():
        if architecture not in (None, *board.architectures):
            continue
        default = " (default)" if board.default else ""
        if board.alias:
            lines.append(f"{board.alias:20} {board.description} (alias of {board.name})")
        lines.append(f"{board.name:20} {board.description}{default}")
    return "\n".join(lines)


def cpus(architecture: str | None = None) -> str:
    """The CPU models of an architecture; of the PC's, if none is named."""
    name = architecture if architecture in ("aarch64", "arm") else "x86"
    text: str = importlib.import_module(f"pyqemu.targets.{name}.models").list_models()
    return text


def devices() -> str:
    """The device models that ``-device`` takes."""
    from pyqemu.qom.registry import DEVICES

    DEVICES.discover("pyqemu.hw")
    return DEVICES.help()


def device_properties(driver: str) -> str:
    """The properties of one model."""
    from pyqemu.qom.registry import DEVICES

    DEVICES.discover("pyqemu.hw")
    return DEVICES.help_device(driver)


def chardevs() -> str:
    """The backends of ``-chardev``."""
    from pyqemu.chardev.table import BACKENDS

    return "Available chardev backend types:\n" + "\n".join(f"  {name}" for name in sorted(BACKENDS))


def usage() -> str:
    """All options."""
    from pyqemu.cli.options import OPTIONS

    lines = ["usage: pyqemu [options] [disk.img]", "", "'disk.img' is a raw hard disk image for IDE hard disk 0", ""]
    seen = set()
    for option in OPTIONS.values():
        if option.name not in seen:
            seen.add(option.name)
            lines.append(f"-{option.name} {option.argument}".rstrip())
            lines.append(f"                {option.help}")
    return "\n".join(lines)
