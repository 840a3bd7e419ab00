"""Loading segment registers: every check of SDM vol. 2, MOV, and vol. 3, 5.2 to 5.6."""

from __future__ import annotations

import pytest

from pyqemu.targets.x86.layout import (
    CS,
    DS,
    ES,
    EXC_GP,
    EXC_NP,
    EXC_SS,
    FS,
    HF_CS32,
    HF_CS_FLAT,
    HF_DS_FLAT,
    HF_ES_FLAT,
    HF_SS32,
    HF_SS_FLAT,
    SS,
)  # fmt: skip
from pyqemu.targets.x86.segmentation import load_ldtr, load_segment, load_tr

NO_CHANGE = 0x10


@pytest.mark.parametrize(
    ("access", "cpl", "rpl", "fault"),
    [
        (0x92, 0, 0, None),  # writable data
        (0x90, 0, 0, None),  # read-only data
        (0x9A, 0, 0, None),  # readable code
        (0x98, 0, 0, EXC_GP),  # execute-only code
        (0x9E, 3, 3, None),  # conforming readable code: from everywhere
        (0x9C, 0, 0, EXC_GP),  # conforming, execute-only
        (0x82, 0, 0, EXC_GP),  # an LDT
        (0x8C, 0, 0, EXC_GP),  # a call gate
        (0x12, 0, 0, EXC_NP),  # not present
        (0x10, 3, 0, EXC_GP),  # privilege goes before presence
        (0x92, 3, 0, EXC_GP),  # CPL > DPL
        (0x92, 0, 3, EXC_GP),  # RPL > DPL
        (0xF2, 3, 3, None),
        (0xF2, 0, 3, None),
        (0xD2, 2, 1, None),
        (0xD2, 3, 0, EXC_GP),
    ],
)
def test_data_segment(machine, access, cpl, rpl, fault):
    cpu = machine.protected(machine.segment(0x12345, 0xFFF, access, 0x4), cpl=cpl)
    selector = 0x28 | rpl
    if fault is None:
        load_segment(cpu, DS, selector)
        assert (cpu.ds.selector, cpu.ds.base, cpu.ds.limit) == (selector, 0x12345, 0xFFF)
        assert machine.memory.load(machine.GDT + 0x2D, 1) == access | 1, "accessed bit"
    else:
        assert machine.raises(lambda: load_segment(cpu, DS, selector)) == (fault, 0x28)
        assert cpu.ds.selector & ~3 in (NO_CHANGE, 0x20)


@pytest.mark.parametrize(
    ("access", "cpl", "rpl", "fault"),
    [
        (0x92, 0, 0, None),
        (0x96, 0, 0, None),  # expand-down
        (0x90, 0, 0, (EXC_GP, 0x28)),  # not writable
        (0x9A, 0, 0, (EXC_GP, 0x28)),  # code
        (0x92, 0, 1, (EXC_GP, 0x28)),  # RPL != CPL
        (0xF2, 0, 0, (EXC_GP, 0x28)),  # DPL != CPL
        (0xF2, 3, 3, None),
        (0x12, 0, 0, (EXC_SS, 0x28)),  # not present
    ],
)
def test_stack_segment(machine, access, cpl, rpl, fault):
    cpu = machine.protected(machine.segment(0, 0xFFF, access, 0), cpl=cpl)
    if fault is None:
        load_segment(cpu, SS, 0x28 | rpl)
        assert cpu.ss.selector == 0x28 | rpl
        assert not cpu.hflags & HF_SS32
    else:
        assert machine.raises(lambda: load_segment(cpu, SS, 0x28 | rpl)) == fault


def test_null_selectors(machine):
    cpu = machine.protected()
    for selector in (0, 1, 2, 3):
        load_segment(cpu, ES, selector)
        assert cpu.es.readable_range == (1, 0), "no access is possible"
    assert not cpu.hflags & HF_ES_FLAT
    assert machine.raises(lambda: load_segment(cpu, SS, 0)) == (EXC_GP, 0)


def test_table_limits(machine):
    cpu = machine.protected()
    cpu.gdt_limit = 0x2E  # the last byte of entry 5 is missing
    assert machine.raises(lambda: load_segment(cpu, DS, 0x28)) == (EXC_GP, 0x28)
    cpu.gdt_limit = 0x2F
    machine.descriptors(machine.segment(), at=machine.GDT + 0x28)
    load_segment(cpu, DS, 0x28)


def test_ldt_selectors(machine):
    cpu = machine.protected()
    machine.descriptors(0, machine.segment(0x777, 0xF), at=machine.LDT)
    load_segment(cpu, FS, 0x0C)
    assert (cpu.fs.base, cpu.fs.limit) == (0x777, 0xFFFF)
    cpu.ldtr.set_raw(0, 0, 0, 0)
    assert machine.raises(lambda: load_segment(cpu, FS, 0x0C)) == (EXC_GP, 0x0C)


def test_granularity_and_base(machine):
    cpu = machine.protected(machine.segment(0xFEDCBA98, 0xABCDE, 0x92, 0x8), machine.segment(1, 0xABCDE, 0x92, 0))
    load_segment(cpu, DS, 0x28)
    assert (cpu.ds.base, cpu.ds.limit) == (0xFEDCBA98, 0xABCDEFFF)
    load_segment(cpu, DS, 0x30)
    assert cpu.ds.limit == 0xABCDE


@pytest.mark.parametrize(
    ("access", "flags", "readable", "writable"),
    [
        (0x92, 4, (0, 0x1234), (0, 0x1234)),
        (0x90, 4, (0, 0x1234), (1, 0)),
        (0x96, 4, (0x1235, 0xFFFFFFFF), (0x1235, 0xFFFFFFFF)),  # expand-down, B set
        (0x96, 0, (0x1235, 0xFFFF), (0x1235, 0xFFFF)),  # expand-down, B clear
        (0x94, 0, (0x1235, 0xFFFF), (1, 0)),
        (0x9A, 4, (0, 0x1234), (1, 0)),  # code is never writable
    ],
)
def test_access_ranges(machine, access, flags, readable, writable):
    cpu = machine.protected(machine.segment(0, 0x1234, access, flags))
    load_segment(cpu, DS, 0x28)
    assert cpu.ds.readable_range == readable
    assert cpu.ds.writable_range == writable


def test_flat_bits_follow_the_segments(machine):
    cpu = machine.protected(machine.segment(0x10), machine.segment(access=0x90), machine.segment(access=0x96))
    everything = HF_CS_FLAT | HF_SS_FLAT | HF_DS_FLAT | HF_ES_FLAT
    assert cpu.hflags & everything == everything
    assert cpu.hflags & HF_CS32
    for selector in (0x28, 0x30, 0x38):  # a base; read-only; expand-down
        load_segment(cpu, DS, selector)
        assert not cpu.hflags & HF_DS_FLAT
        load_segment(cpu, DS, 0x10)
        assert cpu.hflags & HF_DS_FLAT


def test_real_mode_keeps_the_limit(machine):
    """ "Unreal mode": limits loaded in protected mode stay (SDM vol. 3, 20.1.1 says 64 KiB; processors keep the
    cache).
    """
    cpu = machine.protected()
    load_segment(cpu, DS, 0x10)
    cpu.cr0 &= ~1
    cpu.update_control()
    cpu.update_segment_ranges()
    load_segment(cpu, DS, 0x1234)
    assert (cpu.ds.base, cpu.ds.limit) == (0x12340, 0xFFFFFFFF)
    assert cpu.cs.writable_range == (0, 0xFFFFFFFF), "no type checks in real mode"


def test_same_address_with_other_cs_base_is_another_mode(machine):
    cpu = machine.cpu
    cpu.set_real_code(0x1000)
    cpu.eip = 0x10
    first = cpu.block_key()
    cpu.set_real_code(0x1001)
    cpu.eip = 0
    assert cpu.block_key()[0] == first[0]
    assert cpu.block_key()[1] != first[1]


@pytest.mark.parametrize(
    ("entry", "selector", "fault"),
    [
        ((0x5000, 0x67, 0x89, 0), 0x28, None),
        ((0x5000, 0x67, 0x81, 0), 0x28, None),  # 16-bit
        ((0x5000, 0x67, 0x8B, 0), 0x28, (EXC_GP, 0x28)),  # busy
        ((0x5000, 0x67, 0x82, 0), 0x28, (EXC_GP, 0x28)),  # LDT
        ((0x5000, 0x67, 0x09, 0), 0x28, (EXC_NP, 0x28)),
        ((0x5000, 0x67, 0x89, 0), 0, (EXC_GP, 0)),
        ((0x5000, 0x67, 0x89, 0), 0x2C, (EXC_GP, 0x2C)),  # in the LDT
    ],
)
def test_ltr(machine, entry, selector, fault):
    cpu = machine.protected(machine.segment(*entry))
    if fault is not None:
        assert machine.raises(lambda: load_tr(cpu, selector)) == fault
        return
    load_tr(cpu, selector)
    assert (cpu.tr.base, cpu.tr.limit) == (0x5000, 0x67)
    assert machine.memory.load(machine.GDT + 0x2D, 1) == entry[2] | 2, "busy in the table"


@pytest.mark.parametrize(
    ("access", "selector", "fault"),
    [(0x82, 0x28, None), (0x82, 0, None), (0x89, 0x28, (EXC_GP, 0x28)), (0x02, 0x28, (EXC_NP, 0x28)),
     (0x82, 0x2C, (EXC_GP, 0x2C)), (0x92, 0x28, (EXC_GP, 0x28))],
)  # fmt: skip
def test_lldt(machine, access, selector, fault):
    cpu = machine.protected(machine.segment(0x6000, 0x17, access, 0))
    if fault is None:
        load_ldtr(cpu, selector)
        assert cpu.ldtr.base == (0x6000 if selector else 0)
    else:
        assert machine.raises(lambda: load_ldtr(cpu, selector)) == fault


@pytest.mark.parametrize(
    ("code", "bits", "vector", "error"),
    [
        ("mov eax, [0x1000]", 32, EXC_GP, 0),  # 1 byte above DS's limit
        ("mov al, [0xfff]", 32, None, None),
        ("mov ax, [0xfff]", 32, EXC_GP, 0),
        ("mov eax, ss:[0xffd]", 32, EXC_SS, 0),
        ("mov [0x10], eax", 32, None, None),
        ("mov cs:[0x10], eax", 32, EXC_GP, 0),  # code isn't writable
        ("mov eax, es:[0]", 32, EXC_GP, 0),  # null
        ("mov fs:[0], al", 32, EXC_GP, 0),  # read-only
        ("mov al, fs:[0]", 32, None, None),
    ],
)
def test_limits_and_types_in_translated_code(machine, asm, code, bits, vector, error):
    small = machine.segment(0, 0xFFF, 0x92, 4)
    cpu = machine.protected(small, machine.segment(0, 0xFFF, 0x90, 4))
    for index, selector in ((DS, 0x28), (SS, 0x28), (ES, 0), (FS, 0x30)):
        load_segment(cpu, index, selector)
    machine.memory.write(0x10000, asm(code, bits) + b"\xf4")
    cpu.eip = 0x10000
    caught = []
    cpu.deliver = lambda exc: (caught.append((exc.vector, exc.error_code)), cpu.stop())
    cpu.run()
    assert caught == ([] if vector is None else [(vector, error)])
    assert cpu.seg[CS].selector == 8
