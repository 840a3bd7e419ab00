"""INT 09h and INT 16h: the keyboard (IBM PC/AT Technical Reference, keyboard BIOS).

The controller delivers scan code set 1. INT 09h turns codes into words of scan code and character in the ring buffer
at 40:1Eh; INT 16h takes them out.
"""

from __future__ import annotations

from pyqemu.firmware.bios.calls import Calls
from pyqemu.firmware.bios.context import LinearMemory, Ports
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.keymap import ALT, CTRL, EXTENDED, KEYS, LETTERS, PLAIN, SHIFT
from pyqemu.firmware.bios.layout import Bda, Verdict

# Bits of 40:17h
_RIGHT_SHIFT, _LEFT_SHIFT, _CTRL, _ALT, _SCROLL, _NUM, _CAPS, _INSERT = (1 << n for n in range(8))
# Bits of 40:18h
_LEFT_CTRL, _LEFT_ALT = 1, 2
# Bits of 40:96h
_E1, _E0, _RIGHT_CTRL, _RIGHT_ALT = 1, 2, 4, 8

_LOCKS = {0x3A: _CAPS, 0x45: _NUM, 0x46: _SCROLL}
_CTRL_SCAN, _ALT_SCAN, _LEFT_SHIFT_SCAN, _RIGHT_SHIFT_SCAN = 0x1D, 0x38, 0x2A, 0x36
_INSERT_SCAN, _DELETE_SCAN, _SCROLL_SCAN, _NUM_SCAN, _SYSRQ_SCAN, _PRINT_SCAN = 0x52, 0x53, 0x46, 0x45, 0x54, 0x37
_WARM = 0x1234


class KeyboardServices:
    """Both sides of the keyboard buffer."""

    def __init__(self, memory: LinearMemory, ports: Ports, calls: Calls) -> None:
        self.memory = memory
        self.ports = ports
        self.calls = calls

    # -- INT 16h --------------------------------------------------------------------------------------------

    def service(self, frame: Frame) -> Verdict | None:
        """Run function AH."""
        match frame.ah:
            case 0x00 | 0x10:
                return self._get(frame, extended=frame.ah == 0x10)
            case 0x01 | 0x11:
                self._peek(frame, extended=frame.ah == 0x11)
            case 0x02:
                frame.al = self.memory.u8(Bda.KEY_FLAGS)
            case 0x03:
                pass  # the typematic rate is the host keyboard's
            case 0x05:
                frame.al = 0 if self._put(frame.cx) else 1
            case 0x09:
                frame.al = 0x30  # 0Ah (not here), 10h to 12h
            case 0x0A:
                frame.bx = 0x41AB  # an MF2 keyboard behind translation
            case 0x12:
                flags, more = self.memory.u8(Bda.KEY_FLAGS), self.memory.u8(Bda.KEY_FLAGS3)
                frame.al = flags
                frame.ah = self.memory.u8(Bda.KEY_FLAGS2) & 0x73 | more & 0x0C
            case 0x92:
                frame.ah = 0x80  # 10h to 12h are there
        return None

    def _next(self) -> int | None:
        memory = self.memory
        head = memory.u16(Bda.KEY_HEAD)
        return None if head == memory.u16(Bda.KEY_TAIL) else memory.u16(0x400 + head)

    def _remove(self) -> None:
        self.memory.set16(Bda.KEY_HEAD, self._after(self.memory.u16(Bda.KEY_HEAD)))

    def _after(self, pointer: int) -> int:
        pointer += 2
        return self.memory.u16(Bda.KEY_START) if pointer >= self.memory.u16(Bda.KEY_END) else pointer

    def _get(self, frame: Frame, *, extended: bool) -> Verdict | None:
        while (word := self._next()) is not None:
            self._remove()
            shown = _shown(word, extended)
            if shown is not None:
                frame.ax = shown
                return None
        return Verdict.WAIT

    def _peek(self, frame: Frame, *, extended: bool) -> None:
        while (word := self._next()) is not None:
            shown = _shown(word, extended)
            if shown is not None:
                frame.ax, frame.zero = shown, False
                return
            self._remove()
        frame.zero = True

    def _put(self, word: int) -> bool:
        """Append a key; False if the buffer is full."""
        memory = self.memory
        tail = memory.u16(Bda.KEY_TAIL)
        after = self._after(tail)
        if after == memory.u16(Bda.KEY_HEAD):
            return False
        memory.set16(0x400 + tail, word)
        memory.set16(Bda.KEY_TAIL, after)
        return True

    # -- INT 09h --------------------------------------------------------------------------------------------

    def scan_code(self, code: int) -> Verdict | None:
        """A byte from the keyboard."""
        memory = self.memory
        state = memory.u8(Bda.KEY_FLAGS3)
        if code in (0xE0, 0xE1):
            memory.set8(Bda.KEY_FLAGS3, state | (_E0 if code == 0xE0 else _E1))
            return None
        if code in (0xFA, 0xFE, 0xEE):
            return None  # the keyboard's answers to commands
        extended, pause = bool(state & _E0), bool(state & _E1)
        if pause:  # E1 1D 45 E1 9D C5: the Pause key, which does nothing here
            if code & 0x7F == _NUM_SCAN:
                memory.set8(Bda.KEY_FLAGS3, state & ~(_E0 | _E1))
            return None
        memory.set8(Bda.KEY_FLAGS3, state & ~_E0)
        if self._modifier(code, extended):
            return None
        if code & 0x80:
            return None
        return self._key(code, extended)

    def _modifier(self, code: int, extended: bool) -> bool:
        """Shift keys and locks; true if *code* was one."""
        memory = self.memory
        key, down = code & 0x7F, not code & 0x80
        if extended and key in (_LEFT_SHIFT_SCAN, _RIGHT_SHIFT_SCAN):
            return True  # made by the keyboard around grey keys
        flags, flags2, flags3 = (memory.u8(at) for at in (Bda.KEY_FLAGS, Bda.KEY_FLAGS2, Bda.KEY_FLAGS3))
        if key in (_LEFT_SHIFT_SCAN, _RIGHT_SHIFT_SCAN):
            flags = _with(flags, _LEFT_SHIFT if key == _LEFT_SHIFT_SCAN else _RIGHT_SHIFT, down)
        elif key == _CTRL_SCAN:
            flags2 = flags2 if extended else _with(flags2, _LEFT_CTRL, down)
            flags3 = _with(flags3, _RIGHT_CTRL, down) if extended else flags3
            flags = _with(flags, _CTRL, bool(flags2 & _LEFT_CTRL or flags3 & _RIGHT_CTRL))
        elif key == _ALT_SCAN:
            flags2 = flags2 if extended else _with(flags2, _LEFT_ALT, down)
            flags3 = _with(flags3, _RIGHT_ALT, down) if extended else flags3
            flags = _with(flags, _ALT, bool(flags2 & _LEFT_ALT or flags3 & _RIGHT_ALT))
            self._alt_number(flags)
        elif key in _LOCKS and not extended and not (flags & _CTRL and key != 0x3A):
            lock = _LOCKS[key]
            if down and not flags2 & lock:
                flags ^= lock
                self._set_leds(flags)
            flags2 = _with(flags2, lock, down)
        else:
            return False
        memory.set8(Bda.KEY_FLAGS, flags)
        memory.set8(Bda.KEY_FLAGS2, flags2)
        memory.set8(Bda.KEY_FLAGS3, flags3)
        return True

    def _alt_number(self, flags: int) -> None:
        """Alt is up again: a number typed on the keypad becomes a character."""
        number = self.memory.u8(Bda.ALT_NUMBER)
        if number and not flags & _ALT:
            self._put(number)
            self.memory.set8(Bda.ALT_NUMBER, 0)

    def _set_leds(self, flags: int) -> None:
        """40:97h says which lights are on; the keyboard is not told, since its answer would come as an interrupt."""
        leds = flags >> 4 & 7
        self.memory.set8(Bda.KEY_LEDS, self.memory.u8(Bda.KEY_LEDS) & ~7 | leds)

    def _key(self, code: int, extended: bool) -> Verdict | None:
        memory = self.memory
        flags = memory.u8(Bda.KEY_FLAGS)
        if flags & _CTRL:
            if code == _DELETE_SCAN and flags & _ALT:
                return self._reset()
            if code == _SCROLL_SCAN:
                return self._break()
        if extended and code == _PRINT_SCAN:
            return self.calls.interrupt(0x05)
        if code == _SYSRQ_SCAN:
            return None
        digit = _KEYPAD_DIGITS.get(code)
        if digit is not None and flags & _ALT and not extended:
            memory.set8(Bda.ALT_NUMBER, (memory.u8(Bda.ALT_NUMBER) * 10 + digit) & 0xFF)
            return None
        word = translate(code, flags, extended)
        if code == _INSERT_SCAN and not flags & (_CTRL | _ALT) and word & 0xFF in (0, 0xE0):
            memory.set8(Bda.KEY_FLAGS, flags ^ _INSERT)
        if word:
            self._put(word)
        return None

    def _reset(self) -> Verdict:
        """Ctrl-Alt-Del: the keyboard controller pulses the reset line."""
        self.memory.set16(Bda.WARM_BOOT, _WARM)
        self.ports.outb(0x64, 0xFE)
        return Verdict.HALT

    def _break(self) -> Verdict:
        """Ctrl-Break: the buffer is emptied, a zero key put in, INT 1Bh called."""
        start = self.memory.u16(Bda.KEY_START)
        self.memory.set16(Bda.KEY_HEAD, start)
        self.memory.set16(Bda.KEY_TAIL, start)
        self.memory.set8(Bda.BREAK, 0x80)
        self._put(0)
        return self.calls.interrupt(0x1B)


_KEYPAD_DIGITS = {0x52: 0, 0x4F: 1, 0x50: 2, 0x51: 3, 0x4B: 4, 0x4C: 5, 0x4D: 6, 0x47: 7, 0x48: 8, 0x49: 9}


def translate(code: int, flags: int, extended: bool) -> int:
    """The word that a key puts into the buffer, 0 for none; *flags* are those of 40:17h."""
    state = ALT if flags & _ALT else CTRL if flags & _CTRL else PLAIN
    if state == PLAIN:
        shift = bool(flags & (_LEFT_SHIFT | _RIGHT_SHIFT))
        if extended:
            shift = False
        elif code in LETTERS:
            shift ^= bool(flags & _CAPS)
        elif code in _KEYPAD_DIGITS or code == _DELETE_SCAN:
            shift ^= bool(flags & _NUM)
        state = SHIFT if shift else PLAIN
    if extended and code in EXTENDED:
        return EXTENDED[code][state]
    row = KEYS.get(code)
    return row[state] if row is not None else 0


def _shown(word: int, extended: bool) -> int | None:
    """A buffer word as functions 00h/01h show it to programs that know 83 keys: F0h and E0h become 0; new keys are left
    out.
    """
    if extended:
        return word & 0xFF00 if word & 0xFF == 0xF0 and word >> 8 else word
    low, high = word & 0xFF, word >> 8
    if high == 0xE0:  # keypad Enter and slash
        return (0x1C00 if low in (0x0D, 0x0A) else 0x3500) | low
    if low == 0xF0 and high:
        return None
    if high > 0x84:
        return None
    return word & 0xFF00 if low == 0xE0 and high else word


def _with(value: int, bit: int, on: bool) -> int:
    return value | bit if on else value & ~bit
