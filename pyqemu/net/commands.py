"""The QMP commands of networks."""

from __future__ import annotations

from pyqemu.net.network import Network
from pyqemu.qapi.commands import command
from pyqemu.qapi.errors import ErrorClass, QapiError
from pyqemu.qapi.generated.types import RxFilterInfo
from pyqemu.system import System


@command("set_link")
def set_link(system: System, *, name: str, up: bool) -> None:
    """Plug or unplug the cable of a network card.

    :raise QapiError: DeviceNotFound: no network client has that name.
    """
    client = Network.of(system).find(name)
    if client is None:
        raise QapiError(f"Device '{name}' not found", ErrorClass.DeviceNotFound)
    client.set_link(up)


@command("query-rx-filter")
def query_rx_filter(system: System, *, name: str | None = None) -> list[RxFilterInfo]:
    """Which frames cards take; virtio cards tell.

    :raise QapiError: the one that was asked for is none of them.
    """
    network = Network.of(system)
    if name is None:
        return [client.rx_filter() for client in network if client.rx_filter is not None]
    client = network.find(name)
    if client is None:
        raise QapiError(f"invalid net client name: {name}")
    if client.kind != "nic":
        raise QapiError(f"net client({name}) isn't a NIC")
    if client.rx_filter is None:
        raise QapiError(f"net client({name}) doesn't support rx-filter querying")
    return [client.rx_filter()]
