"""Secrets: as they are, in base64, encrypted."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.crypto.aes import decrypt_cbc
from pyqemu.crypto.errors import CredentialsError
from pyqemu.crypto.secret import load_secret

KEY, IV = bytes(range(32)), bytes(range(16))


def encrypted(plain: bytes, key: bytes = KEY, iv: bytes = IV) -> bytes:
    padding = 16 - len(plain) % 16
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(plain + bytes((padding,)) * padding) + encryptor.finalize()


def test_plain_and_base64(tmp_path: Path) -> None:
    assert load_secret(data="let me in") == b"let me in"
    assert load_secret(data="bGV0IG1l\nIGlu", format="base64") == b"let me in"
    (tmp_path / "s").write_bytes(b"\xff\0")
    assert load_secret(file=str(tmp_path / "s")) == b"\xff\0"


@given(plain=st.binary(max_size=70), size=st.sampled_from((16, 24, 32)))
def test_aes_agrees_with_another_implementation(plain: bytes, size: int) -> None:
    padded = plain + bytes(-len(plain) % 16)
    cipher = Cipher(algorithms.AES(KEY[:size]), modes.CBC(IV)).encryptor()
    assert decrypt_cbc(KEY[:size], IV, cipher.update(padded) + cipher.finalize()) == padded


def test_encrypted() -> None:
    text = base64.b64encode(encrypted(b"let me in")).decode()
    iv = base64.b64encode(IV).decode()
    assert load_secret(data=text, format="base64", key=KEY, iv=iv) == b"let me in"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({}, "Either 'file' or 'data' must be provided"),
        ({"data": "x", "file": "y"}, "'file' and 'data' are mutually exclusive"),
        ({"file": "/nosuch"}, "Unable to read /nosuch: No such file or directory"),
        ({"data": "?", "format": "base64"}, "Base64 data of the secret is not valid"),
        ({"data": "x", "iv": "AA=="}, "'iv' is of use with 'keyid' only"),
        ({"data": "x", "key": KEY}, "'iv' is required to decrypt a secret"),
        ({"data": "x", "key": b"k", "iv": "AA=="}, "Key of 32 bytes expected to decrypt the secret, but it has 1"),
        ({"data": "x", "key": KEY, "iv": "AA=="}, "IV should be 16 bytes in length, not 1"),
        (
            {"data": "x", "key": KEY, "iv": base64.b64encode(IV).decode()},
            "encrypted secret has 1 bytes, which is no multiple of 16",
        ),
        (
            {"data": "x" * 16, "key": KEY, "iv": base64.b64encode(IV).decode()},
            "secret cannot be decrypted: its padding is wrong",
        ),
    ],
)
def test_mistakes(how: dict[str, object], message: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        load_secret(**how)  # type: ignore[arg-type]
    assert str(caught.value) == message
