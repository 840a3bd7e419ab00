"""Descriptors and the loading of segment registers (SDM vol. 3, chapters 3 and 5).

Every function either raises and has changed nothing, or has done it all. Table reads happen with supervisor rights
whatever the current privilege level is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu.targets.x86.exceptions import X86Exception, gp, np, ss, ts
from pyqemu.targets.x86.layout import (
    CS,
    DESC_A,
    DESC_B,
    DESC_C,
    DESC_CODE,
    DESC_E,
    DESC_G,
    DESC_L,
    DESC_P,
    DESC_R,
    DESC_S,
    DESC_W,
    EFER_LMA,
    HF_CPL,
    HF_CS64,
    HF_SS32,
    LDT,
    M16,
    M32,
    M64,
    SS,
    TSS16,
    TSS32,
)
from pyqemu.targets.x86.mmu import canonical

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu

ATTRIBUTES = 0x00F0_FF00
FLAT_DATA = DESC_P | DESC_S | DESC_W | DESC_A | DESC_B | DESC_G
FORMATS = {2: "H", 4: "I", 8: "Q"}
Fault = Callable[[int], X86Exception]


@dataclass(slots=True)
class Descriptor:
    """One 8-byte entry of GDT or LDT, taken apart; `address` is where it stands."""

    low: int
    high: int
    address: int

    @property
    def base(self) -> int:
        """Linear address of the segment."""
        return self.low >> 16 | (self.high & 0xFF) << 16 | self.high & 0xFF000000

    @property
    def limit(self) -> int:
        """Limit in bytes."""
        limit = self.low & 0xFFFF | self.high & 0xF0000
        return limit << 12 | 0xFFF if self.high & DESC_G else limit

    @property
    def flags(self) -> int:
        """The attribute bits of the second dword."""
        return self.high & ATTRIBUTES

    @property
    def dpl(self) -> int:
        """Descriptor privilege level."""
        return self.high >> 13 & 3

    @property
    def type(self) -> int:
        """The type field."""
        return self.high >> 8 & 15

    @property
    def present(self) -> bool:
        """The P bit."""
        return bool(self.high & DESC_P)

    @property
    def is_system(self) -> bool:
        """Whether it is a gate, TSS or LDT."""
        return not self.high & DESC_S

    @property
    def is_code(self) -> bool:
        """Whether it is a code segment."""
        return self.high & (DESC_S | DESC_CODE) == DESC_S | DESC_CODE

    @property
    def is_conforming(self) -> bool:
        """Whether it is a conforming code segment."""
        return self.is_code and bool(self.high & DESC_C)

    @property
    def is_writable_data(self) -> bool:
        """Whether it is a writable data segment."""
        return self.high & (DESC_S | DESC_CODE | DESC_W) == DESC_S | DESC_W

    @property
    def is_readable(self) -> bool:
        """Whether it is a data segment or a readable code segment."""
        return bool(self.high & DESC_S) and (not self.high & DESC_CODE or bool(self.high & DESC_R))

    @property
    def gate_selector(self) -> int:
        """A gate's target selector."""
        return self.low >> 16

    @property
    def gate_offset(self) -> int:
        """A 32-bit gate's target offset (16-bit gates: mask it)."""
        return self.low & 0xFFFF | self.high & 0xFFFF0000


def linear(cpu: X86Cpu, address: int) -> int:
    """Wrap a linear address as the mode has it."""
    return address & (M64 if cpu.efer & EFER_LMA else M32)


def descriptor_address(cpu: X86Cpu, selector: int, size: int = 8) -> int | None:
    """Return where the descriptor of `selector` stands, None if it is beyond its table's limit (or there is no
    LDT).
    """
    if selector & 4:
        if not cpu.ldtr.flags & DESC_P or not cpu.ldtr.selector & 0xFFFC:
            return None
        base, limit = cpu.ldtr.base, cpu.ldtr.limit
    else:
        base, limit = cpu.gdt_base, cpu.gdt_limit
    offset = selector & 0xFFF8
    return None if offset + size - 1 > limit else linear(cpu, base + offset)


def read_descriptor(cpu: X86Cpu, selector: int) -> Descriptor | None:
    """Return the descriptor that `selector` names, None if it is beyond its table's limit."""
    address = descriptor_address(cpu, selector)
    if address is None:
        return None
    raw = cpu.load(address, 8, 0)
    return Descriptor(raw & M32, raw >> 32, address)


def fetch_descriptor(cpu: X86Cpu, selector: int, fault: Fault = gp, ext: int = 0) -> Descriptor:
    """Return the descriptor of a selector that must not be null.

    :raise X86Exception: `fault` with code EXT for a null selector, with the selector if it is beyond the table.
    """
    if not selector & 0xFFFC:
        raise fault(ext)
    descriptor = read_descriptor(cpu, selector)
    if descriptor is None:
        raise fault(selector & 0xFFFC | ext)
    return descriptor


def upper_base(cpu: X86Cpu, descriptor: Descriptor, selector: int, fault: Fault = gp) -> int:
    """Return bits 63 to 32 of a 16-byte system descriptor's base or offset, in place (SDM vol. 3, 7.2.3).

    :raise X86Exception: the second half is beyond the table, or its type bits are not zero.
    """
    if descriptor_address(cpu, selector, 16) is None:
        raise fault(selector & 0xFFFC)
    raw = cpu.load(linear(cpu, descriptor.address + 8), 8, 0)
    if raw >> 32 & 0x1F00:
        raise fault(selector & 0xFFFC)
    return (raw & M32) << 32


def set_accessed(cpu: X86Cpu, descriptor: Descriptor) -> None:
    """Set a segment descriptor's accessed bit in its table, if it is clear (SDM vol. 3, 3.4.5.1)."""
    if not descriptor.high & DESC_A:
        descriptor.high |= DESC_A
        cpu.store(linear(cpu, descriptor.address + 5), 1, descriptor.high >> 8 & 0xFF, 0)


# --- data and stack segments
# ------------------------------------------------------------------------------------------


def load_segment(cpu: X86Cpu, index: int, selector: int) -> None:
    """Load ES, SS, DS, FS or GS with `selector`, as MOV, POP and LxS do."""
    if cpu.real_mode:
        cpu.seg[index].set_real(selector)
        return
    if index == SS:
        load_stack_segment(cpu, selector)
    else:
        load_data_segment(cpu, index, selector)
    cpu.update_hflags()


def load_data_segment(cpu: X86Cpu, index: int, selector: int) -> None:
    """Load ES, DS, FS or GS in protected mode (SDM vol. 2, MOV). The caller updates `hflags`."""
    if not selector & 0xFFFC:
        load_null(cpu, index, selector)
        return
    descriptor = fetch_descriptor(cpu, selector)
    code = selector & 0xFFFC
    if not descriptor.is_readable:
        raise gp(code)
    if not descriptor.is_conforming and max(selector & 3, cpu.cpl) > descriptor.dpl:
        raise gp(code)
    if not descriptor.present:
        raise np(code)
    set_accessed(cpu, descriptor)
    cpu.load_segment_cache(index, selector, descriptor.base, descriptor.limit, descriptor.flags)


def load_null(cpu: X86Cpu, index: int, selector: int) -> None:
    """Make a segment register null: unusable outside 64-bit mode. The base is cleared (as Intel's processors do)."""
    cpu.load_segment_cache(index, selector, 0, 0, 0)


def load_stack_segment(cpu: X86Cpu, selector: int) -> None:
    """Load SS in protected mode at the current privilege level. The caller updates `hflags`."""
    cpl = cpu.cpl
    if not selector & 0xFFFC:
        if not cpu.hflags & HF_CS64 or cpl == 3 or selector & 3 != cpl:
            raise gp(0)
        set_null_stack(cpu, selector)
        return
    descriptor = check_stack_segment(cpu, selector, cpl, gp)
    set_accessed(cpu, descriptor)
    cpu.load_segment_cache(SS, selector, descriptor.base, descriptor.limit, descriptor.flags)


def set_null_stack(cpu: X86Cpu, selector: int) -> None:
    """Load SS with the null selector that 64-bit mode allows; DPL is the RPL (SDM vol. 3, 6.14.3)."""
    cpu.load_segment_cache(SS, selector, 0, M32, FLAT_DATA | (selector & 3) << 13)


def check_stack_segment(cpu: X86Cpu, selector: int, level: int, fault: Fault, ext: int = 0) -> Descriptor:
    """Return the descriptor of a stack segment for privilege `level`.

    :raise X86Exception: `fault` (#GP or #TS) for a wrong type or privilege, #SS if it is not present.
    """
    descriptor = fetch_descriptor(cpu, selector, fault, ext)
    code = selector & 0xFFFC | ext
    if selector & 3 != level or descriptor.dpl != level or not descriptor.is_writable_data:
        raise fault(code)
    if not descriptor.present:
        raise ss(code)
    return descriptor


def drop_inaccessible(cpu: X86Cpu, level: int) -> None:
    """Null the data segments that privilege `level` may not use, on a return outward (SDM vol. 2, RET)."""
    for index in (0, 3, 4, 5):
        segment = cpu.seg[index]
        flags = segment.flags
        if flags & (DESC_CODE | DESC_C) == DESC_CODE | DESC_C:
            continue
        if flags >> 13 & 3 < level and segment.selector & 0xFFFC:
            base = segment.base
            load_null(cpu, index, 0)
            if cpu.efer & EFER_LMA and index > 3:
                segment.set_base(base)


# --- code segments
# ----------------------------------------------------------------------------------------------------


def set_code_segment(cpu: X86Cpu, selector: int, descriptor: Descriptor, cpl: int) -> None:
    """Load CS with a descriptor that has been checked; the selector's RPL becomes `cpl`. `hflags` follow."""
    set_accessed(cpu, descriptor)
    cpu.load_segment_cache(CS, selector & 0xFFFC | cpl, descriptor.base, descriptor.limit, descriptor.flags)
    cpu.update_hflags(cpl)


def check_code_type(cpu: X86Cpu, descriptor: Descriptor, code: int) -> None:
    """Refuse L = D = 1 where long mode is active (SDM vol. 3, 5.2.1)."""
    if cpu.efer & EFER_LMA and descriptor.high & (DESC_L | DESC_B) == DESC_L | DESC_B:
        raise gp(code)


def check_target(cpu: X86Cpu, descriptor: Descriptor, offset: int, code: int = 0) -> None:
    """Check a target offset against the code segment about to be loaded: limit, or canonical in 64-bit code."""
    if descriptor.high & DESC_L and cpu.efer & EFER_LMA:
        if not canonical(offset):
            raise gp(code)
    elif offset > descriptor.limit:
        raise gp(code)


# --- stacks
# -----------------------------------------------------------------------------------------------------------


class Stack:
    """A stack that is pushed to or popped from before SS and RSP are committed.

    Limits are checked for each element; `code` is the error code of the #SS that a breach raises.
    """

    __slots__ = ("_cpu", "_high", "_low", "base", "code", "mask", "mmu", "sp")

    def __init__(
        self, cpu: X86Cpu, base: int, low: int, high: int, mask: int, sp: int, mmu: int, code: int = 0
    ) -> None:
        self._cpu = cpu
        self.base = base
        self._low = low
        self._high = high
        self.mask = mask
        self.sp = sp
        self.mmu = mmu
        self.code = code

    @classmethod
    def current(cls, cpu: X86Cpu, code: int = 0) -> Stack:
        """Return the stack that SS:RSP point to, accessed with the current privilege."""
        hf = cpu.hflags
        if hf & HF_CS64:
            return cls(cpu, 0, 0, M64, M64, cpu.rsp, cpu.mmu_index(), code)
        mask = M32 if hf & HF_SS32 else M16
        low, high = cpu.ss.writable_range
        return cls(cpu, cpu.ss.base, low, high, mask, cpu.rsp & mask, cpu.mmu_index(), code)

    @classmethod
    def of(cls, cpu: X86Cpu, descriptor: Descriptor, sp: int, level: int, code: int = 0) -> Stack:
        """Return the stack in a segment about to be loaded, accessed with privilege `level`."""
        mask = M32 if descriptor.high & DESC_B else M16
        low, high = 0, descriptor.limit
        if descriptor.high & DESC_E:
            low, high = high + 1, mask
        return cls(cpu, descriptor.base, low, high, mask, sp & mask, 1 if level == 3 else 0, code)

    def _address(self, sp: int, size: int) -> int:
        sp &= self.mask
        if not self._low <= sp or sp + size - 1 > self._high:
            raise ss(self.code)
        if self.mask == M64:
            if not canonical(sp):
                raise ss(self.code)
            return sp
        return self.base + sp & M32

    def push(self, size: int, value: int) -> None:
        """Push `size` bytes."""
        sp = self.sp - size & self.mask
        self._cpu.store(self._address(sp, size), size, value & (1 << 8 * size) - 1, self.mmu)
        self.sp = sp

    def push_all(self, size: int, values: list[int]) -> None:
        """Push several elements with one write, if the stack does not wrap."""
        length = size * len(values)
        bottom = self.sp - length
        if bottom < self._low or self.sp - 1 > self._high or (self.mask == M64 and not canonical(bottom)):
            for value in values:
                self.push(size, value)
            return
        mask = (1 << 8 * size) - 1
        values.reverse()
        data = struct.pack(f"<{len(values)}{FORMATS[size]}", *[value & mask for value in values])
        self._cpu.write(bottom if self.mask == M64 else self.base + bottom & M32, data, self.mmu)
        self.sp = bottom

    def pop(self, size: int) -> int:
        """Pop `size` bytes."""
        value = self._cpu.load(self._address(self.sp, size), size, self.mmu)
        self.sp = self.sp + size & self.mask
        return value

    def peek(self, offset: int, size: int) -> int:
        """Read `size` bytes at `offset` above the top."""
        return self._cpu.load(self._address(self.sp + offset, size), size, self.mmu)

    def commit(self) -> None:
        """Write the stack pointer back."""
        set_sp(self._cpu, self.sp, self.mask)


def set_sp(cpu: X86Cpu, value: int, mask: int) -> None:
    """Write SP, ESP or RSP, as `mask` tells."""
    cpu.rsp = cpu.rsp & ~M16 | value & M16 if mask == M16 else value & mask


# --- system segments
# --------------------------------------------------------------------------------------------------


def load_ldtr(cpu: X86Cpu, selector: int) -> None:
    """LLDT (SDM vol. 2)."""
    if not selector & 0xFFFC:
        cpu.load_segment_cache(6, selector, 0, 0, 0)
        return
    code = selector & 0xFFFC
    if selector & 4:
        raise gp(code)
    descriptor = fetch_descriptor(cpu, selector)
    if not descriptor.is_system or descriptor.type != LDT:
        raise gp(code)
    base = descriptor.base | (upper_base(cpu, descriptor, selector) if cpu.efer & EFER_LMA else 0)
    if not descriptor.present:
        raise np(code)
    cpu.load_segment_cache(6, selector, base, descriptor.limit, descriptor.flags)


def load_tr(cpu: X86Cpu, selector: int) -> None:
    """LTR (SDM vol. 2): the TSS becomes busy."""
    code = selector & 0xFFFC
    if not code:
        raise gp(0)
    if selector & 4:
        raise gp(code)
    descriptor = fetch_descriptor(cpu, selector)
    long = bool(cpu.efer & EFER_LMA)
    if not descriptor.is_system or descriptor.type not in ((TSS32,) if long else (TSS16, TSS32)):
        raise gp(code)
    if not descriptor.present:
        raise np(code)
    base = descriptor.base | (upper_base(cpu, descriptor, selector) if long else 0)
    set_busy(cpu, descriptor, True)
    cpu.load_segment_cache(7, selector, base, descriptor.limit, descriptor.flags)


def set_busy(cpu: X86Cpu, descriptor: Descriptor, busy: bool) -> None:
    """Set or clear the busy bit of a TSS descriptor, in the table and in `descriptor`."""
    descriptor.high = descriptor.high & ~0x200 | (0x200 if busy else 0)
    cpu.store(linear(cpu, descriptor.address + 4), 4, descriptor.high, 0)


def visible_descriptor(cpu: X86Cpu, selector: int) -> Descriptor | None:
    """Return the descriptor if VERR, VERW, LAR, LSL may see it: in the table, and privilege suffices (else None).

    Conforming code is visible from everywhere; for all others DPL must not be below CPL and RPL.
    """
    if not selector & 0xFFFC:
        return None
    descriptor = read_descriptor(cpu, selector)
    if descriptor is None:
        return None
    if not descriptor.is_conforming and max(cpu.hflags & HF_CPL, selector & 3) > descriptor.dpl:
        return None
    return descriptor


def tss_stack(cpu: X86Cpu, level: int, ext: int = 0) -> tuple[int, int]:
    """Return SS selector and (E)SP for privilege `level` from the current 16- or 32-bit TSS (SDM vol. 3, 7.2)."""
    wide = cpu.tr.flags >> 8 & 8
    size = 4 if wide else 2
    offset = level * 2 * size + size
    if offset + size + 1 > cpu.tr.limit:
        raise ts(cpu.tr.selector & 0xFFFC | ext)
    address = cpu.tr.base + offset
    pointer = cpu.load(linear(cpu, address), size, 0)
    return cpu.load(linear(cpu, address + size), 2, 0), pointer
