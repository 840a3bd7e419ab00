"""Which network cards a pc has, and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyqemu.api.machine import Machine
from pyqemu.boards.config import MachineConfig, NicConfig
from pyqemu.boards.pc_boot import boot_order
from pyqemu.cli.defaults import parse_command_line
from pyqemu.hw.pci.device import ROM_BAR
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.util.errors import UserError
from tests.qemu_reference import Reference, needs_qemu


def made(**settings: Any) -> Machine:
    given = {"memory": 8 << 20, "paused": True, "serials": ["null"], "parallels": ["null"], **settings}
    return Machine(MachineConfig(**given), say=lambda text: None)


def cards(**settings: Any) -> list[tuple[int, str]]:
    """Slots and addresses of the cards."""
    with made(**settings) as machine:
        return [(card.devfn >> 3, card.mac_address.hex(":")) for card in machine.board.cards]


def nics(*arguments: str) -> list[NicConfig] | None:
    return parse_command_line("pyqemu", list(arguments), interactive=False).config.nics


def test_default_board_has_a_card_in_slot_3() -> None:
    assert cards() == [(3, "52:54:00:12:34:56")]


@pytest.mark.parametrize("settings", [{"defaults": False}, {"nics": []}], ids=["no defaults", "none"])
def test_board_without_cards(settings: dict[str, Any]) -> None:
    assert cards(**settings) == []


def test_without_a_display_adapter_its_slot_is_free() -> None:
    assert cards(vga="none")[0][0] == 2


def test_several_cards() -> None:
    given = [NicConfig(), NicConfig(model="e1000", mac="52:54:00:00:00:01", addr="9", name="second"), NicConfig()]
    assert cards(nics=given) == [(3, "52:54:00:12:34:56"), (9, "52:54:00:00:00:01"), (4, "52:54:00:12:34:57")]


def test_cards_of_device_come_besides() -> None:
    with made(devices=[{"driver": "e1000", "id": "other"}]) as machine:
        assert machine.board.cards[0].devfn >> 3 == 3
        (other,) = machine.board.user_devices
        assert other.devfn >> 3 == 4
        names = [state.idstr for state in machine.system.part(SavedMachine).states if state.idstr.endswith("/e1000")]
        assert names == ["0000:00:03.0/e1000", "0000:00:04.0/e1000"]


@needs_qemu
def test_cards_are_where_qemu_has_them() -> None:
    with Reference("-net", "nic", "-net", "nic,macaddr=52:54:00:00:00:01", "-device", "e1000,addr=1e.2") as qemu:
        found = qemu.ask("query-pci")[0]["devices"]
    theirs = [(each["slot"], each["function"]) for each in found if each["class_info"]["class"] == 0x200]
    with made(vga="none", defaults=False, nics=[NicConfig(), NicConfig(mac="52:54:00:00:00:01")],
              devices=[{"driver": "e1000", "addr": "1e.2"}]) as machine:  # fmt: skip
        ours = [(devfn >> 3, devfn & 7) for devfn, each in machine.board.pci.devices.items() if each.class_id == 0x200]
    assert sorted(ours) == sorted(theirs)


# -- options


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", None),
        ("-net none", []),
        ("-nic none", []),
        ("-net nic", [NicConfig()]),
        ("-net nic,model=e1000,macaddr=52:54:00:00:00:01,addr=5,name=n,vlan=2",
         [NicConfig(model="e1000", mac="52:54:00:00:00:01", addr="5", name="n")]),
        ("-nic model=e1000,mac=52:54:00:00:00:01,id=n",
         [NicConfig(model="e1000", mac="52:54:00:00:00:01", name="n")]),
        ("-net nic -nic model=e1000 -net none", [NicConfig(), NicConfig(model="e1000")]),
        ("-net nic,netdev=x", [NicConfig(netdev="x")]),
    ],
)  # fmt: skip
def test_options(arguments: str, expected: list[NicConfig] | None) -> None:
    found = nics(*arguments.split())
    if found is not None:
        found = [NicConfig(nic.model, nic.mac, nic.addr, nic.name, nic.netdev) for nic in found]
    assert found == expected


@pytest.mark.parametrize(
    "nic", [NicConfig(model="ne1"), NicConfig(netdev="n"), NicConfig(addr="2"), NicConfig(mac="1")]
)
def test_what_cannot_be_is_told_with_its_option(nic: NicConfig) -> None:
    with pytest.raises(UserError, match=r"^-net nic: "), made(nics=[nic]):
        pass


# -- option ROM, boot order


def test_no_card_has_a_rom_unless_it_is_given_one(tmp_path: Path) -> None:
    rom = tmp_path / "rom"
    rom.write_bytes(b"\x55\xaa\x01" + bytes(509))
    with made(devices=[{"driver": "e1000", "romfile": str(rom)}]) as machine:
        assert ROM_BAR not in machine.board.cards[0].bars
        assert machine.board.user_devices[0].bars[ROM_BAR].size == 2048
        saved = machine.system.part(SavedMachine)
        assert saved.find_block("0000:00:04.0/e1000.rom") is not None
        assert saved.take_block("0000:00:03.0/e1000.rom", 0x40000) is not None, "QEMU's has one"


def test_card_in_the_boot_order() -> None:
    with made(devices=[{"driver": "e1000", "bootindex": "3", "addr": "6.1"}]) as machine:
        assert boot_order(machine.board) == ["/pci@i0cf8/ethernet@6,1/ethernet-phy@0"]
