"""Each cause has its sentence, on both sides: those of docs/migration-errors.md.

None hangs, and none leaves descriptors or threads behind: conftest.py looks for them after every test.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.migration.causes import CAUSES, Scene
from tests.migration.machine import Side
from tests.migration.peers import has_ipv6
from tests.migration.pinned import assert_says, table

TABLE = table()


def test_the_table_and_the_causes_are_the_same() -> None:
    assert TABLE.keys() == CAUSES.keys()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", TABLE)
def test_both_sides_say_why(name: str, side: Callable[..., Side], tmp_path: Path) -> None:
    if "IPv6" in name and not has_ipv6():
        pytest.skip("this host has no IPv6")
    source, destination = CAUSES[name](Scene(side, tmp_path))
    assert_says(source, TABLE[name][0])
    assert_says(destination, TABLE[name][1])
