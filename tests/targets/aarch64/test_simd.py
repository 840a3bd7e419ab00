"""Advanced SIMD where the comparison with Unicorn is blind: what is native, byte order, hosts without some rows."""

from __future__ import annotations

import hashlib
from struct import pack, unpack
from typing import Any

import pytest

from pyqemu.targets.aarch64.layout import M_BIG_ENDIAN
from pyqemu.tcg.tables import full_table
from tests.targets.aarch64.guest import DATA, Guest, assemble

SCTLR_EE = 1 << 25
SEQUENCE = int.from_bytes(bytes(range(16)), "little")
NATIVE = """
    and v0.16b, v1.16b, v2.16b; orr v0.16b, v1.16b, v2.16b; bsl v0.8b, v1.8b, v2.8b; bit v0.16b, v1.16b, v2.16b;
    add v0.16b, v1.16b, v2.16b; sub d0, d1, d2; mul v0.16b, v1.16b, v2.16b; mla v0.8h, v1.8h, v2.h[1];
    cmeq v0.16b, v1.16b, #0; cmhi v0.2d, v1.2d, v2.2d; cmhs v0.16b, v1.16b, v2.16b; cmtst v0.4s, v1.4s, v2.4s;
    umaxp v0.16b, v1.16b, v2.16b; uminp v0.4s, v1.4s, v2.4s; addp v0.8b, v1.8b, v2.8b; addp d0, v1.2d;
    umaxv b0, v1.16b; uminv b0, v1.8b; smaxv h0, v1.8h; addv b0, v1.8b; uaddlv h0, v1.8b; cnt v0.8b, v1.8b;
    shl v0.4s, v1.4s, #3; ushr v0.16b, v1.16b, #3; sshr v0.8b, v1.8b, #7; sshr d0, d1, #63; urshr v0.8h, v1.8h, #4;
    shrn v0.8b, v1.8h, #4; xtn2 v0.16b, v1.8h; uqxtn v0.8b, v1.8h; sqrshrun v0.8b, v1.8h, #6; ushll v0.8h, v1.8b, #0;
    sli v0.2d, v1.2d, #11; umull v0.4s, v1.4h, v2.4h; umlal2 v0.2d, v1.4s, v2.4s; uabal v0.8h, v1.8b, v2.8b;
    uaddw v0.8h, v1.8h, v2.8b; addhn v0.8b, v1.8h, v2.8h; uaddlp v0.4h, v1.8b; urhadd v0.16b, v1.16b, v2.16b;
    rev64 v0.16b, v1.16b; rev32 v0.8h, v1.8h; rbit v0.16b, v1.16b; clz v0.4s, v1.4s; neg v0.8h, v1.8h; abs d0, d1;
    ext v0.16b, v1.16b, v2.16b, #3; ext v0.8b, v1.8b, v2.8b, #7; tbl v0.16b, {v1.16b, v2.16b}, v3.16b;
    zip1 v0.8b, v1.8b, v2.8b; uzp2 v0.16b, v1.16b, v2.16b; trn1 v0.4h, v1.4h, v2.4h; dup v0.16b, w1;
    movi v0.2d, #0; umov w0, v1.b[3]; ins v0.s[1], w1; ld1 {v0.16b, v1.16b}, [x1], #32; ldp q0, q1, [x1]
"""
"""What the C library, kernels and compilers use all the time."""


def staged(guest: Guest, word: int) -> list[Any]:
    """The operations of an instruction."""
    cpu = guest.cpu
    shape, disp, imm = cpu.decoder(cpu.mode).decode_word(word)
    _, variant = guest.engine.translator._stage(shape, cpu.mode, (0, disp, imm), True, None)
    return list(variant.ops)


@pytest.mark.parametrize("text", [line.strip() for line in NATIVE.replace("\n", " ").split(";")])
def test_what_is_common_needs_no_helper(text: str) -> None:
    ops = staged(Guest(), int.from_bytes(assemble(text), "little"))
    assert ops
    assert not [op for op in ops if op[0] == "call"]


# --- saturation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "a", "b", "result", "qc"),
    [
        ("uqadd v2.16b, v0.16b, v1.16b", 0xFE, 1, 0xFF, 0),
        ("uqadd v2.16b, v0.16b, v1.16b", 0xFE, 2, 0xFF, 1),
        ("uqadd v2.8b, v0.8b, v1.8b", 0xFE << 64, 2 << 64, 0, 0),  # beside the operands
        ("sqsub v2.8h, v0.8h, v1.8h", 0x8000, 1, 0x8000, 1),
        ("sqadd s2, s0, s1", 0x7FFFFFFF, 1, 0x7FFFFFFF, 1),
        ("sqxtn v2.8b, v0.8h", 0x80, 0, 0x7F, 1),
        ("sqxtun v2.8b, v0.8h", 0xFFFF, 0, 0, 1),
        ("uqxtn v2.8b, v0.8h", 0xFF, 0, 0xFF, 0),
    ],
)
def test_saturation_is_remembered(guest: Guest, text: str, a: int, b: int, result: int, qc: int) -> None:
    assert guest.run(text, v0=a, v1=b, v2=0, fpsr=0) is None
    assert (guest.cpu.v[2], guest.cpu.fpsr >> 27) == (result, qc)


# --- byte order -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("ldr q0, [x1]", bytes(range(15, -1, -1))),
        ("ldr d0, [x1]", bytes(range(7, -1, -1)) + bytes(8)),
        ("ldr h0, [x1]", bytes((1, 0)) + bytes(14)),
        ("ld1 {v0.16b}, [x1]", bytes(range(16))),
        ("ld1 {v0.8h}, [x1]", bytes(n ^ 1 for n in range(16))),
        ("ld1 {v0.2d}, [x1]", bytes(n ^ 7 for n in range(16))),
        ("ld1r {v0.4s}, [x1]", bytes((3, 2, 1, 0)) * 4),
    ],
)
def test_big_endian_loads(guest: Guest, text: str, result: bytes) -> None:
    """A register is one number, a structure is elements that are numbers (B2.7.2)."""
    guest.cpu.sys.sctlr_el1 |= SCTLR_EE
    guest.cpu.mode_changed()
    assert guest.cpu.mode & M_BIG_ENDIAN
    guest.put(DATA, SEQUENCE, 16)
    assert guest.run(text, x1=DATA) is None
    assert guest.cpu.v[0].to_bytes(16, "little") == result


@pytest.mark.parametrize("text", ["str q0, [x1]", "st1 {v0.8h}, [x1]", "st2 {v0.4s, v1.4s}, [x1]"])
def test_big_endian_stores_are_what_is_loaded(guest: Guest, text: str) -> None:
    guest.cpu.sys.sctlr_el1 |= SCTLR_EE
    guest.cpu.mode_changed()
    back = text.replace("st", "ld", 1).replace("v1", "v3").replace("v0", "v2").replace("q0", "q2")
    assert guest.run(f"{text}; {back}", x1=DATA, v0=SEQUENCE, v1=SEQUENCE << 3, v2=0, v3=SEQUENCE << 3) is None
    assert (guest.cpu.v[2], guest.cpu.v[3]) == (SEQUENCE, SEQUENCE << 3)


def test_a_quad_word_at_a_scaled_index(guest: Guest) -> None:
    """No row of an address scales by sixteen."""
    guest.put(DATA + 48, SEQUENCE, 16)
    assert guest.run(".word 0x3CE27820", x1=DATA, x2=3) is None  # ldr q0, [x1, x2, lsl #4]
    assert guest.cpu.v[0] == SEQUENCE


# --- cryptography, and hosts that have less ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "word"), [("v_aese", 0x4E284820), ("v_aesd", 0x4E285820), ("v_aesmc", 0x4E286820), ("v_aesimc", 0x4E287820),
                      ("v_pmull64", 0x0EE2E020), ("fmasd", 0x1F420C20), ("fmaps", 0x4E22CC20)]
)  # fmt: skip
def test_software_does_what_a_missing_row_would(row: str, word: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if row not in full_table():
        pytest.skip("this host has no such row")
    factor = 0x40091EB83F9DF3B640091EB83F9DF3B6  # of singles and doubles alike
    registers = {"v0": SEQUENCE ^ factor, "v1": factor, "v2": factor ^ SEQUENCE >> 5, "v3": factor ^ 7}
    with_row, without = Guest(), Guest()
    assert with_row.run(f".word {word}", **registers) is None
    monkeypatch.delitem(full_table(), row)
    assert without.run(f".word {word}", **registers) is None
    assert with_row.cpu.v[0] == without.cpu.v[0] != registers["v0"]


SHA256_H = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)


def vector(words: tuple[int, ...]) -> int:
    return int.from_bytes(pack("<4I", *words), "little")


def test_sha256_of_a_block(guest: Guest) -> None:
    """The schedule and the rounds as a library strings them together."""
    primes = [n for n in range(2, 312) if all(n % k for k in range(2, int(n**0.5) + 1))]
    constants = [_fraction_of_cube_root(prime) for prime in primes]
    assert f"{constants[0]:08x} {constants[63]:08x}" == "428a2f98 c67178f2"
    block = b"abc\x80" + bytes(59) + b"\x18"
    words: tuple[int, ...] = unpack(">16I", block)
    cpu = guest.cpu
    for n in range(4):
        cpu.v[4 + n] = vector(words[4 * n : 4 * n + 4])
    cpu.v[0], cpu.v[1] = vector(SHA256_H[:4]), vector(SHA256_H[4:])
    for n in range(16):
        schedule = [4 + (n + k) % 4 for k in range(4)]
        cpu.v[3] = vector(tuple(constants[4 * n : 4 * n + 4]))
        text = f"add v2.4s, v{schedule[0]}.4s, v3.4s; mov v3.16b, v0.16b;"
        text += ".word 0x5E024020; .word 0x5E025061;"  # sha256h q0, q1, v2.4s; sha256h2 q1, q3, v2.4s
        if n < 12:
            a, b, c, d = schedule
            text += (
                f".word {0x5E282800 | b << 5 | a}; .word {0x5E006000 | d << 16 | c << 5 | a}"  # sha256su0, sha256su1
            )
        assert guest.run(text) is None
    state = [*_words(cpu.v[0]), *_words(cpu.v[1])]
    total = b"".join(((x + y) & 0xFFFFFFFF).to_bytes(4, "big") for x, y in zip(state, SHA256_H, strict=True))
    assert total == hashlib.sha256(b"abc").digest()


def _words(value: int) -> tuple[int, ...]:
    return unpack("<4I", value.to_bytes(16, "little"))


def _fraction_of_cube_root(prime: int) -> int:
    """32 bits behind the point (FIPS 180-4, 4.2.2)."""
    target, root = prime << 96, 0
    for bit in range(40, -1, -1):
        if (root | 1 << bit) ** 3 <= target:
            root |= 1 << bit
    return root & 0xFFFFFFFF
