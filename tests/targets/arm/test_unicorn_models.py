"""Which processor has which instruction of A32, against Unicorn's models."""

from __future__ import annotations

import pytest
from unicorn import arm_const as c

from pyqemu.targets.arm.models import MODELS
from tests.targets.arm.differential.cases import Generator
from tests.targets.arm.differential.reference import Reference

REFERENCES = {
    "arm926": c.UC_CPU_ARM_926, "arm1026": c.UC_CPU_ARM_1026, "arm1136-r2": c.UC_CPU_ARM_1136_R2,
    "arm1136": c.UC_CPU_ARM_1136, "arm1176": c.UC_CPU_ARM_1176, "arm11mpcore": c.UC_CPU_ARM_11MPCORE,
    "cortex-a7": c.UC_CPU_ARM_CORTEX_A7, "cortex-a8": c.UC_CPU_ARM_CORTEX_A8, "cortex-a9": c.UC_CPU_ARM_CORTEX_A9,
    "cortex-a15": c.UC_CPU_ARM_CORTEX_A15, "max": c.UC_CPU_ARM_MAX,
}  # fmt: skip
SOME_UNDEFINED = ("ldrd", "strd", "ldrexd", "strexd", "ldaexd", "stlexd", "sbfx")
"""Of some words of these, both say that they are so."""
HINTS = "nop"  # those for memory that are not allocated: the multiprocessing extensions have them (A5.7.1)


@pytest.mark.parametrize("name", MODELS)
def test_instructions_of_a_processor(name: str, seed: int) -> None:
    """A word is undefined on a model of Unicorn where no pattern of ours that the model has matches it."""
    generator, reference, has = Generator(seed, thumb=False), Reference(REFERENCES[name]), MODELS[name].has
    trees = {id(group): group.tree(has) for group in generator.sets}
    wrong, compared = set(), 0
    for encoding in generator.encodings:
        if encoding.name in SOME_UNDEFINED or encoding.name == HINTS:
            continue
        group = generator.home(encoding)
        for _ in range(3):
            word = generator.word(encoding)
            if word is None or word.value >> 28 < 14:  # whether it is executed depends on the flags
                continue
            ours = trees[id(group)].find(word.value & (1 << group.bits) - 1) is not None
            theirs = reference.run(word.code, generator.state([word]), 1).fault != "undefined"
            compared += 1
            if ours != theirs:
                wrong.add(f"{word.value:08x} {encoding.name}")
    assert compared > 200
    assert not wrong
