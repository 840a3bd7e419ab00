"""PIIX4 power management as a PCI function."""

from __future__ import annotations

import pytest

from pyqemu.hw.acpi.piix4_pm import Piix4Pm
from pyqemu.hw.pci.bus import PciBus
from pyqemu.memory import AddressSpace
from pyqemu.system import FakeIrq


class Bench:
    def __init__(self, **props: object) -> None:
        self.bus = PciBus.standalone()
        self.io = AddressSpace("I/O", self.bus.io)
        self.device = Piix4Pm(**props)
        self.sci, self.smi = FakeIrq(), FakeIrq()
        self.device.sci, self.device.smi = self.sci, self.smi
        self.bus.add(self.device, 0x0B)

    def place(self, base: int = 0xB000) -> None:
        """As firmware does."""
        self.device.config_write(0x40, 4, base | 1)
        self.device.config_write(0x80, 1, 1)


@pytest.fixture
def b() -> Bench:
    return Bench()


def test_identity(b: Bench) -> None:
    config = b.device.config
    assert config[:4].hex() == "86801371"
    assert config[8:12].hex() == "03008006"
    assert (config[0x3D], b.device.long(0x90), config[0xD2]) == (1, 0xB101, 9)


def test_pm_registers_appear_where_firmware_puts_them(b: Bench) -> None:
    assert b.io.load(0xB008, 4) == 0xFFFF_FFFF
    b.place()
    assert b.device.long(0x40) == 0xB001
    assert b.io.load(0xB004, 2) == 0
    b.device.config_write(0x80, 1, 0)
    assert b.io.load(0xB004, 2) == 0xFFFF
    b.place(0x600)
    assert b.io.load(0x604, 2) == 0
    b.device.reset()
    assert b.io.load(0x604, 2) == 0xFFFF


def test_acpi_enable_through_the_smi_command_port(b: Bench) -> None:
    b.place()
    b.io.store(0xB2, 1, 0xF1)
    assert b.io.load(0xB004, 2) == 1
    b.io.store(0xB2, 1, 0xF0)
    assert b.io.load(0xB004, 2) == 0
    b.io.store(0xB3, 1, 0x77)
    assert (b.io.load(0xB2, 1), b.io.load(0xB3, 1)) == (0xF0, 0x77)


@pytest.mark.parametrize(("smm", "pulses"), [(False, 0), (True, 1)])
def test_smi_only_with_smm(smm: bool, pulses: int) -> None:
    b = Bench(smm_enabled=smm)
    assert b.device.config[0x5B] == (0 if smm else 2)
    b.device.config_write(0x5B, 1, 2)
    b.io.store(0xB2, 1, 0x01)
    assert b.smi.edges == pulses


def test_gpe_and_smbus_have_fixed_places(b: Bench) -> None:
    b.io.store(0xAFE2, 1, 1)
    b.device.pm.gpe.set_event(0)
    assert b.sci.level
    b.io.store(0xAFE0, 1, 1)
    assert not b.sci.level
    b.io.store(0xB104, 1, 0xA1)
    assert b.io.load(0xB104, 1) == 0xA1


@pytest.mark.parametrize(("kind", "wanted"), [(0, "shutdown"), (1, "suspend"), (2, "shutdown"), (5, None)])
def test_sleep_states(b: Bench, monkeypatch: pytest.MonkeyPatch, kind: int, wanted: str | None) -> None:
    got: list[str] = []
    monkeypatch.setattr(b.bus.system, "request_shutdown", lambda cause=None: got.append("shutdown"))
    monkeypatch.setattr(b.bus.system, "request_suspend", lambda: got.append("suspend"))
    b.place()
    b.io.store(0xB004, 2, 0x2000 | kind << 10)
    assert got == ([wanted] if wanted else [])


def test_power_button_raises_the_sci(b: Bench) -> None:
    b.place()
    b.io.store(0xB002, 2, 0x100)
    b.bus.system.request_powerdown()
    b.bus.system.process_requests()
    assert b.sci.level


def test_ports_of_the_board_are_shown(b: Bench) -> None:
    b.device.note_ports((0x378, 0x3F8, 0x2F8, 0x64))
    b.device.reset()
    assert (b.device.config[0x5F], b.device.config[0x67]) == (0x90, 0x98)


def test_suspend_tells_firmware(b: Bench) -> None:
    line = FakeIrq()
    b.device.cmos_s3 = line
    b.place()
    b.io.store(0xB004, 2, 0x2000 | 1 << 10)
    assert line.edges == 1
    assert not line.level


def test_saved_state_round_trip(b: Bench) -> None:
    b.place()
    b.io.store(0xB002, 2, 0x100)
    b.device.pm.press_power_button()
    data = b.device.vmstate.save(b.device)
    assert len(data) == 2380
    other = Bench()
    other.device.vmstate.load(other.device, data)
    assert other.sci.level
    assert other.io.load(0xB000, 4) == 0x0100_0100
