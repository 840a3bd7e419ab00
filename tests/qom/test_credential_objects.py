"""``-object secret`` and ``-object tls-creds-*``: what refers to them finds them by id."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from pyqemu.qom import Container, DeviceError
from pyqemu.qom.objects import create_object
from pyqemu.qom.secret import Secret
from pyqemu.qom.tls_creds import TlsCredsX509Object
from tests.crypto.pki import Authority, Directory, client_directory, key_pem, new_key, server_directory
from tests.crypto.test_secret import IV, KEY, encrypted


def test_secret_that_another_one_decrypts() -> None:
    """As libvirt gives them: a master key in base64, then secrets that are encrypted with it."""
    root = Container()
    create_object(root, "secret", "masterKey0", {"format": "base64", "data": base64.b64encode(KEY).decode()})
    values = {
        "keyid": "masterKey0", "iv": base64.b64encode(IV).decode(), "format": "base64",
        "data": base64.b64encode(encrypted(b"let me in")).decode(),
    }  # fmt: skip
    secret = create_object(root, "secret", "s0", values)
    assert isinstance(secret, Secret)
    assert secret.value == b"let me in"


def test_key_that_is_not_there() -> None:
    with pytest.raises(DeviceError, match="No secret with id 'k0'"):
        create_object(Container(), "secret", "s0", {"data": "x", "keyid": "k0", "iv": ""})


def test_credentials_of_a_server(tmp_path: Path) -> None:
    path = server_directory(tmp_path, Authority())
    made = create_object(Container(), "tls-creds-x509", "tls0", {"dir": str(path), "endpoint": "server"})
    assert isinstance(made, TlsCredsX509Object)
    assert made.creds.endpoint == "server"


def test_key_that_a_secret_opens(tmp_path: Path) -> None:
    authority = Authority()
    directory = client_directory(tmp_path, authority)
    root = Container()
    create_object(root, "secret", "pass0", {"data": "opensesame"})
    key = new_key()
    (tmp_path / "client-cert.pem").write_bytes(authority.issue("client1", purpose="client", key=key)[0])
    (tmp_path / "client-key.pem").write_bytes(key_pem(key, b"opensesame"))
    values = {"dir": str(directory), "endpoint": "client", "passwordid": "pass0"}
    assert isinstance(create_object(root, "tls-creds-x509", "tls0", values), TlsCredsX509Object)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "Missing 'dir' property value"),
        ({"dir": "DIR", "passwordid": "p0"}, "No secret with id 'p0'"),
        ({"dir": "DIR"}, "ca-cert.pem"),
    ],
)
def test_mistakes_are_device_errors(values: dict[str, object], message: str, tmp_path: Path) -> None:
    given = {key: str(Directory(tmp_path)) if value == "DIR" else value for key, value in values.items()}
    with pytest.raises(DeviceError) as caught:
        create_object(Container(), "tls-creds-x509", "tls0", given)
    assert message in str(caught.value)
