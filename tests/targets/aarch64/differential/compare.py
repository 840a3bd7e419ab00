"""Runs programs on both sides and says where they differ."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pyqemu.targets.aarch64 import debug
from pyqemu.tcg.engine import Engine
from tests.targets.aarch64.differential.cases import Generator
from tests.targets.aarch64.differential.layout import CODE_SIZE, DATA_LOW, END, Outcome, State
from tests.targets.aarch64.differential.machine import Ours, OursWhole
from tests.targets.aarch64.differential.reference import Reference
from tests.targets.aarch64.differential.rules import excuse

MODULES = ("immediate", "register", "multiply", "branches", "memory", "exclusive", "system")


@dataclass
class Difference:
    """A case whose outcomes are not the same."""

    words: list[int]
    state: State
    ours: Outcome
    theirs: Outcome
    memory: list[tuple[int, int, int]]

    def __str__(self) -> str:
        code = b"".join(word.to_bytes(4, "little") for word in self.words)
        lines = [f"{address:#x}: {text}" for address, text in debug.disassemble(code, self.state.pc)]
        lines.append(f"  words {' '.join(f'{word:08x}' for word in self.words)}, record {self.state.record}")
        for name, mine, other in zip(self.ours._fields, self.ours, self.theirs, strict=True):
            if name in ("registers", "vectors"):
                before = getattr(self.state, name)
                lines += [f"  {name[0]}{n}: {a:#x} before, ours {b:#x}, theirs {c:#x}"
                          for n, (a, b, c) in enumerate(zip(before, mine, other, strict=True)) if b != c]  # fmt: skip
            elif mine != other:
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
    """

    def __init__(self, seed: int, engine: Engine | None = None, modules: tuple[str, ...] = MODULES) -> None:
        self.generator = Generator(seed, modules)
        self.random = self.generator.random
        self.ours = OursWhole(engine) if engine is not None else Ours()
        self.theirs = Reference()
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
                words = self.generator.program(encoding, self.random.randrange(1, 6) if self.whole else 1)
                for _ in range(states):
                    self.case(words, self.generator.state(words), report)
                if report.cases >= programs * states:
                    break
        return report

    def case(self, words: list[int], state: State, report: Report) -> None:
        """Compare one case."""
        live = self.whole or self.random.random() < 0.8
        static = not self.whole and self.random.random() < 0.5
        theirs = self.theirs.run(words, state)
        if self.whole and not theirs.fault and state.pc <= theirs.pc < state.pc + 4 * len(words):
            self._agree()  # it branched to itself, and would go on
            return
        ours = self.ours.run(words, state, live=live, static=static)
        report.cases += 1
        report.faults[ours.fault] += 1
        if not live and ours.nzcv != theirs.nzcv:  # whoever does not want the flags may have any
            ours = ours._replace(nzcv=theirs.nzcv)
        case = Difference(words, state, ours, theirs, self._memory())
        if ours == theirs and not case.memory:
            return
        why = excuse(case)
        if why:
            report.excused[why] += 1
        else:
            report.differences.append(case)
        self._agree()

    def _agree(self) -> None:
        """Give both sides the same memory, and the same of what no case sets."""
        self.ours.ram[CODE_SIZE:] = self.theirs.ram[CODE_SIZE:]
        self.ours.forget()
        self.theirs.forget()

    def _memory(self) -> list[tuple[int, int, int]]:
        """Where data differs."""
        mine, other = bytes(self.ours.ram[CODE_SIZE:]), bytes(self.theirs.ram[CODE_SIZE:])
        if mine == other:
            return []
        return [(DATA_LOW + n, a, b) for n, (a, b) in enumerate(zip(mine, other, strict=True)) if a != b]
