"""Credentials are checked when they are made: each mistake has its own sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pyqemu.crypto.credentials import TlsCredsAnon, TlsCredsX509
from pyqemu.crypto.errors import CredentialsError
from tests.crypto.pki import FUTURE, PAST, Authority, Directory, client_directory, new_key, server_directory
from tests.unprivileged import without_root


def complaint(make: Callable[[], object]) -> str:
    with pytest.raises(CredentialsError) as caught:
        make()
    return str(caught.value)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def test_good_ones_are_accepted(tmp_path: Path, authority: Authority) -> None:
    server = TlsCredsX509(str(server_directory(tmp_path / "s", authority)), endpoint="server")
    assert server.own is not None
    assert (server.own.subject, server.own.names) == ("O=Test,CN=server1", "localhost, 127.0.0.1")
    assert [entry.subject for entry in server.trusted] == ["O=Test,CN=Test CA"]
    client = TlsCredsX509(str(client_directory(tmp_path / "c", authority)), endpoint="client")
    assert client.own is not None
    assert client.own.issuer == "O=Test,CN=Test CA"


def test_a_client_needs_no_certificate(tmp_path: Path, authority: Authority) -> None:
    assert TlsCredsX509(str(Directory(tmp_path, authority)), endpoint="client").own is None


def test_missing_files_are_named(tmp_path: Path, authority: Authority) -> None:
    missing = "No such file or directory"
    assert complaint(lambda: TlsCredsX509("/nosuch")) == f"Unable to access credentials /nosuch/ca-cert.pem: {missing}"
    directory = str(Directory(tmp_path, authority))
    assert complaint(lambda: TlsCredsX509(directory, endpoint="server")) == (
        f"Unable to access credentials {directory}/server-cert.pem: {missing}"
    )
    Directory(tmp_path, authority).put("server", authority.issue("x"))
    (tmp_path / "server-key.pem").unlink()
    assert complaint(lambda: TlsCredsX509(directory, endpoint="server")) == (
        f"Unable to access credentials {directory}/server-key.pem: {missing}"
    )


def test_an_unreadable_key_is_named(tmp_path: Path, authority: Authority) -> None:
    directory = server_directory(tmp_path / "s", authority)
    (directory.path / "server-key.pem").chmod(0)
    with without_root(directory.path):
        said = complaint(lambda: TlsCredsX509(str(directory), endpoint="server"))
    assert said == f"Unable to access credentials {directory}/server-key.pem: Permission denied"


def test_files_with_something_else(tmp_path: Path, authority: Authority) -> None:
    directory = server_directory(tmp_path, authority)
    (tmp_path / "server-key.pem").write_text("no key")
    assert complaint(lambda: TlsCredsX509(str(directory), endpoint="server")) == (
        f"Unable to import server key {tmp_path}/server-key.pem: it holds no private key that can be read"
    )
    (tmp_path / "server-cert.pem").write_text("no certificate")
    assert complaint(lambda: TlsCredsX509(str(directory), endpoint="server")) == (
        f"Unable to import certificate {tmp_path}/server-cert.pem: there is none in it"
    )


def test_a_key_of_another_certificate(tmp_path: Path, authority: Authority) -> None:
    certificate, _ = authority.issue("server1")
    directory = Directory(tmp_path, authority).put("server", (certificate, new_key()))
    assert complaint(lambda: TlsCredsX509(str(directory), endpoint="server")) == (
        f"Unable to import server key {tmp_path}/server-key.pem: "
        "it does not belong to the certificate in server-cert.pem"
    )


def test_an_encrypted_key_needs_its_password(tmp_path: Path, authority: Authority) -> None:
    directory = str(Directory(tmp_path, authority).put("server", authority.issue("server1"), b"rosebud"))
    beginning = f"Unable to import server key {tmp_path}/server-key.pem: it is encrypted"
    assert complaint(lambda: TlsCredsX509(directory, endpoint="server")) == beginning
    assert complaint(lambda: TlsCredsX509(directory, endpoint="server", password=b"x")) == (
        f"{beginning}, and the password is wrong"
    )
    assert TlsCredsX509(directory, endpoint="server", password=b"rosebud").own is not None


def test_certificates_out_of_their_time(tmp_path: Path, authority: Authority) -> None:
    old = Directory(tmp_path / "old", authority).put("server", authority.issue("old", valid=PAST))
    assert complaint(lambda: TlsCredsX509(str(old), endpoint="server")) == (
        f"The server certificate {old}/server-cert.pem has expired: its notAfter is {PAST[1]:%Y-%m-%d %H:%M:%S} UTC"
    )
    young = Directory(tmp_path / "young", authority).put("client", authority.issue("y", valid=FUTURE, purpose="client"))
    assert complaint(lambda: TlsCredsX509(str(young))) == (
        f"The client certificate {young}/client-cert.pem is not yet active: "
        f"its notBefore is {FUTURE[0]:%Y-%m-%d %H:%M:%S} UTC"
    )
    dead = Directory(tmp_path / "dead", Authority("Dead CA", PAST))
    assert "The CA certificate" in complaint(lambda: TlsCredsX509(str(dead)))
    assert TlsCredsX509(str(old), endpoint="server", sanity_check=False).own is not None


def test_certificates_for_something_else(tmp_path: Path, authority: Authority) -> None:
    def server(number: int, **how: object) -> str:
        pair = authority.issue("x", **how)  # type: ignore[arg-type]
        directory = Directory(tmp_path / str(number), authority).put("server", pair)
        return complaint(lambda: TlsCredsX509(str(directory), endpoint="server")).partition("server-cert.pem ")[2]

    assert server(1, purpose="client") == "cannot be used by this end of TLS: its extendedKeyUsage lacks serverAuth"
    assert server(2, digital_signature=False) == "cannot be used for TLS: its keyUsage lacks digitalSignature"
    assert server(3, is_ca=True) == "is that of an authority: its basicConstraints say CA:TRUE"


def test_authorities_that_are_none(tmp_path: Path) -> None:
    def ca(number: int, made: Authority) -> str:
        directory = Directory(tmp_path / str(number), made)
        return complaint(lambda: TlsCredsX509(str(directory))).partition("ca-cert.pem ")[2]

    assert ca(1, Authority(is_ca=False)) == "is not that of an authority: its basicConstraints say CA:FALSE"
    assert ca(2, Authority(may_sign=False)) == "may not sign certificates: its keyUsage lacks keyCertSign"


@pytest.mark.parametrize("endpoint", ["server", "client"])
def test_our_own_certificate_must_be_from_our_authority(tmp_path: Path, authority: Authority, endpoint: str) -> None:
    directory = Directory(tmp_path, Authority("Other CA")).put(endpoint, authority.issue("x", purpose=endpoint))
    assert complaint(lambda: TlsCredsX509(str(directory), endpoint=endpoint)) == (
        f"Our own certificate {tmp_path}/{endpoint}-cert.pem failed validation against {tmp_path}/ca-cert.pem: "
        "unable to get local issuer certificate"
    )


def test_wrong_properties(tmp_path: Path, authority: Authority) -> None:
    directory = str(Directory(tmp_path, authority))
    assert complaint(lambda: TlsCredsX509(directory, endpoint="both")) == (
        "Parameter 'endpoint' does not accept value 'both'"
    )
    assert complaint(lambda: TlsCredsX509(directory, priority="FAST")) == (
        "Unable to set TLS session priority FAST: 'FAST' is no level such as NORMAL"
    )


def test_anonymous_credentials_exclude_tls_1_3() -> None:
    assert TlsCredsAnon(endpoint="server").endpoint == "server"
    assert complaint(lambda: TlsCredsAnon(priority="NORMAL:-VERS-ALL:+VERS-TLS1.3")) == (
        "tls-creds-anon needs TLS 1.2, which the priority string excludes"
    )
