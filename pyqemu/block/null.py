"""``null-co`` and ``null-aio``: a disk of zeros that takes every write and keeps none, for measurements."""

from __future__ import annotations

from pyqemu.block.node import BlockNode

__all__ = ["DEFAULT_SIZE", "NullNode"]

DEFAULT_SIZE = 1 << 30


class NullNode(BlockNode):
    """Nothing, of any size."""

    format_name = "null-co"

    def __init__(self, size: int = DEFAULT_SIZE, *, read_only: bool = False, driver: str = "null-co") -> None:
        super().__init__(f'json:{{"driver": "{driver}", "size": {size}}}', read_only=read_only)
        self.format_name = driver
        self._size = size

    @property
    def size(self) -> int:
        return self._size

    @property
    def allocated(self) -> int:
        return 0

    def _read(self, offset: int, length: int) -> bytes:
        return b""

    def _write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        return None
