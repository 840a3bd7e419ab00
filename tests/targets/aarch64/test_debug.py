"""The processor for human eyes: as Debian's QEMU shows it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.targets.aarch64.guest import CODE, Guest, assemble

QEMU = "qemu-system-aarch64"
FPU_ON = "mov x0, #0x300000; msr cpacr_el1, x0; isb; fmov d3, #1.5; mov v4.d[1], x0; "
PROGRAM = "mov x1, #-2; mov sp, x1; movz x30, #0x1234, lsl #48; adds x2, x1, #1; msr daifclr, #2; "


def registers_on_qemu(code: bytes, address: int, end: int, tmp_path: Path) -> str:
    """What QEMU's ``info registers`` says when the processor has come to *end*."""
    image = tmp_path / "code.bin"
    image.write_bytes(code)
    loader = f"loader,file={image},addr={address:#x},cpu-num=0"
    command = [QEMU, "-M", "virt", "-cpu", "cortex-a57", "-m", "64", "-display", "none", "-nodefaults", "-qmp", "stdio"]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([*command, "-device", loader], text=True, **pipes) as process:

        def ask(execute: str, **arguments: str) -> Any:
            process.stdin.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
            process.stdin.flush()
            while "return" not in (message := json.loads(process.stdout.readline())):
                pass
            return message["return"]

        ask("qmp_capabilities")
        deadline = time.monotonic() + 60
        text = ""
        while f"PC={end:016x}" not in text and time.monotonic() < deadline:
            text = ask("human-monitor-command", **{"command-line": "info registers"})
        process.kill()
    return text


@pytest.mark.skipif(shutil.which(QEMU) is None, reason="needs Debian's qemu-system-arm")
@pytest.mark.parametrize("fpu", [False, True], ids=["fpu off", "fpu on"])
def test_registers_are_shown_as_qemu_shows_them(fpu: bool, tmp_path: Path) -> None:
    at = 0x4020_0000
    code = assemble((FPU_ON if fpu else "") + PROGRAM)
    theirs = registers_on_qemu(code + assemble(f"b #{CODE}"), at, at + len(code), tmp_path)
    guest = Guest()
    guest.cpu.sys.cpacr_el1 = 0
    guest.cpu.mode_changed()
    assert guest.run((FPU_ON if fpu else "") + PROGRAM) is None
    guest.cpu.pc = at + len(code)
    ours = guest.cpu.registers_text()
    assert ours.splitlines() == [
        line.rstrip("\r") for line in theirs.splitlines() if line.strip() and "CPU#" not in line
    ]


def test_disassembly_goes_on_behind_words_that_are_no_instruction() -> None:
    code = assemble("add x0, x1, #4; .word 0xffffffff; ret")
    lines = Guest().cpu.disassemble(code, 0x1000)
    assert (lines[0], lines[-1]) == ((0x1000, "add x0, x1, #4"), (0x1008, "ret"))
