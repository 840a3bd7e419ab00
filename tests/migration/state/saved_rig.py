"""Machines that are saved and loaded, a guest that counts, and a decoder of streams that shares no code with pyqemu."""

from __future__ import annotations

import json
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyqemu.api.machine import Machine
from pyqemu.boards.config import MachineConfig, RtcConfig
from pyqemu.chardev.ringbuf import RingbufChardev
from pyqemu.migration.halves import Control, Statistics
from pyqemu.migration.state.destination import MachineDestination
from pyqemu.migration.state.frame import MemoryInput, MemoryOutput
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.migration.state.source import MachineSource
from pyqemu.system import RunState
from pyqemu.util.x86asm import assemble

RING = 1 << 16
PATIENCE = 60.0  # seconds; only a failure takes that long
ROM_SIZE = 0x10000
QEMU = ["qemu-system-x86_64", "-M", "pc-i440fx-2.6", "-accel", "tcg", "-display", "none", "-nodefaults", "-m", "4"]


def counter_rom(directory: Path, name: str = "counter.asm", definitions: str = "") -> str:
    """The file of the ROM that counts, or of another one."""
    source = definitions + Path(__file__).with_name(name).read_text("ascii")
    jump = bytes((0xEA, 0, 0, 0, 0xF0))  # at the reset vector, to its begin
    path = directory / "counter.bin"
    path.write_bytes(assemble(source).code.ljust(ROM_SIZE - 16, b"\xf4") + jump.ljust(16, b"\0"))
    return str(path)


def config(rom: str, **changes: Any) -> MachineConfig:
    """A machine of 4 MiB with a serial line; its date depends on nothing but the guest's clock."""
    settings: dict[str, Any] = {
        "memory": 4 << 20, "bios": rom, "defaults": False, "vga": "none", "paused": True,
        "rtc": RtcConfig(base=0.0, clock="vm"), "serials": ["chardev:line"],
        "chardevs": [("ringbuf", {"id": "line", "size": str(RING)})],
    }  # fmt: skip
    return MachineConfig(**{**settings, **changes})


@contextmanager
def machine(settings: MachineConfig, *, running: bool = False) -> Iterator[Machine]:
    """A machine, reset, its threads started."""
    with Machine(settings, say=lambda text: None) as made:
        assert made.accel is not None
        made.accel.start()
        with made.system.lock:
            made.system.reset()
            if running:
                made.system.start()
        yield made


def text(made: Machine) -> str:
    """What the guest has printed and nobody has read. If it moves, half a line may be here, and the rest elsewhere."""
    chardev = made.chardevs.find("line")
    assert isinstance(chardev, RingbufChardev)
    with made.system.lock:
        return chardev.read(RING).decode("ascii")


def lines(made: Machine) -> list[str]:
    """The same, as words."""
    return text(made).split()


def count_on(made: Machine, more: int) -> None:
    """Let the guest run until it has printed so many more lines, however long this host takes for that."""
    chardev = made.chardevs.find("line")
    assert isinstance(chardev, RingbufChardev)

    def printed() -> int:
        with made.system.lock:
            return chardev.peek().count(b"\n")

    enough = printed() + more
    assert made.run_for(PATIENCE, until=lambda: printed() >= enough, interval=0.01), "the guest does not count on"


class MemoryWriter(MemoryOutput):
    """A stream into memory."""

    reader = None

    @property
    def position(self) -> int:
        """Bytes so far."""
        return len(self.data)

    def flush(self) -> None:
        """Nothing waits."""


def save(made: Machine, *, rounds: int = 0, **options: Any) -> tuple[bytes, Statistics]:
    """The stream of a machine, which stops; *rounds* of memory are sent while it runs."""
    source = MachineSource(made.system.part(SavedMachine), **options)
    stream, statistics = MemoryWriter(), Statistics()
    source.setup(stream, Control(statistics, lambda status: None))  # type: ignore[arg-type]
    for _ in range(rounds):
        source.iterate(stream)  # type: ignore[arg-type]
        made.run_for(0.05)
    with made.system.lock:
        made.system.stop(RunState.FINISH_MIGRATE)
    source.complete(stream)  # type: ignore[arg-type]
    source.cleanup()
    return bytes(stream.data), statistics


def load(made: Machine, data: bytes, *, go: bool = True) -> MachineDestination:
    """Load a stream, and let the guest do what it did."""
    made.system.state = RunState.INMIGRATE
    destination = MachineDestination(made.system.part(SavedMachine))
    destination.load(MemoryInput(data))
    if go:
        destination.complete()
    return destination


def check_count(found: list[str], first: int) -> None:
    """The guest goes on counting with *first*, and its sums are right: nothing was lost or done twice."""
    if found and len(found[-1]) < len(found[0]):  # it has not printed all of it yet
        found = found[:-1]
    numbers = [int(line, 16) for line in found]
    pairs = list(zip(numbers[::2], numbers[1::2], strict=False))
    assert len(pairs) >= 3, found
    for expected, (count, total) in enumerate(pairs, first):
        assert (count, total) == (expected, expected * (expected + 1) // 2), f"after {expected - 1}: {found}"


# -- QEMU


class Qemu:
    """Debian's QEMU with a QMP connection on its standard streams.

    :cvar program: it and the machine
    :cvar boot: the option for what it runs
    """

    program = QEMU
    boot = "-bios"

    def __init__(self, rom: str, serial: Path, *options: str) -> None:
        self.serial = serial
        command = [*self.program, self.boot, rom, "-serial", f"file:{serial}", "-qmp", "stdio", *options]
        self.process = subprocess.Popen(
            command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._line()
        self.ask("qmp_capabilities")

    def _line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read() if self.process.stderr else ""
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, execute: str, **arguments: Any) -> Any:
        """The answer to a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        while "return" not in (answer := self._line()):
            assert "error" not in answer, answer
        return answer["return"]

    def save(self, path: Path) -> bytes:
        """Stop, and migrate into a file. (A guest of QEMU 7.2 that runs meanwhile may lose writes.)"""
        self.ask("stop")
        self.ask("migrate", uri=f"exec:cat > {path}")
        deadline = time.monotonic() + PATIENCE
        while (status := self.ask("query-migrate").get("status")) != "completed":
            assert status not in ("failed", "cancelled")
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return path.read_bytes()

    def wait_for_lines(self, count: int) -> list[str]:
        """What its guest prints, as soon as it is so much."""
        deadline = time.monotonic() + PATIENCE
        while len(found := self.serial.read_text("ascii").split()) < count if self.serial.exists() else True:
            assert self.process.poll() is None, self.process.stderr.read() if self.process.stderr else ""
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return found

    def __enter__(self) -> Qemu:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


# -- the decoder


@dataclass
class Decoded:
    """What is in a stream."""

    machine: str = ""
    sections: list[tuple[int, str, int, int]] = field(default_factory=list)  # kind, name, instance, version
    blocks: dict[str, bytearray] = field(default_factory=dict)
    fields: dict[str, dict[str, bytes]] = field(default_factory=dict)
    trailer: dict[str, Any] = field(default_factory=dict)


class Decoder:
    """Reads a stream by the description at its end, as a person would who knows nothing but the format."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.out = Decoded()
        start = data.rindex(b'{"page_size"')
        self.out.trailer = json.loads(data[start:])
        self.layouts = {(each["name"], each["instance_id"]): each for each in self.out.trailer["devices"]}
        self.names: dict[int, tuple[str, int]] = {}
        self.block = ""

    def take(self, count: int) -> bytes:
        assert self.at + count <= len(self.data), "the stream is cut"
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def text(self) -> str:
        return self.take(self.number(1)).decode()

    def decode(self) -> Decoded:
        assert self.take(8) == b"QEVM" + struct.pack(">I", 3)
        assert self.number(1) == 7
        self.out.machine = self.take(self.number(4)).decode()
        while (kind := self.number(1)) != 0:
            number = self.number(4)
            if kind in (1, 4):
                name, instance, version = self.text(), self.number(4), self.number(4)
                self.names[number] = name, instance
                self.out.sections.append((kind, name, instance, version))
            else:
                assert kind in (2, 3), kind
            name, instance = self.names[number]
            if name == "ram":
                self.ram()
            else:
                self.device(self.layouts[name, instance], f"{name}/{instance}")
            assert self.number(1) == 0x7E
            assert self.number(4) == number
        assert self.number(1) == 6
        assert self.number(4) == len(self.data) - self.at
        return self.out

    def ram(self) -> None:
        while True:
            word = self.number(8)
            size = self.out.trailer["page_size"]
            flags, offset = word & size - 1, word & -size
            if flags == 0x10:
                return
            if flags == 4:
                while sum(map(len, self.out.blocks.values())) < offset:
                    name = self.text()
                    self.out.blocks[name] = bytearray(self.number(8))
                continue
            if not flags & 0x20:
                self.block = self.text()
            contents = bytes([self.number(1)]) * size if flags & ~0x20 == 2 else b""
            if flags & ~0x20 == 8:
                contents = self.take(size)
            assert contents, hex(flags)
            self.out.blocks[self.block][offset : offset + size] = contents

    def device(self, layout: dict[str, Any], path: str) -> None:
        values = self.out.fields.setdefault(path, {})
        for each in layout["fields"]:
            for index in range(each.get("array_len", 1)):
                start, name = self.at, each["name"]
                if "index" in each or "array_len" in each:
                    name += f"[{each.get('index', index)}]"
                if "struct" in each:
                    self.device(each["struct"], f"{path}.{name}")
                    assert self.at == start + each["size"], (path, name)
                else:
                    values[name] = self.take(each["size"])
        for part in layout.get("subsections", ()):
            assert self.number(1) == 5
            assert self.text() == part["vmsd_name"]
            assert self.number(4) == part["version"]
            self.device(part, f"{path}/{part['vmsd_name']}")
