"""Which files are generated, and what they should contain."""

from __future__ import annotations

from pathlib import Path

from pyqemu.qapi.generator.introspect import introspect_module
from pyqemu.qapi.generator.tables import commands_module, events_module
from pyqemu.qapi.generator.types import types_module
from pyqemu.qapi.schema.model import Schema

PACKAGE = "pyqemu/qapi/generated"
STATUS = "docs/qmp-status.md"
CONFIGURED = frozenset({"CONFIG_LINUX", "CONFIG_POSIX", "CONFIG_TCG", "TARGET_I386", "TARGET_X86_64"})
"""What ``if`` in the schema is decided with."""


def python_files(schema: Schema) -> dict[str, str]:
    """Path below the root of the checkout → text."""
    return {
        f"{PACKAGE}/__init__.py": '"""Generated from ``qapi-schema.json`` by ``python -m pyqemu.qapi``."""\n',
        f"{PACKAGE}/types.py": types_module(schema),
        f"{PACKAGE}/commands.py": commands_module(schema),
        f"{PACKAGE}/events.py": events_module(schema),
        f"{PACKAGE}/introspect.py": introspect_module(schema),
    }


def outdated(root: Path, files: dict[str, str]) -> list[str]:
    """Those that are missing or different."""

    def current(path: Path) -> str | None:
        return path.read_text(encoding="utf-8") if path.exists() else None

    return [name for name, text in files.items() if current(root / name) != text]


def write(root: Path, files: dict[str, str]) -> None:
    """Write those that are out of date."""
    for name in outdated(root, files):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(files[name], encoding="utf-8")
