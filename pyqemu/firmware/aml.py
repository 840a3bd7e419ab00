"""A small builder of ACPI machine language (AML).

Every function returns the encoding of one term, so that a table reads like the ASL that it stands for::

    device("RTC", name("_HID", eisa_id("PNP0B00")), name("_CRS", resources(io(0x70, 8), irq_no_flags(8))))

Encodings are those of chapter 20 (AML) and section 6.4 (resource data) of the ACPI specification, revision
5.0. Only the terms that our tables need are here.
"""

from __future__ import annotations

import struct

ZERO, ONE, ONES = b"\x00", b"\x01", b"\xff"


def arg(index: int) -> bytes:
    """``ArgN`` of the method, N being 0 to 6."""
    return bytes((0x68 + index,))


def local(index: int) -> bytes:
    """``LocalN`` of the method, N being 0 to 7."""
    return bytes((0x60 + index,))


# -- names and data ------------------------------------------------------------------------------------


def _segment(text: str) -> bytes:
    if not 1 <= len(text) <= 4 or text[0].isdigit():
        raise ValueError(f"{text!r} is no AML name segment")
    return text.ljust(4, "_").encode("ascii")


def path(text: str) -> bytes:
    r"""A NameString such as ``\_SB.PCI0``, ``^ISA`` or ``LNKA`` (20.2.2)."""
    stripped = text.lstrip("\\^")
    prefix = text[: len(text) - len(stripped)].encode("ascii")
    segments = [_segment(part) for part in stripped.split(".")] if stripped else []
    match len(segments):
        case 0:
            return prefix + b"\x00"
        case 1:
            return prefix + segments[0]
        case 2:
            return prefix + b"\x2e" + b"".join(segments)
        case count:
            return prefix + b"\x2f" + bytes((count,)) + b"".join(segments)


def integer(value: int) -> bytes:
    """The shortest encoding of a constant (20.2.3)."""
    if value in (0, 1):
        return bytes((value,))
    for opcode, code in ((0x0A, "B"), (0x0B, "H"), (0x0C, "I"), (0x0E, "Q")):
        if value < 1 << 8 * struct.calcsize(code):
            return struct.pack(f"<B{code}", opcode, value)
    raise ValueError(f"{value:#x} does not fit in an AML integer")


def string(text: str) -> bytes:
    """A zero-terminated ASCII string."""
    return b"\x0d" + text.encode("ascii") + b"\x00"


def eisa_id(text: str) -> bytes:
    """``EisaId("PNP0A03")``: three letters of five bits and four hexadecimal digits, big-endian (19.5.36)."""
    letters = [ord(letter) - 0x40 for letter in text[:3]]
    value = letters[0] << 26 | letters[1] << 21 | letters[2] << 16 | int(text[3:], 16)
    return integer(int.from_bytes(value.to_bytes(4, "big"), "little"))


def _packaged(body: bytes) -> bytes:
    """PkgLength followed by what it counts; the length counts its own bytes (20.2.4)."""
    if len(body) + 1 < 0x40:
        return bytes((len(body) + 1,)) + body
    for extra in (1, 2, 3):
        total = len(body) + 1 + extra
        if total < 1 << 4 + 8 * extra:
            rest = (total >> 4).to_bytes(extra, "little")
            return bytes((extra << 6 | total & 0xF,)) + rest + body
    raise ValueError("AML package is too large")


def package(*elements: bytes) -> bytes:
    """``Package () { elements }``."""
    return b"\x12" + _packaged(bytes((len(elements),)) + b"".join(elements))


def buffer(data: bytes) -> bytes:
    """``Buffer () { data }``."""
    return b"\x11" + _packaged(integer(len(data)) + data)


# -- named objects -------------------------------------------------------------------------------------


def name(label: str, value: bytes) -> bytes:
    """``Name (label, value)``."""
    return b"\x08" + path(label) + value


def scope(label: str, *terms: bytes) -> bytes:
    """``Scope (label) { terms }``."""
    return b"\x10" + _packaged(path(label) + b"".join(terms))


def device(label: str, *terms: bytes) -> bytes:
    """``Device (label) { terms }``."""
    return b"\x5b\x82" + _packaged(path(label) + b"".join(terms))


def processor(label: str, processor_id: int, *terms: bytes) -> bytes:
    """``Processor (label, id, 0, 0) { terms }``: without a processor block, so C1 is its only sleep state."""
    return b"\x5b\x83" + _packaged(path(label) + struct.pack("<BIB", processor_id, 0, 0) + b"".join(terms))


def method(label: str, arguments: int, *terms: bytes, serialized: bool = False) -> bytes:
    """``Method (label, arguments) { terms }``."""
    flags = arguments | serialized << 3
    return b"\x14" + _packaged(path(label) + bytes((flags,)) + b"".join(terms))


REGION_MEMORY, REGION_IO, REGION_PCI_CONFIG = 0, 1, 2
ACCESS_ANY, ACCESS_BYTE, ACCESS_WORD, ACCESS_DWORD = 0, 1, 2, 3


def operation_region(label: str, space: int, offset: int, length: int) -> bytes:
    """``OperationRegion (label, space, offset, length)``."""
    return b"\x5b\x80" + path(label) + bytes((space,)) + integer(offset) + integer(length)


def field(region: str, access: int, *units: tuple[str, int]) -> bytes:
    """``Field (region, access, NoLock, Preserve)``; units are (name, bits), an empty name skips the bits."""
    body = path(region) + bytes((access,))
    for unit, bits in units:
        body += (_segment(unit) if unit else b"\x00") + _packed_bits(bits)
    return b"\x5b\x81" + _packaged(body)


def _packed_bits(bits: int) -> bytes:
    return bytes((bits,)) if bits < 0x40 else bytes((0x40 | bits & 0xF, bits >> 4))


def create_dword_field(source: bytes, byte_index: int, label: str) -> bytes:
    """``CreateDWordField (source, byte_index, label)``."""
    return b"\x8a" + source + integer(byte_index) + path(label)


def mutex(label: str) -> bytes:
    """``Mutex (label, 0)``."""
    return b"\x5b\x01" + path(label) + b"\x00"


# -- statements and expressions ------------------------------------------------------------------------


def store(value: bytes, target: bytes) -> bytes:
    """``Store (value, target)``."""
    return b"\x70" + value + target


def return_(value: bytes) -> bytes:
    """``Return (value)``."""
    return b"\xa4" + value


def if_(condition: bytes, *terms: bytes) -> bytes:
    """``If (condition) { terms }``."""
    return b"\xa0" + _packaged(condition + b"".join(terms))


def and_(left: bytes, right: bytes, target: bytes = ZERO) -> bytes:
    """``And (left, right, target)``; without a target the value is only used."""
    return b"\x7b" + left + right + target


def or_(left: bytes, right: bytes, target: bytes = ZERO) -> bytes:
    """``Or (left, right, target)``."""
    return b"\x7d" + left + right + target


def less(left: bytes, right: bytes) -> bytes:
    """``LLess (left, right)``."""
    return b"\x95" + left + right


def shift_left(value: bytes, count: bytes, target: bytes = ZERO) -> bytes:
    """``ShiftLeft (value, count, target)``."""
    return b"\x79" + value + count + target


def notify(label: str, value: bytes) -> bytes:
    """``Notify (label, value)``."""
    return b"\x86" + path(label) + value


def acquire(label: str) -> bytes:
    """``Acquire (label, 0xFFFF)``: waits for ever."""
    return b"\x5b\x23" + path(label) + b"\xff\xff"


def release(label: str) -> bytes:
    """``Release (label)``."""
    return b"\x5b\x27" + path(label)


def call(label: str, *arguments: bytes) -> bytes:
    """A method invocation."""
    return path(label) + b"".join(arguments)


# -- resource templates (6.4) --------------------------------------------------------------------------


def resources(*descriptors: bytes) -> bytes:
    """``ResourceTemplate () { descriptors }``; checksum 0 in the end tag means "not checked" (6.4.2.9)."""
    return buffer(b"".join(descriptors) + b"\x79\x00")


def io(base: int, length: int, alignment: int = 1) -> bytes:
    """``IO (Decode16, base, base, alignment, length)``."""
    return struct.pack("<BBHHBB", 0x47, 1, base, base, alignment, length)


def irq_no_flags(*lines: int) -> bytes:
    """``IRQNoFlags () {lines}``: edge triggered, active high, exclusive."""
    return struct.pack("<BH", 0x22, sum(1 << line for line in lines))


def dma(channel: int) -> bytes:
    """``DMA (Compatibility, NotBusMaster, Transfer8) {channel}``."""
    return bytes((0x2A, 1 << channel, 0))


def memory32_fixed(base: int, length: int, *, writable: bool) -> bytes:
    """``Memory32Fixed (ReadWrite or ReadOnly, base, length)``."""
    return struct.pack("<BHBII", 0x86, 9, writable, base, length)


def interrupt(*lines: int) -> bytes:
    """``Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) {lines}``."""
    flags = 1 | 1 << 3  # consumer, level (bit 1 clear), active high (bit 2 clear), shared
    body = struct.pack(f"<BB{len(lines)}I", flags, len(lines), *lines)
    return struct.pack("<BH", 0x89, len(body)) + body


_BUS_NUMBER, _IO_RANGE, _MEMORY_RANGE = 2, 1, 0
_FIXED_PRODUCER = 0x0C  # minimum and maximum fixed, positive decode, resource producer


def _address_space(tag: int, code: str, kind: int, flags: int, first: int, last: int) -> bytes:
    body = struct.pack(f"<BBB5{code}", kind, _FIXED_PRODUCER, flags, 0, first, last, 0, last - first + 1)
    return struct.pack("<BH", tag, len(body)) + body


def word_bus_number(first: int, last: int) -> bytes:
    """``WordBusNumber (ResourceProducer, ...)``: the buses behind a bridge."""
    return _address_space(0x88, "H", _BUS_NUMBER, 0, first, last)


def word_io(first: int, last: int) -> bytes:
    """``WordIO (ResourceProducer, ..., EntireRange)``: ports that a bridge passes on."""
    return _address_space(0x88, "H", _IO_RANGE, 3, first, last)


def dword_memory(first: int, last: int, *, cacheable: bool = False) -> bytes:
    """``DWordMemory (ResourceProducer, ..., ReadWrite)``."""
    return _address_space(0x87, "I", _MEMORY_RANGE, 1 | cacheable << 1, first, last)


def qword_memory(first: int, last: int, *, cacheable: bool = True) -> bytes:
    """``QWordMemory (ResourceProducer, ..., ReadWrite)``."""
    return _address_space(0x8A, "Q", _MEMORY_RANGE, 1 | cacheable << 1, first, last)
