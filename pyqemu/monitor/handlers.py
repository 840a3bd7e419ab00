"""The modules that register QMP handlers: calling :func:`load` makes all of them known."""

from __future__ import annotations

import importlib

MODULES = (
    "pyqemu.block.commands",
    "pyqemu.chardev.commands",
    "pyqemu.hw.pci.commands",
    "pyqemu.migration.commands",
    "pyqemu.monitor.commands",
    "pyqemu.monitor.descriptors",
    "pyqemu.net.commands",
    "pyqemu.qom.commands",
    "pyqemu.system.commands",
    "pyqemu.system.dump.commands",
    "pyqemu.system.trace_commands",
    "pyqemu.ui.commands",
)  #: every file with commands; a new one is a line here


def load() -> None:
    """Register all handlers."""
    for module in MODULES:
        importlib.import_module(module)
