"""Debian's installer for arm64, EDK2 and U-Boot on ``-M virt``: unmodified kernels and firmware, and a virtio disk."""

from __future__ import annotations

from pathlib import Path

import guest_packages as packages
import pytest
from arm_disk_guest import copies_a_disk
from guest_machine import Guest

BOOT_TIME = 600  # seconds of the host
FIRST_QUESTION = "elect a language"
FIRMWARE = {
    "EDK2": (Path("/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"), "Shell> "),
    "U-Boot": (Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin"), "\n=> "),
}


def kernel_options() -> list[str]:
    """The installer's kernel on the board."""
    try:
        kernel, _ = packages.installer("arm64")
    except packages.MissingPackage as missing:
        pytest.skip(str(missing))
    return ["-M", "virt", "-m", "512", "-kernel", str(kernel)]


def with_installer() -> Guest:
    """The machine, booting the installer."""
    options = kernel_options()
    return Guest(*options, "-initrd", str(packages.installer("arm64")[1]), "-append", "console=ttyAMA0")


def test_the_kernel_boots_to_its_first_process() -> None:
    with with_installer() as guest:
        guest.wait_serial("Run /init as init process", BOOT_TIME)
        text = guest.serial.text
        assert "Booting Linux on physical CPU 0x0000000000 [0x411fd070]" in text
        assert "psci: PSCIv0.2 detected in firmware." in text
        assert "arch_timer: cp15 timer(s) running at 62.50MHz (virt)." in text
        assert "9000000.pl011: ttyAMA0 at MMIO 0x9000000" in text
        assert "Kernel panic" not in text


@pytest.mark.parametrize("gic_version", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_four_processors_are_brought_up(gic_version: int) -> None:
    machine = ["-machine", f"gic-version={gic_version}", "-smp", "4", "-append", "console=ttyAMA0"]
    with Guest(*kernel_options(), *machine) as guest:
        guest.wait_serial("smp: Brought up 1 node, 4 CPUs", BOOT_TIME)
        assert "CPU3: Booted secondary processor 0x0000000003 [0x411fd070]" in guest.serial.text


@pytest.mark.slow
def test_the_installer_asks_its_first_question_of_four_processors() -> None:
    options = ["-initrd", str(packages.installer("arm64")[1]), "-append", "console=ttyAMA0", "-smp", "4"]
    with Guest(*kernel_options(), *options) as guest:
        guest.wait_serial(FIRST_QUESTION, BOOT_TIME)
        assert "rcu: INFO" not in guest.serial.text, "nobody waits for another one for seconds"


@pytest.mark.slow
def test_the_kernel_uses_a_gicv3() -> None:
    with Guest(*kernel_options(), "-machine", "gic-version=3", "-append", "console=ttyAMA0") as guest:
        guest.wait_serial("Unable to mount root fs", BOOT_TIME)
        assert "GICv3: CPU0: found redistributor 0 region 0:0x00000000080a0000" in guest.serial.text


@pytest.mark.slow
def test_the_installer_asks_its_first_question() -> None:
    with with_installer() as guest:
        guest.wait_serial(FIRST_QUESTION, BOOT_TIME)
        guest.wait_serial("English", 60)
        guest.serial.send("\r")
        guest.wait_serial("elect your location", BOOT_TIME)


def test_a_virtio_disk_is_read_and_written(tmp_path: Path) -> None:
    """Its contents arrive in the guest's programs, and what these write arrives in the image; then it powers off."""
    copies_a_disk(kernel_options(), "arm64", "aarch64", tmp_path, BOOT_TIME)


def test_programs_of_armhf_copy_a_disk(tmp_path: Path) -> None:
    """32-bit programs under the same kernel: AArch32 state at EL0."""
    copies_a_disk(kernel_options(), "arm64", "aarch64", tmp_path, BOOT_TIME, programs="armhf")


@pytest.mark.slow
@pytest.mark.parametrize("name", FIRMWARE)
def test_firmware_reaches_its_prompt(name: str) -> None:
    image, prompt = FIRMWARE[name]
    if not image.exists():
        pytest.skip(f"needs {image}")
    with Guest("-M", "virt", "-m", "512", "-bios", str(image)) as guest:
        guest.wait_serial(prompt, BOOT_TIME)
        guest.serial.send("\r")
        before = guest.serial.text.count(prompt)
        assert guest.machine.run_for(60, until=lambda: guest.serial.text.count(prompt) > before)
