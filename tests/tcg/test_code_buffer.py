"""Executable memory: never writable too, and what happens when it is full."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
from pathlib import Path

import pytest
from toy import Line, Toy

from pyqemu.tcg.codebuffer import CodeBuffer
from pyqemu.tcg.stencil_engine import StencilEngine

ROOT = Path(__file__).parents[2]


def mappings() -> list[tuple[str, str]]:
    """Permissions and name of all memory of this process."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return [(line.split()[1], line) for line in lines]


def test_nothing_is_writable_and_executable() -> None:
    """In a process of its own, since test tools may have such memory."""
    code = (
        "import sys; sys.path.insert(0, 'tests/tcg'); from toy import Toy; t = Toy()\n"
        "t.put(0x1000, ('li', 1, 0, 7), ('stop',)); t.run(0x1000); print(open('/proc/self/maps').read())"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = result.stdout.splitlines()
    assert [line for line in lines if line and "w" in line.split()[1] and "x" in line.split()[1]] == []
    assert sorted(line.split()[1] for line in lines if "pyqemu-code" in line) == ["r-xs", "rw-s"]


def test_both_views_show_the_same() -> None:
    buffer = CodeBuffer(1 << 16)
    address = buffer.append(b"\x90\x91\x92")
    assert ctypes.string_at(address, 3) == b"\x90\x91\x92"
    buffer.patch(address + 1, b"\xcc")
    assert ctypes.string_at(address, 3) == b"\x90\xcc\x92"
    buffer.close()


def test_append_keeps_room_and_alignment() -> None:
    buffer = CodeBuffer(1 << 12)
    first = buffer.append(b"\x90" * 17, 16)
    second = buffer.append(b"\x91")
    assert (first % 16, second % 16, second - first) == (0, 0, 48)
    with pytest.raises(MemoryError):
        buffer.append(bytes(4096))
    assert buffer.append(b"\x92") == second + 16
    buffer.clear()
    assert buffer.append(b"\x93") == first
    buffer.close()


def test_closed_buffer_is_unmapped() -> None:
    buffer = CodeBuffer(1 << 16)
    address = buffer.address
    buffer.close()
    assert not any(line.startswith(f"{address:08x}-") for _, line in mappings())


def many_blocks(count: int) -> list[Line]:
    """A chain of blocks, all on one page or two, each adding one."""
    lines: list[Line] = []
    for _ in range(count):
        lines += [("addi", 2, 2, 1), ("jmp", 0, 0, 4)]
    return lines


def test_full_buffer_is_flushed_and_life_goes_on() -> None:
    toy = Toy("stencil", code_size=1 << 15)
    engine = toy.engine
    assert isinstance(engine, StencilEngine)
    flushes = []
    plain = engine.flush
    engine.flush = lambda: (flushes.append(1), plain())[1]  # type: ignore[method-assign, func-returns-value]
    toy.put(0x1000, ("li", 1, 0, 5), *many_blocks(400), ("addi", 1, 1, -1), ("li64", 10, 0, 0x1004), ("bnz", 1,
            0, 8), ("stop",),
            ("jr", 0, 10))  # fmt: skip
    toy.run(0x1000)
    assert toy.cpu[2] == 5 * 400
    assert len(flushes) >= 2
    assert engine.buffer.used <= 1 << 15
    assert len(engine._placed) == len(engine._starts) < 400


def test_full_buffer_with_helpers_devices_and_stale_code() -> None:
    """Whatever the flush meets half-way."""
    toy = Toy("stencil", code_size=1 << 15, refill=True)
    toy.cpu.calls = [lambda argument: toy.memory.write(0x1004, toy.memory.read(0x1004, 4))]  # type: ignore[func-returns-value]
    toy.cpu[6] = 0x20_0000
    body: list[Line] = []
    for _ in range(60):
        body += [("call", 3, 0, 0), ("ld32", 4, 6), ("addf", 5, 5, 4), ("getc", 7), ("addi", 2, 2, 1), ("jmp", 0, 0, 4)]
    toy.put(0x1000, ("li", 1, 0, 4), *body, ("addi", 1, 1, -1), ("li64", 10, 0, 0x1004), ("bnz", 1, 0, 8), ("stop",),
            ("jr", 0, 10))  # fmt: skip
    toy.run(0x1000)
    assert toy.cpu[2] == 4 * 60
    assert len(toy.device.log) == 240


def test_one_block_that_does_not_fit() -> None:
    """A buffer too small for anything is a clear error, not an endless loop."""
    toy = Toy("stencil", code_size=1 << 12)
    toy.put(0x1000, *[("ld64", 1, 2, 8 * n) for n in range(60)], ("stop",))
    with pytest.raises(MemoryError):
        toy.run(0x1000)


def test_full_buffer_while_a_helper_runs_code() -> None:
    """A helper may run an instruction of its own; the code that called the helper must not be thrown away under it."""
    toy = Toy("stencil", code_size=1 << 15)
    engine, cpu = toy.engine, toy.cpu
    blocks = 0x8000

    def nested(argument: int) -> None:
        """Translate until the buffer is full, then one more, in the middle of the caller's block."""
        from pyqemu.tcg.cpu import LeaveLoop

        nonlocal blocks
        back = cpu.pc
        for _ in range(200):
            toy.put(blocks, ("addi", 3, 3, 1), ("sync",))
            cpu.pc = blocks
            blocks += 16
            try:
                engine.execute()
            except LeaveLoop:
                break
        cpu.pc = back

    cpu.calls = [nested]
    toy.put(0x1000, ("li", 1, 0, 3), "loop", ("call", 4, 0, 0), ("addi", 2, 2, 1), ("addi", 1, 1, -1), ("bnz",
            1, 0, "loop"),
            ("stop",))  # fmt: skip
    toy.run(0x1000)
    assert toy.cpu[2] == 3


def test_engines_give_their_memory_back() -> None:
    def count() -> int:
        return sum("pyqemu-code" in line for _, line in mappings())

    gc.collect()
    before = count()
    for _ in range(3):
        Toy("stencil", code_size=1 << 20)
    gc.collect()
    assert count() <= before
