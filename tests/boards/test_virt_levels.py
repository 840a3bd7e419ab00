"""``-M virt,virtualization=on`` and ``secure=on``: what is told of them, how programs begin, what each world sees."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pyqemu.api.machine import Machine
from pyqemu.boards.config import MachineConfig, SmpConfig
from pyqemu.boards.virt_tree import TreeFacts, device_tree
from pyqemu.system.inspection import Inspection
from pyqemu.targets.arm.psci import CPU_ON, SMC64
from pyqemu.util.units import MIB
from tests.boards.test_virt import nodes
from tests.boards.test_virt_saved import text, virt
from tests.boards.virt_counter import firmware
from tests.migration.state.saved_rig import Decoder, check_count, count_on, load, machine, save

QEMU = shutil.which("qemu-system-aarch64")
SECURE = 1 << 52
SECURE_RAM, SECURE_UART, UART, FLASH1 = 0x0E00_0000, 0x0904_0000, 0x0900_0000, 0x0400_0000
GIC_DISTRIBUTOR, GIC_CPU = 0x0800_0000, 0x0801_0000
LINUX = b"\0\0\0\x14" + bytes(4) + (0x80000).to_bytes(8, "little") + bytes(40) + b"ARM\x64" + bytes(4)
LEVELS = [{"virtualization": "on"}, {"secure": "on"}, {"secure": "on", "virtualization": "on"}]
NAMES = ["EL2", "EL3", "both"]


def options(levels: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"machine": "virt", "architecture": "aarch64", "defaults": False, "vga": "none", "memory": 64 * MIB,
            "machine_options": levels, **more}  # fmt: skip


@contextmanager
def board(levels: dict[str, str], **more: Any) -> Iterator[Any]:
    with Machine(MachineConfig(**options(levels, **more)), say=lambda text: None) as made:
        made.board.system.reset()
        yield made.board


@pytest.fixture
def kernel(tmp_path: Path) -> str:
    path = tmp_path / "Image"
    path.write_bytes(LINUX)
    return str(path)


@pytest.mark.skipif(QEMU is None, reason="needs Debian's qemu-system-arm")
@pytest.mark.parametrize("gic_version", [2, 3])
@pytest.mark.parametrize("levels", LEVELS, ids=NAMES)
def test_the_tree_is_qemus(levels: dict[str, str], gic_version: int, tmp_path: Path) -> None:
    """But for flash: newer versions name the bank that all see by its own address, and only add PSCI to the tree where
    a kernel is loaded."""
    blob = tmp_path / "qemu.dtb"
    kernel = tmp_path / "Image"
    kernel.write_bytes(LINUX)
    chosen = ",".join(f"{name}={value}" for name, value in levels.items())
    subprocess.run(
        [str(QEMU), "-M", f"virt-2.6,gic-version={gic_version},{chosen},dumpdtb={blob}", "-cpu", "cortex-a57", "-m",
         "64", "-nodefaults", "-display", "none", "-accel", "tcg", "-kernel", str(kernel)], check=True,
        capture_output=True,
    )  # fmt: skip
    theirs = nodes(blob.read_bytes())
    facts = TreeFacts(64 * MIB, (("arm,cortex-a57", 0),), "smc" if "virtualization" in levels else "hvc", gic_version,
                      virtualization="virtualization" in levels, secure="secure" in levels)  # fmt: skip
    ours = nodes(device_tree(facts))
    for path in ours.keys() & theirs.keys():
        for name in ("reg", "interrupts", "status", "secure-status", "method"):
            assert ours[path].get(name) == theirs[path].get(name), (path, name)
    assert {path for path in theirs if path.startswith("/sec")} - {"/secure-chosen"} == {
        path for path in ours if path.startswith("/sec")
    }
    if "secure" in levels:
        assert ours["/flash@0"]["reg"] == theirs["/flash@4000000"]["reg"]


@pytest.mark.parametrize(("levels", "el"), list(zip(LEVELS, (2, 1, 2), strict=True)), ids=NAMES)
def test_linux_begins_in_nonsecure_state_as_high_as_it_may(levels: dict[str, str], el: int, kernel: str) -> None:
    with board(levels, kernel=kernel) as made:
        cpu = made.cpu
        assert (cpu.el, cpu.is_secure) == (el, False)
        assert made.gic.irq_reset_nonsecure
        assert made.gic.group.of(0) == (made.gic.valid if "secure" in levels else 0)
        assert cpu.firmware_call(0x17 if "virtualization" in levels else 0x16)
        assert not cpu.firmware_call(0x16 if "virtualization" in levels else 0x17)


@pytest.mark.parametrize(("levels", "el"), list(zip(LEVELS, (2, 3, 3), strict=True)), ids=NAMES)
def test_firmware_begins_at_the_highest_level(levels: dict[str, str], el: int, tmp_path: Path) -> None:
    """At EL3 it is what others ask: nobody answers in its place, and all processors run."""
    rom = tmp_path / "rom"
    rom.write_bytes(b"\0\0\0\x14")
    with board(levels, bios=str(rom), cpu="cortex-a57") as made:
        assert made.cpu.el == el
        assert (made.cpu.firmware_call is None) == (el == 3)
        assert made.cpu.memory.load(SECURE if el == 3 else 0, 4) == 0x14000000


@pytest.mark.parametrize(("levels", "el"), list(zip(LEVELS, (2, 1, 2), strict=True)), ids=NAMES)
def test_others_are_started_as_high_as_the_first_one(levels: dict[str, str], el: int, kernel: str) -> None:
    """Also where a kernel asks that has a hypervisor above it."""
    with board(levels, kernel=kernel, smp=SmpConfig(2, cores=2, max_cpus=2)) as made:
        cpu, other = made.cpus
        cpu.enter(1, 1)
        cpu.x[0], cpu.x[1], cpu.x[2] = CPU_ON | SMC64, other.affinity, 0x4000_0000
        cpu.firmware_call(0x17 if "virtualization" in levels else 0x16)
        assert (other.el, other.is_secure, other.pc, other.powered_off) == (el, False, 0x4000_0000, False)


def test_each_world_sees_what_it_may(kernel: str) -> None:
    with board({"secure": "on"}, kernel=kernel) as made:
        memory = made.cpu.memory
        memory.store(SECURE | SECURE_RAM, 8, 0x1234)
        memory.store(SECURE | 0x4000_0000, 8, 0x5678)
        assert memory.load(SECURE | SECURE_RAM, 8) == 0x1234
        assert memory.load(SECURE_RAM, 8) != 0x1234
        assert made.memory_space.load(SECURE | SECURE_RAM, 8) != 0x1234  # other masters than processors
        assert memory.load(0x4000_0000, 8) == memory.load(SECURE | 0x4000_0000, 8) == 0x5678
        identity = 0xFE0
        assert memory.load(UART + identity, 4) == memory.load(SECURE | UART + identity, 4) == 0x11
        assert memory.load(SECURE | SECURE_UART + identity, 4) == 0x11
        assert memory.load(SECURE_UART + identity, 4) != 0x11
        assert [space.name for space in made.system.part(Inspection).spaces] == ["memory", "cpu-memory"]
        assert made.flash[0].size == 64 * MIB
        assert memory.section_at(0).ram is None
        assert memory.section_at(SECURE).ram is not None
        assert memory.section_at(FLASH1).ram is memory.section_at(SECURE | FLASH1).ram is not None


def test_the_interrupt_controller_tells_worlds_apart(tmp_path: Path) -> None:
    rom = tmp_path / "rom"
    rom.write_bytes(b"\0\0\0\x14")
    with board({"secure": "on"}, bios=str(rom)) as made:
        memory = made.cpu.memory
        memory.store(SECURE | GIC_DISTRIBUTOR, 4, 3)
        assert (memory.load(SECURE | GIC_DISTRIBUTOR, 4), memory.load(GIC_DISTRIBUTOR, 4)) == (3, 1)
        memory.store(SECURE | GIC_DISTRIBUTOR + 0x84, 4, 0xFF)  # GICD_IGROUPR1
        assert memory.load(GIC_DISTRIBUTOR + 0x84, 4) == 0
        memory.store(GIC_DISTRIBUTOR + 0x104, 4, 0xFFFF)
        assert memory.load(SECURE | GIC_DISTRIBUTOR + 0x104, 4) == 0xFF
        memory.store(SECURE | GIC_CPU + 4, 4, 0xF0)
        assert memory.load(GIC_CPU + 4, 4) == 0xE0


@pytest.mark.parametrize(
    ("levels", "gic_version"), [*((levels, 2) for levels in LEVELS), (LEVELS[0], 3)], ids=[*NAMES, "EL2 with GICv3"]
)
def test_a_guest_moves_and_counts_on(levels: dict[str, str], gic_version: int, tmp_path: Path) -> None:
    settings = virt(firmware(tmp_path, gic_version), machine_options=levels | {"gic-version": str(gic_version)})
    printed: list[str] = []
    stream = b""
    for _ in range(3):
        with machine(settings, running=not stream) as made:
            if stream:
                load(made, stream)
            count_on(made, 50)
            stream, _ = save(made)
            printed.append(text(made))
    together = "".join(printed)
    assert "!" not in together
    check_count(together.split(), 1)
    decoded = Decoder(stream).decode()
    sections = [name for _, name, *_ in decoded.sections]
    assert sections.count("pl011") == (2 if "secure" in levels else 1)
    assert ("virt.secure-ram" in decoded.blocks) == ("secure" in levels)
