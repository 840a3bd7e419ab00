"""Advanced SIMD side by side with Debian's QEMU: ``python bench/arm_vectors.py [LOOP …]``.

Loops without an operating system on vexpress-a15, each one ended by a letter on the serial port. Prints processor time
and their ratio; nothing here passes or fails. Needs the Debian package qemu-system-arm, and keystone.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import keystone as _keystone
from support import Emulator

keystone: Any = _keystone  # its types are not for us
TURNS = 20_000  # of 1024 times a loop
UART = 0x1C090000
ENABLE = """
    mov sp, #0x80000000; add sp, sp, #0x200000; mov r0, #0xf00000; mcr p15, 0, r0, c1, c0, 2; isb;
    mov r0, #0x40000000; .word 0xEEE80A10
"""
"""CPACR and FPEXC (VMSR, which the assembler does not know here)."""
BUFFERS = "mov r0, #0x80000000; add r0, r0, #0x400000; add r1, r0, #0x100000"
SINGLES = "vmov.f32 q0, #1.0; vmov.f32 q1, #0.5; vmov.f32 q2, #2.0; vmov.f32 q3, #1.5"
LOOPS = {
    "copy": (BUFFERS, """
        vld1.8 {d0, d1, d2, d3}, [r0]!; vld1.8 {d4, d5, d6, d7}, [r0]!; vst1.8 {d0, d1, d2, d3}, [r1]!;
        vst1.8 {d4, d5, d6, d7}, [r1]!"""),
    "bytes": ("", """
        vadd.i8 q0, q0, q1; vand q2, q0, q1; veor q3, q2, q0; vmax.u8 q1, q3, q2; vshr.u8 q2, q2, #1;
        vsub.i8 q3, q3, q1; vceq.i8 q4, q3, q2; vbsl q4, q1, q2"""),
    "halfwords": ("", """
        vmul.i16 q0, q0, q1; vmla.i16 q2, q0, q1; vmull.s16 q3, d0, d2; vshrn.i32 d8, q3, #8; vqadd.s16 q5, q2, q1;
        vrshr.s16 q5, q5, #2; vabd.u16 q6, q5, q0; vpaddl.u16 q7, q6"""),
    "saturation": ("", """
        vqadd.s32 q0, q0, q1; vqsub.u32 q2, q2, q1; vqdmulh.s16 q3, q3, q1; vqrdmulh.s32 q4, q4, q1;
        vqdmull.s16 q5, d2, d4; vqdmlal.s16 q6, d2, d4; vhsub.u8 q7, q7, q1; vqshl.s16 q8, q8, #2"""),
    "structures": (BUFFERS, """
        vld4.8 {d0, d1, d2, d3}, [r0]; vld3.8 {d4, d5, d6}, [r0]; vst3.8 {d4, d5, d6}, [r1];
        vld2.16 {d8, d9, d10, d11}, [r0]; vst4.8 {d0, d1, d2, d3}, [r1]; vtbl.8 d12, {d0, d1}, d3;
        vext.8 q7, q0, q1, #3; vzip.8 q4, q5"""),
    "singles": (SINGLES, """
        vadd.f32 q4, q0, q1; vmul.f32 q5, q4, q2; vsub.f32 q6, q5, q3; vmla.f32 q3, q1, q1; vmax.f32 q7, q6, q5;
        vcgt.f32 q8, q7, q6; .word 0xF2020C52; vabs.f32 q9, q6"""),  # the word is vfma.f32 q0, q1, q1
    "roots": (SINGLES, """
        vrecpe.f32 q4, q2; vrecps.f32 q5, q4, q2; vmul.f32 q4, q4, q5; vrsqrte.f32 q6, q3; vmul.f32 q7, q6, q3;
        vrsqrts.f32 q8, q7, q6; vmul.f32 q6, q6, q8"""),
    "conversions": (SINGLES, """
        vcvt.s32.f32 q4, q3; vcvt.f32.s32 q5, q4; vcvt.u32.f32 q6, q5, #8; vcvt.f32.u32 q7, q6, #8"""),
}  # fmt: skip
"""What is done before a loop, and the loop."""


def assemble(text: str) -> bytes:
    """The code of instructions that are separated by semicolons."""
    out, assembler = b"", keystone.Ks(keystone.KS_ARCH_ARM, keystone.KS_MODE_ARM)
    for line in filter(None, map(str.strip, text.split(";"))):
        out += int(line.split()[1], 0).to_bytes(4, "little") if line[0] == "." else bytes(assembler.asm(line)[0])
    return out


def repeated(counter: str, body: bytes) -> bytes:
    """*body* until a register has been counted down to zero."""
    body += assemble(f"subs {counter}, {counter}, #1")
    return body + (0x1A000000 | -(len(body) + 8) // 4 & 0xFFFFFF).to_bytes(4, "little")


def letter(number: int) -> bytes:
    """Code that writes a letter to the serial port."""
    put = f"movw r6, #{UART & 0xFFFF}; movt r6, #{UART >> 16}; mov r7, #{ord('A') + number}; str r7, [r6]"
    return assemble(put)


def program(loops: list[str]) -> bytes:
    """A program of these loops: letters before each one, and after the last."""
    code = assemble(ENABLE) + letter(0)
    for number, name in enumerate(loops, 1):
        before, body = (assemble(text) for text in LOOPS[name])
        turn = before + assemble("mov r2, #1024") + repeated("r2", body)
        code += assemble(f"movw r9, #{TURNS & 0xFFFF}; movt r9, #{TURNS >> 16}") + repeated("r9", turn) + letter(number)
    return code + assemble("wfi; b #0")


def times(command: list[str], count: int) -> list[float]:
    """Seconds of processor time of each loop."""
    with Emulator(command) as emulator:
        marks = []
        for number in range(count + 1):
            emulator.expect(bytes((ord("A") + number,)), 300)
            marks.append(emulator.cost().cpu)
    return [after - before for before, after in pairwise(marks)]


def main(loops: list[str]) -> None:
    """Print the figures of all loops that were asked for."""
    with tempfile.TemporaryDirectory() as directory:
        image = Path(directory) / "loops.bin"
        image.write_bytes(program(loops))
        options = ["-M", "vexpress-a15", "-cpu", "cortex-a15", "-m", "64", "-display", "none", "-serial", "stdio",
                   "-monitor", "none", "-kernel", str(image)]  # fmt: skip
        theirs = times(["qemu-system-arm", "-accel", "tcg", *options], len(loops))
        ours = times([sys.executable, "-m", "pyqemu", *options], len(loops))
    for name, mine, other in zip(loops, ours, theirs, strict=True):
        print(f"{name:12} pyqemu {mine:6.2f} s, QEMU {other:6.2f} s: {other / max(mine, 0.01):5.2f} of QEMU's speed")


if __name__ == "__main__":
    main(sys.argv[1:] or list(LOOPS))
