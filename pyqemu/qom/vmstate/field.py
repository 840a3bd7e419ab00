"""What all fields of a saved state have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyqemu.qom.vmstate.reader import LoadError, Reader

if TYPE_CHECKING:
    from pyqemu.qom.vmstate.layout import Description


@dataclass
class Scope:
    """What a field sees while it is read.

    :ivar device: as it is before the load; it must not be changed
    :ivar version: of the structure that is read
    :ivar values: of the fields before this one, by attribute
    """

    device: object
    version: int
    values: dict[str, Any] = field(default_factory=dict)


class Field:
    """One field.

    :param name: the device's attribute; dots lead into its parts, "" is the device itself
    :param wire: QEMU's name of the field, where it is another one
    :param since: the first version of the structure that has the field
    :param when: attribute of an earlier field: this one exists only if that is not zero
    """

    kind = "buffer"
    """QEMU's name of the type."""

    def __init__(self, name: str, *, wire: str = "", since: int = 0, when: str = "") -> None:
        self.name = name
        self.wire = wire or name
        self.since = since
        self.when = when

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes of the device that it saves."""
        return (self.name.partition(".")[0],) if self.name else ()

    def fetch(self, device: object) -> Any:
        """The attribute's value."""
        return fetch(device, self.name)

    def assign(self, device: object, value: Any) -> None:
        """Set the attribute."""
        *path, last = self.name.split(".")
        for part in path:
            device = getattr(device, part)
        setattr(device, last, value)

    # -- writing

    def exists(self, device: object) -> bool:
        """Whether a state that is saved now has it."""
        return not self.when or bool(fetch(device, self.when))

    def write(self, device: object, out: bytearray) -> list[Description]:
        """Append its bytes, and return what describes them."""
        start = len(out)
        out += self.encode(self.fetch(device))
        return [{"name": self.wire, "type": self.kind, "size": len(out) - start}]

    def encode(self, value: Any) -> bytes:
        """The bytes of one value."""
        raise NotImplementedError

    # -- reading

    def expected(self, scope: Scope) -> bool:
        """Whether a state that is read has it."""
        return self.since <= scope.version and (not self.when or bool(scope.values.get(self.when)))

    def read(self, reader: Reader, scope: Scope) -> Any:
        """The value, checked.

        :raise LoadError: it cannot be.
        """
        return self.decode(reader)

    def decode(self, reader: Reader) -> Any:
        """One value from its bytes."""
        raise NotImplementedError

    def apply(self, device: object, value: Any) -> None:
        """Set the attribute to what :meth:`read` returned."""
        self.assign(device, value)

    # -- declaring

    def declare(self) -> dict[str, Any]:
        """The field as ``-dump-vmstate`` tells it."""
        name = self.wire.partition("[")[0] if self.wire.endswith("]") and "." not in self.wire else self.wire
        return {
            "field": name, "version_id": self.since, "field_exists": bool(self.when), "size": self.element_size,
        }  # fmt: skip

    @property
    def element_size(self) -> int:
        """Bytes of one element."""
        return 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.wire}>"


class Unused(Field):
    """Bytes that were a field once: zero when saved, skipped when loaded."""

    kind = "unused_buffer"

    def __init__(self, length: int, *, wire: str = "unused", since: int = 0) -> None:
        super().__init__("", wire=wire, since=since)
        self.length = length

    def write(self, device: object, out: bytearray) -> list[Description]:
        out += bytes(self.length)
        return [{"name": self.wire, "type": self.kind, "size": self.length}]

    def read(self, reader: Reader, scope: Scope) -> None:
        reader.take(self.length)

    def apply(self, device: object, value: Any) -> None:
        """Nothing to set."""

    @property
    def element_size(self) -> int:
        return self.length


def fetch(device: object, name: str) -> Any:
    """The attribute that a dotted name leads to."""
    for part in filter(None, name.split(".")):
        device = getattr(device, part)
    return device


def mismatch(expected: object, found: object, position: int | None = None) -> LoadError:
    """A value that cannot be."""
    return LoadError(f"expected {expected}, found {found}", position)
