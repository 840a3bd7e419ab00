"""A machine under test: its screen, its serial line and its keyboard."""

from __future__ import annotations

import re
from types import TracebackType

from pyqemu.api.machine import Machine
from pyqemu.chardev.ringbuf import RingbufChardev
from pyqemu.cli.defaults import parse_command_line
from pyqemu.ui.typist import Typist

RING = 1 << 22
_ESCAPES = re.compile(r"\x1b[()][0-9A-B]|\x1b\[[0-9;?]*[A-Za-z]|\x1b[78=>cM]|[\x00\x0e\x0f]")


class SerialLine:
    """The other end of a serial port. What the guest has no room for waits."""

    def __init__(self, chardev: RingbufChardev) -> None:
        self._chardev = chardev
        self._queue = b""
        self._text = ""
        self.raw = b""
        chardev.accept_input = self._pump  # type: ignore[method-assign]

    def send(self, text: str) -> None:
        """Type on the terminal at the other end."""
        with self._chardev.host.lock:
            self._queue += text.encode()
            self._pump()

    def _pump(self) -> None:
        while self._queue and (room := self._chardev.can_receive()) > 0:
            data, self._queue = self._queue[:room], self._queue[room:]
            self._chardev.on_receive(data)

    @property
    def text(self) -> str:
        """Everything the guest has sent, without the terminal's control sequences."""
        with self._chardev.host.lock:
            new = self._chardev.read(RING)
        self.raw += new
        if new:
            self._text = _ESCAPES.sub("", self.raw.decode("utf-8", "replace")).replace("\r", "")
        return self._text


class Guest:
    """A running machine, given its command line. A context manager.

    :param options: as on the command line; a serial line is added
    """

    def __init__(self, *options: str) -> None:
        line = ["-chardev", f"ringbuf,id=line,size={RING}", "-serial", "chardev:line", "-display", "none",
                "-net", "none", *options]  # fmt: skip
        self.machine = Machine(parse_command_line("pyqemu", line, interactive=False).config)
        chardev = self.machine.chardevs.find("line")
        assert isinstance(chardev, RingbufChardev)
        self.serial = SerialLine(chardev)
        self.keyboard = Typist(self.machine.board.put_key, self.machine.system.clock)
        self.machine.start()

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, _: TracebackType | None) -> None:
        if exc is not None and hasattr(exc, "add_note"):
            exc.add_note(f"screen:\n{self.screen}\nserial line (end):\n{self.serial.text[-3000:]}")
        self.machine.close()

    @property
    def screen(self) -> str:
        """The characters on the screen; empty in graphics modes."""
        frame = self.machine.frame()
        return "\n".join(row.rstrip() for row in frame.text) if frame is not None else ""

    def wait_screen(self, text: str, seconds: float) -> None:
        """:raise AssertionError: *text* does not come up on the screen within *seconds* of the host's time."""
        found = self.machine.run_for(seconds, until=lambda: text in self.screen, interval=0.05)
        assert found, f"no {text!r} on the screen after {seconds} s"

    def wait_serial(self, text: str, seconds: float) -> None:
        """:raise AssertionError: *text* does not come over the serial line within *seconds* of the host's time."""
        found = self.machine.run_for(seconds, until=lambda: text in self.serial.text, interval=0.05)
        assert found, f"no {text!r} on the serial line after {seconds} s"

    def wait_exit(self, seconds: float) -> int:
        """Wait until the machine is off; its exit status.

        :raise AssertionError: it goes on.
        """
        system = self.machine.system
        self.machine.run_for(seconds, until=lambda: system.exit_code is not None, interval=0.05)
        assert system.exit_code is not None, f"still running after {seconds} s"
        return system.exit_code

    def run_for(self, seconds: float) -> None:
        """Let it run."""
        self.machine.run_for(seconds)

    def press(self, keys: str) -> None:
        """Press keys as ``sendkey`` names them, one after another (``down down ret``)."""
        with self.machine.system.lock:
            for key in keys.split():
                self.keyboard.send(key)

    def type(self, text: str) -> None:
        """Type *text* on the PS/2 keyboard into a program that echoes it, no faster than that does: keyboards and BIOS
        forget what does not fit into their 16 places."""
        for line in text.splitlines(keepends=True):
            words = re.findall(r".{1,6}", line)
            for number, word in enumerate(words):
                self._type(word)
                self.wait_screen("".join(words[max(0, number - 2) : number + 1]).rstrip(), 60)
            if line.endswith("\n"):
                self._type("\n")

    def _type(self, text: str) -> None:
        with self.machine.system.lock:
            self.keyboard.type(text)
