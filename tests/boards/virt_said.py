"""What programs for the flash of ``virt`` say on its serial line, here and in Debian's QEMU, until they say that it is
their end.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.boards.test_virt_saved import text
from tests.migration.state.saved_rig import config, machine

QEMU = shutil.which("qemu-system-aarch64")
PATIENCE = 60.0  # seconds
END = "Z0000000000000000\n"
needs_qemu = pytest.mark.skipif(QEMU is None, reason="needs Debian's qemu-system-arm")


def said_in_qemu(rom: str, board: str, directory: Path) -> str:
    line = directory / "line"
    command = [str(QEMU), "-M", f"virt,{board}", "-cpu", "cortex-a57", "-m", "64", "-nodefaults", "-display", "none",
               "-accel", "tcg", "-bios", rom, "-serial", f"file:{line}"]  # fmt: skip
    process = subprocess.Popen(command)
    try:
        end = time.monotonic() + PATIENCE
        while END not in (said := line.read_text("latin-1") if line.exists() else ""):
            assert time.monotonic() < end and process.poll() is None, said
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    return said


def said_here(rom: str, board: str) -> str:
    options = dict(part.split("=") for part in board.split(","))
    settings = config(rom, machine="virt", architecture="aarch64", memory=64 << 20, cpu="cortex-a57",
                      machine_options=options)  # fmt: skip
    said = ""

    def finished() -> bool:
        nonlocal said
        said += text(made)
        return END in said

    with machine(settings, running=True) as made:
        made.run_for(PATIENCE, until=finished)
    return said
