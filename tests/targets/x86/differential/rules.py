"""What may differ from Unicorn: flags that the manual leaves undefined, and the reference's own departures from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.x86.layout import AF, CF, CS, EXC_GP, EXC_PF, EXC_SS, EXC_UD, M32, OF, PF, SF, ZF

if TYPE_CHECKING:
    from tests.targets.x86.differential.compare import Difference

# SDM vol. 2, "Flags Affected" of each instruction: the flags that are undefined afterwards.
UNDEFINED = {
    "aaa": OF | SF | ZF | PF,
    "aas": OF | SF | ZF | PF,
    "aad": OF | AF | CF,
    "aam": OF | AF | CF,
    "daa": OF,
    "das": OF,
    "and": AF, "or": AF, "xor": AF, "test": AF,
    "mul": SF | ZF | AF | PF,
    "imul": SF | ZF | AF | PF, "imul2": SF | ZF | AF | PF, "imul3": SF | ZF | AF | PF,
    "div": CF | OF | SF | ZF | AF | PF, "idiv": CF | OF | SF | ZF | AF | PF,
    "bsf": CF | OF | SF | AF | PF, "bsr": CF | OF | SF | AF | PF,
    "bt": OF | SF | AF | PF, "bts": OF | SF | AF | PF, "btr": OF | SF | AF | PF, "btc": OF | SF | AF | PF,
    "tzcnt": OF | SF | AF | PF, "lzcnt": OF | SF | AF | PF,
}  # fmt: skip
SHIFTS = ("shl", "shr", "sar", "shld", "shrd")
ROTATES = ("rol", "ror", "rcl", "rcr")


def _count(case: Difference) -> int:
    """Return the masked count of a shift."""
    operand = case.template.entry.operands[-1]
    if operand.letter == "const":
        return 1
    value = case.code[-1] if operand.letter == "I" else case.state.registers[1]
    return value & (63 if case.template.insn.opsize == 64 and case.template.entry.operands[0].size == "v" else 31)


def undefined_flags(case: Difference) -> int:
    """Return the flags that need not agree."""
    name = case.template.entry.mnemonic
    if case.ours.vector >= 0:
        return 0
    if name in SHIFTS or name in ROTATES:
        count = _count(case)
        bits = 8 if case.template.entry.operands[0].size == "b" else case.template.insn.opsize
        if count == 0:
            return 0
        undefined = 0 if name in ROTATES else AF
        if count > 1:
            undefined |= OF
        if (name in ("shl", "shr") and count >= bits) or (name in ("shld", "shrd") and count > bits):
            undefined |= CF
        if name in ("shld", "shrd") and count > bits:
            undefined |= SF | ZF | PF
        return undefined
    return UNDEFINED.get(name, 0)


def _same_state(case: Difference) -> bool:
    """Whether everything but memory agrees."""
    return case.ours == case.theirs


def _same_low_halves(case: Difference) -> bool:
    """Whether everything agrees but upper halves of registers."""
    ours, theirs = (o._replace(registers=tuple(r & M32 for r in o.registers)) for o in (case.ours, case.theirs))
    return ours == theirs and not case.memory


def excuse(case: Difference) -> str:
    """Return why a difference is one of the reference's known departures from the manual; "" if it is not."""
    insn, name, mode = case.template.insn, case.template.entry.mnemonic, case.template.mode
    ours, theirs = case.ours.vector, case.theirs.vector
    if mode == 16 and ours in (EXC_GP, EXC_PF, EXC_SS) and ours != theirs:
        return "Unicorn checks no segment limits (SDM vol. 3, 5.3)"
    if name == "test" and insn.reg & 7 == 1 and theirs == EXC_UD:
        return "Unicorn does not know TEST as F6 /1 and F7 /1 (APM vol. 3, table A-6)"
    if mode == 64 and insn.operand_prefix and case.template.entry.size == "f64":
        return "near branches ignore the operand-size prefix in 64-bit mode (SDM vol. 1, 6.3.7)"
    if name in ("popcnt", "movbe") and (mode == 16 or (insn.operand_prefix and insn.rex & 8)):
        return "Unicorn takes the operand size of POPCNT and MOVBE from the prefix 66 alone (SDM vol. 1, 3.6)"
    if case.template.repeats and ours == EXC_PF and _same_state(case):
        return "Unicorn writes the part of an element that lies before the page that faults (SDM vol. 3, 6.5)"
    if mode == 64 and name in ("lahf", "sahf") and insn.rex:
        return "Unicorn takes AH for SPL if there is a REX prefix (SDM vol. 2, SAHF: AH is no encoded operand)"
    if mode == 32 and insn.segment == CS and ours == EXC_GP != theirs:
        return "Unicorn checks no segment types (SDM vol. 3, 5.4: a code segment cannot be written)"
    if insn.opcode in (0xC6, 0xC7) and not insn.escape and insn.rex & 4 and theirs == EXC_UD:
        return "Unicorn takes REX.R for a part of the opcode of MOV (SDM vol. 2, table 2-4)"
    if name in ("shld", "shrd") and insn.rip_relative and insn.imm_size:
        return "Unicorn forgets the immediate of SHLD and SHRD in RIP-relative addresses (SDM vol. 2, 2.2.1.6)"
    if name == "cmpxchg" and mode == 64 and insn.opsize == 32 and not insn.memory and _same_low_halves(case):
        return "Unicorn clears upper halves of registers that CMPXCHG does not write (SDM vol. 2, CMPXCHG)"
    if name == "neg" and insn.lock:
        return "Unicorn computes the flags of LOCK NEG from the old value (SDM vol. 2, NEG)"
    if name == "enter" and ours == EXC_PF != theirs:
        return "Unicorn does not check that the new top of the stack can be written (SDM vol. 2, ENTER)"
    if name == "enter" and insn.opsize != mode:
        return "Unicorn writes rBP with the stack's size instead of the operand's (SDM vol. 2, ENTER)"
    if name == "ret" and insn.imm_size:
        return "Unicorn takes the immediate of RET as signed (SDM vol. 2, RET: imm16 bytes are released)"
    if insn.escape == "0F" and insn.opcode == 0x18 and not insn.memory and theirs == EXC_UD:
        return "Unicorn does not know 0F 18 with a register (SDM vol. 2, table A-3: reserved NOP)"
    return ""
