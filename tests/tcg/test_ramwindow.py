"""The window through which native code sees guest RAM: which pages it must not write to."""

from __future__ import annotations

from toy import Toy

from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.tcg.env import RAM_LIMIT, Env
from pyqemu.tcg.ramwindow import CODE, WATCHED, RamWindow


def make_window() -> tuple[RamWindow, int]:
    """A window on 64 KiB of RAM, and the number of their first page in host memory."""
    root = MemoryRegion.container("memory", 1 << 20)
    ram = MemoryRegion.ram("ram", 1 << 16)
    root.add(0, ram)
    assert ram.ram_block is not None
    return RamWindow(Env(), AddressSpace("memory", root)), ram.ram_block.host >> 12


def test_code_that_comes_and_goes_while_the_window_is_closed() -> None:
    window, first = make_window()
    window.mark_code(first + 2, True)
    window.watch(frozenset(), closed=True)
    window.mark_code(first + 2, False)
    window.mark_code(first + 3, True)
    window.watch(frozenset(), closed=False)
    assert [window.flags[page] for page in range(5)] == [0, 0, 0, CODE, 0]


def test_native_code_refills_by_itself_again_when_logging_has_ended(toy: Toy) -> None:
    """While writes are logged, misses come to Python."""
    block = toy.ram.ram_block
    assert block is not None
    limit = toy.cpu.q[RAM_LIMIT >> 3]
    block.dirty.enable("migration")
    assert toy.cpu.q[RAM_LIMIT >> 3] == 0
    block.dirty.disable("migration")
    assert toy.cpu.q[RAM_LIMIT >> 3] == limit > 0


def test_code_elsewhere_is_no_matter() -> None:
    window, first = make_window()
    window.mark_code(first - 1, True)
    window.mark_code(first + 16, True)
    assert not any(window.flags)


def test_watched_pages() -> None:
    window, first = make_window()
    window.mark_code(first + 1, True)
    window.watch(frozenset((1, 400)), closed=False)
    assert window.flags[1] == CODE | WATCHED
    window.watch(frozenset(), closed=False)
    assert window.flags[1] == CODE
