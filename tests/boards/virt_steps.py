"""Programs for the flash of ``virt`` that step through others, and tell each step on the serial line.

What is stepped may use X0 to X15 and X30; the rest is the handler's. ``svc #0``, ``brk #0`` or ``bkpt #0`` ends it,
``svc #2`` is stepped over, while any other returns as it came: the next step has happened already then. What faults is
passed over.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keystone as _keystone

from tests.boards import virt_levels as at
from tests.boards.virt_levels import Program, assemble, load, put, tell, tell_system
from tests.boards.virt_said import END, said_here, said_in_qemu

keystone: Any = _keystone  # its types are not for us
STEPPED, STEPPED_32, DATA = at.HERE + 0xC000, at.HERE + 0xD000, at.RAM + 0x18_0000
SS, KDE, MDE = 1, 1 << 13, 1 << 15
PSTATE_SS, PSTATE_D, THUMB, BIG_ENDIAN = 1 << 21, 1 << 9, 1 << 5, 1 << 9
EL0, EL1, USER = 0, 5, 0x10
SVC, SVC_32, STEP, BRK, BKPT, WATCHPOINT = 0x15, 0x11, 0x32, 0x3C, 0x38, 0x34
LIMIT = 200  #: exceptions; then it is over


def assemble32(text: str, address: int, *, thumb: bool = False) -> bytes:
    """A32 or T32 code."""
    mode = keystone.KS_MODE_THUMB if thumb else keystone.KS_MODE_ARM
    code, _ = keystone.Ks(keystone.KS_ARCH_ARM, mode | keystone.KS_MODE_V8).asm(text, address)
    return bytes(code)


class Steps(Program):
    """A program with a handler that steps, at EL1 or EL2.

    :ivar masks: of SPSR when the next step is asked for, beside SS
    """

    def __init__(self) -> None:
        super().__init__()
        self._runs = 0

    def handler(self, el: int) -> str:
        """Tell vector, syndrome, place and state, and which address was hit; go on as the syndrome says. X27 counts."""
        spsr, elr = f"spsr_el{el}", f"elr_el{el}"
        text = f"mov x18, x30\nmov x19, x25\n{tell('V')}{tell_system('s', f'esr_el{el}')}{tell_system('a', elr)}"
        text += f"{tell_system('p', spsr)}{tell_system('m', 'mdscr_el1')}"
        text += f"mrs x19, esr_el{el}\nlsr x19, x19, #26\nsub x19, x19, #{WATCHPOINT}\ncmp x19, #1\nb.hi nowhere\n"
        text += f"""{tell_system("f", f"far_el{el}")}
        nowhere:
            add x27, x27, #1
            cmp x27, #{LIMIT}
            b.hs over
            mrs x19, esr_el{el}
            lsr x20, x19, #26
            and x21, x19, #0xffff
            mrs x22, {spsr}
            mrs x23, {elr}
            cmp x20, #{STEP}
            b.eq again
            cmp x20, #{STEP + 1}
            b.eq again
            cmp x20, #{SVC}
            b.eq call
            cmp x20, #{SVC_32}
            b.eq call
            cmp x20, #{BRK}
            b.eq fault
            cmp x20, #{BKPT}
            b.eq fault
            cmp x20, #0x16
            b.eq back
        skip:
            add x23, x23, #2
            tbz x19, #25, back
            add x23, x23, #2
            b back
        fault:
            cbz x21, over
            b skip
        call:
            cbz x21, over
            cmp x21, #2
            b.ne back
        again:
            orr x22, x22, #{PSTATE_SS:#x}
        back:
            msr {spsr}, x22
            msr {elr}, x23
            mov x30, x18
            eret
        over:
            br x28
        """
        return text

    def place(self, spsr: int = EL0) -> int:
        """Where the code of the next run will be."""
        return (STEPPED_32 if spsr & USER else STEPPED) + 0x100 * self._runs

    def run(self, text: str, *, spsr: int = EL0, by: int = 1, mdscr: int = SS, thumb: bool = False,
            stepped: bool = True) -> None:  # fmt: skip
        """Let code run at a lower level, or the same one; A32 or T32 code where *spsr* says so."""
        address = self.place(spsr)
        self._runs += 1
        code = assemble32(text, address, thumb=thumb) if spsr & USER else assemble(text, address)
        assert len(code) <= 0x100
        self.parts.append((address, code))
        value = spsr | (PSTATE_SS if stepped else 0) | (THUMB if thumb else 0)
        label = f"over{self._runs}"
        self.text += f"adr x28, {label}\nmov x27, #0\n"
        self.text += put("mdscr_el1", mdscr) + put(f"elr_el{by}", address) + put(f"spsr_el{by}", value)
        self.text += load("x14", DATA) + f"eret\n{label}:\n" + tell("=", f"x{0}")
        self.text += put("mdscr_el1", 0)


def say_the_same(program: Steps, board: str, directory: Path) -> None:
    """Compare what a program says with what it says in QEMU."""
    program += f"mov x25, #0\n{tell('Z')}"
    rom = program.write(directory)
    here, there = said_here(rom, board), said_in_qemu(rom, board, directory)
    assert END in here
    assert all(part.count("V") < LIMIT for part in here.split("=")), "each comes to its end"
    assert here.splitlines() == there.splitlines()
