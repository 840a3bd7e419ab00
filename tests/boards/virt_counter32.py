"""The guest of `virt_counter.py` for processors of 32 bits.

The number of interrupts is in TPIDRPRW, their sum in D8; the part that looks at memory is Thumb code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keystone as _keystone

from tests.boards.virt_levels import assemble

keystone: Any = _keystone  # its types are not for us
START, PASSES, INTERRUPT = 0x100, 0x400, 0x600
MONITOR = 0x800
MONITORED = {"hcr_el2": 0, "cnthctl_el2": 3, "cptr_el2": 0x33FF, "elr_el2": START, "spsr_el2": 0x1D3}
"""What EL2 leaves to a guest of 32 bits, which begins in Supervisor mode with everything masked."""
BRANCH = "b #{target}"

MAIN = """
    mov r0, #0xf00000
    mcr p15, #0, r0, c1, c0, #2
    isb
    mov r0, #0x40000000
    vmsr fpexc, r0
    mov r0, #0
    mcr p15, #0, r0, c13, c0, #4
    vmov d8, r0, r0
    mov r10, #0x09000000
    mov r1, #0x08000000
    mov r2, #1
    str r2, [r1]
    mov r3, #0x08000000
    str r3, [r1, #0x100]
    add r1, r1, #0x10000
    str r2, [r1]
    mov r3, #0xff
    str r3, [r1, #4]
    movw r4, #0xc4b4
    movt r4, #4
    mcr p15, #0, r4, c14, c3, #0
    mov r5, #1
    mcr p15, #0, r5, c14, c3, #1
    isb
    cpsie i
    mov r6, #0
    movw r0, #@passes@
    bx r0
"""

THUMB = """
pass:
    movw r7, #0
    movt r7, #0x4020
    movs r4, #64
page:
    ldr r5, [r7]
    cmp r5, r6
    itt ne
    movne r5, #33
    strne.w r5, [r10]
    adds r5, r6, #1
    str r5, [r7]
    add.w r7, r7, #0x1000
    subs r4, #1
    bne page
    adds r6, #1
    b pass
"""

HANDLER = """
    sub sp, lr, #4
    mov r8, #0x08000000
    add r8, r8, #0x10000
    ldr r9, [r8, #12]
    movw r0, #0xc4b4
    movt r0, #4
    mcr p15, #0, r0, c14, c3, #0
    mrc p15, #0, r0, c13, c0, #4
    add r0, r0, #1
    mcr p15, #0, r0, c13, c0, #4
    vmov r11, r12, d8
    add r11, r11, r0
    vmov d8, r11, r12
    bl print
    mov r0, r11
    bl print
    str r9, [r8, #16]
    mov lr, sp
    movs pc, lr
print:
    mov r1, #28
digit:
    lsr r2, r0, r1
    and r2, r2, #15
    cmp r2, #10
    addge r2, r2, #39
    add r2, r2, #48
    str r2, [r10]
    subs r1, r1, #4
    bge digit
    mov r2, #10
    str r2, [r10]
    bx lr
"""


def _assemble(text: str, address: int, *, thumb: bool = False) -> bytes:
    mode = keystone.KS_MODE_THUMB if thumb else keystone.KS_MODE_ARM
    code, _ = keystone.Ks(keystone.KS_ARCH_ARM, mode).asm(text, address)
    return bytes(code)


def firmware_with_monitor(directory: Path) -> str:
    """The file for ``-bios`` of a processor of 64 bits that begins at :data:`MONITOR`: EL2 enters the guest at EL1."""
    text = "".join(f"mov x0, #{value:#x}\nmsr {name}, x0\n" for name, value in MONITORED.items()) + "eret\n"
    return firmware(directory, assemble(text, MONITOR))


def firmware(directory: Path, monitor: bytes = b"") -> str:
    """The file for ``-bios``."""
    parts = {
        MONITOR: monitor,
        0: _assemble(BRANCH.format(target=START), 0),
        0x18: _assemble(BRANCH.format(target=INTERRUPT), 0x18),
        START: _assemble(MAIN.replace("@passes@", str(PASSES | 1)), START),
        PASSES: _assemble(THUMB, PASSES, thumb=True),
        INTERRUPT: _assemble(HANDLER, INTERRUPT),
    }
    image = bytearray(MONITOR + len(monitor))
    for address, code in parts.items():
        assert not any(image[address : address + len(code)])
        image[address : address + len(code)] = code
    path = directory / "counter32.bin"
    path.write_bytes(image)
    return str(path)
