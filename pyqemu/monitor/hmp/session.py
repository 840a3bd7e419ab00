"""The human monitor on a character device: a prompt, line editing, one command at a time."""

from __future__ import annotations

import asyncio
import os

import pyqemu
from pyqemu.chardev import Chardev, ChardevEvent
from pyqemu.chardev.mux import MuxPort
from pyqemu.monitor.current import current_monitor
from pyqemu.monitor.hmp.completion import complete
from pyqemu.monitor.hmp.dispatch import Hmp
from pyqemu.monitor.hmp.readline import LineEditor
from pyqemu.monitor.hmp.table import TABLE, CommandTable
from pyqemu.qapi.errors import QapiError
from pyqemu.system import System

PROMPT = "(qemu) "
CTRL_C = 0x03
_ROOM = 4096  # bytes that may wait while a command is carried out


def banner() -> str:
    """The first line that a monitor shows."""
    return f"QEMU {'.'.join(map(str, pyqemu.QEMU_VERSION))} monitor - type 'help' for more information"


class HmpSession:
    """One monitor on *chardev*, which it claims.

    Commands run in the main loop; those that wait keep the prompt away, and Ctrl-C interrupts them.

    :raise ChardevError: another frontend has the chardev.
    """

    def __init__(self, system: System, chardev: Chardev, *, table: CommandTable = TABLE) -> None:
        self.system = system
        self.hmp = Hmp(system, self._show, interactive=True, table=table)
        self._editor = LineEditor(self._show, lambda text: complete(self.hmp, text), self.hmp.history, PROMPT)
        self._input = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._greeted = False
        self._descriptors: list[int] = []  # that came and that no command has taken yet
        self._port = chardev.claim()
        self._port.wants_descriptors = True
        self._in_focus = not isinstance(self._port, MuxPort) or self._port.has_focus
        self._port.connect(self._receive, self._room, self._event)

    def close(self) -> None:
        """Stop what is being done and let go of the chardev."""
        if self._task is not None:
            self._task.cancel()
        with self.system.lock:
            self._port.release()
        self._forget_descriptors()

    def take_descriptor(self) -> int:
        """The first that came and that nobody has taken."""
        if not self._descriptors:
            raise QapiError("No file descriptor supplied via SCM_RIGHTS")
        return self._descriptors.pop(0)

    def _forget_descriptors(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _show(self, text: str) -> None:
        with self.system.lock:
            self._port.write(text.replace("\n", "\r\n").encode())

    # --- the chardev's side; the lock is held -------------------------------------------------------------------------

    def _room(self) -> int:
        return max(_ROOM - len(self._input), 0)

    def _event(self, event: ChardevEvent) -> None:
        match event:
            case ChardevEvent.OPENED:
                self._input.clear()
                self._greeted = False
                self._forget_descriptors()
                self._greet()
            case ChardevEvent.MUX_IN:
                self._in_focus = True
                self._greet()
            case ChardevEvent.MUX_OUT:
                self._in_focus = False
                if self._task is None:
                    self._show("\n")
            case _:
                pass

    def _greet(self) -> None:
        """Show who is there, once, and the prompt, if the terminal is ours now."""
        if not self._in_focus:
            return
        if not self._greeted:
            self._greeted = True
            self._show(f"{banner()}\n")
        if self._task is None:
            self._editor.start()

    def _receive(self, data: bytes) -> None:
        if self._task is not None and CTRL_C in data:
            self._task.cancel()
            data = data.replace(bytes((CTRL_C,)), b"")
        self._input += data
        self._descriptors += self._port.descriptors
        self._port.descriptors.clear()
        self._go_on()

    def _go_on(self) -> None:
        """Take what has been typed, up to the next command."""
        while self._input and self._task is None:
            byte = self._input.pop(0)
            if byte == CTRL_C:
                self._show("^C\n")
                self._editor.start()
                continue
            line = self._editor.feed(byte)
            if line is not None:
                self._begin(line)

    def _begin(self, line: str) -> None:
        if not line.strip():
            self._editor.start()
            return
        assert self.system.loop is not None
        token = current_monitor.set(self)
        self._task = self.system.loop.create_task(self.hmp.execute_safely(line))
        current_monitor.reset(token)
        self._task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        with self.system.lock:
            self._task = None
            if task.cancelled() or self.system.exit_code is not None:
                return
            if self._in_focus:
                self._editor.start()
            self._go_on()
            self._port.accept_input()
