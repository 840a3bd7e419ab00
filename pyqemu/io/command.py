"""Channels to a command of the shell (``exec:``): its input, or its output, and how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress

from pyqemu.io.channel import DescriptorChannel, Timeouts, deadline_of
from pyqemu.io.errors import CloseError, ConnectError, ReadError, WriteError, reason
from pyqemu.io.interrupt import READABLE, Interrupt

SHELL = "/bin/sh"
MOST_COMPLAINTS = 2000  # bytes of the command's standard error that are kept: the last ones
GRACE = 0.5  # seconds between asking a command to end and killing it
CANNOT_START = (126, 127)  # what a shell says if it cannot execute a command, or does not find it


class CommandChannel(DescriptorChannel):
    """A command that reads what is written, or writes what is read. It is ended with the channel.

    Its standard error is kept for the message that will be needed if it fails.
    """

    kind = "command"

    def __init__(self, command: str, interrupt: Interrupt, timeouts: Timeouts, *, writing: bool) -> None:
        """Start it.

        :raise ConnectError: not even the shell can be started.
        """
        super().__init__(f"exec:{command}", interrupt, timeouts, two_way=False)
        self.command = command
        self._complaints = b""
        try:
            self._process = subprocess.Popen(
                [SHELL, "-c", command],
                stdin=subprocess.PIPE if writing else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if writing else subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,  # so that all of it can be ended
            )
        except (OSError, ValueError) as error:
            text = reason(error) if isinstance(error, OSError) else str(error)
            raise ConnectError(f"Failed to start command: {text}", self.peer, peer=self.peer, cause=error) from error
        pipe = self._process.stdin if writing else self._process.stdout
        assert pipe is not None and self._process.stderr is not None
        self._pipe, self._stderr = pipe, self._process.stderr
        os.set_blocking(self._pipe.fileno(), False)
        os.set_blocking(self._stderr.fileno(), False)

    # -- data

    def _fileno(self, events: int) -> int:
        return self._pipe.fileno()

    def _send(self, data: memoryview) -> int:
        return os.write(self._pipe.fileno(), data)

    def _receive(self, size: int) -> bytes:
        return os.read(self._pipe.fileno(), size)

    def _wait(self, events: int, deadline: float | None) -> bool:
        """As for any descriptor; a command that complains at length must not stand still because nobody listens."""
        pipe = self._pipe.fileno()
        while True:
            fds = {pipe: events}
            if self._listening:
                fds[self._stderr.fileno()] = READABLE
            ready = self.interrupt.wait(fds, deadline)
            if not ready or pipe in ready:
                return bool(ready)
            self._listen()

    @property
    def _listening(self) -> bool:
        return not self._stderr.closed

    def _listen(self) -> None:
        """Take what it says on its standard error."""
        while self._listening:
            try:
                said = os.read(self._stderr.fileno(), 65536)
            except BlockingIOError:
                return
            except OSError:
                said = b""
            if not said:
                self._stderr.close()
            self._complaints = (self._complaints + said)[-MOST_COMPLAINTS:]

    def _write_failed(self, error: OSError) -> WriteError:
        failure = super()._write_failed(error)
        if isinstance(error, BrokenPipeError) and self._wait_for_end(deadline_of(self.timeouts.close)):
            return WriteError(failure.message, f"{self.peer}: {self._how_it_ended()}", peer=self.peer, cause=error)
        return failure

    def read_now(self, size: int) -> bytes | None:
        data = super().read_now(size)
        if data == b"" and self._wait_for_end(deadline_of(self.timeouts.close)) and self._process.returncode:
            raise ReadError(
                "Unable to read from command: Unexpected end of file",
                f"{self.peer}: {self._how_it_ended()}",
                peer=self.peer,
            )
        return data

    # -- the end

    def finish(self) -> None:
        """It sees the end of its input; wait until it has ended, and see how."""
        with suppress(OSError):
            self._pipe.close()
        if not self._wait_for_end(deadline_of(self.timeouts.write)):
            raise CloseError(
                "Command failed: Connection timed out",
                f"{self.peer}: it has all its input but still runs after {self.timeouts.write:g} seconds",
                peer=self.peer, timed_out=True,
            )  # fmt: skip
        if self._process.returncode:
            raise CloseError(f"Command failed: {self._how_it_ended()}", self.peer, peer=self.peer)

    def _wait_for_end(self, deadline: float | None) -> bool:
        pause = 0.001
        while self._process.poll() is None:
            if deadline is not None and time.monotonic() >= deadline:
                return False
            self._listen()
            self.interrupt.sleep(pause)
            pause = min(pause * 2, 0.05)
        self._listen()
        return True

    def _how_it_ended(self) -> str:
        code = self._process.returncode
        if code < 0:
            text = f"the command was killed by signal {-code} ({signal.Signals(-code).name})"
        elif code in CANNOT_START:
            text = f"the command could not be started, exit status {code}"
        else:
            text = f"the command exited with status {code}"
        said = " ".join(self._complaints.decode(errors="replace").split())
        return f"{text}: {said}" if said else text

    def close(self) -> None:
        for pipe in (self._pipe, self._stderr):
            with suppress(OSError):
                pipe.close()
        if self._process.poll() is None:
            self._end()

    def _end(self) -> None:
        """It was not waited for, or does not end: first ask, then make it."""
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
