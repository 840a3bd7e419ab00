"""Network cards: ``info network``, ``set_link``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.monitor.hmp.table import hmp_command
from pyqemu.net import Network, commands

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp


@hmp_command("network", "", "the network cards and what they are connected with", is_info=True)
def info_network(hmp: Hmp) -> None:
    for line in Network.of(hmp.system).lines():
        hmp.print(line)


def _complete_name(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    return [client.name for client in Network.of(hmp.system)]


@hmp_command("set_link", "name:s,up:b", "plug or unplug a network cable", completers={"name": _complete_name})
def set_link(hmp: Hmp, *, name: str, up: bool) -> None:
    hmp.call(commands.set_link, name=name, up=up)
