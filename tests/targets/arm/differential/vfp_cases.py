"""Random programs and states of VFP, and the comparison that runs them."""

from __future__ import annotations

from tests.targets.arm.differential.cases import Generator, Word
from tests.targets.arm.differential.compare import Comparison
from tests.targets.arm.differential.lanes import vector
from tests.targets.arm.differential.layout import State
from tests.targets.arm.differential.rules import fields_of

VFP_MODULES = ("vfp_arithmetic", "vfp_compare", "vfp_convert", "vfp_memory", "vfp_move")
FPSCR_MODES = (0, 1 << 22, 2 << 22, 3 << 22, 1 << 24, 1 << 25, 1 << 26, 3 << 24, 7 << 24)
FPSCR_STATES = (0, 0x10, 0x9F, 0x10)


class VfpGenerator(Generator):
    """Draws states with extension registers.

    :ivar short_vectors: how often FPSCR has a vector length
    """

    short_vectors = 0.02

    def state(self, words: list[Word]) -> State:
        r = self.random
        state = super().state(words)
        registers = list(state.registers)
        for word in words:
            if word.module == "vfp_memory":
                self._addresses(word, registers)
        vectors = tuple(vector(r, r.choice((16, 32, 32, 64, 64)), 64) for _ in range(32))
        fpscr = r.choice(FPSCR_STATES) | r.getrandbits(4) << 28
        if r.random() < 0.35:
            fpscr |= r.choice(FPSCR_MODES) ^ r.choice(FPSCR_MODES)
        if r.random() < self.short_vectors:
            fpscr |= r.randrange(8) << 16 | self.stride()
        return state._replace(registers=tuple(registers), vectors=vectors, fpscr=fpscr)

    def stride(self) -> int:
        """FPSCR.STRIDE."""
        return self.random.choice((0, 3 << 20))

    def _addresses(self, word: Word, registers: list[int]) -> None:
        super()._addresses(word, registers)
        f = fields_of(word.encoding, word.value)
        if word.encoding.name in ("vldm", "vstm") and "W" not in f and f["Rn"] < 15:  # decrement before
            registers[f["Rn"]] += 4 * f["imm8"] if self.random.random() < 0.8 else 0
            registers[f["Rn"]] &= 0xFFFFFFFF


class VfpComparison(Comparison):
    """Compares random programs that use VFP."""

    generator_type = VfpGenerator


class ShortVectorGenerator(VfpGenerator):
    """The same with vector lengths in every other state. The stride is one: see `vfp_rules.py` for singles."""

    short_vectors = 0.5

    def stride(self) -> int:
        return 0 if self.random.random() < 0.9 else 3 << 20


class ShortVectorComparison(VfpComparison):
    """Compares operations on short vectors."""

    generator_type = ShortVectorGenerator

    def __init__(self, seed: int, *, model: str, reference: int) -> None:
        modules = ("vfp_arithmetic", "vfp_compare", "vfp_convert", "vfp_move")
        super().__init__(seed, thumb=False, modules=modules, model=model, reference=reference)
