"""What monitors tell of ``-M virt``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyqemu.api.machine import Machine
from pyqemu.boards.config import MachineConfig
from tests.monitor.commands.asker import Asker

# What this machine or build does not have. Migration belongs to the program, not to the machine.
ABSENT = ("query-balloon", "query-vm-generation-id", "query-block-exports", "query-rocker", "query-migrate")
WRONG_TYPE = "Invalid parameter type for 'model.props.aes', expected: boolean"
CPU = "/machine/unattached/device[0]"


NOP = {"aarch64": b"\x1f\x20\x03\xd5", "arm": b"\x00\xf0\x20\xe3"}
MODELS_64 = {"cortex-a57", "cortex-a53", "max"}
SOME_MODELS_32 = {"arm926", "arm1176", "cortex-a7", "cortex-a15"}


def config(directory: Path, architecture: str, **changes: Any) -> MachineConfig:
    """A machine with firmware that does nothing."""
    firmware = directory / "nops"
    firmware.write_bytes(NOP[architecture] * 64)
    return MachineConfig(machine="virt", architecture=architecture, bios=str(firmware), memory=64 << 20, **changes)


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    with Machine(config(tmp_path_factory.mktemp("rom"), "aarch64")) as machine:
        yield Asker(machine)


@pytest.fixture(scope="module")
def asker32(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    with Machine(config(tmp_path_factory.mktemp("rom"), "arm")) as machine:
        yield Asker(machine)


@pytest.mark.parametrize("machine", ["asker", "asker32"])
def test_every_query_that_needs_no_arguments_is_answered(machine: str, request: pytest.FixtureRequest) -> None:
    """What a machine does not have is an empty list, or a clear error."""
    asker: Asker = request.getfixturevalue(machine)
    failed = {}
    names = [entry["name"] for entry in asker("query-commands") if entry["name"].startswith("query-")]
    for name in names:
        reply = asker.reply(name)
        if "error" in reply and "is missing" not in reply["error"]["desc"] and not name.startswith(ABSENT):
            failed[name] = reply["error"]["desc"]
    assert len(names) > 50
    assert failed == {}


def test_the_processor_is_where_qemu_has_it(asker: Asker) -> None:
    """Paths and types are those of Debian's QEMU 7.2."""
    (cpu,) = asker("query-cpus-fast")
    assert (cpu["qom-path"], cpu["target"]) == (CPU, "aarch64")
    (place,) = asker("query-hotpluggable-cpus")
    assert (place["type"], place["qom-path"]) == ("cortex-a57-arm-cpu", CPU)
    assert asker("qom-get", path=CPU, property="type") == "cortex-a57-arm-cpu"
    assert asker("qom-get", path=CPU, property="midr") == 0x411FD070


def test_the_processor_of_32_bits_is_where_qemu_has_it(asker32: Asker) -> None:
    """Paths, types and properties are those of Debian's QEMU 7.2."""
    (cpu,) = asker32("query-cpus-fast")
    assert (cpu["qom-path"], cpu["target"]) == (CPU, "arm")
    (place,) = asker32("query-hotpluggable-cpus")
    assert (place["type"], place["qom-path"]) == ("cortex-a15-arm-cpu", CPU)
    shown = {"type": "cortex-a15-arm-cpu", "midr": 0x412FC0F1, "reset-cbar": 0x0800_0000, "reset-hivecs": False,
             "has_el3": False, "pmu": True, "mp-affinity": 0, "start-powered-off": False}  # fmt: skip
    assert {name: asker32("qom-get", path=CPU, property=name) for name in shown} == shown
    assert asker32("query-target") == {"arch": "arm"}
    assert asker32("human-monitor-command", command_line="info registers").startswith("R00=00000000 R01=")


def test_properties_of_a_processor_can_be_said(tmp_path: Path) -> None:
    with Machine(config(tmp_path, "arm", cpu="cortex-a15,reset-hivecs=on,midr=0x412fc0f2")) as machine:
        asker = Asker(machine)
        assert asker("qom-get", path=CPU, property="reset-hivecs") is True
        assert asker("qom-get", path=CPU, property="midr") == 0x412FC0F2
        assert "R15=ffff0000" in asker("human-monitor-command", command_line="info registers")


def test_properties_of_a_processor_of_64_bits_can_be_said(tmp_path: Path) -> None:
    changed = config(tmp_path, "aarch64", cpu="cortex-a57,rvbar=0x40000000,midr=0x411fd071,aarch64=on,-aes")
    with Machine(changed) as machine:
        asker = Asker(machine)
        assert asker("qom-get", path=CPU, property="midr") == 0x411FD071
        assert asker("qom-get", path=CPU, property="aes") is False
        assert "PC=0000000040000000" in asker("human-monitor-command", command_line="info registers")


def test_models(asker: Asker, asker32: Asker) -> None:
    found = {entry["name"] for entry in asker("query-cpu-definitions")}
    found32 = {entry["name"] for entry in asker32("query-cpu-definitions")}
    assert found - found32 == MODELS_64 - {"max"}  # which is another one under each name of the architecture
    assert found >= found32 >= SOME_MODELS_32
    assert {entry["name"] for entry in asker("qom-list-types", implements="aarch64-cpu")} == {
        f"{name}-arm-cpu" for name in MODELS_64
    }
    assert "cortex-a15-arm-cpu" in {entry["name"] for entry in asker32("qom-list-types", implements="arm-cpu")}


def test_a_processor_of_32_bits_is_one_of_both_architectures(tmp_path: Path) -> None:
    """As with qemu-system-aarch64."""
    settings = config(tmp_path, "arm", cpu="cortex-a7")
    settings.architecture = "aarch64"
    with Machine(settings) as machine:
        assert Asker(machine)("query-target") == {"arch": "aarch64"}
        assert Asker(machine)("query-cpus-fast")[0]["target"] == "aarch64"
        assert Asker(machine)("qom-get", path=CPU, property="type") == "cortex-a7-arm-cpu"


def expanded(asker: Asker, name: str, **props: Any) -> Any:
    return asker("query-cpu-model-expansion", type="full", model={"name": name, "props": props})["model"]["props"]


def test_models_are_said_in_full(asker: Asker) -> None:
    assert expanded(asker, "cortex-a57") == dict.fromkeys(("aarch64", "pmu", "aes", "sha1", "sha2", "crc32"), True)
    assert expanded(asker, "cortex-a57", aes=False)["aes"] is False
    assert expanded(asker, "cortex-a15") == {"pmu": True}


@pytest.mark.parametrize(
    ("kind", "model", "complaint"),
    [
        ("static", {"name": "cortex-a57"}, "The requested expansion type is not supported"),
        ("full", {"name": "foo"}, "The CPU type 'foo' is not a recognized ARM CPU type"),
        ("full", {"name": "max", "props": {"sve": True}}, "CPU model max has no feature 'sve'"),
        (
            "full",
            {"name": "max", "props": {"aes": 1}},
            WRONG_TYPE,
        ),
        ("full", {"name": "max", "props": {"pmu": False}}, "CPU model max cannot be without 'pmu'"),
    ],
)
def test_models_that_are_not_there(asker: Asker, kind: str, model: dict[str, Any], complaint: str) -> None:
    assert asker.error("query-cpu-model-expansion", type=kind, model=model) == complaint


def test_info_pci_shows_the_host_bridge(asker: Asker) -> None:
    assert "PCI device 1b36:0008" in asker("human-monitor-command", command_line="info pci")


@pytest.mark.parametrize(("architecture", "model"), [("aarch64", "cortex-a57"), ("arm", "cortex-a15")])
def test_the_empty_machine_tells_of_the_same_models(architecture: str, model: str) -> None:
    """It is what libvirt asks."""
    with Machine(MachineConfig(machine="none", architecture=architecture)) as machine:
        asker = Asker(machine)
        assert asker("query-target") == {"arch": architecture}
        assert model in {entry["name"] for entry in asker("query-cpu-definitions")}
        assert {entry["name"] for entry in asker("query-machines")} >= {"none", "virt-2.6"}
