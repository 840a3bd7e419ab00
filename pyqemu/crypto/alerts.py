"""The alerts of TLS (RFC 8446 section 6.2), in words."""

from __future__ import annotations

from typing import Final

CLOSE_NOTIFY = 0
HANDSHAKE_FAILURE = 40
PROTOCOL_VERSION = 70

REFUSAL: Final = bytes((21, 3, 1, 0, 2, 2, 10))
"""A record with the fatal alert unexpected_message, for a peer whose bytes OpenSSL does not get to see."""

ALERTS: Final = {
    10: ("unexpected_message", "it met a message that it did not expect"),
    20: ("bad_record_mac", "it met a damaged record"),
    22: ("record_overflow", "it met a record that was too long"),
    40: ("handshake_failure", "it has no cipher suite or setting in common with us"),
    42: (
        "bad_certificate",
        "it finds our certificate bad: maybe it is for another host, or not yet valid",
    ),
    43: ("unsupported_certificate", "it finds our certificate unsuitable for this purpose"),
    44: ("certificate_revoked", "it says that our certificate was revoked"),
    45: ("certificate_expired", "it says that our certificate has expired or is not yet valid: are both clocks right?"),
    46: ("certificate_unknown", "it does not accept our certificate"),
    47: ("illegal_parameter", "it met a parameter that is out of range"),
    48: ("unknown_ca", "it does not know the authority that issued our certificate"),
    49: ("access_denied", "it does not let us in"),
    50: ("decode_error", "it could not decode a message"),
    51: ("decrypt_error", "it could not verify a signature"),
    70: ("protocol_version", "it supports no version of TLS that we offer"),
    71: ("insufficient_security", "it demands stronger encryption"),
    80: ("internal_error", "it has a problem of its own"),
    112: ("unrecognized_name", "it does not know the name that we asked for"),
    116: ("certificate_required", "it demands a client certificate, and we sent none"),
    120: ("no_application_protocol", "it has no protocol in common with us"),
}


def describe(code: int) -> tuple[str, str]:
    """Name and meaning of an alert."""
    return ALERTS.get(code, (f"alert {code}", "for a reason that has no name"))
