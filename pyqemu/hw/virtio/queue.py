"""A virtqueue as its device sees it: chains of buffers that the driver makes available, taken and given back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyqemu.hw.virtio.registers import F_EVENT_IDX, F_NOTIFY_ON_EMPTY, MAX_QUEUE_SIZE, NO_VECTOR
from pyqemu.hw.virtio.ring import NO_INTERRUPT, NO_NOTIFY, BadRing, Piece, Ring, is_memory
from pyqemu.memory import AddressSpace

if TYPE_CHECKING:
    from pyqemu.hw.virtio.device import VirtioDevice

CHUNK = 1 << 20  # bytes that are moved at once, whatever a driver says of its buffers


@dataclass
class Element:
    """A chain that the device has taken.

    :ivar out: what the driver has filled
    :ivar in_: what the device may fill
    """

    index: int
    out: list[Piece] = field(default_factory=list)
    in_: list[Piece] = field(default_factory=list)

    @property
    def out_size(self) -> int:
        """Bytes to read."""
        return sum(piece.length for piece in self.out)

    @property
    def in_size(self) -> int:
        """Bytes that fit."""
        return sum(piece.length for piece in self.in_)


def part_of(pieces: list[Piece], offset: int, length: int) -> Iterator[Piece]:
    """Where in memory a part of what *pieces* make together is."""
    for piece in pieces:
        if not length:
            return
        if offset >= piece.length:
            offset -= piece.length
            continue
        size = min(piece.length - offset, length)
        yield Piece(piece.address + offset, size)
        offset, length = 0, length - size


def ranges(pieces: list[Piece], offset: int, length: int) -> Iterator[Piece]:
    """The same in ranges of :data:`CHUNK` bytes at most."""
    for piece in part_of(pieces, offset, length):
        for start in range(0, piece.length, CHUNK):
            yield Piece(piece.address + start, min(CHUNK, piece.length - start))


def gather(space: AddressSpace, pieces: list[Piece], offset: int = 0, length: int = CHUNK) -> bytes:
    """Read; fewer bytes if there are no more. *length* is the caller's limit of what it can use."""
    return b"".join(space.read(part.address, part.length) for part in ranges(pieces, offset, length))


def scatter(space: AddressSpace, pieces: list[Piece], data: bytes, offset: int = 0) -> int:
    """Write as much of *data* as fits; returns how much that was."""
    done = 0
    for part in ranges(pieces, offset, len(data)):
        if is_memory(space, part.address, part.length):  # it was when it was taken
            space.write(part.address, data[done : done + part.length])
        done += part.length
    return done


def needs_event(event: int, new: int, old: int) -> bool:
    """Whether an index that went from *old* to *new* passed the one that is waited for (2.4.7.2)."""
    return (new - event - 1) & 0xFFFF < (new - old) & 0xFFFF


class VirtQueue:
    """One queue.

    :param size: its default number of elements
    :param handler: called when the driver says that it has made something available
    :ivar in_use: elements that were taken and not given back
    :ivar used_idx: how many were given back, modulo 2**16
    :ivar signalled_used: its value when the driver was interrupted last; None if that is not known
    """

    def __init__(self, device: VirtioDevice, index: int, size: int, handler: Callable[[VirtQueue], None]) -> None:
        self.device = device
        self.index = index
        self.default_size = size
        self.handler = handler
        self.ring = Ring(size)
        self.reset()

    def reset(self) -> None:
        """As the driver finds it."""
        self.ring.num = self.default_size
        self.ring.desc = self.ring.avail = self.ring.used = 0
        self.last_avail_idx = 0
        self.used_idx = 0
        self.signalled_used: int | None = None
        self.vector = NO_VECTOR
        self.notification = True
        self.in_use = 0
        self._catch_up = False

    # -- the driver's settings

    @property
    def ready(self) -> bool:
        """Whether the driver has said where it is."""
        return self.ring.desc != 0

    def set_num(self, num: int) -> None:
        """Choose a size; a queue that is not there stays so, and one that is does, too."""
        if bool(num) == bool(self.ring.num) and num <= MAX_QUEUE_SIZE:
            self.ring.num = num

    def set_rings(self, desc: int, avail: int, used: int) -> None:
        """Say where its parts are."""
        if self.ring.num:
            self.ring.desc, self.ring.avail, self.ring.used = desc, avail, used

    def place(self, address: int) -> None:
        """Say where it is, in the legacy layout."""
        self.ring.place(address)

    def loaded(self) -> None:
        """Its state came from elsewhere: what was used is in the ring, which is looked at when it is needed."""
        self._catch_up = True

    # -- taking

    @property
    def _space(self) -> AddressSpace:
        return self.device.space

    def _usable(self) -> bool:
        """Whether the ring is there, in memory, and the device works."""
        if not self.ring.avail or not self.device.alive:
            return False
        try:
            self.ring.check(self._space)
            if self._catch_up:
                self._take_used_idx()
        except BadRing as error:
            self.device.fail(str(error))
            return False
        return True

    def _take_used_idx(self) -> None:
        self._catch_up = False
        self.used_idx = self.ring.used_idx(self._space)
        self.in_use = (self.last_avail_idx - self.used_idx) & 0xFFFF
        if self.in_use > self.ring.num:
            raise BadRing(f"last_avail_idx {self.last_avail_idx:#x} and used_idx {self.used_idx:#x} are too far apart")

    @property
    def empty(self) -> bool:
        """Whether the driver has nothing available."""
        return not self._usable() or self.ring.avail_idx(self._space) == self.last_avail_idx

    def pop(self) -> Element | None:
        """Take the next chain; None if there is none, or the driver has broken the rules."""
        if self.empty:
            return None
        try:
            return self._pop()
        except BadRing as error:
            self.device.fail(str(error))
            return None

    def _head(self, position: int) -> int:
        """The head of an available chain."""
        available = (self.ring.avail_idx(self._space) - position) & 0xFFFF
        if available > self.ring.num:
            raise BadRing(f"Guest moved used index from {position} to {self.ring.avail_idx(self._space)}")
        head = self.ring.avail_head(self._space, position)
        if head >= self.ring.num:
            raise BadRing(f"Guest says index {head} is available")
        return head

    def _pop(self) -> Element:
        if self.in_use >= self.ring.num:
            raise BadRing("Virtqueue size exceeded")
        head = self._head(self.last_avail_idx)
        self.last_avail_idx = (self.last_avail_idx + 1) & 0xFFFF
        if self.device.negotiated(F_EVENT_IDX) and self.notification:
            self.ring.set_avail_event(self._space, self.last_avail_idx)
        out, in_ = self.ring.chain(self._space, head)
        self.in_use += 1
        return Element(head, out, in_)

    def unpop(self, element: Element) -> None:
        """Put back what was popped last, as if it had not been."""
        self.last_avail_idx = (self.last_avail_idx - 1) & 0xFFFF
        self.in_use -= 1

    def room(self, limit: int) -> int:
        """Bytes that fit into what is available, as far as they matter: up to *limit*."""
        if self.empty:
            return 0
        total, position = 0, self.last_avail_idx
        try:
            while total < limit and position != self.ring.avail_idx(self._space):
                _, in_ = self.ring.chain(self._space, self._head(position))
                total += sum(piece.length for piece in in_)
                position = (position + 1) & 0xFFFF
        except BadRing as error:
            self.device.fail(str(error))
            return 0
        return min(total, limit)

    # -- giving back

    def push(self, element: Element, length: int) -> None:
        """Give a chain back, of which *length* bytes were written, and let the driver see it."""
        self.fill(element, length, 0)
        self.flush(1)

    def fill(self, element: Element, length: int, position: int) -> None:
        """Give a chain back as the one *position* places behind those that the driver sees."""
        if self._usable():
            self.ring.set_used(self._space, self.used_idx + position, element.index, length)

    def flush(self, count: int) -> None:
        """Let the driver see *count* chains that were filled."""
        self.in_use -= count
        if not self._usable():
            return
        old, self.used_idx = self.used_idx, (self.used_idx + count) & 0xFFFF
        self.ring.set_used_idx(self._space, self.used_idx)
        last = self.signalled_used
        if last is not None and (self.used_idx - last) & 0xFFFF < (self.used_idx - old) & 0xFFFF:
            self.signalled_used = None

    def discard(self, element: Element) -> None:
        """Forget a chain that will not be given back, because the driver does not expect it any more."""
        self.in_use -= 1

    # -- telling each other

    def should_interrupt(self) -> bool:
        """Whether the driver wants to hear of what it was given."""
        if not self._usable():
            return False
        device, space = self.device, self._space
        if device.negotiated(F_NOTIFY_ON_EMPTY) and not self.in_use and self.empty:
            return True
        if not device.negotiated(F_EVENT_IDX):
            return not self.ring.avail_flags(space) & NO_INTERRUPT
        last, self.signalled_used = self.signalled_used, self.used_idx
        return last is None or needs_event(self.ring.used_event(space), self.used_idx, last)

    def notify(self) -> None:
        """Interrupt the driver if it wants that."""
        if self.should_interrupt():
            self.device.interrupt_queue(self)

    def set_notification(self, on: bool) -> None:
        """Say whether the driver shall tell of what it makes available."""
        self.notification = on
        if not self._usable():
            return
        if not self.device.negotiated(F_EVENT_IDX):
            self.ring.set_used_flag(self._space, NO_NOTIFY, not on)
        elif on:
            self.ring.set_avail_event(self._space, self.ring.avail_idx(self._space))
