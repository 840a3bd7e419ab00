"""The processor for human eyes: as Debian's QEMU shows it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.targets.arm.guest import CODE, Guest, assemble
from tests.targets.arm.reference import AT, registers_on_qemu

QEMU = "qemu-system-arm"
FPU_ON = "mov r0, #0xF00000; mcr p15, 0, r0, c1, c0, 2; isb; mov r0, #0x40000000; vmsr fpexc, r0; "
VFP = "vmov s0, r0; mvn r2, #5; vmov d15, r0, r2; mov r3, #0x00400000; vmsr fpscr, r3; "
PROGRAM = "mvn r1, #1; mov sp, r1; mov lr, #0x12000; adds r2, r1, #4; cpsie i; "


@pytest.mark.skipif(shutil.which(QEMU) is None, reason="needs Debian's qemu-system-arm")
@pytest.mark.parametrize("model", ["cortex-a15", "cortex-a7"])
def test_registers_are_shown_as_qemu_shows_them(model: str, tmp_path: Path) -> None:
    text = FPU_ON + VFP + PROGRAM
    code = assemble(text)
    theirs = registers_on_qemu(QEMU, model, code + assemble(f"b #{CODE}"), f"R15={AT + len(code):08x}", tmp_path)
    guest = Guest(model=model)
    assert guest.run(text) is None
    guest.cpu.pc = AT + len(code)
    assert guest.cpu.registers_text().splitlines() == theirs


def test_models_show_the_extension_registers_that_they_have() -> None:
    shown = {name: Guest(model=name).cpu.registers_text() for name in ("arm926", "cortex-a9")}
    assert "d15=" in shown["arm926"]
    assert "d16=" not in shown["arm926"]
    assert "d31=" in shown["cortex-a9"]


def test_code_is_shown_in_the_state_of_the_processor() -> None:
    guest = Guest()
    assert guest.cpu.disassemble(assemble("add r0, r1, #4"), 0x1000) == [(0x1000, "add r0, r1, #4")]
    guest.cpu.set_cpsr(guest.cpu.cpsr | 1 << 5)
    assert guest.cpu.disassemble(assemble("adds r0, #4", thumb=True), 0x1000) == [(0x1000, "adds r0, #4")]
