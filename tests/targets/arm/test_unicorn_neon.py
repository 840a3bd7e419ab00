"""Advanced SIMD of A32 and T32, and ARMv8's CRC32, against Unicorn: every encoding, from random states, with faults.

``--full`` runs more than half a million cases; otherwise it is a sample. What may differ, and why, is in
`differential/neon_rules.py`.
"""

from __future__ import annotations

import random

import pytest
from unicorn import arm_const as c

from pyqemu.targets.arm.decode import A32_UNCONDITIONAL, M28, T32
from pyqemu.tcg.stencil_engine import StencilEngine
from tests.targets.arm.differential.layout import T
from tests.targets.arm.differential.neon_cases import FLOATS, INTEGERS, MEMORY, V8, NeonComparison

STATES = 10
M24 = (1 << 24) - 1
PARTS = {"integers": INTEGERS, "floats": FLOATS, "memory": MEMORY, "checksums": ("checksum",)}
"""Modules of instructions that are compared together."""
SAMPLE = {"integers": 350, "floats": 120, "memory": 120, "checksums": 20}  # programs
FULL = {"integers": 8000, "floats": 3500, "memory": 2500, "checksums": 500}


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("instruction_set", ["a32", "thumb"])
@pytest.mark.parametrize("engine", ["functions", "stencil"])
def test_vector_instructions_agree_with_unicorn(
    instruction_set: str, part: str, engine: str, seed: int, request: pytest.FixtureRequest
) -> None:
    """Once as functions of the python engine, once as native blocks of several instructions."""
    count = (FULL if request.config.getoption("--full") else SAMPLE)[part]
    native, thumb = engine == "stencil", instruction_set == "thumb"
    comparison = NeonComparison(
        seed + 2 * thumb + native,
        engine=StencilEngine() if native else None,
        thumb=thumb,
        modules=PARTS[part],
        model=V8,
        reference=c.UC_CPU_ARM_MAX,
    )
    report = comparison.run(count, STATES)
    print(report)
    assert report.cases >= count * STATES
    assert not report.differences, "\n".join(str(case) for case in report.differences[:5])


@pytest.mark.parametrize("model", ["cortex-a15", "v8"])
def test_vector_words_that_are_no_instruction_agree_with_unicorn(
    model: str, rng: random.Random, request: pytest.FixtureRequest
) -> None:
    """Random words of Advanced SIMD; those that are instructions are compared elsewhere."""
    count = 100_000 if request.config.getoption("--full") else 2000
    v8 = model == "v8"
    reference = c.UC_CPU_ARM_MAX if v8 else c.UC_CPU_ARM_CORTEX_A15
    comparison = NeonComparison(0, thumb=False, modules=MEMORY, model=V8 if v8 else model, reference=reference)
    has, slot = comparison.ours.cpu.model.has, comparison.generator
    trees = A32_UNCONDITIONAL.tree(has), T32.tree(has)
    wrong = []
    for number in range(count):
        word, thumb = _vector_word(rng), number % 2
        if thumb:
            word = 0xF9 << 24 | word & M24 if word >> 24 == 0xF4 else 0xEF << 24 | (word >> 24 & 1) << 28 | word & M24
        code = (word >> 16 | (word & 0xFFFF) << 16 if thumb else word).to_bytes(4, "little")
        if trees[thumb].find(word if thumb else word & M28) is not None or _is_accepted(word, v8=v8):
            continue
        state = slot.state([])
        theirs = comparison.theirs.run(code, state._replace(record=(0, 0, 0), rest=T if thumb else 0), 1)
        if theirs.fault != "undefined":
            wrong.append(f"{word:08x}: {theirs.fault or 'runs'}")
    assert not wrong, wrong[:10]


def _vector_word(rng: random.Random) -> int:
    """A word of A32 that is data processing, or a load or store of elements."""
    word = rng.getrandbits(32)
    if rng.random() < 0.2:
        return 0xF4 << 24 | word & M24 & ~(1 << 20)
    return 0xF2 << 24 | word & (M24 | 1 << 24)


def _is_accepted(word: int, *, v8: bool) -> bool:
    """Whether Unicorn (QEMU 5.0) runs a word of A32 or T32 that is UNDEFINED in the manual.

    VMUL of numbers does not look at the upper bit of ``size``, VQDMULL and its like not at U (A7.4.1, A7.4.2), SHA1H
    not at Q; with ARMv8 it has VQRDMLAH and VQRDMLSH, which came later.
    """
    if v8 and word & 0xBF0FD0 == 0xB90280:
        return True
    A, U = word >> 8 & 15, word >> (28 if word >> 25 == 0x77 or word >> 25 == 0x7F else 24) & 1
    if not word >> 23 & 1:
        return bool(word >> 4 & 1 and U and ((A == 13 and word >> 21 & 1) or (v8 and A in (11, 12))))
    if word >> 4 & 1:
        return False
    return A in (14, 15) if word >> 6 & 1 and v8 else bool(U and A in (9, 11, 13))
