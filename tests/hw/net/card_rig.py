"""Cards and a driver's view of them: registers, rings, frames. One card is ours, on a bus of its own over 16 MiB of
memory; the other is that of Debian's QEMU, at the end of its ``-qtest`` connection.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pyqemu.hw.net import e1000_registers as reg
from pyqemu.hw.net.e1000 import E1000
from pyqemu.hw.pci import PciBus, regs
from pyqemu.memory import AddressSpace
from pyqemu.net import NetClient, Network
from pyqemu.system import FakeClock, System

QEMU = "qemu-system-x86_64"
needs_qemu = pytest.mark.skipif(shutil.which(QEMU) is None, reason="needs Debian's qemu-system-x86")

MMIO, PORTS = 0x1000_0000, 0xC000
TX_RING, RX_RING, BUFFERS, LANDING = 0x1_0000, 0x3_0000, 0x10_0000, 0x20_0000
OWN = bytes.fromhex("525400123456")
OTHER = bytes.fromhex("020000000001")
EOP, IC, RS, DEXT, VLE, IDE = (1 << bit for bit in (24, 26, 27, 29, 30, 31))
DATA, TSE = DEXT | 1 << 20, IC
TCP, IP = 1 << 24, 1 << 25
INSERT_IP, INSERT_TCP = 0x100, 0x200
PHY_LOOPBACK = 0x4140


@dataclass
class Received:
    """A receive descriptor that the card has written."""

    address: int
    length: int
    status: int
    special: int


class Driver:
    """What a driver does, on whichever card."""

    ring_size = 64

    def read(self, offset: int) -> int:
        """A register."""
        raise NotImplementedError

    def write(self, offset: int, value: int) -> None:
        """Set a register."""
        raise NotImplementedError

    def peek(self, address: int, length: int) -> bytes:
        """Memory."""
        raise NotImplementedError

    def poke(self, address: int, data: bytes) -> None:
        """Set memory."""
        raise NotImplementedError

    # -- the transceiver

    def read_phy(self, number: int) -> int:
        self.write(reg.MDIC, reg.MDIC_READ | 1 << 21 | number << 16)
        return self.read(reg.MDIC)

    def write_phy(self, number: int, value: int) -> int:
        self.write(reg.MDIC, reg.MDIC_WRITE | 1 << 21 | number << 16 | value)
        return self.read(reg.MDIC)

    # -- transmitting

    def transmit_ring(self, size: int = 64) -> None:
        self.write(reg.TDBAL, TX_RING)
        self.write(reg.TDLEN, 16 * size)
        self.write(reg.TCTL, reg.TCTL_EN)
        self.ring_size = size

    def put(self, *descriptors: bytes) -> None:
        """Append descriptors to the transmit ring, and tell the card."""
        tail = self.read(reg.TDT)
        for each in descriptors:
            self.poke(TX_RING + 16 * tail, each)
            tail = (tail + 1) % self.ring_size
        self.write(reg.TDT, tail)

    def transmit(self, frame: bytes, flags: int = EOP | RS, upper: int = 0) -> None:
        """Send a frame by one descriptor."""
        self.poke(BUFFERS, frame)
        self.put(descriptor(BUFFERS, len(frame) | flags, upper))

    # -- receiving

    def receive_ring(self, size: int = 8, control: int = 0, free: int | None = None) -> None:
        """Give the card *size* buffers, of which it may fill *free* (else all but one)."""
        for index in range(size):
            self.poke(RX_RING + 16 * index, struct.pack("<QQ", LANDING + 0x4000 * index, 0))
        self.write(reg.RDBAL, RX_RING)
        self.write(reg.RDLEN, 16 * size)
        self.write(reg.RDH, 0)
        self.write(reg.RCTL, reg.RCTL_EN | control)
        self.write(reg.RDT, size - 1 if free is None else free)

    def received(self, index: int = 0) -> Received:
        """What is in a receive descriptor."""
        address, length, _, status, _, special = struct.unpack("<QHHBBH", self.peek(RX_RING + 16 * index, 16))
        return Received(address, length, status, special)

    def contents(self, index: int = 0) -> bytes:
        """What the card has written into a buffer."""
        found = self.received(index)
        return self.peek(found.address, found.length)


class Rig(Driver):
    """Our card. What it sends is in *sent*; :meth:`arrive` lets it receive."""

    def __init__(self, *, cable: bool = True, **props: Any) -> None:
        self.clock = FakeClock()
        self.system = System(clock=self.clock)
        self.bus = PciBus.standalone(self.system)
        self.card = E1000(**props)
        self.bus.add(self.card, 3 << 3)
        self.card.pci_reset()
        self.card.reset()
        self.memory = self.bus.dma_space
        self.io = AddressSpace("io", self.bus.io)
        self.sent: list[bytes] = []
        self.far = NetClient("far", "test", receive=self._take)
        if cable:
            self.card.client.connect(self.far)
        self.card.config_write(regs.BASE_ADDRESS_0, 4, MMIO)
        self.card.config_write(regs.BASE_ADDRESS_0 + 4, 4, PORTS)
        self.card.config_write(regs.COMMAND, 2, regs.COMMAND_IO | regs.COMMAND_MEMORY | regs.COMMAND_MASTER)

    def _take(self, frame: bytes) -> bool:
        self.sent.append(frame)
        return True

    @property
    def network(self) -> Network:
        return Network.of(self.system)

    @property
    def irq(self) -> bool:
        return self.card.irq.level

    def read(self, offset: int) -> int:
        return self.memory.load(MMIO + offset, 4)

    def write(self, offset: int, value: int) -> None:
        self.memory.store(MMIO + offset, 4, value)

    def peek(self, address: int, length: int) -> bytes:
        return self.memory.read(address, length)

    def poke(self, address: int, data: bytes) -> None:
        self.memory.write(address, data)

    def wait(self, nanoseconds: int) -> None:
        """Let time pass."""
        self.clock.advance(nanoseconds)
        self.clock.run_due()

    def arrive(self, frame: bytes) -> bool:
        """A frame comes over the cable."""
        return self.far.send(frame)


class QemuCard(Driver):
    """QEMU's card. Its machine stands still, so that what takes time never happens; or it runs, with a processor that
    halts at once. Then QEMU waits for a second after each change of RCTL before it receives.
    """

    def __init__(self, *, running: bool = False, **props: str) -> None:
        self.running = running
        options = "".join(f",{name}={value}" for name, value in props.items())
        self.directory = tempfile.TemporaryDirectory()
        rom = Path(self.directory.name, "rom")
        rom.write_bytes(b"\xf4" * 0x10000)
        command = [
            QEMU, "-M", "pc-i440fx-2.6", "-accel", "tcg", "-m", "16", "-display", "none", "-nodefaults", "-vga",
            "none", "-device", f"e1000,addr=3,romfile={options}", "-qtest", "stdio", "-bios", str(rom),
            *([] if running else ["-S"]),
        ]  # fmt: skip
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, text=True, **pipes)
        for register, value in ((0x10, MMIO), (0x14, PORTS), (0x04, 7)):
            self._ask(f"outl 0xcf8 {0x8000_1800 | register:#x}")
            self._ask(f"outl 0xcfc {value:#x}")

    def __enter__(self) -> QemuCard:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.directory.cleanup()

    def _ask(self, line: str) -> list[str]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        assert answer[:1] == ["OK"], (line, answer)
        return answer[1:]

    def read(self, offset: int) -> int:
        return int(self._ask(f"readl {MMIO + offset:#x}")[0], 16)

    def write(self, offset: int, value: int) -> None:
        self._ask(f"writel {MMIO + offset:#x} {value:#x}")
        if self.running and offset == reg.RCTL:
            time.sleep(1.1)
            self.read(reg.STATUS)  # timers that are due by then run behind that

    def peek(self, address: int, length: int) -> bytes:
        return bytes.fromhex(self._ask(f"read {address:#x} {length:#x}")[0][2:]) if length else b""

    def poke(self, address: int, data: bytes) -> None:
        if data:
            self._ask(f"write {address:#x} {len(data):#x} 0x{data.hex()}")


def descriptor(address: int, lower: int, upper: int = 0) -> bytes:
    return struct.pack("<QII", address, lower, upper)


def context(*, ipcs: tuple[int, int, int] = (0, 0, 0), tucs: tuple[int, int, int] = (0, 0, 0), paylen: int = 0,
            header: int = 0, mss: int = 0, flags: int = 0) -> bytes:  # fmt: skip
    """A context descriptor; of each checksum where it starts, where it is put, where it ends."""
    return struct.pack("<BBHBBHIBBH", *ipcs, *tucs, DEXT | flags | paylen, 0, header, mss)


def frame_to(address: bytes, length: int = 60, kind: int = 0x88B5) -> bytes:
    """A frame with recognizable contents."""
    head = address + OTHER + kind.to_bytes(2, "big")
    return head + bytes(index & 0xFF for index in range(length - len(head)))


def ipv4_tcp(payload: int, *, flags: int = 0x18) -> bytes:
    """A frame of TCP over IPv4 whose length fields and checksums are zero, as a driver leaves them to the card."""
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 0, 0x1234, 0x4000, 64, 6, 0, bytes((10, 0, 2, 15)), bytes((10, 0, 2, 2)))
    tcp = struct.pack(">HHIIBBHHH", 4321, 80, 0x1000_0000, 0, 0x50, flags, 0x2000, 0, 0)
    return OWN + OTHER + b"\x08\x00" + ip + tcp + bytes(index * 7 & 0xFF for index in range(payload))
