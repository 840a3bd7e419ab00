"""The receive side of a LAN9118 (data sheet, Rev. 1.5, 3.13): a FIFO of the words of packets, and one of what they are.

Who reads a packet gets words before it and behind it as RX_CFG says, so that it can be copied as it shall lie.
"""

from __future__ import annotations

import zlib

from pyqemu.qom.vmstate import I32, U32, Array

STATUS_PLACES, STATUS_SIZE = 896, 176
FIFO_PLACES, FIFO_SIZE = 3360, 2640  #: words
PACKETS = 1024
# fmt: off
STATUS_FILTERED, STATUS_BROADCAST, STATUS_MULTICAST = 1 << 30, 1 << 13, 1 << 10  # 3.13.3
# fmt: on
FCS = 4
SHORTEST, LONGEST = 14, 2047
BROADCAST = b"\xff" * 6
END_ALIGNMENTS = (1, 4, 8, 1)  #: RX_CFG: 4, 16 or 32 bytes


class Receiver:
    """Both FIFOs. Lengths of packets, in words, are kept in a ring that is filled downwards.

    :ivar rxp_offset: words of the packet being read that come before it, *rxp_pad* behind it, *rxp_size* its own
    """

    def __init__(self) -> None:
        self.status = [0] * STATUS_PLACES
        self.status_size, self.status_used, self.status_head = STATUS_SIZE, 0, 0
        self.fifo = [0] * FIFO_PLACES
        self.fifo_size, self.fifo_used, self.fifo_head = FIFO_SIZE, 0, 0
        self.packet_size = [0] * PACKETS
        self.packet_head = self.packet_tail = 0
        self.rxp_offset = self.rxp_size = self.rxp_pad = 0

    def reset(self) -> None:
        """Both are empty."""
        self.fifo_size, self.status_size = FIFO_SIZE, STATUS_SIZE
        self.rxp_offset = self.rxp_size = self.rxp_pad = 0
        self.dump()

    def dump(self) -> None:
        """RX_DUMP: forget all packets."""
        self.fifo_used = self.status_used = 0
        self.packet_tail = self.packet_head
        self.packet_size[self.packet_head] = 0

    # -- from the cable

    def put(self, frame: bytes, config: int, *, passed: bool) -> bool:
        """Take a frame; False if there is no room.

        :param config: the register RX_CFG
        """
        shift = config >> 8 & 3
        words = (len(frame) + shift + 3 >> 2) + 1
        if self.status_used == self.status_size or self.fifo_size - self.fifo_used < words:
            return False
        data = bytes(shift) + frame + zlib.crc32(frame).to_bytes(FCS, "little")
        data = data.ljust(4 * words, b"\0")
        for start in range(0, 4 * words, 4):
            place = (self.fifo_head + self.fifo_used) % self.fifo_size
            self.fifo[place] = int.from_bytes(data[start : start + 4], "little")
            self.fifo_used += 1
        self.packet_size[self.packet_tail] = words
        self.packet_tail = (self.packet_tail - 1) % PACKETS
        self.status[(self.status_head + self.status_used) % self.status_size] = _status(frame, passed=passed)
        self.status_used += 1
        return True

    # -- to the driver

    def pop(self, config: int) -> int | None:
        """The next word; None if there is none."""
        if not self.rxp_size and not self.rxp_pad:
            self._begin(config)
        if self.rxp_offset > 0:
            self.rxp_offset -= 1
            return 0
        if self.rxp_size > 0:
            self.rxp_size -= 1
            value = self.fifo[self.fifo_head]
            self._advance(1)
            return value
        if self.rxp_pad > 0:
            self.rxp_pad -= 1
            return 0
        return None

    def _begin(self, config: int) -> None:
        self.rxp_size = self.packet_size[self.packet_head]
        self.packet_size[self.packet_head] = 0
        if self.rxp_size:
            self.packet_head = (self.packet_head - 1) % PACKETS
            self.rxp_offset = config >> 10 & 7
            self.rxp_pad = -(self.rxp_offset + self.rxp_size) % END_ALIGNMENTS[config >> 30]

    def _advance(self, words: int) -> None:
        self.fifo_head = (self.fifo_head + words) % self.fifo_size
        self.fifo_used = max(self.fifo_used - words, 0)

    def skip(self, config: int) -> None:
        """RX_FFWD: leave out what remains of the packet, or the next one."""
        if not self.rxp_size:
            self.rxp_pad = 0
            self._begin(config)
        self._advance(self.rxp_size)
        self.rxp_size = self.rxp_offset = self.rxp_pad = 0

    def peek_status(self) -> int:
        """The next status, which stays."""
        return self.status[self.status_head]

    def pop_status(self) -> int:
        """The next status."""
        value = self.status[self.status_head]
        if self.status_used:
            self.status_used -= 1
            self.status_head = (self.status_head + 1) % self.status_size
        return value


def _status(frame: bytes, *, passed: bool) -> int:
    """3.13.3: the length with the checksum, and whom it was for."""
    status = len(frame) + FCS << 16
    if frame[:6] == BROADCAST:
        status |= STATUS_BROADCAST
    elif frame[0] & 1:
        status |= STATUS_MULTICAST
    return status if passed else status | STATUS_FILTERED


RECEIVE_FIELDS = (
    I32("rx.status_size", wire="rx_status_fifo_size", minimum=1, maximum=STATUS_PLACES),
    I32("rx.status_used", wire="rx_status_fifo_used", minimum=0, maximum=STATUS_PLACES),
    I32("rx.status_head", wire="rx_status_fifo_head", minimum=0, maximum=STATUS_PLACES - 1),
    Array("rx.status", U32, STATUS_PLACES, wire="rx_status_fifo"),
    I32("rx.fifo_size", wire="rx_fifo_size", minimum=1, maximum=FIFO_PLACES),
    I32("rx.fifo_used", wire="rx_fifo_used", minimum=0, maximum=FIFO_PLACES),
    I32("rx.fifo_head", wire="rx_fifo_head", minimum=0, maximum=FIFO_PLACES - 1),
    Array("rx.fifo", U32, FIFO_PLACES, wire="rx_fifo"),
    I32("rx.packet_head", wire="rx_packet_size_head", minimum=0, maximum=PACKETS - 1),
    I32("rx.packet_tail", wire="rx_packet_size_tail", minimum=0, maximum=PACKETS - 1),
    Array("rx.packet_size", I32, PACKETS, wire="rx_packet_size", minimum=0, maximum=FIFO_PLACES),
    I32("rx.rxp_offset", wire="rxp_offset", minimum=0, maximum=7),
    I32("rx.rxp_size", wire="rxp_size", minimum=0, maximum=FIFO_PLACES),
    I32("rx.rxp_pad", wire="rxp_pad", minimum=0, maximum=7),
)
