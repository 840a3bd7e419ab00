"""A kernel of 32 bits in an image of 64 bits: what runs first, at EL2, enters it at EL1 in AArch32 state.

The image has the header of an arm64 kernel (Linux: Documentation/arm64/booting.rst), so that ``-kernel`` loads it, and
gives the kernel in it the device tree as that of 32 bits wants it (Documentation/arm/booting.rst).
"""

from __future__ import annotations

import struct

from tests.boards.virt_levels import assemble, load

LOADED, KERNEL, HEADER = 0x4008_0000, 0x8000, 64
TEXT_OFFSET, SPACE = 0x8_0000, 16 << 20
MAGIC = b"ARM\x64"
SUPERVISOR_MASKED = 0x1D3
REGISTERS = {"hcr_el2": 0, "cnthctl_el2": 3, "cntvoff_el2": 0, "hstr_el2": 0, "mdcr_el2": 0, "cptr_el2": 0x33FF,
             "sctlr_el1": 0x00C5_0838, "elr_el2": LOADED + KERNEL, "spsr_el2": SUPERVISOR_MASKED}  # fmt: skip
"""What the kernel finds: HCR_EL2.RW is 0, and nothing is trapped."""


def monitored(kernel: bytes) -> bytes:
    """The image for a kernel that runs wherever it is loaded (a zImage)."""
    text = f"mov x2, x0\nmov x0, #0\n{load('x1', 0xFFFF_FFFF)}"
    text += "".join(f"{load('x9', value)}msr {name}, x9\n" for name, value in REGISTERS.items())
    text += "mrs x9, midr_el1\nmsr vpidr_el2, x9\nmrs x9, mpidr_el1\nmsr vmpidr_el2, x9\nisb\neret\n"
    out = bytearray(KERNEL)
    struct.pack_into("<I", out, 0, 0x1400_0000 | HEADER // 4)
    struct.pack_into("<QQ", out, 8, TEXT_OFFSET, KERNEL + len(kernel) + SPACE)
    out[56 : 56 + len(MAGIC)] = MAGIC
    code = assemble(text, LOADED + HEADER)
    out[HEADER : HEADER + len(code)] = code
    return bytes(out) + kernel
