"""A hostile peer gets a sentence, never anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyqemu.crypto.alerts import describe
from pyqemu.crypto.credentials import TlsCredsAnon, TlsCredsX509
from pyqemu.crypto.errors import TlsError
from pyqemu.crypto.session import TlsSession
from tests.crypto.pki import Authority, client_directory, server_directory

IRRELEVANT = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.fixture(scope="module")
def creds(tmp_path_factory: pytest.TempPathFactory) -> tuple[TlsCredsX509, TlsCredsX509]:
    path: Path = tmp_path_factory.mktemp("pki")
    authority = Authority()
    client = TlsCredsX509(str(client_directory(path / "c", authority)))
    return client, TlsCredsX509(str(server_directory(path / "s", authority)), endpoint="server")


def step(session: TlsSession, data: bytes) -> str:
    """Go on with these bytes; returns what is wrong, if anything is."""
    try:
        session.receive(data)
        session.handshake()
    except TlsError as error:
        return str(error)
    return ""


@settings(max_examples=300, deadline=None, suppress_health_check=IRRELEVANT)
@given(data=st.binary(min_size=8, max_size=100), record=st.booleans())
def test_garbage(creds: tuple[TlsCredsX509, TlsCredsX509], data: bytes, record: bool) -> None:
    server = TlsSession(creds[1])
    text = step(server, (b"\x16\x03\x01" + len(data).to_bytes(2) if record else b"") + data)
    if not text:  # not enough of it
        text = step(server, b"")
    assert text
    assert "\n" not in text


@settings(max_examples=100, deadline=None, suppress_health_check=IRRELEVANT)
@given(position=st.integers(0, 10_000), value=st.integers(0, 255))
def test_a_damaged_handshake(creds: tuple[TlsCredsX509, TlsCredsX509], position: int, value: int) -> None:
    client, server = TlsSession(creds[0], host_name="localhost"), TlsSession(creds[1])
    assert not client.handshake()
    assert step(server, client.take_output()) == ""
    flight = bytearray(server.take_output())
    position %= len(flight)
    flight[position] = value
    text = step(client, bytes(flight)) or step(client, b"")
    assert "\n" not in text


def test_every_alert_has_words() -> None:
    assert describe(48) == ("unknown_ca", "it does not know the authority that issued our certificate")
    assert describe(255)[0] == "alert 255"


def test_anonymous_sides_agree() -> None:
    client, server = TlsSession(TlsCredsAnon()), TlsSession(TlsCredsAnon(endpoint="server"))
    while not client.handshake():
        server.receive(client.take_output())
        server.handshake()
        client.receive(server.take_output())
    client.write(memoryview(b"abc"))
    server.receive(client.take_output())
    assert server.read(10) == b"abc"
    assert server.read(10) is None
    client.end()
    server.receive(client.take_output())
    assert server.read(10) == b""
