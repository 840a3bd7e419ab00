"""Priority strings of GnuTLS, which QEMU's ``priority`` property takes, as settings of OpenSSL.

Levels are taken as they are (``NORMAL``), versions of TLS are respected, ciphers are left to OpenSSL's defaults.
"""

from __future__ import annotations

import ssl
from typing import Final

from pyqemu.crypto.errors import CredentialsError

_LEVELS: Final = frozenset(
    (
        "NORMAL",
        "SYSTEM",
        "PERFORMANCE",
        "LEGACY",
        "PFS",
        "SECURE128",
        "SECURE192",
        "SECURE256",
        "SUITEB128",
        "SUITEB192",
    )
)
VERSIONS: Final = {
    "VERS-TLS1.0": ssl.TLSVersion.TLSv1,
    "VERS-TLS1.1": ssl.TLSVersion.TLSv1_1,
    "VERS-TLS1.2": ssl.TLSVersion.TLSv1_2,
    "VERS-TLS1.3": ssl.TLSVersion.TLSv1_3,
}
_ALL: Final = ("VERS-ALL", "VERS-TLS-ALL")
_DEFAULT: Final = frozenset((ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3))
Range = tuple[ssl.TLSVersion, ssl.TLSVersion]


def parse_priority(text: str) -> Range:
    """The oldest and the newest version of TLS that a priority string allows.

    :raise CredentialsError: it is none, or leaves no version, or leaves a gap between two.
    """
    words = [word for word in text.split(":") if word]
    allowed = set(_DEFAULT)
    for number, word in enumerate(words):
        sign, name = (word[0], word[1:].upper()) if word[0] in "+-!%@" else ("", word.upper())
        if sign in ("", "@"):
            if number or name not in _LEVELS:
                raise _bad(text, f"'{word}' is no level such as NORMAL")
        elif name in _ALL:
            allowed = set(VERSIONS.values()) if sign == "+" else set()
        elif name in VERSIONS:
            allowed = allowed | {VERSIONS[name]} if sign == "+" else allowed - {VERSIONS[name]}
    if not allowed:
        raise _bad(text, "it leaves no version of TLS")
    newest, oldest = max(allowed), min(allowed)
    if any(oldest < version < newest and version not in allowed for version in VERSIONS.values()):
        raise _bad(text, "it leaves out a version of TLS between others")
    return oldest, newest


def _bad(text: str, why: str) -> CredentialsError:
    return CredentialsError(f"Unable to set TLS session priority {text}: {why}", "NORMAL:-VERS-TLS1.3")
