"""Keys: their names (``QKeyCode``), the codes a PS/2 keyboard sends for them, and how to type a text.

The scan-code sets 2 and 3 are the keyboard's own (IBM PS/2 Technical Reference, Keyboards, 1990); set 1 is
what the keyboard controller makes of set 2, by its translation table, and so is not listed but computed.
"""

from __future__ import annotations

from collections.abc import Iterator

E0 = 0xE000  # prefix of the keys that the 84-key keyboard did not have
RELEASE = 0xF0

# fmt: off
# name: (set 2, set 3); E0 + n is the byte E0 before n.  Pause and print are special, see scancodes().
KEYS: dict[str, tuple[int, int]] = {
    "esc": (0x76, 0x08),
    "1": (0x16, 0x16), "2": (0x1E, 0x1E), "3": (0x26, 0x26), "4": (0x25, 0x25), "5": (0x2E, 0x2E),
    "6": (0x36, 0x36), "7": (0x3D, 0x3D), "8": (0x3E, 0x3E), "9": (0x46, 0x46), "0": (0x45, 0x45),
    "minus": (0x4E, 0x4E), "equal": (0x55, 0x55), "backspace": (0x66, 0x66), "tab": (0x0D, 0x0D),
    "q": (0x15, 0x15), "w": (0x1D, 0x1D), "e": (0x24, 0x24), "r": (0x2D, 0x2D), "t": (0x2C, 0x2C),
    "y": (0x35, 0x35), "u": (0x3C, 0x3C), "i": (0x43, 0x43), "o": (0x44, 0x44), "p": (0x4D, 0x4D),
    "bracket_left": (0x54, 0x54), "bracket_right": (0x5B, 0x5B), "ret": (0x5A, 0x5A),
    "a": (0x1C, 0x1C), "s": (0x1B, 0x1B), "d": (0x23, 0x23), "f": (0x2B, 0x2B), "g": (0x34, 0x34),
    "h": (0x33, 0x33), "j": (0x3B, 0x3B), "k": (0x42, 0x42), "l": (0x4B, 0x4B),
    "semicolon": (0x4C, 0x4C), "apostrophe": (0x52, 0x52), "grave_accent": (0x0E, 0x0E),
    "backslash": (0x5D, 0x5C),
    "z": (0x1A, 0x1A), "x": (0x22, 0x22), "c": (0x21, 0x21), "v": (0x2A, 0x2A), "b": (0x32, 0x32),
    "n": (0x31, 0x31), "m": (0x3A, 0x3A), "comma": (0x41, 0x41), "dot": (0x49, 0x49), "slash": (0x4A, 0x4A),
    "less": (0x61, 0x13), "spc": (0x29, 0x29),
    "shift": (0x12, 0x12), "shift_r": (0x59, 0x59), "ctrl": (0x14, 0x11), "ctrl_r": (E0 + 0x14, 0x58),
    "alt": (0x11, 0x19), "alt_r": (E0 + 0x11, 0x39), "altgr": (E0 + 0x11, 0x39), "altgr_r": (E0 + 0x11, 0x39),
    "meta_l": (E0 + 0x1F, 0x8B), "meta_r": (E0 + 0x27, 0x8C), "menu": (E0 + 0x2F, 0x8D),
    "compose": (E0 + 0x2F, 0x8D),
    "caps_lock": (0x58, 0x14), "num_lock": (0x77, 0x76), "scroll_lock": (0x7E, 0x5F),
    "f1": (0x05, 0x07), "f2": (0x06, 0x0F), "f3": (0x04, 0x17), "f4": (0x0C, 0x1F), "f5": (0x03, 0x27),
    "f6": (0x0B, 0x2F), "f7": (0x83, 0x37), "f8": (0x0A, 0x3F), "f9": (0x01, 0x47), "f10": (0x09, 0x4F),
    "f11": (0x78, 0x56), "f12": (0x07, 0x5E),
    "print": (E0 + 0x7C, 0x57), "sysrq": (0x84, 0x57), "pause": (E0 + 0x7E, 0x62),
    "kp_divide": (E0 + 0x4A, 0x77), "kp_multiply": (0x7C, 0x7E), "kp_subtract": (0x7B, 0x84),
    "kp_add": (0x79, 0x7C), "kp_enter": (E0 + 0x5A, 0x79), "kp_decimal": (0x71, 0x71),
    "kp_comma": (0x6D, 0x7B), "kp_equals": (0x0F, 0x83),
    "kp_0": (0x70, 0x70), "kp_1": (0x69, 0x69), "kp_2": (0x72, 0x72), "kp_3": (0x7A, 0x7A),
    "kp_4": (0x6B, 0x6B), "kp_5": (0x73, 0x73), "kp_6": (0x74, 0x74), "kp_7": (0x6C, 0x6C),
    "kp_8": (0x75, 0x75), "kp_9": (0x7D, 0x7D),
    "home": (E0 + 0x6C, 0x6E), "end": (E0 + 0x69, 0x65), "pgup": (E0 + 0x7D, 0x6F), "pgdn": (E0 + 0x7A, 0x6D),
    "up": (E0 + 0x75, 0x63), "down": (E0 + 0x72, 0x60), "left": (E0 + 0x6B, 0x61), "right": (E0 + 0x74, 0x6A),
    "insert": (E0 + 0x70, 0x67), "delete": (E0 + 0x71, 0x64),
    "power": (E0 + 0x37, 0x00), "sleep": (E0 + 0x3F, 0x00), "wake": (E0 + 0x5E, 0x00),
    "ro": (0x51, 0x51), "yen": (0x6A, 0x5D), "henkan": (0x64, 0x86), "muhenkan": (0x67, 0x85), "hiragana": (0x13, 0x87),
    "katakanahiragana": (0x13, 0x87), "asterisk": (0x7C, 0x7E),
    "audionext": (E0 + 0x4D, 0x00), "audioprev": (E0 + 0x15, 0x00), "audiostop": (E0 + 0x3B, 0x00),
    "audioplay": (E0 + 0x34, 0x00), "audiomute": (E0 + 0x23, 0x00), "volumeup": (E0 + 0x32, 0x00),
    "volumedown": (E0 + 0x21, 0x00), "mediaselect": (E0 + 0x50, 0x00), "mail": (E0 + 0x48, 0x00),
    "calculator": (E0 + 0x2B, 0x00), "computer": (E0 + 0x40, 0x00), "ac_home": (E0 + 0x3A, 0x00),
    "ac_back": (E0 + 0x38, 0x00), "ac_forward": (E0 + 0x30, 0x00), "ac_refresh": (E0 + 0x20, 0x00),
    "ac_bookmarks": (E0 + 0x18, 0x00),
}

# The keyboard controller's translation of set 2, from code 00 on (IBM PS/2 Technical Reference).
_TRANSLATED = bytes.fromhex(
    "ff43413f3d3b3c58 644442403e0f2959 65382a701d10025a 66712c1f1e11035b"
    "672e2d201205045c 68392f211413065d 693130232215075e 6a7232241608095f"
    "6b332517180b0a60 6c34352627190c61 6d7328741a0d626e 3a361c1b752b6376"
    "55567778797a0e7b 7c4f7d4b477e7f6f 5253504c4d480145 574e514a37494654"
    "8081824154"
)
# fmt: on
TRANSLATION = _TRANSLATED + bytes(range(len(_TRANSLATED), 256))

PRINT_MAKE, PRINT_BREAK = bytes.fromhex("e012 e07c"), bytes.fromhex("e0f07c e0f012")
PAUSE_MAKE = bytes.fromhex("e11477 e1f014f077")  # it has no break code


class Translator:
    """Turns a stream of set 2 into set 1: the break prefix becomes bit 7 of the code after it."""

    def __init__(self) -> None:
        self._release = 0

    @property
    def releasing(self) -> bool:
        """Whether a prefix waits for the code after it."""
        return bool(self._release)

    @releasing.setter
    def releasing(self, value: bool) -> None:
        self._release = 0x80 if value else 0

    def feed(self, data: bytes) -> bytes:
        """The translated bytes; a prefix at the end waits for the next portion."""
        out = bytearray()
        for byte in data:
            if byte == RELEASE:
                self._release = 0x80
            elif byte in (0xE0, 0xE1):
                out.append(byte)
            else:
                out.append(TRANSLATION[byte] | self._release)
                self._release = 0
        return bytes(out)


CTRL_KEYS = frozenset(("ctrl", "ctrl_r"))
SHIFT_KEYS = frozenset(("shift", "shift_r"))
ALT_KEYS = frozenset(("alt", "alt_r", "altgr", "altgr_r"))


def scancodes(name: str, down: bool, *, code_set: int = 2, held: frozenset[str] = frozenset()) -> bytes:
    """What a keyboard sends when key *name* goes down or up while the keys *held* are down.

    :raise KeyError: no key has that name.
    """
    set2, set3 = KEYS[name]
    if code_set == 3:
        return bytes((set3,)) if down else bytes((RELEASE, set3))
    if name in ("pause", "print"):
        data = _special(name, down, held)
    else:
        prefix = (0xE0,) if set2 >= E0 else ()
        data = bytes((*prefix, set2 & 0xFF) if down else (*prefix, RELEASE, set2 & 0xFF))
    return Translator().feed(data) if code_set == 1 else data


def _special(name: str, down: bool, held: frozenset[str]) -> bytes:
    if name == "pause":
        if held & CTRL_KEYS:  # "break"
            return bytes.fromhex("e07e" if down else "e0f07e")
        return PAUSE_MAKE if down else b""
    if held & ALT_KEYS:  # "system request"
        return bytes.fromhex("84" if down else "f084")
    if held & (CTRL_KEYS | SHIFT_KEYS):
        return bytes.fromhex("e07c" if down else "e0f07c")
    return PRINT_MAKE if down else PRINT_BREAK


# -- characters ---------------------------------------------------------------------------------------------

_PLAIN = {
    " ": "spc", "\n": "ret", "\r": "ret", "\t": "tab", "\b": "backspace", "\x7f": "backspace", "\x1b": "esc",
    "-": "minus", "=": "equal", "[": "bracket_left", "]": "bracket_right", ";": "semicolon",
    "'": "apostrophe", "`": "grave_accent", "\\": "backslash", ",": "comma", ".": "dot", "/": "slash",
}  # fmt: skip
_SHIFTED = {
    "!": "1", "@": "2", "#": "3", "$": "4", "%": "5", "^": "6", "&": "7", "*": "8", "(": "9", ")": "0",
    "_": "minus", "+": "equal", "{": "bracket_left", "}": "bracket_right", ":": "semicolon",
    '"': "apostrophe", "~": "grave_accent", "|": "backslash", "<": "comma", ">": "dot", "?": "slash",
}  # fmt: skip


def keys_for(char: str) -> tuple[str, ...]:
    """The keys to hold together for *char* on a US keyboard; empty if there is no way to type it."""
    if char in _PLAIN:
        return (_PLAIN[char],)
    if char in _SHIFTED:
        return ("shift", _SHIFTED[char])
    if char.lower() in KEYS and len(char) == 1:
        return ("shift", char.lower()) if char.isupper() else (char,)
    if len(char) == 1 and 1 <= ord(char) <= 26:
        return ("ctrl", chr(ord(char) + 96))
    return ()


def parse_combination(text: str) -> tuple[str, ...]:
    """The keys of a ``sendkey`` argument such as ``ctrl-alt-delete`` or ``0x1d-c``.

    A hexadecimal number is a set 1 code, with bit 7 for those behind the prefix E0.

    :raise KeyError: with the part that is no key.
    """
    return tuple(_key_or_code(part) for part in text.split("-"))


def _key_or_code(part: str) -> str:
    if part in KEYS:
        return part
    if part.startswith("0x"):
        try:
            name = key_of_scancode(int(part, 16))
        except ValueError:
            name = None
        if name is not None:
            return name
    raise KeyError(part)


def key_of_scancode(code: int) -> str | None:
    """The key whose set 1 code is *code*, with bit 7 for those behind the prefix E0; None if there is none."""
    for name, (set2, _) in KEYS.items():
        if TRANSLATION[set2 & 0xFF] | (0x80 if set2 >= E0 else 0) == code:
            return name
    return None


def strokes(text: str) -> Iterator[tuple[str, bool]]:
    """The presses and releases that type *text*; what cannot be typed is left out."""
    for char in text:
        keys = keys_for(char)
        yield from ((key, True) for key in keys)
        yield from ((key, False) for key in reversed(keys))
