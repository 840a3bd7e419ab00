"""The registers by the manual's names, to read and to write (SDM vol. 1, 3.4; vol. 3, chapter 2).

Writing one does all that follows from it: a new CR3 empties the TLB, a selector loads its descriptor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from functools import partial
from typing import TYPE_CHECKING

from pyqemu.targets.x86 import fpu_state
from pyqemu.targets.x86.control import write_cr0, write_cr3, write_cr4, write_dr
from pyqemu.targets.x86.exceptions import X86Exception
from pyqemu.targets.x86.layout import CS, M32, M64, xmm
from pyqemu.targets.x86.msr import write_efer
from pyqemu.targets.x86.segmentation import load_ldtr, load_segment, load_tr

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu

Get = Callable[[], int]
Set = Callable[[int], None]

LEGACY = ("ax", "cx", "dx", "bx", "sp", "bp", "si", "di")
WIDE = (*(f"r{name}" for name in LEGACY), *(f"r{n}" for n in range(8, 16)))
SEGMENTS = ("es", "cs", "ss", "ds", "fs", "gs")
PLAIN = ("cr2", "star", "lstar", "cstar", "sfmask", "kernel_gs_base", "sysenter_cs", "sysenter_esp", "sysenter_eip",
         "pat", "xcr0", "mxcsr", "tsc_aux")  # fmt: skip
READ_ONLY = "register '{}' cannot be written"


class Registers(MutableMapping[str, int]):
    """A mapping of names to values. Iterating gives the full registers; parts (``eax``, ``ah``) are found, too.

    A value that the processor would refuse is a :class:`ValueError`.
    """

    def __init__(self, cpu: X86Cpu) -> None:
        self._cpu = cpu
        self._whole: dict[str, tuple[Get, Set]] = {}
        self._parts: dict[str, tuple[Get, Set]] = {}
        self._add_general()
        self._add_system()

    # --- the tables ---------------------------------------------------------------------------------------------------

    def _add_general(self) -> None:
        cpu = self._cpu
        for name in (*WIDE, *PLAIN):
            self._whole[name] = partial(getattr, cpu, name), partial(setattr, cpu, name)
        for number, name in enumerate(WIDE):
            old = LEGACY[number] if number < 8 else ""
            self._part(f"e{old}" if old else f"{name}d", name, 0, 32)
            self._part(old or f"{name}w", name, 0, 16)
            low = f"{old[0]}l" if number < 4 else f"{old}l" if old else f"{name}b"
            self._part(low, name, 0, 8)
            if number < 4:
                self._part(f"{old[0]}h", name, 8, 8)
        self._whole["rip"] = lambda: cpu.eip, partial(setattr, cpu, "eip")
        self._whole["rflags"] = cpu.get_eflags, cpu.set_eflags
        self._part("eip", "rip", 0, 32)
        self._part("eflags", "rflags", 0, 32)

    def _part(self, name: str, whole: str, shift: int, bits: int) -> None:
        """Register a part of a register; writing 32 bits clears the rest (SDM vol. 1, 3.4.1.1)."""
        read, write = self._whole.get(whole, (lambda: self[whole], partial(self.__setitem__, whole)))
        mask = (1 << bits) - 1

        def put(value: int) -> None:
            write(value & mask if bits == 32 else read() & ~(mask << shift) | (value & mask) << shift)

        self._parts[name] = lambda: read() >> shift & mask, put

    def _add_system(self) -> None:
        cpu, whole = self._cpu, self._whole
        for index, name in enumerate(SEGMENTS):
            segment = cpu.seg[index]
            load = self._no("cs") if index == CS else partial(load_segment, cpu, index)
            whole[name] = partial(getattr, segment, "selector"), load
            whole[f"{name}_base"] = partial(getattr, segment, "base"), self._set_base(index)
            whole[f"{name}_limit"] = partial(getattr, segment, "limit"), self._no(f"{name}_limit")
        whole["ldtr"] = lambda: cpu.ldtr.selector, partial(load_ldtr, cpu)
        whole["tr"] = lambda: cpu.tr.selector, partial(load_tr, cpu)
        for name in ("gdt_base", "gdt_limit", "idt_base", "idt_limit"):
            whole[name] = partial(getattr, cpu, name), partial(setattr, cpu, name)
        for name, write in (("cr0", write_cr0), ("cr3", write_cr3), ("cr4", write_cr4), ("efer", write_efer)):
            whole[name] = partial(getattr, cpu, name), partial(write, cpu)
        for number in (0, 1, 2, 3, 6, 7):
            whole[f"dr{number}"] = partial(getattr, cpu, f"dr{number}"), partial(write_dr, cpu, number)
        whole["cpl"] = lambda: cpu.cpl, self._no("cpl")
        whole["fcw"] = lambda: cpu.fpuc, self._no("fcw")
        whole["fsw"] = partial(fpu_state.status_word, cpu), self._no("fsw")
        for number in range(16):
            whole[f"xmm{number}"] = partial(self._xmm, number), partial(self._set_xmm, number)

    def _set_base(self, index: int) -> Set:
        """FS and GS have bases of their own in 64-bit mode; the others come from descriptors."""
        name = SEGMENTS[index]
        return self._cpu.seg[index].set_base if name in ("fs", "gs") else self._no(f"{name}_base")

    @staticmethod
    def _no(name: str) -> Set:
        def refuse(value: int) -> None:
            raise ValueError(READ_ONLY.format(name))

        return refuse

    def _xmm(self, number: int) -> int:
        at = xmm(number) >> 3
        low, high = self._cpu.q[at : at + 2].tolist()
        value: int = high << 64 | low
        return value

    def _set_xmm(self, number: int, value: int) -> None:
        at = xmm(number) >> 3
        self._cpu.q[at], self._cpu.q[at + 1] = value & M64, value >> 64 & M64

    # --- the mapping --------------------------------------------------------------------------------------------------

    def _find(self, name: str) -> tuple[Get, Set]:
        key = name.lower()
        found = self._whole.get(key) or self._parts.get(key)
        if found is None:
            raise KeyError(name)
        return found

    def __getitem__(self, name: str) -> int:
        return self._find(name)[0]()

    def __setitem__(self, name: str, value: int) -> None:
        write = self._find(name)[1]
        limit = 1 << 128 if name.lower().startswith("xmm") else 1 << 64
        if not -limit // 2 <= value < limit:
            raise ValueError(f"{value:#x} does not fit into {name}")
        wide = self._cpu.model.has("lm")
        try:
            write(value & limit - 1 if wide or limit > 1 << 64 else value & M32)
        except X86Exception as exc:
            raise ValueError(f"the processor refuses {name} = {value:#x} with {exc}") from None

    def __delitem__(self, name: str) -> None:
        raise TypeError("registers cannot be taken out of a processor")

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole)

    def __len__(self) -> int:
        return len(self._whole)
