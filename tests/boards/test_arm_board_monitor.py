"""What monitors tell of boards with 32-bit processors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyqemu.boards.arm_board import ArmBoard
from pyqemu.migration.state.machine import SavedMachine
from tests.boards.arm_board_rig import machine
from tests.monitor.commands.asker import Asker

BOARDS = {
    "versatilepb": "arm926",
    "vexpress-a9": "cortex-a9",
    "vexpress-a15": "cortex-a15",
    "raspi2": "cortex-a15",
}
# What this machine or build does not have. Migration belongs to the program, not to the machine.
ABSENT = ("query-balloon", "query-vm-generation-id", "query-block-exports", "query-rocker", "query-migrate")
CPU = "/machine/unattached/device[0]"


@pytest.fixture(scope="module", params=list(BOARDS))
def asker(request: pytest.FixtureRequest) -> Iterator[Asker]:
    with machine(request.param) as made:
        yield Asker(made)


def name_of(asker: Asker) -> str:
    board = asker.machine.board
    assert isinstance(board, ArmBoard)
    return board.facts.name


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


def test_every_info_command_says_something(asker: Asker) -> None:
    listed = asker("human-monitor-command", **{"command-line": "info"})
    topics = [line.split()[1] for line in listed.splitlines() if line.startswith("info ") and len(line.split()) > 1]
    assert len(topics) > 20
    for topic in topics:
        assert "Traceback" not in asker("human-monitor-command", **{"command-line": f"info {topic}"})


def test_the_processor_is_where_qemu_has_it(asker: Asker) -> None:
    model = BOARDS[name_of(asker)]
    (cpu,) = asker("query-cpus-fast")
    assert (cpu["qom-path"], cpu["target"]) == (CPU, "arm")
    assert asker("qom-get", path=CPU, property="type") == f"{model}-arm-cpu"
    assert asker("query-target") == {"arch": "arm"}


def test_the_tree_has_all_devices(asker: Asker) -> None:
    board = asker.machine.board
    assert isinstance(board, ArmBoard)
    tree = asker("human-monitor-command", **{"command-line": "info qtree"})
    for device in board.sysbus.children:
        assert f"dev: {device.type_name}" in tree
    machine_type = asker("qom-get", path="/machine", property="type")
    assert machine_type == f"{board.facts.name}-machine"
    types = {entry["type"] for entry in asker("qom-list", path="/machine/unattached")}
    assert {f"child<{device.type_name}>" for device in board.sysbus.children} <= types


def test_registers_are_shown(asker: Asker) -> None:
    text = asker("human-monitor-command", **{"command-line": "info registers"})
    assert "R00=00000000" in text and "PSR=" in text


def test_nothing_keeps_the_machine_from_leaving(asker: Asker) -> None:
    assert asker.machine.migration  # it is there from now on
    assert asker("query-migrate").get("blocked-reasons") is None
    assert asker.system.part(SavedMachine).unsaved == []


def test_the_pci_bus_of_a_versatile_board_is_shown() -> None:
    with machine("versatilepb", "-device", "e1000,id=card") as made:
        asker = Asker(made)
        (bus,) = asker("query-pci")
        assert [(device["slot"], device["id"]["device"]) for device in bus["devices"]] == [(11, 0x300), (12, 0x100E)]
        assert "PCI device 8086:100e" in asker("human-monitor-command", **{"command-line": "info pci"})
        assert asker("qom-get", path="/machine/peripheral/card", property="type") == "e1000"
