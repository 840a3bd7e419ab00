"""Chance for guests: the host's, or repeatable where a seed was given."""

from __future__ import annotations

import os
import random


class Entropy:
    """Where devices take random bytes from. The big lock is held."""

    def __init__(self, seed: int | None = None) -> None:
        self._generator = None if seed is None else random.Random(seed)

    def take(self, count: int) -> bytes:
        """*count* bytes; with a seed always the same ones."""
        return os.urandom(count) if self._generator is None else self._generator.randbytes(count)
