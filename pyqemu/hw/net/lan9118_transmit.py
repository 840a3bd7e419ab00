"""The transmit side of a LAN9118 (data sheet, Rev. 1.5, 3.12): a FIFO of words, and one of what became of packets.

A packet is written as one or more buffers, each behind two command words. The first says how long the buffer is, where
in its first word it begins, and how it is aligned at the end; the second is the same for all buffers of a packet.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.qom.vmstate import I32, U8, U32, Array, VMState

# fmt: off
IDLE, COMMAND_B, BUFFER                         = range(3)
A_IOC, A_END, A_OFFSET, A_FIRST, A_LAST         = 1 << 31, 24, 16, 1 << 13, 1 << 12
A_WRITABLE, A_LENGTH                            = 0x831F_37FF, 0x7FF
# fmt: on
LONGEST = 2048
STATUS_SIZE = 512
FIFO_SIZE = 4608  #: bytes
ALIGNMENTS = (1, 4, 8, 1)  #: of the end, in words


class Packet:
    """The packet that is being written."""

    vmstate = VMState(
        "lan9118_packet",
        version=1,
        fields=(
            U32("state", maximum=BUFFER), U32("cmd_a"), U32("cmd_b"), I32("buffer_size"), I32("offset"), I32("pad"),
            I32("fifo_used", minimum=0, maximum=FIFO_SIZE), I32("len", minimum=0, maximum=LONGEST),
            Array("data", U8, LONGEST),
        ),
    )  # fmt: skip

    def __init__(self) -> None:
        self.data = bytearray(LONGEST)
        self.state, self.cmd_a, self.cmd_b = IDLE, 0xFFFF_FFFF, 0xFFFF_FFFF
        self.buffer_size = self.offset = self.pad = self.fifo_used = self.len = 0


class Transmitter:
    """Takes words.

    :param send: sends a frame
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self.packet = Packet()
        self.fifo_size = FIFO_SIZE
        self.status = [0] * STATUS_SIZE
        self.status_used = self.status_head = 0

    def reset(self) -> None:
        """Nothing is on the way; who reads a status that is not there gets what was there."""
        packet = self.packet
        packet.state, packet.cmd_a, packet.cmd_b = IDLE, 0xFFFF_FFFF, 0xFFFF_FFFF
        packet.fifo_used = packet.len = 0
        self.fifo_size = FIFO_SIZE
        self.status_used = 0

    def dump(self) -> None:
        """TXD_DUMP: forget what was written."""
        self.packet.state, self.packet.fifo_used, self.packet.cmd_a = IDLE, 0, 0xFFFF_FFFF

    @property
    def free(self) -> int:
        """Room in the FIFO; as in QEMU its size in bytes less the words that are in it."""
        return self.fifo_size - self.packet.fifo_used

    @property
    def status_full(self) -> bool:
        """Whether there is no room for the status of one more packet."""
        return self.status_used == STATUS_SIZE

    def push(self, word: int) -> bool:
        """Take a word; the result is whether it ended a buffer whose end shall be told."""
        packet = self.packet
        if packet.state == IDLE:
            packet.cmd_a = word & A_WRITABLE
            packet.buffer_size, packet.offset = word & A_LENGTH, word >> A_OFFSET & 0x1F
            packet.fifo_used += 1
            packet.state = COMMAND_B
            return False
        if packet.state == COMMAND_B:
            self._begin_buffer(word)
            return False
        return self._take_data(word)

    def _begin_buffer(self, word: int) -> None:
        packet = self.packet
        if packet.cmd_a & A_FIRST:
            packet.cmd_b, packet.len = word, 0
            packet.fifo_used += 1
        words = packet.buffer_size + packet.offset + 3 >> 2
        packet.pad = -words % ALIGNMENTS[packet.cmd_a >> A_END & 3]
        packet.state = BUFFER

    def _take_data(self, word: int) -> bool:
        packet = self.packet
        if packet.offset >= 4:  # words before the data
            packet.offset -= 4
            return False
        if packet.buffer_size <= 0 and packet.pad:
            packet.pad -= 1
        else:
            self._store(word)
        if packet.buffer_size > 0 or packet.pad:
            return False
        if packet.cmd_a & A_LAST:
            self._finish()
        packet.state = IDLE
        return bool(packet.cmd_a & A_IOC)

    def _store(self, word: int) -> None:
        packet = self.packet
        data = word.to_bytes(4, "little")[packet.offset :][: max(packet.buffer_size, 0)]
        data = data[: LONGEST - packet.len]
        packet.data[packet.len : packet.len + len(data)] = data
        packet.buffer_size -= 4 - packet.offset
        packet.offset = 0
        packet.len += len(data)
        packet.fifo_used += 1

    def _finish(self) -> None:
        """3.12.4: the packet leaves, and its tag is in its status."""
        packet = self.packet
        self._send(bytes(packet.data[: packet.len]))
        packet.fifo_used = 0
        if not self.status_full:
            self.status[(self.status_head + self.status_used) % STATUS_SIZE] = packet.cmd_b & 0xFFFF_0000
            self.status_used += 1

    def peek_status(self) -> int:
        """The next status, which stays."""
        return self.status[self.status_head]

    def pop_status(self) -> int:
        """The next status."""
        value = self.status[self.status_head]
        if self.status_used:
            self.status_used -= 1
            self.status_head = (self.status_head + 1) % STATUS_SIZE
        return value


TRANSMIT_FIELDS = (
    I32("tx.status_used", wire="tx_status_fifo_used", minimum=0, maximum=STATUS_SIZE),
    I32("tx.status_head", wire="tx_status_fifo_head", minimum=0, maximum=STATUS_SIZE - 1),
    Array("tx.status", U32, STATUS_SIZE, wire="tx_status_fifo"),
)
