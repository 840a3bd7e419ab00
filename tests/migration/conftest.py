"""What tests of migration share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.migration.machine import Side, nothing_leaks


@pytest.fixture(autouse=True)
def leakless() -> Iterator[None]:
    """Every test gives back what it took."""
    with nothing_leaks():
        yield


@pytest.fixture
def side(leakless: None) -> Iterator[Callable[..., Side]]:
    """Makes programs, and ends them."""
    made: list[Side] = []

    def make(*args: object, **kwargs: object) -> Side:
        made.append(Side(*args, **kwargs))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for entry in made:
        entry.close()
