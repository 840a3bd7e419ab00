"""Hooks for scripts: Python functions that are called where the guest does something.

They run in the vCPU's thread with everything still, and may look at the machine and change it. What one raises stops
the guest and comes out of the call that let it run. Functions on addresses and instructions are called before these
run; functions on accesses after the access was made. While no hook is set, nothing in translated code knows of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pyqemu.api.outcomes import Breakpoint
from pyqemu.tcg.hooks import Access, MemoryWatch, PortAccess, PortWatch
from pyqemu.util.errors import UserError

if TYPE_CHECKING:
    from pyqemu.api.runner import Runner

__all__ = ["Access", "Event", "Hook", "Hooks", "PortAccess"]


@dataclass(frozen=True)
class Event:
    """An exception or interrupt that is about to be delivered.

    :ivar address: guest-virtual address of the instruction that it interrupts, or that raised it
    :ivar name: as the manual writes it: ``#PF(0002)``, ``INT 13h``, ``IRQ 08h``
    :ivar is_software: raised by INT n, INT3 or INTO
    :ivar is_external: a hardware interrupt or an NMI
    """

    vector: int
    error_code: int | None
    address: int
    name: str
    is_software: bool
    is_external: bool


class Hook:
    """One function that is called; a context manager that removes it at the end.

    :ivar count: how often it was called
    """

    def __init__(self, remove: Callable[[], None]) -> None:
        self._remove: Callable[[], None] | None = remove
        self.count = 0

    def remove(self) -> None:
        """Do not call it any more; a second time does nothing."""
        if self._remove is not None:
            remove, self._remove = self._remove, None
            remove()

    def __enter__(self) -> Hook:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class Hooks:
    """Sets hooks of one machine."""

    def __init__(self, runner: Runner) -> None:
        self._runner, self._cpu = runner, runner.cpu

    def execute(self, address: int, function: Callable[[int], object]) -> Hook:
        """Call ``function(address)`` before the instruction at a guest-virtual address runs."""
        return self._set(self._cpu.hooks.add_address, self._cpu.hooks.remove_address, (address,), function)

    def instruction(self, mnemonic: str, function: Callable[[int], object]) -> Hook:
        """Call ``function(address)`` before each instruction of that name (``cpuid``, ``wrmsr``, ``hlt``, ...).

        :raise UserError: no instruction is called so.
        """
        known = self._cpu.mnemonics()
        if mnemonic not in known:
            close = difflib.get_close_matches(mnemonic, known, 3)
            raise UserError(f"there is no instruction '{mnemonic}'", f"close: {', '.join(close)}" if close else "")
        return self._set(self._cpu.hooks.add_instruction, self._cpu.hooks.remove_instruction, (mnemonic,), function)

    def memory(self, start: int, length: int, function: Callable[[Access], object], *, virtual: bool = False,
               reads: bool = True, writes: bool = True) -> Hook:  # fmt: skip
        """Call ``function(access)`` after the processor has accessed any of *length* bytes from *start* on.

        Addresses are guest-physical, or guest-virtual with *virtual*. Accesses of instructions and of the delivery of
        interrupts count; page walks and devices' own accesses do not.
        """
        hook, call = self._hook(function)
        watch = MemoryWatch(start, start + length - 1, virtual, reads, writes, call)
        return self._add(
            hook, partial(self._cpu.hooks.add_memory, watch), partial(self._cpu.hooks.remove_memory, watch)
        )

    def port(self, port: int, function: Callable[[PortAccess], object], *, count: int = 1, reads: bool = True,
             writes: bool = True) -> Hook:  # fmt: skip
        """Call ``function(access)`` after the processor has accessed any of *count* ports from *port* on."""
        hook, call = self._hook(function)
        watch = PortWatch(port, port + count - 1, reads, writes, call)
        return self._add(hook, partial(self._cpu.hooks.add_port, watch), partial(self._cpu.hooks.remove_port, watch))

    def interrupt(self, function: Callable[[Event], object], vector: int | None = None) -> Hook:
        """Call ``function(event)`` before an interrupt is delivered: INT n, or one of the hardware."""
        return self._events(function, lambda event: event.is_software or event.is_external, vector)

    def exception(self, function: Callable[[Event], object], vector: int | None = None) -> Hook:
        """Call ``function(event)`` before an exception that the processor itself raised is delivered."""
        return self._events(function, lambda event: not (event.is_software or event.is_external), vector)

    def breakpoint(self, address: int) -> Hook:
        """End the run before the instruction at a guest-virtual address, with the outcome ``Breakpoint``."""

        def reached(address: int) -> None:
            self._runner.finish(Breakpoint(address, hook), always=True)
            self._cpu.hooks.hold()

        hook = self.execute(address, reached)
        return hook

    # --- how ----------------------------------------------------------------------------------------------------------

    def _hook(self, function: Callable[[Any], object]) -> tuple[Hook, Callable[[Any], None]]:
        """A hook, not set yet, and what is to be called."""
        hook = Hook(lambda: None)

        def call(argument: Any) -> None:
            hook.count += 1
            try:
                function(argument)
            except BaseException as error:
                self._runner.fail(error)
                self._cpu.hooks.hold()

        return hook, call

    def _add(self, hook: Hook, add: Callable[[], None], remove: Callable[[], None]) -> Hook:
        def take_away() -> None:
            if not self._runner.is_closed:
                with self._runner.parked():
                    remove()

        hook._remove = take_away
        with self._runner.parked():
            add()
        return hook

    def _set(self, add: Callable[..., None], remove: Callable[..., None], where: tuple[Any, ...],
             function: Callable[[Any], object]) -> Hook:  # fmt: skip
        hook, call = self._hook(function)
        return self._add(hook, partial(add, *where, call), partial(remove, *where, call))

    def _events(self, function: Callable[[Event], object], wanted: Callable[[Event], bool],
                vector: int | None) -> Hook:  # fmt: skip
        hook, call = self._hook(function)

        def deliver(raw: Any) -> None:
            address = self._cpu.hooks.cpu.block_key()[0]
            event = Event(raw.vector, raw.error_code, address, str(raw), raw.is_software, raw.is_external)
            if wanted(event) and vector in (None, event.vector):
                call(event)

        hooks = self._cpu.hooks
        return self._add(hook, partial(hooks.add_event, deliver), partial(hooks.remove_event, deliver))
