"""``-display curses``: text modes live in the terminal, with the terminal's keys.

Terminals tell of key presses only, and of few keys: each press becomes press and release for the guest, and
Escape directly before a character is Alt.  Alt-1, Alt-2 ... choose a console: the screen, then text consoles
(``vc``).  Since every other key goes to the guest there is an escape key, the same as on serial consoles
(Ctrl-A): with ``x`` it ends the program, with ``h`` it shows help, doubled it is sent to the guest.
"""

from __future__ import annotations

import asyncio
import atexit
import curses
import locale
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import FrameType
from typing import Any, Protocol

from pyqemu.ui.frame import CP437, Cursor, Frame
from pyqemu.ui.keys import keys_for
from pyqemu.ui.typist import Typist

FAST, SLOW = 0.04, 0.1  # seconds from look to look: while something happens, and else
FAST_LOOKS = 25  # without a change before it slows down

# The terminal's colours count red as 1, the VGA's blue.
ANSI = (0, 4, 2, 6, 1, 5, 3, 7)
HELP = "x: exit   h: this help   1, 2 ...: console   again: send the key itself"

FUNCTION_KEYS = {
    curses.KEY_UP: "up", curses.KEY_DOWN: "down", curses.KEY_LEFT: "left", curses.KEY_RIGHT: "right",
    curses.KEY_HOME: "home", curses.KEY_END: "end", curses.KEY_PPAGE: "pgup", curses.KEY_NPAGE: "pgdn",
    curses.KEY_IC: "insert", curses.KEY_DC: "delete", curses.KEY_BACKSPACE: "backspace",
    curses.KEY_ENTER: "kp_enter", curses.KEY_BTAB: "shift-tab",
    curses.KEY_SLEFT: "shift-left", curses.KEY_SRIGHT: "shift-right",
    curses.KEY_SHOME: "shift-home", curses.KEY_SEND: "shift-end",
    **{curses.KEY_F0 + number: f"f{number}" for number in range(1, 13)},
    **{curses.KEY_F0 + 12 + number: f"shift-f{number}" for number in range(1, 13)},
}  # fmt: skip
# Cursor keys as ECMA-48 has them; terminals that know an application mode send other codes in it.
CURSOR_KEYS: dict[str | int | None, int] = {
    "A": curses.KEY_UP, "B": curses.KEY_DOWN, "C": curses.KEY_RIGHT, "D": curses.KEY_LEFT,
    "H": curses.KEY_HOME, "F": curses.KEY_END,
}  # fmt: skip
# What these keys send to a text console
VT_KEYS = {"up": b"\x1b[A", "down": b"\x1b[B", "right": b"\x1b[C", "left": b"\x1b[D", "backspace": b"\x7f"}


class TextConsole(Protocol):
    """A console that is no screen of the guest's (:class:`pyqemu.chardev.vc.VcChardev` is one)."""

    @property
    def x(self) -> int:
        """The column of the cursor."""

    @property
    def y(self) -> int:
        """The row of the cursor."""

    @property
    def screen(self) -> list[bytes]:
        """The visible lines."""

    def type_bytes(self, data: bytes) -> None:
        """Keys that the user typed."""


class CursesDisplay:
    """The display.

    :param render: gives the present frame, without pixels; None if the machine has no display adapter
    :param typist: plays keys to the guest's keyboard
    :param consoles: text consoles besides the screen
    :param on_quit: the user wants to end the program
    :param lock: held while the machine is looked at
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        lock: AbstractContextManager[Any],
        render: Callable[[], Frame] | None,
        typist: Typist | None,
        *,
        consoles: Sequence[TextConsole] = (),
        on_quit: Callable[[], None] = lambda: None,
        escape: int = 1,
    ) -> None:
        self._loop, self._lock = loop, lock
        self._render, self._typist = render, typist
        self._consoles: list[TextConsole | None] = [*([None] if render is not None else []), *consoles]
        self._on_quit = on_quit
        self._escape = escape
        self._console = 0
        self._got_escape = False
        self._message = ""
        self._window: curses.window | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._quiet = 0
        self._drawn: dict[int, tuple[bytes, bytes]] = {}
        self._shown: object = None

    # -- life -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take the terminal over.

        :raise curses.error: it is not able to.
        """
        locale.setlocale(locale.LC_CTYPE, "")  # else line-drawing characters come out as bytes
        os.environ.setdefault("ESCDELAY", "25")
        window = curses.initscr()
        self._window = window
        atexit.register(self.stop)
        curses.noecho()
        curses.raw()
        curses.nonl()
        window.keypad(True)
        window.nodelay(True)
        self._init_colours()
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._killed)
        self._loop.add_reader(0, self._readable)
        self._tick()

    def stop(self) -> None:
        """Give the terminal back; a second call does nothing."""
        if self._window is None:
            return
        self._window = None
        atexit.unregister(self.stop)
        if self._timer is not None:
            self._timer.cancel()
        if not self._loop.is_closed():
            self._loop.remove_reader(0)
        curses.endwin()

    def _killed(self, number: int, _frame: FrameType | None) -> None:
        self.stop()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _init_colours(self) -> None:
        if not curses.has_colors():
            return
        curses.start_color()
        for pair in range(1, min(64, curses.COLOR_PAIRS)):
            # Pair 0 cannot be set: it is white on black, so that combination (7, 0) is number 0 here.
            foreground, background = pair & 7 ^ 7, pair >> 3
            curses.init_pair(pair, ANSI[foreground], ANSI[background])

    @staticmethod
    def attribute(value: int) -> int:
        """The terminal's attribute for a VGA attribute byte."""
        pair = (value & 7 ^ 7) | (value >> 4 & 7) << 3
        result = curses.color_pair(pair) if curses.has_colors() else 0
        if value & 0x08:
            result |= curses.A_BOLD
        if value & 0x80:
            result |= curses.A_BLINK
        return result

    def show_message(self, text: str) -> None:
        """Show *text* in the last line until the next key."""
        self._message = text
        self._shown = None

    # -- output ---------------------------------------------------------------------------------------

    def _tick(self) -> None:
        if self._window is None:
            return
        self._read_keys()  # a change of the terminal's size comes as a key, but without input to wake us
        changed = self.refresh()
        self._quiet = 0 if changed else self._quiet + 1
        delay = FAST if self._quiet < FAST_LOOKS else SLOW
        self._timer = self._loop.call_later(delay, self._tick)

    def refresh(self) -> bool:
        """Bring the terminal up to date; True if anything had changed."""
        if self._window is None:
            return False
        console = self._consoles[self._console] if self._consoles else None
        if console is not None:
            with self._lock:
                rows = console.screen
                cursor: Cursor | None = Cursor(console.x, console.y)
            frame = Frame("text", 0, 0, b"", tuple(rows), tuple(b"\7" * len(row) for row in rows), cursor)
        elif self._render is not None:
            with self._lock:
                frame = self._render()
        else:
            return False
        shown = frame.kind, frame.cells, frame.attributes, frame.cursor, frame.width, self._message
        if shown == self._shown:
            return False
        self._shown = shown
        self._draw(frame)
        return True

    def _draw(self, frame: Frame) -> None:
        assert self._window is not None
        window = self._window
        height, width = window.getmaxyx()
        if frame.kind != "text":
            self._draw_note(frame, height, width)
        else:
            if -1 in self._drawn:  # a note was there
                window.erase()
                self._drawn.clear()
            self._draw_text(frame, height, width)
        if self._message:
            self._put(height - 1, 0, self._message[:width].ljust(width), curses.A_REVERSE)
            self._drawn.pop(height - 1, None)
        cursor = frame.cursor
        top = self._top(frame, height)
        visible = cursor is not None and cursor.y - top < height and cursor.x < width
        try:
            curses.curs_set(1 if visible else 0)
            if cursor is not None and visible:
                window.move(cursor.y - top, cursor.x)
        except curses.error:
            pass  # this terminal cannot hide its cursor
        window.refresh()

    def _draw_note(self, frame: Frame, height: int, width: int) -> None:
        assert self._window is not None
        self._window.erase()
        self._drawn = {-1: (b"", b"")}
        note = "Blank mode" if frame.kind == "blank" else f"{frame.width} x {frame.height} Graphic mode"
        self._put(height // 2, max(0, (width - len(note)) // 2), note, 0)

    @staticmethod
    def _top(frame: Frame, height: int) -> int:
        """The first row to show: the cursor's must be seen."""
        if frame.rows <= height or frame.cursor is None:
            return 0
        return min(max(0, frame.cursor.y - height + 1), frame.rows - height)

    def _draw_text(self, frame: Frame, height: int, width: int) -> None:
        top = self._top(frame, height)
        for y in range(min(height, frame.rows - top)):
            cells, attributes = frame.cells[top + y], frame.attributes[top + y]
            if self._drawn.get(y) == (cells, attributes):
                continue
            self._drawn[y] = cells, attributes
            self._draw_row(y, cells[:width], attributes[:width])

    def _draw_row(self, y: int, cells: bytes, attributes: bytes) -> None:
        """One row, by runs of equal attributes."""
        start = 0
        while start < len(cells):
            attribute = attributes[start]
            end = start + 1
            while end < len(cells) and attributes[end] == attribute:
                end += 1
            text = "".join([CP437[byte] for byte in cells[start:end]])
            self._put(y, start, text, self.attribute(attribute))
            start = end

    def _put(self, y: int, x: int, text: str, attribute: int) -> None:
        assert self._window is not None
        try:
            self._window.addstr(y, x, text, attribute)
        except curses.error:
            pass  # after the last cell of the screen the cursor has nowhere to go; the text is there
        except UnicodeEncodeError:
            self._window.addstr(y, x, text.encode("ascii", "replace").decode(), attribute)

    # -- keys -----------------------------------------------------------------------------------------

    def _readable(self) -> None:
        self._read_keys()
        self._quiet = 0

    def _read_keys(self) -> None:
        while self._window is not None:
            key = self._next_key()
            if key is None:
                return
            if key == curses.KEY_RESIZE:
                self._drawn.clear()
                self._shown = None
                self._window.clear()
            elif key == "\x1b":
                self._escape_sequence()
            else:
                self._key(key)

    def _escape_sequence(self) -> None:
        """Escape was read: alone, as Alt with a character, or of a cursor key that curses did not know."""
        following = self._next_key()
        if following == "[":
            final = self._next_key()
            if final in CURSOR_KEYS:
                self._key(CURSOR_KEYS[final])
                return
            self._key("[", alt=True)
            if final is not None:
                self._key(final)
            return
        self._key("\x1b" if following is None else following, alt=following is not None)

    def _next_key(self) -> str | int | None:
        assert self._window is not None
        try:
            return self._window.get_wch()
        except curses.error:
            return None

    def _key(self, key: str | int, *, alt: bool = False) -> None:
        if self._message:
            self._message = ""
            self._shown = None
            self._drawn.clear()
        if self._got_escape:
            self._got_escape = False
            if key != chr(self._escape):
                self._command(key)
                return
        elif key == chr(self._escape):
            self._got_escape = True
            return
        if alt and isinstance(key, str) and key.isdigit() and self._select(int(key) - 1):
            return
        console = self._consoles[self._console] if self._consoles else None
        if console is not None:
            self._type(console, key)
        else:
            self._press(key, alt)

    def _command(self, key: str | int) -> None:
        if key == "x":
            self._on_quit()
        elif key in ("h", "?"):
            self._message = HELP
        elif isinstance(key, str) and key.isdigit():
            self._select(int(key) - 1)

    def _select(self, number: int) -> bool:
        if not 0 <= number < len(self._consoles):
            return False
        self._console = number
        self._drawn.clear()
        self._shown = None
        if self._window is not None:
            self._window.erase()
        return True

    def _press(self, key: str | int, alt: bool) -> None:
        names = combination(key)
        if names and self._typist is not None:
            with self._lock:
                self._typist.press(("alt", *names) if alt else names)

    @staticmethod
    def _type(console: TextConsole, key: str | int) -> None:
        if isinstance(key, str):
            console.type_bytes(key.encode())
        elif FUNCTION_KEYS.get(key) in VT_KEYS:
            console.type_bytes(VT_KEYS[FUNCTION_KEYS[key]])


def combination(key: str | int) -> tuple[str, ...]:
    """The keys to press for what curses read; empty if there are none."""
    if isinstance(key, int):
        return tuple(FUNCTION_KEYS[key].split("-")) if key in FUNCTION_KEYS else ()
    return keys_for(key)
