"""The QMP commands of keyboard, mouse and screen, on a whole machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyqemu.ui.pointer import Pointer
from pyqemu.ui.typist import Typist
from tests.command_rig import Commands
from tests.qemu_reference import Reference, differences, needs_qemu


@pytest.fixture
def pc() -> Iterator[Commands]:
    with Commands() as commands:
        yield commands


@pytest.fixture
def keys(pc: Commands) -> list[tuple[str, bool]]:
    """What arrives at the keyboard."""
    keys: list[tuple[str, bool]] = []
    pc.system.add_part(Typist(lambda key, down: keys.append((key, down)), pc.system.clock))
    return keys


class Mouse:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def move(self, dx: int, dy: int, dz: int = 0) -> None:
        self.told.append((dx, dy, dz))

    def press(self, buttons: int) -> None:
        self.told.append(buttons)


def qcodes(*names: str) -> list[dict[str, object]]:
    return [{"type": "qcode", "data": name} for name in names]


# -- keys


def test_keys_go_down_together(pc: Commands, keys: list[tuple[str, bool]]) -> None:
    pc.ask("send-key", keys=qcodes("ctrl", "alt", "delete"))
    assert keys == [("ctrl", True), ("alt", True), ("delete", True)]


def test_keys_come_up_after_the_hold_time(keys: list[tuple[str, bool]], pc: Commands) -> None:
    pc.ask("send-key", keys=qcodes("shift", "a"), hold_time=1)
    with pc.system.lock:
        pc.system.start()
    assert pc.machine.run_for(10, lambda: len(keys) == 4)
    assert keys[2:] == [("a", False), ("shift", False)]


def test_keys_may_be_scan_codes(pc: Commands, keys: list[tuple[str, bool]]) -> None:
    pc.ask("send-key", keys=[{"type": "number", "data": 30}, {"type": "number", "data": 0xCB}])
    assert keys == [("a", True), ("left", True)]


def test_keys_that_a_pc_keyboard_lacks_are_ignored(pc: Commands, keys: list[tuple[str, bool]]) -> None:
    pc.ask("send-key", keys=[*qcodes("unmapped", "again"), {"type": "number", "data": 9999}])
    assert keys == []
    assert "does not accept value" in pc.error("send-key", keys=qcodes("nokey"))


# -- single events


def event(type: str, **data: object) -> dict[str, object]:
    return {"type": type, "data": data}


def test_events_reach_the_devices_together(pc: Commands, keys: list[tuple[str, bool]]) -> None:
    mouse = Mouse()
    pc.system.add_part(Pointer(mouse, "test"))
    with pc.system.lock:
        pc.system.start()
    pc.ask("input-send-event", events=[
        event("rel", axis="x", value=5), event("rel", axis="y", value=-3), event("btn", button="left", down=True),
        event("btn", button="wheel-down", down=True), event("key", key={"type": "qcode", "data": "a"}, down=True),
    ])  # fmt: skip
    pc.ask("input-send-event", events=[event("btn", button="left", down=False)])
    assert mouse.told == [(5, -3, 1), 1, 0]
    assert keys == [("a", True)]


def test_the_mouse_is_the_ps2_mouse(pc: Commands) -> None:
    with pc.system.lock:
        pc.system.start()
    pc.ask("input-send-event", events=[event("btn", button="right", down=True)])
    assert pc.machine.board.i8042.mouse.buttons == 2  # type: ignore[attr-defined]


def test_events_that_nothing_takes_are_refused(pc: Commands) -> None:
    absolute = [event("abs", axis="x", value=1)]
    assert pc.error("input-send-event", events=absolute) == "VM not running"
    assert pc.error_class("input-send-event", device="nope", events=[]) == "DeviceNotFound"
    with pc.system.lock:
        pc.system.start()
    assert pc.error("input-send-event", events=absolute) == "Input handler not found for event type abs"


@needs_qemu
def test_mice_are_told_as_qemu_tells_them(pc: Commands) -> None:
    with Reference() as qemu:
        ours, theirs = pc.ask("query-mice"), qemu.ask("query-mice")
    assert not list(differences(ours, theirs))
    assert ours[0]["name"] == theirs[0]["name"]


# -- the screen


def test_pictures_are_ppm_or_png(pc: Commands, tmp_path: Path) -> None:
    pc.ask("screendump", filename=str(tmp_path / "a"))
    pc.ask("screendump", filename=str(tmp_path / "b"), format="png")
    assert (tmp_path / "a").read_bytes().startswith(b"P6\n")
    assert (tmp_path / "b").read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_one_device(tmp_path: Path) -> None:
    with Commands(vga="none", devices=[{"driver": "VGA", "id": "video0"}]) as pc:
        pc.ask("screendump", filename=str(tmp_path / "a"), device="video0", head=0)
        assert pc.error_class("screendump", filename="x", device="nope") == "DeviceNotFound"
        assert "head" in pc.error("screendump", filename="x", head=1)


def test_the_file_of_a_picture_is_written_in_place(pc: Commands, tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_bytes(b"x")
    path.chmod(0o600)
    before = path.stat()
    pc.ask("screendump", filename=str(path))
    after = path.stat()
    assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)
    assert pc.error("screendump", filename="/nope/x") == "failed to open file '/nope/x': No such file or directory"


def test_without_an_adapter_there_is_no_picture() -> None:
    with Commands(vga="none") as pc:
        assert "no console" in pc.error("screendump", filename="x")
