"""The QMP commands of character devices."""

from __future__ import annotations

import asyncio
import base64
import binascii

from pyqemu.chardev.base import Chardev, ChardevEvent
from pyqemu.chardev.errors import ChardevError
from pyqemu.chardev.from_qapi import BACKENDS, make_chardev
from pyqemu.chardev.mux import MuxChardev
from pyqemu.chardev.pty import PtyChardev
from pyqemu.chardev.ringbuf import RingbufChardev
from pyqemu.chardev.table import Chardevs
from pyqemu.qapi.commands import command
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated import types as qapi
from pyqemu.system import System

WAIT_STEP = 0.02  # seconds between two looks at a socket that waits for its peer

# -- queries


@command("query-chardev")
def query_chardev(system: System) -> list[qapi.ChardevInfo]:
    """All chardevs. What lies below a multiplexer has a frontend if that has one."""
    table = system.part(Chardevs)
    multiplexers = {mux.below: mux for mux in table if isinstance(mux, MuxChardev)}
    return [
        qapi.ChardevInfo(
            label=chardev.label, filename=chardev.filename, frontend_open=multiplexers.get(chardev, chardev).busy
        )
        for chardev in table
    ]


@command("query-chardev-backends")
def query_chardev_backends(system: System) -> list[qapi.ChardevBackendInfo]:
    """The backends that there are."""
    return [qapi.ChardevBackendInfo(name=name) for name in sorted([*BACKENDS, "mux"])]


def _find(system: System, id: str) -> Chardev:
    try:
        return system.part(Chardevs).find(id)
    except ChardevError as error:
        raise QapiError(error.message) from None


# -- making and removing


@command("chardev-add")
async def chardev_add(system: System, *, id: str, backend: qapi.ChardevBackend) -> qapi.ChardevReturn:
    """Make a chardev. A socket with ``wait`` answers when its peer is there; the machine goes on meanwhile.

    :raise QapiError: the id is taken, or the chardev can't be made or opened.
    """
    with system.lock:
        table = system.part(Chardevs)
        if any(chardev.label == id for chardev in table):
            raise QapiError(f"Chardev with id '{id}' already exists")
        try:
            chardev = _add(table, id, backend)
        except ChardevError as error:
            raise QapiError(f"Failed to add chardev '{id}': {error.message}", hint=error.hint) from None
    if isinstance(backend, qapi.ChardevBackend_socket) and backend.data.server is not False and backend.data.wait:
        while not chardev.is_open and chardev in table:
            await asyncio.sleep(WAIT_STEP)
    return qapi.ChardevReturn(pty=chardev.slave_name if isinstance(chardev, PtyChardev) else None)


def _add(table: Chardevs, id: str, backend: qapi.ChardevBackend) -> Chardev:
    if isinstance(backend, qapi.ChardevBackend_mux):
        return table.multiplex(id, table.find(backend.data.chardev))
    chardev = make_chardev(id, table.host, backend, table.descriptors)
    return table.add(chardev, logfile=backend.data.logfile or "", append=bool(backend.data.logappend))


@command("chardev-change")
async def chardev_change(system: System, *, id: str, backend: qapi.ChardevBackend) -> qapi.ChardevReturn:
    """Put another backend in the place of one that no frontend uses.

    :raise QapiError: there is none of that id; it is in use; the new one can't be, and then the old one stays.
    """
    with system.lock:
        table = system.part(Chardevs)
        old = next((chardev for chardev in table if chardev.label == id), None)
        if old is None:
            raise QapiError(f"Chardev '{id}' does not exist")
        if isinstance(old, MuxChardev) or isinstance(backend, qapi.ChardevBackend_mux):
            raise QapiError("Mux device hotswap not supported yet")
        if old.busy:
            raise QapiError("Chardev user does not support chardev hotswap")
        try:
            new = make_chardev(id, table.host, backend, table.descriptors)
            table.replace(old, new, logfile=backend.data.logfile or "", append=bool(backend.data.logappend))
        except ChardevError as error:
            raise QapiError(error.message, hint=error.hint) from None
    return qapi.ChardevReturn(pty=new.slave_name if isinstance(new, PtyChardev) else None)


@command("chardev-remove")
def chardev_remove(system: System, *, id: str) -> None:
    """Close and forget a chardev.

    :raise QapiError: there is none of that id, or it is in use.
    """
    try:
        system.part(Chardevs).remove(id)
    except ChardevError as error:
        raise QapiError(error.message) from None


@command("chardev-send-break")
def chardev_send_break(system: System, *, id: str) -> None:
    """Let the frontend see a break condition."""
    chardev = _find(system, id)
    frontend = chardev.focus if isinstance(chardev, MuxChardev) else chardev
    if frontend is not None:
        frontend.on_event(ChardevEvent.BREAK)


# -- ring buffers


def _ringbuf(system: System, device: str) -> RingbufChardev:
    chardev = next((chardev for chardev in system.part(Chardevs) if chardev.label == device), None)
    if chardev is None:
        raise QapiError(f"Device '{device}' not found")
    if not isinstance(chardev, RingbufChardev):
        raise QapiError(f"{device} is not a ringbuf device")
    return chardev


@command("ringbuf-write")
def ringbuf_write(system: System, *, device: str, data: str, format: qapi.DataFormat | None = None) -> None:
    """Write to a ring buffer as its frontend would."""
    chardev = _ringbuf(system, device)
    if format is qapi.DataFormat.BASE64:
        try:
            raw = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            raise QapiError(f"Base64 data '{data}' is not valid") from None
    else:
        raw = data.encode("utf-8", "surrogatepass")
    chardev.write(raw)


@command("ringbuf-read")
def ringbuf_read(system: System, *, device: str, size: int, format: qapi.DataFormat | None = None) -> str:
    """Take up to *size* bytes out of a ring buffer. What is no UTF-8 reads as replacement characters, if not base64."""
    chardev = _ringbuf(system, device)
    if size <= 0:
        raise QapiError("size must be greater than zero")
    raw = chardev.read(size)
    return base64.b64encode(raw).decode() if format is qapi.DataFormat.BASE64 else raw.decode("utf-8", "replace")
