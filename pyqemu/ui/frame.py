"""What is on a screen at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Code page 437 as Unicode. The first 32 and the last of the lower half are pictures, not controls.
_PICTURES = "\u0000☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"
CP437 = _PICTURES.replace("\0", " ") + bytes(range(32, 127)).decode() + "⌂" + bytes(range(128, 256)).decode("cp437")


@dataclass(frozen=True)
class Cursor:
    """A text cursor: its cell, and the lines of the cell that it covers."""

    x: int
    y: int
    first_line: int = 0
    last_line: int = 15


@dataclass(frozen=True)
class Frame:
    """A picture; in text modes also the characters that make it up.

    ``width`` and ``height`` are in pixels, ``rgb`` has three bytes a pixel, line by line from the top left.
    It is empty if only the text was asked for. ``cells`` has one ``bytes`` of code page 437 a row.
    """

    kind: Literal["text", "graphics", "blank"]
    width: int
    height: int
    rgb: bytes
    cells: tuple[bytes, ...] = ()
    attributes: tuple[bytes, ...] = ()
    cursor: Cursor | None = None

    @property
    def text(self) -> list[str]:
        """The rows of characters, in Unicode; none in graphics modes."""
        return ["".join([CP437[byte] for byte in row]) for row in self.cells]

    @property
    def columns(self) -> int:
        """Characters in a row."""
        return len(self.cells[0]) if self.cells else 0

    @property
    def rows(self) -> int:
        """Rows of characters."""
        return len(self.cells)

    def find(self, text: str) -> bool:
        """Whether *text* stands on the screen within one row."""
        return any(text in row for row in self.text)


def blank_frame(width: int, height: int) -> Frame:
    """A dark screen."""
    return Frame("blank", width, height, bytes(width * height * 3))
