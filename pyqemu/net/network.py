"""All network clients of a machine: their names, and the addresses of cards that were given none."""

from __future__ import annotations

from collections.abc import Iterator

from pyqemu.net.client import NetClient
from pyqemu.qapi.errors import QapiError
from pyqemu.system import System

FIRST_ADDRESS = bytes.fromhex("525400123456")
"""QEMU's first card has it; the last byte counts up."""


class Network:
    """The clients, in the order in which they came."""

    def __init__(self) -> None:
        self._clients: list[NetClient] = []
        self._addresses: list[bytes] = []

    @classmethod
    def of(cls, system: System) -> Network:
        """The machine's; made when the first asks, so that a board without cards need not know of it."""
        try:
            return system.part(cls)
        except QapiError:
            network = cls()
            system.add_part(network)
            return network

    def __iter__(self) -> Iterator[NetClient]:
        return iter(self._clients)

    def add(self, client: NetClient) -> None:
        """Make a client known."""
        self._clients.append(client)

    def remove(self, client: NetClient) -> None:
        """Forget a client, and pull its cable."""
        client.disconnect()
        self._clients.remove(client)

    def find(self, name: str) -> NetClient | None:
        """The client of that name."""
        return next((client for client in self._clients if client.name == name), None)

    def free_name(self, model: str) -> str:
        """A name for a card whose device has no id: ``e1000.0``, ``e1000.1``, ..."""
        number = 0
        while self.find(f"{model}.{number}") is not None:
            number += 1
        return f"{model}.{number}"

    def claim_address(self, wanted: bytes | None) -> bytes:
        """The address that a card shall have: the *wanted* one, else the next of QEMU's that is free.

        More than one card may be given the same address, as people do on purpose.
        """
        if wanted is None:
            wanted = next(address for address in _counted() if address not in self._addresses)
        self._addresses.append(wanted)
        return wanted

    def release_address(self, address: bytes) -> None:
        """A card with that address is gone."""
        self._addresses.remove(address)

    def lines(self) -> list[str]:
        """The clients for people, as ``info network`` shows them: cards, with what is at their other end."""
        found = []
        for client in self._clients:
            if client.kind == "nic" or client.peer is None:
                found.append(_line(client))
                found += [f" \\ {_line(client.peer)}"] if client.peer is not None else []
        return found


def _counted() -> Iterator[bytes]:
    """QEMU's addresses; they go on past the last byte, which a PCI bus has no room for anyway."""
    first = int.from_bytes(FIRST_ADDRESS, "big")
    number = 0
    while True:
        yield (first + number).to_bytes(6, "big")
        number += 1


def _line(client: NetClient) -> str:
    """QEMU counts queues of a client; here each has one, number 0."""
    return f"{client.name}: index=0,type={client.kind},{client.info}"
