"""The window through which native code sees guest RAM: which pages it must not write to."""

from __future__ import annotations

from toy import Toy

from pyqemu.memory import AddressSpace, MemoryRegion, RamBlock
from pyqemu.tcg.env import RAM_BASE, RAM_LIMIT, RAM_START, Env
from pyqemu.tcg.ramwindow import CLEAN, CODE, WATCHED, RamWindow


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


def test_the_lowest_large_ram_is_the_main_one_unless_the_board_says_so() -> None:
    root = MemoryRegion.container("memory", 1 << 20)
    static, ram = (MemoryRegion.ram(name, 1 << 16) for name in ("static", "ram"))
    root.add(0, static)
    root.add(0x40000, ram)
    space = AddressSpace("memory", root)
    assert RamWindow(Env(), space).block is static.ram_block
    space.main_ram = ram.ram_block
    window = RamWindow(Env(), space)
    assert window.block is ram.ram_block and window.env.q[RAM_START >> 3] == 0x40000


def test_while_writes_are_logged_only_stores_to_clean_pages_come_to_python() -> None:
    window, first = make_window()
    block = window.block
    assert block is not None
    block.dirty.on_take.append(lambda first, count: window.refresh())
    block.dirty.on_mark.append(lambda first, count: window.written(block, first, count))
    block.dirty.enable("migration")
    window.mark_code(first + 2, True)
    assert list(window.flags[:4]) == [0, 0, CODE, 0]  # all pages count as dirty
    block.dirty.take("migration", 1, 3)
    assert list(window.flags[:5]) == [0, CLEAN, CODE | CLEAN, CLEAN, 0]
    block.dirty.mark(2 << 12, 1)
    block.dirty.mark((3 << 12) - 2, 4)
    assert list(window.flags[:5]) == [0, CLEAN, CODE, 0, 0]
    block.dirty.take("migration")
    block.dirty.disable("migration")
    window.refresh()
    assert list(window.flags[:4]) == [0, 0, CODE, 0]


def test_the_engine_keeps_the_window_in_step_with_the_log(toy: Toy) -> None:
    block, flags = toy.ram.ram_block, toy.engine.window.flags
    assert block is not None
    limit = toy.cpu.q[RAM_LIMIT >> 3]
    block.dirty.enable("migration")
    block.dirty.take("migration")
    assert flags[5] == CLEAN
    assert toy.cpu.q[RAM_LIMIT >> 3] == limit > 0
    block.write(5 << 12, b"1")
    assert (flags[5], flags[6]) == (0, CLEAN)
    block.dirty.disable("migration")
    assert flags[6] == 0


def test_memory_that_is_elsewhere_is_not_for_native_code(toy: Toy) -> None:
    class Pager:
        def need(self, block: RamBlock, page: int) -> bool:
            return False

    block = toy.ram.ram_block
    assert block is not None
    block.set_pager(Pager())
    assert toy.cpu.q[RAM_LIMIT >> 3] == 0
    block.set_pager(None)
    assert toy.cpu.q[RAM_LIMIT >> 3] > 0


def test_the_window_is_on_the_main_ram_wherever_it_begins() -> None:
    root = MemoryRegion.container("memory", 1 << 32)
    ram, video, rom = (
        MemoryRegion.ram("ram", 1 << 20),
        MemoryRegion.ram("video", 1 << 22),
        MemoryRegion.rom("rom", 4096),
    )
    root.add(0, MemoryRegion.alias("low", ram, 0, 1 << 18))
    root.add(1 << 18, rom)
    root.add(1 << 30, ram)
    root.add(1 << 31, video)
    env = Env()
    window = RamWindow(env, AddressSpace("memory", root))
    assert window.block is ram.ram_block
    assert ram.ram_block is not None
    assert env.q[RAM_START >> 3] == 1 << 30
    assert env.q[RAM_LIMIT >> 3] == 1 << 20
    assert env.q[RAM_BASE >> 3] + (1 << 30) == ram.ram_block.host
    window.watch(frozenset(((1 << 30) + 0x3000 >> 12, 3)), closed=False)
    assert [page for page, flags in enumerate(window.flags) if flags] == [3]


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
