"""Breakpoints on data and ports: traps, after the instruction that made the access (SDM vol. 3, 17.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyqemu.targets.x86.layout import CR4_DE, EXC_DB
from pyqemu.tcg.python_engine import PythonEngine
from pyqemu.tcg.stencil_engine import StencilEngine

WRITE, PORT, ACCESS = 1, 2, 3
BYTE, WORD, QUAD, DWORD = 0, 1, 2, 3
DATA = 0x20000
HANDLER = 0x7000
HANDLER_TEXT = """
    push eax; mov eax, [esp + 4]; mov [ebp], eax; mov eax, dr6; mov [ebp + 4], eax;
    xor eax, eax; mov dr6, eax; add ebp, 8; and dword ptr [esp + 12], 0xfffffeff; pop eax; iretd
"""  # stores its return address and DR6 at EBP, and ends single-stepping


@pytest.fixture(params=[PythonEngine, StencilEngine], ids=["python", "stencil"])
def traps(request: pytest.FixtureRequest, make_machine: Callable[..., Any], asm: Callable[..., bytes]) -> Any:
    """Run code with breakpoint 1 set; returns where it trapped: address and DR6 of each #DB."""

    def run(text: str, condition: int, length: int, address: int, *, cr4: int = 0, eflags: int = 2) -> list[Any]:
        machine = make_machine("qemu64", request.param())
        cpu = machine.protected()
        machine.memory.store(machine.IDT + 8 * EXC_DB, 8, machine.gate(0x08, HANDLER, 0x8E))
        machine.memory.write(HANDLER, asm(HANDLER_TEXT))
        machine.memory.write(DATA, bytes(64))
        cpu.cr4 |= cr4
        cpu.dr1, cpu.dr7 = address, 0x400 | 1 << 2 | condition << 20 | length << 22
        cpu.update_control()
        cpu.set_eflags(eflags)
        cpu.rbp, cpu.rsi, cpu.rdi, cpu.rcx = 0x30000, DATA, DATA + 32, 4
        machine.run(asm(text))
        count = (cpu.rbp - 0x30000) // 8
        words = machine.words(0x30000, 2 * count)
        return [(words[2 * n] - 0x10000, words[2 * n + 1] & 0xE00F) for n in range(count)]

    return run


def test_write_traps_after_the_instruction(traps: Any) -> None:
    assert traps("nop; mov [esi], eax; nop", WRITE, DWORD, DATA) == [(3, 2)]


def test_reads_are_no_writes(traps: Any) -> None:
    assert traps("mov eax, [esi]; mov [esi], eax", WRITE, DWORD, DATA) == [(4, 2)]
    assert traps("mov eax, [esi]; mov [esi], eax", ACCESS, DWORD, DATA) == [(2, 2), (4, 2)]


@pytest.mark.parametrize(
    ("text", "length", "hits"),
    [
        ("mov [esi + 3], al", DWORD, 1), ("mov [esi + 4], al", DWORD, 0), ("mov [esi - 1], al", DWORD, 0),
        ("mov [esi - 3], eax", DWORD, 1), ("mov [esi + 1], al", BYTE, 0), ("mov [esi + 1], al", WORD, 1),
        ("movq [esi], mm0", BYTE, 1), ("inc dword ptr [esi]", DWORD, 1), ("mov [esi + 7], al", QUAD, 1),
    ],
)  # fmt: skip
def test_range(traps: Any, text: str, length: int, hits: int) -> None:
    assert len(traps(text, WRITE, length, DATA)) == hits


def test_address_is_aligned_to_the_length(traps: Any) -> None:
    assert len(traps("mov [esi], al", WRITE, DWORD, DATA + 2)) == 1


def test_loop_traps_each_time(traps: Any) -> None:
    text = "again: mov [esi], ecx; dec ecx; jnz again"
    assert traps(text, WRITE, DWORD, DATA) == [(2, 2)] * 4


def test_push_and_call_write_the_stack(traps: Any) -> None:
    text = "mov esp, 0x20040; push eax; mov esp, 0x28000; nop"
    assert traps(text, WRITE, DWORD, DATA + 0x3C) == [(6, 2)]


def test_trap_flag_and_breakpoint_come_together(traps: Any) -> None:
    assert traps("mov [esi], eax", WRITE, DWORD, DATA, eflags=0x102)[0] == (2, 0x4002)


def test_port(traps: Any) -> None:
    text = "mov dx, 0x70; out dx, al; in al, 0x71; out 0x70, al"
    assert traps(text, PORT, BYTE, 0x70, cr4=CR4_DE) == [(5, 2), (9, 2)]
    assert traps(text, PORT, BYTE, 0x70) == [], "without CR4.DE there are none"


def test_disabled_breakpoints_leave_no_trace(make_machine: Callable[..., Any]) -> None:
    cpu = make_machine().protected()
    cpu.dr0, cpu.dr7 = DATA, 0x400 | 1 | WRITE << 16
    cpu.update_control()
    assert cpu.mmu.watch is not None
    cpu.dr7 = 0x400
    cpu.update_control()
    assert cpu.mmu.watch is None
