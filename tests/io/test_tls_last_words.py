"""What a peer says before it breaks an encrypted connection: nobody may lose it."""

from __future__ import annotations

import pytest

from pyqemu.io.channel import Channel, Timeouts
from pyqemu.io.errors import ReadError, WriteError
from pyqemu.io.interrupt import Interrupt
from pyqemu.io.tls import TlsChannel
from pyqemu.util.errors import PyqemuError


class PlainSession:
    """Encrypts by doing nothing."""

    peer_name = None

    def __init__(self) -> None:
        self.received = b""
        self.output = b""

    def handshake(self) -> bool:
        return True

    def receive(self, data: bytes) -> None:
        self.received += data

    def take_output(self) -> bytes:
        output, self.output = self.output, b""
        return output

    def write(self, data: memoryview) -> None:
        self.output += bytes(data)

    def read(self, size: int) -> bytes | None:
        taken, self.received = self.received[:size], self.received[size:]
        return taken or None

    def end(self) -> None:
        return None

    def suspicion(self) -> str:
        return ""

    def when_cut_off(self) -> PyqemuError:
        return PyqemuError("cut off")


class BreakingChannel(Channel):
    """Its peer has reset it, and said something before."""

    kind = "socket"

    def __init__(self, interrupt: Interrupt, *, noticed: bytes, waiting: bytes) -> None:
        super().__init__("peer", interrupt, Timeouts(), two_way=True)
        self.noticed = noticed  # what was read when the write failed
        self.waiting = waiting  # what was not
        self.is_broken = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.is_broken = True
        raise WriteError("Unable to write to socket: Broken pipe", "peer", peer="peer")

    def read_now(self, size: int) -> bytes | None:
        if not self.is_broken:
            return None
        if not self.waiting:
            raise ReadError("Unable to read from socket: Connection reset by peer", "peer", peer="peer")
        waiting, self.waiting = self.waiting, b""
        return waiting

    def wait_readable(self, deadline: float | None) -> bool:
        return True

    def heard(self) -> list[bytes]:
        return [self.noticed] if self.is_broken else []

    def finish(self) -> None:
        return None

    def close(self) -> None:
        return None


@pytest.mark.parametrize(("noticed", "waiting"), [(b"why", b""), (b"", b"why"), (b"w", b"hy")])
def test_they_are_heard_when_a_write_fails(noticed: bytes, waiting: bytes) -> None:
    interrupt = Interrupt()
    channel = TlsChannel(BreakingChannel(interrupt, noticed=noticed, waiting=waiting), PlainSession())
    with pytest.raises(WriteError, match="Cannot write to TLS channel: Broken pipe"):
        channel.write(b"data")
    assert b"".join(channel.heard()) == b"why"
    interrupt.close()
