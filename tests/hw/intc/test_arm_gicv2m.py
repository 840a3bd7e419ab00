"""Messages become interrupts."""

from __future__ import annotations

import pytest

from pyqemu.hw.intc.arm_gicv2m import MSI_IIDR, MSI_TYPER, SETSPI_NS, ArmGicV2m
from pyqemu.qom import DeviceError
from pyqemu.system import Irq
from tests.hw.board_rig import Region
from tests.qtest_reference import QtestReference, needs_qemu_arm


def test_a_message_is_an_edge() -> None:
    lines = [Irq() for _ in range(256)]
    frame = Region(ArmGicV2m(lines, base_spi=48, num_spi=64))
    for number in (79, 80, 143, 144):
        frame.write(SETSPI_NS, 4, number)
    assert [number + 32 for number, line in enumerate(lines) if line.edges] == [80, 143]
    assert not any(line.level for line in lines)


def test_it_must_fit() -> None:
    with pytest.raises(DeviceError, match="exceeds max"):
        ArmGicV2m([Irq()] * 64, base_spi=48)


@needs_qemu_arm
def test_registers_are_qemus() -> None:
    frame = Region(ArmGicV2m([Irq()] * 256, base_spi=48))
    with QtestReference("-M", "virt-2.6,gic-version=2", "-cpu", "cortex-a15") as qemu:
        for offset in (0, MSI_TYPER, SETSPI_NS, MSI_IIDR):
            assert frame.read(offset) == qemu.read(0x08020000 + offset)
