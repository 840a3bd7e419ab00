"""The integer instructions against Unicorn: every encoding, from random states, faults included.

``--full`` runs more than a million cases; otherwise it is a sample. What may differ, and why, is in
`differential/rules.py`.
"""

from __future__ import annotations

import random

import pytest

from pyqemu.targets.aarch64.decode import A64
from pyqemu.tcg.stencil_engine import StencilEngine
from tests.targets.aarch64.differential.cases import Generator, encodings
from tests.targets.aarch64.differential.compare import MODULES, Comparison
from tests.targets.aarch64.differential.layout import State

SAMPLE, FULL = 500, 26_000  # programs for each part
PARTS = 2
STATES = 10


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("engine", ["functions", "stencil"])
def test_integer_instructions_agree_with_unicorn(
    part: int, engine: str, seed: int, request: pytest.FixtureRequest
) -> None:
    """Once as functions of the python engine, with flags dead or alive and known or not, once as native blocks."""
    count = FULL if request.config.getoption("--full") else SAMPLE
    native = engine == "stencil"
    comparison = Comparison(seed + 4 * part + 2 * native, engine=StencilEngine() if native else None)
    report = comparison.run(count, STATES)
    print(report)
    assert report.cases >= count * STATES
    assert not report.differences, "\n".join(str(case) for case in report.differences[:5])


def test_words_that_are_no_instruction_agree_with_unicorn(seed: int, request: pytest.FixtureRequest) -> None:
    """Random words of the groups of integer instructions; those that are instructions are compared elsewhere."""
    count = 100_000 if request.config.getoption("--full") else 2000
    comparison = Comparison(seed)
    rng, tree, slot = random.Random(seed), A64.tree(), Generator(seed, MODULES)
    assert encodings(MODULES)
    wrong = []
    for _ in range(count):
        group = rng.choice((0b1000, 0b1001, 0b0100, 0b0110, 0b1010, 0b1011, 0b0101, 0b1101, 0b0000, 0b0001, 0b0011))
        word = rng.getrandbits(32) & ~(0xF << 25) | group << 25
        if group in (0b0100, 0b0110):
            word &= ~(1 << 26)
        if tree.find(word) is None and not _is_other(word):
            state = slot.state([])
            theirs = comparison.theirs.run([word], State(state.registers, (0, 0, 0), state.pc))
            if theirs.fault != "undefined":
                wrong.append(f"{word:08x}: {theirs.fault or 'runs'}")
    assert not wrong, wrong[:10]


def _is_other(word: int) -> bool:
    """Loads and stores of vectors belong to other groups (C4.4.3)."""
    return word >> 25 & 0b0101 == 0b0100 and bool(word >> 26 & 1)
