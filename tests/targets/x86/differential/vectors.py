"""The comparison with Unicorn for instructions that work on XMM, MMX and x87 registers."""

from __future__ import annotations

import re
from random import Random
from typing import Any, NamedTuple

from unicorn import x86_const as c

from pyqemu.targets.x86 import layout
from pyqemu.targets.x86.layout import CR4_OSFXSR, M32
from pyqemu.targets.x86.opmap import Entry
from pyqemu.tcg.engine import Engine
from tests.targets.x86.differential.cases import Generator, Template
from tests.targets.x86.differential.compare import Comparison, Difference
from tests.targets.x86.differential.layout import DATA_PAGES, State

XMM_REGISTERS = [getattr(c, f"UC_X86_REG_XMM{n}") for n in range(16)]
FP_REGISTERS = [getattr(c, f"UC_X86_REG_FP{n}") for n in range(8)]
DOUBLES = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    1.5,
    2.0,
    3.0,
    -3.25,
    1e10,
    -1e-10,
    123456789.0,
    2.0**31,
    2.0**63,
    -(2.0**31),
    1 / 3,
)
#: Where Unicorn departs from the manual.
DEPARTURES = dict.fromkeys(
    ("f2xm1", "fyl2x", "fyl2xp1", "fpatan", "fsin", "fcos", "fptan", "fsincos", "fprem", "fprem1"),
    "Unicorn computes with the host's doubles",
) | {
    **dict.fromkeys(
        ("rcpss", "rcpps", "rsqrtss", "rsqrtps"), "Unicorn divides, even by subnormals (SDM vol. 2, RCPPS)"
    ),
    "dpps": "Unicorn adds in another order (SDM vol. 2, DPPS)",
    "fst_register": "Unicorn leaves the tag of an empty destination (SDM vol. 1, 8.1.7)",
}
STACK_FAULT = 0x40


class Vectors(NamedTuple):
    """XMM registers, x87 registers (mantissa, sign and exponent), control and status words, tags (1 = empty), MXCSR."""

    xmm: tuple[int, ...]
    fpr: tuple[tuple[int, int], ...]
    control: int
    status: int
    empty: int
    mxcsr: int


def random_lane(rng: Random, floats: bool) -> int:
    """Return 64 bits: interesting integers, or numbers of one of the formats."""
    import struct

    if floats:
        value = rng.choice(DOUBLES) if rng.random() < 0.4 else rng.uniform(-1, 1) * 2.0 ** rng.randrange(-30, 31)
        if rng.random() < 0.5:
            return int.from_bytes(struct.pack("<d", value), "little")
        return int.from_bytes(struct.pack("<ff", value, rng.choice(DOUBLES)), "little")
    if rng.random() < 0.3:
        return int.from_bytes(bytes(rng.choice((0, 1, 0x7F, 0x80, 0xFF)) for _ in range(8)), "little")
    return rng.getrandbits(64)


class AlignedGenerator(Generator):
    """Lets most memory operands be aligned, and uses one prefix at most that selects an instruction."""

    def _address(self, mode: int, base: int, width: int) -> int:
        address = super()._address(mode, base, width)
        return address & -16 if self.random.random() < 0.9 else address

    def _prefixes(self, entry: Entry, mode: int) -> bytes:
        """Unicorn lets 66 win over F2 and F3; processors do it the other way round."""
        prefixes = super()._prefixes(entry, mode)
        return prefixes.replace(b"\x66", b"") if entry.prefix in (0xF2, 0xF3) else prefixes


class VectorComparison(Comparison):
    """Compares the vector and x87 state, too."""

    def __init__(
        self, seed: int, modules: tuple[str, ...], engine: Engine | None = None, *, floats: bool = False
    ) -> None:
        super().__init__(seed, modules, engine)
        self.generator = AlignedGenerator(seed + 1, modules, self.ours.features)
        self.floats = floats
        self.rng = Random(seed + 2)
        self.extra: list[str] = []
        if floats:
            page = b"".join(random_lane(self.rng, True).to_bytes(8, "little") for _ in range(512))
            self.contents = page * DATA_PAGES

    def _vectors(self, mode: int) -> Vectors:
        r = self.rng
        xmm = tuple(
            random_lane(r, self.floats) | random_lane(r, self.floats) << 64 for _ in range(16 if mode == 64 else 8)
        )
        if self.floats:
            fpr = tuple(self._extended() for _ in range(8))
        else:
            fpr = tuple((random_lane(r, False), 0xFFFF) for _ in range(8))
        top = r.randrange(8) if self.floats else 0
        empty = sum(1 << 8 * (top + n & 7) for n in (6, 7)) if self.floats else 0
        return Vectors(xmm, fpr, r.choice(self.controls), top << 11, empty, r.choice(self.mxcsrs))

    controls: tuple[int, ...] = (0x37F,)
    mxcsrs: tuple[int, ...] = (0x1F80,)

    def _extended(self) -> tuple[int, int]:
        value = (
            self.rng.choice(DOUBLES)
            if self.rng.random() < 0.4
            else self.rng.uniform(-1, 1) * 2.0 ** self.rng.randrange(-30, 31)
        )
        if value == 0:
            return 0, 0
        numerator, denominator = abs(value).as_integer_ratio()
        exponent = numerator.bit_length() - denominator.bit_length()
        return numerator << 64 - numerator.bit_length(), exponent + 16383 | (0x8000 if value < 0 else 0)

    # --- both sides -----------------------------------------------------------------------------------------------

    def _put(self, mode: int, state: Vectors) -> None:
        cpu, uc = self.ours.cpu, self.theirs[mode]._uc
        cpu.cr4 |= CR4_OSFXSR
        cpu.update_control()
        for n, value in enumerate(state.xmm):
            cpu.q[layout.xmm(n) >> 3] = value & layout.M64
            cpu.q[(layout.xmm(n) >> 3) + 1] = value >> 64
            uc.reg_write(XMM_REGISTERS[n], value)
        for n, (mantissa, exponent) in enumerate(state.fpr):
            cpu.q[layout.fpst(n) >> 3] = mantissa
            cpu.q[(layout.fpst(n) >> 3) + 1] = exponent
            uc.reg_write(FP_REGISTERS[n], (mantissa, exponent))
        cpu.fpuc, cpu.fpus, cpu.fpstt = state.control, state.status & ~0x3800, state.status >> 11 & 7
        cpu.fptags, cpu.mxcsr = state.empty, state.mxcsr
        uc.reg_write(c.UC_X86_REG_FPCW, state.control)
        uc.reg_write(c.UC_X86_REG_FPSW, state.status)
        uc.reg_write(c.UC_X86_REG_FPTAG, sum(3 << 2 * n for n in range(8) if state.empty >> 8 * n & 1))
        uc.reg_write(c.UC_X86_REG_MXCSR, state.mxcsr)

    def _ours(self, count: int) -> Vectors:
        cpu = self.ours.cpu
        xmm = tuple(cpu.q[layout.xmm(n) >> 3] | cpu.q[(layout.xmm(n) >> 3) + 1] << 64 for n in range(count))
        fpr = tuple((cpu.q[layout.fpst(n) >> 3], cpu.q[(layout.fpst(n) >> 3) + 1] & 0xFFFF) for n in range(8))
        return Vectors(xmm, fpr, cpu.fpuc, cpu.fpus | cpu.fpstt << 11, cpu.fptags, cpu.mxcsr)

    def _theirs(self, mode: int, count: int) -> Vectors:
        uc = self.theirs[mode]._uc
        xmm = tuple(uc.reg_read(register) for register in XMM_REGISTERS[:count])
        fpr = tuple(uc.reg_read(register) for register in FP_REGISTERS)
        tags = uc.reg_read(c.UC_X86_REG_FPTAG)
        empty = sum(1 << 8 * n for n in range(8) if tags >> 2 * n & 3 == 3)
        return Vectors(
            xmm,
            fpr,
            uc.reg_read(c.UC_X86_REG_FPCW),
            uc.reg_read(c.UC_X86_REG_FPSW),
            empty,
            uc.reg_read(c.UC_X86_REG_MXCSR),
        )

    def _case(self, template: Template, code: bytes, state: State) -> None:
        uc = self.theirs[template.mode]._uc
        uc.reg_write(c.UC_X86_REG_CR4, uc.reg_read(c.UC_X86_REG_CR4) | CR4_OSFXSR)
        if template.entry.mnemonic == "pcmpstr" and 1 << 31 in (state.registers[0] & M32, state.registers[2] & M32):
            return  # Unicorn crashes
        vectors = self._vectors(template.mode)
        self._put(template.mode, vectors)
        before = len(self.report.differences)
        super()._case(template, code, state)
        if len(self.report.differences) > before:
            if reason := self._excuse(self.report.differences[-1]):
                self.report.differences.pop()
                self.report.excused[reason] += 1
                return
            self.extra.append("")
            return
        count = len(vectors.xmm)
        if self._last.ours.vector >= 0 or self._last.theirs.vector >= 0:  # Unicorn does not keep this state then
            text = self._vector_difference(vectors, self._ours(count), vectors)
        else:
            text = self._vector_difference(vectors, self._ours(count), self._theirs(template.mode, count))
        name, rex = self._last.template.entry.mnemonic, self._last.template.insn.rex
        if text and self.ours.cpu.fpus & STACK_FAULT:
            self.report.excused["Unicorn does not check the x87 stack (SDM vol. 1, 8.5.1.1)"] += 1
        elif text and re.match("(m_)?ph(add|sub)", name) and not self._last.template.insn.memory:
            self.report.excused["Unicorn overwrites a source that is the destination, too (SDM vol. 2, PHADDW)"] += 1
        elif text and self._last.template.entry.escape != "0F" and name.startswith("m_") and rex & 4:
            self.report.excused["Unicorn takes REX.R for a bit of an MMX register (SDM vol. 2, 2.2.1.2)"] += 1
        elif text and (reason := DEPARTURES.get(self._last.template.entry.mnemonic)):
            self.report.excused[reason] += 1
        elif text:
            self.report.differences.append(self._last)
            self.extra.append(text)

    def _compare(self, case: Difference) -> None:
        self._last = case
        super()._compare(case)

    def _excuse(self, case: Difference) -> str:
        """Return why a difference of general registers, flags or faults is none of ours."""
        name = case.template.entry.mnemonic
        if case.ours.vector == 13 and any(spec.size in ("x", "") for spec in case.template.entry.operands):
            return "Unicorn lets unaligned operands pass (SDM vol. 1, 4.1.1)"
        if name == "fcomi" and not (case.ours.flags ^ case.theirs.flags) & 0x45:
            return "Unicorn keeps OF, SF and AF (SDM vol. 2, FCOMI)"
        if name in ("cmpss", "cmpsd", "cmpps", "cmppd") and case.code[-1] > 7:
            return "Unicorn knows no reserved bits of the predicate (SDM vol. 2, CMPPS)"
        if name == "pcmpstr" and case.template.insn.rex & 8:
            return "Unicorn cuts lengths of 64 bits to 32 (SDM vol. 2, 4.1.6)"
        if name == "roundps" and case.theirs.vector == 14:
            return "Unicorn reads 16 bytes for a scalar (SDM vol. 2, ROUNDSD)"
        if name == "crc32" and case.template.mode == 16:
            return "Unicorn inverts the operand size of CRC32 in 16-bit code (SDM vol. 2, CRC32)"
        if name == "fisttp":
            return "Unicorn stores the largest number for the integer indefinite (SDM vol. 2, FISTTP)"
        if name == "fbstp":
            return "Unicorn stores overflowing numbers and negative zero otherwise (SDM vol. 2, FBSTP)"
        if self.ours.cpu.fpus & STACK_FAULT:
            return "Unicorn does not check the x87 stack (SDM vol. 1, 8.5.1.1)"
        return ""

    def _vector_difference(self, before: Vectors, ours: Vectors, theirs: Vectors) -> str:
        lines = []
        for name in Vectors._fields:
            mine: Any = getattr(ours, name)
            other: Any = getattr(theirs, name)
            if name == "status":
                mine, other = mine & self.status_mask, other & self.status_mask
            if name == "mxcsr":
                mine, other = mine & self.mxcsr_mask, other & self.mxcsr_mask
            if name == "fpr" and not self._last.template.entry.stage.__module__.endswith("x87"):
                mine, other = ([m for m, _ in values] for values in (mine, other))  # Unicorn leaves the exponents
            if mine != other:
                if isinstance(mine, (tuple, list)):
                    lines += [
                        f"  {name}{n}: {_hex(x)}, Unicorn has {_hex(y)} (was {_hex(z)})"
                        for n, (x, y, z) in enumerate(zip(mine, other, getattr(before, name), strict=True))
                        if x != y
                    ]
                else:
                    lines.append(f"  {name}: {mine:x}, Unicorn has {other:x}")
        return "\n".join(lines)

    status_mask = 0x3800
    mxcsr_mask = 0xFFC0


def _hex(value: Any) -> str:
    return "/".join(f"{v:x}" for v in value) if isinstance(value, tuple) else f"{value:x}"
