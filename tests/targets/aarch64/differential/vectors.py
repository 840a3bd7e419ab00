"""Random states of vector registers, and the comparison of instructions that use them."""

from __future__ import annotations

from struct import Struct

from pyqemu.tcg.engine import Engine
from tests.targets.aarch64.differential.cases import Generator, is_memory
from tests.targets.aarch64.differential.compare import Comparison
from tests.targets.aarch64.differential.layout import State
from tests.targets.arm.differential.lanes import vector

ALL_VECTORS = Struct("<64Q")
FPCR_MODES = (0, 1 << 22, 2 << 22, 3 << 22, 1 << 24, 1 << 25, 1 << 26, 3 << 24, 7 << 24)
FPSR_STATES = (0, 0x10, 0x0800009F, 0x08000010)


class VectorGenerator(Generator):
    """Draws states with vector registers."""

    def state(self, words: list[int]) -> State:
        r = self.random
        halves = ALL_VECTORS.unpack(r.randbytes(512))
        vectors = [halves[n] | halves[n + 1] << 64 for n in range(0, 64, 2)]
        for word in words:
            bits = r.choice((8, 16, 32, 64))
            for shift in (0, 5, 10, 16):
                vectors[word >> shift & 31] = vector(r, bits)
        fpcr = r.choice(FPCR_MODES) ^ r.choice(FPCR_MODES) if r.random() < 0.35 else 0
        state = super().state([word for word in words if is_memory(word)])
        registers = list(state.registers)
        for word in words:
            if not is_memory(word):
                registers[word >> 5 & 31] = self.number()
        return state._replace(vectors=tuple(vectors), fpcr=fpcr, fpsr=r.choice(FPSR_STATES), registers=tuple(registers))


class VectorComparison(Comparison):
    """Compares random programs that use vector registers."""

    def __init__(self, seed: int, engine: Engine | None = None, modules: tuple[str, ...] = ()) -> None:
        super().__init__(seed, engine, modules)
        self.generator = VectorGenerator(seed, modules)
        self.random = self.generator.random
