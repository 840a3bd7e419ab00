"""Where the x86 state lies in ``env``, and the architecture's bit names.

Everything here is an integer constant: instruction functions, the translator and the Python helpers share it, and
none of them needs an import of another for it. Offsets are bytes in ``env``; every slot has 8 bytes (contract of the
IR). Bit names are those of the manual (SDM vol. 3, 2.3 EFLAGS, 2.5 control registers, 3.4.5 segment descriptors).
"""

from __future__ import annotations

# --- general registers, in encoding order
# -----------------------------------------------------------------------------
GPR = 0x400
RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI = range(GPR, GPR + 64, 8)
R8, R9, R10, R11, R12, R13, R14, R15 = range(GPR + 64, GPR + 128, 8)


def reg(n: int) -> int:
    """Return the offset of general register `n` (0 = RAX … 15 = R15)."""
    return GPR + 8 * n


EIP = 0x480  # offset within CS, not linear
CC_DST, CC_SRC, CC_OP = 0x488, 0x490, 0x498  # lazy flags: three consecutive slots
EFLAGS = 0x4A0  # all of EFLAGS except the six arithmetic flags
HFLAGS = 0x4A8  # derived mode bits below; the `flags` half of a block's key
IRQ_PENDING = 0x4B0  # nonzero while any interrupt request bit is set
TSC_AUX = 0x4B8
SHADOW_EIP = 0x4C0  # EIP behind the last STI or MOV SS: interrupts wait for one more instruction there
NMI_BLOCKED = 0x4D0  # from the delivery of an NMI until IRET
CARRY = 0x4D8  # where the IR subroutine that computes CF alone leaves it
STEPPED = 0x4C8  # how far the one instruction of a step block is, see `stepping.py`

# --- segments: 8 slots each
# -------------------------------------------------------------------------------------------
SEG, SEG_STRIDE = 0x500, 0x40
ES, CS, SS, DS, FS, GS, LDTR, TR = range(8)


def SEG_SELECTOR(n: int) -> int:
    """Return the offset of segment `n`'s selector."""
    return SEG + SEG_STRIDE * n


def SEG_BASE(n: int) -> int:
    """Return the offset of segment `n`'s base (64 bits)."""
    return SEG + SEG_STRIDE * n + 8


def SEG_LIMIT(n: int) -> int:
    """Return the offset of segment `n`'s limit in bytes, granularity applied (32 bits)."""
    return SEG + SEG_STRIDE * n + 16


def SEG_FLAGS(n: int) -> int:
    """Return the offset of segment `n`'s attributes: the descriptor's second dword (DESC_* bits)."""
    return SEG + SEG_STRIDE * n + 24


# An access of `size` bytes at offset `o` is allowed if  lo <= o  and  o + size - 1 <= hi  as 64-bit unsigned numbers;
# a segment
# that forbids the access has lo = 1, hi = 0. Expand-down segments need no case of their own.
def SEG_READ_LO(n: int) -> int:
    """Return the offset of the lowest readable offset of segment `n`."""
    return SEG + SEG_STRIDE * n + 32


def SEG_READ_HI(n: int) -> int:
    """Return the offset of the highest readable offset of segment `n`."""
    return SEG + SEG_STRIDE * n + 40


def SEG_WRITE_LO(n: int) -> int:
    """Return the offset of the lowest writable offset of segment `n`."""
    return SEG + SEG_STRIDE * n + 48


def SEG_WRITE_HI(n: int) -> int:
    """Return the offset of the highest writable offset of segment `n`."""
    return SEG + SEG_STRIDE * n + 56


# --- system registers
# -------------------------------------------------------------------------------------------------
GDT_BASE, GDT_LIMIT, IDT_BASE, IDT_LIMIT = 0x700, 0x708, 0x710, 0x718
CR0, CR2, CR3, CR4 = 0x720, 0x728, 0x730, 0x738
DR = 0x740  # DR0..DR7
EFER, STAR, LSTAR, CSTAR, SFMASK = 0x780, 0x788, 0x790, 0x798, 0x7A0
KERNEL_GS_BASE, SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP = 0x7A8, 0x7B0, 0x7B8, 0x7C0
TSC_OFFSET, PAT, XCR0, A20_MASK, SMBASE = 0x7C8, 0x7D0, 0x7D8, 0x7E0, 0x7E8

# --- x87, MMX, SSE
# ----------------------------------------------------------------------------------------------------
FPST = 0x900  # 8 physical registers: mantissa (64 bits), then sign and exponent (16 bits) in the next slot
FPSTT = 0x980  # top of stack, 0-7
FPTAGS = 0x988  # 8 bytes: 1 = empty
FPUS, FPUC = 0x990, 0x998  # status word without TOP; control word
FPOP, FPIP, FPCS, FPDP, FPDS = 0x9A0, 0x9A8, 0x9B0, 0x9B8, 0x9C0  # last opcode, instruction and operand pointers
MXCSR = 0x9C8
XMM = 0xA00  # 16 registers of 16 bytes
XMM_T0 = 0xB00  # scratch rows for instructions that need a 128-bit temporary at a fixed place

GLOBALS_END = 0x1000


def fpst(n: int) -> int:
    """Return the offset of *physical* x87 register `n` (also MMX register `n`)."""
    return FPST + 16 * n


def xmm(n: int) -> int:
    """Return the offset of XMM register `n`."""
    return XMM + 16 * n


# --- EFLAGS
# -----------------------------------------------------------------------------------------------------------
CF, PF, AF, ZF, SF, OF = 0x001, 0x004, 0x010, 0x040, 0x080, 0x800
CC_MASK = CF | PF | AF | ZF | SF | OF
TF, IF, DF, IOPL_MASK, NT, RF, VM = 0x100, 0x200, 0x400, 0x3000, 0x4000, 0x10000, 0x20000
AC, VIF, VIP, ID = 0x40000, 0x80000, 0x100000, 0x200000
IOPL_SHIFT = 12
EFLAGS_ONES = 0x2  # bit 1 always reads as one

# --- hflags: everything a translated block may depend on
# --------------------------------------------------------------
# The upper half is the CS base where CS is not flat: the same linear address then stands for several values of EIP.
HF_CPL = 0x3
HF_CS32 = 1 << 2  # default operand and address size 32 (64-bit code: HF_CS64 is set as well as this)
HF_SS32 = 1 << 3  # stack pointer is ESP (64-bit code: RSP)
HF_CS64 = 1 << 4
HF_PE = 1 << 5
HF_VM = 1 << 6
HF_LMA = 1 << 7
HF_CS_FLAT = 1 << 8  # readable, base 0, limit 4 GiB: no base, no check. 64-bit code: all four are set
HF_SS_FLAT = 1 << 9  # and writable
HF_DS_FLAT = 1 << 10  # and writable
HF_ES_FLAT = 1 << 11  # and writable
HF_TF = 1 << 12  # single step: trap after this instruction
HF_SHADOW = 1 << 13  # interrupts are held off for this instruction (after STI, MOV SS, POP SS)
HF_BREAK = 1 << 14  # DR7 enables an instruction breakpoint
HF_IOPL = 1 << 15  # CPL <= IOPL, or real mode: CLI, STI, IN, OUT, POPF of IF are free (virtual 8086: IOPL = 3)
HF_TS = 1 << 16  # CR0.TS
HF_EM = 1 << 17  # CR0.EM
HF_MP = 1 << 18  # CR0.MP
HF_OSFXSR = 1 << 19  # CR4.OSFXSR
HF_SMAP = 1 << 20  # CR4.SMAP and CPL < 3 and not EFLAGS.AC: implicit accesses to user pages fault
HF_STEP = HF_TF | HF_SHADOW | HF_BREAK  # the block is one instruction and returns to the main loop

# --- control registers
# ------------------------------------------------------------------------------------------------
CR0_PE, CR0_MP, CR0_EM, CR0_TS, CR0_ET, CR0_NE = 1, 2, 4, 8, 0x10, 0x20
CR0_WP, CR0_AM, CR0_NW, CR0_CD, CR0_PG = 1 << 16, 1 << 18, 1 << 29, 1 << 30, 1 << 31
CR4_VME, CR4_PVI, CR4_TSD, CR4_DE, CR4_PSE, CR4_PAE, CR4_MCE, CR4_PGE = (1 << n for n in range(8))
CR4_PCE, CR4_OSFXSR, CR4_OSXMMEXCPT = 1 << 8, 1 << 9, 1 << 10
CR4_FSGSBASE, CR4_PCIDE, CR4_OSXSAVE, CR4_SMEP, CR4_SMAP = 1 << 16, 1 << 17, 1 << 18, 1 << 20, 1 << 21
EFER_SCE, EFER_LME, EFER_LMA, EFER_NXE, EFER_SVME, EFER_FFXSR = 1, 1 << 8, 1 << 10, 1 << 11, 1 << 12, 1 << 14

DR6_ONES, DR7_ONES = 0xFFFF0FF0, 0x400
DR6_BD, DR6_BS, DR6_BT = 1 << 13, 1 << 14, 1 << 15
DR7_GD = 1 << 13

# --- segment descriptor, second dword
# ---------------------------------------------------------------------------------
DESC_G, DESC_B, DESC_L, DESC_AVL = 1 << 23, 1 << 22, 1 << 21, 1 << 20
DESC_P, DESC_DPL_SHIFT, DESC_DPL, DESC_S, DESC_TYPE_SHIFT, DESC_TYPE = 1 << 15, 13, 3 << 13, 1 << 12, 8, 15 << 8
DESC_CODE = 1 << 11  # S = 1: code segment
DESC_C, DESC_R = 1 << 10, 1 << 9  # code: conforming, readable
DESC_E, DESC_W = 1 << 10, 1 << 9  # data: expand down, writable
DESC_A = 1 << 8
# system types (S = 0)
TSS16, LDT, TSS16_BUSY, CALL_GATE16, TASK_GATE, INT_GATE16, TRAP_GATE16 = 1, 2, 3, 4, 5, 6, 7
TSS32, TSS32_BUSY, CALL_GATE32, INT_GATE32, TRAP_GATE32 = 9, 11, 12, 14, 15

# --- exception vectors
# ------------------------------------------------------------------------------------------------
EXC_DE, EXC_DB, EXC_NMI, EXC_BP, EXC_OF, EXC_BR, EXC_UD, EXC_NM, EXC_DF = range(9)
EXC_TS, EXC_NP, EXC_SS, EXC_GP, EXC_PF = 10, 11, 12, 13, 14
EXC_MF, EXC_AC, EXC_MC, EXC_XM = 16, 17, 18, 19

# --- interrupt request bits (Cpu.interrupt)
# ---------------------------------------------------------------------------
IRQ_HARD, IRQ_NMI, IRQ_SMI, IRQ_INIT, IRQ_SIPI = 1, 2, 4, 8, 16

M16, M32, M64 = 0xFFFF, 0xFFFF_FFFF, (1 << 64) - 1
