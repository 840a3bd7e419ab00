"""The saved state of a device, declared field by field in QEMU's layout (``docs/migration.txt``).

Numbers are big-endian. A subsection is written only when ``needed`` says so: byte 0x05, the
length of its name, the name, its version as 32 bits, and its fields.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

SUBSECTION = 0x05


class LoadError(Exception):
    """The bytes are not a saved state of this layout; the message says where."""


class Reader:
    """The bytes of a saved state, and how far they are read. Never reads past the end."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes."""
        end = self.position + count
        if end > len(self.data):
            raise LoadError(f"state ends at byte {len(self.data)}, {end} needed")
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def peek(self) -> int | None:
        """The next byte, if there is one."""
        return self.data[self.position] if self.position < len(self.data) else None


class Field:
    """One field: ``name`` is the device's attribute, dots lead into its parts; "" is the device."""

    def __init__(self, name: str, *, since: int = 0) -> None:
        self.name = name
        self.since = since
        """The first version that has the field."""

    def fetch(self, device: object) -> Any:
        """The attribute's value."""
        for part in filter(None, self.name.split(".")):
            device = getattr(device, part)
        return device

    def assign(self, device: object, value: Any) -> None:
        """Set the attribute."""
        *path, last = self.name.split(".")
        for part in path:
            device = getattr(device, part)
        setattr(device, last, value)

    def save(self, device: object) -> bytes:
        """The bytes of the field."""
        return self.encode(self.fetch(device))

    def load(self, device: object, reader: Reader) -> None:
        """Set the attribute from bytes."""
        self.assign(device, self.decode(reader))

    def encode(self, value: Any) -> bytes:
        """The bytes of one value."""
        raise NotImplementedError

    def decode(self, reader: Reader) -> Any:
        """The value from its bytes."""
        raise NotImplementedError


class _Number(Field):
    layout = ">B"

    def encode(self, value: Any) -> bytes:
        packer = struct.Struct(self.layout)
        if self.layout[1].isupper():
            value = int(value) & ((1 << 8 * packer.size) - 1)
        return packer.pack(value)

    def decode(self, reader: Reader) -> Any:
        packer = struct.Struct(self.layout)
        return packer.unpack(reader.take(packer.size))[0]


class U8(_Number):
    """An unsigned byte."""


class U16(_Number):
    """An unsigned 16-bit number."""

    layout = ">H"


class U32(_Number):
    """An unsigned 32-bit number."""

    layout = ">I"


class U64(_Number):
    """An unsigned 64-bit number."""

    layout = ">Q"


class I32(_Number):
    """A signed 32-bit number."""

    layout = ">i"


class I64(_Number):
    """A signed 64-bit number."""

    layout = ">q"


class Bool(Field):
    """One byte, 0 or 1."""

    def encode(self, value: Any) -> bytes:
        return b"\1" if value else b"\0"

    def decode(self, reader: Reader) -> bool:
        return reader.take(1) != b"\0"


class Buffer(Field):
    """``length`` bytes as they are. A mutable one is filled in place."""

    def __init__(self, name: str, length: int, *, since: int = 0) -> None:
        super().__init__(name, since=since)
        self.length = length

    def encode(self, value: Any) -> bytes:
        data = bytes(value)
        if len(data) != self.length:
            raise ValueError(f"{self.name}: {len(data)} bytes, {self.length} declared")
        return data

    def load(self, device: object, reader: Reader) -> None:
        data = reader.take(self.length)
        present = self.fetch(device)
        if isinstance(present, (bytearray, memoryview)):
            present[:] = data
        else:
            self.assign(device, data)


class Array(Field):
    """``length`` values of one kind; ``element`` is a field class or a :class:`Struct`."""

    def __init__(self, name: str, element: type[Field] | VMState, length: int, *, since: int = 0) -> None:
        super().__init__(name, since=since)
        self.element = element if isinstance(element, VMState) else element(name)
        self.length = length

    def save(self, device: object) -> bytes:
        values = self.fetch(device)
        if len(values) != self.length:
            raise ValueError(f"{self.name}: {len(values)} elements, {self.length} declared")
        if isinstance(self.element, VMState):
            return b"".join(self.element.save(value) for value in values)
        return b"".join(self.element.encode(value) for value in values)

    def load(self, device: object, reader: Reader) -> None:
        values = self.fetch(device)
        for index in range(self.length):
            if isinstance(self.element, VMState):
                self.element.load_from(values[index], reader)
            else:
                values[index] = self.element.decode(reader)


class Struct(Field):
    """A part that has a layout of its own."""

    def __init__(self, name: str, layout: VMState, *, since: int = 0) -> None:
        super().__init__(name, since=since)
        self.layout = layout

    def save(self, device: object) -> bytes:
        return self.layout.save(self.fetch(device))

    def load(self, device: object, reader: Reader) -> None:
        self.layout.load_from(self.fetch(device), reader)


class Timer64(Field):
    """A timer's deadline in ns, all ones if it is not armed."""

    def encode(self, value: Any) -> bytes:
        deadline = value.deadline
        return struct.pack(">q", -1 if deadline is None else deadline)

    def load(self, device: object, reader: Reader) -> None:
        (deadline,) = struct.unpack(">q", reader.take(8))
        timer = self.fetch(device)
        if deadline == -1:
            timer.cancel()
        else:
            timer.set(deadline)


class Version32(Field):
    """A signed 32-bit version of a part; what is loaded may not be newer."""

    def __init__(self, version: int, *, since: int = 0) -> None:
        super().__init__("version_id", since=since)
        self.version = version

    def save(self, device: object) -> bytes:
        return struct.pack(">i", self.version)

    def load(self, device: object, reader: Reader) -> None:
        (version,) = struct.unpack(">i", reader.take(4))
        if not 0 <= version <= self.version:
            raise LoadError(f"version {version} where at most {self.version} is known")


class Unused(Field):
    """Bytes that were a field once: zero when saved, skipped when loaded."""

    def __init__(self, length: int, *, since: int = 0) -> None:
        super().__init__("unused", since=since)
        self.length = length

    def save(self, device: object) -> bytes:
        return bytes(self.length)

    def load(self, device: object, reader: Reader) -> None:
        reader.take(self.length)


@dataclass(frozen=True)
class VMState:
    """The layout of a device's state.

    ``minimum_version`` is the oldest that can be loaded. ``pre_save`` brings attributes up to date
    before they are written, ``post_load`` derives the rest from what was read.
    """

    name: str
    version: int = 1
    fields: Sequence[Field] = ()
    subsections: Sequence[VMState] = ()
    needed: Callable[[Any], bool] | None = None
    minimum_version: int | None = None
    pre_save: Callable[[Any], None] | None = None
    post_load: Callable[[Any], None] | None = None

    def save(self, device: object) -> bytes:
        """The state as bytes: the fields, then the subsections that are needed."""
        if self.pre_save is not None:
            self.pre_save(device)
        out = [field.save(device) for field in self.fields]
        for part in self.subsections:
            if part.needed is None or part.needed(device):
                name = part.name.encode()
                out.append(bytes((SUBSECTION, len(name))) + name + struct.pack(">I", part.version))
                out.append(part.save(device))
        return b"".join(out)

    def load(self, device: object, data: bytes, version: int | None = None) -> None:
        """Set the state from all of ``data``.

        :raise LoadError: it is too short, too long, of a wrong version or has unknown subsections.
        """
        reader = Reader(data)
        self.load_from(device, reader, version)
        if reader.position != len(data):
            raise LoadError(f"{self.name}: {len(data) - reader.position} bytes too many")

    def load_from(self, device: object, reader: Reader, version: int | None = None) -> None:
        """Set the state from the bytes that come next."""
        version = self.version if version is None else version
        oldest = self.version if self.minimum_version is None else self.minimum_version
        if not oldest <= version <= self.version:
            raise LoadError(f"{self.name}: version {version} is not supported")
        for field in self.fields:
            if field.since <= version:
                field.load(device, reader)
        self._load_subsections(device, reader)
        if self.post_load is not None:
            self.post_load(device)

    def _load_subsections(self, device: object, reader: Reader) -> None:
        known = {part.name: part for part in self.subsections}
        while known and reader.peek() == SUBSECTION:
            start = reader.position
            length = reader.take(2)[1]
            name = reader.take(length).decode("ascii", "replace")
            if not name.startswith(f"{self.name}/"):
                reader.position = start  # it belongs to whoever comes next
                return
            if name not in known:
                raise LoadError(f"{self.name}: unknown subsection '{name}'")
            (version,) = struct.unpack(">I", reader.take(4))
            known[name].load_from(device, reader, version)
