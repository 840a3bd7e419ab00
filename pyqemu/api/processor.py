"""The processor for scripts: registers, page walks, disassembly."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING

from pyqemu.system.inspection import Inspection
from pyqemu.tcg.pagewalk import PageTableEntry, PageWalk

if TYPE_CHECKING:
    from pyqemu.api.runner import Runner
    from pyqemu.tcg.cpu import Cpu
    from pyqemu.tcg.translate import Block

__all__ = ["PageTableEntry", "PageWalk", "Processor", "Registers"]

MAX_CODE = 16  #: bytes of an instruction


class Registers(MutableMapping[str, int]):
    """The registers by their names in the manual, parts of them too: ``rax``, ``eax``, ``al``, ``rip``, ``cr0``.

    A value that the processor refuses is a ``ValueError``, an unknown name a ``KeyError``. A halted processor whose
    program counter is written goes on there.
    """

    def __init__(self, runner: Runner, cpu: Cpu) -> None:
        self._runner, self._cpu = runner, cpu
        self._registers = cpu.registers()

    def __getitem__(self, name: str) -> int:
        with self._runner.parked():
            return self._registers[name]

    def __setitem__(self, name: str, value: int) -> None:
        cpu = self._cpu
        with self._runner.parked():
            before = cpu.block_key()[0]
            self._registers[name] = value
            if cpu.block_key()[0] != before and not cpu.is_current_thread():
                cpu.hooks.release()
                cpu.halted = False

    def __delitem__(self, name: str) -> None:
        del self._registers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._registers)

    def __len__(self) -> int:
        return len(self._registers)


class Processor:
    """One virtual CPU.

    :ivar index: which one of the machine's
    :ivar registers: to read and to write
    """

    def __init__(self, runner: Runner, cpu: Cpu, history: int) -> None:
        self._runner, self._cpu = runner, cpu
        self.index = cpu.index
        self.registers = Registers(runner, cpu)
        self._history: deque[tuple[int, bytes]] = deque(maxlen=history)

    @property
    def pc(self) -> int:
        """Guest-virtual address of the next instruction: the segment's base is in it."""
        with self._runner.parked():
            return self._cpu.block_key()[0]

    @property
    def is_halted(self) -> bool:
        """Whether it waits for an interrupt."""
        return self._cpu.halted

    def text(self) -> str:
        """All registers, as ``info registers`` shows them."""
        with self._runner.parked():
            return self._runner.system.part(Inspection).cpus[self.index].registers_text()

    def walk(self, address: int) -> PageWalk:
        """What the guest's page tables say about a guest-virtual address, entry by entry."""
        with self._runner.parked():
            return self._cpu.walk_pages(address)

    def disassemble(self, address: int | None = None, count: int = 1) -> list[tuple[int, str]]:
        """Addresses and texts of *count* instructions from *address* on, or from the next one on."""
        with self._runner.parked():
            start = self._cpu.block_key()[0] if address is None else address
            return self._cpu.disassemble(self._code(start, count * MAX_CODE), start)[:count]

    def _code(self, start: int, length: int) -> bytes:
        """Up to *length* bytes of code: as many as are mapped."""
        out = bytearray()
        while len(out) < length:
            at = start + len(out)
            physical = self._cpu.debug_translate(at)
            if physical is None:
                break
            out += self._cpu.memory.read(physical, min(length - len(out), 4096 - at % 4096))
        return bytes(out)

    # --- what ran last ------------------------------------------------------------------------------------------------

    def entered(self, block: Block) -> None:
        """It is about to run *block*."""
        self._history.append((block.linear, self._code(block.linear, block.length)))

    def last_instructions(self, count: int = 16) -> list[tuple[int, str]]:
        """What ran last, the latest at the end: of machines with ``history`` all of it; of others what of the present
        piece of code has been passed, as far as its translation tells.
        """
        with self._runner.parked():
            pc = self._cpu.block_key()[0]
            blocks = list(self._history) or self._around(pc)
            lines = [line for start, code in blocks for line in self._cpu.disassemble(code, start)]
            if blocks and any(address == pc for address, _ in lines[-64:]):
                while lines and lines[-1][0] >= pc and lines[-1][0] <= pc + 1024:
                    lines.pop()
            return lines[-count:]

    def _around(self, pc: int) -> list[tuple[int, bytes]]:
        """The longest translated piece of code that leads to *pc*."""
        assert self._cpu.engine is not None
        blocks = [b for b in self._cpu.engine.cache if b.linear <= pc <= b.linear + b.length]
        if not blocks:
            return []
        longest = min(blocks, key=lambda block: block.linear)
        return [(longest.linear, self._code(longest.linear, pc - longest.linear))]
