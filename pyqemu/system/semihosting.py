"""Semihosting: what a guest without an operating system asks of the host, whatever its architecture.

Here are the files that it has opened, its console, clock, errors and end. How it asks is its architecture's matter:
`targets/arm/semihosting.py`. All services are those of a C library, and as such fail with :class:`OSError`.

A guest that may do this has the operator's rights (that is what the option means), but it cannot make us crash or hang:
its handles are its own and not the process's, there are not too many, and where the host keeps it waiting it is told to
ask again (:class:`NotReady`), so that the machine goes on meanwhile.
"""

from __future__ import annotations

import errno
import os
import secrets
import select
import subprocess
import tempfile
import time

from pyqemu.system.runstate import System
from pyqemu.system.states import ShutdownCause

STDIN, STDOUT, STDERR = 0, 1, 2
MAX_FILES = 256  #: that are open at once, those above too
MAX_COMMANDS = 8  #: that run at once
MAX_COMPLAINTS = 8
PATIENCE = 1.0  #: seconds that a reader of what the guest writes may let it wait
PIECE = 4096  #: bytes that a pipe takes without blocking, where it takes any (POSIX, PIPE_BUF)
OPEN_ALWAYS = os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK  #: nor does a FIFO without a writer hold us up
CENTISECOND = 10_000_000  #: ns


class NotReady(Exception):
    """The host cannot answer yet: the guest shall ask again, soon."""


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


class Semihosting:
    """The host, as one machine's guest sees it.

    *command_line* is what the guest's program is told; *streams* are the host's descriptors of its standard input,
    output and error.

    :ivar errno: of the last service that failed; the host's number
    """

    def __init__(self, system: System, command_line: str = "", streams: tuple[int, int, int] = (0, 1, 2)) -> None:
        self.system = system
        self.command_line = command_line
        self.errno = 0
        self._streams = streams
        self._files = dict(enumerate(streams))
        self._commands: dict[tuple[int, bytes], subprocess.Popen[bytes]] = {}
        self._names = f"pyqemu-{secrets.token_hex(4)}-"
        self._complaints: set[str] = set()
        system.on_reset(self.reset)
        system.on_exit(self.reset)

    def reset(self) -> None:
        """Close what the guest has opened, and end what it has begun: it is no more."""
        for descriptor in self._files.values():
            if descriptor not in self._streams:
                os.close(descriptor)
        self._files = dict(enumerate(self._streams))
        for process in self._commands.values():
            process.kill()
            process.wait()
        self._commands.clear()

    # --- files --------------------------------------------------------------------------------------------------------

    def open(self, name: bytes, flags: int) -> int:
        """Open a file of the host with ``os.O_...`` *flags*, and return a handle for it, which is not zero."""
        handle = self._free_handle()
        self._files[handle] = os.open(name, flags | OPEN_ALWAYS, 0o644)
        return handle

    def open_stream(self, number: int) -> int:
        """The handle of a standard stream, which may have been closed before."""
        self._files[number] = self._streams[number]
        return number

    def _free_handle(self) -> int:
        free = next((handle for handle in range(len(self._streams), MAX_FILES) if handle not in self._files), None)
        if free is None:
            raise _error(errno.EMFILE)
        return free

    def _descriptor(self, handle: int) -> int:
        descriptor = self._files.get(handle)
        if descriptor is None:
            raise _error(errno.EBADF)
        return descriptor

    def close(self, handle: int) -> None:
        """Forget a handle; the standard streams stay open for others."""
        descriptor = self._descriptor(handle)
        del self._files[handle]
        if descriptor not in self._streams:
            os.close(descriptor)

    def read(self, handle: int, count: int) -> bytes:
        """Up to *count* bytes; none at the end of the file.

        :raise NotReady: none have come yet.
        """
        descriptor = self._descriptor(handle)
        if not count:
            return b""
        if not _is_ready(descriptor, select.POLLIN):
            raise NotReady
        try:
            return os.read(descriptor, count)
        except BlockingIOError:
            raise NotReady from None

    def write(self, handle: int, data: bytes) -> int:
        """Write, and return how many bytes were written: fewer where nobody takes them."""
        return _write(self._descriptor(handle), data)

    def is_terminal(self, handle: int) -> bool:
        """Whether somebody sits there."""
        return os.isatty(self._descriptor(handle))

    def seek(self, handle: int, position: int) -> None:
        """Go on reading and writing so many bytes from the file's start."""
        descriptor = self._descriptor(handle)
        if position >> 63:
            raise _error(errno.EINVAL)
        os.lseek(descriptor, position, os.SEEK_SET)

    def length(self, handle: int) -> int:
        """Bytes of the file."""
        return os.fstat(self._descriptor(handle)).st_size

    @staticmethod
    def remove(name: bytes) -> None:
        """Delete a file, or an empty directory."""
        if os.path.isdir(name) and not os.path.islink(name):
            os.rmdir(name)
        else:
            os.unlink(name)

    @staticmethod
    def rename(old: bytes, new: bytes) -> None:
        """Give a file another name."""
        os.rename(old, new)

    def temporary_name(self, number: int) -> bytes:
        """A name for a file that is not there, the same one for the same number."""
        return os.fsencode(os.path.join(tempfile.gettempdir(), f"{self._names}{number:02x}"))

    # --- the console --------------------------------------------------------------------------------------------------

    def print(self, text: bytes) -> None:
        """Write to the debugger's console, which is standard error, as in QEMU."""
        _write(self._streams[STDERR], text)

    def complain(self, text: str) -> None:
        """Tell the operator, once, that the guest wants what there is not."""
        if text not in self._complaints and len(self._complaints) < MAX_COMPLAINTS:
            self._complaints.add(text)
            self.print(f"semihosting: {text}\n".encode())

    def read_key(self) -> int:
        """The next byte of standard input.

        :raise NotReady: none has come yet.
        :raise OSError: there will be none (EIO).
        """
        self.open_stream(STDIN)
        data = self.read(STDIN, 1)
        if not data:
            raise _error(errno.EIO)
        return data[0]

    # --- time, commands, the end --------------------------------------------------------------------------------------

    def centiseconds(self) -> int:
        """Hundredths of a second that the guest has run, by its own clock."""
        return self.system.clock.now() // CENTISECOND

    def seconds(self) -> int:
        """Seconds since 1970, as ``-rtc`` has them."""
        return int(self.system.rtc_clock.time())

    def run(self, who: int, command: bytes) -> int:
        """Let the host's shell run a command, and return how it ended, in the form of ``wait()``.

        :param who: the processor that asks: it gets the answer to its own question
        :raise NotReady: it has not ended yet.
        """
        process = self._commands.get((who, command))
        if process is None:
            if len(self._commands) >= MAX_COMMANDS:
                raise _error(errno.EAGAIN)
            process = self._commands[who, command] = subprocess.Popen(command, shell=True)
        status = process.poll()
        if status is None:
            raise NotReady
        del self._commands[who, command]
        return -status if status < 0 else status << 8

    def exit(self, status: int) -> None:
        """End the program, with the guest's exit status."""
        self.system.request_exit(status & 0xFF, ShutdownCause.GUEST_SHUTDOWN)


def _is_ready(descriptor: int, event: int, timeout: float = 0.0) -> bool:
    """Whether reading or writing would not block, also because it would fail."""
    poll = select.poll()
    poll.register(descriptor, event)
    return bool(poll.poll(timeout * 1000))


def _write(descriptor: int, data: bytes) -> int:
    """Write as much as somebody takes within :data:`PATIENCE`.

    :raise OSError: nothing could be written.
    """
    end = time.monotonic() + PATIENCE
    done = 0
    while done < len(data):
        if not _is_ready(descriptor, select.POLLOUT, max(0.0, end - time.monotonic())):
            break
        try:
            done += os.write(descriptor, data[done : done + PIECE])
        except BlockingIOError:
            continue
        except OSError:
            if not done:
                raise
            break
    if data and not done:
        raise _error(errno.EAGAIN)
    return done
