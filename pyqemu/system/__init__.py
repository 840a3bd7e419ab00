"""The running machine as such: clocks, timers, interrupt lines, run state, the big lock.

It knows no device, board or architecture.
"""

from pyqemu.system.clock import Clock, FakeClock, RealtimeClock, RtcClock, Timer, VirtualClock
from pyqemu.system.irq import FakeIrq, Irq, OrIrq, SplitIrq
from pyqemu.system.runstate import InvalidTransition, RunState, ShutdownCause, System, VcpuControl

__all__ = [
    "Clock",
    "FakeClock",
    "FakeIrq",
    "InvalidTransition",
    "Irq",
    "OrIrq",
    "RealtimeClock",
    "RtcClock",
    "RunState",
    "ShutdownCause",
    "SplitIrq",
    "System",
    "Timer",
    "VcpuControl",
    "VirtualClock",
]
