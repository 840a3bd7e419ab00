"""The decoder: lengths, prefixes, the memo, and what is no instruction."""

from __future__ import annotations

import capstone
import pytest

from pyqemu.targets.x86.decode import Decoder
from pyqemu.targets.x86.layout import HF_CS32, HF_CS64, HF_PE, HF_SS32
from pyqemu.targets.x86.opmap import OpcodeMap, _entries, parse_operand
from pyqemu.tcg.shape import Truncated
from tests.targets.x86.differential.cases import Generator
from tests.targets.x86.differential.compare import MODULES

FLAGS = {16: 0, 32: HF_PE | HF_CS32 | HF_SS32, 64: HF_PE | HF_CS32 | HF_SS32 | HF_CS64}
FEATURES = frozenset(["cmov", "cx8", "cx16", "movbe", "popcnt", "abm", "bmi1", "lahf_lm", "3dnowprefetch"])
CAPSTONE = {16: capstone.CS_MODE_16, 32: capstone.CS_MODE_32, 64: capstone.CS_MODE_64}


def decode(mode: int, text: str) -> tuple[str, int, int, int]:
    shape, disp, imm = Decoder(FLAGS[mode], FEATURES).decode(bytes.fromhex(text), 0)
    return shape.mnemonic, shape.length, disp, imm


@pytest.mark.parametrize("mode", [16, 32, 64])
def test_lengths_agree_with_capstone(mode: int) -> None:
    generator = Generator(mode, MODULES, FEATURES)
    disassembler = capstone.Cs(capstone.CS_ARCH_X86, CAPSTONE[mode])
    decoder = Decoder(FLAGS[mode], FEATURES)
    checked = 0
    for entry in generator.entries * 4:
        template = generator.template(entry, mode)
        if template is None or (mode == 64 and entry.size == "f64" and template.insn.operand_prefix):
            continue  # near branches with 66 in 64-bit mode: Intel's way, which is not capstone's
        if entry.mnemonic == "ud":
            continue  # capstone forgets the ModRM byte of UD0 and UD1
        code = (template.head + bytes(24))[:15]
        found = next(disassembler.disasm(code, 0), None)
        if found is None or found.mnemonic.startswith(("xacquire", "xrelease")):
            continue  # capstone has no undocumented encodings
        shape, _, _ = decoder.decode(code, 0)
        assert shape.length == found.size, (template.head.hex(), found.mnemonic)
        checked += 1
    assert checked > 700


@pytest.mark.parametrize(("mode", "text", "expected"), [
    (32, "8b4510", ("mov", 3, 0x10, 0)),
    (32, "8b45f0", ("mov", 3, -0x10, 0)),
    (32, "c74580ffffff7f", ("mov", 7, -0x80, 0x7FFFFFFF)),
    (64, "48b8efcdab8967452301", ("mov", 10, 0, 0x0123456789ABCDEF)),
    (64, "48a1efcdab8967452301", ("mov", 10, 0, 0x0123456789ABCDEF)),
    (16, "66b8efbeadde", ("mov", 6, 0, 0xDEADBEEF - (1 << 32))),
    (32, "67a13412", ("mov", 4, 0, 0x1234)),
    (32, "c8341202", ("enter", 4, 0, 0x021234)),
    (64, "66e900000000", ("jmp", 6, 0, 0)),
    (16, "e90000", ("jmp", 3, 0, 0)),
    (64, "678b05f0ffffff", ("mov", 7, -16, 0)),
])  # fmt: skip
def test_fields_are_sign_extended(mode: int, text: str, expected: tuple[str, int, int, int]) -> None:
    assert decode(mode, text) == expected


@pytest.mark.parametrize(("mode", "text"), [
    (32, "f001c3"),      # LOCK with a register destination
    (32, "f08b03"),      # LOCK MOV
    (32, "f03b03"),      # LOCK CMP
    (32, "f00303"),      # LOCK with memory as source
    (64, "27"),  # DAA in 64-bit mode
    (64, "60"),          # PUSHA
    (64, "82c001"),      # alias of 80
    (64, "d401"),        # AAM
    (32, "c6c801"),      # C6 /1
    (32, "fed0"),  # FE /2
    (32, "0fc7c8"),      # CMPXCHG8B with a register
    (32, "8dc0"),        # LEA with a register
    (32, "62c0"),        # BOUND with a register
    (32, "0f04"),  # 0F 04
    (32, "660f38ff"),    # beyond the map
])  # fmt: skip
def test_undefined(mode: int, text: str) -> None:
    assert decode(mode, text + "00" * 8)[0] == "undefined"


@pytest.mark.parametrize(("text", "mnemonic"), [
    ("f00103", "add"), ("f00fb10b", "cmpxchg"), ("f0870b", "xchg"), ("f0f713", "not"), ("f00fab0b", "bts"),
])  # fmt: skip
def test_lock_with_memory_destination(text: str, mnemonic: str) -> None:
    assert decode(32, text)[0] == mnemonic


def test_fifteen_bytes_are_allowed_and_sixteen_are_not() -> None:
    assert decode(32, "66" * 14 + "90")[:2] == ("xchg", 15)
    assert decode(32, "66" * 15 + "90")[0] == "too_long"
    assert decode(32, "66" * 7 + "c70500000000" + "0000")[:2] == ("mov", 15)
    assert decode(32, "66" * 8 + "c70500000000" + "0000")[0] == "too_long"


def test_rex_counts_only_directly_before_the_opcode() -> None:
    decoder = Decoder(FLAGS[64], FEATURES)
    assert decoder.decode(bytes.fromhex("4866b80100"), 0)[0].length == 5  # REX.W is lost: imm16
    assert decoder.decode(bytes.fromhex("6648b80100000000000000"), 0)[0].length == 11


def test_rex_bytes_are_inc_and_dec_outside_64_bit_mode() -> None:
    assert decode(32, "40")[0] == "inc"
    assert decode(32, "4f")[0] == "dec"
    assert decode(64, "4090")[0] == "xchg"


@pytest.mark.parametrize("text", ["8b8510000000", "c7840810000000ffffff7f", "660fba6510ff", "48b8efcdab8967452301"])
def test_truncated_instructions(text: str) -> None:
    code = bytes.fromhex(text)
    decoder = Decoder(FLAGS[64], FEATURES)
    for _ in range(2):  # once learning, once from the memo
        for length in range(len(code)):
            with pytest.raises(Truncated):
                decoder.decode(code[:length], 0)
        assert decoder.decode(b"\x90" + code, 1)[0].length == len(code)


def test_shapes_are_shared_by_displacements_and_immediates() -> None:
    decoder = Decoder(FLAGS[32], FEATURES)
    first, again = (decoder.decode(bytes.fromhex(text), 0) for text in ("c7450812345678", "c7451000000000"))
    assert first[0] is again[0]
    assert (first[1], again[1]) == (8, 16)


def test_shifts_by_different_counts_are_different_shapes() -> None:
    decoder = Decoder(FLAGS[32], FEATURES)
    one, other, same = (decoder.decode(bytes.fromhex(text), 0)[0] for text in ("c1e005", "c1e000", "c1e005"))
    assert one is not other
    assert one is same


def test_mandatory_prefix_wins() -> None:
    assert decode(64, "f30fb8c1")[0] == "popcnt"
    assert decode(64, "66f30fb8c1")[0] == "popcnt"
    assert decode(64, "f30fbdc1")[0] == "lzcnt"
    shape, _, _ = Decoder(FLAGS[64], frozenset()).decode(bytes.fromhex("f30fbdc1"), 0)
    assert shape.mnemonic == "bsr"  # without the feature the prefix is ignored


def test_conflicting_encodings_are_an_error_at_import() -> None:
    keywords = {"lock": False, "only64": False, "no64": False, "size": "", "feature": "", "mod_ignored": False,
                "literal": False}  # fmt: skip
    table = OpcodeMap()
    for entry in _entries(test_undefined, "0F01 /3", (parse_operand("M"),), keywords):
        table.add(entry)
    for entry in _entries(test_undefined, "0F01 D8", (), keywords):
        table.add(entry)
    with pytest.raises(ValueError, match="conflict"):
        table.add(_entries(test_truncated_instructions, "0F01 /3", (parse_operand("M"),), keywords)[0])
    with pytest.raises(ValueError, match="conflict"):
        table.add(_entries(test_truncated_instructions, "0F01", (), keywords)[0])


@pytest.mark.parametrize("word", ["Kb", "Eh", "", "E1"])
def test_unknown_operands_are_an_error(word: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        parse_operand(word)
