"""Devices without a layout of saved state: either nothing is lost, or the machine stays where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyqemu.api.machine import Machine
from pyqemu.boards.added_saved import STATELESS
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.qapi.errors import QapiError
from pyqemu.qom.registry import DEVICES
from pyqemu.util.errors import UserError
from tests.migration.state.saved_rig import config, counter_rom, machine


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A device of which something would be lost. There is none; this one is only believed to be."""
    monkeypatch.delitem(STATELESS, "pvpanic")
    return {"driver": "pvpanic"}


def test_every_device_is_saved_stateless_or_blocks() -> None:
    DEVICES.discover("pyqemu.hw")
    without = {each.name for each in DEVICES.classes if each.user_creatable and each.cls.vmstate is None}
    assert without == set(STATELESS)


def test_one_that_would_lose_its_state_blocks(tmp_path: Path, forgetful: dict[str, str]) -> None:
    with machine(config(counter_rom(tmp_path), devices=[forgetful])) as made:
        assert made.migration.blockers.reasons == ["non-migratable device: pvpanic"]
        with pytest.raises(QapiError, match="State blocked by non-migratable device 'pvpanic'"):
            made.migration.migrate("exec:cat > /dev/null")


def test_stateless_ones_do_not(tmp_path: Path) -> None:
    devices = [{"driver": "isa-debug-exit"}, {"driver": "pvpanic"}]
    with machine(config(counter_rom(tmp_path), devices=devices, only_migratable=True)) as made:
        assert made.system.part(SavedMachine).unsaved == []
        made.migration.blockers.check()


def test_only_migratable_machines_have_no_such_device(tmp_path: Path, forgetful: dict[str, str]) -> None:
    settings = config(counter_rom(tmp_path), devices=[forgetful], only_migratable=True)
    with pytest.raises(UserError, match="Device pvpanic is not migratable, but --only-migratable was specified"):
        Machine(settings, say=lambda text: None)
