"""``-M virt`` with processors of 32 bits is saved and loaded, also by and for Debian's QEMU."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pyqemu.boards.config import MachineConfig, RtcConfig
from pyqemu.migration.failure import MigrationError
from pyqemu.migration.state.dump import dump
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.system import RunState
from tests.boards import virt_counter, virt_counter32
from tests.boards.test_virt_saved import ORDER, SIZES, size
from tests.boards.virt_counter32 import firmware
from tests.migration.state.saved_rig import Decoder, Qemu, check_count, config, count_on, load, machine, save, text
from tests.migration.state.test_dump import differences
from tests.qtest_reference import needs_qemu_arm

MOVES = 4


class QemuArm(Qemu):
    """Debian's QEMU with the same machine."""

    program = ["qemu-system-arm", "-M", "virt-2.6", "-cpu", "cortex-a15", "-accel", "tcg", "-display", "none",
               "-nodefaults", "-m", "4"]  # fmt: skip
    architecture = "arm"
    options: ClassVar[dict[str, str]] = {}
    cpu = "cortex-a15,midr=0x414fc0f0"  # a later revision than that of QEMU 2.6
    firmware = staticmethod(firmware)


class QemuAarch64(QemuArm):
    """The same with a processor of 64 bits."""

    program = ["qemu-system-aarch64", *QemuArm.program[1:3], "-cpu", "cortex-a57", *QemuArm.program[5:]]
    architecture = "aarch64"
    cpu = "cortex-a57"
    firmware = staticmethod(virt_counter.firmware)


class QemuMonitored(QemuArm):
    """A guest of 32 bits at EL1 of a processor of 64 bits."""

    cpu = f"cortex-a57,rvbar={virt_counter32.MONITOR:#x}"
    program = ["qemu-system-aarch64", "-M", "virt-2.6,virtualization=on", "-cpu", cpu, *QemuArm.program[5:]]
    architecture = "aarch64"
    options: ClassVar[dict[str, str]] = {"virtualization": "on"}
    firmware = staticmethod(virt_counter32.firmware_with_monitor)


@pytest.fixture(scope="module")
def rom(tmp_path_factory: pytest.TempPathFactory) -> str:
    return firmware(tmp_path_factory.mktemp("rom"))


def virt(rom: str, **changes: Any) -> MachineConfig:
    settings = {"architecture": "arm", "rtc": RtcConfig(base=1e9, clock="vm"), **changes}
    return config(rom, machine="virt", **settings)


def test_sections_are_qemus_in_qemus_order(rom: str) -> None:
    with machine(virt(rom)) as made:
        decoded = Decoder(save(made)[0]).decode()
    found = [(name, version) for kind, name, _, version in decoded.sections if kind in (1, 4)]
    assert tuple(found) == tuple(section for section in ORDER if section[0] != "virtio-blk")
    devices = decoded.trailer["devices"]
    assert {each["name"]: size(each["fields"]) for each in devices if each["name"] in SIZES} == SIZES


def test_registers_are_in_the_stream(rom: str) -> None:
    with machine(virt(rom)) as made:
        made.cpu.r[3] = 0x1122_3344  # type: ignore[attr-defined]
        decoded = Decoder(save(made)[0]).decode()
    assert decoded.fields["cpu/0"]["env.regs[3]"].hex() == "11223344"
    assert decoded.fields["cpu/0"]["cpsr"].hex() == "400001d3"


@pytest.mark.parametrize("cpu", ["cortex-a15", "cortex-a7", QemuMonitored.cpu])
def test_a_guest_moves_again_and_again_and_counts_on(tmp_path: Path, cpu: str) -> None:
    """With its timer, VFP and Thumb code, and memory that changes while it is sent."""
    if cpu == QemuMonitored.cpu:
        settings = virt(QemuMonitored.firmware(tmp_path), cpu=cpu, architecture=QemuMonitored.architecture,
                        machine_options=QemuMonitored.options)  # fmt: skip
    else:
        settings = virt(firmware(tmp_path), cpu=cpu)
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


@pytest.mark.parametrize("milliseconds", [3, 40])
def test_what_is_loaded_is_saved_the_same(rom: str, milliseconds: int) -> None:
    """Byte by byte, at some moments."""
    with machine(virt(rom), running=True) as first:
        first.run_for(milliseconds / 1000)
        with first.system.lock:
            first.system.stop(RunState.PAUSED)
        stream, _ = save(first)
    with machine(virt(rom)) as second:
        load(second, stream)
        again, _ = save(second)
    assert Decoder(again).decode().fields == Decoder(stream).decode().fields
    assert again == stream


def test_what_a_guest_has_made_of_its_kernel_moves(tmp_path: Path) -> None:
    """A reset brings the kernel back, but not over memory that has come."""
    kernel = tmp_path / "kernel"
    kernel.write_bytes(b"as it was loaded")
    for name, ram in (("virt", 0x4000_0000), ("vexpress-a15", 0x8000_0000)):
        settings = config("", machine=name, architecture="arm", kernel=str(kernel))
        with machine(settings) as first:
            space: Any = first.board.memory_space  # type: ignore[attr-defined]
            assert space.read(ram + 0x10000, 16) == b"as it was loaded"
            space.write(ram + 0x10000, b"changed")
            stream, _ = save(first)
        with machine(settings) as second:
            load(second, stream)
            space = second.board.memory_space  # type: ignore[attr-defined]
            assert space.read(ram + 0x10000, 7) == b"changed"


def test_a_processor_of_another_size_is_refused(rom: str) -> None:
    with machine(virt(rom)) as first:
        stream, _ = save(first)
    with (
        machine(config(rom, machine="virt", architecture="aarch64")) as second,
        pytest.raises(MigrationError, match=r"cpsr: 0x400001d3 is"),
    ):
        load(second, stream)


def shapes(devices: list[dict[str, Any]]) -> dict[str, Any]:
    """Names, types and sizes of the fields of each section, and of its subsections."""
    counted = ("cpreg_vmstate_indexes", "cpreg_vmstate_values")  # as many as there are

    def of(fields: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        return [(each["name"], each["type"], 0 if each["name"] in counted else size([each])) for each in fields]

    return {
        f"{each['name']}/{each['instance_id']}": (
            each["version"], of(each["fields"]),
            [(part["vmsd_name"], part["version"], of(part["fields"])) for part in each.get("subsections", ())],
        )
        for each in devices
    }  # fmt: skip


@needs_qemu_arm
@pytest.mark.parametrize("section", ["cpu/0", "cpu_common/0", "arm_gic/0", "pl011/0", "timer/0"])
def test_sections_are_as_qemu_describes_them(rom: str, qemus_stream: bytes, section: str) -> None:
    with machine(virt(rom)) as made:
        ours = shapes(Decoder(save(made)[0]).decode().trailer["devices"])
    assert ours[section] == shapes(trailer(qemus_stream)["devices"])[section]


@needs_qemu_arm
def test_layouts_are_those_of_dump_vmstate(rom: str, tmp_path: Path) -> None:
    subprocess.run([*QemuArm.program, "-dump-vmstate", str(tmp_path / "theirs")], check=True, timeout=60)
    theirs = json.loads((tmp_path / "theirs").read_text())
    with machine(virt(rom)) as made:
        ours = json.loads(dump(made.system.part(SavedMachine)))
    assert ours.pop("vmschkmachine") == theirs["vmschkmachine"]
    assert ours.keys() - theirs.keys() == set()
    found = {each for name in ours for each in differences(name, ours[name]["Description"],
                                                           theirs[name]["Description"])}  # fmt: skip
    assert found <= {
        "config exists",  # QEMU has it twice; which one a device has never changes
        "cfi.pflash01: pflash_cfi01_blk_write",  # between two versions of QEMU
        "fw_cfg_mem: fw_cfg/acpi_mr",  # newer machine types alone send it
    }
    assert len(ours) >= 8


@needs_qemu_arm
@pytest.mark.parametrize("qemu", [QemuArm, QemuAarch64, QemuMonitored])
def test_a_guest_of_qemu_moves_here_and_back(qemu: type[QemuArm], tmp_path: Path) -> None:
    """Memory is in records of 1 KiB there. (Those that began here: ``test_arm_to_qemu.py``.)"""
    image, first, last = qemu.firmware(tmp_path), tmp_path / "first", tmp_path / "last"
    with qemu(image, first) as there:
        there.wait_for_lines(20)
        stream = there.save(tmp_path / "stream")
        printed = first.read_text("ascii")
    settings = virt(image, cpu=qemu.cpu, architecture=qemu.architecture, machine_options=qemu.options)
    with machine(settings) as here:
        load(here, stream, go=False)
        with here.system.lock:
            here.system.start()  # QEMU was stopped before
        count_on(here, 80)
        back, _ = save(here)
        printed += text(here)
    if qemu is QemuMonitored:  # QEMU 7.2 does not go on from a stream of its own either: no interrupt comes any more
        assert "!" not in printed
        check_count(printed.split(), 1)
        return
    (tmp_path / "back").write_bytes(back)
    with qemu(image, last, "-incoming", f"exec:cat {tmp_path / 'back'}") as there:
        there.wait_for_lines(20)
        there.save(tmp_path / "end")
        printed += last.read_text("ascii")
    assert "!" not in printed
    check_count(printed.split(), 1)


def trailer(stream: bytes) -> dict[str, Any]:
    """The description at the end of a stream."""
    found: dict[str, Any] = json.loads(stream[stream.rindex(b'{"page_size"') :])
    return found


@pytest.fixture(scope="module")
def qemus_stream(rom: str, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Of a QEMU whose guest has counted a while."""
    directory = tmp_path_factory.mktemp("qemu")
    with QemuArm(rom, directory / "serial") as qemu:
        qemu.wait_for_lines(20)
        return qemu.save(directory / "stream")
