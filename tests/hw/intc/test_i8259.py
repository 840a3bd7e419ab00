"""8259A pair: initialization, priorities, modes, cascade, edge and level inputs."""

from __future__ import annotations

import pytest

from pyqemu.hw.intc.i8259 import Pic
from pyqemu.system.irq import FakeIrq


def initialized(icw4: int = 0x01) -> tuple[Pic, FakeIrq]:
    out = FakeIrq()
    pic = Pic(out)
    for chip, base, wiring in ((pic.master, 0x08, 0x04), (pic.slave, 0x70, 0x02)):
        chip.write(0, 1, 0x11)
        chip.write(1, 1, base)
        chip.write(1, 1, wiring)
        chip.write(1, 1, icw4)
        chip.write(1, 1, 0x00)
    return pic, out


def eoi(pic: Pic, slave: bool = False) -> None:
    if slave:
        pic.slave.write(0, 1, 0x20)
    pic.master.write(0, 1, 0x20)


def isr(chip: object) -> int:
    chip.write(0, 1, 0x0B)  # type: ignore[attr-defined]
    return int(chip.read(0, 1))  # type: ignore[attr-defined]


def irr(chip: object) -> int:
    chip.write(0, 1, 0x0A)  # type: ignore[attr-defined]
    return int(chip.read(0, 1))  # type: ignore[attr-defined]


@pytest.mark.parametrize(("line", "vector"), [(0, 8), (7, 15), (8, 0x70), (15, 0x77)])
def test_vector_is_base_plus_line(line: int, vector: int) -> None:
    pic, out = initialized()
    pic.inputs[line].set(True)
    assert out.level
    assert pic.acknowledge() == vector
    assert not out.level


def test_lower_number_wins_and_blocks_higher_until_eoi() -> None:
    pic, out = initialized()
    pic.inputs[4].pulse()
    pic.inputs[1].pulse()
    assert pic.acknowledge() == 9
    assert not out.level
    eoi(pic)
    assert out.level
    assert pic.acknowledge() == 12


def test_higher_priority_interrupts_service() -> None:
    pic, out = initialized()
    pic.inputs[4].pulse()
    pic.acknowledge()
    pic.inputs[1].pulse()
    assert out.level
    assert pic.acknowledge() == 9
    assert isr(pic.master) == 0x12


def test_edge_is_latched_once() -> None:
    pic, out = initialized()
    pic.inputs[3].set(True)
    pic.acknowledge()
    eoi(pic)
    assert not out.level
    pic.inputs[3].set(False)
    pic.inputs[3].set(True)
    assert out.level


def test_level_input_asks_again_until_it_falls() -> None:
    pic, out = initialized()
    pic.elcr.write(1, 1, 0xFF)
    assert pic.elcr.read(1, 1) == 0xDE  # IRQ 8 and 13 stay edge triggered
    pic.inputs[11].set(True)
    assert pic.acknowledge() == 0x73
    eoi(pic, slave=True)
    assert pic.acknowledge() == 0x73
    pic.inputs[11].set(False)
    eoi(pic, slave=True)
    assert not out.level


def test_elcr_of_master_keeps_timer_keyboard_cascade_edge_triggered() -> None:
    pic, _ = initialized()
    pic.elcr.write(0, 1, 0xFF)
    assert pic.elcr.read(0, 1) == 0xF8


def test_masked_line_is_pending_but_silent() -> None:
    pic, out = initialized()
    pic.master.write(1, 1, 0x08)
    pic.inputs[3].pulse()
    assert not out.level
    assert irr(pic.master) == 0x08
    pic.master.write(1, 1, 0x00)
    assert out.level
    assert pic.master.read(1, 1) == 0


def test_spurious_vectors() -> None:
    pic, out = initialized()
    assert pic.acknowledge() == 15
    assert isr(pic.master) == 0
    pic.inputs[9].pulse()
    pic.slave.write(1, 1, 0xFF)
    assert not out.level  # masked at the slave: nothing asked for any more
    assert pic.acknowledge() == 15


def test_slave_interrupt_needs_both_eois() -> None:
    pic, out = initialized()
    pic.inputs[14].pulse()
    assert pic.acknowledge() == 0x76
    assert (isr(pic.master), isr(pic.slave)) == (0x04, 0x40)
    pic.inputs[8].pulse()  # higher on the slave, but the master still serves line 2
    assert not out.level
    eoi(pic)
    assert out.level
    assert pic.acknowledge() == 0x70


def test_special_fully_nested_lets_the_slave_nest() -> None:
    pic, out = initialized(icw4=0x11)
    pic.inputs[14].pulse()
    pic.acknowledge()
    pic.inputs[8].pulse()
    assert out.level
    assert pic.acknowledge() == 0x70


def test_auto_eoi_leaves_nothing_in_service() -> None:
    pic, out = initialized(icw4=0x03)
    pic.inputs[5].pulse()
    pic.inputs[6].pulse()
    assert pic.acknowledge() == 13
    assert isr(pic.master) == 0
    assert out.level
    assert pic.acknowledge() == 14


def test_auto_eoi_slave_with_two_pending_interrupts_loses_none() -> None:
    pic, out = initialized(icw4=0x03)
    pic.inputs[9].pulse()
    pic.inputs[10].pulse()
    assert [pic.acknowledge(), pic.acknowledge()] == [0x71, 0x72]
    assert not out.level


def test_rotate_in_auto_eoi_mode() -> None:
    pic, _ = initialized(icw4=0x03)
    pic.master.write(0, 1, 0x80)
    pic.inputs[1].pulse()
    assert pic.acknowledge() == 9
    pic.inputs[1].pulse()
    pic.inputs[3].pulse()
    assert pic.acknowledge() == 11  # line 1 has become the lowest


def test_rotate_on_nonspecific_eoi() -> None:
    pic, _ = initialized()
    pic.inputs[0].pulse()
    pic.acknowledge()
    pic.master.write(0, 1, 0xA0)
    pic.inputs[0].pulse()
    pic.inputs[7].pulse()
    assert pic.acknowledge() == 15


def test_set_priority_and_specific_rotate() -> None:
    pic, _ = initialized()
    pic.master.write(0, 1, 0xC0 | 4)  # 5 is the highest now
    for line in (0, 5, 6):
        pic.inputs[line].pulse()
    assert pic.acknowledge() == 13
    pic.master.write(0, 1, 0xE0 | 5)
    assert pic.acknowledge() == 14
    assert isr(pic.master) == 0x40


def test_specific_eoi() -> None:
    pic, _ = initialized()
    pic.inputs[5].pulse()
    pic.acknowledge()
    pic.inputs[1].pulse()
    pic.acknowledge()
    pic.master.write(0, 1, 0x60 | 5)
    assert isr(pic.master) == 0x02


def test_special_mask_lets_lower_priorities_in() -> None:
    pic, out = initialized()
    pic.inputs[1].pulse()
    pic.acknowledge()
    pic.inputs[4].pulse()
    assert not out.level
    pic.master.write(1, 1, 0x02)
    pic.master.write(0, 1, 0x68)
    assert out.level
    assert pic.acknowledge() == 12
    pic.master.write(0, 1, 0x20)  # non-specific: not the masked one
    assert isr(pic.master) == 0x02


def test_poll_is_an_acknowledge() -> None:
    pic, out = initialized()
    pic.inputs[6].pulse()
    pic.master.write(0, 1, 0x0C)
    assert pic.master.read(0, 1) == 0x86
    assert not out.level
    assert isr(pic.master) == 0x40
    pic.master.write(0, 1, 0x0C)
    assert pic.master.read(0, 1) == 0


def test_icw1_clears_mask_and_requests() -> None:
    pic, out = initialized()
    pic.inputs[3].set(True)
    pic.master.write(1, 1, 0xFF)
    pic.master.write(0, 1, 0x11)
    assert not out.level
    assert irr(pic.master) == 0


def test_single_mode_without_icw4_needs_only_icw2() -> None:
    pic, _ = initialized()
    pic.master.write(0, 1, 0x12)
    pic.master.write(1, 1, 0x20)
    pic.master.write(1, 1, 0xFB)  # OCW1 already
    assert pic.master.read(1, 1) == 0xFB
    pic.inputs[2].pulse()  # the cascade input leads nowhere on a PC
    assert pic.acknowledge() == 0x27


def test_saved_state_bytes() -> None:
    pic, _ = initialized()
    pic.inputs[1].set(True)
    pic.acknowledge()
    chip = pic.master
    data = chip.vmstate.save(chip)
    assert data.hex(" ") == "02 00 00 02 00 08 00 00 00 00 00 00 00 01 00 00"
    other, out = initialized()
    other.slave.vmstate.load(other.slave, pic.slave.vmstate.save(pic.slave))
    other.inputs[4].pulse()
    assert out.level
    other.master.vmstate.load(other.master, data)
    assert not out.level
