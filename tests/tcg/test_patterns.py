"""Patterns of instructions: what they mean, what is wrong with them, and that the decision tree finds the right one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyqemu.tcg.patterns import InstructionSet, Pattern, PatternDecoder
from pyqemu.tcg.shape import Truncated


def nothing(t: Any, word: int) -> None:
    t.append(("undefined", word))


def small() -> InstructionSet:
    """A set of 16-bit words."""
    isa = InstructionSet("small", bits=16)

    @isa.insn("0001 Rd:4 imm:s8*4")
    def add_immediate(t: Any, Rd: int, imm: Any) -> None:
        t.append(("add", Rd, imm))

    @isa.insn("0001 1111 imm:8")
    def add_pc(t: Any, imm: Any) -> None:
        t.append(("addpc", imm))

    @isa.insn("001 disp[0:0] Rd:4 xx disp[6:1]:s6", feature="jumps")
    def jump(t: Any, Rd: int, disp: Any) -> None:
        t.append(("jump", Rd, disp))

    return isa


class Recorder(list[Any]):
    """Stands for a builder."""

    imm, disp = "imm", "disp"


def meaning(decoder: PatternDecoder, word: int) -> tuple[Any, int, int]:
    shape, disp, imm = decoder.decode(word.to_bytes(2, "little"), 0)
    recorder = Recorder()
    shape.stage(recorder)
    return recorder[0], disp, imm


def test_fields_are_arguments_and_numbers_are_not_part_of_the_shape() -> None:
    decoder = PatternDecoder(small().tree(), nothing, bits=16)
    assert meaning(decoder, 0x13FF) == (("add", 3, "imm"), 0, -4)
    assert meaning(decoder, 0x137F) == (("add", 3, "imm"), 0, 0x1FC)
    assert decoder.decode(b"\xff\x13", 0)[0] is decoder.decode(b"\x7f\x13", 0)[0]
    assert decoder.decode(b"\xff\x13", 0)[0] is not decoder.decode(b"\xff\x12", 0)[0]
    assert decoder.decode(b"\xff\x13", 0)[0].mnemonic == "add"


def test_the_more_particular_pattern_wins() -> None:
    decoder = PatternDecoder(small().tree(), nothing, bits=16)
    assert meaning(decoder, 0x1F80) == (("addpc", "imm"), 0, 0x80)


def test_pieces_of_a_number() -> None:
    decoder = PatternDecoder(small().tree(), nothing, bits=16)
    assert meaning(decoder, 0b0011_0101_1010_0001) == (("jump", 5, "disp"), 0b1000011 - 0x80, 0)
    assert meaning(decoder, 0b0010_0101_0001_1111) == (("jump", 5, "disp"), 0b0111110, 0)


def test_what_a_cpu_lacks_is_undefined() -> None:
    decoder = PatternDecoder(small().tree(lambda feature: False), nothing, bits=16)
    assert meaning(decoder, 0x3000) == (("undefined", 0x3000), 0, 0)
    assert meaning(decoder, 0xFFFF) == (("undefined", 0xFFFF), 0, 0)


def test_byte_order_and_cut_words() -> None:
    decoder = PatternDecoder(small().tree(), nothing, bits=16, big_endian=True)
    assert decoder.decode(b"\x13\x01", 0)[2] == 4
    with pytest.raises(Truncated):
        decoder.decode(b"\x13\x01\x13", 2)


def test_numbers_that_are_computed() -> None:
    """Fields that only the number depends on are no part of the shape; what gives no number is no instruction."""
    isa = InstructionSet("test", bits=16)

    def shifted(shift: int, value: int) -> int | None:
        return value << shift if shift < 3 else None

    @isa.insn("0001 shift:2 Rd:2 value:8", imm=shifted)
    def move(t: Any, Rd: int, imm: Any) -> None:
        t.append(("move", Rd, imm))

    @isa.insn("0010 shift:2 Rd:2 value:8", imm=shifted)
    def keep(t: Any, shift: int, Rd: int, imm: Any) -> None:
        t.append(("keep", shift, Rd, imm))

    decoder = PatternDecoder(isa.tree(), nothing, bits=16)
    assert meaning(decoder, 0x18FF) == (("move", 0, "imm"), 0, 0x3FC)
    assert decoder.decode_word(0x18FF)[0] is decoder.decode_word(0x1401)[0]
    assert meaning(decoder, 0x29FF) == (("keep", 2, 1, "imm"), 0, 0x3FC)
    assert decoder.decode_word(0x29FF)[0] is not decoder.decode_word(0x2501)[0]
    assert meaning(decoder, 0x1CFF) == (("undefined", 0x1CFF), 0, 0)
    assert move.encode(shift=1, Rd=2, value=3) == 0x1603


def test_computed_numbers_that_make_no_sense() -> None:
    isa = InstructionSet("test", bits=16)
    with pytest.raises(ValueError, match="cannot have imm computed"):
        isa.insn("0001 Rd:4 imm:8", imm=lambda Rd: Rd)(lambda t, Rd, imm: None)
    with pytest.raises(ValueError, match="takes Rd, imm, but the pattern '0001 Rd:4 value:8' has Rd, imm, other"):
        isa.insn("0001 Rd:4 value:8", imm=lambda other: other)(lambda t, Rd, imm: None)


def test_encoding() -> None:
    isa = InstructionSet("test", bits=16)

    @isa.insn("0001 Rd:4 imm:s8*4")
    @isa.insn("0010 Rd:4 Rm:4 0000")
    def add(t: Any, Rd: int, Rm: int = 0, imm: Any = 0) -> None:
        pass

    assert add.encode(Rd=3, imm=-4) == 0x13FF
    assert add.encode(Rd=3, Rm=5) == 0x2350
    assert add.encode(encoding=1, Rd=3, Rm=5) == 0x2350
    for fields in ({"Rd": 16, "imm": 0}, {"Rd": 0, "imm": 2}, {"Rd": 0, "imm": 512}, {"Rd": 0}):
        with pytest.raises(ValueError, match=r"cannot be encoded|has no encoding"):
            add.encode(**fields)


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("0001 Rd:4", "has 8 bits, not 16"),
        ("0001 Rd:4 imm:12", "has 20 bits, not 16"),
        ("0001 Rd:s4 imm:8", "only disp and imm are numbers"),
        ("0001 Rd imm:8", "'Rd' in the pattern '0001 Rd imm:8' is neither bits nor a field"),
        ("0002 Rd:4 imm:8", "neither bits nor a field"),
        ("0001 imm[3:0] imm[7:0]", "stands there twice"),
    ],
)
def test_bad_patterns(pattern: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint.replace("(", r"\(")):
        Pattern(pattern, 16)


def test_functions_take_what_patterns_have() -> None:
    isa = InstructionSet("test", bits=16)

    def sub(t: Any, Rd: int, Rm: int) -> None:
        pass

    with pytest.raises(ValueError, match="sub takes Rd, Rm, but the pattern '0001 Rd:4 imm:8' has Rd, imm"):
        isa.insn("0001 Rd:4 imm:8")(sub)


def test_overlaps_are_found() -> None:
    isa = small()

    @isa.insn("xxxx 0000 imm:8")
    def other(t: Any, imm: Any) -> None:
        pass

    with pytest.raises(ValueError, match="overlap"):
        isa.tree()


@st.composite
def patterns(draw: st.DrawFn) -> tuple[int, int]:
    mask = draw(st.integers(0, 255))
    return mask, draw(st.integers(0, 255)) & mask


@settings(deadline=None)  # a busy host is no failure
@given(st.lists(patterns(), max_size=14))
def test_the_tree_finds_what_a_search_finds(drawn: list[tuple[int, int]]) -> None:
    isa = InstructionSet("random", bits=8)
    for number, (mask, value) in enumerate(drawn):
        bits = "".join("x" if not mask >> bit & 1 else str(value >> bit & 1) for bit in range(7, -1, -1))
        before = list(isa.encodings)
        isa.insn(bits, name=str(number))(lambda t: None)
        try:
            isa.check()
        except ValueError:
            isa.encodings = before
    tree = isa.tree()
    for word in range(256):
        found = [each for each in isa.encodings if each.pattern.matches(word)]
        best = max(found, key=lambda each: each.pattern.mask.bit_count(), default=None)
        assert tree.find(word) is best
