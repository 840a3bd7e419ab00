"""The processor as the human monitor sees it: ``$register``, ``info registers``, ``info mem``, ``info tlb``."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pyqemu.system.inspection import CpuView, MachineCode, Text
from pyqemu.targets.x86 import fpu_state
from pyqemu.targets.x86.debug import registers_text
from pyqemu.targets.x86.layout import (
    CR0_PG,
    CR4_PAE,
    CR4_PSE,
    EFER_LMA,
    FPST,
    HF_CS32,
    HF_CS64,
    M16,
    M32,
    M64,
    xmm,
)
from pyqemu.targets.x86.mmu import PTE_ADDRESS, PTE_P, PTE_PS, PTE_RW, PTE_US, canonical

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu

_GENERAL = ("ax", "cx", "dx", "bx", "sp", "bp", "si", "di")
_ALIASES = {"sp": "esp", "fp": "ebp"}
_SEGMENTS = ("cs", "ds", "es", "ss", "fs", "gs")
_PTE_LETTERS = tuple((1 << bit, letter) for bit, letter in zip((63, 8, 7, 6, 5, 4, 3, 2, 1), "XGPDACTUW", strict=True))


class X86View(CpuView):
    """One x86 processor, for people to look at."""

    def __init__(self, cpu: X86Cpu, *, index: int = 0) -> None:
        self.cpu = cpu
        self.index = index
        self.memory, self.io = cpu.memory, cpu.io
        self.wide = cpu.model.has("lm")
        self.address_digits = 16 if self.wide else 8
        self.infos: Mapping[str, Text] = {"mem": self.mem_text, "tlb": self.tlb_text}
        self._registers = dict(self._readers())

    # --- registers ----------------------------------------------------------------------------------------------------

    def _readers(self) -> Iterator[tuple[str, Callable[[], int]]]:
        cpu = self.cpu
        for name in _GENERAL:
            yield f"e{name}", lambda name=f"r{name}": getattr(cpu, name)  # type: ignore[misc]
        if self.wide:
            for number in range(8, 16):
                yield f"r{number}", lambda name=f"r{number}": getattr(cpu, name)  # type: ignore[misc]
        yield "eflags", cpu.get_eflags
        yield "eip", lambda: cpu.eip
        yield "pc", lambda: self.program_counter
        for segment in _SEGMENTS:
            yield segment, lambda name=segment: getattr(cpu, name).selector  # type: ignore[misc]

    @property
    def register_names(self) -> Iterable[str]:
        return (*self._registers, *_ALIASES)

    def register(self, name: str) -> int | None:
        read = self._registers.get(_ALIASES.get(name, name))
        if read is None:
            return None
        return read() & (M64 if self.wide else M32)

    @property
    def program_counter(self) -> int:
        return self.cpu.block_key()[0]

    @property
    def halted(self) -> bool:
        return self.cpu.halted

    def registers_text(self) -> str:
        """All of them, the floating-point and vector registers too."""
        return "\n".join([registers_text(self.cpu), *self._fpu_lines()])

    def _fpu_lines(self) -> Iterator[str]:
        cpu, q = self.cpu, self.cpu.q
        status = fpu_state.status_word(cpu)
        in_use = sum(1 << n for n in range(8) if not cpu.fptags >> 8 * n & 1)
        yield f"FCW={cpu.fpuc:04x} FSW={status:04x} [ST={cpu.fpstt}] FTW={in_use:02x} MXCSR={cpu.mxcsr:08x}"
        for pair in range(0, 8, 2):
            at = (FPST >> 3) + 2 * pair
            yield " ".join(f"FPR{pair + n}={q[at + 2 * n]:016x} {q[at + 2 * n + 1] & M16:04x}" for n in (0, 1))
        for pair in range(0, 16 if cpu.hflags & HF_CS64 else 8, 2):
            at = xmm(pair) >> 3
            yield " ".join(f"XMM{pair + n:02}={q[at + 2 * n + 1]:016x}{q[at + 2 * n]:016x}" for n in (0, 1))

    # --- memory -------------------------------------------------------------------------------------------------------

    def translate(self, vaddr: int) -> int | None:
        if not self.wide or (self.cpu.cr0 & CR0_PG and not self.cpu.efer & EFER_LMA):
            vaddr &= M32
        return self.cpu.debug_translate(vaddr)

    def disassemble(self, code: bytes, address: int, size: int = -1) -> list[MachineCode]:
        """In AT&T's syntax, as QEMU; *size* 2, 4, 8 reads it as 16-, 32- or 64-bit code."""
        try:
            import capstone
        except ImportError:
            return [MachineCode(address, code[:16], ".byte " + ", ".join(f"{byte:#04x}" for byte in code[:16]))]
        hflags = self.cpu.hflags
        bits = {2: 16, 4: 32, 8: 64}.get(size) or (64 if hflags & HF_CS64 else 32 if hflags & HF_CS32 else 16)
        mode = {16: capstone.CS_MODE_16, 32: capstone.CS_MODE_32, 64: capstone.CS_MODE_64}[bits]
        decoder: Any = capstone.Cs(capstone.CS_ARCH_X86, mode)
        decoder.syntax = capstone.CS_OPT_SYNTAX_ATT
        decoder.skipdata = True
        return [
            MachineCode(insn.address, bytes(insn.bytes), f"{insn.mnemonic:8} {insn.op_str}".rstrip())
            for insn in decoder.disasm(code, address)
        ]

    def tlb_text(self) -> str:
        """``info tlb``: what the page tables map, page by page."""
        if not self.cpu.cr0 & CR0_PG:
            return "PG disabled"
        lines = []
        for page in mappings(self.cpu):
            entry = page.entry & ~PTE_PS if page.size == 4096 else page.entry  # the bit means PAT there
            letters = "".join(letter if entry & bit else "-" for bit, letter in _PTE_LETTERS)
            lines.append(f"{page.vaddr:016x}: {page.physical:016x} {letters}")
        return "\n".join(lines)

    def mem_text(self) -> str:
        """``info mem``: what the page tables map, as ranges of equal rights."""
        if not self.cpu.cr0 & CR0_PG:
            return "PG disabled"
        lines = []
        start = end = rights = 0
        for page in mappings(self.cpu):
            if page.vaddr != end or page.rights != rights:
                if end != start:
                    lines.append(_range(start, end, rights))
                start, rights = page.vaddr, page.rights
            end = page.vaddr + page.size
        if end != start:
            lines.append(_range(start, end, rights))
        return "\n".join(lines)


def _range(start: int, end: int, rights: int) -> str:
    letters = ("u" if rights & PTE_US else "-") + "r" + ("w" if rights & PTE_RW else "-")
    return f"{start:016x}-{end & M64:016x} {end - start:016x} {letters}"


class MappedPage(NamedTuple):
    """A page that the tables map. `rights` has PTE_RW and PTE_US where every level grants them."""

    vaddr: int
    physical: int
    size: int
    entry: int
    rights: int


def mappings(cpu: X86Cpu) -> Iterator[MappedPage]:
    """All pages that the present tables map, by address (SDM vol. 3, chapter 4)."""
    if not cpu.cr4 & CR4_PAE:
        return _mappings_32bit(cpu)
    if cpu.efer & EFER_LMA:
        return _mappings_wide(cpu, cpu.cr3 & PTE_ADDRESS, 39, 0, -1)
    return _mappings_pae(cpu)


def _table(cpu: X86Cpu, address: int, entries: int, kind: str) -> tuple[int, ...]:
    return struct.unpack(
        f"<{entries}{kind}", cpu.memory.read(address & cpu.a20_mask, entries * (8 if kind == "Q" else 4))
    )


def _mappings_32bit(cpu: X86Cpu) -> Iterator[MappedPage]:
    both = PTE_RW | PTE_US
    for number, above in enumerate(_table(cpu, cpu.cr3 & 0xFFFFF000, 1024, "I")):
        if not above & PTE_P:
            continue
        if above & PTE_PS and cpu.cr4 & CR4_PSE:
            physical = above & 0xFFC00000 | (above & 0x1FE000) << 19
            yield MappedPage(number << 22, physical, 1 << 22, above, above & both)
            continue
        for low, entry in enumerate(_table(cpu, above & 0xFFFFF000, 1024, "I")):
            if entry & PTE_P:
                yield MappedPage(number << 22 | low << 12, entry & 0xFFFFF000, 4096, entry, above & entry & both)


def _mappings_pae(cpu: X86Cpu) -> Iterator[MappedPage]:
    for number, pointer in enumerate(_table(cpu, cpu.cr3 & 0xFFFFFFE0, 4, "Q")):
        if pointer & PTE_P:
            yield from _mappings_wide(cpu, pointer & PTE_ADDRESS, 21, number << 30, -1)


def _mappings_wide(cpu: X86Cpu, table: int, shift: int, base: int, rights: int) -> Iterator[MappedPage]:
    for number, entry in enumerate(_table(cpu, table, 512, "Q")):
        if not entry & PTE_P:
            continue
        vaddr = base | number << shift
        if not canonical(vaddr):
            vaddr |= M64 & -1 << 48
        granted = rights & entry
        if shift == 12 or (entry & PTE_PS and shift < 39):
            physical = entry & PTE_ADDRESS & -(1 << shift)
            yield MappedPage(vaddr, physical, 1 << shift, entry, granted & (PTE_RW | PTE_US))
        else:
            yield from _mappings_wide(cpu, entry & PTE_ADDRESS, shift - 9, vaddr, granted)
