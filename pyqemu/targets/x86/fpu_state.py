"""The x87 register stack, its exceptions, and its images in memory (SDM vol. 1, chapter 8 and 10.5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyqemu.fpu import EXTENDED, INVALID, X87_NANS, Kind, Status
from pyqemu.targets.x86.exceptions import gp
from pyqemu.targets.x86.layout import CR0_NE, EFER_FFXSR, EXC_MF, FPST, HF_CS64, HF_PE, HF_VM, M16, M32, xmm
from pyqemu.targets.x86.translator import raise_exception

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu
else:
    X86Cpu = Any

C0, C1, C2, C3 = 0x100, 0x200, 0x400, 0x4000
CONDITION = C0 | C1 | C2 | C3
STACK_FAULT, ERROR_SUMMARY, BUSY = 0x40, 0x80, 0x8000
TOP_MASK, TOP_SHIFT = 0x3800, 11
EXCEPTIONS = 0x3F
ALL_EMPTY = 0x0101010101010101
NANS = X87_NANS
DEFAULT_NAN = NANS.default(EXTENDED)
PRECISIONS = (24, 0, 53, 0)  #: of the precision control field; 0 stands for all 64 bits
MXCSR_RESERVED = ~0xFFFF & M32
MXCSR_RESET = 0x1F80
_FIRST = FPST >> 3


# --- the stack --------------------------------------------------------------------------------------------------------


def status(cpu: X86Cpu, *, controlled: bool = False) -> Status:
    """Return the environment of an operation; `controlled` ones obey the precision control field."""
    control = cpu.fpuc
    result = Status(NANS, control >> 10 & 3, precision=PRECISIONS[control >> 8 & 3] if controlled else 0)
    result.trap_underflow = not control & 0x10
    return result


def is_empty(cpu: X86Cpu, number: int) -> bool:
    """Return whether ST(number) is tagged as empty."""
    return bool(cpu.fptags >> 8 * (cpu.fpstt + number & 7) & 1)


def get(cpu: X86Cpu, number: int) -> int:
    """Return ST(number), 80 bits."""
    at = _FIRST + 2 * (cpu.fpstt + number & 7)
    value: int = cpu.q[at] | (cpu.q[at + 1] & M16) << 64
    return value


def put(cpu: X86Cpu, number: int, value: int) -> None:
    """Write ST(number), which is valid afterwards."""
    physical = cpu.fpstt + number & 7
    at = _FIRST + 2 * physical
    cpu.q[at], cpu.q[at + 1] = value & (1 << 64) - 1, value >> 64
    cpu.fptags &= ~(1 << 8 * physical)


def pop(cpu: X86Cpu) -> None:
    """Empty ST(0) and increment TOP."""
    cpu.fptags |= 1 << 8 * cpu.fpstt
    cpu.fpstt = cpu.fpstt + 1 & 7


def push(cpu: X86Cpu, value: int) -> None:
    """Decrement TOP and write ST(0); a register in use there is a stack fault."""
    if not is_empty(cpu, 7):
        if stack_fault(cpu, overflow=True):
            return
        value = DEFAULT_NAN
    else:
        set_c1(cpu, False)
    cpu.fpstt = cpu.fpstt - 1 & 7
    put(cpu, 0, value)


def set_c1(cpu: X86Cpu, up: bool) -> None:
    """Write C1: the last rounding was upwards."""
    cpu.fpus = cpu.fpus & ~C1 | (C1 if up else 0)


# --- exceptions -------------------------------------------------------------------------------------------------------


def signal(cpu: X86Cpu, flags: int) -> int:
    """Set exception flags; return those that are not masked. The handler runs before the next waiting instruction."""
    unmasked = flags & ~cpu.fpuc & EXCEPTIONS
    cpu.fpus |= flags | (ERROR_SUMMARY | BUSY if unmasked else 0)
    return unmasked


def stack_fault(cpu: X86Cpu, *, overflow: bool) -> bool:
    """Signal a stack fault; return whether it is not masked, so that the instruction has no effect."""
    set_c1(cpu, overflow)
    return bool(signal(cpu, INVALID | STACK_FAULT) & INVALID)


def update_summary(cpu: X86Cpu) -> None:
    """Derive ES and B after the control or the status word was loaded."""
    pending = cpu.fpus & ~cpu.fpuc & EXCEPTIONS
    cpu.fpus = cpu.fpus & ~(ERROR_SUMMARY | BUSY) | (ERROR_SUMMARY | BUSY if pending else 0)


def wait(cpu: X86Cpu) -> None:
    """Report a pending exception: #MF, or on the FERR line to the interrupt controller (SDM vol. 1, 8.7)."""
    if cpu.fpus & ERROR_SUMMARY:
        if cpu.cr0 & CR0_NE:
            raise_exception(cpu, EXC_MF)
        cpu.on_ferr(True)


def initialize(cpu: X86Cpu) -> None:
    """FNINIT (SDM vol. 1, table 8-? of FINIT/FNINIT): control word 37F, everything masked, all registers empty."""
    cpu.fpuc, cpu.fpus, cpu.fpstt, cpu.fptags = 0x37F, 0, 0, ALL_EMPTY
    cpu.fpop = cpu.fpip = cpu.fpcs = cpu.fpdp = cpu.fpds = 0


# --- status and tag words ---------------------------------------------------------------------------------------------


def status_word(cpu: X86Cpu) -> int:
    """Return the status word with TOP."""
    return cpu.fpus & ~TOP_MASK | cpu.fpstt << TOP_SHIFT


def set_status_word(cpu: X86Cpu, value: int) -> None:
    """Load the status word; the summary follows from the control word."""
    cpu.fpus = value & ~TOP_MASK & M16
    cpu.fpstt = value >> TOP_SHIFT & 7
    update_summary(cpu)


def tag_word(cpu: X86Cpu) -> int:
    """Return the full tag word: 0 valid, 1 zero, 2 special, 3 empty, for each physical register."""
    word = 0
    for n in range(8):
        word |= (3 if cpu.fptags >> 8 * n & 1 else _tag(cpu, n)) << 2 * n
    return word


def _tag(cpu: X86Cpu, physical: int) -> int:
    at = _FIRST + 2 * physical
    number = EXTENDED.unpack(cpu.q[at] | (cpu.q[at + 1] & M16) << 64)
    if number.kind is Kind.ZERO:
        return 1
    return 0 if number.kind is Kind.FINITE and not number.subnormal else 2


def set_tag_word(cpu: X86Cpu, word: int) -> None:
    """Load the tag word: only empty registers are told from the others."""
    cpu.fptags = sum(1 << 8 * n for n in range(8) if word >> 2 * n & 3 == 3)


def set_control_word(cpu: X86Cpu, value: int) -> None:
    """FLDCW: bit 6 reads as one, the reserved upper bits as zero."""
    cpu.fpuc = value & 0x1F7F | 0x40
    update_summary(cpu)


# --- FSTENV, FSAVE ----------------------------------------------------------------------------------------------------


def environment(cpu: X86Cpu, bits: int) -> bytes:
    """Return the image of FNSTENV for an operand size (SDM vol. 1, figures 8-9 to 8-12)."""
    protected = cpu.hflags & (HF_PE | HF_VM) == HF_PE
    words = [cpu.fpuc, status_word(cpu), tag_word(cpu)]
    size = bits // 8
    ones = 0 if size == 2 else 0xFFFF0000
    out = b"".join((word | ones).to_bytes(size, "little") for word in words)
    limit = M32 if size == 4 else M16
    if protected:
        fields = [
            cpu.fpip & limit,
            cpu.fpcs & M16 | (cpu.fpop << 16 if size == 4 else 0),
            cpu.fpdp & limit,
            cpu.fpds & M16,
        ]
        if size == 4:
            fields[3] |= 0xFFFF0000
    else:
        ip, dp = (cpu.fpip + (cpu.fpcs << 4)) & M32, (cpu.fpdp + (cpu.fpds << 4)) & M32
        if size == 4:
            fields = [ip & M16, ip >> 16 << 12 | cpu.fpop, dp & M16, dp >> 16 << 12]
        else:
            fields = [ip & M16, ip >> 16 << 12 & M16 | cpu.fpop, dp & M16, dp >> 16 << 12 & M16]
    return out + b"".join((field & ((1 << bits) - 1)).to_bytes(size, "little") for field in fields)


def load_environment(cpu: X86Cpu, image: bytes, bits: int) -> None:
    """Load the image of FNSTENV."""
    size = bits // 8
    words = [int.from_bytes(image[at : at + size], "little") for at in range(0, 7 * size, size)]
    cpu.fpuc = words[0] & 0x1F7F | 0x40
    set_status_word(cpu, words[1] & M16)
    set_tag_word(cpu, words[2] & M16)
    if cpu.hflags & (HF_PE | HF_VM) == HF_PE:
        cpu.fpip, cpu.fpcs, cpu.fpdp, cpu.fpds = words[3], words[4] & M16, words[5], words[6] & M16
        cpu.fpop = words[4] >> 16 & 0x7FF if size == 4 else cpu.fpop
    else:
        cpu.fpop = words[4] & 0x7FF
        cpu.fpip, cpu.fpcs = words[3] & M16 | words[4] >> 12 << 16 & M32, 0
        cpu.fpdp, cpu.fpds = words[5] & M16 | words[6] >> 12 << 16 & M32, 0


def registers(cpu: X86Cpu) -> bytes:
    """Return ST(0) to ST(7), ten bytes each."""
    return b"".join(get(cpu, n).to_bytes(10, "little") for n in range(8))


def load_registers(cpu: X86Cpu, image: bytes) -> None:
    """Load ST(0) to ST(7); tags stay."""
    tags = cpu.fptags
    for n in range(8):
        put(cpu, n, int.from_bytes(image[10 * n : 10 * n + 10], "little"))
    cpu.fptags = tags


# --- FXSAVE -----------------------------------------------------------------------------------------------------------


def _xmm_count(cpu: X86Cpu) -> int:
    """Return how many XMM registers are saved: none with fast save in 64-bit mode at CPL 0 (APM vol. 2, 11.4.4)."""
    long = cpu.hflags & HF_CS64
    if cpu.efer & EFER_FFXSR and long and not cpu.cpl:
        return 0
    return 16 if long else 8


def fxsave(cpu: X86Cpu, address: int, wide: int) -> None:
    """FXSAVE (SDM vol. 1, table 10-2): `wide` with REX.W. Reserved bytes stay as they are."""
    if address & 15:
        raise gp()
    valid = sum(1 << n for n in range(8) if not cpu.fptags >> 8 * n & 1)
    head = cpu.fpuc.to_bytes(2, "little") + status_word(cpu).to_bytes(2, "little") + bytes((valid, 0))
    head += cpu.fpop.to_bytes(2, "little")
    if wide:
        head += cpu.fpip.to_bytes(8, "little") + cpu.fpdp.to_bytes(8, "little")
    else:
        for offset, selector in ((cpu.fpip, cpu.fpcs), (cpu.fpdp, cpu.fpds)):
            head += (offset & M32).to_bytes(4, "little") + (selector & M16).to_bytes(4, "little")
    head += cpu.mxcsr.to_bytes(4, "little") + (0xFFFF).to_bytes(4, "little")
    body = b"".join(get(cpu, n).to_bytes(16, "little") for n in range(8))
    body += bytes(cpu.b[xmm(0) : xmm(_xmm_count(cpu))])
    cpu.write(address, head + body)


def fxrstor(cpu: X86Cpu, address: int, wide: int) -> None:
    """FXRSTOR: #GP(0) for reserved bits of MXCSR, before anything is loaded."""
    if address & 15:
        raise gp()
    count = _xmm_count(cpu)
    image = cpu.read(address, 160 + 16 * count)

    def field(at: int, size: int) -> int:
        return int.from_bytes(image[at : at + size], "little")

    if field(24, 4) & MXCSR_RESERVED:
        raise gp()
    cpu.mxcsr = field(24, 4)
    cpu.fpuc = field(0, 2) & 0x1F7F | 0x40
    set_status_word(cpu, field(2, 2))
    cpu.fpop = field(6, 2) & 0x7FF
    if wide:
        cpu.fpip, cpu.fpdp = field(8, 8), field(16, 8)
    else:
        cpu.fpip, cpu.fpcs, cpu.fpdp, cpu.fpds = field(8, 4), field(12, 2), field(16, 4), field(20, 2)
    for n in range(8):
        put(cpu, n, field(32 + 16 * n, 10))
    cpu.fptags = sum(1 << 8 * n for n in range(8) if not image[4] >> n & 1)
    cpu.b[xmm(0) : xmm(count)] = image[160 : 160 + 16 * count]


def ldmxcsr(cpu: X86Cpu, value: int) -> None:
    """LDMXCSR: #GP(0) for reserved bits."""
    if value & MXCSR_RESERVED:
        raise gp()
    cpu.mxcsr = value
