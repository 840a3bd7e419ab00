"""SMBus host of the power management function."""

from __future__ import annotations

import pytest

from pyqemu.hw.acpi.pm_smbus import PmSmbus, SmbusEeprom


@pytest.fixture
def host() -> PmSmbus:
    host = PmSmbus()
    host.devices[0x50] = SmbusEeprom(bytes(range(256)))
    return host


def run(host: PmSmbus, address: int, protocol: int, command: int = 0) -> int:
    host.write(4, 1, address)
    host.write(3, 1, command)
    host.write(2, 1, 0x40 | protocol << 2)
    return host.read(0, 1)


def test_nobody_answers(host: PmSmbus) -> None:
    assert run(host, 0xA3, 2) == 0x04
    host.write(0, 1, 0xFF)
    assert host.read(0, 1) == 0


def test_byte_and_word_data(host: PmSmbus) -> None:
    assert run(host, 0xA1, 2, 0x33) == 0x02
    assert host.read(5, 1) == 0x33
    run(host, 0xA1, 3, 0x40)
    assert (host.read(5, 1), host.read(6, 1)) == (0x40, 0x41)


def test_receive_byte_goes_on(host: PmSmbus) -> None:
    run(host, 0xA0, 1, 0x10)
    run(host, 0xA1, 1)
    assert host.read(5, 1) == 0x10
    run(host, 0xA1, 1)
    assert host.read(5, 1) == 0x11


def test_block_read(host: PmSmbus) -> None:
    run(host, 0xA1, 5, 4)
    assert host.read(5, 1) == 4
    assert [host.read(7, 1) for _ in range(4)] == [5, 6, 7, 8]


def test_writes_are_ignored_by_an_eeprom(host: PmSmbus) -> None:
    host.write(5, 1, 0xEE)
    assert run(host, 0xA0, 2, 0x33) == 0x02
    run(host, 0xA1, 2, 0x33)
    assert host.read(5, 1) == 0x33
    assert run(host, 0xA0, 0) == 0x02
