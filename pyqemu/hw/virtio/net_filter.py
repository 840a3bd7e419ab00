"""Which frames a virtio network card takes: what its control queue sets (Virtual I/O Device Version 1.0, 5.1.6.5)."""

from __future__ import annotations

from collections.abc import Callable

# fmt: off
OK, ERROR = 0, 1  # answers

CLASS_RX, CLASS_MAC, CLASS_VLAN = 0, 1, 2
CLASS_ANNOUNCE = 3
MAC_TABLE_SET, MAC_ADDR_SET = 0, 1
VLAN_ADD, VLAN_DEL = 0, 1
# fmt: on

MAX_ADDRESSES = 64  # in both tables together; with more, all of that kind are taken
ADDRESS = 6
VLANS = 4096
BROADCAST = b"\xff" * ADDRESS
VLAN_TYPE = 0x8100

# The modes of class RX, by command.
MODES = ("promisc", "allmulti", "alluni", "nomulti", "nouni", "nobcast")


class Filter:
    """The settings.

    :ivar unicast: and *multicast*: the tables
    :ivar vlans: one bit for each VLAN, of which frames are taken
    """

    def __init__(self, mac: bytes) -> None:
        self.mac = mac
        self.reset(mac)

    def reset(self, mac: bytes) -> None:
        """Everything is taken until the driver says what it wants."""
        self.mac = mac
        self.promisc = True
        self.allmulti = self.alluni = self.nomulti = self.nouni = self.nobcast = False
        self.uni_overflow = self.multi_overflow = False
        self.unicast: list[bytes] = []
        self.multicast: list[bytes] = []
        self.vlans = bytearray(VLANS // 8)

    def allow_all_vlans(self, allowed: bool) -> None:
        """Whoever does not know of VLANs gets all."""
        self.vlans[:] = (b"\xff" if allowed else b"\0") * len(self.vlans)

    def has_vlan(self, number: int) -> bool:
        """Whether frames of a VLAN are taken."""
        return bool(self.vlans[number >> 3] >> (number & 7) & 1)

    def takes(self, frame: bytes) -> bool:
        """Whether a frame is for the driver."""
        if self.promisc:
            return True
        if int.from_bytes(frame[12:14], "big") == VLAN_TYPE:
            vlan = int.from_bytes(frame[14:16], "big") & (VLANS - 1)
            if not self.has_vlan(vlan):
                return False
        destination = bytes(frame[:ADDRESS])
        if destination[:1] and destination[0] & 1:
            if destination == BROADCAST:
                return not self.nobcast
            if self.nomulti:
                return False
            return self.allmulti or self.multi_overflow or destination in self.multicast
        if self.nouni:
            return False
        return self.alluni or self.uni_overflow or destination in (self.mac, *self.unicast)

    # -- the control queue

    def command(self, kind: int, number: int, data: Callable[[int, int], bytes], length: int) -> int:
        """Carry out a command.

        :param data: reads a part of what the driver has sent behind it, which is *length* bytes long
        """
        if kind == CLASS_RX:
            return self._mode(number, data(0, 1))
        if kind == CLASS_MAC and number == MAC_ADDR_SET:
            if length != ADDRESS:
                return ERROR
            self.mac = data(0, ADDRESS)
            return OK
        if kind == CLASS_MAC and number == MAC_TABLE_SET:
            return self._tables(data, length)
        if kind == CLASS_VLAN and number in (VLAN_ADD, VLAN_DEL):
            return self._vlan(data(0, 2), number == VLAN_ADD)
        return ERROR

    def _mode(self, number: int, data: bytes) -> int:
        if not data or number >= len(MODES):
            return ERROR
        setattr(self, MODES[number], bool(data[0]))
        return OK

    def _vlan(self, data: bytes, add: bool) -> int:
        vlan = int.from_bytes(data, "little")
        if len(data) != 2 or vlan >= VLANS:
            return ERROR
        if add:
            self.vlans[vlan >> 3] |= 1 << (vlan & 7)
        else:
            self.vlans[vlan >> 3] &= ~(1 << (vlan & 7))
        return OK

    def _tables(self, data: Callable[[int, int], bytes], length: int) -> int:
        """Two tables, each a 32-bit number of addresses and these."""
        tables: list[list[bytes] | None] = []
        offset, free = 0, MAX_ADDRESSES
        for _ in range(2):
            if length - offset < 4:
                return ERROR
            count = int.from_bytes(data(offset, 4), "little")
            offset += 4
            if count * ADDRESS > length - offset:
                return ERROR
            if count > free:
                tables.append(None)
            else:
                flat = data(offset, count * ADDRESS)
                tables.append([flat[n : n + ADDRESS] for n in range(0, len(flat), ADDRESS)])
                free -= count
            offset += count * ADDRESS
        if offset != length:
            return ERROR
        self.unicast, self.multicast = tables[0] or [], tables[1] or []
        self.uni_overflow, self.multi_overflow = tables[0] is None, tables[1] is None
        return OK
