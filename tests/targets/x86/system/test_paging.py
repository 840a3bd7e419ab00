"""Address translation in every paging mode (SDM vol. 3, chapter 4)."""

from __future__ import annotations

import pytest

from pyqemu.targets.x86 import mmu
from pyqemu.targets.x86.layout import CR0_PG, CR0_WP, CR4_SMAP, CR4_SMEP, EFER_NXE, EXC_GP, EXC_PF

P, RW, US, A, D, PS, G = 1, 2, 4, 0x20, 0x40, 0x80, 0x100
NX = 1 << 63
READ, WRITE, FETCH = 0, 1, 2
SUPERVISOR, USER, SMAP = 0, 1, 2
TABLES = 0x100000


class Paging:
    """Builds tables for one paging mode: `levels` holds (shift, entry size, index mask)."""

    MODES = {
        "32-bit": ((22, 12), 4),
        "PAE": ((30, 21, 12), 8),
        "4-level": ((39, 30, 21, 12), 8),
    }

    def __init__(self, machine, mode):
        self.machine, self.cpu, self.mode = machine, machine.cpu, mode
        self.shifts, self.size = self.MODES[mode]
        self.next = TABLES + 0x1000
        cpu = machine.protected()
        cpu.cr3 = TABLES
        cpu.cr4 = {"32-bit": 0x10, "PAE": 0x20, "4-level": 0x20}[mode]
        cpu.efer = EFER_NXE | (0xD00 if mode == "4-level" else 0)
        cpu.cr0 |= CR0_PG
        cpu.update_control()

    def _slot(self, table, vaddr, shift):
        mask = 3 if self.mode == "PAE" and shift == 30 else 1023 if self.size == 4 else 511
        return table + (vaddr >> shift & mask) * self.size

    def map(self, vaddr, physical, flags=P | RW | US, *, upper=P | RW | US, last=12):
        """Map a page of ``1 << last`` bytes; return the addresses of all entries on the way."""
        table, slots = TABLES, []
        for shift in self.shifts:
            slot = self._slot(table, vaddr, shift)
            slots.append(slot)
            if shift == last:
                self.machine.memory.store(slot, self.size, physical | flags | (PS if last > 12 else 0))
                return slots
            entry = self.machine.memory.load(slot, self.size)
            if not entry & P:
                above = P if self.mode == "PAE" and shift == 30 else upper
                entry = self.next | above
                self.machine.memory.store(slot, self.size, entry)
                self.next += 0x1000
            table = entry & 0xFFFFFF000
        raise AssertionError

    def entries(self, slots):
        return [self.machine.memory.load(slot, self.size) for slot in slots]

    def fill(self, vaddr, access=READ, index=SUPERVISOR):
        return mmu.fill(self.cpu, vaddr, access, index)

    def fault(self, vaddr, access, index=SUPERVISOR):
        vector, code = self.machine.raises(lambda: self.fill(vaddr, access, index))
        assert (vector, self.cpu.cr2) == (EXC_PF, vaddr)
        return code


@pytest.fixture(params=list(Paging.MODES))
def paging(request, machine):
    return Paging(machine, request.param)


@pytest.fixture
def long(machine):
    return Paging(machine, "4-level")


def test_no_paging(machine):
    assert mmu.fill(machine.cpu, 0x12345678, READ, USER) == (0x12345000, 7, 4096)


def test_a20_gate(machine):
    machine.cpu.set_a20(False)
    assert mmu.fill(machine.cpu, 0x112345, READ, SUPERVISOR)[0] == 0x012000
    machine.cpu.set_a20(True)
    assert mmu.fill(machine.cpu, 0x112345, READ, SUPERVISOR)[0] == 0x112000


def test_small_page_sets_accessed_then_dirty(paging):
    slots = paging.map(0x403000, 0x5000)
    page, prot, size = paging.fill(0x403ABC)
    assert (page, size) == (0x5000, 4096)
    assert prot & 3 == 1, "not writable for the TLB until it is dirty"
    entries = paging.entries(slots)
    assert entries[-1] & (A | D) == A
    assert all(entry & A for entry in entries[paging.mode == "PAE" : -1])
    assert paging.fill(0x403ABC, WRITE)[1] & 2
    assert paging.entries(slots)[-1] & (A | D) == A | D
    assert paging.fill(0x403ABC, READ)[1] & 2


def test_debug_translation_changes_nothing(paging):
    slots = paging.map(0x403000, 0x5000)
    before = paging.entries(slots)
    assert paging.cpu.debug_translate(0x403ABC) == 0x5ABC
    assert paging.cpu.debug_translate(0x404000) is None
    assert paging.entries(slots) == before


def test_large_page(paging):
    last = paging.shifts[-2]
    slots = paging.map(0x40000000, 0x400000, last=last)
    page, _, size = paging.fill(0x40000000 + 0x12345, WRITE)
    assert (page, size) == (0x412000, 1 << last)
    assert paging.entries(slots)[-1] & (A | D) == A | D
    assert paging.cpu.debug_translate(0x40012345) == 0x412345


def test_not_present(paging):
    assert paging.fault(0x403000, READ) == 0
    assert paging.fault(0x403000, WRITE, USER) == 6
    paging.map(0x403000, 0x5000, RW | US)
    assert paging.fault(0x403000, WRITE) == 2


@pytest.mark.parametrize(
    ("upper", "leaf", "access", "index", "wp", "code"),
    [
        (P | RW | US, P | RW | US, WRITE, USER, 0, None),
        (P | RW | US, P | RW, READ, USER, 0, 5),
        (P | RW, P | RW | US, READ, USER, 0, 5),  # every level must grant it
        (P | RW | US, P | US, WRITE, USER, 0, 7),
        (P | US, P | RW | US, WRITE, USER, 0, 7),
        (P | RW | US, P | US, READ, USER, 0, None),
        (P | RW | US, P, WRITE, SUPERVISOR, 0, None),  # without WP the supervisor writes everywhere
        (P | RW | US, P, WRITE, SUPERVISOR, 1, 3),
        (P | US, P | RW, WRITE, SUPERVISOR, 1, 3),
        (P | RW | US, P, READ, SUPERVISOR, 1, None),
    ],
)
def test_rights(paging, upper, leaf, access, index, wp, code):
    if paging.mode == "PAE" and upper != P | RW | US:
        upper |= 0  # the pointers have no rights; the directory has
    slots = paging.map(0x403000, 0x5000, leaf, upper=upper)
    if wp:
        paging.cpu.cr0 |= CR0_WP
    if code is None:
        paging.fill(0x403000, access, index)
    else:
        before = paging.entries(slots)
        assert paging.fault(0x403000, access, index) == code
        assert paging.entries(slots)[-1] & D == before[-1] & D


def test_execute_disable(long):
    long.map(0x403000, 0x5000, P | RW | US | NX)
    assert long.fault(0x403000, FETCH, USER) == 0x15
    assert long.fault(0x403000, FETCH) == 0x11
    assert not long.fill(0x403000, READ)[1] & 4
    assert long.fault(0x404000, FETCH) == 0x10
    long.cpu.efer &= ~EFER_NXE
    long.cpu.update_control()
    assert long.fault(0x403000, READ) == 9, "a reserved bit without NXE"


def test_execute_disable_in_an_upper_level(long):
    slots = long.map(0x403000, 0x5000)
    entry = long.entries(slots)[1]
    long.machine.memory.store(slots[1], 8, entry | NX)
    assert long.fault(0x403000, FETCH, USER) == 0x15


def test_instruction_bit_needs_nxe_or_smep(paging):
    paging.cpu.efer &= ~EFER_NXE
    assert paging.fault(0x403000, FETCH) == 0
    paging.cpu.cr4 |= CR4_SMEP
    assert paging.fault(0x403000, FETCH) == 0x10


def test_smep(paging):
    paging.map(0x403000, 0x5000)
    paging.map(0x404000, 0x6000, P | RW)
    paging.cpu.cr4 |= CR4_SMEP
    assert paging.fault(0x403000, FETCH) == 0x11
    assert paging.fill(0x403000, FETCH, USER)[1] & 4
    assert paging.fill(0x404000, FETCH)[1] & 4


def test_smap(paging):
    paging.map(0x403000, 0x5000)
    paging.map(0x404000, 0x6000, P | RW)
    paging.cpu.cr4 |= CR4_SMAP
    assert paging.fault(0x403000, READ, SMAP) == 1
    assert paging.fault(0x403000, WRITE, SMAP) == 3
    paging.fill(0x403000, READ, SUPERVISOR)  # with AC set
    paging.fill(0x404000, WRITE, SMAP)


@pytest.mark.parametrize(
    ("where", "bits"),
    [(3, 1 << 45), (0, 1 << 45), (0, PS), (1, 1 << 51)],
)
def test_reserved_bits_in_long_mode(long, where, bits):
    slots = long.map(0x403000, 0x5000)
    long.machine.memory.store(slots[where], 8, long.entries(slots)[where] | bits)
    assert long.fault(0x403000, READ, USER) == 0xD


def test_reserved_bits_of_large_pages(long):
    slots = long.map(0x40000000, 0x2000, last=21)
    assert long.fault(0x40000000, READ) == 9, "bits 13 to 20 of a 2 MiB page's address"
    long.machine.memory.store(slots[-1], 8, 0x1087)  # bit 12 is PAT
    long.fill(0x40000000)


def test_huge_pages_need_the_feature(make_machine):
    for features, allowed in (("qemu64", False), ("qemu64,+pdpe1gb", True)):
        paging = Paging(make_machine(features), "4-level")
        paging.map(0x40000000, 0, last=30)
        if allowed:
            assert paging.fill(0x40123456)[0] == 0x123000
        else:
            assert paging.fault(0x40123456, READ) == 9


def test_pae_pointer_reserved_bits(machine):
    paging = Paging(machine, "PAE")
    slots = paging.map(0x403000, 0x5000)
    machine.memory.store(slots[0], 8, paging.entries(slots)[0] | 2)
    assert paging.fault(0x403000, READ) == 9


def test_pse36(machine):
    paging = Paging(machine, "32-bit")
    paging.map(0x40000000, 0x400000 | 5 << 13, last=22)
    assert paging.fill(0x40000000)[0] == 0x5_0040_0000
    paging.map(0x40000000, 0x400000 | 1 << 21, last=22)
    assert paging.fault(0x40000000, READ) == 9


def test_no_large_pages_without_pse(machine):
    paging = Paging(machine, "32-bit")
    paging.cpu.cr4 = 0
    paging.map(0x403000, 0x5000, upper=P | RW | US | PS)
    assert paging.fill(0x403000)[0] == 0x5000


@pytest.mark.parametrize("address", [1 << 47, (1 << 64) - (1 << 47) - 1, 1 << 63])
def test_not_canonical(long, address):
    assert long.machine.raises(lambda: long.fill(address)) == (EXC_GP, 0)


def test_fault_reaches_the_guest_with_cr2(machine, asm):
    """The faulting instruction starts again once its page is there."""
    paging = Paging(machine, "32-bit")
    cpu = machine.cpu
    for page in range(0, 0x20000, 0x1000):
        paging.map(page, page)
    slots = paging.map(0x403000, 0x5000, RW)
    machine.descriptors(machine.gate(8, 0x7000, 14), at=machine.IDT + 14 * 8)
    handler = f"pop ecx; mov edx, cr2; or dword ptr [{slots[-1]:#x}], 1; iretd"
    paging.map(slots[-1] & ~0xFFF, slots[-1] & ~0xFFF)
    machine.memory.write(0x7000, asm(handler, 32, 0x7000))
    machine.run(asm("mov dword ptr [0x403010], 0x12345678; mov eax, [0x403010]"))
    assert (cpu.rcx, cpu.rdx, cpu.rax) == (2, 0x403010, 0x12345678)
    assert machine.words(0x5010, 1) == [0x12345678]


def test_store_across_two_pages_is_all_or_nothing(machine, asm):
    paging = Paging(machine, "32-bit")
    cpu = machine.cpu
    for page in range(0, 0x20000, 0x1000):
        paging.map(page, page)
    paging.map(0x403000, 0x5000)
    machine.descriptors(machine.gate(8, 0x7000, 14), at=machine.IDT + 14 * 8)
    machine.memory.write(0x7000, b"\xf4")
    machine.run(asm("mov dword ptr [0x403ffe], 0x12345678"))
    assert cpu.cr2 == 0x404000
    assert machine.words(0x5FFE, 1, 2) == [0]


def test_supervisor_tables_are_readable_from_user_mode(machine, asm):
    """Descriptor tables are read with supervisor rights whatever CPL is (SDM vol. 3, 4.6)."""
    paging = Paging(machine, "32-bit")
    cpu = machine.cpu
    for page in range(0, 0x20000, 0x1000):
        paging.map(page, page, P | RW | (US if page >= 0x8000 else 0))
    for index, selector, access in ((1, 0x1B, 0xFB), (2, 0x23, 0xF3)):
        cpu.load_segment_cache(index, selector, 0, 0xFFFFFFFF, 0xC00000 | access << 8)
    cpu.update_hflags(3)
    machine.descriptors(machine.gate(8, 0x7000, 14, dpl=3), at=machine.IDT + 0x20 * 8)
    machine.memory.write(0x7000, b"\xf4")
    machine.memory.store(machine.TSS + 4, 4, 0x6000)
    machine.run(asm("push 0x23; pop ds; int 0x20"))
    assert (cpu.eip, cpu.cpl, cpu.ds.selector) == (0x7001, 0, 0x23)
