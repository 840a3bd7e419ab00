"""SHA-1 and SHA-256 (FIPS 180-4) on vectors as Python integers, cut as Arm's instructions are (DDI 0487A.f, J1.3.6)."""

from __future__ import annotations

from collections.abc import Callable

M32 = (1 << 32) - 1
Words = list[int]
Choice = Callable[[int, int, int], int]


def _words(value: int) -> Words:
    return [value >> shift & M32 for shift in (0, 32, 64, 96)]


def _vector(words: Words) -> int:
    return words[0] | words[1] << 32 | words[2] << 64 | words[3] << 96


def _left(value: int, count: int) -> int:
    return (value << count | value >> 32 - count) & M32


def _right(value: int, count: int) -> int:
    return _left(value, 32 - count)


def choose(x: int, y: int, z: int) -> int:
    """Ch (FIPS 180-4, 4.1)."""
    return (y ^ z) & x ^ z


def parity(x: int, y: int, z: int) -> int:
    """Parity."""
    return x ^ y ^ z


def majority(x: int, y: int, z: int) -> int:
    """Maj."""
    return x & y | (x | y) & z


def sha1_rounds(function: Choice) -> Callable[[int, int, int], int]:
    """SHA1C, SHA1P, SHA1M: four rounds with a to d, e, and words to which their constants are added."""

    def rounds(x: int, e: int, added: int) -> int:
        a, b, c, d = _words(x)
        e &= M32
        for word in _words(added):
            total = e + _left(a, 5) + function(b, c, d) + word & M32
            a, b, c, d, e = total, a, _left(b, 30), c, d
        return _vector([a, b, c, d])

    return rounds


def sha1_rotate(e: int) -> int:
    """SHA1H."""
    return _left(e & M32, 30)


def sha1_schedule_0(old: int, later: int, last: int) -> int:
    """SHA1SU0: words 0, 2 and 8 of the schedule."""
    return (old >> 64 | (later & (1 << 64) - 1) << 64) ^ old ^ last


def sha1_schedule_1(partial: int, last: int) -> int:
    """SHA1SU1: word 13, and the rotation; the last word needs the first one's result."""
    words = [_left(word, 1) for word in _words(partial ^ last >> 32)]
    words[3] ^= _left(words[0], 1)
    return _vector(words)


def _sha256(x: int, y: int, added: int) -> tuple[Words, Words]:
    """Four rounds: a to d, and e to h."""
    (a, b, c, d), (e, f, g, h) = _words(x), _words(y)
    for word in _words(added):
        first = h + (_right(e, 6) ^ _right(e, 11) ^ _right(e, 25)) + choose(e, f, g) + word
        second = (_right(a, 2) ^ _right(a, 13) ^ _right(a, 22)) + majority(a, b, c)
        a, b, c, d, e, f, g, h = first + second & M32, a, b, c, d + first & M32, e, f, g
    return [a, b, c, d], [e, f, g, h]


def sha256_hash(x: int, y: int, added: int) -> int:
    """SHA256H: a to d."""
    return _vector(_sha256(x, y, added)[0])


def sha256_hash_2(y: int, x: int, added: int) -> int:
    """SHA256H2: e to h."""
    return _vector(_sha256(x, y, added)[1])


def sha256_schedule_0(old: int, later: int) -> int:
    """SHA256SU0."""
    words = _words(old)
    following = [*words[1:], later & M32]
    return _vector(
        [w + (_right(x, 7) ^ _right(x, 18) ^ x >> 3) & M32 for w, x in zip(words, following, strict=True)]
    )  # fmt: skip


def sha256_schedule_1(partial: int, middle: int, last: int) -> int:
    """SHA256SU1: the last two words need the results of the first two."""
    added = [*_words(middle)[1:], last & M32]
    source = _words(last)[2:]
    for word, seventh in zip(_words(partial), added, strict=True):
        x = source[-2]
        source.append(word + seventh + (_right(x, 17) ^ _right(x, 19) ^ x >> 10) & M32)
    return _vector(source[2:])
