"""What an architecture tells of its processors, for dumps."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyqemu.memory import AddressSpace


@dataclass(frozen=True)
class Mapping:
    """Virtual addresses that are physical ones. Sizes are in bytes."""

    virtual: int
    physical: int
    size: int


class DumpTarget(ABC):
    """The processors of a machine. The machine is parked whenever it is asked.

    :ivar memory: what they see as physical memory
    """

    memory: AddressSpace

    @property
    @abstractmethod
    def elf_machine(self) -> int:
        """``e_machine`` of the ELF standard, for the mode that they are in."""

    @property
    @abstractmethod
    def wide(self) -> bool:
        """Whether they are in a mode with 64-bit addresses."""

    @property
    @abstractmethod
    def machine_name(self) -> str:
        """As ``uname -m`` says."""

    @property
    @abstractmethod
    def cpus(self) -> int:
        """How many there are."""

    @abstractmethod
    def notes(self) -> bytes:
        """The ELF notes that describe their state."""

    @abstractmethod
    def mappings(self) -> Iterator[Mapping] | None:
        """What the page tables map; None where paging is off."""


def note(owner: bytes, kind: int, data: bytes) -> bytes:
    """An ELF note: its parts are padded to four bytes each (System V ABI, Note Section)."""
    name = owner + b"\0"
    return struct.pack("<III", len(name), len(data), kind) + _padded(name) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
