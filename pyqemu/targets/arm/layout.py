"""Where the state of an Arm processor lies in ``env``, as far as translated code knows it; shared by both states.

Offsets are bytes; every slot has 8, vector registers have 16. AArch32's R0 to R14 are the lower halves of X0 to X14,
as the architecture maps them (ARM DDI 0487A.f, table D1-70), so that a processor with both states has one set.

The first 24 slots are within reach of short displacements (:mod:`pyqemu.tcg.env`).
"""

from __future__ import annotations

from pyqemu.tcg.env import GLOBALS

PC = GLOBALS
MODE = GLOBALS + 0x08  #: what translation depends on: the second half of a block's key
CC_RESULT, CC_SOURCE, CC_KIND = GLOBALS + 0x10, GLOBALS + 0x18, GLOBALS + 0x20  #: lazy flags, see `flags.py`
X0 = GLOBALS + 0x28  #: X0 to X15, one after the other
SP = GLOBALS + 0xA8  #: of AArch64: the stack pointer that is in use; the others are in SP_BANK
X29, X30 = GLOBALS + 0xB0, GLOBALS + 0xB8
X16 = GLOBALS + 0xC0  #: X16 to X28
IRQ_PENDING = GLOBALS + 0x128  #: not zero while any interrupt request is
DAIF = GLOBALS + 0x130  #: the interrupt masks, at their places in PSTATE: D A I F are bits 9 to 6
EXCLUSIVE_ADDRESS = GLOBALS + 0x138  #: of the local monitor; NO_ADDRESS while it is open
EXCLUSIVE_VALUE, EXCLUSIVE_HIGH = GLOBALS + 0x140, GLOBALS + 0x148  #: what was loaded, and the second of a pair
FPCR, FPSR = GLOBALS + 0x150, GLOBALS + 0x158
SP_BANK = GLOBALS + 0x160  #: SP_EL0 to SP_EL3; stale for the one that is in use
ELR_BANK = GLOBALS + 0x180  #: ELR_EL1 to ELR_EL3 at index 1 to 3
SPSR_BANK = GLOBALS + 0x1A0  #: SPSR_EL1 to SPSR_EL3 at index 1 to 3
TPIDR_EL0, TPIDR_EL1 = GLOBALS + 0x1C0, GLOBALS + 0x1C8
STEPPED = GLOBALS + 0x1D0  #: how far an instruction is that runs alone (:mod:`pyqemu.tcg.alone`)
WALK = GLOBALS + 0x200  #: 8 slots for what a page walk in IR needs
WALK32 = GLOBALS + 0x240  #: 8 more for the walk of short descriptors
WALK_DACR = WALK32 + 0x20  #: what that finds in DACR
DOMAINS_PRIVILEGED, DOMAINS_USER = GLOBALS + 0x280, GLOBALS + 0x288  #: domains of pages in the TLB, see `domains.py`
VECTOR = GLOBALS + 0x400  #: V0 to V31; AArch32's Q0 to Q15 are the first half of them
VECTOR_SCRATCH = GLOBALS + 0x600  #: 16 more, for instructions that need a temporary at a fixed place
GLOBALS_END = GLOBALS + 0x800
"""What comes behind is free for more of a target's own."""

NO_ADDRESS = (1 << 64) - 1

M_FLUSH = 1 << 14  #: mode bit of AArch32: all that FPSCR asks for is flush-to-zero, default NaNs, or both
M_FPCR = 1 << 10  #: mode bit of both states: FPCR asks for more than round to nearest with denormals and no traps


def x(number: int) -> int:
    """The offset of general register *number*, 0 to 30."""
    if number < 16:
        return X0 + 8 * number
    return X16 + 8 * (number - 16) if number < 29 else X29 + 8 * (number - 29)


def v(number: int) -> int:
    """The offset of vector register *number*, 0 to 31."""
    return VECTOR + 16 * number


def d(number: int) -> int:
    """The offset of AArch32's doubleword register *number*, 0 to 31."""
    return VECTOR + 8 * number


def s(number: int) -> int:
    """The offset of AArch32's single-precision register *number*, 0 to 31."""
    return VECTOR + 4 * number


N, Z, C, V = 1 << 31, 1 << 30, 1 << 29, 1 << 28  #: condition flags at their places in PSTATE and CPSR
NZCV = N | Z | C | V
M32, M64 = (1 << 32) - 1, (1 << 64) - 1
