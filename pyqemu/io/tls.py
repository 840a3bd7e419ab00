"""Encryption over any channel.

What is encrypted, and whether the peer is who it says, is the business of a :class:`TlsSession`, which sees no
descriptors; here it gets its bytes.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

from pyqemu.io.channel import Channel, deadline_of
from pyqemu.io.errors import ChannelError, CloseError, HandshakeError, ReadError, WriteError
from pyqemu.util.errors import PyqemuError

RECORDS = 256 << 10  # bytes that are encrypted at once
_PARTING = 2.0  # seconds that a peer gets to hear why we refuse it
TLS_RECORDS = tuple(bytes((kind, 3)) for kind in range(20, 24))  # what every record of TLS begins with (RFC 8446 5.1)


class TlsSession(Protocol):
    """The state of one encrypted connection. All methods may raise a :class:`PyqemuError` that tells what is wrong."""

    def handshake(self) -> bool:
        """Go on with the handshake. Returns whether it is complete."""

    def receive(self, data: bytes) -> None:
        """Encrypted bytes came; empty: the peer has closed its side."""

    def take_output(self) -> bytes:
        """Encrypted bytes that are to be sent."""

    def write(self, data: memoryview) -> None:
        """Encrypt."""

    def read(self, size: int) -> bytes | None:
        """Decrypted bytes; None if more must be received first; empty at the end."""

    def end(self) -> None:
        """Say that nothing follows."""

    def suspicion(self) -> str:
        """Why a peer may have closed the connection without a word; empty if there is nothing to suspect."""

    @property
    def peer_name(self) -> str | None:
        """The distinguished name in the peer's certificate, after the handshake; None if none was verified."""

    def when_cut_off(self) -> PyqemuError:
        """What to say when the connection ends during the handshake."""


class TlsChannel(Channel):
    """An encrypted channel over another one, which it owns."""

    kind = "TLS channel"
    cannot = "Cannot"

    def __init__(self, below: Channel, session: TlsSession) -> None:
        super().__init__(below.peer, below.interrupt, below.timeouts, two_way=below.two_way)
        self.below = below
        self._session = session
        self._lock = threading.RLock()  # one thread reads, another one writes
        self._peer_speaks_tls = False
        self._early = bytearray()  # decrypted while writing
        self._is_read = False  # another thread waits for data

    @property
    def peer_name(self) -> str | None:
        """The distinguished name in the peer's certificate, after the handshake; None if none was verified."""
        return self._session.peer_name

    # -- handshake

    def handshake(self) -> None:
        """Agree with the peer. Must be called first.

        :raise HandshakeError: no agreement, the peer went away, or it did not answer in time.
        :raise Interrupted: somebody called :meth:`shutdown`.
        """
        deadline = deadline_of(self.timeouts.handshake)
        while True:
            try:
                done = self._session.handshake()
            except PyqemuError as error:
                self._part()
                raise self._refused(error) from error
            try:
                self._send_output()
                if done:
                    return
                data = self._next(deadline)
            except (ReadError, WriteError) as error:
                raise self._refused(error if error.timed_out else self._session.when_cut_off()) from error
            if not data:
                raise self._refused(self._session.when_cut_off())
            self._peer_speaks_tls = data.startswith(TLS_RECORDS) or self._peer_speaks_tls
            self._session.receive(data)

    def _next(self, deadline: float | None) -> bytes:
        while True:
            data = self.below.read_now(RECORDS)
            if data is not None:
                return data
            if not self.below.wait_readable(deadline):
                raise HandshakeError(
                    "TLS handshake failed: Connection timed out",
                    f"{self.peer} did not answer within {self.timeouts.handshake:g} seconds: does it speak TLS?",
                    peer=self.peer, timed_out=True,
                )  # fmt: skip

    def _refused(self, error: PyqemuError) -> HandshakeError:
        return HandshakeError(*_parts(error), peer=self.peer, cause=error)

    def _part(self) -> None:
        """Let the peer hear why: a socket that is closed with unread bytes would take our last words along."""
        try:
            self._send_output()
            self.below.end_output()
            deadline = time.monotonic() + _PARTING
            while self._peer_speaks_tls and self.below.wait_readable(deadline):
                if self.below.read_now(RECORDS) == b"":
                    return
        except ChannelError:
            pass  # it knows, or is gone

    def _send_output(self) -> None:
        output = self._session.take_output()
        if output:
            self.below.write(output)

    # -- data

    def write(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data).cast("B")
        for position in range(0, len(view), RECORDS):
            with self._lock:
                self._hear()
                try:
                    self._session.write(view[position : position + RECORDS])
                except PyqemuError as error:
                    raise self._broken(WriteError, "write to", error) from error
                output = self._session.take_output()
            try:
                self.below.write(output)
            except WriteError as error:
                with self._lock:  # maybe the peer has said why
                    self._hear_last()
                    self._hear()
                raise self._explained(error) from error

    def _hear(self) -> None:
        """Notice what the peer says while nobody reads: alerts, above all."""
        while not self._is_read:  # who reads would wait in vain for what was taken away here
            try:
                data = self.below.read_now(RECORDS)
            except ReadError:
                return  # writing will fail by itself
            if data is None:
                return
            self._session.receive(data)
            try:
                while plain := self._session.read(RECORDS):
                    self._early += plain
            except PyqemuError as error:
                raise self._broken(WriteError, "write to", error) from error
            if not data:
                return

    def read_now(self, size: int) -> bytes | None:
        with self._lock:
            if self._early:
                taken = bytes(self._early[:size])
                del self._early[:size]
                return taken
            while True:
                try:
                    plain = self._session.read(size)
                except PyqemuError as error:
                    raise self._broken(ReadError, "read from", error) from error
                if plain is not None:
                    return plain
                data = self.below.read_now(RECORDS)
                if data is None:
                    return None
                self._session.receive(data)

    def wait_readable(self, deadline: float | None) -> bool:
        with self._lock:
            if self._early:
                return True
            self._is_read = True
        try:
            return self.below.wait_readable(deadline)
        finally:
            with self._lock:
                self._is_read = False

    def _broken(self, kind: type[ChannelError], what: str, error: PyqemuError) -> ChannelError:
        message, context = _parts(error)
        return kind(f"Cannot {what} TLS channel: {message}", context or self.peer, peer=self.peer, cause=error)

    # -- the end

    def end_output(self) -> None:
        with self._lock:
            try:
                self._session.end()
                self._send_output()
            except PyqemuError:
                pass  # the peer has gone; that is noticed where it matters
        self.below.end_output()

    def finish(self) -> None:
        """As that of the channel below.

        TLS's own farewell is not sent: a peer that knows from the data where it ends closes with that unread, which
        would look as if it had not read the data either.
        """
        with self._lock:
            self._hear()
        try:
            self.below.finish()
        except CloseError as error:
            with self._lock:
                self._hear_last()
            raise self._explained(error) from error
        with self._lock:
            self._hear_last()

    def _explained(self, error: ChannelError) -> ChannelError:
        """The same for this kind of channel, and what the session has noticed."""
        noticed = self._session.suspicion()
        context = f"{error.context}; {noticed}" if noticed else error.context
        message = error.message.replace(
            f"{self.below.cannot} write to {self.below.kind}", "Cannot write to TLS channel"
        )
        return type(error)(message, context, peer=self.peer, cause=error.cause, timed_out=error.timed_out)

    def _hear_last(self) -> None:
        """What came while the end was waited for: the peer may have refused us only then."""
        for data in self.below.heard():
            self._session.receive(data)
        try:
            while plain := self._session.read(RECORDS):
                self._early += plain
        except PyqemuError as error:
            raise self._broken(WriteError, "write to", error) from error

    def heard(self) -> list[bytes]:
        with self._lock:
            heard, self._early = bytes(self._early), bytearray()
        return [heard]

    def shutdown(self) -> None:
        self.below.shutdown()

    def close(self) -> None:
        self.below.close()


def _parts(error: PyqemuError) -> tuple[str, str]:
    """Message and context of an error, of those that have a context."""
    return getattr(error, "message", str(error)), getattr(error, "context", "")
