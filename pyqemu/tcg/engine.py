"""What every engine does: find or make the block that comes next, and serve what blocks cannot do themselves.

:meth:`Engine.execute` runs until the main loop is wanted: a request, a helper that asks for it, or a guest exception,
which it raises with the program counter at the instruction that caused it.

An engine may run several vCPUs of one model, one at a time: :meth:`Engine.select` says which. They share translated
code, as code reaches everything of its vCPU by the environment's pointer; each has its own environment, and in it its
own software TLB and jump cache. So a block is made once, whoever needs it first, and when it is overwritten it is gone
for all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from pyqemu.tcg.blocks import BlockCache
from pyqemu.tcg.cpu import LeaveLoop
from pyqemu.tcg.env import BUDGET, jump_cache_slot
from pyqemu.tcg.ramwindow import RamWindow
from pyqemu.tcg.softmmu import FETCH, NO_MODE, SoftMmu
from pyqemu.tcg.tables import full_table
from pyqemu.tcg.translate import MAX_INSTRUCTIONS, Block, Fields, Translator, Variant

if TYPE_CHECKING:
    from pyqemu.memory import RamBlock
    from pyqemu.tcg.cpu import Cpu
    from pyqemu.tcg.hooks import Hooks
    from pyqemu.tcg.turns import Turns

_BUDGET = BUDGET >> 3
_UNLIMITED = 1 << 62


class Engine:
    """The part that engines share. *icount* counts guest instructions, so that time can be derived from them.

    :ivar cpu: the vCPU that is selected
    :ivar cpus: all that it runs
    :ivar hooks: what is hooked in code; None while nothing is
    :ivar trace: called with each block before it is entered (``-d exec``); engines then enter blocks one by one
    """

    name = ""
    cpu: Cpu
    mmu: SoftMmu

    def __init__(self, *, icount: bool = False) -> None:
        self.table = full_table()
        self.icount = icount
        self.cache = BlockCache(self._unlink, self._code_gone)
        self.granted = _UNLIMITED
        self._pending = 0  # instructions of the current block that were paid for and have not run
        self.trace: Callable[[Block], None] | None = None
        self.on_translate: Callable[[Block], None] | None = None
        self.single_step = False
        self.hooks: Hooks | None = None
        self.cpus: list[Cpu] = []
        self.turns: Turns | None = None

    def attach(self, cpu: Cpu) -> None:
        """Run *cpu* from now on, in turn with those that are attached already."""
        cpu.mmu = SoftMmu(cpu.env, cpu.memory, cpu.fill, self.cache)
        self.cpus.append(cpu)
        if self.turns is None:
            self.turns = cpu.turns
            self._attach_first(cpu)
            return
        first = self.cpus[0]
        if type(cpu) is not type(first) or cpu.memory is not first.memory:
            raise ValueError("processors that run in turn must be of one type and see the same memory")
        self.turns.add(cpu)
        cpu.turns, cpu.helpers, cpu.lock = self.turns, first.helpers, first.lock
        self.window.share(cpu.env)

    def _attach_first(self, cpu: Cpu) -> None:
        assert cpu.mmu is not None
        self.cpu, self.mmu = cpu, cpu.mmu
        self.q, self.l, self.b = cpu.q, cpu.l, cpu.b
        self.window = RamWindow(cpu.env, cpu.memory)
        self.translator = Translator(cpu, self.table, self.compile)
        self.pc_index = cpu.pc_slot >> 3
        self.q[_BUDGET] = _UNLIMITED
        cpu.memory.write_listeners.append(self._written_by_device)
        cpu.memory.topology_listeners.append(self._topology_changed)
        self._logged: set[RamBlock] = set()
        self._listen_to_logs()

    def select(self, cpu: Cpu) -> None:
        """Run *cpu* at the next :meth:`execute`, with what is left of the budget."""
        assert cpu.mmu is not None
        cpu.q[_BUDGET] = self.q[_BUDGET]
        self.cpu, self.mmu = cpu, cpu.mmu
        self.q, self.l, self.b = cpu.q, cpu.l, cpu.b

    @cached_property
    def all_hooks(self) -> Hooks:
        """Python functions that are called while vCPUs run."""
        from pyqemu.tcg.hooks import Hooks

        return Hooks(self)

    @property
    def mmus(self) -> list[SoftMmu]:
        """The software TLBs of all vCPUs."""
        return [cpu.mmu for cpu in self.cpus if cpu.mmu is not None]

    # --- what an engine adds ------------------------------------------------------------------------------------------

    def compile(self, variant: Variant) -> Any:
        """Make what blocks are put together from."""
        raise NotImplementedError

    def place(self, block: Block, fields: list[Fields]) -> None:
        """Make a block ready to be entered; *fields* are the numbers of its instructions."""
        raise NotImplementedError

    def host_code(self, block: Block) -> list[tuple[int, int]]:
        """Host address and bytes of the pieces of native code of a block that was just placed, for logs."""
        return []

    def execute(self) -> None:
        """Run until the main loop is wanted."""
        raise NotImplementedError

    def leave_after_instruction(self) -> None:
        """Come back to the main loop after the instruction that called the present helper, or made the access."""
        raise NotImplementedError

    def _unlink(self, block: Block) -> None:
        """*block* is stale: nothing may enter it any more."""
        raise NotImplementedError

    def _topology_changed(self) -> None:
        assert self.turns is not None
        if self.turns.is_mine():
            self.topology_changed()
        else:
            self.turns.queue(self.topology_changed)

    def topology_changed(self) -> None:
        """The memory map has changed."""
        self.window.refresh()
        self._flush_tlbs()
        self._listen_to_logs()

    def _flush_tlbs(self) -> None:
        for mmu in self.mmus:
            mmu.flush()

    def _close_writes(self) -> None:
        for mmu in self.mmus:
            mmu.close_writes()

    def watch_memory(self, pages: frozenset[int], *, closed: bool) -> None:
        """Let accesses to these guest-physical pages come to Python; with *closed*, all page walks, too."""
        self.window.watch(pages, closed=closed)
        self._flush_tlbs()

    def _listen_to_logs(self) -> None:
        """Hear when the dirty log of any RAM starts or is taken."""
        for section in self.cpu.memory.sections:
            block = section.ram
            if block is not None and block not in self._logged:
                self._logged.add(block)
                block.dirty.on_take.append(partial(self._log_taken, block))
                block.dirty.on_mark.append(partial(self.window.written, block))
                block.dirty.on_end.append(self.window.refresh)

    def _log_taken(self, block: RamBlock, first: int, count: int) -> None:
        """Pages count as clean now: stores must come to Python once more. Any thread, under the big lock.

        A store that is under way in native code may be missed; who cannot have that stops the vCPU first.
        """
        if block is self.window.block and block.dirty.enabled:
            self.window.refresh()
        self._close_writes()

    def _code_gone(self, host_page: int) -> None:
        self.window.mark_code(host_page, False)

    def flush(self) -> None:
        """Throw all translated code away."""
        for page in self.cache.pages:
            self.window.mark_code(page, False)
        self.cache.clear()
        for mmu in self.mmus:
            mmu.flush()
            mmu.clear_jump_cache()

    # --- instruction count --------------------------------------------------------------------------------------------

    def executed(self) -> int:
        """Guest instructions that have run (``-icount``), exact also within a block."""
        left = self.q[_BUDGET]
        return self.granted - (left - (1 << 64) if left >> 63 else left) - self._pending

    def grant(self, instructions: int) -> None:
        """Let at most that many instructions run before the main loop is wanted."""
        left = self.q[_BUDGET]
        left = left - (1 << 64) if left >> 63 else left
        self.granted += instructions - left
        self.q[_BUDGET] = instructions

    def grant_at_most(self, instructions: int) -> None:
        """Let no more than that many instructions run, whatever was granted before."""
        if self.granted - self.executed() > instructions:
            self.grant(instructions)

    def _give_back(self, instructions: int) -> None:
        """Instructions that were paid for will not run."""
        if self.icount:
            self.q[_BUDGET] = (self.q[_BUDGET] + instructions) & (1 << 64) - 1
        self._pending = 0

    # --- blocks -------------------------------------------------------------------------------------------------------

    def find(self) -> Block:
        """The block for the CPU's present state, translated now if need be.

        :raise GuestException: the instruction cannot be fetched.
        :raise LeaveLoop: the budget is used up.
        """
        cpu = self.cpu
        linear, flags = cpu.block_key()
        mmu = cpu.mmu_index()
        pc = self.q[self.pc_index]
        limit = self._limit()
        if limit <= 0:
            raise LeaveLoop
        host = self.mmu.fetch_address(linear, mmu)
        if host is None:
            page = self.mmu.page(linear, FETCH, mmu)
            if page.block is None:
                return self._from_device(pc, linear, flags, page.physical)
            host = page.block.host + page.offset + (linear & 0xFFF)
        alone = self.hooks is not None and self.hooks.alone
        block = None if alone else self.cache.find(host, linear, pc, flags)
        if block is not None and block.count <= limit and (not block.second or self._still_spans(block, linear, mmu)):
            return block
        return self._translate(pc, linear, flags, host, self.mmu.page(linear, FETCH, mmu).view, limit)

    def _limit(self) -> int:
        """How many instructions the next block may have."""
        if self.single_step or (self.hooks is not None and self.hooks.alone):
            return 1
        if self.icount:
            left = self.q[_BUDGET]
            left = left - (1 << 64) if left >> 63 else left
            return min(MAX_INSTRUCTIONS, left)
        return MAX_INSTRUCTIONS

    def _still_spans(self, block: Block, linear: int, mmu: int) -> bool:
        """Whether the page after the first is still the one that the block was made from."""
        following = self.mmu.page((linear | 0xFFF) + 1, FETCH, mmu)
        if following.block is not None and following.block.host + following.offset >> 12 == block.second:
            return True
        self.cache.remove(block)
        return False

    def _translate(self, pc: int, linear: int, flags: int, host: int, view: memoryview | None, limit: int) -> Block:
        assert view is not None
        second = 0  # page of host memory
        keep = True

        def more() -> bytes:
            nonlocal second, keep
            after = (linear | 0xFFF) + 1
            following = self.mmu.page(after, FETCH, self.cpu.mmu_index())
            if following.view is None or following.block is None:
                keep = False
                return self.cpu.memory.read(following.physical, 16)
            second = following.block.host + following.offset >> 12
            return bytes(following.view[:16])

        code = bytes(view[linear & 0xFFF :])
        translate = self.translator.block if self.hooks is None else self.hooks.block
        block, fields = translate(pc, linear, flags, code, more, limit)
        self.place(block, fields)
        if keep and (limit == MAX_INSTRUCTIONS or block.count < limit):  # it ends where it would end anyway
            fresh = self.cache.add(block, host, second)
            if fresh:
                for page in fresh:
                    self.window.mark_code(page, True)
                self._close_writes()
        else:
            block.valid = False
        if self.on_translate is not None:
            self.on_translate(block)
        return block

    def _from_device(self, pc: int, linear: int, flags: int, physical: int) -> Block:
        """Code outside RAM: one instruction at a time, never kept."""
        code = self.cpu.memory.read(physical + (linear & 0xFFF), 32)
        translate = self.translator.block if self.hooks is None else self.hooks.block
        block, fields = translate(pc, linear, flags, code, lambda: None, 1)
        self.place(block, fields)
        block.valid = False
        return block

    def enter_jump_cache(self, block: Block) -> None:
        """Let indirect jumps find *block*."""
        if not block.valid:
            return
        slot = jump_cache_slot(block.linear)
        q = self.q
        if q[slot] != block.linear or q[slot + 1] != block.flags:  # the entry that was used last goes to second place
            q[slot + 4 : slot + 8] = q[slot : slot + 4]
        q[slot], q[slot + 1], q[slot + 2] = block.linear, block.flags, block.address
        q[slot + 3] = block.host & ~0xFFF
        if block.second:
            self.mmu.spanning.append(slot)

    def leave_jump_cache(self, block: Block) -> None:
        """Indirect jumps must not find *block* any more."""
        slot = jump_cache_slot(block.linear)
        for cpu in self.cpus:
            q = cpu.q
            for entry in (slot, slot + 4):
                if q[entry + 2] == block.address:
                    q[entry + 1] = NO_MODE

    def _written_by_device(self, block: RamBlock, offset: int, length: int) -> None:
        """Memory was written through an address space: by DMA, or by a helper."""
        first = block.host + offset >> 12
        last = block.host + offset + length - 1 >> 12
        if not any(self.cache.holds_code(page) for page in range(first, last + 1)):
            return
        assert self.turns is not None
        if self.turns.is_mine():
            self.cache.written(block.host + offset, length)
        else:
            self.turns.queue(lambda: self.cache.written(block.host + offset, length))
