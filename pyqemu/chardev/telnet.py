"""What of the telnet protocol a console needs (RFC 854, RFC 857, RFC 858, RFC 856)."""

from __future__ import annotations

IAC, DONT, DO, WONT, WILL, SB = 255, 254, 253, 252, 251, 250
BREAK, SE = 243, 240
BINARY, ECHO, SUPPRESS_GO_AHEAD = 0, 1, 3

# The guest echoes, there are no go-aheads, and bytes are bytes in both directions.
GREETING = bytes((
    IAC, WILL, ECHO,
    IAC, WILL, SUPPRESS_GO_AHEAD,
    IAC, WILL, BINARY,
    IAC, DO, BINARY,
))  # fmt: skip


class TelnetFilter:
    """Takes the protocol out of a peer's bytes; keeps state from portion to portion."""

    def __init__(self) -> None:
        self._state = "data"  # or "command", "option", "subnegotiation", "sub-command"

    def feed(self, data: bytes) -> tuple[bytes, int]:
        """The bytes that are data, and how many breaks came along."""
        out = bytearray()
        breaks = 0
        for byte in data:
            match self._state:
                case "data":
                    if byte == IAC:
                        self._state = "command"
                    else:
                        out.append(byte)
                case "command":
                    self._state = "data"
                    if byte == IAC:
                        out.append(byte)
                    elif byte == BREAK:
                        breaks += 1
                    elif byte == SB:
                        self._state = "subnegotiation"
                    elif byte >= WILL:
                        self._state = "option"
                case "option":
                    self._state = "data"
                case "subnegotiation":
                    self._state = "sub-command" if byte == IAC else "subnegotiation"
                case _:
                    self._state = "data" if byte == SE else "subnegotiation"
        return bytes(out), breaks
