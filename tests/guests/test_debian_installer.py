"""Debian's installer kernels for amd64 and i386, started by GRUB from a hard disk and by ``-kernel``.

The initial RAM disk has a script of ours behind it that runs before the installer: it loads the drivers of IDE disks,
shows the partitions, adds up the files of the first one, and writes to the second one. Then it powers off, or goes on
to the installer itself.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import guest_packages as packages
import pytest
from guest_images import FIRST_SIZE, SECOND_SIZE, checksums, known_files, read_back, with_extra
from guest_machine import Guest

MakeDisk = Callable[..., Path]

MENU_TIME = 60  # seconds of the host
BOOT_TIME = 600
MACHINE = {"amd64": "x86_64", "i386": "i686"}
ENTRY = {"amd64": "*Debian installer for amd64", "i386": "*Debian installer for i386"}
FIRST_QUESTION = "elect a language"  # "[!!] Select a language", or "Choose a language" in other versions

both_architectures = pytest.mark.parametrize("architecture", packages.ARCHITECTURES)


def start_from_menu(guest: Guest, architecture: str) -> None:
    """Choose the installer in GRUB's menu."""
    guest.wait_screen("*First entry", MENU_TIME)
    for _ in range(1 + packages.ARCHITECTURES.index(architecture)):
        guest.serial.send("\x1b[B")
        guest.run_for(0.3)
    guest.wait_screen(ENTRY[architecture], 60)
    guest.serial.send("\r")


def check_disk_seen_by_guest(text: str, architecture: str) -> None:
    """The report of the guest's script is right."""
    assert f"guest: {packages.kernel_release(architecture)} {MACHINE[architecture]}" in text
    partitions = [line.split()[3:] for line in text.splitlines() if line.startswith("guest-partition:")]
    assert [str(FIRST_SIZE // 2), "sda1"] in partitions
    assert [str(SECOND_SIZE // 2), "sda2"] in partitions
    for name, digest in checksums().items():
        assert f"guest-sum: {digest}  {name}" in text


def check_data_written(disk: Path, work: Path, architecture: str) -> None:
    """What the guest wrote is in the image."""
    written = read_back(disk, work)
    assert written.hello == f"written by {MACHINE[architecture]}\n".encode()
    assert hashlib.sha256(written.copy).hexdigest() == hashlib.sha256(known_files()["noise.bin"]).hexdigest()
    assert written.names == {"::/hello.txt", "::/directory/"}  # and the old file is gone


@both_architectures
def test_installer_from_grub(
    make_disk: MakeDisk, firmware: list[str], architecture: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """``--full``: all four pairs of BIOS and kernel, up to the installer. Without: one of them, and half of another."""
    is_full, is_seabios = request.config.getoption("--full"), bool(firmware)
    if not is_full and is_seabios != (architecture == "i386"):
        pytest.skip("this pair: with --full")
    to_the_end = is_full or not is_seabios
    disk = make_disk("rdinit=/pyqemu/init" if to_the_end else "rdinit=/pyqemu/init pyqemu=poweroff")
    with Guest("-m", "1024", *firmware, str(disk)) as guest:
        start_from_menu(guest, architecture)
        guest.wait_serial("guest: data written", BOOT_TIME)
        check_disk_seen_by_guest(guest.serial.text, architecture)
        if to_the_end:
            guest.wait_serial(FIRST_QUESTION, BOOT_TIME)
        else:
            assert guest.wait_exit(60) == 0
    check_data_written(disk, tmp_path, architecture)


@pytest.mark.slow
@both_architectures
def test_installer_by_kernel_option(
    make_disk: MakeDisk, firmware: list[str], cd_image: Path, architecture: str, tmp_path: Path
) -> None:
    kernel, _ = packages.installer(architecture)
    initrd = with_extra(architecture, tmp_path / "initrd.gz")
    disk = make_disk()
    with Guest("-m", "1024", *firmware, "-kernel", str(kernel), "-initrd", str(initrd), "-hda", str(disk), "-cdrom",
               str(cd_image), "-append", "console=ttyS0 rdinit=/pyqemu/init pyqemu=poweroff") as guest:  # fmt: skip
        assert guest.wait_exit(BOOT_TIME) == 0
        text = guest.serial.text
        check_disk_seen_by_guest(text, architecture)
        for name, digest in checksums().items():
            assert f"guest-cd: {digest}  {name}" in text
    check_data_written(disk, tmp_path, architecture)


@pytest.mark.slow
@both_architectures
def test_untouched_installer_with_a_graphical_console(architecture: str) -> None:
    """No serial console: the question comes up on the screen, which is a text one without ``vga=``."""
    kernel, initrd = packages.installer(architecture)
    with Guest(
        "-m", "1024", "-kernel", str(kernel), "-initrd", str(initrd), "-append", "vga=normal fb=false nomodeset"
    ) as guest:
        guest.wait_screen(FIRST_QUESTION, BOOT_TIME)
        assert "English" in guest.screen
        guest.press("ret")
        guest.wait_screen("elect your location", BOOT_TIME)
