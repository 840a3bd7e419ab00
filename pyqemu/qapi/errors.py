"""Errors of the control plane, part of the tree in :mod:`pyqemu.util.errors`.

::

    PyqemuError
      QapiError          a command cannot be done: what QMP answers as {"class": ..., "desc": ...}
      InternalError
        SchemaMismatch   a handler or an event of ours does not fit the schema
"""

from __future__ import annotations

import enum

from pyqemu.util.errors import InternalError, PyqemuError


class ErrorClass(enum.StrEnum):
    """The classes that QMP clients may tell errors apart by; all but the first are historical."""

    GenericError = "GenericError"
    CommandNotFound = "CommandNotFound"
    DeviceNotActive = "DeviceNotActive"
    DeviceNotFound = "DeviceNotFound"
    KVMMissingCap = "KVMMissingCap"
    DeviceEncrypted = "DeviceEncrypted"


class QapiError(PyqemuError):
    """A command was not carried out.

    ``desc`` is one line for people, in QEMU's wording; ``hint`` may say what would have been right and is shown
    by HMP only, because QMP has no place for it.
    """

    def __init__(self, desc: str, error_class: ErrorClass = ErrorClass.GenericError, hint: str = "") -> None:
        super().__init__(desc)
        self.desc = desc
        self.error_class = error_class
        self.hint = hint


class SchemaMismatch(InternalError):
    """Code of ours disagrees with the schema: a bug, found when the module is imported or the event is sent."""
