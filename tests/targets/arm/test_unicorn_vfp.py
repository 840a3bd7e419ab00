"""VFP against Unicorn: every encoding, from random states with all rounding modes, flush-to-zero and default NaNs.

``--full`` runs more than 300 000 cases for A32 and Thumb, and 150 000 of other processors; otherwise it is a sample.
What may differ, and why, is in `differential/vfp_rules.py`.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from unicorn import arm_const as c

from pyqemu.targets.arm.decode import A32, A32_UNCONDITIONAL, M28, T32
from pyqemu.targets.arm.insns import load
from pyqemu.targets.arm.models import MODELS, Model
from pyqemu.tcg.stencil_engine import StencilEngine
from tests.targets.arm.differential.cases import Generator
from tests.targets.arm.differential.layout import State, T
from tests.targets.arm.differential.reference import Reference
from tests.targets.arm.differential.vfp_cases import VFP_MODULES, ShortVectorComparison, VfpComparison
from tests.targets.arm.test_unicorn_models import REFERENCES

SAMPLE, FULL = 300, 9000  # programs for each part
STATES = 10
A15 = MODELS["cortex-a15"]
V8 = replace(A15, features=A15.features | {"v8"})
SHORT_VECTORS = {"arm926": c.UC_CPU_ARM_926, "arm1176": c.UC_CPU_ARM_1176, "cortex-a8": c.UC_CPU_ARM_CORTEX_A8}


def compare(comparison: VfpComparison, count: int) -> None:
    report = comparison.run(count, STATES)
    print(report)
    assert report.cases >= count * STATES
    assert not report.differences, "\n".join(str(case) for case in report.differences[:5])


def programs(request: pytest.FixtureRequest, part: int = 1) -> int:
    return (FULL if request.config.getoption("--full") else SAMPLE) // part


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("instruction_set", ["a32", "thumb"])
@pytest.mark.parametrize("engine", ["functions", "stencil"])
def test_instructions_agree_with_unicorn(
    instruction_set: str, engine: str, seed: int, request: pytest.FixtureRequest
) -> None:
    native, thumb = engine == "stencil", instruction_set == "thumb"
    engine_used = StencilEngine() if native else None
    compare(VfpComparison(seed, engine_used, thumb=thumb, modules=VFP_MODULES), programs(request))


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("instruction_set", ["a32", "thumb"])
def test_what_armv8_has_added_agrees(instruction_set: str, seed: int, request: pytest.FixtureRequest) -> None:
    modules = ("vfp_arithmetic", "vfp_convert")  # its system registers are those of another processor
    engine = StencilEngine() if instruction_set == "thumb" else None
    comparison = VfpComparison(seed, engine, thumb=instruction_set == "thumb", modules=modules, model=V8,
                               reference=c.UC_CPU_ARM_MAX)  # fmt: skip
    comparison.generator.short_vectors = 0
    compare(comparison, programs(request, 2))


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", SHORT_VECTORS)
def test_short_vectors_agree(name: str, seed: int, request: pytest.FixtureRequest) -> None:
    """Of the processors that have them; those with 16 doubleword registers, too."""
    compare(ShortVectorComparison(seed, model=name, reference=SHORT_VECTORS[name]), programs(request, 3))


def _compares(word: int, *, thumb: bool) -> bool:
    """Whether a word belongs to VFP: coprocessors 10 and 11, with what they share with Advanced SIMD (A5.6, A7.5).

    VJCVT is of ARMv8.3.
    """
    prefix = word >> 24 & 15
    if word & 0x0FBF_0FD0 == 0x0EB9_0BC0:
        return False
    return word >> 8 & 14 == 10 and (prefix == 14 or (prefix >> 1 == 6 and (thumb or word >> 28 != 15)))


@pytest.mark.parametrize("model", [V8, *MODELS.values()], ids=["v8", *MODELS])
def test_words_that_are_no_instruction_agree_with_unicorn(
    model: Model, rng: random.Random, request: pytest.FixtureRequest
) -> None:
    """Random words of VFP that have no pattern are undefined."""
    load()
    count = 20_000 if request.config.getoption("--full") else 400
    number = c.UC_CPU_ARM_MAX if model is V8 else REFERENCES[model.name]
    reference, slot = Reference(number), Generator(0, thumb=False)
    conditional, unconditional, thumb_tree = (group.tree(model.has) for group in (A32, A32_UNCONDITIONAL, T32))
    wrong = []
    for n in range(count):
        thumb = bool(n % 2) and model.has("thumb2")
        word = rng.getrandbits(28) & ~0xE00 | 0xA00 | (0xE if rng.random() < 0.7 or model is not V8 else 0xF) << 28
        word |= rng.choice((0xC, 0xD, 0xE)) << 24
        tree = thumb_tree if thumb else unconditional if word >> 28 == 15 else conditional
        if not _compares(word, thumb=thumb) or tree.find(word if thumb else word & M28) is not None:
            continue
        code = ((word >> 16 | (word & 0xFFFF) << 16) if thumb else word).to_bytes(4, "little")
        state: State = slot.state([])._replace(record=(0, 0, 0), rest=T if thumb else 0)
        theirs = reference.run(code, state, 1)
        if theirs.fault != "undefined":
            wrong.append(f"{word:08x} {'thumb' if thumb else 'a32'}: {theirs.fault or 'runs'}")
    assert not wrong, wrong[:10]


def test_every_encoding_can_be_drawn(seed: int) -> None:
    """No rule keeps a whole encoding out of the comparison."""
    for thumb in (False, True):
        generator = VfpComparison(seed, thumb=thumb, modules=VFP_MODULES, model=V8).generator
        assert not [each for each in generator.encodings if all(generator.word(each) is None for _ in range(60))]
        assert len(generator.encodings) > 50
