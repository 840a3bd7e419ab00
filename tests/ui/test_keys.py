"""Key names and codes."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pyqemu.system import FakeClock
from pyqemu.ui.keys import KEYS, Translator, keys_for, parse_combination, scancodes, strokes
from pyqemu.ui.typist import HOLD_TIME, STROKE_TIME, Typist

# Set 1 codes from the IBM PC/AT and PS/2 references, independent of the translation table.
SET1 = {
    "esc": "01", "1": "02", "0": "0b", "minus": "0c", "backspace": "0e", "tab": "0f", "q": "10", "ret": "1c",
    "ctrl": "1d", "a": "1e", "semicolon": "27", "grave_accent": "29",
    "shift": "2a", "backslash": "2b", "z": "2c",
    "slash": "35", "shift_r": "36", "kp_multiply": "37", "alt": "38",
    "spc": "39", "caps_lock": "3a", "f1": "3b",
    "f10": "44", "num_lock": "45", "scroll_lock": "46", "kp_7": "47", "kp_subtract": "4a", "kp_add": "4e",
    "kp_decimal": "53", "less": "56", "f11": "57", "f12": "58", "kp_enter": "e01c", "ctrl_r": "e01d",
    "kp_divide": "e035", "alt_r": "e038", "home": "e047", "up": "e048", "pgup": "e049", "left": "e04b",
    "right": "e04d", "end": "e04f", "down": "e050", "pgdn": "e051", "insert": "e052", "delete": "e053",
    "meta_l": "e05b", "meta_r": "e05c", "menu": "e05d", "f7": "41", "sysrq": "54",
    "print": "e02ae037", "pause": "e11d45e19dc5",
}  # fmt: skip


@pytest.mark.parametrize(("name", "codes"), SET1.items())
def test_set_1(name: str, codes: str) -> None:
    assert scancodes(name, True, code_set=1).hex() == codes


def test_set_1_release_is_bit_7() -> None:
    assert scancodes("left", False, code_set=1).hex() == "e0cb"
    assert scancodes("print", False, code_set=1).hex() == "e0b7e0aa"
    assert scancodes("pause", False, code_set=1) == b""


def test_keys_with_modifiers_that_change_their_codes() -> None:
    assert scancodes("pause", True, code_set=1, held=frozenset(["ctrl"])).hex() == "e046"
    assert scancodes("print", True, code_set=1, held=frozenset(["alt"])).hex() == "54"
    assert scancodes("print", True, code_set=1, held=frozenset(["shift"])).hex() == "e037"


def test_no_two_keys_share_a_code() -> None:
    aliases = {"altgr", "altgr_r", "compose", "asterisk", "katakanahiragana"}
    for column in (0, 1):
        codes = [codes[column] for name, codes in KEYS.items() if name not in aliases and codes[column]]
        doubles = {code for code in codes if codes.count(code) > 1}
        assert doubles <= {0x57}  # print and sysrq are one key, which set 3 does not tell apart


def test_translator_keeps_a_prefix_between_portions() -> None:
    translator = Translator()
    assert translator.feed(b"\xe0\xf0") == b"\xe0"
    assert translator.feed(b"\x6b") == b"\xcb"


@pytest.mark.parametrize(
    ("char", "keys"),
    [
        ("a", ("a",)), ("A", ("shift", "a")), ("!", ("shift", "1")), ("\n", ("ret",)),
        ("\x03", ("ctrl", "c")),
        ("\\", ("backslash",)), ("~", ("shift", "grave_accent")), ("é", ()), ("f1", ()),
    ],
)  # fmt: skip
def test_characters(char: str, keys: tuple[str, ...]) -> None:
    assert keys_for(char) == keys


def test_every_printable_character_can_be_typed() -> None:
    seen = {keys_for(chr(code)) for code in range(32, 127)}
    assert () not in seen
    assert len(seen) == 95


def test_combinations() -> None:
    assert parse_combination("ctrl-alt-delete") == ("ctrl", "alt", "delete")
    assert parse_combination("0x1d-0x2e") == ("ctrl", "c")
    assert parse_combination("0xcb") == ("left",)
    for bad in ("ctrl-", "foo", "0xzz"):
        with pytest.raises(KeyError):
            parse_combination(bad)


def test_strokes() -> None:
    assert list(strokes("Hi")) == [
        ("shift", True), ("h", True), ("h", False), ("shift", False), ("i", True), ("i", False),
    ]  # fmt: skip


def test_typist_keeps_pace() -> None:
    clock = FakeClock()
    events: list[tuple[int, str, bool]] = []
    typist = Typist(lambda key, down: events.append((clock.now(), key, down)), clock)
    typist.type("ab")
    typist.send("ctrl-c")
    while typist.busy:
        clock.advance(STROKE_TIME)
    times = [time for time, _, _ in events]
    assert [(key, down) for _, key, down in events] == [
        ("a", True), ("a", False), ("b", True), ("b", False),
        ("ctrl", True), ("c", True), ("c", False), ("ctrl", False),
    ]  # fmt: skip
    assert all(later - earlier >= STROKE_TIME for earlier, later in pairwise(times[:5]))
    assert times[6] - times[5] == HOLD_TIME
    assert times[7] == times[6]
