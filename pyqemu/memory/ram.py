"""A block of host memory that holds guest RAM or a ROM's contents."""

from __future__ import annotations

import ctypes
import mmap
import weakref
from typing import TYPE_CHECKING

from pyqemu.memory.dirty import PAGE_SIZE, DirtyLog
from pyqemu.util.errors import UserError
from pyqemu.util.units import format_size

if TYPE_CHECKING:
    from pyqemu.memory.pager import Pager
    from pyqemu.memory.region import MemoryRegion


class RamBlock:
    """``size`` bytes of zeroed memory, committed by the host page by page when first touched.

    :raise UserError: the host does not have that much.

    ``data`` is a writable view of it and ``host`` its address in this process. Writing through
    ``data`` tells nobody; devices write through an :class:`~pyqemu.memory.AddressSpace`.
    """

    def __init__(self, name: str, size: int) -> None:
        if size <= 0:
            raise ValueError(f"RAM block '{name}' has no size")
        self.name = name
        self.size = size
        length = (size + PAGE_SIZE - 1) & -PAGE_SIZE
        # Private rather than Python's default of shared: shared anonymous memory is charged as
        # shmem and never gets huge pages.
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        try:
            self._mmap = mmap.mmap(-1, length, flags=flags, prot=mmap.PROT_READ | mmap.PROT_WRITE)
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "too large"
            raise UserError(f"cannot set up guest memory '{name}': {reason}", f"it needs {format_size(size)}") from None
        self.data = memoryview(self._mmap)[:size]
        self.host = ctypes.addressof(ctypes.c_char.from_buffer(self._mmap))
        self.dirty = DirtyLog(size)
        self.pager: Pager | None = None
        self.regions: weakref.WeakSet[MemoryRegion] = weakref.WeakSet()
        """Those that show it."""

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write and mark the pages dirty. It does not reach translated code: for loaders."""
        self.data[offset : offset + len(data)] = data
        self.dirty.mark(offset, len(data))

    def release(self, offset: int, length: int) -> None:
        """Give whole pages back to the host: they read as zero until they are written again. Nobody is told."""
        self._mmap.madvise(mmap.MADV_DONTNEED, offset, length)

    def set_pager(self, pager: Pager | None) -> None:
        """Let *pager* get the pages from now on that are touched; None: all of them are here. Under the big lock."""
        self.pager = pager
        for region in list(self.regions):
            region.contents_changed()

    def __repr__(self) -> str:
        return f"<RamBlock {self.name} {self.size:#x}>"
