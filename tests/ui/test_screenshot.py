"""Pictures as files."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from pyqemu.ui.frame import CP437, Frame, blank_frame
from pyqemu.ui.screenshot import save_screenshot, to_png, to_ppm
from pyqemu.util.errors import UserError

PICTURE = Frame("graphics", 2, 2, bytes(range(12)))


def test_ppm() -> None:
    assert to_ppm(PICTURE) == b"P6\n2 2\n255\n" + bytes(range(12))


def test_png_decodes_to_the_picture() -> None:
    png = to_png(PICTURE)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    position, chunks = 8, {}
    while position < len(png):
        (length,) = struct.unpack_from(">I", png, position)
        kind, data = png[position + 4 : position + 8], png[position + 8 : position + 8 + length]
        assert struct.unpack_from(">I", png, position + 8 + length)[0] == zlib.crc32(kind + data)
        chunks[kind] = data
        position += 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    assert chunks[b"IHDR"] == struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    assert zlib.decompress(chunks[b"IDAT"]) == b"\0" + bytes(range(6)) + b"\0" + bytes(range(6, 12))


def test_save_chooses_by_name(tmp_path: Path) -> None:
    for name, magic in (("a.png", b"\x89PNG"), ("a.ppm", b"P6"), ("a", b"P6")):
        save_screenshot(blank_frame(8, 8), str(tmp_path / name))
        assert (tmp_path / name).read_bytes().startswith(magic)
    with pytest.raises(UserError, match=r"Could not open '/nonexist/a\.png': No such file or directory"):
        save_screenshot(PICTURE, "/nonexist/a.png")


def test_code_page() -> None:
    assert len(CP437) == len(set(CP437)) + 1 == 256  # the first is a space too
    assert CP437[1] == "☺"
    assert CP437[0x41] == "A"
    assert CP437[0xC9] == "╔"


def test_text_of_a_frame() -> None:
    frame = Frame("text", 16, 16, b"", (b"\x01\xc9", b"ok"), (b"\7\7", b"\7\7"))
    assert frame.text == ["☺╔", "ok"]
    assert (frame.columns, frame.rows) == (2, 2)
    assert frame.find("ok")
    assert not frame.find("☺o")
