"""``-M virt`` is saved and loaded: QEMU's sections in QEMU's order, and a guest that counts on without a gap."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from pyqemu.block.drives import DriveOptions
from pyqemu.boards.config import MachineConfig, RtcConfig
from pyqemu.migration.failure import MigrationError
from pyqemu.migration.snapshot import Snapshots
from pyqemu.migration.state import files
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.qapi.generated.types import MigrationStatus
from pyqemu.system import RunState
from tests.boards.virt_counter import firmware
from tests.migration.machine import eventually
from tests.migration.state.saved_rig import Decoder, check_count, config, count_on, lines, load, machine, save, text
from tests.migration.state.test_postcopy import SLOW, Pair

MOVES = 5
FILLED = 4 << 20  # memory from here on is full
VIRTIO, STATUS = 0x0A00_0000, 0x70
FLASH1, SECTOR = 0x0400_0000, 0x4_0000
ERASE, PROGRAM, READ_ARRAY = (b"\x20\0\x20\0", b"\xd0\0\xd0\0"), b"\x40\0\x40\0", b"\xff\0\xff\0"
ORDER = (
    ("ram", 4), ("timer", 2), ("pflash_cfi01", 1), ("pflash_cfi01", 1), ("cpu_common", 1), ("cpu", 22), ("arm_gic", 12),
    ("pl011", 2), ("pl031", 1), ("0000:00:00.0/gpex_root", 1), ("PCIBUS", 1), ("pl061", 4), ("gpio-key", 1),
    ("fw_cfg", 2), ("virtio-blk", 2), ("virt_acpi_build", 1), ("globalstate", 1),
)  # fmt: skip
"""Names and versions in a stream of QEMU 7.2's ``virt-2.6``."""
SIZES = {
    "timer": 24, "pflash_cfi01": 11, "cpu_common": 8, "arm_gic": 9888, "pl011": 124, "pl031": 24, "PCIBUS": 20,
    "pl061": 84, "gpio-key": 8, "virt_acpi_build": 1, "0000:00:00.0/gpex_root": 276,
}  # fmt: skip
"""Bytes of sections that have the same length in all machines."""


@pytest.fixture(scope="module")
def rom(tmp_path_factory: pytest.TempPathFactory) -> str:
    return firmware(tmp_path_factory.mktemp("rom"))


def virt(rom: str, **changes: Any) -> MachineConfig:
    return config(rom, machine="virt", architecture="aarch64", rtc=RtcConfig(base=1e9, clock="vm"), **changes)


def with_disk(rom: str, directory: Path, count: int = 1) -> MachineConfig:
    images = [directory / f"disk{number}" for number in range(count)]
    for image in images:
        image.write_bytes(bytes(1 << 20))
    return virt(rom, drives=[DriveOptions(str(image), "raw", "virtio") for image in images])


def test_sections_are_qemus_in_qemus_order(rom: str, tmp_path: Path) -> None:
    with machine(with_disk(rom, tmp_path)) as made:
        decoded = Decoder(save(made)[0]).decode()
    found = [(name, version) for kind, name, _, version in decoded.sections if kind in (1, 4)]
    assert tuple(found) == ORDER
    assert decoded.machine == "virt-2.6"
    assert list(decoded.blocks) == ["virt.flash0", "virt.flash1", "mach-virt.ram"]


def test_with_an_el2_the_interrupt_controller_comes_first(rom: str) -> None:
    """QEMU drives a timer's line while it loads a processor."""
    with machine(virt(rom, machine_options={"virtualization": "on"})) as made:
        names = [name for _, name, *_ in Decoder(save(made)[0]).decode().sections]
    assert names.index("arm_gic") < names.index("cpu_common")


def size(fields: list[dict[str, Any]]) -> int:
    return sum(each["size"] * each.get("array_len", 1) for each in fields)


def test_sections_are_as_long_as_qemus(rom: str) -> None:
    with machine(virt(rom)) as made:
        devices = Decoder(save(made)[0]).decode().trailer["devices"]
    assert {each["name"]: size(each["fields"]) for each in devices if each["name"] in SIZES} == SIZES


def test_memory_and_registers_are_in_the_stream(rom: str) -> None:
    with machine(virt(rom)) as made:
        made.board.ram.ram_block.data[0x12345] = 0x5A  # type: ignore[attr-defined]
        made.cpu.x[3] = 0x1122_3344_5566_7788  # type: ignore[attr-defined]
        decoded = Decoder(save(made)[0]).decode()
    assert decoded.blocks["mach-virt.ram"][0x12345] == 0x5A
    assert decoded.blocks["virt.flash0"].startswith(Path(rom).read_bytes())
    assert decoded.fields["cpu/0"]["env.xregs[3]"].hex() == "1122334455667788"
    assert decoded.fields["cpu/0"]["cpsr"].hex() == "400003c5"


@pytest.mark.parametrize("gic_version", [2, 3])
def test_a_guest_moves_again_and_again_and_counts_on(tmp_path: Path, gic_version: int) -> None:
    """With its timer, and memory that changes while it is sent."""
    settings = virt(firmware(tmp_path, gic_version), machine_options={"gic-version": str(gic_version)})
    printed: list[str] = []
    stream = b""
    for move in range(MOVES + 1):
        with machine(settings, running=not stream) as made:
            if stream:
                load(made, stream)
            count_on(made, 80)
            stream, _ = save(made, rounds=move)
            printed.append(text(made))
    together = "".join(printed)
    assert "!" not in together
    check_count(together.split(), 1)
    assert together.count("\n") > 2 * 20 * MOVES
    names = {name for _, name, *_ in Decoder(stream).decode().sections}
    assert names & {"arm_gic", "arm_gicv3"} == {"arm_gic" if gic_version == 2 else "arm_gicv3"}


def test_it_runs_on_while_its_memory_comes(rom: str, tmp_path: Path) -> None:
    """Post-copy: its own pages, which it looks at, are fetched when it needs them."""
    with machine(virt(rom, memory=8 << 20), running=True) as first, machine(virt(rom, memory=8 << 20)) as second:
        ram = first.board.ram.ram_block  # type: ignore[attr-defined]
        ram.data[FILLED:] = random.Random(8).randbytes(ram.size - FILLED)
        count_on(first, 50)
        pair = Pair(tmp_path, first, second)
        pair.source.parameters.max_bandwidth = SLOW
        pair.source.parameters.max_postcopy_bandwidth = SLOW
        with first.system.lock:
            pair.outgoing = pair.source.migrate(pair.uri)
            pair.source.start_postcopy()
        eventually(lambda: second.system.state is RunState.RUNNING or pair.outgoing.over.is_set())
        eventually(lambda: second.board.ram.ram_block.pager is not None)  # type: ignore[attr-defined]
        pair.ended()
        assert pair.outgoing.state.status is MigrationStatus.COMPLETED, pair.outgoing.state.failure
        count_on(second, 50)
        printed = text(first) + text(second)
        second_ram = second.board.ram.ram_block  # type: ignore[attr-defined]
        assert second_ram.data[FILLED:] == ram.data[FILLED:]
        pair.source.close()
        pair.destination.close()
    assert "!" not in printed
    check_count(printed.split(), 1)


def test_disks_of_a_kind_are_told_apart_by_their_slots(rom: str, tmp_path: Path) -> None:
    """The first has the last slot, and is instance 0."""
    settings = with_disk(rom, tmp_path, count=2)
    with machine(settings) as first:
        space = first.board.memory_space  # type: ignore[attr-defined]
        for slot, status in ((31, b"\1\0\0\0"), (30, b"\3\0\0\0")):
            space.write(VIRTIO + 0x200 * slot + STATUS, status)
        stream, _ = save(first)
    sections = Decoder(stream).decode().sections
    assert [instance for _, name, instance, _ in sections if name == "virtio-blk"] == [0, 1]
    with machine(settings) as second:
        load(second, stream)
        space = second.board.memory_space  # type: ignore[attr-defined]
        assert [space.load(VIRTIO + 0x200 * slot + STATUS, 4) for slot in (31, 30)] == [1, 3]


@pytest.mark.parametrize("driver", ["virtio-blk-pci", "virtio-blk-device"])
def test_transfers_of_disks_end_before_memory_is_saved(rom: str, tmp_path: Path, driver: str) -> None:
    """Wherever the disk is."""
    (tmp_path / "disk").write_bytes(bytes(1 << 20))
    drives = [DriveOptions(str(tmp_path / "disk"), "raw", "none", id="d")]
    with machine(virt(rom, drives=drives, devices=[{"driver": driver, "drive": "d"}])) as made:
        disk: Any = made.board.user_devices[0]  # type: ignore[attr-defined]
        calls: list[str] = []
        disk.complete_now = lambda: calls.append("complete")
        save(made)
    assert calls


@pytest.mark.parametrize("milliseconds", [3, 40, 101])
def test_what_is_loaded_is_saved_the_same(rom: str, tmp_path: Path, milliseconds: int) -> None:
    """Byte by byte, at some moments."""
    settings = with_disk(rom, tmp_path)
    with machine(settings, running=True) as first:
        first.run_for(milliseconds / 1000)
        with first.system.lock:
            first.system.stop(RunState.PAUSED)
        stream, _ = save(first)
    with machine(settings) as second:
        load(second, stream)
        again, _ = save(second)
    assert Decoder(again).decode().fields == Decoder(stream).decode().fields
    assert again == stream


def test_a_snapshot_brings_it_back(rom: str) -> None:
    with machine(virt(rom), running=True) as made:
        count_on(made, 50)
        snapshots = Snapshots(made.system.part(SavedMachine))
        with made.system.parked():
            snapshot = snapshots.take()
            printed = text(made)
        count_on(made, 50)
        with made.system.parked():
            snapshots.restore(snapshot)
            assert text(made)
        count_on(made, 50)
        check_count((printed + text(made)).split(), 1)


def test_in_a_file(rom: str, tmp_path: Path) -> None:
    with machine(virt(rom), running=True) as first:
        count_on(first, 50)
        with first.system.parked():
            files.save(first.system.part(SavedMachine), tmp_path / "machine")
            printed = text(first)
    with machine(virt(rom)) as second:
        assert files.load(second.system.part(SavedMachine), tmp_path / "machine") is RunState.RUNNING
        with second.system.lock:
            second.system.start()
        count_on(second, 50)
        check_count((printed + text(second)).split(), 1)


def test_another_processor_is_refused(rom: str) -> None:
    with machine(virt(rom)) as first:
        stream, _ = save(first)
    with machine(virt(rom, cpu="cortex-a53")) as second:
        with pytest.raises(MigrationError, match="ID_AA64MMFR0_EL1: expected 0x1122, found 0x1124"):
            load(second, stream)
        assert lines(second) == []


def test_flash_that_a_guest_changes_under_way_is_not_forgotten(rom: str) -> None:
    """A sector is erased, and a word of it programmed."""
    with machine(virt(rom)) as made:
        board: Any = made.board
        flash, log = board.memory_space, board.flash[1].flash.ram_block.dirty
        log.enable("test")
        log.take_map("test")
        for data in (*ERASE, READ_ARRAY):
            flash.write(FLASH1 + SECTOR, data)
        assert all(log.is_dirty("test", page) for page in range(64, 128))
        assert not log.is_dirty("test", 63) and not log.is_dirty("test", 128)
        log.take_map("test")
        for data in (PROGRAM, b"\x12\x34\x56\x78", READ_ARRAY):
            flash.write(FLASH1 + SECTOR + 0x5004, data)
        assert [page for page in range(256) if log.is_dirty("test", page)] == [64 + 5]
        decoded = Decoder(save(made)[0]).decode()
    assert decoded.blocks["virt.flash1"][SECTOR + 0x5003 : SECTOR + 0x5009] == b"\xff\x12\x34\x56\x78\xff"


def test_a_pressed_power_button_comes_up_after_a_move(rom: str) -> None:
    """It is down for a tenth of a second, wherever that ends."""
    with machine(virt(rom)) as first:
        board: Any = first.board
        board.power_key.press()
        stream, _ = save(first)
    with machine(virt(rom)) as second:
        load(second, stream)
        board = second.board
        pins = board.gpio
        assert pins.data == 8
        with second.system.lock:
            second.system.start()
        assert second.run_for(60, until=lambda: pins.data == 0)
