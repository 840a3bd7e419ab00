"""Tests of permissions, which root would pass over."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def without_root(directory: Path) -> Iterator[None]:
    """If this is root, be nobody for a while, who can still reach *directory*."""
    if os.geteuid() != 0:
        yield
        return
    top = Path(tempfile.gettempdir())
    for path in (directory, *directory.parents):
        if path.is_relative_to(top) and path != top:
            path.chmod(0o755)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
