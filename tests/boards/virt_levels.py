"""Programs for the flash of ``virt`` that go through its exception levels and tell on the serial line what they see.

A program is a list of steps, written for the assembler. Whatever exception is taken is told, with its level, vector,
syndrome and where it came from; then the program goes on at the address in X28, at the level that took it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keystone as _keystone

keystone: Any = _keystone  # its types are not for us
RAM, TABLES, HERE = 0x4000_0000, 0x4010_0000, 0x4020_0000
VECTORS = {1: HERE + 0x8000, 2: HERE + 0x9000, 3: HERE + 0xA000}
TELL, CODE, SIZE = HERE + 0x400, HERE + 0x1000, 0x10000
SECURE_RAM, SECURE_UART, UART = 0x0E00_0000, 0x0904_0000, 0x0900_0000
GICD, GICC, GICR, GICH, GICV = 0x0800_0000, 0x0801_0000, 0x080A_0000, 0x0803_0000, 0x0804_0000
SECRET = 0x5EC2E7

_TELL = f"""
    movz x24, #{UART >> 16:#x}, lsl #16
    str w26, [x24]
    mov x23, #60
digit:
    lsr x22, x25, x23
    and x22, x22, #15
    cmp x22, #10
    add x21, x22, #39
    csel x22, x21, x22, ge
    add x22, x22, #48
    str w22, [x24]
    subs x23, x23, #4
    b.ge digit
    mov w22, #10
    str w22, [x24]
    ret
"""
"""Tell the letter in W26 and the number in X25; X20 to X26 are its own.."""


def assemble(text: str, address: int) -> bytes:
    """The code of a text."""
    code, _ = keystone.Ks(keystone.KS_ARCH_ARM64, keystone.KS_MODE_LITTLE_ENDIAN).asm(text, address)
    return bytes(code)


def load(register: str, value: int) -> str:
    """Load a number."""
    lines = [f"movz {register}, #{value & 0xFFFF:#x}"]
    lines += [
        f"movk {register}, #{value >> shift & 0xFFFF:#x}, lsl #{shift}"
        for shift in (16, 32, 48)
        if value >> shift & 0xFFFF
    ]
    return "\n".join(lines) + "\n"


def tell(letter: str, source: str = "") -> str:
    """Tell what *source* has: a register; without one, what X25 has."""
    fetch = f"mov x25, {source}\n" if source and source != "x25" else ""
    return f"{fetch}mov w26, #{ord(letter)}\n{load('x20', TELL)}blr x20\n"


def tell_system(letter: str, register: str) -> str:
    """Tell a system register."""
    return f"mrs x25, {register}\n{tell(letter)}"


def put(register: str, value: int) -> str:
    """Write a system register."""
    return f"{load('x0', value)}msr {register}, x0\n"


def store(address: int, value: int, size: int = 4) -> str:
    """Write memory."""
    return f"{load('x1', address)}{load('x0', value)}{'str x0' if size == 8 else 'str w0'}, [x1]\n"


def fetch(address: int, letter: str, size: int = 4) -> str:
    """Tell what is in memory."""
    return f"{load('x1', address)}{'ldr x25' if size == 8 else 'ldr w25'}, [x1]\n{tell(letter)}"


_COPY = f"""
    mov x0, #0
    {load("x1", HERE)}
    {load("x2", SIZE)}
copy:
    ldr x3, [x0], #8
    str x3, [x1], #8
    subs x2, x2, #8
    b.ne copy
    {load("x1", CODE)}
    br x1
"""
"""The Non-secure world does not see the first bank of flash: so the program runs in RAM."""


class Program:
    """Steps, and the numbers of their labels.

    :ivar parts: other code: address, and what is there
    """

    def __init__(self) -> None:
        self.text = ""
        self.parts: list[tuple[int, bytes]] = []
        self._labels = 0

    def __iadd__(self, text: str) -> Program:
        self.text += text
        return self

    def _label(self) -> str:
        self._labels += 1
        return f"step{self._labels}"

    def expect(self, text: str) -> None:
        """Run what raises an exception, or is interrupted; go on at the level that takes it."""
        label = self._label()
        self.text += f"adr x28, {label}\n{text}b .\n{label}:\n"

    def enter(self, el: int, *, by: int, spsr: int = 0x3C4) -> None:
        """Return to a lower exception level, from level *by*; *spsr* without the level and with SP_ELx."""
        label = self._label()
        self.text += f"adr x0, {label}\nmsr elr_el{by}, x0\n{put(f'spsr_el{by}', spsr & ~0xF | el << 2 | 1)}eret\n"
        self.text += f"{label}:\n"

    def enter_interrupted(self, el: int, *, by: int, spsr: int = 0x3C4) -> None:
        """The same where an interrupt is waiting: go on at the level that takes it."""
        label = self._label()
        self.text += f"adr x28, {label}\n"
        self.enter(el, by=by, spsr=spsr)
        self.text += f"b .\n{label}:\n"

    def image(self) -> bytes:
        """The flash."""
        out = bytearray(SIZE)
        first = assemble(_COPY, 0)
        out[: len(first)] = first

        def put_at(address: int, text: str) -> None:
            code = assemble(text, address)
            out[address - HERE : address - HERE + len(code)] = code

        put_at(TELL, _TELL)
        for el, base in VECTORS.items():
            for number in range(16):
                put_at(base + 0x80 * number, _vector(el, number))
            put_at(base + 0x800, self.handler(el))
        put_at(CODE, self.text + "b .\n")
        for address, code in self.parts:
            out[address - HERE : address - HERE + len(code)] = code
        assert len(out) == SIZE
        return bytes(out)

    def handler(self, el: int) -> str:
        """Tell the vector; of synchronous exceptions the syndrome, too; and the state that it came from."""
        text = f"mov x19, x25\n{tell('V')}ubfx x25, x19, #4, #2\ncbnz x25, skip\n{tell_system('s', f'esr_el{el}')}"
        return f"{text}skip:\n{tell_system('p', f'spsr_el{el}')}br x28\n"

    def write(self, directory: Path) -> str:
        """The file for ``-bios``."""
        path = directory / "program.bin"
        path.write_bytes(self.image())
        return str(path)


def _vector(el: int, number: int) -> str:
    return f"movz x25, #{el << 12 | number << 4:#x}\n{load('x20', VECTORS[el] + 0x800)}br x20\n"
