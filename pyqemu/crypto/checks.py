"""Whether certificates can do what they are for, before anybody connects."""

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path

from pyqemu.crypto.certificate import ANY_USAGE, CLIENT_AUTH, SERVER_AUTH, Certificate
from pyqemu.crypto.errors import CredentialsError


def moment(at: datetime) -> str:
    """As messages show it."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def check_usable(certificate: Certificate, path: Path, at: datetime, *, ca: bool = False, server: bool = False) -> None:
    """Look at validity, constraints and usage.

    :param ca: it is an authority's; otherwise, with *server*, a server's, or else a client's
    :raise CredentialsError: it cannot be used so.
    """
    whose = "CA certificate" if ca else "server certificate" if server else "client certificate"
    what = f"The {whose} {path}"
    name = f"subject {certificate.subject}"
    if at > certificate.not_after:
        raise CredentialsError(f"{what} has expired: its notAfter is {moment(certificate.not_after)}", name)
    if at < certificate.not_before:
        raise CredentialsError(
            f"{what} is not yet active: its notBefore is {moment(certificate.not_before)}",
            f"{name}; is the clock right?",
        )
    if ca:
        _check_ca(certificate, what, name)
    else:
        _check_end(certificate, what, name, server=server)


def _check_ca(certificate: Certificate, what: str, name: str) -> None:
    if certificate.is_ca is False:
        raise CredentialsError(f"{what} is not that of an authority: its basicConstraints say CA:FALSE", name)
    if certificate.is_ca is None and certificate.subject != certificate.issuer:
        raise CredentialsError(f"{what} is not that of an authority: it has no basicConstraints", name)
    if certificate.key_usage is not None and "keyCertSign" not in certificate.key_usage:
        raise CredentialsError(f"{what} may not sign certificates: its keyUsage lacks keyCertSign", name)


def _check_end(certificate: Certificate, what: str, name: str, *, server: bool) -> None:
    if certificate.is_ca:
        raise CredentialsError(f"{what} is that of an authority: its basicConstraints say CA:TRUE", name)
    usage = certificate.key_usage
    if usage is not None and not usage & {"digitalSignature", "keyEncipherment", "keyAgreement"}:
        raise CredentialsError(f"{what} cannot be used for TLS: its keyUsage lacks digitalSignature", name)
    purposes = certificate.extended_key_usage
    wanted, word = (SERVER_AUTH, "serverAuth") if server else (CLIENT_AUTH, "clientAuth")
    if purposes is not None and not purposes & {wanted, ANY_USAGE}:
        raise CredentialsError(f"{what} cannot be used by this end of TLS: its extendedKeyUsage lacks {word}", name)


def check_chain(ca: Path, certificate: Path, key: Path, password: bytes | None, *, server: bool) -> None:
    """See whether whoever trusts *ca* trusts *certificate*: by a handshake with ourselves, in memory.

    :raise CredentialsError: no.
    """
    presenting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    judging = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if server else ssl.PROTOCOL_TLS_SERVER)
    for context in (presenting, judging):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    judging.verify_mode = ssl.CERT_REQUIRED
    judging.load_verify_locations(cafile=str(ca))
    presenting.load_cert_chain(str(certificate), str(key), password=password)
    if not server:
        judging.load_cert_chain(str(certificate), str(key), password=password)  # a server must have one, any
    try:
        _shake_hands(judging, presenting, judge_is_server=not server)
    except ssl.SSLCertVerificationError as error:
        raise CredentialsError(
            f"Our own certificate {certificate} failed validation against {ca}: {error.verify_message}"
        ) from None
    except ssl.SSLError as error:
        raise CredentialsError(f"Our own certificate {certificate} cannot be used: {error.reason or error}") from None


def _shake_hands(judging: ssl.SSLContext, presenting: ssl.SSLContext, *, judge_is_server: bool) -> None:
    one, other = ssl.MemoryBIO(), ssl.MemoryBIO()
    judge = judging.wrap_bio(one, other, server_side=judge_is_server)
    presenter = presenting.wrap_bio(other, one, server_side=not judge_is_server)
    for _ in range(4):  # each flight of messages needs one turn
        for side in (presenter, judge):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
