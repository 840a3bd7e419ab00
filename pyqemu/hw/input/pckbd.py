"""The keyboard controller of a PC, an 8042 (IBM PS/2 Technical Reference, "Keyboard Controller").

Its one output buffer is shared by the keyboard, the mouse, and its own replies.  A byte in it stays until it
is read, whatever else arrives meanwhile: the status bit that tells whose it is must fit to the byte.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pyqemu.hw.input.ps2 import Ps2Keyboard, Ps2Mouse
from pyqemu.hw.isa.bus import IsaDevice
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import U8, Struct, VMState
from pyqemu.system import Irq, ShutdownCause
from pyqemu.util.trace_events import SILENT, TraceEvents

# Status
STATUS_OBF, STATUS_IBF, STATUS_SYSTEM, STATUS_COMMAND = 0x01, 0x02, 0x04, 0x08
STATUS_UNLOCKED, STATUS_MOUSE_OBF = 0x10, 0x20
# Command byte
MODE_KBD_INT, MODE_MOUSE_INT, MODE_SYSTEM = 0x01, 0x02, 0x04
MODE_DISABLE_KBD, MODE_DISABLE_MOUSE, MODE_TRANSLATE = 0x10, 0x20, 0x40
# Output port
OUT_NO_RESET, OUT_A20, OUT_OBF, OUT_MOUSE_OBF = 0x01, 0x02, 0x10, 0x20

INPUT_PORT = 0x80  # keyboard not locked
SELF_TEST_PASSED, INTERFACE_TEST_PASSED = 0x55, 0x00

COMMANDS_WITH_DATA = (0x60, 0xD1, 0xD2, 0xD3, 0xD4)


class Pckbd:
    """The controller with both devices plugged in.

    Offsets are 0 for port 60h and 4 for port 64h.

    :param a20: the gate of address line 20 as the output port drives it (high: open)
    :param request_reset: pulls the reset line of the CPU
    """

    vmstate = VMState(
        "pckbd",
        version=3,
        fields=(U8("write_cmd"), U8("status"), U8("mode"), U8("pending", wire="pending_tmp")),
        subsections=(
            VMState("pckbd_outport", fields=(U8("outport"),),
                    needed=lambda controller: controller.outport & 0xF != OUT_NO_RESET | OUT_A20),
        ),
        post_load=lambda controller: controller.loaded(),
    )  # fmt: skip

    def __init__(
        self, irq_kbd: Irq, irq_mouse: Irq, a20: Irq, request_reset: Callable[[], None], trace: TraceEvents = SILENT
    ) -> None:
        self.trace = trace
        self.irq_kbd, self.irq_mouse, self.a20 = irq_kbd, irq_mouse, a20
        self.request_reset = request_reset
        self.keyboard = Ps2Keyboard(trace)
        self.mouse = Ps2Mouse(trace)
        self.keyboard.on_data = self.mouse.on_data = self._load
        self.keyboard.lent = partial(self._held, aux=False)
        self.mouse.lent = partial(self._held, aux=True)
        self.reset()

    def reset(self) -> None:
        """Power-on state: interrupts enabled, the A20 gate open, no translation until firmware sets it."""
        self.mode = MODE_KBD_INT | MODE_MOUSE_INT
        self.status = STATUS_COMMAND | STATUS_UNLOCKED
        self.outport = OUT_NO_RESET | OUT_A20
        self.write_cmd = 0  # command that waits for its data byte
        self.replies: list[tuple[int, bool]] = []  # own bytes, and whether they count as the mouse's
        self.data = 0
        self.keyboard.reset()
        self.keyboard.translate = False
        self.mouse.reset()
        self.a20.set(True)
        self.update()

    # -- the saved state, in which the bytes here are still in the queues of keyboard and mouse

    def _held(self, *, aux: bool) -> list[int]:
        """The bytes here that came from keyboard or mouse, or count as theirs."""
        held = [self.data] if self.status & STATUS_OBF and bool(self.status & STATUS_MOUSE_OBF) == aux else []
        return held + [value for value, is_aux in self.replies if is_aux == aux]

    @property
    def pending(self) -> int:
        """Which of the two has bytes."""
        keyboard = bool(self.keyboard.queue or self._held(aux=False))
        return keyboard | bool(self.mouse.queue or self._held(aux=True)) << 1

    @pending.setter
    def pending(self, value: int) -> None:
        """It follows from the queues."""

    def loaded(self) -> None:
        """State was loaded, after that of keyboard and mouse."""
        self.replies.clear()
        if self.status & STATUS_OBF:
            self.data = (self.mouse if self.status & STATUS_MOUSE_OBF else self.keyboard).take()
        self.a20.set(bool(self.outport & OUT_A20))
        self.update()
        self._load()

    def update(self) -> None:
        """Drive interrupt lines and the output port's copies of them from state."""
        full = bool(self.status & STATUS_OBF)
        aux = bool(self.status & STATUS_MOUSE_OBF)
        self.outport &= ~(OUT_OBF | OUT_MOUSE_OBF)
        if full:
            self.outport |= OUT_MOUSE_OBF if aux else OUT_OBF
        # A disabled keyboard interrupts for no byte at all: programs poll for replies in that state.
        self.irq_kbd.set(full and not aux and self.mode & (MODE_KBD_INT | MODE_DISABLE_KBD) == MODE_KBD_INT)
        self.irq_mouse.set(full and aux and bool(self.mode & MODE_MOUSE_INT))

    def _load(self) -> None:
        """Fill the output buffer if it is empty: own replies first, then the keyboard, then the mouse."""
        if self.status & STATUS_OBF:
            return
        aux = False
        if self.replies:
            self.data, aux = self.replies.pop(0)
        elif self.keyboard.queue and not self.mode & MODE_DISABLE_KBD:
            self.data = self.keyboard.take()
        elif self.mouse.queue and not self.mode & MODE_DISABLE_MOUSE:
            self.data, aux = self.mouse.take(), True
        else:
            self.update()
            return
        self.status = self.status & ~STATUS_MOUSE_OBF | STATUS_OBF | (STATUS_MOUSE_OBF if aux else 0)
        self.update()

    def _reply(self, value: int, *, aux: bool = False) -> None:
        self.replies.append((value, aux))
        self._load()

    # -- ports ----------------------------------------------------------------------------------------

    def read(self, offset: int, size: int) -> int:
        """Port 60h: the output buffer, port 64h: status."""
        if offset:
            if event := self.trace.pckbd_kbd_read_status:
                event(status=self.status)
            return self.status
        value = self.data
        if event := self.trace.pckbd_kbd_read_data:
            event(val=value)
        if self.status & STATUS_OBF:
            self.status &= ~(STATUS_OBF | STATUS_MOUSE_OBF)
            self.update()  # the line falls before it rises for the next byte: that makes an edge
            self._load()
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        """Port 60h: data, port 64h: a command."""
        if offset:
            if event := self.trace.pckbd_kbd_write_command:
                event(val=value)
            self.status |= STATUS_COMMAND
            self._command(value & 0xFF)
        else:
            if event := self.trace.pckbd_kbd_write_data:
                event(val=value)
            self.status &= ~STATUS_COMMAND
            self._data(value & 0xFF)

    def _data(self, value: int) -> None:
        command, self.write_cmd = self.write_cmd, 0
        match command:
            case 0x60:
                self._write_mode(value)
            case 0xD1:
                self._write_outport(value)
            case 0xD2:
                self._reply(value)
            case 0xD3:
                self._reply(value, aux=True)
            case 0xD4:
                self.mode &= ~MODE_DISABLE_MOUSE
                self.mouse.write(value)
            case _:
                self.mode &= ~MODE_DISABLE_KBD  # writing to the keyboard opens its line
                self.update()
                self.keyboard.write(value)

    def _write_mode(self, value: int) -> None:
        self.mode = value
        self.status = self.status & ~STATUS_SYSTEM | value & MODE_SYSTEM
        self.keyboard.set_translation(bool(value & MODE_TRANSLATE))
        self._load()
        self.update()

    def _write_outport(self, value: int) -> None:
        if event := self.trace.pckbd_outport_write:
            event(val=value)
        self.outport = value
        self.a20.set(bool(value & OUT_A20))
        self.update()
        if not value & OUT_NO_RESET:
            self.request_reset()

    def _command(self, command: int) -> None:
        if command in COMMANDS_WITH_DATA:
            self.write_cmd = command
            return
        self.write_cmd = 0
        if command >= 0xF0:  # pulse output bits; only bit 0, the reset line, leads anywhere
            if not command & 1:
                self.request_reset()
            return
        reply = self._simple_command(command)
        if reply is not None:
            self._reply(reply)

    def _simple_command(self, command: int) -> int | None:
        """A command without data; its reply, if it has one."""
        match command:
            case 0x20:
                return self.mode
            case 0xA7:
                self.mode |= MODE_DISABLE_MOUSE
            case 0xA8:
                self.mode &= ~MODE_DISABLE_MOUSE
                self._load()
            case 0xA9 | 0xAB:
                return INTERFACE_TEST_PASSED
            case 0xAA:
                self.status |= STATUS_SYSTEM
                return SELF_TEST_PASSED
            case 0xAD:
                self.mode |= MODE_DISABLE_KBD
                self.update()
            case 0xAE:
                self.mode &= ~MODE_DISABLE_KBD
                self.update()
                self._load()
            case 0xC0:
                return INPUT_PORT
            case 0xD0:
                return self.outport
            case 0xDD:
                self._write_outport(self.outport & ~OUT_A20)
            case 0xDF:
                self._write_outport(self.outport | OUT_A20)
            case _:
                pass
        return None


@device_class("i8042", bus="isa", category="input", user_creatable=False)
class I8042(IsaDevice):
    """The controller on its two ports, 60h and 64h.

    ``a20_out`` is the output to the A20 gate; the board leads it on before the device is realized or after.
    """

    controller: Pckbd

    vmstate = VMState("pckbd", version=3, fields=(Struct("controller", Pckbd.vmstate, wire="kbd"),))

    def __init__(self) -> None:
        super().__init__()
        self.a20_out = Irq()

    def realize(self) -> None:
        system = self.bus.system
        self.controller = Pckbd(
            self.bus.irq(1),
            self.bus.irq(12),
            self.a20_out,
            lambda: system.request_reset(ShutdownCause.GUEST_RESET),
            system.trace,
        )
        self.bus.register_ports(0x60, 1, _Port(self.controller, 0), "i8042-data", access=(1, 1))
        self.bus.register_ports(0x64, 1, _Port(self.controller, 4), "i8042-cmd", access=(1, 1))

    @property
    def keyboard(self) -> Ps2Keyboard:
        """The keyboard plugged in."""
        return self.controller.keyboard

    @property
    def mouse(self) -> Ps2Mouse:
        """The mouse plugged in."""
        return self.controller.mouse

    def reset(self) -> None:
        self.controller.reset()


class _Port:
    """One of the controller's two addresses."""

    def __init__(self, controller: Pckbd, offset: int) -> None:
        self._controller, self._offset = controller, offset

    def read(self, offset: int, size: int) -> int:
        return self._controller.read(self._offset, size)

    def write(self, offset: int, size: int, value: int) -> None:
        self._controller.write(self._offset, size, value)
