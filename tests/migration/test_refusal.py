"""What a destination has said back: whether it refuses the machine, and why."""

from __future__ import annotations

import pytest

from pyqemu.migration.refusal import MOST_TEXT, SHUT, reason_in
from pyqemu.migration.state import commands
from pyqemu.migration.state.commands import Message


def test_it_begins_with_the_message_of_the_return_path() -> None:
    assert commands.shut(failed=True) == SHUT


@pytest.mark.parametrize(
    ("heard", "reason"),
    [
        (b"", None),
        (b"\0", None),
        (commands.shut(failed=False), None),
        (commands.pong(1), None),
        (b"HTTP/1.0 400 Bad Request", None),
        (b"\0\7\0\4\0\0\0\1", None),
        (SHUT, ""),
        (SHUT + b"no room", "no room"),
        (SHUT + SHUT + b"no room", "no room"),
        (commands.pong(1) + SHUT + SHUT + b"no room", "no room"),
        (commands.pong(1) + commands.shut(failed=False) + b"no room", None),
        (SHUT + "naïve\x1b[1m\n".encode(), "naïve?[1m?"),
        (SHUT + b"x" * 5000, "x" * MOST_TEXT),
        (SHUT + b"\xff", "\ufffd"),
        (SHUT[:-1], None),
        (commands.pong(1)[:6] + SHUT, None),
    ],
)
def test_reason(heard: bytes, reason: str | None) -> None:
    assert reason_in(heard) == reason


def test_messages_of_the_return_path_are_known() -> None:
    for kind in Message:
        message = bytes((0, kind, 0, 2)) + b"ab"
        assert reason_in(message + SHUT + b"why") == "why"
