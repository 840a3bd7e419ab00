"""Coprocessor 14, and how many processors coprocessor 15 tells of: what a kernel asks (ARM DDI 0406C.b, C11.11)."""

from __future__ import annotations

import pytest

from pyqemu.targets.arm.exceptions import ArmException
from pyqemu.targets.arm.state import ArmCpu

DBGDIDR, DBGDSCRINT, DBGDSCREXT = (14, 0, 0, 0, 0), (14, 0, 0, 1, 0), (14, 0, 0, 2, 2)
DBGOSLAR, DBGOSLSR = (14, 0, 1, 0, 4), (14, 0, 1, 1, 4)
MDBGEN = 1 << 15


def test_breakpoints_and_watchpoints_are_kept_as_many_as_there_are() -> None:
    """Linux counts them by DBGDIDR: a Cortex-A15 has six and four."""
    cpu = ArmCpu("cortex-a15")
    didr = cpu.read_coprocessor(*DBGDIDR)
    assert (didr >> 24 & 15, didr >> 28) == (5, 3)
    for number in range(6):
        for opc2 in (4, 5):
            cpu.write_coprocessor(14, 0, 0, number, opc2, 0x1000 * number + opc2)
    for number in range(4):
        cpu.write_coprocessor(14, 0, 0, number, 7, number)
    assert cpu.read_coprocessor(14, 0, 0, 5, 4) == 0x5004
    assert cpu.read_coprocessor(14, 0, 0, 2, 5) == 0x2005
    assert cpu.read_coprocessor(14, 0, 0, 3, 7) == 3
    for number, opc2 in ((6, 4), (6, 5), (4, 6), (4, 7)):
        with pytest.raises(ArmException):
            cpu.read_coprocessor(14, 0, 0, number, opc2)


def test_monitor_mode_can_be_enabled() -> None:
    cpu = ArmCpu("cortex-a15")
    cpu.write_coprocessor(*DBGDSCREXT, MDBGEN)
    assert cpu.read_coprocessor(*DBGDSCRINT) == MDBGEN
    cpu.reset()
    assert cpu.read_coprocessor(*DBGDSCREXT) == 0


def test_the_lock_of_operating_systems_opens_without_its_key() -> None:
    cpu = ArmCpu("cortex-a15")
    assert cpu.read_coprocessor(*DBGOSLSR) == 10
    cpu.write_coprocessor(*DBGOSLAR, 0)
    assert cpu.read_coprocessor(*DBGOSLSR) == 8
    cpu.write_coprocessor(*DBGOSLAR, 0xC5ACCE55)
    assert cpu.read_coprocessor(*DBGOSLSR) == 10


def test_processors_before_armv7_have_none_of_it() -> None:
    cpu = ArmCpu("arm1176")
    assert cpu.read_coprocessor(*DBGDIDR) == 0
    assert cpu.read_coprocessor(*DBGDSCREXT) == 0
    cpu.write_coprocessor(*DBGDSCREXT, MDBGEN)
    assert cpu.read_coprocessor(*DBGDSCREXT) == 0


def test_l2ctlr_tells_of_one_processor_and_its_interrupt_controller() -> None:
    assert ArmCpu("cortex-a15").read_coprocessor(15, 1, 9, 0, 2) == 0x80_0000
