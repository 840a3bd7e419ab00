"""The stencils of this host: loaded from the user's cache, or made there.

The cache file is named after all that the stencils depend on: the LLVM text that the table gives, the version of
llvmlite, the host's processor. A file that is damaged is made anew. Two processes that start at once both make it, and
the later one replaces the file in one step.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from pyqemu.tcg.ops import Op
from pyqemu.tcg.stencil_build import unpack, write
from pyqemu.tcg.stencil_relax import Piece
from pyqemu.tcg.stencil_source import module_source


class StencilsUnavailable(Exception):
    """This host cannot make or run stencils; the python engine can do the work."""


def cache_directory() -> Path:
    """Where the user's caches are (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "pyqemu"


def _host_processor() -> str:
    """What distinguishes one host processor from another for LLVM: its model and its features."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n", 1)[0].splitlines()
    except OSError:
        return platform.processor()
    keep = ("vendor_id", "cpu family", "model", "model name", "flags")
    return "\n".join(line for line in lines if line.split("\t")[0].strip() in keep)


def fingerprint(table: dict[str, Op]) -> str:
    """The digest of all that the stencils depend on."""
    parts = (module_source(table)[0], metadata.version("llvmlite"), platform.machine(), _host_processor())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def load(table: dict[str, Op]) -> dict[str, Piece]:
    """The stencils of *table*.

    :raise StencilsUnavailable: with a reason a person understands.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        raise StencilsUnavailable(f"there are no stencils for {platform.machine()} hosts yet")
    try:
        path = cache_directory() / f"stencils-{fingerprint(table)[:32]}.bin"
    except metadata.PackageNotFoundError:
        raise StencilsUnavailable("the package llvmlite is not installed") from None
    try:
        if (pieces := unpack(path.read_bytes())) is not None:
            return pieces
    except OSError:
        pass
    return _make(path)


def _make(path: Path) -> dict[str, Piece]:
    """Run the builder as a process of its own; the file in the cache is kept where the cache can be written."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="pyqemu-") as scratch:
        made = Path(scratch) / "stencils.bin"
        search = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        result = subprocess.run([sys.executable, "-m", "pyqemu.tcg.stencil_build", str(made)], capture_output=True,
                                text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(search)})  # fmt: skip
        if result.returncode or not made.exists():
            last = (result.stderr.strip().splitlines() or ["no message"])[-1]
            raise StencilsUnavailable(f"LLVM could not make the stencils: {last}")
        data = made.read_bytes()
    pieces = unpack(data)
    if pieces is None:
        raise StencilsUnavailable("the stencils that were made cannot be read back")
    try:
        write(path, data)
    except OSError:
        pass  # a cache that cannot be written costs the next start a second, nothing else
    return pieces
