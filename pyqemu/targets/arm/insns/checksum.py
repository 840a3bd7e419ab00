"""Checksums of ARMv8 (ARM DDI 0487A.f, F7.1.39, F7.1.40)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.checksums import crc32
from pyqemu.targets.arm.decode import A32, T32

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator


@A32.insn("00010 sz:2 0 Rn:4 Rd:4 xx C:1 x 0100 Rm:4", feature="crc32", name="crc32")
@T32.insn("1111 1010 110 C:1 Rn:4 1111 Rd:4 10 sz:2 Rm:4", feature="crc32", name="crc32")
def checksum(t: ArmTranslator, sz: int, Rn: int, Rd: int, C: int, Rm: int) -> None:
    """CRC32B, CRC32H, CRC32W, CRC32CB, CRC32CH, CRC32CW."""
    if sz == 3 or 15 in (Rn, Rd, Rm):  # UNPREDICTABLE
        t.undefined()
    else:
        t.mov(t.dest(Rd), crc32(t, t.reg(Rn), t.reg(Rm), 1 << sz, castagnoli=C))
