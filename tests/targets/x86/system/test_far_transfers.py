"""Far jumps, calls, returns and call gates (SDM vol. 2, JMP, CALL, RET; vol. 3, 5.8)."""

from __future__ import annotations

import pytest

from pyqemu.targets.x86 import transfers
from pyqemu.targets.x86.layout import (
    CS,
    DS,
    ES,
    EXC_GP,
    EXC_NP,
    EXC_SS,
    EXC_TS,
    HF_CS64,
    SS,
)  # fmt: skip
from pyqemu.targets.x86.segmentation import load_segment

GATE16, GATE32 = 0x04, 0x0C


@pytest.mark.parametrize(
    ("access", "cpl", "rpl", "fault"),
    [
        (0x9A, 0, 0, None),
        (0x98, 0, 0, None),
        (0x9A, 0, 3, EXC_GP),  # RPL > CPL
        (0xFA, 3, 0, None),  # a smaller RPL is fine, CPL stays
        (0xFA, 0, 0, EXC_GP),  # DPL != CPL
        (0x9E, 3, 3, None),  # conforming: DPL <= CPL
        (0xFE, 0, 0, EXC_GP),  # conforming, DPL > CPL
        (0x92, 0, 0, EXC_GP),  # data
        (0x82, 0, 0, EXC_GP),  # LDT
        (0x8E, 0, 0, EXC_GP),  # interrupt gate
        (0x1A, 0, 0, EXC_NP),
    ],
)
def test_jump_to_code_segment(machine, access, cpl, rpl, fault):
    cpu = machine.protected(machine.segment(0x100, 0xFFF, access, 4), cpl=cpl)
    if fault is None:
        transfers.far_jump(cpu, 0x28 | rpl, 0x20, 4, 0)
        assert (cpu.cs.selector, cpu.eip, cpu.cpl) == (0x28 | cpl, 0x20, cpl)
        assert cpu.block_key()[0] == 0x120
    else:
        assert machine.raises(lambda: transfers.far_jump(cpu, 0x28 | rpl, 0x20, 4, 0)) == (fault, 0x28)


def test_jump_beyond_the_limit(machine):
    cpu = machine.protected(machine.segment(0, 0xFFF, 0x9A, 4))
    assert machine.raises(lambda: transfers.far_jump(cpu, 0x28, 0x1000, 4, 0)) == (EXC_GP, 0)
    assert machine.raises(lambda: transfers.far_jump(cpu, 3, 0, 4, 0)) == (EXC_GP, 0)
    assert machine.raises(lambda: transfers.far_jump(cpu, 0x800, 0, 4, 0)) == (EXC_GP, 0x800)


def test_call_and_return_at_the_same_level(machine):
    cpu = machine.protected(machine.segment(0, 0xFFFFF, 0x9A, 0xC))
    top = cpu.rsp
    transfers.far_call(cpu, 0x28, 0x20000, 4, 0x10005)
    assert machine.words(top - 8, 2) == [0x10005, 0x08]
    assert (cpu.cs.selector, cpu.eip, cpu.rsp) == (0x28, 0x20000, top - 8)
    transfers.far_return(cpu, 4, 0x10)
    assert (cpu.cs.selector, cpu.eip, cpu.rsp) == (0x08, 0x10005, top + 0x10)


def test_16_bit_call_pushes_words(machine):
    cpu = machine.protected()
    top = cpu.rsp
    transfers.far_call(cpu, 0x08, 0x1234, 2, 0x10005)
    assert machine.words(top - 4, 2, 2) == [0x0005, 0x08]


@pytest.mark.parametrize(
    ("dpl", "cpl", "rpl", "target", "fault"),
    [
        (3, 3, 3, 0x08, None),  # inward, to ring 0
        (3, 0, 0, 0x08, None),
        (2, 3, 3, 0x08, (EXC_GP, 0x28)),  # the gate's DPL keeps ring 3 out
        (2, 2, 3, 0x08, (EXC_GP, 0x28)),  # so does RPL
        (3, 3, 3, 0x10, (EXC_GP, 0x10)),  # leads to data
        (3, 0, 0, 0x18, (EXC_GP, 0x18)),  # leads outward
        (3, 3, 3, 0x00, (EXC_GP, 0)),  # leads nowhere
        (3, 3, 3, 0x7F8, (EXC_GP, 0x7F8)),
    ],
)
def test_call_gate_rights(machine, dpl, cpl, rpl, target, fault):
    cpu = machine.protected(machine.gate(target, 0x12345, GATE32, dpl=dpl), cpl=cpl if cpl in (0, 3) else 0)
    if cpl == 2:
        cpu.update_hflags(2)
    if fault is None:
        transfers.far_call(cpu, 0x28 | rpl, 0xDEAD, 4, 0x10007)
        assert (cpu.cs.selector, cpu.eip, cpu.cpl) == (0x08, 0x12345, 0)
    else:
        assert machine.raises(lambda: transfers.far_call(cpu, 0x28 | rpl, 0, 4, 0)) == fault


def test_gate_not_present(machine):
    cpu = machine.protected(machine.gate(8, 0, GATE32, present=False))
    assert machine.raises(lambda: transfers.far_call(cpu, 0x28, 0, 4, 0)) == (EXC_NP, 0x28)


@pytest.mark.parametrize(("kind", "size"), [(GATE32, 4), (GATE16, 2)])
def test_inner_call_copies_parameters(machine, kind, size):
    cpu = machine.protected(machine.gate(0x08, 0x12345, kind, dpl=3, count=3), cpl=3)
    user = cpu.rsp = 0xA000
    for n, value in enumerate((0x11111111, 0x22222222, 0x33333333)):
        machine.memory.store(user + size * n, size, value)
    transfers.far_call(cpu, 0x2B, 0, 4, 0x10007)
    frame = machine.words(cpu.rsp, 7, size)
    mask = (1 << 8 * size) - 1
    assert frame == [0x10007 & mask, 0x1B, 0x11111111 & mask, 0x22222222 & mask, 0x33333333 & mask, user, 0x23]
    assert cpu.rsp == machine.STACKS - 7 * size
    assert (cpu.ss.selector, cpu.cpl, cpu.eip) == (0x10, 0, 0x12345 & mask)
    load_segment(cpu, ES, 0x10)
    load_segment(cpu, DS, 0x23)
    transfers.far_return(cpu, size, 3 * size)
    assert (cpu.cs.selector, cpu.ss.selector, cpu.cpl, cpu.eip) == (0x1B, 0x23, 3, 0x10007 & mask)
    assert cpu.rsp == user + 3 * size
    assert (cpu.es.selector, cpu.ds.selector) == (0, 0x23), "data segments of ring 0 are dropped"


@pytest.mark.parametrize(
    ("stack", "fault"),
    [
        (0x00, (EXC_TS, 0)),
        (0x10, None),
        (0x13, (EXC_TS, 0x10)),  # RPL
        (0x20, (EXC_TS, 0x20)),  # DPL
        (0x08, (EXC_TS, 0x08)),  # code
        (0x30, (EXC_SS, 0x30)),  # not present
        (0x38, (EXC_SS, 0x38)),  # too small for the frame
        (0x7F0, (EXC_TS, 0x7F0)),
    ],
)
def test_new_stack_is_checked(machine, stack, fault):
    gate, absent, tiny = (
        machine.gate(8, 0x100, GATE32, dpl=3),
        machine.segment(access=0x12),
        machine.segment(0, 7, 0x92, 4),
    )
    cpu = machine.protected(gate, absent, tiny, cpl=3)
    machine.memory.store(machine.TSS + 8, 4, stack)
    if fault is None:
        transfers.far_call(cpu, 0x2B, 0, 4, 0)
    else:
        before = cpu.rsp, cpu.cs.selector, cpu.ss.selector, cpu.cpl
        assert machine.raises(lambda: transfers.far_call(cpu, 0x2B, 0, 4, 0)) == fault
        assert before == (cpu.rsp, cpu.cs.selector, cpu.ss.selector, cpu.cpl)


def test_tss_too_short_for_the_stack(machine):
    cpu = machine.protected(machine.gate(8, 0x100, GATE32, dpl=3), cpl=3)
    cpu.load_segment_cache(7, 0x300, machine.TSS, 8, 0x8B00)
    assert machine.raises(lambda: transfers.far_call(cpu, 0x2B, 0, 4, 0)) == (EXC_TS, 0x300)


@pytest.mark.parametrize(
    ("code", "stack", "fault"),
    [
        (0x1B, 0x23, None),
        (0x00, 0x23, (EXC_GP, 0)),
        (0x18, 0x23, (EXC_GP, 0x18)),  # RPL 0 does not fit DPL 3
        (0x0B, 0x23, (EXC_GP, 0x08)),
        (0x23, 0x23, (EXC_GP, 0x20)),  # data
        (0x1B, 0x00, (EXC_GP, 0)),
        (0x1B, 0x20, (EXC_GP, 0x20)),  # RPL
        (0x1B, 0x10, (EXC_GP, 0x10)),
        (0x1B, 0x2B, (EXC_SS, 0x28)),  # not present
    ],
)
def test_return_outward(machine, code, stack, fault):
    cpu = machine.protected(machine.segment(access=0x72))
    for n, value in enumerate((0x4000, code, 0x5000, stack)):
        machine.memory.store(cpu.rsp + 4 * n, 4, value)
    before = cpu.rsp
    if fault is None:
        transfers.far_return(cpu, 4, 0)
        assert (cpu.eip, cpu.cs.selector, cpu.rsp, cpu.ss.selector) == (0x4000, code, 0x5000, stack)
    else:
        assert machine.raises(lambda: transfers.far_return(cpu, 4, 0)) == fault
        assert (cpu.rsp, cpu.cs.selector) == (before, 0x08)


def test_return_inward_is_refused(machine):
    cpu = machine.protected(cpl=3)
    machine.memory.store(cpu.rsp, 4, 0)
    machine.memory.store(cpu.rsp + 4, 4, 0x08)
    assert machine.raises(lambda: transfers.far_return(cpu, 4, 0)) == (EXC_GP, 0x08)


def test_stack_overflow_of_a_far_call(machine):
    cpu = machine.protected(machine.segment(0, 0xFFF, 0x92, 4))
    load_segment(cpu, SS, 0x28)
    cpu.rsp = 0x1002
    assert machine.raises(lambda: transfers.far_call(cpu, 8, 0, 4, 0)) == (EXC_SS, 0)


def test_16_bit_stack_wraps(machine):
    cpu = machine.protected(machine.segment(0x20000, 0xFFFF, 0x92, 0))
    load_segment(cpu, SS, 0x28)
    cpu.rsp = 0xABCD0004
    transfers.far_call(cpu, 8, 0x111, 4, 0x222)
    assert cpu.rsp == 0xABCDFFFC, "the upper half is left alone"
    assert machine.words(0x20000, 1) == [8]
    assert machine.words(0x2FFFC, 1) == [0x222]


def test_long_mode_gate_has_sixteen_bytes(machine):
    cpu = machine.protected(0, 0, 0, 0)
    enter_long(machine)
    machine.descriptors(machine.segment(access=0x9A, flags=0xA), at=machine.GDT + 8)
    machine.descriptors(machine.gate(8, 0x55667788, GATE32, dpl=0), 0x00001122, at=machine.GDT + 0x28)
    cpu.rsp = 0x9000
    transfers.far_call(cpu, 0x28, 0, 4, 0x1234)
    assert cpu.eip == 0x112255667788
    assert cpu.hflags & HF_CS64
    assert machine.words(0x9000 - 16, 2, 8) == [0x1234, 8]


def enter_long(machine) -> None:
    """Identity-map the first 2 MiB (user, writable) and switch to long mode, 64-bit CS."""
    cpu = machine.cpu
    for table, entry in ((0x20000, 0x21007), (0x21000, 0x22007), (0x22000, 0x87)):
        machine.memory.store(table, 8, entry)
    cpu.cr4 |= 0x20
    cpu.cr3 = 0x20000
    cpu.efer |= 0xD00
    cpu.cr0 |= 0x80000000
    cpu.update_control()
    cpu.load_segment_cache(CS, 8, 0, 0xFFFFFFFF, 0xA09B00)
    cpu.tlb_flush()
    cpu.update_hflags(0)


def test_real_mode_call(machine):
    cpu = machine.cpu
    cpu.set_real_code(0x1000)
    cpu.ss.set_real(0x2000)
    cpu.rsp = 0x100
    transfers.far_call(cpu, 0x3000, 0x40, 2, 0x55)
    assert (cpu.cs.base, cpu.eip, cpu.rsp) == (0x30000, 0x40, 0xFC)
    assert machine.words(0x200FC, 2, 2) == [0x55, 0x1000]
    transfers.far_return(cpu, 2, 2)
    assert (cpu.cs.base, cpu.eip, cpu.rsp) == (0x10000, 0x55, 0x102)
