"""A guest with each engine."""

from __future__ import annotations

import pytest

from tests.targets.aarch64.guest import Guest


@pytest.fixture(params=["python", "stencil"])
def guest(request: pytest.FixtureRequest) -> Guest:
    """A processor with RAM."""
    return Guest(request.param)
