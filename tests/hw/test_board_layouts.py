"""What is saved of the devices of boards is laid out as QEMU does it."""

from __future__ import annotations

import pytest

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.hw.pci_host.gpex import GpexRoot
from pyqemu.qom.registry import DEVICES
from tests.hw.board_rig import layout_differences
from tests.qtest_reference import needs_qemu_arm

EXCEPTIONS = {
    "fifo_buffer size": "of QEMU's structure in memory, not of what is sent",
    "timer size": "of QEMU's structure in memory, not of what is sent",
    "cfi.pflash01: pflash_cfi01_blk_write": "programming by the buffer takes effect at once here",
    "config exists": "QEMU has it twice, for PCI Express, too; which one a device has never changes",
    "arm-gicv3.cpu: arm_gicv3_cpu/virt": "the virtualization extensions, which this version does not have",
    "arm-gicv3.cpu: arm_gicv3_cpu/gicv4": "version 4",
    "arm_gic: arm_gic_virt_state": "the virtualization extensions, which this version does not have",
}
STATELESS = {
    "a15mpcore_priv": "it has parts",
    "a9mpcore_priv": "it has parts",
    "arm-gicv2m": "messages come and go",
    "versatile_i2c": "QEMU saves nothing of it",
    "gpex-pcihost": "its only register is one that PCI Express does not have",
}


def names() -> list[str]:
    """The devices of boards."""
    DEVICES.discover("pyqemu.hw")
    return [entry.name for entry in DEVICES.classes if issubclass(entry.cls, SysBusDevice | GpexRoot)]


@needs_qemu_arm
@pytest.mark.parametrize("name", names())
def test_layout_is_qemus(name: str) -> None:
    layout = DEVICES.find(name).cls.vmstate
    if layout is None:
        assert name in STATELESS
        return
    assert layout_differences(name, layout) <= EXCEPTIONS.keys()
