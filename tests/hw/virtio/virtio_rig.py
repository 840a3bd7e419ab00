"""virtio devices and a driver of them. One side is ours, on a bus of its own over 16 MiB of memory; the other is that
of Debian's QEMU at the end of its ``-qtest`` connection, a machine whose processor halts at once.
"""

from __future__ import annotations

import json
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pyqemu.hw.pci import PciBus, PciDevice, regs
from pyqemu.hw.virtio import registers as r
from pyqemu.hw.virtio.bus import VirtioBus
from pyqemu.hw.virtio.device import VirtioDevice
from pyqemu.hw.virtio.mmio import VirtioMmio
from pyqemu.hw.virtio.queue import VirtQueue
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.system import FakeClock, System

QEMU = "qemu-system-x86_64"
needs_qemu = pytest.mark.skipif(shutil.which(QEMU) is None, reason="needs Debian's qemu-system-x86")

SLOT = 4
PORTS, MSIX_BAR, MODERN_BAR = 0xC000, 0xFEB0_0000, 0xFD00_0000
TABLE, BUFFERS = 0x10_0000, 0x20_0000  # where the driver has its rings, and what it moves
NEXT, WRITE, INDIRECT = 1, 2, 4
ACKNOWLEDGED = r.STATUS_ACKNOWLEDGE | r.STATUS_DRIVER


class Side:
    """A machine with the device in slot 4."""

    def config(self, register: int, size: int) -> int:
        """Read the configuration space."""
        raise NotImplementedError

    def set_config(self, register: int, size: int, value: int) -> None:
        """Write it."""
        raise NotImplementedError

    def port(self, port: int, size: int) -> int:
        """Read a port."""
        raise NotImplementedError

    def set_port(self, port: int, size: int, value: int) -> None:
        """Write one."""
        raise NotImplementedError

    def load(self, address: int, size: int) -> int:
        """Read memory, or a register there."""
        raise NotImplementedError

    def store(self, address: int, size: int, value: int) -> None:
        """Write it."""
        raise NotImplementedError

    def peek(self, address: int, length: int) -> bytes:
        """Read memory."""
        raise NotImplementedError

    def poke(self, address: int, data: bytes) -> None:
        """Write it."""
        raise NotImplementedError

    def wait(self) -> None:
        """Let the device do what takes time."""
        raise NotImplementedError

    def place_bars(self) -> None:
        """As firmware does it; the function may be master."""
        for bar, address in ((0, PORTS), (1, MSIX_BAR), (4, MODERN_BAR), (5, 0)):
            self.set_config(regs.BASE_ADDRESS_0 + 4 * bar, 4, address)
        self.set_config(regs.COMMAND, 2, regs.COMMAND_IO | regs.COMMAND_MEMORY | regs.COMMAND_MASTER)

    def capability(self, kind: int) -> int:
        """Where virtio's capability of that kind is; 0 if there is none."""
        place = self.config(regs.CAPABILITY_LIST, 1)
        while place:
            if self.config(place, 1) == regs.CAP_ID_VENDOR and self.config(place + 3, 1) == kind:
                return place
            place = self.config(place + 1, 1)
        return 0


class Ours(Side):
    """Our device on a bus of its own."""

    def __init__(self, device: PciDevice, prepare: Callable[[System], None] = lambda system: None) -> None:
        self.clock = FakeClock()
        self.system = System(clock=self.clock)
        prepare(self.system)
        self.bus = PciBus.standalone(self.system)
        self.device = device
        self.bus.add(device, SLOT << 3)
        self.lines: dict[int, bool] = {}
        self.bus.route_irqs(self.lines.__setitem__, lambda devfn, pin: pin)
        self.system.reset()
        self.io = AddressSpace("io", self.bus.io)
        self.memory = self.bus.dma_space
        self.place_bars()

    @property
    def irq(self) -> bool:
        """The level of INTA#."""
        return self.lines.get(0, False)

    def config(self, register: int, size: int) -> int:
        return self.bus.config_read(SLOT << 3, register, size)

    def set_config(self, register: int, size: int, value: int) -> None:
        self.bus.config_write(SLOT << 3, register, size, value)

    def port(self, port: int, size: int) -> int:
        return self.io.load(port, size)

    def set_port(self, port: int, size: int, value: int) -> None:
        self.io.store(port, size, value)

    def load(self, address: int, size: int) -> int:
        return self.memory.load(address, size)

    def store(self, address: int, size: int, value: int) -> None:
        self.memory.store(address, size, value)

    def peek(self, address: int, length: int) -> bytes:
        return self.memory.read(address, length)

    def poke(self, address: int, data: bytes) -> None:
        self.memory.write(address, data)

    def wait(self) -> None:
        self.clock.advance(1_000_000)


class Qemu(Side):
    """QEMU's device. *options* are those of ``-device``, and what comes before it."""

    def __init__(self, device: str, *options: str, machine: str = "pc-i440fx-2.6") -> None:
        self.directory = tempfile.TemporaryDirectory()
        rom = Path(self.directory.name, "rom")
        rom.write_bytes(b"\xf4" * 0x10000)
        command = [
            QEMU, "-M", machine, "-accel", "tcg", "-bios", str(rom), "-m", "16", "-display", "none", "-nodefaults",
            "-vga", "none", *options, *(["-device", f"{device},addr={SLOT:#x}"] if device else []), "-qtest", "stdio",
            "-qtest-log", "/dev/null", "-qmp", f"unix:{self.directory.name}/qmp,server=on,wait=off",
        ]  # fmt: skip
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, text=True, **pipes)
        if device:
            self.place_bars()

    def __enter__(self) -> Qemu:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.directory.cleanup()

    def ask(self, line: str) -> list[str]:
        """The answer to a line of the protocol."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        assert answer[:1] == ["OK"], (line, answer)
        return answer[1:]

    def query(self, command: str) -> Any:
        """The answer of the monitor."""
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(f"{self.directory.name}/qmp")
            stream = monitor.makefile("rw")
            stream.readline()
            for name in ("qmp_capabilities", command):
                stream.write(json.dumps({"execute": name}) + "\n")
                stream.flush()
                while "return" not in (answer := json.loads(stream.readline())):
                    assert "error" not in answer, answer
            return answer["return"]

    def config(self, register: int, size: int) -> int:
        self.ask(f"outl 0xcf8 {0x8000_0000 | SLOT << 11 | register & 0xFC:#x}")
        return self.port(0xCFC + (register & 3), size)

    def set_config(self, register: int, size: int, value: int) -> None:
        self.ask(f"outl 0xcf8 {0x8000_0000 | SLOT << 11 | register & 0xFC:#x}")
        self.set_port(0xCFC + (register & 3), size, value)

    def port(self, port: int, size: int) -> int:
        return int(self.ask(f"in{_letter(size)} {port:#x}")[0], 16)

    def set_port(self, port: int, size: int, value: int) -> None:
        self.ask(f"out{_letter(size)} {port:#x} {value:#x}")

    def load(self, address: int, size: int) -> int:
        return int(self.ask(f"read{_letter(size)} {address:#x}")[0], 16)

    def store(self, address: int, size: int, value: int) -> None:
        self.ask(f"write{_letter(size)} {address:#x} {value:#x}")

    def peek(self, address: int, length: int) -> bytes:
        return bytes.fromhex(self.ask(f"read {address:#x} {length:#x}")[0][2:]) if length else b""

    def poke(self, address: int, data: bytes) -> None:
        if data:
            self.ask(f"write {address:#x} {len(data):#x} 0x{data.hex()}")

    def wait(self) -> None:
        time.sleep(0.03)  # the host's part of a request takes the host's time


def eventually(side: Side, condition: Callable[[], object]) -> None:
    """Wait for QEMU, which does things when its host has time for it."""
    for _ in range(2000):
        if condition():
            return
        side.wait()


def _letter(size: int) -> str:
    return {1: "b", 2: "w", 4: "l", 8: "q"}[size]


@dataclass(frozen=True)
class Part:
    """A buffer of a chain: what the driver has to say, or room for the device."""

    address: int
    data: bytes = b""
    room: int = 0

    @property
    def length(self) -> int:
        return len(self.data) or self.room


class Queue:
    """A driver's queue, in the legacy layout, which version 1.0 can have as well."""

    def __init__(self, side: Side, address: int, size: int) -> None:
        self.side = side
        self.size = size
        self.desc = address
        self.avail = address + 16 * size
        self.used = (self.avail + 4 + 2 * size + 0xFFF) & ~0xFFF
        self.put_idx = 0
        self.free = 0
        side.poke(address, bytes(self.used + 6 + 8 * size - address))

    def write_descriptor(self, index: int, address: int, length: int, flags: int, following: int = 0) -> None:
        """One entry of the table."""
        self.side.poke(self.desc + 16 * index, struct.pack("<QIHH", address, length, flags, following))

    def put(self, *parts: Part, indirect: int = 0) -> int:
        """Make a chain available; returns its head. With *indirect* its table is at that address."""
        rows = []
        for number, part in enumerate(parts):
            self.side.poke(part.address, part.data)
            flags = (WRITE if part.room else 0) | (NEXT if number < len(parts) - 1 else 0)
            rows.append((part.address, part.length, flags))
        head = self.free
        if indirect:
            for number, row in enumerate(rows):
                self.side.poke(indirect + 16 * number, struct.pack("<QIHH", *row, number + 1))
            self.write_descriptor(head, indirect, 16 * len(rows), INDIRECT)
            self.free += 1
        else:
            for number, row in enumerate(rows, head):
                self.write_descriptor(number, *row, number + 1)
            self.free += len(rows)
        self.publish(head)
        return head

    def publish(self, head: int) -> None:
        """Put a head into the ring, whatever it is."""
        self.side.poke(self.avail + 4 + 2 * (self.put_idx % self.size), head.to_bytes(2, "little"))
        self.put_idx = self.put_idx + 1 & 0xFFFF
        self.side.poke(self.avail + 2, self.put_idx.to_bytes(2, "little"))

    @property
    def used_idx(self) -> int:
        """How many the device has given back."""
        return int.from_bytes(self.side.peek(self.used + 2, 2), "little")

    @property
    def used_entries(self) -> list[tuple[int, int]]:
        """Head and length of each."""
        raw = self.side.peek(self.used + 4, 8 * min(self.used_idx, self.size))
        return list(struct.iter_unpack("<II", raw))  # type: ignore[arg-type]


class LegacyDriver:
    """A driver by the ports of version 0.9.5."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.config_start = 0x14

    def start(self, features: int, *queues: int) -> list[Queue]:
        """Accept features of those that are offered, and set up queues by their numbers."""
        self.set_status(0)
        self.set_status(r.STATUS_ACKNOWLEDGE)
        self.set_status(ACKNOWLEDGED)
        self.side.set_port(PORTS + 4, 4, self.features & features & ~(1 << r.F_BAD_FEATURE))
        made = [self.set_up(number) for number in queues]
        self.set_status(ACKNOWLEDGED | r.STATUS_DRIVER_OK)
        return made

    def set_up(self, number: int) -> Queue:
        """Make a queue."""
        self.side.set_port(PORTS + 14, 2, number)
        queue = Queue(self.side, TABLE + 0x8000 * number, self.side.port(PORTS + 12, 2))
        self.side.set_port(PORTS + 8, 4, queue.desc >> 12)
        return queue

    @property
    def features(self) -> int:
        return self.side.port(PORTS, 4)

    def set_status(self, value: int) -> None:
        self.side.set_port(PORTS + 18, 1, value)

    @property
    def status(self) -> int:
        return self.side.port(PORTS + 18, 1)

    def isr(self) -> int:
        """Interrupt status, which a read clears."""
        return self.side.port(PORTS + 19, 1)

    def kick(self, number: int) -> None:
        """Notify, and give it time."""
        self.side.set_port(PORTS + 16, 2, number)
        self.side.wait()

    def read_config(self, offset: int, size: int) -> int:
        return self.side.port(PORTS + self.config_start + offset, size)

    def write_config(self, offset: int, size: int, value: int) -> None:
        self.side.set_port(PORTS + self.config_start + offset, size, value)


class ModernDriver:
    """A driver by the registers of version 1.0."""

    COMMON, ISR, CONFIG, NOTIFY = (MODERN_BAR + n * 0x1000 for n in range(4))

    def __init__(self, side: Side) -> None:
        self.side = side
        self.distance = side.config(side.capability(2) + 16, 4)

    def start(self, features: int, *queues: int) -> list[Queue]:
        """As the legacy driver does, with its features accepted."""
        self.set_status(0)
        self.set_status(ACKNOWLEDGED)
        accepted = self.features & (features | 1 << r.F_VERSION_1)
        for half in range(2):
            self.side.store(self.COMMON + 8, 4, half)
            self.side.store(self.COMMON + 12, 4, accepted >> 32 * half & 0xFFFF_FFFF)
        self.set_status(ACKNOWLEDGED | r.STATUS_FEATURES_OK)
        made = [self.set_up(number) for number in queues]
        self.set_status(ACKNOWLEDGED | r.STATUS_FEATURES_OK | r.STATUS_DRIVER_OK)
        return made

    def set_up(self, number: int) -> Queue:
        side = self.side
        side.store(self.COMMON + 0x16, 2, number)
        queue = Queue(side, TABLE + 0x8000 * number, side.load(self.COMMON + 0x18, 2))
        side.store(self.COMMON + 0x18, 2, queue.size)
        for offset, address in ((0x20, queue.desc), (0x28, queue.avail), (0x30, queue.used)):
            side.store(self.COMMON + offset, 4, address)
            side.store(self.COMMON + offset + 4, 4, 0)
        side.store(self.COMMON + 0x1C, 2, 1)
        return queue

    @property
    def features(self) -> int:
        total = 0
        for half in range(2):
            self.side.store(self.COMMON, 4, half)
            total |= self.side.load(self.COMMON + 4, 4) << 32 * half
        return total

    def set_status(self, value: int) -> None:
        self.side.store(self.COMMON + 0x14, 1, value)

    @property
    def status(self) -> int:
        return self.side.load(self.COMMON + 0x14, 1)

    def isr(self) -> int:
        return self.side.load(self.ISR, 1)

    def kick(self, number: int) -> None:
        self.side.store(self.NOTIFY + self.distance * number, 2, number)
        self.side.wait()

    def read_config(self, offset: int, size: int) -> int:
        return self.side.load(self.CONFIG + offset, size)

    def write_config(self, offset: int, size: int, value: int) -> None:
        self.side.store(self.CONFIG + offset, size, value)


class Echo(VirtioDevice):
    """A device for tests of queues: it writes back what it reads, backwards, as far as that fits."""

    type_name = "echo"
    device_id = 99
    config_size = 8

    def realize(self) -> None:
        super().realize()
        self.seen: list[tuple[bytes, int]] = []
        self.add_queue(8, self.work)
        self.add_queue(4, self.work)

    def work(self, queue: VirtQueue) -> None:
        """Handle all chains."""
        from pyqemu.hw.virtio.queue import gather, scatter

        while (element := queue.pop()) is not None:
            data = gather(self.space, element.out)
            self.seen.append((data, element.in_size))
            queue.push(element, scatter(self.space, element.in_, data[::-1][: element.in_size]))
            queue.notify()

    def config_written(self) -> None:
        self.written = bytes(self.config)


class Window:
    """An :class:`Echo`, or another device, behind a ``virtio-mmio`` window, with memory of its own."""

    MEMORY = 4 << 20

    def __init__(self, device: VirtioDevice | None = None, *, legacy: bool = True) -> None:
        self.system = System(clock=FakeClock())
        root = MemoryRegion.container("memory")
        root.add(0, MemoryRegion.ram("ram", self.MEMORY))
        self.memory = AddressSpace("memory", root)
        self.mmio = VirtioMmio(self.system, self.memory, force_legacy=legacy)
        root.add(0x1000_0000, self.mmio.region)
        self.device = device or Echo()
        bus = self.mmio.virtio_bus
        assert isinstance(bus, VirtioBus)
        bus.plug(self.device)
        self.system.reset()

    def read(self, offset: int) -> int:
        return self.mmio.read(offset, 4)

    def write(self, offset: int, value: int) -> None:
        self.mmio.write(offset, 4, value)

    def peek(self, address: int, length: int) -> bytes:
        return self.memory.read(address, length)

    def poke(self, address: int, data: bytes) -> None:
        self.memory.write(address, data)


def on_both(action: Callable[[Side], Any], ours: Side, theirs: Side) -> tuple[Any, Any]:
    """What the same action gives on each."""
    return action(ours), action(theirs)


def blocks(parts: Sequence[Part]) -> list[tuple[int, int]]:
    """Addresses and lengths of what the device may fill."""
    return [(part.address, part.room) for part in parts if part.room]
