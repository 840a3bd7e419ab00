"""``validate-uuid``: a machine is loaded into itself, and into no other."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID

import pytest

from pyqemu.migration.failure import MigrationError
from pyqemu.qapi.generated.types import MigrationCapability
from tests.migration.state.saved_rig import QEMU, Qemu, config, count_on, counter_rom, load, machine, save

OURS, OTHER = UUID("00112233-4455-6677-8899-aabbccddeeff"), UUID(int=1)
VALIDATE = (MigrationCapability.VALIDATE_UUID,)
PART = b"\5\x12configuration/uuid\0\0\0\1" + OURS.bytes


@pytest.fixture
def rom(tmp_path: Path) -> str:
    return counter_rom(tmp_path)


def stream_of(rom: str, *, capabilities: tuple[MigrationCapability, ...] = VALIDATE, uuid: UUID | None = OURS) -> bytes:
    with machine(config(rom, uuid=uuid), running=True) as made:
        count_on(made, 4)
        return save(made, capabilities=capabilities)[0]


def test_it_stands_behind_the_machine_type(rom: str) -> None:
    assert stream_of(rom)[8 + 5 + len("pc-i440fx-2.6") :].startswith(PART)


@pytest.mark.parametrize(("capabilities", "uuid"), [((), OURS), (VALIDATE, None)])
def test_it_is_not_sent_without_the_capability_or_without_one(
    rom: str, capabilities: tuple[MigrationCapability, ...], uuid: UUID | None
) -> None:
    assert b"configuration/uuid" not in stream_of(rom, capabilities=capabilities, uuid=uuid)


@pytest.mark.parametrize("uuid", [OURS, None])
def test_the_same_machine_or_one_without_takes_it(rom: str, uuid: UUID | None) -> None:
    with machine(config(rom, uuid=uuid)) as made:
        load(made, stream_of(rom))
        count_on(made, 4)


def test_another_machine_refuses_it(rom: str) -> None:
    with machine(config(rom, uuid=OTHER)) as made:
        with pytest.raises(MigrationError) as caught:
            load(made, stream_of(rom))
        assert caught.value.message == f"UUID received is {OURS} and local is {OTHER}"
        assert made.system.state.value == "inmigrate"


@pytest.mark.skipif(shutil.which(QEMU[0]) is None, reason="needs Debian's qemu-system-x86")
def test_qemu_takes_ours_and_we_take_qemus(rom: str, tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(stream_of(rom))
    options = ("-incoming", f"exec:cat {path}")
    with Qemu(rom, tmp_path / "serial", *options, "-uuid", str(OTHER)) as qemu:
        assert qemu.process.stderr is not None
        assert f"UUID received is {OURS} and local is {OTHER}" in qemu.process.stderr.readline()
    with Qemu(rom, tmp_path / "serial", *options, "-uuid", str(OURS)) as qemu:
        qemu.wait_for_lines(4)
        qemu.ask("migrate-set-capabilities", capabilities=[{"capability": "validate-uuid", "state": True}])
        theirs = qemu.save(tmp_path / "back")
    assert PART in theirs[:100]
    with machine(config(rom, uuid=OTHER)) as made, pytest.raises(MigrationError, match="UUID received"):
        load(made, theirs)
    with machine(config(rom, uuid=OURS)) as made:
        load(made, theirs, go=False)
        with made.system.lock:
            made.system.start()
        count_on(made, 4)
