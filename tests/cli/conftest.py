"""Makes the helpers of this directory importable, and gives tests an image of the embedded guest."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pyqemu.guest import build_image

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def guest_image(tmp_path: Path) -> Path:
    """The embedded guest's disk as a file that may be written to."""
    path = tmp_path / "guest.img"
    path.write_bytes(build_image())
    return path
