"""``mux``: several frontends on one backend, with an escape key (``mon:stdio``, ``-nographic``).

All frontends' output goes to the backend, input goes to the one in focus.  The escape key (Ctrl-A; ``-echr``
changes it) starts a command: ``h`` help, ``x`` exit, ``s`` commit disks, ``t`` time stamps, ``b`` break,
``c`` next frontend, the escape key again for itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from pyqemu.chardev.base import Chardev, ChardevEvent, ChardevHost

CTRL_A = 0x01
BUFFER_SIZE = 32  # input kept for a frontend that has no room, so that the escape key always works


class MuxPort(Chardev):
    """What a frontend of a multiplexer holds."""

    backend = "mux"

    def __init__(self, label: str, host: ChardevHost, mux: MuxChardev) -> None:
        super().__init__(label, host)
        self._mux = mux
        self.waiting = bytearray()

    @property
    def filename(self) -> str:
        return self._mux.filename

    @property
    def backlog(self) -> int:
        return self._mux.below.backlog

    @property
    def has_focus(self) -> bool:
        """Whether input comes here."""
        return self._mux.focus is self

    def _write(self, data: bytes) -> None:
        self._mux.output(self, data)

    def send_break(self, on: bool) -> None:
        self._mux.below.send_break(on)

    def accept_input(self) -> None:
        self.pass_on()
        if self._mux.focus is self:
            self._mux.below.accept_input()

    def receive(self, data: bytes) -> None:
        """Input while in focus."""
        self.waiting += data
        self.pass_on()

    def pass_on(self) -> None:
        """Give the frontend what it has room for."""
        while self.waiting and (room := self.can_receive()) > 0:
            data = bytes(self.waiting[:room])
            del self.waiting[:room]
            self._deliver(data)

    def event(self, event: ChardevEvent) -> None:
        """Pass an event of the backend, or of focus, to the frontend."""
        if event in (ChardevEvent.OPENED, ChardevEvent.CLOSED):
            self._set_open(event is ChardevEvent.OPENED)
        else:
            self.on_event(event)


class MuxChardev(Chardev):
    """The multiplexer on the backend *below*. Each :meth:`claim` makes a new port.

    :ivar owns_below: whether the backend was made for it, and is closed with it
    """

    backend = "mux"

    def __init__(self, label: str, host: ChardevHost, below: Chardev, *, escape: int = CTRL_A) -> None:
        super().__init__(label, host)
        self.below = below
        self.escape = escape
        self.ports: list[MuxPort] = []
        self.focus: MuxPort | None = None
        self.on_quit: Callable[[], None] | None = None
        self.on_commit: Callable[[], None] | None = None
        self._got_escape = False
        self._ended = False
        self._timestamps = False
        self._line_start = True
        self._started = 0.0
        self.owns_below = False

    @property
    def busy(self) -> bool:
        return bool(self.ports)

    @property
    def backlog(self) -> int:
        return self.below.backlog

    def open(self) -> None:
        self.owns_below = True
        self.below.open()
        self.attach()

    def attach(self) -> None:
        """Become the frontend of the backend, which is open.

        :raise ChardevError: another frontend uses it.
        """
        self.below.claim().connect(self._input, self._room, self._event)
        self.below.on_drain = self._drained
        self.is_open = self.below.is_open

    def close(self) -> None:
        if self.owns_below:
            self.below.close()
        else:
            self.below.release()
        super().close()

    def claim(self) -> MuxPort:
        port = MuxPort(self.label, self.host, self)
        port.in_use = True
        port.is_open = self.below.is_open
        self.ports.append(port)
        if self.focus is None:
            self.focus = port
        return port

    def release_port(self, port: MuxPort) -> None:
        """A frontend goes away for good."""
        self.ports.remove(port)
        port.release()
        if self.focus is port:
            self.focus = self.ports[0] if self.ports else None

    # -- output ---------------------------------------------------------------------------------------

    def output(self, _port: MuxPort, data: bytes) -> None:
        """A frontend writes."""
        self._write(self._stamp(data) if self._timestamps else data)

    def _write(self, data: bytes) -> None:
        if not self._ended:
            self.below.write(data)

    def _stamp(self, data: bytes) -> bytes:
        out = bytearray()
        for line in data.splitlines(keepends=True):
            if self._line_start:
                out += self._time_stamp()
            out += line
            self._line_start = line.endswith(b"\n")
        return bytes(out)

    def _time_stamp(self) -> bytes:
        elapsed = int((time.monotonic() - self._started) * 1000)
        seconds, thousandths = divmod(elapsed, 1000)
        return f"[{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{thousandths:03}] ".encode()

    def _drained(self) -> None:
        for port in self.ports:
            if port.on_drain is not None:
                port.on_drain()

    # -- input ----------------------------------------------------------------------------------------

    def _room(self) -> int:
        if self.focus is None:
            return BUFFER_SIZE  # nobody listens; the escape key must work all the same
        return max(BUFFER_SIZE - len(self.focus.waiting), 0)

    def _input(self, data: bytes) -> None:
        plain = bytearray()
        for byte in data:
            if self._ended:
                return
            if self._got_escape:
                self._got_escape = False
                if byte == self.escape:
                    plain.append(byte)
                    continue
                self._forward(plain)
                self._command(chr(byte))
            elif byte == self.escape:
                self._got_escape = True
            else:
                plain.append(byte)
        self._forward(plain)

    def _forward(self, plain: bytearray) -> None:
        if plain and self.focus is not None:
            self.focus.receive(bytes(plain))
        plain.clear()

    def _command(self, key: str) -> None:
        match key:
            case "h" | "?":
                self.below.write(self._help())
            case "x":
                self._quit()
            case "s":
                if self.on_commit is not None:
                    self.on_commit()
            case "b":
                if self.focus is not None:
                    self.focus.event(ChardevEvent.BREAK)
            case "c":
                self.next_focus()
            case "t":
                self._timestamps = not self._timestamps
                self._started = time.monotonic()
                self._line_start = False
            case _:
                pass

    def _help(self) -> bytes:
        name = f"C-{chr(self.escape + 96)}" if self.escape <= 26 else f"{self.escape:#04x}"
        lines = [
            "",
            f"{name} h    print this help",
            f"{name} x    exit emulator",
            f"{name} s    save disk data back to file (if -snapshot)",
            f"{name} t    toggle console timestamps",
            f"{name} b    send break (magic sysrq)",
            f"{name} c    switch between console and monitor",
            f"{name} {name}  sends {name}",
            "",
        ]
        return "\r\n".join(lines).encode()

    def _quit(self) -> None:
        """Ask for the program's end. To the user this is the end: the guest runs on until the main loop has stopped it,
        and what it and the monitor still say must not follow the farewell."""
        self.below.write(b"QEMU: Terminated\r\n")
        self._ended = True
        if self.on_quit is not None:
            self.on_quit()

    def next_focus(self) -> None:
        """Give input to the next frontend in turn."""
        if self.focus is None:
            return
        if len(self.ports) == 1:
            self.below.write(b"\r\n(there is no monitor here to switch to)\r\n")
            return
        before = self.focus
        self.focus = self.ports[(self.ports.index(before) + 1) % len(self.ports)]
        before.event(ChardevEvent.MUX_OUT)
        self.focus.event(ChardevEvent.MUX_IN)

    def set_focus(self, port: Chardev) -> None:
        """Give input to *port*, one of ours."""
        while self.focus is not port and port in self.ports:
            self.next_focus()

    def _event(self, event: ChardevEvent) -> None:
        self.is_open = self.below.is_open
        for port in list(self.ports):
            port.event(event)
