"""A guest of ``virt`` that counts on its serial line by timer interrupts, and keeps all of its memory busy.

It runs at EL1, wherever it begins: in Secure state if there is EL3. Each interrupt adds one to TPIDR_EL1 and that to
D8, and prints both as hexadecimal numbers. Between interrupts every page of a region gets the number of the pass,
having been looked at whether it has that of the last one: "!" if not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keystone as _keystone

keystone: Any = _keystone  # its types are not for us
VECTORS, IRQ = 0x1000, 0x280
PERIOD = 5_000_000  # ns

MAIN = """
    mrs x0, currentel
    cmp x0, #12
    b.ne not_el3
    mov x1, #0x430
    msr scr_el3, x1
    mov x1, #0x3c5
    msr spsr_el3, x1
    adr x1, begin
    msr elr_el3, x1
    eret
not_el3:
    cmp x0, #8
    b.ne begin
    movz x1, #0x8000, lsl #16
    msr hcr_el2, x1
    mov x1, #0x3c5
    msr spsr_el2, x1
    adr x1, begin
    msr elr_el2, x1
    eret
begin:
    movz x0, #0x30, lsl #16
    msr cpacr_el1, x0
    movz x0, #0x1000
    msr vbar_el1, x0
    msr tpidr_el1, xzr
    fmov d8, xzr
    movz x29, #0x0900, lsl #16
@controller@
    movz x4, #0xc4b4
    movk x4, #4, lsl #16
    msr cntv_tval_el0, x4
    mov x5, #1
    msr cntv_ctl_el0, x5
    isb
    msr daifclr, #2
    mov x6, #0
pass:
    movz x7, #0x4020, lsl #16
    mov x8, #64
page:
    ldr x9, [x7]
    cmp x9, x6
    b.eq good
    mov w9, #33
    str w9, [x29]
good:
    add x9, x6, #1
    str x9, [x7]
    add x7, x7, #1, lsl #12
    subs x8, x8, #1
    b.ne page
    add x6, x6, #1
    b pass
"""

INTERRUPT = """
@acknowledge@
    movz x22, #0xc4b4
    movk x22, #4, lsl #16
    msr cntv_tval_el0, x22
    mrs x23, tpidr_el1
    add x23, x23, #1
    msr tpidr_el1, x23
    fmov x24, d8
    add x24, x24, x23
    fmov d8, x24
    mov x25, x23
    bl print
    mov x25, x24
    bl print
@end@
    eret
print:
    mov x26, #28
digit:
    lsr x28, x25, x26
    and x28, x28, #15
    cmp x28, #10
    add x27, x28, #39
    csel x28, x27, x28, ge
    add x28, x28, #48
    str w28, [x29]
    subs x26, x26, #4
    b.ge digit
    mov w28, #10
    str w28, [x29]
    ret
"""

GIC2 = {
    "@controller@": """
    movz x1, #0x0800, lsl #16
    mov w2, #1
    str w2, [x1]
    movz w3, #0x0800, lsl #16
    str w3, [x1, #0x100]
    movz x1, #0x0801, lsl #16
    str w2, [x1]
    mov w3, #0xff
    str w3, [x1, #4]
""",
    "@acknowledge@": """
    movz x20, #0x0801, lsl #16
    ldr w21, [x20, #12]
""",
    "@end@": "str w21, [x20, #16]",
}
GIC3 = {
    "@controller@": """
    movz x1, #0x0800, lsl #16
    mov w2, #2
    str w2, [x1]
    movz x1, #0x080a, lsl #16
    str wzr, [x1, #0x14]
    movz x1, #0x080b, lsl #16
    mov w3, #-1
    str w3, [x1, #0x80]
    movz w3, #0x0800, lsl #16
    str w3, [x1, #0x100]
    mov x3, #7
    msr s3_0_c12_c12_5, x3
    isb
    mov x3, #0xff
    msr s3_0_c4_c6_0, x3
    mov x3, #1
    msr s3_0_c12_c12_7, x3
""",
    "@acknowledge@": "mrs x21, s3_0_c12_c12_0",
    "@end@": "msr s3_0_c12_c12_1, x21",
}
"""What is different with the two interrupt controllers (IHI 0048B, IHI 0069B)."""


def _assemble(text: str, address: int) -> bytes:
    code, _ = keystone.Ks(keystone.KS_ARCH_ARM64, keystone.KS_MODE_LITTLE_ENDIAN).asm(text, address)
    return bytes(code)


def firmware(directory: Path, gic_version: int = 2) -> str:
    """The file for ``-bios``."""
    main, interrupt = MAIN, INTERRUPT
    for name, text in (GIC2 if gic_version == 2 else GIC3).items():
        main, interrupt = main.replace(name, text), interrupt.replace(name, text)
    path = directory / f"counter-gic{gic_version}.bin"
    path.write_bytes(_assemble(main, 0).ljust(VECTORS + IRQ, b"\0") + _assemble(interrupt, VECTORS + IRQ))
    return str(path)
