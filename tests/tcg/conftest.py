"""Makes ``toy.py`` and ``native.py`` importable from the tests of this directory."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from collections.abc import Callable
from typing import Any

import pytest
from toy import Toy


@pytest.fixture(params=["stencil", "python", "refill"])
def toy(request: pytest.FixtureRequest) -> Toy:
    """A machine with each engine; ``refill`` is the stencil engine with a page walk in IR."""
    return make_toy(request.param)


@pytest.fixture(params=["stencil", "python", "refill"])
def icount_toy(request: pytest.FixtureRequest) -> Toy:
    """The same, counting instructions."""
    return make_toy(request.param, icount=True)


@pytest.fixture(params=["stencil", "python"])
def new_toy(request: pytest.FixtureRequest) -> Callable[..., Toy]:
    """Makes machines with one of the engines."""
    return lambda **options: make_toy(request.param, **options)


def make_toy(name: str, **options: Any) -> Toy:
    if name == "refill":
        return Toy("stencil", refill=True, **options)
    return Toy(name, **options)
