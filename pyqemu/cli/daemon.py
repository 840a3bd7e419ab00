"""The process itself: its background life, its pid file, its user, its name.

``-daemonize`` keeps QEMU's contract: the program that was started ends with status 0 when the machine is ready, its
sockets listen and the pid file is written; if the machine cannot be made, it ends with status 1, and what is wrong
stands on its standard error.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
from collections.abc import Callable

from pyqemu.cli.options.registry import ProcessOptions
from pyqemu.util.errors import OptionError

READY = b"\0"
UMASK = 0o027
NAME_SIZE = 15  # what Linux keeps of a process's name
MCL_CURRENT, MCL_FUTURE = 1, 2


class Background:
    """The way into the background. Forks in its constructor, so make it before there are threads.

    :ivar is_parent: whether this is the process that was started: it only waits for :attr:`status`
    """

    def __init__(self) -> None:
        receiver, self._sender = os.pipe()
        self.status = 1
        self.is_parent = os.fork() != 0
        if self.is_parent:
            os.close(self._sender)
            self._await(receiver)
            return
        os.close(receiver)
        os.setsid()
        if os.fork():  # whoever leads a session could get a terminal again
            os._exit(0)
        os.umask(UMASK)

    def _await(self, receiver: int) -> None:
        """Until the machine is ready, or its process is gone without having said so."""
        with open(receiver, "rb", buffering=0) as pipe:
            self.status = 0 if pipe.read(1) == READY else 1

    def ready(self) -> None:
        """Let go of the terminal, and let the parent end."""
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        os.close(null)
        os.write(self._sender, READY)
        os.close(self._sender)


class PidFile:
    """The file with our process's number, locked while we live. Close it to remove it.

    :raise OptionError: it cannot be written, or another process holds it.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(self._fd, 0)
                os.write(self._fd, b"%d\n" % os.getpid())
            except OSError:
                os.close(self._fd)
                raise
        except OSError as error:
            held = error.errno in (errno.EAGAIN, errno.EACCES) and os.access(path, os.W_OK)
            hint = "a running emulator has it" if held else "a file that can be written"
            raise OptionError(f"-pidfile {path}: Could not acquire pid file: {error.strerror}", hint) from None

    def close(self) -> None:
        """Remove and unlock it."""
        try:
            os.unlink(self.path)
        except OSError:
            pass  # somebody has tidied up already, or we may not any more
        os.close(self._fd)


def become_user(name: str) -> None:
    """Give up being root (``-runas``).

    :raise OptionError: the host refuses.
    """
    import pwd

    user = pwd.getpwnam(name)
    try:
        os.initgroups(name, user.pw_gid)
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
    except OSError as error:
        raise OptionError(f"-runas {name}: {error.strerror}", "only root may become another user") from None


def set_process_name(name: str) -> None:
    """What ``ps`` and ``top`` show (``-name process=``)."""
    try:
        with open("/proc/self/comm", "wb", buffering=0) as file:
            file.write(os.fsencode(name)[:NAME_SIZE])
    except OSError:
        pass  # no Linux: it is a convenience, nothing depends on it


def lock_memory() -> None:
    """Keep all our memory, the guest's with it, from being swapped out.

    :raise OptionError: the host refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(MCL_CURRENT | MCL_FUTURE):
        reason = os.strerror(ctypes.get_errno())
        raise OptionError(
            f"-overcommit mem-lock=on: locking memory failed: {reason}", "ulimit -l tells how much may be"
        )


def settle(options: ProcessOptions, background: Background | None) -> Callable[[], None]:
    """What is to be done when the machine is ready, as a function that does it."""

    def ready() -> None:
        if options.run_as:
            become_user(options.run_as)
        if background is not None:
            background.ready()

    return ready
