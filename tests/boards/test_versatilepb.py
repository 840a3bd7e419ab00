"""``-M versatilepb``: its devices are where QEMU's are, and interrupt as they do."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from pyqemu.boards.versatile import VersatilePb
from pyqemu.util.errors import UserError
from tests.boards.arm_board_rig import (
    Cause,
    board,
    compare_interrupts,
    compare_registers,
    input_port,
    machine,
    mmc,
    uart,
)
from tests.qtest_reference import needs_qemu_arm

VIC, SIC = 0x1014_0000, 0x1000_3000
NIC = ("-net", "nic,macaddr=52:54:00:12:34:56")
PRIMECELLS = (0x1000_5000, 0x1000_6000, 0x1000_7000, 0x1000_9000, 0x1000_B000, 0x1012_0000, 0x1013_0000, 0x1014_0000,
              0x101E_2000, 0x101E_3000, 0x101E_4000, 0x101E_5000, 0x101E_6000, 0x101E_7000, 0x101E_8000, 0x101F_1000,
              0x101F_2000, 0x101F_3000)  # fmt: skip


@needs_qemu_arm
def test_devices_are_where_qemus_are() -> None:
    places = [base + offset for base in PRIMECELLS for offset in (*range(0xFE0, 0x1000, 4), 0x10, 0x18, 0x30)]
    system = [0x1000_0000 + offset for offset in (0, 4, 8, 0x20, 0x48, 0x50, 0x84, 0x88)]
    network = [0x1001_0000, 0x1001_000C]
    pci = [0x1000_1000, 0x4200_0000 + (11 << 11), 0x4100_0000 + (11 << 11) + 8, 0x4200_0000 + (12 << 11)]
    others = [0, SIC, SIC + 4, SIC + 8, 0x3400_0000]
    compare_registers("versatilepb", [*places, *system, *network, *pci, *others], *NIC)


@needs_qemu_arm
def test_interrupts_lead_where_qemus_do() -> None:
    everything = Cause("mask of the secondary controller", ((SIC + 8, 0xFFFFFFFF),))
    network = Cause("network", ((0x1001_000E, 2), (0x1001_000C, 0x0400)), size=2)
    through = Cause("pass-through", ((SIC + 0x20, 0xFFFFFFFF),))
    copy = tuple((0x1013_0100 + 4 * number, value) for number, value in enumerate((0, 0x100, 0, 0x8C00_0001, 0xC001)))
    dma = Cause("DMA", ((0x1013_0030, 1), *copy, (0x1013_0034, 0)))  # QEMU looks at its interrupt with the last write
    causes = [
        dma, uart(0x101F_1000), uart(0x101F_2000), uart(0x101F_3000), everything, uart(0x1000_9000),
        input_port(0x1000_6000), input_port(0x1000_7000), *mmc(0x1000_5000), *mmc(0x1000_B000), network, through,
    ]  # fmt: skip
    compare_interrupts("versatilepb", causes, [VIC + 8, SIC, SIC + 4, SIC + 8, SIC + 0x20], *NIC)


@pytest.mark.parametrize(("options", "message"), [
    (["-m", "512"], "-m: machine 'versatilepb' takes up to 256 MiB of memory"),
    (["-M", "versatilepb,secure=on"], "Property '.secure' not found"),
    (["-net", "nic", "-net", "nic"], "-net nic: machine 'versatilepb' has one network card"),
    (["-net", "nic,model=lan9118"], "-net nic,model=lan9118: Unsupported NIC model: lan9118"),
    (["-cpu", "cortex-a99"], "unable to find CPU model 'cortex-a99'"),
    (["-device", "virtio-rng-device"], "No 'virtio-bus' bus found for device 'virtio-rng-device'"),
    (["-bios", "/dev/null"], "-bios: machine 'versatilepb' has no place for firmware"),
])  # fmt: skip
def test_what_cannot_be_is_told(options: list[str], message: str) -> None:
    with pytest.raises(UserError) as told, board("versatilepb", *options):
        pass
    assert told.value.message == message


def test_cards_go_into_the_pci_slots() -> None:
    with board("versatilepb", "-device", "e1000,id=net1") as made:
        assert isinstance(made, VersatilePb)
        assert [(devfn >> 3, card.type_name) for devfn, card in made.pci_host.pci.devices.items()] == [
            (11, "versatile_pci_host"), (12, "e1000")]  # fmt: skip


@pytest.mark.parametrize(("name", "number"), [("versatilepb", 0x183), ("versatileab", 0x25E)])
def test_a_kernel_learns_the_boards_number(name: str, number: int) -> None:
    with board(name) as made:
        made.system.reset()
        assert (made.cpu.r[0], made.cpu.r[1], made.cpu.r[2]) == (0, number, 0x100)


def test_programs_may_ask_the_host(tmp_path: Path) -> None:
    """SYS_EXIT with ADP_Stopped_ApplicationExit, by SVC 0x123456."""
    path = tmp_path / "program"
    path.write_bytes(struct.pack("<5I", 0xE3A00018, 0xE3A01026, 0xE3811802, 0xEF123456, 0xEAFFFFFE))
    with machine("versatilepb", "-kernel", str(path), "-semihosting") as made:
        made.config.paused = False
        made.start()
        made.run_for(60, until=lambda: made.system.exit_code is not None, interval=0.01)
        assert made.system.exit_code == 0
