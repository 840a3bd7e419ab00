"""The x86 translator: the builder with x86's registers, addressing, stack, flags and segments.

An instruction function gets it as `t`, then its operands. What is there:

- the decoded instruction: :attr:`mode` (16, 32, 64), :attr:`opsize`, :attr:`adsize`, :attr:`stack_bits`, :attr:`cpl`,
  :attr:`rex`, :attr:`rep` (0, 0xF2, 0xF3), :attr:`insn` (everything else), :attr:`static` (the mode bits), :meth:`has`;
- registers: :meth:`reg`, :meth:`rax` … by width, :meth:`glob` for what `layout.py` has an offset of;
- flags: :attr:`flags` (conditions, carry, image), :meth:`record`, :meth:`set_flags`, :meth:`kind`;
- stack: :meth:`push`, :meth:`pop`, or :meth:`stack_load`, :meth:`stack_store`, :meth:`move_stack` where
things may fault;
- control: :meth:`goto_near`, :meth:`jump_near`, :meth:`raise_ud`, :meth:`raise_gp`, :meth:`fault` (within a condition).

Flat segments (base 0, limit 4 GiB, writable; the mode bits say which are) cost nothing. For the others the
base is added and the offset is compared with the range that segment loads keep in the segment's slots
(`layout.SEG_READ_LO` and so on).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.x86 import flags, layout, settling
from pyqemu.targets.x86.exceptions import X86Exception
from pyqemu.targets.x86.layout import (
    CC_DST,
    CC_MASK,
    CC_OP,
    CC_SRC,
    CS,
    EIP,
    EXC_GP,
    EXC_SS,
    EXC_UD,
    HF_CPL,
    HF_SMAP,
    HFLAGS,
    RSP,
    SEG_BASE,
    SEG_LIMIT,
    SEG_READ_HI,
    SEG_READ_LO,
    SEG_WRITE_HI,
    SEG_WRITE_LO,
    SS,
    ZF,
)
from pyqemu.targets.x86.operands import MemoryOperand, Operand, Source, build
from pyqemu.tcg.builder import Builder
from pyqemu.tcg.env import is_temporary
from pyqemu.tcg.hole import Hole

if TYPE_CHECKING:
    from pyqemu.targets.x86.decode import Instruction, Mode
    from pyqemu.tcg.builder import Value
    from pyqemu.tcg.cpu import Cpu


def raise_exception(cpu: Cpu, vector: int) -> None:
    """Raise a fault without error code."""
    raise X86Exception(vector)


def raise_exception_code(cpu: Cpu, vector: int, error_code: int) -> None:
    """Raise a fault with an error code."""
    raise X86Exception(vector, error_code)


class X86Translator(Builder):
    """Stages one x86 instruction."""

    cc_slots = CC_DST
    pc_slot = EIP
    insn: Instruction
    static: Mode

    def begin(self, insn: Instruction) -> None:
        """Take the context of `insn`; the first thing that happens."""
        self.insn = insn
        self.static = static = insn.mode
        self.mode = static.bits
        self.stack_bits = static.stack_bits
        self.cpl = static.cpl
        self.flat = static.flat
        self.opsize = insn.opsize
        self.adsize = insn.adsize
        self.rex = insn.rex
        self.rep = insn.rep
        self.stack_bias = 0  # POP computes its memory operand's address with RSP already incremented
        self.flags = flags.Flags(self)
        self.mmu = 1 if static.flags & HF_CPL == 3 else 2 if static.flags & HF_SMAP else 0
        if CS not in self.flat:
            self._check_fetch()

    def _check_fetch(self) -> None:
        """#GP(0) if the instruction's last byte is beyond the code segment's limit (SDM vol. 3, 5.3)."""
        last = self.next_pc - 1 if self.length else self.pc
        with self.if_("ltu", self.glob(SEG_LIMIT(CS), 64), last):
            self.fault(EXC_GP, 0)

    def operands(self) -> list[Operand]:
        """Return the instruction's operands."""
        insn = self.insn
        return [build(self, spec, insn) for spec in insn.entry.operands]

    def has(self, feature: str) -> bool:
        """Return whether the CPU model has `feature` (canonical spelling: ``sse4_1``)."""
        return feature in self.static.features

    # --- registers ------------------------------------------------------------------------------------------------

    def reg(self, number: int, bits: int) -> Value:
        """Return the low `bits` bits of general register `number`."""
        return self.glob(layout.reg(number), bits)

    def rax(self, bits: int = 64) -> Value:
        """Return AL, AX, EAX or RAX."""
        return self.glob(layout.RAX, bits)

    def rcx(self, bits: int = 64) -> Value:
        """Return CL, CX, ECX or RCX."""
        return self.glob(layout.RCX, bits)

    def rdx(self, bits: int = 64) -> Value:
        """Return DL, DX, EDX or RDX."""
        return self.glob(layout.RDX, bits)

    def rbx(self, bits: int = 64) -> Value:
        """Return BL, BX, EBX or RBX."""
        return self.glob(layout.RBX, bits)

    def rsp(self, bits: int = 64) -> Value:
        """Return SPL, SP, ESP or RSP."""
        return self.glob(RSP, bits)

    def rbp(self, bits: int = 64) -> Value:
        """Return BPL, BP, EBP or RBP."""
        return self.glob(layout.RBP, bits)

    def ah(self) -> Value:
        """Return AH."""
        return self.glob(layout.RAX + 1, 8)

    def xmm(self, number: int, bits: int = 128) -> Value:
        """Return XMM register `number`."""
        return self.glob(layout.xmm(number), bits)

    # --- flags ----------------------------------------------------------------------------------------------------

    def kind(self, operation: int, bits: int) -> int:
        """Return the lazy-flags kind of an operation (`flags.ADD` …) on `bits` bits."""
        return flags.kind(operation, bits)

    def record(self, operation: int, result: Value, source: Source = 0) -> None:
        """Record the flags of `operation`, see `flags.py`."""
        self.cc_record(result, source, flags.kind(operation, result.bits))

    def set_flags(self, image: Value) -> None:
        """Set the six arithmetic flags from `image` (32 bits, at their places; other bits are ignored)."""
        if self.flags_live:
            clean = image & CC_MASK
            self.cc_record((~clean) & ZF, clean, flags.CC_OP_EFLAGS)
        else:
            self.cc_record(image, image, flags.CC_OP_EFLAGS)

    def settle_flags(self) -> None:
        """Make the flags' record one of kind EFLAGS, whatever it is; this changes no flag."""
        self.gosub(settling.SETTLE)
        if self._conditional <= 0:
            self.cc_out = flags.CC_OP_EFLAGS

    def compute_carry(self, out: Value) -> None:
        """Write CF of a record of any kind below MUL to `out`."""
        self.gosub(settling.CARRY)
        self.mov(out, self.glob(layout.CARRY, 32))

    def cc_slot(self, index: int) -> Value:
        """Return slot 0 (result), 1 (source) or 2 (kind) of the record."""
        return self.glob((CC_DST, CC_SRC, CC_OP)[index], 64)

    # --- addresses ------------------------------------------------------------------------------------------------

    def effective_address(self, insn: Instruction, out: Value | None = None) -> tuple[Value, int | Hole]:
        """Return the effective address that ModRM and SIB name, as a slot and a displacement to add.

        :param out: where to put a sum, if one has to be computed and `out` is as wide as the address.
        """
        disp: int | Hole = self.disp if insn.disp_size else 0
        if insn.base == 4 and insn.adsize != 16:
            disp += self.stack_bias
        if insn.rip_relative:
            disp = self.next_pc + self.disp
        if insn.adsize == 16:
            return self._address16(insn, disp), 0
        width = insn.adsize
        if insn.index < 0:
            base = self.reg(insn.base, width) if insn.base >= 0 else None
            return (base, disp) if base is not None else (self.value(disp, width), 0)
        index = self.reg(insn.index, width)
        if insn.base < 0:
            return index.shl(insn.scale) if insn.scale else index, disp
        if out is not None and out.bits != width:
            out = None
        return self.lea(self.reg(insn.base, width), index, insn.scale, disp, width, out), 0

    def _address16(self, insn: Instruction, disp: int | Hole) -> Value:
        """Return a 16-bit effective address, zero-extended to 32 bits."""
        if insn.base < 0:
            return self.value(disp.masked(16) if isinstance(disp, Hole) else disp & 0xFFFF, 32)
        base = self.reg(insn.base, 32)
        if insn.index >= 0:
            base = self.lea(base, self.reg(insn.index, 32), 0, disp, 32)
        elif insn.disp_size:
            base = base + disp
        return base.low(16).zext(32)

    def sum(self, base: Value, disp: int | Hole) -> Value:
        """Return ``base + disp``; `base` itself if there is nothing to add."""
        return base if isinstance(disp, int) and disp == 0 else base + disp

    def clean(self, base: Value, disp: int | Hole) -> Value:
        """Return ``base + disp`` in a slot whose upper half is zero if the address has 32 bits."""
        if isinstance(disp, int) and disp == 0 and (base.bits == 64 or is_temporary(base.offset)):
            return base
        return base + disp

    def linear(self, segment: int, offset: Value) -> Value:
        """Return `segment`'s base plus the clean `offset`: 64 bits in 64-bit mode, else 32."""
        width = 64 if self.mode == 64 else 32
        return self.glob(SEG_BASE(segment), width) + self.glob(offset.offset, width)

    def linear_bits(self, operand: MemoryOperand) -> int:
        """Return the width that linear addresses of `operand` wrap at."""
        if self.mode != 64:
            return 32
        return self.adsize if operand.segment in self.flat else 64

    def check_segment(self, segment: int, offset: Value, size: int, *, write: bool) -> None:
        """Fault if `segment` forbids the access (SDM vol. 3, 5.3 to 5.5). `offset` is clean."""
        low, high = (SEG_WRITE_LO, SEG_WRITE_HI) if write else (SEG_READ_LO, SEG_READ_HI)
        first = self.glob(offset.offset, 64)
        last = first + (size - 1) if size > 1 else first
        below = self.setcond("ltu", first, self.glob(low(segment), 64))
        above = self.setcond("gtu", last, self.glob(high(segment), 64))
        with self.if_("ne", below | above, 0):
            self.fault(EXC_SS if segment == SS else EXC_GP, 0)

    # --- stack ----------------------------------------------------------------------------------------------------

    def stack_address(self, delta: int, size: int, *, write: bool, base: Value | None = None) -> tuple[Value, int]:
        """Return the linear address of `size` bytes at SS:(rSP + delta), as a slot and a displacement.

        :param base: to be used instead of rSP, as wide as that.
        """
        sp = self.rsp(self.stack_bits) if base is None else base
        if SS in self.flat and self.stack_bits != 16:
            return sp, delta
        offset = sp + delta
        if self.stack_bits == 16:
            offset = offset.zext(32)
        if SS in self.flat:
            return offset, 0
        self.check_segment(SS, offset, size, write=write)
        return self.linear(SS, offset), 0

    def stack_load(self, bits: int, delta: int = 0, base: Value | None = None, out: Value | None = None) -> Value:
        """Load from SS:(rSP + delta), or SS:(base + delta)."""
        address, disp = self.stack_address(delta, bits // 8, write=False, base=base)
        return self.ld(address, disp, size=bits // 8, out=out, addr_bits=64 if self.mode == 64 else 32)

    def stack_store(self, value: Source, bits: int, delta: int) -> None:
        """Store to SS:(rSP + delta)."""
        address, disp = self.stack_address(delta, bits // 8, write=True)
        self.st(address, value, disp, size=bits // 8, addr_bits=64 if self.mode == 64 else 32)

    def move_stack(self, delta: int | Value) -> None:
        """Add `delta` to the stack pointer."""
        sp = self.rsp(self.stack_bits)
        self.add(sp, delta, out=sp)

    def push(self, value: Source, bits: int) -> None:
        """Push; the last thing in an instruction that may fault."""
        self.stack_store(value, bits, -bits // 8)
        self.move_stack(-bits // 8)

    def pop(self, bits: int) -> Value:
        """Pop; nothing in the instruction may fault after it."""
        value = self.stack_load(bits)
        self.move_stack(bits // 8)
        return value

    # --- control --------------------------------------------------------------------------------------------------

    def goto_near(self, target: Hole, bits: int) -> None:
        """End the block with a jump within the segment; `bits` is the operand size, which `target` is cut to."""
        self.check_target(target, bits)
        self.goto(target.masked(bits))

    def check_target(self, target: Hole, bits: int) -> None:
        """#GP(0) if `target`, cut to `bits` bits, is outside of the code segment."""
        if CS not in self.flat:
            self.check_jump(self.value(target.masked(bits), 64))

    def check_jump(self, target: Value) -> None:
        """#GP(0) if `target` (64 bits) is outside of the code segment."""
        if CS not in self.flat:
            with self.if_("gtu", target, self.glob(SEG_LIMIT(CS), 64)):
                self.fault(EXC_GP, 0)

    def jump_near(self, target: Value) -> None:
        """End the block with a jump within the segment to a computed place."""
        wide = target.zext(64)
        self.check_jump(wide)
        self.jump_checked(wide)

    def jump_checked(self, target: Value) -> None:
        """End the block with a jump to `target` (64 bits), which is within the segment."""
        self.mov(self.glob(EIP, 64), target)
        self.goto_ptr()

    def goto_ptr(self) -> None:
        """End the block: go on at CS:EIP."""
        self.end()
        pc = self.glob(EIP, 64)
        if CS not in self.flat:
            pc = self.glob(self.linear(CS, pc).offset, 64)
        self.emit("goto_ptr", pc.offset, HFLAGS)

    def fault(self, vector: int, error_code: int | None = None) -> None:
        """Raise an exception; for use where a condition may skip it."""
        if error_code is None:
            self.call(raise_exception, vector)
        else:
            self.call(raise_exception_code, vector, error_code)

    def raise_ud(self) -> None:
        """#UD, whatever happens; nothing after it is reached."""
        self.fault(EXC_UD)
        self.exit_loop()

    def raise_gp(self, error_code: int = 0) -> None:
        """#GP, whatever happens; nothing after it is reached."""
        self.fault(EXC_GP, error_code)
        self.exit_loop()
