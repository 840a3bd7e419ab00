"""A board with a network card between pyqemu and Debian's QEMU, both ways."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from pyqemu.boards.config import MachineConfig, NicConfig
from pyqemu.hw.net import e1000_registers as reg
from pyqemu.hw.net.e1000 import E1000
from pyqemu.migration.failure import MigrationError
from tests.migration.state.saved_rig import QEMU, Decoder, Qemu, config, count_on, counter_rom, load, machine, save

pytestmark = pytest.mark.skipif(shutil.which(QEMU[0]) is None, reason="needs Debian's qemu-system-x86")

CARD = ("-net", "nic,macaddr=52:54:00:00:00:77")
SECTION = "0000:00:02.0/e1000"


@pytest.fixture
def rom(tmp_path: Path) -> str:
    return counter_rom(tmp_path)


def with_card(rom: str) -> MachineConfig:
    return config(rom, nics=[NicConfig(mac="52:54:00:00:00:77")])


def card_of(made: Any) -> E1000:
    card: E1000 = made.board.cards[0]
    return card


@pytest.fixture
def stream(rom: str, tmp_path: Path) -> bytes:
    """From QEMU, whose card has an option ROM."""
    with Qemu(rom, tmp_path / "serial", *CARD) as qemu:
        qemu.wait_for_lines(2)
        return qemu.save(tmp_path / "stream")


def test_from_qemu_and_sent_on(rom: str, stream: bytes) -> None:
    """All fields are as they came, and are described as QEMU describes them. The size of receive buffers follows from
    RCTL here; QEMU has zero for it until the guest writes that register.
    """
    theirs = Decoder(stream).decode()
    assert f"{SECTION}.rom" in theirs.blocks
    with machine(with_card(rom)) as made:
        load(made, stream, go=False)
        assert card_of(made).mac[reg.STATUS] & reg.STATUS_LU
        ours = Decoder(save(made)[0]).decode()
    for path in (f"{SECTION}/0", f"{SECTION}/0/e1000/mit_state", f"{SECTION}/0/e1000/full_mac_state"):
        different = {name for name, value in theirs.fields[path].items() if ours.fields[path][name] != value}
        assert different <= {"rxbuf_size"}
    told, expected = (
        next(device for device in found.trailer["devices"] if device["name"] == SECTION) for found in (ours, theirs)
    )
    assert told == expected
    assert [name for _, name, _, _ in ours.sections] == [name for _, name, _, _ in theirs.sections if name != "slirp"]


def test_to_qemu(rom: str, tmp_path: Path) -> None:
    with machine(with_card(rom), running=True) as made:
        count_on(made, 9)
        card_of(made).mac[reg.VET] = 0x8100
        stream, _ = save(made)
    (tmp_path / "stream").write_bytes(stream)
    with Qemu(rom, tmp_path / "serial", *CARD, "-incoming", f"exec:cat {tmp_path / 'stream'}") as qemu:
        qemu.wait_for_lines(2)
        back = Decoder(qemu.save(tmp_path / "back")).decode()
    assert back.fields[f"{SECTION}/0"]["mac_reg[VET]"].hex() == "00008100"


def test_without_a_card_it_is_refused(rom: str, stream: bytes) -> None:
    with machine(config(rom)) as made, pytest.raises(MigrationError, match="e1000"):
        load(made, stream, go=False)


def test_with_another_card_it_is_refused(rom: str, stream: bytes) -> None:
    """The address in the name of the section is another one."""
    with machine(config(rom, nics=[NicConfig(addr="5")])) as made, pytest.raises(MigrationError, match=r"00:02\.0"):
        load(made, stream, go=False)
