"""GnuTLS's priority strings, as far as they concern versions."""

from __future__ import annotations

import ssl

import pytest

from pyqemu.crypto.errors import CredentialsError
from pyqemu.crypto.priority import parse_priority

V = ssl.TLSVersion


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("NORMAL", (V.TLSv1_2, V.TLSv1_3)),
        ("@SYSTEM", (V.TLSv1_2, V.TLSv1_3)),
        ("NORMAL:-VERS-TLS1.3", (V.TLSv1_2, V.TLSv1_2)),
        ("NORMAL:-VERS-ALL:+VERS-TLS1.3:%SERVER_PRECEDENCE", (V.TLSv1_3, V.TLSv1_3)),
        ("NORMAL:+VERS-TLS1.1:+ANON-DH:!RSA", (V.TLSv1_1, V.TLSv1_3)),
    ],
)
def test_versions(text: str, versions: tuple[ssl.TLSVersion, ssl.TLSVersion]) -> None:
    assert parse_priority(text) == versions


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("NORMAL:FAST", "'FAST' is no level such as NORMAL"),
        ("NORMAL:-VERS-ALL", "it leaves no version of TLS"),
        ("NORMAL:+VERS-TLS1.1:-VERS-TLS1.2", "it leaves out a version of TLS between others"),
    ],
)
def test_refused(text: str, why: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        parse_priority(text)
    assert str(caught.value) == f"Unable to set TLS session priority {text}: {why}"
