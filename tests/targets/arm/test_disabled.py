"""What SCTLR of ARMv8 disables of old (ARM DDI 0487A.f, D7.2.81, G6.2.118): SED, ITD, CP15BEN.

QEMU knows none of them.
"""

from __future__ import annotations

import pytest

from pyqemu.targets.arm.exceptions import Kind
from pyqemu.targets.arm.modes import it_of
from tests.targets.arm.guest import CODE, Guest

CP15BEN, ITD, SED = 1 << 5, 1 << 7, 1 << 8
USER, SVC = 0x10, 0x13
BARRIERS = ("c7, c5, 4", "c7, c10, 4", "c7, c10, 5")
IT_EQ, ITT_EQ, ITE_EQ = 0xBF08, 0xBF04, 0xBF0C
PLAIN = {"adds r0, #1": 0x1C40, "ldr r0, [r0]": 0x6800, "lsls r0, r0, #1": 0x0040, "add r0, r1": 0x4408,
         "ldr r0, [sp]": 0x9800, "add r0, sp, #0": 0xA800, "bx r1": 0x4708, "strb r0, [r0]": 0x7000}  # fmt: skip
DEPRECATED = {"b": 0xE000, "svc #0": 0xDF00, "udf #0": 0xDE00, "ldm r0, {r1}": 0xC802, "push {r0}": 0xB401,
              "nop": 0xBF00, "bkpt": 0xBE00, "add r0, pc, #0": 0xA000, "ldr r0, [pc]": 0x4800, "mov r0, pc": 0x4678,
              "bx pc": 0x4778, "cmp r1, pc": 0x4579, "mov pc, r1": 0x468F, "add pc, r1": 0x448F}  # fmt: skip


def guest_with(bits: int, engine: str = "python", model: str = "max") -> Guest:
    guest = Guest(engine, model=model)
    write_control(guest, bits)
    return guest


def write_control(guest: Guest, bits: int) -> None:
    """Write SCTLR."""
    guest.cpu.set_cpsr(SVC)
    guest.cpu.write_coprocessor(15, 0, 1, 0, 0, bits)


def is_undefined(guest: Guest, text: str, *, thumb: bool = False, mode: int = USER, at: int = CODE) -> bool:
    """Whether the instruction at an address is UNDEFINED, and all before it run."""
    found = guest.run(text, thumb=thumb, mode=mode)
    return found is not None and found.kind is Kind.UNDEFINED and guest.cpu.pc == at


@pytest.mark.parametrize("engine", ["python", "stencil"])
@pytest.mark.parametrize("mode", [USER, SVC])
def test_setend(engine: str, mode: int) -> None:
    """Bits that are written count for what comes behind."""
    guest = guest_with(0, engine)
    assert guest.run("setend be; setend le", mode=mode) is None
    write_control(guest, SED)
    assert is_undefined(guest, "setend be", mode=mode)
    assert is_undefined(guest, ".hword 0xb658", thumb=True, mode=mode)
    write_control(guest, 0)
    assert guest.run("setend be; setend le", mode=mode) is None


@pytest.mark.parametrize("mode", [USER, SVC])
@pytest.mark.parametrize("barrier", BARRIERS)
def test_barriers_of_coprocessor_15(mode: int, barrier: str) -> None:
    text = f"mcr p15, #0, r0, {', #'.join(barrier.rsplit(', ', 1))}"
    assert guest_with(CP15BEN).run(text, mode=mode) is None
    assert is_undefined(guest_with(0), text, mode=mode)


@pytest.mark.parametrize("word", PLAIN.values(), ids=list(PLAIN))
def test_an_it_block_of_one_plain_instruction(word: int) -> None:
    guest = guest_with(ITD)
    text = f".hword {IT_EQ:#x}; .hword {word:#x}"
    assert not is_undefined(guest, text, thumb=True, at=CODE)
    assert guest.cpu.pc != CODE + 2


@pytest.mark.parametrize("engine", ["python", "stencil"])
@pytest.mark.parametrize("zero", [0, 1])
@pytest.mark.parametrize("word", DEPRECATED.values(), ids=list(DEPRECATED))
def test_deprecated_instructions_in_an_it_block(word: int, zero: int, engine: str) -> None:
    """Whatever the condition says."""
    guest = guest_with(ITD, engine)
    guest.cpu.nzcv = zero << 30
    assert is_undefined(guest, f".hword {IT_EQ:#x}; .hword {word:#x}", thumb=True, at=CODE + 2)
    assert it_of(guest.cpu.cpsr) == 0x08


def test_long_it_blocks_and_long_instructions() -> None:
    for word in (ITT_EQ, ITE_EQ):
        assert is_undefined(guest_with(ITD), f".hword {word:#x}", thumb=True)
        assert not is_undefined(guest_with(0), f".hword {word:#x}", thumb=True)
    text = f".hword {IT_EQ:#x}; add.w r0, r0, #1"
    assert is_undefined(guest_with(ITD), text, thumb=True, at=CODE + 2)
    assert guest_with(0).run(text, thumb=True) is None


def test_older_processors_have_none_of_it() -> None:
    guest = guest_with(SED | ITD, model="cortex-a15")
    assert guest.run("setend be; setend le; mcr p15, #0, r0, c7, c10, #5") is None
    assert guest.run(f".hword {ITT_EQ:#x}; nop; nop", thumb=True) is None
