"""Line editing on a byte stream, looked at on a terminal of one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.monitor.hmp.readline import HISTORY_SIZE, LineEditor

WORDS = ["info", "stop", "system_reset", "system_powerdown", "dir/", "prefix-a", "prefix-b"]
UP, DOWN, LEFT, RIGHT, HOME, END, DELETE = (f"\x1b[{key}" for key in ("A", "B", "D", "C", "H", "F", "3~"))


def complete(text: str) -> tuple[int, list[str]]:
    start = text.rfind(" ") + 1
    return start, [word for word in WORDS if word.startswith(text[start:])]


class Terminal:
    """What a terminal shows of the present line."""

    def __init__(self) -> None:
        self.lines = [""]
        self.cursor = 0

    def write(self, text: str) -> None:
        position = 0
        while position < len(text):
            sequence = text[position : position + 3]
            position += 3 if sequence[:1] == "\x1b" else 1
            if sequence == "\x1b[D":
                assert self.cursor > 0
                self.cursor -= 1
            elif sequence == "\x1b[C":
                self.cursor += 1
            elif sequence == "\x1b[K":
                self.lines[-1] = self.lines[-1][: self.cursor]
            elif sequence[:1] == "\n":
                self.lines.append("")
                self.cursor = 0
            else:
                assert sequence[:1] >= " ", sequence
                line = self.lines[-1]
                self.lines[-1] = line[: self.cursor] + sequence[:1] + line[self.cursor + 1 :]
                self.cursor += 1


class Typing:
    """An editor, its terminal, and the lines that came out."""

    def __init__(self) -> None:
        self.terminal = Terminal()
        self.history: list[str] = []
        self.done: list[str] = []
        self.editor = LineEditor(self.terminal.write, complete, self.history, "> ")
        self.editor.start()

    def type(self, text: str) -> None:
        for byte in text.encode():
            line = self.editor.feed(byte)
            if line is not None:
                self.done.append(line)
                self.editor.start()

    @property
    def shown(self) -> str:
        """The line with the cursor as ``|``; it must be what the editor has."""
        line, cursor = self.terminal.lines[-1], self.terminal.cursor
        assert line == f"> {self.editor.text}"
        assert cursor == self.editor.cursor + 2
        return f"{line[:cursor]}|{line[cursor:]}"[2:]


@pytest.fixture
def typing() -> Typing:
    return Typing()


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ("abc", "abc|"),
        ("abc\x7f", "ab|"),
        ("abc\x08\x08\x08\x08", "|"),
        (f"abc{LEFT}{LEFT}X", "aX|bc"),
        (f"abc{LEFT}\x7f", "a|c"),
        ("abc\x01X", "X|abc"),
        ("abc\x01\x05X", "abcX|"),
        (f"abc{HOME}{RIGHT}{DELETE}", "a|c"),
        ("abc\x01\x04", "|bc"),
        ("abc\x02\x02\x0b", "a|"),
        ("abc\x02\x15", "|c"),
        ("one two  \x17", "one |"),
        ("one two\x02\x17", "one |o"),
        ("one\x17\x17", "|"),
        ("abc\x1bOD\x1bOD\x06X", "abX|c"),
        ("abc\x1b[1~X\x1b[4~Y", "XabcY|"),
        ("abc\x1b[99;5uX", "abcX|"),  # keys that nobody knows
        ("a\x1b\x1b[DX", "X|a"),
        ("grün\x7f\x7f", "gr|"),
        ("\x00\x1c\x1d\x1fa", "a|"),
        ("inf\t", "info |"),
        ("di\t", "dir/|"),
        ("x\t", "x|"),
        ("pre\t", "prefix-|"),
        ("sys\t", "system_|"),
        (f"stX{LEFT}\t", "stop |X"),
    ],
)
def test_keys(keys: str, shown: str, typing: Typing) -> None:
    typing.type(keys)
    assert typing.shown == shown


def test_completion_lists_what_there_is(typing: Typing) -> None:
    typing.type("system_\t")
    assert typing.terminal.lines[1].split() == ["system_reset", "system_powerdown"]
    assert typing.shown == "system_|"


def test_lines_end_as_anybody_ends_them(typing: Typing) -> None:
    typing.type("a\rb\nc\r\nd\r\n\r\ne\n")
    assert typing.done == ["a", "b", "c", "d", "", "e"]


def test_history(typing: Typing) -> None:
    typing.type("one\rtwo\r\rthree\r")
    typing.type(f"typed{UP}")
    assert typing.shown == "three|"
    typing.type(f"{UP}{UP}{UP}{UP}")
    assert typing.shown == "one|"
    typing.type(f"{DOWN}")
    assert typing.shown == "two|"
    typing.type("!\r")
    assert typing.history == ["one", "two", "three", "two!"]
    typing.type("one\r")  # said again: it moves
    assert typing.history == ["two", "three", "two!", "one"]
    typing.type(f"typed{UP}\x0e")
    assert typing.shown == "typed|"
    typing.type(DOWN)
    assert typing.shown == "typed|"


def test_history_is_bounded(typing: Typing) -> None:
    for number in range(100):
        typing.type(f"{number}\r")
    assert len(typing.history) == HISTORY_SIZE
    assert typing.history[-1] == "99"


def test_clearing_the_screen_keeps_the_line() -> None:
    shown: list[str] = []
    editor = LineEditor(shown.append, complete, [], "> ")
    editor.start()
    for byte in b"abc\x02\x0c":
        editor.feed(byte)
    assert "".join(shown).endswith("\x1b[2J\x1b[1;1H> abc\x1b[K\x1b[D")


KEYS = ["a", "b ", "ü", "\x7f", "\x01", "\x05", "\x0b", "\x15", "\x17", "\t", "\r", UP, DOWN, LEFT, RIGHT, DELETE]


@given(st.lists(st.sampled_from(KEYS), max_size=40))
def test_the_terminal_always_shows_the_line(keys: list[str]) -> None:
    typing = Typing()
    for key in keys:
        typing.type(key)
        assert typing.shown


@given(st.binary(max_size=60))
def test_any_bytes_can_be_typed(data: bytes) -> None:
    editor = LineEditor(lambda text: None, complete, [], "> ")
    editor.start()
    for byte in data:
        editor.feed(byte)
        assert 0 <= editor.cursor <= len(editor.text)
