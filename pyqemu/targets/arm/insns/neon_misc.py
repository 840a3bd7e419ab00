"""Two registers, miscellaneous (ARM DDI 0406C.b, A7.4.5): integers; ARMv8's AES and SHA (DDI 0487, F4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.fpu.arm_estimates import unsigned_reciprocal_estimate, unsigned_root_estimate
from pyqemu.targets.arm.neon import data, run, run_mixed
from pyqemu.targets.arm.simd import Stage
from pyqemu.targets.arm.simd_crypto import crypto
from pyqemu.targets.arm.simd_misc import (
    absolute,
    by_halves,
    count,
    estimate,
    invert,
    leading_bits,
    narrowed,
    negate,
    neighbours,
    rev16,
    rev32,
    rev64,
    saturated,
    shll,
    with_zero,
    xtn,
)
from pyqemu.targets.arm.simd_same import SMALL, equal, greater, greater_or_equal

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator

REST = "1 Vd[4:4] 11 {size} {A} Vd[3:0] 0 {B} Vm[4:4] 0 Vm[3:0]"


def _register(name: str, A: str, B: str, stage: Stage, widths: tuple[int, ...] = SMALL) -> None:
    def instruction(t: ArmTranslator, size: int, Vd: int, Q: int, Vm: int) -> None:
        if 8 << size not in widths:
            t.undefined()
        else:
            run(t, stage, 8 << size, Q, Vd, Vm)

    data(name, 1, REST.format(size="size:2", A=A, B=B + " Q:1"), instruction)


def _register_mixed(name: str, B: str, stage: Stage, wide: str) -> None:
    """Enter an instruction with elements of two widths."""

    def instruction(t: ArmTranslator, size: int, Vd: int, Vm: int) -> None:
        if size == 3:
            t.undefined()
        else:
            run_mixed(t, stage, 8 << size, wide, Vd, Vm)

    data(name, 1, REST.format(size="size:2", A="10", B=B), instruction)


_register("vrev64", "00", "0000", by_halves(rev64))
_register("vrev32", "00", "0001", by_halves(rev32), (8, 16))
_register("vrev16", "00", "0010", by_halves(rev16), (8,))
_register("vcls", "00", "1000", leading_bits(1))
_register("vclz", "00", "1001", leading_bits(0))
_register("vcnt", "00", "1010", by_halves(count), (8,))
_register("vmvn", "00", "1011", invert, (8,))
_register("vqabs", "00", "1110", saturated("abs"))
_register("vqneg", "00", "1111", saturated("neg"))
for _op, _sign in enumerate("su"):
    _register("vpaddl", "00", f"010{_op}", neighbours(_sign, accumulate=False))
    _register("vpadal", "00", f"110{_op}", neighbours(_sign, accumulate=True))
    _register_mixed("vqmovn", f"0101 {_op}", narrowed(not _op, _sign), "n")
_register("vcgt", "01", "0000", with_zero(greater))
_register("vcge", "01", "0001", with_zero(greater_or_equal))
_register("vceq", "01", "0010", with_zero(equal))
_register("vcle", "01", "0011", with_zero(greater_or_equal, swap=True))
_register("vclt", "01", "0100", with_zero(greater, swap=True))
_register("vabs", "01", "0110", absolute)
_register("vneg", "01", "0111", negate)
_register_mixed("vmovn", "0100 0", xtn, "n")
_register_mixed("vqmovun", "0100 1", narrowed(True, "u"), "n")
_register_mixed("vshll", "0110 0", shll, "d")
_register("vrecpe", "11", "1000", estimate(unsigned_reciprocal_estimate), (32,))
_register("vrsqrte", "11", "1001", estimate(unsigned_root_estimate), (32,))


# --- cryptography -----------------------------------------------------------------------------------------------------


def _crypto(name: str, feature: str, size: str, A: str, B: str, sources: str) -> None:
    stage = crypto(name, sources)

    def instruction(t: ArmTranslator, Vd: int, Vm: int) -> None:
        run(t, stage, 32, 1, Vd, Vm)

    data(name, 1, REST.format(size=size, A=A, B=B), instruction, feature=feature)


_crypto("aese", "aes", "00", "00", "01100", "dn")
_crypto("aesd", "aes", "00", "00", "01101", "dn")
_crypto("aesmc", "aes", "00", "00", "01110", "n")
_crypto("aesimc", "aes", "00", "00", "01111", "n")
_crypto("sha1h", "sha1", "10", "01", "01011", "n")
_crypto("sha1su1", "sha1", "10", "10", "01110", "dn")
_crypto("sha256su0", "sha2", "10", "10", "01111", "dn")
