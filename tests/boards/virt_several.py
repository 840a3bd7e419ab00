"""A guest of ``virt`` with several processors: they count under a lock, pass software interrupts around, and turn off.

The first one turns the others on (PSCI), each of which gets its number as context. Each adds to a counter that a lock
of LDAXR, STXR, STLR and WFE guards, and to one that LDXR and STXR change in place. When all are done, a software
interrupt goes around: whoever gets it, while it waits with WFI, sends it to the next. In the end the others turn
themselves off; the first waits until PSCI says so, prints both counters, how often the interrupt has come to it, and
what an unknown processor is answered, and turns the machine off.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keystone as _keystone

keystone: Any = _keystone  # its types are not for us

# x19: number of this processor; x20: of all; x21: data; x22, x23: GIC
MAIN = """
    mov x19, #0
    movz x20, #@cpus@
    movz x21, #0x4010, lsl #16
    str xzr, [x21]
    str xzr, [x21, #64]
    str xzr, [x21, #128]
    str xzr, [x21, #192]
@distributor@
    mov x24, #1
turn_on:
    cmp x24, x20
    b.ge work
    mov x1, x24
    adr x2, second
    mov x3, x24
    movz x0, #0xc400, lsl #16
    movk x0, #3
    hvc #0
    cbnz x0, failed
    add x24, x24, #1
    b turn_on
second:
    mov x19, x0
    movz x20, #@cpus@
    movz x21, #0x4010, lsl #16
work:
    mrs x0, mpidr_el1
    and x0, x0, #0xff
    cmp x0, x19
    b.ne failed
@interface@
    movz x25, #@rounds@
count:
    mov w2, #1
    sevl
lock:
    wfe
    ldaxr w1, [x21]
    cbnz w1, lock
    stxr w1, w2, [x21]
    cbnz w1, lock
    ldr x3, [x21, #64]
    add x3, x3, #1
    str x3, [x21, #64]
    stlr wzr, [x21]
    sev
    add x4, x21, #128
again:
    ldxr x3, [x4]
    add x3, x3, #1
    stxr w1, x3, [x4]
    cbnz w1, again
    subs x25, x25, #1
    b.ne count
    add x4, x21, #192
ready:
    ldaxr x3, [x4]
    add x3, x3, #1
    stlxr w1, x3, [x4]
    cbnz w1, ready
    movz x25, #@laps@
    mov x26, #0
    cbnz x19, wait
all_ready:
    yield
    ldar x3, [x4]
    cmp x3, x20
    b.ne all_ready
pass:
    cbz x25, done
    sub x25, x25, #1
    add x6, x19, #1
    cmp x6, x20
    csel x6, xzr, x6, eq
@send@
    cbz x19, wait
    cbz x25, done
wait:
    wfi
@acknowledge@
    and w8, w7, #0x3ff
    cmp w8, #1023
    b.eq wait
    cmp w8, #3
    b.ne failed
@end@
    add x26, x26, #1
    b pass
done:
    cbz x19, finish
    movz x0, #0x8400, lsl #16
    movk x0, #2
    hvc #0
    b failed
finish:
    mov x24, #1
others:
    cmp x24, x20
    b.ge report
still_on:
    yield
    mov x1, x24
    mov x2, #0
    movz x0, #0xc400, lsl #16
    movk x0, #4
    hvc #0
    cmp x0, #1
    b.ne still_on
    add x24, x24, #1
    b others
report:
    ldr x25, [x21, #64]
    bl print
    ldr x25, [x21, #128]
    bl print
    mov x25, x26
    bl print
    movz x0, #0xc400, lsl #16
    movk x0, #3
    mov x1, #77
    adr x2, second
    hvc #0
    neg x25, x0
    bl print
off:
    movz x0, #0x8400, lsl #16
    movk x0, #8
    hvc #0
    b off
failed:
    movz x25, #0xbad
    bl print
    b off
print:
    movz x9, #0x0900, lsl #16
    mov x10, #28
digit:
    lsr x11, x25, x10
    and x11, x11, #15
    cmp x11, #10
    add x12, x11, #39
    csel x11, x12, x11, ge
    add x11, x11, #48
    str w11, [x9]
    subs x10, x10, #4
    b.ge digit
    mov w11, #10
    str w11, [x9]
    ret
"""

GIC2 = {
    "@distributor@": """
    movz x22, #0x0800, lsl #16
    mov w2, #1
    str w2, [x22]
""",
    "@interface@": """
    movz x22, #0x0800, lsl #16
    movz x23, #0x0801, lsl #16
    mov w2, #0xff
    str w2, [x22, #0x100]
    str w2, [x23, #4]
    mov w2, #1
    str w2, [x23]
""",
    "@send@": """
    mov x2, #1
    lsl x2, x2, x6
    lsl x2, x2, #16
    orr x2, x2, #3
    str w2, [x22, #0xf00]
""",
    "@acknowledge@": "ldr w7, [x23, #12]",
    "@end@": "str w7, [x23, #16]",
}
GIC3 = {
    "@distributor@": """
    movz x22, #0x0800, lsl #16
    mov w2, #2
    str w2, [x22]
""",
    "@interface@": """
    movz x1, #0x080a, lsl #16
    add x1, x1, x19, lsl #17
    str wzr, [x1, #0x14]
    add x1, x1, #16, lsl #12
    mov w3, #-1
    str w3, [x1, #0x80]
    mov w3, #0xff
    str w3, [x1, #0x100]
    mov x3, #7
    msr s3_0_c12_c12_5, x3
    isb
    mov x3, #0xff
    msr s3_0_c4_c6_0, x3
    mov x3, #1
    msr s3_0_c12_c12_7, x3
""",
    "@send@": """
    mov x2, #1
    lsl x2, x2, x6
    orr x2, x2, #0x3000000
    msr s3_0_c12_c11_5, x2
""",
    "@acknowledge@": "mrs x7, s3_0_c12_c12_0",
    "@end@": "msr s3_0_c12_c12_1, x7",
}
"""What is different with the two interrupt controllers (IHI 0048B, IHI 0069B)."""


def firmware(directory: Path, *, cpus: int, gic_version: int = 2, rounds: int = 1000, laps: int = 100) -> str:
    """The file for ``-bios``."""
    text = MAIN
    for name, part in (GIC2 if gic_version == 2 else GIC3).items():
        text = text.replace(name, part)
    for name, number in (("@cpus@", cpus), ("@rounds@", rounds), ("@laps@", laps)):
        text = text.replace(name, str(number))
    code, _ = keystone.Ks(keystone.KS_ARCH_ARM64, keystone.KS_MODE_LITTLE_ENDIAN).asm(text, 0)
    path = directory / f"several-{cpus}-gic{gic_version}.bin"
    path.write_bytes(bytes(code))
    return str(path)


def expected(*, cpus: int, rounds: int = 1000, laps: int = 100) -> list[str]:
    """What it prints."""
    return [f"{number:08x}" for number in (cpus * rounds, cpus * rounds, laps, 2)]
