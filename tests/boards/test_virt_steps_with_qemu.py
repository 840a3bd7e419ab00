"""Programs that step through others see the same steps here and in Debian's QEMU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.boards import virt_levels as at
from tests.boards.virt_levels import put
from tests.boards.virt_said import needs_qemu
from tests.boards.virt_steps import BIG_ENDIAN, EL1, KDE, PSTATE_D, SS, USER, Steps, assemble32, say_the_same

HCR_RW, MDCR_TDE = 1 << 31, 1 << 8
SUPERVISOR = 0x13


def start(el: int = 1) -> Steps:
    """Vectors, and the OS locks open."""
    p = Steps()
    for level in range(1, el + 1):
        p += put(f"vbar_el{level}", at.VECTORS[level])
    p += put("oslar_el1", 0) + put("cpacr_el1", 3 << 20) + put("sctlr_el1", 0x30D00800 | 1 << 5 | 1 << 16 | 1 << 18)
    return p


def a_loop() -> Steps:
    """Taken and other branches, calls, returns."""
    p = start()
    p.run("""
        mov x0, #2
    loop:
        subs x0, x0, #1
        b.ne loop
        cbz x0, there
        nop
    there:
        bl function
        adr x1, last
        br x1
    function:
        ret
    last:
        svc #0
    """)
    return p


def exceptions() -> Steps:
    """Instructions that do not complete, and calls, whose return says whether the next one is stepped."""
    p = start()
    p.run("""
        svc #1
        mov x1, #1
        svc #2
        mov x2, #2
        movz x7, #0x1000, lsl #48
        ldr x3, [x7]
        mov x4, #4
        hvc #7
        brk #5
        str x3, [x14]
        mrs x5, currentel
        mrs x6, nzcv
        wfe
        yield
        dc cvau, x14
        msr fpcr, x6
        add v0.4s, v0.4s, v1.4s
        svc #0
    """)
    return p


def exclusives() -> Steps:
    """The syndrome tells of Load-Exclusive instructions."""
    p = start()
    p.run("""
        ldxr x1, [x14]
        stxr w2, x1, [x14]
        ldaxrb w1, [x14]
        clrex
        ldaxp x1, x2, [x14]
        stlxp w3, x1, x2, [x14]
        ldxrh w1, [x14]
        ldxp w1, w2, [x14]
        ldar x1, [x14]
        svc #0
    """)
    return p


def not_asked_for() -> Steps:
    """SPSR.SS is 0: the exception comes before the first instruction. MDSCR_EL1.SS is 0: there is none."""
    p = start()
    p.run("mov x0, #5\nsvc #0\n", stepped=False)
    p.run("mov x0, #6\nsvc #0\n", mdscr=0)
    p.run("mov x0, #7\nsvc #0\n", spsr=EL1)
    p.run("mov x0, #8\nsvc #0\n", spsr=EL1, mdscr=SS | KDE | 1 << 15, stepped=True)
    return p


def its_own_level() -> Steps:
    """EL1 steps through EL1; PSTATE.D masks it."""
    p = start()
    p.run("""
        mrs x1, spsel
        msr tpidr_el1, x1
        msr contextidr_el1, x1
        isb
        tlbi vmalle1
        mrs x2, daif
        msr daifclr, #2
        msr daifset, #2
        msr spsel, #0
        msr spsel, #1
        svc #1
        mov x3, #3
        svc #0
    """, spsr=EL1, mdscr=SS | KDE)  # fmt: skip
    p.run("mov x1, #1\nmov x2, #2\nsvc #0\n", spsr=EL1 | PSTATE_D, mdscr=SS | KDE)
    p.run("mov x1, #1\nmsr daifclr, #8\nmov x2, #2\nmov x3, #3\nsvc #0\n", spsr=EL1 | PSTATE_D, mdscr=SS | KDE)
    p.run("mov x1, #0\nmsr daif, x1\nmov x2, #2\nmov x3, #3\nsvc #0\n", spsr=EL1 | PSTATE_D, mdscr=SS | KDE)
    p.run("mov x1, #0x2001\nmsr mdscr_el1, x1\nmov x2, #2\nmov x3, #3\nsvc #0\n", spsr=EL1, mdscr=KDE)
    return p


def a_hypervisor() -> Steps:
    """MDCR_EL2.TDE: EL2 steps through EL1, which calls; breakpoint instructions go there, too."""
    p = start(2)
    p += put("hcr_el2", HCR_RW) + put("mdcr_el2", MDCR_TDE) + put("sp_el1", at.RAM + 0x1000)
    p.run("mov x1, #1\nmrs x2, currentel\nhvc #3\nbrk #4\nmov x5, #5\nadr x6, on\nmsr elr_el1, x6\nmov x7, #0\n"
          "msr spsr_el1, x7\nmrs x7, mdscr_el1\neret\non:\nmov x8, #9\n" + "brk #0\n",
          spsr=EL1, by=2)  # fmt: skip
    return p


A32 = """
    mov r0, #2
loop:
    subs r0, r0, #1
    bne loop
    moveq r1, #1
    movne r1, #1
    ldrex r2, [lr]
    ldrexne r2, [lr]
    strex r3, r2, [lr]
    ldaexb r2, [lr]
    ldreq r2, [lr]
    stmia lr, {r0-r3}
    svc #1
    mov r5, #5
    svcne #3
    svc #2
    bkpt #7
    add r6, pc, #4
    bx r6
    mov r6, #1
    vadd.i32 q0, q0, q1
    blx thumb
    svc #0
    .thumb
thumb:
    bx lr
"""
T32 = """
    movs r0, #2
loop:
    subs r0, #1
    bne loop
    cmp r0, #0
    itte eq
    moveq r1, #1
    addeq.w r2, r2, #1
    movne r3, #1
    ite ne
    svcne #3
    svceq #1
    it eq
    ldreq r4, [sp, #4]
    cbz r0, there
    nop
there:
    ldrex r1, [r6]
    bl function
    svc #2
    udf #1
    nop
    svc #0
function:
    bx lr
"""


def programs_of_32_bits() -> Steps:
    p = start()
    p.run(A32, spsr=USER)
    p.run(T32, spsr=USER, thumb=True)
    p.run("mov r0, #1\nsvc #0\n", spsr=USER, stepped=False)
    p.run("str r0, [lr]\nldr r1, [lr]\nsvc #0\n", spsr=USER | BIG_ENDIAN)
    return p


A32_OF_EL1 = """
    mov r1, #1
    adr r0, called
    svc #5
called:
    mov r2, #2
    adr r0, again
    udf #3
again:
    cps #31
    mrs r2, cpsr
    bkpt #4
    bkpt #0
"""


def a_hypervisor_of_32_bits() -> Steps:
    """EL1 in AArch32 state takes its own exceptions, and returns from them, step by step. Banked registers are the
    handler's."""
    p = start(2)
    vectors = at.HERE + 0xE000
    p.parts += [(vectors + offset, assemble32("movs pc, r0", vectors + offset)) for offset in (4, 8)]
    p += put("hcr_el2", 0) + put("mdcr_el2", MDCR_TDE) + put("vbar_el1", vectors)
    for mode in (SUPERVISOR, USER):
        p.run(A32_OF_EL1, spsr=mode, by=2)
    return p


PROGRAMS: dict[str, tuple[Callable[[], Steps], str]] = {
    "a loop": (a_loop, "gic-version=2"),
    "exceptions": (exceptions, "gic-version=2"),
    "exclusives": (exclusives, "gic-version=2"),
    "not asked for": (not_asked_for, "gic-version=2"),
    "its own level": (its_own_level, "gic-version=2"),
    "a hypervisor": (a_hypervisor, "virtualization=on"),
    "a hypervisor of 32 bits": (a_hypervisor_of_32_bits, "virtualization=on"),
    "programs of 32 bits": (programs_of_32_bits, "gic-version=2"),
}


@needs_qemu
@pytest.mark.parametrize("name", PROGRAMS)
def test_steps_are_the_same(name: str, tmp_path: Path) -> None:
    make, board = PROGRAMS[name]
    say_the_same(make(), board, tmp_path)
