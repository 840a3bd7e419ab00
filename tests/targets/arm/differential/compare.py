"""Runs programs on both sides and says where they differ."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from unicorn import arm_const as c

from pyqemu.targets.arm import debug
from pyqemu.targets.arm.models import Model
from pyqemu.tcg.engine import Engine
from pyqemu.tcg.patterns import Encoding
from tests.targets.arm.differential.cases import MODULES, Generator, Word
from tests.targets.arm.differential.layout import CODE, CODE_SIZE, DATA_LOW, END, Outcome, State, T
from tests.targets.arm.differential.machine import Ours, OursWhole
from tests.targets.arm.differential.reference import Reference
from tests.targets.arm.differential.rules import excuse


@dataclass
class Difference:
    """A case whose outcomes are not the same."""

    words: list[Word]
    state: State
    ours: Outcome
    theirs: Outcome
    memory: list[tuple[int, int, int]]

    def _faulted(self) -> Word:
        """The instruction at which ours is, or the last one."""
        at = self.state.pc
        for word in self.words:
            if at == self.ours.pc:
                return word
            at += word.length
        return self.words[-1]

    @property
    def at_fault(self) -> Encoding:
        """Its encoding."""
        return self._faulted().encoding

    @property
    def word_at_fault(self) -> int:
        """The word itself."""
        return self._faulted().value

    def __str__(self) -> str:
        code = b"".join(word.code for word in self.words)
        thumb = bool(self.state.rest & T)
        lines = [f"{address:#x}: {text}" for address, text in debug.disassemble(code, self.state.pc, thumb=thumb)]
        lines.append(f"  words {' '.join(f'{w.value:0{2 * w.length}x} {w.encoding!r}' for w in self.words)}, "
                     f"record {self.state.record}")  # fmt: skip
        lines += [f"  r{n}: {a:#x} before, ours {b:#x}, theirs {c:#x}" for n, (a, b, c) in
                  enumerate(zip(self.state.registers, self.ours.registers, self.theirs.registers, strict=True))
                  if b != c]  # fmt: skip
        lines += [f"  d{n}: {a:#018x} before, ours {b:#018x}, theirs {c:#018x}" for n, (a, b, c) in
                  enumerate(zip(self.state.vectors, self.ours.vectors, self.theirs.vectors, strict=True))
                  if b != c]  # fmt: skip
        if self.state.vectors:
            lines.append(f"  fpscr {self.state.fpscr:#x} before")
        for name, mine, other in zip(self.ours._fields, self.ours, self.theirs, strict=True):
            if name not in ("registers", "vectors") and mine != other:
                lines.append(f"  {name}: ours {mine if isinstance(mine, str) else hex(mine)}, "
                             f"theirs {other if isinstance(other, str) else hex(other)}")  # fmt: skip
        lines += [f"  memory at {at:#x}: ours {a:#x}, theirs {b:#x}" for at, a, b in self.memory[:16]]
        return "\n".join(lines)


@dataclass
class Report:
    """What a comparison found."""

    cases: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{self.cases} cases, {len(self.differences)} differences; faults: {dict(self.faults)}"]
        return "\n".join([*lines, *(f"{count:6} excused: {why}" for why, count in self.excused.most_common())])


class Comparison:
    """Compares random programs.

    :param engine: runs whole blocks; without one, single instructions run as functions, with flags dead or alive
        behind them, and of a known kind before them or not
    :param model: the processor
    :param reference: what it is for Unicorn
    """

    generator_type = Generator

    def __init__(self, seed: int, engine: Engine | None = None, *, thumb: bool, modules: tuple[str, ...] = MODULES,
                 model: Model | str = "cortex-a15", reference: int = c.UC_CPU_ARM_CORTEX_A15) -> None:  # fmt: skip
        self.ours = OursWhole(engine, model) if engine is not None else Ours(None, model)
        self.generator = self.generator_type(seed, thumb=thumb, modules=modules, has=self.ours.cpu.model.has)
        self.random = self.generator.random
        self.theirs = Reference(reference)
        self.whole = engine is not None
        self.ours.ram[:CODE_SIZE] = END.to_bytes(4, "little") * (CODE_SIZE // 4)
        noise = self.random.randbytes(len(self.ours.ram) - CODE_SIZE)
        self.ours.ram[CODE_SIZE:] = noise
        self.theirs.ram[CODE_SIZE:] = noise

    def run(self, programs: int, states: int) -> Report:
        """Compare so many programs, each from so many states; every encoding has its turn."""
        report = Report()
        pool = self.generator.encodings
        while report.cases < programs * states:
            for encoding in self.random.sample(pool, len(pool)):
                if not self.whole and encoding.name == "it":
                    continue
                words = self.generator.program(encoding, self.random.randrange(1, 6) if self.whole else 1)
                if not words:
                    continue
                for _ in range(states):
                    self.case(words, self.generator.state(words), report)
                if report.cases >= programs * states:
                    break
        return report

    def case(self, words: list[Word], state: State, report: Report) -> None:
        """Compare one case."""
        live = self.whole or self.random.random() < 0.8
        static = not self.whole and self.random.random() < 0.5
        code = b"".join(word.code for word in words)
        in_block = words[0].encoding.name == "it"  # the reference does not count what is skipped
        theirs = self.theirs.run(code, state, 0 if in_block else len(words))
        if any(word.module == "exclusive" for word in words):
            self.theirs.forget()  # else a store to where another case has loaded from may succeed there
        if self.whole and not theirs.fault and state.pc <= theirs.pc < state.pc + len(code):
            self.theirs.ram[CODE_SIZE:] = self.ours.ram[CODE_SIZE:]
            return  # it branched to itself, and would go on
        if self.whole and theirs.pc == state.pc - 2:
            self.theirs.ram[CODE_SIZE:] = self.ours.ram[CODE_SIZE:]
            return  # what fills the pages is a branch there, which leads to the code
        ours = self.ours.run(code, state, live=live, static=static)
        report.cases += 1
        report.faults[ours.fault] += 1
        if not live:  # whoever does not want the flags may have any
            ours = ours._replace(cpsr=ours.cpsr & ~(15 << 28) | theirs.cpsr & 15 << 28)
        if self.whole and ours.cpsr & T and ours.pc - theirs.pc == 2 and CODE <= theirs.pc < CODE + CODE_SIZE:
            ours = ours._replace(pc=theirs.pc)  # the second half of what fills the pages is a branch
        case = Difference(words, state, ours, theirs, self._memory())
        if ours == theirs and not case.memory:
            return
        why = excuse(case)
        if why:
            report.excused[why] += 1
        else:
            report.differences.append(case)
        self.ours.ram[CODE_SIZE:] = self.theirs.ram[CODE_SIZE:]

    def _memory(self) -> list[tuple[int, int, int]]:
        """Where data differs."""
        mine, other = bytes(self.ours.ram[CODE_SIZE:]), bytes(self.theirs.ram[CODE_SIZE:])
        if mine == other:
            return []
        return [(DATA_LOW + n, a, b) for n, (a, b) in enumerate(zip(mine, other, strict=True)) if a != b]
