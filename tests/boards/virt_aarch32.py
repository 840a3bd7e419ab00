"""Programs for the flash of ``virt`` with a monitor of 64 bits, at EL2 or EL3, and a guest of 32 bits at EL1 and EL0.

The guest tells what it wants by HVC or SMC. Whatever comes to the monitor is told on the serial line, with its vector,
syndrome, and the guest's state; then the guest goes on behind the instruction. The guest's own vectors tell, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keystone as _keystone

from tests.boards import virt_levels as at

keystone: Any = _keystone  # its types are not for us
GUEST, GUEST_VECTORS, GUEST_STACKS, LIMIT = at.HERE + 0x4000, at.HERE + 0x7000, at.HERE + 0x7400, at.HERE + 0x7C00
MONITOR_STACK = at.HERE + 0x8000
SVC, USR, MASKED, THUMB = 0x13, 0x10, 0x1C0, 0x20
BACK = 0xBC  #: in R7: SVC takes a program from User mode to Supervisor mode
TO_SUPERVISOR = f"mov r7, #{BACK}\nsvc #0xbc\nmov r7, #0\n"
ALL = 0x77  #: the comment of a call that tells all registers
RETURNS = {"u": 0, "s": 0, "p": 0, "d": 4, "h": 0, "i": 4, "f": 4}
"""How far LR is ahead of where each of the guest's vectors goes on: behind the instruction, or at it."""


def assemble32(text: str, address: int, *, thumb: bool = False) -> bytes:
    """The code of A32 or T32."""
    mode = keystone.KS_MODE_THUMB if thumb else keystone.KS_MODE_ARM
    code, _ = keystone.Ks(keystone.KS_ARCH_ARM, mode | keystone.KS_MODE_V8).asm(text, address)
    return bytes(code)


def load32(register: str, value: int) -> str:
    """Load a number, in A32 and T32."""
    return f"movw {register}, #{value & 0xFFFF:#x}\nmovt {register}, #{value >> 16:#x}\n"


def write(register: str, value: int) -> str:
    """Write a register of coprocessor 15: ``0, c1, c0, 0``."""
    opc1, crn, crm, opc2 = (part.strip() for part in register.split(","))
    return f"{load32('r0', value)}mcr p15, {opc1}, r0, {crn}, {crm}, {opc2}\n"


def read(register: str, number: int, call: str = "hvc") -> str:
    """Tell a register of coprocessor 15."""
    opc1, crn, crm, opc2 = (part.strip() for part in register.split(","))
    return f"mrc p15, {opc1}, r0, {crn}, {crm}, {opc2}\n{call} #{number}\n"


def put(address: int, value: int) -> str:
    """Write a word of memory."""
    return f"{load32('r1', address)}{load32('r0', value)}str r0, [r1]\n"


class Pair:
    """A monitor's beginning, and its guest.

    :ivar monitor: A64 that runs first, at the level *el*, and falls into the guest
    :ivar guest: A32, that begins in Supervisor mode with everything masked
    """

    def __init__(self, el: int = 2, *, thumb: bool = False) -> None:
        self.el = el
        self.thumb = thumb
        self.call = "hvc" if el == 2 else "smc"
        self.monitor = at.put(f"vbar_el{el}", at.VECTORS[el]) + f"{at.load('x0', MONITOR_STACK)}mov sp, x0\n"
        self.guest = ""

    def begin(self, hcr: int = 0, cpsr: int = SVC | MASKED) -> None:
        """Let the monitor enter its guest. *hcr*: HCR_EL2, or SCR_EL3."""
        control = "hcr_el2" if self.el == 2 else "scr_el3"
        self.monitor += at.put(control, hcr) + at.put(f"elr_el{self.el}", GUEST)
        self.monitor += at.put(f"spsr_el{self.el}", cpsr | (THUMB if self.thumb else 0)) + "isb\neret\n"
        if not self.thumb:
            self.guest += write("0, c12, c0, 0", GUEST_VECTORS)
            for number, mode in enumerate((0x12, 0x11, 0x17, 0x1B, 0x1F, 0x13)):
                self.guest += f"cps #{mode}\n{load32('sp', GUEST_STACKS + 0x100 * number)}"

    def tell(self, number: int, source: str = "r0") -> None:
        """Let the guest tell a register."""
        self.guest += f"mov r0, {source}\n" if source != "r0" else ""
        self.guest += f"{self.call} #{number}\n"

    def image(self) -> bytes:
        """The flash."""
        base = at.Program()
        base += self.monitor
        out = bytearray(base.image())
        code = assemble32(self.guest + self._end(), GUEST, thumb=self.thumb)
        assert GUEST + len(code) <= GUEST_VECTORS
        _put(out, GUEST, code)
        _put(out, GUEST_VECTORS, self._guest_vectors())
        for number in range(16):
            _put(out, at.VECTORS[self.el] + 0x80 * number, at.assemble(self._vector(number), 0))
        _put(out, at.VECTORS[self.el] + 0x800, self._handler())
        return bytes(out)

    def write(self, directory: Path) -> str:
        """The file for ``-bios``."""
        path = directory / "program.bin"
        path.write_bytes(self.image())
        return str(path)

    def _end(self) -> str:
        return f"{load32('r0', 0xE0E0)}{self.call} #0\n"

    def _guest_vectors(self) -> bytes:
        """Each tells its letter, LR and SPSR, and the fault registers, then goes on."""
        table = "".join(f"b v{number}\n" for number in range(8))
        text = ""
        for number, letter in enumerate("ruspdhif"):
            told = ord(letter) if self.el == 2 else number
            text += f"v{number}:\npush {{r0-r3}}\n"
            if letter in "pd":
                for register in ("0, c5, c0, {}", "0, c6, c0, {}"):
                    numbers = register.format(int(letter == "p") * (2 if "c6" in register else 1))
                    text += read(numbers, told, self.call)
            text += f"mov r0, lr\n{self.call} #{told}\nmrs r0, spsr\n{self.call} #{told}\n"
            if letter == "s":
                text += f"cmp r7, #{BACK}\nmrs r0, spsr\norreq r0, r0, #3\nmsr spsr_c, r0\n"
            if letter in "if":
                text += "mrs r0, spsr\norr r0, r0, #0xc0\nmsr spsr_c, r0\n"
            text += f"pop {{r0-r3}}\nsubs pc, lr, #{RETURNS.get(letter, 0)}\n"
        return assemble32(table + text, GUEST_VECTORS)

    def _vector(self, number: int) -> str:
        text = "sub sp, sp, #256\n"
        for register in range(0, 30, 2):
            text += f"stp x{register}, x{register + 1}, [sp, #{8 * register}]\n"
        target = at.VECTORS[self.el] + 0x800
        return text + f"str x30, [sp, #240]\nmov x27, #{number << 4:#x}\n{at.load('x20', target)}br x20\n"

    def _handler(self) -> bytes:
        el = self.el
        text = at.tell("V", "x27") + "tbnz x27, #4, interrupt\n"
        text += "".join(at.tell_system(letter, f"{name}_el{el}") for letter, name in (("s", "esr"), ("f", "far")))
        text += at.tell_system("H", "hpfar_el2") if el == 2 else ""
        text += (
            f"ldr x25, [sp]\n{at.tell('x')}{at.tell_system('p', f'spsr_el{el}')}{at.tell_system('l', f'elr_el{el}')}"
        )
        text += f"mrs x0, esr_el{el}\nubfx x1, x0, #26, #6\nldr x2, [sp]\n{at.load('x3', 0xE0E0)}cmp x2, x3\nb.eq end\n"
        if el == 2:
            text += f"and x2, x0, #0xffff\ncmp x2, #{ALL}\nb.eq all\n"
        text += f"cmp x1, #{0x12 if el == 2 else 0x13}\nb.eq back\n"
        text += f"ubfx x0, x0, #25, #1\nadd x0, x0, #1\nlsl x0, x0, #1\nmrs x1, elr_el{el}\nadd x1, x1, x0\n"
        text += f"msr elr_el{el}, x1\nb back\n"
        text += "all:\nmov x19, #0\nnext:\nldr x25, [sp, x19]\n" + at.tell("x")
        text += "add x19, x19, #8\ncmp x19, #248\nb.ne next\n"
        for name in ("spsr_el1", "spsr_abt", "spsr_und", "spsr_irq", "spsr_fiq", "fpexc32_el2", "dacr32_el2"):
            text += at.tell_system("S", name) if el == 2 else ""
        text += f"b back\ninterrupt:\n{at.tell_system('p', f'spsr_el{el}')}mrs x0, spsr_el{el}\norr x0, x0, #0xc0\n"
        text += f"msr spsr_el{el}, x0\n{at.load('x2', at.GICC)}ldr w25, [x2, #12]\nstr w25, [x2, #16]\n"
        text += f"{at.tell('i')}back:\n"
        for register in range(0, 30, 2):
            text += f"ldp x{register}, x{register + 1}, [sp, #{8 * register}]\n"
        text += f"ldr x30, [sp, #240]\nadd sp, sp, #256\neret\nend:\nmov x25, #0\n{at.tell('Z')}b .\n"
        return at.assemble(text, at.VECTORS[el] + 0x800)


def _put(out: bytearray, address: int, code: bytes) -> None:
    out[address - at.HERE : address - at.HERE + len(code)] = code
