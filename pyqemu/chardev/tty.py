"""``serial`` (``/dev/NAME``): a terminal line of the host."""

from __future__ import annotations

import fcntl
import os
import termios

from pyqemu.chardev.base import ChardevHost
from pyqemu.chardev.errors import ChardevError
from pyqemu.chardev.fd import FdChardev
from pyqemu.chardev.terminal import Attributes, raw_attributes

TIOCSBRK, TIOCCBRK = 0x5427, 0x5428  # Linux, asm-generic/ioctls.h


class TtyChardev(FdChardev):
    """A serial port, or anything that opens like a terminal."""

    backend = "serial"

    def __init__(self, label: str, host: ChardevHost, path: str) -> None:
        super().__init__(label, host)
        self.path = path
        self._saved: Attributes | None = None

    @property
    def filename(self) -> str:
        return self.path

    def open(self) -> None:
        try:
            fd = self.open_path(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError as error:
            raise ChardevError(f"Could not open '{self.path}': {error.strerror}") from None
        if os.isatty(fd):
            self._saved = termios.tcgetattr(fd)
            attributes = raw_attributes(self._saved, allow_signals=False)
            attributes[1] &= ~termios.OPOST
            termios.tcsetattr(fd, termios.TCSANOW, attributes)
        self._attach(fd, fd)
        self._set_open(True)

    def send_break(self, on: bool) -> None:
        if self._saved is not None and self.write_fd >= 0:
            fcntl.ioctl(self.write_fd, TIOCSBRK if on else TIOCCBRK)

    def close(self) -> None:
        fd = max(self.read_fd, self.write_fd)
        super().close()
        if fd >= 0:
            if self._saved is not None:
                termios.tcsetattr(fd, termios.TCSANOW, self._saved)
            os.close(fd)
