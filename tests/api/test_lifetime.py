"""A machine that is closed gives its memory back."""

from __future__ import annotations

import weakref

from pyqemu.api.machine import Machine
from pyqemu.boards.config import MachineConfig
from pyqemu.tcg.cpu import Cpu


def processor_of_a_machine_that_ran() -> weakref.ref[Cpu]:
    with Machine(MachineConfig(memory=16 << 20, vga="none", defaults=False)) as machine:
        machine.start()
        machine.run_for(0.05)
        return weakref.ref(machine.cpu)


def test_nothing_of_closed_machines_stays() -> None:
    first = processor_of_a_machine_that_ran()
    second = processor_of_a_machine_that_ran()
    assert first() is None
    del second
