"""Our side of the comparison: one CPU without a machine around it, whose pages lie where the test wants them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.targets.x86.decode import Decoder
from pyqemu.targets.x86.exceptions import X86Exception
from pyqemu.targets.x86.layout import (
    CR0_PE,
    CS,
    DESC_A,
    DESC_B,
    DESC_CODE,
    DESC_L,
    DESC_P,
    DESC_R,
    DESC_S,
    DESC_W,
    DF,
    EFER_LMA,
    EFER_LME,
    EXC_PF,
    M32,
)
from pyqemu.targets.x86.state import X86Cpu
from pyqemu.tcg.builder import Builder
from pyqemu.tcg.cpu import LeaveLoop
from pyqemu.tcg.engine import Engine
from pyqemu.tcg.optimize import optimize
from pyqemu.tcg.python_engine import PythonEngine
from pyqemu.tcg.translate import KEEP, Variant
from tests.targets.x86.differential.layout import (
    CODE,
    DATA_HIGH,
    DATA_LOW,
    HLT,
    PAGES,
    RAM_SIZE,
    Outcome,
    State,
    port_value,
)

MODEL = "max"
EXTRA_FEATURES = {"bmi1"}  # no model has it yet
CODE_ATTRIBUTES = DESC_P | DESC_S | DESC_CODE | DESC_R | DESC_A
DATA_ATTRIBUTES = DESC_P | DESC_S | DESC_W | DESC_A
MAX_ELEMENTS = 400


class MappedCpu(X86Cpu):
    """A CPU whose page walk is a table of the test."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.plain_decoders: dict[int, Decoder] = {}
        super().__init__(*args, **kwargs)

    def decoder(self, flags: int) -> Decoder:
        found = self.plain_decoders.get(flags & M32)
        if found is None:
            found = self.plain_decoders[flags & M32] = Decoder(flags & M32, self.model.names | EXTRA_FEATURES)
        return found

    def fill(self, vaddr: int, access: int, mmu: int) -> tuple[int, int, int]:
        page = PAGES.get(vaddr >> 12)
        rights = 0 if page is None else 5 if vaddr >> 16 == CODE >> 16 else 3 if page.writable else 1
        if page is None or not rights & (1, 2, 4)[access]:
            raise X86Exception(EXC_PF, 0)
        return page.physical, rights, 4096

    def build_refill(self, t: Builder) -> bool:
        return False


class Ports:
    """The port space: reads give a known number, writes are noted."""

    def __init__(self) -> None:
        self.log: list[tuple[int, int, int]] = []

    def read(self, offset: int, size: int) -> int:
        return port_value(offset, size)

    def write(self, offset: int, size: int, value: int) -> None:
        self.log.append((offset, size, value))


class PlainEngine(PythonEngine):
    """The python engine; what all its functions see is gathered once."""

    @cached_property
    def scope(self) -> dict[str, Any]:
        return super().scope


class Ours:
    """Runs single instructions from given states; what has been translated once is used again."""

    def __init__(self, engine: Engine | None = None) -> None:
        memory = MemoryRegion.container("memory", 1 << 52)
        ram = memory.add(0, MemoryRegion.ram("ram", RAM_SIZE))
        assert ram.ram_block is not None
        self.ram = ram.ram_block.data
        self.ports = Ports()
        ports = MemoryRegion.mmio("ports", (1 << 16) + 8, self.ports)
        self.engine = engine or PlainEngine()
        self.cpu = MappedCpu(
            MODEL, memory=AddressSpace("memory", memory), io=AddressSpace("ports", ports), engine=self.engine
        )
        self.features = self.cpu.model.names | EXTRA_FEATURES
        self._mode = 0
        self._variants: dict[Any, Variant] = {}

    def enter(self, mode: int, bases: tuple[int, ...] = (0,) * 6, *, fresh: bool = False) -> None:
        """Set up a mode: 16 is real mode, 32 flat protected mode, 64 long mode; always CPL 0.

        :param fresh: set everything even if the mode is the same.
        """
        cpu = self.cpu
        if mode != self._mode or fresh:
            self._mode = mode
            cpu.reset()
            if mode != 16:
                cpu.cr0 |= CR0_PE
            cpu.efer = EFER_LMA | EFER_LME if mode == 64 else 0
            cpu.update_control()
            for index in range(6):
                size = DESC_L if mode == 64 and index == CS else DESC_B if mode != 16 else 0
                kind = CODE_ATTRIBUTES if index == CS and mode != 16 else DATA_ATTRIBUTES
                cpu.load_segment_cache(index, 0, 0, 0xFFFF if mode == 16 else M32, kind | size)
        for index, base in enumerate(bases):
            cpu.seg[index].set_real(base >> 4) if mode == 16 else cpu.seg[index].set_base(base)
        cpu.update_hflags()

    def run(self, code: bytes, state: State, *, repeats: bool, live: bool = True, static: bool = False) -> Outcome:
        """Run the instruction `code` once, string instructions to their end.

        :param live: whether flags will be looked at.
        :param static: whether the kind of the flags' record is known when the instruction is translated.
        """
        cpu = self.cpu
        self._load(state)
        shape, disp, imm = cpu.decoder(cpu.hflags).decode(code, 0)
        fields = (state.pc, disp, imm)
        vector = -1
        try:
            for _ in range(MAX_ELEMENTS if repeats else 1):
                function, holes = self._code(shape, fields, live, cpu.cc_op if static else None)
                cpu.eip = state.pc
                result = function(cpu.b, cpu.w, cpu.l, cpu.q, cpu, cpu.mmu, [hole.value(*fields) for hole in holes])
                if not result:
                    cpu.eip = state.pc + shape.length
                if cpu.eip != state.pc:
                    break
        except X86Exception as exc:
            vector = exc.vector
        return self._outcome(vector)

    def _code(self, shape: Any, fields: tuple[int, int, int], live: bool, kind: int | None) -> Any:
        translator = self.engine.translator
        if shape.traits is not None:
            kind = kind if shape.traits.reads_flags else KEEP
        special = tuple(fields[index] for index in shape.traits.special) if shape.traits is not None else ()
        key = (shape, live, kind, special)
        found = self._variants.get(key)
        if found is None:
            traits, found = translator._stage(shape, self.cpu.hflags, fields, live, None if kind == KEEP else kind)
            kind = kind if traits.reads_flags else KEEP
            found.ops = optimize(found.ops, translator.table)
            found.code = self.engine.compile(found)
            self._variants[(shape, live, kind, tuple(fields[index] for index in traits.special))] = found
        return found.code

    def forget(self) -> None:
        """Drop all translations."""
        self._variants.clear()
        self.cpu.plain_decoders.clear()

    def _load(self, state: State) -> None:
        cpu = self.cpu
        self.ports.log.clear()
        for n, value in enumerate(state.registers):
            cpu.q[(0x400 >> 3) + n] = value
        cpu.cc_op, cpu.cc_dst, cpu.cc_src = state.record
        cpu.eflags_rest = DF if state.backwards else 0

    def _outcome(self, vector: int) -> Outcome:
        cpu = self.cpu
        registers = tuple(cpu.q[0x400 >> 3 : (0x400 >> 3) + 16])
        return Outcome(vector, registers, cpu.eip, cpu.get_eflags() & 0xCD5)


class OursWhole(Ours):
    """Runs instructions as the CPU does, through the blocks of an engine.

    Wherever the instruction leads, there is a HLT, or a page that cannot be fetched from.
    """

    def run(self, code: bytes, state: State, *, repeats: bool, live: bool = True, static: bool = False) -> Outcome:
        cpu = self.cpu
        self._load(state)
        at = state.pc & 0xFFFF
        cpu.memory.write(at, code.ljust(16, HLT))
        cpu.eip, cpu.halted, vector = state.pc, False, -1
        try:
            with cpu.lock:
                self.engine.execute()
        except X86Exception as exc:
            vector = exc.vector if cpu.eip == state.pc else -1
        except LeaveLoop:
            pass
        if cpu.halted:
            cpu.eip -= 1
        cpu.memory.write(at, HLT * 16)
        return self._outcome(vector)


__all__ = ["CODE", "DATA_HIGH", "DATA_LOW", "KEEP", "MappedCpu", "Ours"]
