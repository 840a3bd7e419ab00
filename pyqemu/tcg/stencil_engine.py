"""The stencil engine: blocks of copied and patched native code.

A block's code is the head, then the code of each instruction's variant, joined; the holes that differ between instances
are filled in the joined bytes. The cold halves are joined elsewhere. Native code returns with an exit record;
:meth:`StencilEngine.execute` serves it and goes on at the same op, at the next one, or at another block.
"""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from struct import Struct
from struct import error as StructError
from typing import TYPE_CHECKING, Any

from pyqemu.tcg.assembler import Assembler, Code, fill
from pyqemu.tcg.builder import Insn, SubroutineBuilder
from pyqemu.tcg.codebuffer import CodeBuffer, NoExecutableMemory
from pyqemu.tcg.cpu import LeaveLoop
from pyqemu.tcg.engine import Engine
from pyqemu.tcg.env import (
    ARGUMENTS,
    EXIT_ACCESS,
    EXIT_ADDR,
    EXIT_CALL,
    EXIT_CHAIN,
    EXIT_HEAD,
    EXIT_JUMP,
    EXIT_LEAVE,
    EXIT_MEMORY,
    EXIT_PC,
    EXIT_REASON,
    FETCH_TABLES,
    LOOKUP_AGAIN_VECTOR,
    LOOKUP_VECTOR,
    MISS_VECTOR,
    REFILL_VECTOR,
    SUBROUTINES,
    TLB,
    TLB_ENTRY,
    TLB_SIZE,
    TLB_TABLE,
)  # fmt: skip
from pyqemu.tcg.optimize import optimize
from pyqemu.tcg.stencils import StencilsUnavailable, load
from pyqemu.tcg.translate import MAX_INSTRUCTIONS, Block, Fields, Variant

if TYPE_CHECKING:
    from pyqemu.tcg.cpu import Cpu

_PC, _REASON, _ADDR, _ACCESS = EXIT_PC >> 3, EXIT_REASON >> 3, EXIT_ADDR >> 3, EXIT_ACCESS >> 3
_ARGUMENT = ARGUMENTS >> 3
_JUMP = Struct("<Bi")
_REL32 = Struct("<i")
PADDING = 16  # room behind a block, so that a jump may be written at its last instruction
CODE_SIZE = 256 << 20
MAX_LOCATED = 1 << 16  #: ops whose place is remembered
SWEEP = 1 << 15  #: stale blocks that may be remembered, at least
M64 = (1 << 64) - 1

Place = tuple[Block, int, Insn, int, int]  #: block, index of the instruction, op, host address after it, guest pc


class StencilEngine(Engine):
    """Copy and patch.

    :raise StencilsUnavailable: this host cannot run stencils.
    """

    name = "stencil"

    def __init__(self, *, icount: bool = False, code_size: int = CODE_SIZE) -> None:
        super().__init__(icount=icount)
        self.pieces = load(self.table)
        self.assembler = Assembler(self.table, self.pieces)
        try:
            self.buffer = CodeBuffer(code_size)
        except (NoExecutableMemory, OSError) as exc:
            raise StencilsUnavailable(str(exc)) from None
        name = "head_icount" if icount else "head"
        self._heads = [self.assembler.assemble([(name, count)]) for count in range(MAX_INSTRUCTIONS + 1)]
        self._head_size, self._cold_head_size = len(self._heads[0].data), len(self._heads[0].cold)
        self._depth = 0  # of execute(): a helper may run an instruction of its own
        self._full = False
        self._routines()

    def _routines(self) -> None:
        """What lies at the start of the buffer: the way in, the stop that a stale block jumps to, the refill stub."""
        self.buffer.append(b"\xcc" * 16)  # host address 0 of the buffer is no code
        run = self.buffer.append(self.pieces["run"][0])
        self._native = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(run)
        self._stop = self.buffer.append(self.pieces["leave"][0])
        self._refill_none = self.buffer.append(self.pieces["refill_none"][0])
        self._miss = self.buffer.append(self.pieces["miss"][0])
        self._lookup = self.buffer.append(self.pieces["lookup"][0])
        self._lookup_again = self.buffer.append(self.pieces["lookup_again"][0])
        self._starts: list[int] = []
        self._placed: list[Block] = []
        self._located: dict[int, Place] = {}
        self._sweep_at = SWEEP

    def attach(self, cpu: Cpu) -> None:
        super().attach(cpu)
        if cpu is not self.cpu:
            for slot, address in self._vectors.items():
                cpu.q[slot >> 3] = address
            return
        self._env_address = cpu.env.address
        self._vectors: dict[int, int] = {}
        builder = SubroutineBuilder(self.table, cpu.helpers)
        self._refill = self.assembler.assemble(optimize(builder.ops, self.table)) if cpu.build_refill(builder) else None
        self._subroutines: dict[int, Code] = {}
        self._set_refill()

    def select(self, cpu: Cpu) -> None:
        super().select(cpu)
        self._env_address = cpu.env.address

    def _set_vector(self, slot: int, address: int) -> None:
        """Let all vCPUs find native code by that slot of their environments."""
        self._vectors[slot] = address
        for cpu in self.cpus:
            cpu.q[slot >> 3] = address

    def _set_refill(self) -> None:
        """Let accesses that miss run the target's page walk."""
        self._set_vector(REFILL_VECTOR, self._refill_none if self._refill is None else self._append_code(self._refill))
        self._set_vector(MISS_VECTOR, self._miss)
        self._set_vector(LOOKUP_VECTOR, self._lookup)
        self._set_vector(LOOKUP_AGAIN_VECTOR, self._lookup_again)

    # --- emitting -----------------------------------------------------------------------------------------------------

    def compile(self, variant: Variant) -> Code:
        for insn in variant.ops:
            if insn[0] == "gosub":
                self._need_subroutine(insn[1])
        return self.assembler.assemble(variant.ops)

    def _need_subroutine(self, number: int) -> None:
        """Make the code of an IR subroutine, at its first use."""
        if number in self._subroutines:
            return
        builder = SubroutineBuilder(self.table, self.cpu.helpers)
        self.cpu.helpers.subroutines[number].build(builder)
        builder.emit("return")
        self._subroutines[number] = self.assembler.assemble(optimize(builder.ops, self.table))
        self._place_subroutine(number)

    def _place_subroutine(self, number: int) -> None:
        self._set_vector(SUBROUTINES + 8 * number, self._append_code(self._subroutines[number]))

    def place(self, block: Block, fields: list[Fields]) -> None:
        head = self._heads[block.count]
        codes = [variant.code for variant in block.variants]
        data = head.data + b"".join([code.data for code in codes])
        address, cold_address = self._append(data, head.cold + b"".join([code.cold for code in codes]))
        view = self.buffer.view
        hot, cold = address - self.buffer.address, cold_address - self.buffer.address
        head.connect(view, hot, cold)
        hot += self._head_size
        cold += self._cold_head_size
        try:
            for code, here in zip(codes, fields, strict=True):
                if code.patches:
                    fill(code.patches, view, hot, here)
                if code.links:
                    code.connect(view, hot, cold)
                    if code.cold_patches:
                        fill(code.cold_patches, view, cold, here)
                    cold += len(code.cold)
                hot += len(code.data)
        except StructError:
            self._widen(block, fields)
            return
        block.address = address
        block.size = len(data)
        if len(self._placed) >= self._sweep_at and self._depth <= 1:
            self._sweep()
        self._starts.append(address)
        self._placed.append(block)

    def _append(self, data: bytes, cold: bytes) -> tuple[int, int]:
        """Put both halves of code into the buffer; if that is full, everything else is thrown away before."""
        try:
            return self.buffer.append(data, PADDING), self.buffer.append_cold(cold)
        except MemoryError:
            if self._depth > 1:  # the code that called the helper that got us here must stay
                self._full = True
                raise LeaveLoop from None
            self.flush()
            return self.buffer.append(data, PADDING), self.buffer.append_cold(cold)

    def _append_code(self, code: Code) -> int:
        """Put code without holes into the buffer."""
        address, cold = self._append(code.data, code.cold)
        code.connect(self.buffer.view, address - self.buffer.address, cold - self.buffer.address)
        return address

    def _widen(self, block: Block, fields: list[Fields]) -> None:
        """A number of an instance does not fit into 32 bits: from now on its shape has fields of 64 bits."""
        variants = []
        for variant in block.variants:
            if not variant.wide and variant.code.holes:
                wide = Variant(variant.shape, variant.ops, variant.cc_out)
                wide.wide, wide.code = True, self.assembler.assemble(variant.ops, wide=True)
                known = variant.shape.variants
                known.update({key: wide for key, value in known.items() if value is variant})
                variant = wide
            variants.append(variant)
        block.variants = tuple(variants)
        self.place(block, fields)

    def _sweep(self) -> None:
        """Forget the places of stale blocks: none of them is running while another block is made."""
        self._placed = [block for block in self._placed if block.valid]
        self._starts = [block.address for block in self._placed]
        self._located.clear()
        self._sweep_at = 2 * len(self._placed) + SWEEP

    def flush(self) -> None:
        self._full = False
        super().flush()
        self.buffer.clear()
        self._routines()
        self._set_refill()
        for number in self._subroutines:
            self._place_subroutine(number)

    # --- finding ------------------------------------------------------------------------------------------------------

    def _locate(self, address: int) -> Place:
        """What the op at a host address is."""
        place = self._located.get(address)
        if place is None:
            block = self._placed[bisect_right(self._starts, address) - 1]
            offset = address - block.address - self._head_size
            for index, variant in enumerate(block.variants):
                size = len(variant.code.data)
                if offset < size:
                    insn, after = variant.code.exits[offset]
                    place = (block, index, insn, address - offset + after, block.pc_of(index))
                    break
                offset -= size
            else:
                raise AssertionError(f"host address {address:#x} is no op of a block")
            if len(self._located) == MAX_LOCATED:
                self._located.clear()
            self._located[address] = place  # stays right for a stale block: its addresses are not used again
        return place

    def host_code(self, block: Block) -> list[tuple[int, int]]:
        head = self._heads[block.count]
        field, _ = head.links[0]
        cold = block.address + field + 4 + self._distance(block.address + field)
        size = len(head.cold) + sum(len(variant.code.cold) for variant in block.variants)
        return [(block.address, block.size), (cold, size)]

    def _block_at(self, address: int) -> Block:
        return self._placed[bisect_right(self._starts, address) - 1]

    # --- running ------------------------------------------------------------------------------------------------------

    def execute(self) -> None:
        if self._full and not self._depth:
            self.flush()
        self._depth += 1
        try:
            self._execute(self.find().address)
        finally:
            self._depth -= 1

    def _execute(self, address: int) -> None:
        q, cpu, native, env = self.q, self.cpu, self._native, self._env_address
        release, acquire = cpu.lock.release, cpu.lock.acquire
        while True:
            if self.trace is not None:
                self._trace_entry(address)
            release()
            try:
                native(env, address)
            finally:
                acquire()
            reason = q[_REASON]
            if reason == EXIT_CALL:
                address = self._call()
            elif reason == EXIT_MEMORY:
                address = self._memory()
            elif reason == EXIT_CHAIN:
                address = self._chain()
            elif reason == EXIT_JUMP:
                block = self.find()
                if self.trace is None:
                    self.enter_jump_cache(block)
                address = block.address
            elif reason == EXIT_HEAD:
                self._at_head()
                return
            elif reason == EXIT_LEAVE:
                if q[_PC] == self._stop:
                    self._give_back(self._stop_pending)
                return
            else:
                raise AssertionError(f"native code left for reason {reason}")

    def _trace_entry(self, address: int) -> None:
        index = bisect_right(self._starts, address) - 1
        if self._starts[index] == address:
            assert self.trace is not None
            self.trace(self._placed[index])

    def _at_head(self) -> None:
        """A block was about to run and did not: the program counter is its start."""
        block = self._block_at(self.q[_PC])
        self.q[self.pc_index] = block.pc
        self._give_back(block.count)

    def _interrupted(self, block: Block, index: int, pc: int) -> None:
        """The instruction *index* of *block* is under way in Python: make program counter and count exact."""
        self.q[self.pc_index] = pc
        if self.icount:
            self._pending = block.count - index

    def _call(self) -> int:
        address = self.q[_PC]
        block, index, insn, after, pc = self._located.get(address) or self._locate(address)
        self._interrupted(block, index, pc)
        _, number, count, out, bits = insn
        q = self.q
        try:
            result = self.translator_helpers[number](self.cpu, *q[_ARGUMENT : _ARGUMENT + count].tolist())
        except Exception as exc:
            self._give_back(self._pending - (isinstance(exc, LeaveLoop) and exc.completes))
            raise
        if out >= 0:
            self._set(out, bits, result)
        self._pending = 0
        if not block.valid:
            self._stop_after(block, index)
        return after

    @property
    def translator_helpers(self) -> list[Any]:
        return self.cpu.helpers.functions

    def _set(self, out: int, bits: int, value: int | None) -> None:
        """Write the result of a call or a load, as an op of that width would."""
        value = value or 0
        if bits >= 32 and bits != 128:
            self.q[out >> 3] = value & ((1 << bits) - 1)
        else:
            self.b[out : out + bits // 8] = (value & (1 << bits) - 1).to_bytes(bits // 8, "little")

    def _memory(self) -> int:
        """An access that the software TLB could not serve: fill it and try again, or do the access here."""
        q = self.q
        address = q[_PC]
        block, index, insn, after, pc = self._located.get(address) or self._locate(address)
        self._interrupted(block, index, pc)
        access = q[_ACCESS]
        mmu = (access - TLB) // TLB_TABLE
        op = self.table[insn[0]]
        vaddr = q[_ADDR]
        try:
            if op.kind == "load":
                value = self.mmu.load(vaddr, op.size, mmu)
                bits = op.operands[0][1]
                if op.signed and value >> 8 * op.size - 1:
                    value -= 1 << 8 * op.size
                self._set(insn[1], bits, value)
            elif op.kind == "store":
                start = insn[1]
                self.mmu.store(vaddr, op.size, int.from_bytes(self.b[start : start + op.size], "little"), mmu)
            else:
                self.mmu.probe_write(vaddr, op.size, mmu)
        except Exception:
            self._give_back(self._pending)
            raise
        self._pending = 0
        if not block.valid:
            self._stop_after(block, index)
        return after

    def _stop_after(self, block: Block, index: int) -> None:
        """The running block is stale: make it leave after the instruction that is under way.

        Its code is not entered any more, so the next instruction may be overwritten with a jump.
        """
        rest = block.count - index - 1
        if index + 1 >= len(block.variants) or not block.variants[index + 1].shape.length:
            return
        offset = self._head_size + sum(len(variant.code.data) for variant in block.variants[: index + 1])
        at = block.address + offset
        self.buffer.patch(at, _JUMP.pack(0xE9, self._stop - at - 5))
        self.q[self.pc_index] = block.pc_of(index + 1)
        self._stop_pending = rest

    _stop_pending = 0

    def leave_after_instruction(self) -> None:
        if self._depth:
            self.cache.remove(self._block_at(self.q[_PC]))

    # --- chaining -----------------------------------------------------------------------------------------------------

    def _chain(self) -> int:
        """A direct jump that leads nowhere yet: let it lead to its target."""
        address = self.q[_PC]
        block, _, insn, *_ = self._located.get(address) or self._locate(address)
        found = self.find()
        if not block.valid or self.trace is not None or not found.valid:
            return found.address
        same_page = (found.linear ^ block.linear) >> 12 == 0 and not found.second and not block.second
        _, field, way_out, size = insn
        jump = address + field
        unchained = self._distance(jump)
        # Else what follows is a look into the jump cache, for which the way out is put out of the way.
        if same_page and found.flags == block.flags:
            target = found.address
        else:
            self.buffer.patch(jump + 4 + unchained + way_out, _JUMP.pack(0xE9, size - 5))
            self.enter_jump_cache(found)
            if found.second or found.flags != block.flags:
                return found.address
            target = self._far_jump(found, jump + 4 + unchained)
        self.buffer.patch(jump, _REL32.pack(target - jump - 4))
        if found.chained is None:
            found.chained = []
        found.chained += (jump, unchained)
        return found.address

    def _far_jump(self, found: Block, otherwise: int) -> int:
        """Where a jump to a block on another page may lead: the page must still be mapped, and to the same memory.

        The entry of the software TLB that says so is known, and so is what it must hold. If it holds something else,
        the way goes on at the host address *otherwise*.
        """
        table = self.q[(FETCH_TABLES >> 3) + (found.flags & 3)]
        page = found.linear & ~0xFFF
        entry = table + (page >> 12 & TLB_SIZE - 1) * TLB_ENTRY
        code, field, elsewhere = self.assembler.far_jump(
            entry + 16, page, entry + 24, (found.host & ~0xFFF) - page & M64
        )
        try:
            address = self.buffer.append_cold(code)
        except MemoryError:
            return otherwise
        self.buffer.patch(address + elsewhere, _REL32.pack(otherwise - address - elsewhere - 4))
        self.buffer.patch(address + field, _REL32.pack(found.address - address - field - 4))
        return address

    def _distance(self, jump: int) -> int:
        """How far the jump with its field at that host address goes."""
        distance: int = _REL32.unpack_from(self.buffer.view, jump - self.buffer.address)[0]
        return distance

    def _unlink(self, block: Block) -> None:
        self.leave_jump_cache(block)
        chained = iter(block.chained or ())
        for jump, unchained in zip(chained, chained, strict=True):
            self.buffer.patch(jump, _REL32.pack(unchained))
        block.chained = None
