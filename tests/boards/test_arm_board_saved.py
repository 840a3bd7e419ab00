"""Boards with 32-bit processors are saved and loaded: a guest counts on without a gap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyqemu.boards.config import MachineConfig, RtcConfig, SmpConfig
from pyqemu.system import RunState
from tests.boards.arm_counter import PLACES, program
from tests.migration.state.saved_rig import Decoder, check_count, config, count_on, lines, load, machine, save, text

MOVES = 2
DEVICES = {
    "versatilepb": {
        "pl190",
        "versatilepb_sic",
        "sp804",
        "arm_timer",
        "smc91c111",
        "versatile-pci",
        "ps2kbd",
        "pl080",
        "ds1338",
    },
    "vexpress-a9": {"arm_gic", "a9-scu", "arm_mptimer", "l2x0", "lan9118", "sp804", "pl181", "pl050"},
    "vexpress-a15": {"arm_gic", "lan9118", "sp804", "pl181", "realview_sysctl", "pflash_cfi01"},
    "raspi2": {"bcm2836-control", "bcm2835-ic", "bcm2835-mbox", "bcm2835-dma", "sdhci", "bcm2835-cprman", "bcm2835-fb"},
}


def settings(name: str, directory: Path, **changes: Any) -> MachineConfig:
    """The board with the guest and little memory."""
    return config("", machine=name, architecture="arm", bios="", kernel=program(name, directory), memory=128 << 20,
                  memory_given=True, rtc=RtcConfig(base=1e9, clock="vm"), defaults=True, **changes)  # fmt: skip


@pytest.mark.parametrize(("name", "cpus"), [*((name, 1) for name in PLACES), ("vexpress-a9", 4), ("raspi2", 2)])
def test_a_guest_moves_again_and_again_and_counts_on(name: str, cpus: int, tmp_path: Path) -> None:
    """With its timer, and memory that changes while it is sent; other processors wait until a kernel wants them."""
    chosen = settings(name, tmp_path, smp=SmpConfig(cpus, max_cpus=cpus))
    printed = ""
    stream = b""
    for move in range(MOVES + 1):
        with machine(chosen, running=not stream) as made:
            if stream:
                load(made, stream)
            count_on(made, 50)
            stream, _ = save(made, rounds=move)
            printed += text(made)
    assert "!" not in printed
    check_count(printed.split(), 1)
    found = {name for _, name, *_ in Decoder(stream).decode().sections}
    assert DEVICES[name] | {"cpu", "cpu_common", "timer"} <= found


def test_what_is_loaded_is_saved_the_same(tmp_path: Path) -> None:
    """Byte by byte."""
    chosen = settings("versatilepb", tmp_path, devices=[{"driver": "e1000"}])
    with machine(chosen, running=True) as made:
        count_on(made, 50)
        with made.system.lock:
            made.system.stop(RunState.PAUSED)
        stream, _ = save(made)
    with machine(chosen) as made:
        load(made, stream)
        again, _ = save(made)
    assert Decoder(again).decode().fields == Decoder(stream).decode().fields
    assert again == stream


def test_a_reset_starts_the_kernel_again(tmp_path: Path) -> None:
    with machine(settings("vexpress-a9", tmp_path), running=True) as made:
        count_on(made, 50)
        assert lines(made)
        with made.system.parked():
            made.system.reset()
        count_on(made, 50)
        assert lines(made)
