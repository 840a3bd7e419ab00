"""A machine that is written into a stream."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Container

from pyqemu.migration.failure import MigrationError
from pyqemu.migration.halves import Control, Statistics, XbzrleCounters
from pyqemu.migration.parameters import Parameters
from pyqemu.migration.state import commands, frame
from pyqemu.migration.state.devices import DeviceWriter, GlobalState
from pyqemu.migration.state.frame import Output, Reading, Section
from pyqemu.migration.state.machine import PAGE_SIZE, RAM_SECTION, SavedMachine, SavedState
from pyqemu.migration.state.ram import IDSTR, VERSION, RamOptions, RamSender
from pyqemu.migration.stream import StreamWriter
from pyqemu.qapi.generated.types import MigrationCapability
from pyqemu.system import RunState

_STOPPED_FOR_US = (RunState.FINISH_MIGRATE, RunState.SAVE_VM)


class MachineSource:
    """Sends one machine (:class:`pyqemu.migration.halves.Source`).

    :param on_pass: called when another pass over memory begins, with its number
    :param run_state: what the destination is to do; None: what this machine did before it was stopped for the migration
    """

    def __init__(self, machine: SavedMachine, capabilities: Container[MigrationCapability] = (),
                 parameters: Parameters | None = None, *, run_state: RunState | None = None,
                 on_pass: Callable[[int], None] = lambda number: None) -> None:  # fmt: skip
        self.machine = machine
        self.capabilities = capabilities
        self.parameters = parameters or Parameters()
        self.run_state = run_state
        self._seen = machine.system.state
        self._ram: RamSender | None = None
        self._control: Control | None = None
        self._bandwidth = 0.0  # bytes a millisecond, measured
        self._pings = 0
        self._on_pass = on_pass
        self._trace = machine.system.trace

    # -- the halves' protocol

    def setup(self, stream: StreamWriter, control: Control) -> None:
        """Header, configuration, the list of RAM blocks."""
        self._control = control
        self._look()
        self.begin(stream)
        if event := self._trace.savevm_state_begin:
            event()
        statistics = control.statistics
        if MigrationCapability.RETURN_PATH in self.capabilities:
            if stream.reader is None:
                raise MigrationError("Unable to open return-path for postcopy", "the transport has no way back")
            self._pings += 1
            stream.write(commands.command(commands.Command.OPEN_RETURN_PATH) + commands.ping(self._pings))
        options = RamOptions()
        if MigrationCapability.XBZRLE in self.capabilities:
            options.cache_size = self.parameters.xbzrle_cache_size
            statistics.xbzrle = XbzrleCounters(cache_size=options.cache_size)
        elif MigrationCapability.COMPRESS in self.capabilities:
            options.compress_threads = self.parameters.compress_threads
            options.compress_level = self.parameters.compress_level
        self._start(stream, options, statistics)
        self._on_pass(statistics.ram.dirty_sync_count)

    def iterate(self, stream: StreamWriter) -> bool:
        """One part section; a new pass when the one before is through."""
        if event := self._trace.savevm_state_iterate:
            event()
        self._look()
        ram = self._sender
        ram.set_cache_size(self.parameters.xbzrle_cache_size)
        started, before = time.monotonic(), stream.position
        stream.write(struct.pack(">BI", Section.PART, RAM_SECTION))
        more = ram.part(stream)
        stream.write(frame.footer(RAM_SECTION))
        elapsed = max(time.monotonic() - started, 1e-4)
        if stream.position - before > PAGE_SIZE:
            self._bandwidth = (stream.position - before) / elapsed / 1000
        threshold = self._bandwidth * self.parameters.downtime_limit
        if more and ram.remaining > threshold:
            return False
        remaining = ram.sync()
        assert self._control is not None
        self._on_pass(self._control.statistics.ram.dirty_sync_count)
        if self._bandwidth:
            self._control.statistics.expected_downtime = int(remaining / self._bandwidth)
        return remaining <= threshold

    def complete(self, stream: StreamWriter) -> None:
        """The rest of memory, the devices, the end."""
        if event := self._trace.savevm_state_complete_precopy:
            event()
        assert self._control is not None
        self._rest(stream, self._control.hand_over)
        if MigrationCapability.RETURN_PATH in self.capabilities:
            self._await_shut(stream)

    def cleanup(self) -> None:
        """Memory is not watched any more."""
        if event := self._trace.savevm_state_cleanup:
            event()
        if self._ram is not None:
            self._ram.cleanup()

    def send_at_once(self, stream: Output, statistics: Statistics) -> None:
        """The whole stream of a machine that stands still."""
        self._look()
        self.begin(stream)
        self._start(stream, RamOptions(), statistics)
        self._rest(stream)

    # -- pieces

    def _start(self, stream: Output, options: RamOptions, statistics: Statistics) -> None:
        self._ram = RamSender(self.machine, options, statistics.ram, statistics.xbzrle)
        stream.write(frame.section_header(Section.START, RAM_SECTION, IDSTR, 0, VERSION))
        self._ram.setup(stream)
        stream.write(frame.footer(RAM_SECTION))

    def _rest(self, stream: Output, settled: Callable[[], None] = lambda: None) -> None:
        """All that is left when the guest stands still."""
        with self.machine.system.lock:
            for hook in self.machine.before_save:
                hook()
        settled()
        stream.write(struct.pack(">BI", Section.END, RAM_SECTION))
        self._sender.finish(stream)
        stream.write(frame.footer(RAM_SECTION))
        self.finish(stream)

    @property
    def _sender(self) -> RamSender:
        assert self._ram is not None
        return self._ram

    def _look(self) -> None:
        state = self.machine.system.state
        if state not in _STOPPED_FOR_US:
            self._seen = state

    def begin(self, stream: Output) -> None:
        """Magic number and configuration."""
        if event := self._trace.savevm_state_header:
            event()
        name = self.machine.name.encode()
        stream.write(struct.pack(">II", frame.MAGIC, frame.VERSION))
        stream.write(struct.pack(">BI", Section.CONFIGURATION, len(name)) + name)

    def finish(self, stream: Output) -> None:
        """All devices, the end of sections, and their description."""
        writer = DeviceWriter(self.machine, RAM_SECTION)
        state = GlobalState((self.run_state or self._seen).value)
        if event := self._trace.migrate_global_state_pre_save:
            event(state=(self.run_state or self._seen).value)
        with self.machine.system.lock:
            data = writer.all([SavedState("globalstate", 0, GlobalState.vmstate, state)])
        stream.write(data)
        stream.write(bytes((Section.EOF,)))
        stream.write(writer.description())

    def _await_shut(self, stream: StreamWriter) -> None:
        """The destination says how it went."""
        stream.flush()
        assert stream.reader is not None
        reading = Reading(stream.reader)
        while True:
            answer = commands.read_message(reading)
            if answer.kind is commands.Message.SHUT:
                if answer.number:
                    raise MigrationError("the destination could not load the machine", "its log says why")
                return
