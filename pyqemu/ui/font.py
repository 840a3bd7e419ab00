"""The fonts of code page 437 in 8x16, 8x14 and 8x8 dots, as bytes for plane 2 of a VGA.

Letters and symbols are drawn (:mod:`~pyqemu.ui.font_letters`, :mod:`~pyqemu.ui.font_symbols`, and a few small
ones, :mod:`~pyqemu.ui.font_small`). The rest follows by rule: accented letters, line-drawing characters,
blocks and shades, mirrored arrows, and the two smaller fonts from the large one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations

from pyqemu.ui.font_letters import LETTERS
from pyqemu.ui.font_small import SMALL
from pyqemu.ui.font_symbols import SYMBOLS
from pyqemu.ui.frame import CP437

HEIGHT = 16
Glyph = tuple[int, ...]  # one byte a row, the leftmost dot in bit 7
BLANK: Glyph = (0,) * HEIGHT


def _parse(art: str, height: int = HEIGHT) -> dict[str, Glyph]:
    """The glyphs of the sheets in *art*, in cells of *height* rows."""
    glyphs: dict[str, Glyph] = {}
    for sheet in art.strip().split("\n\n"):
        head, *lines = sheet.split("\n")
        place, _, names = head.partition(": ")
        top = int(place.removeprefix("row "))
        for column, name in enumerate(names.split(" ")):
            cells = [line[9 * column : 9 * column + 8] for line in lines]
            rows = [int(cell.replace("#", "1").replace(".", "0"), 2) for cell in cells]
            glyphs[name] = (*[0] * top, *rows, *[0] * (height - top - len(rows)))
    return glyphs


# -- transformations ----------------------------------------------------------------------------------------


def _mirror(glyph: Sequence[int], width: int = 8) -> Glyph:
    """Left and right exchanged, within the first *width* columns."""
    return tuple(int(f"{row:08b}"[:width][::-1].ljust(8, "0"), 2) for row in glyph)


def _flip(glyph: Sequence[int], first: int, last: int) -> Glyph:
    """Rows *first* to *last* in reverse order."""
    return (*glyph[:first], *reversed(glyph[first : last + 1]), *glyph[last + 1 :])


def _overlay(*glyphs: Sequence[int]) -> Glyph:
    rows = []
    for parts in zip(*glyphs, strict=True):
        row = 0
        for part in parts:
            row |= part
        rows.append(row)
    return tuple(rows)


def _shift(glyph: Sequence[int], down: int) -> Glyph:
    """Moved by some rows; what leaves the cell is lost."""
    padded = [0] * HEIGHT + list(glyph) + [0] * HEIGHT
    return tuple(padded[HEIGHT - down : 2 * HEIGHT - down])


def _thin_out(rows: Sequence[int], count: int, keep: int) -> list[int]:
    """*count* of the rows in their order, such that what is left out resembles what stays.

    Row number *keep* stays in any case.
    """
    if count >= len(rows):
        return list(rows)

    def loss(chosen: tuple[int, ...]) -> int:
        total = 0
        for number, row in enumerate(rows):
            if number not in chosen:
                near = [other for other in chosen if abs(other - number) <= 1] or chosen
                total += min((row ^ rows[other]).bit_count() for other in near)
        return total

    candidates = [chosen for chosen in combinations(range(len(rows)), count) if keep in chosen]
    return [rows[number] for number in min(candidates, key=loss)]


# -- accented letters ---------------------------------------------------------------------------------------

# fmt: off
ACCENTED = {
    "ü": "u¨", "é": "e´", "â": "aˆ", "ä": "a¨", "à": "aˋ", "å": "a˚", "ê": "eˆ", "ë": "e¨", "è": "eˋ",
    "ï": "ı¨", "î": "ıˆ", "ì": "ıˋ", "ô": "oˆ", "ö": "o¨", "ò": "oˋ", "û": "uˆ", "ù": "uˋ", "ÿ": "y¨",
    "á": "a´", "í": "ı´", "ó": "o´", "ú": "u´", "ñ": "n˜", "ç": "c¸", "Ç": "C¸",
    "Ä": "A¨", "Å": "A˚", "É": "E´", "Ö": "O¨", "Ü": "U¨", "Ñ": "N˜",
}
# fmt: on


def _accented(base: str, accent: str, glyphs: dict[str, Glyph]) -> Glyph:
    body, mark = glyphs[base], glyphs[accent]
    if base.isupper() and accent != "¸":  # a lower body makes room above
        body = (*[0] * 4, *_thin_out(body[2:12], 8, 9), *body[12:])
        mark = _shift(mark, -1)
    return _overlay(body, mark)


# -- line drawing -------------------------------------------------------------------------------------------

# Strokes up, right, down, left: 0 none, 1 single, 2 double
# fmt: off
LINES = {
    "│": "1010", "┤": "1011", "╡": "1012", "╢": "2021", "╖": "0021", "╕": "0012", "╣": "2022", "║": "2020",
    "╗": "0022", "╝": "2002", "╜": "2001", "╛": "1002", "┐": "0011", "└": "1100", "┴": "1101", "┬": "0111",
    "├": "1110", "─": "0101", "┼": "1111", "╞": "1210", "╟": "2120", "╚": "2200", "╔": "0220", "╩": "2202",
    "╦": "0222", "╠": "2220", "═": "0202", "╬": "2222", "╧": "1202", "╨": "2101", "╤": "0212", "╥": "0121",
    "╙": "2100", "╘": "1200", "╒": "0210", "╓": "0120", "╫": "2121", "╪": "1212", "┘": "1001", "┌": "0110",
}
# fmt: on


def _arm_end(rail: int, both_arms: bool, cross: tuple[int, int], near: int, far: int) -> int:
    """How far a line runs into the middle: to the *near* rail of the crossing lines, or to the *far* one.

    :param rail: -1 or 1: this is the rail of a double line on that side; 0: a single line
    :param both_arms: whether the line goes on beyond the middle
    :param cross: styles of the crossing line on the two sides -1 and 1
    """
    if rail:
        return near if cross[rail > 0] else far
    return near if all(cross) and not both_arms else far


def _rails(style: int, single: tuple[int, ...], double: tuple[int, int]) -> list[tuple[int, int]]:
    """Positions of a line's strokes, each with the side that it is on."""
    if style == 2:
        return [(double[0], -1), (double[1], 1)]
    return [(position, 0) for position in single] if style else []


def _line_glyph(strokes: str, height: int) -> Glyph:
    """A line-drawing character in a cell of *height* rows."""
    up, right, down, left = (int(stroke) for stroke in strokes)
    middle = (height - 1) // 2
    rows2 = (middle - 1, middle + 1)
    columns2 = (2, 5)
    # Where lines of one direction end, coming from either side, at those of the other.
    horizontal = max(left, right)
    near_far_y = {0: (middle, middle), 1: (middle, middle), 2: rows2}[horizontal]
    vertical = max(up, down)
    near_far_x = {0: (4, 3), 1: (4, 3), 2: columns2}[vertical]
    dots = [0] * height
    for column, side in _rails(vertical, (3, 4), columns2):
        if up:
            end = _arm_end(side, bool(down), (left, right), *near_far_y)
            for row in range(end + 1):
                dots[row] |= 0x80 >> column
        if down:
            end = _arm_end(side, bool(up), (left, right), *near_far_y[::-1])
            for row in range(end, height):
                dots[row] |= 0x80 >> column
    for row, side in _rails(horizontal, (middle,), rows2):
        if left:
            end = _arm_end(side, bool(right), (up, down), *near_far_x)
            dots[row] |= 0xFF00 >> end + 1 & 0xFF
        if right:
            end = _arm_end(side, bool(left), (up, down), *near_far_x[::-1])
            dots[row] |= 0xFF >> end
    return tuple(dots)


# -- blocks -------------------------------------------------------------------------------------------------

SHADES = {"░": (0x22, 0x88), "▒": (0x55, 0xAA), "▓": (0xDD, 0x77)}


def _block(char: str, height: int) -> Glyph | None:
    """Shades and blocks, which fill their cell."""
    half = height // 2
    if char in SHADES:
        return tuple(SHADES[char][row & 1] for row in range(height))
    match char:
        case "█":
            return (0xFF,) * height
        case "▄":
            return (0,) * half + (0xFF,) * (height - half)
        case "▀":
            return (0xFF,) * half + (0,) * (height - half)
        case "▌":
            return (0xF0,) * height
        case "▐":
            return (0x0F,) * height
        case _:
            return None


# -- the 8x16 font ------------------------------------------------------------------------------------------


def _derived(glyphs: dict[str, Glyph]) -> dict[str, Glyph]:
    """Characters made from drawn ones."""
    made = {char: _accented(pair[0], pair[1], glyphs) for char, pair in ACCENTED.items()}
    made["◘"] = tuple(row ^ 0xFF for row in glyphs["•"])
    made["◙"] = tuple(row ^ 0xFF for row in glyphs["○"])
    for char, source in (("◄", "►"), ("»", "«"), ("←", "→"), ("¬", "⌐"), ("≤", "≥")):
        made[char] = _mirror(glyphs[source], 8 if char == "»" else 7)
    made["▼"] = _flip(glyphs["▲"], 4, 10)
    made["↓"] = _flip(glyphs["↑"], 3, 11)
    made["¡"] = _shift(_flip(glyphs["!"], 2, 11), 2)
    made["¿"] = _shift(_mirror(_flip(glyphs["?"], 2, 11), 7), 2)
    made["⌡"] = _flip(_mirror(glyphs["⌠"]), 0, 15)
    made["■"] = (*[0] * 5, *[0x7E] * 6, *[0] * 5)
    made["∙"] = (*[0] * 7, 0x18, 0x18, *[0] * 7)
    made["·"] = (*[0] * 8, 0x18, *[0] * 7)
    made[" "] = made["\xa0"] = BLANK
    return made


@cache
def _drawn() -> dict[str, Glyph]:
    glyphs = _parse(LETTERS) | _parse(SYMBOLS)
    return glyphs | _derived(glyphs)


def _glyph_16(char: str) -> Glyph:
    if char in LINES:
        return _line_glyph(LINES[char], HEIGHT)
    return _block(char, HEIGHT) or _drawn()[char]


# -- the smaller fonts --------------------------------------------------------------------------------------

# Rows of a large cell, how many of them a small one has, and which must not be lost
ZONES_8 = (((0, 1, 2, 3, 4), 2), ((5, 6, 7, 8, 9, 10, 11), 5), ((12, 13, 14, 15), 1))


@cache
def _small() -> dict[str, Glyph]:
    return _parse(SMALL, 8)


def _glyph_14(char: str) -> Glyph:
    """The first and the last row, where nothing but accents and lines is, are left out."""
    if char in LINES:
        return _line_glyph(LINES[char], 14)
    return _block(char, 14) or _drawn()[char][1:15]


def _glyph_8(char: str) -> Glyph:
    """Ascenders, x-height and descenders are each thinned out on their own, so that all letters align."""
    if char in LINES:
        return _line_glyph(LINES[char], 8)
    block = _block(char, 8)
    if block is not None:
        return block
    if char in _small():
        return _small()[char]
    glyph = _drawn()[char]
    out: list[int] = []
    for rows, count in ZONES_8:
        part = [glyph[row] for row in rows]
        used = [number for number, row in enumerate(part) if row]
        top = rows[0] == 0
        keep = (used[0] if top else used[-1]) if used else 0
        out += _thin_out(part, count, keep)
    return tuple(out)


@cache
def font(height: int) -> bytes:
    """The 256 glyphs of a font of 16, 14 or 8 rows, each *height* bytes.

    :raise KeyError: there is no font of that height
    """
    make = {16: _glyph_16, 14: _glyph_14, 8: _glyph_8}[height]
    return b"".join(bytes(make(char)) for char in (" ", *CP437[1:]))
