"""``-dump-vmstate``: our layouts against those of Debian's QEMU."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyqemu.migration.state.dump import dump
from pyqemu.migration.state.machine import SavedMachine
from tests.migration.state.saved_rig import QEMU, config, counter_rom, machine

needs_qemu = pytest.mark.skipif(shutil.which(QEMU[0]) is None, reason="needs Debian's qemu-system-x86")

EXCEPTIONS = {
    "config exists": "QEMU has it twice, for PCI Express, too; which one a device has never changes",
    "unused size": "QEMU has two of that name; they are compared as one",
    "fw_cfg_io: fw_cfg/acpi_mr": "sizes of ACPI memory, which only newer machine types send",
    "i8042.kbd: pckbd/extended_state": "which only newer machine types send",
    "PIIX4_PM: smb": "the SMBus host, which only newer machine types send",
    "PIIX4_PM: acpi_pci_hotplug.acpi_pcihp_pci_status[0x0]": "for machine types before 2.0",
    "PIIX4_PM: acpi_pci_hotplug.acpi_index": "which only newer machine types send",
    "PIIX4_PM: piix4_pm/cpuhp": "which only newer machine types send",
    "acpi_pci_hotplug.hotplug_select exists": "it does in every machine type from 2.0 on",
    "acpi_pci_hotplug.acpi_pcihp_pci_status exists": "it does in every machine type from 2.0 on",
    "PIIX4_PM/piix4_pm/memhp.acpi_memory_hotplug: devs": "there are no slots for memory",
    "piix3-ide": "QEMU registers it by hand",
}


def differences(path: str, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    """In what two layouts differ."""
    for key in ("name", "version_id", "minimum_version_id"):
        if ours[key] != theirs[key]:
            yield f"{path}: {key} {ours[key]!r} instead of {theirs[key]!r}"
    left = list(theirs["Fields"])
    for each in ours["Fields"]:
        key = each["field"], each["version_id"]
        found = next((other for other in left if (other["field"], other["version_id"]) == key), None)
        if found is None:
            yield f"{path}: {each} is not in QEMU's"
            continue
        left.remove(found)
        if each["field_exists"] != found["field_exists"]:
            yield f"{each['field']} exists"
        if "Description" in each:
            yield from differences(f"{path}.{each['field']}", each["Description"], found["Description"])
        elif each["size"] != found["size"]:
            yield f"{each['field']} size"
    yield from (f"{path}: {other['field']}" for other in left if other["field"] != "config")
    parts = {part["name"]: part for part in ours.get("Subsections", ())}
    others = {part["name"]: part for part in theirs.get("Subsections", ())}
    yield from (f"{path}: {name}" for name in parts.keys() ^ others.keys())
    for name in parts.keys() & others.keys():
        yield from differences(f"{path}/{name}", parts[name], others[name])


@needs_qemu
def test_layouts_are_qemus(tmp_path: Path) -> None:
    subprocess.run([*QEMU, "-dump-vmstate", str(tmp_path / "theirs")], check=True, capture_output=True, timeout=60)
    theirs = json.loads((tmp_path / "theirs").read_text())
    with machine(config(counter_rom(tmp_path), vga="std", defaults=True, parallels=["null"])) as made:
        ours = json.loads(dump(made.system.part(SavedMachine)))
    assert ours.pop("vmschkmachine") == theirs["vmschkmachine"]
    found = set(ours.keys() - theirs.keys())
    for name in ours.keys() & theirs.keys():
        found |= set(differences(name, ours[name]["Description"], theirs[name]["Description"]))
    assert found <= EXCEPTIONS.keys(), "\n".join(sorted(found - EXCEPTIONS.keys()))
    assert len(ours) >= 20
