"""The IR of busy system instructions does what the Python helpers do: random states, both ways, everything
compared.
"""

from __future__ import annotations

import random
from contextlib import contextmanager, suppress

import pytest

from pyqemu.targets.x86 import interrupts, microcode
from pyqemu.targets.x86.layout import CR0_PG, CS, GPR, IF, M32, NT, SEG, TF, VM

SELECTORS = (
    0,
    1,
    3,
    8,
    0x0B,
    0x10,
    0x13,
    0x18,
    0x1B,
    0x20,
    0x23,
    0x28,
    0x2B,
    0x30,
    0x38,
    0x3B,
    0x40,
    0x43,
    0x48,
    0x0C,
    0x4FB,
)


@contextmanager
def helpers_only(monkeypatch):
    """Stage every instruction with its helper."""

    def only_helper(*arguments):
        arguments[-1]()

    with monkeypatch.context() as patch:
        for name in ("iret", "syscall", "sysret", "sysenter", "sysexit", "load_segment", "iret_real", "interrupt_real"):
            patch.setattr(microcode, name, only_helper)
        yield


class Pair:
    """Two machines that get the same state; the second one knows no microcode."""

    def __init__(self, make_machine, monkeypatch, setup):
        self.machines = make_machine(), make_machine()
        self.monkeypatch = monkeypatch
        for machine in self.machines:
            setup(machine)

    def run(self, code, prepare):
        fast, slow = self.machines
        first = self._run(fast, code, prepare)
        with helpers_only(self.monkeypatch):
            second = self._run(slow, code, prepare)
        assert first == second
        return first

    @staticmethod
    def _run(machine, code, prepare):
        cpu = machine.cpu
        machine.memory.write(0x10000, code)
        for n in range(16):
            cpu.q[(GPR >> 3) + n] = 0x1111_1111_1111_1111 * n
        cpu.eip = 0x10000
        prepare(machine)
        caught = []

        def deliver(exc):
            if exc.is_software:
                interrupts.deliver(cpu, exc)
            else:
                caught.append((exc.vector, exc.error_code))
            cpu.stop()

        cpu.deliver = deliver
        one_block(cpu)
        segments = list(cpu.q[SEG >> 3 : (SEG >> 3) + 64])
        registers = list(cpu.q[GPR >> 3 : (GPR >> 3) + 17])
        stack = machine.memory.read(0x9000, 0x1000)
        return caught, registers, cpu.eflags, cpu.hflags, segments, cpu.nmi_blocked, stack


class Stop(Exception):
    """The block has run."""


def one_block(cpu):
    """Run one block of one instruction, and not the one that it jumps to."""
    find = cpu.engine.find

    def stop():
        raise Stop

    def once():
        block = find()
        cpu.engine.find = stop
        return block

    cpu.engine._limit = lambda: 1
    cpu.engine.find = once
    with suppress(Stop):
        cpu.run()
    cpu.engine.find = find
    cpu._stopping = False


def tables(machine, cpl=0):
    """Descriptors of all sorts from 0x28 on."""
    segment = machine.segment
    return machine.protected(
        segment(0x1234, 0xFFF, 0x93, 4), segment(access=0xFB, flags=0xA), segment(access=0x92), segment(access=0x97),
        segment(0, 0xFFFFF, 0x91), cpl=cpl,
    )  # fmt: skip


def long_tables(machine):
    cpu = tables(machine)
    machine.descriptors(machine.segment(access=0x9B, flags=0xA), at=machine.GDT + 8)
    for table, entry in ((0x20000, 0x21007), (0x21000, 0x22007), (0x22000, 0x87)):
        machine.memory.store(table, 8, entry)
    cpu.cr4, cpu.cr3, cpu.efer = 0x620, 0x20000, 0xD01
    cpu.cr0 |= CR0_PG
    cpu.update_control()
    cpu.load_segment_cache(CS, 8, 0, M32, 0xA09B00)
    cpu.update_hflags(0)
    return cpu


def fresh(machine, cpl=0, *, long=False):
    """Put the segment registers back, with accessed bits set in the table."""
    cpu = machine.cpu
    for at in range(0x08, 0x28, 8):
        machine.memory.store(machine.GDT + at + 5, 1, machine.memory.load(machine.GDT + at + 5, 1) | 1)
    code, data, access = (0x08, 0x10, 0x9B) if cpl == 0 else (0x1B, 0x23, 0xFB)
    for index in range(6):
        if index == CS:
            cpu.load_segment_cache(index, code, 0, M32, 0xA09B00 | cpl << 13 if long else 0xC00000 | access << 8)
        else:
            cpu.load_segment_cache(index, data, 0, M32, 0xC09300 | cpl << 13)
    cpu.eflags_rest = 0
    cpu.update_hflags(cpl)


FLAGS = (0x202, 2, 0x246, 0x3202, 0x2, 0xCD7, 0x40202, 0x200202, 0x10202)


@pytest.mark.parametrize("seed", range(6))
def test_iret_32(make_machine, monkeypatch, seed):
    pair = Pair(make_machine, monkeypatch, tables)
    random.seed(seed)
    for _ in range(60):
        frame = [
            random.choice((0x4000, 0xFFFFFFFF, 0)), random.choice(SELECTORS if random.random() < 0.3 else (0x08, 0x1B)),
            random.choice(FLAGS) | random.choice((0, 0, 0, TF, NT, VM)), 0xA000 + random.randrange(0x100),
            random.choice(SELECTORS if random.random() < 0.3 else (0x23,)),
        ]  # fmt: skip
        before = random.choice((0, 0, 0, NT, IF))
        data = [random.choice((0, 0x23, 0x10)) for _ in range(4)]

        def prepare(machine, frame=frame, before=before, data=data):
            fresh(machine)
            cpu = machine.cpu
            cpu.rsp = 0x9F00
            for n, value in enumerate(frame):
                machine.memory.store(cpu.rsp + 4 * n, 4, value)
            for index, selector in zip((0, 3, 4, 5), data, strict=True):
                attributes = 0 if not selector else 0xC0F300 if selector == 0x23 else 0xC09300
                cpu.load_segment_cache(index, selector, 0, M32 if selector else 0, attributes)
            cpu.set_eflags(before)
            cpu.update_hflags()

        pair.run(b"\xcf", prepare)


@pytest.mark.parametrize("seed", range(6))
def test_iret_64(make_machine, monkeypatch, seed):
    pair = Pair(make_machine, monkeypatch, long_tables)
    random.seed(seed)
    for _ in range(60):
        frame = [
            random.choice((0x4000, 1 << 47, (1 << 64) - 1, 0x7FFF_FFFF_FFFF)),
            random.choice(SELECTORS if random.random() < 0.3 else (0x08, 0x33)),
            random.choice(FLAGS) | random.choice((0, 0, 0, TF, NT)), random.choice((0xA008, (1 << 64) - 64)),
            random.choice(SELECTORS if random.random() < 0.3 else (0x23, 0x10, 0)),
        ]  # fmt: skip
        data = [random.choice((0, 0x23, 0x10)) for _ in range(4)]

        def prepare(machine, frame=frame, data=data):
            cpu = machine.cpu
            fresh(machine, long=True)
            cpu.rsp = 0x9F00
            for n, value in enumerate(frame):
                machine.memory.store(cpu.rsp + 8 * n, 8, value)
            for index, selector in zip((0, 3, 4, 5), data, strict=True):
                attributes = 0 if not selector else 0xC0F300 if selector == 0x23 else 0xC09300
                cpu.load_segment_cache(index, selector, 0, M32 if selector else 0, attributes)

        pair.run(b"\x48\xcf", prepare)


@pytest.mark.parametrize("cpl", [0, 3])
@pytest.mark.parametrize(
    "code", [b"\x8e\xc0", b"\x8e\xd0", b"\x8e\xd8", b"\x8e\xe0", b"\x8e\xe8", b"\x07", b"\x17", b"\x0f\xa9"]
)
@pytest.mark.parametrize("mode", [32, 64])
def test_segment_loads(make_machine, monkeypatch, cpl, code, mode):
    if mode == 64 and (code in (b"\x07", b"\x17") or cpl):
        return
    pair = Pair(make_machine, monkeypatch, long_tables if mode == 64 else tables)
    for selector in SELECTORS:

        def prepare(machine, selector=selector):
            fresh(machine, cpl, long=mode == 64)
            machine.cpu.rax = selector | 0x12340000
            machine.cpu.rsp = 0x9F00
            machine.memory.store(0x9F00, 8, selector)

        pair.run(code, prepare)


@pytest.mark.parametrize(("code", "cpl", "long"), [
    (b"\x0f\x05", 3, True), (b"\x48\x0f\x07", 0, True), (b"\x0f\x07", 0, True), (b"\x0f\x34", 3, False),
    (b"\x0f\x35", 0, False), (b"\x0f\x34", 3, True), (b"\x48\x0f\x35", 0, True),
])  # fmt: skip
def test_fast_system_calls(make_machine, monkeypatch, code, cpl, long):
    pair = Pair(make_machine, monkeypatch, long_tables if long else tables)
    random.seed(1)
    for _ in range(60):
        rcx, rdx = random.choice((0x4000, 1 << 47, 0x7FFF_FFFF_F000)), random.choice((0x5000, 0xFFFF_8000_0000_0000))
        star, mask, image = (
            random.choice((0x0023_0010 << 32, 0x001B_0008 << 32)),
            random.choice((0x47700, 0x257FD5, 0)),
            random.choice(FLAGS),
        )
        r11, enabled, selector = (
            random.choice((*FLAGS, 0xFFFFFFFF & ~TF)),
            random.random() < 0.9,
            random.choice((0x10, 0, 0x13)),
        )
        supervisor_check = random.random() < 0.3

        def prepare(machine, values=(rcx, rdx, star, mask, image, r11, enabled, selector, supervisor_check)):
            cpu = machine.cpu
            fresh(machine, cpl, long=long)
            cpu.rcx, cpu.rdx, cpu.star, cpu.sfmask, image, cpu.r11, on, cpu.sysenter_cs, smap = values
            cpu.lstar, cpu.sysenter_eip, cpu.sysenter_esp = 0xFFFF_8000_0000_1000, 0x7000, 0x9000
            cpu.efer = cpu.efer & ~1 | on
            cpu.cr4 = cpu.cr4 & ~(1 << 21) | smap << 21
            cpu.update_control()
            cpu.set_eflags(image)
            cpu.rsp = 0x9F00

        pair.run(code, prepare)


def real(machine):
    cpu = machine.cpu
    cpu.set_real_code(0x1000)
    for index in (0, 2, 3, 4, 5):
        cpu.seg[index].set_real(0)


@pytest.mark.parametrize("code", [b"\xcf", b"\x66\xcf", b"\xcd\x21", b"\xcd\xff", b"\xcb", b"\x66\xcb", b"\xca\x04\x00",
                                  b"\xea\x34\x12\x00\x20", b"\x9a\x34\x12\x00\x20",
                                  b"\xff\x2e\x00\x05", b"\xff\x1e\x00\x05",
                                  b"\x66\xff\x2e\x00\x05"])  # fmt: skip
def test_real_mode(make_machine, monkeypatch, code):
    pair = Pair(make_machine, monkeypatch, real)
    random.seed(2)
    for _ in range(30):
        words = [random.randrange(0x10000) for _ in range(8)]
        image, limit = random.choice((*FLAGS, 0x302)), random.choice((0x3FF, 0x3FE, 0x87))

        def prepare(machine, words=words, image=image, limit=limit):
            cpu = machine.cpu
            real(machine)
            cpu.eip, cpu.rsp = 0, 0x9F00
            cpu.set_eflags(image & ~TF)
            cpu.idt_limit = limit
            cpu.update_hflags()
            for n, word in enumerate(words):
                machine.memory.store(0x9F00 + 2 * n, 2, word)
                machine.memory.store(0x500 + 2 * n, 2, word)
            machine.memory.store(0x84, 4, 0x2000_1234)
            machine.memory.store(0x3FC, 4, 0x3000_5678)

        pair.run(code, prepare)


def test_microcode_is_used(make_machine):
    """The comparison above would also succeed if every instruction went to its helper."""
    machine = make_machine()
    long_tables(machine)
    cpu = machine.cpu
    fresh(machine, long=True)
    for n, value in enumerate((0x10010, 8, 2, 0x9F00, 0x10)):
        machine.memory.store(0x9F00 + 8 * n, 8, value)
    cpu.rsp = 0x9F00
    machine.memory.write(0x10000, b"\x48\xcf")
    machine.memory.write(0x10010, b"\xf4")
    called = []
    numbers = cpu.helpers.functions
    cpu.run()
    called = [function.__name__ for function in numbers]
    assert "halt" in called
    assert cpu.eip == 0x10011
