"""``file`` and ``pipe``: output to a file; a pair of named pipes; a device file."""

from __future__ import annotations

import os

from pyqemu.chardev.base import ChardevHost
from pyqemu.chardev.errors import ChardevError
from pyqemu.chardev.fd import FdChardev


class FileChardev(FdChardev):
    """``file``: output goes to a file; input, if any, comes from another."""

    backend = "file"

    def __init__(self, label: str, host: ChardevHost, path: str, *, append: bool = False, input_path: str = "") -> None:
        super().__init__(label, host)
        self.path = path
        self.append = append
        self.input_path = input_path
        self._input_fd = -1

    def open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if self.append else os.O_TRUNC)
        try:
            fd = self.open_path(self.path, flags)
        except OSError as error:
            raise ChardevError(f"Failed to open file '{self.path}': {error.strerror}") from None
        if self.input_path:
            try:
                self._input_fd = self.open_path(self.input_path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                os.close(fd)
                raise ChardevError(f"Failed to open file '{self.input_path}': {error.strerror}") from None
        self._attach(self._input_fd, fd)
        self._set_open(True)

    def close(self) -> None:
        fds = (self.write_fd, self._input_fd)
        super().close()
        self._input_fd = -1
        for fd in fds:
            if fd >= 0:
                os.close(fd)


class PipeChardev(FdChardev):
    """``pipe``: ``PATH.in`` and ``PATH.out``, or one two-way *path*; the other side made them."""

    backend = "pipe"

    def __init__(self, label: str, host: ChardevHost, path: str) -> None:
        super().__init__(label, host)
        self.path = path

    def open(self) -> None:
        # Opened for both directions a FIFO never blocks at open and never reports an end of file.
        try:
            read_fd = os.open(f"{self.path}.in", os.O_RDWR)
            write_fd = os.open(f"{self.path}.out", os.O_RDWR)
        except OSError:
            try:
                read_fd = write_fd = self.open_path(self.path, os.O_RDWR)
            except OSError as error:
                raise ChardevError(f"Could not open '{self.path}': {error.strerror}") from None
        self._attach(read_fd, write_fd)
        self._set_open(True)

    def close(self) -> None:
        fds = {self.read_fd, self.write_fd} - {-1}
        super().close()
        for fd in fds:
            os.close(fd)
