"""A machine's network clients: names, addresses, what people and programs are told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyqemu.net import NetClient, Network
from pyqemu.net.checksum import internet_checksum, ones_sum
from pyqemu.system import System
from tests.command_rig import Commands, opened
from tests.qemu_reference import Reference, needs_qemu


def nic(name: str) -> NetClient:
    return NetClient(name, "nic", receive=lambda frame: True, info="model=test,macaddr=0")


def test_every_machine_has_one_network() -> None:
    system = System()
    assert Network.of(system) is Network.of(system)
    assert Network.of(System()) is not Network.of(system)


def test_names_are_those_that_are_free() -> None:
    network = Network()
    for expected in ("e1000.0", "e1000.1"):
        name = network.free_name("e1000")
        assert name == expected
        network.add(nic(name))
    network.remove(next(iter(network)))
    assert network.free_name("e1000") == "e1000.0"


def test_addresses_count_up_and_come_back() -> None:
    network = Network()
    first, second = network.claim_address(None), network.claim_address(None)
    assert (first.hex(":"), second.hex(":")) == ("52:54:00:12:34:56", "52:54:00:12:34:57")
    assert network.claim_address(first) == first, "who insists gets it twice"
    network.release_address(second)
    assert network.claim_address(None) == second


def test_many_cards_have_different_addresses() -> None:
    network = Network()
    assert len({network.claim_address(None) for _ in range(300)}) == 300


def test_card_is_shown_with_its_other_end() -> None:
    network = Network()
    card, backend = nic("e1000.0"), NetClient("user.0", "user", receive=lambda frame: True, info="net=10.0.2.0")
    for client in (backend, card):
        network.add(client)
    card.connect(backend)
    assert network.lines() == [
        "e1000.0: index=0,type=nic,model=test,macaddr=0",
        " \\ user.0: index=0,type=user,net=10.0.2.0",
    ]


@pytest.mark.parametrize(
    ("data", "total"),
    [(b"", 0), (b"\x12", 0x1200), (b"\x12\x34\xff\xff", 0x1234), (bytes.fromhex("0001f203f4f5f6f7"), 0xDDF2)],
)
def test_internet_checksum(data: bytes, total: int) -> None:
    """The last one is the example of RFC 1071."""
    assert ones_sum(data) == total
    assert internet_checksum(data) == total ^ 0xFFFF


# -- commands


@pytest.fixture
def commands() -> Iterator[Commands]:
    yield from opened(defaults=True, serials=["null"], parallels=["null"])


def test_link_of_the_default_card(commands: Commands) -> None:
    card = commands.machine.board.cards[0]
    commands.ask("set_link", _name="e1000.0", up=False)
    assert card.client.link_down
    commands.ask("set_link", _name="e1000.0", up=True)
    assert not card.client.link_down


def test_link_of_nobody(commands: Commands) -> None:
    assert commands.error_class("set_link", _name="nobody", up=False) == "DeviceNotFound"
    assert commands.error("set_link", _name="nobody", up=False) == "Device 'nobody' not found"


def test_receive_filters(commands: Commands) -> None:
    Network.of(commands.system).add(NetClient("backend", "user", receive=lambda frame: True))
    assert commands.ask("query-rx-filter") == []
    assert commands.error("query-rx-filter", _name="nobody") == "invalid net client name: nobody"
    assert commands.error("query-rx-filter", _name="backend") == "net client(backend) isn't a NIC"
    assert (
        commands.error("query-rx-filter", _name="e1000.0") == "net client(e1000.0) doesn't support rx-filter querying"
    )


@needs_qemu
def test_people_are_told_what_qemu_tells() -> None:
    with Reference("-device", "e1000", "-device", "e1000,id=second,mac=52:54:00:00:00:01") as qemu:
        expected = qemu.ask("human-monitor-command", command_line="info network").replace("\r\n", "\n")
    devices = [{"driver": "e1000"}, {"driver": "e1000", "id": "second", "mac": "52:54:00:00:00:01"}]
    for commands in opened(devices=devices):
        found = commands.ask("human-monitor-command", command_line="info network")
        assert found.replace("\r\n", "\n") == expected
