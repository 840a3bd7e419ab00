"""Whole machines are tested here: what they keep for the next one is no leak."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def leakless() -> None:
    """Takes the place of the check that tests of connections have."""
