"""Processors after the first one: they wait until a kernel wants them, or run a program with the first."""

from __future__ import annotations

import struct
from pathlib import Path

import keystone as _keystone
import pytest

from pyqemu.boards.arm_board import ArmBoard
from pyqemu.boards.arm_pens import interrupt_pen, mailbox_pen
from pyqemu.util.errors import UserError
from tests.boards.arm_board_rig import board, machine

PLACES = {  # of each board: RAM, where to write the address for the second processor, and what makes it look
    "vexpress-a9": (0x6000_0000, 0x1000_0030, ((0x1E00_1000, 1), (0x1E00_1F00, 0x0002_0001))),
    "vexpress-a15": (0x8000_0000, 0x1C01_0030, ((0x2C00_1000, 1), (0x2C00_1F00, 0x0002_0001))),
    "raspi2": (0, 0x4000_009C, ()),
}
MARK = 0x1234


def assemble(text: str) -> bytes:
    code, _ = _keystone.Ks(_keystone.KS_ARCH_ARM, _keystone.KS_MODE_ARM).asm(text)
    return bytes(code)


@pytest.mark.parametrize("name", list(PLACES))
def test_the_second_processor_comes_when_it_is_called(name: str, tmp_path: Path) -> None:
    """The first one's kernel calls it; it leaves a mark in memory."""
    ram, where, calls = PLACES[name]
    stores = [(where, ram + 0x10000 + 0x100), *calls]
    lines = []
    for number in range(len(stores)):
        place = 0x80 + 8 * number
        lines += [f"ldr r0, [pc, #{place - 12 * number - 8}]", f"ldr r1, [pc, #{place + 4 - 12 * number - 12}]",
                  "str r1, [r0]"]  # fmt: skip
    main = assemble(";".join(lines) + "; idle: b idle").ljust(0x80, b"\0")
    main += b"".join(struct.pack("<II", address, value) for address, value in stores)
    second = f"movw r0, #{MARK:#x}; mov r1, #{ram:#x}; str r0, [r1, #0x40]; idle: b idle"
    path = tmp_path / "kernel"
    path.write_bytes(main.ljust(0x100, b"\0") + assemble(second))
    with machine(name, "-smp", "2", "-kernel", str(path)) as made:
        made.config.paused = False
        made.start()
        space = made.board.memory_space  # type: ignore[attr-defined]
        made.run_for(60, until=lambda: space.load(ram + 0x40, 4) == MARK, interval=0.01)
        assert space.load(ram + 0x40, 4) == MARK


def test_all_processors_run_a_program(tmp_path: Path) -> None:
    """One that is no kernel: each counts itself."""
    code = assemble("mrc p15, 0, r0, c0, c0, 5; and r0, r0, #3; mov r1, #0x60000000; add r1, r1, r0, lsl #2;"
                    "mov r2, #1; str r2, [r1, #0x100]; idle: b idle")  # fmt: skip
    head = (
        b"\x7fELF\1\1\1" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, 0x6001_0000, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    )
    segment = struct.pack("<8I", 1, 84, 0x6001_0000, 0x6001_0000, len(code), len(code), 5, 4)
    path = tmp_path / "program.elf"
    path.write_bytes(head + segment + code)
    with machine("vexpress-a9", "-smp", "4", "-kernel", str(path)) as made:
        made.config.paused = False
        made.start()
        space = made.board.memory_space  # type: ignore[attr-defined]
        made.run_for(60, until=lambda: space.read(0x6000_0100, 16) == struct.pack("<4I", 1, 1, 1, 1), interval=0.01)
        assert space.read(0x6000_0100, 16) == struct.pack("<4I", 1, 1, 1, 1)


def test_pens_are_what_their_comments_say() -> None:
    code = assemble("ldr r0, [pc, #36]; mov r1, #0xf0; str r1, [r0, #4]; mov r1, #1; str r1, [r0]; ldr r0, [pc, #20];"
                    "wait: wfi; ldr r1, [r0]; cmp r1, #0; beq wait; bx r1")  # fmt: skip
    assert interrupt_pen(1, 2) == code + struct.pack("<II", 1, 2)
    code = assemble("mrc p15, 0, r0, c0, c0, 5; and r0, r0, #3; ldr r1, [pc, #24]; add r1, r1, r0, lsl #4;"
                    "wait: wfe; ldr r2, [r1]; cmp r2, #0; beq wait; str r2, [r1]; bx r2")  # fmt: skip
    assert mailbox_pen(3) == code + struct.pack("<I", 3)


@pytest.mark.parametrize(("name", "most"), [("versatilepb", 1), ("vexpress-a9", 4), ("vexpress-a15", 4), ("raspi2", 4)])
def test_there_are_so_many_processors_at_most(name: str, most: int) -> None:
    with board(name, "-smp", str(most)) as made:
        assert isinstance(made, ArmBoard) and len(made.cpus) == most
    with (
        pytest.raises(UserError, match=f"exceeds max CPUs supported by machine '{name}' \\({most}\\)"),
        board(name, "-smp", str(most + 1)),
    ):
        pass
