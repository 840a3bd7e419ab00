"""Why a migration failed: one sentence for people, from whatever ended it."""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu.crypto.errors import TlsError
from pyqemu.io.errors import ChannelError
from pyqemu.qapi.errors import QapiError
from pyqemu.util.errors import PyqemuError, UserError


class MigrationError(PyqemuError):
    """A migration cannot go on.

    :ivar message: the sentence, with QEMU's beginning where QEMU has one
    :ivar context: what is added to it: address, side, section, field; may be empty
    """

    def __init__(self, message: str, context: str = "") -> None:
        super().__init__(f"{message} ({context})" if context else message)
        self.message = message
        self.context = context


@dataclass(frozen=True)
class Failure:
    """What is recorded of a failure."""

    message: str
    context: str = ""

    def __str__(self) -> str:
        return f"{self.message} ({self.context})" if self.context else self.message

    def during(self, phase: str) -> Failure:
        """The same, and when it happened."""
        return self._with(phase, ", ")

    def followed_by(self, stuck: Failure) -> Failure:
        """The same, and why the guest cannot go on."""
        return self._with(f"the guest stays paused: {stuck}", "; ")

    def _with(self, more: str, separator: str) -> Failure:
        return Failure(self.message, f"{self.context}{separator}{more}" if self.context else more)


def failure_of(error: Exception) -> Failure:
    """What there is to say about *error*, in one line."""
    match error:
        case ChannelError() | TlsError() | MigrationError():
            found = Failure(error.message, error.context)
        case QapiError():
            found = Failure(error.desc, error.hint)
        case UserError():
            found = Failure(error.message, error.hint)
        case PyqemuError():
            found = Failure(str(error))
        case _:
            found = Failure(f"internal error (a defect of pyqemu): {type(error).__name__}: {error}")
    return Failure(_line(found.message), _line(found.context))


def _line(text: str) -> str:
    return " ".join(text.split("\n"))
