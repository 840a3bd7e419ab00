"""Errors of credentials and encrypted connections, part of the tree in :mod:`pyqemu.util.errors`.

::

    PyqemuError
      UserError
        CredentialsError   an object of credentials cannot be made: file, certificate, property
      TlsError             a handshake or an encrypted connection failed: which side, which certificate, which field
"""

from __future__ import annotations

from pyqemu.util.errors import PyqemuError, UserError


class CredentialsError(UserError):
    """Credentials cannot be had as asked."""


class TlsError(PyqemuError):
    """An encrypted connection failed.

    :ivar message: a sentence with QEMU's beginning, where QEMU has one
    :ivar context: what is added to it
    """

    def __init__(self, message: str, context: str = "") -> None:
        super().__init__(f"{message} ({context})" if context else message)
        self.message = message
        self.context = context
