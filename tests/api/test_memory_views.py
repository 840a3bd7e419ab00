"""Memory, page walks and registers of a guest in 64-bit mode that has made its own page tables."""

from __future__ import annotations

import struct

import pytest

from pyqemu.api.memory import NotContiguous, NotMapped
from pyqemu.api.outcomes import HaltedForever

TABLES = 0x10000
P, RW, US, A, D, PS = 1, 2, 4, 0x20, 0x40, 0x80
LONG_MODE = """
        cli
        lgdt [descriptor]
        mov eax, 0x10000
        mov cr3, eax
        mov eax, 0x20
        mov cr4, eax
        mov ecx, 0xc0000080
        mov eax, 0x100
        xor edx, edx
        wrmsr
        mov eax, 0x80000001
        mov cr0, eax
        jmp 8:start
        bits 64
start:  mov rax, 0xffff800000401008
        mov rbx, 0x1122334455667788
        mov [rax], rbx
        mov rcx, [rax]
        mov rdx, 0x200010
        mov byte [rdx], 0x5a
        hlt
        align 8
gdt:    dq 0
        dq 0x00209a0000000000
descriptor: dw 15
        dd gdt
"""


@pytest.fixture
def machine(boot):
    """Long mode: the first 2 MiB as 4 KiB pages, the next 2 MiB as one large page, and one page high up."""
    machine = boot(LONG_MODE)
    memory = machine.memory

    def entry(table: int, index: int, value: int) -> None:
        memory.write_int(TABLES + 0x1000 * table + 8 * index, 8, value)

    entry(0, 0, TABLES + 0x1000 | P | RW | US)
    entry(1, 0, TABLES + 0x2000 | P | RW | US)
    entry(2, 0, TABLES + 0x3000 | P | RW)
    entry(2, 1, 0x200000 | P | RW | PS)
    for page in range(512):
        entry(3, page, page << 12 | P | RW | (1 << 8 if page == 7 else 0))
    entry(0, 256, TABLES + 0x4000 | P | RW)
    entry(4, 0, TABLES + 0x5000 | P | RW)
    entry(5, 2, TABLES + 0x6000 | P | RW)
    entry(6, 1, 0x300000 | P | RW)
    entry(6, 2, 0x302000 | P)
    entry(6, 3, 0x303000 | P)
    assert machine.run(10) == HaltedForever()
    return machine


HIGH = 0xFFFF800000401000


def test_walk_has_every_level_with_its_flags(machine) -> None:
    walk = machine.cpu.walk(HIGH + 8)
    assert [level.level for level in walk.levels] == ["PML4E", "PDPTE", "PDE", "PTE"]
    assert [level.index for level in walk.levels] == [256, 0, 2, 1]
    assert [level.address for level in walk.levels] == [
        TABLES + 256 * 8,
        TABLES + 0x4000,
        TABLES + 0x5010,
        TABLES + 0x6008,
    ]
    assert all(machine.memory.read_int(level.address, 8) == level.value for level in walk.levels)
    assert walk.levels[-1].flags == ("present", "writable", "accessed", "dirty")
    assert walk.levels[0].flags == ("present", "writable", "accessed")
    assert (walk.physical, walk.size) == (0x300008, 4096)
    assert (walk.writable, walk.user, walk.executable) == (True, False, True)
    assert str(walk).startswith("0xffff800000401008 -> 0x300008\n  PML4E[256] at 0x10800: ")


def test_walk_of_a_large_page(machine) -> None:
    walk = machine.cpu.walk(0x234567)
    assert [level.level for level in walk.levels] == ["PML4E", "PDPTE", "PDE"]
    assert "large" in walk.levels[-1].flags
    assert (walk.physical, walk.size) == (0x234567, 2 << 20)


def test_walk_that_leads_nowhere_tells_where_it_ends(machine) -> None:
    walk = machine.cpu.walk(HIGH + 0x7000)
    assert walk.physical is None
    assert not walk.levels[-1].present
    assert walk.reason == "PTE is not present"
    assert machine.cpu.walk(0x0001_0000_0000_0000).reason == "the address is not canonical"
    assert machine.cpu.walk(1 << 30).reason == "PDPTE is not present"


def test_walk_changes_nothing(machine) -> None:
    before = machine.memory.read(TABLES, 0x7000)
    for address in range(0, 0x400000, 0x1000):
        machine.cpu.walk(address)
    assert machine.memory.read(TABLES, 0x7000) == before


def test_all_walks_lead_where_the_tables_say(machine) -> None:
    for page in range(512):
        walk = machine.cpu.walk(page << 12 | 0x123)
        assert walk.physical == page << 12 | 0x123
        assert ("global" in walk.levels[-1].flags) == (page == 7)


def test_virtual_memory(machine) -> None:
    assert machine.virtual.read_int(HIGH + 8, 8) == 0x1122334455667788
    assert machine.memory.read_int(0x300008, 8) == 0x1122334455667788
    machine.virtual.write(HIGH + 0xFFE, b"ab")
    assert machine.memory.read(0x300FFE, 2) == b"ab"
    assert machine.virtual.read_int(0x200010, 1) == 0x5A


def test_virtual_range_over_pages_that_are_apart(machine) -> None:
    machine.virtual.write(HIGH + 0xFFE, b"wxyz")
    assert machine.memory.read(0x300FFE, 2) == b"wx"
    assert machine.memory.read(0x302000, 2) == b"yz"
    assert machine.virtual.read(HIGH + 0xFFE, 4) == b"wxyz"
    assert machine.virtual.read_int(HIGH + 0xFFE, 4) == int.from_bytes(b"wxyz", "little")


def test_virtual_access_where_nothing_is_mapped(machine) -> None:
    with pytest.raises(NotMapped) as caught:
        machine.virtual.read(HIGH + 0x2FF0, 0x20)
    assert caught.value.address == HIGH + 0x3000
    before = machine.memory.read(0x303000, 0x1000)
    with pytest.raises(NotMapped):
        machine.virtual.write(HIGH + 0x2FF0, bytes(32))
    assert machine.memory.read(0x303000, 0x1000) == before


def test_views_are_live_and_for_reading(machine) -> None:
    view = machine.memory.view(0x300000, 0x1000)
    assert struct.unpack_from("<Q", view, 8) == (0x1122334455667788,)
    machine.memory.write_int(0x300008, 8, 1)
    assert struct.unpack_from("<Q", view, 8) == (1,)
    assert view.readonly
    assert machine.virtual.view(0x1F0000, 0x20000).nbytes == 0x20000  # small pages and a large one, side by side
    with pytest.raises(NotContiguous):
        machine.virtual.view(HIGH + 0xFF0, 0x20)
    with pytest.raises(NotContiguous):
        machine.memory.view(0xFEC00000, 4)


def test_string(machine) -> None:
    machine.memory.write(0x5000, b"Hello\0there")
    assert machine.memory.read_string(0x5000) == "Hello"


def test_registers_by_their_names(machine) -> None:
    registers = machine.cpu.registers
    assert registers["rcx"] == registers["RCX"] == 0x1122334455667788
    assert [registers[name] for name in ("ecx", "cx", "cl", "ch")] == [0x55667788, 0x7788, 0x88, 0x77]
    assert registers["cr3"] == TABLES
    assert registers["efer"] & 0x500 == 0x500
    assert registers["cs"] == 8
    registers["ecx"] = 5
    assert registers["rcx"] == 5
    registers["ch"] = 1
    registers["r9"] = -1
    assert (registers["rcx"], registers["r9"], registers["r9d"]) == (0x105, (1 << 64) - 1, (1 << 32) - 1)
    registers["xmm3"] = 1 << 100
    assert registers["xmm3"] == 1 << 100
    assert {"rax", "rip", "rflags", "cr0", "gs_base", "xmm15"} <= set(registers)
    registers["rflags"] |= 1
    assert "C]" in machine.cpu.text()


def test_register_values_that_the_processor_refuses(machine) -> None:
    registers = machine.cpu.registers
    with pytest.raises(ValueError, match="cr0"):
        registers["cr0"] = 1 << 31
    with pytest.raises(ValueError, match="cannot be written"):
        registers["cs"] = 0x10
    with pytest.raises(ValueError, match="does not fit"):
        registers["rax"] = 1 << 64
    with pytest.raises(KeyError):
        registers["rzx"]
    with pytest.raises(TypeError):
        del registers["rax"]


def test_code_that_a_script_writes_is_run(machine) -> None:
    for value in (1, 2):
        machine.memory.write(0x20000, b"\xb8" + value.to_bytes(4, "little") + b"\xf4")  # mov eax, value; hlt
        machine.cpu.registers["rip"] = 0x20000
        assert machine.run(1) == HaltedForever()
        assert machine.cpu.registers["eax"] == value


def test_virtual_memory_hook_follows_the_page_tables(machine) -> None:
    seen = []
    machine.hooks.memory(HIGH + 8, 8, seen.append, virtual=True)
    machine.cpu.registers["rip"] = 0x7C00 + machine.memory.read(0x7C00, 510).index(bytes.fromhex("48 b8 08 10 40"))
    assert machine.cpu.disassemble()[0][1].startswith("movabs rax")
    assert machine.run(1) == HaltedForever()
    assert [(access.physical, access.is_write) for access in seen] == [(0x300008, True), (0x300008, False)]
