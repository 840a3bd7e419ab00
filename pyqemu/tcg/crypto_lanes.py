"""Rounds of AES on vectors as Python integers (FIPS 197): a state's byte of row r and column c is byte 4 * c + r."""

from __future__ import annotations


def times(a: int, b: int) -> int:
    """A product in the field of AES (FIPS 197, 4.2)."""
    out = 0
    while b:
        if b & 1:
            out ^= a
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return out


def _affine(x: int) -> int:
    """The map behind the inverse (FIPS 197, 5.1.1)."""
    out = x ^ 0x63
    for turn in (1, 2, 3, 4):
        out ^= x << turn | x >> 8 - turn
    return out & 0xFF


def _inverses() -> list[int]:
    """Of powers of 3, which generates the field: the inverse of its n-th one is its (255 - n)-th one."""
    powers = [1]
    while len(powers) < 255:
        powers.append(times(powers[-1], 3))
    inverse = [0] * 256
    for n, power in enumerate(powers):
        inverse[power] = powers[-n % 255]
    return inverse


SBOX = bytes(map(_affine, _inverses()))
INVERSE_SBOX = bytes(SBOX.index(x) for x in range(256))
SHIFTED = tuple((4 * (n // 4 + n % 4) + n % 4) % 16 for n in range(16))  #: where ShiftRows takes a byte from
UNSHIFTED = tuple((4 * (n // 4 - n % 4) + n % 4) % 16 for n in range(16))
MIXED = {factor: bytes(times(x, factor) for x in range(256)) for factor in (1, 2, 3, 9, 11, 13, 14)}


def encrypt(state: int, key: int) -> int:
    """AddRoundKey, ShiftRows, SubBytes (AESE)."""
    data = (state ^ key).to_bytes(16, "little").translate(SBOX)
    return int.from_bytes(bytes(data[n] for n in SHIFTED), "little")


def decrypt(state: int, key: int) -> int:
    """AddRoundKey, InvShiftRows, InvSubBytes (AESD)."""
    data = (state ^ key).to_bytes(16, "little").translate(INVERSE_SBOX)
    return int.from_bytes(bytes(data[n] for n in UNSHIFTED), "little")


def _mix(state: int, factors: tuple[int, int, int, int]) -> int:
    data, out = state.to_bytes(16, "little"), bytearray(16)
    tables = [MIXED[factor] for factor in factors]
    for n in range(16):
        column = n & 12
        for k, table in enumerate(tables):
            out[n] ^= table[data[column | n + k & 3]]
    return int.from_bytes(out, "little")


def mix(state: int) -> int:
    """MixColumns (AESMC)."""
    return _mix(state, (2, 3, 1, 1))


def unmix(state: int) -> int:
    """InvMixColumns (AESIMC)."""
    return _mix(state, (14, 11, 13, 9))


def carryless(a: int, b: int) -> int:
    """A product of 64-bit numbers without carries (PMULL)."""
    out = 0
    while b:
        low = b & -b
        out ^= a * low
        b ^= low
    return out
