"""Hardware task switches (SDM vol. 3, chapter 7)."""

from __future__ import annotations

import pytest

from pyqemu.targets.x86 import iret, tasks, transfers
from pyqemu.targets.x86.exceptions import X86Exception
from pyqemu.targets.x86.layout import CR0_TS, EXC_DB, EXC_GP, EXC_NP, EXC_TS, GPR, NT

OTHER = 0x6000


def write_tss32(machine, at=OTHER, *, cs=0x08, ss=0x10, data=0x10, eip=0x7777, eflags=0x202, ldt=0, trap=0, cr3=0):
    store = machine.memory.store
    store(at + 0x1C, 4, cr3)
    store(at + 0x20, 4, eip)
    store(at + 0x24, 4, eflags)
    for n in range(8):
        store(at + 0x28 + 4 * n, 4, 0xA0 + n if n != 4 else 0x9000)
    for n, selector in enumerate((data, cs, ss, data, data, data)):
        store(at + 0x48 + 4 * n, 2, selector)
    store(at + 0x60, 2, ldt)
    store(at + 0x64, 2, trap)


def with_task(machine, access=0x89, limit=0x67, **fields):
    cpu = machine.protected(machine.segment(OTHER, limit, access, 0))
    write_tss32(machine, **fields)
    return cpu


def test_jump_switches_everything(machine):
    cpu = with_task(machine)
    for n in range(8):
        cpu.q[(GPR >> 3) + n] = 0x1000 + n
    transfers.far_jump(cpu, 0x28, 0xDEAD, 4, 0x10010)
    assert [cpu.q[(GPR >> 3) + n] for n in range(8)] == [0xA0, 0xA1, 0xA2, 0xA3, 0x9000, 0xA5, 0xA6, 0xA7]
    assert (cpu.eip, cpu.eflags, cpu.tr.selector, cpu.cs.selector) == (0x7777, 0x202, 0x28, 8)
    assert cpu.cr0 & CR0_TS
    tss = machine.TSS
    assert machine.words(tss + 0x20, 1) == [0x10010]
    assert machine.words(tss + 0x28, 8) == [0x1000 + n for n in range(8)]
    assert machine.memory.load(machine.GDT + 0x2D, 1) == 0x8B, "the new TSS is busy"
    assert machine.memory.load(machine.GDT + 0x305, 1) == 0x89, "the old one is not any more"
    assert not cpu.eflags_rest & NT


def test_call_nests_and_iret_returns(machine):
    cpu = with_task(machine)
    cpu.rbx = 0x55
    transfers.far_call(cpu, 0x28, 0, 4, 0x10010)
    assert cpu.eflags_rest & NT
    assert machine.memory.load(OTHER, 2) == 0x300, "link to the caller"
    assert machine.memory.load(machine.GDT + 0x305, 1) == 0x8B, "the caller stays busy"
    iret.iret(cpu, 4, 0x8888)
    assert (cpu.tr.selector, cpu.eip, cpu.rbx) == (0x300, 0x10010, 0x55)
    assert machine.words(OTHER + 0x20, 2) == [0x8888, 0x202], "NT is not saved"
    assert machine.memory.load(machine.GDT + 0x2D, 1) == 0x89


def test_task_gate(machine):
    cpu = machine.protected(machine.segment(OTHER, 0x67, 0x89, 0), machine.gate(0x28, 0, 5, dpl=3), cpl=3)
    write_tss32(machine)
    transfers.far_jump(cpu, 0x33, 0, 4, 0)
    assert (cpu.tr.selector, cpu.cpl) == (0x28, 0)


@pytest.mark.parametrize(
    ("access", "limit", "cpl", "selector", "fault"),
    [
        (0x8B, 0x67, 0, 0x28, (EXC_GP, 0x28)),  # busy
        (0x09, 0x67, 0, 0x28, (EXC_NP, 0x28)),
        (0x89, 0x66, 0, 0x28, (EXC_TS, 0x28)),  # too short
        (0x89, 0x67, 3, 0x2B, (EXC_GP, 0x28)),  # DPL 0
        (0x81, 0x2A, 0, 0x28, (EXC_TS, 0x28)),
    ],
)
def test_refused_before_the_switch(machine, access, limit, cpl, selector, fault):
    cpu = machine.protected(machine.segment(OTHER, limit, access, 0), cpl=cpl)
    assert machine.raises(lambda: transfers.far_jump(cpu, selector, 0, 4, 0)) == fault
    assert (cpu.tr.selector, cpu.eip) == (0x300, 0x10000)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"cs": 0}, (EXC_TS, 0)),
        ({"cs": 0x10}, (EXC_TS, 0x10)),
        ({"cs": 0x18}, (EXC_TS, 0x18)),  # RPL 0, DPL 3
        ({"ss": 0}, (EXC_TS, 0)),
        ({"ss": 0x23}, (EXC_TS, 0x20)),
        ({"data": 0x7F8}, (EXC_TS, 0x7F8)),
        ({"ldt": 0x08}, (EXC_TS, 0x08)),
        ({"eip": 0x10, "cs": 0x30}, (EXC_GP, 0)),  # beyond the limit of CS
    ],
)
def test_faults_belong_to_the_new_task(machine, fields, fault):
    cpu = machine.protected(machine.segment(OTHER, 0x67, 0x89, 0), machine.segment(0, 0xF, 0x9A, 4))
    write_tss32(machine, **fields)
    assert machine.raises(lambda: transfers.far_jump(cpu, 0x28, 0, 4, 0)) == fault
    assert cpu.tr.selector == 0x28
    assert cpu.eip == fields.get("eip", 0x7777)


def test_trap_bit(machine):
    cpu = with_task(machine, trap=1)
    with pytest.raises(X86Exception) as info:
        transfers.far_jump(cpu, 0x28, 0, 4, 0)
    assert (info.value.vector, info.value.dr6) == (EXC_DB, 0x8000)


def test_16_bit_task(machine):
    cpu = machine.protected(machine.segment(OTHER, 0x2B, 0x81, 0))
    store = machine.memory.store
    store(OTHER + 0x0E, 2, 0x7777)
    store(OTHER + 0x10, 2, 0x0202)
    for n in range(8):
        store(OTHER + 0x12 + 2 * n, 2, 0xA0 + n)
    for n, selector in enumerate((0x10, 0x08, 0x10, 0x10)):
        store(OTHER + 0x22 + 2 * n, 2, selector)
    transfers.far_jump(cpu, 0x28, 0, 4, 0x10010)
    assert (cpu.eip, cpu.rax & 0xFFFF, cpu.cs.selector, cpu.fs.selector) == (0x7777, 0xA0, 8, 0)
    transfers.far_jump(cpu, 0x300, 0, 4, 0x7779)
    assert machine.memory.load(OTHER + 0x0E, 2) == 0x7779
    assert cpu.eip == 0x10010


def test_interrupt_through_a_task_gate_pushes_the_error_code(machine):
    cpu = with_task(machine)
    machine.descriptors(machine.gate(0x28, 0, 5), at=machine.IDT + 13 * 8)
    cpu.deliver(X86Exception(EXC_GP, 0x1234))
    assert cpu.eip == 0x7777
    assert machine.words(cpu.rsp, 1) == [0x1234]
    assert machine.words(machine.TSS + 0x20, 2) == [0x10000, 0x10002], "the fault's place, RF set"


def test_virtual_8086_task(machine):
    cpu = with_task(machine, eflags=0x20202, cs=0x1234, ss=0x2000, data=0x3000)
    transfers.far_jump(cpu, 0x28, 0, 4, 0)
    assert (cpu.cs.base, cpu.ds.base, cpu.cpl, cpu.cs.limit) == (0x12340, 0x30000, 3, 0xFFFF)
    assert cpu.real_mode


@pytest.mark.parametrize(
    ("base", "bits", "limit", "port", "size", "allowed"),
    [
        (0x68, b"\x00\x00\xff", 0x200, 4, 1, True),
        (0x68, b"\x10\x00\xff", 0x200, 4, 1, False),
        (0x68, b"\x10\x00\xff", 0x200, 3, 2, False),
        (0x68, b"\x10\x00\xff", 0x200, 2, 2, True),
        (0x68, b"\x00\x01\xff", 0x200, 7, 2, False),  # across bytes
        (0x68, b"\x00\x00\xff", 0x69, 8, 1, False),  # the byte after it would be beyond the limit
        (0x1FF0, b"\x00", 0x200, 0, 1, False),
    ],
)
def test_io_bitmap(machine, base, bits, limit, port, size, allowed):
    cpu = machine.protected(cpl=3)
    cpu.load_segment_cache(7, 0x300, machine.TSS, limit, 0x8B00)
    machine.memory.store(machine.TSS + 0x66, 2, base)
    machine.memory.write(machine.TSS + base, bits)
    assert tasks.io_permitted(cpu, port, size) is allowed
