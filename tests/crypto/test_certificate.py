"""Certificates are read as they are; what is none is refused, and nothing else happens."""

from __future__ import annotations

import contextlib
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.crypto.certificate import CLIENT_AUTH, Certificate
from pyqemu.crypto.der import DerError
from tests.crypto.pki import PRESENT, Authority

AUTHORITY = Authority()
DER = ssl.PEM_cert_to_DER_cert(
    AUTHORITY.issue("café", hosts=("a.example", "::1", "10.0.0.1"), purpose="client")[0].decode()
)


def test_what_it_says() -> None:
    found = Certificate.from_der(DER)
    assert found == Certificate(
        subject="O=Test,CN=café",
        issuer="O=Test,CN=Test CA",
        not_before=PRESENT[0],
        not_after=PRESENT[1],
        is_ca=False,
        key_usage=frozenset({"digitalSignature"}),
        extended_key_usage=frozenset({CLIENT_AUTH}),
        host_names=("a.example", "::1", "10.0.0.1"),
        common_name="café",
        distinguished_name="O=Test,CN=café",
    )


def test_an_authority() -> None:
    found = Certificate.from_der(ssl.PEM_cert_to_DER_cert(AUTHORITY.pem.decode()))
    assert found.is_ca
    assert found.key_usage is not None and "keyCertSign" in found.key_usage
    assert found.extended_key_usage is None


def test_cut_off() -> None:
    for length in range(len(DER)):
        with pytest.raises(DerError):
            Certificate.from_der(DER[:length])


@given(position=st.integers(0, len(DER) - 1), value=st.integers(0, 255))
def test_damaged(position: int, value: int) -> None:
    with contextlib.suppress(DerError):
        Certificate.from_der(DER[:position] + bytes((value,)) + DER[position + 1 :])


@given(st.binary(max_size=200))
def test_something_else(data: bytes) -> None:
    with contextlib.suppress(DerError):
        Certificate.from_der(data)
