"""Answers have the form of those that Debian's QEMU gives for its pc."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.monitor.commands.asker import Asker

QEMU = "qemu-system-x86_64"
PATIENCE = 60.0  # seconds

pytestmark = pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"needs Debian's {QEMU}")


class Reference:
    """A paused QEMU."""

    def __init__(self, path: Path) -> None:
        command = [QEMU, "-M", "pc", "-m", "16", "-S", "-display", "none", "-name", "guest", "-serial", "null"]
        command += ["-nic", "none", "-qmp", f"unix:{path},server=on,wait=off"]
        self.process = subprocess.Popen(command)
        self.socket = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + PATIENCE
        while self.socket.connect_ex(str(path)):
            assert time.monotonic() < end, "QEMU does not listen"
            time.sleep(0.05)
        self.socket.settimeout(PATIENCE)
        self.lines = self.socket.makefile("rw")
        self.lines.readline()
        self.reply("qmp_capabilities")

    def reply(self, execute: str, **arguments: Any) -> dict[str, Any]:
        self.lines.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
        self.lines.flush()
        while True:
            message: dict[str, Any] = json.loads(self.lines.readline())
            if "event" not in message:
                return message

    def close(self) -> None:
        self.socket.close()
        self.process.terminate()
        self.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reference]:
    qemu = Reference(tmp_path_factory.mktemp("qemu") / "qmp")
    yield qemu
    qemu.close()


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """What is of another type, or is a member that they do not have."""
    if type(ours) is not type(theirs):
        yield f"{path}: {ours!r} instead of {theirs!r}"
    elif isinstance(ours, dict):
        for name in ours.keys() - theirs.keys():
            yield f"{path}.{name} is unknown there"
        for name in ours.keys() & theirs.keys():
            yield from differences(ours[name], theirs[name], f"{path}.{name}")
    elif isinstance(ours, list) and ours and theirs:
        known: dict[str, Any] = {}
        for entry in theirs:
            known |= entry if isinstance(entry, dict) else {}
        for entry in ours:
            yield from differences(entry, known or theirs[0], f"{path}[]")


FORMS = [
    "query-status", "query-version", "query-target", "query-name", "query-uuid", "query-kvm", "query-current-machine",
    "query-cpus-fast", "query-hotpluggable-cpus", "query-iothreads", "query-tpm", "query-memory-size-summary",
    "query-memory-devices", "query-acpi-ospm-status", "query-pci", "query-vnc", "query-vnc-servers",
    "query-rx-filter", "query-machines", "query-cpu-definitions", "query-command-line-options", "query-commands",
    "query-memdev", "query-mice", "query-jobs",
]  # fmt: skip


@pytest.mark.parametrize("execute", FORMS)
def test_form_of_queries(asker: Asker, reference: Reference, execute: str) -> None:
    ours, theirs = asker.reply(execute), reference.reply(execute)
    assert ours.keys() == theirs.keys()
    assert not list(differences(ours, theirs))


SAME: list[tuple[str, dict[str, Any]]] = [
    ("query-balloon", {}),
    ("query-vm-generation-id", {}),
    ("system_wakeup", {}),
    ("x-exit-preconfig", {}),
    ("set-numa-node", {"type": "node"}),
    ("device_add", {}),
    ("device_add", {"driver": "nope"}),
    ("device_add", {"driver": "isa-serial"}),
    ("device_add", {"driver": "PIIX4_PM"}),
    ("device_add", {"driver": "VGA", "id": "9"}),
    ("device_add", {"driver": "VGA"}),
    ("device_del", {"id": "nope"}),
    ("qom-list", {"path": "/nope"}),
    ("qom-list", {"path": "/machine/peripheral"}),
    ("qom-get", {"path": "/machine", "property": "peripheral"}),
    ("qom-get", {"path": "/machine/i440fx", "property": "type"}),
    ("qom-get", {"path": "/machine/unattached/device[0]", "property": "type"}),
    ("qom-get", {"path": "/machine/unattached/device[0]", "property": "nope"}),
    ("qom-set", {"path": "/machine/i440fx", "property": "type", "value": 1}),
    ("qom-list-types", {"implements": "nope"}),
    ("device-list-properties", {"typename": "nope"}),
    ("device-list-properties", {"typename": "pci-device"}),
    ("qom-list-properties", {"typename": "nope"}),
    ("object-add", {"qom-type": "rng-random"}),
    ("object-add", {"qom-type": "nope", "id": "x"}),
    ("object-add", {"qom-type": "secret", "id": "x"}),
    ("object-add", {"qom-type": "secret", "id": "1 a", "data": "x"}),
    ("object-add", {"qom-type": "secret", "id": "s", "data": "x"}),
    ("object-add", {"qom-type": "secret", "id": "s", "data": "x"}),
    ("object-del", {"id": "s"}),
    ("object-del", {"id": "s"}),
    ("query-cpu-model-expansion", {"type": "full", "model": {"name": "nope"}}),
    ("query-command-line-options", {"option": "nope"}),
    ("human-monitor-command", {"command-line": "foo"}),
    ("memsave", {"val": 0, "size": 1, "filename": "/nowhere/x"}),
    ("inject-nmi", {}),
    ("rtc-reset-reinjection", {}),
    ("watchdog-set-action", {"action": "pause"}),
]


@pytest.mark.parametrize(("execute", "arguments"), SAME)
def test_same_answers(asker: Asker, reference: Reference, execute: str, arguments: dict[str, Any]) -> None:
    assert asker.reply(execute, **arguments) == reference.reply(execute, **arguments)


@pytest.mark.parametrize("kind", ["static", "full"])
def test_features_have_the_names_of_today(asker: Asker, reference: Reference, kind: str) -> None:
    arguments = {"type": kind, "model": {"name": "qemu64"}}
    name = "query-cpu-model-expansion"
    ours, theirs = asker.reply(name, **arguments), reference.reply(name, **arguments)
    props = ours["return"]["model"]["props"], theirs["return"]["model"]["props"]
    unknown = {name for name, value in props[0].items() if type(props[1].get(name)) is not type(value)}
    assert unknown <= OWN_FEATURES
    assert ours["return"]["model"]["name"] == theirs["return"]["model"]["name"]


OWN_FEATURES = {"mp", "osxsave", "dscpl", "clfsh", "cr8-legacy", "level", "xlevel"}
"""Bits and second names that QEMU has dropped since 2.6; what it calls ``min-level`` in static expansions."""


def test_parents_of_types(asker: Asker, reference: Reference) -> None:
    theirs = {entry["name"]: entry for entry in reference.reply("qom-list-types", abstract=True)["return"]}
    for entry in asker.reply("qom-list-types", abstract=True)["return"]:
        if entry["name"] in theirs and entry.get("abstract"):
            assert theirs[entry["name"]].get("abstract")
