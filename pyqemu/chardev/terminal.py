"""The terminal that the user sits at: raw while the guest has it, and always given back as it was found.

Whatever ends the program (return, exception, ``SIGTERM``, ``SIGHUP``, ``SIGQUIT``) restores the modes that
were set before; so does being stopped, and being continued sets ours again (stopping is what the shell does
on ``kill -TSTP``; the keys Ctrl-Z and Ctrl-C belong to the guest unless ``signal=on``).
"""

from __future__ import annotations

import atexit
import os
import signal
import termios
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

Attributes = list[Any]

_IFLAG, _OFLAG, _CFLAG, _LFLAG, _CC = 0, 1, 2, 3, 6
DEADLY = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def raw_attributes(attributes: Attributes, *, allow_signals: bool) -> Attributes:
    """The modes for a guest's console, made from the terminal's own *attributes*.

    Every byte arrives as typed and at once; output keeps its post-processing, so that our own messages need
    no carriage returns.
    """
    raw = list(attributes)
    raw[_IFLAG] &= ~(
        termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP
        | termios.INLCR | termios.IGNCR | termios.ICRNL | termios.IXON
    )  # fmt: skip
    raw[_OFLAG] |= termios.OPOST
    raw[_LFLAG] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN)
    if not allow_signals:
        raw[_LFLAG] &= ~termios.ISIG
    raw[_CFLAG] = raw[_CFLAG] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
    raw[_CC] = list(raw[_CC])
    raw[_CC][termios.VMIN] = 1
    raw[_CC][termios.VTIME] = 0
    return raw


class Terminal:
    """One terminal in raw mode. Use as a context manager, or call :meth:`enter` and :meth:`leave`."""

    def __init__(self, fd: int, *, allow_signals: bool = False) -> None:
        self.fd = fd
        self.allow_signals = allow_signals
        self.is_terminal = os.isatty(fd)
        self._saved: Attributes | None = None
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Terminal:
        self.enter()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def enter(self) -> None:
        """Make the terminal raw; nothing happens if it is none."""
        if not self.is_terminal or self._saved is not None:
            return
        self._saved = termios.tcgetattr(self.fd)
        atexit.register(self.leave)
        self._install_handlers()
        self._set_raw()

    def leave(self) -> None:
        """Restore the modes and signal handlers found by :meth:`enter`."""
        if self._saved is None:
            return
        atexit.unregister(self.leave)
        self._restore()
        self._saved = None
        self._remove_handlers()

    def _set_raw(self) -> None:
        if self._saved is not None:
            self._apply(raw_attributes(self._saved, allow_signals=self.allow_signals))

    def _restore(self) -> None:
        if self._saved is not None:
            self._apply(self._saved)

    def _apply(self, attributes: Attributes) -> None:
        """Set modes; a background process must not be stopped by that (``SIGTTOU``)."""
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        try:
            termios.tcsetattr(self.fd, termios.TCSADRAIN, attributes)
        except (termios.error, OSError):
            pass  # the terminal has gone; there is nothing to give back
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    # -- signals --------------------------------------------------------------------------------------

    def _install_handlers(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        wanted: dict[int, Callable[[int, FrameType | None], None]] = {
            signal.SIGTSTP: self._stopped,
            signal.SIGCONT: self._continued,
        }
        # Whoever handles a deadly signal already ends the program in order, and with it this terminal.
        unhandled = [number for number in DEADLY if signal.getsignal(number) is signal.SIG_DFL]
        wanted.update(dict.fromkeys(unhandled, self._killed))
        for number, handler in wanted.items():
            self._handlers[number] = (signal.signal(number, handler), handler)

    def _remove_handlers(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number, (before, ours) in self._handlers.items():
            if signal.getsignal(number) == ours:
                signal.signal(number, before)
        self._handlers.clear()

    def _stopped(self, _number: int, _frame: FrameType | None) -> None:
        self._restore()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _continued(self, _number: int, _frame: FrameType | None) -> None:
        self._set_raw()

    def _killed(self, number: int, _frame: FrameType | None) -> None:
        self._restore()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
