"""memtest86+ of Debian: a program that owns the machine, from real mode to paging, timers and the text screen."""

import re
from pathlib import Path

import pytest
from guest_machine import Guest
from guest_packages import MEMTEST


def start(architecture: str, *options: str) -> Guest:
    path = MEMTEST[architecture]
    if not path.exists():
        pytest.skip("needs Debian's memtest86+")
    return Guest("-m", "32", *options, "-kernel", str(path), "-append", "console=ttyS0,115200")


def current_test(screen: str) -> int:
    """The number in ``Test: #4``."""
    found = re.search(r"#(\d+)", screen)
    return int(found[1]) if found else -1


@pytest.mark.parametrize("architecture", ["amd64", "i386"])
def test_first_tests_find_no_error(architecture: str, firmware: list[str]) -> None:
    with start(architecture, *firmware) as guest:
        guest.wait_screen("Memtest86+ v6", 60)
        guest.machine.run_for(600, until=lambda: current_test(guest.screen) >= 2, interval=0.2)
        assert current_test(guest.screen) >= 2
        assert re.search(r"Errors: +0\b", guest.screen)
        guest.press("esc")
        assert guest.machine.run_for(60, until=lambda: "Memtest86+ v6" not in guest.screen)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["amd64", "i386"])
def test_whole_pass_finds_no_error(architecture: str) -> None:
    with start(architecture) as guest:
        guest.wait_screen("Memtest86+ v6", 60)
        assert guest.machine.run_for(3000, until=lambda: bool(re.search(r"Pass: +[1-9]", guest.screen)), interval=1)
        assert re.search(r"Errors: +0\b", guest.screen)


@pytest.mark.slow
def test_from_grub(make_disk: object, firmware: list[str]) -> None:
    assert callable(make_disk)
    disk: Path = make_disk()
    with Guest("-m", "32", *firmware, str(disk)) as guest:
        guest.wait_screen("*First entry", 60)
        guest.serial.send("c")
        guest.wait_serial("grub>", 60)
        guest.serial.send("linux16 /boot/memtest64.bin console=ttyS0,115200\rboot\r")
        guest.wait_screen("Memtest86+ v6", 60)
        guest.wait_serial("Memtest86+ v6", 60)
