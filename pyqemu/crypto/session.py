"""One encrypted connection, without the connection: bytes go in and come out.

OpenSSL's errors are put into sentences that name the side and the certificate. For that we listen to the handshake: a
certificate that was refused, an alert that came, are not to be had from OpenSSL afterwards.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Final

from pyqemu.crypto.alerts import CLOSE_NOTIFY, HANDSHAKE_FAILURE, PROTOCOL_VERSION, REFUSAL, describe
from pyqemu.crypto.certificate import Certificate
from pyqemu.crypto.checks import moment
from pyqemu.crypto.credentials import TlsCreds, now
from pyqemu.crypto.der import DerError
from pyqemu.crypto.errors import TlsError

_ALERT, _HANDSHAKE = 21, 22  # content types (RFC 8446 5.1)
_CERTIFICATE, _CERTIFICATE_REQUEST = 11, 13  # handshake messages
FAILED = "TLS handshake failed"
_BEGINNINGS: Final = (b"\x16\x03", b"\x15\x03")  # of what a peer that speaks TLS sends first
_NO_VERSION: Final = frozenset(
    ("UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW", "VERSION_TOO_HIGH", "NO_PROTOCOLS_AVAILABLE", "NO_CIPHERS_AVAILABLE",
     "TLSV1_ALERT_PROTOCOL_VERSION", "INAPPROPRIATE_FALLBACK")
)  # fmt: skip


@dataclass(frozen=True)
class Sides:
    """How messages name the two ends."""

    local: str = "this side"
    peer: str = "the peer"


class TlsSession:
    """See :class:`pyqemu.io.tls.TlsSession`.

    :param host_name: what a client expects in the server's certificate
    """

    def __init__(self, creds: TlsCreds, *, host_name: str | None = None, sides: Sides | None = None) -> None:
        self.creds = creds
        self.host_name = host_name
        self.sides = sides or Sides()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = creds.context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=creds.is_server,
            server_hostname=None if creds.is_server else host_name or None,
        )
        self._first = b""  # of what the peer sent
        self._ended = False  # the peer has closed its side
        self._refusal = b""  # for a peer that does not speak TLS
        self._asked = False  # the server wants to see a certificate
        self._alert: int | None = None  # that the peer sent
        self._certificates: list[Certificate] = []  # of the peer
        creds.observers[self._object] = self._observe

    # -- bytes

    def receive(self, data: bytes) -> None:
        """See the protocol."""
        if data:
            self._first = (self._first + data[:8])[:8]
            self._incoming.write(data)
        else:
            self._ended = True  # not told to OpenSSL, which would not let us write any more

    def take_output(self) -> bytes:
        """See the protocol."""
        refusal, self._refusal = self._refusal, b""
        return refusal or self._outgoing.read()

    def handshake(self) -> bool:
        """See the protocol."""
        if self._first and not self._speaks_tls:
            self._refusal = REFUSAL
            raise self._plain()
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            if self._ended:
                raise self.when_cut_off() from None
            return False
        except ssl.SSLError as error:
            raise self._handshake_error(error) from error
        return True

    def write(self, data: memoryview) -> None:
        """See the protocol."""
        position = 0
        try:
            while position < len(data):
                position += self._object.write(data[position:])
        except ssl.SSLError as error:
            raise self._later_error(error) from error

    def read(self, size: int) -> bytes | None:
        """See the protocol."""
        try:
            return self._object.read(size)
        except ssl.SSLWantReadError:
            return b"" if self._ended else None  # closed without saying so: who needs more will complain
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLError as error:
            raise self._later_error(error) from error

    def end(self) -> None:
        """See the protocol."""
        try:
            self._object.unwrap()
        except ssl.SSLError:
            pass  # the peer has not answered yet, and need not

    # -- listening

    def _observe(self, direction: str, content: int, message: int, data: bytes) -> None:
        if direction != "read":
            return
        if content == _ALERT and len(data) == 2:
            if data[1] != CLOSE_NOTIFY:
                self._alert = data[1]
        elif content == _HANDSHAKE and message == _CERTIFICATE_REQUEST:
            self._asked = True
        elif content == _HANDSHAKE and message == _CERTIFICATE:
            self._certificates = _certificates(data)

    @property
    def _speaks_tls(self) -> bool:
        return len(self._first) < 2 or self._first[:2] in _BEGINNINGS

    @property
    def peer_name(self) -> str | None:
        """See the protocol."""
        if self.creds.context.verify_mode is not ssl.CERT_REQUIRED:
            return None
        verified = self._object.getpeercert(binary_form=True)
        return Certificate.from_der(verified).distinguished_name if verified else None

    @property
    def _peer_certificate(self) -> Certificate | None:
        return self._certificates[0] if self._certificates else None

    # -- sentences

    def suspicion(self) -> str:
        """See the protocol."""
        if self._asked and self.creds.own is None:
            return "it asked for a client certificate, and we have none"
        return ""

    def when_cut_off(self) -> TlsError:
        """See the protocol."""
        if self._alert is not None:
            return self._alerted(f"{FAILED}: ")
        peer = self.sides.peer
        if self._first and not self._speaks_tls:
            return self._plain()
        after = "before it answered: maybe it expects no TLS" if not self._first else "in the middle of the handshake"
        return TlsError(
            f"{FAILED}: The TLS connection was non-properly terminated.", f"{peer} closed the connection {after}"
        )

    def _plain(self) -> TlsError:
        return TlsError(
            f"{FAILED}: An unexpected TLS packet was received.",
            f"{self.sides.peer} does not speak TLS: it began with {_shown(self._first)}",
        )

    def _alerted(self, beginning: str) -> TlsError:
        assert self._alert is not None
        name, meaning = describe(self._alert)
        about = f"alert {name}"
        if self._alert == HANDSHAKE_FAILURE and self._asked and self.creds.own is None:
            meaning = "it demands a client certificate, and we have none"
        if self.creds.own is not None and 42 <= self._alert <= 48:
            about += f", our certificate: {self.creds.own.subject} for {self.creds.own.names}"
        if self._alert == PROTOCOL_VERSION:
            about += f"; we offer {self._versions}"
        return TlsError(f"{beginning}{self.sides.peer} refused: {meaning}", about)

    def _handshake_error(self, error: ssl.SSLError) -> TlsError:
        peer, reason = self.sides.peer, error.reason or ""
        if isinstance(error, ssl.SSLCertVerificationError):
            return self._certificate_error(error)
        if self._alert is not None:
            return self._alerted(f"{FAILED}: ")
        if reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
            return TlsError(
                "Verify failed: No certificate was found.",
                f"{peer} sent no client certificate, and verify-peer=on of {self.sides.local} demands one",
            )
        if reason in _NO_VERSION:
            return TlsError(
                f"{FAILED}: no version of TLS in common", f"{self.sides.local} allows {self._versions}, {peer} does not"
            )
        if reason == "NO_SHARED_CIPHER":
            return TlsError(
                f"{FAILED}: no cipher suite in common",
                f"{self.sides.local} has {self.creds.kind}{'' if self.creds.own else ' without a certificate'}",
            )
        return TlsError(f"{FAILED}: {_words(error)}", f"with {peer}")

    def _later_error(self, error: ssl.SSLError) -> TlsError:
        if self._alert is not None:
            return self._alerted("")
        return TlsError(_words(error), f"with {self.sides.peer}")

    @property
    def _versions(self) -> str:
        context = self.creds.context
        low, high = (_version(entry) for entry in (context.minimum_version, context.maximum_version))
        return f"TLS {low} only" if low == high else f"TLS {low} to {high}"

    def _certificate_error(self, error: ssl.SSLCertVerificationError) -> TlsError:
        found = self._peer_certificate
        peer = f"{self.sides.peer}'s certificate"
        code = error.verify_code
        if code in (62, 63, 64):  # X509_V_ERR_HOSTNAME_MISMATCH and its siblings
            names = f": it is for {found.names}" if found else ""
            return TlsError(
                f"Certificate does not match the hostname {self.host_name}",
                f"{peer} {found.subject if found else ''}{names}; tls-hostname tells which name to expect",
            )
        guilty = self._guilty(code) or found
        about = f"{peer} {guilty.subject}" if guilty else peer
        if guilty is not None and guilty is not found:
            about = f"{guilty.subject} in the chain of {peer}"
        return TlsError(*self._judgement(code, error.verify_message, guilty, about))

    def _judgement(self, code: int, openssl: str, guilty: Certificate | None, about: str) -> tuple[str, str]:
        """Message and context by OpenSSL's number (X509_V_ERR_...)."""
        match code:
            case 10:
                when = f": notAfter {moment(guilty.not_after)}" if guilty else ""
                return "The certificate has expired", about + when
            case 9:
                when = f": notBefore {moment(guilty.not_before)}" if guilty else ""
                return "The certificate is not yet activated", about + when
            case 23:
                return "The certificate has been revoked", about
            case 2 | 18 | 19 | 20 | 21 | 27:
                issuer = f" was issued by {guilty.issuer}" if guilty else ""
                trusted = "; ".join(entry.subject for entry in self.creds.trusted) or "nobody"
                return "The certificate hasn't got a known issuer", f"{about}{issuer}, but ca-cert.pem has {trusted}"
            case 66 | 67 | 68:
                return "The certificate uses an insecure algorithm", f"{about}: {openssl}"
            case 26 | 79:
                return "The certificate is not trusted", f"{about}: its extendedKeyUsage or keyUsage forbids this use"
            case _:
                return "The certificate is not trusted", f"{about}: {openssl}"

    def _guilty(self, code: int) -> Certificate | None:
        """Which certificate of the chain a complaint about time is about."""
        present = now()
        for entry in (*self._certificates, *self.creds.trusted):
            if (code == 10 and entry.not_after < present) or (code == 9 and entry.not_before > present):
                return entry
        return None


def _version(version: ssl.TLSVersion) -> str:
    if version is ssl.TLSVersion.MAXIMUM_SUPPORTED:
        return "1.3"
    if version is ssl.TLSVersion.MINIMUM_SUPPORTED:
        return "1.0"
    return version.name.removeprefix("TLSv").replace("_", ".") if "_" in version.name else "1.0"


def _words(error: ssl.SSLError) -> str:
    return error.reason.replace("_", " ").lower() if error.reason else str(error)


def _shown(data: bytes) -> str:
    text = "".join(chr(value) if 32 <= value < 127 else "." for value in data)
    return f"{data.hex(' ')} ('{text}')"


def _certificates(message: bytes) -> list[Certificate]:
    """What is in a handshake message of type certificate: of TLS 1.2 (RFC 5246 7.4.2) or 1.3 (RFC 8446 4.4.2)."""
    body = message[4:]
    for with_extensions in (True, False):
        try:
            return _entries(body, with_extensions=with_extensions)
        except (DerError, IndexError):
            continue
    return []


def _entries(body: bytes, *, with_extensions: bool) -> list[Certificate]:
    position = 1 + body[0] if with_extensions else 0
    total = int.from_bytes(body[position : position + 3])
    position += 3
    if position + total != len(body):
        raise DerError("another version's message")
    found = []
    while position < len(body):
        length = int.from_bytes(body[position : position + 3])
        position += 3
        found.append(Certificate.from_der(body[position : position + length]))
        position += length
        if with_extensions:
            position += 2 + int.from_bytes(body[position : position + 2])
    return found
