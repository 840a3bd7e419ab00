"""The built-in BIOS boots from drives, whichever options made them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyqemu.boards.config import BootConfig
from pyqemu.guest import build_image
from tests.command_rig import Commands

WELCOME = "Welcome inside."
HD = {"driver": "ide-hd", "id": "hd0"}


@pytest.fixture
def guest(tmp_path: Path) -> str:
    path = tmp_path / "guest.img"
    path.write_bytes(build_image())
    return str(path)


@pytest.fixture
def empty(tmp_path: Path) -> str:
    path = tmp_path / "empty.img"
    path.write_bytes(bytes(1 << 20))
    return str(path)


def boots(**config: object) -> bool:
    def screen() -> str:
        frame = pc.machine.frame()
        return "" if frame is None else "\n".join(frame.text)

    with Commands(paused=False, memory=16 << 20, **config) as pc:
        pc.machine.run_for(60, lambda: WELCOME in screen() or "No bootable device" in screen())
        return WELCOME in screen()


def test_from_a_drive_without_interface(guest: str) -> None:
    assert boots(drives=(f"file={guest},if=none,id=x,format=raw",), devices=[HD | {"drive": "x"}])


def test_from_a_block_node(guest: str) -> None:
    blockdevs = [{"driver": "raw", "node-name": "n", "file": {"driver": "file", "filename": guest}}]
    assert boots(blockdevs=blockdevs, devices=[HD | {"drive": "n"}])


def test_from_the_disk_with_the_lowest_boot_index(guest: str, empty: str) -> None:
    drives = (f"file={empty},if=none,id=e,format=raw", f"file={guest},if=none,id=g,format=raw")
    first = {"driver": "ide-hd", "drive": "e"}
    assert boots(drives=drives, devices=[first | {"bootindex": "2"}, HD | {"drive": "g", "bootindex": "1"}])
    assert not boots(drives=drives, devices=[first, HD | {"drive": "g"}])


def test_strict_means_nothing_without_a_boot_index(guest: str) -> None:
    assert boots(drives=(f"file={guest},format=raw",), boot=BootConfig(strict=True))


@pytest.mark.parametrize("strict", [False, True])
def test_strict_leaves_out_what_has_no_boot_index(guest: str, empty: str, strict: bool) -> None:
    drives = (f"file={empty},if=none,id=e,format=raw,media=cdrom", f"file={guest},if=none,id=g,format=raw")
    indexed = {"driver": "ide-cd", "drive": "e", "bootindex": "1"}
    found = boots(drives=drives, devices=[indexed, HD | {"drive": "g"}], boot=BootConfig(strict=strict))
    assert found == (not strict)
