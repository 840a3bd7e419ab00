"""What others have sent, as it stands in messages."""

from __future__ import annotations

import pytest

from pyqemu.util.text import bytes_shown, printable


@pytest.mark.parametrize(
    ("text", "shown"), [("ram", "ram"), ("a\nb\0c\x7f\xe9", "a.b.c.."), ("x" * 65, "x" * 64 + "..."), ("", "")]
)
def test_text_stays_one_line(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"not ", "6e 6f 74 20 ('not ')"),
        (b"\xff\0", "ff 00 ('..')"),
        (bytes(17), "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 ... ('...................')"),
    ],
)
def test_bytes_are_numbers_and_text(data: bytes, shown: str) -> None:
    assert bytes_shown(data) == shown
