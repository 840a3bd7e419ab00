"""Rows of SHA-1 and SHA-256 (FIPS 180-4): four rounds, or four words of the schedule, as Arm's instructions do them.

The texts are those of the functions in :mod:`pyqemu.tcg.sha_lanes`, written down operation by operation by
:class:`Text`; a helper for each instruction would make a hash a hundred times as slow as one without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pyqemu.tcg import sha_lanes
from pyqemu.tcg.ops import Op, operands

VECTOR = "<4 x i32>"


class Text:
    """LLVM text that grows: methods append an operation on words and return its name."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, text: str) -> str:
        """Append ``name = text``."""
        name = f"%t{len(self.lines)}"
        self.lines.append(f"{name} = {text}\n")
        return name

    def binary(self, operation: str, first: str, *others: str) -> str:
        """One operation on all."""
        for other in others:
            first = self.line(f"{operation} i32 {first}, {other}")
        return first

    def rotate(self, value: str, left: int) -> str:
        """Rotated to the left."""
        return self.line(f"call i32 @llvm.fshl.i32(i32 {value}, i32 {value}, i32 {left & 31})")

    def words(self, letter: str) -> list[str]:
        """The words of an operand."""
        vector = self.line(f"bitcast i128 %{letter} to {VECTOR}")
        return [self.line(f"extractelement {VECTOR} {vector}, i32 {n}") for n in range(4)]

    def mix(self, value: str, turns: tuple[int, int], third: str) -> str:
        """Two rotations to the right and *third*, combined."""
        return self.binary("xor", self.rotate(value, -turns[0]), self.rotate(value, -turns[1]), third)

    def choose(self, x: str, y: str, z: str) -> str:
        """Ch."""
        return self.binary("xor", self.binary("and", self.binary("xor", y, z), x), z)

    def parity(self, x: str, y: str, z: str) -> str:
        """Parity."""
        return self.binary("xor", x, y, z)

    def majority(self, x: str, y: str, z: str) -> str:
        """Maj."""
        return self.binary("or", self.binary("and", x, y), self.binary("and", self.binary("or", x, y), z))

    def whole(self, words: list[str]) -> str:
        """All lines, and ``%d`` of four words."""
        vector = "poison"
        for n, word in enumerate(words):
            vector = self.line(f"insertelement {VECTOR} {vector}, i32 {word}, i32 {n}")
        return "".join(self.lines) + f"%d = bitcast {VECTOR} {vector} to i128"


def _row(name: str, letters: str, llvm: str, function: Callable[..., int]) -> Op:
    text = "d128 " + " ".join(f"{letter}128" for letter in letters)
    python = f"v_{name}({', '.join(f'{{{letter}}}' for letter in letters)})"
    return Op("v_" + name, operands(text), llvm, python, scope={"v_" + name: function})


def _sha1_rounds(name: str) -> str:
    t = Text()
    a, b, c, d = t.words("a")
    e, *_ = t.words("b")
    for word in t.words("c"):
        chosen: str = getattr(t, name)(b, c, d)
        total = t.binary("add", e, t.rotate(a, 5), chosen, word)
        a, b, c, d, e = total, a, t.rotate(b, 30), c, d
    return t.whole([a, b, c, d])


def _sha256_rounds(first: str, second: str, *, upper: bool) -> str:
    t = Text()
    a, b, c, d = t.words(first)
    e, f, g, h = t.words(second)
    for word in t.words("c"):
        one = t.binary("add", h, t.mix(e, (6, 11), t.rotate(e, -25)), t.choose(e, f, g), word)
        two = t.binary("add", one, t.mix(a, (2, 13), t.rotate(a, -22)), t.majority(a, b, c))
        a, b, c, d, e, f, g, h = two, a, b, c, t.binary("add", d, one), e, f, g
    return t.whole([e, f, g, h] if upper else [a, b, c, d])


def _sha256_schedule_0() -> str:
    t = Text()
    words = t.words("a")
    later = [*words[1:], t.words("b")[0]]
    return t.whole([
        t.binary("add", word, t.mix(x, (7, 18), t.binary("lshr", x, "3"))) for word, x in zip(words, later, strict=True)
    ])  # fmt: skip


def _sha256_schedule_1() -> str:
    t = Text()
    words, middle, last = t.words("a"), t.words("b"), t.words("c")
    source = last[2:]
    for word, seventh in zip(words, [*middle[1:], last[0]], strict=True):
        x = source[-2]
        source.append(t.binary("add", word, seventh, t.mix(x, (17, 19), t.binary("lshr", x, "10"))))
    return t.whole(source[2:])


def _sha1_schedule_1() -> str:
    t = Text()
    words, last = t.words("a"), t.words("b")
    mixed = [t.binary("xor", word, x) for word, x in zip(words, last[1:], strict=False)] + words[3:]
    turned = [t.rotate(word, 1) for word in mixed]
    turned[3] = t.binary("xor", turned[3], t.rotate(turned[0], 1))
    return t.whole(turned)


def sha_table() -> Iterator[Op]:
    """All these rows."""
    for name in ("choose", "parity", "majority"):
        function = sha_lanes.sha1_rounds(getattr(sha_lanes, name))
        yield _row("sha1" + name[0], "abc", _sha1_rounds(name), function)
    text = "%w = trunc i128 %a to i32\n%r = call i32 @llvm.fshl.i32(i32 %w, i32 %w, i32 30)\n%d = zext i32 %r to i128"
    yield _row("sha1h", "a", text, sha_lanes.sha1_rotate)
    text = "%h = lshr i128 %a, 64\n%l = shl i128 %b, 64\n%m = or i128 %h, %l\n"
    text += "%x = xor i128 %m, %a\n%d = xor i128 %x, %c"
    yield _row("sha1su0", "abc", text, sha_lanes.sha1_schedule_0)
    yield _row("sha1su1", "ab", _sha1_schedule_1(), sha_lanes.sha1_schedule_1)
    yield _row("sha256h", "abc", _sha256_rounds("a", "b", upper=False), sha_lanes.sha256_hash)
    yield _row("sha256h2", "abc", _sha256_rounds("b", "a", upper=True), sha_lanes.sha256_hash_2)
    yield _row("sha256su0", "ab", _sha256_schedule_0(), sha_lanes.sha256_schedule_0)
    yield _row("sha256su1", "abc", _sha256_schedule_1(), sha_lanes.sha256_schedule_1)
