"""INT 09h and INT 16h."""

from __future__ import annotations

import pytest

from pyqemu.firmware.bios.int16 import translate
from tests.firmware.bios.rig import Board, key

LEFT_SHIFT, CTRL, ALT, CAPS, NUM = 0x2A, 0x1D, 0x38, 0x3A, 0x45


@pytest.fixture
def board() -> Board:
    board = Board()
    board.power_on()
    return board


def get(board: Board, function: int = 0x10) -> int:
    frame = board.call(0x16, eax=function << 8)
    assert board.verdict == 0
    return frame.ax


@pytest.mark.parametrize(
    ("codes", "word"),
    [
        ((0x1E,), 0x1E61),  # a
        ((LEFT_SHIFT, 0x1E), 0x1E41),
        ((CAPS, CAPS | 0x80, 0x1E), 0x1E41),
        ((CAPS, CAPS | 0x80, LEFT_SHIFT, 0x1E), 0x1E61),
        ((CAPS, CAPS | 0x80, 0x02), 0x0231),  # caps lock is for letters
        ((CTRL, 0x2E), 0x2E03),
        ((0xE0, CTRL, 0x2E), 0x2E03),  # right Ctrl
        ((ALT, 0x10), 0x1000),
        ((0x3B,), 0x3B00),  # F1
        ((0x58,), 0x8600),  # F12
        ((0x48,), 0x4800),  # keypad up
        ((NUM, NUM | 0x80, 0x48), 0x4838),
        ((0xE0, 0x48), 0x48E0),  # grey up
        ((0xE0, 0x1C), 0xE00D),  # keypad Enter
        ((LEFT_SHIFT, LEFT_SHIFT | 0x80, 0x1E), 0x1E61),
    ],
)
def test_keys(board: Board, codes: tuple[int, ...], word: int) -> None:
    key(board, *codes)
    assert get(board) == word


def test_old_functions_hide_new_keys(board: Board) -> None:
    key(board, 0x58, 0xE0, 0x48, 0xE0, 0x1C)
    assert get(board, 0x00) == 0x4800
    assert get(board, 0x00) == 0x1C0D


def test_an_empty_buffer_waits(board: Board) -> None:
    board.call(0x16, eax=0)
    assert board.verdict == 1
    assert board.call(0x16, eax=0x0100).zero
    key(board, 0x1E)
    frame = board.call(0x16, eax=0x0100)
    assert (frame.zero, frame.ax) == (False, 0x1E61)
    assert get(board) == 0x1E61


def test_buffer_holds_fifteen_keys(board: Board) -> None:
    key(board, *[0x1E] * 20)
    count = 0
    while not board.call(0x16, eax=0x1100).zero:
        get(board)
        count += 1
    assert count == 15


def test_a_program_can_put_keys(board: Board) -> None:
    assert board.call(0x16, eax=0x0500, ecx=0x1234).al == 0
    assert get(board) == 0x1234


def test_flags(board: Board) -> None:
    key(board, LEFT_SHIFT, 0xE0, CTRL)
    assert board.call(0x16, eax=0x0200).al == 0x02 | 0x04
    assert board.call(0x16, eax=0x1200).ah == 0x04  # right Ctrl
    key(board, LEFT_SHIFT | 0x80, 0xE0, CTRL | 0x80)
    assert board.call(0x16, eax=0x0200).al == 0
    key(board, 0x52)
    assert board.call(0x16, eax=0x0200).al == 0x80


def test_alt_and_digits_make_a_character(board: Board) -> None:
    key(board, ALT, 0x4D, 0x4C, ALT | 0x80)  # 6, 5
    assert get(board) & 0xFF == 65


def test_ctrl_alt_del_resets(board: Board) -> None:
    resets: list[object] = []
    board.system.request_reset = lambda *cause: resets.append(cause)  # type: ignore[method-assign]
    key(board, CTRL, ALT, 0x53)
    assert board.verdict == 8
    assert board.memory.load(0x472, 2) == 0x1234
    assert resets


def test_break_calls_int_1b(board: Board) -> None:
    board.memory.store(4 * 0x1B, 4, 0x12345678)
    key(board, 0x1E, CTRL, 0x46)
    assert board.verdict == 6
    assert board.memory.load(0x9FC60, 4) == 0x12345678
    assert board.memory.load(0x471, 1) & 0x80
    assert get(board) == 0


def test_pause_is_swallowed_whole(board: Board) -> None:
    key(board, 0xE1, 0x1D, 0x45, 0xE1, 0x9D, 0xC5, 0x1E)
    assert get(board) == 0x1E61
    assert board.call(0x16, eax=0x0200).al == 0


def test_every_plain_key_has_its_scan_code() -> None:
    for code in (*range(0x02, 0x1D), *range(0x1E, 0x2A), *range(0x2B, 0x36)):
        assert translate(code, 0, False) >> 8 == code
