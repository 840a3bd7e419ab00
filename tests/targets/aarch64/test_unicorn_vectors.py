"""Floating point, Advanced SIMD and cryptography against Unicorn: every encoding, from random states.

``--full`` runs about half a million cases; otherwise it is a sample. What may differ, and why, is in
`differential/rules.py`. FPCR is compared in all its modes: Unicorn (QEMU 5.0) and the manual agree on all of ARMv8.0.
"""

from __future__ import annotations

import random

import pytest

from pyqemu.targets.aarch64.decode import A64
from pyqemu.tcg.stencil_engine import StencilEngine
from tests.targets.aarch64.differential.vectors import VectorComparison, VectorGenerator

STATES = 10
PARTS = {
    "integers": ("simd_same", "simd_misc", "simd_different", "simd_shift", "simd_element", "simd_move"),
    "scalars": ("fp_arithmetic", "fp_compare", "fp_convert", "fp_move"),
    "floats": ("simd_float", "simd_convert"),
    "crypto": ("crypto",),
    "memory": ("simd_memory",),
}
"""Modules of instructions that are compared together."""
SAMPLE = {"integers": 500, "scalars": 250, "floats": 300, "crypto": 40, "memory": 150}  # programs
FULL = {"integers": 9000, "scalars": 6000, "floats": 6000, "crypto": 1000, "memory": 2500}


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("engine", ["functions", "stencil"])
def test_vector_instructions_agree_with_unicorn(
    part: str, engine: str, seed: int, request: pytest.FixtureRequest
) -> None:
    """Once as functions of the python engine, once as native blocks of several instructions."""
    count = (FULL if request.config.getoption("--full") else SAMPLE)[part]
    native = engine == "stencil"
    comparison = VectorComparison(seed + native, engine=StencilEngine() if native else None, modules=PARTS[part])
    report = comparison.run(count, STATES)
    print(report)
    assert report.cases >= count * STATES
    assert not report.differences, "\n".join(str(case) for case in report.differences[:5])


def test_vector_words_that_are_no_instruction_agree_with_unicorn(seed: int, request: pytest.FixtureRequest) -> None:
    """Random words of these groups; those that are instructions are compared elsewhere."""
    count = 200_000 if request.config.getoption("--full") else 3000
    comparison, slot = VectorComparison(seed, modules=PARTS["memory"]), VectorGenerator(seed, PARTS["memory"])
    rng, tree = random.Random(seed), A64.tree()
    wrong = []
    for _ in range(count):
        word = rng.getrandbits(32)
        if rng.random() < 0.7:
            word |= 7 << 25  # data processing
        else:
            word = word & ~(3 << 25) | 1 << 27 | 1 << 26  # loads and stores
        if tree.find(word) is None:
            theirs = comparison.theirs.run([word], slot.state([]))
            if theirs.fault != "undefined":
                wrong.append(f"{word:08x}: {theirs.fault or 'runs'}")
    assert not wrong, wrong[:10]
