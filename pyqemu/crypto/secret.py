"""Secrets: passwords and keys, given as they are, in base64, or encrypted by another secret (``-object secret``)."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from pyqemu.crypto.aes import decrypt_cbc
from pyqemu.crypto.errors import CredentialsError

KEY_SIZE = 32  # AES-256


def load_secret(
    *,
    data: str | None = None,
    file: str | None = None,
    format: str = "raw",
    key: bytes | None = None,
    iv: str | None = None,
) -> bytes:
    """The secret that properties describe.

    :param key: the secret that decrypts it (AES-256-CBC, padded as PKCS #7 says)
    :param iv: initialization vector for that, in base64
    :raise CredentialsError: they contradict each other, a file cannot be read, or it cannot be decoded or decrypted.
    """
    raw = _input(data, file)
    if key is None:
        if iv is not None:
            raise CredentialsError("'iv' is of use with 'keyid' only", "keyid=ID of the secret that decrypts this one")
        return _from_base64(raw, "data of the secret") if format == "base64" else raw
    if iv is None:
        raise CredentialsError("'iv' is required to decrypt a secret", "iv=BASE64 of 16 bytes")
    encrypted = _from_base64(raw, "data of the secret") if format == "base64" else raw
    return _decrypt(encrypted, key, _from_base64(iv.encode(), "'iv'"))


def _input(data: str | None, file: str | None) -> bytes:
    if (data is None) == (file is None):
        both = "'file' and 'data' are mutually exclusive"
        raise CredentialsError(both if data is not None else "Either 'file' or 'data' must be provided")
    if data is not None:
        return data.encode()
    assert file is not None
    try:
        return Path(file).read_bytes()
    except (OSError, ValueError) as error:
        text = error.strerror if isinstance(error, OSError) else str(error)
        raise CredentialsError(f"Unable to read {file}: {text}") from None


def _from_base64(text: bytes, what: str) -> bytes:
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        raise CredentialsError(f"Base64 {what} is not valid", "format=raw takes it as it is") from None


def _decrypt(encrypted: bytes, key: bytes, iv: bytes) -> bytes:
    if len(key) != KEY_SIZE:
        raise CredentialsError(f"Key of {KEY_SIZE} bytes expected to decrypt the secret, but it has {len(key)}")
    if len(iv) != 16:
        raise CredentialsError(f"IV should be 16 bytes in length, not {len(iv)}")
    if not encrypted or len(encrypted) % 16:
        raise CredentialsError(f"encrypted secret has {len(encrypted)} bytes, which is no multiple of 16")
    plain = decrypt_cbc(key, iv, encrypted)
    padding = plain[-1]
    if not 1 <= padding <= 16 or plain[-padding:] != bytes((padding,)) * padding:
        raise CredentialsError("secret cannot be decrypted: its padding is wrong", "is it another key or iv?")
    return plain[:-padding]
