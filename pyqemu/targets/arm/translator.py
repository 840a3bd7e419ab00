"""The AArch32 translator: the builder with A32's and Thumb's registers, flags, accesses and exceptions.

An instruction function gets it as `t`, then its fields. What is there:

- the mode: :attr:`mode` (bits of `modes.py`), :attr:`level`, :attr:`cpu_mode`, :attr:`thumb`, :attr:`itstate`;
- registers: :meth:`reg` (15 is the address of the instruction plus 8, or 4 in Thumb), :meth:`dest`, :meth:`finish`;
- flags: :attr:`flags`, ``add_cc`` and its like, :meth:`set_nz`, :meth:`set_nzcv`, :meth:`carry`;
- extension registers: by the numbers of `extension.py`, :meth:`vfp_enabled`;
- memory: :meth:`load`, :meth:`store`, with the endianness of the mode;
- control: :meth:`branch`, :meth:`jump`, :meth:`interworking_jump`, :meth:`goto_next_mode`, :meth:`undefined`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyqemu.targets.arm import extension, layout
from pyqemu.targets.arm.exceptions import raise_alignment, raise_undefined
from pyqemu.targets.arm.flags import IMAGE, KIND_IMAGE, SHIFTER, Flags, kind
from pyqemu.targets.arm.layout import CC_RESULT, MODE, PC, C, V, Z
from pyqemu.targets.arm.modes import (
    LEVEL_MMU,
    M_ALIGN,
    M_BIG_ENDIAN,
    M_IT,
    M_IT_SHIFT,
    M_LEVEL,
    M_MODE,
    M_MODE_SHIFT,
    M_ROTATE,
    M_THUMB,
    M_VFP_OFF,
    SYS,
    USR,
    advance,
)
from pyqemu.targets.arm.vectors import VectorTranslator
from pyqemu.tcg.ops import INVERSE

if TYPE_CHECKING:
    from pyqemu.tcg.builder import Label, Value
    from pyqemu.tcg.hole import Hole


class ArmTranslator(VectorTranslator):
    """Stages one instruction."""

    cc_slots = CC_RESULT
    pc_slot = PC
    pc_bits = 32
    is_one_of_several = False  #: whether other processors may have something to do
    halves_alone = True

    def begin(self, mode: int, features: frozenset[str]) -> None:
        """Take the mode; the first thing that happens."""
        self.mode, self.features = mode, features
        self.level = mode & M_LEVEL
        self.cpu_mode = 0x10 | (mode & M_MODE) >> M_MODE_SHIFT
        self.mmu = LEVEL_MMU[self.level]
        self.thumb = bool(mode & M_THUMB)
        self.itstate = mode >> M_IT_SHIFT & 0xFF
        self.flags = Flags(self)
        self.pc, self.next_pc = self.pc.masked(32), self.next_pc.masked(32)

    @property
    def has_spsr(self) -> bool:
        """Whether the processor mode has an SPSR."""
        return self.cpu_mode not in (USR, SYS)

    # --- registers ----------------------------------------------------------------------------------------------------

    @property
    def pc_value(self) -> Hole:
        """What R15 reads as (A2.3)."""
        return self.pc + (4 if self.thumb else 8)

    @property
    def pc_aligned(self) -> Hole:
        """The same, rounded down to a multiple of 4: what literals are relative to."""
        return self.pc_value.aligned(2)

    def reg(self, number: int) -> Value:
        """A register to be read."""
        return self.value(self.pc_value, 32) if number == 15 else self.glob(layout.x(number), 32)

    def dest(self, number: int) -> Value:
        """A register to be written; for R15 a temporary, which :meth:`finish` takes."""
        return self.temp(32) if number == 15 else self.glob(layout.x(number), 32)

    def finish(self, number: int, value: Value) -> None:
        """The result of data processing is in *value*, which :meth:`dest` has given (A2.3.1, "ALUWritePC")."""
        if number == 15:
            if self.thumb or "v7" not in self.features:
                self.jump(value)
            else:
                self.interworking_jump(value)

    def loaded(self, number: int, value: Value) -> None:
        """A load has written *value*, which :meth:`dest` has given (A2.3.1, "LoadWritePC")."""
        if number == 15:
            if "v5" in self.features:
                self.interworking_jump(value)
            else:
                self.jump(value)

    # --- extension registers ------------------------------------------------------------------------------------------

    @property
    def vfp_on(self) -> bool:
        """Whether VFP and Advanced SIMD may be used here."""
        return not self.mode & M_VFP_OFF

    def vfp_enabled(self) -> bool:
        """Whether VFP and Advanced SIMD may be used here; if not, the instruction is refused, and does nothing else."""
        if not self.vfp_on:
            self.refuse_vfp()
        return self.vfp_on

    def refuse_vfp(self, *, while_off: bool = False) -> None:
        """VFP and Advanced SIMD may not be used here; nothing after it is reached.

        :param while_off: whether FPEXC.EN does not matter to the instruction
        """
        self.undefined()

    def vector(self, number: int) -> int:
        """The offset of an extension register by its number in `extension.py`."""
        return extension.OFFSETS[number]

    def scalar(self, number: int, bits: int, *, wide: bool = False) -> Value:
        """A register to be read; as 64 bits without looking at two of them."""
        value = self.v(number, bits)
        if wide and bits < 64:
            return self.glob(value.offset, 64) if not value.offset & 7 else value.zext(64)
        return value

    def set_scalar(self, number: int, value: Value) -> None:
        """Write a register (S: 32 bits, D: 64 bits), and nothing beside it."""
        self.set_element(number, 0, value.bits, value)

    def clear_high(self, number: int) -> None:
        """There is nothing above a register that an instruction would clear."""

    # --- flags --------------------------------------------------------------------------------------------------------

    def carry(self) -> Value:
        """C: 0 or 1."""
        return self.flags.setcond(2)

    def set_nz(self, result: Value, carry: Value | None = None) -> None:
        """Set N and Z from a result, C from a number 0 or 1 if there is one; V stays."""
        if not self.flags_live:
            self.cc_record(result, 0, kind(SHIFTER, 32))
            return
        operation, _, source = self.flags._record()
        if operation in (IMAGE, SHIFTER):
            rest = source & (V if carry is not None else C | V)
        else:
            rest = self.flags.setcond(6).shl(28)
            if carry is None:
                rest = rest | self.flags.setcond(2).shl(29)
        if carry is not None:
            rest = rest | carry.shl(29)
        self.cc_record(result, rest, kind(SHIFTER, 32))

    def set_nzcv(self, image: Value) -> None:
        """Set the flags from a value that has them at their places in CPSR, and nothing else."""
        self.cc_record((~image) & Z if self.flags_live else image, image, KIND_IMAGE)

    @property
    def sets_flags(self) -> bool:
        """Whether 16-bit data processing sets flags: not in an IT block."""
        return not self.itstate

    def skip_unless(self, cond: int) -> Label:
        """Go to a label, that is still to be bound, unless a condition (0 to 13) holds."""
        over = self.label()
        name, a, b = self.flags.condition(cond)
        self.brcond(INVERSE[name], a, b, over)
        return over

    # --- memory -------------------------------------------------------------------------------------------------------

    @property
    def big_endian(self) -> bool:
        """Whether data accesses are big-endian."""
        return bool(self.mode & M_BIG_ENDIAN)

    def load(self, address: Value, disp: int | Hole = 0, *, size: int, signed: bool = False, out: Value | None = None,
             mmu: int | None = None) -> Value:  # fmt: skip
        """Load *size* bytes (1, 2, 4), extended to 32 bits; or 8 bytes."""
        out = self.temp(64 if size == 8 else 32) if out is None else out
        if self.mode & (M_ALIGN | M_ROTATE) and size > 1:
            if self.mode & M_ALIGN:
                self.check_aligned(address, disp, size, write=False)
            elif size == 4:
                return self._load_rotated(address, disp, out, mmu)
        if not self.big_endian or size == 1:
            return self.ld(address, disp, size=size, signed=signed, to=out.bits, out=out, addr_bits=32, mmu=mmu)
        value = self.bswap(self.ld(address, disp, size=size, to=8 * size, addr_bits=32, mmu=mmu))
        return self.extend(value, out.bits, signed=signed, out=out)

    def _load_rotated(self, address: Value, disp: int | Hole, out: Value, mmu: int | None) -> Value:
        """The word that holds the byte, which becomes its lowest (DDI 0406C.b, D12.4.3)."""
        whole = self.add(address, disp)
        value = self.ld(whole & ~3, size=4, to=32, addr_bits=32, mmu=mmu)
        if self.big_endian:
            value = self.bswap(value)
        return self.rotr(value, (whole & 3).shl(3), out=out)

    def store(self, address: Value, value: Value, disp: int | Hole = 0, *, size: int, mmu: int | None = None) -> None:
        """Store the low *size* bytes (1, 2, 4, 8) of a value."""
        if self.mode & (M_ALIGN | M_ROTATE) and size > 1:
            if self.mode & M_ALIGN:
                self.check_aligned(address, disp, size, write=True)
            elif size == 4:
                address, disp = self.add(address, disp) & ~3, 0
        if self.big_endian and size > 1:
            value = self.bswap(value.low(8 * size))
        self.st(address, value, disp, size=size, addr_bits=32, mmu=mmu)

    @property
    def mode_aligns(self) -> bool:
        """Whether unaligned accesses fault."""
        return bool(self.mode & M_ALIGN)

    def check_aligned(self, address: Value, disp: int | Hole, size: int, *, write: bool) -> None:
        """Fault unless an address is a multiple of *size*."""
        whole = address if isinstance(disp, int) and disp == 0 else self.add(address, disp)
        with self.if_("ne", whole & size - 1, 0):
            self.call(raise_alignment, whole, int(write), noreturn=True)

    # --- control ------------------------------------------------------------------------------------------------------

    @property
    def _next_mode(self) -> int:
        """The mode behind this instruction, if nothing else changes it."""
        return self.mode & ~M_IT | advance(self.itstate) << M_IT_SHIFT

    def goto(self, target: int | Hole) -> None:
        """End the block: go on at *target*, in this mode."""
        if self.itstate:
            self.glob(MODE, 64).set(self._next_mode)
        super().goto(target)

    def goto_mode(self, target: int | Hole, mode: int) -> None:
        """End the block: go on at *target*, in a mode that is known."""
        self.glob(MODE, 64).set(mode)
        super().goto(target)

    def goto_ptr(self) -> None:
        """End the block: go on where the program counter and the mode say."""
        self.end()
        self.emit("goto_ptr", PC, MODE)

    def branch(self, target: Hole, *, thumb: bool | None = None) -> None:
        """End the block: go to *target*, in the other instruction set if *thumb* says so."""
        if thumb is None or thumb == self.thumb:
            self.goto(target)
        else:
            self.goto_mode(target, self._next_mode & ~M_IT ^ M_THUMB)

    def jump(self, target: Value) -> None:
        """End the block: go on at a computed address, in the same instruction set (A2.3.1, "BranchWritePC")."""
        self.and_(target, ~1 if self.thumb else ~3, out=self.glob(PC, 32))
        if self.itstate:
            self.glob(MODE, 64).set(self._next_mode)
        self.goto_ptr()

    def interworking_jump(self, target: Value) -> None:
        """End the block: go on at a computed address, in Thumb where its bit 0 is set (A2.3.1, "BXWritePC")."""
        thumb = target & 1
        self.and_(target, ~1, out=self.glob(PC, 32))
        mode = thumb.shl(M_THUMB.bit_length() - 1) | self._next_mode & ~(M_IT | M_THUMB)
        self.extend(mode, 64, signed=False, out=self.glob(MODE, 64))
        self.goto_ptr()

    def goto_next_mode(self) -> None:
        """End the block after this instruction, which may have changed the mode."""
        self.mov(self.glob(PC, 32), self.next_pc)
        if self.itstate:
            slot = self.glob(MODE, 64)
            slot.set((slot & ~M_IT) | self._next_mode & M_IT)
        self.goto_ptr()

    def exit_loop_next(self) -> None:
        """End the block after this instruction: back to the main loop."""
        if self.itstate:
            self.glob(MODE, 64).set(self._next_mode)
        super().exit_loop_next()

    def raise_(self, helper: Any, *arguments: Value | int) -> None:
        """Call what raises an exception; nothing after it is reached."""
        self.call(helper, *arguments, noreturn=True)
        self.exit_loop()

    def undefined(self) -> None:
        """The instruction is UNDEFINED; nothing after it is reached."""
        self.raise_(raise_undefined)
