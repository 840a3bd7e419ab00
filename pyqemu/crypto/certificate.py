"""What a certificate says (X.509 version 3, RFC 5280), for messages and for checks before it is used.

Signatures are OpenSSL's business.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pyqemu.crypto.der import BIT_STRING, BOOLEAN, OCTET_STRING, SEQUENCE, DerError, Value, parse
from pyqemu.crypto.names import distinguished_name

_NAMES: Final = {
    "2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.25": "DC", "1.2.840.113549.1.9.1": "emailAddress",
}  # fmt: skip
_KEY_USAGE, _ALT_NAME, _CONSTRAINTS, _EXTENDED = "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.37"
SERVER_AUTH, CLIENT_AUTH, ANY_USAGE = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0"
_KEY_USAGES: Final = (
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign",
    "cRLSign", "encipherOnly", "decipherOnly",
)  # fmt: skip


@dataclass(frozen=True)
class Certificate:
    """One certificate. Absent extensions are None."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    is_ca: bool | None = None
    key_usage: frozenset[str] | None = None
    extended_key_usage: frozenset[str] | None = None
    host_names: tuple[str, ...] = ()
    """DNS names and addresses that it is for."""
    common_name: str = ""
    distinguished_name: str = ""
    """The subject as access lists have it."""

    @property
    def names(self) -> str:
        """The hosts that it is for, as a message lists them."""
        return ", ".join(self.host_names) or self.common_name or "no host"

    @classmethod
    def from_der(cls, data: bytes) -> Certificate:
        """Read one.

        :raise DerError: it is none.
        """
        try:
            return cls._read(data)
        except IndexError:
            raise DerError("parts are missing") from None

    @classmethod
    def _read(cls, data: bytes) -> Certificate:
        (whole,) = _exactly(list(parse(data)), 1)
        body = whole.expect(SEQUENCE).parts()[0].expect(SEQUENCE).parts()
        if body and body[0].tag == 0xA0:  # version
            body = body[1:]
        _, _, issuer, validity, subject, *rest = _at_least(body, 6)
        not_before, not_after = _exactly(validity.expect(SEQUENCE).parts(), 2)
        extensions = next((entry for entry in rest if entry.tag == 0xA3), None)
        found = _extensions(extensions) if extensions is not None else {}
        attributes = _name(subject)
        return cls(
            subject=_shown(attributes),
            issuer=_shown(_name(issuer)),
            not_before=not_before.time(),
            not_after=not_after.time(),
            is_ca=_is_ca(found.get(_CONSTRAINTS)),
            key_usage=_usages(found.get(_KEY_USAGE)),
            extended_key_usage=_extended(found.get(_EXTENDED)),
            host_names=_alternative_names(found.get(_ALT_NAME)),
            distinguished_name=distinguished_name(subject),
            common_name=next((value for key, value in attributes if key == "CN"), ""),
        )


def _at_least(values: list[Value], count: int) -> list[Value]:
    if len(values) < count:
        raise DerError("parts are missing")
    return values


def _exactly(values: list[Value], count: int) -> list[Value]:
    if len(values) != count:
        raise DerError(f"expected {count} parts, found {len(values)}")
    return values


def _name(value: Value) -> list[tuple[str, str]]:
    pairs = []
    for relative in value.expect(SEQUENCE).parts():
        for attribute in relative.parts():
            kind, text = _exactly(attribute.parts(), 2)
            pairs.append((_NAMES.get(kind.oid(), kind.oid()), text.text()))
    return pairs


def _shown(pairs: list[tuple[str, str]]) -> str:
    return ",".join(f"{key}={value}" for key, value in pairs) or "(no name)"


def _extensions(value: Value) -> dict[str, Value]:
    """By object identifier: the one element that each consists of."""
    found = {}
    for entry in value.parts()[0].expect(SEQUENCE).parts():
        kind, *_, content = _at_least(entry.expect(SEQUENCE).parts(), 2)
        (found[kind.oid()],) = _exactly(list(parse(content.expect(OCTET_STRING).content)), 1)
    return found


def _is_ca(value: Value | None) -> bool | None:
    if value is None:
        return None
    return any(part.tag == BOOLEAN and part.content != b"\0" for part in value.expect(SEQUENCE).parts())


def _usages(value: Value | None) -> frozenset[str] | None:
    if value is None:
        return None
    bits = value.expect(BIT_STRING).content[1:]
    return frozenset(
        name
        for number, name in enumerate(_KEY_USAGES)
        if number // 8 < len(bits) and bits[number // 8] & 0x80 >> number % 8
    )


def _extended(value: Value | None) -> frozenset[str] | None:
    return None if value is None else frozenset(part.oid() for part in value.expect(SEQUENCE).parts())


def _alternative_names(value: Value | None) -> tuple[str, ...]:
    names = []
    for part in [] if value is None else value.expect(SEQUENCE).parts():
        if part.tag == 0x82:
            names.append(part.text())
        elif part.tag == 0x87 and len(part.content) in (4, 16):
            names.append(str(ipaddress.ip_address(part.content)))
    return tuple(names)
