"""``-M virt``: the device tree, loading, and what the board refuses."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import fdt
import pytest

from pyqemu.api.machine import Machine
from pyqemu.boards import registry
from pyqemu.boards.config import MachineConfig
from pyqemu.boards.virt_tree import TreeFacts, device_tree
from pyqemu.util.errors import UserError
from pyqemu.util.units import MIB

QEMU = shutil.which("qemu-system-aarch64")
RAM = 0x4000_0000
#: What QEMU's tree has and ours does not, yet or because it came after 2.6.
ABSENT = ("platform-bus", "pmu", "cpu-map", "aliases")


def nodes(blob: bytes) -> dict[str, dict[str, Any]]:
    """The properties of each node, by its path."""
    tree = fdt.parse_dtb(blob)
    found: dict[str, dict[str, Any]] = {}

    def walk(node: Any, path: str) -> None:
        found[path or "/"] = {each.name: getattr(each, "data", True) for each in node.props}
        for child in node.nodes:
            walk(child, f"{path}/{child.name}")

    walk(tree.root, "")
    return found


@pytest.mark.skipif(QEMU is None, reason="needs Debian's qemu-system-arm")
@pytest.mark.parametrize(("model", "is_64bit"), [("cortex-a57", True), ("cortex-a15", False)])
def test_the_tree_is_qemus(model: str, is_64bit: bool, tmp_path: Path) -> None:
    """The same nodes with the same registers, interrupts and names, of all that is there."""
    blob = tmp_path / "qemu.dtb"
    subprocess.run(
        [str(QEMU), "-M", f"virt-2.6,dumpdtb={blob}", "-cpu", model, "-m", "256", "-nodefaults", "-display",
         "none", "-accel", "tcg"], check=True, capture_output=True,
    )  # fmt: skip
    theirs = nodes(blob.read_bytes())
    ours = nodes(device_tree(TreeFacts(256 * MIB, ((f"arm,{model}", 0),), is_64bit=is_64bit)))
    missing = [path for path in theirs if path not in ours and not any(name in path for name in ABSENT)]
    assert [path for path in missing if "memory" not in path] == []
    for path in ours.keys() & theirs.keys():
        for name in ("reg", "interrupts", "compatible", "clock-names", "method", "#interrupt-cells"):
            if name in ours[path] and name in theirs[path] and path not in ("/psci",):
                assert ours[path][name] == theirs[path][name], (path, name)
    for name in ("method", "cpu_on", "cpu_off", "cpu_suspend", "migrate"):
        assert ours["/psci"][name] == theirs["/psci"][name], name


def test_the_tree_tells_of_processors_and_devices() -> None:
    found = nodes(device_tree(TreeFacts(64 * MIB, (("arm,cortex-a53", 0),))))
    assert found["/memory"]["reg"] == [0, RAM, 0, 64 * MIB]
    assert found["/cpus/cpu@0"]["compatible"] == ["arm,cortex-a53"]
    assert len([path for path in found if "virtio_mmio" in path]) == 32


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({}, "machine 'virt' needs firmware or a kernel"),
        ({"kernel": "/nonexistent/Image"}, "No such file or directory"),
        ({"kernel": "x", "cpu": "cortex-z1"}, "unable to find CPU model 'cortex-z1'"),
        ({"kernel": "x", "cpu": "max,+nonsense"}, "CPU model max has no feature 'nonsense'"),
        ({"kernel": "x", "cpu": "cortex-a15,hivecs=on"}, "-cpu cortex-a15: Property '.hivecs' not found"),
        ({"kernel": "x", "cpu": "cortex-a15,+neon"}, r"Expected key=value format, found \+neon"),
        ({"kernel": "x", "cpu": "cortex-a57,aarch64=off"}, "cannot be disabled unless KVM is enabled"),
        ({"kernel": "x", "cpu": "cortex-a57,rvbar=here"}, "CPU property 'here' is no number of 64 bits"),
        ({"kernel": "x", "cpu": "cortex-a9"}, "machine 'virt': CPU cortex-a9 not supported"),
        ({"kernel": "x", "cpu": "cortex-a57", "architecture": "arm"}, "unable to find CPU model 'cortex-a57'"),
        ({"kernel": "x", "cpu": "cortex-a15", "machine_options": {"gic-version": "3"}}, "gic-version=3: not with"),
        ({"kernel": "x", "memory": MIB + 4096}, "whole mebibytes"),
        ({"kernel": "x", "machine_options": {"gic-version": "4"}}, "Invalid gic-version value '4'"),
        ({"kernel": "x", "cpu": "cortex-a15", "machine_options": {"secure": "on"}}, "secure=on: not with cortex-a15"),
        ({"kernel": "x", "machine_options": {"virtualization": "maybe"}}, "virtualization"),
        ({"kernel": "x", "machine_options": {"hpet": "on"}}, "Property '.hpet' not found"),
    ],
)
def test_bad_configurations(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Machine(MachineConfig(machine="virt", defaults=False, vga="none", **changes), say=lambda text: None)


def test_boards_are_found_by_name_and_architecture() -> None:
    assert registry.find("", None).name == "pc-i440fx-2.6"
    assert registry.find("virt", "aarch64").name == "virt-2.6"
    assert registry.find("virt", "arm").name == "virt-2.6"
    assert {"aarch64", "arm"} <= set(registry.architectures())
    with pytest.raises(UserError, match="No machine specified, and there is no default"):
        registry.find("", "aarch64")
    with pytest.raises(UserError, match="unsupported machine type 'virt'"):
        registry.find("virt", "x86_64")
