"""The e1000's registers, EEPROM, transceiver and interrupts."""

from __future__ import annotations

import random

import pytest

from pyqemu.hw.net import e1000_eeprom as eeprom
from pyqemu.hw.net import e1000_registers as reg
from pyqemu.hw.net.e1000 import E1000, IODATA
from pyqemu.hw.pci import regs
from pyqemu.qom import DeviceError
from tests.hw.net.card_rig import OWN, PORTS, Rig, needs_qemu
from tests.hw.net.card_rig import QemuCard as Qemu

PATTERNS = (0xFFFF_FFFF, 0x5A5A_5A5A, 0)
MS = 1_000_000


@pytest.fixture
def rig() -> Rig:
    return Rig()


# -- the function


def test_is_an_82540em(rig: Rig) -> None:
    card = rig.card
    assert card.config[:4].hex() == "86800e10"
    assert card.word(regs.CLASS_DEVICE) == 0x0200
    assert card.config[regs.REVISION_ID] == 3
    assert (card.word(regs.SUBSYSTEM_VENDOR_ID), card.word(regs.SUBSYSTEM_ID)) == (0x1AF4, 0x1100)
    assert card.config[regs.INTERRUPT_PIN] == 1
    assert {number: (bar.size, bar.is_io) for number, bar in card.bars.items()} == {0: (0x20000, False), 1: (64, True)}


def test_mac_addresses_count_up_and_can_be_chosen(rig: Rig) -> None:
    second, third, chosen = E1000(), E1000(), E1000()
    chosen.set_option("mac", "52-54-00-12-34-58")
    for card in (second, chosen, third):
        rig.bus.add(card)
    assert second.get_option("mac") == "52:54:00:12:34:57"
    assert chosen.mac_address.hex(":") == "52:54:00:12:34:58"
    assert third.mac_address.hex(":") == "52:54:00:12:34:59", "not that of another card"
    assert [client.name for client in rig.network] == ["e1000.0", "e1000.1", "e1000.2", "e1000.3"]


def test_bad_address_is_refused() -> None:
    with pytest.raises(DeviceError, match="expects a MAC address"):
        E1000().set_option("mac", "52:54")


def test_unplugged_card_leaves_nothing_behind(rig: Rig) -> None:
    rig.bus.remove(rig.card)
    assert list(rig.network) == []
    assert rig.far.peer is None
    assert rig.network.claim_address(None) == OWN


# -- registers


@pytest.mark.parametrize("full", [True, False], ids=["all registers", "few registers"])
@needs_qemu
def test_every_register_reads_and_writes_as_qemus(full: bool) -> None:
    """The whole register space: what is there after reset, and what is left of what is written."""
    choice = "on" if full else "off"
    rig = Rig(extra_mac_registers=full, mitigation=full, cable=False)
    different = []
    with Qemu(extra_mac_registers=choice, mitigation=choice) as qemu:
        for offset in (*range(0, 0x10000, 4), 0x10000, 0x1FFFC):
            found = [(rig.read(offset), qemu.read(offset))]
            for pattern in PATTERNS:
                rig.write(offset, pattern)
                qemu.write(offset, pattern)
                found.append((rig.read(offset), qemu.read(offset)))
            if any(ours != theirs for ours, theirs in found):
                different.append(offset)
    # Without extra registers QEMU takes away only the first word of each array of them, which is an oversight.
    rest = {offset for first, count, _ in reg.EXTRA_BLOCKS for offset in range(first + 4, first + 4 * count, 4)}
    assert set(different) <= (set() if full else rest)


@pytest.mark.parametrize("low", [reg.TORL, reg.TOTL, reg.GORCL, reg.GOTCL])
def test_high_half_of_a_counter_clears_both(rig: Rig, low: int) -> None:
    rig.card.mac[low], rig.card.mac[low + 4] = 5, 6
    assert (rig.read(low), rig.read(low)) == (5, 5)
    assert rig.read(low + 4) == 6
    assert (rig.read(low), rig.read(low + 4)) == (0, 0)


def test_full_counters_stay_full(rig: Rig) -> None:
    rig.card.mac[reg.TPT] = 0xFFFF_FFFF
    rig.card.mac[reg.TOTL], rig.card.mac[reg.TOTH] = 0xFFFF_FFFF, 0xFFFF_FFFF
    rig.transmit_ring()
    rig.transmit(bytes(100))
    assert (rig.read(reg.TPT), rig.read(reg.TOTL), rig.read(reg.TOTH)) == (0xFFFF_FFFF,) * 3


def test_registers_by_ports(rig: Rig) -> None:
    rig.io.store(PORTS, 4, reg.VET)
    rig.io.store(PORTS + IODATA, 4, 0x8100)
    assert rig.io.load(PORTS, 4) == reg.VET
    assert rig.io.load(PORTS + IODATA, 4) == 0x8100
    assert rig.read(reg.VET) == 0x8100


@pytest.mark.parametrize("address", [0x20000, 0x80000, 0xFFFF_FFFF])
def test_nothing_behind_the_registers_by_ports(rig: Rig, address: int) -> None:
    rig.io.store(PORTS, 4, address)
    rig.io.store(PORTS + IODATA, 4, 0x1234)
    assert rig.io.load(PORTS + IODATA, 4) == 0


def test_port_address_is_no_register(rig: Rig) -> None:
    rig.io.store(PORTS, 4, reg.IOADDR)
    assert rig.io.load(PORTS + IODATA, 4) == 0
    rig.write(reg.IOADDR, 0x38)
    assert rig.io.load(PORTS, 4) == reg.IOADDR


def test_bytes_of_a_register(rig: Rig) -> None:
    """Drivers do not do it; it is no more than a part of the word."""
    assert rig.memory.load(0x1000_0000 + reg.STATUS + 1, 1) == 0x07


def test_software_reset_clears_only_itself(rig: Rig) -> None:
    rig.write(reg.VET, 0x8100)
    rig.write(reg.CTRL, reg.CTRL_RST | 0x40)
    assert (rig.read(reg.CTRL), rig.read(reg.VET)) == (0x40, 0x8100)


def test_reset_puts_everything_back(rig: Rig) -> None:
    for offset in (reg.VET, reg.RA, reg.MTA, reg.RCTL, reg.TDBAL, reg.IMS):
        rig.write(offset, 0xFFFF_FFFF)
    rig.card.pci_reset()
    rig.card.reset()
    mac = rig.card.mac
    assert [mac[offset] for offset in (reg.VET, reg.MTA, reg.RCTL, reg.TDBAL, reg.IMS)] == [0] * 5
    assert (mac[reg.RA], mac[reg.RA + 4]) == (0x1200_5452, 0x8000_5634)


# -- EEPROM


def clocked_word(rig: Rig, number: int) -> int:
    """A read by the wires: start bit and opcode, six bits of address, then sixteen of data."""

    def bits(value: int, count: int) -> None:
        for position in reversed(range(count)):
            line = eeprom.DI if value >> position & 1 else 0
            for clock in (0, eeprom.SK, 0):
                rig.write(reg.EECD, eeprom.CS | line | clock)

    rig.write(reg.EECD, 0)
    rig.write(reg.EECD, eeprom.CS)
    bits(eeprom.READ, 3)
    bits(number, 6)
    word = 0
    for _ in range(16):
        rig.write(reg.EECD, eeprom.CS | eeprom.SK)
        word = word << 1 | bool(rig.read(reg.EECD) & eeprom.DO)
        rig.write(reg.EECD, eeprom.CS)
    rig.write(reg.EECD, 0)
    return word


def read_word(rig: Rig | Qemu, number: int) -> int:
    """A read by the register EERD."""
    rig.write(reg.EERD, number << reg.EERD_ADDRESS | reg.EERD_START)
    value = rig.read(reg.EERD)
    assert value & reg.EERD_DONE
    return value >> reg.EERD_DATA


def test_both_ways_to_read_the_eeprom(rig: Rig) -> None:
    assert [clocked_word(rig, number) for number in range(64)] == [read_word(rig, number) for number in range(64)]


def test_eeprom_adds_up(rig: Rig) -> None:
    words = [read_word(rig, number) for number in range(64)]
    assert sum(words) & 0xFFFF == 0xBABA
    assert b"".join(word.to_bytes(2, "little") for word in words[:3]) == OWN


def test_chip_that_is_selected_anew_has_forgotten_the_read(rig: Rig) -> None:
    assert clocked_word(rig, 10) == 0x6403
    rig.write(reg.EECD, eeprom.CS)
    for _ in range(16):
        rig.write(reg.EECD, eeprom.CS | eeprom.SK)
        assert rig.read(reg.EECD) & eeprom.DO, "it only says that it is ready"
        rig.write(reg.EECD, eeprom.CS)


def test_behind_the_last_word_there_is_nothing(rig: Rig) -> None:
    assert read_word(rig, 64) == 0


@needs_qemu
def test_eeprom_is_qemus() -> None:
    rig = Rig(mac_property=bytes.fromhex("00a0c9112233"))
    with Qemu(mac="00:a0:c9:11:22:33") as qemu:
        assert [read_word(rig, number) for number in range(80)] == [read_word(qemu, number) for number in range(80)]


@needs_qemu
def test_wires_of_the_eeprom_are_qemus() -> None:
    """Also when they are driven as no driver does."""
    draw = random.Random(93)
    rig = Rig()
    with Qemu() as qemu:
        for _ in range(1500):
            lines = (
                draw.choice((eeprom.CS, eeprom.CS | eeprom.SK, eeprom.CS | eeprom.DI)) if draw.random() < 0.97 else 0
            )
            value = lines | (eeprom.DI if draw.random() < 0.4 else 0)
            rig.write(reg.EECD, value)
            qemu.write(reg.EECD, value)
            assert rig.read(reg.EECD) == qemu.read(reg.EECD)


# -- the transceiver


@needs_qemu
def test_transceiver_is_qemus(rig: Rig) -> None:
    """What can be read and written of it, and the errors; the registers of another one, too."""
    with Qemu() as qemu:
        for number in range(32):
            assert rig.read_phy(number) == qemu.read_phy(number)
            assert rig.write_phy(number, 0x1234) == qemu.write_phy(number, 0x1234)
            assert rig.read_phy(number) == qemu.read_phy(number)
        for other in (0, 2, 31):
            for card in (rig, qemu):
                card.write(reg.MDIC, reg.MDIC_READ | other << 21 | 1 << 16)
            assert rig.read(reg.MDIC) == qemu.read(reg.MDIC)


def test_access_to_the_transceiver_may_interrupt(rig: Rig) -> None:
    rig.write(reg.IMS, reg.ICR_MDAC)
    rig.write(reg.MDIC, reg.MDIC_READ | reg.MDIC_INTERRUPT | 1 << 21)
    assert rig.irq


def test_negotiation_takes_time(rig: Rig) -> None:
    rig.write(reg.IMS, reg.ICR_LSC)
    rig.write_phy(0, 0x1340)  # restart
    assert not rig.read(reg.STATUS) & reg.STATUS_LU
    assert not rig.read_phy(1) & 0x24
    rig.wait(499 * MS)
    assert not rig.irq
    rig.wait(1 * MS)
    assert rig.irq
    assert rig.read(reg.STATUS) & reg.STATUS_LU
    assert rig.read_phy(1) & 0x24 == 0x24
    assert rig.read_phy(5) & 0x4000
    assert not rig.read_phy(0) & 0x200, "the bit clears itself"


def test_no_negotiation_where_it_is_switched_off() -> None:
    rig = Rig(autonegotiation=False)
    rig.write_phy(0, 0x1340)
    assert rig.read(reg.STATUS) & reg.STATUS_LU


def test_pulled_cable_brings_the_link_down(rig: Rig) -> None:
    rig.write(reg.IMS, reg.ICR_LSC)
    rig.card.client.set_link(False)
    assert rig.irq
    assert not rig.read(reg.STATUS) & reg.STATUS_LU
    rig.card.pci_reset()
    rig.card.reset()
    assert not rig.card.mac[reg.STATUS] & reg.STATUS_LU, "a reset plugs nothing in"


def test_plugged_cable_brings_it_up_after_negotiation(rig: Rig) -> None:
    rig.card.client.set_link(False)
    rig.card.client.set_link(True)
    assert not rig.read(reg.STATUS) & reg.STATUS_LU
    rig.wait(500 * MS)
    assert rig.read(reg.STATUS) & reg.STATUS_LU


def test_negotiation_without_a_cable_ends_in_nothing(rig: Rig) -> None:
    rig.write_phy(0, 0x1340)
    rig.card.client.set_link(False)
    rig.wait(500 * MS)
    assert not rig.read(reg.STATUS) & reg.STATUS_LU


# -- interrupts


def test_line_is_causes_and_mask(rig: Rig) -> None:
    rig.write(reg.ICS, reg.ICR_LSC)
    assert not rig.irq
    rig.write(reg.IMS, reg.ICR_LSC)
    assert rig.irq
    rig.write(reg.IMC, reg.ICR_LSC)
    assert not rig.irq
    rig.wait(1 * MS)
    rig.write(reg.IMS, reg.ICR_LSC)
    assert rig.irq
    assert rig.read(reg.ICS) == reg.ICR_LSC, "reads as ICR"
    assert rig.read(reg.ICR) == reg.ICR_LSC
    assert not rig.irq
    assert rig.read(reg.ICR) == 0


def test_writing_causes_acknowledges_them(rig: Rig) -> None:
    rig.write(reg.IMS, 0xFF)
    rig.write(reg.ICS, reg.ICR_LSC | reg.ICR_RXO)
    rig.write(reg.ICR, reg.ICR_LSC)
    assert rig.irq
    rig.write(reg.ICR, reg.ICR_RXO)
    assert not rig.irq


@pytest.mark.parametrize(
    ("registers", "cause", "pause"),
    [
        ({}, reg.ICR_LSC, 128_000),
        ({reg.ITR: 1000}, reg.ICR_LSC, 256_000),
        ({reg.ITR: 1}, reg.ICR_LSC, 128_000),
        ({reg.RADV: 1000}, reg.ICR_RXT0, 128_000),
        ({reg.RADV: 1000, reg.RDTR: 1}, reg.ICR_RXT0, 1_024_000),
        ({reg.RADV: 1000, reg.RDTR: 1, reg.ITR: 2000}, reg.ICR_RXT0, 512_000),
        ({reg.RADV: 1000, reg.RDTR: 1}, reg.ICR_LSC, 128_000),
        ({reg.TADV: 1000}, reg.ICR_TXDW, 128_000),
    ],
)
def test_line_stays_low_for_a_while(rig: Rig, registers: dict[int, int], cause: int, pause: int) -> None:
    """Nanoseconds, from the first interrupt to the next."""
    for offset, value in registers.items():
        rig.write(offset, value)
    rig.write(reg.IMS, 0xFF)
    rig.write(reg.ICS, cause)
    assert rig.irq, "the first one is not held back"
    rig.read(reg.ICR)
    rig.write(reg.ICS, cause)
    assert not rig.irq
    rig.wait(pause - 1)
    assert not rig.irq
    rig.wait(1)
    assert rig.irq


def test_descriptors_may_ask_for_a_late_interrupt(rig: Rig) -> None:
    rig.write(reg.TADV, 1000)
    rig.write(reg.IMS, reg.ICR_TXDW)
    rig.transmit_ring()
    rig.transmit(bytes(60), 1 << 31 | 1 << 27 | 1 << 24)
    rig.read(reg.ICR)
    rig.write(reg.ICS, reg.ICR_TXDW)
    rig.wait(1_023_999)
    assert not rig.irq
    rig.wait(1)
    assert rig.irq


def test_without_mitigation_every_cause_counts_at_once() -> None:
    rig = Rig(mitigation=False)
    rig.write(reg.IMS, reg.ICR_LSC)
    for _ in range(3):
        rig.write(reg.ICS, reg.ICR_LSC)
        assert rig.irq
        rig.read(reg.ICR)
        assert not rig.irq
