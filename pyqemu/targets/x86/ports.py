"""Port input and output: permission, and the helpers of IN, OUT, INS and OUTS (SDM vol. 1, chapter 18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.x86.exceptions import gp, ss
from pyqemu.targets.x86.layout import DF, ES, HF_CS64, HF_IOPL, M16, M32, M64, SS
from pyqemu.targets.x86.tasks import io_permitted
from pyqemu.tcg.env import EXIT_REQUEST

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu

MASKS = {16: M16, 32: M32, 64: M64}
MAX_STRIDE = 4096  # elements that one call of a string helper transfers at most


def check_port(cpu: X86Cpu, port: int, size: int) -> None:
    """#GP(0) unless IOPL or the TSS's bitmap permits the access (SDM vol. 1, 18.5)."""
    if not cpu.hflags & HF_IOPL and not io_permitted(cpu, port, size):
        raise gp(0)


def port_in(cpu: X86Cpu, port: int, size: int) -> int:
    """IN: return `size` bytes from `port`."""
    if not cpu.hflags & HF_IOPL:
        check_port(cpu, port, size)
    return cpu.io.load(port, size)


def port_out(cpu: X86Cpu, port: int, size: int, value: int) -> None:
    """OUT: write `size` bytes to `port`."""
    if not cpu.hflags & HF_IOPL:
        check_port(cpu, port, size)
    cpu.io.store(port, size, value)


def _segment_address(cpu: X86Cpu, segment: int, offset: int, size: int, write: bool) -> int:
    """Return the linear address of a string element, with the segment's checks."""
    cache = cpu.seg[segment]
    if cpu.hflags & HF_CS64:
        return (cache.base if segment > 3 else 0) + offset & M64
    low, high = cache.writable_range if write else cache.readable_range
    if offset < low or offset + size - 1 > high:
        raise ss(0) if segment == SS else gp(0)
    return cache.base + offset & M32


def _put(cpu: X86Cpu, name: str, value: int, bits: int) -> None:
    """Write a pointer or count register at the address size."""
    setattr(cpu, name, getattr(cpu, name) & ~M16 | value if bits == 16 else value)


def _run_length(cpu: X86Cpu, count: int, offset: int, address: int, size: int, mask: int) -> int:
    """Return how many of `count` elements lie in one page, upwards, without wrapping; at least 1."""
    if cpu.eflags_rest & DF or offset + size * count > mask:
        return 1
    return max(1, min(count, (0x1000 - (address & 0xFFF)) // size))


def repeat_in(cpu: X86Cpu, size: int, address_bits: int) -> None:
    """REP INS: port DX to ES:rDI, rCX elements but no more than `MAX_STRIDE`.

    rDI and rCX are written after each run of elements that a page holds, so a fault leaves them right. The caller
    goes on at the same instruction while rCX is not zero; an exit request ends the call early.
    """
    mask, port = MASKS[address_bits], cpu.rdx & M16
    check_port(cpu, port, size)
    load = cpu.io.load
    left = min(cpu.rcx & mask, MAX_STRIDE)
    while left:
        offset = cpu.rdi & mask
        address = _segment_address(cpu, ES, offset, size, True)
        run = _run_length(cpu, left, offset, address, size, mask)
        if run > 1:
            _segment_address(cpu, ES, offset, size * run, True)
        _probe(cpu, address, size * run)
        data = cpu.io.read_port_block(port, size, run) if run > 1 else b""
        if data:
            run = len(data) // size
        else:
            data = b"".join([load(port, size).to_bytes(size, "little") for _ in range(run)])
        cpu.write(address, data)
        _advance(cpu, "rdi", run, size, mask, address_bits)
        left -= run
        if cpu.l[EXIT_REQUEST >> 2]:
            return


def repeat_out(cpu: X86Cpu, size: int, address_bits: int, segment: int) -> None:
    """REP OUTS: `segment`:rSI to port DX; the rest as `repeat_in`."""
    mask, port = MASKS[address_bits], cpu.rdx & M16
    check_port(cpu, port, size)
    store = cpu.io.store
    left = min(cpu.rcx & mask, MAX_STRIDE)
    while left:
        offset = cpu.rsi & mask
        address = _segment_address(cpu, segment, offset, size, False)
        run = _run_length(cpu, left, offset, address, size, mask)
        if run > 1:
            _segment_address(cpu, segment, offset, size * run, False)
        data = cpu.read(address, size * run)
        taken = cpu.io.write_port_block(port, size, data) if run > 1 else 0
        if taken:
            run = taken // size
        else:
            for at in range(0, size * run, size):
                store(port, size, int.from_bytes(data[at : at + size], "little"))
        _advance(cpu, "rsi", run, size, mask, address_bits)
        left -= run
        if cpu.l[EXIT_REQUEST >> 2]:
            return


def _advance(cpu: X86Cpu, pointer: str, run: int, size: int, mask: int, bits: int) -> None:
    """Move a string pointer over `run` elements and count rCX down."""
    step = -size if cpu.eflags_rest & DF else size * run
    _put(cpu, pointer, getattr(cpu, pointer) + step & mask, bits)
    _put(cpu, "rcx", (cpu.rcx & mask) - run, bits)


def _probe(cpu: X86Cpu, address: int, length: int) -> None:
    """Fault where a write of `length` bytes would, before anything is read from the port."""
    if cpu.mmu is not None:
        cpu.mmu.probe_write(address, length, cpu.mmu_index())
