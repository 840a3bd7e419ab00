"""What a message must look like to be a command."""

from __future__ import annotations

from typing import NamedTuple

from pyqemu.monitor.qmp.stream import JSON
from pyqemu.qapi.errors import QapiError


class Request(NamedTuple):
    """A command that a client wants carried out."""

    name: str
    arguments: dict[str, JSON]
    oob: bool  #: out of band: at once, before what is waiting


def parse_request(message: JSON, *, oob: bool) -> Request:
    """Look at the members of a message.

    :param oob: whether the client has negotiated out-of-band execution
    :raise QapiError: it is no command.
    """
    if not isinstance(message, dict):
        raise QapiError("QMP input must be a JSON object")
    commands = ("execute", "exec-oob") if oob else ("execute",)
    found = ""
    for member, value in message.items():
        if member in commands:
            if not isinstance(value, str):
                raise QapiError(f"QMP input member '{member}' must be a string")
            if found:
                raise QapiError("QMP input member 'execute' clashes with 'exec-oob'")
            found = member
        elif member == "arguments":
            if not isinstance(value, dict):
                raise QapiError("QMP input member 'arguments' must be an object")
        elif member != "id":
            raise QapiError(f"QMP input member '{member}' is unexpected")
    if not found:
        raise QapiError("QMP input lacks member 'execute'")
    return Request(message[found], message.get("arguments", {}), found == "exec-oob")


def parse_capabilities(arguments: dict[str, JSON], offered: tuple[str, ...]) -> frozenset[str]:
    """The arguments of ``qmp_capabilities``: what the client wants of what we offer.

    :raise QapiError: they are malformed, or there is no such capability.
    """
    for name in arguments:
        if name != "enable":
            raise QapiError(f"Parameter '{name}' is unexpected")
    wanted = arguments.get("enable", [])
    if not isinstance(wanted, list):
        raise QapiError("Invalid parameter type for 'enable', expected: array")
    for number, name in enumerate(wanted):
        if not isinstance(name, str):
            raise QapiError(f"Invalid parameter type for 'enable[{number}]', expected: string")
        if name not in offered:
            raise QapiError(f"Parameter 'enable[{number}]' does not accept value '{name}'")
    return frozenset(wanted)
