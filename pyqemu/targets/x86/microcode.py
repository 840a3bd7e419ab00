"""Busy system instructions as IR: what a processor has microcode for, without leaving native code.

Here are the cases that operating systems live in: loads of segment registers with ordinary data segments, IRET
between flat segments of ring 0 and ring 3, SYSCALL, SYSRET, SYSENTER, SYSEXIT, and everything far in real mode. Each
function tests whether its case is given, with loads but without a write, and goes to the Python helper if not; the
helper knows all the rules and all the faults.

`hflags` is put together here in the same way as in `X86Cpu.update_hflags`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.targets.x86 import syscalls
from pyqemu.targets.x86.layout import (
    AC,
    CC_MASK,
    CR4,
    CS,
    DF,
    DS,
    EFER,
    EFER_SCE,
    EFLAGS,
    EFLAGS_ONES,
    EIP,
    ES,
    EXC_GP,
    FS,
    GDT_BASE,
    GDT_LIMIT,
    GS,
    HF_BREAK,
    HF_CS32,
    HF_CS64,
    HF_CS_FLAT,
    HF_DS_FLAT,
    HF_EM,
    HF_ES_FLAT,
    HF_IOPL,
    HF_LMA,
    HF_MP,
    HF_OSFXSR,
    HF_PE,
    HF_SMAP,
    HF_SS32,
    HF_SS_FLAT,
    HF_TS,
    HFLAGS,
    ID,
    IDT_BASE,
    IDT_LIMIT,
    IF,
    IOPL_MASK,
    IRQ_PENDING,
    LSTAR,
    M32,
    NMI_BLOCKED,
    NT,
    R11,
    RCX,
    RDX,
    RF,
    RSP,
    SEG_BASE,
    SEG_FLAGS,
    SEG_LIMIT,
    SEG_READ_HI,
    SEG_READ_LO,
    SEG_SELECTOR,
    SEG_WRITE_HI,
    SEG_WRITE_LO,
    SFMASK,
    SS,
    STAR,
    SYSENTER_CS,
    SYSENTER_EIP,
    SYSENTER_ESP,
    TF,
    VM,
)

if TYPE_CHECKING:
    from pyqemu.targets.x86.translator import X86Translator
    from pyqemu.tcg.builder import Label, Value
    from pyqemu.tcg.hole import Hole

CONTROL = HF_TS | HF_EM | HF_MP | HF_OSFXSR | HF_PE | HF_LMA | HF_BREAK  # mode bits that no transfer changes
FLAT_LONG = HF_CS64 | HF_CS32 | HF_SS32 | HF_CS_FLAT | HF_SS_FLAT | HF_DS_FLAT | HF_ES_FLAT
FLAT_32 = HF_CS32 | HF_SS32 | HF_CS_FLAT | HF_SS_FLAT
DATA_FLAT = HF_DS_FLAT | HF_ES_FLAT
FLAT_BIT = {SS: HF_SS_FLAT, DS: HF_DS_FLAT, ES: HF_ES_FLAT}
IRET_FLAGS = TF | IF | DF | IOPL_MASK | NT | AC | ID  # what IRET and POPF may change in ring 0, but for RF and VM
CODE_32, CODE_64, DATA_32 = 0xC09B00, 0xA09B00, 0xC09300  # attributes of flat segments, DPL 0
FLAT_LIMIT, AVL, SIZE_L, SIZE_D, READABLE = 0x8F_0000_0000_FFFF, 1 << 52, 1 << 53, 1 << 54, 1 << 41  # of a descriptor
ATTRIBUTES = 0xF0FF00

Slow = Callable[[], None]


# --- what they share
# --------------------------------------------------------------------------------------------------


def _write_flat(t: X86Translator, index: int, selector: Value, attributes: Value | int) -> None:
    """Write CS or SS with a flat segment."""
    t.glob(SEG_SELECTOR(index), 64).set(selector)
    t.glob(SEG_BASE(index), 64).set(0)
    t.glob(SEG_LIMIT(index), 64).set(M32)
    t.glob(SEG_FLAGS(index), 64).set(attributes)
    t.glob(SEG_READ_LO(index), 64).set(0)
    t.glob(SEG_READ_HI(index), 64).set(M32)
    t.glob(SEG_WRITE_LO(index), 64).set(1 if index == CS else 0)
    t.glob(SEG_WRITE_HI(index), 64).set(0 if index == CS else M32)


def _write_mode(t: X86Translator, level: int, image: Value, keep: int, add: int) -> None:
    """Write `hflags` for privilege `level` (0 or 3) and the EFLAGS bits in `image` (32 bits); CS is flat."""
    hf = t.glob(HFLAGS, 32)
    new = (hf & (CONTROL | keep)) | (add | level | (0 if level else HF_IOPL))
    new = new | (image & TF).shl(4)
    if level:
        new = new | t.setcond("eq", image & IOPL_MASK, IOPL_MASK).shl(15)
    else:
        new = new | (t.glob(CR4, 32).shr(1) & ~image.shl(2) & HF_SMAP)
    hf.set(new)  # the upper half, the CS base, becomes zero


def _exit_if_pending(t: X86Translator, image: Value) -> None:
    """Have the next block leave if `image` enables interrupts and one is waiting. Before the program counter is
    written.
    """
    waiting = t.setcond("ne", t.glob(IRQ_PENDING, 64), 0) & image.shr(9)
    with t.if_("ne", waiting & 1, 0):
        t.call(syscalls.request_exit)


def _go(t: X86Translator, target: Value) -> None:
    """End the block at a target in a flat code segment."""
    t.glob(EIP, 64).set(target)
    t.end()
    t.emit("goto_ptr", EIP, HFLAGS)


def _not_canonical(t: X86Translator, address: Value, slow: Label) -> None:
    t.brcond("ne", address.shl(16).sar(16), address, slow)


# --- SYSCALL and relatives
# --------------------------------------------------------------------------------------------


def syscall(t: X86Translator, helper: Slow) -> None:
    """SYSCALL in 64-bit mode."""
    slow = t.label()
    t.brcond("eq", t.glob(EFER, 32) & EFER_SCE, 0, slow)
    before = (t.glob(EFLAGS, 32) & ~RF) | t.flags.image() | EFLAGS_ONES
    image = before & ~t.glob(SFMASK, 32)
    t.glob(R11, 64).set(before.zext(64))
    t.glob(RCX, 64).set(t.next_pc)
    selector = t.glob(STAR, 64).shr(32)
    _write_flat(t, CS, selector & 0xFFFC, CODE_64)
    _write_flat(t, SS, (selector + 8) & 0xFFFC, DATA_32)
    _write_mode(t, 0, image, 0, FLAT_LONG)
    t.glob(EFLAGS, 64).set((image & ~(CC_MASK | EFLAGS_ONES)).zext(64))
    t.set_flags(image)
    _go(t, t.glob(LSTAR, 64))
    t.bind(slow)
    helper()


def sysret(t: X86Translator, helper: Slow) -> None:
    """SYSRET to 64-bit mode, in ring 0."""
    slow = t.label()
    t.brcond("eq", t.glob(EFER, 32) & EFER_SCE, 0, slow)
    _not_canonical(t, t.glob(RCX, 64), slow)
    image = t.glob(R11, 32) & syscalls.SYSRET_FLAGS
    _exit_if_pending(t, image)
    selector = t.glob(STAR, 64).shr(48)
    _write_flat(t, CS, ((selector + 16) | 3) & 0xFFFF, CODE_64 | 3 << 13)
    _write_flat(t, SS, ((selector + 8) | 3) & 0xFFFF, DATA_32 | 3 << 13)
    _write_mode(t, 3, image, 0, FLAT_LONG)
    t.glob(EFLAGS, 64).set((image & ~(CC_MASK | EFLAGS_ONES)).zext(64))
    t.set_flags(image)
    _go(t, t.glob(RCX, 64))
    t.bind(slow)
    helper()


def sysenter(t: X86Translator, helper: Slow) -> None:
    """SYSENTER outside long mode."""
    slow = t.label()
    selector = t.glob(SYSENTER_CS, 64)
    t.brcond("eq", selector & 0xFFFC, 0, slow)
    image = t.glob(EFLAGS, 32) & ~(VM | IF | RF)
    _write_flat(t, CS, selector & 0xFFFC, CODE_32)
    _write_flat(t, SS, (selector + 8) & 0xFFFC, DATA_32)
    _write_mode(t, 0, image, DATA_FLAT, FLAT_32)
    t.glob(EFLAGS, 64).set(image.zext(64))
    t.glob(RSP, 64).set(t.glob(SYSENTER_ESP, 32).zext(64))
    _go(t, t.glob(SYSENTER_EIP, 32).zext(64))
    t.bind(slow)
    helper()


def sysexit(t: X86Translator, helper: Slow) -> None:
    """SYSEXIT outside long mode, in ring 0."""
    slow = t.label()
    selector = t.glob(SYSENTER_CS, 64)
    t.brcond("eq", selector & 0xFFFC, 0, slow)
    image = t.mov(t.temp(32), t.glob(EFLAGS, 32))
    _exit_if_pending(t, image)
    _write_flat(t, CS, ((selector + 16) | 3) & 0xFFFF, CODE_32 | 3 << 13)
    _write_flat(t, SS, ((selector + 24) | 3) & 0xFFFF, DATA_32 | 3 << 13)
    _write_mode(t, 3, image, DATA_FLAT, FLAT_32)
    t.glob(RSP, 64).set(t.glob(RCX, 32).zext(64))
    _go(t, t.glob(RDX, 32).zext(64))
    t.bind(slow)
    helper()


# --- descriptors
# ------------------------------------------------------------------------------------------------------


def _read_descriptor(t: X86Translator, selector: Value, slow: Label) -> Value:
    """Return the GDT entry of `selector` (64 bits, zero-extended). LDT and selectors beyond the limit are slow."""
    index = selector & 0xFFF8
    beyond = t.setcond("gtu", index + 7, t.glob(GDT_LIMIT, 64))
    t.brcond("ne", beyond | (selector.low(32) & 4), 0, slow)
    address = t.glob(GDT_BASE, 64) + index
    return t.ld(address, size=8, addr_bits=64 if t.static.long else 32, mmu=0)


def _require_flat(
    t: X86Translator, descriptor: Value, access: int, slow: Label, *, size: int, ignore: int = 0
) -> Value:
    """Go to `slow` unless `descriptor` is a flat segment with that access byte; return its attributes.

    :param size: SIZE_L or SIZE_D: which of these two bits is set.
    :param ignore: bits that do not matter, beside AVL.
    """
    care = ((1 << 64) - 1) & ~(AVL | ignore)
    t.brcond("ne", descriptor & care, (FLAT_LIMIT | access << 40 | size) & care, slow)
    return descriptor.shr(32) & ATTRIBUTES


# --- IRET
# -------------------------------------------------------------------------------------------------------------


def iret(t: X86Translator, helper: Slow) -> None:
    """IRET in ring 0 of 64-bit mode, or of 32-bit protected mode outside long mode, with a flat stack."""
    bits, size, wide = t.opsize, t.opsize // 8, t.mode == 64
    slow, outer = t.label(), t.label()
    target = t.stack_load(bits).zext(64)
    selector = t.stack_load(bits, size).zext(64) & 0xFFFF
    image = t.stack_load(bits, 2 * size).low(32)
    unusual = (t.glob(EFLAGS, 32) & NT) | (image & VM)
    t.brcond("ne", unusual, 0, slow)
    if wide:
        _not_canonical(t, target, slow)
    code = _read_descriptor(t, selector, slow)
    t.brcond("eq", selector & 3, 3, outer)
    t.brcond("ne", selector & 3, 0, slow)
    attributes = _require_flat(t, code, 0x99, slow, size=SIZE_L if wide else SIZE_D, ignore=READABLE)
    pointer = _inner_pointer(t, slow) if wide else None
    _exit_if_pending(t, image)
    _finish_iret(t, 0, selector, attributes, image)
    if pointer is None:
        t.move_stack(3 * size)
    else:
        t.rsp().set(pointer)
    _go(t, target)
    t.bind(outer)
    attributes = _require_flat(t, code, 0xF9, slow, size=SIZE_L if wide else SIZE_D, ignore=READABLE)
    pointer = t.stack_load(bits, 3 * size)
    stack = t.stack_load(bits, 4 * size).zext(64) & 0xFFFF
    t.brcond("ne", stack & 3, 3, slow)
    descriptor = _read_descriptor(t, stack, slow)
    stack_attributes = _require_flat(t, descriptor, 0xF3, slow, size=SIZE_D, ignore=SIZE_D if wide else 0)
    _require_user_data(t, slow)
    _exit_if_pending(t, image)
    _write_flat(t, SS, stack, stack_attributes)
    _finish_iret(t, 3, selector, attributes, image)
    t.glob(RSP, 64).set(pointer.zext(64))
    _go(t, target)
    t.bind(slow)
    helper()


def _inner_pointer(t: X86Translator, slow: Label) -> Value:
    """Return the RSP that IRET within ring 0 of 64-bit mode pops. The SS beside it is slow unless it is the
    present one.
    """
    pointer = t.stack_load(64, 24)
    stack = t.stack_load(64, 32) & 0xFFFF
    t.brcond("ne", stack, t.glob(SEG_SELECTOR(SS), 64), slow)
    return pointer


def _finish_iret(t: X86Translator, level: int, selector: Value, attributes: Value, image: Value) -> None:
    """Write CS, flags and mode bits."""
    wide = t.mode == 64
    _write_flat(t, CS, selector, attributes)
    keep = 0 if wide else DATA_FLAT if level else DATA_FLAT | HF_SS32 | HF_SS_FLAT
    add = FLAT_LONG if wide else HF_CS32 | HF_CS_FLAT | (HF_SS32 | HF_SS_FLAT if level else 0)
    _write_mode(t, level, image, keep, add)
    t.glob(EFLAGS, 64).set((image & IRET_FLAGS).zext(64))
    t.glob(NMI_BLOCKED, 64).set(0)
    t.set_flags(image)


def _require_user_data(t: X86Translator, slow: Label) -> None:
    """Go to `slow` if a data segment must be dropped on the way to ring 3: not null and of a smaller DPL."""
    for index in (ES, DS, FS, GS):
        usable = t.setcond("gtu", t.glob(SEG_SELECTOR(index), 64), 3)
        inner = t.setcond("ne", t.glob(SEG_FLAGS(index), 32) & 3 << 13, 3 << 13)
        t.brcond("ne", usable & inner, 0, slow)


# --- segment registers
# ------------------------------------------------------------------------------------------------


def load_segment(t: X86Translator, index: int, selector: Value, helper: Slow) -> None:
    """Load a segment register in protected mode: null, or writable expand-up data of the GDT that has been
    accessed.
    """
    slow, done = t.label(), t.label()
    wide = selector.zext(64)
    if index != SS:
        load = t.label()
        t.brcond("gtu", wide, 3, load)
        _write_null(t, index, wide)
        t.br(done)
        t.bind(load)
    descriptor = _read_descriptor(t, wide, slow)
    dpl = descriptor.shr(45).low(32) & 3
    rpl = wide.low(32) & 3
    access = descriptor.shr(40) & 0x9F
    t.brcond("ne", access, 0x93, slow)
    if index == SS:
        t.brcond("ne", (dpl ^ t.cpl) | (rpl ^ t.cpl), 0, slow)
    else:
        t.brcond("ltu", dpl, rpl, slow)
        if t.cpl:
            t.brcond("ltu", dpl, t.cpl, slow)
    _write_data(t, index, wide, descriptor)
    t.br(done)
    t.bind(slow)
    helper()
    t.bind(done)


def _write_null(t: X86Translator, index: int, selector: Value) -> None:
    t.glob(SEG_SELECTOR(index), 64).set(selector)
    for slot in (SEG_BASE, SEG_LIMIT, SEG_FLAGS, SEG_READ_HI, SEG_WRITE_HI):
        t.glob(slot(index), 64).set(0)
    for slot in (SEG_READ_LO, SEG_WRITE_LO):
        t.glob(slot(index), 64).set(1)
    if index in FLAT_BIT and t.mode != 64:
        hf = t.glob(HFLAGS, 64)
        t.and_(hf, ~FLAT_BIT[index], out=hf)


def _write_data(t: X86Translator, index: int, selector: Value, descriptor: Value) -> None:
    """Write a segment register with a writable, expand-up data segment."""
    base = (descriptor.shr(16) & 0xFFFFFF) | descriptor.shr(56).shl(24)
    limit = (descriptor & 0xFFFF) | (descriptor.shr(32) & 0xF0000)
    coarse = t.setcond("ne", descriptor.shr(55) & 1, 0)
    limit = t.select(coarse, limit.shl(12) | 0xFFF, limit, t.temp(64))
    attributes = descriptor.shr(32) & ATTRIBUTES
    for slot, value in ((SEG_SELECTOR, selector), (SEG_BASE, base), (SEG_LIMIT, limit), (SEG_FLAGS, attributes),
                        (SEG_READ_HI, limit), (SEG_WRITE_HI, limit)):  # fmt: skip
        t.glob(slot(index), 64).set(value)
    for slot in (SEG_READ_LO, SEG_WRITE_LO):
        t.glob(slot(index), 64).set(0)
    if index in FLAT_BIT and t.mode != 64:
        flat = t.setcond("eq", base | (limit ^ M32), 0)
        position = FLAT_BIT[index].bit_length() - 1
        bits, mask = flat.shl(position), FLAT_BIT[index]
        if index == SS:
            bits, mask = bits | descriptor.shr(54 - 3).low(32) & HF_SS32, mask | HF_SS32
        hf = t.glob(HFLAGS, 64)
        hf.set((hf & ~mask) | bits.zext(64))


# --- real and virtual-8086 mode
# ---------------------------------------------------------------------------------------


def _go_real(t: X86Translator, selector: Value, offset: Value) -> None:
    """End the block at selector:offset (64 bits each): the CS base is a part of the mode."""
    base = selector.shl(4)
    t.glob(SEG_SELECTOR(CS), 64).set(selector)
    t.glob(SEG_BASE(CS), 64).set(base)
    hf = t.glob(HFLAGS, 64)
    hf.set((hf & M32) | base.shl(32))
    t.glob(EIP, 64).set(offset)
    place = t.mov(t.temp(64), (base + offset) & M32)
    t.end()
    t.emit("goto_ptr", place.offset, HFLAGS)


def _check_real(t: X86Translator, offset: Value) -> None:
    """#GP(0) if an offset is beyond the limit of CS."""
    with t.if_("gtu", offset, t.glob(SEG_LIMIT(CS), 64)):
        t.fault(EXC_GP, 0)


def jump_real(t: X86Translator, selector: Value, offset: Value) -> None:
    """JMP far; selector and offset are 64 bits wide."""
    _check_real(t, offset)
    _go_real(t, selector, offset)


def call_real(t: X86Translator, selector: Value, offset: Value) -> None:
    """CALL far."""
    size = t.opsize // 8
    _check_real(t, offset)
    t.stack_store(t.glob(SEG_SELECTOR(CS), t.opsize), t.opsize, -size)
    t.stack_store(t.next_pc.masked(t.opsize), t.opsize, -2 * size)
    t.move_stack(-2 * size)
    _go_real(t, selector, offset)


def return_real(t: X86Translator, release: int) -> None:
    """RET far."""
    size = t.opsize // 8
    offset = t.stack_load(t.opsize).zext(64)
    selector = t.stack_load(t.opsize, size).zext(64) & 0xFFFF
    _check_real(t, offset)
    t.move_stack(2 * size + release)
    _go_real(t, selector, offset)


def iret_real(t: X86Translator, helper: Slow) -> None:
    """IRET in real mode or, with IOPL 3, in virtual-8086 mode, unless it sets TF."""
    size, slow = t.opsize // 8, t.label()
    offset = t.stack_load(t.opsize).zext(64)
    selector = t.stack_load(t.opsize, size).zext(64) & 0xFFFF
    popped = t.stack_load(t.opsize, 2 * size)
    image = popped.zext(32)
    rest = t.glob(EFLAGS, 32)
    t.brcond("ne", (image | rest) & (TF | RF), 0, slow)
    _check_real(t, offset)
    _exit_if_pending(t, image)
    mask = IF | DF | NT | (0 if t.static.vm86 else IOPL_MASK) | (AC | ID if t.opsize == 32 else 0)
    t.move_stack(3 * size)
    t.glob(EFLAGS, 64).set(((rest & ~mask) | (image & mask)).zext(64))
    t.glob(NMI_BLOCKED, 64).set(0)
    t.set_flags(image)
    _go_real(t, selector, offset)
    t.bind(slow)
    helper()


def interrupt_real(t: X86Translator, vector: int | Hole, helper: Slow) -> None:
    """INT n in real mode."""
    slow = t.label()
    entry = t.value(vector, 64).shl(2)
    rest = t.glob(EFLAGS, 32)
    short = t.setcond("gtu", entry + 3, t.glob(IDT_LIMIT, 64))
    t.brcond("ne", short | (rest & TF), 0, slow)
    target = t.ld(t.glob(IDT_BASE, 32) + entry.low(32), size=4, to=64, addr_bits=32, mmu=0)
    image = rest | t.flags.image() | EFLAGS_ONES
    t.stack_store(image.low(16), 16, -2)
    t.stack_store(t.glob(SEG_SELECTOR(CS), 16), 16, -4)
    t.stack_store(t.next_pc.masked(16), 16, -6)
    t.move_stack(-6)
    t.glob(EFLAGS, 64).set((rest & ~(IF | TF | AC | RF)).zext(64))
    _go_real(t, target.shr(16), target & 0xFFFF)
    t.bind(slow)
    helper()
