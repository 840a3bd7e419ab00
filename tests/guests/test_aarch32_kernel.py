"""Debian's kernel for armhf at EL1 of a processor of 64 bits, entered by a monitor at EL2."""

from __future__ import annotations

from pathlib import Path

import guest_packages as packages
import pytest
from arm_disk_guest import copies_a_disk
from armhf_kernel import FIRST_PROCESS, FIRST_QUESTION, comparable, said_in_qemu, until
from guest_machine import Guest
from monitor_image import monitored

BOOT_TIME = 600  # seconds of the host


def kernel_options(directory: Path, *, initrd: bool = False) -> list[str]:
    """The kernel in its image, on the board."""
    try:
        kernel, ramdisk = packages.installer("armhf")
    except packages.MissingPackage as missing:
        pytest.skip(str(missing))
    image = directory / "monitored"
    image.write_bytes(monitored(kernel.read_bytes()))
    options = ["-M", "virt,virtualization=on", "-cpu", "cortex-a57", "-m", "512", "-kernel", str(image)]
    return [*options, "-initrd", str(ramdisk), "-append", "console=ttyAMA0"] if initrd else options


def test_the_kernel_copies_a_virtio_disk(tmp_path: Path) -> None:
    copies_a_disk(kernel_options(tmp_path), "armhf", "armv7l", tmp_path, BOOT_TIME)


@pytest.mark.slow
def test_the_kernel_says_what_it_says_in_qemu(tmp_path: Path) -> None:
    """But for the version of PSCI, which is that of QEMU 2.6 here."""
    options = kernel_options(tmp_path, initrd=True)
    expected = said_in_qemu(tmp_path, [*options, "-M", "virt-2.6"], FIRST_PROCESS, qemu="qemu-system-aarch64")
    with Guest(*options) as guest:
        said = until(guest, FIRST_PROCESS)
    assert "CPU: ARMv7 Processor [411fd070]" in said
    different = comparable(said) ^ comparable(expected)
    assert {line for line in different if not line.startswith("psci: ")} == set()


@pytest.mark.slow
def test_the_installer_asks_its_first_question(tmp_path: Path) -> None:
    with Guest(*kernel_options(tmp_path, initrd=True)) as guest:
        guest.wait_serial(FIRST_QUESTION, BOOT_TIME)
