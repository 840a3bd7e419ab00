"""The CPU as every target shares it: its environment, its memory, and how others get its attention.

The loop that runs it, alone or in turn with others, is in `turns.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from pyqemu.tcg.builder import HelperTable
from pyqemu.tcg.env import EXIT_REQUEST, FETCH_TABLES, TLB, TLB_TABLE, Env
from pyqemu.tcg.pagewalk import PageWalk
from pyqemu.tcg.softmmu import SoftMmu
from pyqemu.tcg.turns import Turns

if TYPE_CHECKING:
    from pyqemu.memory import AddressSpace
    from pyqemu.system.clock import VirtualClock
    from pyqemu.tcg.builder import Builder
    from pyqemu.tcg.engine import Engine
    from pyqemu.tcg.hooks import Hooks
    from pyqemu.tcg.translate import Decoder

_REQUEST = EXIT_REQUEST >> 2


class GuestException(Exception):
    """An exception of the guest's own: a fault, a trap. Targets subclass it; it never reaches the user."""


class LeaveLoop(Exception):
    """Raised by a helper to go back to the main loop after state has changed; the program counter is written.

    :cvar completes: whether the instruction counts as run
    """

    completes = True


class Cpu:
    """One vCPU.

    *memory* and *io* are its physical address spaces, *lock* the big lock. *engine* makes and runs translated code; a
    CPU without one can be looked at but not run.

    All that are made with the same engine run in turn; they are of the same model and see the same memory.

    :ivar turns: the loop that runs it
    :ivar index: which one of those that run in turn
    :ivar interrupt_request: pending requests, the target's bits
    :ivar halted: waiting for an interrupt
    :ivar dozing: waiting for something that others do, but not for long
    """

    index = 0

    irq_pending_slot: int | None = None  #: offset of a global that is not zero while a request is pending
    pc_slot: int = 0  #: offset of the program counter
    fetch_mmu: tuple[int, int, int, int] = (0, 0, 0, 0)  #: mmu index of fetches, by the low two bits of the mode
    event_mnemonics: frozenset[str] = frozenset()  #: instructions that could deliver an event without telling

    def __init__(self, *, memory: AddressSpace | None = None, io: AddressSpace | None = None,
                 engine: Engine | None = None, clock: VirtualClock | None = None,
                 lock: Any = None) -> None:  # fmt: skip
        self.env = Env()
        self.b, self.w, self.l, self.q = self.env.b, self.env.w, self.env.l, self.env.q
        for mode, mmu in enumerate(self.fetch_mmu):
            self.q[(FETCH_TABLES >> 3) + mode] = TLB + mmu * TLB_TABLE
        self.memory: AddressSpace = memory  # type: ignore[assignment]
        self.io: AddressSpace = io  # type: ignore[assignment]
        self.clock = clock
        self.lock = lock or threading.RLock()
        self.interrupt_request = 0
        self.halted = self.dozing = False
        self.mmu: SoftMmu | None = None
        self.engine = engine
        self.helpers = HelperTable()
        self.on_event: Callable[[str], None] | None = None  # for ``-d int``
        self.on_deliver: Callable[[Any], None] | None = (
            None  # hears of each exception and interrupt before its delivery
        )
        self.turns = Turns(self.lock)
        if engine is None or engine.turns is None:
            self.turns.add(self)
        if engine is not None and memory is not None:
            self.attach(engine)

    def attach(self, engine: Engine) -> None:
        """Use *engine* to run, in turn with those that use it already."""
        self.engine = engine
        engine.attach(self)

    @property
    def hooks(self) -> Hooks:
        """Python functions that are called while the CPU runs, or one that takes turns with it."""
        if self.engine is None:
            raise RuntimeError("a CPU without an engine runs nothing that could be hooked")
        return self.engine.all_hooks

    # --- what a target adds -------------------------------------------------------------------------------------------

    def decoder(self, flags: int) -> Decoder:
        """The decoder for one mode of the CPU."""
        raise NotImplementedError

    def translator(self, flags: int, **context: Any) -> Builder:
        """A builder for one instruction in that mode."""
        raise NotImplementedError

    def block_key(self) -> tuple[int, int]:
        """Guest-virtual address of the next instruction, and the mode bits that its translation depends on."""
        raise NotImplementedError

    def fill(self, vaddr: int, access: int, mmu: int) -> tuple[int, int, int]:
        """The page walk: guest-physical page address, permissions (1 read, 2 write, 4 fetch), page size."""
        raise NotImplementedError

    def build_refill(self, t: Builder) -> bool:
        """Emit the page walk as an IR subroutine; False where the target has none."""
        return False

    def mmu_index(self) -> int:
        """The mmu index of accesses at the current privilege level."""
        raise NotImplementedError

    def deliver(self, exc: GuestException) -> None:
        """Take an exception that an instruction raised."""
        raise exc

    def service_interrupts(self) -> bool:
        """Take one pending event if it may be taken now."""
        return False

    def has_work(self) -> bool:
        """Whether a halted CPU has a reason to go on."""
        return bool(self.interrupt_request)

    def debug_translate(self, vaddr: int) -> int | None:
        """Guest-physical address without side effects; None where nothing is mapped."""
        raise NotImplementedError

    def reset(self) -> None:
        """The state after power-on."""
        raise NotImplementedError

    def about_to_run(self) -> bool:
        """Whether the instruction that has been reached will run now; a target may let some be reached in vain."""
        return True

    def is_stuck(self) -> bool:
        """Whether a halted CPU ignores all interrupts but those that cannot be masked."""
        return False

    def registers(self) -> MutableMapping[str, int]:
        """The registers by the names that the architecture's manual gives them."""
        raise NotImplementedError

    def walk_pages(self, vaddr: int) -> PageWalk:
        """What the guest's page tables say about an address, without side effects."""
        raise NotImplementedError

    def mnemonics(self) -> frozenset[str]:
        """Names of instructions, as translation knows them."""
        return frozenset()

    def warnings(self) -> list[str]:
        """What the operator should know of the CPU that he asked for."""
        return []

    def registers_text(self) -> str:
        """The registers as ``info registers`` shows them."""
        raise NotImplementedError

    def disassemble(self, code: bytes, address: int) -> list[tuple[int, str]]:
        """Guest instructions as pairs of address and text."""
        return [(address, code.hex(" "))]

    # --- memory -------------------------------------------------------------------------------------------------------

    def _softmmu(self) -> SoftMmu:
        if self.mmu is None:
            raise RuntimeError("this CPU has no engine and therefore no software TLB")
        return self.mmu

    def load(self, vaddr: int, size: int, mmu: int | None = None) -> int:
        """Read *size* bytes of guest-virtual memory, as an instruction would."""
        return self._softmmu().load(vaddr, size, self.mmu_index() if mmu is None else mmu)

    def store(self, vaddr: int, size: int, value: int, mmu: int | None = None) -> None:
        """Write *size* bytes of guest-virtual memory, as an instruction would."""
        self._softmmu().store(vaddr, size, value, self.mmu_index() if mmu is None else mmu)

    def read(self, vaddr: int, length: int, mmu: int | None = None) -> bytes:
        return self._softmmu().read(vaddr, length, self.mmu_index() if mmu is None else mmu)

    def fetch(self, vaddr: int, length: int) -> bytes:
        """Read code, as the present instruction was."""
        return self._softmmu().fetch(vaddr, length, self.mmu_index())

    def write(self, vaddr: int, data: bytes | bytearray | memoryview, mmu: int | None = None) -> None:
        self._softmmu().write(vaddr, data, self.mmu_index() if mmu is None else mmu)

    def tlb_flush(self, global_too: bool = True) -> None:
        """Forget all translations; global ones are few, and are forgotten with the rest."""
        if self.mmu is not None:
            self.mmu.flush()

    def tlb_flush_page(self, vaddr: int) -> None:
        if self.mmu is not None:
            self.mmu.flush_page(vaddr)

    def tlb_flush_index(self, mmu: int) -> None:
        """Forget the translations of one mmu index."""
        if self.mmu is not None:
            self.mmu.flush_index(mmu)

    # --- attention ----------------------------------------------------------------------------------------------------

    def is_current_thread(self) -> bool:
        """Whether the caller is the thread that runs this vCPU."""
        return self.turns.is_current_thread()

    def kick(self) -> None:
        """Make the vCPU's thread come to its main loop soon. Any thread."""
        self.turns.kick()

    def queue(self, work: Callable[[], None]) -> None:
        """Let the vCPU's thread do *work* between two instructions. Any thread."""
        self.turns.queue(work)

    def stop(self) -> None:
        """Make :meth:`run` return. Any thread."""
        self.turns.stop()

    def doze(self) -> None:
        """Let others run first, if there are any. In a helper after which the main loop comes."""
        if self.is_one_of_several:
            self.dozing = True
            self.turns.end_turn()

    @property
    def is_one_of_several(self) -> bool:
        """Whether there are others with which it runs in turn."""
        return len(self.turns.cpus) > 1

    def interrupt(self, mask: int) -> None:
        """Set bits of :attr:`interrupt_request`. Under the big lock."""
        self.interrupt_request |= mask
        if self.irq_pending_slot is not None:
            self.q[self.irq_pending_slot >> 3] = self.interrupt_request
        turns = self.turns
        if turns.current is not self:
            turns.end_turn()
        elif turns.is_mine() and not self.halted:
            self.l[_REQUEST] = 1
        else:
            turns.kick()

    def clear_interrupt(self, mask: int) -> None:
        """Clear bits of :attr:`interrupt_request`. Under the big lock."""
        self.interrupt_request &= ~mask
        if self.irq_pending_slot is not None:
            self.q[self.irq_pending_slot >> 3] = self.interrupt_request

    # --- running ------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Run, in turn with others, until :meth:`stop` is called, or a hook raises."""
        if self.engine is None:
            raise RuntimeError("this CPU has no engine")
        self.turns.run()

    def is_awake(self) -> bool:
        """Whether there are instructions to run."""
        return not self.halted or (self.interrupt_request != 0 and self.has_work())

    def execute(self) -> None:
        """Run until the main loop is wanted. For the loop."""
        assert self.engine is not None
        try:
            self.engine.execute()
        except GuestException as exc:
            self.deliver(exc)
        except LeaveLoop:
            pass
