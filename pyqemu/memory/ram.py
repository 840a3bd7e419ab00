"""A block of host memory that holds guest RAM or a ROM's contents."""

from __future__ import annotations

import ctypes
import mmap

from pyqemu.memory.dirty import PAGE_SIZE, DirtyLog
from pyqemu.util.errors import UserError
from pyqemu.util.units import format_size


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

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write and mark the pages dirty. It does not reach translated code: for loaders."""
        self.data[offset : offset + len(data)] = data
        self.dirty.mark(offset, len(data))

    def __repr__(self) -> str:
        return f"<RamBlock {self.name} {self.size:#x}>"
