"""Translated code whose bytes are written: by itself, by other code, by devices, under other addresses."""

from __future__ import annotations

import threading

import pytest
from toy import RAM_SIZE, Toy, assemble

from pyqemu.memory import MemoryRegion
from pyqemu.tcg.blocks import PATIENCE
from pyqemu.tcg.stencil_engine import StencilEngine

M64 = (1 << 64) - 1


def word(*line: object) -> int:
    """An instruction as a number."""
    return int.from_bytes(assemble([line], 0), "little")


def test_later_instruction_of_the_same_block(toy: Toy) -> None:
    toy.cpu[6], toy.cpu[7] = 0x100C, word("addi", 2, 2, 16)
    toy.put(0x1000, ("addi", 3, 3, 1), ("st32", 7, 6, 0), ("addi", 4, 4, 1), ("addi", 2, 2, 1), ("stop",))
    toy.run(0x1000)
    assert toy.cpu.registers[2:5] == [16, 1, 1]
    toy.run(0x1000)
    assert toy.cpu.registers[2:5] == [32, 2, 2]


def test_next_instruction(toy: Toy) -> None:
    toy.cpu[6], toy.cpu[7] = 0x1004, word("addi", 2, 2, 16)
    toy.put(0x1000, ("st32", 7, 6, 0), ("addi", 2, 2, 1), ("stop",))
    toy.run(0x1000)
    assert toy.cpu[2] == 16


def test_the_instruction_itself(toy: Toy) -> None:
    """It has been fetched: it ends as it began."""
    toy.cpu[6], toy.cpu[7] = 0x1000, word("addi", 2, 2, 16)
    toy.put(0x1000, ("st32", 7, 6, 0), ("addi", 2, 2, 1), ("stop",))
    toy.run(0x1000)
    assert toy.cpu[2] == 1
    toy.run(0x1000)
    assert toy.cpu[2] == 18


def test_last_instruction_of_a_block_that_fills_up(toy: Toy) -> None:
    """The block ends because it is as long as blocks get, behind the store; what follows was changed by it."""
    toy.cpu[6], toy.cpu[7] = 0x1000 + 4 * 64, word("addi", 2, 2, 16)
    toy.put(0x1000, *[("addi", 3, 3, 1)] * 63, ("st32", 7, 6, 0), ("addi", 2, 2, 1), ("stop",))
    for total in (16, 32):
        toy.run(0x1000)
        assert toy.cpu[2] == total


def test_another_block(toy: Toy) -> None:
    toy.put(0x2000, ("addi", 2, 2, 1), ("jr", 0, 10))
    toy.cpu[6], toy.cpu[7] = 0x2000, word("addi", 2, 2, 16)
    toy.put(0x1000, ("li64", 11, 0, 0x2000), ("li64", 10, 0, 0x101C), ("jr", 0, 11))
    toy.put(0x101C, ("st32", 7, 6, 0), ("li64", 10, 0, 0x1030), ("jr", 0, 11))
    toy.put(0x1030, ("stop",))
    toy.run(0x1000)
    assert toy.cpu[2] == 17


def test_block_that_is_chained_to(toy: Toy) -> None:
    """The loop's second block is changed half-way; the jump to it must not lead to the old code."""
    toy.cpu[1], toy.cpu[6], toy.cpu[7] = 10, 0x1040, word("addi", 2, 2, 16)
    toy.cpu.calls = [lambda argument: toy.cpu.store(0x1040, 4, toy.cpu[7]) if argument == 5 else None]
    toy.put(0x1000, ("call", 9, 1, 0), ("jmp", 0, 0, 0x3C))
    toy.put(0x1040, ("addi", 2, 2, 1), ("addi", 1, 1, -1), ("bnz", 1, 0, 0x1000 - 0x1048), ("stop",))
    toy.run(0x1000)
    assert toy.cpu[2] == 5 * 1 + 5 * 16


def test_second_page_of_a_block(toy: Toy) -> None:
    toy.put(0x4FF8, ("addi", 3, 3, 1), ("nop",))
    toy.put(0x4FFE, ("addi", 2, 2, 1), ("stop",))
    toy.put(0x4FFA, ("addi", 3, 3, 1))
    toy.run(0x4FFA)
    assert (toy.cpu[2], toy.cpu[3]) == (1, 1)
    toy.cpu[6] = 0x5000
    toy.put(0x1000, ("li", 7, 0, 16), ("st16", 7, 6, 0), ("li64", 10, 0, 0x4FFA), ("jr", 0, 10))
    toy.run(0x1000)
    assert (toy.cpu[2], toy.cpu[3]) == (17, 2)


def test_store_across_two_pages_of_code(toy: Toy) -> None:
    toy.put(0x4FFC, ("addi", 2, 2, 1), ("addi", 3, 3, 1), ("stop",))
    toy.run(0x4FFC)
    toy.cpu[6] = 0x4FFC
    toy.cpu[7] = word("addi", 3, 3, 32) << 32 | word("addi", 2, 2, 16)
    toy.put(0x1000, ("st64", 7, 6, 0), ("li64", 10, 0, 0x4FFC), ("jr", 0, 10))
    toy.run(0x1000)
    assert (toy.cpu[2], toy.cpu[3]) == (17, 33)


@pytest.mark.parametrize("through", ["memory", "cpu", "device in mid-block"])
def test_write_from_python(toy: Toy, through: str) -> None:
    """By DMA while the guest does not run, by a helper, by a device that the running block has started."""
    new = assemble([("addi", 2, 2, 16)], 0)
    toy.cpu[1] = 0x20_0000
    toy.put(0x1000, ("ld32", 9, 1, 0), ("addi", 3, 3, 1), ("addi", 2, 2, 1), ("stop",))
    toy.run(0x1000)
    if through == "memory":
        toy.memory.write(0x1008, new)
    elif through == "cpu":
        toy.cpu.write(0x1008, new)
    else:
        toy.device.on_access = lambda offset: toy.memory.write(0x1008, new)
    toy.run(0x1000)
    assert (toy.cpu[2], toy.cpu[3]) == (17, 2)


def test_dma_from_another_thread(toy: Toy) -> None:
    """The guest spins until its own code changes."""
    toy.put(0x1000, "loop", ("addi", 3, 3, 1), ("li", 1, 0, 1), ("bnz", 1, 0, "loop"), ("stop",))
    new = assemble([("li", 1, 0, 0)], 0)
    started = threading.Event()
    toy.cpu.queue(started.set)

    def write() -> None:
        started.wait()
        with toy.cpu.lock:
            toy.memory.write(0x1004, new)

    thread = threading.Thread(target=write)
    thread.start()
    toy.run(0x1000)
    thread.join()
    assert toy.cpu[1] == 0


def test_dma_elsewhere_does_not_kick(toy: Toy) -> None:
    """A write to a page without code from another thread does not bother the vCPU."""
    toy.put(0x1000, ("stop",))
    toy.run(0x1000)
    toy.cpu.turns._thread = -1
    toy.memory.write(0x8000, bytes(0x2000))
    assert not toy.cpu.turns._work
    toy.memory.write(0xF00, bytes(0x200))
    assert len(toy.cpu.turns._work) == 1
    toy.cpu.turns._thread = None


def test_other_address_of_the_same_memory(toy: Toy) -> None:
    """Code runs at one address and is written at another, guest-virtual or guest-physical."""
    toy.root.add(0x40_0000, MemoryRegion.alias("alias", toy.ram, 0, RAM_SIZE))
    toy.cpu.table[0x77] = (0x2, 7)
    toy.put(0x2000, ("addi", 2, 2, 1), ("stop",))
    toy.run(0x2000)
    toy.cpu[7] = word("addi", 2, 2, 16)
    toy.put(0x1000, ("li64", 6, 0, 0x77000), ("st32", 7, 6, 0), ("stop",))
    toy.run(0x1000)
    toy.run(0x2000)
    assert toy.cpu[2] == 17
    toy.cpu[7] = word("addi", 2, 2, 64)
    toy.put(0x1100, ("li64", 6, 0, 0x402000), ("st32", 7, 6, 0), ("stop",))
    toy.run(0x1100)
    toy.run(0x2000)
    assert toy.cpu[2] == 17 + 64
    toy.memory.write(0x402000, assemble([("addi", 2, 2, 128)], 0))
    toy.run(0x2000)
    assert toy.cpu[2] == 17 + 64 + 128


def test_same_code_at_two_addresses(toy: Toy) -> None:
    """Blocks of both addresses go when the memory is written."""
    toy.cpu.table[0x77] = (0x2, 7)
    toy.put(0x2000, ("addi", 2, 2, 1), ("stop",))
    toy.run(0x2000)
    toy.run(0x77000)
    assert len(toy.blocks()) == 2
    toy.memory.write(0x2000, assemble([("addi", 2, 2, 16)], 0))
    assert toy.blocks() == []
    toy.run(0x77000)
    toy.run(0x2000)
    assert toy.cpu[2] == 2 + 32


def test_data_beside_code(toy: Toy) -> None:
    """A few stores to the page of the code, but not to the code, throw nothing away."""
    toy.put(0x1000, ("li", 1, 0, PATIENCE - 1), "loop", ("addi", 2, 2, 1), ("st64", 2, 0, 0x1800), ("addi", 1, 1, -1),
            ("bnz", 1, 0, "loop"),
            ("stop",))  # fmt: skip
    toy.run(0x1000)
    assert toy.memory.load(0x1800, 8) == PATIENCE - 1
    assert toy.engine.cache.invalidated == 0


def test_page_that_became_data(toy: Toy) -> None:
    """Many stores beside old code make it give way; code that is alive comes back, and less and less often goes."""
    toy.put(0x1000, ("li", 1, 0, 2000), "loop", ("addi", 2, 2, 1), ("st64", 2, 0, 0x1800), ("addi", 1, 1, -1),
            ("bnz", 1, 0, "loop"),
            ("stop",))  # fmt: skip
    toy.run(0x1000)
    assert toy.memory.load(0x1800, 8) == 2000
    assert 1 <= toy.engine.cache.invalidated <= 12


def test_page_becomes_plain_again(toy: Toy) -> None:
    """After all its code is gone, stores to a page are quick once more: Python sees no more than one of them."""
    toy.put(0x3000, ("addi", 2, 2, 1), ("stop",))
    toy.run(0x3000)
    toy.cpu[6] = 0x3000
    stores = []
    plain = toy.engine.mmu.store
    toy.engine.mmu.store = lambda *args: (stores.append(args[0]), plain(*args))[1]  # type: ignore[method-assign, assignment]
    toy.put(0x1000, ("li", 1, 0, 100), "loop", ("st64", 1, 6, 0), ("addi", 1, 1, -1), ("bnz", 1, 0, "loop"), ("stop",))
    toy.run(0x1000)
    assert not toy.engine.cache.holds_code(toy.ram.ram_block.host + 0x3000 >> 12)  # type: ignore[union-attr]
    if toy.engine.name == "stencil":
        assert len(stores) <= 2


def test_code_appears_on_a_page_that_is_being_written(toy: Toy) -> None:
    """The TLB entry for stores was open before there was code on the page."""
    toy.cpu[6], toy.cpu[7] = 0x3000, word("addi", 2, 2, 16)
    toy.put(0x3000, ("addi", 2, 2, 1), ("jr", 0, 10))
    toy.put(0x1000, ("st32", 8, 6, 0x100), ("st32", 8, 6, 0x100), ("li64", 10, 0, 0x101C), ("jmp", 0, 0,
            0x3000 - 0x1014))  # fmt: skip
    toy.put(0x101C, ("st32", 7, 6, 0), ("li64", 10, 0, 0x1030), ("jr", 0, 6))
    toy.put(0x1030, ("stop",))
    toy.run(0x1000)
    assert toy.cpu[2] == 17


def test_a_thousand_changes_leave_nothing_behind(toy: Toy) -> None:
    toy.cpu[6], toy.cpu[7] = 0x1100, word("addi", 2, 2, 1)
    toy.put(0x1000, ("li", 1, 0, 1000), "loop", ("st32", 7, 6, 0), ("addi", 7, 7, 0), ("jmp", 0, 0, 0x1100 - 0x100C))
    toy.put(0x1100, ("nop",), ("addi", 1, 1, -1), ("bnz", 1, 0, 0x1004 - 0x1108), ("stop",))
    toy.run(0x1000)
    assert toy.cpu[2] == 1000
    cache = toy.engine.cache
    assert cache.invalidated >= 999
    assert len(cache) <= 4
    assert sum(len(blocks) for blocks in cache.pages.values()) == len(cache)
    assert len(cache._granules) == len(cache.pages) == 1


def test_places_of_stale_blocks_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyqemu.tcg.stencil_engine.SWEEP", 64)
    toy = Toy("stencil")
    toy.cpu[6], toy.cpu[7] = 0x1100, word("addi", 2, 2, 1)
    toy.put(0x1000, ("li", 1, 0, 1000), "loop", ("st32", 7, 6, 0), ("addi", 7, 7, 0), ("jmp", 0, 0, 0x1100 - 0x100C))
    toy.put(0x1100, ("nop",), ("addi", 1, 1, -1), ("bnz", 1, 0, 0x1004 - 0x1108), ("stop",))
    toy.run(0x1000)
    engine = toy.engine
    assert isinstance(engine, StencilEngine)
    assert toy.cpu[2] == 1000
    assert len(engine._placed) == len(engine._starts) <= 200
    assert len(engine._located) <= 400


def test_code_that_writes_a_program_and_runs_it(toy: Toy) -> None:
    """Many programs at one address, each run twice."""
    expected = 0
    for n in range(1, 40):
        toy.cpu[7] = word("addi", 2, 2, n)
        toy.cpu[6] = 0x5000
        toy.put(0x1000, ("st32", 7, 6, 0), ("li64", 10, 0, 0x5000), ("jr", 0, 10))
        toy.put(0x5004, ("stop",))
        toy.run(0x1000)
        toy.run(0x5000)
        expected += 2 * n
        assert toy.cpu[2] == expected


def test_random_patching_agrees_with_a_model(toy: Toy) -> None:
    """Random stores over a small program whose instructions all are additions; a model in Python executes the bytes."""
    import random

    rng = random.Random(11)
    size = 24
    for _ in range(60):
        adds = [rng.randrange(1, 100) for _ in range(size)]
        patches = {rng.randrange(size): (rng.randrange(size), rng.randrange(100, 200)) for _ in range(3)}
        lines = [("addi", 2, 2, value) for value in adds]
        for at in patches:
            lines[at] = ("call", 3, 0, at)
        toy.cpu.calls = [lambda argument: None] * size
        for at, (where, value) in patches.items():
            code = assemble([("addi", 2, 2, value)], 0)
            toy.cpu.calls[at] = lambda argument, where=where, code=code: toy.cpu.write(0x1000 + 4 * where, code)  # type: ignore[misc]
        toy.put(0x1000, *lines, ("stop",))
        toy.engine.cache.written(toy.ram.ram_block.host + 0x1000, 4 * size + 4)  # type: ignore[union-attr]
        model, total = list(lines), 0
        for at in range(size):
            if model[at][0] == "call":
                where, value = patches[at]
                model[where] = ("addi", 2, 2, value)
            else:
                total += model[at][3]
        toy.cpu[2] = 0
        toy.run(0x1000)
        assert toy.cpu[2] == total & M64
