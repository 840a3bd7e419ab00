"""Line editing on a stream of bytes, with the few escape sequences that every terminal knows.

The other end may be a terminal, a telnet client, or a program that only sends lines; what is shown is therefore kept
simple: a character typed at the end of the line is echoed and nothing else.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable

Complete = Callable[[str], tuple[int, list[str]]]
"""Where the word begins that the text ends with, and what it may become."""

HISTORY_SIZE = 64
WIDTH = 80  # of a terminal that nobody can ask
LEFT, RIGHT, CLEAR = "\x1b[D", "\x1b[C", "\x1b[K"
_LONGEST_LINE = 4095


class LineEditor:
    """One line being typed. Give it what arrives by :meth:`feed`.

    :param write: shows text; lines end with ``\\n``
    :ivar history: lines that were finished, oldest first
    """

    def __init__(self, write: Callable[[str], None], complete: Complete, history: list[str], prompt: str) -> None:
        self._write, self._complete, self._prompt = write, complete, prompt
        self.history = history
        self.text = ""
        self.cursor = 0
        self._shown = 0  # where the terminal's cursor is, counted from the prompt
        self._sequence = ""  # of an escape sequence that has begun
        self._last = ""
        self._place = 0  # in the history; its length: the line that is being typed
        self._typed = ""  # that line, while the history is looked at
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def start(self) -> None:
        """Show the prompt of a new line."""
        self.text, self.cursor, self._shown, self._sequence = "", 0, 0, ""
        self._place = len(self.history)
        self._write(self._prompt)

    def feed(self, byte: int) -> str | None:
        """A byte has been typed; returns the line if that finished it."""
        for char in self._decoder.decode(bytes((byte,))):
            last, self._last = self._last, char
            if char == "\n" and last == "\r":
                return None  # telnet and files of other systems
            if self._sequence or char == "\x1b":
                self._escape(char)
            elif char in "\r\n":
                return self._finish()
            elif char in _KEYS:
                _KEYS[char](self)
            elif char >= " " and len(self.text) < _LONGEST_LINE:
                self._insert(char)
        return None

    def _finish(self) -> str:
        self._write("\n")
        line = self.text
        if line.strip():
            if line in self.history:
                self.history.remove(line)
            self.history.append(line)
            del self.history[:-HISTORY_SIZE]
        self.text, self.cursor = "", 0
        return line

    # --- showing ------------------------------------------------------------------------------------------------------

    def _move(self, cursor: int) -> None:
        self.cursor = min(max(cursor, 0), len(self.text))
        self._write((LEFT if self.cursor < self._shown else RIGHT) * abs(self.cursor - self._shown))
        self._shown = self.cursor

    def _show(self, text: str, cursor: int) -> None:
        """Replace the line."""
        self._write(LEFT * self._shown + text + CLEAR)
        self.text, self._shown = text, len(text)
        self._move(cursor)

    def _insert(self, piece: str) -> None:
        if self.cursor == len(self.text):
            self.text += piece
            self.cursor = self._shown = len(self.text)
            self._write(piece)
            return
        self._show(self.text[: self.cursor] + piece + self.text[self.cursor :], self.cursor + len(piece))

    def _cut(self, start: int, end: int) -> None:
        if start < end:
            self._show(self.text[:start] + self.text[end:], start)

    # --- keys ---------------------------------------------------------------------------------------------------------

    def _escape(self, char: str) -> None:
        self._sequence = char if char == "\x1b" else self._sequence + char
        if len(self._sequence) == 1 or self._sequence in ("\x1b[", "\x1bO"):
            return
        if self._sequence.startswith(("\x1b[", "\x1bO")) and char in "0123456789;" and len(self._sequence) < 16:
            return
        key = _SEQUENCES.get(self._sequence[2:]) if self._sequence[1] in "[O" else None
        self._sequence = ""
        if key is not None:
            key(self)

    def _home(self) -> None:
        self._move(0)

    def _end(self) -> None:
        self._move(len(self.text))

    def _left(self) -> None:
        self._move(self.cursor - 1)

    def _right(self) -> None:
        self._move(self.cursor + 1)

    def _backspace(self) -> None:
        self._cut(max(self.cursor - 1, 0), self.cursor)

    def _delete(self) -> None:
        self._cut(self.cursor, min(self.cursor + 1, len(self.text)))

    def _kill(self) -> None:
        self._cut(self.cursor, len(self.text))

    def _kill_before(self) -> None:
        self._cut(0, self.cursor)

    def _kill_word(self) -> None:
        before = self.text[: self.cursor].rstrip()
        start = max((at + 1 for at, char in enumerate(before) if char.isspace()), default=0)
        self._cut(start, self.cursor)

    def _clear_screen(self) -> None:
        self._write(f"\x1b[2J\x1b[1;1H{self._prompt}")
        self._shown = 0
        self._show(self.text, self.cursor)

    def _previous(self) -> None:
        self._look(self._place - 1)

    def _next(self) -> None:
        self._look(self._place + 1)

    def _look(self, place: int) -> None:
        if not 0 <= place <= len(self.history):
            return
        if self._place == len(self.history):
            self._typed = self.text
        self._place = place
        text = self._typed if place == len(self.history) else self.history[place]
        self._show(text, len(text))

    def _tab(self) -> None:
        start, found = self._complete(self.text[: self.cursor])
        if not found:
            return
        word = self.text[start : self.cursor]
        longest = common_beginning(found)
        if len(found) == 1 and not longest.endswith(("/", "=")):  # behind these something follows at once
            longest += " "
        if len(found) > 1 and longest == word:
            self._list(found)
        if longest != word:
            before = self.text[:start] + longest
            if longest.startswith(word):
                self._insert(longest[len(word) :])
            else:
                self._show(before + self.text[self.cursor :], len(before))

    def _list(self, found: list[str]) -> None:
        column = max(max(map(len, found)) + 2, 10)
        for_line = max(WIDTH // column, 1)
        rows = (found[at : at + for_line] for at in range(0, len(found), for_line))
        table = "\n".join("".join(name.ljust(column) for name in row) for row in rows)
        cursor = self.cursor
        self._write(f"\n{table}\n{self._prompt}")
        self._shown = 0
        self._show(self.text, cursor)


def common_beginning(words: list[str]) -> str:
    """The longest text that all words begin with."""
    first, last = min(words), max(words)
    length = next((at for at, char in enumerate(first) if char != last[at]), len(first))
    return first[:length]


_KEYS: dict[str, Callable[[LineEditor], None]] = {
    "\x01": LineEditor._home,
    "\x02": LineEditor._left,
    "\x04": LineEditor._delete,
    "\x05": LineEditor._end,
    "\x06": LineEditor._right,
    "\x08": LineEditor._backspace,
    "\x09": LineEditor._tab,
    "\x0b": LineEditor._kill,
    "\x0c": LineEditor._clear_screen,
    "\x0e": LineEditor._next,
    "\x10": LineEditor._previous,
    "\x15": LineEditor._kill_before,
    "\x17": LineEditor._kill_word,
    "\x7f": LineEditor._backspace,
}
_SEQUENCES: dict[str, Callable[[LineEditor], None]] = {
    "A": LineEditor._previous,
    "B": LineEditor._next,
    "C": LineEditor._right,
    "D": LineEditor._left,
    "F": LineEditor._end,
    "H": LineEditor._home,
    "1~": LineEditor._home,
    "3~": LineEditor._delete,
    "4~": LineEditor._end,
    "7~": LineEditor._home,
    "8~": LineEditor._end,
}
