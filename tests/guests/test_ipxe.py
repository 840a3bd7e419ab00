"""iPXE of Debian comes up from a kernel image, a CD, a hard disk and GRUB."""

from collections.abc import Callable
from pathlib import Path

import pytest
from guest_machine import Guest
from guest_packages import IPXE

BANNER = "iPXE 1.0.0+"
PROMPT = "iPXE>"


def need(name: str) -> str:
    path = IPXE / name
    if not path.exists():
        pytest.skip("needs Debian's ipxe")
    return str(path)


def press_ctrl_b(guest: Guest) -> None:
    """It is asked for two seconds long, which may be over at once on a busy host; but the key may come before that."""
    guest.wait_screen("iPXE initialising devices", 120)
    guest.press("ctrl-b")
    guest.wait_screen(PROMPT, 120)


def check_shell(guest: Guest) -> None:
    """The banner; Ctrl-B gives a prompt, which knows where it runs."""
    press_ctrl_b(guest)
    assert BANNER in guest.screen
    guest.type("show builtin/platform\n")
    guest.wait_screen("builtin/platform:string = pcbios", 60)
    guest.type("cpuid --ext 29 && echo long mode || echo no long mode\n")
    guest.wait_screen("\nlong mode", 60)


def test_as_kernel(firmware: list[str]) -> None:
    with Guest(*firmware, "-kernel", need("ipxe.lkrn")) as guest:
        check_shell(guest)


def test_from_cd(firmware: list[str]) -> None:
    with Guest(*firmware, "-cdrom", need("ipxe.iso")) as guest:
        check_shell(guest)


@pytest.mark.slow
def test_from_grub(make_disk: Callable[..., Path], firmware: list[str]) -> None:
    with Guest(*firmware, str(make_disk())) as guest:
        guest.wait_screen("*First entry", 60)
        guest.serial.send("c")
        guest.wait_serial("grub>", 60)
        guest.serial.send("linux16 /boot/ipxe.lkrn\rboot\r")
        check_shell(guest)


def test_reboot_from_its_shell(firmware: list[str]) -> None:
    with Guest(*firmware, "-no-reboot", "-kernel", need("ipxe.lkrn")) as guest:
        press_ctrl_b(guest)
        guest.type("reboot\n")
        assert guest.wait_exit(60) == 0
