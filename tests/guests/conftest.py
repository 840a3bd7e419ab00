"""Makes the modules of this directory importable from its tests, and the images that they boot."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import guest_images as images
from guest_packages import SEABIOS, MissingPackage


@pytest.fixture(params=["built-in", "seabios"])
def firmware(request: pytest.FixtureRequest) -> list[str]:
    """The command-line options of each BIOS that the guests must boot with."""
    if request.param == "built-in":
        return []
    if not SEABIOS.exists():
        pytest.skip("needs Debian's seabios")
    return ["-bios", str(SEABIOS)]


@pytest.fixture
def make_disk(tmp_path: Path) -> Callable[..., Path]:
    """Makes a writable disk image with GRUB (:func:`guest_images.make_disk`)."""

    def make(extra: str = "") -> Path:
        try:
            return images.make_disk(tmp_path / "disk.img", extra)
        except MissingPackage as exc:
            pytest.skip(str(exc))

    return make


@pytest.fixture
def cd_image() -> Path:
    """The CD of ``grub-mkrescue``."""
    try:
        return images.cd_image()
    except MissingPackage as exc:
        pytest.skip(str(exc))
