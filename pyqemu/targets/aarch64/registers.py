"""The registers by the manual's names, to read and to write (ARM DDI 0487A.f, B1.2, C5.2).

``x0`` to ``x30`` and their lower halves ``w0`` …, ``sp``, ``pc``, ``pstate``, ``nzcv``, ``daif``, ``v0`` to ``v31``
with their parts ``b``, ``h``, ``s``, ``d``, ``q``, ``fpcr``, ``fpsr``, and the system registers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping
from functools import partial
from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.layout import M32

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

Get = Callable[[], int]
Set = Callable[[int], None]
WIDTHS = {"b": 8, "h": 16, "s": 32, "d": 64, "q": 128}
_PART = re.compile(r"([wbhsdq])(\d+)")


class Registers(MutableMapping[str, int]):
    """A mapping of names to values. Iterating gives the full registers; parts (``w0``, ``d0``) are found, too."""

    def __init__(self, cpu: Aarch64Cpu) -> None:
        self._cpu = cpu
        self._whole: dict[str, tuple[Get, Set]] = {}
        for number in range(31):
            self._whole[f"x{number}"] = partial(cpu.x.__getitem__, number), partial(cpu.x.__setitem__, number)
        for name in ("sp", "pc", "nzcv", "tpidr_el0", "tpidr_el1"):
            self._whole[name] = partial(getattr, cpu, name), partial(setattr, cpu, name)
        self._whole["pstate"] = lambda: cpu.pstate, cpu.set_pstate
        for name in ("daif", "fpcr", "fpsr"):
            self._whole[name] = partial(getattr, cpu, name), getattr(cpu, f"set_{name}")
        for el in range(3 + cpu.has_el3):
            self._whole[f"sp_el{el}"] = partial(cpu.banked_sp, el), partial(cpu.set_banked_sp, el)
        for el in range(1, 4):
            self._whole[f"elr_el{el}"] = partial(cpu.elr, el), partial(cpu.set_elr, el)
            self._whole[f"spsr_el{el}"] = partial(cpu.spsr, el), partial(cpu.set_spsr, el)
        for number in range(32):
            self._whole[f"v{number}"] = partial(cpu.v.__getitem__, number), partial(cpu.v.__setitem__, number)

    def _part(self, key: str) -> tuple[Get, Set] | None:
        match = _PART.fullmatch(key)
        if match is None or int(match[2]) > (30 if match[1] == "w" else 31):
            return None
        name = ("x" if match[1] == "w" else "v") + match[2]
        read, write = self._whole[name]
        mask = M32 if match[1] == "w" else (1 << WIDTHS[match[1]]) - 1
        return (lambda: read() & mask), lambda value: write(value & mask)

    def _find(self, name: str) -> tuple[Get, Set]:
        key = name.lower()
        found = self._whole.get(key) or self._part(key)
        if found is None:
            raise KeyError(name)
        return found

    def __getitem__(self, name: str) -> int:
        return self._find(name)[0]()

    def __setitem__(self, name: str, value: int) -> None:
        write = self._find(name)[1]
        limit = 1 << 128 if name[0].lower() in "vq" else 1 << 64
        if not -limit // 2 <= value < limit:
            raise ValueError(f"{value:#x} does not fit into {name}")
        write(value & limit - 1)

    def __delitem__(self, name: str) -> None:
        raise TypeError("registers cannot be taken out of a processor")

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole)

    def __len__(self) -> int:
        return len(self._whole)
