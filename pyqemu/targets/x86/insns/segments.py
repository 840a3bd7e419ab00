"""Segment registers and far control transfers (SDM vol. 1, 5.1.7 and 5.1.13; vol. 2).

In real and virtual-8086 mode a segment load is two moves. In protected mode a helper does it; where the load may
change the mode bits that blocks are made for (flat segments, size of the stack), the block ends there.
"""

from __future__ import annotations

from pyqemu.targets.x86 import iret as returns
from pyqemu.targets.x86 import microcode, segmentation, transfers
from pyqemu.targets.x86.layout import (
    CS,
    DS,
    ES,
    FS,
    GS,
    HF_BREAK,
    HF_TF,
    HFLAGS,
    SEG_BASE,
    SEG_SELECTOR,
    SHADOW_EIP,
    SS,
    ZF,
)
from pyqemu.targets.x86.operands import MemoryOperand, Operand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.state import X86Cpu
from pyqemu.targets.x86.syscalls import exit_if_pending
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.builder import Value

# --- helpers
# ----------------------------------------------------------------------------------------------------------


def load_segment(cpu: X86Cpu, index: int, selector: int) -> None:
    """Load a segment register in protected mode."""
    segmentation.load_segment(cpu, index, selector)


def hold_debug(cpu: X86Cpu) -> None:
    """MOV SS and POP SS put off a single-step trap, too (SDM vol. 3, 6.8.3)."""
    cpu.debug_shadow = True


def _place(cpu: X86Cpu) -> int:
    exit_if_pending(cpu)
    return cpu.block_key()[0]


def jump_far(cpu: X86Cpu, selector: int, offset: int, size: int, next_eip: int) -> int:
    """JMP far; return the linear address to go on at."""
    transfers.far_jump(cpu, selector, offset, size, next_eip)
    return _place(cpu)


def call_far(cpu: X86Cpu, selector: int, offset: int, size: int, next_eip: int) -> int:
    """CALL far."""
    transfers.far_call(cpu, selector, offset, size, next_eip)
    return _place(cpu)


def return_far(cpu: X86Cpu, size: int, release: int) -> int:
    """RET far."""
    transfers.far_return(cpu, size, release)
    return _place(cpu)


def interrupt_return(cpu: X86Cpu, size: int, next_eip: int) -> int:
    """IRET."""
    returns.iret(cpu, size, next_eip)
    return _place(cpu)


# --- segment registers
# ------------------------------------------------------------------------------------------------


def _real(t: X86Translator) -> bool:
    """Whether segments are loaded as in real mode."""
    return t.static.vm86 or not t.static.protected


def _load(t: X86Translator, index: int, selector: Value) -> None:
    """Load segment register `index`; the last thing that may fault."""
    if _real(t):
        wide = selector.zext(64)
        t.glob(SEG_SELECTOR(index), 64).set(wide)
        t.shl(wide, 4, out=t.glob(SEG_BASE(index), 64))
    else:

        def helper() -> None:
            t.call(load_segment, index, selector)

        microcode.load_segment(t, index, selector, helper)


def _after_load(t: X86Translator, index: int) -> None:
    """Start the shadow of an SS load; end the block if mode bits may have changed."""
    if index == SS:
        t.glob(SHADOW_EIP, 64).set(t.next_pc)
        if t.static.flags & HF_TF:
            t.call(hold_debug)
    if _real(t) or index in (FS, GS) or (t.mode == 64 and index != SS):
        return
    t.mov(t.glob(t.pc_slot, 64), t.next_pc)
    t.goto_ptr()


@op("8E", "Sw Ew")
def mov_to_segment(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOV Sreg, r/m16."""
    number = dst.number & 7
    if number == CS or number > GS:
        t.raise_ud()
        return
    _load(t, number, src.get(16))
    _after_load(t, number)


@op("8C", "Ev Sw")
def mov_from_segment(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOV r/m16, Sreg: a register is zero-extended."""
    number = src.number & 7
    if number > GS:
        t.raise_ud()
        return
    store_selector(t, dst, t.glob(SEG_SELECTOR(number), 64))


def store_selector(t: X86Translator, dst: Operand, selector: Value) -> None:
    """Write a selector: 16 bits to memory, the operand size to a register."""
    if isinstance(dst, MemoryOperand):
        dst.store(selector.low(16), 2)
    else:
        dst.set(selector.low(dst.bits))


@op("06", no64=True)
@op("0E", no64=True)
@op("16", no64=True)
@op("1E", no64=True)
@op("0FA0", size="d64")
@op("0FA8", size="d64")
def push_segment(t: X86Translator) -> None:
    """PUSH Sreg, zero-extended to the operand size."""
    number = t.insn.opcode >> 3 & 7
    t.push(t.glob(SEG_SELECTOR(number), 64).low(t.opsize), t.opsize)


@op("07", no64=True)
@op("17", no64=True)
@op("1F", no64=True)
@op("0FA1", size="d64")
@op("0FA9", size="d64")
def pop_segment(t: X86Translator) -> None:
    """POP Sreg."""
    number = t.insn.opcode >> 3 & 7
    width = t.stack_bits
    if number == SS and not _real(t):  # the stack pointer moves at the old stack's width, before SS is loaded
        selector = t.stack_load(16)
        t.call(pop_stack_segment, selector, width, t.opsize // 8)
    else:
        _load(t, number, t.stack_load(16))
        t.move_stack(t.opsize // 8)
    _after_load(t, number)


def pop_stack_segment(cpu: X86Cpu, selector: int, width: int, size: int) -> None:
    """Load SS and move the stack pointer, which had `width` bits."""
    segmentation.load_segment(cpu, SS, selector)
    mask = (1 << width) - 1
    segmentation.set_sp(cpu, cpu.rsp + size & mask, mask)


@op("C4", "Gv Mp", no64=True)
@op("C5", "Gv Mp", no64=True)
@op("0FB2", "Gv Mp")
@op("0FB4", "Gv Mp")
@op("0FB5", "Gv Mp")
def load_far_pointer(t: X86Translator, dst: Operand, src: MemoryOperand) -> None:
    """LES, LDS, LSS, LFS, LGS."""
    number = {0xC4: ES, 0xC5: DS, 0xB2: SS, 0xB4: FS, 0xB5: GS}[t.insn.opcode]
    offset = src.load(t.opsize // 8)
    _load(t, number, src.load(2, skip=t.opsize // 8))
    dst.set(offset)
    _after_load(t, number)


# --- far transfers
# ----------------------------------------------------------------------------------------------------


def goto_linear(t: X86Translator, place: Value | None) -> None:
    """End the block: go on at a linear address that a helper returned, in the mode that it left behind."""
    assert place is not None
    t.end()
    t.emit("goto_ptr", place.offset, HFLAGS)


def _pointer(t: X86Translator) -> tuple[Value, Value]:
    """Return selector and offset of an immediate far pointer."""
    both = t.value(t.imm, 64)
    offset = both & (1 << t.opsize) - 1
    return both.shr(t.opsize) & 0xFFFF, offset


def _jump(t: X86Translator, selector: Value, offset: Value) -> None:
    if _real(t):
        microcode.jump_real(t, selector.zext(64), offset.zext(64))
    else:
        goto_linear(t, t.call(jump_far, selector, offset, t.opsize // 8, t.next_pc, returns=64))


def _call(t: X86Translator, selector: Value, offset: Value) -> None:
    if _real(t):
        microcode.call_real(t, selector.zext(64), offset.zext(64))
    else:
        goto_linear(t, t.call(call_far, selector, offset, t.opsize // 8, t.next_pc, returns=64))


@op("EA", "Ap", no64=True)
def jmp_far(t: X86Translator, target: Operand) -> None:
    """JMP ptr16:16/32."""
    _jump(t, *_pointer(t))


@op("9A", "Ap", no64=True)
def call_far_immediate(t: X86Translator, target: Operand) -> None:
    """CALL ptr16:16/32."""
    _call(t, *_pointer(t))


@op("FF /5", "Mp")
def jmp_far_memory(t: X86Translator, target: MemoryOperand) -> None:
    """JMP m16:16/32/64."""
    offset = target.load(t.opsize // 8)
    _jump(t, target.load(2, skip=t.opsize // 8), offset)


@op("FF /3", "Mp")
def call_far_memory(t: X86Translator, target: MemoryOperand) -> None:
    """CALL m16:16/32/64."""
    offset = target.load(t.opsize // 8)
    _call(t, target.load(2, skip=t.opsize // 8), offset)


@op("CB")
@op("CA", "Iw")
def ret_far(t: X86Translator, release: Operand | None = None) -> None:
    """RET far, RET far imm16."""
    if _real(t):
        microcode.return_real(t, int(t.imm) & 0xFFFF if release else 0)
    else:
        count = t.imm.masked(16) if release else 0
        goto_linear(t, t.call(return_far, t.opsize // 8, count, returns=64))


@op("CF")
def iret(t: X86Translator) -> None:
    """IRET, IRETD, IRETQ."""

    def helper() -> None:
        goto_linear(t, t.call(interrupt_return, t.opsize // 8, t.next_pc, returns=64))

    ordinary = t.opsize == t.mode != 16 and t.cpl == 0 and t.static.long == (t.mode == 64)
    if t.static.vm86 and not t.static.io_free:
        t.raise_gp()
    elif _real(t):
        microcode.iret_real(t, helper)
    elif ordinary and SS in t.flat and t.stack_bits == t.mode and not t.static.flags & HF_BREAK:
        microcode.iret(t, helper)
    else:
        helper()


# --- questions about selectors
# ----------------------------------------------------------------------------------------


def verify(cpu: X86Cpu, selector: int, write: int) -> int:
    """VERR, VERW: return 1 if the segment may be read or written from here."""
    descriptor = segmentation.visible_descriptor(cpu, selector)
    if descriptor is None or descriptor.is_system:
        return 0
    return int(descriptor.is_writable_data if write else descriptor.is_readable)


LAR_TYPES, LAR_TYPES_LONG = frozenset({1, 2, 3, 4, 5, 9, 11, 12}), frozenset({2, 9, 11, 12})
LSL_TYPES, LSL_TYPES_LONG = frozenset({1, 2, 3, 9, 11}), frozenset({2, 9, 11})
INVALID = 1 << 32


def access_rights(cpu: X86Cpu, selector: int) -> int:
    """LAR: return the second dword's attribute bits, `INVALID` if the selector is not good for that."""
    descriptor = segmentation.visible_descriptor(cpu, selector)
    types = LAR_TYPES_LONG if cpu.efer & 1 << 10 else LAR_TYPES
    if descriptor is None or (descriptor.is_system and descriptor.type not in types):
        return INVALID
    return descriptor.high & 0x00FFFF00


def segment_limit(cpu: X86Cpu, selector: int) -> int:
    """LSL: return the limit in bytes, `INVALID` if the selector is not good for that."""
    descriptor = segmentation.visible_descriptor(cpu, selector)
    types = LSL_TYPES_LONG if cpu.efer & 1 << 10 else LSL_TYPES
    if descriptor is None or (descriptor.is_system and descriptor.type not in types):
        return INVALID
    return descriptor.limit


def _set_zero_flag(t: X86Translator, bit: Value) -> None:
    """Set ZF to `bit` (32 bits, 0 or 1); the other flags stay."""
    t.set_flags((t.flags.image() & ~ZF) | bit.shl(6))


@op("0F00 /4", "Ew")
@op("0F00 /5", "Ew")
def verr(t: X86Translator, src: Operand) -> None:
    """VERR, VERW."""
    if _real(t):
        t.raise_ud()
        return
    found = t.call(verify, src.get(), t.insn.reg & 1, returns=32)
    assert found is not None
    _set_zero_flag(t, found)


@op("0F02", "Gv Ew")
@op("0F03", "Gv Ew")
def lar(t: X86Translator, dst: Operand, src: Operand) -> None:
    """LAR, LSL."""
    if _real(t):
        t.raise_ud()
        return
    helper = access_rights if t.insn.opcode == 2 else segment_limit
    found = t.call(helper, src.get(), returns=64)
    assert found is not None
    valid = t.setcond("ltu", found, INVALID)
    _set_zero_flag(t, valid)
    with t.if_("ne", valid, 0):
        dst.set(found.low(dst.bits))


@op("63", "Ew Gw", no64=True)
def arpl(t: X86Translator, dst: Operand, src: Operand) -> None:
    """ARPL: raise the selector's RPL to that of the source."""
    if _real(t):
        t.raise_ud()
        return
    selector = t.mov(t.temp(16), dst.modify())
    rpl = (src.get() & 3).zext(32)
    below = t.setcond("ltu", selector.zext(32) & 3, rpl)
    image = t.flags.image()
    with t.if_("ne", below, 0):
        dst.set((selector & 0xFFFC) | rpl.low(16))
    t.set_flags((image & ~ZF) | below.shl(6))
