"""The table in docs/migration-errors.md, and whether what is said is what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pyqemu

DOCUMENT = Path(pyqemu.__file__).parent.parent / "docs" / "migration-errors.md"
NOTHING = "-"


def table() -> dict[str, tuple[str, str]]:
    """By cause: what source and destination say."""
    rows = {}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == 3 and cells[0] != "cause":
            assert cells[0] not in rows, f"{cells[0]} stands there twice"
            rows[cells[0]] = (cells[1], cells[2])
    return rows


def assert_says(said: str, pattern: str) -> None:
    """``…`` in the pattern is anything."""
    expression = ".+".join(re.escape(part) for part in pattern.split("…"))
    assert re.fullmatch(expression, said), f"\nsaid:     {said}\nexpected: {pattern}"
    assert "\n" not in said
