"""The processor for human eyes: registers and disassembly, in QEMU's form."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from pyqemu.targets.arm.extension import quad, single
from pyqemu.targets.arm.layout import M32, C, N, V, Z
from pyqemu.targets.arm.modes import NAMES

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu

REGISTERS = (*(f"r{number}" for number in range(13)), "sp", "lr", "pc", "cpsr", "spsr")
FLOATING = ("fpsid", "fpscr", "fpexc")
WIDTHS = {"s": 32, "d": 64, "q": 128}  #: of extension registers
_EXTENSION = re.compile(r"([sdq])(\d+)")
ALIASES = {"r13": "sp", "r14": "lr", "r15": "pc"}


def registers_text(cpu: ArmCpu) -> str:
    """Return the registers as ``info registers`` shows them."""
    values = [*(cpu.r[number] for number in range(15)), cpu.pc]
    text = ""
    for number, value in enumerate(values):
        text += f"R{number:02d}={value:08x}" + ("\n" if number % 4 == 3 else " ")
    cpsr = cpu.cpsr
    letters = "".join(name if cpsr & bit else "-" for name, bit in (("N", N), ("Z", Z), ("C", C), ("V", V)))
    state = "T" if cpu.thumb else "A"
    security = "" if not cpu.has_el3 else "NS " if cpu.sys.scr_el3 & 1 else "S "
    text += f"PSR={cpsr:08x} {letters} {state} {security}{NAMES[cpu.cpu_mode]}32"
    return "\n".join([text, *_extension_registers(cpu)])


def _extension_registers(cpu: ArmCpu) -> Iterator[str]:
    if not cpu.model.has("vfp"):
        return
    for number in range(32 if cpu.model.has("d32") else 16):
        value = cpu.v[number]
        yield f"s{2 * number:02d}={value & M32:08x} s{2 * number + 1:02d}={value >> 32:08x} d{number:02d}={value:016x}"
    yield f"FPSCR: {cpu.fpscr:08x}"


def disassemble(code: bytes, address: int, *, thumb: bool) -> list[tuple[int, str]]:
    """Return the instructions of *code*; words that are none are shown as such."""
    try:
        import capstone
    except ImportError:  # optional: without it logs have the bytes
        return [(address, code.hex(" "))]
    decoder: Any = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB if thumb else capstone.CS_MODE_ARM)
    decoder.skipdata = True
    return [(insn.address, f"{insn.mnemonic} {insn.op_str}".rstrip()) for insn in decoder.disasm(code, address)]


class Registers(MutableMapping[str, int]):
    """The registers of the present mode by the manual's names: ``r0`` to ``r12``, ``sp``, ``lr``, ``pc``, ``cpsr``.

    With VFP there are ``d0`` to ``d31`` (or ``d15``), their other views ``s0`` … and ``q0`` …, which iterating leaves
    out, ``fpscr``, ``fpexc``, and ``fpsid``, which cannot be written.
    """

    def __init__(self, cpu: ArmCpu) -> None:
        self._cpu = cpu

    @property
    def _doubles(self) -> int:
        """How many doubleword registers there are."""
        return 0 if not self._cpu.model.has("vfp") else 32 if self._cpu.model.has("d32") else 16

    def _extension(self, name: str) -> tuple[int, int] | None:
        """The number of an extension register in `extension.py`, and its width; None if *name* is no such one."""
        match = _EXTENSION.fullmatch(name.lower())
        if match is None:
            return None
        number, bits = int(match[2]), WIDTHS[match[1]]
        if number >= min(32, 64 * self._doubles // bits):
            raise KeyError(name)
        return (single(number) if bits == 32 else number if bits == 64 else quad(number)), bits

    def __getitem__(self, name: str) -> int:
        cpu = self._cpu
        extension = self._extension(name)
        if extension is not None:
            return cpu.v[extension[0]]
        key = self._key(name)
        if key in FLOATING:
            return cpu.model.fpsid if key == "fpsid" else cpu.fpscr if key == "fpscr" else cpu.fpexc
        if key in ("pc", "cpsr", "spsr"):
            value: int = getattr(cpu, key)
            return value
        return cpu.r[self._number(key)]

    def __setitem__(self, name: str, value: int) -> None:
        extension = self._extension(name)
        bits = extension[1] if extension is not None else 32
        if not -(1 << bits - 1) <= value < 1 << bits:
            raise ValueError(f"{value:#x} does not fit into {name}")
        if extension is not None:
            self._cpu.v[extension[0]] = value
            return
        key, value = self._key(name), value & M32
        if key in FLOATING:
            self._set_floating(key, value)
        elif key == "cpsr":
            self._cpu.set_cpsr(value)
        elif key in ("pc", "spsr"):
            setattr(self._cpu, key, value)
        else:
            self._cpu.r[self._number(key)] = value

    def _set_floating(self, key: str, value: int) -> None:
        if key == "fpsid":
            raise ValueError("fpsid says what the processor is; it cannot be written")
        if key == "fpscr":
            self._cpu.set_fpscr(value)
        else:
            self._cpu.set_fpexc(value)

    def _key(self, name: str) -> str:
        key = ALIASES.get(name.lower(), name.lower())
        if key not in REGISTERS and not (key in FLOATING and self._doubles):
            raise KeyError(name)
        return key

    @staticmethod
    def _number(key: str) -> int:
        return {"sp": 13, "lr": 14}.get(key) or int(key[1:])

    def __delitem__(self, name: str) -> None:
        raise TypeError("registers cannot be taken out of a processor")

    def __iter__(self) -> Iterator[str]:
        yield from REGISTERS
        if self._doubles:
            yield from (f"d{number}" for number in range(self._doubles))
            yield from FLOATING

    def __len__(self) -> int:
        return len(REGISTERS) + (self._doubles + len(FLOATING) if self._doubles else 0)
