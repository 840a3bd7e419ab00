"""Trace events of accesses to devices: memory and ports carry a tap while one of these is told, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.util.trace_events import TraceEvents

PORTS = 0x10000  #: the size of a space of ports
SIZES = {1: "b", 2: "w", 4: "l"}


class MemoryTrace:
    """Puts the taps in when they are wanted, and takes them out.

    Whoever switches events holds the big lock, as all do whose accesses go through the spaces.
    """

    def __init__(self, trace: TraceEvents, spaces: Sequence[AddressSpace]) -> None:
        self.trace = trace
        self.spaces = spaces
        self._is_tapped = False
        trace.on_change.append(self._changed)
        self._changed()

    def _changed(self) -> None:
        trace = self.trace
        wanted = bool(trace.memory_region_ops_read or trace.memory_region_ops_write or trace.cpu_in or trace.cpu_out)
        if wanted == self._is_tapped:
            return
        self._is_tapped = wanted
        for space in self.spaces:
            tap = partial(self._accessed, space.root.size <= PORTS)
            space.set_tap(tap if wanted else None)

    def _accessed(self, is_port: bool, region: MemoryRegion, is_write: bool, addr: int, size: int, value: int) -> None:
        trace = self.trace
        if is_port and (event := trace.cpu_out if is_write else trace.cpu_in):
            event(addr=addr, size=SIZES[size], val=value)
        if event := trace.memory_region_ops_write if is_write else trace.memory_region_ops_read:
            event(cpu_index=0, mr=id(region), addr=addr, value=value, size=size)
