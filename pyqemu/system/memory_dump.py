"""Guest memory for people and files: checked reads, checksums, ``memsave``, ``pmemsave``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pyqemu.qapi.errors import QapiError
from pyqemu.util.whole_file import whole_file

if TYPE_CHECKING:
    from pyqemu.memory import AddressSpace
    from pyqemu.system.inspection import CpuView

PAGE = 4096
_CHUNK = 1 << 20


def read_physical(space: AddressSpace, address: int, length: int) -> bytes | None:
    """Bytes of guest-physical memory; None if nothing answers at a part of the range. The machine is parked."""
    end, at = address + length, address
    if end > 1 << 64:
        return None
    while at < end:
        section = space.lookup(at)
        if not section.assigned:
            return None
        at = section.end
    return space.read(address, length)


def read_virtual(cpu: CpuView, address: int, length: int) -> bytes | None:
    """Bytes of guest-virtual memory; None if a part of the range is not mapped. The machine is parked."""
    out = bytearray()
    for start, size in _pages(address, length):
        physical = cpu.translate(start)
        data = read_physical(cpu.memory, physical, size) if physical is not None else None
        if data is None:
            return None
        out += data
    return bytes(out)


def _pages(address: int, length: int) -> Iterator[tuple[int, int]]:
    while length:
        size = min(length, PAGE - address % PAGE)
        yield address, size
        address, length = (address + size) & (1 << 64) - 1, length - size


def checksum(space: AddressSpace, address: int, length: int) -> int:
    """BSD's 16-bit checksum of physical memory, as the Unix command ``sum`` has it."""
    total = 0
    while length:
        size = min(length, _CHUNK)
        for byte in space.read(address, size):
            total = (total >> 1 | total << 15) + byte & 0xFFFF
        address, length = address + size, length - size
    return total


def save_virtual(cpu: CpuView, address: int, length: int, path: str) -> None:
    """``memsave``.

    :raise QapiError: a part of the range is not mapped, or the file cannot be written.
    """

    def read(start: int, size: int) -> bytes:
        data = read_virtual(cpu, start, size)
        if data is None:
            raise QapiError(f"Invalid addr 0x{address:016x}/size {length} specified")
        return data

    _save(read, address, length, path, PAGE)


def save_physical(space: AddressSpace, address: int, length: int, path: str) -> None:
    """``pmemsave``. What nobody answers to is saved as it reads.

    :raise QapiError: the file cannot be written.
    """
    _save(space.read, address, length, path, _CHUNK)


def _save(read: Callable[[int, int], bytes], address: int, length: int, path: str, step: int) -> None:
    try:
        with whole_file(path) as file:
            while length:
                size = min(length, step - address % step)
                file.write(read(address, size))
                address, length = address + size, length - size
    except OSError as error:
        raise QapiError(f"Could not open '{path}': {error.strerror}") from None
