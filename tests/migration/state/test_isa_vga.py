"""``isa-vga``: registers and memory of an adapter without PCI around it, here and between pyqemu and Debian's QEMU."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pyqemu.api.machine import Machine
from pyqemu.boards.config import MachineConfig
from pyqemu.hw.display.vga import Vga
from pyqemu.hw.display.vga_isa import IsaVga
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.util.errors import UserError
from tests.migration.state.saved_rig import (
    QEMU,
    Decoder,
    Qemu,
    check_count,
    config,
    count_on,
    counter_rom,
    lines,
    load,
    machine,
    save,
)

needs_qemu = pytest.mark.skipif(shutil.which(QEMU[0]) is None, reason="needs Debian's qemu-system-x86")
OPTIONS = ("-vga", "none", "-device", "isa-vga")
MESSAGE = b"H\x07e\x07l\x07l\x07o\x07"


@pytest.fixture
def settings(tmp_path: Path) -> MachineConfig:
    return config(counter_rom(tmp_path), devices=[{"driver": "isa-vga"}])


def vga_of(made: Machine) -> Vga:
    (adapter,) = made.board.user_devices  # type: ignore[attr-defined]
    assert isinstance(adapter, IsaVga)
    return adapter.vga


def draw(made: Machine) -> None:
    """Text on the screen, and a colour of the palette."""
    with made.system.parked():
        made.cpu.io.store(0x3C2, 1, 0x67)
        for port, index, value in ((0x3C4, 2, 3), (0x3C4, 4, 2), (0x3CE, 5, 0x10), (0x3CE, 6, 0x0E)):
            made.cpu.io.store(port, 1, index)
            made.cpu.io.store(port + 1, 1, value)
        for value in (7, 1, 2, 3):
            made.cpu.io.store(0x3C8 if value == 7 else 0x3C9, 1, value)
        made.board.memory_space.write(0xB8000, MESSAGE)  # type: ignore[attr-defined]


def shown(made: Machine) -> tuple[bytes, bytes, bytes]:
    """What :func:`draw` has done."""
    vga = vga_of(made)
    with made.system.parked():
        text = made.board.memory_space.read(0xB8000, len(MESSAGE))  # type: ignore[attr-defined]
        return bytes(text), bytes(vga.palette[21:24]), bytes(vga.gr)


def test_its_state_arrives(settings: MachineConfig) -> None:
    with machine(settings, running=True) as made:
        draw(made)
        before = shown(made)
        stream, _ = save(made)
    assert before[:2] == (MESSAGE, b"\1\2\3")
    with machine(settings) as made:
        assert shown(made) != before
        load(made, stream)
        assert shown(made) == before


def test_it_is_the_screen(settings: MachineConfig) -> None:
    with machine(settings) as made:
        assert made.frame() is not None
        assert made.system.part(SavedMachine).unsaved == []


@pytest.mark.parametrize("other", [{"vga": "std"}, {"devices": [{"driver": "isa-vga"}, {"driver": "isa-vga"}]}])
def test_there_is_one_adapter(tmp_path: Path, other: dict[str, object]) -> None:
    settings = config(counter_rom(tmp_path), **{"devices": [{"driver": "isa-vga"}], **other})
    with pytest.raises(UserError, match="Device 'isa-vga': there is a display adapter already"):
        Machine(settings, say=lambda text: None)


@needs_qemu
def test_stream_is_as_qemus(settings: MachineConfig, tmp_path: Path) -> None:
    with Qemu(settings.bios, tmp_path / "serial", *OPTIONS) as qemu:
        qemu.wait_for_lines(4)
        stream = qemu.save(tmp_path / "stream")
    theirs = Decoder(stream).decode()
    with machine(settings) as made:
        load(made, stream, go=False)
        ours = Decoder(save(made)[0]).decode()
        with made.system.lock:
            made.system.start()
    assert ours.trailer == theirs.trailer
    assert {name: len(data) for name, data in ours.blocks.items()} == {
        name: len(data) for name, data in theirs.blocks.items()
    }


@needs_qemu
def test_to_qemu_and_back(settings: MachineConfig, tmp_path: Path) -> None:
    with machine(settings, running=True) as made:
        count_on(made, 15)
        draw(made)
        before = shown(made)
        stream, _ = save(made)
        printed = lines(made)
    (tmp_path / "stream").write_bytes(stream)
    with Qemu(settings.bios, tmp_path / "serial", *OPTIONS, "-incoming", f"exec:cat {tmp_path / 'stream'}") as qemu:
        check_count(printed[len(printed) // 2 * 2 :] + qemu.wait_for_lines(8), len(printed) // 2 + 1)
        back = qemu.save(tmp_path / "back")
    with machine(settings) as made:
        load(made, back, go=False)
        assert shown(made) == before
