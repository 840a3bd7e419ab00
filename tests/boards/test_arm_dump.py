"""``dump-guest-memory`` of ``-M virt``: the notes of processors are, byte by byte, those of Debian's QEMU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keystone as _keystone
import pytest
from elftools.elf.elffile import ELFFile

from pyqemu.boards.config import MachineConfig
from tests.migration.state.saved_rig import Qemu, config, lines, machine
from tests.monitor.commands.asker import Asker
from tests.qtest_reference import needs_qemu_arm

keystone: Any = _keystone  # its types are not for us
RAM = 0x4000_0000

PROGRAMS = {
    "arm": """
        mov r0, #0xf00000
        mcr p15, #0, r0, c1, c0, #2
        isb
        mov r0, #0x40000000
        vmsr fpexc, r0
        mvn r2, #5
        vmov d15, r0, r2
        vmov d31, r2, r0
        mov r3, #0x00400000
        vmsr fpscr, r3
        mov sp, #0x4000
        mov lr, #0x50
        mov r10, #0x09000000
        mov r11, #65
        str r11, [r10]
        mov r11, #10
        str r11, [r10]
    end:
        b end
    """,
    "aarch64": """
        mov x0, #0x300000
        msr cpacr_el1, x0
        isb
        mov x2, #-6
        fmov d15, x2
        mov v31.d[1], x2
        mov x3, #0x400000
        msr fpcr, x3
        mov x30, #0x50
        mov sp, x3
        movz x10, #0x0900, lsl #16
        mov w11, #65
        str w11, [x10]
        mov w11, #10
        str w11, [x10]
    end:
        b end
    """,
}
MACHINES = {"arm": ("cortex-a15", "EM_ARM", 32), "aarch64": ("cortex-a57", "EM_AARCH64", 64)}


def assemble(architecture: str) -> bytes:
    modes = {"arm": (keystone.KS_ARCH_ARM, keystone.KS_MODE_ARM),
             "aarch64": (keystone.KS_ARCH_ARM64, keystone.KS_MODE_LITTLE_ENDIAN)}  # fmt: skip
    code, _ = keystone.Ks(*modes[architecture]).asm(PROGRAMS[architecture], 0)
    return bytes(code)


def notes(path: Path) -> list[tuple[str, object, bytes]]:
    with path.open("rb") as file:
        return [
            (note.n_name, note.n_type, note.n_descdata)
            for segment in ELFFile(file).iter_segments("PT_NOTE")
            for note in segment.iter_notes()
        ]


def settings(rom: Path, architecture: str) -> MachineConfig:
    return config(str(rom), machine="virt", architecture=architecture, cpu=MACHINES[architecture][0])


@needs_qemu_arm
@pytest.mark.parametrize("architecture", list(MACHINES))
def test_notes_are_qemus(architecture: str, tmp_path: Path) -> None:
    rom, ours, theirs = tmp_path / "rom", tmp_path / "ours", tmp_path / "theirs"
    rom.write_bytes(assemble(architecture))
    cpu, kind, bits = MACHINES[architecture]

    class Reference(Qemu):
        program = [f"qemu-system-{architecture}", "-M", "virt-2.6", "-cpu", cpu, "-accel", "tcg", "-display", "none",
                   "-nodefaults", "-m", "4"]  # fmt: skip

    with Reference(str(rom), tmp_path / "serial") as qemu:
        qemu.wait_for_lines(1)
        qemu.ask("stop")
        qemu.ask("dump-guest-memory", paging=False, protocol=f"file:{theirs}")
    with machine(settings(rom, architecture), running=True) as made:
        made.run_for(60, until=lambda: bool(lines(made)))
        asker = Asker(made)
        asker("stop")
        asker("dump-guest-memory", paging=False, protocol=f"file:{ours}")
    assert notes(ours) == notes(theirs)
    with ours.open("rb") as file:
        elf = ELFFile(file)
        assert (elf.header.e_machine, elf.elfclass) == (kind, bits)
        ram = next(part for part in elf.iter_segments("PT_LOAD") if part.header.p_paddr == RAM)
        assert ram.header.p_filesz == 4 << 20


def test_other_boards_have_dumps_too(tmp_path: Path) -> None:
    """Of processors that have no VFP version 3: sixteen registers are told of, and as many zeros."""
    kernel, core = tmp_path / "kernel", tmp_path / "core"
    kernel.write_bytes(b"\0" * 16)
    with machine(config("", machine="versatilepb", architecture="arm", kernel=str(kernel))) as made:
        made.cpu.r[3], made.cpu.v[15] = 0x1234_5678, 1 << 63  # type: ignore[attr-defined]
        Asker(made)("dump-guest-memory", paging=False, protocol=f"file:{core}")
    (_, _, status), (owner, kind, vectors) = notes(core)
    assert (owner, kind, len(vectors)) == ("LINUX", 0x400, 260)
    assert status[72 + 12 : 72 + 16] == b"\x78\x56\x34\x12"
    assert vectors[120:128] == b"\0\0\0\0\0\0\0\x80"
