"""Disks that are sent with the machine, between pyqemu and Debian's QEMU, both ways."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from pyqemu.block.drives import hard_disk
from pyqemu.migration.halves import Options
from pyqemu.qapi.generated.types import MigrationCapability
from tests.migration.machine import eventually
from tests.migration.state.saved_rig import (
    QEMU,
    Qemu,
    check_count,
    config,
    count_on,
    counter_rom,
    load,
    machine,
    save,
    text,
)

pytestmark = pytest.mark.skipif(shutil.which(QEMU[0]) is None, reason="needs Debian's qemu-system-x86")
MIB = 1 << 20
WHOLE, HALF = 3 * MIB, 5 * MIB // 2  # QEMU 7.2 cannot load a disk that ends within a chunk, not even its own


def make_images(tmp_path: Path, rng: random.Random, size: int) -> tuple[Path, Path]:
    """A full one of the source, an empty one of the destination."""
    source, destination = tmp_path / "source.img", tmp_path / "destination.img"
    source.write_bytes(rng.randbytes(MIB) + bytes(MIB) + rng.randbytes(size - 2 * MIB))
    destination.write_bytes(bytes(size - 1) + b"x")
    return source, destination


def drive(image: Path) -> tuple[str, str]:
    return "-drive", f"file={image},format=raw,if=ide"


@pytest.mark.parametrize("zero_blocks", [False, True])
def test_to_qemu(tmp_path: Path, rng: random.Random, zero_blocks: bool) -> None:
    images = make_images(tmp_path, rng, WHOLE)
    rom = counter_rom(tmp_path)
    capabilities = (MigrationCapability.ZERO_BLOCKS,) if zero_blocks else ()
    with machine(config(rom, drives=[hard_disk(str(images[0]), 0)]), running=True) as made:
        count_on(made, 9)
        stream, statistics = save(made, rounds=6, options=Options(block=True), capabilities=capabilities)
        printed = text(made)
    assert statistics.disk is not None
    assert (statistics.disk.total, statistics.disk.duplicate) == (3 * MIB, int(zero_blocks))
    (tmp_path / "stream").write_bytes(stream)
    serial = tmp_path / "serial"
    command = [*QEMU, "-bios", rom, "-serial", f"file:{serial}", *drive(images[1]), "-incoming",
               f"exec:cat {tmp_path / 'stream'}"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as qemu:  # it talks of its progress there
        try:
            eventually(lambda: serial.exists() and serial.read_text("ascii").count("\n") > 8)
        finally:
            qemu.kill()
    check_count((printed + serial.read_text("ascii")).split(), 1)
    assert images[1].read_bytes() == images[0].read_bytes()


@pytest.mark.parametrize("zero_blocks", [False, True])
def test_from_qemu(tmp_path: Path, rng: random.Random, zero_blocks: bool) -> None:
    images = make_images(tmp_path, rng, HALF)
    rom = counter_rom(tmp_path)
    with Qemu(rom, tmp_path / "serial", *drive(images[0])) as qemu:
        qemu.wait_for_lines(4)
        qemu.ask("migrate-set-capabilities", capabilities=[
            {"capability": "block", "state": True}, {"capability": "zero-blocks", "state": zero_blocks},
        ])  # fmt: skip
        stream = qemu.save(tmp_path / "stream")
        printed = (tmp_path / "serial").read_text("ascii")
    with machine(config(rom, drives=[hard_disk(str(images[1]), 0)])) as made:
        load(made, stream, go=False)
        with made.system.lock:
            made.system.start()
        count_on(made, 16)
        check_count((printed + text(made)).split(), 1)
    assert images[1].read_bytes() == images[0].read_bytes()
