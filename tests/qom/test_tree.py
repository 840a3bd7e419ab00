"""The tree."""

from __future__ import annotations

import pytest

from pyqemu.qom import Container, Device, DeviceError


def test_paths_and_resolution() -> None:
    root = Container()
    machine = root.container("machine")
    device = Device()
    machine.container("peripheral").add_child("net0", device)
    assert device.qom_path == "/machine/peripheral/net0"
    assert root.resolve("/machine/peripheral/net0") is device
    assert root.resolve("/machine/nothing/net0") is None
    assert root.container("machine") is machine
    assert root.qom_path == "/"


def test_numbered_names() -> None:
    box = Container()
    first, second = Device(), Device()
    box.add_child("device[*]", first)
    box.add_child("device[*]", second)
    assert [child.qom_name for child in (first, second)] == ["device[0]", "device[1]"]
    box.remove_child(first)
    assert first.qom_path == ""
    assert [node.qom_name for node in box.walk()] == ["", "device[1]"]


def test_names_are_unique() -> None:
    box = Container()
    box.add_child("a", Device())
    with pytest.raises(DeviceError, match="duplicate"):
        box.add_child("a", Device())
