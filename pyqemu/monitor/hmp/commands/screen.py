"""Screen and mouse: ``screendump``, ``mouse_move``, ``mouse_button``, ``mouse_set``, ``info mice``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyqemu.monitor.hmp.table import hmp_command
from pyqemu.qapi.errors import QapiError
from pyqemu.ui import commands
from pyqemu.ui.pointer import BUTTONS, Pointer

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp

_STATE_BUTTONS = ("left", "right", "middle")


@hmp_command("screendump", "filename:F", "write a picture of the screen to a file, as PPM")
async def screendump(hmp: Hmp, *, filename: str) -> None:
    await commands.screendump(hmp.system, filename=filename)


@hmp_command("mice", "", "the pointing devices, and which gets what the user does", is_info=True)
def info_mice(hmp: Hmp) -> None:
    mice = hmp.call(commands.query_mice)
    if not mice:
        hmp.print("No mouse devices connected")
    for mouse in mice:
        absolute = " (absolute)" if mouse.absolute else ""
        hmp.print(f"{'*' if mouse.current else ' '} Mouse #{mouse.index}: {mouse.name}{absolute}")


def _count(text: str) -> int:
    """A number as C's ``strtol`` has it: as far as it is one."""
    match = re.match(r"([+-]?)(0[xX][0-9a-fA-F]+|\d+)", text)
    if match is None:
        return 0
    sign, digits = match.groups()
    if digits[:2] in ("0x", "0X"):
        value = int(digits, 16)
    elif digits[0] == "0":
        value = int(re.match("[0-7]+", digits)[0], 8)  # type: ignore[index]
    else:
        value = int(digits)
    return -value if sign == "-" else value


@hmp_command("mouse_move", "dx_str:s,dy_str:s,dz_str:s?", "move the mouse, and turn its wheel", parameters="dx dy [dz]")
def mouse_move(hmp: Hmp, *, dx_str: str, dy_str: str, dz_str: str | None = None) -> None:
    turn = _count(dz_str or "0")
    with hmp.system.lock:
        pointer = hmp.system.part(Pointer)
        pointer.move("x", _count(dx_str))
        pointer.move("y", _count(dy_str))
        if turn:
            wheel = "wheel-up" if turn > 0 else "wheel-down"
            pointer.button(wheel, True)
            pointer.button(wheel, False)
        pointer.sync()


@hmp_command("mouse_button", "button_state:i", "which buttons are down (1: left, 2: right, 4: middle)",
             parameters="state")  # fmt: skip
def mouse_button(hmp: Hmp, *, button_state: int) -> None:
    with hmp.system.lock:
        pointer = hmp.system.part(Pointer)
        for name in _STATE_BUTTONS:
            pointer.button(name, bool(button_state & BUTTONS[name]))
        pointer.sync()


def _complete_mouse(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    return [str(mouse.index) for mouse in hmp.call(commands.query_mice)]


@hmp_command("mouse_set", "index:i", "choose the pointing device that gets what the user does",
             completers={"index": _complete_mouse})  # fmt: skip
def mouse_set(hmp: Hmp, *, index: int) -> None:
    """There is one, which is chosen already."""
    if all(mouse.index != index for mouse in hmp.call(commands.query_mice)):
        raise QapiError("Mouse at given index not found")
