"""What is not compared, and what may differ: what the architecture leaves open, and the reference's own departures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.targets.arm.differential import neon_rules, vfp_rules
from tests.targets.arm.differential.layout import T

if TYPE_CHECKING:
    from pyqemu.tcg.patterns import Encoding
    from tests.targets.arm.differential.compare import Difference

DUAL = frozenset(("smlad", "smlsd"))
CPSR_Q = 1 << 27
REACH = 64  # bytes that one program can write before a page that faults
ORDERED = ("lda", "ldab", "ldah", "stl", "stlb", "stlh")  # those that acquire or release, and are not exclusive
SHOULD_BE_ONE = frozenset(("sel", "ssat16", "usat16", "rev", "rev16", "revsh", "rbit", "clz", "sdiv", "udiv", "bx",
                           "blx", "pld", "pli", "nop", *ORDERED))  # fmt: skip
"""Instructions whose bits that do not matter should be one; those of all others should be zero."""
PARALLEL = ("add16", "asx", "sax", "sub16", "add8", "sub8")
CLREX = 0x57FF01F, 0xF3BF8F2F  #: of A32 and T32: its bits that should be one and zero are mixed
WITH_15 = frozenset(("Ra", "Rn"))  # where 15 stands for "no register" in multiplications and media instructions
REGISTERS = ("Rd", "Rn", "Rm", "Rs", "Rt", "Rt2", "Ra", "RdHi", "RdLo")


def should_be(encoding: Encoding) -> int:
    """Bits that do not matter, as the manual wants them: others are UNPREDICTABLE, and UNDEFINED in the reference."""
    name = encoding.name
    if name == "clrex":
        return next(word for word in CLREX if encoding.pattern.matches(word))
    if name == "tbb":
        return 0xF000
    if encoding.feature == "thumb2" and name in ("ssat16", "usat16", "ssat", "usat"):
        return 0
    if name in ("bx", "blx") and encoding.pattern.mask >> 16 == 0:  # of 16 bits
        return 0
    ones = name in SHOULD_BE_ONE or name.endswith(PARALLEL) or "ex" in name[:5]
    return (1 << 32) - 1 if ones else 0


def fields_of(encoding: Encoding, word: int) -> dict[str, int]:
    """The fields of a word, by their names."""
    return {name: field.read(word) for name, field in encoding.pattern.fields.items()}


def is_unpredictable(encoding: Encoding, word: int, module: str) -> bool:
    """Whether the manual calls a word UNPREDICTABLE, or it is the return from an exception."""
    f = fields_of(encoding, word)
    fifteen = {name for name in REGISTERS if f.get(name) == 15}
    if module.startswith("neon"):
        return neon_rules.is_unpredictable(f, encoding.name)
    if module.startswith("vfp"):
        return vfp_rules.is_unpredictable(f, encoding, module)
    if module in ("multiply", "media"):
        return bool(fifteen - WITH_15) or _bad_product(f, encoding.name, fifteen, thumb2=encoding.feature == "thumb2")
    if module.startswith("data"):
        return _bad_data(f, fifteen, encoding, module)
    if module == "branches":
        return _bad_branch(f, fifteen, encoding.name)
    if module.startswith("memory_multiple"):
        return _bad_multiple(f, encoding.name, thumb2=encoding.feature == "thumb2")
    if module == "exclusive":
        written = f.get("Rd", -1)
        if encoding.feature == "thumb2" and any(f.get(name) == 13 for name in ("Rd", "Rt", "Rt2")):
            return True
        return bool(fifteen) or written in (f.get("Rn"), f.get("Rt"), f.get("Rt2")) or _bad_exclusive(f, encoding.name)
    if module.startswith("memory"):
        return _bad_memory(f, fifteen, encoding.name, thumb=encoding.feature == "thumb2")
    return bool(fifteen)


def _bad_product(f: dict[str, int], name: str, fifteen: set[str], *, thumb2: bool) -> bool:
    if "RdHi" in f and f["RdHi"] == f["RdLo"]:
        return True
    if "Rn" in fifteen and not name.startswith(("sxta", "uxta", "bf")):
        return True
    if "Ra" in fifteen and name in ("mla", "mls", "smmls", "smlaxy", "smlaw", "umaal"):
        return True
    if name in ("ssat", "usat") and thumb2 and f["sh"] and not f["imm5"]:
        return True  # the place of SSAT16 and USAT16
    return "msb" in f and f["msb"] < f["lsb"]


def _bad_data(f: dict[str, int], fifteen: set[str], encoding: Encoding, module: str) -> bool:
    if "Rd" in fifteen and f.get("S"):
        return encoding.feature != "thumb2" or encoding.name not in ("and", "eor", "add", "sub")
    if "Rs" in f or encoding.name in ("movw", "movt", "lsl") or encoding.feature == "thumb2":
        return bool(fifteen - {"Rn"}) or ("Rn" in fifteen and encoding.name not in ("orr", "orn", "addw", "subw"))
    return module == "data_thumb" and encoding.name in ("cmp", "add") and "Rn" in fifteen


def _bad_branch(f: dict[str, int], fifteen: set[str], name: str) -> bool:
    if name == "it":
        odd = f["firstcond"] == 15 or (f["firstcond"] == 14 and f["mask"] & -f["mask"] != f["mask"])
        return odd or not f["mask"]
    return bool(fifteen) if name in ("tbb", "blx", "bxj") else False


def _bad_multiple(f: dict[str, int], name: str, *, thumb2: bool) -> bool:
    registers = f["registers"]
    if name in ("push", "pop"):
        registers |= f.get("M", 0) << 14 | f.get("P", 0) << 15
    base = f.get("Rn", 13)
    if not registers or base == 15:
        return True
    if thumb2 and (registers.bit_count() < 2 or registers & 1 << 13 or (name == "stm" and registers >> 15)):
        return True
    if thumb2 and registers >> 14 == 3:
        return True
    return bool(registers >> base & 1)


def _bad_exclusive(f: dict[str, int], name: str) -> bool:
    if name.endswith("d") and name != "swp":
        return f["Rt"] == f.get("Rt2", -1) or f["Rt"] == 14 or f.get("Rd", -1) == f["Rt"] + 1
    return name == "swp" and f["Rn"] in (f["Rt"], f["Rt2"])


def _bad_memory(f: dict[str, int], fifteen: set[str], name: str, *, thumb: bool) -> bool:
    writes_back = "W" in f and (f["W"] or not f.get("P", 1))
    Rt, Rn = f.get("Rt", 0), f.get("Rn", -1)
    if "Rm" in fifteen or "Rt2" in fifteen:
        return True
    if writes_back and (Rn in (15, Rt) or (name in ("ldrd", "strd") and Rn in (Rt + 1, f.get("Rt2", -1)))):
        return True
    if name in ("ldrd", "strd"):
        return bool(fifteen - {"Rn"}) or Rt == 14 or Rt == f.get("Rt2", -1) or ("Rn" in fifteen and thumb) \
            or f.get("Rm", -1) in (Rt, Rt + 1)  # fmt: skip
    if "Rt" in fifteen:
        whole = name in ("ldr", "str") and not f.get("B")
        return not whole or (thumb and name == "str") or (not f.get("P", 1) and bool(f.get("W"))) or thumb
    return False


def excuse(case: Difference) -> str:
    """Return why a difference is one that may be; "" if it is not."""
    ours, theirs = case.ours, case.theirs
    if ours.fault == "alignment" and theirs != ours and case.at_fault.name.startswith(("strex", "stlex")):
        return "Unicorn checks a store-exclusive's alignment only where the monitor passes (A3.2.1)"
    if ours.fault == "alignment" and theirs != ours and case.at_fault.name in ORDERED:
        return "Unicorn lets accesses that acquire or release be unaligned (DDI 0487A.f, E2.4.1)"
    if ours.fault == "undefined" and case.at_fault.name[:3] == "str" and case.ours.cpsr & T and _base_is_pc(case):
        return "Unicorn stores relative to the program counter in Thumb (A8.8.204 and others: UNDEFINED)"
    if ours.fault == theirs.fault == "data" and case.words[0].encoding.name == "it" and _stores(case):
        return "Unicorn goes on to the end of its block behind a store that faults, unless it counts instructions"
    f = fields_of(case.at_fault, case.word_at_fault)
    if ours.fault == "data" and case.at_fault.name == "ldrd" and _differs_in(case, f["Rt"]):
        return "Unicorn has written the first register of LDRD where the second word faults (B1.9.8: UNKNOWN)"
    if ours._replace(cpsr=ours.cpsr | CPSR_Q) == theirs and any(w.encoding.name in DUAL for w in case.words):
        return "Unicorn sets Q where two products overflow, though the sum of all three does not (A8.8.177)"
    if ours == theirs and ours.fault == "data" and case.memory and _at_page_end(case):
        return "a store that faults on its second page may have written to the first one (B2.4.4)"
    if case.words[-1].module.startswith("neon"):
        return neon_rules.excuse(case)
    return vfp_rules.excuse(case) if case.state.vectors else ""


def _stores(case: Difference) -> bool:
    is_store = fields_of(case.at_fault, case.word_at_fault).get("L") == 0
    return is_store or case.at_fault.name.startswith(("st", "push"))


def _differs_in(case: Difference, number: int) -> bool:
    """Whether only one register differs."""
    registers = list(case.ours.registers)
    registers[number] = case.theirs.registers[number]
    return case.ours._replace(registers=tuple(registers)) == case.theirs


def _base_is_pc(case: Difference) -> bool:
    return fields_of(case.at_fault, case.word_at_fault).get("Rn") == 15


def _at_page_end(case: Difference) -> bool:
    return all(at & 0xFFF >= 4096 - REACH for at, _, _ in case.memory)
