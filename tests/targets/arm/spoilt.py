"""Saved states of a processor with bytes that are wrong."""

from __future__ import annotations

import random
from typing import Any

from pyqemu.qom.vmstate import LoadError


def check_spoilt_states(vmstate: Any, view: Any, good: bytes, rng: random.Random, cases: int) -> None:
    """They are refused or taken; and what was taken can be saved, and loaded again: nothing is in between."""
    taken = 0
    for _ in range(cases):
        state = bytearray(good)
        for _ in range(rng.choice((1, 1, 4))):
            state[rng.randrange(len(state))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        try:
            vmstate.load(view, bytes(state))
        except LoadError:
            continue
        taken += 1
        again = vmstate.save(view)
        vmstate.load(view, again)
        assert vmstate.save(view) == again
    assert cases // 4 < taken < cases
