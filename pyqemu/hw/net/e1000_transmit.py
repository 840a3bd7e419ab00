"""The transmitter: a ring of descriptors in guest memory, and what becomes of them (Intel 317453, 3.3 to 3.6).

A frame is gathered from the buffers of one descriptor after another, up to one that says that it is the end. Context
descriptors tell where checksums belong, and how a large piece of TCP is cut into frames.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from pyqemu.hw.net.e1000_interrupts import Interrupts
from pyqemu.hw.net.e1000_registers import (
    BPTC,
    CTRL,
    CTRL_VME,
    GOTCL,
    GPTC,
    ICR_TXDW,
    ICR_TXQE,
    MPTC,
    PTC64,
    TCTL,
    TCTL_EN,
    TDBAH,
    TDBAL,
    TDH,
    TDLEN,
    TDT,
    TOTL,
    TPT,
    TSCTC,
    VET,
    MacRegisters,
)
from pyqemu.memory import AddressSpace
from pyqemu.net.checksum import internet_checksum
from pyqemu.system.clock import MICROSECOND, Clock

DESCRIPTOR = struct.Struct("<QII")  # address or context, then two words of flags
CONTEXT = struct.Struct("<BBHBBHIBBH")
SIZE = DESCRIPTOR.size
BUFFER = 0x10000
LONGEST = 0xFFFF  # of what is gathered: the saved state has 16 bits for it
FCS = 4  # bytes of the checksum that the wire has at a frame's end

LENGTH = 0xFFFF
EOP, IC, RS, RPS, DEXT, VLE, IDE = (1 << bit for bit in (24, 26, 27, 28, 29, 30, 31))
TSE, TCP, IP = IC, 1 << 24, 1 << 25
DATA = 1 << 20
DD, EC, LC, TU = 1, 2, 4, 8  # in the status
INSERT_IP, INSERT_TCP = 1, 2  # POPTS: which checksums are wanted
FIN, PUSH = 1, 8  # flags of TCP that belong to the last frame only

SLICE = 2048
"""Descriptors and frames that are done in one go. A ring that the guest wrote may be long, and each of its descriptors
large; the rest is done later, so that processor and monitor have their turn in between."""
PAUSE = 100 * MICROSECOND


@dataclass
class Context:
    """Where checksums go: of IP (``ipc``) and of TCP or UDP (``tuc``) where the sum starts, where it is put, and where
    it ends (0: at the frame's end); and how to cut: bytes of headers and of data.
    """

    ipcss: int = 0
    ipcso: int = 0
    ipcse: int = 0
    tucss: int = 0
    tucso: int = 0
    tucse: int = 0
    paylen: int = 0
    hdr_len: int = 0
    mss: int = 0
    ip: int = 0  # 1: IPv4, 0: IPv6
    tcp: int = 0  # 1: TCP, 0: UDP

    def parse(self, raw: bytes, flags: int) -> None:
        """Take what a context descriptor says."""
        (self.ipcss, self.ipcso, self.ipcse, self.tucss, self.tucso, self.tucse, command, _, self.hdr_len,
         self.mss) = CONTEXT.unpack(raw)  # fmt: skip
        self.paylen = command & 0xFFFFF
        self.ip, self.tcp = int(bool(flags & IP)), int(bool(flags & TCP))


class Transmitter:
    """The transmit side of a card.

    :param memory: the guest's, as the card sees it
    :param send: takes a finished frame
    :param enabled: whether the card may read memory at all
    :ivar data: the frame that is being gathered, *size* bytes of it
    :ivar header: of the piece that is being cut, for each of its frames
    :ivar tso_frames: frames that were cut from it so far
    :ivar sum_needed: checksums that were asked for
    :ivar props: the context for frames that are sent as they are
    :ivar tso_props: the context for cutting
    :ivar cutting: whether the last frame was cut, so that a saved state with place for one context has that one
    :ivar tag: the VLAN tag for the frame
    :ivar busy: whether a ring is being worked at
    """

    def __init__(self, mac: MacRegisters, memory: AddressSpace, interrupts: Interrupts, clock: Clock, *,
                 send: Callable[[bytes], None], enabled: Callable[[], bool]) -> None:  # fmt: skip
        self.data = bytearray(BUFFER)
        self.header = bytearray(256)
        self.props = Context()
        self.tso_props = Context()
        self.busy = False
        self._mac = mac
        self._memory = memory
        self._interrupts = interrupts
        self._clock = clock
        self._send = send
        self._enabled = enabled
        self._later = clock.timer(self._work)
        self.reset()

    def reset(self) -> None:
        """Nothing is under way."""
        self._later.cancel()
        self.data[:] = bytes(len(self.data))
        self.header[:] = bytes(len(self.header))
        self.size = self.tso_frames = self.sum_needed = 0
        self.props, self.tso_props = Context(), Context()
        self.cutting = False
        self.tag = b""
        self._left = 0  # descriptors of the ring until its start comes round again
        self._frames = 0  # that were sent in this slice

    # -- the ring

    def start(self) -> None:
        """The guest has added descriptors, or switched the transmitter on. Each is taken once, even if the ring has no
        end: where its tail is outside.
        """
        count = self._mac[TDLEN] // SIZE
        self._left = count if self._mac[TDH] < count else 1
        self._work()

    def loaded(self) -> None:
        """What was left to do is done soon."""
        if self._mac[TDH] != self._mac[TDT]:
            self._left = self._mac[TDLEN] // SIZE
            self._later.set(self._clock.now() + PAUSE)

    def _work(self) -> None:
        if self.busy or not self._mac[TCTL] & TCTL_EN or not self._enabled():
            return
        self.busy = True
        try:
            causes = self._slice()
        finally:
            self.busy = False
        self._interrupts.raise_(causes)

    def _slice(self) -> int:
        """Work at the ring for a while, and return the causes of interrupts."""
        mac = self._mac
        causes, self._frames, done = ICR_TXQE, 0, 0
        self._later.cancel()
        while mac[TDH] != mac[TDT] and self._left:
            if done + self._frames >= SLICE:
                self._later.set(self._clock.now() + PAUSE)
                return causes & ~ICR_TXQE
            causes |= self._descriptor((mac[TDBAH] << 32 | mac[TDBAL] & ~15) + SIZE * mac[TDH] & (1 << 64) - 1)
            following = mac[TDH] + 1
            mac[TDH] = following if following * SIZE < mac[TDLEN] else 0
            self._left -= 1
            done += 1
        return causes

    def _descriptor(self, where: int) -> int:
        """Process the descriptor at an address, and tell the guest if it wants to know."""
        raw = self._memory.read(where, SIZE)
        address, lower, upper = DESCRIPTOR.unpack(raw)
        if lower & IDE:
            self._interrupts.delay_transmit = True
        kind = lower & (DEXT | DATA)
        if kind == DEXT:
            self._context(raw, lower)
        else:
            self._buffer(address, lower, upper, extended=kind == DEXT | DATA)
        if not lower & (RS | RPS):
            return 0
        self._memory.store(where + 12, 4, (upper | DD) & ~(EC | LC | TU))
        return ICR_TXDW

    def _context(self, raw: bytes, lower: int) -> None:
        self.cutting = bool(lower & TSE)
        (self.tso_props if self.cutting else self.props).parse(raw, lower)
        if self.cutting:
            self.tso_frames = 0

    # -- gathering

    def _buffer(self, address: int, lower: int, upper: int, *, extended: bool) -> None:
        """A descriptor with a part of a frame."""
        cut = extended and bool(lower & TSE)
        if extended and not self.size:
            self.sum_needed = upper >> 8 & 0xFF
        if self._mac[CTRL] & CTRL_VME and lower & VLE and (cut or lower & EOP):
            self.tag = struct.pack(">HH", self._mac[VET] & 0xFFFF, upper >> 16)
        length = lower & LENGTH
        if cut:
            self._cut(address, length)
        else:
            self._gather(address, min(length, LONGEST - self.size))
        if not lower & EOP:
            return
        if lower & IC and not extended:
            self._put_sum(lower >> 16 & 0xFF, upper >> 8 & 0xFF, 0)
        if not cut or self._has_data():
            self._frame(cut=cut)
        self.size = self.tso_frames = self.sum_needed = 0
        self.tag = b""

    def _gather(self, address: int, length: int) -> None:
        if length:
            self.data[self.size : self.size + length] = self._memory.read(address, length)
            self.size += length

    def _cut(self, address: int, length: int) -> None:
        """Gather, and send a frame whenever headers and *mss* bytes are together."""
        header_length = self.tso_props.hdr_len
        full = min(header_length + self.tso_props.mss, LONGEST)
        contents = self._memory.read(address, length) if length else b""
        position = 0
        while position < length and self.size < full:
            part = contents[position : position + full - self.size]
            before = self.size
            self.data[before : before + len(part)] = part
            self.size += len(part)
            position += len(part)
            if before < header_length <= self.size:
                self.header[:header_length] = self.data[:header_length]
            if self.size == full:
                self._frame(cut=True)
                self.data[:header_length] = self.header[:header_length]
                self.size = header_length

    def _has_data(self) -> bool:
        """Whether there is something to send at the end of what is cut: more than the headers of the next frame that
        is not needed. (QEMU sends these as a frame of their own.)
        """
        return self.size > self.tso_props.hdr_len or (self.size == self.tso_props.hdr_len and not self.tso_frames)

    # -- frames

    def _frame(self, *, cut: bool) -> None:
        """Send what is gathered."""
        props = self.tso_props if cut else self.props
        if cut:
            self._adjust_headers(props)
            self.tso_frames = (self.tso_frames + 1) & 0xFFFF
        if self.sum_needed & INSERT_TCP:
            self._put_sum(props.tucso, props.tucss, props.tucse)
        if self.sum_needed & INSERT_IP:
            self._put_sum(props.ipcso, props.ipcss, props.ipcse)
        frame = bytes(self.data[: self.size])
        self._frames += 1
        self._send(frame[:12] + self.tag + frame[12:] if self.tag else frame)
        self._count(frame)

    def _adjust_headers(self, props: Context) -> None:
        """Lengths, numbers and flags of one frame of many (Intel 317453, 3.5.7)."""
        start = props.ipcss
        if props.ip:
            self._put16(start + 2, self.size - start)
            self._put16(start + 4, self._get16(start + 4) + self.tso_frames)
        else:
            self._put16(start + 4, self.size - start)
        start = props.tucss
        length = self.size - start
        if props.tcp:
            sent = self.tso_frames * props.mss
            sequence = int.from_bytes(self.data[start + 4 : start + 8], "big") + sent
            self.data[start + 4 : start + 8] = (sequence & 0xFFFF_FFFF).to_bytes(4, "big")
            if props.paylen - sent & 0xFFFF_FFFF > props.mss:
                self.data[start + 13] &= ~(FIN | PUSH) & 0xFF
            elif self.tso_frames:
                self._mac.count(TSCTC)
        else:
            self._put16(start + 4, length)
        if self.sum_needed & INSERT_TCP:  # the guest's sum over the pseudo header lacks the length
            total = self._get16(props.tucso) + length
            self._put16(props.tucso, (total >> 16) + (total & 0xFFFF))

    def _get16(self, where: int) -> int:
        return int.from_bytes(self.data[where : where + 2], "big")

    def _put16(self, where: int, value: int) -> None:
        self.data[where : where + 2] = (value & 0xFFFF).to_bytes(2, "big")

    def _put_sum(self, where: int, start: int, last: int) -> None:
        """Put the checksum of what lies between *start* and *last* (0: the end) to its place, if that is in the frame.
        One that is zero is sent as its complement, since zero means none in UDP.
        """
        end = last + 1 if last and last < self.size else self.size
        if where < end - 1:
            self._put16(where, internet_checksum(self.data[start:end]) or 0xFFFF)

    def _count(self, frame: bytes) -> None:
        mac = self._mac
        length = len(frame) + FCS
        mac.count_size(PTC64, length)
        if frame[:6] == b"\xff" * 6:
            mac.count(BPTC)
        elif frame and frame[0] & 1:
            mac.count(MPTC)
        mac.count(TPT)
        mac.count(GPTC)
        mac.count_wide(TOTL, length)
        mac.count_wide(GOTCL, length)
