"""The receiver: filters, and a ring of empty buffers in guest memory (Intel 317453, 3.2)."""

from __future__ import annotations

import struct

from pyqemu.hw.net.e1000_interrupts import Interrupts
from pyqemu.hw.net.e1000_registers import (
    BPRC,
    CTRL,
    CTRL_VME,
    GORCL,
    GPRC,
    ICR_RXDMT0,
    ICR_RXO,
    ICR_RXT0,
    MPC,
    MPRC,
    MTA,
    PRC64,
    RA,
    RAH_AV,
    RCTL,
    RCTL_BAM,
    RCTL_BSEX,
    RCTL_BSIZE,
    RCTL_EN,
    RCTL_LPE,
    RCTL_MO,
    RCTL_MPE,
    RCTL_RDMTS,
    RCTL_SBP,
    RCTL_SECRC,
    RCTL_UPE,
    RCTL_VFE,
    RDBAH,
    RDBAL,
    RDH,
    RDLEN,
    RDT,
    RNBC,
    ROC,
    STATUS,
    STATUS_LU,
    TORL,
    TPR,
    VET,
    VFTA,
    MacRegisters,
)
from pyqemu.memory import AddressSpace

RESULT = struct.Struct("<HHBBH")  # length, checksum, status, errors, special: behind the address
SIZE = 16
DD, EOP, IXSM, VP = 1, 2, 4, 8
SHORTEST = 60  # a shorter frame is filled up on the wire
LONGEST_TAGGED, LONGEST = 1522, 16384
FCS = 4
BROADCAST = b"\xff" * 6
MOST_SKIPPED = 1024
"""Descriptors without a buffer that are passed over for one frame; a driver has none, and a ring may be long."""
HASH_SHIFTS = (4, 3, 2, 0)  # which 12 bits of an address are its hash, by the field MO


class Receiver:
    """The receive side of a card.

    :ivar busy: whether a frame is being written to memory
    """

    def __init__(self, mac: MacRegisters, memory: AddressSpace, interrupts: Interrupts) -> None:
        self.busy = False
        self._mac = mac
        self._memory = memory
        self._interrupts = interrupts

    @property
    def buffer_size(self) -> int:
        """Bytes of each buffer."""
        control = self._mac[RCTL]
        size = 2048 >> (control >> RCTL_BSIZE & 3)
        return size * 16 if control & RCTL_BSEX and size < 2048 else size

    @property
    def threshold_shift(self) -> int:
        """RXDMT0 is told when not more of the ring is left than its length shifted right by this."""
        return (self._mac[RCTL] >> RCTL_RDMTS & 3) + 1

    @property
    def listening(self) -> bool:
        """Whether the receiver is on and the link up."""
        return bool(self._mac[STATUS] & STATUS_LU and self._mac[RCTL] & RCTL_EN)

    def has_room(self, length: int = 1) -> bool:
        """Whether there are buffers for so many bytes. A head at the tail means that there are none."""
        mac = self._mac
        if length <= self.buffer_size:
            return mac[RDH] != mac[RDT]
        free = mac[RDT] - mac[RDH]
        if free < 0:
            free += mac[RDLEN] // SIZE
        return length <= max(free, 0) * self.buffer_size

    # -- a frame

    def receive(self, frame: bytes) -> bool:
        """A frame from the wire. Return True: it was taken, or is lost."""
        if not self.listening or self.busy:
            return True
        frame = frame.ljust(SHORTEST, b"\0")
        control = self._mac[RCTL]
        too_long = len(frame) > LONGEST or (len(frame) > LONGEST_TAGGED and not control & RCTL_LPE)
        if too_long and not control & RCTL_SBP:
            self._mac.count(ROC)
        elif self.passes(frame):
            self.busy = True
            try:
                causes = self._store(frame)
            finally:
                self.busy = False
            self._interrupts.raise_(causes)
        return True

    def _store(self, frame: bytes) -> int:
        """Write a frame to the ring; return the causes of interrupts."""
        mac = self._mac
        status = special = 0
        if mac[CTRL] & CTRL_VME and self._tagged(frame):
            status, special = VP, int.from_bytes(frame[14:16], "big")
            frame = frame[:12] + frame[16:]
        total = len(frame) + (0 if mac[RCTL] & RCTL_SECRC else FCS)
        if not self.has_room(total):
            return self._overrun()
        if not self._fill(frame, total, status, special):
            return self._overrun()
        self._count(len(frame))
        free = mac[RDT] - mac[RDH]
        if free < 0:
            free += mac[RDLEN] // SIZE
        low = free * SIZE <= mac[RDLEN] >> self.threshold_shift
        return ICR_RXT0 | (ICR_RXDMT0 if low else 0)

    def _overrun(self) -> int:
        self._mac.count(RNBC)
        self._mac.count(MPC)
        return ICR_RXO

    def _fill(self, frame: bytes, total: int, status: int, special: int) -> bool:
        """Write to one buffer after another; False if the ring came round, has no such place, or no buffers.

        The checksum of the wire is not computed: where it belongs, buffers keep what they had. Nor are those of IP and
        TCP looked at; IXSM tells that.
        """
        mac, memory = self._mac, self._memory
        start, offset, skipped, count = mac[RDH], 0, 0, mac[RDLEN] // SIZE
        while offset < total:
            where = (mac[RDBAH] << 32 | mac[RDBAL] & ~15) + SIZE * mac[RDH] & (1 << 64) - 1
            buffer = memory.load(where, 8)
            length, flags = 0, status | DD
            if buffer:  # without an address it is skipped
                length = min(total - offset, self.buffer_size)
                if part := frame[offset : offset + length]:
                    memory.write(buffer, part)
                offset += length
                if offset >= total:
                    flags |= EOP | IXSM
            else:
                skipped += 1
            memory.write(where + 8, RESULT.pack(length, 0, flags, 0, special))
            following = mac[RDH] + 1
            mac[RDH] = following if following * SIZE < mac[RDLEN] else 0
            if mac[RDH] == start or start >= count or skipped > MOST_SKIPPED:
                return False
        return True

    def _count(self, length: int) -> None:
        mac = self._mac
        mac.count_size(PRC64, length + FCS)
        mac.count(TPR)
        mac.count(GPRC)
        mac.count_wide(TORL, length + FCS)
        mac.count_wide(GORCL, length + FCS)

    # -- filters

    def _tagged(self, frame: bytes) -> bool:
        return int.from_bytes(frame[12:14], "big") == self._mac[VET] & 0xFFFF

    def passes(self, frame: bytes) -> bool:
        """Whether the guest wants a frame that goes to this address and VLAN."""
        control, address = self._mac[RCTL], frame[:6]
        if control & RCTL_VFE and self._tagged(frame):
            vlan = int.from_bytes(frame[14:16], "big") & 0xFFF
            if not self._mac[VFTA + 4 * (vlan >> 5)] >> (vlan & 31) & 1:
                return False
        if address == BROADCAST:
            if control & RCTL_BAM:
                self._mac.count(BPRC)
                return True
        elif address[0] & 1:
            if control & RCTL_MPE:
                self._mac.count(MPRC)
                return True
        elif control & RCTL_UPE:
            return True
        return self._is_own(address) or self._is_hashed(address)

    def _is_own(self, address: bytes) -> bool:
        """Whether it is one of the 16 addresses that the guest has written to the card."""
        low, high = int.from_bytes(address[:4], "little"), int.from_bytes(address[4:], "little")
        for pair in range(RA, RA + 16 * 8, 8):
            last = self._mac[pair + 4]
            if last & RAH_AV and last & 0xFFFF == high and self._mac[pair] == low:
                return True
        return False

    def _is_hashed(self, address: bytes) -> bool:
        """Whether the table of hashes of multicast addresses has its bit."""
        number = int.from_bytes(address[4:], "little") >> HASH_SHIFTS[self._mac[RCTL] >> RCTL_MO & 3] & 0xFFF
        if not self._mac[MTA + 4 * (number >> 5)] >> (number & 31) & 1:
            return False
        self._mac.count(MPRC)
        return True
