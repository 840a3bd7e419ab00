"""The processor as the monitor sees it."""

from __future__ import annotations

import random

import pytest

from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.targets.x86 import layout as l
from pyqemu.targets.x86.mmu import PTE_RW, PTE_US, walk
from pyqemu.targets.x86.monitor import X86View, mappings
from pyqemu.targets.x86.state import X86Cpu

RAM = 1 << 20


@pytest.fixture
def cpu() -> X86Cpu:
    root = MemoryRegion.container("system")
    root.add(0, MemoryRegion.ram("ram", RAM))
    io = MemoryRegion.container("io", 0x10000)
    return X86Cpu("qemu64", memory=AddressSpace("memory", root), io=AddressSpace("I/O", io))


@pytest.fixture
def view(cpu: X86Cpu) -> X86View:
    return X86View(cpu)


def test_registers_by_name(cpu: X86Cpu, view: X86View) -> None:
    cpu.rax, cpu.rsp, cpu.rbp, cpu.r11 = 0x1234567890, 0x10, 0x20, 0x30
    assert {name: view.register(name) for name in ("eax", "sp", "esp", "fp", "r11", "pc", "eip", "cs", "eflags")} == {
        "eax": 0x1234567890, "sp": 0x10, "esp": 0x10, "fp": 0x20, "r11": 0x30,
        "pc": 0xFFFFFFF0, "eip": 0xFFF0, "cs": 0xF000, "eflags": 2,
    }  # fmt: skip
    assert view.register("rax") is None
    assert view.register("") is None
    assert all(view.register(name) is not None for name in view.register_names)


def test_processor_without_64_bits_has_neither_their_registers_nor_their_digits() -> None:
    root = MemoryRegion.container("system")
    old = X86View(X86Cpu("486", memory=AddressSpace("memory", root)))
    assert old.register("r8") is None
    assert old.address_digits == 8


def test_registers_text(cpu: X86Cpu, view: X86View) -> None:
    lines = view.registers_text().splitlines()
    assert lines[0] == f"EAX=00000000 EBX=00000000 ECX=00000000 EDX={cpu.model.signature:08x}"
    assert "CS =f000 ffff0000 0000ffff 00009b00" in lines
    assert "FCW=037f FSW=0000 [ST=0] FTW=00 MXCSR=00001f80" in lines
    assert lines[-1] == f"XMM06={'0' * 32} XMM07={'0' * 32}"


def test_segments_in_protected_mode(cpu: X86Cpu, view: X86View) -> None:
    cpu.cr0 |= l.CR0_PE
    code = l.DESC_P | l.DESC_S | l.DESC_CODE | l.DESC_R | l.DESC_A | l.DESC_G | l.DESC_B | 3 << l.DESC_DPL_SHIFT
    cpu.load_segment_cache(l.CS, 0x1B, 0, 0xFFFFFFFF, code)
    cpu.update_control()
    lines = view.registers_text().splitlines()
    assert "CS =001b 00000000 ffffffff 00cffb00 DPL=3 CS32 [-RA]" in lines
    assert "SS =0000 00000000 0000ffff 00009300 DPL=0 DS16 [-WA]" in lines
    assert "LDT=0000 00000000 0000ffff 00008200 DPL=0 LDT" in lines
    assert "TR =0000 00000000 0000ffff 00008b00 DPL=0 TSS32-busy" in lines


def test_disassembly_by_mode_and_by_wish(view: X86View) -> None:
    code = bytes.fromhex("b8 34 12 56 78")
    assert [insn.text for insn in view.disassemble(code[:3], 0x100)] == ["movw     $0x1234, %ax"]
    assert [insn.text for insn in view.disassemble(code, 0x100, 4)] == ["movl     $0x78561234, %eax"]
    assert view.disassemble(bytes.fromhex("4890"), 0, 8)[0].code == bytes.fromhex("4890")


# --- page tables ----------------------------------------------------------------------------------------------------


def put(cpu: X86Cpu, address: int, entry: int, size: int) -> None:
    cpu.memory.write(address, entry.to_bytes(size, "little"))


def random_tables(cpu: X86Cpu, rng: random.Random, mode: str) -> None:
    """Three levels of sparse tables; which entries are pages is chance, too."""
    wide = mode != "32bit"
    size, bits = (8, 9) if wide else (4, 10)
    levels = {"32bit": (22, 12), "pae": (30, 21, 12), "long": (39, 30, 21, 12)}[mode]
    fresh = iter(range(0x2000, RAM, 0x1000))

    def fill(table: int, depth: int) -> None:
        entries = 4 if (mode, depth) == ("pae", 0) else 1 << bits
        for number in rng.sample(range(entries), 3):
            flags = rng.choice((1, 3, 5, 7, 0))
            shift = levels[depth]
            if depth == len(levels) - 1:
                entry = rng.randrange(1 << 8) << 12 | flags | rng.choice((0, 0x80, 0x100, 0x60))
            elif (depth and shift < 30 and rng.random() < 0.3) or (mode == "32bit" and rng.random() < 0.3):
                entry = rng.randrange(4) << shift | flags | 0x80
            else:
                below = next(fresh)
                if (mode, depth) == ("pae", 0):
                    flags &= 1
                entry = below | flags
                fill(below, depth + 1)
            put(cpu, table + number * size, entry, size)

    fill(0x1000, 0)
    cpu.cr3 = 0x1000
    cpu.cr4 = {"32bit": l.CR4_PSE}.get(mode, l.CR4_PAE)
    cpu.efer = l.EFER_LMA if mode == "long" else 0
    cpu.cr0 |= l.CR0_PG | l.CR0_PE
    cpu.update_control()


@pytest.mark.parametrize("mode", ["32bit", "pae", "long"])
def test_mappings_are_what_the_walk_finds(mode: str, cpu: X86Cpu, rng: random.Random) -> None:
    random_tables(cpu, rng, mode)
    pages = list(mappings(cpu))
    assert pages
    assert [page.vaddr for page in pages] == sorted(page.vaddr for page in pages)
    for page in pages:
        found = walk(cpu, page.vaddr)
        assert (found.error, found.page, found.size) == (None, page.physical, page.size)
        assert found.rights & (PTE_RW | PTE_US) == page.rights
    edges = {edge for page in pages for edge in (page.vaddr - 1, page.vaddr + page.size)}
    starts = {page.vaddr for page in pages}
    limit = 1 << (64 if mode == "long" else 32)
    for edge in edges:
        inside = any(page.vaddr <= edge < page.vaddr + page.size for page in pages)
        if 0 <= edge < limit and (edge < 1 << 47 or edge >= limit - (1 << 47)):
            assert (walk(cpu, edge).error is None) == inside, (hex(edge), len(starts))


def test_tlb_and_mem_texts(cpu: X86Cpu, view: X86View) -> None:
    assert (view.tlb_text(), view.mem_text()) == ("PG disabled", "PG disabled")
    put(cpu, 0x1000, 0x2007, 4)
    put(cpu, 0x1004, 0x400083, 4)
    put(cpu, 0x2000, 0x3067, 4)
    put(cpu, 0x2004, 0x4107, 4)
    put(cpu, 0x2010, 0x5081, 4)
    cpu.cr3, cpu.cr4 = 0x1000, l.CR4_PSE
    cpu.cr0 |= l.CR0_PG | l.CR0_PE
    cpu.update_control()
    assert view.tlb_text().splitlines() == [
        "0000000000000000: 0000000000003000 ---DA--UW",
        "0000000000001000: 0000000000004000 -G-----UW",
        "0000000000004000: 0000000000005000 ---------",
        "0000000000400000: 0000000000400000 --P-----W",
    ]
    assert view.mem_text().splitlines() == [
        "0000000000000000-0000000000002000 0000000000002000 urw",
        "0000000000004000-0000000000005000 0000000000001000 -r-",
        "0000000000400000-0000000000800000 0000000000400000 -rw",
    ]
    assert view.translate(0x1234) == 0x4234
    assert view.translate(0x3000) is None
