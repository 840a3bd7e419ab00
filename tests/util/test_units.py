"""Sizes."""

from __future__ import annotations

import pytest

from pyqemu.util.errors import OptionError
from pyqemu.util.units import format_size, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("512", 512), ("1k", 1024), ("1.5G", 3 << 29), ("0x1000", 4096), ("0x10M", 16 << 20), ("7b", 7)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_default_suffix_counts_where_there_is_none() -> None:
    assert parse_size("128", "size", "M") == 128 << 20
    assert parse_size("1G", "size", "M") == 1 << 30


@pytest.mark.parametrize("text", ["", "G", "1Q", "-1", "1 2", "0x", "1e3", "16E", "1.5.5"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(OptionError, match=r"size|range"):
        parse_size(text)


def test_format() -> None:
    sizes = {0: "0 B", 1: "1 B", 1024: "1 KiB", 1536: "1536 B", 128 << 20: "128 MiB"}
    assert {size: format_size(size) for size in sizes} == sizes
