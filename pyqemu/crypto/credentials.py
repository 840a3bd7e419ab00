"""TLS credentials: ``tls-creds-x509`` and ``tls-creds-anon``.

Everything is read and checked when the object is made, so that a mistake is found then and not in the first handshake.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

from pyqemu.crypto.certificate import Certificate
from pyqemu.crypto.checks import check_chain, check_usable
from pyqemu.crypto.errors import CredentialsError
from pyqemu.crypto.pem import read_certificates, read_file
from pyqemu.crypto.priority import parse_priority

CA_CERT, CA_CRL, DH_PARAMS = "ca-cert.pem", "ca-crl.pem", "dh-params.pem"
ENDPOINTS: Final = ("client", "server")
ANONYMOUS: Final = "aNULL:!eNULL:@SECLEVEL=0"

Observer = Callable[[str, int, int, bytes], None]
"""Hears every handshake message and alert: direction (``read``, ``write``), content type, message type, bytes."""


def now() -> datetime:
    """The present moment, for comparisons with certificates."""
    return datetime.now(UTC)


class TlsCreds:
    """What both kinds have.

    :ivar endpoint: ``client`` or ``server``: which side may use them
    """

    kind = ""

    def __init__(self, *, endpoint: str = "client", verify_peer: bool = True, priority: str | None = None) -> None:
        if endpoint not in ENDPOINTS:
            raise CredentialsError(
                f"Parameter 'endpoint' does not accept value '{endpoint}'", f"one of {', '.join(ENDPOINTS)}"
            )
        self.endpoint = endpoint
        self.verify_peer = verify_peer
        self.trusted: list[Certificate] = []
        self.own: Certificate | None = None
        side = ssl.PROTOCOL_TLS_SERVER if self.is_server else ssl.PROTOCOL_TLS_CLIENT
        self.context = ssl.SSLContext(side)
        self.context.options |= ssl.OP_NO_RENEGOTIATION
        self.observers: WeakKeyDictionary[object, Observer] = WeakKeyDictionary()
        if self.is_server:
            self.context.num_tickets = 0  # nobody resumes a session, and a writer would not read them
        if priority is not None:
            self.context.minimum_version, self.context.maximum_version = parse_priority(priority)
        # Not documented, but there since Python 3.8: without it messages only lack details of the peer's certificate.
        self.context._msg_callback = self._message  # type: ignore[attr-defined]

    @property
    def is_server(self) -> bool:
        """Whether they are for the side that is connected to."""
        return self.endpoint == "server"

    def _message(
        self, connection: object, direction: str, version: int, content: int, message: int, data: bytes
    ) -> None:
        observer = self.observers.get(connection)
        if observer is not None:
            observer(direction, int(content), int(message), data)


class TlsCredsX509(TlsCreds):
    """Certificates in a directory, under the names that QEMU uses (``ca-cert.pem``, ``server-cert.pem``, ...).

    :param passwordid: only whether there is one is of interest here; *password* is the secret itself
    :raise CredentialsError: a file cannot be read, or a certificate cannot be what it should.
    """

    kind = "tls-creds-x509"

    def __init__(
        self,
        directory: str,
        *,
        endpoint: str = "client",
        verify_peer: bool = True,
        priority: str | None = None,
        password: bytes | None = None,
        sanity_check: bool = True,
        at: datetime | None = None,
    ) -> None:
        super().__init__(endpoint=endpoint, verify_peer=verify_peer, priority=priority)
        self.directory = Path(directory)
        self._password = password
        self._load_trusted()
        self._load_own()
        self.context.check_hostname = not self.is_server and verify_peer
        self.context.verify_mode = ssl.CERT_REQUIRED if verify_peer else ssl.CERT_NONE
        if sanity_check:
            self._check(at or now())

    def _path(self, name: str) -> Path:
        return self.directory / name

    def _load_trusted(self) -> None:
        path = self._path(CA_CERT)
        self.trusted = read_certificates(path)
        try:
            self.context.load_verify_locations(cafile=str(path))
        except ssl.SSLError as error:
            raise CredentialsError(f"Unable to import CA certificate list {path}: {error.reason or error}") from None
        crl = self._path(CA_CRL)
        if crl.exists():
            read_file(crl)
            try:
                self.context.load_verify_locations(cafile=str(crl))
            except ssl.SSLError as error:
                raise CredentialsError(f"Unable to import CRL {crl}: {error.reason or error}") from None
            self.context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF

    def _load_own(self) -> None:
        certificate, key = self._path(f"{self.endpoint}-cert.pem"), self._path(f"{self.endpoint}-key.pem")
        if not self.is_server and not certificate.exists() and not key.exists():
            return  # a client needs none, unless the server wants to see one
        self.own = read_certificates(certificate)[0]
        read_file(key)
        try:
            self.context.load_cert_chain(str(certificate), str(key), password=self._give_password)
        except ssl.SSLError as error:
            raise CredentialsError(
                f"Unable to import {self.endpoint} key {key}: {self._why(error, certificate, key)}"
            ) from None
        dh = self._path(DH_PARAMS)
        if self.is_server and dh.exists():
            load_dh(self.context, dh)

    def _give_password(self) -> bytes:
        if self._password is None:
            raise CredentialsError(
                f"Unable to import {self.endpoint} key {self._path(f'{self.endpoint}-key.pem')}: it is encrypted",
                "passwordid=ID of a secret with its password",
            )
        return self._password

    @staticmethod
    def _why(error: ssl.SSLError, certificate: Path, key: Path) -> str:
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"it does not belong to the certificate in {certificate.name}"
        if b"ENCRYPTED" in read_file(key):
            return "it is encrypted, and the password is wrong"
        return "it holds no private key that can be read"

    def _check(self, at: datetime) -> None:
        for entry in self.trusted:
            check_usable(entry, self._path(CA_CERT), at, ca=True)
        if self.own is None:
            return
        path = self._path(f"{self.endpoint}-cert.pem")
        check_usable(self.own, path, at, server=self.is_server)
        check_chain(
            self._path(CA_CERT), path, self._path(f"{self.endpoint}-key.pem"), self._password, server=self.is_server
        )


class TlsCredsAnon(TlsCreds):
    """Encryption without certificates: anybody may be at the other end.

    :raise CredentialsError: this Python's ssl cannot do it.
    """

    kind = "tls-creds-anon"

    def __init__(self, *, endpoint: str = "client", priority: str | None = None, directory: str | None = None) -> None:
        super().__init__(endpoint=endpoint, verify_peer=False, priority=priority)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        if priority is None or self.context.minimum_version <= ssl.TLSVersion.TLSv1_2:
            self.context.maximum_version = ssl.TLSVersion.TLSv1_2  # TLS 1.3 has no anonymous suites
        else:
            raise CredentialsError("tls-creds-anon needs TLS 1.2, which the priority string excludes")
        try:
            self.context.set_ciphers(ANONYMOUS)
        except ssl.SSLError:
            raise CredentialsError(
                f"tls-creds-anon is not possible: {ssl.OPENSSL_VERSION} has no anonymous cipher suites",
                "use tls-creds-x509",
            ) from None
        if directory and self.is_server and (Path(directory) / DH_PARAMS).exists():
            load_dh(self.context, Path(directory) / DH_PARAMS)


def load_dh(context: ssl.SSLContext, path: Path) -> None:
    """Take parameters for Diffie and Hellman's exchange from a file.

    :raise CredentialsError: it has none.
    """
    read_file(path)
    try:
        context.load_dh_params(str(path))
    except ssl.SSLError as error:
        raise CredentialsError(f"Unable to load DH parameters {path}: {error.reason or error}") from None
