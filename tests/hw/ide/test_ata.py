"""Hard disks: commands through the ports, PIO and DMA, time and errors."""

import errno
import random

import pytest
from ide_rig import BUFFER, MOMENT, Rig, disk_image

from pyqemu.block import BlockIOError, Drive, ErrorPolicy, MemoryNode
from pyqemu.system import RunState


@pytest.fixture
def rig() -> Rig:
    return Rig(disk=disk_image())


def contents(rig: Rig, lba: int, count: int = 1, name: str = "disk") -> bytes:
    return rig.drives[name].read(512 * lba, 512 * count)


# -- selection, resets, time


def test_after_reset(rig: Rig) -> None:
    assert rig.registers == [0, 1, 1, 0, 0, 0xA0, 0x50]
    rig.outb(6, 0xB0)
    assert rig.registers == [0, 1, 1, 0xFF, 0xFF, 0xB0, 0]  # no slave


def test_an_empty_channel_reads_as_zeros() -> None:
    rig = Rig()
    rig.outb(2, 0x55)
    assert rig.registers == [0] * 7 and rig.altstatus == 0
    rig.issue(0xEC)
    assert not rig.irq and rig.registers == [0] * 7


def test_commands_show_busy_first_and_interrupt_after(rig: Rig) -> None:
    rig.issue(0xE5)
    assert not rig.irq
    rig.clock.advance(10)
    assert not rig.irq
    rig.clock.advance(MOMENT)
    assert rig.irq and rig.altstatus == 0x50
    assert rig.irq
    assert rig.inb(7) == 0x50
    assert not rig.irq
    assert rig.inb(2) == 0xFF


def test_polling_needs_no_timer_and_loses_no_interrupt(rig: Rig) -> None:
    rig.issue(0xE5)
    assert rig.inb(7) & 0x80
    assert rig.irq  # it came after that read
    assert rig.inb(7) == 0x50


def test_interrupts_can_be_disabled(rig: Rig) -> None:
    rig.control(2)
    assert rig.run(0xE5) == 0x50
    assert not rig.irq and rig.isa.irq(14).edges == 0


def test_registers_cannot_be_written_while_busy(rig: Rig) -> None:
    rig.issue(0xEC)
    rig.outb(2, 0x33)
    rig.outb(7, 0xE5)
    rig.clock.advance(MOMENT)
    assert rig.inb(2) == 1 and rig.altstatus == 0x58


def test_software_reset(rig: Rig) -> None:
    rig.issue(0x20, 5)
    rig.control(4)
    assert rig.altstatus & 0x80
    rig.control(0)
    assert rig.registers == [1, 1, 1, 0, 0, 0xA0, 0x50]
    rig.clock.advance(MOMENT)
    assert rig.altstatus == 0x50 and not rig.irq  # the command is gone


def test_diagnostic_selects_nothing_and_passes(rig: Rig) -> None:
    rig.issue(0x90, device=0xF0)  # to a slave that is not there
    assert rig.run(0x90) == 0x50
    assert rig.registers[:6] == [1, 1, 1, 0, 0, 0xA0]


def test_two_drives_share_the_registers() -> None:
    rig = Rig(disk=disk_image(64), slave=disk_image(128))
    rig.issue(0x20, 3, device=0xF0)
    assert rig.read_blocks() == contents(rig, 3, name="slave")
    rig.issue(0x20, 3)
    assert rig.read_blocks() == contents(rig, 3)
    assert rig.identify(device=0xB0)[10:13] == [0x514D, 0x3030, 0x3030]
    assert [rig.identify(device=d)[60] for d in (0xA0, 0xB0)] == [64, 128]


# -- IDENTIFY


def test_identify_is_qemus(rig: Rig) -> None:
    words = rig.identify()
    text = b"".join(word.to_bytes(2, "big") for word in words)
    assert text[20:40] == b"QM00001             "
    assert text[46:54] == b"2.5+    " and text[54:94] == b"QEMU HARDDISK".ljust(40)
    present = {index: word for index, word in enumerate(words) if word and not 10 <= index < 47}
    assert present == {
        0: 0x40, 1: 4, 3: 16, 4: 0x7E00, 5: 512, 6: 63,
        47: 0x8010, 48: 1, 49: 0xB00, 51: 0x200, 52: 0x200, 53: 7,
        54: 4, 55: 16, 56: 63, 57: 4032, 59: 0x110, 60: 4096,
        62: 7, 63: 7, 64: 3, 65: 120, 66: 120, 67: 120, 68: 120,
        69: 0x4000, 80: 0xF0, 81: 0x16,
        82: 0x4021, 83: 0x7400, 84: 0x4000, 85: 0x4021, 86: 0x3400, 87: 0x4000,
        88: 0x203F, 93: 0x6001, 100: 4096, 106: 0x6000, 169: 1,
    }  # fmt: skip


def test_identify_of_large_disks() -> None:
    class Large(MemoryNode):
        @property
        def size(self) -> int:
            return 3 << 40

    words = Rig(disk=Large(512)).identify()
    sectors = (3 << 40) // 512
    assert words[60] | words[61] << 16 == 0x0FFF_FFFF
    assert words[100] | words[101] << 16 | words[102] << 32 == sectors
    assert words[1] == 16383


def test_serial_of_the_drive() -> None:
    words = Rig(disk=Drive("d", disk_image(8), serial="ABC")).identify()
    assert words[10:12] == [0x4142, 0x4320]


def test_features_change_identify(rig: Rig) -> None:
    assert rig.run(0xEF, count=0x42, feature=0x03) == 0x50  # Ultra DMA mode 2
    assert rig.run(0xEF, feature=0x82) == 0x50
    assert rig.run(0xC6, count=8) == 0x50
    assert rig.run(0x91, count=17, device=0xA3) == 0x50  # 4 heads of 17 sectors
    words = rig.identify()
    assert words[88] == 0x043F and words[85] == 0x4001 and words[59] == 0x108
    assert words[54:57] == [60, 4, 17] and words[57] == 4080
    assert rig.run(0xEF, feature=0x02) == 0x50
    assert rig.identify()[85] == 0x4021
    rig.system.reset()
    words = rig.identify()
    assert words[88] == 0x203F and words[54:57] == [4, 16, 63]


@pytest.mark.parametrize(("feature", "count"), [(0x03, 0x80), (0x99, 0)])
def test_unknown_features_abort(rig: Rig, feature: int, count: int) -> None:
    assert rig.run(0xEF, count=count, feature=feature) == 0x41
    assert rig.inb(1) == 0x04


def test_write_cache_off_flushes_each_write(rig: Rig) -> None:
    node = rig.drives["disk"].node
    assert isinstance(node, MemoryNode)
    rig.run(0xEF, feature=0x82)
    before = node.flushes
    rig.issue(0x30, 0)
    rig.write_blocks(bytes(512))
    assert node.flushes == before + 1


# -- reading and writing


@pytest.mark.parametrize("width", [2, 4])
@pytest.mark.parametrize(("command", "lba", "count"), [(0x20, 0, 1), (0x21, 4095, 1), (0x20, 17, 5), (0x20, 0, 256)])
def test_read_sectors(rig: Rig, command: int, lba: int, count: int, width: int) -> None:
    rig.issue(command, lba, count & 0xFF)
    assert rig.read_blocks(width=width) == contents(rig, lba, count)
    assert rig.altstatus == 0x50
    assert rig.isa.irq(14).edges == count


def test_read_multiple_moves_several_sectors_an_interrupt(rig: Rig) -> None:
    rig.run(0xC6, count=8)
    edges = rig.isa.irq(14).edges
    rig.issue(0xC4, 100, 20)
    assert rig.read_blocks() == contents(rig, 100, 20)
    assert rig.isa.irq(14).edges == edges + 3


def test_multiple_commands_abort_when_turned_off(rig: Rig) -> None:
    rig.run(0xC6, count=0)
    assert rig.run(0xC4) == 0x41
    assert rig.run(0xC6, count=3) == 0x41 and rig.run(0xC6, count=32) == 0x41


def test_48_bit_addresses(rig: Rig) -> None:
    rig.issue_ext(0x24, 1000, 300)
    assert rig.read_blocks() == contents(rig, 1000, 300)
    rig.issue_ext(0x24, 1 << 33)
    assert rig.wait() == 0x41
    rig.issue_ext(0x27, 0)
    assert rig.wait() == 0x50
    assert [rig.inb(register) for register in (3, 4, 5)] == [0xFF, 0x0F, 0]
    rig.outb(6, 0xE0)
    rig.outb(3, 0x12)
    rig.outb(3, 0x34)
    rig.control(0x80)
    assert rig.inb(3) == 0x12
    rig.outb(6, 0xE0)  # writing the command block clears HOB
    assert rig.inb(3) == 0x34


def test_cylinder_head_sector(rig: Rig) -> None:
    lba = (3 * 16 + 5) * 63 + 20
    rig.issue(0x20, 3 << 8 | 21, 2, device=0xA5)
    assert rig.read_blocks() == contents(rig, lba, 2)
    assert rig.registers[2:6] == [23, 3, 0, 0xA5]
    rig.issue(0x20, 0, device=0xA0)  # there is no sector 0
    assert rig.wait() == 0x41


@pytest.mark.parametrize(("command", "count"), [(0x30, 1), (0x30, 7), (0x3C, 2), (0xC5, 33)])
@pytest.mark.parametrize("width", [2, 4])
def test_write_sectors(rig: Rig, command: int, count: int, width: int) -> None:
    data = random.Random(count).randbytes(512 * count)
    rig.issue(command, 40, count)
    assert rig.write_blocks(data, width=width) == 0x50
    assert contents(rig, 40, count) == data


def test_the_first_block_of_a_write_has_no_interrupt(rig: Rig) -> None:
    rig.issue(0x30, 0, 2)
    rig.clock.advance(MOMENT)
    assert rig.altstatus == 0x58 and not rig.irq
    for _ in range(256):
        rig.io.store(0x1F0, 2, 0)
    assert rig.altstatus & 0x80
    rig.clock.advance(MOMENT)
    assert rig.altstatus == 0x58 and rig.irq


@pytest.mark.parametrize("command", [0x20, 0x40, 0xC4])
def test_out_of_range(rig: Rig, command: int) -> None:
    assert rig.run(command, 4096) == 0x41
    assert rig.inb(1) == 0x04


def test_a_read_that_leaves_the_disk_stops_there(rig: Rig) -> None:
    rig.issue(0x20, 4095, 2)
    assert rig.read_blocks() == contents(rig, 4095)
    assert rig.altstatus == 0x41 and rig.registers[1:5] == [1, 0, 0x10, 0]


def test_read_only_disk_refuses_writes() -> None:
    rig = Rig(disk=MemoryNode(4096, read_only=True))
    rig.issue(0x30, 0)
    assert rig.write_blocks(b"x" * 512) == 0x41
    assert contents(rig, 0) == bytes(512)


def test_data_port_without_data(rig: Rig) -> None:
    assert rig.io.load(0x1F0, 2) == 0 and rig.io.load(0x1F0, 4) == 0
    rig.io.store(0x1F0, 2, 0xFFFF)
    assert rig.io.load(0x1F0, 1) == 0xFF


# -- whole blocks


def test_read_block_takes_the_rest_of_a_block(rig: Rig) -> None:
    bus = rig.ide.ide_buses[0]
    assert bus.read_block(0, 2, 256) == b""
    rig.issue(0x20, 7, 2)
    rig.clock.advance(MOMENT)
    assert bus.read(0, 2) == int.from_bytes(contents(rig, 7)[:2], "little")
    assert bus.read_block(7, 2, 1) == b""
    assert bus.read_block(0, 4, 10) == contents(rig, 7)[2:42]
    assert bus.read_block(0, 2, 1000) == contents(rig, 7)[42:]
    rig.clock.advance(MOMENT)
    assert bus.read_block(0, 2, 256) == contents(rig, 8)
    assert rig.altstatus == 0x50


def test_write_block_takes_what_fits(rig: Rig) -> None:
    bus = rig.ide.ide_buses[0]
    data = random.Random(5).randbytes(1024)
    rig.issue(0x30, 7, 2)
    rig.clock.advance(MOMENT)
    assert bus.write_block(0, 2, data) == 512
    assert bus.write_block(0, 2, data) == 0  # busy
    rig.clock.advance(MOMENT)
    assert bus.write_block(0, 4, data[512:]) == 512
    rig.clock.advance(MOMENT)
    assert contents(rig, 7, 2) == data


# -- DMA


@pytest.mark.parametrize(
    ("count", "lengths"),
    [
        (1, [512]),
        (8, [4096]),
        (8, [100, 1948, 2048]),
        (8, [2] * 8 + [4080]),
        (128, [0x10000]),
        (256, [0x10000] * 2),
    ],
)
@pytest.mark.parametrize("start_first", [True, False])
def test_read_dma(rig: Rig, count: int, lengths: list[int], start_first: bool) -> None:
    rig.set_table(*lengths)
    if start_first:
        rig.start_dma(to_memory=True)
        rig.issue(0xC8, 9, count & 0xFF)
    else:
        rig.issue(0xC8, 9, count & 0xFF)
        rig.start_dma(to_memory=True)
    assert rig.bm_in(0) == 9 and not rig.irq
    rig.clock.advance(MOMENT)
    assert rig.irq and rig.bm_in(2) & 7 == 4 and rig.inb(7) == 0x50
    assert rig.memory.read(BUFFER, 512 * count) == contents(rig, 9, count)
    rig.bm_out(0, 1, 8)
    rig.bm_out(2, 1, 4)
    assert rig.bm_in(2) == 0


def test_write_dma_ext(rig: Rig) -> None:
    data = random.Random(6).randbytes(512 * 3000)
    rig.memory.write(BUFFER, data)
    rig.set_table(*[0x8000] * 46, len(data) - 46 * 0x8000)
    rig.issue_ext(0x35, 500, 3000)
    rig.start_dma(to_memory=False)
    assert rig.wait() == 0x50
    assert contents(rig, 500, 3000) == data


@pytest.mark.parametrize("to_memory", [True, False])
def test_a_command_that_awaits_the_engine_survives_a_move(rig: Rig, to_memory: bool) -> None:
    """Saved between the command and the start of the engine."""
    rig.issue(0xC8 if to_memory else 0xCA, 9, 8)
    saved = rig.ide.vmstate.save(rig.ide)
    other = Rig(disk=disk_image())
    other.ide.vmstate.load(other.ide, saved)
    data = random.Random(7).randbytes(4096)
    other.memory.write(BUFFER, data)
    other.set_table(4096)
    other.start_dma(to_memory)
    assert other.wait() == 0x50
    assert contents(other, 9, 8) == other.memory.read(BUFFER, 4096)
    assert (other.memory.read(BUFFER, 4096) == data) is not to_memory


def test_a_longer_table_leaves_the_engine_active(rig: Rig) -> None:
    rig.set_table(1024)
    rig.issue(0xC8, 0, 1)
    rig.start_dma(to_memory=True)
    assert rig.wait() == 0x50
    assert rig.bm_in(2) & 7 == 5
    rig.bm_out(0, 1, 0)
    assert rig.bm_in(2) & 7 == 4


def test_a_shorter_table_gives_no_interrupt(rig: Rig) -> None:
    rig.set_table(512)
    rig.issue(0xC8, 0, 2)
    rig.start_dma(to_memory=True)
    rig.clock.advance(MOMENT)
    assert not rig.irq and rig.bm_in(2) & 7 == 0 and rig.altstatus == 0x50


def test_a_table_without_an_end_is_not_read_for_ever(rig: Rig) -> None:
    rig.memory.write(0x10_0000, (0x20_0000).to_bytes(4, "little") + bytes((2, 0, 0, 0)))
    entry = rig.memory.read(0x10_0000, 8)
    rig.memory.write(0x10_0000, entry * 1024)
    rig.bm_out(4, 4, 0x10_0000)
    rig.issue(0xC8, 0, 8)
    rig.start_dma(to_memory=True)
    rig.clock.advance(MOMENT)
    assert rig.bm_in(2) & 7 == 0


def test_dma_out_of_range(rig: Rig) -> None:
    rig.set_table(1024)
    rig.issue(0xC8, 4095, 2)
    rig.start_dma(to_memory=True)
    assert rig.wait() == 0x41
    assert rig.bm_in(2) & 7 == 4


def test_polling_the_bus_master_needs_no_timer(rig: Rig) -> None:
    rig.set_table(512)
    rig.issue(0xC8, 3)
    rig.start_dma(to_memory=True)
    while rig.bm_in(2) & 1:
        pass
    assert rig.bm_in(2) & 4 and rig.memory.read(BUFFER, 512) == contents(rig, 3)


def test_stopping_the_engine_completes_what_was_started(rig: Rig) -> None:
    rig.set_table(512)
    rig.issue(0xC8, 3)
    rig.clock.advance(MOMENT)
    rig.start_dma(to_memory=True)
    rig.bm_out(0, 1, 0)
    assert rig.memory.read(BUFFER, 512) == contents(rig, 3)


def test_without_bus_mastering_nothing_is_transferred(rig: Rig) -> None:
    rig.memory.write(BUFFER, b"\x55" * 512)
    rig.set_table(512)
    rig.ide.config_write(4, 2, 1)
    rig.issue(0xC8, 3)
    rig.start_dma(to_memory=True)
    rig.clock.advance(MOMENT)
    assert rig.memory.read(BUFFER, 512) == b"\x55" * 512


def test_bus_master_registers_in_all_sizes(rig: Rig) -> None:
    rig.bm_out(4, 2, 0x1234)
    rig.bm_out(6, 1, 0x56)
    assert rig.bm_io.load(0xC004, 4) == 0x0056_1234
    rig.bm_out(2, 1, 0x60)
    assert rig.bm_io.load(0xC000, 4) == 0x0060_0000
    assert rig.bm_io.load(0xC008, 4) == 0


def test_a_reset_forgets_a_waiting_transfer(rig: Rig) -> None:
    rig.set_table(512)
    rig.issue(0xC8, 3)
    rig.clock.advance(MOMENT)
    rig.control(4)
    rig.control(0)
    rig.start_dma(to_memory=True)
    rig.clock.advance(MOMENT)
    assert rig.memory.read(BUFFER, 512) == bytes(512) and not rig.irq


def test_trim_discards(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    discarded: list[tuple[int, int]] = []
    monkeypatch.setattr(rig.drives["disk"].node, "discard", lambda offset, length: discarded.append((offset, length)))
    rig.memory.write(BUFFER, (5 | 3 << 48).to_bytes(8, "little") + (4096 - 1 | 1 << 48).to_bytes(8, "little"))
    rig.set_table(512)
    rig.issue(0x06, 0, 1, feature=1)
    rig.start_dma(to_memory=False)
    assert rig.wait() == 0x50
    assert discarded == [(2560, 1536), (4095 * 512, 512)]
    assert rig.run(0x06, feature=0) == 0x41


# -- other commands


def test_flush(rig: Rig) -> None:
    node = rig.drives["disk"].node
    assert isinstance(node, MemoryNode)
    assert rig.run(0xE7) == 0x50 and rig.run(0xEA) == 0x50
    assert node.flushes == 2


@pytest.mark.parametrize("command", [0xE0, 0xE1, 0xE2, 0xE3, 0xE6, 0x94, 0x99])
def test_power_commands(rig: Rig, command: int) -> None:
    assert rig.run(command) == 0x40


def test_native_max(rig: Rig) -> None:
    assert rig.run(0xF8) == 0x50
    assert rig.registers[2:6] == [0xFF, 0x0F, 0, 0xE0]


def test_seek_recalibrate_verify(rig: Rig) -> None:
    assert [rig.run(command, 100) for command in (0x10, 0x70, 0x40, 0x41)] == [0x50] * 4
    rig.issue_ext(0x42, 4000, 96)
    assert rig.wait() == 0x50


@pytest.mark.parametrize("command", [0x00, 0x08, 0x50, 0xA0, 0xA1, 0xC7, 0xF1, 0xF9, 0xFF])
def test_unknown_commands_abort(rig: Rig, command: int) -> None:
    assert rig.run(command) == 0x41
    assert rig.inb(1) == 0x04


def test_smart(rig: Rig) -> None:
    key = 0xC24F00
    assert rig.run(0xB0, 0, feature=0xDA) == 0x41  # no key
    assert rig.run(0xB0, key, feature=0xDA) == 0x50
    assert rig.registers[3:5] == [0x4F, 0xC2]
    for feature, address in ((0xD0, 0), (0xD1, 0), (0xD5, 0), (0xD5, 1), (0xD5, 6)):
        rig.issue(0xB0, key | address, feature=feature)
        data = rig.read_blocks()
        assert len(data) == 512 and sum(data) & 0xFF == 0
    assert rig.run(0xB0, key | 9, feature=0xD5) == 0x41
    assert rig.run(0xB0, key | 1, feature=0xD4) == 0x50
    rig.issue(0xB0, key | 6, feature=0xD5)
    assert rig.read_blocks()[2] == 1
    assert rig.run(0xB0, key, feature=0xD9) == 0x50
    assert rig.run(0xB0, key, feature=0xDA) == 0x41
    assert rig.run(0xB0, key, feature=0xD8) == 0x50


# -- errors of the host


class Failing(MemoryNode):
    """Fails as often as it is told."""

    failures = 0
    number = errno.EIO

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise BlockIOError(self.number, "test")

    def read(self, offset: int, length: int) -> bytes:
        self._fail()
        return super().read(offset, length)

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        self._fail()
        super().write(offset, data)

    def flush(self) -> None:
        self._fail()


def failing_rig(**options: ErrorPolicy) -> tuple[Rig, Failing]:
    node = Failing(b"\x77" * 4096)
    rig = Rig(disk=Drive("disk", node, **options))  # type: ignore[arg-type]
    rig.system.set_state(RunState.RUNNING)
    node.failures = 1
    return rig, node


def test_errors_are_reported() -> None:
    rig, node = failing_rig()
    assert rig.run(0x20) == 0x41
    node.failures = 1
    assert rig.run(0xE7) == 0x41
    node.failures = 1
    rig.set_table(512)
    rig.issue(0xC8)
    rig.start_dma(to_memory=True)
    assert rig.wait() == 0x41 and rig.bm_in(2) & 1 == 0


def test_errors_can_be_ignored() -> None:
    rig, _ = failing_rig(read_error=ErrorPolicy.IGNORE)
    rig.issue(0x20)
    assert rig.read_blocks() == bytes(512)


@pytest.mark.parametrize("by_dma", [True, False])
def test_errors_can_stop_the_machine_and_the_request_is_tried_again(by_dma: bool) -> None:
    rig, node = failing_rig(write_error=ErrorPolicy.ENOSPC)
    node.number = errno.ENOSPC
    rig.memory.write(BUFFER, b"\x99" * 512)
    if by_dma:
        rig.set_table(512)
        rig.issue(0xCA)
        rig.start_dma(to_memory=False)
        rig.clock.advance(MOMENT)
    else:
        rig.issue(0x30)
        rig.write_blocks(b"\x99" * 512)
    assert rig.altstatus & 0x80 and not rig.irq
    rig.system.process_requests()
    assert rig.system.state is RunState.IO_ERROR
    assert contents(rig, 0) == b"\x77" * 512
    rig.system.start()
    assert rig.wait() == 0x50
    assert contents(rig, 0) == b"\x99" * 512
