"""The 16550A UART (National Semiconductor PC16550D data sheet; section numbers are its).

Output goes to the backend the moment the guest writes it, so the transmitter is empty again before the
guest can look: a transmit FIFO never fills unless the backend itself does not drain.  Input is taken from
the backend as the receive FIFO has room, no faster.  Only the FIFO's time-out knows the baud rate.
"""

from __future__ import annotations

from collections import deque

from pyqemu.chardev import Chardev, ChardevEvent
from pyqemu.hw.char.serial_state import serial_vmstate
from pyqemu.system.clock import Clock
from pyqemu.system.irq import Irq
from pyqemu.util.trace_events import SILENT, TraceEvents

FIFO_SIZE = 16
BACKLOG_LIMIT = 65536  # bytes a backend may owe before the transmitter stops
NANOSECONDS = 1_000_000_000

# Line control, 8.1
LCR_STOP, LCR_PARITY, LCR_BREAK, LCR_DLAB = 0x04, 0x08, 0x40, 0x80
# Line status, 8.3
LSR_DR, LSR_OE, LSR_PE, LSR_FE, LSR_BI, LSR_THRE, LSR_TEMT = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40
LSR_ANY_ERROR = LSR_OE | LSR_PE | LSR_FE | LSR_BI
# FIFO control, 8.4
FCR_ENABLE, FCR_CLEAR_RECEIVER, FCR_CLEAR_TRANSMITTER, FCR_STORED = 0x01, 0x02, 0x04, 0xC9
TRIGGER_LEVELS = (1, 4, 8, 14)
# Interrupt identification, 8.5; in order of priority
IIR_LINE, IIR_DATA, IIR_TIMEOUT, IIR_THRE, IIR_MODEM, IIR_NONE = 0x06, 0x04, 0x0C, 0x02, 0x00, 0x01
IIR_ID, IIR_FIFO_ON = 0x0F, 0xC0
# Interrupt enable, 8.6
IER_DATA, IER_THRE, IER_LINE, IER_MODEM = 0x01, 0x02, 0x04, 0x08
# Modem control, 8.7
MCR_DTR, MCR_RTS, MCR_OUT1, MCR_OUT2, MCR_LOOP = 0x01, 0x02, 0x04, 0x08, 0x10
# Modem status, 8.8
MSR_DCTS, MSR_DDSR, MSR_TERI, MSR_DDCD = 0x01, 0x02, 0x04, 0x08
MSR_CTS, MSR_DSR, MSR_RI, MSR_DCD = 0x10, 0x20, 0x40, 0x80
MSR_DELTAS = 0x0F
LINES_OF_A_PEER = MSR_DCD | MSR_DSR | MSR_CTS


class Serial:
    """One UART with eight registers. It answers accesses of one byte.

    :param irq: its interrupt line
    :param chardev: the backend, already claimed; None leaves the line unconnected
    :param baudbase: bits per second with a divisor of 1
    """

    vmstate = serial_vmstate

    def __init__(
        self, clock: Clock, irq: Irq, chardev: Chardev | None, *, baudbase: int = 115200, trace: TraceEvents = SILENT
    ) -> None:
        self.trace = trace
        self.clock, self.irq, self.chardev = clock, irq, chardev
        self.baudbase = baudbase
        self.timeout_timer = clock.timer(self._timeout)
        self.modem_status_poll = clock.timer(self.update)  # this and the next are only for the saved state
        self.poll_msl = -1
        self.recv_fifo: deque[int] = deque()
        self.xmit_fifo: deque[int] = deque()
        self.reset()
        if chardev is not None:
            chardev.connect(self.receive, self.can_receive, self._event)

    def reset(self) -> None:
        """Master reset (table I), with the divisor for 9600 baud and OUT2 on, as firmware expects."""
        self.rbr = self.thr = self.ier = self.lcr = self.scr = self.fcr = 0
        self.iir = IIR_NONE
        self.mcr = MCR_OUT2
        self.lsr = LSR_TEMT | LSR_THRE
        self.msr = LINES_OF_A_PEER
        self.divider = 12
        self.trigger_level = TRIGGER_LEVELS[0]
        self.thr_ipending = False
        self.timeout_ipending = False
        self.recv_fifo.clear()
        self.xmit_fifo.clear()
        self.timeout_timer.cancel()
        self.update()

    def update(self) -> None:
        """Drive the interrupt line and the identification register from state."""
        ier = self.ier
        if ier & IER_LINE and self.lsr & LSR_ANY_ERROR:
            cause = IIR_LINE
        elif ier & IER_DATA and self.timeout_ipending:
            cause = IIR_TIMEOUT
        elif ier & IER_DATA and self._data_ready():
            cause = IIR_DATA
        elif ier & IER_THRE and self.thr_ipending:
            cause = IIR_THRE
        elif ier & IER_MODEM and self.msr & MSR_DELTAS:
            cause = IIR_MODEM
        else:
            cause = IIR_NONE
        self.iir = cause | (IIR_FIFO_ON if self.fcr & FCR_ENABLE else 0)
        self.irq.set(cause != IIR_NONE)

    def loaded(self) -> None:
        """State was loaded: the trigger level and the line follow from it; what waits to be sent is sent."""
        self.trigger_level = TRIGGER_LEVELS[self.fcr >> 6]
        self.update()
        if self.xmit_fifo:
            self.transmit()

    def _data_ready(self) -> bool:
        if not self.lsr & LSR_DR:
            return False
        return not self.fcr & FCR_ENABLE or len(self.recv_fifo) >= self.trigger_level

    @property
    def character_time(self) -> int:
        """Nanoseconds for one character with start, parity and stop bits."""
        bits = 1 + 5 + (self.lcr & 3) + bool(self.lcr & LCR_PARITY) + (2 if self.lcr & LCR_STOP else 1)
        return NANOSECONDS * bits * max(self.divider, 1) // self.baudbase

    # -- registers ------------------------------------------------------------------------------------

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        value = self._read(offset & 7)
        if event := self.trace.serial_ioport_read:
            event(addr=offset & 7, value=value)
        return value

    def _read(self, offset: int) -> int:
        match offset:
            case 0:
                return self.divider & 0xFF if self.lcr & LCR_DLAB else self._read_data()
            case 1:
                return self.divider >> 8 if self.lcr & LCR_DLAB else self.ier
            case 2:
                return self._read_iir()
            case 3:
                return self.lcr
            case 4:
                return self.mcr
            case 5:
                return self._read_lsr()
            case 6:
                return self._read_msr()
            case _:
                return self.scr

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        value &= 0xFF
        if event := self.trace.serial_ioport_write:
            event(addr=offset & 7, value=value)
        match offset & 7:
            case 0:
                if self.lcr & LCR_DLAB:
                    self.divider = self.divider & 0xFF00 | value
                else:
                    self._write_data(value)
            case 1:
                if self.lcr & LCR_DLAB:
                    self.divider = self.divider & 0x00FF | value << 8
                else:
                    self._write_ier(value)
            case 2:
                self._write_fcr(value)
            case 3:
                self._write_lcr(value)
            case 4:
                self._write_mcr(value & 0x1F)
            case 7:
                self.scr = value
            case _:
                pass  # line and modem status: writes are for factory tests (8.3)

    def _read_data(self) -> int:
        if self.fcr & FCR_ENABLE:
            value = self.recv_fifo.popleft() if self.recv_fifo else 0
            self.timeout_ipending = False
            if self.recv_fifo:
                self.timeout_timer.set(self.clock.now() + 4 * self.character_time)
            else:
                self.timeout_timer.cancel()
                self.lsr &= ~(LSR_DR | LSR_BI)
        else:
            value = self.rbr
            self.lsr &= ~(LSR_DR | LSR_BI)
        self.update()
        if not self.mcr & MCR_LOOP and self.chardev is not None:
            self.chardev.accept_input()
        return value

    def _read_iir(self) -> int:
        value = self.iir
        if value & IIR_ID == IIR_THRE:  # 8.5: reading it takes this cause back
            self.thr_ipending = False
            self.update()
        return value

    def _read_lsr(self) -> int:
        value = self.lsr
        if value & LSR_ANY_ERROR:
            self.lsr &= ~LSR_ANY_ERROR
            self.update()
        return value

    def _read_msr(self) -> int:
        value = self.msr
        if value & MSR_DELTAS:
            self.msr &= ~MSR_DELTAS
            self.update()
        return value

    def _write_ier(self, value: int) -> None:
        changed = self.ier ^ value
        self.ier = value & 0x0F
        # Not in the data sheet, but real chips do it and drivers rely on it: enabling the transmitter
        # interrupt while the transmitter is empty raises it, even if it had been acknowledged before.
        if changed & IER_THRE:
            self.thr_ipending = bool(self.ier & IER_THRE and self.lsr & LSR_THRE)
        self.update()

    def _write_fcr(self, value: int) -> None:
        if (value ^ self.fcr) & FCR_ENABLE:  # 8.4: changing the mode clears both FIFOs
            value |= FCR_CLEAR_RECEIVER | FCR_CLEAR_TRANSMITTER
        if value & FCR_CLEAR_RECEIVER:
            self.lsr &= ~(LSR_DR | LSR_BI)
            self.timeout_timer.cancel()
            self.timeout_ipending = False
            self.recv_fifo.clear()
        if value & FCR_CLEAR_TRANSMITTER:
            self.lsr |= LSR_THRE
            self.thr_ipending = True
            self.xmit_fifo.clear()
        self.fcr = value & FCR_STORED if value & FCR_ENABLE else 0
        self.trigger_level = TRIGGER_LEVELS[self.fcr >> 6]
        self.update()
        if value & FCR_CLEAR_RECEIVER and self.chardev is not None:
            self.chardev.accept_input()

    def _write_lcr(self, value: int) -> None:
        changed = self.lcr ^ value
        self.lcr = value
        if changed & LCR_BREAK and self.chardev is not None:
            self.chardev.send_break(bool(value & LCR_BREAK))

    def _write_mcr(self, value: int) -> None:
        was_loop = self.mcr & MCR_LOOP
        self.mcr = value
        if value & MCR_LOOP:  # 8.7: the four outputs appear as the four inputs
            lines = MSR_CTS if value & MCR_RTS else 0
            lines |= MSR_DSR if value & MCR_DTR else 0
            lines |= MSR_RI if value & MCR_OUT1 else 0
            lines |= MSR_DCD if value & MCR_OUT2 else 0
            self._set_modem_lines(lines)
        elif was_loop:
            self._set_modem_lines(LINES_OF_A_PEER)
            if self.chardev is not None:
                self.chardev.accept_input()

    def _set_modem_lines(self, lines: int) -> None:
        """Note changes; the ring indicator counts when it ends (8.8)."""
        changed = (self.msr ^ lines) & 0xF0
        deltas = changed >> 4 & (MSR_DCTS | MSR_DDSR | MSR_DDCD)
        if changed & MSR_RI and not lines & MSR_RI:
            deltas |= MSR_TERI
        self.msr = lines | self.msr & MSR_DELTAS | deltas
        self.update()

    # -- transmitter ----------------------------------------------------------------------------------

    def _write_data(self, value: int) -> None:
        self.thr = value
        if self.fcr & FCR_ENABLE:
            if len(self.xmit_fifo) == FIFO_SIZE:  # an overrun; the oldest goes
                self.xmit_fifo.popleft()
            self.xmit_fifo.append(value)
        else:
            self.xmit_fifo.clear()
            self.xmit_fifo.append(value)
        self.thr_ipending = False
        self.lsr &= ~(LSR_THRE | LSR_TEMT)
        self.update()
        self.transmit()

    def transmit(self) -> None:
        """Send what waits, unless the backend is too far behind; its ``on_drain`` comes back here."""
        chardev = self.chardev
        if chardev is not None and chardev.backlog >= BACKLOG_LIMIT and not self.mcr & MCR_LOOP:
            chardev.on_drain = self._drained
            return
        data = bytes(self.xmit_fifo)
        self.xmit_fifo.clear()
        if self.mcr & MCR_LOOP:
            self._put_received(data)
        elif chardev is not None:
            chardev.write(data)
        self.lsr |= LSR_THRE | LSR_TEMT
        self.thr_ipending = True
        self.update()

    def _drained(self) -> None:
        if self.xmit_fifo:
            self.transmit()

    # -- receiver -------------------------------------------------------------------------------------

    def can_receive(self) -> int:
        """Bytes to take from the backend now.

        Up to the trigger level, and then one by one: filling the FIFO to the brim at once would defeat the
        level that the guest chose.
        """
        if self.mcr & MCR_LOOP:
            return 0
        if not self.fcr & FCR_ENABLE:
            return 0 if self.lsr & LSR_DR else 1
        count = len(self.recv_fifo)
        if count >= FIFO_SIZE:
            return 0
        return self.trigger_level - count if count < self.trigger_level else 1

    def receive(self, data: bytes) -> None:
        """Bytes arrive on the line."""
        if not self.mcr & MCR_LOOP:
            self._put_received(data)

    def _put_received(self, data: bytes) -> None:
        if self.fcr & FCR_ENABLE:
            room = FIFO_SIZE - len(self.recv_fifo)
            self.recv_fifo.extend(data[:room])
            if len(data) > room:
                self.lsr |= LSR_OE
            self.timeout_timer.set(self.clock.now() + 4 * self.character_time)
        elif data:
            if self.lsr & LSR_DR or len(data) > 1:
                self.lsr |= LSR_OE
            self.rbr = data[-1]
        self.lsr |= LSR_DR
        self.update()

    def _timeout(self) -> None:
        """No character came or was taken for four character times (section 8.4.1)."""
        if self.recv_fifo:
            self.timeout_ipending = True
            self.update()

    def _event(self, event: ChardevEvent) -> None:
        if event is ChardevEvent.BREAK:
            self.receive_break()

    def receive_break(self) -> None:
        """A break arrives: one null character with the break bit (8.3)."""
        self.rbr = 0
        if self.fcr & FCR_ENABLE and len(self.recv_fifo) < FIFO_SIZE:
            self.recv_fifo.append(0)
        self.lsr |= LSR_BI | LSR_DR
        self.update()
