"""A whole machine is saved and loaded: nothing is lost, and nothing is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyqemu.migration.failure import MigrationError
from pyqemu.migration.snapshot import Snapshots
from pyqemu.migration.state import files
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.system import RunState
from tests.migration.state.saved_rig import (
    Decoder,
    check_count,
    config,
    count_on,
    counter_rom,
    lines,
    load,
    machine,
    save,
)

SEABIOS = Path("/usr/share/seabios/bios-256k.bin")
needs_seabios = pytest.mark.skipif(not SEABIOS.is_file(), reason="needs Debian's seabios")

ORDER = (
    "ram", "timer", "cpu_common", "cpu", "kvm-tpr-opt", "apic", "fw_cfg", "PCIBUS", "0000:00:00.0/I440FX", "dma", "dma",
    "0000:00:01.0/PIIX3", "i8259", "i8259", "ioapic", "0000:00:02.0/vga", "hpet", "mc146818rtc", "i8254", "serial",
    "parallel_isa", "fdc", "ps2kbd", "ps2mouse", "pckbd", "vmmouse", "port92", "0000:00:03.0/e1000",
    "0000:00:01.1/ide", "i2c_bus", "0000:00:01.3/piix4_pm", "acpi_build", "globalstate",
)  # fmt: skip


@pytest.fixture(scope="module")
def rom(tmp_path_factory: pytest.TempPathFactory) -> str:
    return counter_rom(tmp_path_factory.mktemp("rom"))


def test_sections_are_qemus_in_qemus_order(rom: str) -> None:
    with machine(config(rom, vga="std", defaults=True, parallels=["null"])) as made:
        decoded = Decoder(save(made)[0]).decode()
    names = [name for kind, name, _, _ in decoded.sections if kind in (1, 4)]
    assert tuple(names) == ORDER
    assert decoded.machine == "pc-i440fx-2.6"


def test_memory_is_in_the_stream(rom: str) -> None:
    with machine(config(rom)) as made:
        ram = made.board.ram.ram_block
        assert ram is not None
        ram.data[0x12345] = 0x5A
        decoded = Decoder(save(made)[0]).decode()
    assert decoded.blocks["pc.ram"][0x12345] == 0x5A
    assert decoded.blocks["pc.bios"] == Path(rom).read_bytes()


def test_registers_are_in_the_stream(rom: str) -> None:
    with machine(config(rom)) as made:
        made.cpu.rbx = 0x1122_3344_5566_7788  # type: ignore[attr-defined]
        fields = Decoder(save(made)[0]).decode().fields
    assert fields["cpu/0"]["env.regs[3]"].hex() == "1122334455667788"
    assert fields["cpu/0"]["env.eip"].hex() == "000000000000fff0"
    assert fields["globalstate/0"]["runstate"].rstrip(b"\0") == b"prelaunch"


@pytest.mark.parametrize("rounds", [0, 5])
def test_a_guest_goes_on_where_it_was(rom: str, rounds: int) -> None:
    """Also if memory was sent while it ran."""
    with machine(config(rom), running=True) as first:
        count_on(first, 20)
        stream, _ = save(first, rounds=rounds)
        before = lines(first)
    check_count(before, 1)
    last = int(before[len(before) // 2 * 2 - 2], 16)
    with machine(config(rom)) as second:
        load(second, stream)
        count_on(second, 20)
        after = lines(second)
    if len(before) % 2:  # the count was out, its sum not yet
        after.insert(0, before[-1])
    check_count(after, last + 1)


@needs_seabios
@pytest.mark.parametrize("milliseconds", [20, 60, 120, 250])
def test_what_is_loaded_is_saved_the_same(milliseconds: int) -> None:
    """Byte by byte, at some moments of a boot."""
    settings = config(str(SEABIOS), memory=16 << 20, vga="std", defaults=True, parallels=["null"])
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


def test_a_stream_of_another_machine_changes_nothing(rom: str) -> None:
    with machine(config(rom), running=True) as first:
        count_on(first, 4)
        stream, _ = save(first)
    with machine(config(rom)) as second:
        before = save(second)[0]
        with pytest.raises(MigrationError, match="Missing section footer for globalstate"):
            load(second, stream.replace(b"\x7e\0\0\0\x1f\0\6", b"\x7f\0\0\0\x1f\0\6"))
        after = save(second)[0]
    assert Decoder(after).decode().fields["cpu/0"] == Decoder(before).decode().fields["cpu/0"]


def test_snapshots_share_pages_and_bring_a_machine_back(rom: str) -> None:
    with machine(config(rom), running=True) as made:
        count_on(made, 9)
        snapshots = Snapshots(made.system.part(SavedMachine))
        snapshot = snapshots.take()
        printed = lines(made)
        count_on(made, 9)
        later = snapshots.take()
        assert lines(made)
        same = sum(a is b for a, b in zip(snapshot.memory["pc.ram"], later.memory["pc.ram"], strict=True))
        assert same >= len(snapshot.memory["pc.ram"]) - 16
        with made.system.parked():
            snapshots.restore(snapshot)
            lines(made)  # what was printed before
        count_on(made, 14)
        again = lines(made)
    if len(printed) % 2:
        again.insert(0, printed[-1])
    check_count(again, len(printed) // 2 + 1)


def test_a_snapshot_of_another_machine_is_refused(rom: str) -> None:
    with machine(config(rom)) as made:
        snapshot = Snapshots(made.system.part(SavedMachine)).take()
    with machine(config(rom, memory=8 << 20)) as other:
        snapshots = Snapshots(other.system.part(SavedMachine))
        with pytest.raises(MigrationError, match=r"Length mismatch: pc\.ram"):
            snapshots.restore(snapshot)


def test_a_machine_in_a_file(rom: str, tmp_path: Path) -> None:
    """The guest that was saved goes on, too."""
    with machine(config(rom), running=True) as first:
        count_on(first, 11)
        files.save(first.system.part(SavedMachine), tmp_path / "machine")
        printed = lines(first)
        count_on(first, 11)
        check_count(printed + lines(first), 1)
    with machine(config(rom)) as second:
        assert files.load(second.system.part(SavedMachine), tmp_path / "machine") is RunState.RUNNING
        with second.system.lock:
            second.system.start()
        count_on(second, 16)
        check_count(printed[len(printed) // 2 * 2 :] + lines(second), len(printed) // 2 + 1)


def test_a_file_that_is_none(rom: str, tmp_path: Path) -> None:
    with machine(config(rom)) as made:
        saved = made.system.part(SavedMachine)
        with pytest.raises(MigrationError, match="No such file or directory"):
            files.load(saved, tmp_path / "absent")
        (tmp_path / "short").write_bytes(b"QEVM\0\0")
        with pytest.raises(MigrationError, match=r"Unexpected end of file .*short' ends after 6 bytes"):
            files.load(saved, tmp_path / "short")
        with pytest.raises(MigrationError, match="Unable to write to file"):
            files.save(saved, tmp_path / "absent" / "machine")


def test_the_task_register_is_as_qemu_wants_it(rom: str) -> None:
    """QEMU keeps the descriptor without the busy bit that LTR sets in memory, and stops if it finds it."""
    busy, available = 0x8B00, 0x8900
    with machine(config(rom)) as first:
        first.cpu.cr0 |= 1  # type: ignore[attr-defined]
        first.cpu.tr.set_raw(0x80, 0x1000, 0x67, busy)  # type: ignore[attr-defined]
        stream, _ = save(first)
    assert Decoder(stream).decode().fields["cpu/0.env.tr"]["flags"] == available.to_bytes(4, "big")
    with machine(config(rom)) as second:
        load(second, stream)
        assert second.cpu.tr.flags == busy  # type: ignore[attr-defined]
