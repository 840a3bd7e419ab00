"""A CD made by ``grub-mkrescue`` boots by El Torito."""

from pathlib import Path

import pytest
from guest_images import checksums
from guest_machine import Guest

FIRST = "*CD: say hello"


def test_menu_and_files(cd_image: Path, firmware: list[str]) -> None:
    with Guest(*firmware, "-cdrom", str(cd_image)) as guest:
        guest.wait_screen(FIRST, 60)
        guest.press("ret")
        guest.wait_screen("Hello from the FAT32 partition.", 60)
        guest.wait_screen("The end.", 60)  # an Esc before this would end GRUB's `cat`, not its `sleep`
        guest.press("esc")
        guest.wait_screen(FIRST, 60)
        guest.serial.send("c")
        guest.wait_serial("grub>", 60)
        for name, digest in checksums().items():
            guest.serial.send(f'sha256sum "/data/{name}"\r')
            guest.wait_serial(digest, 60)


@pytest.mark.slow
def test_hybrid_image_boots_from_a_hard_disk_too(cd_image: Path, tmp_path: Path, firmware: list[str]) -> None:
    disk = tmp_path / "hybrid.img"
    disk.write_bytes(cd_image.read_bytes())
    with Guest(*firmware, str(disk)) as guest:
        guest.wait_screen(FIRST, 60)


def test_boot_order(cd_image: Path, tmp_path: Path, firmware: list[str]) -> None:
    """An unbootable hard disk first, then the CD."""
    disk = tmp_path / "empty.img"
    disk.write_bytes(bytes(1 << 20))
    with Guest(*firmware, "-boot", "order=cd", "-hda", str(disk), "-cdrom", str(cd_image)) as guest:
        guest.wait_screen(FIRST, 60)
