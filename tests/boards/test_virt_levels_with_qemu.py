"""Programs at EL1, EL2 and EL3 say the same here and in Debian's QEMU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.boards import virt_levels as at
from tests.boards.virt_levels import Program, fetch, load, put, store, tell, tell_system
from tests.boards.virt_said import needs_qemu, said_here, said_in_qemu

SCR, NS, IRQ, FIQ, ST, HCE, SMD = 0x430, 1, 2, 4, 1 << 11, 1 << 8, 1 << 7
DESCRIPTOR = 0x703  # page, access flag, inner shareable
NS_BIT = 1 << 5


def start() -> Program:
    """Vectors of all levels that there may be, FP and the timer for everybody."""
    program = Program()
    program += tell_system("e", "currentel")
    return program


def vectors(el: int) -> str:
    return put(f"vbar_el{el}", at.VECTORS[el])


# --- EL3 and the secure world -----------------------------------------------------------------------------------------


def worlds() -> Program:
    """Memory and the UART of the secure world, from EL3, Secure EL1 and Non-secure EL1."""
    p = start()
    p += vectors(3) + vectors(1) + put("scr_el3", SCR)
    for letter, register in (("a", "scr_el3"), ("c", "cptr_el3")):
        p += tell_system(letter, register)
    p += store(at.SECURE_RAM, at.SECRET) + fetch(at.SECURE_RAM, "r") + fetch(at.SECURE_UART + 0xFE0, "u")
    p += store(at.SECURE_UART, ord("S"))
    p += store(at.RAM, 0x77) + fetch(0x0900_0FE0, "u")
    p.enter(1, by=3)
    p += tell_system("e", "currentel") + fetch(at.SECURE_RAM, "r") + fetch(at.RAM, "r")
    p.expect("smc #0x123\n")
    p += put("scr_el3", SCR | NS)
    p += fetch(at.SECURE_RAM, "r")  # EL3 is secure still
    p.enter(1, by=3)
    p += tell_system("e", "currentel") + fetch(at.RAM, "r")
    p.expect("smc #0\n")
    p += put("scr_el3", SCR | NS | SMD)
    p.enter(1, by=3)
    p.expect("smc #0\n")
    p.expect("hvc #0\n")
    p.expect("mrs x0, scr_el3\n")
    return p


def hidden() -> Program:
    """What Non-secure EL1 finds where the secure world has its memory is not what is there."""
    p = start()
    p += vectors(3) + vectors(1) + put("scr_el3", SCR | NS) + store(at.SECURE_RAM, at.SECRET)
    p += f"adr x28, after\n{load('x4', at.SECURE_RAM)}{load('x5', at.SECRET)}"
    p.enter(1, by=3)
    p += "mov w6, #0\nadr x28, after\nldr w6, [x4]\nafter:\ncmp w6, w5\ncset x25, eq\n"
    p += tell("h")
    return p


def translation() -> Program:
    """Secure tables lead to either world."""
    p = start()
    p += vectors(3) + put("scr_el3", SCR) + store(at.SECURE_RAM, at.SECRET)
    p += store(at.TABLES, at.TABLES + 0x1000 | 3, 8) + store(at.TABLES + 0x1000, at.TABLES + 0x2000 | 3, 8)
    p += store(at.TABLES + 8, 0x4000_0000 | 0x701, 8)
    p += store(at.TABLES + 0x1000 + 0x70 * 8, at.TABLES + 0x3000 | 3, 8)
    p += store(at.TABLES + 0x1000 + 0x48 * 8, 0x0900_0000 | 0x701, 8)
    for page in range(16):
        p += store(at.TABLES + 0x2000 + 8 * page, page << 12 | DESCRIPTOR, 8)
    p += store(at.TABLES + 0x3000, at.SECURE_RAM | DESCRIPTOR, 8)
    p += store(at.TABLES + 0x3008, at.RAM | DESCRIPTOR | NS_BIT, 8)
    p += store(at.TABLES + 0x3010, at.RAM | DESCRIPTOR, 8) + store(at.RAM, 0x1234)
    p += put("tcr_el3", 25 | 2 << 16 | 3 << 12) + put("mair_el3", 0xFF) + put("ttbr0_el3", at.TABLES)
    p += "isb\nmrs x0, sctlr_el3\norr x0, x0, #1\nmsr sctlr_el3, x0\nisb\n"
    for page in range(3):
        p += fetch(at.SECURE_RAM + 0x1000 * page, "m")
        p += f"{load('x0', at.SECURE_RAM + 0x1000 * page)}at s1e3r, x0\nmrs x25, par_el1\n"
        p += f"{load('x9', 0xFFFF_F27F)}and x25, x25, x9\n"  # without attributes of memory
        p += tell("P")
    p.expect(f"{load('x0', at.SECURE_RAM + 0x3000)}ldr x1, [x0]\n")
    return p


def enabled_gicv2() -> str:
    text = store(at.GICD, 3) + store(at.GICC + 4, 0xFF) + store(at.GICC, 1 | 2 | 8)
    return text + store(at.GICD + 0x80, 0x0000_FF00) + store(at.GICD + 0x100, 0x6000_FFFF)


def groups() -> Program:
    """Version 2: FIQs of group 0, IRQs of group 1, and who takes them; the view of the Non-secure world."""
    p = start()
    p += vectors(3) + vectors(1) + enabled_gicv2() + store(at.GICD + 0x400, 0x40506070)
    p += put("scr_el3", SCR | FIQ)
    p += fetch(at.GICD, "d") + fetch(at.GICC, "c")
    p.enter(1, by=3)  # Secure EL1
    p.expect(store(at.GICD + 0xF00, 2 << 24 | 3))  # SGI 3, to itself: EL3 takes it, masked or not
    p += fetch(at.GICC + 0xC, "i") + fetch(at.GICC + 0x14, "R") + store(at.GICC + 0x10, 3)
    p += put("scr_el3", SCR)
    p.enter(1, by=3, spsr=0x384)  # Secure EL1, FIQ open
    p.expect(store(at.GICD + 0xF00, 2 << 24 | 3))
    p += fetch(at.GICC + 0xC, "i") + store(at.GICC + 0x10, 3)
    p.expect("smc #0\n")
    p += put("scr_el3", SCR | NS | FIQ)
    p.enter(1, by=3, spsr=0x344)  # Non-secure EL1, IRQ open
    for offset, letter in ((0, "d"), (0x80, "g"), (0x100, "n"), (0x400, "y"), (0x408, "y")):
        p += fetch(at.GICD + offset, letter)
    p += fetch(at.GICC, "c") + fetch(at.GICC + 4, "m")
    p += store(at.GICD + 0x408, 0x80808080) + fetch(at.GICD + 0x408, "y")
    p.expect(store(at.GICD + 0xF00, 2 << 24 | 1 << 15 | 9))
    p += fetch(at.GICC + 0xC, "i") + fetch(at.GICC + 0x14, "R") + store(at.GICC + 0x10, 9)
    p.expect("smc #0\n")
    p += fetch(at.GICD + 0x408, "y")
    p += store(at.GICD + 0xF00, 2 << 24 | 1 << 15 | 9) + fetch(at.GICC + 0xC, "i") + fetch(at.GICC + 0x18, "h")
    p += put("scr_el3", SCR | NS | IRQ)
    p.enter_interrupted(1, by=3)  # it is pending still, and EL3 takes IRQs now
    return p


def timer() -> Program:
    """The secure timer: EL3 lets Secure EL1 have it, its interrupt is an FIQ."""
    p = start()
    p += vectors(3) + vectors(1) + enabled_gicv2() + put("scr_el3", SCR | FIQ)
    p.enter(1, by=3)
    p.expect("msr cntps_ctl_el1, xzr\n")
    p += put("scr_el3", SCR | FIQ | ST)
    p.enter(1, by=3)
    p.expect(put("cntps_cval_el1", 0) + put("cntps_ctl_el1", 1))
    p += tell_system("k", "cntps_ctl_el1") + fetch(at.GICC + 0xC, "i")
    p += "msr cntps_ctl_el1, xzr\n" + store(at.GICC + 0x10, 29)
    return p


def groups_of_version_3() -> Program:
    """Group 0, and both groups 1, as FIQs and IRQs of either world."""
    p = start()
    p += vectors(3) + vectors(1) + store(at.GICD, 7) + store(at.GICR + 0x14, 0)
    frame = at.GICR + 0x10000
    p += store(frame + 0x80, 1 << 5) + store(frame + 0xD00, 1 << 4) + store(frame + 0x100, 7 << 3)
    for name, value in (("s3_0_c4_c6_0", 0xFF), ("s3_0_c12_c12_6", 1), ("s3_6_c12_c12_7", 3)):
        p += put(name, value)
    p += fetch(at.GICD, "d") + put("scr_el3", SCR | FIQ) + tell_system("l", "s3_6_c12_c12_4")
    for scr, interrupts in ((SCR, (3, 4, 5)), (SCR | NS, (3, 4, 5))):
        for number in interrupts:
            p += put("scr_el3", scr | FIQ) + store(frame + 0x200, 1 << number)
            p.enter_interrupted(1, by=3, spsr=0x344)
            p += tell_system("e", "currentel")
            iar, eoi = ("s3_0_c12_c8_0", "s3_0_c12_c8_1") if number == 3 else ("s3_0_c12_c12_0", "s3_0_c12_c12_1")
            p += f"mrs x0, currentel\ncmp x0, #12\nb.eq above{scr & 1}{number}\n"
            p += f"mrs x25, {iar}\nmov x9, x25\n{tell('i')}msr {eoi}, x9\n"
            label = f"back{scr & 1}{number}"
            p += f"adr x28, {label}\nsmc #0\nabove{scr & 1}{number}:\n{store(frame + 0x280, 1 << number)}{label}:\n"
    return p


# --- EL2 --------------------------------------------------------------------------------------------------------------

HCR_RW, HCR_VM, HCR_IMO, HCR_FMO, HCR_VI = 1 << 31, 1, 1 << 4, 1 << 3, 1 << 7
HCR_TVM, HCR_TSC, HCR_TWI, HCR_TGE = 1 << 26, 1 << 19, 1 << 13, 1 << 27


def calls() -> Program:
    """HVC, traps to EL2 with their syndromes, identification for the guest."""
    p = start()
    p += vectors(2) + vectors(1) + put("hcr_el2", HCR_RW)
    for letter, register in (("b", "cnthctl_el2"), ("c", "vpidr_el2"), ("d", "vmpidr_el2")):
        p += tell_system(letter, register)
    p += put("vpidr_el2", 0x12345) + put("vmpidr_el2", 0x80000007)
    p.enter(1, by=2)
    p += tell_system("e", "currentel") + tell_system("m", "midr_el1") + tell_system("m", "mpidr_el1")
    p.expect("hvc #0x55\n")
    p += put("hcr_el2", HCR_RW | HCR_TVM | HCR_TSC | HCR_TWI)
    for trapped in ("msr ttbr0_el1, x7\n", "smc #3\n", "wfi\n", "msr sctlr_el1, x30\n"):
        p.enter(1, by=2)
        p.expect(trapped)
    p += put("hcr_el2", HCR_RW | 1 << 29)  # HCD
    p.enter(1, by=2)
    p.expect("hvc #0\n")
    return p


def stage_2() -> Program:
    """A second stage that leads elsewhere, and its faults."""
    p = start()
    p += vectors(2) + store(at.RAM + 0x20_0000, 0xABCD)
    p += store(at.TABLES, at.TABLES + 0x1000 | 3, 8) + store(at.TABLES + 8, 0x4000_0000 | 0x7FD, 8)
    p += store(at.TABLES + 0x1000, 0x7FD, 8)
    p += store(at.TABLES + 0x1000 + 0x48 * 8, 0x0900_0000 | 0x7C1, 8)
    p += store(at.TABLES + 0x1000 + 0x80 * 8, 0x4020_0000 | 0x77D, 8)  # 0x1000_0000: to be read
    p += put("vtcr_el2", 0x80000000 | 2 << 16 | 3 << 12 | 5 << 8 | 1 << 6 | 25) + put("vttbr_el2", at.TABLES)
    p += put("hcr_el2", HCR_RW | HCR_VM) + "isb\n"
    for access in ("ldr w9, [x0]\n", "strb w7, [x0]\n", "ldrsh x8, [x0]\n", "str x3, [x0, #8]\n", "ldr w5, [x0], #4\n",
                 "ldp x2, x3, [x0]\n", "ldur w4, [x0, #3]\n", "ldr x6, [x0, x1]\n", "ldar w2, [x0]\n",
                 "stlrb w2, [x0]\n", "ldrsw x11, [x0, #4]\n", "ldr q0, [x0]\n", "ldxr x4, [x0]\n"):  # fmt: skip
        p.enter(1, by=2)
        p += put("cpacr_el1", 3 << 20) + load("x1", 0x10)
        p.expect(load("x0", 0x2000_3000) + access)
        p += tell_system("f", "far_el2") + tell_system("H", "hpfar_el2")
    p.enter(1, by=2)
    p += fetch(0x1000_0000, "r")
    p.expect(store(0x1000_0000, 1))
    p.enter(1, by=2)
    p.expect(f"{load('x0', 0x2000_0000)}br x0\n")
    p += tell_system("H", "hpfar_el2")
    return p


def guests_interrupts() -> Program:
    """Version 2: what a hypervisor lists comes to its guest; what comes by itself goes to the hypervisor."""
    p = start()
    p += vectors(2) + vectors(1) + put("hcr_el2", HCR_RW | HCR_IMO | HCR_FMO)
    p += fetch(at.GICH + 4, "t") + fetch(at.GICH, "h") + fetch(at.GICH + 0x30, "E") + fetch(at.GICH + 8, "v")
    p += store(at.GICD, 1) + store(at.GICD + 0x100, 1 << 25) + store(at.GICC, 1) + store(at.GICC + 4, 0xFF)
    p += store(at.GICH, 1) + store(at.GICH + 8, 1 | 0x1F << 27) + fetch(at.GICH + 8, "v")
    p += store(at.GICH + 0x104, 1 << 28 | 0x10 << 23 | 1 << 19 | 40)
    p += store(at.GICH + 0x108, 1 << 28 | 0x08 << 23 | 2 << 10 | 3)
    p.enter_interrupted(1, by=2, spsr=0x344)
    p += fetch(at.GICV + 0x18, "H") + fetch(at.GICV + 0xC, "i") + fetch(at.GICV + 0x14, "R")
    p += fetch(at.GICV, "c") + fetch(at.GICV + 4, "m") + fetch(at.GICV + 8, "b") + tell_system("I", "isr_el1")
    p += store(at.GICV + 0x10, 3 | 2 << 10) + tell_system("I", "isr_el1") + fetch(at.GICV + 0xC, "i")
    p += fetch(at.GICV + 0xC, "i")
    p.expect(store(at.GICV + 0x10, 40))  # the hypervisor wants to know of it
    for offset in (0, 0x10, 0x20, 0x30, 0xF0, 0x104, 0x108):
        p += fetch(at.GICH + offset, "h")
    p += fetch(at.GICC + 0xC, "i") + store(at.GICH + 0x104, 0) + store(at.GICC + 0x10, 25)
    for hcr in (1 | 2, 1 | 8, 1 | 0x10, 1 | 0x20, 1 | 0x40, 1 | 0x80):
        p += store(at.GICH, hcr) + fetch(at.GICH + 0x10, "q")
    p += store(at.GICH, 1) + put("hcr_el2", HCR_RW | HCR_IMO | HCR_VI)
    p.enter_interrupted(1, by=2, spsr=0x344)
    return p


def guests_interrupts_of_version_3() -> Program:
    """The same with ICH registers."""
    ich = {"hcr": "s3_4_c12_c11_0", "vtr": "s3_4_c12_c11_1", "misr": "s3_4_c12_c11_2", "eisr": "s3_4_c12_c11_3",
           "elrsr": "s3_4_c12_c11_5", "vmcr": "s3_4_c12_c11_7", "ap0r0": "s3_4_c12_c8_0", "ap1r0": "s3_4_c12_c9_0",
           "lr0": "s3_4_c12_c12_0", "lr3": "s3_4_c12_c12_3"}  # fmt: skip
    p = start()
    p += vectors(2) + vectors(1) + put("hcr_el2", HCR_RW | HCR_IMO | HCR_FMO)
    for name in ("vtr", "hcr", "elrsr"):
        p += tell_system("t", ich[name])
    p += put(ich["vmcr"], 0xFF << 24 | 3) + tell_system("v", ich["vmcr"]) + put(ich["hcr"], 1)
    p += put(ich["lr3"], 1 << 62 | 1 << 60 | 0x80 << 48 | 50) + put(ich["lr0"], 1 << 62 | 0x40 << 48 | 1 << 41 | 51)
    p.enter_interrupted(1, by=2, spsr=0x304)  # group 0 is an FIQ
    for register in ("s3_0_c12_c8_2", "s3_0_c12_c12_2", "s3_0_c12_c12_0", "s3_0_c12_c8_0", "s3_0_c12_c11_3",
                     "s3_0_c12_c8_3", "s3_0_c12_c12_3", "s3_0_c12_c12_4", "s3_0_c4_c6_0", "s3_0_c12_c12_7",
                     "s3_0_c12_c12_5"):  # fmt: skip
        p += tell_system("g", register)
    p += put("s3_0_c12_c8_1", 51) + tell_system("I", "isr_el1") + tell_system("g", "s3_0_c12_c12_0")
    p += put("s3_0_c12_c12_1", 50) + tell_system("g", "s3_0_c12_c12_0")
    p.expect("msr s3_0_c12_c11_5, x3\n")  # a software interrupt
    for name in ich:
        p += tell_system("h", ich[name])
    p += put(ich["hcr"], 1 | 1 << 10)
    p.enter(1, by=2)
    p.expect("mrs x6, s3_0_c4_c6_0\n")
    return p


def returns() -> Program:
    """Levels that those above them do not let be in AArch64 state cannot be returned to."""
    p = start()
    p += vectors(3) + vectors(2)
    for scr, hcr, target in ((0x30 | NS, HCR_RW, 1), (0x30 | NS, HCR_RW, 2), (SCR | NS, 0, 1), (SCR, 0, 2)):
        p += put("scr_el3", scr) + put("hcr_el2", hcr)
        p.enter_interrupted(target, by=3)
        p += tell_system("e", "currentel")
    p += put("scr_el3", SCR)
    p.enter(1, by=3)  # HCR_EL2 has no say in Secure state
    p += tell_system("e", "currentel")
    return p


def returns_to_32_bits() -> Program:
    """To AArch32 state only where EL1 is in it, only to modes of EL1 and EL0, and to nothing else then."""
    p = start()
    p += vectors(2)
    cases = ((HCR_RW, 0x1D3), (0, 0x1DA), (0, 0x1D6), (0, 0x3C5), (HCR_TGE, 0x1D3), (0, 0x1D4), (0, 0x1DF))
    for number, (hcr, spsr) in enumerate(cases):
        p += (
            put("hcr_el2", hcr)
            + put("spsr_el2", spsr)
            + f"adr x0, there{number}\nmsr elr_el2, x0\nadr x28, next{number}\n"
        )
        p += f"eret\nthere{number}:\n.word 0xe1400070\n.word 0xe1400070\nnext{number}:\n"  # HVC #0 of A32
    return p


PROGRAMS: dict[str, tuple[Callable[[], Program], str]] = {
    "worlds": (worlds, "secure=on"),
    "hidden": (hidden, "secure=on"),
    "translation": (translation, "secure=on"),
    "groups": (groups, "secure=on"),
    "timer": (timer, "secure=on"),
    "groups of version 3": (groups_of_version_3, "secure=on,gic-version=3"),
    "returns": (returns, "secure=on,virtualization=on"),
    "returns to 32 bits": (returns_to_32_bits, "virtualization=on"),
    "calls": (calls, "virtualization=on"),
    "stage 2": (stage_2, "virtualization=on"),
    "guest's interrupts": (guests_interrupts, "virtualization=on"),
    "guest's interrupts of version 3": (guests_interrupts_of_version_3, "virtualization=on,gic-version=3"),
}


@needs_qemu
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_says_the_same(name: str, tmp_path: Path) -> None:
    make, board = PROGRAMS[name]
    program = make()
    program += f"mov x25, #0\n{tell('Z')}"
    rom = program.write(tmp_path)
    here, there = said_here(rom, board).splitlines(), said_in_qemu(rom, board, tmp_path).splitlines()
    if name == "hidden":  # newer versions of QEMU abort accesses to what is not there
        there = [line for line in there if line[0] not in "Vsp"]
    assert here == there
