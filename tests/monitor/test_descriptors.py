"""``getfd``, ``add-fd`` and their kin."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyqemu.io.descriptors import Descriptors
from pyqemu.monitor.current import current_monitor
from pyqemu.qapi.errors import QapiError
from tests.command_rig import Commands


class Client:
    """A monitor that has got descriptors."""

    def __init__(self) -> None:
        self.fds: list[int] = []

    def take_descriptor(self) -> int:
        if not self.fds:
            raise QapiError("No file descriptor supplied via SCM_RIGHTS")
        return self.fds.pop(0)


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client()
    token = current_monitor.set(client)
    yield client
    current_monitor.reset(token)


@pytest.fixture
def pc() -> Iterator[Commands]:
    with Commands() as commands:
        yield commands


def test_without_a_descriptor_nothing_is_kept(pc: Commands, client: Client) -> None:
    for command, arguments in (("getfd", {"fdname": "x"}), ("add-fd", {})):
        assert pc.error(command, **arguments) == "No file descriptor supplied via SCM_RIGHTS"


def test_a_named_descriptor_is_kept_and_closed(pc: Commands, client: Client) -> None:
    client.fds = [os.open("/dev/null", os.O_RDONLY)]
    pc.ask("getfd", fdname="x")
    pc.ask("closefd", fdname="x")
    assert pc.error("closefd", fdname="x") == "File descriptor named 'x' not found"


def test_sets_are_made_told_and_removed(pc: Commands, client: Client) -> None:
    client.fds = [os.open("/dev/null", os.O_RDONLY), os.open("/dev/null", os.O_RDWR)]
    first, second = client.fds
    assert pc.ask("add-fd", opaque="mine") == {"fdset-id": 0, "fd": first}
    assert pc.ask("add-fd", fdset_id=0) == {"fdset-id": 0, "fd": second}
    assert pc.ask("query-fdsets") == [{"fdset-id": 0, "fds": [{"fd": first, "opaque": "mine"}, {"fd": second}]}]
    pc.ask("remove-fd", fdset_id=0, fd=first)
    pc.ask("remove-fd", fdset_id=0)
    assert pc.ask("query-fdsets") == []
    assert pc.error("remove-fd", fdset_id=0) == "File descriptor named 'fdset-id:0' not found"


def test_a_block_node_may_be_a_descriptor_set(pc: Commands, client: Client, tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(b"disk" * 1024)
    client.fds = [os.open(image, os.O_RDWR)]
    pc.ask("add-fd", fdset_id=2)
    assert "Permission denied" in pc.error(
        "blockdev-add", driver="file", filename="/dev/fdset/2", node_name="n", read_only=True
    )
    pc.ask("blockdev-add", driver="file", filename="/dev/fdset/2", node_name="n")
    pc.ask("remove-fd", fdset_id=2)
    assert pc.machine.drives.graph.get("n").read(0, 4) == b"disk"
    assert list(pc.system.part(Descriptors)) == []
