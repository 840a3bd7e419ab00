"""A queue of bytes in a ring, as QEMU's ``Fifo8``; ours are deques."""

from __future__ import annotations

import struct
from collections import deque
from typing import TYPE_CHECKING, Any

from pyqemu.qom.vmstate.field import Field, Scope, mismatch
from pyqemu.qom.vmstate.reader import Reader

if TYPE_CHECKING:
    from pyqemu.qom.vmstate.layout import Description

_PLACE = struct.Struct(">II")


class Fifo8(Field):
    """``capacity`` bytes of the ring, where it begins, how many are in it."""

    kind = "struct"

    def __init__(self, name: str, capacity: int, *, wire: str = "", since: int = 1) -> None:
        super().__init__(name, wire=wire, since=since)
        self.capacity = capacity

    def write(self, device: object, out: bytearray) -> list[Description]:
        data = bytes(self.fetch(device))[: self.capacity]
        out += data.ljust(self.capacity, b"\0") + _PLACE.pack(0, len(data))
        fields = [
            {"name": "data", "type": "buffer", "size": self.capacity},
            {"name": "head", "type": "uint32", "size": 4},
            {"name": "num", "type": "uint32", "size": 4},
        ]
        inner = {"vmsd_name": "Fifo8", "version": 1, "fields": fields}
        return [{"name": self.wire, "type": self.kind, "struct": inner, "size": self.capacity + _PLACE.size}]

    def read(self, reader: Reader, scope: Scope) -> bytes:
        data = reader.take(self.capacity)
        start = reader.position
        head, number = _PLACE.unpack(reader.take(_PLACE.size))
        if head >= self.capacity or number > self.capacity:
            raise mismatch(f"at most {self.capacity} bytes in the ring", f"{number} at {head}", start)
        return (data[head:] + data[:head])[:number]

    def apply(self, device: object, value: Any) -> None:
        queue: deque[int] = self.fetch(device)
        queue.clear()
        queue.extend(value)

    def declare(self) -> dict[str, Any]:
        fields = [
            {"field": "data", "version_id": 1, "field_exists": False, "size": 0},
            {"field": "head", "version_id": 0, "field_exists": False, "size": 4},
            {"field": "num", "version_id": 0, "field_exists": False, "size": 4},
        ]
        inner = {"name": "Fifo8", "version_id": 1, "minimum_version_id": 1, "Fields": fields}
        return {**super().declare(), "Description": inner}
