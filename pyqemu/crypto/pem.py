"""Files of certificates."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

from pyqemu.crypto.certificate import Certificate
from pyqemu.crypto.der import DerError
from pyqemu.crypto.errors import CredentialsError

MOST_BYTES = 4 << 20
_BLOCK = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def read_file(path: Path) -> bytes:
    """What is in a file of credentials.

    :raise CredentialsError: it cannot be read, or is no such file by its size.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise CredentialsError(f"Unable to access credentials {path}: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise CredentialsError(f"Unable to access credentials {path}: larger than {MOST_BYTES >> 20} MiB")
    return data


def read_certificates(path: Path) -> list[Certificate]:
    """All certificates of a file, at least one.

    :raise CredentialsError: it cannot be read, or one of them is broken.
    """
    text = read_file(path).decode("latin-1")
    found = []
    for match in _BLOCK.finditer(text):
        try:
            found.append(Certificate.from_der(ssl.PEM_cert_to_DER_cert(match[0])))
        except (DerError, ValueError) as error:
            raise CredentialsError(f"Unable to import certificate {path}: {error}") from None
    if not found:
        raise CredentialsError(f"Unable to import certificate {path}: there is none in it")
    return found
