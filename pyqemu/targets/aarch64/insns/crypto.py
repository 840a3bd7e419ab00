"""The cryptographic instructions (ARM DDI 0487A.f, C4.4.6: AES, two- and three-register SHA); PMULL is with SMULL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.arm.simd import Form
from pyqemu.targets.arm.simd_crypto import crypto

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator


def _register(name: str, encoding: str, sources: str, feature: str) -> None:
    """Enter an instruction with the registers that it takes."""
    stage = crypto(name, sources)

    def two(t: A64Translator, Rn: int, Rd: int) -> None:
        if t.fp_enabled():
            stage(t, Form(32, True, Rd, Rn))

    def three(t: A64Translator, Rm: int, Rn: int, Rd: int) -> None:
        if t.fp_enabled():
            stage(t, Form(32, True, Rd, Rn, Rm))

    A64.insn(f"{encoding} Rn:5 Rd:5", name=name, feature=feature)(three if "Rm" in encoding else two)


for _opcode, (_name, _sources) in enumerate((("aese", "dn"), ("aesd", "dn"), ("aesmc", "n"), ("aesimc", "n")), 4):
    _register(_name, f"01001110 00 10100 {_opcode:05b} 10", _sources, "aes")
for _opcode, _name in enumerate(("sha1c", "sha1p", "sha1m", "sha1su0", "sha256h", "sha256h2", "sha256su1")):
    _register(_name, f"01011110 000 Rm:5 0 {_opcode:03b} 00", "dnm", "sha1" if _opcode < 4 else "sha2")
for _opcode, (_name, _sources) in enumerate((("sha1h", "n"), ("sha1su1", "dn"), ("sha256su0", "dn"))):
    _register(_name, f"01011110 00 10100 {_opcode:05b} 10", _sources, "sha1" if _opcode < 2 else "sha2")
