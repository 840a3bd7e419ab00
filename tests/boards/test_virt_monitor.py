"""What monitors tell of ``-M virt``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pyqemu.api.machine import Machine
from pyqemu.boards.config import MachineConfig
from tests.monitor.commands.asker import Asker

# What this machine or build does not have. Migration belongs to the program, not to the machine.
ABSENT = ("query-balloon", "query-vm-generation-id", "query-block-exports", "query-rocker", "query-migrate")
WRONG_TYPE = "Invalid parameter type for 'model.props.aes', expected: boolean"
CPU = "/machine/unattached/device[0]"


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    firmware = tmp_path_factory.mktemp("rom") / "nops"
    firmware.write_bytes(b"\x1f\x20\x03\xd5" * 64)
    config = MachineConfig(machine="virt", architecture="aarch64", bios=str(firmware), memory=64 << 20)
    with Machine(config) as machine:
        yield Asker(machine)


def test_every_query_that_needs_no_arguments_is_answered(asker: Asker) -> None:
    """What a machine does not have is an empty list, or a clear error."""
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


def test_models(asker: Asker) -> None:
    assert {"cortex-a57", "cortex-a53", "max"} == {entry["name"] for entry in asker("query-cpu-definitions")}
    assert {entry["name"] for entry in asker("qom-list-types", implements="aarch64-cpu")} == {
        f"{name}-arm-cpu" for name in ("cortex-a57", "cortex-a53", "max")
    }


def expanded(asker: Asker, name: str, **props: Any) -> Any:
    return asker("query-cpu-model-expansion", type="full", model={"name": name, "props": props})["model"]["props"]


def test_models_are_said_in_full(asker: Asker) -> None:
    assert expanded(asker, "cortex-a57") == dict.fromkeys(("aarch64", "pmu", "aes", "sha1", "sha2", "crc32"), True)
    assert expanded(asker, "cortex-a57", aes=False)["aes"] is False


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


def test_the_empty_machine_tells_of_the_same_models() -> None:
    """It is what libvirt asks."""
    with Machine(MachineConfig(machine="none", architecture="aarch64")) as machine:
        asker = Asker(machine)
        assert asker("query-target") == {"arch": "aarch64"}
        assert "cortex-a57" in {entry["name"] for entry in asker("query-cpu-definitions")}
        assert {entry["name"] for entry in asker("query-machines")} == {"none", "virt-2.6"}
