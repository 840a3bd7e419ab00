"""The processor for human eyes: registers, disassembly, and one entry for each event that is delivered (``-d``).

The forms are those of QEMU, so that logs of both can be compared line by line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyqemu.targets.x86.layout import (
    DESC_A,
    DESC_B,
    DESC_CODE,
    DESC_DPL_SHIFT,
    DESC_E,
    DESC_G,
    DESC_L,
    DESC_P,
    DESC_S,
    DESC_TYPE_SHIFT,
    DESC_W,
    EXC_PF,
    HF_CPL,
    HF_CS32,
    HF_CS64,
    HF_LMA,
    HF_PE,
    HF_SHADOW,
    M32,
)

if TYPE_CHECKING:
    from pyqemu.targets.x86.exceptions import X86Exception
    from pyqemu.targets.x86.state import SegmentCache, X86Cpu

_FLAGS = ((1 << 10, "D"), (1 << 11, "O"), (1 << 7, "S"), (1 << 6, "Z"), (1 << 4, "A"), (1 << 2, "P"), (1 << 0, "C"))
_ROWS_32 = ("eax ebx ecx edx", "esi edi ebp esp")
_ROWS_64 = ("rax rbx rcx rdx", "rsi rdi rbp rsp", "r8 r9 r10 r11", "r12 r13 r14 r15")
_SYSTEM_TYPES = (
    "Reserved", "TSS16-avl", "LDT", "TSS16-busy", "CallGate16", "TaskGate", "IntGate16", "TrapGate16",
    "Reserved", "TSS32-avl", "Reserved", "TSS32-busy", "CallGate32", "Reserved", "IntGate32", "TrapGate32",
)  # fmt: skip
_SYSTEM_TYPES_64 = {
    0: "<hiword>", 2: "LDT", 9: "TSS64-avl", 11: "TSS64-busy", 12: "CallGate64", 14: "IntGate64", 15: "TrapGate64",
}  # fmt: skip


def disassemble(cpu: X86Cpu, code: bytes, address: int) -> list[tuple[int, str]]:
    """Return the instructions of *code* as the present mode understands them; bytes that are none are shown as such."""
    try:
        import capstone
    except ImportError:  # optional: without it logs have the bytes
        return [(address, code.hex(" "))]
    mode = (
        capstone.CS_MODE_64
        if cpu.hflags & HF_CS64
        else capstone.CS_MODE_32
        if cpu.hflags & HF_CS32
        else capstone.CS_MODE_16
    )
    decoder: Any = capstone.Cs(capstone.CS_ARCH_X86, mode)
    decoder.skipdata = True
    return [(insn.address, f"{insn.mnemonic} {insn.op_str}".rstrip()) for insn in decoder.disasm(code, address)]


def registers_text(cpu: X86Cpu) -> str:
    """Return the integer and system registers, as ``info registers`` shows them."""
    long = bool(cpu.hflags & HF_LMA)
    lines = _general(cpu, long)
    names = ("ES", "CS", "SS", "DS", "FS", "GS", "LDT", "TR")
    lines += [_segment(name, segment, cpu.hflags) for name, segment in zip(names, cpu.seg, strict=True)]
    digits = 16 if long else 8
    lines.append(f"GDT=     {cpu.gdt_base:0{digits}x} {cpu.gdt_limit:08x}")
    lines.append(f"IDT=     {cpu.idt_base:0{digits}x} {cpu.idt_limit:08x}")
    lines.append(f"CR0={cpu.cr0:08x} CR2={cpu.cr2:0{digits}x} CR3={cpu.cr3:0{digits}x} CR4={cpu.cr4:08x}")
    lines.append(" ".join(f"DR{n}={value:016x}" for n, value in enumerate((cpu.dr0, cpu.dr1, cpu.dr2, cpu.dr3))))
    lines.append(f"DR6={cpu.dr6:016x} DR7={cpu.dr7:016x}")
    lines.append(f"EFER={cpu.efer:016x}")
    return "\n".join(lines)


def _general(cpu: X86Cpu, long: bool) -> list[str]:
    if long:
        lines = [" ".join(f"{name.upper():3}={getattr(cpu, name):016x}" for name in row.split()) for row in _ROWS_64]
        pointer = f"RIP={cpu.eip:016x} RFL"
    else:
        lines = [
            " ".join(f"{name.upper()}={getattr(cpu, 'r' + name[1:]) & M32:08x}" for name in row.split())
            for row in _ROWS_32
        ]
        pointer = f"EIP={cpu.eip & M32:08x} EFL"
    eflags = cpu.get_eflags()
    letters = "".join(letter if eflags & bit else "-" for bit, letter in _FLAGS)
    inhibited = bool(cpu.hflags & HF_SHADOW) or cpu.shadow_eip == cpu.eip
    a20 = cpu.a20_mask >> 20 & 1
    level = cpu.hflags & HF_CPL
    state = f"CPL={level} II={inhibited:d} A20={a20} SMM=0 HLT={cpu.halted:d}"
    return [*lines, f"{pointer}={eflags:08x} [{letters}] {state}"]


def _segment(name: str, segment: SegmentCache, hflags: int) -> str:
    base = f"{segment.base:016x}" if hflags & HF_LMA else f"{segment.base & M32:08x}"
    nibble = segment.limit >> (28 if segment.flags & DESC_G else 16) & 15  # bits 19 to 16 of the descriptor's limit
    line = f"{name:3}={segment.selector:04x} {base} {segment.limit:08x} {segment.flags | nibble << 16:08x}"
    if not (hflags & HF_PE and segment.flags & DESC_P):
        return line
    return f"{line} DPL={segment.flags >> DESC_DPL_SHIFT & 3} {_segment_type(segment.flags, bool(hflags & HF_LMA))}"


def _segment_type(flags: int, long: bool) -> str:
    """What kind of segment a descriptor describes (SDM vol. 3, 3.4.5.1 and 3.5)."""
    if not flags & DESC_S:
        kind = flags >> DESC_TYPE_SHIFT & 15
        return _SYSTEM_TYPES_64.get(kind, "Reserved") if long else _SYSTEM_TYPES[kind]
    if flags & DESC_CODE:
        size = "CS64" if flags & DESC_L else "CS32" if flags & DESC_B else "CS16"
        letters = "CR"
    else:
        size = "DS  " if flags & DESC_B or long else "DS16"
        letters = "EW"
    bits = zip((DESC_E, DESC_W, DESC_A), (*letters, "A"), strict=True)  # C and R are the same bits in code segments
    return f"{size} [{''.join(letter if flags & bit else '-' for bit, letter in bits)}]"


def event_text(cpu: X86Cpu, event: X86Exception) -> str:
    """Return what ``-d int`` tells when *event* is about to be delivered: vector, error code, place, all registers."""
    head = f"v={event.vector:02x} e={event.error_code or 0:04x} i={event.is_software:d} cpl={cpu.hflags & HF_CPL}"
    where = (
        f"IP={cpu.cs.selector:04x}:{cpu.eip:016x} pc={cpu.block_key()[0]:016x} SP={cpu.ss.selector:04x}:{cpu.rsp:016x}"
    )
    extra = f"CR2={cpu.cr2:016x}" if event.vector == EXC_PF and not event.is_software else f"EAX={cpu.rax:016x}"
    return f"{head} {where} {extra} {event}\n{registers_text(cpu)}"
