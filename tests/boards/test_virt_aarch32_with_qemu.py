"""Guests of 32 bits at EL1 under a monitor of 64 bits say the same here and in Debian's QEMU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.boards import virt_levels as at
from tests.boards.virt_aarch32 import ALL, TO_SUPERVISOR, USR, Pair, load32, put, read, write
from tests.boards.virt_said import needs_qemu, said_here, said_in_qemu

HCR_VM, HCR_FMO, HCR_IMO, HCR_VI, HCR_TWI, HCR_TSC = 1, 1 << 3, 1 << 4, 1 << 7, 1 << 13, 1 << 19
HCR_TVM, HCR_TGE, HCR_TRVM, HCR_RW = 1 << 26, 1 << 27, 1 << 30, 1 << 31


def modes() -> Pair:
    """Registers of all modes are where AArch64 state has them; SPSRs as well."""
    p = Pair()
    p.begin()
    for number, mode in enumerate((0x11, 0x12, 0x17, 0x1B, 0x1F, 0x13)):
        p.guest += f"cps #{mode}\nmov sp, #{0x100 + number}\nmov lr, #{0x200 + number}\n"
        if mode != 0x1F:
            p.guest += f"mov r0, #{0x10 + number}\nmsr spsr_fsxc, r0\n"
    p.guest += "mov r8, #0x88\ncps #0x11\nmov r8, #0xf8\ncps #0x13\n"
    p.tell(ALL, "r8")
    p.guest += "cps #0x11\nmov r8, #0xf9\n"
    p.tell(ALL, "sp")
    return p


def exceptions() -> Pair:
    """Calls, undefined instructions, breakpoints and aborts are the guest's own; in User mode, too."""
    p = Pair()
    p.begin()
    p.guest += "svc #5\nudf #1\nbkpt #7\nmrc p15, 4, r0, c1, c1, 0\nsmc #0\n"
    p.guest += read("0, c1, c0, 0", 3) + "orr r0, r0, #2\nmcr p15, 0, r0, c1, c0, 0\n"
    p.guest += load32("r1", at.RAM + 2) + "ldr r2, [r1]\nstr r2, [r1]\nldrex r2, [r1]\n"
    p.guest += "cps #0x10\nsvc #6\nudf #2\nmrc p15, 0, r0, c1, c0, 0\nhvc #9\nsmc #2\n"
    p.guest += TO_SUPERVISOR + "hvc #9\nsvc #8\nsetend be\nldr r2, [r1]\nsetend le\nisb\n"
    return p


def fp() -> Pair:
    """CPACR and FPEXC are the guest's, CPTR_EL2 is the hypervisor's."""
    p = Pair()
    p.begin()
    touches = (
        "vmrs r0, fpexc\nvmrs r0, mvfr0\nvmrs r0, fpsid\nvmrs r0, fpscr\nvadd.f32 s0, s1, s2\nvadd.i8 q0, q1, q2\n"
    )
    p.guest += touches + write("0, c1, c0, 2", 0xF00000) + "isb\n" + touches
    p.guest += "mov r0, #0x40000000\nvmsr fpexc, r0\n" + touches
    p.guest += f"hvc #{ALL}\n" + write("0, c1, c0, 2", 0x500000) + touches + "cps #0x10\n" + touches + TO_SUPERVISOR
    return p


def fp_of_hypervisor() -> Pair:
    p = Pair()
    p.monitor += at.put("fpexc32_el2", 1 << 30) + at.put("cptr_el2", 0x37FF)
    p.begin()
    touches = "vmrs r0, fpexc\nvmrs r0, mvfr0\nvmrs r0, fpscr\nvadd.f32 s0, s1, s2\nvadd.i8 q0, q1, q2\n"
    p.guest += touches + write("0, c1, c0, 2", 0xF00000) + "isb\n" + touches
    p.guest += "mov r0, #0x40000000\nvmsr fpexc, r0\n" + touches + "cps #0x10\n" + touches + TO_SUPERVISOR
    return p


GICD, GICC, TIMER = at.GICD, at.GICC, 27
SECTION, TABLE_AT = 0x5C0E, at.TABLES  #: full access, client of domain 0, memory; where tables are


def first_level(extra: dict[int, int]) -> str:
    """A table of sections that leads everything to itself, but for what is *extra*."""
    text = load32("r1", TABLE_AT) + load32("r0", 0xC0E) + "mov r2, #0x1000\nmov r3, #0x100000\n"
    text += "fill:\nstr r0, [r1], #4\nadd r0, r0, r3\nsubs r2, r2, #1\nbne fill\n"
    for index, descriptor in extra.items():
        text += put(TABLE_AT + 4 * index, descriptor)
    return text


def enable(ttbcr: int = 0, dacr: int = 1) -> str:
    text = write("0, c2, c0, 2", ttbcr) + write("0, c3, c0, 0", dacr) + "mcr p15, 0, r0, c8, c7, 0\n"
    text += "mrc p15, 0, r0, c1, c0, 0\norr r0, r0, #1\nmcr p15, 0, r0, c1, c0, 0\nisb\n"
    return text


def probe(address: int, *accesses: str) -> str:
    return load32("r1", address) + "\n".join(accesses) + "\n"


def short_descriptors() -> Pair:
    """The guest's own tables: sections and pages, permissions, domains, and what it is told of faults."""
    p = Pair()
    p.begin()
    pages = TABLE_AT + 0x4000
    p.guest += first_level({0x500: 0, 0x501: 0x4020_0C2E, 0x502: 0x4030_8C0E, 0x503: pages | 1, 0x504: 0x4030_040E,
                            0x505: 0x4030_0C1E})  # fmt: skip
    for number, descriptor in enumerate((0x4030_0032, 0x4030_1232, 0, 0x4030_3033, 0x4030_4012, 0x4030_5022)):
        p.guest += put(pages + 4 * number, descriptor)
    p.guest += put(0x4030_0000, 0x1234) + write("0, c2, c0, 0", TABLE_AT) + enable()
    for address in (0x5000_0000, 0x5010_0000, 0x5020_0000, 0x5040_0000, 0x5050_0000,
                    *range(0x5030_0000, 0x5030_6000, 0x1000)):  # fmt: skip
        p.guest += probe(address, "mov r0, #0", "ldr r0, [r1]", "hvc #1", "strh r0, [r1, #8]")
        p.guest += "mcr p15, 0, r1, c7, c8, 0\nmrc p15, 0, r0, c7, c4, 0\nbic r0, r0, #0xfe0\nhvc #2\n"
    p.guest += "cps #0x10\n"
    for address in (0x5040_0000, 0x5030_4000, 0x5030_5000, 0x5030_0000):
        p.guest += probe(address, "ldr r0, [r1]", "strb r0, [r1, #8]")
    p.guest += TO_SUPERVISOR
    return p


def long_descriptors() -> Pair:
    p = Pair()
    p.begin()
    low, pages = TABLE_AT, TABLE_AT + 0x1000
    for number in range(4):
        p.guest += put(low + 8 * number, number << 30 | 0x741) + put(low + 8 * number + 4, 0)
    p.guest += put(low + 16, pages | 3)
    for number, (first, second) in enumerate(((0x4020_0741, 0), (0x4020_07C1, 0), (0x4020_0341, 0), (0, 0),
                                              (0x4020_0701, 0), (0x4020_0741, 0x40_0000))):  # fmt: skip
        p.guest += put(pages + 8 * number, first) + put(pages + 8 * number + 4, second)
    p.guest += write("0, c10, c2, 0", 0xFF) + load32("r0", low) + "mov r1, #0\nmcrr p15, 0, r0, r1, c2\n"
    p.guest += enable(1 << 31) + load32("r5", at.RAM + 0x30_0000)
    for number in range(6):
        p.guest += probe(0x8000_0000 + (number << 21), "ldr r0, [r1]", "strh r5, [r1, #8]")
        p.guest += (
            f"mcr p15, 0, r1, c7, c8, 1\nmrrc p15, 0, r0, r2, c7\n{load32('r3', 0xFFFFF87F)}and r0, r0, r3\nhvc #3\n"
        )
    p.guest += "cps #0x10\n" + probe(0x8080_0000, "ldr r0, [r1]") + probe(0x8000_0000, "ldr r0, [r1]") + TO_SUPERVISOR
    return p


def second_stage(hcr: int = HCR_VM) -> str:
    """The hypervisor's tables: what there is leads to itself; 0x1000_0000 leads to RAM and can be read."""
    tables = at.TABLES + 0x8000
    text = at.store(tables, tables + 0x1000 | 3, 8) + at.store(tables + 8, 0x4000_0000 | 0x7FD, 8)
    text += at.store(tables + 0x1000 + 0x40 * 8, 0x0800_0000 | 0x7C1, 8)
    text += at.store(tables + 0x1000 + 0x80 * 8, 0x4020_0000 | 0x77D, 8)
    text += at.put("vtcr_el2", 0x80000000 | 2 << 16 | 3 << 12 | 5 << 8 | 1 << 6 | 25) + at.put("vttbr_el2", tables)
    return text


LOADS = ("ldr r5, [r1]", "strb r7, [r1, #1]", "ldrsh r8, [r1, #2]", "ldrsb r10, [r1, r3]", "str r12, [r1]",
         "ldr r5, [r1], #4", "ldr r5, [r1, #4]!", "ldrd r4, r5, [r1]", "ldm r1, {r4, r5}", "strh r9, [r1, #6]",
         "ldrb r2, [r1, r3, lsl #1]", "ldrex r2, [r1]", "lda r2, [r1]", "stlb r2, [r1]", "ldr r11, [r1, #-8]",
         "ldrt r2, [r1]", "pld [r1]", "ldrh r0, [r1]")  # fmt: skip


def stage_2(*, thumb: bool = False) -> Callable[[], Pair]:
    """Faults of the second stage, and what the hypervisor is told of the access."""

    def make() -> Pair:
        p = Pair(thumb=thumb)
        p.monitor += second_stage()
        p.begin(HCR_VM)
        p.guest += "movs r3, #4\n"
        narrow = ("ldr r5, [r1, #4]", "strb r7, [r1, r3]", "ldrsh r2, [r1, r3]", "strh r4, [r1]", "ldrsb r0, [r1, r3]")
        for text in (*LOADS, *narrow) if thumb else LOADS:
            p.guest += probe(0x2000_3000, text)
        p.guest += probe(0x1000_0000, "ldr r0, [r1]", "hvc #1", "str r0, [r1]")
        return p

    return make


def stage_2_of_tables(*, long: bool = False) -> Callable[[], Pair]:
    """Tables of the guest are where the hypervisor's tables lead; those that are nowhere, it is told of."""

    def make() -> Pair:
        p = Pair()
        p.monitor += second_stage()
        p.begin(HCR_VM)
        if long:
            for number in range(4):
                p.guest += put(TABLE_AT + 8 * number, number << 30 | 0x741) + put(TABLE_AT + 8 * number + 4, 0)
            p.guest += put(TABLE_AT + 16, 0x2000_0003)
            p.guest += load32("r0", TABLE_AT) + "mov r1, #0\nmcrr p15, 0, r0, r1, c2\n" + enable(1 << 31)
        else:
            p.guest += first_level({0x800: 0x2000_0001, 0x801: 0x2000_0C0E})
            p.guest += write("0, c2, c0, 0", TABLE_AT) + enable()
        p.guest += probe(0x8000_0000, "ldr r2, [r1]", "strb r2, [r1]") + probe(0x8010_0000, "ldrh r2, [r1]")
        p.guest += probe(at.RAM, "ldr r0, [r1]", "hvc #2")
        p.guest += probe(0x8000_0000, "mcr p15, 0, r1, c7, c8, 0")
        return p

    return make


def with_gic(pair: Pair) -> None:
    pair.monitor += at.store(GICD, 1) + at.store(GICD + 0x100, 0xFFFF) + at.store(GICC, 1) + at.store(GICC + 4, 0xFF)


def interrupts(hcr: int) -> Callable[[], Pair]:
    """A software interrupt: for the guest, or for the hypervisor, whatever the guest masks."""

    def make() -> Pair:
        p = Pair()
        with_gic(p)
        p.begin(hcr)
        p.guest += put(GICD + 0xF00, 2 << 24 | 3) + "mov r7, #1\ncpsie i\nmov r7, #2\ncpsie f\nmov r7, #3\nmov r0, r7\n"
        p.guest += "mrc p15, 0, r0, c12, c1, 0\nhvc #4\n"
        return p

    return make


def user_instead() -> Pair:
    """HCR_EL2.TGE: programs of 32 bits are the hypervisor's own, and there is no EL1."""
    p = Pair()
    p.monitor += second_stage()
    p.begin(HCR_RW | HCR_TGE, cpsr=USR)
    p.guest = "svc #5\nudf #1\nbkpt #3\nhvc #0\nmrc p15, 0, r0, c1, c0, 0\nvadd.f32 s0, s1, s2\n"
    p.guest += probe(0x2000_0000, "mrc p15, 0, r0, c13, c0, 3", "mrrc p15, 1, r0, r2, c14")
    p.guest += "svc #1\n" + load32("r0", 0xE0E0)
    return p


def fp_identification() -> Pair:
    """VMRS of what tells of the FP unit."""
    p = Pair()
    p.begin(1 << 15 | 1 << 18)
    touches = "vmrs r3, fpsid\nvmrs r9, mvfr0\nvmrs r2, mvfr1\nvmrs r5, mvfr2\nvmrs r4, fpexc\n"
    p.guest += touches + write("0, c1, c0, 2", 0xF00000) + "isb\n" + touches + "cps #0x10\n" + touches + TO_SUPERVISOR
    return p


TRAPPED = (
    "mcr p15, 0, r3, c1, c0, 0", "mrc p15, 0, r3, c1, c0, 0", "mcr p15, 0, r4, c2, c0, 0", "mcrr p15, 0, r4, r5, c2",
    "mrrc p15, 1, r4, r5, c2", "mrc p15, 0, r6, c2, c0, 2", "mrc p15, 0, r6, c3, c0, 0", "mrc p15, 0, r6, c5, c0, 1",
    "mrc p15, 0, r6, c6, c0, 2", "mrc p15, 0, r6, c10, c2, 1", "mrc p15, 0, r6, c13, c0, 1",
    "mrc p15, 0, r8, c0, c0, 1", "mrc p15, 0, r8, c0, c0, 2", "mrc p15, 0, r8, c0, c0, 3", "mrc p15, 1, r8, c0, c0, 7",
    "mrc p15, 1, r8, c0, c0, 0", "mrc p15, 2, r8, c0, c0, 0", "mrc p15, 0, r8, c0, c1, 0", "mrc p15, 0, r8, c0, c2, 5",
    "mcr p15, 0, r9, c7, c14, 2", "mcr p15, 0, r9, c7, c10, 1", "mcr p15, 0, r9, c7, c5, 0",
    "mcr p15, 0, r9, c7, c11, 1", "mcr p15, 0, r9, c8, c7, 0", "mcr p15, 0, r9, c8, c3, 1",
    "mrc p15, 0, r10, c1, c0, 1", "mrc p15, 0, r10, c1, c0, 2", "mrc p15, 0, r11, c0, c0, 5",
    "mrc p15, 0, r1, c14, c2, 1", "mrrc p15, 0, r1, r2, c14", "mrc p15, 0, r1, c14, c3, 1",
    "mrc p15, 0, r1, c9, c12, 0", "mrc p15, 0, r1, c9, c13, 0", "mrc p14, 0, r1, c0, c2, 2",
    "mrc p14, 0, r1, c1, c1, 4", "mrc p15, 0, r1, c13, c0, 4", "mrc p15, 0, r1, c12, c0, 0",
    "wfi", "smc #3",
)  # fmt: skip


def traps(prepare: str, hcr: int = 0, *, thumb: bool = False) -> Callable[[], Pair]:
    def make() -> Pair:
        p = Pair(thumb=thumb)
        p.monitor += prepare
        p.begin(hcr)
        for text in TRAPPED:
            if text != "wfi" or hcr & HCR_TWI:  # else it would wait for ever
                p.guest += text + "\n"
        return p

    return make


def firmware() -> Pair:
    """PSCI by SMC, as firmware of 64 bits answers callers of 32 bits; timers and performance monitors."""
    p = Pair()
    p.begin()
    for function in (0x8400_0006, 0xC400_0004, 0x8400_0004, 0x1234):
        p.guest += load32("r0", function) + "mov r1, #0\nmov r2, #0\nsmc #0\nhvc #5\n"
    p.guest += "mrc p15, 0, r0, c14, c0, 0\nhvc #6\nmov r0, #2\nmcr p15, 0, r0, c14, c3, 1\nmvn r0, #0\nmov r1, #1\n"
    p.guest += (
        "mcrr p15, 3, r0, r1, c14\nmrrc p15, 3, r0, r2, c14\nhvc #6\nmov r0, r2\nhvc #6\nmrc p15, 0, r0, c14, c3, 1\n"
    )
    p.guest += f"hvc #6\n{write('0, c14, c1, 0', 3)}{read('0, c14, c1, 0', 6)}mrc p15, 0, r0, c9, c12, 5\nhvc #6\n"
    p.guest += write("0, c9, c14, 0", 15) + read("0, c9, c14, 0", 7) + write("0, c9, c12, 1", 1 << 31)
    p.guest += read("0, c9, c12, 2", 7) + f"hvc #{ALL}\n"
    for register in ("c0, c0, 0", "c0, c0, 5", "c0, c0, 1", "c0, c1, 0", "c0, c2, 0", "c0, c2, 5", "c1, c1, 2"):
        p.guest += read(f"0, {register}", 8)
    return p


def seen_by_guest() -> Pair:
    """The guest's identification is what the hypervisor says; what the hypervisor finds of the guest's registers."""
    p = Pair()
    p.monitor += at.put("vpidr_el2", 0x1234_5678) + at.put("vmpidr_el2", 0x8000_0103)
    p.begin()
    p.guest += read("0, c0, c0, 0", 1) + read("0, c0, c0, 5", 1)
    kept = ("c3, c0, 0", "c5, c0, 1", "c5, c0, 0", "c6, c0, 0", "c6, c0, 2", "c10, c2, 0", "c10, c2, 1", "c13, c0, 1",
            "c13, c0, 2", "c13, c0, 3", "c13, c0, 4")  # fmt: skip
    for number, register in enumerate(kept):
        p.guest += write(f"0, {register}", 0x1111_1110 + number)
    p.guest += write("0, c1, c0, 2", 0xF0_0000) + "isb\nmov r0, #0x40000000\nvmsr fpexc, r0\n"
    p.guest += "mov r1, #0x2000000\nvmsr fpscr, r1\nvmov s0, r0\n" + f"hvc #{ALL}\nvmrs r0, fpscr\nhvc #2\n"
    return p


def gicv3() -> Pair:
    """The interface of a GICv3 by coprocessor 15."""
    p = Pair()
    p.monitor += at.put("s3_4_c12_c9_5", 0xF) + at.store(GICD, 0x13) + at.store(at.GICR + 0x14, 0)
    p.monitor += at.store(at.GICR + 0x10080, 0xFFFF_FFFF)
    p.begin()
    p.guest += read("0, c12, c12, 5", 1) + write("0, c4, c6, 0", 0xF0) + read("0, c4, c6, 0", 2)
    p.guest += write("0, c12, c12, 7", 1) + read("0, c12, c12, 7", 3) + load32("r1", at.GICR + 0x1_0200)
    p.guest += "mov r0, #8\nstr r0, [r1]\ncpsie i\nnop\n" + read("0, c12, c12, 0", 4) + "mov r5, r0\n"
    p.guest += read("0, c12, c11, 3", 5) + "mcr p15, 0, r5, c12, c12, 1\n" + read("0, c12, c11, 3", 6)
    p.guest += load32("r0", 0x0500_0001) + "mov r1, #0\nmcrr p15, 0, r0, r1, c12\n" + read("0, c12, c12, 2", 7)
    return p


SCR_NS, SCR_IRQ = 1, 2


def monitored(scr: int, prepare: str = "") -> Callable[[], Pair]:
    """A guest under EL3 alone: what it may do in Secure and in Non-secure state."""

    def make() -> Pair:
        p = Pair(3)
        p.monitor += prepare
        p.begin(scr | 0x30)
        p.guest += (
            "hvc #0\nmrc p15, 0, r0, c1, c1, 0\nmov r1, #1\nmcr p15, 0, r1, c1, c1, 2\nmrc p15, 0, r0, c1, c1, 2\n"
        )
        p.guest += "smc #7\nmrc p15, 0, r2, c12, c0, 1\nsmc #0\n"
        p.guest += write("0, c1, c0, 2", 0xF0_0000) + "isb\nvmrs r0, fpexc\nmrc p15, 0, r0, c1, c0, 2\n"
        p.guest += load32("r1", at.SECURE_RAM) + f"ldr r0, [r1]\n{p.call} #1\n" if not scr & SCR_NS else ""
        p.guest += "cps #0x10\nsvc #1\nsmc #0\n" + TO_SUPERVISOR
        return p

    return make


def worlds() -> Pair:
    """Secure tables of the guest lead to either world (NS of sections and of tables)."""
    p = Pair(3)
    p.monitor += at.store(at.SECURE_RAM, at.SECRET) + at.store(at.SECURE_RAM + 0x1000, 0x77) + at.store(at.RAM, 0x1234)
    p.begin(0x30)
    pages = TABLE_AT + 0x4000
    p.guest += first_level({0x500: 0x0E00_0C0E, 0x501: 0x4000_0C0E | 1 << 19, 0x502: pages | 1, 0x503: pages | 1 | 8})
    p.guest += put(pages, 0x0E00_1032) + put(pages + 4, 0x4000_0032)
    p.guest += write("0, c2, c0, 0", TABLE_AT) + enable()
    for address in (0x5000_0000, 0x5010_0000, 0x5020_0000, 0x5030_1000):
        p.guest += probe(address, "ldr r0, [r1]", "smc #1")
    return p


def interrupted_monitor() -> Pair:
    """FIQ and IRQ to EL3."""
    p = Pair(3)
    p.monitor += at.store(GICD, 3) + at.store(GICD + 0x100, 0xFFFF) + at.store(GICC, 1) + at.store(GICC + 4, 0xFF)
    p.begin(0x30 | SCR_IRQ)
    p.guest += put(GICD + 0xF00, 2 << 24 | 3) + "mov r7, #1\ncpsie if\nmov r0, #3\nsmc #0\n"
    return p


PROGRAMS: dict[str, tuple[Callable[[], Pair], str]] = {
    "modes": (modes, "virtualization=on"),
    "exceptions": (exceptions, "virtualization=on"),
    "fp": (fp, "virtualization=on"),
    "fp of the hypervisor": (fp_of_hypervisor, "virtualization=on"),
    "traps of translation": (traps("", HCR_TVM | HCR_TRVM | HCR_TWI | HCR_TSC), "virtualization=on"),
    "traps of identification": (traps("", 7 << 16 | 1 << 20 | 1 << 21 | HCR_TSC), "virtualization=on"),
    "traps of maintenance": (traps("", 15 << 22 | HCR_TSC), "virtualization=on"),
    "traps by number": (traps(at.put("hstr_el2", 0x9FEF), HCR_TSC), "virtualization=on"),
    "traps of others": (traps(at.put("cptr_el2", 0x800033FF) + at.put("mdcr_el2", 0x740) + at.put("cnthctl_el2", 0),
                              HCR_TSC), "virtualization=on"),
    "short descriptors": (short_descriptors, "virtualization=on"),
    "long descriptors": (long_descriptors, "virtualization=on"),
    "stage 2": (stage_2(), "virtualization=on"),
    "stage 2 in thumb": (stage_2(thumb=True), "virtualization=on"),
    "stage 2 of tables": (stage_2_of_tables(), "virtualization=on"),
    "stage 2 of long tables": (stage_2_of_tables(long=True), "virtualization=on"),
    "interrupts": (interrupts(0), "virtualization=on"),
    "interrupts for the hypervisor": (interrupts(HCR_IMO), "virtualization=on"),
    "virtual interrupts": (interrupts(HCR_IMO | HCR_VI), "virtualization=on"),
    "virtual fast interrupts": (interrupts(HCR_FMO | HCR_IMO | 1 << 6), "virtualization=on"),
    "user instead": (user_instead, "virtualization=on"),
    "firmware": (firmware, "virtualization=on"),
    "seen by the guest": (seen_by_guest, "virtualization=on"),
    "gicv3": (gicv3, "virtualization=on,gic-version=3"),
    "secure": (monitored(0), "secure=on"),
    "not secure": (monitored(SCR_NS), "secure=on"),
    "fp of the monitor": (monitored(SCR_NS, at.put("cptr_el3", 1 << 10 | 1 << 31)), "secure=on"),
    "worlds": (worlds, "secure=on"),
    "interrupted monitor": (interrupted_monitor, "secure=on"),
    "traps of fp identification": (fp_identification, "virtualization=on"),
    "traps in thumb": (traps("", HCR_TVM | HCR_TWI | HCR_TSC, thumb=True), "virtualization=on"),
}  # fmt: skip


@needs_qemu
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_guest_says_the_same(name: str, tmp_path: Path) -> None:
    make, board = PROGRAMS[name]
    rom = make().write(tmp_path)
    assert said_here(rom, board).splitlines() == said_in_qemu(rom, board, tmp_path).splitlines()
