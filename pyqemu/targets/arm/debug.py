"""The processor for human eyes: registers and disassembly, in QEMU's form."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from pyqemu.targets.arm.layout import M32, C, N, V, Z
from pyqemu.targets.arm.modes import NAMES

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu

REGISTERS = (*(f"r{number}" for number in range(13)), "sp", "lr", "pc", "cpsr", "spsr")
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
    """The registers of the present mode by the manual's names: ``r0`` to ``r12``, ``sp``, ``lr``, ``pc``, ``cpsr``."""

    def __init__(self, cpu: ArmCpu) -> None:
        self._cpu = cpu

    def __getitem__(self, name: str) -> int:
        key = self._key(name)
        cpu = self._cpu
        if key in ("pc", "cpsr", "spsr"):
            value: int = getattr(cpu, key)
            return value
        return cpu.r[self._number(key)]

    def __setitem__(self, name: str, value: int) -> None:
        key = self._key(name)
        if not -(1 << 31) <= value <= M32:
            raise ValueError(f"{value:#x} does not fit into {name}")
        value &= M32
        if key == "cpsr":
            self._cpu.set_cpsr(value)
        elif key in ("pc", "spsr"):
            setattr(self._cpu, key, value)
        else:
            self._cpu.r[self._number(key)] = value

    @staticmethod
    def _key(name: str) -> str:
        key = ALIASES.get(name.lower(), name.lower())
        if key not in REGISTERS:
            raise KeyError(name)
        return key

    @staticmethod
    def _number(key: str) -> int:
        return {"sp": 13, "lr": 14}.get(key) or int(key[1:])

    def __delitem__(self, name: str) -> None:
        raise TypeError("registers cannot be taken out of a processor")

    def __iter__(self) -> Iterator[str]:
        return iter(REGISTERS)

    def __len__(self) -> int:
        return len(REGISTERS)
