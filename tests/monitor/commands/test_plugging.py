"""``device_add`` and ``device_del``, and how the guest has its say (pyqemu/hw/acpi/pci_hotplug.py)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyqemu.hw.pci.device import PciDevice
from pyqemu.qom import DEVICES, Property, device_class
from tests.monitor.commands.asker import Asker

EVENT_STATUS, UP, DOWN, EJECT = 0xAFE0, 0xAE00, 0xAE04, 0xAE08
NETWORK_CARD = 3  # its slot


@pytest.fixture(autouse=True)
def pluggable() -> Iterator[None]:
    """A model that may come and go."""

    @device_class("pluggable", bus="pci", category="misc")
    class Pluggable(PciDevice):
        vendor_id, device_id, class_id = 0x1234, 0x5678, 0x00FF
        loud = Property.bool("loud", False)

    yield
    del DEVICES._classes["pluggable"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({}, "Parameter 'driver' is missing"),
        ({"driver": "nope"}, "'nope' is not a valid device model name"),
        ({"driver": "isa-debugcon"}, "Bus 'isa.0' does not support hotplugging"),
        ({"driver": "ide-hd"}, "Bus 'ide.0' does not support hotplugging"),
        ({"driver": "VGA"}, "Parameter 'driver' expects a pluggable device type"),
        ({"driver": "PIIX4_PM"}, "Parameter 'driver' expects a pluggable device type"),
        ({"driver": "pluggable", "id": "9"}, "Parameter 'id' expects an identifier"),
        ({"driver": "pluggable", "bus": "pci.7"}, "Bus 'pci.7' not found"),
        ({"driver": "pluggable", "addr": "1.0"}, "PCI: slot 1 function 0 not available for pluggable, in use by PIIX3"),
        ({"driver": "pluggable", "nope": 1}, "Property '.nope' not found"),
        ({"driver": "pluggable", "loud": "x"}, "Parameter 'loud' expects 'on' or 'off'"),
        ({"driver": "pluggable", "loud": [1]}, "Invalid parameter type for 'loud', expected: string"),
    ],
)  # fmt: skip
def test_devices_that_cannot_be_added(asker: Asker, options: dict[str, object], error: str) -> None:
    assert asker.error("device_add", **options) == error


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("nope", "DeviceNotFound: Device 'nope' not found"),
        ("/machine/fw_cfg", "Device 'fw_cfg_io' does not support hotplugging"),
        ("/machine/unattached", "/machine/unattached is not a hotpluggable device"),
        ("/machine/unattached/device[2]", "Device 'PIIX3' does not support hotplugging"),
    ],
)
def test_devices_that_cannot_be_deleted(asker: Asker, name: str, error: str) -> None:
    assert asker.error("device_del", id=name) == error


def load(asker: Asker, port: int) -> int:
    with asker.system.lock:
        return asker.machine.cpu.io.load(port, 4)  # type: ignore[attr-defined, no-any-return]


def store(asker: Asker, port: int, value: int) -> None:
    with asker.system.lock:
        asker.machine.cpu.io.store(port, 4, value)  # type: ignore[attr-defined]


def test_guest_is_told_and_lets_go(fresh: Asker) -> None:
    fresh("device_add", driver="pluggable", id="t1", addr="7", loud=True)
    path = "/machine/peripheral/t1"
    assert fresh("qom-get", path=path, property="loud") is True
    assert fresh("qom-get", path=path, property="hotplugged") is True
    assert any(device["qdev_id"] == "t1" for device in fresh("query-pci")[0]["devices"])
    assert load(fresh, EVENT_STATUS) & 0xFFFF == 2
    assert (load(fresh, UP), load(fresh, UP)) == (1 << 7, 0)  # told once
    assert fresh.error("device_add", driver="pluggable", id="t1") == "Duplicate device ID 't1'"

    fresh("device_del", id="t1")
    assert load(fresh, DOWN) == 1 << 7
    assert fresh.error("device_del", id="t1") == "Device t1 is already in the process of unplug"
    assert fresh.events == []
    store(fresh, EJECT, 1 << 7)
    assert fresh.events == [("DEVICE_DELETED", {"device": "t1", "path": path})]
    assert load(fresh, DOWN) == 0
    assert fresh.error("device_del", id="t1") == "DeviceNotFound: Device 't1' not found"
    fresh("device_add", driver="pluggable", id="t1", addr="7")


def test_device_without_id_is_deleted_by_its_path(fresh: Asker) -> None:
    fresh("device_add", driver="pluggable")
    fresh("device_del", id="/machine/peripheral-anon/device[0]")
    fresh("system_reset")
    fresh.serve()
    assert fresh.events[0] == ("DEVICE_DELETED", {"path": "/machine/peripheral-anon/device[0]"})


def test_guest_cannot_eject_what_is_soldered(fresh: Asker) -> None:
    before = fresh("query-pci")
    store(fresh, EJECT, 0xFFFF_FFFF & ~(1 << NETWORK_CARD))  # that one is on the board, but in a slot
    assert fresh("query-pci") == before
    assert fresh.events == []
