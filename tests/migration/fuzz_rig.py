"""What spoilt streams are made of, and the machine that they are sent to."""

from __future__ import annotations

import copy
import dataclasses
import random
import re
import resource
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyqemu.api.machine import Machine
from pyqemu.block import DriveOptions
from pyqemu.boards.config import MachineConfig
from pyqemu.io.channel import Timeouts
from pyqemu.migration.halves import Control, Statistics
from pyqemu.migration.migration import Migration
from pyqemu.migration.parameters import Parameters
from pyqemu.migration.state.destination import MachineDestination
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.migration.state.source import MachineSource
from pyqemu.migration.transports import Host
from pyqemu.monitor.hmp.dispatch import run_line
from pyqemu.qapi.generated.types import MigrationCapability as Capability
from pyqemu.qom.vmstate import Struct, Unused, VMState
from pyqemu.qom.vmstate.fields import Array
from pyqemu.system import RunState, VirtualClock
from tests.migration.mutations import (
    END,
    PAGE,
    PART,
    START,
    Base,
    Cutter,
    Mark,
    Piece,
    block_list,
    command,
    memory,
    raw,
    zeros,
)
from tests.migration.state.saved_rig import MemoryWriter, config, counter_rom, machine

MEMORY = 1 << 20  # bytes; the smallest machine is as good as any
DISK, DISK_CHUNK = 2 << 20, 1 << 20
DISK_ZERO, DISK_END, DISK_PROGRESS = 0x09, 0x02, 0x04
PATIENCE = 60.0  # seconds that a stream may take: most take milliseconds
QUICK = Timeouts(read=30, write=30, close=30)
PREFIX = "load of migration failed: "
OPEN_RETURN_PATH, PING, ADVISE, LISTEN, RUN, DISCARD, PACKAGED = 1, 2, 3, 4, 5, 6, 7
WITHOUT_VALUE = ("ide bmdma_current", "ide bmdma/status", "ide_bus/error", "serial/tsr")  # now, or ever
TOO_LONG = ("ide_drive/pio_state",)
POKES = (
    (0x3FA, 1), (0x3F8, 0x41), (0x3F8, 0x42), (0x60, 0xED), (0x43, 0x34), (0x40, 0x10), (0x40, 0x27), (0x70, 10),
    (0x3F2, 0x1C), (0x3F5, 0x03), (0x1F6, 0xA0), (0x64, 0xD4),
)  # fmt: skip
INFOS = (
    "registers", "cpus", "pic", "irq", "mem", "tlb", "mtree", "pci", "qtree", "status", "block", "blockstats",
    "chardev", "mice", "lapic", "migrate",
)  # fmt: skip


def settings(directory: Path, image: str) -> MachineConfig:
    """The default board with a disk, and the ROM that counts."""
    path = directory / image
    path.write_bytes(bytes(DISK))
    drives = [DriveOptions(file=str(path), format="raw", interface="ide")]
    return config(
        counter_rom(directory), vga="std", defaults=True, parallels=["null"], memory=MEMORY, drives=drives
    )  # fmt: skip


# -- good streams


def make_bases(directory: Path) -> list[Base]:
    """Streams of a machine that has not run: its clock stands still, so that they are the same each time."""
    with machine(settings(directory, "source.img")) as made:
        saved = made.system.part(SavedMachine)
        _touch(made)
        bases = [_at_once("plain", saved), _at_once("subsections", _with_all_subsections(saved))]
        bases.append(_at_once("blocks", _with_blocks_at_ports(saved)))
        bases += [_in_passes(made, saved, capability) for capability in (Capability.XBZRLE, Capability.COMPRESS)]
    plain = bases[0].pieces
    return_path = [command(OPEN_RETURN_PATH), command(PING, struct.pack(">I", 1))]
    bases.append(Base("return path", [plain[0], *return_path, *plain[1:-2], command(PING, b"\0\0\0\2"), *plain[-2:]]))
    bases.append(_postcopy(plain))
    bases.append(Base("disks", [plain[0], *_disk_sections(), *plain[1:]]))
    return bases


def _disk_sections() -> list[Piece]:
    """What ``migrate -b`` sends of a disk of zeros."""
    name = b"\10ide0-hd0"
    zeros_at = [struct.pack(">Q", at | DISK_ZERO) + name for at in range(0, DISK, DISK_CHUNK)]
    begin = b"\5block" + struct.pack(">II", 0, 1)
    head_marks = [Mark(0, 1, "type"), Mark(1, 4, "number")]
    sections = []
    for kind, head, records in ((START, begin, zeros_at), (END, b"", [struct.pack(">Q", 100 << 9 | DISK_PROGRESS)])):
        data, marks = bytearray(struct.pack(">BI", kind, 1) + head), list(head_marks)
        if head:
            marks += [Mark(5, 1, "idstr.length", True), Mark(6, 5, "idstr"), Mark(15, 4, "version")]
        for record in (*records, struct.pack(">Q", DISK_END)):
            marks += [Mark(len(data), 8, "record", True), Mark(len(data) + 8, len(record) - 8, "disk")]
            data += record
        marks.append(Mark(len(data) + 1, 4, "footer.number"))
        sections.append(Piece(f"disks/{kind}", bytes(data) + struct.pack(">BI", 0x7E, 1), marks))
    return sections


def _touch(made: Machine) -> None:
    """Devices are in the middle of something."""
    io = made.board.io_space  # type: ignore[attr-defined]
    with made.system.lock:
        for port, value in POKES:
            io.store(port, 1, value)
        made.board.put_key("a", True)


def _at_once(name: str, saved: SavedMachine) -> Base:
    source, stream = MachineSource(saved, run_state=RunState.RUNNING), MemoryWriter()
    source.send_at_once(stream, Statistics())
    source.cleanup()
    return Cutter(bytes(stream.data)).base(name)


def _in_passes(made: Machine, saved: SavedMachine, capability: Capability) -> Base:
    """Memory is written to between passes."""
    parameters = Parameters()
    source = MachineSource(saved, {capability}, parameters, run_state=RunState.RUNNING)
    stream = MemoryWriter()
    source.setup(stream, Control(Statistics(), lambda status: None))  # type: ignore[arg-type]
    block = saved.find_block("pc.ram")
    assert block is not None
    for number in range(3):
        for page in range(4):
            at = (16 + page) * 4096
            block.block.data[at : at + 600] = bytes((number * 7 + page + 1,)) * 600
            block.block.dirty.mark(at, 600)
        source.iterate(stream)  # type: ignore[arg-type]
    with made.system.lock:
        made.system.set_state(RunState.FINISH_MIGRATE)
    source.complete(stream)  # type: ignore[arg-type]
    source.cleanup()
    with made.system.lock:
        made.system.state = RunState.PRELAUNCH
    return Cutter(bytes(stream.data)).base(capability.value)


def _postcopy(plain: list[Piece]) -> Base:
    """What a source says that goes over to post-copy, in the order in which it does: half of memory comes before."""
    pages = MEMORY // PAGE
    blocks = (("pc.ram", MEMORY), ("/rom@etc/acpi/rsdp", PAGE))
    head = [command(OPEN_RETURN_PATH), command(ADVISE, struct.pack(">QQ", PAGE, PAGE))]
    start = memory(START, [block_list(blocks)])
    early = memory(PART, [zeros("pc.ram", range(pages // 2))])
    ranges = struct.pack(">QQ", 0, 0x4000) + struct.pack(">QQ", 0x10000, 0x1000)
    devices = plain[3:-2]
    package = b"".join(piece.data for piece in devices) + command(LISTEN).data + command(RUN).data
    middle = [
        command(DISCARD, b"\0\6pc.ram\0" + ranges),
        command(PACKAGED, struct.pack(">I", len(package))), *devices, command(LISTEN), command(RUN),
    ]  # fmt: skip
    asked = memory(PART, [zeros("/rom@etc/acpi/rsdp", range(1)), raw("pc.ram", 0)])
    late = memory(END, [zeros("pc.ram", [1, 2, 3, 16, *range(pages // 2, pages)])])
    return Base("post-copy", [plain[0], *head, start, early, *middle, asked, late, *plain[-2:]])


def _with_blocks_at_ports(saved: SavedMachine) -> SavedMachine:
    """The same machine, whose disk controller has data at its ports."""
    states = [
        dataclasses.replace(state, layout=_forced(state.layout, too_long=())) if state.idstr.endswith("/ide") else state
        for state in saved.states
    ]
    return dataclasses.replace(saved, states=states)


def _with_all_subsections(saved: SavedMachine) -> SavedMachine:
    """The same machine, whose devices write everything that they can read."""
    states = [dataclasses.replace(state, layout=_forced(state.layout)) for state in saved.states]
    return dataclasses.replace(saved, states=states)


def _forced(layout: VMState, too_long: Sequence[str] = TOO_LONG) -> VMState:
    fields = []
    for each in layout.fields:
        if isinstance(each, Struct) or (isinstance(each, Array) and each.layout is not None):
            each = copy.copy(each)
            assert each.layout is not None
            each.layout = _forced(each.layout, too_long)
        fields.append(each)
    parts = []
    for part in layout.subsections:
        if part.name in too_long:
            continue
        forced = dataclasses.replace(_forced(part, too_long), needed=None)
        if part.name in WITHOUT_VALUE:
            zeros_there = [Unused(each.element_size, wire=each.wire) for each in part.fields]
            forced = dataclasses.replace(forced, fields=zeros_there)
        parts.append(forced)
    return dataclasses.replace(layout, fields=tuple(fields), subsections=tuple(parts))


# -- the machine that loads


class Target:
    """A machine that waits for one stream after the other, as with ``-incoming defer`` and ``migrate-incoming``."""

    def __init__(self, made: Machine) -> None:
        self.made = made
        self.said: list[str] = []
        self.escaped: list[str] = []
        saved = made.system.part(SavedMachine)
        for card in made.board.cards:  # type: ignore[attr-defined]
            card.hotpluggable = False  # a guest that ejects it would leave another machine to the next stream
        self.migration = Migration(
            made.system,
            make_source=lambda options: MachineSource(saved),
            make_destination=lambda: MachineDestination(saved),
            host=Host(timeouts=QUICK),
            log=self.said.append,
        )
        made.loop.set_exception_handler(lambda loop, context: self.escaped.append(repr(context)))

    def load(self, data: bytes) -> bool:
        """Send a stream; whether the machine takes it.

        :raise AssertionError: it hangs, or what it says is not one clear line.
        """
        self.said.clear()
        system = self.made.system
        system.state = RunState.PRELAUNCH
        system.autostart = False  # that is for :meth:`run_a_little`
        system.exit_code = None
        ours, theirs = socket.socketpair()
        with ours:
            ours.setblocking(False)
            self.migration.descriptors.add_named("fuzz", theirs.detach())
            self.migration.expect_incoming("defer")
            self.migration.start_incoming("fd:fuzz")
            incoming = self.migration.incoming
            assert incoming is not None
            _talk(ours, data)
            assert incoming.over.wait(PATIENCE), "it hangs"
        failure = incoming.state.failure
        with system.lock:  # a guest that has lost its memory in post-copy is over; this one is needed again
            for saved in system.part(SavedMachine).blocks:
                if saved.block.pager is not None:
                    saved.block.set_pager(None)
        assert not self.escaped, self.escaped
        if failure is None:
            assert self.said == []
            return True
        check_line(self.said)
        return False

    def run_a_little(self, rng: random.Random) -> None:
        """Whatever the machine is now, it may do anything but break us: run, be looked at, saved, reset."""
        made = self.made
        system = made.system
        with system.lock:
            _use_devices(made, rng)
            assert isinstance(system.clock, VirtualClock)
            system.clock.warp(rng.choice((0, 1_000_000, 10_000_000_000)))
            system.state = RunState.PAUSED
            system.start()
        made.run_for(0.004, interval=0.002)
        with system.lock:
            if system.running:
                system.stop(RunState.PAUSED)
            _use_devices(made, rng)
            system.exit_code = None  # the guest may have switched itself off
        for name in INFOS:
            made._complete(_shown(made, name))
        made.frame()
        system.state = RunState.FINISH_MIGRATE
        source, stream = MachineSource(system.part(SavedMachine), run_state=RunState.PAUSED), MemoryWriter()
        source.send_at_once(stream, Statistics())
        source.cleanup()
        with system.lock:
            system.reset()
        assert not self.escaped, self.escaped
        assert made.crash is None, made.crash


def _use_devices(made: Machine, rng: random.Random) -> None:
    """Registers are read and written as a guest without sense would."""
    board: Any = made.board
    for space, bound in ((board.io_space, 1 << 16), (board.memory_space, 1 << 32)):
        places = [(section.start, min(section.end, bound)) for section in space.sections if section.data is None]
        for _ in range(60):
            start, end = rng.choice(places)
            if start < end:
                where = rng.randrange(start, min(end, start + 0x400))
                size = rng.choice((1, 1, 2, 4))
                if rng.random() < 0.5:
                    space.load(where, size)
                else:
                    space.store(where, size, rng.choice((0, 0xFF, rng.getrandbits(8 * size))) % (1 << 8 * size))


def _talk(peer: socket.socket, data: bytes) -> None:
    """Send all of it, and hear whatever is answered, until the other side closes the connection."""
    poll, end = select.poll(), time.monotonic() + PATIENCE
    poll.register(peer, select.POLLIN | select.POLLOUT)
    rest = memoryview(data)
    try:
        while time.monotonic() < end:
            ready = poll.poll(1000)
            if any(events & select.POLLIN for _, events in ready) and not peer.recv(1 << 16):
                return
            if any(events & select.POLLOUT for _, events in ready):
                rest = rest[peer.send(rest) :] if rest else rest
                if not rest:
                    peer.shutdown(socket.SHUT_WR)
                    poll.modify(peer, select.POLLIN)
    except (BrokenPipeError, ConnectionResetError):
        return  # it has heard enough
    raise AssertionError("it hangs")


async def _shown(made: Machine, name: str) -> None:
    text = await run_line(made.system, f"info {name}")
    assert "unknown command" not in text, text


_REPR = re.compile(
    r"""[ (,]b['"]|<\w[\w.]* object|<class|Traceback|\\x[0-9a-f]{2}|internal error|[A-Z]\w+Error\b|\bNone\b"""
)
_PLACE = re.compile(
    r"at byte 0x[0-9a-f]+|after \d+ bytes|device '|section|block|Length mismatch|Machine type received"
    r"|Not a migration stream|migration stream version|SaveVM v2|CMD_|MIG_CMD|Postcopy needs|without sending anything"
    r"|pages of memory have not come|savevm|Capability|TARGET_PAGE_BITS"
)


def check_line(said: list[str]) -> None:
    """One line, printable, that names what is wrong and where; no Python in it."""
    assert len(said) == 1, said
    (line,) = said
    assert line.startswith(PREFIX), line
    assert line.isprintable() and line.isascii(), repr(line)
    assert len(line) < 600, line
    assert not _REPR.search(line), line
    assert _PLACE.search(line), line


@contextmanager
def target(directory: Path) -> Iterator[Target]:
    """A machine that streams may be sent to."""
    with machine(settings(directory, "target.img")) as made:
        found = Target(made)
        escaped = found.escaped
        hook, threading.excepthook = threading.excepthook, lambda args: escaped.append(repr(args.exc_value))
        try:
            yield found
        finally:
            threading.excepthook = hook
            found.migration.close()


# -- memory


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def forget_peak() -> None:
    """The peak is counted anew."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """The most that was resident since then."""
    text = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    assert found is not None
    return int(found[1]) << 10
