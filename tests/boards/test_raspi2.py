"""``-M raspi2``: devices are where QEMU's are, and interrupt as they do."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from pyqemu.boards.raspi import GRAPHICS_RAM, Raspi2
from pyqemu.util.errors import UserError
from pyqemu.util.units import GIB, MIB
from tests.boards.arm_board_rig import Cause, board, compare_interrupts, compare_registers, uart
from tests.qtest_reference import needs_qemu_arm

LATER = "raspi2b"  #: as QEMU calls it now; it has more devices and a Cortex-A7
PERIPHERALS, CONTROL = 0x3F00_0000, 0x4000_0000
IC, MAILBOX, AUX, EMMC = (PERIPHERALS + offset for offset in (0xB200, 0xB880, 0x21_5000, 0x30_0000))
UART0 = PERIPHERALS + 0x20_1000


@needs_qemu_arm
def test_devices_are_where_qemus_are() -> None:
    places = [UART0 + offset for offset in (*range(0xFE0, 0x1000, 4), 0x18, 0x30)]
    places += [IC + offset for offset in range(0, 0x28, 4)]
    places += [CONTROL + offset for offset in (0x0C, 0x24, *range(0x40, 0x80, 4), 0xC0)]
    places += [MAILBOX + offset for offset in (0x18, 0x1C, 0x38, 0x3C)]
    places += [AUX + offset for offset in (0x00, 0x04, 0x4C, 0x54, 0x64)]
    places += [EMMC + offset for offset in (0x28, 0x30)]
    places += [PERIPHERALS + offset for offset in (0x7000, 0x7020, 0x7FE0, 0x7FF0, 0xE0_5000)]
    compare_registers("raspi2", places, binary=LATER)


@needs_qemu_arm
def test_interrupts_lead_where_qemus_do() -> None:
    controllers = [IC + 4, IC + 8, CONTROL + 0x60]  # the first one's bits 8 and 9 are the data sheet's here
    before = [Cause("all enabled", ((IC + 0x10, 0xFFFFFFFF), (IC + 0x14, 0xFFFFFFFF), (IC + 0x18, 0xFF)))]
    causes = [
        uart(UART0),
        Cause("second UART", ((AUX + 0x44, 2),)),
        Cause("SD card's host", ((EMMC + 0x34, 0x01FF01FF), (EMMC + 0x38, 0x01FF01FF), (EMMC + 0x0C, 0x00020000))),
    ]
    compare_interrupts("raspi2", causes, controllers, before=before, binary=LATER)


def test_it_has_a_gibibyte_unless_told_otherwise() -> None:
    with board("raspi2") as made:
        assert made.ram.size == GIB
        assert isinstance(made, Raspi2) and made.processors_ram == GIB - GRAPHICS_RAM
    with board("raspi2", "-m", "256") as made:
        assert made.ram.size == 256 * MIB


def test_the_mailbox_tells_of_the_board() -> None:
    buffer, tags = 0x1000, struct.pack("<6I", 24, 0, 0x0001_0002, 4, 0, 0)
    with board("raspi2") as made:
        made.memory_space.write(buffer, tags)
        made.memory_space.store(MAILBOX + 0x1C, 4, 1)
        made.memory_space.store(IC + 0x18, 4, 2)
        made.memory_space.store(MAILBOX + 0x20, 4, buffer | 8)
        assert made.cpu_irq.level and made.memory_space.load(IC, 4) == 2
        assert made.memory_space.load(MAILBOX, 4) == buffer | 8
        assert struct.unpack("<6I", made.memory_space.read(buffer, 24))[1:] == (
            0x8000_0000, 0x0001_0002, 4, 0x8000_0004, 0xA2_1041)  # fmt: skip


def test_the_processors_timers_ask_by_the_local_controller() -> None:
    with board("raspi2") as made:
        made.memory_space.store(CONTROL + 0x40, 4, 0x8)
        made.cpu.timer.outputs[1](True)
        assert made.memory_space.load(CONTROL + 0x60, 4) == 0x8 and made.cpu_irq.level


def test_firmware_is_where_a_pi_loads_it(tmp_path: Path) -> None:
    image = tmp_path / "kernel7.img"
    image.write_bytes(b"firmware")
    with board("raspi2", "-bios", str(image)) as made:
        made.system.reset()
        assert made.memory_space.read(0x8000, 8) == b"firmware" and made.cpu.pc == 0x8000


@pytest.mark.parametrize(("options", "message"), [
    (["-m", "2048"], "-m: machine 'raspi2' takes up to 1 GiB of memory"),
    (["-m", "64"], "-m: machine 'raspi2' needs more than the 64 MiB of its graphics core"),
    (["-net", "nic"], "-net nic: machine 'raspi2' has no network cards"),
    (["-drive", "if=sd,index=1,file=/dev/null"], None),
])  # fmt: skip
def test_what_cannot_be_is_told(options: list[str], message: str | None) -> None:
    with pytest.raises(UserError) as told, board("raspi2", *options):
        pass
    assert message is None or told.value.message == message


def test_there_is_a_picture() -> None:
    """640 by 480 pixels of 16 bits, behind the processor's memory."""
    with board("raspi2") as made:
        assert isinstance(made, Raspi2)
        made.memory_space.write(made.processors_ram + MIB, b"\x00\xf8" * 640)
        frame = made.frame()
        assert frame is not None and (frame.width, frame.height) == (640, 480)
        assert frame.rgb[: 3 * 641] == b"\xff\0\0" * 640 + bytes(3)
