"""Errors of the chardev subsystem.

ChardevError        the operator's mistake or the host's refusal; the message is one line, ready to show
"""

from __future__ import annotations

from pyqemu.util.errors import UserError


class ChardevError(UserError):
    """A chardev cannot be made, opened or used."""
