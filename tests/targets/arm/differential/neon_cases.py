"""Random programs and states of Advanced SIMD, and the comparison that runs them."""

from __future__ import annotations

from dataclasses import replace

from pyqemu.targets.arm.insns.neon_memory import TYPES, lane_of
from pyqemu.targets.arm.models import MODELS
from pyqemu.targets.arm.modes import CPSR_E
from pyqemu.tcg.patterns import Encoding
from tests.targets.arm.differential.cases import Generator, Word
from tests.targets.arm.differential.compare import Comparison
from tests.targets.arm.differential.lanes import vector
from tests.targets.arm.differential.layout import State
from tests.targets.arm.differential.rules import fields_of

INTEGERS = ("neon_same", "neon_different", "neon_shift", "neon_move", "neon_misc")
FLOATS, MEMORY = ("neon_float", "neon_shift"), ("neon_memory",)
V8_FEATURES = frozenset(("v8", "aes", "sha1", "sha2", "crc32"))
V8 = replace(MODELS["cortex-a15"], name="v8", features=MODELS["cortex-a15"].features | V8_FEATURES)
"""A processor with what ARMv8 adds."""
FPSCR_STATES = (0, 0x10, 0x0800009F, 0x08000010)
FPSCR_MODES = (0, 0, 0, 0, 1 << 22, 3 << 22, 1 << 24, 1 << 25, 1 << 26, 7 << 24)
M32 = (1 << 32) - 1


class NeonGenerator(Generator):
    """Draws states with extension registers, and words that mostly name Q registers where they must."""

    def _draw(self, encoding: Encoding) -> Word | None:
        """Few words that are UNDEFINED because of how they use memory."""
        word = super()._draw(encoding)
        if word is not None and word.module in MEMORY and self.random.random() < 0.9:
            f = fields_of(encoding, word.value)
            if "type" in f and (f["type"] not in TYPES or f["align"] > TYPES[f["type"]].most):
                return None
            size = encoding.pattern.value >> 10 & 3
            if "field" in f and lane_of(f["count"] + 1, size, f["field"]) is None:
                return None
        return word

    def _near(self, encoding: Encoding, word: int) -> int:
        r = self.random
        fields = {name: field for name, field in encoding.pattern.fields.items() if name in ("Vd", "Vn", "Vm")}
        if r.random() < 0.9:
            for field in fields.values():
                word &= ~field.write(1)
        if r.random() < 0.1:
            number = r.randrange(0, 32, 2)
            for field in fields.values():
                word = word & ~field.mask | field.write(number)
        return word

    def state(self, words: list[Word]) -> State:
        r = self.random
        state = super().state(words)
        registers = list(state.registers)
        rest = state.rest
        for word in words:
            if word.module in MEMORY:
                self._addresses(word, registers)
                rest |= CPSR_E if r.random() < 0.15 else 0
        widths = (r.choice((8, 16, 32, 64)), r.choice((16, 32, 32)))
        vectors = tuple(vector(r, r.choice(widths), 64) for _ in range(32))
        fpscr = r.choice(FPSCR_STATES) | r.choice(FPSCR_MODES) | r.getrandbits(4) << 28
        return state._replace(registers=tuple(registers), rest=rest, vectors=vectors, fpscr=fpscr)

    def _addresses(self, word: Word, registers: list[int]) -> None:
        """Let addresses be aligned as hints promise, mostly."""
        super()._addresses(word, registers)
        base = fields_of(word.encoding, word.value)["Rn"]
        if base < 15 and self.random.random() < 0.8:
            registers[base] &= ~31


class NeonComparison(Comparison):
    """Compares random programs that use Advanced SIMD."""

    generator_type = NeonGenerator
