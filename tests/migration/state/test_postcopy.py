"""Post-copy: the guest runs at the destination while its memory is still on its way."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyqemu.api.machine import Machine
from pyqemu.io.errors import WriteError
from pyqemu.memory import PageLost, RamBlock
from pyqemu.migration.failure import MigrationError
from pyqemu.migration.information import migration_info
from pyqemu.migration.migration import Migration
from pyqemu.migration.snapshot import Snapshots
from pyqemu.migration.state.commands import Answer, Message, read_message
from pyqemu.migration.state.frame import MemoryInput, Reading
from pyqemu.migration.state.machine import PAGE_SIZE, SavedBlock, SavedMachine
from pyqemu.migration.state.postcopy import UNANSWERED, MissingPages
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated.types import MigrationCapability as Capability
from pyqemu.qapi.generated.types import MigrationStatus as Status
from pyqemu.system import FakeClock, RunState, System
from tests.migration.machine import eventually
from tests.migration.state.saved_rig import config, counter_rom, machine
from tests.migration.state.test_over_a_socket import PATIENCE, migration_of

COUNT, ERRORS, FIRST, PAGES, K = 0x600, 0x604, 0x100000, 2048, 0x9E3779B1
MEMORY = 12 << 20
SLOW = 1 << 20  # bytes a second: eight seconds for the memory that is walked through


def word(made: Machine, address: int) -> int:
    with made.system.lock:
        return made.board.memory_space.load(address, 4)  # type: ignore[attr-defined,no-any-return]


def visits(memory: bytes) -> int:
    """How many visits the guest has made; each is in its memory."""
    count, errors = struct.unpack_from("<II", memory, COUNT)
    pages = [struct.unpack_from("<I", memory, FIRST + page * PAGE_SIZE + 0x10)[0] for page in range(PAGES)]
    found = sum((value - (page + 1) * K) & 0xFFFFFFFF for page, value in enumerate(pages))
    assert errors == 0
    assert count - 1 <= found <= count + 1  # it may be in the middle of one
    return int(count)


class Pair:
    """A walking guest, and where it goes."""

    def __init__(self, directory: Path, first: Machine, second: Machine) -> None:
        self.first, self.second = first, second
        self.source, self.destination = migration_of(first), migration_of(second)
        self.told: list[Status] = []
        self.log: list[str] = []
        self.uri = f"unix:{directory / 'socket'}"
        for migration in (self.source, self.destination):
            migration.set_capabilities([(Capability.POSTCOPY_RAM, True)])
            migration._log = self.log.append
        self.destination.expect_incoming("defer")
        self.destination.start_incoming(self.uri)

    def start(self, uri: str = "", *, precopied: bool, limit: int = 0) -> None:
        """Send it, and let it run at the destination: after its memory was sent once, or at once."""
        eventually(lambda: word(self.first, COUNT) > 5000)
        self.source.parameters.max_postcopy_bandwidth = limit
        self.source.parameters.max_bandwidth = SLOW if not precopied else 0
        self.source.parameters.downtime_limit = 0
        with self.first.system.lock:
            outgoing = self.source.migrate(uri or self.uri)
        if precopied:
            eventually(lambda: outgoing.statistics.ram.dirty_sync_count > 1)
        with self.first.system.lock:
            self.source.start_postcopy()
        eventually(lambda: self.second.system.state is RunState.RUNNING or outgoing.over.is_set())
        self.outgoing = outgoing

    def ended(self) -> None:
        """Both sides are through."""
        assert self.destination.incoming is not None
        assert self.outgoing.over.wait(PATIENCE)
        assert self.destination.incoming.over.wait(PATIENCE)

    def check(self) -> int:
        """Every visit of the guest is in its memory; how many there were."""
        with self.second.system.parked():
            return visits(bytes(self.second.board.ram.ram_block.data))  # type: ignore[attr-defined]


@contextmanager
def walking(directory: Path) -> Iterator[Pair]:
    settings = config(counter_rom(directory, "walker.asm"), memory=MEMORY)
    with machine(settings, running=True) as first, machine(settings) as second:
        pair = Pair(directory, first, second)
        try:
            yield pair
        finally:
            pair.source.close()
            pair.destination.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with walking(tmp_path) as made:
        yield made


@pytest.mark.parametrize("precopied", [True, False], ids=["after a pass", "at once"])
def test_the_guest_runs_on_and_misses_nothing(pair: Pair, precopied: bool) -> None:
    pair.start(precopied=precopied)
    pair.ended()
    assert pair.outgoing.state.status is Status.COMPLETED, pair.outgoing.state.failure
    assert pair.destination.incoming is not None
    assert pair.destination.incoming.state.failure is None
    assert (pair.first.system.state, pair.second.system.state) == (RunState.POSTMIGRATE, RunState.RUNNING)
    before = pair.check()
    eventually(lambda: word(pair.second, COUNT) > before + 5000)
    pair.check()
    assert pair.log == []


def test_it_runs_while_its_memory_comes_slowly(pair: Pair) -> None:
    """What it touches comes first, so it visits pages long before all have come."""
    pair.start(precopied=False, limit=SLOW // 4)
    moved = word(pair.second, COUNT)
    eventually(lambda: word(pair.second, COUNT) > moved + 100)
    assert not pair.outgoing.over.is_set()
    info = migration_info(pair.source)
    assert info.status is Status.POSTCOPY_ACTIVE
    assert info.ram is not None
    assert info.ram.postcopy_requests > 50
    assert info.ram.remaining > 0
    assert 0 < pair.outgoing.state.downtime < 1000
    pair.source.parameters.max_postcopy_bandwidth = 0
    pair.ended()
    assert pair.outgoing.state.status is Status.COMPLETED, pair.outgoing.state.failure
    pair.check()


def test_while_memory_comes_the_machine_can_be_looked_at_but_not_sent_on(pair: Pair) -> None:
    pair.start(precopied=False, limit=SLOW)
    space = pair.second.board.memory_space  # type: ignore[attr-defined]
    with pair.second.system.lock:
        last = space.read(FIRST + (PAGES - 1) * PAGE_SIZE, 0x14)[0x10:]
        both = space.read(FIRST + 1000 * PAGE_SIZE, 2 * PAGE_SIZE)
    assert int.from_bytes(last, "little") - PAGES * K & 0xFFFFFFFF < 1000
    assert int.from_bytes(both[0x1010:0x1014], "little") - 1002 * K & 0xFFFFFFFF < 1000
    with pytest.raises(QapiError, match="Guest is still being received"), pair.second.system.lock:
        pair.destination.migrate("tcp:localhost:1")
    with pytest.raises(MigrationError, match="Not all of the guest's memory has come yet"):
        Snapshots(pair.second.system.part(SavedMachine)).take()
    with pytest.raises(QapiError, match="Postcopy can't be cancelled"):
        pair.source.cancel()
    assert pair.source.state is not None
    assert pair.source.state.status is Status.POSTCOPY_ACTIVE
    pair.source.parameters.max_postcopy_bandwidth = 0
    pair.ended()
    pair.check()
    Snapshots(pair.second.system.part(SavedMachine)).take()


class Proxy:
    """Passes bytes on both ways, until it is cut."""

    def __init__(self, directory: Path, to: str) -> None:
        self.uri = f"unix:{directory / 'proxy'}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(directory / "proxy"))
        self._listener.listen()
        self._to = to.removeprefix("unix:")
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        one, _ = self._listener.accept()
        other = socket.socket(socket.AF_UNIX)
        other.connect(self._to)
        self._ends = [one, other]
        for pair in ((one, other), (other, one)):
            threading.Thread(target=self._pass, args=pair, daemon=True).start()

    @staticmethod
    def _pass(one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self) -> None:
        """The link is gone."""
        for end in self._ends:
            end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._listener.close()


def test_a_link_that_breaks_ends_the_guest_there_and_never_lets_it_run_twice(pair: Pair, tmp_path: Path) -> None:
    proxy = Proxy(tmp_path, pair.uri)
    pair.start(proxy.uri, precopied=False, limit=SLOW // 4)
    assert pair.second.system.state is RunState.RUNNING
    proxy.cut()
    pair.ended()
    state = pair.outgoing.state
    assert state.status is Status.FAILED
    assert state.failure is not None
    assert "while memory followed the guest, which stays paused here" in str(state.failure)
    assert pair.first.system.state is RunState.POSTMIGRATE
    assert pair.second.run_for(PATIENCE, lambda: pair.second.system.exit_code is not None)
    assert pair.second.system.exit_code == 1
    assert len(pair.log) == 2
    assert any(line.startswith("load of migration failed: ") for line in pair.log)
    with pair.first.system.lock:
        pair.first.system.start()  # the user knows that it does not run there
    before = word(pair.first, COUNT)
    eventually(lambda: word(pair.first, COUNT) > before)


def test_it_must_have_been_prepared(tmp_path: Path) -> None:
    with walking(tmp_path) as pair:
        pair.source.set_capabilities([(Capability.POSTCOPY_RAM, False)])
        with pytest.raises(QapiError, match="Enable postcopy with migrate_set_capability"):
            pair.source.start_postcopy()
        pair.source.set_capabilities([(Capability.POSTCOPY_RAM, True)])
        with pytest.raises(QapiError, match="Postcopy must be started after migration has been started"):
            pair.source.start_postcopy()


def test_a_transport_without_a_way_back_is_refused(tmp_path: Path) -> None:
    with machine(config(counter_rom(tmp_path)), running=True) as made:
        migration: Migration = migration_of(made)
        migration.set_capabilities([(Capability.POSTCOPY_RAM, True)])
        with made.system.lock:
            outgoing = migration.migrate(f"file:{tmp_path / 'stream'}")
        assert outgoing.over.wait(PATIENCE)
        assert outgoing.state.failure is not None
        assert str(outgoing.state.failure).startswith(
            "Unable to open return-path for postcopy (the transport has no way"
        )
        eventually(lambda: made.system.state is RunState.RUNNING)
        migration.close()


# -- the pages alone


class Pages:
    """Two blocks, of which the first is reached through address spaces alone."""

    def __init__(self, *, here: bytes = bytes(8)) -> None:
        self.system = System(clock=FakeClock())
        self.ram = SavedBlock("ram", RamBlock("ram", 8 * PAGE_SIZE), 8 * PAGE_SIZE, is_paged=True)
        self.video = SavedBlock("video", RamBlock("video", 2 * PAGE_SIZE), 2 * PAGE_SIZE)
        self.asked: list[Answer] = []
        self.stream: list[tuple[SavedBlock, int]] = []
        blocks = {"ram": (self.ram, bytearray(here)), "video": (self.video, bytearray(2))}
        self.missing = MissingPages(self.system, blocks, self._answer, self._read_on)

    def _answer(self, data: bytes) -> None:
        self.asked.append(read_message(Reading(MemoryInput(data))))

    def _read_on(self) -> None:
        self.missing.arrived(*self.stream.pop(0))

    def elsewhere(self, work: Callable[[], object]) -> threading.Thread:
        thread = threading.Thread(target=work)
        thread.start()
        return thread


def test_each_page_is_asked_for_once_and_a_block_named_once() -> None:
    pages = Pages()
    first, second = (pages.elsewhere(lambda: pages.missing.need(pages.ram.block, 3)) for _ in range(2))
    eventually(lambda: len(pages.asked) == 1)
    third = pages.elsewhere(lambda: pages.missing.need(pages.ram.block, 4))
    eventually(lambda: len(pages.asked) == 2)
    for page in (3, 4):
        pages.missing.arrived(pages.ram, page)
    for thread in (first, second, third):
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert [answer.kind for answer in pages.asked] == [Message.REQUEST_PAGES_NAMED, Message.REQUEST_PAGES]
    assert [answer.request for answer in pages.asked] == [(3 * PAGE_SIZE, 4096, "ram"), (4 * PAGE_SIZE, 4096, None)]
    assert not pages.missing.need(pages.ram.block, 3)


def test_who_waits_gives_the_big_lock_away() -> None:
    pages = Pages()
    done = threading.Event()

    def work() -> None:
        with pages.system.lock, pages.system.lock:
            assert pages.missing.need(pages.ram.block, 1)
            done.set()

    thread = pages.elsewhere(work)
    eventually(lambda: bool(pages.asked))
    with pages.system.lock:
        pages.missing.arrived(pages.ram, 1)
        time.sleep(0.05)
        assert not done.is_set()  # it wants the lock back first
    assert done.wait(PATIENCE)
    thread.join(PATIENCE)


def test_the_thread_that_reads_the_stream_reads_on() -> None:
    pages = Pages()
    pages.stream = [(pages.ram, 0), (pages.video, 1), (pages.ram, 5), (pages.video, 0)]
    assert pages.missing.need(pages.ram.block, 5)
    assert pages.stream == [(pages.video, 0)]
    pages.missing.get_unpaged()
    assert pages.stream == []
    assert pages.missing.missing == 6


def test_neighbours_are_asked_for_at_once_and_never_more_than_the_source_can_take_unread() -> None:
    """A source that waits until we take what it writes does not read: so many requests would hold up both for ever."""
    pages = Pages()
    count = 2 * (2 * UNANSWERED + 3)
    video = SavedBlock("video", RamBlock("video", count * PAGE_SIZE), count * PAGE_SIZE)
    blocks = {"video": (video, bytearray(b"\0\0\0\1" + bytes((0, 1)) * (count // 2 - 2)))}
    missing = MissingPages(pages.system, blocks, pages._answer, lambda: read_on())
    most = 0

    def read_on() -> None:
        nonlocal most
        most = max(most, len(pages.asked) - served)
        serve()

    served = 0
    queue: list[int] = []

    def serve() -> None:
        nonlocal served
        if not queue:
            start, length, _ = pages.asked[served].request
            served += 1
            queue.extend(range(start // PAGE_SIZE, (start + length) // PAGE_SIZE))
        missing.arrived(video, queue.pop(0))

    missing.get_unpaged()
    assert missing.missing == 0
    assert pages.asked[0].request == (0, 3 * PAGE_SIZE, "video")
    assert len(pages.asked) == count // 2 - 1
    assert most <= UNANSWERED


def test_only_blocks_that_lack_pages_are_paged_and_only_until_all_have_come() -> None:
    pages = Pages(here=b"\1" * 7 + b"\0")
    pages.missing.begin()
    assert pages.ram.block.pager is pages.missing
    assert pages.video.block.pager is None
    pages.missing.arrived(pages.ram, 7)
    pages.missing.finish()
    assert pages.ram.block.pager is None
    complete = Pages(here=b"\1" * 8)
    complete.missing.begin()
    assert complete.ram.block.pager is None


def test_a_request_that_cannot_be_sent_is_not_the_end() -> None:
    """The source may have sent everything and be gone: what has been sent still comes."""
    pages = Pages()
    tried = threading.Event()

    def fail(data: bytes) -> None:
        tried.set()
        raise WriteError("Unable to write to socket: Broken pipe", "", peer="peer")

    pages.missing._answer = fail
    thread = pages.elsewhere(lambda: pages.missing.need(pages.ram.block, 2))
    assert tried.wait(PATIENCE)
    pages.missing.arrived(pages.ram, 2)
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.parametrize("ends", [False, True], ids=["the stream breaks", "the program ends"])
def test_who_waits_in_vain_is_told(ends: bool) -> None:
    pages = Pages()
    said: list[str] = []

    def work() -> None:
        try:
            pages.missing.need(pages.ram.block, 2)
        except PageLost as error:
            said.append(str(error))

    thread = pages.elsewhere(work)
    eventually(lambda: bool(pages.asked))
    if ends:
        pages.system.request_shutdown()
    else:
        pages.missing.fail("Connection reset by peer")
    thread.join(PATIENCE)
    why = "the program ends" if ends else "Connection reset by peer"
    assert said == [f"memory at 0x2000 of 'ram' has not come: {why}"]
