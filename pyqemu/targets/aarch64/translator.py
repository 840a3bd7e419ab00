"""The A64 translator: the builder with A64's registers, flags, accesses and exceptions.

An instruction function gets it as `t`, then its fields. What is there:

- the mode: :attr:`mode` (bits of `layout.py`), :attr:`el`;
- registers: :meth:`reg`, :meth:`dest` (31 is zero), :meth:`reg_sp`, :meth:`dest_sp` (31 is SP), :meth:`v`, and
  :meth:`glob` for what `layout.py` has an offset of;
- flags: :attr:`flags` (conditions, image), ``add_cc`` and its like with :func:`~pyqemu.targets.arm.flags.kind`,
  :meth:`set_nzcv`;
- memory: :meth:`load`, :meth:`store`, with the endianness of the mode;
- control: :meth:`branch_if`, :meth:`jump`, :meth:`goto_next_mode`, :meth:`raise_exception`, :meth:`undefined`,
  :meth:`fp_enabled`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64 import layout
from pyqemu.targets.aarch64.exceptions import raise_alignment, raise_exception, raise_following
from pyqemu.targets.aarch64.layout import (
    CC_KIND,
    CC_RESULT,
    CC_SOURCE,
    EC_FP_TRAP,
    EC_ILLEGAL_STATE,
    EC_UNKNOWN,
    EL_MMU,
    M_ALIGN,
    M_BIG_ENDIAN,
    M_EL,
    M_FP_OFF,
    M_ILLEGAL,
    MODE,
    PC,
    SP,
    Z,
)
from pyqemu.targets.arm.flags import KIND_IMAGE, Comparison, Flags
from pyqemu.targets.arm.vectors import VectorTranslator
from pyqemu.tcg.ops import INVERSE

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.models import Model
    from pyqemu.tcg.builder import Value
    from pyqemu.tcg.hole import Hole

FP_TRAP_ISS = 1 << 24 | 14 << 20  #: CV, COND (D7.2, ISS of an access to FP or SIMD)


class A64Translator(VectorTranslator):
    """Stages one A64 instruction."""

    cc_slots = CC_RESULT
    pc_slot = PC
    model: Model
    is_one_of_several = False  #: whether other processors may have something to do

    def begin(self, mode: int) -> None:
        """Take the mode; the first thing that happens."""
        self.mode = mode
        self.el = mode & M_EL
        self.mmu = EL_MMU[self.el]
        self.flags = Flags(self)
        if mode & M_ILLEGAL:
            self.raise_exception(EC_ILLEGAL_STATE, 0)

    # --- registers ----------------------------------------------------------------------------------------------------

    def reg(self, number: int, bits: int = 64) -> Value:
        """A general register to be read; 31 is zero."""
        return self.value(0, bits) if number == 31 else self.glob(layout.x(number), bits)

    def dest(self, number: int, bits: int = 64) -> Value:
        """A general register to be written; what is written to 31 is lost."""
        return self.temp(bits) if number == 31 else self.glob(layout.x(number), bits)

    def reg_sp(self, number: int, bits: int = 64) -> Value:
        """A general register to be read or written; 31 is the stack pointer."""
        return self.glob(SP if number == 31 else layout.x(number), bits)

    # --- flags --------------------------------------------------------------------------------------------------------

    def set_nzcv(self, image: Value) -> None:
        """Set the flags from a 32-bit value that has them at their places in PSTATE, and nothing else."""
        if self.flags_live:
            self.cc_record((~image) & Z, image, KIND_IMAGE)
        else:
            self.cc_record(image, image, KIND_IMAGE)

    def record_either(self, condition: Value, record: tuple[Value, Value], other: tuple[int, int], kind: int) -> None:
        """Record flags: result and source of *record* where *condition* is not zero, else those of *other*."""
        self._wrote_flags(kind)
        if not self.flags_live:
            return
        bits = record[0].bits
        for offset, value, number in zip((CC_RESULT, CC_SOURCE), record, other, strict=True):
            self.select(condition, value, number, self.glob(offset, bits))
        self.mov(self.glob(CC_KIND, 64), kind)

    # --- memory -------------------------------------------------------------------------------------------------------

    @property
    def big_endian(self) -> bool:
        """Whether data accesses are big-endian."""
        return bool(self.mode & M_BIG_ENDIAN)

    def load(self, address: Value, disp: int | Hole = 0, *, size: int, signed: bool = False, out: Value,
             mmu: int | None = None) -> Value:  # fmt: skip
        """Load *size* bytes (1 to 8), extended to the width of *out*."""
        if self.mode & M_ALIGN and size > 1:
            self.check_aligned(address, disp, size, write=False)
        if not self.big_endian or size == 1:
            return self.ld(address, disp, size=size, signed=signed, to=out.bits, out=out, mmu=mmu)
        value = self.bswap(self.ld(address, disp, size=size, to=8 * size, mmu=mmu))
        return self.extend(value, out.bits, signed=signed, out=out)

    def store(self, address: Value, value: Value, disp: int | Hole = 0, *, size: int, mmu: int | None = None) -> None:
        """Store the low *size* bytes (1 to 8) of a value."""
        if self.mode & M_ALIGN and size > 1:
            self.check_aligned(address, disp, size, write=True)
        if self.big_endian and size > 1:
            value = self.bswap(value.low(8 * size))
        self.st(address, value, disp, size=size, mmu=mmu)

    @property
    def mode_aligns(self) -> bool:
        """Whether unaligned accesses fault."""
        return bool(self.mode & M_ALIGN)

    def check_aligned(self, address: Value, disp: int | Hole, size: int, *, write: bool) -> None:
        """Fault unless an address is a multiple of *size*."""
        whole = address if isinstance(disp, int) and disp == 0 else address + disp
        with self.if_("ne", whole & size - 1, 0):
            self.call(raise_alignment, whole, int(write), noreturn=True)

    # --- control ------------------------------------------------------------------------------------------------------

    def goto_ptr(self) -> None:
        """End the block: go on where the program counter and the mode say."""
        self.end()
        self.emit("goto_ptr", PC, MODE)

    def jump(self, target: Value) -> None:
        """End the block: go on at a computed address."""
        self.mov(self.glob(PC, 64), target)
        self.goto_ptr()

    def goto_next_mode(self) -> None:
        """End the block after this instruction, which may have changed the mode."""
        self.mov(self.glob(PC, 64), self.next_pc)
        self.goto_ptr()

    def branch_if(self, comparison: Comparison, target: Hole) -> None:
        """End the block: go to *target* where a comparison holds."""
        cond, a, b = comparison
        over = self.label()
        self.brcond(INVERSE[cond], a, b, over)
        self.goto(target)
        self.bind(over)
        self.goto(self.next_pc)

    def raise_exception(self, ec: int, iss: int | Hole = 0) -> None:
        """Raise an exception that returns to this instruction; nothing after it is reached."""
        self.call(raise_exception, ec, iss, noreturn=True)
        self.exit_loop()

    def raise_following(self, ec: int, iss: int | Hole, target_el: int = 1) -> None:
        """Raise an exception that returns to the next instruction; nothing after it is reached."""
        self.call(raise_following, ec, iss, target_el, noreturn=True)
        self.exit_loop()

    def undefined(self) -> None:
        """The instruction is UNDEFINED; nothing after it is reached."""
        self.raise_exception(EC_UNKNOWN, 0)

    def fp_enabled(self) -> bool:
        """Whether FP and SIMD registers may be used here; if not, the trap is emitted and nothing else may be."""
        if self.mode & M_FP_OFF:
            self.raise_exception(EC_FP_TRAP, FP_TRAP_ISS)
            return False
        return True
