"""Debian's installer for armhf, U-Boot and EDK2 on ``-M virt`` with processors of 32 bits: unmodified kernels and
firmware, and a virtio disk.
"""

from __future__ import annotations

from pathlib import Path

import guest_packages as packages
import pytest
from arm_disk_guest import copies_a_disk
from armhf_kernel import FIRST_PROCESS, FIRST_QUESTION, comparable, said_in_qemu, until
from guest_machine import Guest

BOOT_TIME = 600  # seconds of the host
U_BOOT = Path("/usr/lib/u-boot/qemu_arm/u-boot.bin")
EDK2 = Path("/usr/share/AAVMF/AAVMF32_CODE.fd")


def kernel_options(*, cpu: str = "cortex-a15", initrd: bool = False) -> list[str]:
    """The installer's kernel on the board."""
    try:
        kernel, ramdisk = packages.installer("armhf")
    except packages.MissingPackage as missing:
        pytest.skip(str(missing))
    options = ["-M", "virt", "-cpu", cpu, "-m", "512", "-kernel", str(kernel)]
    return [*options, "-initrd", str(ramdisk), "-append", "console=ttyAMA0"] if initrd else options


def test_u_boot_reaches_its_prompt() -> None:
    if not U_BOOT.exists():
        pytest.skip(f"needs {U_BOOT}")
    with Guest("-target", "arm", "-M", "virt", "-m", "256", "-bios", str(U_BOOT)) as guest:
        guest.wait_serial("U-Boot 20", BOOT_TIME)
        guest.serial.send("\r")  # two seconds before it starts something by itself, which are short on a busy host
        guest.wait_serial("Hit any key to stop autoboot", BOOT_TIME)
        guest.wait_serial("\n=> ", BOOT_TIME)
        guest.serial.send("bdinfo\r")
        guest.wait_serial("-> size     = 0x10000000", 60)


@pytest.mark.slow
def test_four_processors_are_brought_up() -> None:
    with Guest(*kernel_options(), "-smp", "4", "-append", "console=ttyAMA0") as guest:
        guest.wait_serial("SMP: Total of 4 processors activated", BOOT_TIME)
        assert "CPU3: thread -1, cpu 3, socket 0, mpidr 80000003" in guest.serial.text


def test_the_kernel_copies_a_virtio_disk(tmp_path: Path) -> None:
    """Its programs use VFP and Advanced SIMD; then it powers off."""
    copies_a_disk(kernel_options(), "armhf", "armv7l", tmp_path, BOOT_TIME)


@pytest.mark.slow
@pytest.mark.parametrize(("cpu", "revision"), [("cortex-a15", ",midr=0x414fc0f0"), ("cortex-a7", "")])
def test_the_kernel_says_what_it_says_in_qemu(cpu: str, revision: str, tmp_path: Path) -> None:
    """But for the version of PSCI, which is that of QEMU 2.6 here."""
    expected = said_in_qemu(tmp_path, [*kernel_options(cpu=cpu, initrd=True), "-M", "virt-2.6"], FIRST_PROCESS)
    with Guest(*kernel_options(cpu=cpu + revision, initrd=True)) as guest:
        said = until(guest, FIRST_PROCESS)
    assert "psci: PSCIv0.2 detected in firmware." in said
    different = comparable(said) ^ comparable(expected)
    assert {line for line in different if not line.startswith("psci: ")} == set()


@pytest.mark.slow
def test_the_installer_asks_its_first_question() -> None:
    with Guest(*kernel_options(initrd=True)) as guest:
        guest.wait_serial(FIRST_QUESTION, BOOT_TIME)
        guest.wait_serial("English", 60)
        guest.serial.send("\r")
        guest.wait_serial("elect your location", BOOT_TIME)


@pytest.mark.slow
def test_edk2_reaches_its_shell_and_keeps_its_variables(tmp_path: Path) -> None:
    """Its code and its variables are drives in the two banks of flash; there is a device on PCI that it drives."""
    if not EDK2.exists():
        pytest.skip(f"needs {EDK2}")
    variables = tmp_path / "variables"
    variables.write_bytes(EDK2.with_name("AAVMF32_VARS.fd").read_bytes())
    before = variables.read_bytes()
    with Guest("-target", "arm", "-M", "virt", "-m", "512", "-device", "virtio-rng-pci",
               "-drive", f"if=pflash,format=raw,readonly=on,file={EDK2}",
               "-drive", f"if=pflash,format=raw,file={variables}") as guest:  # fmt: skip
        guest.wait_serial("Shell> ", BOOT_TIME)
        guest.serial.send("pci\r")
        guest.wait_serial("Vendor 1AF4 Device 1005", 60)
    assert variables.read_bytes() != before
