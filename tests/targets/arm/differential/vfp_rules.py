"""What of VFP is not compared, and what may differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyqemu.tcg.patterns import Encoding
    from tests.targets.arm.differential.cases import Word
    from tests.targets.arm.differential.compare import Difference

FPSCR = 1  #: by the field ``reg``
RMODE, STRIDE, LEN = 3 << 22, 3 << 20, 7 << 16


def is_unpredictable(f: dict[str, int], encoding: Encoding, module: str) -> bool:
    """Whether the manual calls a word UNPREDICTABLE, or it would switch VFP off."""
    name = encoding.name
    if name == "vmsr":
        return f["reg"] != FPSCR or f["Rt"] == 15
    if name == "vmrs":
        return f["Rt"] == 15 and f["reg"] != FPSCR
    if module == "vfp_memory":
        return _bad_memory(f, encoding)
    if "Rt2" in f:
        both = f["Rt"] == f["Rt2"] and "1 Rt2" in encoding.pattern.text
        return both or 15 in (f["Rt"], f["Rt2"]) or ("1010" in encoding.pattern.text and f["Vm"] == 15 and f["M"] == 1)
    if "imm4" in f:  # of a fixed-point number
        return not f["sx"] and (f["imm4"] << 1 | f["i"]) > 16
    return f.get("Rt") == 15


def _bad_memory(f: dict[str, int], encoding: Encoding) -> bool:
    thumb = encoding.feature == "thumb2"
    if encoding.name in ("vldr", "vstr"):
        return thumb and f["Rn"] == 15 and encoding.name == "vstr"
    first = f["D"] << 4 | f["Vd"] if f["sz"] else f["Vd"] << 1 | f["D"]
    count = f["imm8"] >> f["sz"]
    if not count or first + count > 32 or (f["sz"] and count > 16) or (f["sz"] and f["imm8"] & 1):
        return True
    return f["Rn"] == 15 and (f.get("W", 1) == 1 or thumb)


def excuse(case: Difference) -> str:
    """Return why a difference is one that may be; "" if it is not."""
    changes = any(word.encoding.name == "vmsr" for word in case.words)
    if (changes or case.state.fpscr & RMODE) and any(_stage(word) == "vcvt_from_fixed" for word in case.words):
        return "Unicorn rounds fixed-point numbers as FPSCR says, and not to nearest (A8.8.308)"
    if (changes or case.state.fpscr & STRIDE) and any(not word.value >> 8 & 1 for word in case.words):
        return "Unicorn has singles four registers apart where FPSCR.STRIDE is 0b11, and not two (D11.2)"
    if (changes or case.state.fpscr & LEN) and any(_is_unary_double(word) for word in case.words):
        return (
            "Unicorn puts vectors of doubles that are made of one operand into its registers, and not the destination's"
        )
    return ""


def _stage(word: Word) -> str:
    return word.encoding.stage.__name__


def _is_unary_double(word: Word) -> bool:
    f = word.encoding.pattern.fields
    return word.encoding.name in ("vmov", "vabs", "vneg", "vsqrt") and "sz" in f and word.value >> 8 & 1 == 1
