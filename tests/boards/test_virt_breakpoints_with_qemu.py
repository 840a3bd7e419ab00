"""Programs with breakpoints and watchpoints in the debug registers hit the same ones here and in Debian's QEMU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.boards.test_virt_steps_with_qemu import HCR_RW, MDCR_TDE, start
from tests.boards.virt_levels import load, put, tell
from tests.boards.virt_said import needs_qemu
from tests.boards.virt_steps import DATA, EL1, KDE, MDE, PSTATE_D, SS, USER, Steps, say_the_same

EL0_ONLY, EL1_ONLY, BOTH = 2 << 1, 1 << 1, 3 << 1
WHOLE, FIRST, SECOND, ON = 0xF << 5, 3 << 5, 0xC << 5, 1
LINKED, LINK_TO_5, LINKED_CONTEXT = 1 << 20, 5 << 16, 3 << 20
LOADS, STORES, ANY = 1 << 3, 2 << 3, 3 << 3
LOOP = "mov x0, #3\nloop:\nadd x1, x1, #1\nsubs x0, x0, #1\nb.ne loop\nmov x1, #1\nmov x2, #1\nsvc #0\n"


def breakpoint(number: int, address: int, control: int) -> str:
    return put(f"dbgbvr{number}_el1", address) + put(f"dbgbcr{number}_el1", control)


def watchpoint(number: int, address: int, control: int) -> str:
    return put(f"dbgwvr{number}_el1", address) + put(f"dbgwcr{number}_el1", control)


def levels() -> Steps:
    """In a loop at EL0: for its level and another one, switched off, without MDSCR_EL1.MDE, and together with steps."""
    p = start()
    for mdscr in (MDE, 0, MDE | SS):
        code = p.place()
        p += breakpoint(0, code + 4, ON | WHOLE | EL0_ONLY) + breakpoint(1, code + 16, ON | WHOLE | EL1_ONLY)
        p += breakpoint(2, code + 20, WHOLE | EL0_ONLY) + breakpoint(3, code + 20, ON | WHOLE | BOTH)
        p.run(LOOP, mdscr=mdscr, stepped=bool(mdscr & SS))
    return p


def contexts() -> Steps:
    """Linked to the context, to another one, and to breakpoints that are none of contexts."""
    p = start()
    p += put("contextidr_el1", 7)
    for context, control in ((7, ON | WHOLE | LINKED_CONTEXT), (8, ON | WHOLE | LINKED_CONTEXT),
                             (7, WHOLE | LINKED_CONTEXT), (7, ON | WHOLE)):  # fmt: skip
        code = p.place()
        p += breakpoint(5, context, control)
        p += breakpoint(0, code + 4, ON | WHOLE | EL0_ONLY | LINKED | LINK_TO_5)
        p += breakpoint(1, code + 16, ON | WHOLE | EL0_ONLY | LINKED | 1 << 16)
        p.run(LOOP, mdscr=MDE, stepped=False)
    return p


def its_own_level() -> Steps:
    """EL1, with MDSCR_EL1.KDE, and PSTATE.D clear or not."""
    p = start()
    for mdscr, spsr in ((MDE, EL1), (MDE | KDE, EL1), (MDE | KDE, EL1 | PSTATE_D)):
        code = p.place()
        p += breakpoint(0, code + 4, ON | WHOLE | EL1_ONLY)
        p += watchpoint(0, DATA, ON | 0xFF << 5 | BOTH | ANY)
        p.run("mov x0, #3\nmov x1, #1\nldr x2, [x14]\nldtr x3, [x14]\nmsr daifclr, #8\nstr x0, [x14]\nsvc #0\n",
              spsr=spsr, mdscr=mdscr, stepped=False)  # fmt: skip
    return p


ACCESSES = """
    movz x1, #0x5555
    add x14, x14, #0x100
    str x1, [x14]
    ldr x2, [x14]
    ldrb w3, [x14, #3]
    ldrb w3, [x14, #4]
    strh w1, [x14, #6]
    ldp x3, x4, [x14, #-8]
    stp x3, x4, [x14, #8]
    ldr q0, [x14, #-16]
    str q0, [x14]
    ldr w5, [x14, #4]
    ldxr x6, [x14]
    stxr w7, x6, [x14]
    ldr x14, [x14]
    dc zva, x14
    svc #0
"""
WATCHED = DATA + 0x100


def accesses() -> Steps:
    """What is watched by bytes and by masks; the access is not made. Newer versions of QEMU call loads stores behind
    the first store that hits, and tell another address of accesses that are not aligned."""
    p = start()
    p += put("sctlr_el1", 0x30D0C820 | 1 << 16 | 1 << 18)
    for address, control in (
        (WATCHED, ON | 0xFF << 5 | EL0_ONLY | STORES),
        (WATCHED, ON | 0xFF << 5 | EL0_ONLY | LOADS),
        (WATCHED, ON | 0x08 << 5 | EL0_ONLY | LOADS),
        (WATCHED, ON | 0xF0 << 5 | EL0_ONLY | STORES),
        (WATCHED + 4, ON | 0x0F << 5 | EL0_ONLY | LOADS),
        (WATCHED, ON | 0xFF << 5 | EL0_ONLY | STORES | 4 << 24),
        (WATCHED, ON | 0xFF << 5 | EL1_ONLY | ANY),
        (WATCHED, ON | EL0_ONLY | ANY),
    ):
        p += put("mdscr_el1", 0) + f"{load('x14', WATCHED)}{load('x0', WATCHED + 0x40)}str x0, [x14]\n"
        p += watchpoint(0, address, control)
        p.run(ACCESSES, mdscr=MDE, stepped=False)
        p += tell("x", "x2") + tell("y", "x14")
    return p


def a_hypervisor() -> Steps:
    """EL2 takes debug exceptions of EL1."""
    p = start(2)
    p += put("hcr_el2", HCR_RW) + put("mdcr_el2", MDCR_TDE)
    code = p.place()
    p += breakpoint(0, code + 4, ON | WHOLE | EL1_ONLY) + watchpoint(0, DATA, ON | 0xFF << 5 | BOTH | STORES)
    p.run("mov x0, #1\nmov x1, #1\nstr x0, [x14]\nldr x2, [x14]\nbrk #0\n", spsr=EL1, by=2, mdscr=MDE, stepped=False)
    return p


def programs_of_32_bits() -> Steps:
    p = start()
    code = p.place(USER)
    p += breakpoint(0, code + 4, ON | WHOLE | EL0_ONLY) + watchpoint(0, DATA, ON | 0xFF << 5 | EL0_ONLY | LOADS)
    p.run("mov r0, #1\nmov r1, #1\nstr r0, [lr]\nldm lr, {r2, r3}\nldrex r2, [lr]\nstrd r0, r1, [lr, #8]\nsvc #0\n",
          spsr=USER, mdscr=MDE, stepped=False)  # fmt: skip
    code = p.place(USER)
    p += breakpoint(0, code + 4, ON | SECOND | EL0_ONLY) + breakpoint(1, code + 12, ON | FIRST | EL0_ONLY)
    p.run("movs r0, #1\n" * 10 + "svc #0\n", spsr=USER, thumb=True, mdscr=MDE, stepped=False)
    return p


PROGRAMS: dict[str, tuple[Callable[[], Steps], str]] = {
    "levels": (levels, "gic-version=2"),
    "contexts": (contexts, "gic-version=2"),
    "its own level": (its_own_level, "gic-version=2"),
    "accesses": (accesses, "gic-version=2"),
    "a hypervisor": (a_hypervisor, "virtualization=on"),
    "programs of 32 bits": (programs_of_32_bits, "gic-version=2"),
}


@needs_qemu
@pytest.mark.parametrize("name", PROGRAMS)
def test_hits_are_the_same(name: str, tmp_path: Path) -> None:
    make, board = PROGRAMS[name]
    say_the_same(make(), board, tmp_path)
