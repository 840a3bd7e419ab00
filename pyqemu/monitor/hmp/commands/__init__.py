"""The commands, by subject; a new file is a line in `MODULES`."""

from __future__ import annotations

import importlib

MODULES = (
    "absent", "blocks", "chardevs", "control", "devices", "drives", "dump", "help", "keyboard", "logging", "machine",
    "memory", "migration", "network", "objects", "processor", "screen",
    "tracing",
)  # fmt: skip


def load() -> None:
    """Import them all, so that they register themselves."""
    for name in MODULES:
        importlib.import_module(f"{__name__}.{name}")
