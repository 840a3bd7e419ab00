"""Distinguished names as text: what access lists compare, and operators write.

As QEMU has them by way of GnuTLS: in the certificate's order, escaped as RFC 4514 has it.
"""

from __future__ import annotations

from typing import Final

from pyqemu.crypto.der import SEQUENCE, DerError, Value

_KEYS: Final = {
    "2.5.4.3": "CN", "2.5.4.4": "surName", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
    "2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.13": "description",
    "2.5.4.15": "businessCategory", "2.5.4.17": "postalCode", "2.5.4.20": "telephoneNumber", "2.5.4.41": "name",
    "2.5.4.42": "givenName", "2.5.4.43": "initials", "2.5.4.44": "generationQualifier", "2.5.4.46": "dnQualifier",
    "2.5.4.65": "pseudonym", "0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "EMAIL",
}  # fmt: skip
_SPECIAL: Final = set(',+"\\<>;')


def distinguished_name(value: Value) -> str:
    """``O=Example,CN=client1``.

    :raise DerError: it is no name.
    """
    return ",".join("+".join(map(_attribute, relative.parts())) for relative in value.expect(SEQUENCE).parts())


def _attribute(attribute: Value) -> str:
    parts = attribute.parts()
    if len(parts) != 2:
        raise DerError(f"expected 2 parts, found {len(parts)}")
    kind, text = parts
    key = _KEYS.get(kind.oid())
    return f"{key}={_escaped(text.text())}" if key else f"{kind.oid()}=#{text.whole.hex()}"


def _escaped(text: str) -> str:
    escaped = "".join(f"\\{char}" if char in _SPECIAL else char for char in text)
    if escaped.startswith((" ", "#")):
        escaped = "\\" + escaped
    if text.endswith(" ") and len(text) > 1:
        escaped = escaped[:-1] + "\\ "
    return escaped
