"""Between pyqemu and Debian's QEMU, both ways: the guest runs on, and counts on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.migration.state.saved_rig import (
    QEMU,
    Decoder,
    Qemu,
    check_count,
    config,
    counter_rom,
    lines,
    load,
    machine,
    save,
)

pytestmark = pytest.mark.skipif(shutil.which(QEMU[0]) is None, reason="needs Debian's qemu-system-x86")


@pytest.fixture
def rom(tmp_path: Path) -> str:
    return counter_rom(tmp_path)


def described(devices: list[dict[str, Any]]) -> dict[str, Any]:
    """What a trailer says of each device, without what depends on the moment."""
    return {f"{device['name']}/{device['instance_id']}": device for device in devices}


def next_count(printed: list[str]) -> tuple[int, list[str]]:
    """The count that comes next, and what is left of the present pair of lines."""
    last = len(printed) // 2
    return last + 1, printed[last * 2 :]


def test_from_qemu(rom: str, tmp_path: Path) -> None:
    with Qemu(rom, tmp_path / "serial") as qemu:
        qemu.wait_for_lines(6)
        stream = qemu.save(tmp_path / "stream")
        printed = (tmp_path / "serial").read_text("ascii").split()
    first, rest = next_count(printed)
    with machine(config(rom)) as made:
        load(made, stream, go=False)
        with made.system.lock:
            made.system.start()  # QEMU was stopped before
        made.run_for(1.0)
        check_count(rest + lines(made), first)


def test_to_qemu(rom: str, tmp_path: Path) -> None:
    with machine(config(rom), running=True) as made:
        made.run_for(0.8)
        stream, _ = save(made)
        first, rest = next_count(lines(made))
    (tmp_path / "stream").write_bytes(stream)
    with Qemu(rom, tmp_path / "serial", "-incoming", f"exec:cat {tmp_path / 'stream'}") as qemu:
        check_count(rest + qemu.wait_for_lines(8), first)


def test_trailer_is_as_qemu_writes_it(rom: str, tmp_path: Path) -> None:
    """The same devices, fields, types and sizes."""
    with Qemu(rom, tmp_path / "serial") as qemu:
        qemu.wait_for_lines(4)
        stream = qemu.save(tmp_path / "stream")
    theirs = described(Decoder(stream).decode().trailer["devices"])
    with machine(config(rom)) as made:
        load(made, stream, go=False)
        ours = described(Decoder(save(made)[0]).decode().trailer["devices"])
    assert list(ours) == list(theirs)
    assert ours == theirs
