"""The processor for human eyes: registers and disassembly, in QEMU's form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyqemu.targets.aarch64.layout import M_FP_OFF, C, N, V, Z

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu


def registers_text(cpu: Aarch64Cpu) -> str:
    """Return the registers as ``info registers`` shows them."""
    text = f" PC={cpu.pc:016x} "
    for number in range(31):
        text += f"X{number:02d}={cpu.x[number]:016x}" + ("\n" if number % 3 == 1 else " ")
    pstate = cpu.pstate
    letters = "".join(name if pstate & bit else "-" for name, bit in (("N", N), ("Z", Z), ("C", C), ("V", V)))
    security = "" if not cpu.has_el3 or cpu.el == 3 else "NS " if cpu.sys.scr_el3 & 1 else "S "
    text += f" SP={cpu.sp:016x}\nPSTATE={pstate:08x} {letters} {security}EL{cpu.el}{'h' if cpu.spsel else 't'}"
    if cpu.mode & M_FP_OFF:
        return f"{text}    FPU disabled"
    text += f"     FPCR={cpu.fpcr:08x} FPSR={cpu.fpsr:08x}\n"
    rows = [
        " ".join(f"Q{n:02d}={cpu.v[n] >> 64:016x}:{cpu.v[n] & (1 << 64) - 1:016x}" for n in (row, row + 1))
        for row in range(0, 32, 2)
    ]
    return text + "\n".join(rows)


def disassemble(code: bytes, address: int) -> list[tuple[int, str]]:
    """Return the instructions of *code*; words that are none are shown as such."""
    try:
        import capstone
    except ImportError:  # optional: without it logs have the bytes
        return [(address, code.hex(" "))]
    decoder: Any = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    decoder.skipdata = True
    return [(insn.address, f"{insn.mnemonic} {insn.op_str}".rstrip()) for insn in decoder.disasm(code, address)]
