"""The saved state of keyboard and mouse, in QEMU's layout.

A byte that the controller has taken already, or that is its own reply, is in the queue of the device there: the
controller lends what it holds when the device is saved, and takes it back when it is loaded itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.qom.vmstate import I32, U8, Buffer, Field, Struct, VMState

if TYPE_CHECKING:
    from pyqemu.hw.input.ps2 import Ps2Device, Ps2Mouse

__all__ = ["ROOM", "SavedQueue", "detect_state", "keyboard_vmstate", "mouse_vmstate", "rates_of"]

ROOM = 256


class SavedQueue:
    """The ring of a device's bytes."""

    def __init__(self) -> None:
        self.fill(b"")

    def fill(self, data: bytes) -> None:
        """Before saving."""
        data = data[:ROOM]
        self.rptr, self.wptr, self.count, self.cwptr = 0, len(data) % ROOM, len(data), -1
        self.data = data.ljust(ROOM, b"\0")

    def content(self) -> bytes:
        """After loading."""
        return (self.data[self.rptr :] + self.data[: self.rptr])[: self.count]


def _fill(device: Ps2Device) -> None:
    device.saved.fill(bytes(device.lent()) + bytes(device.queue))


def _take(device: Ps2Device) -> None:
    device.queue.clear()
    device.queue.extend(device.saved.content())


_common = VMState(
    "PS2 Common State",
    version=3,
    minimum_version=2,
    fields=(
        I32("write_cmd", minimum=-1, maximum=255), I32("saved.rptr", wire="queue.rptr", minimum=0, maximum=255),
        I32("saved.wptr", wire="queue.wptr", minimum=0, maximum=255),
        I32("saved.count", wire="queue.count", minimum=0, maximum=ROOM), Buffer("saved.data", ROOM, wire="queue.data"),
    ),
    pre_save=_fill,
    post_load=_take,
)  # fmt: skip

_parent: Field = Struct("", _common, wire="parent_obj")

keyboard_vmstate = VMState(
    "ps2kbd",
    version=3,
    minimum_version=2,
    fields=(
        _parent, I32("scan_enabled"), I32("translate"), I32("scancode_set", since=3, minimum=0, maximum=3),
    ),
    subsections=(
        VMState("ps2kbd/ledstate", version=3, minimum_version=2, fields=(I32("leds", wire="ledstate"),),
                needed=lambda keyboard: keyboard.leds != 0),
        VMState("ps2kbd/need_high_bit", fields=(U8("need_high_bit"),), needed=lambda keyboard: keyboard.need_high_bit),
        VMState("ps2kbd/command_reply_queue", version=0, fields=(I32("saved.cwptr", wire="parent_obj.queue.cwptr"),),
                needed=lambda keyboard: keyboard.saved.cwptr != -1),
    ),
)  # fmt: skip

mouse_vmstate = VMState(
    "ps2mouse",
    version=2,
    fields=(
        _parent, U8("status", wire="mouse_status"), U8("resolution", wire="mouse_resolution"),
        U8("sample_rate", wire="mouse_sample_rate"), U8("wrap", wire="mouse_wrap"), U8("type", wire="mouse_type"),
        U8("detect_state", wire="mouse_detect_state", maximum=3), I32("dx", wire="mouse_dx"),
        I32("dy", wire="mouse_dy"), I32("dz", wire="mouse_dz"), U8("buttons", wire="mouse_buttons"),
    ),
)  # fmt: skip

_KNOCKS: tuple[list[int], ...] = ([], [200], [200, 100], [200, 200])
"""The sample rates that were set before, by QEMU's number of the state of detection."""


def detect_state(mouse: Ps2Mouse) -> int:
    """How much of a knock was heard."""
    return max((n for n, knock in enumerate(_KNOCKS) if mouse.rates[len(mouse.rates) - len(knock) :] == knock))


def rates_of(state: int) -> list[int]:
    """The sample rates that lead to a state."""
    return list(_KNOCKS[state])
