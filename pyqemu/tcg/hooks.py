"""Python functions that are called while vCPUs run: at addresses, instructions, accesses, ports and events.

Nothing of this is in translated code until somebody asks for it. Then a block ends before a hooked address, and the
instruction there begins with a call; watched pages are kept out of the software TLB, so that their accesses come to
Python; ports and events come there anyway. When the last function is gone, the code is made as if there never was one.

All methods are called with the vCPU parked, or in its thread from a function that it has called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pyqemu.memory import AddressSpace
from pyqemu.tcg.alone import always_leave
from pyqemu.tcg.cpu import Cpu, LeaveLoop
from pyqemu.tcg.shape import Shape, Stage

if TYPE_CHECKING:
    from pyqemu.tcg.builder import Builder
    from pyqemu.tcg.engine import Engine
    from pyqemu.tcg.translate import Block, Decoder, Fields

PAGE_BITS = 12
M64 = (1 << 64) - 1

Reached = Callable[[int], None]
"""Gets the guest-virtual address of the instruction that is about to run."""


class NotYet(LeaveLoop):
    """Leaves native code before the instruction at the program counter has done anything."""

    completes = False


@dataclass(frozen=True)
class Access:
    """One access to memory by the processor; it has been made already.

    :ivar address: guest-virtual
    :ivar physical: guest-physical
    :ivar value: what was read or written, little-endian
    """

    address: int
    physical: int
    size: int
    value: int
    is_write: bool


@dataclass(eq=False)
class MemoryWatch:
    """A range of addresses, and who wants to know of accesses to it."""

    first: int
    last: int
    is_virtual: bool
    reads: bool
    writes: bool
    function: Callable[[Access], None]

    def concerns(self, access: Access) -> bool:
        """Whether *access* touches the range in a way that somebody wants to know of."""
        start = access.address if self.is_virtual else access.physical
        wanted = self.writes if access.is_write else self.reads
        return wanted and start <= self.last and self.first < start + access.size

    def pages(self) -> range:
        """Numbers of the pages of the range."""
        return range(self.first >> PAGE_BITS, (self.last >> PAGE_BITS) + 1)


@dataclass(eq=False)
class MemoryGuard:
    """A range of guest-virtual addresses, and who is asked before accesses to it are made.

    :ivar function: gets address, size, whether it is a write, and the mmu index; what it raises comes instead of the
        access, as a fault of translation would
    """

    first: int
    last: int
    reads: bool
    writes: bool
    function: Callable[[int, int, bool, int], None]

    def pages(self) -> range:
        """Numbers of the pages of the range."""
        return range(self.first >> PAGE_BITS, (self.last >> PAGE_BITS) + 1)


@dataclass(frozen=True)
class PortAccess:
    """One access to a port; it has been made already."""

    port: int
    size: int
    value: int
    is_write: bool


@dataclass(eq=False)
class PortWatch:
    """A range of ports, and who wants to know of accesses to it."""

    first: int
    last: int
    reads: bool
    writes: bool
    function: Callable[[PortAccess], None]


class WatchedMemory:
    """What the software TLB asks while memory is watched."""

    def __init__(self) -> None:
        self.watches: list[MemoryWatch] = []
        self.guards: list[MemoryGuard] = []
        self.physical: frozenset[int] = frozenset()
        self.virtual: frozenset[int] = frozenset()

    def update(self) -> None:
        """The list has changed."""
        self.physical = frozenset(page for watch in self.watches if not watch.is_virtual for page in watch.pages())
        virtual = [watch.pages() for watch in self.watches if watch.is_virtual]
        virtual += [guard.pages() for guard in self.guards]
        self.virtual = frozenset(page for pages in virtual for page in pages)

    def covers(self, physical: int, vaddr: int) -> bool:
        """Whether accesses to the page must be told."""
        return physical >> PAGE_BITS in self.physical or vaddr >> PAGE_BITS in self.virtual

    def ask(self, vaddr: int, size: int, is_write: bool, mmu: int) -> None:
        """An access will be made, unless somebody objects."""
        for guard in list(self.guards):
            if (guard.writes if is_write else guard.reads) and vaddr <= guard.last and guard.first < vaddr + size:
                guard.function(vaddr, size, is_write, mmu)

    def tell(self, vaddr: int, physical: int, size: int, value: int, is_write: bool) -> None:
        """An access was made, within one page."""
        if not self.covers(physical, vaddr):
            return
        access = Access(vaddr, physical, size, value & (1 << 8 * size) - 1, is_write)
        for watch in list(self.watches):
            if watch.concerns(access):
                watch.function(access)


class WatchedPorts(AddressSpace):
    """Stands in for the port space while some of it is watched."""

    def __init__(self, space: AddressSpace) -> None:
        super().__init__(space.name, space.root)
        self.watches: list[PortWatch] = []

    def _tell(self, port: int, size: int, value: int, is_write: bool) -> None:
        for watch in list(self.watches):
            wanted = watch.writes if is_write else watch.reads
            if wanted and port <= watch.last and watch.first < port + size:
                watch.function(PortAccess(port, size, value & (1 << 8 * size) - 1, is_write))

    def _is_watched(self, port: int, size: int) -> bool:
        return any(port <= watch.last and watch.first < port + size for watch in self.watches)

    def load(self, addr: int, size: int) -> int:
        value = super().load(addr, size)
        self._tell(addr, size, value, False)
        return value

    def store(self, addr: int, size: int, value: int) -> None:
        super().store(addr, size, value)
        self._tell(addr, size, value, True)

    def read_port_block(self, addr: int, size: int, count: int) -> bytes:
        return b"" if self._is_watched(addr, size) else super().read_port_block(addr, size, count)

    def write_port_block(self, addr: int, size: int, data: bytes) -> int:
        return 0 if self._is_watched(addr, size) else super().write_port_block(addr, size, data)


class Hooks:
    """All that watches the vCPUs of an engine.

    :ivar alone: instructions run one by one, and each comes back to the main loop
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.addresses: dict[int, list[Reached]] = {}
        self.instructions: dict[str, list[Reached]] = {}
        self.events: list[Callable[[Any], None]] = []
        self.memory = WatchedMemory()
        self.alone = False
        self._steps = 0
        self._stepped: Callable[[], None] = lambda: None
        self._held = False
        self._is_before = False  # functions are being called before an instruction
        self._shapes: dict[tuple[Shape, tuple[str, ...]], Shape] = {}
        self._passed_address: dict[Cpu, int | None] = {}
        self._passed_instruction: dict[Cpu, int | None] = {}
        self._ports: WatchedPorts | None = None
        self._plain_ports = engine.cpu.io

    @property
    def cpu(self) -> Cpu:
        """The vCPU that runs, or ran last."""
        return self.engine.cpu

    # --- code ---------------------------------------------------------------------------------------------------------

    def add_address(self, address: int, function: Reached) -> None:
        """Call *function* whenever the instruction at that guest-virtual address is about to run."""
        known = self.addresses.setdefault(address, [])
        known.append(function)
        if len(known) == 1:
            self._code_changed(lambda block: block.linear <= address < block.linear + block.length)

    def remove_address(self, address: int, function: Reached) -> None:
        """Do not call *function* at that address any more."""
        known = self.addresses[address]
        known.remove(function)
        if not known:
            del self.addresses[address]
            for cpu in [cpu for cpu, passed in self._passed_address.items() if passed == address]:
                del self._passed_address[cpu]
            self._code_changed(lambda block: block.linear <= address < block.linear + block.length)

    def add_instruction(self, mnemonic: str, function: Reached) -> None:
        """Call *function* whenever an instruction of that name is about to run."""
        self.instructions.setdefault(mnemonic, []).append(function)
        self._code_changed(lambda block: True)

    def remove_instruction(self, mnemonic: str, function: Reached) -> None:
        """Do not call *function* at such instructions any more."""
        self.instructions[mnemonic].remove(function)
        if not self.instructions[mnemonic]:
            del self.instructions[mnemonic]
        self._code_changed(lambda block: True)

    def _code_changed(self, concerned: Callable[[Block], bool]) -> None:
        """Translate *concerned* blocks anew, as is right now."""
        is_used = bool(self.addresses or self.instructions or self.events or self.alone)
        self.engine.hooks = self if is_used else None
        if not is_used:
            self._shapes.clear()
        for block in [block for block in self.engine.cache if concerned(block)]:
            self.engine.cache.remove(block)

    def hold(self) -> None:
        """Said by a function: leave native code now. If it was called before an instruction, that has not run."""
        if self._is_before:
            self._held = True
        else:
            self.engine.leave_after_instruction()

    def release(self) -> None:
        """Forget what was held: execution begins somewhere else."""
        self._passed_address.clear()
        self._passed_instruction.clear()

    def _call(self, functions: list[Reached], address: int) -> bool:
        """Call functions before an instruction; returns whether it shall not run now."""
        cpu = self.cpu
        before = cpu.block_key()
        self._held, self._is_before = False, True
        try:
            for function in list(functions):
                function(address)
        finally:
            self._is_before = False
        return self._held or cpu.block_key() != before

    def at_address(self) -> None:
        """A hooked address is reached."""
        address = self.cpu.block_key()[0]
        if not self.cpu.about_to_run():
            return
        passed = self._passed_address.pop(self.cpu, None)
        if passed != address and self._call(self.addresses.get(address, []), address):
            self._passed_address[self.cpu] = self._here(address)
            raise NotYet

    def at_instruction(self, mnemonic: str) -> None:
        """An instruction of a hooked name is reached."""
        address = self.cpu.block_key()[0]
        if not self.cpu.about_to_run():
            return
        passed = self._passed_instruction.pop(self.cpu, None)
        if passed != address and self._call(self.instructions.get(mnemonic, []), address):
            self._passed_address[self.cpu] = self._passed_instruction[self.cpu] = self._here(address)
            raise NotYet

    def _here(self, address: int) -> int | None:
        """The address, if the program counter is still there: then its functions have been called already."""
        return address if self.cpu.block_key()[0] == address else None

    # --- translation --------------------------------------------------------------------------------------------------

    def block(self, pc: int, linear: int, flags: int, code: bytes, more: Callable[[], bytes | None],
              limit: int) -> tuple[Block, list[Fields]]:  # fmt: skip
        """:meth:`Translator.block`, ending before the next hooked address."""
        ends = [address - linear for address in self.addresses if 0 < address - linear < len(code)]
        rest = b""
        if ends:
            code, rest = code[: min(ends)], code[min(ends) :]

        def beyond() -> bytes | None:
            if not rest:
                return more()
            if len(rest) > MAX_INSTRUCTION:
                return rest
            following = more()
            return rest if following is None else rest + following

        decoder = _HookDecoder(self, self.engine.translator.decoder(flags), linear in self.addresses)
        return self.engine.translator.block(pc, linear, flags, code, beyond, limit, decoder)

    def wrapped(self, shape: Shape, kinds: tuple[str, ...]) -> Shape:
        """The shape with calls of these kinds around it."""
        known = self._shapes.get((shape, kinds))
        if known is None:
            stage = shape.stage
            for kind in kinds:
                stage = partial(_STAGES[kind], stage, shape.mnemonic)
            known = self._shapes[shape, kinds] = Shape(shape.length, stage, shape.mnemonic)
        return known

    # --- steps --------------------------------------------------------------------------------------------------------

    def step(self, count: int, done: Callable[[], None]) -> None:
        """Run instructions one by one from now on, and call *done* when that many are on their way."""
        self._steps, self._stepped = count, done
        self._run_alone(count > 0)

    def _run_alone(self, on: bool) -> None:
        self.alone = on
        self._code_changed(lambda block: False)

    def stop_stepping(self) -> None:
        """Run at full speed again."""
        self._steps = 0
        self._run_alone(False)

    def began(self) -> None:
        """An instruction that runs alone begins."""
        if self._steps and self.cpu.about_to_run():
            self._steps -= 1
            if not self._steps:
                self._stepped()

    # --- data, ports, events ------------------------------------------------------------------------------------------

    def add_memory(self, watch: MemoryWatch) -> None:
        """Tell accesses of the processor to a range; not those of devices, and not those of page walks."""
        self.memory.watches.append(watch)
        self._memory_changed()

    def remove_memory(self, watch: MemoryWatch) -> None:
        """Tell them no more."""
        self.memory.watches.remove(watch)
        self._memory_changed()

    def add_guard(self, guard: MemoryGuard) -> None:
        """Ask before accesses of the processor to a range."""
        self.memory.guards.append(guard)
        self._memory_changed()

    def remove_guard(self, guard: MemoryGuard) -> None:
        """Ask no more."""
        self.memory.guards.remove(guard)
        self._memory_changed()

    def _memory_changed(self) -> None:
        self.memory.update()
        for mmu in self.engine.mmus:
            mmu.watch = self.memory if self.memory.watches or self.memory.guards else None
        self.engine.watch_memory(self.memory.physical, closed=bool(self.memory.virtual))

    def add_port(self, watch: PortWatch) -> None:
        """Tell accesses to ports."""
        if self._ports is None:
            self._ports = WatchedPorts(self._plain_ports)
        self._ports.watches.append(watch)
        for cpu in self.engine.cpus:
            cpu.io = self._ports

    def remove_port(self, watch: PortWatch) -> None:
        """Tell them no more."""
        assert self._ports is not None
        self._ports.watches.remove(watch)
        if not self._ports.watches:
            for cpu in self.engine.cpus:
                cpu.io = self._plain_ports

    def add_event(self, function: Callable[[Any], None]) -> None:
        """Call *function* with each exception and interrupt that is about to be delivered."""
        self.events.append(function)
        self._events_changed()

    def remove_event(self, function: Callable[[Any], None]) -> None:
        """Do not call it any more."""
        self.events.remove(function)
        self._events_changed()

    def _events_changed(self) -> None:
        for cpu in self.engine.cpus:
            cpu.on_deliver = self._deliver if self.events else None
        self._code_changed(lambda block: True)

    def _deliver(self, event: Any) -> None:
        for function in list(self.events):
            function(event)


MAX_INSTRUCTION = 16  #: bytes that suffice for any instruction


class _HookDecoder:
    """A mode's decoder whose shapes call what is hooked."""

    def __init__(self, hooks: Hooks, inner: Decoder, is_hooked: bool) -> None:
        self._hooks, self._inner, self._is_hooked = hooks, inner, is_hooked

    def decode(self, code: bytes, pos: int) -> tuple[Shape, int, int]:
        shape, disp, imm = self._inner.decode(code, pos)
        hooks = self._hooks
        kinds = []  # the last one comes first when the instruction runs
        if hooks.events and shape.mnemonic in hooks.cpu.event_mnemonics:
            kinds.append("event")
        if hooks.alone:
            kinds.append("alone")
        if shape.mnemonic in hooks.instructions:
            kinds.append("instruction")
        if pos == 0 and self._is_hooked:
            kinds.append("address")
        return (hooks.wrapped(shape, tuple(kinds)) if kinds else shape), disp, imm


def _stage_address(stage: Stage, mnemonic: str, t: Builder) -> None:
    t.call(_at_address)
    t._cc_in = None  # a function may have changed the flags
    stage(t)


def _stage_instruction(stage: Stage, mnemonic: str, t: Builder) -> None:
    t.call(_helper(mnemonic))
    t._cc_in = None
    stage(t)


def _stage_event(stage: Stage, mnemonic: str, t: Builder) -> None:
    t.watches_events = True
    stage(t)


def _stage_alone(stage: Stage, mnemonic: str, t: Builder) -> None:
    """Every way out of the instruction leads to the main loop."""
    t.call(_began)
    t._cc_in = None
    stage(t)
    always_leave(t)


_STAGES = {
    "event": _stage_event, "instruction": _stage_instruction, "address": _stage_address, "alone": _stage_alone,
}  # fmt: skip


def _at_address(cpu: Cpu) -> None:
    cpu.hooks.at_address()


def _began(cpu: Cpu) -> None:
    cpu.hooks.began()


_HELPERS: dict[str, Callable[[Cpu], None]] = {}


def _helper(mnemonic: str) -> Callable[[Cpu], None]:
    """The helper of an instruction's name; one for each, as helpers are known by identity."""

    def at_instruction(cpu: Cpu) -> None:
        cpu.hooks.at_instruction(mnemonic)

    return _HELPERS.setdefault(mnemonic, at_instruction)
