"""What can be wrong with a device that the operator asks for."""

from __future__ import annotations

from pyqemu.util.errors import UserError


class DeviceError(UserError):
    """A device, bus or property cannot be as asked; the message is in QEMU's wording."""
