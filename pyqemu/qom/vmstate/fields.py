"""The kinds of fields."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pyqemu.qom.vmstate.field import Field, Scope, fetch, mismatch
from pyqemu.qom.vmstate.reader import LoadError, Reader

if TYPE_CHECKING:
    from pyqemu.qom.vmstate.layout import Description, VMState


class Number(Field):
    """A number of fixed size.

    :param minimum: and *maximum*: what a state that is read may have
    """

    packer: ClassVar[struct.Struct]

    def __init__(
        self, name: str, *, wire: str = "", since: int = 0, when: str = "",
        minimum: int | None = None, maximum: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(name, wire=wire, since=since, when=when)
        self.minimum = minimum
        self.maximum = maximum

    def encode(self, value: Any) -> bytes:
        """In two's complement. What has grown out of it wraps, as counters do: one that was loaded may be close."""
        size = self.packer.size
        return (int(value) & ((1 << 8 * size) - 1)).to_bytes(size, "big")

    def decode(self, reader: Reader) -> int:
        start = reader.position
        (value,) = self.packer.unpack(reader.take(self.packer.size))
        self.check(value, start)
        return int(value)

    def check(self, value: int, position: int) -> None:
        """See that it is within bounds."""
        low, high = self.minimum, self.maximum
        if low is not None and value < low:
            raise mismatch(f"{low} to {high}" if high is not None else f"at least {low}", value, position)
        if high is not None and value > high:
            raise mismatch(f"{low or 0} to {high}", value, position)

    @property
    def element_size(self) -> int:
        return self.packer.size


class U8(Number):
    """An unsigned byte."""

    kind, packer = "uint8", struct.Struct(">B")


class U16(Number):
    """An unsigned 16-bit number."""

    kind, packer = "uint16", struct.Struct(">H")


class U32(Number):
    """An unsigned 32-bit number."""

    kind, packer = "uint32", struct.Struct(">I")


class U64(Number):
    """An unsigned 64-bit number."""

    kind, packer = "uint64", struct.Struct(">Q")


class I8(Number):
    """A signed byte."""

    kind, packer = "int8", struct.Struct(">b")


class I32(Number):
    """A signed 32-bit number."""

    kind, packer = "int32", struct.Struct(">i")


class I64(Number):
    """A signed 64-bit number."""

    kind, packer = "int64", struct.Struct(">q")


class Bool(Number):
    """One byte, 0 or 1."""

    kind, packer = "bool", struct.Struct(">B")

    def encode(self, value: Any) -> bytes:
        return b"\1" if value else b"\0"

    def apply(self, device: object, value: Any) -> None:
        self.assign(device, bool(value))


class _Equal(Number):
    """A number that must be the same on both sides."""

    def read(self, reader: Reader, scope: Scope) -> int:
        start = reader.position
        value = self.decode(reader)
        own = int(self.fetch(scope.device))
        if value != own:
            raise mismatch(own, value, start)
        return value

    def apply(self, device: object, value: Any) -> None:
        """It is the same."""


class Equal8(_Equal):
    """A byte that must be the same on both sides."""

    kind, packer = "uint8 equal", struct.Struct(">B")


class Equal32(_Equal):
    """A signed 32-bit number that must be the same on both sides."""

    kind, packer = "int32 equal", struct.Struct(">i")


class Version32(Number):
    """A signed 32-bit version of a part; what is loaded may not be newer."""

    kind, packer = "int32 le", struct.Struct(">i")

    def __init__(self, version: int, *, since: int = 0) -> None:
        super().__init__("", wire="version_id", since=since, minimum=0, maximum=version)
        self.version = version

    def fetch(self, device: object) -> int:
        return self.version

    def apply(self, device: object, value: Any) -> None:
        """Nothing to set."""


class Buffer(Field):
    """``length`` bytes as they are. A mutable one is filled in place."""

    kind = "buffer"

    def __init__(self, name: str, length: int, *, wire: str = "", since: int = 0, when: str = "") -> None:
        super().__init__(name, wire=wire, since=since, when=when)
        self.length = length

    def encode(self, value: Any) -> bytes:
        data = bytes(value)
        if len(data) != self.length:
            raise ValueError(f"{self.name}: {len(data)} bytes, {self.length} declared")
        return data

    def decode(self, reader: Reader) -> bytes:
        return reader.take(self.length)

    def apply(self, device: object, value: Any) -> None:
        present = self.fetch(device)
        if isinstance(present, (bytearray, memoryview)):
            present[:] = value
        else:
            self.assign(device, value)

    @property
    def element_size(self) -> int:
        return self.length


class Timer64(Field):
    """A timer's deadline in ns, all ones if it is not armed."""

    kind = "timer"
    packer = struct.Struct(">q")

    def encode(self, value: Any) -> bytes:
        deadline = value.deadline
        return self.packer.pack(-1 if deadline is None else deadline)

    def decode(self, reader: Reader) -> int:
        return int.from_bytes(reader.take(8), "big", signed=True)

    def apply(self, device: object, value: Any) -> None:
        timer = self.fetch(device)
        if value == -1:
            timer.cancel()
        else:
            timer.set(value)

    @property
    def element_size(self) -> int:
        return 8


class Bitmap(Field):
    """``bits`` bits in 64-bit words, the lowest word first; the attribute is an integer."""

    kind = "bitmap"

    def __init__(self, name: str, bits: int, *, wire: str = "", since: int = 0) -> None:
        super().__init__(name, wire=wire, since=since)
        self.bits = bits
        self.packer = struct.Struct(f">{(bits + 63) // 64}Q")

    def encode(self, value: Any) -> bytes:
        words = (value >> 64 * n & (1 << 64) - 1 for n in range(self.packer.size // 8))
        return self.packer.pack(*words)

    def decode(self, reader: Reader) -> int:
        words = self.packer.unpack(reader.take(self.packer.size))
        total: int = sum(word << 64 * n for n, word in enumerate(words))
        return total & (1 << self.bits) - 1


class Struct(Field):
    """A part that has a layout of its own."""

    kind = "struct"

    def __init__(self, name: str, layout: VMState, *, wire: str = "", since: int = 0, when: str = "") -> None:
        super().__init__(name, wire=wire, since=since, when=when)
        self.layout = layout

    @property
    def attributes(self) -> tuple[str, ...]:
        return super().attributes or tuple(self.layout.attributes)

    def write(self, device: object, out: bytearray) -> list[Description]:
        start = len(out)
        inner = self.layout.write(self.fetch(device), out)
        return [{"name": self.wire, "type": self.kind, "struct": inner, "size": len(out) - start}]

    def read(self, reader: Reader, scope: Scope) -> Any:
        return self.layout.read(fetch(scope.device, self.name), reader)

    def apply(self, device: object, value: Any) -> None:
        value.apply(self.fetch(device))

    def declare(self) -> dict[str, Any]:
        return {**super().declare(), "Description": self.layout.declare()}


class Tmp(Field):
    """Fields of something that only exists while it is saved or loaded: *make* builds it from the device, *unmake* puts
    it back after it was loaded.
    """

    kind = "tmp"

    def __init__(
        self, layout: VMState, make: Callable[[Any], Any], unmake: Callable[[Any, Any], None], *, wire: str = "tmp"
    ) -> None:
        super().__init__("", wire=wire)
        self.layout = layout
        self.make = make
        self.unmake = unmake

    def write(self, device: object, out: bytearray) -> list[Description]:
        start = len(out)
        inner = self.layout.write(self.make(device), out)
        return [{"name": self.wire, "type": self.kind, **inner, "size": len(out) - start}]

    def read(self, reader: Reader, scope: Scope) -> Any:
        return self.layout.read(self.make(scope.device), reader)

    def apply(self, device: object, value: Any) -> None:
        made = self.make(device)
        value.apply(made)
        self.unmake(device, made)

    def declare(self) -> dict[str, Any]:
        return {**super().declare(), "Description": self.layout.declare()}


class Array(Field):
    """``length`` values of one kind; ``element`` is a kind of number or a layout.

    :param count: attribute of an earlier field that tells how many of them there are
    :param each: whether QEMU describes elements one by one (because they may differ in size)
    """

    def __init__(
        self, name: str, element: type[Number] | VMState, length: int, *, wire: str = "", since: int = 0,
        when: str = "", count: str = "", each: bool = False, minimum: int | None = None, maximum: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(name, wire=wire, since=since, when=when)
        self.number: Number | None = None
        self.layout: VMState | None = None
        if isinstance(element, type):
            self.number = element(name, minimum=minimum, maximum=maximum)
            self.kind = self.number.kind
        else:
            self.layout = element
            self.kind = "struct"
        self.length = length
        self.count = count
        self.each = each

    def write(self, device: object, out: bytearray) -> list[Description]:
        values: Sequence[Any] = self.fetch(device)
        length = int(fetch(device, self.count)) if self.count else self.length
        if len(values) < length or (not self.count and len(values) != length):
            raise ValueError(f"{self.name}: {len(values)} elements, {length} declared")
        if self.number is not None:
            return self._write_numbers(values[:length], out)
        assert self.layout is not None
        told: list[Description] = []
        for index, value in enumerate(values[:length]):
            start = len(out)
            inner = self.layout.write(value, out)
            told.append({
                "name": self.wire, "index": index, "type": self.kind, "struct": inner, "size": len(out) - start,
            })  # fmt: skip
        return told if self.each else _alike(told)

    def _write_numbers(self, values: Sequence[int], out: bytearray) -> list[Description]:
        assert self.number is not None
        size = self.number.packer.size
        if size == 1:
            out += bytes(values)
        else:
            out += struct.pack(f">{len(values)}{self.number.packer.format[1:]}", *values)
        if not values:
            return []
        told: Description = {"name": self.wire}
        if len(values) > 1:
            told["array_len"] = len(values)
        return [{**told, "type": self.kind, "size": size}]

    def read(self, reader: Reader, scope: Scope) -> Any:
        length = self.length
        if self.count:
            length = int(scope.values[self.count])
            if length > self.length:
                raise mismatch(f"at most {self.length} elements", length, reader.position)
        if self.number is not None:
            return self._read_numbers(reader, length)
        assert self.layout is not None
        present = fetch(scope.device, self.name)
        values = []
        for index in range(length):
            try:
                values.append(self.layout.read(present[index], reader))
            except LoadError as error:
                raise error.within(f"[{index}]") from None
        return values

    def _read_numbers(self, reader: Reader, length: int) -> list[int]:
        assert self.number is not None
        packer = self.number.packer
        start = reader.position
        values = struct.unpack(f">{length}{packer.format[1:]}", reader.take(length * packer.size))
        if self.number.minimum is not None or self.number.maximum is not None:
            for index, value in enumerate(values):
                self.number.check(value, start + index * packer.size)
        return list(values)

    def apply(self, device: object, value: Any) -> None:
        present = self.fetch(device)
        if self.number is None:
            for part, values in zip(present, value, strict=False):
                values.apply(part)
        else:
            present[: len(value)] = value

    def declare(self) -> dict[str, Any]:
        told = super().declare()
        if self.layout is not None:
            told["Description"] = self.layout.declare()
        return told

    @property
    def element_size(self) -> int:
        return self.number.element_size if self.number is not None else 0


def _alike(told: list[Description]) -> list[Description]:
    """One description for elements that look alike."""
    first = dict(told[0])
    del first["index"]
    if len(told) == 1:
        return [first]
    name, rest = first.pop("name"), first
    return [{"name": name, "array_len": len(told), **rest}]
