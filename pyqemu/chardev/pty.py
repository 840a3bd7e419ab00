"""``pty``: a pseudo terminal for another program (``screen /dev/pts/N``, ``virsh console``)."""

from __future__ import annotations

import os
import select
import sys
import tty

from pyqemu.chardev.base import ChardevHost
from pyqemu.chardev.errors import ChardevError
from pyqemu.chardev.fd import FdChardev

CHECK_INTERVAL = 1.0  # seconds between looks whether somebody opened the other side


class PtyChardev(FdChardev):
    """The master side of a pseudo terminal.

    Nobody tells the master when the slave is opened: while it hangs up we look once in a while, and before
    each output. Output is dropped meanwhile.
    """

    backend = "pty"

    def __init__(self, label: str, host: ChardevHost, *, announce: bool = True) -> None:
        super().__init__(label, host)
        self.slave_name = ""
        self._master = -1
        self._announce = announce

    @property
    def filename(self) -> str:
        return f"pty:{self.slave_name}"

    def open(self) -> None:
        try:
            self._master, slave = os.openpty()
        except OSError as error:
            raise ChardevError(f"Failed to create PTY: {error.strerror}") from None
        self.slave_name = os.ttyname(slave)
        tty.setraw(slave)
        os.close(slave)
        if self._announce:
            print(f"char device redirected to {self.slave_name} (label {self.label})", file=sys.stderr)
        self.host.call_soon(self._look)

    def close(self) -> None:
        super().close()
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _hung_up(self) -> bool:
        probe = select.poll()
        probe.register(self._master, select.POLLOUT)
        return any(events & select.POLLHUP for _, events in probe.poll(0))

    def _look(self) -> None:
        """(In the loop's thread.) Connect if somebody is there, else look again later."""
        loop = self.host.loop
        if self._master < 0 or self.is_open or loop is None:
            return
        if self._hung_up():
            loop.call_later(CHECK_INTERVAL, self._look)
        else:
            with self.host.lock:
                self._connected()

    def _connected(self) -> None:
        self._attach(self._master, self._master)
        self._set_open(True)

    def _write(self, data: bytes) -> None:
        if not self.is_open and self._master >= 0 and not self._hung_up():
            self._connected()
        super()._write(data)

    def _end_of_input(self) -> None:
        self._detach()
        self._set_open(False)
        if self.host.loop is not None:
            self.host.loop.call_later(CHECK_INTERVAL, self._look)
