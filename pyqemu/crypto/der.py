"""The few words of DER (X.690) that reading a certificate takes. The input may be hostile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID = 0x01, 0x02, 0x03, 0x04, 0x06
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31
_WIDE = {0x1E: "utf-16-be", 0x1C: "utf-32-be", 0x14: "latin-1"}


class DerError(ValueError):
    """It is not DER, or not what was expected."""


class Value(NamedTuple):
    """One element: its identifier octet, its contents, and all of it."""

    tag: int
    content: bytes
    whole: bytes

    def expect(self, tag: int) -> Value:
        """Itself.

        :raise DerError: it is of another type.
        """
        if self.tag != tag:
            raise DerError(f"expected type {tag:#x}, found {self.tag:#x}")
        return self

    def parts(self) -> list[Value]:
        """The elements that it consists of.

        :raise DerError: it does not.
        """
        return list(parse(self.content))

    def oid(self) -> str:
        """As dotted numbers."""
        content = self.expect(OID).content
        numbers: list[int] = []
        number = 0
        for octet in content:
            number = number << 7 | octet & 0x7F
            if not octet & 0x80:
                numbers.append(number)
                number = 0
        if not numbers:
            raise DerError("empty object identifier")
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))

    def text(self) -> str:
        """Of any type of string."""
        return self.content.decode(_WIDE.get(self.tag, "utf-8"), "replace")

    def time(self) -> datetime:
        """A moment.

        :raise DerError: it is none.
        """
        text = self.content.decode("ascii", "replace")
        if self.tag == UTC_TIME:  # RFC 5280 4.1.2.5.1
            text = ("19" if text[:2] >= "50" else "20") + text
        elif self.tag != GENERALIZED_TIME:
            raise DerError(f"type {self.tag:#x} is no time")
        try:
            return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise DerError(f"'{text}' is no time") from None


def parse(data: bytes) -> Iterator[Value]:
    """The elements that *data* consists of.

    :raise DerError: it does not.
    """
    position = 0
    while position < len(data):
        start = position
        header = data[position : position + 2]
        if len(header) < 2 or header[0] & 0x1F == 0x1F:
            raise DerError("cut off, or a type that no certificate has")
        tag, length = header
        position += 2
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4 or position + count > len(data):
                raise DerError("length is cut off or too long")
            length = int.from_bytes(data[position : position + count])
            position += count
        end = position + length
        if end > len(data):
            raise DerError("contents are cut off")
        yield Value(tag, data[position:end], data[start:end])
        position = end
