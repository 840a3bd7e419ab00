"""Distinguished names as access lists compare them."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID as Oid

from pyqemu.crypto.der import DerError, Value, parse
from pyqemu.crypto.names import distinguished_name


def name(*relative: list[tuple[x509.ObjectIdentifier, str]]) -> Value:
    sets = [x509.RelativeDistinguishedName([x509.NameAttribute(*pair) for pair in pairs]) for pairs in relative]
    (value,) = parse(x509.Name(sets).public_bytes())
    return value


def test_as_qemu_says_it() -> None:
    """What QEMU 7.2 printed when its list refused a certificate with this name."""
    odd = x509.ObjectIdentifier("1.2.3.4")
    subject = name(
        [(Oid.COUNTRY_NAME, "GB")], [(Oid.STATE_OR_PROVINCE_NAME, "London")], [(Oid.LOCALITY_NAME, "R'lyeh")],
        [(Oid.STREET_ADDRESS, "x")], [(Oid.ORGANIZATION_NAME, 'Acme, Inc.+ "x" <y>;\\ =')],
        [(Oid.ORGANIZATIONAL_UNIT_NAME, "#a ")], [(Oid.DOMAIN_COMPONENT, "example")], [(Oid.USER_ID, "u1")],
        [(Oid.EMAIL_ADDRESS, "a@b.c")], [(Oid.SERIAL_NUMBER, "77")], [(Oid.TITLE, "Dr")],
        [(Oid.GIVEN_NAME, "G"), (Oid.SURNAME, "S")], [(Oid.PSEUDONYM, "p")], [(odd, "odd")],
        [(Oid.COMMON_NAME, " ü client1")],
    )  # fmt: skip
    assert distinguished_name(subject) == (
        r"C=GB,ST=London,L=R'lyeh,street=x,O=Acme\, Inc.\+ \"x\" \<y\>\;\\ =,OU=\#a\ ,DC=example,UID=u1,EMAIL=a@b.c,"
        r"serialNumber=77,title=Dr,surName=S+givenName=G,pseudonym=p,1.2.3.4=#0c036f6464,CN=\ ü client1"
    )


@pytest.mark.parametrize(("text", "expected"), [(" ", "CN=\\ "), ("  ", "CN=\\ \\ "), ("a#b c", "CN=a#b c")])
def test_spaces_at_the_ends(text: str, expected: str) -> None:
    assert distinguished_name(name([(Oid.COMMON_NAME, text)])) == expected


@pytest.mark.parametrize("data", ["0400", "3006 3104 3002 0500", "3004 3102 0500"])
def test_what_is_no_name(data: str) -> None:
    (value,) = parse(bytes.fromhex(data))
    with pytest.raises(DerError):
        distinguished_name(value)
