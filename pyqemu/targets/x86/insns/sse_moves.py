"""SSE data movement (SDM vol. 1, 5.5.1.1, 5.6.1.1, 5.6.3, 5.7): moves of whole registers, halves and scalars."""

from __future__ import annotations

from pyqemu.targets.x86.layout import DS, RDI
from pyqemu.targets.x86.operands import MemoryOperand, Operand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.simd import lane, mixed, mmx, require_alignment, sse, upper, vector, write_mmx
from pyqemu.targets.x86.translator import X86Translator


@op("NP 0F28", "Vx Wx", feature="sse")
@op("NP 0F29", "Wx Vx", feature="sse")
@op("66 0F28", "Vx Wx", feature="sse2")
@op("66 0F29", "Wx Vx", feature="sse2")
@op("66 0F6F", "Vx Wx", feature="sse2")
@op("66 0F7F", "Wx Vx", feature="sse2")
@op("NP 0F2B", "Mx Vx", feature="sse")
@op("66 0F2B", "Mx Vx", feature="sse2")
@op("66 0FE7", "Mx Vx", feature="sse2")
@op("66 0F382A", "Vx Mx", feature="sse4_1")
@sse
def movaps(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVAPS, MOVAPD, MOVDQA, MOVNTPS, MOVNTPD, MOVNTDQ, MOVNTDQA: 16 aligned bytes."""
    _move(t, dst, src, aligned=True)


@op("NP 0F10", "Vx Wx", feature="sse")
@op("NP 0F11", "Wx Vx", feature="sse")
@op("66 0F10", "Vx Wx", feature="sse2")
@op("66 0F11", "Wx Vx", feature="sse2")
@op("F3 0F6F", "Vx Wx", feature="sse2")
@op("F3 0F7F", "Wx Vx", feature="sse2")
@op("F2 0FF0", "Vx Mx", feature="pni")
@sse
def movups(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVUPS, MOVUPD, MOVDQU, LDDQU: 16 bytes at any address."""
    _move(t, dst, src, aligned=False)


def _move(t: X86Translator, dst: Operand, src: Operand, *, aligned: bool) -> None:
    if aligned:
        require_alignment(t, src)
        require_alignment(t, dst, write=True)
    if isinstance(src, MemoryOperand):
        src.load(16, out=dst.get())
    else:
        dst.set(src.get())


@op("F3 0F10", "Vd Wd", feature="sse")
@op("F2 0F10", "Vq Wq", feature="sse2")
@sse
def movss_load(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVSS and MOVSD to a register: memory clears the rest of it, a register leaves the rest alone."""
    value = src.get()
    if isinstance(src, MemoryOperand):
        t.vec("zext32_128" if dst.bits == 32 else "widen128", value, out=dst.get(128))
    else:
        _insert_low(t, dst, src)


@op("F3 0F11", "Wd Vd", feature="sse")
@op("F2 0F11", "Wq Vq", feature="sse2")
@sse
def movss_store(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVSS and MOVSD to memory or a register, whose upper lanes stay."""
    if isinstance(dst, MemoryOperand):
        dst.set(src.get())
    else:
        _insert_low(t, dst, src)


def _insert_low(t: X86Translator, dst: Operand, src: Operand) -> None:
    if dst.bits == 64:
        dst.set(src.get())
    else:
        t.vec("pair32", src.get(32), lane(t, dst.get(), 1, 32), out=dst.get(64))


@op("66 0F6E", "Vx Ey", feature="sse2")
@sse
def movd_to_xmm(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVD and MOVQ from a general register or memory: the rest is cleared."""
    t.vec("zext32_128" if src.bits == 32 else "widen128", src.get(), out=dst.get())


@op("66 0F7E", "Ey Vx", feature="sse2")
@sse
def movd_from_xmm(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVD and MOVQ to a general register or memory."""
    dst.set(src.get(dst.bits))


@op("F3 0F7E", "Vq Wq", feature="sse2")
@sse
def movq_load(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVQ: the upper half is cleared."""
    t.vec("widen128", src.get(), out=dst.get(128))


@op("66 0FD6", "Wq Vq", feature="sse2")
@sse
def movq_store(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVQ to memory, or to a register, whose upper half is cleared."""
    if isinstance(dst, MemoryOperand):
        dst.set(src.get())
    else:
        t.vec("widen128", src.get(), out=dst.get(128))


@op("NP 0F12", "Vq Mq", feature="sse")
@op("NP 0F13", "Mq Vq", feature="sse")
@op("66 0F12", "Vq Mq", feature="sse2")
@op("66 0F13", "Mq Vq", feature="sse2")
@sse
def movlps(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVLPS and MOVLPD: the lower half."""
    if isinstance(src, MemoryOperand):
        src.load(8, out=dst.get())
    else:
        dst.set(src.get())


@op("NP 0F16", "Vq Mq", feature="sse")
@op("66 0F16", "Vq Mq", feature="sse2")
@sse
def movhps_load(t: X86Translator, dst: Operand, src: MemoryOperand) -> None:
    """MOVHPS and MOVHPD: memory to the upper half."""
    src.load(8, out=upper(t, dst))


@op("NP 0F17", "Mq Vq", feature="sse")
@op("66 0F17", "Mq Vq", feature="sse2")
@sse
def movhps_store(t: X86Translator, dst: MemoryOperand, src: Operand) -> None:
    """MOVHPS and MOVHPD: the upper half to memory."""
    dst.set(upper(t, src))


@op("NP 0F12", "Vq Uq", feature="sse")
@sse
def movhlps(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVHLPS: upper half to lower half."""
    dst.set(upper(t, src))


@op("NP 0F16", "Vq Uq", feature="sse")
@sse
def movlhps(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVLHPS: lower half to upper half."""
    upper(t, dst).set(src.get())


@op("F2 0F12", "Vx Wq", feature="pni")
@sse
def movddup(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVDDUP."""
    value = src.get()
    t.vec("pair64", value, value, out=dst.get())


@op("F3 0F12", "Vx Wx", feature="pni")
@op("F3 0F16", "Vx Wx", feature="pni")
@sse
def movsldup(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVSLDUP and MOVSHDUP: the even or the odd lanes twice."""
    value, odd = vector(t, src), t.insn.opcode == 0x16
    first, second = lane(t, value, odd, 32), lane(t, value, 2 + odd, 32)
    t.vec("quad32", first, first, second, second, out=dst.get())


@op("F3 0FD6", "Vx Nq", feature="sse2")
@mixed
def movq2dq(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVQ2DQ: MMX register to the lower half, the upper one is cleared."""
    t.vec("widen128", src.get(), out=dst.get())


@op("F2 0FD6", "Pq Uq", feature="sse2")
@mixed
def movdq2q(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVDQ2Q: the lower half to an MMX register."""
    dst.set(src.get())
    write_mmx(t, dst)


@op("NP 0FC3", "My Gy", feature="sse2")
def movnti(t: X86Translator, dst: MemoryOperand, src: Operand) -> None:
    """MOVNTI: a plain store; it needs no SSE state."""
    dst.set(src.get())


@op("NP 0F50", "Gd Ux", feature="sse")
@op("66 0F50", "Gd Ux", feature="sse2")
@op("66 0FD7", "Gd Ux", feature="sse2")
@sse
def movmsk(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVMSKPS, MOVMSKPD, PMOVMSKB: the sign bits of all lanes."""
    name = "pmovmskb" if t.insn.opcode == 0xD7 else "movmskpd" if t.insn.operand_prefix else "movmskps"
    t.vec(name, src.get(), out=dst.get())


class MaskedBytes(MemoryOperand):
    """The bytes at DS:rDI (DS can be overridden) that MASKMOVDQU and MASKMOVQ write."""

    @property
    def segment(self) -> int:
        return self.t.insn.segment if self.t.insn.segment >= 0 else DS

    def write(self, value: Operand, mask: Operand) -> None:
        """Store the bytes whose mask byte has bit 7 set; those are probed before any is written."""
        t, count = self.t, self.bits // 8
        pointer = t.glob(RDI, t.adsize)
        self._offset = offset = (pointer.zext(32) if t.adsize == 16 else pointer + 0), 0
        if self.segment not in t.flat:
            self._linear = t.linear(self.segment, offset[0])
        for probing in (True, False):
            for n in range(count):
                selected = lane(t, mask.get(), n, 8) & 0x80
                self._checked = [0, 0]
                with t.if_("ne", selected, 0):
                    if probing:
                        self.probe(1, skip=n)
                    else:
                        self.store(lane(t, value.get(), n, 8), 1, skip=n)


@op("66 0FF7", "Vx Ux", feature="sse2")
@sse
def maskmovdqu(t: X86Translator, value: Operand, mask: Operand) -> None:
    """MASKMOVDQU."""
    MaskedBytes(t, 128).write(value, mask)


@op("NP 0FF7", "Pq Nq", feature="sse")
@op("NP 0FF7", "Pq Nq", feature="mmxext")
@mmx
def maskmovq(t: X86Translator, value: Operand, mask: Operand) -> None:
    """MASKMOVQ."""
    MaskedBytes(t, 64).write(value, mask)
