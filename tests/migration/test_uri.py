"""Where to and where from."""

from __future__ import annotations

import contextlib
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.migration.uri import (
    ExecUri,
    FdUri,
    FileUri,
    TcpUri,
    UnixUri,
    Uri,
    parse_incoming,
    parse_outgoing,
)
from pyqemu.qapi.errors import QapiError


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("tcp:localhost:4444", TcpUri("localhost", "4444")),
        ("tcp::4444", TcpUri("", "4444")),
        ("tcp:[::1]:migrate", TcpUri("::1", "migrate", family=socket.AF_INET6)),
        ("tcp:0:4444,to=4450", TcpUri("0", "4444", 4450)),
        ("tcp:h:1,ipv4", TcpUri("h", "1", family=socket.AF_INET)),
        ("tcp:h:1,ipv6=off", TcpUri("h", "1", family=socket.AF_INET)),
        ("tcp:h:1,ipv4,ipv6", TcpUri("h", "1")),
        ("tcp:h:1,ipv4=off", TcpUri("h", "1", family=socket.AF_INET6)),
        ("unix:/tmp/a,b", UnixUri("/tmp/a,b")),
        ("exec:cat > a:b", ExecUri("cat > a:b")),
        ("fd:7", FdUri("7")),
        ("file:/tmp/a,b", FileUri("/tmp/a,b")),
        ("file:a,offset=1M", FileUri("a", 1 << 20)),
    ],
)
def test_parsed(text: str, parsed: Uri) -> None:
    assert parse_outgoing(text) == parse_incoming(text) == parsed


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Parameter 'uri' expects a valid migration protocol"),
        ("tcp", "Parameter 'uri' expects a valid migration protocol"),
        ("tcp:", "error parsing address ''"),
        ("tcp:localhost:", "error parsing address 'localhost:'"),
        ("tcp:[::1", "error parsing IPv6 address '[::1'"),
        ("tcp:h:1,to=x", "error parsing 'to=x' in address 'h:1,to=x'"),
        ("tcp:h:1,ipv4=x", "Parameter 'ipv4' expects 'on' or 'off'"),
        ("file:a,offset=x", "Parameter 'offset' expects a size"),
        ("vsock:1:2", "vsock: is not supported by this build of pyqemu"),
    ],
)
def test_refused(text: str, why: str) -> None:
    with pytest.raises(QapiError) as caught:
        parse_outgoing(text)
    assert caught.value.desc == why


@given(st.text(max_size=40), st.sampled_from(("tcp:", "unix:", "file:", "fd:", "")))
def test_anything_is_parsed_or_refused(text: str, protocol: str) -> None:
    with contextlib.suppress(QapiError):
        parse_incoming(protocol + text)
