"""Our side of the comparison: one CPU without a machine around it, whose pages lie where the test wants them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.targets.aarch64.exceptions import Aarch64Exception
from pyqemu.targets.aarch64.layout import (
    ALIGNMENT_FAULT,
    EC_DATA_ABORT,
    EC_INSTRUCTION_ABORT,
    EC_PC_ALIGNMENT,
    EC_UNKNOWN,
    NO_ADDRESS,
    SP,
    VECTOR,
    X0,
    X16,
    X29,
)
from pyqemu.targets.aarch64.state import Aarch64Cpu
from pyqemu.tcg.builder import Builder
from pyqemu.tcg.cpu import LeaveLoop
from pyqemu.tcg.engine import Engine
from pyqemu.tcg.optimize import optimize
from pyqemu.tcg.python_engine import PythonEngine
from pyqemu.tcg.translate import KEEP, Variant
from tests.targets.aarch64.differential.layout import CODE, END, PAGES, RAM_SIZE, Outcome, State

TRANSLATION_FAULT = 7


class MappedCpu(Aarch64Cpu):
    """A CPU whose page walk is a table of the test."""

    def fill(self, vaddr: int, access: int, mmu: int) -> tuple[int, int, int]:
        page = PAGES.get(vaddr >> 12)
        rights = 0 if page is None else 5 if vaddr >> 16 == CODE >> 16 else 3 if page.writable else 1
        if page is None or not rights & (1, 2, 4)[access]:
            raise Aarch64Exception(EC_INSTRUCTION_ABORT if access == 2 else EC_DATA_ABORT, TRANSLATION_FAULT, vaddr)
        return page.physical, rights, 4096

    def build_refill(self, t: Builder) -> bool:
        return False


class PlainEngine(PythonEngine):
    """The python engine; what all its functions see is gathered once."""

    @cached_property
    def scope(self) -> dict[str, Any]:
        return super().scope


def fault_name(exc: Aarch64Exception) -> str:
    """What kind of fault it is."""
    if exc.ec == EC_DATA_ABORT and exc.iss & 0x3F == ALIGNMENT_FAULT:
        return "alignment"
    return {EC_UNKNOWN: "undefined", EC_DATA_ABORT: "data", EC_INSTRUCTION_ABORT: "fetch",
            EC_PC_ALIGNMENT: "pc"}.get(exc.ec, f"class {exc.ec:#x}")  # fmt: skip


class Ours:
    """Runs single instructions from given states as functions; what has been translated once is used again."""

    def __init__(self, engine: Engine | None = None) -> None:
        memory = MemoryRegion.container("memory", 1 << 52)
        ram = memory.add(0, MemoryRegion.ram("ram", RAM_SIZE))
        assert ram.ram_block is not None
        self.ram = ram.ram_block.data
        self.engine = engine or PlainEngine()
        self.cpu = MappedCpu("cortex-a57", memory=AddressSpace("memory", memory), engine=self.engine)
        self.cpu.sys.cpacr_el1 = 3 << 20
        self.cpu.mode_changed()
        self._variants: dict[Any, Variant] = {}

    def run(self, words: list[int], state: State, *, live: bool = True, static: bool = False) -> Outcome:
        """Run one instruction once.

        :param live: whether flags will be looked at.
        :param static: whether the kind of the flags' record is known when the instruction is translated.
        """
        cpu = self.cpu
        self.load(state)
        (word,) = words
        shape, disp, imm = cpu.decoder(cpu.mode).decode_word(word)
        fields = (state.pc, disp, imm)
        fault = ""
        try:
            function, holes = self._code(shape, fields, live, cpu.cc_kind if static else None)
            result = function(cpu.b, cpu.w, cpu.l, cpu.q, cpu, cpu.mmu, [hole.value(*fields) for hole in holes])
            if not result:
                cpu.pc = state.pc + 4
        except Aarch64Exception as exc:
            fault = fault_name(exc)
        return self.outcome(state, fault)

    def _code(self, shape: Any, fields: tuple[int, int, int], live: bool, kind: int | None) -> Any:
        translator = self.engine.translator
        if shape.traits is not None:
            kind = kind if shape.traits.reads_flags else KEEP
        key = (shape, live, kind)
        found = self._variants.get(key)
        if found is None:
            traits, found = translator._stage(shape, self.cpu.mode, fields, live, None if kind == KEEP else kind)
            assert not traits.special, "A64 has no instruction whose translation depends on a number"
            kind = kind if traits.reads_flags else KEEP
            found.ops = optimize(found.ops, translator.table)
            found.code = self.engine.compile(found)
            self._variants[(shape, live, kind)] = found
        return found.code

    def load(self, state: State) -> None:
        """Make the CPU's state that of a case."""
        cpu, q, regs = self.cpu, self.cpu.q, state.registers
        for n in range(16):
            q[(X0 >> 3) + n] = regs[n]
        for n in range(13):
            q[(X16 >> 3) + n] = regs[16 + n]
        q[X29 >> 3], q[(X29 >> 3) + 1], q[SP >> 3] = regs[29], regs[30], regs[31]
        cpu.cc_kind, cpu.cc_result, cpu.cc_source = state.record
        cpu.pc = state.pc
        if state.vectors:
            for n, value in enumerate(state.vectors):
                cpu.v[n] = value
            cpu.fpsr = state.fpsr
            if cpu.fpcr != state.fpcr:
                cpu.set_fpcr(state.fpcr)

    def outcome(self, state: State, fault: str) -> Outcome:
        """What is there now."""
        cpu, q = self.cpu, self.cpu.q
        if fault:
            self.forget()
        regs = (*q[X0 >> 3 : (X0 >> 3) + 16], *q[X16 >> 3 : (X16 >> 3) + 13], *q[X29 >> 3 : (X29 >> 3) + 2], q[SP >> 3])
        if not state.vectors:
            return Outcome(fault, regs, cpu.pc, cpu.nzcv)
        halves = q[VECTOR >> 3 : (VECTOR >> 3) + 64].tolist()
        vectors = tuple(halves[n] | halves[n + 1] << 64 for n in range(0, 64, 2))
        return Outcome(fault, regs, cpu.pc, cpu.nzcv, vectors, cpu.fpsr)

    def forget(self) -> None:
        """Lose what no case sets, as the reference does after a fault."""
        cpu = self.cpu
        cpu.exclusive_address = NO_ADDRESS
        cpu.tpidr_el0 = cpu.tpidr_el1 = 0
        cpu.set_banked_sp(0, 0)
        cpu.set_elr(1, 0)


class OursWhole(Ours):
    """Runs instructions as the CPU does, through the blocks of an engine.

    Wherever they lead, there is an instruction that is UNDEFINED, or a page that cannot be fetched from.
    """

    def run(self, words: list[int], state: State, *, live: bool = True, static: bool = False) -> Outcome:
        cpu = self.cpu
        self.load(state)
        at, end = state.pc - CODE, state.pc + 4 * len(words)
        cpu.memory.write(at, b"".join(word.to_bytes(4, "little") for word in words))
        fault = ""
        try:
            with cpu.lock:
                while True:  # until something is raised
                    self.engine.execute()
        except Aarch64Exception as exc:
            if state.pc <= cpu.pc < end:
                fault = fault_name(exc)
        except LeaveLoop:
            pass
        cpu.memory.write(at, END.to_bytes(4, "little") * len(words))
        return self.outcome(state, fault)
