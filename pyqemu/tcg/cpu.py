"""The CPU as every target shares it: its environment, its memory, and the loop that runs it.

The loop belongs to the thread that calls :meth:`Cpu.run`. Native code runs without the big lock; whatever comes back to
Python runs with it. Other threads get the vCPU's attention by :meth:`Cpu.kick`, which sets a word that every block
looks at.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, MutableMapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pyqemu.memory import PageLost
from pyqemu.tcg.builder import HelperTable
from pyqemu.tcg.env import EXIT_REQUEST, FETCH_TABLES, TLB, TLB_TABLE, Env
from pyqemu.tcg.pagewalk import PageWalk
from pyqemu.tcg.softmmu import SoftMmu

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

    :ivar interrupt_request: pending requests, the target's bits
    :ivar halted: waiting for an interrupt
    """

    irq_pending_slot: int | None = None  #: offset of a global that is not zero while a request is pending
    pc_slot: int = 0  #: offset of the program counter
    fetch_mmu: tuple[int, int, int, int] = (0, 0, 0, 0)  #: mmu index of fetches, by the low two bits of the mode
    event_mnemonics: frozenset[str] = frozenset()  #: instructions that could deliver an event without telling
    icount_sleep = True  #: with ``-icount``, sleep as long as the guest does; else skip that time

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
        self.halted = False
        self.mmu: SoftMmu | None = None
        self.engine = engine
        self._wake = threading.Condition(threading.Lock())
        self._awake = False
        self._stopping = False
        self._held_until = 0.0  # of time.monotonic
        self.helpers = HelperTable()
        self.before_execution: Callable[[], None] | None = None  # after timers have run: sets the budget
        self.on_event: Callable[[str], None] | None = None  # for ``-d int``
        self.on_deliver: Callable[[Any], None] | None = (
            None  # hears of each exception and interrupt before its delivery
        )
        self.on_idle: Callable[[], None] | None = None  # before a halted CPU waits
        self._work: deque[Callable[[], None]] = deque()
        if engine is not None and memory is not None:
            self.attach(engine)

    def attach(self, engine: Engine) -> None:
        """Use *engine* to run."""
        self.engine = engine
        engine.attach(self)
        self.mmu = engine.mmu
        self.memory.topology_listeners.append(self._topology_changed)

    @cached_property
    def hooks(self) -> Hooks:
        """Python functions that are called while the CPU runs."""
        from pyqemu.tcg.hooks import Hooks

        return Hooks(self)

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

    def write(self, vaddr: int, data: bytes | bytearray | memoryview, mmu: int | None = None) -> None:
        self._softmmu().write(vaddr, data, self.mmu_index() if mmu is None else mmu)

    def tlb_flush(self, global_too: bool = True) -> None:
        """Forget all translations; global ones are few, and are forgotten with the rest."""
        if self.mmu is not None:
            self.mmu.flush()

    def tlb_flush_page(self, vaddr: int) -> None:
        if self.mmu is not None:
            self.mmu.flush_page(vaddr)

    def _topology_changed(self) -> None:
        assert self.engine is not None
        if self._is_mine():
            self.engine.topology_changed()
        else:
            self.queue(self.engine.topology_changed)

    # --- attention ----------------------------------------------------------------------------------------------------

    _thread: int | None = None

    def _is_mine(self) -> bool:
        return self._thread is None or self._thread == threading.get_ident()

    def is_current_thread(self) -> bool:
        """Whether the caller is the thread that runs this vCPU."""
        return self._thread == threading.get_ident()

    def kick(self) -> None:
        """Make the vCPU come to its main loop soon. Any thread."""
        self.l[_REQUEST] = 1
        with self._wake:
            self._awake = True
            self._wake.notify_all()

    def queue(self, work: Callable[[], None]) -> None:
        """Let the vCPU's thread do *work* between two instructions. Any thread."""
        self._work.append(work)
        self.kick()

    def hold(self, until: float) -> None:
        """Run no instruction before that time (``time.monotonic``). Any thread.

        Timers and queued work go on; what is left of the time is kept over :meth:`stop` and another :meth:`run`.
        """
        self._held_until = until
        self.kick()

    def interrupt(self, mask: int) -> None:
        """Set bits of :attr:`interrupt_request`. Under the big lock."""
        self.interrupt_request |= mask
        if self.irq_pending_slot is not None:
            self.q[self.irq_pending_slot >> 3] = self.interrupt_request
        if self._is_mine() and not self.halted:
            self.l[_REQUEST] = 1
        else:
            self.kick()

    def clear_interrupt(self, mask: int) -> None:
        """Clear bits of :attr:`interrupt_request`. Under the big lock."""
        self.interrupt_request &= ~mask
        if self.irq_pending_slot is not None:
            self.q[self.irq_pending_slot >> 3] = self.interrupt_request

    def stop(self) -> None:
        """Make :meth:`run` return. Any thread."""
        self._stopping = True
        self.kick()

    # --- the loop -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Run until :meth:`stop` is called, or a hook raises."""
        if self.engine is None:
            raise RuntimeError("this CPU has no engine")
        self._thread = threading.get_ident()
        try:
            with self.lock:
                while not self._stopping:
                    try:
                        self._turn()
                    except PageLost:  # the guest is over, and whoever has lost its memory ends it soon
                        self._wait(0.01)
        finally:
            self._thread = None
            self._stopping = False

    def _turn(self) -> None:
        self._attend()
        if self.halted:
            self._sleep()
        elif self._held_until:
            self._stay()
        else:
            self._execute()

    def _attend(self) -> None:
        """Queued work, timers, interrupts: all that wants to happen between two instructions."""
        self.l[_REQUEST] = 0
        while self._work:
            self._work.popleft()()
        if self.clock is not None:
            self.clock.run_due()
        if self.before_execution is not None:
            self.before_execution()
        if self.interrupt_request and (not self.halted or self.has_work()):
            self.halted = False
            self.service_interrupts()

    def _execute(self) -> None:
        assert self.engine is not None
        try:
            self.engine.execute()
        except GuestException as exc:
            self.deliver(exc)
        except LeaveLoop:
            pass

    def _sleep(self) -> None:
        """Wait for a timer or a kick, without the big lock."""
        assert self.engine is not None
        if self.on_idle is not None:
            self.on_idle()
            if self._stopping:
                return
        deadline = self.clock.next_deadline() if self.clock is not None else None
        timeout = None
        if deadline is not None and self.clock is not None:
            timeout = max(0, deadline - self.clock.now()) / 1e9
            if timeout == 0:
                return
        began = time.monotonic_ns()
        if not self.engine.icount or self.icount_sleep:
            self._wait(timeout)
        else:
            self.yield_lock()
        if self.engine.icount and self.clock is not None and deadline is not None:
            # An instruction count stands still while nothing runs. Undisturbed sleep ends at the very deadline.
            left = deadline - self.clock.now()
            elapsed = time.monotonic_ns() - began
            slept = self.icount_sleep and elapsed < (timeout or 0) * 1e9  # woken before the time was over
            self.clock.warp(max(0, min(left, elapsed) if slept else left))

    def _stay(self) -> None:
        """Wait for the end of a hold, a timer or a kick, without the big lock. The instruction count stands still."""
        until = self._held_until
        left = until - time.monotonic()
        if left > 0:
            self._wait(left)
        elif self._held_until == until:  # nobody has set another one meanwhile
            self._held_until = 0.0

    def _wait(self, timeout: float | None) -> None:
        """Let others have the lock until a kick, or for *timeout* seconds."""
        self.lock.release()
        try:
            with self._wake:
                if not self._awake:
                    self._wake.wait(timeout)
                self._awake = False
        finally:
            self.lock.acquire()

    def yield_lock(self) -> None:
        """Let whoever waits for the big lock have it for a moment."""
        self.lock.release()
        time.sleep(1e-6)  # a lock that is released and taken at once is never seen free by others
        self.lock.acquire()
