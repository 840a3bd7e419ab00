"""Limits and types of segments that are not flat (SDM vol. 3, 5.3 to 5.5): cases from the manual, Unicorn has none."""

from __future__ import annotations

import pytest

from pyqemu.targets.x86.layout import (
    CS,
    DESC_A,
    DESC_B,
    DESC_CODE,
    DESC_E,
    DESC_P,
    DESC_R,
    DESC_S,
    DESC_W,
    DS,
    ES,
    EXC_GP,
    EXC_SS,
    EXC_UD,
    SS,
)
from pyqemu.tcg.python_engine import PythonEngine
from pyqemu.tcg.stencil_engine import StencilEngine
from tests.targets.x86.differential.layout import CODE, CODE_SIZE, DATA_LOW, HLT, State
from tests.targets.x86.differential.machine import Ours, OursWhole

PRESENT = DESC_P | DESC_S | DESC_A
DATA, READ_ONLY, EXECUTE_ONLY = PRESENT | DESC_W | DESC_B, PRESENT | DESC_B, PRESENT | DESC_CODE | DESC_B
DOWN = DATA | DESC_E
CODE_READABLE = EXECUTE_ONLY | DESC_R
NULL = 0
OK = -1


@pytest.fixture(scope="module", params=["functions", "python", "stencil"])
def machine(request: pytest.FixtureRequest) -> Ours:
    if request.param == "functions":
        return Ours()
    machine = OursWhole(PythonEngine() if request.param == "python" else StencilEngine())
    machine.ram[:CODE_SIZE] = HLT * CODE_SIZE
    return machine


def run(machine: Ours, text: str, *, mode: int = 32, **registers: int) -> int:
    """Run an instruction; return the vector of its fault or -1. A fault must leave everything as it was."""
    names = ("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi")
    values = tuple(registers.get(name, 0) for name in names) + (0,) * 8
    state = State(values, (0, 0, 0x40), False, 0x100 if mode == 16 else CODE + 0x100)
    machine.cpu.update_hflags()
    outcome = machine.run(bytes.fromhex(text), state, repeats=False)
    if outcome.vector >= 0:
        assert (outcome.registers, outcome.pc) == (values, state.pc)
    return outcome.vector


def load(machine: Ours, index: int, limit: int, attributes: int, base: int = DATA_LOW) -> None:
    machine.cpu.load_segment_cache(index, 8 if attributes else 0, base if attributes else 0, limit, attributes)


@pytest.mark.parametrize(("limit", "attributes", "ebx", "write", "vector"), [
    (0xFFF, DATA, 0xFFC, False, OK),
    (0xFFF, DATA, 0xFFD, False, EXC_GP),        # the last byte is beyond the limit
    (0xFFF, DATA, 0xFFFFFFFE, False, EXC_GP),   # offset + size does not wrap
    (0xFFF, DATA, 0xFFC, True, OK),
    (0xFFF, DATA, 0x1000, True, EXC_GP),
    (0, DATA, 0, False, EXC_GP),                # four bytes, one allowed
    (0xFFF, READ_ONLY, 0, False, OK),
    (0xFFF, READ_ONLY, 0, True, EXC_GP),
    (0xFFF, EXECUTE_ONLY, 0, False, EXC_GP),
    (0xFFF, CODE_READABLE, 0, False, OK),
    (0xFFF, CODE_READABLE, 0, True, EXC_GP),
    (0xFFF, DOWN, 0xFFF, False, EXC_GP),        # expand-down: allowed is what is above the limit
    (0xFFF, DOWN, 0x1000, False, OK),
    (0xFFF, DOWN & ~DESC_B, 0xFFFC, False, OK),
    (0xFFF, DOWN & ~DESC_B, 0xFFFD, False, EXC_GP),  # upper bound is 64 KiB - 1 without B
    (0xFFFFFFFF, NULL, 0, False, EXC_GP),
    (0xFFFFFFFF, NULL, 0, True, EXC_GP),
])  # fmt: skip
def test_data_segment(machine: Ours, limit: int, attributes: int, ebx: int, write: bool, vector: int) -> None:
    machine.enter(32, fresh=True)
    load(machine, DS, limit, attributes)
    assert run(machine, "8903" if write else "8b03", ebx=ebx) == vector  # mov [ebx], eax; mov eax, [ebx]


@pytest.mark.parametrize(("text", "esp", "ebp", "vector"), [
    ("50", 0x1000, 0, OK),           # push eax
    ("50", 0x1004, 0, EXC_SS),
    ("50", 3, 0, EXC_SS),            # wraps to 0xFFFFFFFF
    ("58", 0xFFC, 0, OK),            # pop eax
    ("58", 0xFFD, 0, EXC_SS),
    ("8b4500", 0, 0xFFC, OK),        # mov eax, [ebp]
    ("8b4500", 0, 0xFFD, EXC_SS),
    ("3e8b4500", 0, 0xFFD, OK),      # mov eax, ds:[ebp]
    ("c3", 0xFFD, 0, EXC_SS),        # ret
    ("c9", 0, 0xFFD, EXC_SS),        # leave
    ("60", 0x1F, 0, EXC_SS),         # pusha
    ("61", 0xFE0, 0, OK),            # popa
    ("61", 0xFE1, 0, EXC_SS),
    ("c8000000", 0x1004, 0, EXC_SS), # enter 0, 0
    ("c8000000", 0x1000, 0, OK),
])  # fmt: skip
def test_stack_segment(machine: Ours, text: str, esp: int, ebp: int, vector: int) -> None:
    machine.enter(32, fresh=True)
    load(machine, SS, 0xFFF, DATA)
    load(machine, DS, 0xFFFF, DATA)
    assert run(machine, text, esp=esp, ebp=ebp) == vector


@pytest.mark.parametrize(("text", "vector"), [
    ("2e8b03", OK),        # mov eax, cs:[ebx]: readable code
    ("2e8903", EXC_GP),    # mov cs:[ebx], eax
    ("2e0103", EXC_GP),    # add cs:[ebx], eax
    ("2e0fb103", EXC_GP),  # cmpxchg cs:[ebx], eax
    ("2e8d03", OK),        # lea looks at no segment
    ("2e0f1f03", OK),      # neither does a hint
])  # fmt: skip
def test_code_segment_is_not_written_although_it_is_flat(machine: Ours, text: str, vector: int) -> None:
    machine.enter(32, fresh=True)
    assert run(machine, text, ebx=DATA_LOW) == vector


@pytest.mark.parametrize(("text", "registers", "vector"), [
    ("a4", {"esi": 0, "edi": 0xFFF}, OK),          # movsb
    ("a4", {"esi": 0, "edi": 0x1000}, EXC_GP),     # ES
    ("a4", {"esi": 0x800, "edi": 0}, EXC_GP),      # DS
    ("36a4", {"esi": DATA_LOW + 0x800, "edi": 0}, OK),  # SS instead
    ("aa", {"edi": 0x1000}, EXC_GP),
    ("ac", {"esi": 0x800}, EXC_GP),
    ("d7", {"ebx": 0x7FF, "eax": 1}, EXC_GP),      # xlat
    ("d7", {"ebx": 0x7FF, "eax": 0}, OK),
    ("0fa303", {"ebx": 0, "eax": 0x3FE0}, OK),     # bt: element 0x7FC
    ("0fa303", {"ebx": 0, "eax": 0x4000}, EXC_GP),
    ("0fa303", {"ebx": 0, "eax": 0xFFFFFFFF}, EXC_GP),
    ("0fc70b", {"ebx": 0x7F9}, EXC_GP),            # cmpxchg8b: 8 bytes
    ("a000080000", {}, EXC_GP),                    # mov al, moffs
    ("8a03", {"ebx": 0x7FF}, OK),
    ("8f03", {"ebx": 0x7FD, "esp": DATA_LOW}, EXC_GP),  # pop [ebx]
    ("8f44240c", {"esp": 0x1000 + DATA_LOW - 0x10}, OK),
])  # fmt: skip
def test_every_kind_of_operand_is_checked(machine: Ours, text: str, registers: dict[str, int], vector: int) -> None:
    machine.enter(32, fresh=True)
    load(machine, DS, 0x7FF, DATA)
    load(machine, ES, 0xFFF, DATA)
    assert run(machine, text, **registers) == vector


@pytest.mark.parametrize(("text", "vector"), [
    ("eb10", OK), ("e910000000", OK), ("e900100000", EXC_GP), ("e800100000", EXC_GP), ("7410", OK),
    ("0f8400100000", EXC_GP), ("0f8500100000", OK), ("ffe3", EXC_GP), ("ffd3", EXC_GP), ("e2f0", OK),
])  # fmt: skip
def test_jumps_beyond_the_code_segment(machine: Ours, text: str, vector: int) -> None:
    """The fault is the jump's own: EIP stays at it (SDM vol. 2, JMP)."""
    machine.enter(32, fresh=True)
    machine.cpu.load_segment_cache(CS, 8, 0, CODE + 0x1FF, EXECUTE_ONLY | DESC_R)
    assert run(machine, text, ebx=CODE + 0x200, esp=DATA_LOW + 0x100, ecx=5) == vector


@pytest.mark.parametrize(("text", "limit", "vector"), [
    ("0503020100", 0x104, OK), ("0503020100", 0x103, EXC_GP), ("90", 0x100, OK), ("90", 0xFF, EXC_GP),
    ("0f0b", 0x100, EXC_GP), ("0f0b", 0x101, EXC_UD),
])  # fmt: skip
def test_instructions_beyond_the_code_segment(machine: Ours, text: str, limit: int, vector: int) -> None:
    machine.enter(32, fresh=True)
    machine.cpu.load_segment_cache(CS, 8, 0, CODE + limit, EXECUTE_ONLY | DESC_R)
    # The HLT behind the instruction is beyond the limit as well: that is the next instruction's fault.
    assert run(machine, text) == vector


def test_base_is_added_modulo_4_gib(machine: Ours) -> None:
    machine.enter(32, fresh=True)
    load(machine, DS, 0xFFFFFFFF, DATA, base=0xFFFF0000)
    assert run(machine, "8b03", ebx=DATA_LOW + 0x10000) == OK
    assert run(machine, "8b03", ebx=0) == 14


@pytest.mark.parametrize(("text", "registers", "vector"), [
    ("8b07", {"ebx": 0xFFFF}, EXC_GP),        # mov ax, [bx]: a word at the last byte
    ("8a07", {"ebx": 0xFFFF}, OK),
    ("8b4701", {"ebx": 0xFFFF}, OK),          # the offset wraps to 0
    ("8b4600", {"ebp": 0xFFFF}, EXC_SS),
    ("678b03", {"ebx": 0x10000}, EXC_GP),     # 32-bit offset
    ("50", {"esp": 0}, OK),                   # push: SP wraps to 0xFFFE
    ("50", {"esp": 1}, EXC_SS),               # the word would be at 0xFFFF
])  # fmt: skip
def test_real_mode_limit_is_64_kib(machine: Ours, text: str, registers: dict[str, int], vector: int) -> None:
    bases = (DATA_LOW, 0x10000, *(DATA_LOW,) * 4)
    machine.enter(16, bases, fresh=True)
    assert run(machine, text, mode=16, **registers) == vector
