"""Runs instructions on both sides and says where they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from pyqemu.targets.x86 import flags
from pyqemu.targets.x86.layout import CS, DF, DS, ES, FS, GS, SS
from pyqemu.tcg.engine import Engine
from tests.targets.x86.differential.cases import MODE_FLAGS, Generator, Template
from tests.targets.x86.differential.layout import CODE_SIZE, DATA_LOW, HLT, RAM_SIZE, Outcome, State
from tests.targets.x86.differential.machine import Ours, OursWhole
from tests.targets.x86.differential.reference import Reference
from tests.targets.x86.differential.rules import excuse, undefined_flags

MODULES = ("arithmetic", "bits", "control", "multiply", "shifts", "stack", "strings", "transfer")


@dataclass
class Difference:
    """A case whose outcomes are not the same."""

    template: Template
    code: bytes
    state: State
    ours: Outcome
    theirs: Outcome
    memory: list[tuple[int, int, int]]
    static: bool

    def __str__(self) -> str:
        lines = [
            f"{self.template.entry.mnemonic} mode {self.template.mode}: {self.code.hex()} pc {self.state.pc:x}"
            f" record {self.state.record} flags {flags.compute(*self.state.record):03x} df {self.state.backwards}"
            f" static {self.static}",
            "  registers " + " ".join(f"{value:x}" for value in self.state.registers),
        ]
        for name in ("vector", "pc", "flags"):
            mine, other = getattr(self.ours, name), getattr(self.theirs, name)
            if mine != other or name == "vector":
                lines.append(f"  {name}: {mine:x}, Unicorn has {other:x}")
        for n, (mine, other) in enumerate(zip(self.ours.registers, self.theirs.registers, strict=True)):
            if mine != other:
                lines.append(f"  r{n}: {mine:x}, Unicorn has {other:x} (was {self.state.registers[n]:x})")
        lines += [f"  [{address:x}]: {mine:02x}, Unicorn has {other:02x}" for address, mine, other in self.memory[:16]]
        return "\n".join(lines)


@dataclass
class Report:
    """What a run found."""

    cases: int = 0
    faults: Counter[int] = field(default_factory=Counter)
    mnemonics: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    def __str__(self) -> str:
        faults = ", ".join(
            f"{count} with vector {vector}" for vector, count in sorted(self.faults.items()) if vector >= 0
        )
        lines = [f"{self.cases} cases, {faults}; {len(self.differences)} differences", "departures of the reference:"]
        return "\n".join(lines + [f"  {count:6} {reason}" for reason, count in self.excused.most_common()])


class Comparison:
    """Both machines, with the same memory contents."""

    def __init__(self, seed: int, modules: tuple[str, ...] = MODULES, engine: Engine | None = None) -> None:
        self.random = Random(seed)
        self.ours = Ours() if engine is None else OursWhole(engine)
        self.theirs = {mode: Reference(mode) for mode in MODE_FLAGS}
        self.generator = Generator(seed + 1, modules, self.ours.features)
        self.contents = self.random.randbytes(RAM_SIZE - CODE_SIZE)
        self.ours.ram[:CODE_SIZE] = HLT * CODE_SIZE
        self.report = Report()

    def run(self, templates: int, states: int) -> Report:
        """Compare: so many instructions, each from so many states."""
        for number, template in enumerate(self.templates(templates)):
            bases = self._bases(template.mode)
            self.ours.enter(template.mode, bases)
            self.theirs[template.mode].enter(bases)
            for _ in range(states):
                self._case(template, *self.generator.instance(template, bases))
            if number % 2000 == 1999:
                self.ours.forget()
        return self.report

    def templates(self, count: int) -> Iterator[Template]:
        """Every encoding in turn, so that all get the same share."""
        pool = self.generator.entries
        made = 0
        while made < count:
            self.random.shuffle(pool)
            for entry in pool:
                mode = self.random.choice((16, 32, 64))
                template = self.generator.template(entry, mode)
                if template is not None and made < count:
                    made += 1
                    yield template

    def _bases(self, mode: int) -> tuple[int, ...]:
        bases = [0] * 6
        if mode == 16:
            for index in (ES, SS, DS, FS, GS):
                bases[index] = DATA_LOW + (self.random.randrange(0x1000) << 4)
            bases[CS] = 0x10000
        elif mode == 64:
            bases[FS], bases[GS] = (
                self.random.choice((0, 0x1000, 0x123456789000)),
                self.random.choice((0, 16, (1 << 64) - 64)),
            )
        return tuple(bases)

    def _case(self, template: Template, code: bytes, state: State) -> None:
        theirs = self.theirs[template.mode]
        self.ours.ram[CODE_SIZE:] = self.contents
        at = state.pc & 0xFFFF
        self.ours.ram[at : at + 16] = code.ljust(16, HLT)
        theirs.ram[CODE_SIZE:] = self.contents
        expected = theirs.run(code, state, repeats=template.repeats)
        static = template.kind is not None
        live = self.random.random() < 0.9 or isinstance(self.ours, OursWhole)
        outcome = self.ours.run(code, state, repeats=template.repeats, live=live, static=static)
        self.ours.ram[at : at + 16] = HLT * 16
        if not live and outcome.vector < 0:
            outcome = outcome._replace(flags=expected.flags)
        self._compare(Difference(template, code, state, outcome, expected, [], static))

    def _compare(self, case: Difference) -> None:
        report = self.report
        report.cases += 1
        report.mnemonics[case.template.entry.mnemonic] += 1
        report.faults[case.ours.vector] += 1
        if case.ours.vector >= 0 and case.ours.vector == case.theirs.vector and not case.template.repeats:
            same = self._unchanged(case)  # Unicorn may have changed something before the fault; we must not
        else:
            defined = ~undefined_flags(case)
            ours, theirs = (o._replace(flags=o.flags & defined) for o in (case.ours, case.theirs))
            same = ours == theirs and self._same_memory(case)
        if same:
            return
        reason = excuse(case)
        if reason:
            report.excused[reason] += 1
        else:
            report.differences.append(case)

    def _unchanged(self, case: Difference) -> bool:
        """Whether a fault left registers, flags and program counter as they were."""
        state = case.state
        image = flags.compute(*state.record) | (DF if state.backwards else 0)
        return case.ours == Outcome(case.ours.vector, state.registers, state.pc, image)

    def _same_memory(self, case: Difference) -> bool:
        """Whether both have the same memory; if not, note where they differ."""
        mine, other = (bytes(ram[CODE_SIZE:]) for ram in (self.ours.ram, self.theirs[case.template.mode].ram))
        if mine == other:
            return self.ours.ports.log == self.theirs[case.template.mode].ports
        case.memory = [(DATA_LOW + n, a, b) for n, (a, b) in enumerate(zip(mine, other, strict=True)) if a != b]
        return False
