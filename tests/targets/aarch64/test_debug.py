"""The processor for human eyes: as Debian's QEMU shows it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.targets.aarch64.guest import CODE, Guest, assemble
from tests.targets.arm.reference import AT, registers_on_qemu

QEMU = "qemu-system-aarch64"
FPU_ON = "mov x0, #0x300000; msr cpacr_el1, x0; isb; fmov d3, #1.5; mov v4.d[1], x0; "
PROGRAM = "mov x1, #-2; mov sp, x1; movz x30, #0x1234, lsl #48; adds x2, x1, #1; msr daifclr, #2; "


@pytest.mark.skipif(shutil.which(QEMU) is None, reason="needs Debian's qemu-system-arm")
@pytest.mark.parametrize("fpu", [False, True], ids=["fpu off", "fpu on"])
def test_registers_are_shown_as_qemu_shows_them(fpu: bool, tmp_path: Path) -> None:
    code = assemble((FPU_ON if fpu else "") + PROGRAM)
    end = f"PC={AT + len(code):016x}"
    theirs = registers_on_qemu(QEMU, "cortex-a57", code + assemble(f"b #{CODE}"), end, tmp_path)
    guest = Guest()
    guest.cpu.sys.cpacr_el1 = 0
    guest.cpu.mode_changed()
    assert guest.run((FPU_ON if fpu else "") + PROGRAM) is None
    guest.cpu.pc = AT + len(code)
    ours = guest.cpu.registers_text()
    assert ours.splitlines() == theirs


def test_disassembly_goes_on_behind_words_that_are_no_instruction() -> None:
    code = assemble("add x0, x1, #4; .word 0xffffffff; ret")
    lines = Guest().cpu.disassemble(code, 0x1000)
    assert (lines[0], lines[-1]) == ((0x1000, "add x0, x1, #4"), (0x1008, "ret"))
