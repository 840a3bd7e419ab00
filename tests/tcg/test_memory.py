"""Guest memory: accesses of every size, faults with precise state, page crossings, devices, ROM."""

from __future__ import annotations

import pytest
from toy import MMIO, ROM, VECTOR_REGISTER, Line, Toy, assemble

M64 = (1 << 64) - 1
PATTERN = bytes(range(0x81, 0x91))


@pytest.mark.parametrize("at", [0x8000, 0x8001, 0x8FF8, 0x8FFC, 0x8FFF])
def test_loads_of_every_size(toy: Toy, at: int) -> None:
    """Aligned, unaligned, at the end of a page and across it."""
    toy.memory.write(at, PATTERN)
    toy.cpu[1] = at
    for n in range(2, 9):
        toy.cpu[n] = M64
    for _ in range(2):  # the second time the TLB knows the pages
        toy.put(0x1000, ("ld8", 2, 1), ("ld16", 3, 1), ("ld32", 4, 1), ("ld64", 5, 1), ("lds", 6, 1), ("ld8to16", 7, 1),
                ("ld8s16", 8, 1), ("ldv", 0, 1), ("stop",))  # fmt: skip
        toy.run(0x1000)
        little = [int.from_bytes(PATTERN[:n], "little") for n in (1, 2, 4, 8)]
        assert toy.cpu.registers[2:6] == little
        assert toy.cpu[6] == little[1] - 0x10000 & M64
        assert toy.cpu[7] == M64 & ~0xFFFF | little[0]
        assert toy.cpu[8] == M64 & ~0xFFFF | little[0] - 0x100 & 0xFFFF
        assert bytes(toy.cpu.b[VECTOR_REGISTER : VECTOR_REGISTER + 16]) == PATTERN


@pytest.mark.parametrize("at", [0x8000, 0x8001, 0x8FF8, 0x8FFC, 0x8FFF])
def test_stores_of_every_size(toy: Toy, at: int) -> None:
    toy.cpu[1], toy.cpu[2] = at, 0x1122334455667788
    toy.cpu.b[VECTOR_REGISTER : VECTOR_REGISTER + 16] = PATTERN
    for name, size in (("st8", 1), ("st16", 2), ("st32", 4), ("st64", 8), ("stv", 16)):
        toy.memory.write(at - 16, bytes(48))
        toy.put(0x1000, (name, 2, 1), ("stop",))
        for _ in range(2):
            toy.run(0x1000)
        wanted = PATTERN if size == 16 else toy.cpu[2].to_bytes(8, "little")[:size]
        assert toy.memory.read(at - 16, 48) == bytes(16) + wanted + bytes(32 - size)
        toy.engine.flush()


def test_address_wraps_at_32_bits(toy: Toy) -> None:
    toy.memory.store(0x10, 4, 0x12345678)
    toy.cpu[1] = 0xFFFFFFF8
    toy.put(0x1000, ("ld32w", 2, 1, 0x18), ("stop",))
    toy.run(0x1000)
    assert (toy.cpu[2], toy.cpu.faults) == (0x12345678, [])


def test_address_wraps_at_64_bits(toy: Toy) -> None:
    toy.memory.store(0x10, 8, 0x12345678)
    toy.cpu[1] = M64 - 7
    toy.put(0x1000, ("ld64", 2, 1, 0x18), ("stop",))
    toy.run(0x1000)
    assert (toy.cpu[2], toy.cpu.faults) == (0x12345678, [])


def test_access_across_the_end_of_the_address_space(toy: Toy) -> None:
    toy.cpu.table[(1 << 52) - 1] = (0x40, 7)
    toy.memory.write(0x40FFC, b"\x01\x02\x03\x04")
    toy.memory.write(0, b"\x05\x06\x07\x08")
    toy.cpu[1] = M64 - 3
    toy.put(0x1000, ("ld64", 2, 1, 0), ("stop",))
    toy.run(0x1000)
    assert toy.cpu[2] == 0x0807060504030201


FAULTS = {
    "load": (("ld64", 3, 1, 0), 0x9000, 0x9000, 0),
    "load across, second page missing": (("ld64", 3, 1, -4), 0x9000, 0x9000, 0),
    "load across, first page missing": (("ld64", 3, 1, 0xFFC), 0x9000, 0x9FFC, 0),
    "store": (("st64", 2, 1, 0), 0x9000, 0x9000, 1),
    "store across, second page missing": (("st64", 2, 1, -4), 0x9000, 0x9000, 1),
    "byte": (("st8", 2, 1, 0xFFF), 0x9000, 0x9FFF, 1),
    "sixteen bytes across": (("stv", 2, 1, -1), 0x9000, 0x9000, 1),
    "two stores, second page missing": (("stx", 2, 1, -8), 0x9000, 0x9000, 1),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_has_precise_state(toy: Toy, name: str) -> None:
    """In the middle of a block: what is before has happened, the instruction and what is behind have not."""
    line, missing, address, access = FAULTS[name]
    toy.cpu.table[missing >> 12] = (missing >> 12, 0)
    toy.memory.write(0x8FE0, bytes(range(64)))
    before = toy.memory.read(0x8FE0, 64)
    toy.cpu[1], toy.cpu[2], toy.cpu[3] = missing, M64, 0x77
    where = toy.put(0x1000, ("addi", 5, 5, 1), ("addf", 6, 5, 5), ("addi", 7, 7, 1))
    toy.put(where, line, ("addi", 8, 8, 1), ("subf", 6, 5, 5), ("stop",))
    toy.run(0x1000)
    assert toy.cpu.faults == [(where, access, address)]
    assert toy.cpu.registers[5:9] == [1, 2, 1, 0]
    assert (toy.cpu[3], toy.cpu.flags[:2]) == (0x77, (2, 1))
    assert toy.memory.read(0x8FE0, 64) == before


def test_fault_then_retry(toy: Toy) -> None:
    """After the handler has mapped the page, the instruction is done once, from its beginning."""
    toy.cpu.table[9] = (9, 0)
    toy.cpu.vector = 0x2000

    def fix(argument: int) -> None:
        toy.cpu.table[9] = (9, 7)

    toy.cpu.calls = [fix]
    toy.cpu[1], toy.cpu[2] = 0x8FFC, 5
    toy.put(0x1000, ("addm", 2, 1, 0), ("addi", 3, 3, 1), ("stop",))
    toy.put(0x2000, ("call", 4, 0, 0), ("jr", 0, 15))
    toy.run(0x1000)
    assert (toy.memory.load(0x8FFC, 8), toy.cpu[3], toy.cpu.faults) == (5, 1, [(0x1000, 0, 0x9000)])


def test_store_to_a_page_that_may_be_read(toy: Toy) -> None:
    toy.cpu.table[8] = (8, 1)
    toy.cpu[1] = 0x8000
    toy.put(0x1000, ("ld64", 2, 1), ("st64", 1, 1), ("stop",))
    toy.run(0x1000)
    assert toy.cpu.faults == [(0x1004, 1, 0x8000)]


def test_fetch_fault(toy: Toy) -> None:
    toy.cpu.table[5] = (5, 3)
    toy.put(0x1000, ("addi", 1, 1, 1), ("li64", 2, 0, 0x5008), ("jr", 0, 2))
    toy.run(0x1000)
    assert toy.cpu.faults == [(0x5008, 2, 0x5008)]
    assert (toy.cpu[1], toy.cpu.pc) == (1, 0x5008)


def test_fetch_fault_on_the_second_page_of_an_instruction(toy: Toy) -> None:
    """It belongs to the instruction that crosses, after those before it have run."""
    toy.cpu.table[5] = (5, 3)
    toy.put(0x4FF6, ("addi", 1, 1, 1), ("addi", 1, 1, 1), ("addi", 1, 1, 1), ("stop",))
    toy.run(0x4FF6)
    assert toy.cpu.faults == [(0x4FFE, 2, 0x5000)]
    assert (toy.cpu[1], toy.cpu.pc) == (2, 0x4FFE)


def test_second_mmu_index_has_translations_of_its_own(toy: Toy) -> None:
    def next_page(vaddr: int, access: int, mmu: int) -> tuple[int, int, int]:
        return (vaddr >> 12) + mmu << 12, 7, 4096

    toy.engine.mmu.translate = next_page
    toy.memory.store(0x8000, 8, 1)
    toy.memory.store(0x9000, 8, 2)
    toy.cpu[1] = 0x8000
    toy.put(0x1000, ("ld64", 2, 1), ("ldu", 3, 1), ("ld64", 4, 1), ("ldu", 5, 1), ("stop",))
    toy.run(0x1000)
    assert toy.cpu.registers[2:6] == [1, 2, 1, 2]


def test_tlb_remembers_and_forgets(toy: Toy) -> None:
    toy.memory.store(0x8000, 8, 1)
    toy.memory.store(0xA000, 8, 2)
    toy.cpu[1] = 0x8000
    toy.cpu.table[8] = (8, 7)
    remap = iter((0xA, 0xA, 0x8))

    def change(argument: int) -> None:
        toy.cpu.table[8] = (next(remap), 7)
        if argument == 1:
            toy.cpu.tlb_flush_page(0x8123)
        elif argument == 2:
            toy.cpu.tlb_flush()

    toy.cpu.calls = [change]
    toy.put(0x1000, ("ld64", 2, 1), ("call", 9, 10, 0), ("ld64", 3, 1), ("li", 10, 0, 1), ("call", 9, 10, 0),
            ("ld64", 4, 1),
            ("li", 10, 0, 2), ("call", 9, 10, 0), ("ld64", 5, 1), ("stop",))  # fmt: skip
    toy.cpu.refill = False
    toy.run(0x1000)
    assert toy.cpu.registers[3:6] == [1, 2, 1]


def test_device_in_mid_block(toy: Toy) -> None:
    """Each access happens once, in order, with the program counter of its instruction."""
    toy.cpu[1], toy.cpu[2] = MMIO, 0xABCD
    toy.put(0x1000, ("addi", 5, 5, 1), ("ld32", 3, 1, 4), ("addi", 5, 5, 1), ("st16", 2, 1, 8), ("addi", 5, 5, 1),
            ("ld8", 4, 1, 1), ("addi", 5, 5, 1), ("stop",))  # fmt: skip
    for _ in range(2):
        toy.device.log.clear()
        toy.run(0x1000)
        accesses = [("read", 4, 4, 0x55667788, 0x1004), ("write", 8, 2, 0xABCD, 0x100C), ("read", 1, 1, 0x88, 0x1014)]
        assert [entry[:5] for entry in toy.device.log] == accesses
    assert (toy.cpu[3], toy.cpu[4], toy.cpu[5]) == (0x55667788, 0x88, 8)


def test_device_access_across_a_page_with_a_missing_page(toy: Toy) -> None:
    """The device must not see half an access whose other half faults."""
    toy.cpu.table[(MMIO >> 12) + 1] = (0, 0)
    toy.cpu[1] = MMIO + 0xFFE
    toy.put(0x1000, ("ld32", 3, 1), ("stop",))
    toy.run(0x1000)
    assert (toy.device.log, toy.cpu.faults) == ([], [(0x1000, 0, MMIO + 0x1000)])
    toy.put(0x2000, ("st32", 3, 1), ("stop",))
    toy.run(0x2000)
    assert (toy.device.log, toy.cpu.faults[1:]) == ([], [(0x2000, 1, MMIO + 0x1000)])


def test_device_that_raises(toy: Toy) -> None:
    class Broken(Exception):
        pass

    def fail(offset: int) -> None:
        raise Broken

    toy.device.on_access = fail
    toy.cpu[1] = MMIO
    toy.put(0x1000, ("addi", 5, 5, 1), ("ld32", 3, 1), ("addi", 5, 5, 1), ("stop",))
    with pytest.raises(Broken):
        toy.run(0x1000)
    assert (toy.cpu.pc, toy.cpu[5]) == (0x1004, 1)
    toy.device.on_access = None
    toy.run()  # goes on where it was
    assert (toy.cpu[3], toy.cpu[5]) == (0x55667788, 2)


def test_device_that_changes_the_memory_map(toy: Toy) -> None:
    """What lies behind the access sees the new map."""
    from pyqemu.memory import MemoryRegion

    cover = MemoryRegion.ram("cover", 0x1000)
    toy.memory.store(0x8000, 8, 1)

    def switch(offset: int) -> None:
        toy.root.add(0x8000, cover, 1)
        toy.memory.store(0x8000, 8, 2)

    toy.device.on_access = switch
    toy.cpu[1], toy.cpu[2] = MMIO, 0x8000
    toy.put(0x1000, ("ld64", 3, 2), ("ld32", 6, 1), ("ld64", 4, 2), ("st64", 4, 2, 8), ("stop",))
    toy.run(0x1000)
    assert (toy.cpu[3], toy.cpu[4]) == (1, 2)
    assert (toy.memory.load(0x8008, 8), toy.ram.ram_block.data[0x8008]) == (2, 0)  # type: ignore[union-attr]


def test_rom(toy: Toy) -> None:
    """Code runs from a ROM, and writes to it are ignored."""
    lines: list[Line] = [("li64", 1, 0, ROM), ("li", 2, 0, 5), ("st64", 2, 1, 0x100), ("ld64", 3, 1, 0x100), ("stop",)]
    code = assemble(lines, ROM)
    toy.rom.ram_block.data[: len(code)] = code  # type: ignore[union-attr]
    toy.rom.ram_block.data[0x100] = 0x42  # type: ignore[union-attr]
    toy.run(ROM)
    assert toy.cpu[3] == 0x42
    toy.run(ROM)
    assert toy.cpu[3] == 0x42


def test_code_outside_memory(toy: Toy) -> None:
    """A device is asked for its bytes; nothing of it is kept."""
    code = assemble([("addi", 1, 1, 3), ("stop",)], 0) + bytes(0x1000)
    toy.device.read = lambda at, size: int.from_bytes(code[at : at + size], "little")  # type: ignore[method-assign]
    for total in (3, 6):
        toy.run(MMIO)
        assert toy.cpu[1] == total
    assert toy.blocks() == []


def test_helper_uses_guest_memory(toy: Toy) -> None:
    toy.cpu.table[9] = (9, 0)

    def work(argument: int) -> int:
        toy.cpu.store(0x8000, 4, 0xCAFE)
        toy.cpu.write(0x8010, b"hello")
        assert toy.cpu.read(0x8010, 5) == b"hello"
        return toy.cpu.load(argument, 4)

    toy.cpu.calls = [work]
    toy.cpu[1] = 0x8000
    toy.put(0x1000, ("call", 2, 1, 0), ("addi", 3, 3, 1), ("li64", 1, 0, 0x8FFE), ("call", 2, 1, 0), ("stop",))
    toy.run(0x1000)
    assert (toy.cpu[2], toy.cpu[3], toy.cpu.faults) == (0xCAFE, 1, [(0x1014, 0, 0x9000)])


def test_helper_result_widths(toy: Toy) -> None:
    toy.cpu.calls = [lambda argument: 0x1FF]
    toy.cpu[1] = toy.cpu[2] = M64
    toy.put(0x1000, ("call", 1, 0, 0), ("call8", 2, 0, 0), ("stop",))
    toy.run(0x1000)
    assert (toy.cpu[1], toy.cpu[2]) == (0x1FF, M64)


def test_helper_that_raises(toy: Toy) -> None:
    toy.put(0x1000, ("addi", 1, 1, 1), ("fault", 0, 0, 7), ("addi", 1, 1, 1), ("stop",))
    toy.run(0x1000)
    assert (toy.cpu.faults, toy.cpu[1]) == ([(0x1004, 3, 7)], 1)


def test_helper_that_leaves_the_loop(toy: Toy) -> None:
    """LeaveLoop goes to the main loop with the program counter that the helper has written."""
    from pyqemu.tcg.cpu import LeaveLoop

    def leave(argument: int) -> None:
        toy.cpu.pc = 0x2000
        raise LeaveLoop

    toy.cpu.calls = [leave]
    toy.put(0x1000, ("call", 2, 0, 0), ("addi", 1, 1, 1), ("stop",))
    toy.put(0x2000, ("addi", 1, 1, 16), ("stop",))
    toy.run(0x1000)
    assert toy.cpu[1] == 16


def test_many_pages_do_not_fill_the_host(toy: Toy) -> None:
    """The dictionary of translations for Python's accesses is bounded."""
    for page in range(40000):
        toy.cpu.table[page] = (page & 0x7F, 7)
        toy.cpu.load(page << 12, 1)
    assert len(toy.engine.mmu.pages) <= 1 << 15


def test_dirty_log(toy: Toy) -> None:
    """Each page that was written since the log was taken is in it, however hot the store is."""
    log = toy.ram.ram_block.dirty  # type: ignore[union-attr]
    toy.cpu[1] = 0x8000
    toy.put(0x1000, ("st64", 2, 1), ("st64", 2, 1, 0x1000), ("stop",))
    toy.run(0x1000)
    log.enable("vga")
    log.take("vga")
    for _ in range(3):
        toy.run(0x1000)
        assert log.take("vga") == {8, 9}
        assert log.take("vga") == set()
    log.disable("vga")
    toy.run(0x1000)


def test_dirty_log_sees_stores_to_pages_that_were_read_since(toy: Toy) -> None:
    """Native code may have entered the page into the TLB again by itself, for reads."""
    log = toy.ram.ram_block.dirty  # type: ignore[union-attr]
    toy.cpu[1] = 0x8000
    toy.put(0x1000, ("ld64", 2, 1), ("stop",))
    toy.put(0x2000, ("ld64", 2, 1), ("st64", 2, 1), ("stop",))
    log.enable("migration")
    for _ in range(3):
        log.take("migration")
        toy.cpu.tlb_flush()
        toy.run(0x1000)
        assert log.take("migration") == set()
        toy.run(0x2000)
        assert log.take("migration") == {8}


def test_dirty_log_of_the_first_store_after_take(toy: Toy) -> None:
    log = toy.ram.ram_block.dirty  # type: ignore[union-attr]
    log.enable("vga")
    taken = []
    toy.cpu.calls = [lambda argument: taken.append(log.take("vga"))]  # type: ignore[func-returns-value]
    toy.cpu[1] = 0x8000
    toy.put(0x1000, ("call", 3, 0, 0), ("st64", 2, 1), ("st64", 2, 1), ("call", 3, 0, 0), ("st64", 2, 1),
            ("call", 3, 0, 0),
            ("call", 3, 0, 0), ("stop",))  # fmt: skip
    toy.run(0x1000)
    assert taken[1:] == [{8}, {8}, set()]
