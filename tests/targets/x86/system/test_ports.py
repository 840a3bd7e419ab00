"""String input and output in bulk (SDM vol. 2, INS, OUTS)."""

from __future__ import annotations

import pytest

from pyqemu.targets.x86 import ports
from pyqemu.targets.x86.layout import DF, DS, EXC_GP
from pyqemu.targets.x86.segmentation import load_segment


class Counter:
    """A port that counts its reads."""

    def __init__(self) -> None:
        self.next = 0

    def read(self, offset, size):
        self.next += 1
        return self.next

    def write(self, offset, size, value):
        raise AssertionError


@pytest.fixture
def counting(machine):
    machine.ports.read = Counter().read
    return machine


def start(machine, count, rdi=0x5000, rsi=0x5000):
    cpu = machine.protected()
    cpu.rcx, cpu.rdi, cpu.rsi, cpu.rdx = count, rdi, rsi, 0x1F0
    return cpu


def test_words_arrive_in_order(counting):
    cpu = start(counting, 256)
    ports.repeat_in(cpu, 2, 32)
    assert (cpu.rcx, cpu.rdi) == (0, 0x5200)
    assert counting.words(0x5000, 256, 2) == list(range(1, 257))


def test_across_pages_with_an_odd_address(counting):
    cpu = start(counting, 2048, rdi=0x5FFF)
    ports.repeat_in(cpu, 4, 32)
    assert (cpu.rcx, cpu.rdi) == (0, 0x5FFF + 8192)
    assert counting.words(0x5FFF, 2048) == list(range(1, 2049))


def test_one_call_is_bounded(counting):
    cpu = start(counting, 10000)
    ports.repeat_in(cpu, 1, 32)
    assert cpu.rcx == 10000 - ports.MAX_STRIDE
    assert cpu.rdi == 0x5000 + ports.MAX_STRIDE


def test_downwards(counting):
    cpu = start(counting, 3, rdi=0x5008)
    cpu.set_eflags(DF)
    ports.repeat_in(cpu, 4, 32)
    assert counting.words(0x5000, 3) == [3, 2, 1]
    assert cpu.rdi == 0x4FFC


def test_16_bit_addresses_wrap_and_keep_the_upper_halves(counting):
    cpu = start(counting, 0xABCD0002, rdi=0x1234FFFE)
    cpu.load_segment_cache(0, 0x10, 0x10000, 0xFFFF, 0x9300)
    ports.repeat_in(cpu, 2, 16)
    assert (cpu.rcx, cpu.rdi) == (0xABCD0000, 0x12340002)
    assert counting.words(0x1FFFE, 1, 2) == [1]
    assert counting.words(0x10000, 1, 2) == [2]


def test_limit_fault_leaves_the_registers_at_the_element(counting):
    cpu = start(counting, 8, rdi=0xFF8)
    cpu.load_segment_cache(0, 0x10, 0x5000, 0xFFF, 0x409300)
    assert counting.raises(lambda: ports.repeat_in(cpu, 2, 32)) == (EXC_GP, 0)
    assert (cpu.rcx, cpu.rdi) == (4, 0x1000), "four elements fit"


def test_out(machine):
    cpu = start(machine, 3, rsi=0x5000)
    machine.memory.write(0x5000, bytes(range(6)))
    ports.repeat_out(cpu, 2, 32, DS)
    assert machine.ports.log == [(0x1F0, 2, 0x0100), (0x1F0, 2, 0x0302), (0x1F0, 2, 0x0504)]
    assert (cpu.rcx, cpu.rsi) == (0, 0x5006)


def test_permission(machine):
    cpu = machine.protected(cpl=3)
    cpu.rcx = 1
    assert machine.raises(lambda: ports.repeat_in(cpu, 1, 32)) == (EXC_GP, 0)


def test_source_must_be_readable(machine):
    cpu = start(machine, 1)
    load_segment(cpu, DS, 0)
    assert machine.raises(lambda: ports.repeat_out(cpu, 1, 32, DS)) == (EXC_GP, 0)


def test_rep_insw_in_the_guest(counting, asm):
    cpu = counting.protected()
    counting.run(asm("mov edi, 0x5000; mov ecx, 5000; mov edx, 0x1f0; rep insw"))
    assert (cpu.rcx, cpu.rdi) == (0, 0x5000 + 10000)
    assert counting.words(0x5000, 5000, 2) == list(range(1, 5001))
