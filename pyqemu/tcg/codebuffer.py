"""Executable memory: one file in memory, mapped twice, once to write and once to execute.

No page is ever writable and executable through the same address (W^X), and nothing has to be switched to emit code.
Python writes through :attr:`CodeBuffer.data`; native code runs at :attr:`CodeBuffer.address`.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import weakref

PROT_READ, PROT_EXEC, MAP_SHARED = 1, 4, 1


class NoExecutableMemory(Exception):
    """The host does not give memory that may be executed."""


def _unmap(address: int, size: int) -> None:
    libc = ctypes.CDLL(None)
    libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
    libc.munmap(address, size)


class CodeBuffer:
    """*size* bytes of executable memory, committed by the host as they are used.

    Code that runs often is put in from the start on, code that runs rarely from the end on, until they meet.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        descriptor = os.memfd_create("pyqemu-code", os.MFD_CLOEXEC)
        try:
            os.ftruncate(descriptor, size)
            self.data = mmap.mmap(descriptor, size, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_WRITE)
            self.view = memoryview(self.data)
            self.address = self._map_executable(descriptor, size)
        finally:
            os.close(descriptor)
        self._unmap = weakref.finalize(self, _unmap, self.address, size)
        self._unmap.atexit = False  # a vCPU may still be running then
        self.used = 0
        self.cold_start = size

    @staticmethod
    def _map_executable(descriptor: int, size: int) -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
        address = libc.mmap(None, size, PROT_READ | PROT_EXEC, MAP_SHARED, descriptor, 0)
        if address in (None, ctypes.c_void_p(-1).value):
            raise NoExecutableMemory(f"no executable memory: {os.strerror(ctypes.get_errno())}")
        return int(address)

    def close(self) -> None:
        """Give both mappings back; nothing may run in them any more."""
        self._unmap()
        self.view.release()
        self.data.close()

    def append(self, code: bytes | bytearray, padding: int = 0) -> int:
        """Copy *code* behind what is there, 16-byte aligned, and leave *padding* bytes free; returns its address.

        :raise MemoryError: the buffer is full.
        """
        start = self.used
        end = start + len(code) + padding
        if end > self.cold_start:
            raise MemoryError("the code buffer is full")
        self.view[start : start + len(code)] = code
        self.used = (end + 15) & ~15
        return self.address + start

    def append_cold(self, code: bytes | bytearray) -> int:
        """Copy *code* before the cold code that is there; returns its address.

        :raise MemoryError: the buffer is full.
        """
        start = self.cold_start - len(code)
        if start < self.used:
            raise MemoryError("the code buffer is full")
        self.view[start : self.cold_start] = code
        self.cold_start = start
        return self.address + start

    def patch(self, address: int, code: bytes) -> None:
        """Overwrite code at a host address."""
        start = address - self.address
        self.view[start : start + len(code)] = code

    def clear(self) -> None:
        """Forget all code."""
        self.used = 0
        self.cold_start = self.size
