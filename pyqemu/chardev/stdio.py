"""``stdio``: the terminal, or whatever standard input and output are."""

from __future__ import annotations

from typing import ClassVar

from pyqemu.chardev.base import ChardevHost
from pyqemu.chardev.errors import ChardevError
from pyqemu.chardev.fd import FdChardev
from pyqemu.chardev.terminal import Terminal


class StdioChardev(FdChardev):
    """Standard input and output; only one in a program."""

    backend = "stdio"
    _holder: ClassVar[StdioChardev | None] = None

    def __init__(
        self,
        label: str,
        host: ChardevHost,
        *,
        allow_signals: bool = True,
        input_fd: int = 0,
        output_fd: int = 1,
    ) -> None:
        super().__init__(label, host)
        self._fds = input_fd, output_fd
        self.terminal = Terminal(input_fd, allow_signals=allow_signals)

    def open(self) -> None:
        if StdioChardev._holder is not None:
            raise ChardevError("cannot use stdio by multiple character devices")
        StdioChardev._holder = self
        self.terminal.enter()
        self._attach(*self._fds)
        self._set_open(True)

    @classmethod
    def give_back(cls, host: ChardevHost) -> None:
        """Restore the terminal, if it is *host* that has it."""
        if cls._holder is not None and cls._holder.host is host:
            cls._holder.close()

    def close(self) -> None:
        super().close()
        if StdioChardev._holder is self:
            StdioChardev._holder = None
            self.terminal.leave()
