"""A guest of boards with 32-bit processors that counts on its serial line by timer interrupts.

Each interrupt adds one to a word of memory, and that to another one, and prints both as hexadecimal numbers. Between
interrupts registers of the program go through values that it checks: it prints "!" if one is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keystone as _keystone

keystone: Any = _keystone  # its types are not for us
PLACE, VECTORS = 0x10000, 0x11000  # where a kernel is put, and its vectors, from the start of RAM on
COUNT, STACK, IRQ_STACK = 0x6000, 0x9000, 0xA000
PERIOD = 5000  # microseconds


@dataclass(frozen=True)
class Place:
    """What a program must know of a board.

    :ivar controller: begins interrupts and the timer
    :ivar acknowledge: what an interrupt begins with, and *end*: what it ends with
    """

    ram: int
    uart: int
    controller: str
    acknowledge: str
    end: str = ""


def constant(register: str, value: int) -> str:
    """Instructions that load a number, on any processor."""
    parts = [f"mov {register}, #{value & 0xFF:#x}"]
    parts += [f"orr {register}, {register}, #{value & 0xFF << n:#x}" for n in (8, 16, 24) if value & 0xFF << n]
    return "\n".join(parts)


def store(address: int, value: int) -> str:
    """A register of a device."""
    return f"{constant('r0', address)}\n{constant('r1', value)}\nstr r1, [r0]"


def timer(base: int) -> str:
    """The first counter of an SP804."""
    return f"{store(base, PERIOD)}\n{store(base + 8, 0xE2)}"


def gic(distributor: int, interface: int, number: int) -> str:
    """Let one interrupt through."""
    return "\n".join((store(distributor, 1), store(distributor + 0x100 + number // 32 * 4, 1 << number % 32),
                      store(distributor + 0x800 + number // 4 * 4, 0x01010101), store(interface, 1),
                      store(interface + 4, 0xFF)))  # fmt: skip


def gic_place(ram: int, uart: int, distributor: int, interface: int, sp804: int) -> Place:
    """Of a Versatile Express."""
    acknowledge = f"{constant('r4', interface)}\nldr r5, [r4, #12]\n{store(sp804 + 12, 1)}"
    controller = gic(distributor, interface, 34) + "\n" + timer(sp804)
    return Place(ram, uart, controller, acknowledge, end="str r5, [r4, #16]")


GENERIC_TIMER = f"{constant('r1', 62_500 * 5)}\nmcr p15, 0, r1, c14, c3, 0\nmov r1, #1\nmcr p15, 0, r1, c14, c3, 1"
VECTORS_OF_V7 = "{}\nmcr p15, 0, r0, c12, c0, 0"
PLACES = {
    "versatilepb": Place(0, 0x101F_1000, store(0x1014_0010, 1 << 4) + "\n" + timer(0x101E_2000),
                         store(0x101E_200C, 1)),
    "vexpress-a9": gic_place(0x6000_0000, 0x1000_9000, 0x1E00_1000, 0x1E00_0100, 0x1001_1000),
    "vexpress-a15": gic_place(0x8000_0000, 0x1C09_0000, 0x2C00_1000, 0x2C00_2000, 0x1C11_0000),
    "raspi2": Place(0, 0x3F20_1000, store(0x4000_0040, 8) + "\n" + GENERIC_TIMER, GENERIC_TIMER),
}  # fmt: skip

MAIN = """
    msr cpsr_c, #0xd2
{irq_stack}
    msr cpsr_c, #0xd3
{stack}
{vectors}
{controller}
    msr cpsr_c, #0x53
    mov r6, #0
pass:
    add r6, r6, #1
    mov r7, r6
    mov r8, r6, lsl #1
    mov r9, #50
again:
    add r7, r7, #1
    add r8, r8, #2
    subs r9, r9, #1
    bne again
    sub r8, r8, r7
    cmp r7, r8
    beq pass
{uart}
    mov r1, #33
    str r1, [r0]
    b pass
"""
HANDLER = """
    sub lr, lr, #4
    stmfd sp!, {{r0-r5, r12, lr}}
{acknowledge}
{count}
    ldr r1, [r0]
    add r1, r1, #1
    str r1, [r0]
    ldr r2, [r0, #4]
    add r2, r2, r1
    str r2, [r0, #4]
    stmfd sp!, {{r2}}
    bl print
    ldmfd sp!, {{r1}}
    bl print
{end}
    ldmfd sp!, {{r0-r5, r12, pc}}^
print:
{uart}
    mov r2, #28
digit:
    mov r3, r1, lsr r2
    and r3, r3, #15
    cmp r3, #10
    addlt r3, r3, #48
    addge r3, r3, #87
    str r3, [r0]
    subs r2, r2, #4
    bge digit
    mov r3, #10
    str r3, [r0]
    bx lr
"""


def _assemble(text: str, address: int) -> bytes:
    code, _ = keystone.Ks(keystone.KS_ARCH_ARM, keystone.KS_MODE_ARM).asm(text, address)
    return bytes(code)


def _vectors(name: str, place: Place) -> str:
    """Where the processor looks for its vectors: an ARM926 always at 0, where a jump is put."""
    handler = place.ram + VECTORS + 0x18
    if name == "versatilepb":
        return f"{store(0x18, 0xE51FF004)}\n{store(0x1C, handler)}"  # ldr pc, [pc, #-4]
    return VECTORS_OF_V7.format(constant("r0", place.ram + VECTORS))


def program(name: str, directory: Path) -> str:
    """The file for ``-kernel``."""
    place = PLACES[name]
    parts = {
        "irq_stack": constant("sp", place.ram + IRQ_STACK), "stack": constant("sp", place.ram + STACK),
        "vectors": _vectors(name, place), "controller": place.controller, "uart": constant("r0", place.uart),
        "acknowledge": place.acknowledge, "end": place.end, "count": constant("r0", place.ram + COUNT),
    }  # fmt: skip
    main = _assemble(MAIN.format(**parts), place.ram + PLACE)
    handler = _assemble(HANDLER.format(**parts), place.ram + VECTORS + 0x18)
    path = directory / f"counter-{name}"
    path.write_bytes(main.ljust(VECTORS - PLACE + 0x18, b"\0") + handler)
    return str(path)
