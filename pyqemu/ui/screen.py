"""The screen of a machine, for commands to find."""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.ui.frame import Frame


class Screen:
    """What the display adapter shows.

    :param frame: the picture now; None without an adapter. The lock is held.
    :param device: the id of the adapter, or its place in the tree of all objects; empty without one
    """

    def __init__(self, frame: Callable[[], Frame | None], device: Callable[[], str] = str) -> None:
        self.frame = frame
        self.device = device
