"""AES in cipher block chaining mode (FIPS 197, SP 800-38A), decryption only: for secrets that are given encrypted.

A few dozen bytes at start-up: clarity before speed. It is not safe against whoever measures its time.
"""

from __future__ import annotations


def _sbox() -> bytes:
    """The substitution of FIPS 197 5.1.1, from inverses in GF(2^8)."""
    box = bytearray(256)
    p = q = 1
    while True:
        p ^= p << 1 & 0xFF ^ (0x1B if p & 0x80 else 0)  # times 3
        q ^= q << 1  # divided by 3
        q ^= q << 2
        q ^= q << 4
        q = (q ^ 0x09 if q & 0x80 else q) & 0xFF
        rotated = q ^ _rotate(q, 1) ^ _rotate(q, 2) ^ _rotate(q, 3) ^ _rotate(q, 4)
        box[p] = rotated ^ 0x63
        if p == 1:
            box[0] = 0x63
            return bytes(box)


def _rotate(value: int, count: int) -> int:
    return (value << count | value >> 8 - count) & 0xFF


def _times(a: int, b: int) -> int:
    """The product in GF(2^8)."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


_SBOX = _sbox()
_INVERSE = bytes(_SBOX.index(value) for value in range(256))
_UNMIX = [bytes(_times(factor, value) for value in range(256)) for factor in (14, 11, 13, 9)]


def _expand(key: bytes) -> list[bytes]:
    """The round keys (5.2)."""
    words = [key[start : start + 4] for start in range(0, len(key), 4)]
    per_key, constant = len(words), 1
    while len(words) < 4 * (per_key + 7):
        word = words[-1]
        if len(words) % per_key == 0:
            word = bytes(_SBOX[value] for value in word[1:] + word[:1])
            word = bytes((word[0] ^ constant,)) + word[1:]
            constant = _times(constant, 2)
        elif per_key > 6 and len(words) % per_key == 4:
            word = bytes(_SBOX[value] for value in word)
        words.append(_xor(word, words[-per_key]))
    return [b"".join(words[start : start + 4]) for start in range(0, len(words), 4)]


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def _decrypt_block(block: bytes, keys: list[bytes]) -> bytes:
    """The inverse cipher (5.3)."""
    state = _xor(block, keys[-1])
    for number in range(len(keys) - 2, -1, -1):
        state = bytes(_INVERSE[state[(i - 4 * (i % 4)) % 16]] for i in range(16))  # shift rows back, substitute
        state = _xor(state, keys[number])
        if number:
            state = bytes(_unmixed(state[i - i % 4 : i - i % 4 + 4], i % 4) for i in range(16))
    return state


def _unmixed(column: bytes, row: int) -> int:
    a, b, c, d = (_UNMIX[(i - row) % 4][column[i]] for i in range(4))
    return a ^ b ^ c ^ d


def decrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Decrypt whole blocks; padding stays.

    :raise ValueError: key, vector or data has no proper length.
    """
    if len(key) not in (16, 24, 32) or len(iv) != 16 or len(data) % 16:
        raise ValueError("wrong length of key, initialization vector or data")
    keys = _expand(key)
    plain = bytearray()
    for start in range(0, len(data), 16):
        block = data[start : start + 16]
        plain += _xor(_decrypt_block(block, keys), iv)
        iv = block
    return bytes(plain)
