"""Integer vector instructions in software: those of SSSE3, SSE4.1 and SSE4.2 that have no row of their own.

Functions work on vectors of 128 bits as integers; MMX forms are derived from them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyqemu.targets.x86.sse_soft import read, write
from pyqemu.tcg.lanes import clamp, join, packer, shuffle_bytes, signed_lanes, unsigned_lanes, vertical

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu
else:
    X86Cpu = Any

M64 = (1 << 64) - 1
Function = Callable[[int, int], int]
_saturate = clamp(-0x8000, 0x7FFF)


def _horizontal(bits: int, function: Function, *, saturated: bool = False) -> Function:
    """Neighbours of the first, then of the second vector."""

    def apply(a: int, b: int) -> int:
        lanes = signed_lanes(a, bits) + signed_lanes(b, bits)
        results = [function(lanes[n], lanes[n + 1]) for n in range(0, len(lanes), 2)]
        return join(map(_saturate, results) if saturated else results, bits)

    return apply


def _multiply_unsigned_signed(a: int, b: int) -> int:
    """PMADDUBSW."""
    products = [x * y for x, y in zip(unsigned_lanes(a, 8), signed_lanes(b, 8), strict=True)]
    return join((_saturate(products[n] + products[n + 1]) for n in range(0, 16, 2)), 16)


def _minimum_position(a: int, b: int) -> int:
    """PHMINPOSUW."""
    words = unsigned_lanes(b, 16)
    least = min(words)
    return least | words.index(least) << 16


#: By name: the function, and whether a vector of the MMX form is made of both operands side by side.
FUNCTIONS: dict[str, tuple[Function, bool]] = {
    "phaddw": (_horizontal(16, int.__add__), True),
    "phaddd": (_horizontal(32, int.__add__), True),
    "phaddsw": (_horizontal(16, int.__add__, saturated=True), True),
    "phsubw": (_horizontal(16, int.__sub__), True),
    "phsubd": (_horizontal(32, int.__sub__), True),
    "phsubsw": (_horizontal(16, int.__sub__, saturated=True), True),
    "pmaddubsw": (_multiply_unsigned_signed, False),
    "psignb": (vertical(lambda x, y: x if y > 0 else -x if y else 0, 8, signed=True), False),
    "psignw": (vertical(lambda x, y: x if y > 0 else -x if y else 0, 16, signed=True), False),
    "psignd": (vertical(lambda x, y: x if y > 0 else -x if y else 0, 32, signed=True), False),
    "pmulhrsw": (vertical(lambda x, y: (x * y >> 14) + 1 >> 1, 16, signed=True), False),
    "pabsb": (vertical(lambda x, y: abs(y), 8, signed=True), False),
    "pabsw": (vertical(lambda x, y: abs(y), 16, signed=True), False),
    "pabsd": (vertical(lambda x, y: abs(y), 32, signed=True), False),
    "packusdw": (packer(32, 0, 0xFFFF), False),
    "phminposuw": (_minimum_position, False),
}
NAMES = tuple(FUNCTIONS)


def apply(cpu: X86Cpu, number: int, destination: int, low: int, high: int) -> None:
    """The XMM form of a function."""
    write(cpu, destination, FUNCTIONS[NAMES[number]][0](read(cpu, destination), low | high << 64))


def apply_mmx(cpu: X86Cpu, number: int, a: int, b: int) -> int:
    """The MMX form of a function."""
    function, joined = FUNCTIONS[NAMES[number]]
    return (function(a | b << 64, 0) if joined else function(a, b)) & M64


def shuffle_mmx(cpu: X86Cpu, a: int, b: int) -> int:
    """PSHUFB on MMX registers: three bits select."""
    return shuffle_bytes(a, b & 0x8787878787878787) & M64


def align_mmx(cpu: X86Cpu, count: int, a: int, b: int) -> int:
    """PALIGNR on MMX registers."""
    return (a << 64 | b) >> 8 * count & M64


def blend_variable(cpu: X86Cpu, bits: int, destination: int, low: int, high: int) -> None:
    """PBLENDVB, BLENDVPS, BLENDVPD: lanes of the source where the sign bit of XMM0's lane is set."""
    mask = unsigned_lanes(read(cpu, 0), bits)
    pairs = zip(unsigned_lanes(read(cpu, destination), bits), unsigned_lanes(low | high << 64, bits), mask, strict=True)
    write(cpu, destination, join((b if m >> bits - 1 else a for a, b, m in pairs), bits))


def sum_differences(cpu: X86Cpu, control: int, destination: int, low: int, high: int) -> None:
    """MPSADBW: four bytes of the source against eight overlapping groups of the destination."""
    a, b = unsigned_lanes(read(cpu, destination), 8), unsigned_lanes(low | high << 64, 8)
    start, block = 4 * (control >> 2 & 1), 4 * (control & 3)
    sums = (sum(abs(a[start + n + k] - b[block + k]) for k in range(4)) for n in range(8))
    write(cpu, destination, join(sums, 16))


# --- SSE4.2 -----------------------------------------------------------------------------------------------------------


def _crc_table() -> tuple[int, ...]:
    """CRC-32C, reflected polynomial 82F63B78."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


CRC_TABLE = _crc_table()


def crc32(cpu: X86Cpu, crc: int, value: int, size: int) -> int:
    """CRC32 of `size` bytes."""
    for _ in range(size):
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ value) & 0xFF]
        value >>= 8
    return crc


def _elements(value: int, control: int) -> tuple[int, ...]:
    bits = 16 if control & 1 else 8
    return signed_lanes(value, bits) if control & 2 else unsigned_lanes(value, bits)


def _implicit_length(value: int, control: int) -> int:
    lanes = _elements(value, control)
    return next((n for n, lane in enumerate(lanes) if not lane), len(lanes))


def _explicit_length(length: int, control: int) -> int:
    """The length in EAX or EDX: its magnitude, at most the number of elements."""
    return min(abs(length), 8 if control & 1 else 16)


def _compare_strings(a: tuple[int, ...], b: tuple[int, ...], len_a: int, len_b: int, control: int) -> int:
    """The intermediate result 1 (SDM vol. 2, 4.1.3 to 4.1.6), one bit for each element of `b`."""
    count = len(a)
    match control >> 2 & 3:
        case 0:  # equal any
            hits = [n < len_b and b[n] in a[:len_a] for n in range(count)]
        case 1:  # ranges
            ranges = [(a[k], a[k + 1]) for k in range(0, len_a - 1, 2)]
            hits = [n < len_b and any(low <= b[n] <= high for low, high in ranges) for n in range(count)]
        case 2:  # equal each
            hits = [(a[n] == b[n]) if n < len_a and n < len_b else n >= len_a and n >= len_b for n in range(count)]
        case _:  # equal ordered
            hits = [all(n + k < len_b and a[k] == b[n + k] for k in range(min(len_a, count - n))) for n in range(count)]
    return sum(hit << n for n, hit in enumerate(hits))


def _string(a: int, b: int, lengths: tuple[int, int], control: int) -> tuple[int, int]:
    """The intermediate result 2 and the flags."""
    len_a, len_b = lengths
    first, second = _elements(a, control), _elements(b, control)
    count = len(first)
    result = _compare_strings(first, second, len_a, len_b, control)
    if control & 0x10:
        result ^= ((1 << len_b) - 1) if control & 0x20 else ((1 << count) - 1)
    flags = (result != 0) | (len_b < count) << 6 | (len_a < count) << 7 | (result & 1) << 11
    return result, flags


def string(cpu: X86Cpu, control: int, destination: int, low: int, high: int, len_a: int, len_b: int) -> int:
    """PCMPESTRI and so on: return ECX, and the flags' image in the upper half.

    :param control: the immediate; bit 8 for a mask in XMM0, bit 9 for explicit lengths
    """
    a, b = read(cpu, destination), low | high << 64
    if control & 0x200:
        lengths = _explicit_length(_signed(len_a), control), _explicit_length(_signed(len_b), control)
    else:
        lengths = _implicit_length(a, control), _implicit_length(b, control)
    result, flags = _string(a, b, lengths, control)
    bits = 16 if control & 1 else 8
    if control & 0x100:
        if control & 0x40:
            result = join((-(result >> n & 1) for n in range(128 // bits)), bits)
        write(cpu, 0, result)
        return flags << 32
    if not result:
        index = 128 // bits
    else:
        index = result.bit_length() - 1 if control & 0x40 else (result & -result).bit_length() - 1
    return index | flags << 32


def _signed(value: int) -> int:
    return (value ^ 1 << 63) - (1 << 63)
