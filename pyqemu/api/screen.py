"""The screen for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.api.line import DEFAULT_TIMEOUT
from pyqemu.api.outcomes import Awaited, NotSeen
from pyqemu.ui.screenshot import to_png, to_ppm
from pyqemu.util.errors import UserError

if TYPE_CHECKING:
    from pyqemu.api.runner import Runner
    from pyqemu.ui.frame import Frame

INTERVAL = 20_000_000  #: nanoseconds of the guest between two looks


class Screen:
    """What is on the machine's screen."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._wanted: str | None = None
        self._timer = runner.system.clock.timer(self._look)

    def frame(self) -> Frame:
        """The picture.

        :raise UserError: the machine has no display adapter.
        """
        frame = self._runner.core.frame()
        if frame is None:
            raise UserError("the machine has no screen", "vga='std'")
        return frame

    def text(self) -> str:
        """The characters in text modes, one line a row, without the blanks at the ends; else empty."""
        return "\n".join(line.rstrip() for line in self.frame().text)

    def png(self) -> bytes:
        """The picture as a PNG file."""
        return to_png(self.frame())

    def ppm(self) -> bytes:
        """The picture as a PPM file."""
        return to_ppm(self.frame())

    def expect(self, text: str, timeout: float | None = DEFAULT_TIMEOUT) -> str:
        """Let the guest run until *text* is on the screen; returns all that is.

        :raise NotSeen: it does not come within *timeout* seconds of the guest.
        """
        if text in (shown := self.text()):
            return shown
        with self._runner.system.lock:
            self._wanted = text
            self._timer.set(self._runner.system.clock.now() + INTERVAL)
        try:
            outcome = self._runner.go(timeout)
        finally:
            with self._runner.system.lock:
                self._timer.cancel()
                self._wanted = None
        if isinstance(outcome, Awaited):
            return str(outcome.value)
        raise NotSeen(f"{text!r} on the screen", outcome, self.text())

    def _look(self) -> None:
        if self._wanted is None:
            return
        shown = self.text()
        if self._wanted in shown:
            self._runner.finish(Awaited(shown))
        else:
            self._timer.set(self._runner.system.clock.now() + INTERVAL)
