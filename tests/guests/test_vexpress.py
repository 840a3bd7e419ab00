"""Debian's kernel and installer for armhf on Versatile Express boards."""

from __future__ import annotations

import random
from pathlib import Path

import arm_program
import guest_packages as packages
import pytest
from armhf_kernel import BOOT_TIME, FIRST_PROCESS, FIRST_QUESTION, comparable, kernel_options, said_in_qemu, until
from guest_machine import Guest

LATER = {"vexpress-a9": [], "vexpress-a15": ["-machine", "virtualization=off"]}
"""What QEMU has to be told since its Cortex-A15 has Hyp mode."""
TREES = {"vexpress-a9": "vexpress-v2p-ca9", "vexpress-a15": "vexpress-v2p-ca15-tc1"}


def test_the_kernel_finds_the_boards_devices() -> None:
    options = kernel_options("vexpress-a15", TREES["vexpress-a15"], "console=ttyAMA0 panic=-1", initrd=False)
    with Guest(*options, "-no-reboot") as guest:
        text = until(guest, "Unable to mount root fs")
    assert "Machine model: V2P-CA15" in text
    assert "arch_timer: cp15 timer(s) running at 62.50MHz" in text
    assert "1c090000.serial: ttyAMA0 at MMIO 0x1c090000 (irq = " in text
    assert "rtc-pl031 1c170000.rtc: setting system clock to" in text


@pytest.mark.parametrize(("name", "ram", "options"), [
    ("vexpress-a9", 0x6000_0000, ()), ("vexpress-a15", 0x8000_0000, ("-DA15",)),
])  # fmt: skip
def test_a_program_says_what_it_says_in_qemu(name: str, ram: int, options: tuple[str, ...], tmp_path: Path) -> None:
    """It uses the board's devices."""
    card = tmp_path / "card"
    card.write_bytes(random.Random(9).randbytes(1 << 20))
    try:
        program = arm_program.build("vexpress", tmp_path, "-march=armv7-a", *options, ram=ram)
    except packages.MissingPackage as missing:
        pytest.skip(str(missing))
    line = ["-M", f"{name},secure=off", "-kernel", str(program), "-rtc", "base=2016-05-11T08:00:00", "-drive",
            f"if=sd,format=raw,file={card}", "-net", "nic,macaddr=52:54:00:12:34:56"]  # fmt: skip
    ours, theirs = arm_program.said_by_both(tmp_path, line, in_qemu=LATER[name])
    assert ours == theirs
    assert ours[-1] == "that is all"


@pytest.mark.slow
@pytest.mark.parametrize("name", list(TREES))
def test_the_kernel_says_what_it_says_in_qemu(name: str, tmp_path: Path) -> None:
    options = kernel_options(name, TREES[name])
    machine = ["-M", f"{name},secure=off", *LATER[name]]
    expected = said_in_qemu(tmp_path, [*options, *machine, "-net", "nic"], FIRST_PROCESS)
    with Guest(*options, "-net", "nic") as guest:
        said = until(guest, FIRST_PROCESS)
    assert comparable(said) ^ comparable(expected) == set()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "cpus"), [("vexpress-a9", 4), ("vexpress-a15", 2)])
def test_the_kernel_brings_up_all_processors(name: str, cpus: int) -> None:
    with Guest(*kernel_options(name, TREES[name], initrd=False), "-smp", str(cpus)) as guest:
        assert f"smp: Brought up 1 node, {cpus} CPUs" in until(guest, "Unable to mount root fs")


@pytest.mark.slow
@pytest.mark.parametrize("name", list(TREES))
def test_the_installer_asks_its_first_question(name: str) -> None:
    with Guest(*kernel_options(name, TREES[name]), "-net", "nic") as guest:
        guest.wait_serial(FIRST_QUESTION, 2 * BOOT_TIME)
        guest.wait_serial("English", 120)
