"""The integer instructions of A32 and Thumb against Unicorn: every encoding, from random states, faults included.

``--full`` runs more than a million cases; otherwise it is a sample. What may differ, and why, is in
`differential/rules.py`.
"""

from __future__ import annotations

import random

import pytest
from unicorn import arm_const as c

from pyqemu.targets.arm.decode import A32, M28, SETS, T16, T32
from pyqemu.targets.arm.insns import load
from pyqemu.targets.arm.models import MODELS
from pyqemu.tcg.stencil_engine import StencilEngine
from tests.targets.arm.differential.cases import Generator, encodings
from tests.targets.arm.differential.compare import Comparison
from tests.targets.arm.differential.layout import T
from tests.targets.arm.differential.reference import Reference

SAMPLE, FULL = 400, 26_000  # programs for each part
STATES = 10


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("instruction_set", ["a32", "thumb"])
@pytest.mark.parametrize("engine", ["functions", "stencil"])
def test_instructions_agree_with_unicorn(
    instruction_set: str, engine: str, seed: int, request: pytest.FixtureRequest
) -> None:
    """Once as functions of the python engine, with flags dead or alive and known or not, once as native blocks."""
    count = FULL if request.config.getoption("--full") else SAMPLE
    native, thumb = engine == "stencil", instruction_set == "thumb"
    comparison = Comparison(seed + 2 * thumb + native, engine=StencilEngine() if native else None, thumb=thumb)
    report = comparison.run(count, STATES)
    print(report)
    assert report.cases >= count * STATES
    assert not report.differences, "\n".join(str(case) for case in report.differences[:5])


@pytest.mark.parametrize("instruction_set", ["a32", "thumb"])
@pytest.mark.parametrize("engine", ["functions", "stencil"])
def test_accesses_that_acquire_and_release_agree_with_unicorn(
    instruction_set: str, engine: str, seed: int, request: pytest.FixtureRequest
) -> None:
    """Of ARMv8, with all exclusive accesses."""
    count = FULL if request.config.getoption("--full") else SAMPLE // 2
    native, thumb = engine == "stencil", instruction_set == "thumb"
    comparison = Comparison(seed, engine=StencilEngine() if native else None, thumb=thumb, modules=("exclusive",),
                            model="max", reference=c.UC_CPU_ARM_MAX)  # fmt: skip
    report = comparison.run(count, STATES)
    assert {"ldaex", "stlexd", "ldah", "stl"} <= {encoding.name for encoding in comparison.generator.encodings}
    assert not report.differences, "\n".join(str(case) for case in report.differences[:5])


def test_words_that_are_no_instruction_agree_with_unicorn(rng: random.Random, request: pytest.FixtureRequest) -> None:
    """Random words of the integer instructions; those that are instructions are compared elsewhere."""
    load()
    count = 100_000 if request.config.getoption("--full") else 2000
    has, reference, slot = MODELS["cortex-a15"].has, Reference(), Generator(0, thumb=False)
    conditional, unconditional, _, thumb = (group.tree(has) for group in SETS)
    wrong = []
    for number in range(count):
        word = rng.getrandbits(32)
        if number % 2:
            word |= 0xE8000000 if word >> 27 & 3 else 0xF0000000
            tree, bits, code = thumb, word, (word >> 16 | (word & 0xFFFF) << 16).to_bytes(4, "little")
        else:
            word |= 0xE0000000
            tree, bits, code = (
                (unconditional if word >> 28 & 1 else conditional),
                word & M28,
                word.to_bytes(4, "little"),
            )
        if _is_other(word, thumb=bool(number % 2)) or tree.find(bits) is not None:
            continue
        state = slot.state([])
        theirs = reference.run(code, state._replace(record=(0, 0, 0), rest=T if number % 2 else 0), 1)
        if theirs.fault != "undefined":
            wrong.append(f"{word:08x}: {theirs.fault or 'runs'}")
    assert not wrong, wrong[:10]


def _is_other(word: int, *, thumb: bool) -> bool:
    """Coprocessors, VFP and NEON belong to other groups (A5.6, A5.7, A6.3.18)."""
    if word >> 24 & 0xF in (0xC, 0xD, 0xE) or (thumb and word >> 24 in (0xEF, 0xFF)):
        return True
    if thumb:
        return word >> 24 == 0xF9 and not word >> 20 & 1
    return word >> 28 == 15 and (word >> 25 & 7 == 1 or (word >> 24 & 15 == 4 and not word >> 20 & 1))


def test_every_encoding_can_be_drawn(seed: int) -> None:
    """No rule keeps a whole encoding out of the comparison."""
    for thumb in (False, True):
        generator = Comparison(seed, thumb=thumb).generator
        missing = [each for each in generator.encodings if all(generator.word(each) is None for _ in range(20))]
        assert not missing
        assert len(generator.encodings) > 100


def test_patterns_find_their_own_words(rng: random.Random) -> None:
    """The decision trees know every encoding."""
    assert encodings(thumb=True)
    for group in (A32, T16, T32):
        tree = group.tree()
        for each in group.encodings:
            word = each.pattern.value | rng.getrandbits(group.bits) & ~each.pattern.mask
            found = tree.find(word)
            assert found is each or (found is not None and found.pattern.refines(each.pattern))
