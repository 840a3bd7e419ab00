"""Two ends of a cable: frames go over, wait, or vanish."""

from __future__ import annotations

import pytest

from pyqemu.net import MAX_QUEUED, NetClient


class End:
    """An end that can be told to be busy."""

    def __init__(self, name: str = "end") -> None:
        self.taken: list[bytes] = []
        self.ready = True
        self.refuses = False
        self.changes = 0
        self.client = NetClient(name, "test", receive=self._receive, can_receive=lambda: self.ready,
                                link_changed=self._changed)  # fmt: skip

    def _receive(self, frame: bytes) -> bool:
        if not self.refuses:
            self.taken.append(frame)
        return not self.refuses

    def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
def ends() -> tuple[End, End]:
    left, right = End("left"), End("right")
    left.client.connect(right.client)
    return left, right


def test_frame_goes_over(ends: tuple[End, End]) -> None:
    left, right = ends
    assert left.client.send(b"a")
    assert right.client.send(b"b")
    assert (left.taken, right.taken) == ([b"b"], [b"a"])


def test_frame_vanishes_where_nobody_is() -> None:
    assert End().client.send(b"a")


@pytest.mark.parametrize("refuses", [False, True], ids=["cannot receive", "refuses"])
def test_frames_wait_in_order(ends: tuple[End, End], refuses: bool) -> None:
    left, right = ends
    right.ready, right.refuses = refuses, refuses
    gone: list[str] = []
    assert not left.client.send(b"a", lambda: gone.append("a"))
    right.ready, right.refuses = True, False
    assert not left.client.send(b"b"), "it may not overtake"
    right.client.flush()
    assert right.taken == [b"a", b"b"]
    assert gone == ["a"]
    assert left.client.send(b"c")


def test_queue_of_those_who_do_not_wait_is_bounded(ends: tuple[End, End]) -> None:
    left, right = ends
    right.ready = False
    for _ in range(MAX_QUEUED):
        assert not left.client.send(b"a")
    assert left.client.send(b"lost")
    assert not left.client.send(b"kept", lambda: None)
    right.ready = True
    right.client.flush()
    assert len(right.taken) == MAX_QUEUED + 1
    assert right.taken[-1] == b"kept"


def test_answer_in_the_midst_of_a_frame_waits_for_its_turn() -> None:
    """Two ends that answer each other at once would otherwise never return."""
    order: list[str] = []

    def left_receives(frame: bytes) -> bool:
        order.append(f"left {frame.decode()}")
        return True

    def right_receives(frame: bytes) -> bool:
        order.append(f"right {frame.decode()}")
        if frame == b"1":
            right.send(b"x")
            left.send(b"2")
        order.append("right done")
        return True

    left = NetClient("left", "test", receive=left_receives)
    right = NetClient("right", "test", receive=right_receives)
    left.connect(right)
    left.send(b"1")
    right.flush()
    assert order == ["right 1", "left x", "right done", "right 2", "right done"]


@pytest.mark.parametrize("side", [0, 1])
def test_pulled_cable(ends: tuple[End, End], side: int) -> None:
    left, right = ends
    ends[side].client.set_link(False)
    assert left.client.send(b"a")
    assert right.taken == []
    ends[side].client.set_link(True)
    left.client.send(b"b")
    assert right.taken == [b"b"]
    assert ends[side].changes == 2


def test_link_that_is_as_it_was_is_no_change(ends: tuple[End, End]) -> None:
    left, _ = ends
    left.client.set_link(True)
    assert left.changes == 0


def test_pulled_cable_loses_what_waits(ends: tuple[End, End]) -> None:
    left, right = ends
    right.ready = False
    gone: list[int] = []
    left.client.send(b"a", lambda: gone.append(1))
    right.client.set_link(False)
    assert (right.client.queued, gone) == (0, [1])


def test_disconnected_ends_know_nothing_of_each_other(ends: tuple[End, End]) -> None:
    left, right = ends
    right.ready = False
    left.client.send(b"a")
    left.client.disconnect()
    assert left.client.peer is None
    assert right.client.peer is None
    assert right.client.queued == 0
