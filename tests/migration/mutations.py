"""Streams that somebody has tampered with: what each is made of depends on a seed and a number, and on nothing else.

A stream is cut into pieces (:class:`Piece`), each with the places of the fields and lengths in it. Mutations of fields
come first, then those of the order of pieces, and in the end those of bytes, which know no structure.
"""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

PAGE, RAM_NUMBER = 4096, 2
START, PART, END, FULL, COMMAND, FOOTER, VMDESC, CONFIGURATION = 1, 2, 3, 4, 8, 0x7E, 6, 7
MEM_SIZE, EOS, CONTINUE, ZERO, RAW, XBZRLE, PACKED = 4, 0x10, 0x20, 2, 8, 0x40, 0x100
FRAME = frozenset(("type", "number", "idstr", "instance", "version", "footer", "subsection"))
MOST_ELEMENTS = 512
LONG = 64 << 10  # bytes
PAGES_KEPT = 3  # records of each kind that a section keeps: the others would only make it long


@dataclass(frozen=True)
class Mark:
    """Where a field is within a piece."""

    start: int
    size: int
    name: str
    is_length: bool = False


@dataclass
class Piece:
    """A section, or what stands before and behind them."""

    name: str
    data: bytes
    marks: list[Mark] = field(default_factory=list)


@dataclass
class Base:
    """A good stream."""

    name: str
    pieces: list[Piece]

    @property
    def data(self) -> bytes:
        """The stream."""
        return b"".join(piece.data for piece in self.pieces)


# -- cutting a good stream into pieces


class Cutter:
    """Follows a stream by the description at its end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = self.begin = 0
        self.marks: list[Mark] = []
        self.pieces: list[Piece] = []
        self.names: dict[int, tuple[str, int]] = {}
        start = data.rindex(b'{"page_size"')
        self.trailer = start - 5
        self.layouts = {(each["name"], each["instance_id"]): each for each in json.loads(data[start:])["devices"]}

    def base(self, name: str) -> Base:
        """The pieces; pages that are like many others are left out, and so is most of the description."""
        self.skip(8, "magic")
        self.skip(1, "type")
        self.counted(4, "machine")
        self.end("header")
        while self.at < self.trailer:
            self._section()
        self.pieces.append(Piece("description", struct.pack(">BI", VMDESC, 2) + b"{}", [Mark(1, 4, "length", True)]))
        return Base(name, self.pieces)

    def skip(self, size: int, name: str, *, is_length: bool = False) -> bytes:
        self.marks.append(Mark(self.at - self.begin, size, name, is_length))
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int, name: str, *, is_length: bool = False) -> int:
        return int.from_bytes(self.skip(size, name, is_length=is_length), "big")

    def counted(self, size: int, name: str) -> bytes:
        return self.skip(self.number(size, f"{name}.length", is_length=True), name)

    def end(self, name: str) -> None:
        self.pieces.append(Piece(name, self.data[self.begin : self.at], self.marks))
        self.begin, self.marks = self.at, []

    def _section(self) -> None:
        kind = self.number(1, "type")
        if kind == 0:
            self.end("end")
            return
        number = self.number(4, "number")
        if kind in (START, FULL):
            idstr = self.counted(1, "idstr").decode()
            instance = self.number(4, "instance")
            self.names[number] = idstr, instance
            self.skip(4, "version")
        idstr, instance = self.names[number]
        if idstr == "ram":
            self._ram(number)
            return
        self._device(self.layouts[idstr, instance])
        self._footer(f"{idstr}/{instance}")

    def _footer(self, name: str) -> None:
        self.skip(1, "footer")
        self.skip(4, "footer.number")
        self.end(name)

    def _device(self, layout: dict[str, Any]) -> None:
        for each in layout["fields"]:
            count = each.get("array_len", 1)
            if "struct" not in each and count > MOST_ELEMENTS:
                self._long_array(each["name"], each["size"], count)
                continue
            for _ in range(count):
                if "struct" in each:
                    self._device(each["struct"])
                elif each["size"]:
                    self.skip(each["size"], each["name"])
        for part in layout.get("subsections", ()):
            self.skip(1, "subsection")
            self.counted(1, "subsection.name")
            self.skip(4, "subsection.version")
            self._device(part)

    def _long_array(self, name: str, size: int, count: int) -> None:
        """Some elements at both ends, and what is between them as one field."""
        ends = 4
        for _ in range(ends):
            self.skip(size, name)
        self.skip(size * (count - 2 * ends), name)
        for _ in range(ends):
            self.skip(size, name)

    def _ram(self, number: int) -> None:
        """A section of memory: its head, some records, its end, as one piece."""
        kept, marks = bytearray(self.data[self.begin : self.at]), self.marks
        seen: dict[int, int] = {}
        while True:
            self.begin, self.marks = self.at, []
            flags = self._record()
            seen[flags] = seen.get(flags, 0) + 1
            if not flags & CONTINUE or seen[flags] <= PAGES_KEPT:
                marks += [Mark(each.start + len(kept), each.size, each.name, each.is_length) for each in self.marks]
                kept += self.data[self.begin : self.at]
            if flags == EOS:
                break
        self.begin, self.marks = self.at, []
        self.skip(5, "footer")
        marks += [Mark(len(kept), 1, "footer"), Mark(len(kept) + 1, 4, "footer.number")]
        kept += self.data[self.begin : self.at]
        self.pieces.append(Piece(f"ram/{number}", bytes(kept), marks))
        self.begin, self.marks = self.at, []

    def _record(self) -> int:
        word = self.number(8, "record", is_length=True)
        flags, offset = word % PAGE, word - word % PAGE
        if flags == EOS:
            return flags
        if flags == MEM_SIZE:
            while offset > 0:
                self.counted(1, "block")
                offset -= self.number(8, "block.length", is_length=True)
            return flags
        if not flags & CONTINUE:
            self.counted(1, "block")
        match flags & ~CONTINUE:
            case 2:
                self.skip(1, "fill")
            case 8:
                self.skip(PAGE, "page")
            case 0x40:
                self.skip(1, "coding")
                self.counted(2, "difference")
            case 0x100:
                self.counted(4, "packed")
            case other:
                raise AssertionError(f"flags {other:#x}")
        return flags


def command(code: int, payload: bytes = b"", *, name: str = "command") -> Piece:
    """A command section."""
    marks = [Mark(0, 1, "type"), Mark(1, 2, "code"), Mark(3, 2, "length", True)]
    marks += [Mark(5 + at, min(8, len(payload) - at), "payload") for at in range(0, len(payload), 8)]
    return Piece(name, struct.pack(">BHH", COMMAND, code, len(payload)) + payload, marks)


# -- memory, made by hand


def memory(kind: int, records: Sequence[Piece]) -> Piece:
    """A section of memory."""
    head = struct.pack(">BI", kind, RAM_NUMBER)
    marks = [Mark(0, 1, "type"), Mark(1, 4, "number")]
    if kind == START:
        head += b"\3ram" + struct.pack(">II", 0, 4)
        marks += [Mark(5, 1, "idstr.length", True), Mark(6, 3, "idstr"), Mark(9, 4, "instance"), Mark(13, 4, "version")]
    data = bytearray(head)
    for record in (*records, Piece("end", struct.pack(">Q", EOS), [Mark(0, 8, "record", True)])):
        marks += [Mark(mark.start + len(data), mark.size, mark.name, mark.is_length) for mark in record.marks]
        data += record.data
    marks += [Mark(len(data), 1, "footer"), Mark(len(data) + 1, 4, "footer.number")]
    return Piece(f"ram/{kind}", bytes(data) + struct.pack(">BI", FOOTER, RAM_NUMBER), marks)


def block_list(blocks: Sequence[tuple[str, int]]) -> Piece:
    """What memory there is."""
    data = struct.pack(">Q", sum(length for _, length in blocks) | MEM_SIZE)
    marks = [Mark(0, 8, "record", True)]
    for name, length in blocks:
        at = len(data)
        marks += [Mark(at, 1, "block.length", True), Mark(at + 1 + len(name), 8, "size", True)]
        data += bytes((len(name),)) + name.encode() + struct.pack(">Q", length)
    return Piece("blocks", data, marks)


def raw(block: str, number: int) -> Piece:
    """A page as it is."""
    data = struct.pack(">Q", number * PAGE | RAW) + bytes((len(block),)) + block.encode()
    return Piece("page", data + b"\xf4" * PAGE, [Mark(0, 8, "record", True), Mark(8, 1, "block.length", True)])


def zeros(block: str, numbers: Iterable[int]) -> Piece:
    """Pages of zeros."""
    data = bytearray()
    marks = []
    for number in numbers:
        marks.append(Mark(len(data), 8, "record", True))
        data += struct.pack(">Q", number * PAGE | ZERO | (CONTINUE if data else 0))
        data += b"\0" if len(data) > 8 else bytes((len(block),)) + block.encode() + b"\0"
    return Piece("zeros", bytes(data), marks)


# -- mutations


@dataclass
class Work:
    """A stream that is being spoilt."""

    rng: random.Random
    bases: Sequence[Base]
    pieces: list[Piece]

    def marked(self) -> tuple[int, Mark]:
        """Some field: every piece is as likely as the others. Mostly one of a device, not of what is around it."""
        while True:
            index = self.rng.randrange(len(self.pieces))
            marks = self.of_interest(index)
            if marks:
                return index, self.rng.choice(marks)

    def of_interest(self, index: int) -> list[Mark]:
        """The fields of a piece, or only those of the device."""
        marks = self.pieces[index].marks
        inner = [mark for mark in marks if mark.name.partition(".")[0] not in FRAME]
        return inner if inner and self.rng.random() < 0.7 else marks

    def put(self, index: int, mark: Mark, data: bytes) -> None:
        """Change a piece; the good stream keeps its own."""
        piece = self.pieces[index]
        changed = piece.data[: mark.start] + data + piece.data[mark.start + mark.size :]
        self.pieces[index] = Piece(piece.name, changed, piece.marks)


def _interesting(rng: random.Random, size: int, old: bytes) -> bytes:
    """A value that code tends to be wrong about."""
    if size > 8:
        at = rng.randrange(size)
        return old[:at] + bytes((rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256))),)) + old[at + 1 :]
    bits, value = 8 * size, int.from_bytes(old, "big")
    choices = (
        0, 1, 2, (1 << bits) - 1, 1 << bits - 1, (1 << bits - 1) - 1, value + 1, value - 1,
        value ^ 1 << rng.randrange(bits),
        rng.randrange(1 << bits), rng.randrange(256), 1 << rng.randrange(bits), -1 << rng.randrange(bits),
        value | 1 << bits - 1,
    )  # fmt: skip
    return (rng.choice(choices) % (1 << bits)).to_bytes(size, "big")


def set_field(work: Work) -> None:
    """A field has an interesting value."""
    index, mark = work.marked()
    old = work.pieces[index].data[mark.start : mark.start + mark.size]
    if mark.size:
        work.put(index, mark, _interesting(work.rng, mark.size, old))


def set_many_fields(work: Work) -> None:
    """Many fields of one section have."""
    index, _ = work.marked()
    marks = work.of_interest(index)
    for mark in work.rng.sample(marks, min(len(marks), work.rng.randrange(2, 12))):
        old = work.pieces[index].data[mark.start : mark.start + mark.size]
        if mark.size:
            work.put(index, mark, _interesting(work.rng, mark.size, old))


def random_field(work: Work) -> None:
    """A field is noise."""
    index, mark = work.marked()
    work.put(index, mark, work.rng.randbytes(mark.size))


def enlarge_length(work: Work) -> None:
    """A length promises more than there is."""
    rng = work.rng
    lengths = [(n, mark) for n, piece in enumerate(work.pieces) for mark in piece.marks if mark.is_length]
    index, mark = rng.choice(lengths)
    bits = 8 * mark.size
    old = int.from_bytes(work.pieces[index].data[mark.start : mark.start + mark.size], "big")
    new = rng.choice((old + rng.randrange(1, 1 << 16), (1 << bits) - 1, 1 << bits - 1, old | rng.getrandbits(bits)))
    work.put(index, mark, (new % (1 << bits)).to_bytes(mark.size, "big"))


def flip_bits(work: Work) -> None:
    """Bits of some field, or of anything else in a piece."""
    index = work.rng.randrange(len(work.pieces))
    data = bytearray(work.pieces[index].data)
    for _ in range(work.rng.choice((1, 1, 2, 8))):
        data[work.rng.randrange(len(data))] ^= 1 << work.rng.randrange(8)
    work.pieces[index] = Piece(work.pieces[index].name, bytes(data), work.pieces[index].marks)


def repeat(work: Work) -> None:
    """A section comes twice, or very often."""
    at, times = work.rng.randrange(len(work.pieces)), work.rng.choice((1, 1, 1, 30))
    where = work.rng.randrange(len(work.pieces) + 1)
    if len(work.pieces[at].data) * times < 1 << 17:
        work.pieces[where:where] = [work.pieces[at]] * times


def remove(work: Work) -> None:
    """A section is missing."""
    if len(work.pieces) > 1:
        del work.pieces[work.rng.randrange(len(work.pieces))]


def swap(work: Work) -> None:
    """Two sections have changed their places."""
    a, b = (work.rng.randrange(len(work.pieces)) for _ in range(2))
    work.pieces[a], work.pieces[b] = work.pieces[b], work.pieces[a]


def splice(work: Work) -> None:
    """The stream goes on as another one, or has a section of it."""
    rng = work.rng
    other = rng.choice(work.bases).pieces
    if rng.random() < 0.5:
        work.pieces[rng.randrange(len(work.pieces)) :] = other[rng.randrange(len(other)) :]
    else:
        work.pieces.insert(rng.randrange(len(work.pieces) + 1), rng.choice(other))
    if not work.pieces:
        work.pieces = list(other)


def truncate(rng: random.Random, data: bytearray) -> None:
    """The stream ends early."""
    del data[rng.randrange(len(data)) :]


def insert_bytes(rng: random.Random, data: bytearray) -> None:
    """Something has slipped in."""
    at, length = rng.randrange(len(data)), rng.choice((1, 2, 3, 4, 8, 100))
    data[at:at] = rng.randbytes(length) if rng.random() < 0.7 else data[at : at + length]


def delete_bytes(rng: random.Random, data: bytearray) -> None:
    """Something is lost."""
    at = rng.randrange(len(data))
    del data[at : at + rng.choice((1, 2, 3, 4, 8, 100))]


def overwrite(rng: random.Random, data: bytearray) -> None:
    """Some bytes in a row are noise."""
    at = rng.randrange(len(data))
    noise = rng.randbytes(rng.choice((1, 1, 2, 4, 8, 64)))
    data[at : at + len(noise)] = noise


OF_FIELDS: tuple[Callable[[Work], None], ...] = (
    set_field, set_field, set_field, set_many_fields, set_many_fields, random_field, enlarge_length, flip_bits,
)  # fmt: skip
OF_PIECES: tuple[Callable[[Work], None], ...] = (repeat, remove, swap, splice)
OF_BYTES: tuple[Callable[[random.Random, bytearray], None], ...] = (truncate, insert_bytes, delete_bytes, overwrite)


def stream(bases: Sequence[Base], seed: int, number: int) -> bytes:
    """The spoilt stream of that number."""
    rng = random.Random(f"{seed} {number}")
    base = rng.choice(bases)
    work = Work(rng, bases, list(base.pieces))
    if rng.random() < 0.6:
        _focus(work)
    elif rng.random() < 0.9:
        work.pieces = [piece for piece in work.pieces if len(piece.data) < LONG]
    kind = rng.random()
    if kind < 0.7 or kind > 0.95:
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            rng.choice(OF_FIELDS)(work)
    if (kind > 0.65 and kind < 0.85) or kind > 0.95:
        rng.choice(OF_PIECES)(work)
    data = bytearray(b"".join(piece.data for piece in work.pieces))
    if kind >= 0.85 and data:
        rng.choice(OF_BYTES)(rng, data)
    return bytes(data)


def _focus(work: Work) -> None:
    """Only one device, or two: what is in a long stream behind the first mistake is never looked at."""
    devices = [piece for piece in work.pieces if "/" in piece.name and not piece.name.startswith("ram/")]
    kept = work.rng.sample(devices, min(len(devices), work.rng.choice((1, 1, 2))))
    work.pieces = [piece for piece in work.pieces if piece not in devices or piece in kept]
