"""The machine and the terminal that shows its screen."""

from __future__ import annotations

import curses
from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.chardev.vc import VcChardev
from pyqemu.system import ShutdownCause
from pyqemu.ui.curses import CursesDisplay
from pyqemu.ui.frame import Frame
from pyqemu.ui.typist import Typist
from pyqemu.util.errors import UserError

if TYPE_CHECKING:
    from pyqemu.api.machine import Machine
    from pyqemu.monitor.monitors import Monitors

WELCOME = "{key} x ends the program, {key} h shows help"


class Console:
    """A text console; if it has a monitor, that is made when the console is first shown."""

    def __init__(self, monitors: Monitors, chardev: VcChardev) -> None:
        self._monitors = monitors
        self._chardev = chardev

    @property
    def x(self) -> int:
        """The column of the cursor."""
        return self._chardev.x

    @property
    def y(self) -> int:
        """The row of the cursor."""
        return self._chardev.y

    @property
    def screen(self) -> list[bytes]:
        """The visible lines."""
        self._monitors.show(self._chardev)
        return self._chardev.screen

    def type_bytes(self, data: bytes) -> None:
        """Keys that the user typed."""
        self._chardev.type_bytes(data)


def key_name(code: int) -> str:
    """The name of a control character: ``Ctrl-A``."""
    return f"Ctrl-{chr(code + 64)}" if 0 < code < 32 else f"{code:#x}"


def run_with_curses(machine: Machine, ready: Callable[[], None]) -> int:
    """Run *machine* with its screen in the terminal, and return the exit status. See :meth:`Machine.run` for *ready*.

    What is to be said meanwhile stands in the last line, and once more below when the terminal is given back.

    :raise UserError: the terminal cannot do it.
    """
    display = make_display(machine)
    said: list[str] = []
    say = machine.say

    def keep(text: str) -> None:
        said.append(text)
        display.show_message(text)

    try:
        display.start()
    except curses.error as exc:
        machine.close()
        raise UserError(f"-display curses: {exc}", "is TERM right? -display none does without") from None
    machine.say = keep
    try:
        display.show_message(WELCOME.format(key=key_name(machine.config.escape)))
        return machine.run(ready=ready, before_close=display.stop)
    finally:
        display.stop()
        machine.say = say
        for text in said:
            say(text)


def make_display(machine: Machine) -> CursesDisplay:
    """A display of the machine's screen, keyboard and text consoles."""
    system = machine.system

    def quit_program() -> None:
        system.request_exit(0, ShutdownCause.HOST_UI)

    def render() -> Frame:
        frame = machine.board.frame(pixels=False)
        assert frame is not None
        return frame

    has_screen = machine.board.frame(pixels=False) is not None
    return CursesDisplay(
        machine.loop,
        system.lock,
        render if has_screen else None,
        Typist(machine.board.put_key, system.clock),
        consoles=[Console(machine.monitors, each) for each in machine.chardevs if isinstance(each, VcChardev)],
        on_quit=quit_program,
        escape=machine.config.escape,
    )
