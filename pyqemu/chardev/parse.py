"""The syntax of ``-serial DEV``, and typed reading of the options of ``-chardev``, in QEMU's words.

Both kinds of option come down to a backend name and a dictionary of options.  Pure functions: no chardev is
made here.
"""

from __future__ import annotations

import re

from pyqemu.chardev.errors import ChardevError
from pyqemu.util.errors import OptionError
from pyqemu.util.options import parse_bool, parse_options
from pyqemu.util.units import parse_size

Options = dict[str, str]

DEVICE_FORMS = "stdio, pty, file:PATH, unix:PATH, tcp:HOST:PORT, null, mon:stdio, vc or chardev:ID"
PLAIN = ("null", "stdio", "pty", "msmouse", "braille", "testdev")


def parse_device(text: str) -> tuple[str, Options]:
    """A ``-serial`` style device string.

    :raise ChardevError: it is none.
    """
    if text.startswith("mon:"):
        backend, options = parse_device(text[4:])
        options["mux"] = "on"
        if backend == "stdio":
            options["signal"] = "off"
        return backend, options
    if text in PLAIN:
        return text, {}
    kind, colon, rest = text.partition(":")
    if kind == "vc":
        return "vc", _parse_vc(rest) if colon else {}
    if kind == "con" and colon:
        return "console", {}
    if text.startswith("/dev/"):
        return ("parallel" if text.startswith("/dev/parport") else "serial"), {"path": text}
    if kind in ("file", "pipe") and rest:
        return kind, {"path": rest}
    if kind in ("tcp", "telnet"):
        return "socket", _parse_tcp(rest, telnet=kind == "telnet", whole=text)
    if kind == "udp":
        return "udp", _parse_udp(rest, whole=text)
    if kind == "unix" and rest:
        path, _, more = rest.partition(",")
        return "socket", parse_options(more) | {"path": path}
    if kind == "chardev" and rest:
        return "chardev", {"chardev": rest}
    raise ChardevError(f"'{text}' is not a valid char driver", DEVICE_FORMS)


def _parse_vc(text: str) -> Options:
    if found := re.fullmatch(r"(\d+)Cx(\d+)C", text):
        return {"cols": found[1], "rows": found[2]}
    if found := re.fullmatch(r"(\d+)x(\d+)", text):
        return {"width": found[1], "height": found[2]}
    raise ChardevError(f"'vc:{text}' is not a valid char driver")


def _parse_tcp(rest: str, *, telnet: bool, whole: str) -> Options:
    where, _, more = rest.partition(",")
    found = re.fullmatch(r"(?:\[([^\]]*)\]|([^:]*)):([^:]+)", where)
    if not found:
        raise ChardevError(f"'{whole}' is not a valid char driver", "tcp:HOST:PORT")
    options = parse_options(more)
    options |= {"host": found[1] or found[2] or "", "port": found[3]}
    return options | ({"telnet": "on"} if telnet else {})


def _parse_udp(rest: str, *, whole: str) -> Options:
    remote, at, local = rest.partition("@")
    host, colon, port = remote.rpartition(":")
    if not colon or not port:
        raise ChardevError(f"'{whole}' is not a valid char driver")
    options = {"host": host, "port": port}
    if at:
        local_host, _, local_port = local.rpartition(":")
        options |= {"localaddr": local_host, "localport": local_port}
    return options


class OptionReader:
    """Takes typed values out of options, and in the end complains about what nobody asked for."""

    def __init__(self, options: Options) -> None:
        self._left = dict(options)

    def text(self, key: str, default: str = "") -> str:
        return self._left.pop(key, default)

    def flag(self, key: str, default: bool) -> bool:
        """``on`` or ``off``.

        :raise ChardevError: it is something else.
        """
        value = self._left.pop(key, None)
        if value is None:
            return default
        try:
            return parse_bool(value, key)
        except OptionError as error:
            raise ChardevError(str(error)) from None

    def number(self, key: str, default: int) -> int:
        """A natural number, decimal or ``0x``.

        :raise ChardevError: it is something else.
        """
        value = self._left.pop(key, None)
        if value is None:
            return default
        if not re.fullmatch(r"\d+|0[xX][0-9a-fA-F]+", value):
            raise ChardevError(f"Parameter '{key}' expects a number")
        return int(value, 16 if value[:2].lower() == "0x" else 10)

    def size(self, key: str, default: int) -> int:
        """A number of bytes with an optional suffix.

        :raise ChardevError: it is something else.
        """
        value = self._left.pop(key, None)
        if value is None:
            return default
        try:
            return parse_size(value, key)
        except OptionError as error:
            raise ChardevError(str(error), error.hint) from None

    def finish(self) -> None:
        """:raise ChardevError: an option is left."""
        for key in self._left:
            raise ChardevError(f"Invalid parameter '{key}'")
