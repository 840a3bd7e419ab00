"""Devices without a layout of saved state: either nothing is lost, or the machine stays where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyqemu.api.machine import Machine
from pyqemu.boards.pc_saved import STATELESS
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.qapi.errors import QapiError
from pyqemu.qom.registry import DEVICES
from pyqemu.util.errors import UserError
from tests.migration.state.saved_rig import config, counter_rom, machine

BLOCKING = {"isa-vga"}


def test_every_device_is_saved_stateless_or_blocks() -> None:
    DEVICES.discover("pyqemu.hw")
    without = {each.name for each in DEVICES.classes if each.user_creatable and each.cls.vmstate is None}
    assert without == set(STATELESS) | BLOCKING


def test_one_that_would_lose_its_state_blocks(tmp_path: Path) -> None:
    with machine(config(counter_rom(tmp_path), devices=[{"driver": "isa-vga"}])) as made:
        assert made.migration.blockers.reasons == ["non-migratable device: isa-vga"]
        with pytest.raises(QapiError, match="State blocked by non-migratable device 'isa-vga'"):
            made.migration.migrate("exec:cat > /dev/null")


def test_stateless_ones_do_not(tmp_path: Path) -> None:
    devices = [{"driver": "isa-debug-exit"}, {"driver": "pvpanic"}]
    with machine(config(counter_rom(tmp_path), devices=devices, only_migratable=True)) as made:
        assert made.system.part(SavedMachine).unsaved == []
        made.migration.blockers.check()


def test_only_migratable_machines_have_no_such_device(tmp_path: Path) -> None:
    settings = config(counter_rom(tmp_path), devices=[{"driver": "isa-vga"}], only_migratable=True)
    with pytest.raises(UserError, match="Device isa-vga is not migratable, but --only-migratable was specified"):
        Machine(settings, say=lambda text: None)
