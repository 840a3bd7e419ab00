"""Commands about the tree of objects (pyqemu/qom/commands.py), on the tree of a pc."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from pyqemu.qom import Container
from pyqemu.qom.rng import RngBackend
from tests.monitor.commands.asker import Asker


def types(asker: Asker, path: str) -> dict[str, str]:
    return {entry["name"]: entry["type"] for entry in asker("qom-list", path=path)}


# --- the tree ---------------------------------------------------------------------------------------------------------


def test_root_has_the_places_that_clients_look_into(asker: Asker) -> None:
    assert types(asker, "/") == {
        "type": "string", "machine": "child<pc-i440fx-2.6-machine>", "objects": "child<container>",
        "chardevs": "child<container>", "backend": "child<container>",
    }  # fmt: skip
    assert types(asker, "/chardevs")["serial0"] == "child<chardev-null>"
    assert asker("qom-get", path="/backend/console[0]", property="device").startswith("/machine/unattached/device[")


@pytest.mark.parametrize("model", ["i8257", "isa-i8259", "isa-pit", "mc146818rtc", "hpet", "PIIX3", "VGA", "ide-cd"])
def test_chips_of_the_board_are_there(asker: Asker, model: str) -> None:
    assert f"child<{model}>" in types(asker, "/machine/unattached").values()


def test_every_node_and_property_can_be_read(asker: Asker) -> None:
    """Children and links lead to nodes; nothing is told of what is not there."""
    waiting, seen = ["/"], 0
    while waiting:
        path = waiting.pop()
        for name, kind in types(asker, path).items():
            value = asker("qom-get", path=path, property=name)
            seen += 1
            if kind.startswith("child<"):
                assert value == f"{path.rstrip('/')}/{name}"
                waiting.append(value)
            elif kind.startswith("link<") and value:
                assert asker("qom-list", path=value)
    assert seen > 300


def test_every_type_in_the_tree_is_known(asker: Asker) -> None:
    known = {entry["name"] for entry in asker("qom-list-types")}
    waiting, used = ["/"], set()
    while waiting:
        path = waiting.pop()
        used.add(asker("qom-get", path=path, property="type"))
        waiting += [f"{path.rstrip('/')}/{name}" for name, kind in types(asker, path).items() if kind[:6] == "child<"]
    assert used <= known


def test_path_may_be_the_end_of_one(asker: Asker) -> None:
    assert asker("qom-list", path="machine/peripheral") == asker("qom-list", path="/machine/peripheral")
    assert asker.error("qom-list", path="/nope") == "DeviceNotFound: Device '/nope' not found"
    fresh_slots = types(asker, "/machine/i440fx/pci.0")
    assert fresh_slots["child[0]"] == "link<i440FX>"


def test_clock_of_the_guest(asker: Asker) -> None:
    date = asker("qom-get", path="/machine", property="rtc-time")
    assert date.keys() == {"tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec"}
    assert date["tm_year"] > 120


def test_processor_tells_its_feature_words(asker: Asker) -> None:
    path = "/machine/unattached/device[0]"
    words = asker("qom-get", path=path, property="feature-words")
    (edx,) = [word for word in words if word["cpuid-input-eax"] == 1 and word["cpuid-register"] == "EDX"]
    assert edx["features"] & 1
    assert asker("qom-get", path=path, property="fpu") is True
    assert asker("qom-get", path=path, property="family") == 6
    assert "svm" in asker("qom-get", path=path, property="unavailable-features")


@pytest.mark.parametrize(
    ("path", "name", "error"),
    [
        ("/machine", "type", "Property 'pc-i440fx-2.6-machine.type' is not writable"),
        ("/machine", "nope", "Property 'pc-i440fx-2.6-machine.nope' not found"),
        ("/nope", "x", "DeviceNotFound: Device '/nope' not found"),
        ("/machine/fw_cfg", "realized", "Property 'fw_cfg_io.realized' is not writable"),
    ],
)
def test_what_cannot_be_set(asker: Asker, path: str, name: str, error: str) -> None:
    assert asker.error("qom-set", path=path, property=name, value=1) == error


def test_properties_are_fixed_once_a_device_is_real(asker: Asker) -> None:
    (path,) = [f"/machine/unattached/{n}" for n, t in types(asker, "/machine/unattached").items() if "PIIX4_PM" in t]
    text = asker.error("qom-set", path=path, property="disable_s3", value=1)
    assert text == "Attempt to set property 'disable_s3' on device '' (type 'PIIX4_PM') after it was realized"


# --- types ------------------------------------------------------------------------------------------------------------


def test_types_are_kinds_of_others(asker: Asker) -> None:
    models = {entry["name"] for entry in asker("qom-list-types", implements="isa-device")}
    assert "isa-serial" in models
    assert "VGA" not in models
    every = {entry["name"]: entry for entry in asker("qom-list-types", abstract=True)}
    assert every["pci-device"] == {"name": "pci-device", "abstract": True, "parent": "device"}
    assert all(entry.get("parent", "object") in every for entry in every.values())
    assert {"tcg-accel", "secret", "rng-random", "max-x86_64-cpu"} <= every.keys()
    assert asker("qom-list-types", implements="nope") == []


def test_properties_of_types(asker: Asker) -> None:
    serial = {entry["name"]: entry for entry in asker("device-list-properties", typename="isa-serial")}
    assert serial["chardev"].get("default-value") is None
    assert serial["iobase"]["type"] == "uint32"
    listed = {entry["name"] for entry in asker("qom-list-properties", typename="isa-serial")}
    assert serial.keys() | {"type", "realized", "hotplugged"} <= listed
    assert "unavailable-features" in {
        entry["name"] for entry in asker("qom-list-properties", typename="max-x86_64-cpu")
    }


def test_properties_of_what_only_the_schema_knows(asker: Asker) -> None:
    """libvirt asks for these, and an error would be its end."""
    names = {entry["name"] for entry in asker("qom-list-properties", typename="memory-backend-file")}
    assert {"mem-path", "size"} <= names


@pytest.mark.parametrize(
    ("execute", "typename", "error"),
    [
        ("device-list-properties", "nope", "DeviceNotFound: Device 'nope' not found"),
        ("device-list-properties", "pci-device", "Parameter 'typename' expects a non-abstract device type"),
        ("device-list-properties", "secret", "Parameter 'typename' expects a non-abstract device type"),
        ("qom-list-properties", "nope", "DeviceNotFound: Class 'nope' not found"),
    ],
)
def test_types_that_are_none(asker: Asker, execute: str, typename: str, error: str) -> None:
    assert asker.error(execute, typename=typename) == error


# --- objects ----------------------------------------------------------------------------------------------------------


def add(asker: Asker, kind: str, name: str, **properties: Any) -> dict[str, Any]:
    return asker.reply("object-add", qom_type=kind, id=name, **properties)


def test_secret_lives_in_objects(fresh: Asker, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(base64.b64encode(b"hush"))
    assert add(fresh, "secret", "s0", file=str(file), format="base64") == {"return": {}}
    assert types(fresh, "/objects")["s0"] == "child<secret>"
    assert fresh("qom-get", path="/objects/s0", property="format") == "base64"
    fresh("object-del", id="s0")
    assert fresh.error("object-del", id="s0") == "object 's0' not found"


def test_properties_may_be_wrapped_as_clients_of_old_do(fresh: Asker) -> None:
    assert add(fresh, "rng-random", "r0", props={"filename": "/dev/zero"}) == {"return": {}}
    assert fresh("qom-get", path="/objects/r0", property="filename") == "/dev/zero"
    source = fresh.system.part(Container).resolve("/objects/r0")
    assert isinstance(source, RngBackend)
    assert source.take(2) == b"\0\0"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"qom_type": "secret"}, "Parameter 'id' is missing"),
        ({"qom_type": "nope", "id": "x"}, "Parameter 'qom-type' does not accept value 'nope'"),
        ({"qom_type": "secret", "id": "1 a", "data": "x"}, "Parameter 'id' expects an identifier"),
        ({"qom_type": "secret", "id": "x"}, "Either 'file' or 'data' must be provided"),
        ({"qom_type": "secret", "id": "x", "data": "", "file": ""}, "'file' and 'data' are mutually exclusive"),
        ({"qom_type": "secret", "id": "x", "nope": 1}, "Parameter 'nope' is unexpected"),
        ({"qom_type": "secret", "id": "x", "data": "*", "format": "base64"}, "Base64 data of the secret is not valid"),
        ({"qom_type": "rng-random", "id": "x", "filename": "/no"}, "Could not open '/no': No such file or directory"),
        ({"qom_type": "iothread", "id": "x"}, "object type 'iothread' is not supported by this build of pyqemu"),
        ({"qom_type": "secret", "id": "x", "props": 1}, "Invalid parameter type for 'props', expected: object"),
    ],
)  # fmt: skip
def test_objects_that_cannot_be(asker: Asker, arguments: dict[str, Any], error: str) -> None:
    assert asker.error("object-add", **arguments) == error
    assert types(asker, "/objects").keys() == {"type"}


def test_memory_that_is_an_object_is_listed(fresh: Asker) -> None:
    assert fresh("query-memdev") == []
    assert add(fresh, "memory-backend-ram", "pc.ram", size=16 << 20) == {"return": {}}
    (memory,) = fresh("query-memdev")
    assert (memory["id"], memory["size"], memory["policy"]) == ("pc.ram", 16 << 20, "default")


def test_id_is_taken_once(fresh: Asker) -> None:
    add(fresh, "rng-builtin", "r0")
    text = "attempt to add duplicate property 'r0' to object (type 'container')"
    assert add(fresh, "rng-builtin", "r0")["error"]["desc"] == text
