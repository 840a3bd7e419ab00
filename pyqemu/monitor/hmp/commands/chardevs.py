"""Character devices and descriptors: ``chardev-add``, ``ringbuf_read``, ``getfd`` and their kin."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pyqemu.chardev import Chardevs, commands
from pyqemu.chardev.ringbuf import RingbufChardev
from pyqemu.chardev.table import BACKENDS
from pyqemu.monitor import descriptors
from pyqemu.monitor.hmp.table import hmp_command
from pyqemu.util.options import parse_bool, parse_options

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp


# --- making and removing ----------------------------------------------------------------------------------------------


@hmp_command("chardev", "", "the character devices", is_info=True)
def info_chardev(hmp: Hmp) -> None:
    for chardev in hmp.call(commands.query_chardev):
        hmp.print(f"{chardev.label}: filename={chardev.filename}")


def _complete_backend(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    return [f"{name},id=" for name in BACKENDS]


@hmp_command("chardev-add", "args:s", "make a character device, as -chardev does",
             completers={"args": _complete_backend})  # fmt: skip
async def chardev_add(hmp: Hmp, *, args: str) -> None:
    """A server that waits for its client keeps the prompt away, not the guest."""
    options = parse_options(args, "backend")
    backend = options.pop("backend", "")
    waits = False
    if backend == "socket":
        waits = all(parse_bool(options.get(key, default), key) for key, default in (("server", "off"), ("wait", "on")))
        options["wait"] = "off"
    with hmp.system.lock:
        table = hmp.system.part(Chardevs)
        chardev = table.create(backend, options)
    while waits and not chardev.is_open and chardev in table:
        await asyncio.sleep(commands.WAIT_STEP)


def _complete_idle(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    return [chardev.label for chardev in hmp.system.part(Chardevs) if not chardev.busy]


@hmp_command("chardev-remove", "id:s", "remove a character device", completers={"id": _complete_idle})
def chardev_remove(hmp: Hmp, *, id: str) -> None:
    hmp.call(commands.chardev_remove, id=id)


def _complete_any(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    return [chardev.label for chardev in hmp.system.part(Chardevs)]


@hmp_command("chardev-send-break", "id:s", "let a frontend see a break condition", completers={"id": _complete_any})
def chardev_send_break(hmp: Hmp, *, id: str) -> None:
    hmp.call(commands.chardev_send_break, id=id)


# --- ring buffers -----------------------------------------------------------------------------------------------------


def _complete_ringbuf(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    return [chardev.label for chardev in hmp.system.part(Chardevs) if isinstance(chardev, RingbufChardev)]


@hmp_command("ringbuf_write", "device:s,data:s", "write to a ring buffer", completers={"device": _complete_ringbuf})
def ringbuf_write(hmp: Hmp, *, device: str, data: str) -> None:
    hmp.call(commands.ringbuf_write, device=device, data=data)


@hmp_command("ringbuf_read", "device:s,size:i", "take so many bytes out of a ring buffer",
             completers={"device": _complete_ringbuf})  # fmt: skip
def ringbuf_read(hmp: Hmp, *, device: str, size: int) -> None:
    hmp.print("".join(map(_shown, hmp.call(commands.ringbuf_read, device=device, size=size))))


def _shown(char: str) -> str:
    if char == "\\":
        return "\\\\"
    return f"\\u{ord(char):04X}" if (char < " " and char != "\n") or char == "\x7f" else char


# --- descriptors ------------------------------------------------------------------------------------------------------


@hmp_command("getfd", "fdname:s", "keep a file descriptor that came with the line under a name")
def getfd(hmp: Hmp, *, fdname: str) -> None:
    hmp.call(descriptors.getfd, fdname=fdname)


@hmp_command("closefd", "fdname:s", "close a file descriptor that has not been used")
def closefd(hmp: Hmp, *, fdname: str) -> None:
    hmp.call(descriptors.closefd, fdname=fdname)
