"""The layout of a structure: its fields, then its subsections.

Numbers are big-endian. A subsection is there only if it is needed: byte 0x05, the length of its name, the name, its
version as 32 bits, and its fields.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyqemu.qom.vmstate.field import Field, Scope
from pyqemu.qom.vmstate.reader import BytesReader, LoadError, Reader
from pyqemu.util.text import printable

SUBSECTION = 0x05
Description = dict[str, Any]


@dataclass
class Values:
    """A structure that was read and is not applied yet."""

    layout: VMState
    version: int
    fields: list[tuple[Field, Any]] = field(default_factory=list)
    by_name: dict[str, Any] = field(default_factory=dict)
    subsections: list[Values] = field(default_factory=list)

    def __getitem__(self, name: str) -> Any:
        return self.by_name[name]

    def apply(self, device: object) -> None:
        """Put all into the device, and let it derive the rest."""
        for each, value in self.fields:
            each.apply(device, value)
        for part in self.subsections:
            part.apply(device)
        if self.layout.post_load is not None:
            self.layout.post_load(device)


@dataclass(frozen=True)
class VMState:
    """The layout of a device's state.

    :param minimum_version: the oldest that can be loaded; None: no older one than ``version``
    :param needed: of a subsection: whether it is saved
    :param pre_save: brings attributes up to date before they are written
    :param check: looks at values that were read, before any is applied, and raises :class:`LoadError`
    :param post_load: derives the rest from what was read; it must not fail
    """

    name: str
    version: int = 1
    fields: Sequence[Field] = ()
    subsections: Sequence[VMState] = ()
    needed: Callable[[Any], bool] | None = None
    minimum_version: int | None = None
    pre_save: Callable[[Any], None] | None = None
    check: Callable[[Any, Values], None] | None = None
    post_load: Callable[[Any], None] | None = None

    @property
    def oldest(self) -> int:
        """The oldest version that can be loaded."""
        return self.version if self.minimum_version is None else self.minimum_version

    @property
    def attributes(self) -> set[str]:
        """The attributes of the device that it saves, subsections included."""
        own = {name for each in self.fields for name in each.attributes}
        return own.union(*(part.attributes for part in self.subsections))

    # -- writing

    def save(self, device: object) -> bytes:
        """The state as bytes."""
        out = bytearray()
        self.write(device, out)
        return bytes(out)

    def write(self, device: object, out: bytearray) -> Description:
        """Append the state, and return its description: what the JSON trailer of a stream has."""
        if self.pre_save is not None:
            self.pre_save(device)
        fields: list[Description] = []
        for each in self.fields:
            if each.exists(device):
                fields += each.write(device, out)
        description: Description = {"vmsd_name": self.name, "version": self.version, "fields": fields}
        parts = []
        for part in self.subsections:
            if part.needed is None or part.needed(device):
                name = part.name.encode()
                out += bytes((SUBSECTION, len(name))) + name + struct.pack(">I", part.version)
                parts.append(part.write(device, out))
        if parts:
            description["subsections"] = parts
        return description

    # -- reading

    def load(self, device: object, data: bytes, version: int | None = None) -> None:
        """Set the state from all of ``data``.

        :raise LoadError: it is too short, too long, of a wrong version, has unknown subsections or impossible values;
            the device is as it was.
        """
        reader = BytesReader(data)
        values = self.read(device, reader, version)
        if reader.position != len(data):
            raise LoadError(f"{self.name}: {len(data) - reader.position} bytes too many", reader.position)
        values.apply(device)

    def read(self, device: object, reader: Reader, version: int | None = None) -> Values:
        """Read and check the bytes that come next. The device is only looked at.

        :raise LoadError: they are no such state.
        """
        version = self.version if version is None else version
        if not self.oldest <= version <= self.version:
            known = f"{self.oldest} to {self.version}" if self.oldest < self.version else f"{self.version}"
            raise LoadError(f"version {version} of '{self.name}' is not supported, only {known}", reader.position)
        values = Values(self, version)
        scope = Scope(device, version, values.by_name)
        for each in self.fields:
            if not each.expected(scope):
                continue
            start = reader.position
            try:
                value = each.read(reader, scope)
            except LoadError as error:
                error.position = start if error.position is None else error.position
                raise error.within(each.wire) from None
            values.fields.append((each, value))
            if each.name:
                values.by_name[each.name] = value
        self._read_subsections(device, reader, values)
        if self.check is not None:
            self.check(device, values)
        return values

    def _read_subsections(self, device: object, reader: Reader, values: Values) -> None:
        known = {part.name: part for part in self.subsections}
        while (name := _next_subsection(reader)) is not None:
            if name not in known:
                if not known or not name.startswith(f"{self.name}/"):
                    return  # it belongs to whoever comes next
                raise LoadError(f"'{self.name}' has no subsection '{printable(name)}'", reader.position)
            reader.take(2 + len(name))
            (version,) = struct.unpack(">I", reader.take(4))
            try:
                values.subsections.append(known[name].read(device, reader, version))
            except LoadError as error:
                raise error.within(f"[{name}]") from None

    # -- declaring

    def declare(self) -> dict[str, Any]:
        """The layout as ``-dump-vmstate`` tells it."""
        told: dict[str, Any] = {
            "name": self.name,
            "version_id": self.version,
            "minimum_version_id": self.oldest,
            "Fields": [each.declare() for each in self.fields],
        }
        if self.subsections:
            told["Subsections"] = [part.declare() for part in self.subsections]
        return told


def _next_subsection(reader: Reader) -> str | None:
    """The name of the subsection that comes next, if one does."""
    start = reader.peek(1)
    if not start or start[0] != SUBSECTION:
        return None
    length = reader.peek(2)
    if len(length) < 2:
        return None
    name = reader.peek(2 + length[1])[2:]
    return name.decode("latin-1") if len(name) == length[1] else None
