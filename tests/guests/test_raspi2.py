"""A program, and Debian's kernel and installer for armhf, on a Raspberry Pi 2.

What QEMU called so is ``raspi2b`` by now, with more devices and a Cortex-A7: so the kernel's lines are not compared.
"""

from __future__ import annotations

from pathlib import Path

import arm_program
import guest_packages as packages
import pytest
from armhf_kernel import BOOT_TIME, FIRST_PROCESS, FIRST_QUESTION, kernel_options, until
from guest_machine import Guest

APPEND = "earlycon=pl011,0x3f201000 console=ttyAMA0"


def options(*, initrd: bool = True) -> list[str]:
    return kernel_options("raspi2", "bcm2836-rpi-2-b", APPEND, initrd=initrd, memory="")


def test_a_program_says_what_it_says_in_qemu(tmp_path: Path) -> None:
    """It uses the board's devices."""
    try:
        program = arm_program.build("raspi2", tmp_path, "-march=armv7-a")
    except packages.MissingPackage as missing:
        pytest.skip(str(missing))
    line = ["-M", "raspi2", "-smp", "4", "-kernel", str(program), "-semihosting"]
    ours, theirs = arm_program.said_by_both(tmp_path, line, in_qemu=["-M", "raspi2b"])
    assert ours == theirs
    assert ours[-1] == "that is all"


@pytest.mark.slow
def test_the_kernel_boots_to_its_first_process() -> None:
    with Guest(*options()) as guest:
        text = until(guest, FIRST_PROCESS)
    assert "Machine model: Raspberry Pi 2 Model B" in text
    assert "arch_timer: cp15 timer(s) running at 62.50MHz" in text
    assert "3f201000.serial: ttyAMA0 at MMIO 0x3f201000 (irq = " in text
    assert "raspberrypi-firmware soc:firmware: Attached to firmware from" in text
    assert "WARNING:" not in text and "Division by zero" not in text


@pytest.mark.slow
def test_the_kernel_brings_up_all_processors() -> None:
    with Guest(*options(initrd=False), "-smp", "4") as guest:
        assert "smp: Brought up 1 node, 4 CPUs" in until(guest, "Unable to mount root fs")


@pytest.mark.slow
def test_the_installer_asks_its_first_question() -> None:
    with Guest(*options()) as guest:
        guest.wait_serial(FIRST_QUESTION, 2 * BOOT_TIME)
        guest.wait_serial("English", 120)
