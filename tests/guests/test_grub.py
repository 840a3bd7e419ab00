"""GRUB 2 on a hard disk: it loads itself through the BIOS, shows its menu, takes keys, and reads files right."""

from collections.abc import Callable
from pathlib import Path

import pytest
from guest_images import checksums
from guest_machine import Guest

FIRST = "*First entry: say hello"
SECOND = "*Debian installer for amd64"
HELLO = "Hello from the FAT32 partition."
MENU_TIME = 60  # seconds of a loaded host; an idle one needs 3

MakeDisk = Callable[..., Path]


def test_menu_takes_keys_of_the_keyboard(make_disk: MakeDisk, firmware: list[str]) -> None:
    with Guest(*firmware, str(make_disk())) as guest:
        guest.wait_screen(FIRST, MENU_TIME)
        assert "GNU GRUB  version 2" in guest.screen
        assert "┌──────" in guest.screen
        guest.press("down")
        guest.wait_screen(SECOND, 60)
        assert "executed automatically" not in guest.screen  # a key stops the countdown
        guest.press("up")
        guest.wait_screen(FIRST, 60)
        guest.press("c")
        guest.wait_screen("grub>", 60)
        guest.type('echo "Keys: $grub_cpu, ' + "{[A-Z]} 'quoted'" + '"\n')
        guest.wait_screen("Keys: i386, {[A-Z]} 'quoted'\n", 60)


def test_menu_takes_keys_of_the_serial_line(make_disk: MakeDisk, firmware: list[str]) -> None:
    with Guest(*firmware, str(make_disk())) as guest:
        guest.wait_serial(FIRST, MENU_TIME)
        guest.serial.send("\x1b[B")
        guest.wait_serial(SECOND, 60)
        guest.serial.send("\x1b[A")
        guest.run_for(0.5)
        guest.serial.send("\r")
        guest.wait_serial("The end.", 60)
        assert HELLO in guest.serial.text
        assert HELLO in guest.screen
        guest.serial.send("\x1b")
        guest.run_for(0.5)
        guest.wait_screen(FIRST, 60)


def test_files_are_read_right_through_the_bios(make_disk: MakeDisk, firmware: list[str]) -> None:
    with Guest(*firmware, str(make_disk())) as guest:
        guest.wait_screen(FIRST, MENU_TIME)
        guest.serial.send("c")
        guest.wait_serial("grub>", 60)
        for name, digest in checksums().items():
            guest.serial.send(f'sha256sum "/data/{name}"\r')
            guest.wait_serial(digest, 60)


def test_disk_and_partitions_as_the_bios_reports_them(make_disk: MakeDisk, firmware: list[str]) -> None:
    with Guest(*firmware, str(make_disk())) as guest:
        guest.wait_screen(FIRST, MENU_TIME)
        guest.serial.send("c")
        guest.wait_serial("grub>", 60)
        guest.serial.send("set pager=0\rls -l (hd0)\r")
        guest.wait_serial("Total size\n156672KiB", 60)
        guest.serial.send("ls -l (hd0,msdos1)\r")
        guest.wait_serial("Filesystem type fat - Label `BOOT'", 60)
        guest.serial.send("ls -l (hd0,msdos2)\r")
        guest.wait_serial("Filesystem type fat - Label `DATA'", 60)
        guest.wait_serial("Partition start at 140288KiB - Total size 16384KiB", 60)


def test_halt_powers_off_and_reboot_starts_over(make_disk: MakeDisk, firmware: list[str]) -> None:
    disk = str(make_disk())
    with Guest(*firmware, disk) as guest:
        guest.wait_screen(FIRST, MENU_TIME)
        guest.serial.send("c")
        guest.wait_serial("grub>", 60)
        guest.serial.send("reboot\r")
        guest.wait_serial("GNU GRUB", MENU_TIME)
        guest.machine.run_for(MENU_TIME, until=lambda: guest.serial.text.count("GNU GRUB") >= 3)
        guest.wait_screen(FIRST, MENU_TIME)
        guest.serial.send("c")
        guest.wait_screen("grub>", 60)
        guest.serial.send("halt\r")
        assert guest.wait_exit(60) == 0


def test_no_reboot_ends_with_a_reboot(make_disk: MakeDisk) -> None:
    with Guest("-no-reboot", str(make_disk())) as guest:
        guest.wait_screen(FIRST, MENU_TIME)
        guest.serial.send("c")
        guest.wait_serial("grub>", 60)
        guest.serial.send("reboot\r")
        assert guest.wait_exit(60) == 0


@pytest.mark.slow
def test_menu_with_the_python_engine(make_disk: MakeDisk) -> None:
    with Guest("-accel", "tcg,engine=python", str(make_disk())) as guest:
        guest.wait_screen(FIRST, 900)
        guest.press("down")
        guest.wait_screen(SECOND, 300)
