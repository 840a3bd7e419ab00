"""Pointing devices, as those see them who move them: displays and ``input-send-event``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

# How many a wheel step counts, and which bit of the buttons' mask a button is. fmt: off
BUTTONS: Mapping[str, int] = {"left": 0x01, "right": 0x02, "middle": 0x04, "side": 0x08, "extra": 0x10}
WHEEL: Mapping[str, int] = {"wheel-up": -1, "wheel-down": 1}
# fmt: on


class Mouse(Protocol):
    """A device that tells relative motion (the PS/2 mouse)."""

    def move(self, dx: int, dy: int, dz: int = 0) -> None:
        """Motion in counts: right, down, and of the wheel towards the user."""

    def press(self, buttons: int) -> None:
        """The buttons that are down now, as a mask of `BUTTONS`."""


class Pointer:
    """The pointing device that gets what the user does. Events are collected; `sync` tells the device of them."""

    def __init__(self, mouse: Mouse, name: str) -> None:
        self.mouse = mouse
        self.name = name
        self._dx = self._dy = self._dz = 0
        self._buttons = 0

    def move(self, axis: str, value: int) -> None:
        """Motion along ``x`` or ``y``."""
        if axis == "x":
            self._dx += value
        else:
            self._dy += value

    def button(self, name: str, down: bool) -> None:
        """A button goes down or up; steps of a wheel are buttons, too. Unknown ones do nothing."""
        if name in WHEEL and down:
            self._dz += WHEEL[name]
        bit = BUTTONS.get(name, 0)
        self._buttons = self._buttons | bit if down else self._buttons & ~bit

    def sync(self) -> None:
        """All that happened at this moment has been told."""
        dx, dy, dz = self._dx, self._dy, self._dz
        self._dx = self._dy = self._dz = 0
        if dx or dy or dz:
            self.mouse.move(dx, dy, dz)
        self.mouse.press(self._buttons)
