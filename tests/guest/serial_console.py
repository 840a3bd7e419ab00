"""Talks to the embedded guest over the serial port of an emulator that runs as a child process."""

from __future__ import annotations

import os
import re
import select
import subprocess
import time
from types import TracebackType

_COLOURS = re.compile(rb"\x1b\[[0-9;]*m")
PROMPT = "> "


class SerialConsole:
    """The guest's side of ``-serial stdio``; colours are taken out of what is returned."""

    def __init__(self, command: list[str], timeout: float = 60) -> None:
        self.timeout = timeout
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        self.text = ""  # everything so far

    def __enter__(self) -> SerialConsole:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def read_prompt(self) -> str:
        """What the guest writes up to and without its next prompt."""
        return self._read(lambda text: text.endswith("\n" + PROMPT))[: -len(PROMPT)]

    def press(self, key: str) -> str:
        """Send a key and return what comes up to the next prompt."""
        assert self.process.stdin is not None
        self.process.stdin.write(key.encode())
        return self.read_prompt()

    def press_last(self, key: str) -> tuple[str, int]:
        """Send a key after which the emulator ends; returns the rest of the text and the exit status."""
        assert self.process.stdin is not None
        self.process.stdin.write(key.encode())
        rest = self._read(lambda _: False)
        return rest, self.process.wait(self.timeout)

    def _read(self, complete: object) -> str:
        assert self.process.stdout is not None
        assert callable(complete)
        raw, deadline = b"", time.monotonic() + self.timeout
        while time.monotonic() < deadline:
            if not select.select([self.process.stdout], [], [], 0.5)[0]:
                continue
            chunk = os.read(self.process.stdout.fileno(), 4096)
            if not chunk:
                self.text += _plain(raw)
                return _plain(raw)
            raw += chunk
            if complete(_plain(raw)):
                self.text += _plain(raw)
                return _plain(raw)
        raise TimeoutError(f"the guest did not answer in {self.timeout} s; so far: {_plain(raw)!r}")


def _plain(raw: bytes) -> str:
    return _COLOURS.sub(b"", raw).decode("utf-8", "replace").replace("\r\n", "\n")
