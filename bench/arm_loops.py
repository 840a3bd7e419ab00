"""Loops of A32 floating-point instructions, as firmware for the board virt: ``S`` on the serial line, a loop, ``E``."""

from __future__ import annotations

from struct import pack

# fmt: off
_ENABLE = (
    0xEE110F50, 0xE380060F, 0xEE010F50,  # mrc p15, 0, r0, c1, c0, 2; orr r0, r0, #0xf00000; mcr p15, 0, r0, c1, c0, 2
    0xE3A00101, 0xEEE80A10,              # mov r0, #0x40000000; vmsr fpexc, r0
    0xE3A00010, 0xEEE10A10,              # mov r0, #0x10; vmsr fpscr, r0: "inexact" is known
    0xE3A05409, 0xE3A06101, 0xE3866601,  # mov r5, #0x09000000 (PL011); mov r6, #0x40000000; orr r6, r6, #0x100000
)
_DOUBLES = (0xEEB70B04, 0xEEB01B08, 0xEEB62B08, 0xEEBE3B00)  # vmov.f64 d0, #1.25; d1, #3.0; d2, #0.75; d3, #-0.5
_SINGLES = (0xEEB70A04, 0xEEB01A08, 0xEEB62A08, 0xEEBE3A00)  # vmov.f32 s0, #1.25; s2, #3.0; s4, #0.75; s6, #-0.5
LOOPS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    # vmul.f64 d4, d0, d1; vadd.f64 d5, d4, d2; vsub.f64 d6, d5, d0; vmul.f64 d7, d6, d3; vmla.f64 d8, d7, d2;
    # vmov.f64 d8, d3
    "doubles": (_DOUBLES, (0xEE204B01, 0xEE345B02, 0xEE356B40, 0xEE267B03, 0xEE078B02, 0xEEB08B43)),
    # the same with S0, S2 and so on
    "singles": (_SINGLES, (0xEE204A01, 0xEE345A02, 0xEE356A40, 0xEE267A03, 0xEE078A02, 0xEEB08A43)),
    # vfma.f64 d2, d0, d1 and the like
    "fused": (_DOUBLES, (0xEEA04B01, 0xEEA05B02, 0xEEA06B03)),
    # vdiv.f64 d4, d0, d1; vsqrt.f64 d5, d1; vdiv.f64 d6, d1, d2; vsqrt.f64 d7, d2
    "divisions, roots": (_DOUBLES, (0xEE804B01, 0xEEB15BC1, 0xEE816B02, 0xEEB17BC2)),
    # vldr d4, [r6]; vldr d5, [r6, #8]; vstr d4, [r6, #16]; vldr s12, [r6, #4]; vstr s13, [r6, #24];
    # vldmia r6, {d8-d11}
    "loads, stores": (_DOUBLES, (0xED964B00, 0xED965B02, 0xED864B04, 0xED966A01, 0xEDC66A06, 0xEC968B08)),
    # vcmp.f64 d0, d1; vmrs apsr_nzcv, fpscr; vmovgt.f64 d4, d0; vcmp.f32 s0, s2; vmrs; vmovle.f32 s9, s2
    "comparisons": (_DOUBLES, (0xEEB40B41, 0xEEF1FA10, 0xCEB04B40, 0xEEB40A41, 0xEEF1FA10, 0xDEF04A41)),
    # vcvt.s32.f64 s8, d0; vcvt.f64.s32 d5, s8; vcvt.f32.f64 s12, d5; vcvt.f64.f32 d7, s12; vmov r0, s8; vmov s9, r0
    "conversions": (_DOUBLES, (0xEEBD4BC0, 0xEEB85BC4, 0xEEB76BC5, 0xEEB77AC6, 0xEE140A10, 0xEE040A90)),
}
# fmt: on
"""What is in the registers before, and what is repeated."""


def firmware(name: str, rounds: int) -> bytes:
    """The program of a loop."""
    before, body = LOOPS[name]
    counter = tuple(0xE3004000 | half << 22 | (number & 0xF000) << 4 | number & 0xFFF
                    for half, number in enumerate((rounds & 0xFFFF, rounds >> 16)))  # fmt: skip
    start = (*_ENABLE, *before, 0xE3A00053, 0xE5850000, *counter)  # mov r0, #'S'; str r0, [r5]; movw, movt r4
    back = 0x1AFFFFFF - len(body) - 2  # bne
    end = (0xE2544001, back, 0xE3A00045, 0xE5850000, 0xE320F003, 0xEAFFFFFD)  # subs r4, r4, #1; bne; 'E'; wfi; b
    words = (*start, *body, *end)
    return pack(f"<{len(words)}I", *words).ljust(4096, b"\0")
