"""The guest's memory as ranges of physical addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu.qapi.errors import QapiError
from pyqemu.system.dump.target import Mapping

if TYPE_CHECKING:
    from pyqemu.memory import AddressSpace


@dataclass(frozen=True)
class Block:
    """Physical addresses from ``start`` to ``end`` (exclusive) that have memory behind them."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


def memory_blocks(space: AddressSpace, begin: int | None = None, length: int | None = None) -> list[Block]:
    """RAM and ROM, sorted, neighbours joined; if given, only what lies within the *length* bytes from *begin*.

    :raise QapiError: that is nothing.
    """
    low, high = (0, 1 << 64) if begin is None or length is None else (begin, begin + length)
    blocks: list[Block] = []
    for section in space.sections:
        start, end = max(section.start, low), min(section.end, high)
        if section.ram is None or start >= end:
            continue
        if blocks and blocks[-1].end == start:
            blocks[-1] = Block(blocks[-1].start, end)
        else:
            blocks.append(Block(start, end))
    if not blocks:
        raise QapiError("dump: no guest memory to dump")
    return blocks


def joined(mappings: Iterable[Mapping]) -> Iterator[Mapping]:
    """Mappings, those joined that continue each other."""
    present: Mapping | None = None
    for mapping in mappings:
        if present is not None and (mapping.virtual, mapping.physical) == (
            present.virtual + present.size, present.physical + present.size,
        ):  # fmt: skip
            present = Mapping(present.virtual, present.physical, present.size + mapping.size)
            continue
        if present is not None:
            yield present
        present = mapping
    if present is not None:
        yield present


def within(mapping: Mapping, blocks: Iterable[Block]) -> Iterator[Mapping]:
    """The parts of a mapping that have memory behind them."""
    for block in blocks:
        start = max(mapping.physical, block.start)
        end = min(mapping.physical + mapping.size, block.end)
        if start < end:
            yield Mapping(mapping.virtual + start - mapping.physical, start, end - start)
