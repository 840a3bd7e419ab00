"""The guest's memory for scripts: physical, and as the guest's page tables show it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pyqemu.util.errors import PyqemuError

if TYPE_CHECKING:
    from pyqemu.api.runner import Runner

PAGE = 4096


class NotMapped(PyqemuError):
    """The guest's page tables lead nowhere.

    :ivar address: guest-virtual
    """

    def __init__(self, address: int) -> None:
        super().__init__(f"nothing is mapped at virtual address {address:#x}")
        self.address = address


class NotContiguous(PyqemuError):
    """A range is not one piece of RAM, so there is no view of it."""


class Memory:
    """Guest-physical memory. RAM is read and written directly; devices answer as to a bus master."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._space = runner.cpu.memory

    def _pieces(self, address: int, length: int) -> Iterator[tuple[int, int]]:
        """Guest-physical start and length of the pieces of a range."""
        yield address, length

    def read(self, address: int, length: int) -> bytes:
        """*length* bytes from *address* on."""
        with self._runner.parked():
            return b"".join([self._space.read(start, size) for start, size in self._pieces(address, length)])

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Write *data* to *address* on; code that was translated from there is forgotten. All of it or nothing."""
        with self._runner.parked():
            position = 0
            for start, size in list(self._pieces(address, len(data))):
                self._space.write(start, data[position : position + size])
                position += size

    def read_int(self, address: int, size: int) -> int:
        """A little-endian number of *size* bytes; of 1, 2, 4 or 8 by a single access."""
        with self._runner.parked():
            pieces = list(self._pieces(address, size))
            if len(pieces) == 1 and size in (1, 2, 4, 8):
                return self._space.load(pieces[0][0], size)
            return int.from_bytes(self.read(address, size), "little")

    def write_int(self, address: int, size: int, value: int) -> None:
        """Write a little-endian number of *size* bytes; of 1, 2, 4 or 8 by a single access."""
        with self._runner.parked():
            pieces = list(self._pieces(address, size))
            if len(pieces) == 1 and size in (1, 2, 4, 8):
                self._space.store(pieces[0][0], size, value)
            else:
                self.write(address, (value & (1 << 8 * size) - 1).to_bytes(size, "little"))

    def read_string(self, address: int, limit: int = 4096) -> str:
        """The text up to the null byte, or *limit* bytes of it."""
        out = bytearray()
        while len(out) < limit:
            part, end, _ = self.read(address + len(out), 1).partition(b"\0")
            out += part
            if end:
                break
        return out.decode("utf-8", "replace")

    def view(self, address: int, length: int) -> memoryview:
        """The bytes themselves, without a copy: they change as the guest runs. Read-only: :meth:`write` writes.

        :raise NotContiguous: the range is no RAM or ROM, or lies in several pieces.
        """
        with self._runner.parked():
            pieces = list(self._pieces(address, length))
            view = self._space.view(*pieces[0]) if len(pieces) == 1 else None
        if view is None:
            raise NotContiguous(f"{length:#x} bytes at {address:#x} are not one piece of RAM")
        return view.toreadonly()


class VirtualMemory(Memory):
    """Memory as the guest's present page tables show it. No rights are checked and no flag of a page is set.

    All methods raise :class:`NotMapped` where nothing is mapped.
    """

    def _pieces(self, address: int, length: int) -> Iterator[tuple[int, int]]:
        pieces: list[tuple[int, int]] = []
        while length > 0:
            size = min(length, PAGE - address % PAGE)
            physical = self._runner.cpu.debug_translate(address)
            if physical is None:
                raise NotMapped(address)
            if pieces and sum(pieces[-1]) == physical:
                pieces[-1] = pieces[-1][0], pieces[-1][1] + size
            else:
                pieces.append((physical, size))
            address, length = address + size, length - size
        yield from pieces
