"""Where saved state is read from, and what is said when it is not what it should be."""

from __future__ import annotations

from typing import Protocol


class LoadError(Exception):
    """The bytes are not a saved state of this layout.

    :ivar reason: what is wrong, with what was expected and what was found
    :ivar fields: the way to the field, outermost first
    :ivar position: the byte of the input at which it was noticed
    """

    def __init__(self, reason: str, position: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fields: list[str] = []
        self.position = position

    def within(self, name: str) -> LoadError:
        """Note that it happened inside of that field."""
        if name:
            self.fields.insert(0, name)
        return self

    @property
    def field(self) -> str:
        """The way to the field, with dots; empty if none is to blame."""
        return ".".join(self.fields)

    def __str__(self) -> str:
        where = f"{self.field}: " if self.fields else ""
        at = "" if self.position is None else f", at byte {self.position:#x}"
        return f"{where}{self.reason}{at}"


class Reader(Protocol):
    """A source of bytes that knows how far it is read."""

    @property
    def position(self) -> int:
        """Bytes taken so far."""

    def take(self, count: int) -> bytes:
        """The next bytes.

        :raise LoadError: there are fewer.
        """

    def peek(self, count: int) -> bytes:
        """The bytes that come next, without taking them; fewer if the input ends before."""


class BytesReader:
    """Reads a state that lies in memory."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    def take(self, count: int) -> bytes:
        """The next bytes."""
        end = self.position + count
        if end > len(self.data):
            raise LoadError(f"state ends at byte {len(self.data)}, {end} needed", self.position)
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def peek(self, count: int) -> bytes:
        """The bytes that come next."""
        return self.data[self.position : self.position + count]
