"""What a guest's page tables say about one address, level by level: for people and scripts, not for speed."""

from __future__ import annotations

from dataclasses import dataclass

FLAG_BITS = (
    ("writable", 1), ("user", 2), ("write_through", 3), ("cache_disable", 4), ("accessed", 5), ("dirty", 6),
    ("large", 7), ("global", 8),
)  # fmt: skip
"""x86's flags and their bits, common to all its formats of entries."""


@dataclass(frozen=True)
class PageTableEntry:
    """One entry on the way.

    :ivar level: its name in the manual (``PML4E``, ``PDPTE``, ``PDE``, ``PTE``)
    :ivar address: where it stands, guest-physical
    :ivar flags: names of the flags that are set, ``present`` first
    """

    level: str
    index: int
    address: int
    value: int
    flags: tuple[str, ...]

    @property
    def present(self) -> bool:
        """Whether the walk goes on here."""
        return "present" in self.flags

    def __str__(self) -> str:
        return f"{self.level}[{self.index}] at {self.address:#x}: {self.value:#018x} {' '.join(self.flags)}"


@dataclass(frozen=True)
class PageWalk:
    """A whole walk.

    :ivar levels: the entries that were read, from the top; none while paging is off
    :ivar physical: guest-physical address; None where nothing is mapped
    :ivar size: bytes of the page; 0 where nothing is mapped
    :ivar reason: why nothing is mapped, empty where something is
    """

    address: int
    levels: tuple[PageTableEntry, ...]
    physical: int | None
    size: int
    writable: bool
    user: bool
    executable: bool
    reason: str = ""

    def __str__(self) -> str:
        where = f"{self.physical:#x}" if self.physical is not None else self.reason
        return "\n".join([f"{self.address:#x} -> {where}", *(f"  {level}" for level in self.levels)])
