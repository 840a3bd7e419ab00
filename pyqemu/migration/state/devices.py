"""The sections of devices, with the description of their contents that ends a stream; and the state of the run."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyqemu.io.errors import EndOfStream
from pyqemu.migration.failure import MigrationError
from pyqemu.migration.state import frame
from pyqemu.migration.state.frame import Reading, Section
from pyqemu.migration.state.machine import MAX_FOREIGN, Foreign, SavedMachine, SavedState
from pyqemu.qom.vmstate import U32, Buffer, LoadError, Values, VMState
from pyqemu.system import RunState

RUN_STATE_SIZE = 100
_TYPES_BEHIND_A_FOOTER = bytes((Section.EOF, Section.START, Section.PART, Section.END, Section.FULL, Section.COMMAND))


class GlobalState:
    """The section ``globalstate``: what the machine did when it was stopped to be sent."""

    vmstate = VMState("globalstate", version=1, fields=(U32("size"), Buffer("runstate", RUN_STATE_SIZE)))

    def __init__(self, state: str = "running") -> None:
        self.set(state)

    def set(self, state: str) -> None:
        """Remember a run state by its name."""
        self.size = len(state) + 1
        self.runstate = state.encode().ljust(RUN_STATE_SIZE, b"\0")

    @property
    def name(self) -> str:
        """The name that was set or loaded."""
        return self.runstate.split(b"\0", 1)[0].decode("latin-1")


class DeviceWriter:
    """Writes device sections and collects their description."""

    def __init__(self, machine: SavedMachine, first_number: int) -> None:
        self.machine = machine
        self.number = first_number
        self.described: list[dict[str, Any]] = []

    def all(self, extra: Sequence[SavedState] = ()) -> bytearray:
        """The sections of all devices, and of *extra* in the end."""
        out = bytearray()
        foreign = [kept for kept in self.machine.foreign.values() if kept.data is not None]
        for state in (*self.machine.states, *extra):
            self._device(state, out)
            for kept in foreign:
                if kept.after == state.idstr:
                    self._foreign(kept, out)
        return out

    def _device(self, state: SavedState, out: bytearray) -> None:
        if state.needed is not None and not state.needed():
            return
        number = self._next()
        trace = self.machine.system.trace
        if event := trace.savevm_section_start:
            event(id=state.idstr, section_id=number)
        if event := trace.vmstate_save:
            event(idstr=state.idstr, vmsd_name=state.layout.name)
        out += frame.section_header(Section.FULL, number, state.idstr, state.instance, state.layout.version)
        described = state.layout.write(state.device, out)
        self.described.append({"name": state.idstr, "instance_id": state.instance, **described})
        out += frame.footer(number)
        if event := trace.savevm_section_end:
            event(id=state.idstr, section_id=number, ret=0)

    def _foreign(self, kept: Foreign, out: bytearray) -> None:
        number = self._next()
        data = kept.data or b""
        out += frame.section_header(Section.FULL, number, kept.idstr, kept.instance, kept.version)
        out += data + frame.footer(number)
        fields = [{"name": "data", "size": len(data), "type": "buffer"}]
        self.described.append(
            {"name": kept.idstr, "instance_id": kept.instance, "size": len(data), "fields": fields}
        )  # fmt: skip

    def _next(self) -> int:
        self.number += 1
        return self.number

    def description(self) -> bytes:
        """The section that describes them."""
        told = {"page_size": self.machine.page_size, "devices": self.described}
        text = json.dumps(told, separators=(",", ":")).encode()
        return struct.pack(">BI", Section.VMDESC, len(text)) + text


@dataclass
class LoadedState:
    """A device section that was read and checked."""

    state: SavedState
    values: Values


class DeviceReader:
    """Reads device sections; nothing is changed before :meth:`apply`."""

    def __init__(self, machine: SavedMachine, extra: Sequence[SavedState] = ()) -> None:
        self.machine = machine
        self.extra = list(extra)
        self.loaded: dict[tuple[str, int], LoadedState] = {}
        self.foreign: list[tuple[Foreign, int, int, bytes]] = []

    def section(self, reading: Reading, number: int, idstr: str, instance: int, version: int) -> None:
        """Read the body of a section.

        :raise MigrationError: it is unknown, or its contents cannot be.
        """
        state = self._find(idstr, instance)
        if state is None:
            self._foreign(reading, number, idstr, instance, version)
            return
        title = f"error while loading state for {state.title}"
        if version > state.layout.version:
            raise MigrationError(
                f"{title}: unsupported version {version}", f"up to {state.layout.version} can be loaded here"
            )
        if (idstr, instance) in self.loaded:
            raise MigrationError(title, f"its section comes twice, at byte {reading.position:#x}")
        if event := self.machine.system.trace.vmstate_load:
            event(idstr=idstr, vmsd_name=state.layout.name)
        try:
            values = state.layout.read(state.device, reading, version)
        except LoadError as error:
            raise MigrationError(title, str(error)) from error
        except EndOfStream as error:
            raise MigrationError(error.message, f"{error.context}, {title}") from error
        self.loaded[idstr, instance] = LoadedState(state, values)

    def _find(self, idstr: str, instance: int) -> SavedState | None:
        for state in self.extra:
            if (state.idstr, state.instance) == (idstr, instance):
                return state
        return self.machine.find(idstr, instance)

    def _foreign(self, reading: Reading, number: int, idstr: str, instance: int, version: int) -> None:
        """Something that others have: its length is not told, so the footer must be looked for."""
        kept = self.machine.foreign.get(idstr)
        if kept is None:
            known = sorted({state.instance for state in self.machine.states if state.idstr == idstr})
            hint = f"instances of it here: {', '.join(map(str, known))}" if known else "this machine has no such device"
            raise MigrationError(f"Unknown savevm section or instance '{idstr}' {instance}", hint)
        if any(each is kept for each, *_ in self.foreign):
            raise MigrationError(
                f"error while loading state for instance {instance:#x} of device '{idstr}'",
                f"its section comes twice, at byte {reading.position:#x}",
            )
        mark = frame.footer(number)
        data = bytearray()
        while not (reading.peek(5) == mark and (reading.peek(6)[5:] or b"\0") in _TYPES_BEHIND_A_FOOTER):
            data += reading.take(1)
            if len(data) > MAX_FOREIGN:
                raise frame.damaged(f"section '{idstr}' has no end within {MAX_FOREIGN} bytes", reading.position)
        self.foreign.append((kept, instance, version, bytes(data)))

    def apply(self, *, whole: bool = True) -> None:
        """Put all that was read into the machine. The lock is held and no processor runs.

        :param whole: whether memory was loaded as a whole, so that nothing that was made from it is good any more
        """
        for hook in self.machine.before_load if whole else ():
            hook()
        for state in (*self.machine.in_order(), *self.extra):
            found = self.loaded.get((state.idstr, state.instance))
            if found is not None:
                if state.prepare is not None:
                    state.prepare(found.values)
                found.values.apply(state.device)
        for kept, instance, version, data in self.foreign:
            kept.instance, kept.version, kept.data = instance, version, data
        for hook in self.machine.after_load if whole else ():
            hook()


def run_state(name: str) -> RunState:
    """The run state of that name.

    :raise MigrationError: there is none.
    """
    try:
        return RunState(name)
    except ValueError:
        raise MigrationError(
            "error while loading state for instance 0x0 of device 'globalstate'", f"there is no run state '{name}'"
        ) from None
