"""One end of a cable, and the frames that wait there because it cannot take them now."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyqemu.qapi.generated.types import RxFilterInfo

Frame = bytes
"""An Ethernet frame from its destination address on, without the checksum at its end."""

MAX_QUEUED = 10_000
"""How many frames wait at an end for which nobody waits; more are lost, as in a switch."""

Sent = Callable[[], None]


def _always() -> bool:
    return True


def _nothing() -> None:
    return None


class NetClient:
    """One end of a cable. Whoever owns it gives it its functions.

    :param name: how commands call it
    :param kind: what it is: ``nic`` for a card, else the backend's name
    :param receive: takes a frame that has arrived; False if it cannot after all, and the frame has to wait
    :param can_receive: whether it is worth asking
    :param link_changed: hears that ``link_down`` has changed
    :ivar peer: the other end; None if the cable leads nowhere
    :ivar link_down: whether the cable is unplugged at this end
    :ivar info: what people are told about it
    :ivar rx_filter: tells which frames it takes, if it is a card that lets people know
    """

    def __init__(
        self,
        name: str,
        kind: str,
        *,
        receive: Callable[[Frame], bool],
        can_receive: Callable[[], bool] = _always,
        link_changed: Callable[[], None] = _nothing,
        info: str = "",
    ) -> None:
        self.name = name
        self.kind = kind
        self.info = info
        self.peer: NetClient | None = None
        self.rx_filter: Callable[[], RxFilterInfo] | None = None
        self.link_down = False
        self._receive = receive
        self._can_receive = can_receive
        self._link_changed = link_changed
        self._waiting: deque[tuple[Frame, Sent | None]] = deque()
        self._delivering = False

    def connect(self, peer: NetClient) -> None:
        """Make both ends of one cable."""
        self.peer, peer.peer = peer, self

    def disconnect(self) -> None:
        """Take the cable out at both ends; what waits is lost."""
        if self.peer is not None:
            self.peer.purge()
            self.peer.peer = None
            self.peer = None
        self.purge()

    def send(self, frame: Frame, sent: Sent | None = None) -> bool:
        """Send to the other end.

        :param sent: called when a frame that had to wait has been taken; with it no frame is ever lost
        :return: True if the frame is gone: taken, or vanished because nobody is there; False if it waits.
        """
        if self.link_down or self.peer is None:
            return True
        return self.peer.deliver(frame, sent)

    def deliver(self, frame: Frame, sent: Sent | None = None) -> bool:
        """A frame arrives at this end; the result is that of :meth:`send`."""
        if self.link_down:
            return True
        # One that is sent while another is being taken waits for its turn: receivers need not be re-entrant.
        if not self._waiting and not self._delivering and self._take(frame):
            return True
        if sent is None and len(self._waiting) >= MAX_QUEUED:
            return True
        self._waiting.append((frame, sent))
        return False

    def _take(self, frame: Frame) -> bool:
        if not self._can_receive():
            return False
        self._delivering = True
        try:
            return self._receive(frame)
        finally:
            self._delivering = False

    def flush(self) -> None:
        """This end can receive again: hand over what waits."""
        while self._waiting and not self._delivering and self._take(self._waiting[0][0]):
            _, sent = self._waiting.popleft()
            if sent is not None:
                sent()

    def purge(self) -> None:
        """Forget what waits here; for their senders these frames are gone."""
        while self._waiting:
            _, sent = self._waiting.popleft()
            if sent is not None:
                sent()

    @property
    def queued(self) -> int:
        """How many frames wait."""
        return len(self._waiting)

    def set_link(self, up: bool) -> None:
        """Plug the cable in or pull it out. What waits here is lost when it is pulled."""
        if self.link_down == up:
            self.link_down = not up
            if not up:
                self.purge()
            self._link_changed()
