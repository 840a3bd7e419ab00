"""The cryptographic instructions (ARM DDI 0487A.f, C4.4.6: AES, two- and three-register SHA); PMULL is with SMULL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.arm import crypto_soft
from pyqemu.targets.arm.simd import Form, soft
from pyqemu.targets.arm.simd_soft import Helper

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator


def _aes(name: str, opcode: str, helper: Helper, sources: str) -> None:
    """A row where the host has one. *sources*: which registers it takes."""

    def instruction(t: A64Translator, Rn: int, Rd: int) -> None:
        if not t.fp_enabled():
            return
        if "v_" + name in t.table:
            numbers = {"d": Rd, "n": Rn}
            t.vec("v_" + name, *(t.v(numbers[source]) for source in sources), out=t.v(Rd))
        else:
            soft(t, helper, Form(8, True, Rd, Rn))

    A64.insn(f"01001110 00 10100 {opcode} 10 Rn:5 Rd:5", name=name, feature="aes")(instruction)


_aes("aese", "00100", crypto_soft.aese, "dn")
_aes("aesd", "00101", crypto_soft.aesd, "dn")
_aes("aesmc", "00110", crypto_soft.aesmc, "n")
_aes("aesimc", "00111", crypto_soft.aesimc, "n")


def _sha(name: str, encoding: str, sources: str) -> None:
    """A row of :mod:`pyqemu.tcg.sha_ops`, with the registers that it takes."""
    feature = "sha1" if name.startswith("sha1") else "sha2"

    def two(t: A64Translator, Rn: int, Rd: int) -> None:
        stage(t, {"d": Rd, "n": Rn})

    def three(t: A64Translator, Rm: int, Rn: int, Rd: int) -> None:
        stage(t, {"d": Rd, "n": Rn, "m": Rm})

    def stage(t: A64Translator, numbers: dict[str, int]) -> None:
        if t.fp_enabled():
            t.vec("v_" + name, *(t.v(numbers[source]) for source in sources), out=t.v(numbers["d"]))

    A64.insn(f"01011110 {encoding} Rn:5 Rd:5", name=name, feature=feature)(three if "Rm" in encoding else two)


for _opcode, _name in enumerate(("sha1c", "sha1p", "sha1m", "sha1su0", "sha256h", "sha256h2", "sha256su1")):
    _sha(_name, f"000 Rm:5 0 {_opcode:03b} 00", "dnm")
for _opcode, (_name, _sources) in enumerate((("sha1h", "n"), ("sha1su1", "dn"), ("sha256su0", "dn"))):
    _sha(_name, f"00 10100 {_opcode:05b} 10", _sources)
