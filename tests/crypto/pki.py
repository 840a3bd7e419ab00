"""Makes authorities and certificates, good and bad ones, for tests."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.now(UTC).replace(microsecond=0)
YEAR = timedelta(days=365)
PAST = (NOW - 2 * YEAR, NOW - YEAR)
FUTURE = (NOW + YEAR, NOW + 2 * YEAR)
PRESENT = (NOW - timedelta(days=1), NOW + YEAR)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key; making this kind is quick."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey, password: bytes | None = None) -> bytes:
    """As a file has it."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def name(common_name: str) -> x509.Name:
    """A subject or issuer."""
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"), x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    )


def key_usage(*, sign: bool = False, digital_signature: bool = True) -> x509.KeyUsage:
    """The extension."""
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=not (digital_signature or sign),
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign,
        crl_sign=sign,
        encipher_only=False,
        decipher_only=False,
    )


class Authority:
    """Issues certificates."""

    def __init__(
        self,
        common_name: str = "Test CA",
        valid: tuple[datetime, datetime] = PRESENT,
        *,
        is_ca: bool | None = True,
        may_sign: bool = True,
    ) -> None:
        self.key = new_key()
        self.name = name(common_name)
        builder = self._builder(self.name, self.key, valid)
        if is_ca is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        builder = builder.add_extension(key_usage(sign=may_sign), critical=True)
        self.certificate = builder.sign(self.key, hashes.SHA256())

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, valid: tuple[datetime, datetime]
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(valid[0])
            .not_valid_after(valid[1])
        )

    @property
    def pem(self) -> bytes:
        """Its own certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(
        self,
        common_name: str,
        *,
        hosts: Sequence[str] = (),
        valid: tuple[datetime, datetime] = PRESENT,
        purpose: str | None = "server",
        digital_signature: bool = True,
        is_ca: bool = False,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> tuple[bytes, ec.EllipticCurvePrivateKey]:
        """A certificate and its key."""
        key = key or new_key()
        builder = self._builder(name(common_name), key, valid)
        builder = builder.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        builder = builder.add_extension(key_usage(digital_signature=digital_signature, sign=is_ca), critical=True)
        if purpose is not None:
            usage = ExtendedKeyUsageOID.SERVER_AUTH if purpose == "server" else ExtendedKeyUsageOID.CLIENT_AUTH
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        names: list[x509.GeneralName] = [_general(host) for host in hosts]
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), key


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


class Directory:
    """A directory of credentials, as QEMU names the files."""

    def __init__(self, path: Path, *trusted: Authority) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        (path / "ca-cert.pem").write_bytes(b"".join(authority.pem for authority in trusted))

    def put(
        self, endpoint: str, pair: tuple[bytes, ec.EllipticCurvePrivateKey], password: bytes | None = None
    ) -> Directory:
        """Add certificate and key of an endpoint."""
        (self.path / f"{endpoint}-cert.pem").write_bytes(pair[0])
        (self.path / f"{endpoint}-key.pem").write_bytes(key_pem(pair[1], password))
        return self

    def __str__(self) -> str:
        return str(self.path)


def server_directory(path: Path, authority: Authority, hosts: Sequence[str] = ("localhost", "127.0.0.1")) -> Directory:
    """What a destination has."""
    return Directory(path, authority).put("server", authority.issue("server1", hosts=hosts))


def client_directory(path: Path, authority: Authority) -> Directory:
    """What a source has."""
    return Directory(path, authority).put("client", authority.issue("client1", purpose="client"))
