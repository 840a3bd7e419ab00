"""The QMP commands of keyboard, mouse and screen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from pyqemu.qapi.commands import command
from pyqemu.qapi.errors import ErrorClass, QapiError
from pyqemu.qapi.generated import types as qapi
from pyqemu.system import System
from pyqemu.ui.keys import KEYS, key_of_scancode
from pyqemu.ui.pointer import Pointer
from pyqemu.ui.screen import Screen
from pyqemu.ui.screenshot import to_png, to_ppm
from pyqemu.ui.typist import HOLD_TIME, MILLISECOND, Typist

MOUSE_INDEX = 2  # QEMU's number of the PS/2 mouse: the keyboard is the first handler

# -- keys


def _key(value: qapi.KeyValue) -> str | None:
    """The key's name; None if this keyboard has no such key."""
    if isinstance(value, qapi.KeyValue_number):
        return key_of_scancode(value.data)
    return value.data.value if value.data.value in KEYS else None


def _known(values: Iterable[qapi.KeyValue]) -> list[str]:
    return [key for key in map(_key, values) if key is not None]


@command("send-key")
def send_key(system: System, *, keys: list[qapi.KeyValue], hold_time: int | None = None) -> None:
    """Press keys together and release them after *hold_time* milliseconds. Keys that no PC keyboard has are ignored."""
    hold = HOLD_TIME if not hold_time or hold_time < 0 else hold_time * MILLISECOND
    system.part(Typist).chord(_known(keys), hold)


# -- single events


@command("input-send-event")
def input_send_event(
    system: System, *, device: str | None = None, head: int | None = None, events: list[qapi.InputEvent]
) -> None:
    """Tell input devices what happened, all at one moment.

    :raise QapiError: DeviceNotFound (no such display); the guest does not run; nothing takes such events. Then none was
        told.
    """
    _check_console(system, device, head)
    if not system.running:
        raise QapiError("VM not running")
    if any(isinstance(event, qapi.InputEvent_abs) for event in events):
        raise QapiError("Input handler not found for event type abs")
    pointer = system.part(Pointer)
    for event in events:
        match event:
            case qapi.InputEvent_key():
                key = _key(event.data.key)
                if key is not None:
                    system.part(Typist).put(key, event.data.down)
            case qapi.InputEvent_btn():
                pointer.button(event.data.button.value, event.data.down)
            case qapi.InputEvent_rel():
                pointer.move(event.data.axis.value, event.data.value)
            case _:
                pass  # abs: refused above
    pointer.sync()


@command("query-mice")
def query_mice(system: System) -> list[qapi.MouseInfo]:
    """The pointing devices."""
    pointer = system.optional_part(Pointer)
    if pointer is None:
        return []
    return [qapi.MouseInfo(name=pointer.name, index=MOUSE_INDEX, current=True, absolute=False)]


# -- the screen


def _check_console(system: System, device: str | None, head: int | None) -> None:
    if device is not None and device != system.part(Screen).device():
        raise QapiError(f"Device '{device}' not found", ErrorClass.DeviceNotFound)
    if device is not None and head:
        raise QapiError(f"There is no console for device '{device}' head {head}")


@command("screendump")
async def screendump(
    system: System, *, filename: str, device: str | None = None, head: int | None = None,
    format: qapi.ImageFormat | None = None,
) -> None:  # fmt: skip
    """Write a picture of the screen to a file, PPM unless *format* says PNG.

    The file is written in place: who made it beforehand keeps it, with its owner and rights.

    :raise QapiError: DeviceNotFound; there is no screen; the file can't be written.
    """
    if device is None and head is not None:
        raise QapiError("'head' must be specified together with 'device'")
    _check_console(system, device, head)
    with system.lock:
        frame = system.part(Screen).frame()
    if frame is None:
        raise QapiError("There is no console to take a screendump from")
    encode = to_png if format is qapi.ImageFormat.PNG else to_ppm
    await asyncio.to_thread(lambda: _write(filename, encode(frame)))


def _write(filename: str, data: bytes) -> None:
    try:
        with open(filename, "wb") as file:
            file.write(data)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise QapiError(f"failed to open file '{filename}': {reason}") from None
