"""CD-ROM drives: packets, their data, and changes of medium."""

import pytest
from ide_rig import BUFFER, MOMENT, SECONDARY, Rig, cd_image

from pyqemu.block import Drive, MemoryNode

NO_MEDIUM, CHANGED, INVALID_FIELD = (2, 0x3A), (6, 0x28), (5, 0x24)


@pytest.fixture
def rig() -> Rig:
    rig = Rig(cd=cd_image())
    rig.base = SECONDARY
    return rig


def blocks(rig: Rig, block: int, count: int = 1) -> bytes:
    return rig.drives["cd"].read(2048 * block, 2048 * count)


def failed(rig: Rig) -> bool:
    return bool(rig.altstatus & 1)


def test_signature(rig: Rig) -> None:
    assert rig.registers == [0, 1, 1, 0x14, 0xEB, 0xA0, 0x50]
    rig.control(4)
    rig.control(0)
    assert rig.registers == [1, 1, 1, 0x14, 0xEB, 0xA0, 0x00]


def test_identify_device_fails_and_shows_the_signature(rig: Rig) -> None:
    rig.outb(4, 0)
    assert rig.run(0xEC, device=0xA0) == 0x41
    assert rig.registers == [4, 1, 1, 0x14, 0xEB, 0xA0, 0x41]


def test_identify_packet_device(rig: Rig) -> None:
    words = rig.identify(0xA1)
    text = b"".join(word.to_bytes(2, "big") for word in words)
    assert words[0] == 0x85C0 and words[49] == 0x300
    assert text[20:27] == b"QM00003" and text[54:94] == b"QEMU DVD-ROM".ljust(40)
    assert rig.run(0xEF, count=0x42, feature=3, device=0xA0) == 0x50
    assert rig.identify(0xA1)[88] == 0x043F


def test_device_reset_ends_a_packet(rig: Rig) -> None:
    rig.issue(0xA0, device=0xA0)
    assert rig.wait() == 0x58
    rig.outb(7, 0x08)
    rig.clock.advance(MOMENT)
    assert rig.registers == [0, 1, 1, 0x14, 0xEB, 0xA0, 0x00]


@pytest.mark.parametrize(
    ("packet", "answer"),
    [
        ([0x03, 0, 0, 0, 18], "f0 00 00 00 00 00 00 0a 00 00 00 00 00 00 00 00 00 00"),
        ([0x12, 0, 0, 0, 36], "05 80 00 21 1f 00 00 00" + b"QEMU    QEMU DVD-ROM    2.5+".hex(" ")),
        ([0x12, 0, 0, 0, 5], "05 80 00 21 1f"),
        ([0x12, 1, 0, 0, 96], "05 00 00 02 00 83"),
        ([0x25], "00 00 01 ff 00 00 08 00"),
        ([0x5A, 0, 0x01, 0, 0, 0, 0, 1, 0], "00 0e 70 00 00 00 00 00 01 06 00 05 00 00 00 00"),
        (
            [0x5A, 0, 0x2A, 0, 0, 0, 0, 1, 0],
            "00 1c 70 00 00 00 00 00 2a 14 3b 00 71 60 29 00 02 c0 00 02 02 00 02 c0 00 00 00 00 00 00",
        ),
        ([0x46, 0, 0, 0, 0, 0, 0, 1, 0], "00 00 00 10 00 00 00 08 00 00 03 08 00 10 00 00 00 08 01 00"),
        ([0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8], "00 04 04 10 00 02 00 00"),
        ([0x4A, 1, 0, 0, 0x02, 0, 0, 0, 8], "00 00 80 10"),
        ([0x43, 0, 0, 0, 0, 0, 0, 1, 0], "00 12 01 01 00 14 01 00 00 00 00 00 00 16 aa 00 00 00 02 00"),
        ([0x43, 2, 0, 0, 0, 0, 0, 1, 0], "00 12 01 01 00 14 01 00 00 00 02 00 00 16 aa 00 00 00 08 3e"),
        ([0x43, 0, 0, 0, 0, 0, 0xAA, 1, 0], "00 0a 01 01 00 16 aa 00 00 00 02 00"),
        ([0x43, 0, 1, 0, 0, 0, 0, 1, 0], "00 0a 01 01 00 14 01 00 00 00 00 00"),
        ([0x51, 0, 0, 0, 0, 0, 0, 0, 8], "00 20 0e 01 01 01 01 20"),
        ([0xBD, 0, 0, 0, 0, 0, 0, 0, 1, 0], "00 00 00 00 00 01 00 00"),
    ],
)
def test_answers_are_qemus(rig: Rig, packet: list[int], answer: str) -> None:
    data, _ = rig.packet(*packet)
    assert data == bytes.fromhex(answer)
    assert rig.registers[0] == 0 and rig.inb(2) & 7 == 3 and rig.altstatus == 0x50


def test_full_table_of_contents(rig: Rig) -> None:
    data, _ = rig.packet(0x43, 2, 2, 0, 0, 0, 0, 1, 0)
    assert data[:4] == bytes((0, 46, 1, 1))
    assert [data[4 + 11 * index + 3] for index in range(4)] == [0xA0, 0xA1, 0xA2, 1]


@pytest.mark.parametrize(
    ("packet", "sense"),
    [
        ([0xFF], (5, 0x20)),
        ([0x12, 1, 0x80, 0, 96], INVALID_FIELD),
        ([0x5A, 0, 0x08, 0, 0, 0, 0, 1, 0], INVALID_FIELD),
        ([0x5A, 0, 0xC1, 0, 0, 0, 0, 1, 0], (5, 0x39)),
        ([0x46, 2, 0, 1, 0, 0, 0, 1, 0], INVALID_FIELD),
        ([0x4A, 0, 0, 0, 0x10, 0, 0, 0, 8], INVALID_FIELD),
        ([0x43, 0, 0, 0, 0, 0, 5, 1, 0], INVALID_FIELD),
        ([0x43, 0, 3, 0, 0, 0, 0, 1, 0], INVALID_FIELD),
        ([0x51, 1, 0, 0, 0, 0, 0, 1, 0], INVALID_FIELD),
        ([0xAD, 0, 0, 0, 0, 0, 0, 0, 8, 4], (5, 0x30)),
        ([0xAD, 0, 0, 0, 0, 0, 0, 9, 8, 4], INVALID_FIELD),
        ([0x28, 0, 0, 0, 2, 0, 0, 0, 1], (5, 0x21)),
        ([0x28, 0, 0, 0, 1, 0xFF, 0, 0, 2], (5, 0x21)),
        ([0xA8, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF], (5, 0x21)),
        ([0xBE, 0, 0, 0, 0, 1, 0, 0, 1, 0x40], INVALID_FIELD),
        ([0x2B, 0, 0, 0, 9, 1], (5, 0x21)),
    ],
)
def test_check_conditions(rig: Rig, packet: list[int], sense: tuple[int, int]) -> None:
    data, _ = rig.packet(*packet)
    assert data == b"" and failed(rig) and rig.inb(1) == sense[0] << 4
    assert rig.sense() == sense
    assert rig.sense() == (0, 0)  # told once


@pytest.mark.parametrize(
    ("limit", "lengths"),
    [
        (0xFFFE, [8192]),
        (0xFFFF, [8192]),
        (2048, [2048] * 4),
        (3000, [3000, 3000, 2192]),
        (1001, [1000] * 8 + [192]),
    ],
)
def test_data_come_in_blocks_of_the_byte_count_limit(rig: Rig, limit: int, lengths: list[int]) -> None:
    data, sizes = rig.packet(0x28, 0, 0, 0, 0, 3, 0, 0, 4, limit=limit)
    assert data == blocks(rig, 3, 4) and sizes == lengths


def test_a_limit_of_zero_aborts_packets_with_data(rig: Rig) -> None:
    rig.packet(0x28, 0, 0, 0, 0, 3, 0, 0, 4, limit=0)
    assert rig.registers == [4, 1, 1, 0, 0, 0xA0, 0x41]
    rig.packet(0x00, limit=0)
    assert rig.altstatus == 0x50


def test_large_reads_are_not_in_memory_as_a_whole(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    read = rig.drives["cd"].read

    def count(offset: int, length: int) -> bytes:
        sizes.append(length)
        return read(offset, length)

    monkeypatch.setattr(rig.drives["cd"], "read", count)
    data, _ = rig.packet(0xA8, 0, 0, 0, 0, 0, 0, 0, 2, 0)
    assert data == read(0, 512 * 2048) and max(sizes) <= 64 * 2048


def test_nothing_to_read(rig: Rig) -> None:
    for packet in ([0x28, 0, 0, 0, 0, 1], [0xBE, 0, 0, 0, 0, 1, 0, 0, 1, 0]):
        assert rig.packet(*packet) == (b"", []) and not failed(rig)


def test_read_cd(rig: Rig) -> None:
    assert rig.packet(0xBE, 0, 0, 0, 0, 1, 0, 0, 2, 0x10)[0] == blocks(rig, 1, 2)
    raw, sizes = rig.packet(0xBE, 0, 0, 0, 0, 75, 0, 0, 2, 0xF8)
    assert sizes == [4704]
    assert raw[:16] == b"\0" + b"\xff" * 10 + b"\0" + bytes((0, 3, 0, 1)) and raw[16:2064] == blocks(rig, 75)
    assert raw[2352 + 12 : 2352 + 16] == bytes((0, 3, 1, 1))


def test_odd_answers_are_padded_to_a_word(rig: Rig) -> None:
    data, sizes = rig.packet(0x12, 0, 0, 0, 5)
    assert sizes == [5] and len(data) == 5


@pytest.mark.parametrize("lengths", [(8192,), (2048, 6144), (512,) * 16])
def test_read_by_dma(rig: Rig, lengths: tuple[int, ...]) -> None:
    rig.set_table(*lengths)
    rig.start_dma(to_memory=True)
    data, _ = rig.packet(0x28, 0, 0, 0, 0, 3, 0, 0, 4, dma=True, size=8192)
    assert data == blocks(rig, 3, 4)
    assert rig.irq and rig.bm_in(2) & 7 == 4 and rig.inb(7) == 0x50 and rig.inb(2) & 7 == 3


def test_short_answer_by_dma_leaves_the_engine_active(rig: Rig) -> None:
    rig.set_table(64)
    rig.start_dma(to_memory=True)
    rig.packet(0x25, dma=True)
    assert rig.bm_in(2) & 7 == 5
    assert rig.memory.read(BUFFER, 8) == bytes.fromhex("000001ff00000800")


def test_dma_into_too_small_a_buffer(rig: Rig) -> None:
    rig.set_table(2048)
    rig.start_dma(to_memory=True)
    rig.packet(0x28, 0, 0, 0, 0, 3, 0, 0, 4, dma=True)
    assert rig.bm_in(2) & 1 == 0 and rig.inb(7) & 0x88 == 0
    assert rig.memory.read(BUFFER, 2048) == blocks(rig, 3)


# -- tray and medium


def test_tray(rig: Rig) -> None:
    rig.packet(0x1E, 0, 0, 0, 1)
    rig.packet(0x1B, 0, 0, 0, 2)
    assert rig.sense() == (2, 0x53)
    rig.packet(0x1E, 0, 0, 0, 0)
    rig.packet(0x1B, 0, 0, 0, 2)
    assert not failed(rig)
    rig.packet(0x00)
    assert rig.sense() == NO_MEDIUM
    assert rig.packet(0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8)[0][4:6] == bytes((0, 1))
    rig.packet(0x1B, 0, 0, 0, 3)
    rig.packet(0x00)
    assert not failed(rig)


def test_empty_drive() -> None:
    rig = Rig(cd=Drive("cd", None, media="cdrom"))
    for packet in ([0x00], [0x25], [0x28, 0, 0, 0, 0, 0, 0, 0, 1], [0x43, 0, 0, 0, 0, 0, 0, 1, 0], [0xAD]):
        rig.packet(*packet)
        assert rig.sense() == NO_MEDIUM
    assert rig.packet(0x12, 0, 0, 0, 36)[0][8:12] == b"QEMU"
    assert rig.packet(0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8)[0][4:6] == bytes((0, 0))


def test_a_new_medium_is_first_seen_as_an_open_tray(rig: Rig) -> None:
    rig.drives["cd"].change(cd_image(100))
    rig.packet(0x00)
    assert rig.sense() == NO_MEDIUM
    rig.packet(0x00)
    assert rig.sense() == CHANGED
    rig.packet(0x00)
    assert not failed(rig)
    assert rig.packet(0x25)[0][:4] == bytes((0, 0, 0, 99))


def test_events_tell_of_a_new_medium_and_of_the_button(rig: Rig) -> None:
    rig.drives["cd"].change(cd_image(100))
    event = (0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8)
    assert rig.packet(*event)[0][4:6] == bytes((2, 2))
    assert rig.packet(*event)[0][4:6] == bytes((0, 2))
    model = rig.ide.ide_buses[1].units[0].model
    model.request(force=False)  # type: ignore[union-attr]
    assert rig.packet(*event)[0][4:6] == bytes((1, 2))
    rig.drives["cd"].eject()
    assert rig.packet(*event)[0][5] == 1


def test_dvd() -> None:
    class Dvd(MemoryNode):
        @property
        def size(self) -> int:
            return 4 << 30

    rig = Rig(cd=Dvd(2048, read_only=True))
    assert rig.packet(0x46, 0, 0, 0, 0, 0, 0, 1, 0)[0][6:8] == bytes((0, 0x10))
    data, _ = rig.packet(0xAD, 0, 0, 0, 0, 0, 0, 0, 8, 4)
    assert len(data) == 2052 and data[8:12] == (0x30000).to_bytes(4, "big")
    assert int.from_bytes(data[12:16], "big") == 0x30000 + (4 << 30) // 2048 - 1
    rig.packet(0xAD, 0, 0, 0, 0, 0, 1, 0, 8, 4)
    assert rig.sense() == INVALID_FIELD


def test_the_guest_moving_the_tray_is_told(rig: Rig) -> None:
    told: list[tuple[str, dict[str, object]]] = []
    rig.drives["cd"].emit = lambda event, **data: told.append((event, data))
    for start_stop in (2, 2, 3):  # open, open again, close
        rig.packet(0x1B, 0, 0, 0, start_stop)
    assert [(event, data["tray_open"]) for event, data in told] == [
        ("DEVICE_TRAY_MOVED", True), ("DEVICE_TRAY_MOVED", False),
    ]  # fmt: skip
