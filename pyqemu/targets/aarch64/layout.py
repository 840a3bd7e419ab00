"""Names of the AArch64 state: where it lies, the mode bits of translation, PSTATE, syndromes.

The places are those of :mod:`pyqemu.targets.arm.layout`, which both states share.
"""

from __future__ import annotations

from pyqemu.targets.arm.layout import (
    CC_KIND,
    CC_RESULT,
    CC_SOURCE,
    DAIF,
    ELR_BANK,
    EXCLUSIVE_ADDRESS,
    EXCLUSIVE_HIGH,
    EXCLUSIVE_VALUE,
    FPCR,
    FPSR,
    GLOBALS_END,
    IRQ_PENDING,
    M32,
    M64,
    M_FPCR,
    MODE,
    NO_ADDRESS,
    NZCV,
    PC,
    SP,
    SP_BANK,
    SPSR_BANK,
    TPIDR_EL0,
    TPIDR_EL1,
    VECTOR,
    VECTOR_SCRATCH,
    WALK,
    X0,
    X16,
    X29,
    X30,
    C,
    N,
    V,
    Z,
    v,
    x,
)

__all__ = [
    "CC_KIND",
    "CC_RESULT",
    "CC_SOURCE",
    "DAIF",
    "ELR_BANK",
    "EXCLUSIVE_ADDRESS",
    "EXCLUSIVE_HIGH",
    "EXCLUSIVE_VALUE",
    "FPCR",
    "FPSR",
    "GLOBALS_END",
    "IRQ_PENDING",
    "M32",
    "M64",
    "MODE",
    "M_FPCR",
    "NO_ADDRESS",
    "NZCV",
    "PC",
    "SP",
    "SPSR_BANK",
    "SP_BANK",
    "TPIDR_EL0",
    "TPIDR_EL1",
    "VECTOR",
    "VECTOR_SCRATCH",
    "WALK",
    "X0",
    "X16",
    "X29",
    "X30",
    "C",
    "N",
    "V",
    "Z",
    "v",
    "x",
]  # fmt: skip

# --- mode bits: everything that translation depends on ----------------------------------------------------------------

M_EL = 3  #: the exception level; FETCH_TABLES is looked up with it
M_SPSEL = 1 << 2  #: PSTATE.SP: the stack pointer is that of the exception level
M_FP_OFF = 1 << 3  #: FP and SIMD instructions are trapped here (CPACR_EL1.FPEN, CPTR_EL2, CPTR_EL3)
M_STEP = 1 << 4  #: software step is active: the block is one instruction and returns to the main loop; in both states
M_BIG_ENDIAN = 1 << 5  #: data accesses are big-endian here (SCTLR_ELx.EE, SCTLR_EL1.E0E)
M_ALIGN = 1 << 6  #: unaligned accesses fault here (SCTLR_ELx.A)
M_UMA = 1 << 7  #: EL0 may access DAIF (SCTLR_EL1.UMA)
M_ZVA_TRAP = 1 << 8  #: DC ZVA is trapped or undefined here (SCTLR_EL1.DZE, HCR_EL2.TDZ)
M_ILLEGAL = 1 << 9  #: PSTATE.IL: every instruction raises an exception
M_SYSREG_TRAPS = 1 << 11  #: EL2 may trap accesses of EL1 to system registers: all of them are looked at
M_STEP_OWN = 1 << 12  #: software step waits for PSTATE.D to be clear: writes of it change the mode
M_AARCH32 = 1 << 15  #: the processor is in AArch32 state; upper bits then are of that state
EL_MMU = (1, 0, 2, 3)  #: mmu index of accesses by exception level

# --- PSTATE, as SPSR_ELx has it ---------------------------------------------------------------------------------------

PSTATE_D, PSTATE_A, PSTATE_I, PSTATE_F = 1 << 9, 1 << 8, 1 << 7, 1 << 6
PSTATE_DAIF = PSTATE_D | PSTATE_A | PSTATE_I | PSTATE_F
PSTATE_SS, PSTATE_IL, PSTATE_NRW = 1 << 21, 1 << 20, 1 << 4

# --- exception classes (ESR_ELx.EC; ARM DDI 0487A.f, D1.10.4) ---------------------------------------------------------

EC_UNKNOWN, EC_WFX, EC_FP_TRAP = 0x00, 0x01, 0x07
EC_CP15, EC_CP15_PAIR, EC_CP14, EC_CP14_PAIR, EC_VMRS = 0x03, 0x04, 0x05, 0x0C, 0x08  #: of AArch32 state
EC_SVC32, EC_HVC32, EC_SMC32, EC_BKPT32 = 0x11, 0x12, 0x13, 0x38  #: of AArch32 state
EC_ILLEGAL_STATE, EC_SVC64, EC_HVC64, EC_SMC64, EC_SYSTEM = 0x0E, 0x15, 0x16, 0x17, 0x18
EC_INSTRUCTION_ABORT_LOWER, EC_INSTRUCTION_ABORT, EC_PC_ALIGNMENT = 0x20, 0x21, 0x22
EC_DATA_ABORT_LOWER, EC_DATA_ABORT, EC_SP_ALIGNMENT = 0x24, 0x25, 0x26
EC_FP_EXCEPTION = 0x2C
EC_BREAKPOINT_LOWER, EC_BREAKPOINT, EC_STEP_LOWER, EC_STEP = 0x30, 0x31, 0x32, 0x33
EC_WATCHPOINT_LOWER, EC_WATCHPOINT, EC_BRK = 0x34, 0x35, 0x3C
ALIGNMENT_FAULT = 0x21  #: fault status code of a data abort

# --- requests (Cpu.interrupt_request) ---------------------------------------------------------------------------------

IRQ, FIQ, VIRQ, VFIQ = 1, 2, 4, 8
