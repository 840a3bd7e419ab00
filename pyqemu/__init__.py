"""pyqemu: a full-system emulator in Python, with the names that QEMU users and developers know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyqemu.api.scripted import Machine

__all__ = ["QEMU_VERSION", "Machine", "__version__"]
__version__ = "0.1.0"

QMP_VERSION = (7, 2, 0)
"""What QMP clients are told: libvirt 9 takes no emulator older than 4.2, and the schema has what it needs of 7.2."""

QEMU_VERSION = (2, 6, 50)
"""The QEMU whose interfaces (machine types, QMP, migration stream) this program speaks."""


def __getattr__(name: str) -> Any:
    """``pyqemu.Machine``, which nothing pays for that does not use it."""
    if name == "Machine":
        from pyqemu.api.scripted import Machine

        return Machine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
