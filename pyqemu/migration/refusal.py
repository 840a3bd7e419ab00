"""How a destination tells a source that it could not load the machine, and why.

QEMU's return path ends with a message "shut" whose number tells success or failure. A destination of ours sends that of
a failure also where no return path was opened, and its reason behind it: a source of QEMU does not read there, or not
beyond the message; one of ours looks before it believes that all is well.
"""

from __future__ import annotations

import struct

from pyqemu.io.channel import Channel
from pyqemu.io.errors import ChannelError, WriteError
from pyqemu.io.tls import TLS_RECORDS
from pyqemu.migration.failure import Failure

SHUT = struct.pack(">HHI", 1, 4, 1)  # type, length, "failed"
_MESSAGES = range(1, 7)  # types of what comes by the return path
MOST_TEXT = 1000  # bytes of a reason


def refuse(channel: Channel, failure: Failure) -> None:
    """Tell the source, if it can be told."""
    if not channel.two_way:
        return
    try:
        channel.write(SHUT + str(failure).encode()[:MOST_TEXT])
    except ChannelError:
        pass  # it has gone; it knows, or never will


def check_answer(channel: Channel, error: ChannelError | None = None) -> None:
    """See whether a destination has said why it does not take the machine: then that is the reason of *error*.

    :raise WriteError: it has.
    """
    heard = b"".join(channel.heard())
    reason = reason_in(heard)
    if heard.startswith(TLS_RECORDS):
        context = f"{channel.peer} expects TLS, but tls-creds is not set on this side"
    elif reason is not None:
        context = f"{channel.peer} refused the machine"
        if reason:
            context += f": {reason}"
    else:
        return
    broken = f"{channel.cannot} write to {channel.kind}: Connection reset by peer"
    message = broken if error is None else error.message
    raise WriteError(message, context, peer=channel.peer) from error


def reason_in(heard: bytes) -> str | None:
    """Why a destination refuses the machine, from what it has said; empty if it does not say why, None if it does not
    refuse it. With a return path other messages come before, and that of the failure comes twice."""
    at, refused = 0, False
    while True:
        if heard.startswith(SHUT, at):
            at, refused = at + len(SHUT), True
        elif refused:
            return _printable(heard[at : at + MOST_TEXT])
        else:
            kind, length = struct.unpack_from(">HH", heard, at) if len(heard) >= at + 4 else (0, 0)
            if kind not in _MESSAGES:
                return None
            at += 4 + length


def _printable(text: bytes) -> str:
    """What somebody else wrote must not confuse a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text.decode(errors="replace")).strip()
