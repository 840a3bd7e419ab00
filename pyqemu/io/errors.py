"""Errors of channels, part of the tree in :mod:`pyqemu.util.errors`.

::

    PyqemuError
      ChannelError          something went wrong with a connection: message, context, stage, peer, cause
        ResolveError        a host name has no address
        ListenError         nobody can connect to us
        ConnectError        we cannot connect
        HandshakeError      no agreement about encryption
        WriteError          bytes cannot be sent
        ReadError           bytes cannot be received
          EndOfStream       the peer has closed its side
        CloseError          bytes were sent, but not all of them arrived
        Interrupted         somebody of us called ``shutdown``
"""

from __future__ import annotations

import enum
import os
from typing import ClassVar

from pyqemu.util.errors import PyqemuError


class Stage(enum.StrEnum):
    """When in a connection's life it happened."""

    RESOLVE = "resolve"
    LISTEN = "listen"
    CONNECT = "connect"
    HANDSHAKE = "handshake"
    WRITE = "write"
    READ = "read"
    CLOSE = "close"


class ChannelError(PyqemuError):
    """A connection failed.

    :ivar message: a sentence with QEMU's beginning, where QEMU has one
    :ivar context: what else is known: address, side, exit status; empty if nothing is
    :ivar peer: the other end
    :ivar cause: the exception below
    :ivar timed_out: whether nothing happened for too long
    """

    stage: ClassVar[Stage]

    def __init__(
        self,
        message: str,
        context: str = "",
        *,
        peer: str = "",
        cause: BaseException | None = None,
        timed_out: bool = False,
    ) -> None:
        super().__init__(f"{message} ({context})" if context else message)
        self.message = message
        self.context = context
        self.peer = peer
        self.cause = cause
        self.timed_out = timed_out


class ResolveError(ChannelError):
    """A host name has no address."""

    stage = Stage.RESOLVE


class ListenError(ChannelError):
    """Nobody can connect to us."""

    stage = Stage.LISTEN


class ConnectError(ChannelError):
    """We cannot connect."""

    stage = Stage.CONNECT


class HandshakeError(ChannelError):
    """No agreement about encryption."""

    stage = Stage.HANDSHAKE


class WriteError(ChannelError):
    """Bytes cannot be sent."""

    stage = Stage.WRITE


class ReadError(ChannelError):
    """Bytes cannot be received."""

    stage = Stage.READ


class EndOfStream(ReadError):
    """The peer has closed its side while more was expected."""


class CloseError(ChannelError):
    """All was sent, but it did not arrive or was not accepted."""

    stage = Stage.CLOSE


class Interrupted(ChannelError):
    """Somebody of us ended it; not the peer's fault."""

    stage = Stage.CLOSE


def reason(error: OSError) -> str:
    """The operating system's words, without Python's decoration."""
    if error.errno is None or error.errno < 0:
        return error.strerror or str(error)
    return os.strerror(error.errno)
