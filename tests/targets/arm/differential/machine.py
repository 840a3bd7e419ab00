"""Our side of the comparison: one CPU without a machine around it, whose pages lie where the test wants them."""

from __future__ import annotations

from array import array
from functools import cached_property
from typing import Any

from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.targets.arm.exceptions import ALIGNMENT, ArmException, Kind
from pyqemu.targets.arm.layout import NO_ADDRESS, VECTOR, X0
from pyqemu.targets.arm.models import Model
from pyqemu.targets.arm.modes import CPSR_GE, CPSR_Q, FPEXC_EN, M_BIG_ENDIAN, M_IT, M_THUMB
from pyqemu.targets.arm.state import ArmCpu
from pyqemu.tcg.builder import Builder
from pyqemu.tcg.cpu import LeaveLoop
from pyqemu.tcg.engine import Engine
from pyqemu.tcg.optimize import optimize
from pyqemu.tcg.python_engine import PythonEngine
from pyqemu.tcg.translate import KEEP, Variant
from tests.targets.arm.differential.layout import CODE, END, PAGES, RAM_SIZE, Outcome, State, T

E = 1 << 9
TRANSLATION = 7
D = slice(VECTOR >> 3, (VECTOR >> 3) + 32)  #: D0 to D31 in the environment


class MappedCpu(ArmCpu):
    """A CPU whose page walk is a table of the test."""

    def fill(self, vaddr: int, access: int, mmu: int) -> tuple[int, int, int]:
        page = PAGES.get(vaddr >> 12)
        rights = 0 if page is None else 5 if vaddr >> 16 == CODE >> 16 else 3 if page.writable else 1
        if page is None or not rights & (1, 2, 4)[access]:
            raise ArmException(Kind.PREFETCH_ABORT if access == 2 else Kind.DATA_ABORT, TRANSLATION, vaddr)
        return page.physical, rights, 4096

    def build_refill(self, t: Builder) -> bool:
        return False


class PlainEngine(PythonEngine):
    """The python engine; what all its functions see is gathered once."""

    @cached_property
    def scope(self) -> dict[str, Any]:
        return super().scope


def fault_name(exc: ArmException) -> str:
    """What kind of fault it is."""
    if exc.kind == Kind.DATA_ABORT:
        return "alignment" if exc.status & 15 == ALIGNMENT else "data"
    return {Kind.UNDEFINED: "undefined", Kind.PREFETCH_ABORT: "fetch"}.get(exc.kind, exc.kind.name)


class Ours:
    """Runs single instructions from given states as functions; what has been translated once is used again."""

    def __init__(self, engine: Engine | None = None, model: Model | str = "cortex-a15") -> None:
        memory = MemoryRegion.container("memory", 1 << 52)
        ram = memory.add(0, MemoryRegion.ram("ram", RAM_SIZE))
        assert ram.ram_block is not None
        self.ram = ram.ram_block.data
        self.engine = engine or PlainEngine()
        self.cpu = MappedCpu(model, memory=AddressSpace("memory", memory), engine=self.engine)
        self.cpu.sys.cpacr_el1 = 0xF << 20
        self.cpu.set_fpexc(FPEXC_EN)
        self._vectors = False  # whether the present case has any
        self._variants: dict[Any, Variant] = {}

    def run(self, code: bytes, state: State, *, live: bool = True, static: bool = False) -> Outcome:
        """Run one instruction once.

        :param live: whether flags will be looked at.
        :param static: whether the kind of the flags' record is known when the instruction is translated.
        """
        cpu = self.cpu
        self.load(state)
        shape, disp, imm = cpu.decoder(cpu.mode).decode(code, 0)
        fields = (state.pc, disp, imm)
        at, filler = state.pc - CODE, END.to_bytes(4, "little")
        self.ram[at : at + len(code)] = code  # for whoever reads it as data
        fault = ""
        try:
            function, holes = self._code(shape, fields, live, cpu.cc_kind if static else None)
            result = function(cpu.b, cpu.w, cpu.l, cpu.q, cpu, cpu.mmu, [hole.value(*fields) for hole in holes])
            if not result:
                cpu.pc = state.pc + len(code)
        except ArmException as exc:
            fault = fault_name(exc)
        self.ram[at : at + len(code)] = filler[: len(code)]
        cpu.block_key()
        return self.outcome(fault)

    def _code(self, shape: Any, fields: tuple[int, int, int], live: bool, kind: int | None) -> Any:
        translator = self.engine.translator
        if shape.traits is not None:
            kind = kind if shape.traits.reads_flags else KEEP
        key = (shape, live, kind)
        found = self._variants.get(key)
        if found is None:
            traits, found = translator._stage(shape, self.cpu.mode, fields, live, None if kind == KEEP else kind)
            assert not traits.special, "there is no instruction whose translation depends on a number"
            kind = kind if traits.reads_flags else KEEP
            found.ops = optimize(found.ops, translator.table)
            found.code = self.engine.compile(found)
            self._variants[(shape, live, kind)] = found
        return found.code

    def load(self, state: State) -> None:
        """Make the CPU's state that of a case."""
        cpu = self.cpu
        for n, value in enumerate(state.registers):
            cpu.q[(X0 >> 3) + n] = value
        cpu.cc_kind, cpu.cc_result, cpu.cc_source = state.record
        cpu.q_flag, cpu.ge = state.rest & CPSR_Q, state.rest & CPSR_GE
        cpu.mode &= ~(M_IT | M_THUMB | M_BIG_ENDIAN)
        cpu.mode |= (M_THUMB if state.rest & T else 0) | (M_BIG_ENDIAN if state.rest & E else 0)
        cpu.pc = state.pc
        cpu.exclusive_address = NO_ADDRESS
        self._vectors = bool(state.vectors)
        if state.vectors:
            cpu.q[D] = memoryview(array("Q", state.vectors))
            cpu.set_fpscr(state.fpscr)

    def outcome(self, fault: str) -> Outcome:
        """What is there now."""
        cpu = self.cpu
        regs = tuple(cpu.q[(X0 >> 3) + n] for n in range(15))
        if self._vectors:
            return Outcome(fault, regs, cpu.pc, cpu.cpsr, tuple(cpu.q[D]), cpu.fpscr)
        return Outcome(fault, regs, cpu.pc, cpu.cpsr)


class OursWhole(Ours):
    """Runs instructions as the CPU does, through the blocks of an engine.

    Wherever they lead, there is an instruction that is UNDEFINED, or a page that cannot be fetched from.
    """

    def run(self, code: bytes, state: State, *, live: bool = True, static: bool = False) -> Outcome:
        cpu = self.cpu
        self.load(state)
        at = state.pc - CODE
        cpu.memory.write(at, code)
        fault = ""
        try:
            with cpu.lock:
                while True:  # until something is raised
                    self.engine.execute()
        except ArmException as exc:
            if state.pc <= cpu.pc < state.pc + len(code):
                fault = fault_name(exc)
        except LeaveLoop:
            pass
        cpu.memory.write(at, END.to_bytes(4, "little") * (len(code) // 4 + 1))
        return self.outcome(fault)
