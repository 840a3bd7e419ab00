"""The exception tree.

::

    Exception
      PyqemuError
        UserError         the operator asked for something wrong; one line tells what and what would be right
          OptionError     a command line option (pyqemu.util.options)
          DeviceError     a device, bus or property (pyqemu.qom)
          BlockError      a disk image (pyqemu.block)
        InternalError     a bug of ours: loud, never swallowed

The guest's mistakes are never exceptions of this tree: devices answer them as the hardware does.
"""

from __future__ import annotations


class PyqemuError(Exception):
    """Base of everything that pyqemu raises on its own."""


class UserError(PyqemuError):
    """A mistake of the operator.

    ``str(error)`` is the one line in QEMU's wording; ``hint`` may say what would have been right.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class OptionError(UserError):
    """A malformed or unknown option or option value."""


class InternalError(PyqemuError):
    """A state that cannot be: a bug in pyqemu itself."""
