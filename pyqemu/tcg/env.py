"""The environment: one flat buffer per vCPU that native code and Python share.

Every value of the intermediate representation lives at a fixed byte offset of this buffer: guest registers,
temporaries, the software TLB, the jump cache, the exit record. Native code gets a pointer into it as its only argument;
Python sees the same bytes through memoryviews of four element sizes, so nothing is ever copied from one side to the
other.

Layout (byte offsets)::

    0x00000  exit record, instruction budget, host pointers of guest memory
    0x00080  arguments of helper calls
    0x003c0  exit request; the first temporaries of an instruction
    0x00400  globals: the guest's registers, laid out by the target
    0x03000  more temporaries of an instruction
    0x04000  temporaries of IR subroutines
    0x08000  software TLB, one table for each mmu index
    0x40000  jump cache, pairs of entries

The pointer of native code is :data:`POINTER`, in the middle of what is used most: the 256 bytes around it are reached
by instructions with a displacement of one byte, which are three bytes shorter. So the first globals of a target should
be its general registers, the program counter and the flags.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final, overload

EXIT_PC: Final = 0x00  #: host address of the op that left native code
EXIT_REASON: Final = 0x08
EXIT_ADDR: Final = 0x10  #: guest-virtual address of a memory access that left
BUDGET: Final = 0x18  #: instructions that may still run (``-icount``); signed
REFILL_VECTOR: Final = 0x28  #: host address that a missed memory access jumps to
RAM_START: Final = 0x20  #: guest-physical address where the RAM begins that refill subroutines see
RAM_BASE: Final = 0x30  #: host address of guest-physical address 0, if it went on below that RAM
RAM_LIMIT: Final = 0x38  #: bytes of that RAM
PAGE_FLAGS: Final = 0x40  #: host address of one byte for each page of it, see :mod:`pyqemu.tcg.ramwindow`
SUBROUTINE_LINK: Final = 0x48  #: host address to which an IR subroutine returns
EXIT_ACCESS: Final = 0x50  #: a memory access that left: environment offset of its software TLB, plus 1 for a store
LARGE_LOW: Final = 0x58  #: lowest address of the large pages that refill subroutines have entered
LARGE_HIGH: Final = 0x60  #: highest address of them
LOOKUP_VECTOR: Final = 0x68  #: host address of the routine that looks a target up in the jump cache
LOOKUP_AGAIN_VECTOR: Final = 0x70  #: the same, for a target that is in EXIT_ADDR and JUMP_MODE
JUMP_MODE: Final = 0x78  #: mode of a jump whose page is not in the software TLB
ARGUMENTS: Final = 0x80
MISS_VECTOR: Final = 0x1A0  #: host address of the routine that an access goes to which the software TLB cannot serve
FETCH_TABLES: Final = 0x180  #: offsets of the software TLBs that fetches use, by the low two bits of the mode
SUBROUTINES: Final = 0x200  #: host addresses of the target's IR subroutines
MAX_SUBROUTINES: Final = 56
EXIT_REQUEST: Final = 0x3C0  #: 32 bits, set by any thread, never written by native code
NEAR_TEMPORARIES: Final = 0x3C8
GLOBALS: Final = 0x400
POINTER: Final = 0x440
TEMPORARIES: Final = 0x3000
SUBROUTINE_TEMPORARIES: Final = 0x4000
TLB: Final = 0x8000
TLB_ENTRY: Final = 32  #: read tag, write tag, fetch tag, addend
TLB_SIZE: Final = 1024
TLB_TABLE: Final = TLB_ENTRY * TLB_SIZE
MMU_INDEXES: Final = 4
JUMP_CACHE: Final = 0x40000
JUMP_CACHE_ENTRY: Final = 32  #: pc, flags, host address of the code, host address of the guest page it was made from
JUMP_CACHE_SIZE: Final = 16384  #: entries, two for each hash
JUMP_CACHE_MULTIPLIER: Final = 0x9E3779B97F4A7C15  #: Fibonacci hashing: neighbours and page mates spread out
JUMP_CACHE_SHIFT: Final = 64 - 13
ENV_SIZE: Final = JUMP_CACHE + JUMP_CACHE_ENTRY * JUMP_CACHE_SIZE

EXIT_HEAD: Final = 1  #: a block head saw an exit request or an exhausted budget
EXIT_CHAIN: Final = 2  #: a direct jump that is not chained yet
EXIT_JUMP: Final = 3  #: the jump cache does not know the target
EXIT_CALL: Final = 4  #: a Python helper is to be called
EXIT_MEMORY: Final = 5  #: an access that the software TLB cannot serve
EXIT_LEAVE: Final = 6  #: the block asks for the main loop


def is_temporary(offset: int) -> bool:
    """Whether nobody looks at the slot after the instruction."""
    return TEMPORARIES <= offset < TLB or NEAR_TEMPORARIES <= offset < GLOBALS


def jump_cache_slot(pc: int) -> int:
    """Index, in 64-bit elements, of the pair of jump cache entries of a guest-virtual address."""
    return (JUMP_CACHE >> 3) + (((pc * JUMP_CACHE_MULTIPLIER & (1 << 64) - 1) >> JUMP_CACHE_SHIFT) << 3)


class Env:
    """The buffer and its views.

    ``b``, ``w``, ``l``, ``q`` are the bytes as unsigned 8-, 16-, 32- and 64-bit elements; ``address`` is the host
    address.
    """

    def __init__(self) -> None:
        self._raw = (ctypes.c_uint64 * ((ENV_SIZE + 64) // 8))()
        start = ctypes.addressof(self._raw)
        skip = -start % 64
        self.address = start + skip
        view = memoryview(self._raw).cast("B")[skip : skip + ENV_SIZE]
        self.b = view
        self.w = view.cast("H")
        self.l = view.cast("I")
        self.q = view.cast("Q")


class Global:
    """A guest register: a descriptor that reads and writes its slot of the owner's environment.

    The owner offers the views ``b``, ``w``, ``l``, ``q``. *size* is in bytes. 4-byte globals own a whole slot, whose
    upper half is kept zero, because 32-bit operations clear it.
    """

    def __init__(self, offset: int, size: int = 8) -> None:
        if offset % size or size not in (1, 2, 4, 8):
            raise ValueError(f"a global of {size} bytes cannot be at offset {offset:#x}")
        self.offset = offset
        self.size = size
        self._index = offset // size
        self._view = {1: "b", 2: "w", 4: "l", 8: "q"}[size]
        self._mask = (1 << 8 * size) - 1

    @overload
    def __get__(self, owner: None, cls: type) -> Global: ...
    @overload
    def __get__(self, owner: object, cls: type) -> int: ...
    def __get__(self, owner: Any, cls: type) -> Global | int:
        if owner is None:
            return self
        value: int = getattr(owner, self._view)[self._index]
        return value

    def __set__(self, owner: Any, value: int) -> None:
        if self._view == "l" and not self.offset & 7:
            owner.q[self.offset >> 3] = value & self._mask
        else:
            getattr(owner, self._view)[self._index] = value & self._mask
