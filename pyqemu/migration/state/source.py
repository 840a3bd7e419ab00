"""A machine that is written into a stream."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Container
from typing import TypeVar

from pyqemu.migration.failure import MigrationError
from pyqemu.migration.halves import Control, Counters, Options, Statistics, XbzrleCounters
from pyqemu.migration.parameters import Parameters
from pyqemu.migration.state import commands, frame, identity
from pyqemu.migration.state.converge import AutoConverge
from pyqemu.migration.state.devices import DeviceWriter, GlobalState
from pyqemu.migration.state.disks import DiskOptions, DiskSender
from pyqemu.migration.state.frame import MemoryOutput, Output, Section
from pyqemu.migration.state.machine import PAGE_SIZE, RAM_SECTION, SavedMachine, SavedState
from pyqemu.migration.state.ram import IDSTR, VERSION, RamOptions, RamSender
from pyqemu.migration.state.return_path import ReturnPath
from pyqemu.migration.stream import StreamWriter
from pyqemu.qapi.generated.types import MigrationCapability
from pyqemu.system import RunState

T = TypeVar("T")
_STOPPED_FOR_US = (RunState.FINISH_MIGRATE, RunState.SAVE_VM)


def _keep() -> None:
    """The images stay ours."""


class MachineSource:
    """Sends one machine (:class:`pyqemu.migration.halves.Source`).

    :param on_pass: called when another pass over memory begins, with its number
    :param run_state: what the destination is to do; None: what this machine did before it was stopped for the migration
    """

    def __init__(self, machine: SavedMachine, capabilities: Container[MigrationCapability] = (),
                 parameters: Parameters | None = None, *, options: Options | None = None,
                 run_state: RunState | None = None,
                 on_pass: Callable[[int], None] = lambda number: None) -> None:  # fmt: skip
        self.machine = machine
        self.capabilities = capabilities
        self.parameters = parameters or Parameters()
        self.options = options or Options()
        self.run_state = run_state
        self._seen = machine.system.state
        self._ram: RamSender | None = None
        self._control: Control | None = None
        self._converge: AutoConverge | None = None
        self._return: ReturnPath | None = None
        self._disks: DiskSender | None = None
        self._bandwidth = 0.0  # bytes a millisecond, measured
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
        self.machine.check_is_here()
        postcopy = MigrationCapability.POSTCOPY_RAM in self.capabilities
        if postcopy or MigrationCapability.RETURN_PATH in self.capabilities:
            self._return = ReturnPath(stream)
            self._return.open(postcopy=postcopy, page_size=self.machine.page_size)
        self._begin_disks(stream, statistics)
        options = RamOptions()
        if MigrationCapability.XBZRLE in self.capabilities:
            options.cache_size = self.parameters.xbzrle_cache_size
            statistics.xbzrle = XbzrleCounters(cache_size=options.cache_size)
        elif MigrationCapability.COMPRESS in self.capabilities:
            options.compress_threads = self.parameters.compress_threads
            options.compress_level = self.parameters.compress_level
        if MigrationCapability.AUTO_CONVERGE in self.capabilities:
            self._converge = AutoConverge(self.machine.system.throttle, self.parameters, statistics)
        self._start(stream, options, statistics)
        self._on_pass(statistics.ram.dirty_sync_count)

    def iterate(self, stream: StreamWriter) -> bool:
        """One part section; a new pass when the one before is through."""
        if event := self._trace.savevm_state_iterate:
            event()
        self._look()
        if self._wants_postcopy:
            return True
        if self._disks is not None:
            self._disks.part(stream)
            if not self._disks.bulk_is_sent:
                return False
        ram = self._sender
        ram.set_cache_size(self.parameters.xbzrle_cache_size)
        started, before = time.monotonic(), stream.position
        more = self._memory(stream, Section.PART, ram.part)
        elapsed = max(time.monotonic() - started, 1e-4)
        if stream.position - before > PAGE_SIZE:
            self._bandwidth = (stream.position - before) / elapsed / 1000
            if limit := self.parameters.max_bandwidth:  # a buffer takes one round's bytes much faster than that
                self._bandwidth = min(self._bandwidth, limit / 1000)
        threshold = self._bandwidth * self.parameters.downtime_limit
        if self._disks is not None:
            threshold -= self._disks.remaining
        if more and ram.remaining > threshold:
            return False
        remaining = ram.sync()
        assert self._control is not None
        self._on_pass(self._control.statistics.ram.dirty_sync_count)
        if self._converge is not None:
            self._converge.look(ram.written)
        if self._bandwidth:
            self._control.statistics.expected_downtime = int(remaining / self._bandwidth)
        return remaining <= threshold

    def complete(self, stream: StreamWriter) -> None:
        """The rest of memory, the devices, the end."""
        if event := self._trace.savevm_state_complete_precopy:
            event()
        assert self._control is not None
        if self._wants_postcopy:
            self._stay_behind(stream, self._control)
        else:
            # A destination that gets our disks must have others: it must not be able to take these.
            settled = self._control.hand_over if self._disks is None else _keep
            self._rest(stream, settled, self._control.send_last)
        if self._return is not None:
            stream.flush()
            self._return.await_shut()

    def cleanup(self) -> None:
        """Memory is not watched any more."""
        if event := self._trace.savevm_state_cleanup:
            event()
        if self._converge is not None:
            self._converge.end()
        if self._disks is not None:
            self._disks.cleanup()
        if self._ram is not None:
            self._ram.cleanup()

    def send_at_once(self, stream: Output, statistics: Statistics) -> None:
        """The whole stream of a machine that stands still."""
        self._look()
        self.begin(stream)
        self._start(stream, RamOptions(), statistics)
        self._rest(stream)

    # -- pieces

    def _begin_disks(self, stream: Output, statistics: Statistics) -> None:
        """``migrate -b`` and ``-i``, or the capability ``block``."""
        on = MigrationCapability.BLOCK in self.capabilities
        if not (on or self.options.block or self.options.incremental):
            return
        if MigrationCapability.POSTCOPY_RAM in self.capabilities:
            raise MigrationError("Postcopy is not supported with block migration", "postcopy-ram is on")
        incremental = self.options.incremental or (on and self.parameters.block_incremental)
        how = DiskOptions(incremental, zero_blocks=MigrationCapability.ZERO_BLOCKS in self.capabilities)
        statistics.disk = Counters()
        self._disks = DiskSender(self.machine.system, self.machine.disks(), how, statistics.disk)
        self._disks.setup(stream)

    def _start(self, stream: Output, options: RamOptions, statistics: Statistics) -> None:
        self._ram = RamSender(self.machine, options, statistics.ram, statistics.xbzrle)
        stream.write(frame.section_header(Section.START, RAM_SECTION, IDSTR, 0, VERSION))
        self._ram.setup(stream)
        stream.write(frame.footer(RAM_SECTION))

    def _rest(self, stream: Output, settled: Callable[[], None] = lambda: None,
              send_last: Callable[[], None] = lambda: None) -> None:  # fmt: skip
        """All that is left when the guest stands still."""
        with self.machine.system.lock:
            for hook in self.machine.before_save:
                hook()
        if self._disks is not None:
            self._disks.finish(stream)
        settled()
        self._memory(stream, Section.END, self._sender.finish)
        self.finish(stream, send_last)

    @staticmethod
    def _memory(stream: Output, kind: Section, send: Callable[[Output], T]) -> T:
        """A further section of memory; returns what *send* does, which writes its body."""
        stream.write(struct.pack(">BI", kind, RAM_SECTION))
        result = send(stream)
        stream.write(frame.footer(RAM_SECTION))
        return result

    # -- post-copy

    @property
    def _wants_postcopy(self) -> bool:
        assert self._control is not None
        return MigrationCapability.POSTCOPY_RAM in self.capabilities and self._control.postcopy_requested.is_set()

    def _stay_behind(self, stream: StreamWriter, control: Control) -> None:
        """Let the guest run at the destination now, and send the rest of its memory."""
        with self.machine.system.lock:
            for hook in self.machine.before_save:
                hook()
        control.hand_over()
        for name, ranges in self._sender.stay_behind():
            stream.write(commands.discard(name, ranges))
        package = MemoryOutput()
        package.write(commands.command(commands.Command.POSTCOPY_LISTEN))
        self._devices(package)
        package.write(commands.command(commands.Command.POSTCOPY_RUN))
        control.send_last()
        stream.write(commands.command(commands.Command.PACKAGED, struct.pack(">I", len(package.data))) + package.data)
        stream.flush()
        control.depart()
        self._follow(stream)
        self._memory(stream, Section.END, self._sender.end)
        stream.write(bytes((Section.EOF,)))

    @property
    def _sender(self) -> RamSender:
        assert self._ram is not None
        return self._ram

    def _look(self) -> None:
        state = self.machine.system.state
        if state not in _STOPPED_FOR_US:
            self._seen = state

    def _follow(self, stream: StreamWriter) -> None:
        """Send memory: what the guest waits for at once, the rest as quickly as it may go out."""
        assert self._return is not None
        ram, more = self._sender, True
        while more:
            self._return.serve(ram.want)
            pause = stream.pause(self.parameters.max_postcopy_bandwidth)
            if pause and not ram.wanted:
                self._return.wait(pause)
                continue
            more = self._memory(stream, Section.PART, ram.wanted_part if pause else ram.late_part)
            stream.flush()

    def begin(self, stream: Output) -> None:
        """Magic number and configuration."""
        if event := self._trace.savevm_state_header:
            event()
        name = self.machine.name.encode()
        stream.write(struct.pack(">II", frame.MAGIC, frame.VERSION))
        stream.write(struct.pack(">BI", Section.CONFIGURATION, len(name)) + name)
        if MigrationCapability.VALIDATE_UUID in self.capabilities:
            stream.write(identity.uuid_part(self.machine.system))

    def finish(self, stream: Output, send_last: Callable[[], None] = lambda: None) -> None:
        """All devices, the end of sections, which makes the machine complete, and their description."""
        writer = self._devices(stream)
        send_last()
        stream.write(bytes((Section.EOF,)))
        stream.write(writer.description())

    def _devices(self, stream: Output) -> DeviceWriter:
        writer = DeviceWriter(self.machine, RAM_SECTION)
        state = GlobalState((self.run_state or self._seen).value)
        if event := self._trace.migrate_global_state_pre_save:
            event(state=(self.run_state or self._seen).value)
        with self.machine.system.lock:
            data = writer.all([SavedState("globalstate", 0, GlobalState.vmstate, state)])
        stream.write(data)
        return writer
