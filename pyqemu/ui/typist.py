"""Typing at a speed that a guest can follow."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from pyqemu.system.clock import Clock
from pyqemu.ui.keys import parse_combination, strokes

MILLISECOND = 1_000_000
STROKE_TIME = 10 * MILLISECOND  # between two events when typing a text
HOLD_TIME = 100 * MILLISECOND  # how long ``sendkey`` holds its keys

PutKey = Callable[[str, bool], None]


class Typist:
    """Queues key events and plays them to a keyboard, by the guest's clock.

    :param put_key: takes a key's name and whether it goes down
    """

    def __init__(self, put_key: PutKey, clock: Clock) -> None:
        self._put_key, self._clock = put_key, clock
        self._events: deque[tuple[int, str, bool]] = deque()
        self._timer = clock.timer(self._play)
        self._last = clock.now() - HOLD_TIME  # when the last event was played

    @property
    def busy(self) -> bool:
        """Whether keys are still to be played."""
        return bool(self._events)

    def put(self, key: str, down: bool) -> None:
        """Press or release a key, after all that is queued."""
        self._add([(0, key, down)])

    def type(self, text: str) -> None:
        """Type *text* on a US keyboard; ``\\n`` is the return key."""
        self._add((STROKE_TIME, key, down) for key, down in strokes(text))

    def press(self, keys: Sequence[str]) -> None:
        """Press *keys* one after another and release them again, at once but for the usual pace."""
        self._add((STROKE_TIME, key, True) for key in keys)
        self._add((STROKE_TIME, key, False) for key in reversed(keys))

    def send(self, combination: str, hold: int = HOLD_TIME) -> None:
        """``sendkey``: press the keys of *combination* together for *hold* nanoseconds.

        :raise KeyError: it names an unknown key.
        """
        self.chord(parse_combination(combination), hold)

    def chord(self, keys: Sequence[str], hold: int = HOLD_TIME) -> None:
        """Press *keys* together for *hold* nanoseconds."""
        self._add((0 if number else STROKE_TIME, key, True) for number, key in enumerate(keys))
        self._add((hold if number == 0 else 0, key, False) for number, key in enumerate(reversed(keys)))

    def _add(self, events: Iterable[tuple[int, str, bool]]) -> None:
        self._events.extend(events)
        if not self._timer.pending:
            self._play()

    def _play(self) -> None:
        """Play what is due, then wait for the next; events may not come closer than their delay."""
        while self._events:
            delay, key, down = self._events[0]
            due = self._last + delay
            if due > self._clock.now():
                self._timer.set(due)
                return
            self._events.popleft()
            self._last = self._clock.now()
            self._put_key(key, down)
