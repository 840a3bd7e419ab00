"""``-d``: what was translated and what ran, as text.

Items: ``in_asm`` guest code of new blocks, ``op`` their IR, ``out_asm`` their native code, ``exec`` each block that is
entered, ``cpu`` the registers before it, ``int`` exceptions and interrupts. Logging ``exec`` or ``cpu`` keeps blocks
from being chained, so that each entry is seen.
"""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING, Any, TextIO

from pyqemu.tcg.translate import Block
from pyqemu.util.trace import open_log

if TYPE_CHECKING:
    from pyqemu.tcg.cpu import Cpu


class ExecutionLog:
    """Writes the log of a vCPU, and of those that take turns with it.

    :raise UserError: the file cannot be written.
    """

    def __init__(self, items: tuple[str, ...], path: str, cpu: Cpu) -> None:
        self.items = frozenset(items)
        self.events = 0
        self.stream = self._open(path)
        assert cpu.engine is not None
        self.engine = cpu.engine
        if self.items & {"in_asm", "op", "out_asm"}:
            self.engine.on_translate = self._translated
        if self.items & {"exec", "cpu"}:
            self.engine.trace = self._entered
        if "int" in self.items:
            for each in cpu.turns.cpus:
                each.on_event = self._event

    @property
    def cpu(self) -> Cpu:
        """The one that runs."""
        return self.engine.cpu

    @staticmethod
    def _open(path: str) -> TextIO:
        if not path:
            return sys.stderr
        return open_log(path)

    def _write(self, *lines: str) -> None:
        self.stream.write("\n".join(lines) + "\n")

    def _translated(self, block: Block) -> None:
        if "in_asm" in self.items:
            self._write("----------------", "IN:", *self._guest(block))
        if "op" in self.items:
            self._write("OP:", *self._ops(block))
        if "out_asm" in self.items and (pieces := self.engine.host_code(block)):
            self._write(f"OUT: [size={sum(size for _, size in pieces)}]", *self._host(pieces))

    def _guest(self, block: Block) -> list[str]:
        try:
            code = self.cpu.read(block.linear, block.length)
        except Exception:
            return [f"{block.linear:#x}: (not readable)"]
        return [f"{address:#010x}:  {text}" for address, text in self.cpu.disassemble(code, block.linear)]

    @staticmethod
    def _ops(block: Block) -> list[str]:
        lines = []
        for index, variant in enumerate(block.variants):
            lines.append(f" ---- {block.pc_of(index):016x}")
            lines += [" " + " ".join(str(part) for part in insn) for insn in variant.ops]
        return lines

    @staticmethod
    def _host(pieces: list[tuple[int, int]]) -> list[str]:
        import capstone

        decoder: Any = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
        return [
            f"{insn.address:#018x}:  {insn.mnemonic} {insn.op_str}"
            for address, size in pieces
            for insn in decoder.disasm(ctypes.string_at(address, size), address)
        ]

    def _entered(self, block: Block) -> None:
        if "exec" in self.items:
            self._write(f"Trace {self.cpu.index}: [{block.linear:016x}/{block.flags:#x}]")
        if "cpu" in self.items:
            self._write(self.cpu.registers_text())

    def _event(self, text: str) -> None:
        self._write(f"{self.events:6}: {text}")
        self.events += 1

    def close(self) -> None:
        """Flush, and close the file if it is one of ours."""
        self.stream.flush()
        if self.stream is not sys.stderr:
            self.stream.close()
