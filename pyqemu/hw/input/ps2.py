"""PS/2 keyboard and mouse (IBM PS/2 Technical Reference: "Keyboards", "Mouse").

A device sends bytes by putting them into its queue; the controller at the other end of the cable takes them
with :meth:`Ps2Device.take` when it has room, told of them by ``on_data``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from pyqemu.hw.input.ps2_state import SavedQueue, detect_state, keyboard_vmstate, mouse_vmstate, rates_of
from pyqemu.ui.keys import KEYS, Translator, scancodes
from pyqemu.util.trace_events import SILENT, TraceEvents

QUEUE_SIZE = 16  # bytes; what a keyboard keeps before it drops keys
REPLY_ROOM = 8  # and the queue takes replies beyond that

ACK, RESEND, SELF_TEST_PASSED, ECHO, OVERRUN = 0xFA, 0xFE, 0xAA, 0xEE, 0xFF


class Ps2Device:
    """What both have in common: the queue, and commands with parameters."""

    def __init__(self, trace: TraceEvents = SILENT) -> None:
        self.trace = trace
        self.on_data: Callable[[], None] = lambda: None
        self.queue: deque[int] = deque()
        self.lent: Callable[[], list[int]] = list  # bytes that the controller has taken and the host has not
        self.saved = SavedQueue()
        self.last = 0  # sent last, for RESEND
        self.write_cmd = -1  # command that waits for its parameter

    def take(self) -> int:
        """The next byte; the one before again if there is none."""
        if event := self.trace.ps2_read_data:
            event(opaque=id(self))
        if self.queue:
            self.last = self.queue.popleft()
        return self.last

    def send(self, *data: int) -> None:
        """Queue a reply."""
        if len(self.queue) + len(data) <= QUEUE_SIZE + REPLY_ROOM:
            self.queue.extend(data)
        self.on_data()

    def write(self, value: int) -> None:
        """A byte from the host: a command or the parameter of one."""
        command, self.write_cmd = self.write_cmd, -1
        if command < 0:
            self._command(value)
        else:
            self._parameter(command, value)

    def _command(self, command: int) -> None:
        raise NotImplementedError

    def _parameter(self, command: int, value: int) -> None:
        raise NotImplementedError

    def _expect_parameter(self, command: int) -> None:
        self.write_cmd = command
        self.send(ACK)


class Ps2Keyboard(Ps2Device):
    """A 101/102-key keyboard.

    With ``translate`` set all that it sends is turned into set 1 on the way, as the keyboard controller of a
    PC does (the table is in :mod:`pyqemu.ui.keys`).
    """

    vmstate = keyboard_vmstate

    def __init__(self, trace: TraceEvents = SILENT) -> None:
        super().__init__(trace)
        self.on_leds: Callable[[int], None] = lambda leds: None
        self.translate = False
        self._translator = Translator()
        self.held: frozenset[str] = frozenset()
        self.reset()

    def reset(self) -> None:
        """Power-on state; scanning starts by itself."""
        if event := self.trace.ps2_kbd_reset:
            event(opaque=id(self))
        self.queue.clear()
        self.write_cmd = -1
        self.leds = 0
        self._defaults()

    def _defaults(self) -> None:
        self.scan_enabled = True
        self.scancode_set = 2
        self.typematic = 0x2B  # 10.9 characters a second after half a second; the host does the repeating

    def send(self, *data: int) -> None:
        """Queue a reply, translated if it must be."""
        super().send(*(self._translator.feed(bytes(data)) if self.translate else data))

    def put_key(self, name: str, down: bool) -> None:
        """A key goes down or up; *name* is a QKeyCode name, unknown ones are ignored."""
        if name not in KEYS:
            return
        self.held = self.held | {name} if down else self.held - {name}
        if not self.scan_enabled:
            return
        data = scancodes(name, down, code_set=self.scancode_set, held=self.held - {name})
        if self.translate:
            data = self._translator.feed(data)
        if len(self.queue) + len(data) > QUEUE_SIZE:
            return  # lost, as on the real one, which then beeps
        if event := self.trace.ps2_put_keycode:
            for byte in data:
                event(opaque=id(self), keycode=byte)
        self.queue.extend(data)
        self.on_data()

    def set_translation(self, on: bool) -> None:
        """Turn all that is sent into set 1, or no longer."""
        if event := self.trace.ps2_keyboard_set_translation:
            event(opaque=id(self), mode=on)
        self.translate = on

    def write(self, value: int) -> None:
        if event := self.trace.ps2_write_keyboard:
            event(opaque=id(self), val=value)
        super().write(value)

    @property
    def need_high_bit(self) -> bool:
        """Whether the prefix of a released key went into the translation, and its code not yet."""
        return self._translator.releasing

    @need_high_bit.setter
    def need_high_bit(self, value: int) -> None:
        self._translator.releasing = bool(value)

    @property
    def room(self) -> int:
        """Bytes that fit before keys are lost."""
        return max(0, QUEUE_SIZE - len(self.queue))

    def _command(self, command: int) -> None:
        match command:
            case 0xED | 0xF0 | 0xF3 | 0xFB | 0xFC | 0xFD:
                self._expect_parameter(command)
            case 0xEE:
                self.send(ECHO)
            case 0xF2:  # identify: an MF2 keyboard
                self.send(ACK, 0xAB, 0x83)
            case 0xF4:
                self.scan_enabled = True
                self.send(ACK)
            case 0xF5:
                self.queue.clear()
                self._defaults()
                self.scan_enabled = False
                self.send(ACK)
            case 0xF6:
                self.queue.clear()
                self._defaults()
                self.send(ACK)
            case 0xF7 | 0xF8 | 0xF9 | 0xFA:  # key types of set 3: all keys stay typematic
                self.send(ACK)
            case 0xFE:
                Ps2Device.send(self, self.last)
            case 0xFF:
                if event := self.trace.ps2_reset_keyboard:
                    event(s=id(self))
                self.reset()
                self.send(ACK, SELF_TEST_PASSED)
            case _:
                self.send(RESEND)

    def _parameter(self, command: int, value: int) -> None:
        if value & 0x80 and command == 0xED:  # a command in place of the parameter
            self._command(value)
            return
        match command:
            case 0xED:
                self.leds = value & 7
                if event := self.trace.ps2_set_ledstate:
                    event(s=id(self), ledstate=self.leds)
                self.on_leds(self.leds)
                self.send(ACK)
            case 0xF0:
                self._select_set(value)
            case 0xF3:
                self.typematic = value & 0x7F
                self.send(ACK)
            case _:
                self.send(ACK)

    def _select_set(self, value: int) -> None:
        if value == 0:
            self.send(ACK, self.scancode_set)
        elif value <= 3:
            self.scancode_set = value
            self.send(ACK)
        else:
            self.send(RESEND)


# Sample rates that, set one after another, ask for a protocol with more in it (Microsoft, "Wheel").
WHEEL_KNOCK = [200, 100, 80]
EXPLORER_KNOCK = [200, 200, 80]
TYPE_PLAIN, TYPE_WHEEL, TYPE_EXPLORER = 0, 3, 4

STATUS_SCALE21, STATUS_ENABLED, STATUS_REMOTE = 0x10, 0x20, 0x40


class Ps2Mouse(Ps2Device):
    """A PS/2 mouse; three bytes a packet, or four with a wheel (IntelliMouse, IntelliMouse Explorer)."""

    vmstate = mouse_vmstate

    def __init__(self, trace: TraceEvents = SILENT) -> None:
        super().__init__(trace)
        self.rates: list[int] = []
        self.reset()

    def reset(self) -> None:
        """Power-on state: stream mode, reporting off."""
        if event := self.trace.ps2_mouse_reset:
            event(opaque=id(self))
        self.queue.clear()
        self.write_cmd = -1
        self.type = TYPE_PLAIN
        self.wrap = False
        self.dx = self.dy = self.dz = 0
        self.buttons = 0  # 1 left, 2 right, 4 middle, 8 and 16 the side buttons
        self.rates.clear()
        self._defaults()

    def _defaults(self) -> None:
        self.sample_rate = 100
        self.resolution = 2  # 4 counts per millimetre
        self.status = 0

    @property
    def detect_state(self) -> int:
        """How much of a knock was heard, for the saved state."""
        return detect_state(self)

    @detect_state.setter
    def detect_state(self, value: int) -> None:
        self.rates = rates_of(value)

    # -- what the user does ---------------------------------------------------------------------------

    def move(self, dx: int, dy: int, dz: int = 0) -> None:
        """Motion in counts: right, down (as screens count), and of the wheel towards the user."""
        enabled = self.status & STATUS_ENABLED
        trace = self.trace
        if event := trace.ps2_mouse_event if enabled else trace.ps2_mouse_event_disabled:
            event(
                opaque=id(self), dx=dx, dy=dy, dz=dz, buttons_state=self.buttons,
                mouse_dx=self.dx, mouse_dy=self.dy, mouse_dz=self.dz,
            )  # fmt: skip
        if not enabled:
            return
        self.dx += dx
        self.dy -= dy
        self.dz += dz
        self._report()

    def press(self, buttons: int) -> None:
        """The buttons that are down now."""
        if self.buttons == buttons:
            return
        self.buttons = buttons
        if self.status & STATUS_ENABLED:
            self._report(force=True)

    def _report(self, *, force: bool = False) -> None:
        """In stream mode: send packets until the motion is told or the queue is full."""
        if self.status & STATUS_REMOTE:
            return
        size = 3 if self.type == TYPE_PLAIN else 4
        while force or self.dx or self.dy or self.dz:
            if len(self.queue) + size > QUEUE_SIZE:
                return
            before = self.dx, self.dy, self.dz
            self.send(*self._packet())
            force = False
            if before == (self.dx, self.dy, self.dz):
                return  # wheel motion that this protocol cannot tell

    def _packet(self) -> list[int]:
        dx = max(-255, min(255, self.dx))
        dy = max(-255, min(255, self.dy))
        if event := self.trace.ps2_mouse_send_packet:
            event(s=id(self), dx1=dx, dy1=dy, dz1=self.dz, b=self.buttons)
        self.dx -= dx
        self.dy -= dy
        packet = [0x08 | (dx < 0) << 4 | (dy < 0) << 5 | self.buttons & 7, dx & 0xFF, dy & 0xFF]
        if self.type == TYPE_PLAIN:
            self.dz = 0
            return packet
        dz = max(-8, min(7, self.dz)) if self.type == TYPE_EXPLORER else max(-127, min(127, self.dz))
        self.dz -= dz
        if self.type == TYPE_EXPLORER:
            return [*packet, dz & 0x0F | (self.buttons & 0x18) << 1]
        return [*packet, dz & 0xFF]

    # -- commands -------------------------------------------------------------------------------------

    def write(self, value: int) -> None:
        if event := self.trace.ps2_write_mouse:
            event(opaque=id(self), val=value)
        if self.wrap and self.write_cmd < 0:
            if value == 0xEC:
                self.wrap = False
                self.send(ACK)
                return
            if value != 0xFF:
                self.send(value)
                return
        super().write(value)

    def _command(self, command: int) -> None:
        if command in (0xE8, 0xF3):
            self._expect_parameter(command)
            return
        if command == 0xFF:
            self.reset()
            self.send(ACK, SELF_TEST_PASSED, 0x00)
            return
        replies = self._execute(command)
        if replies is None:
            self.send(RESEND)
        else:
            self.send(ACK, *replies)

    def _execute(self, command: int) -> list[int] | None:
        """Do a command without parameter; what to send after the acknowledge, None if it is unknown."""
        match command:
            case 0xE6:
                self.status &= ~STATUS_SCALE21
            case 0xE7:
                self.status |= STATUS_SCALE21
            case 0xE9:
                # bits of the buttons: left 2, middle 1, right 0
                buttons = (self.buttons & 1) << 2 | (self.buttons & 4) >> 1 | (self.buttons & 2) >> 1
                return [self.status | buttons, self.resolution, self.sample_rate]
            case 0xEA:
                self.status &= ~STATUS_REMOTE
            case 0xEB:
                return self._packet()
            case 0xEC:
                self.wrap = False
            case 0xEE:
                self.wrap = True
            case 0xF0:
                self.status |= STATUS_REMOTE
            case 0xF2:
                return [self.type]
            case 0xF4:
                self.status |= STATUS_ENABLED
            case 0xF5:
                self.status &= ~STATUS_ENABLED
            case 0xF6:
                self._defaults()
            case _:
                return None
        return []

    def _parameter(self, command: int, value: int) -> None:
        if command == 0xE8:
            self.resolution = value
        else:
            self.sample_rate = value
            self.rates = [*self.rates, value][-3:]
            if self.rates == WHEEL_KNOCK:
                self.type = TYPE_WHEEL
            elif self.rates == EXPLORER_KNOCK and self.type == TYPE_WHEEL:
                self.type = TYPE_EXPLORER
        self.send(ACK)
