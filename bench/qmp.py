"""Many QMP clients while a guest runs: ``python bench/qmp.py [--clients N] [--commands N] [--rate N]``.

Prints how long commands take and how much slower the guest becomes. Guests are a pc that computes or reads a port in a
loop, and a stub: a thread that uses the big lock and the interpreter as a vCPU's does. The clients are a process of
their own; each sends its next command when the last one has been answered, but no more than ``--rate`` in a second
(0: as fast as it can; then on a host with two processors the guest loses its share to the clients already).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from pyqemu.accel.tcg import SWITCH_INTERVAL
from pyqemu.api import Machine, MachineConfig
from pyqemu.block.drives import DriveOptions
from pyqemu.chardev import Chardevs
from pyqemu.monitor.qmp.dispatch import QapiDispatcher
from pyqemu.monitor.qmp.server import attach_qmp
from pyqemu.qapi.commands import Registry
from pyqemu.qapi.generated.commands import COMMANDS
from pyqemu.qapi.generated.types import RunState, StatusInfo
from pyqemu.qapi.visit import VISITOR
from pyqemu.system import System
from pyqemu.util.x86asm import assemble

ALONE = 2.0  # seconds in which the guest's own speed is measured
BUFFER = bytes(32 << 20)


class StubVcpu:
    """Uses lock and interpreter like the vCPU's thread; ``rounds`` tells how far it got."""

    def __init__(self, system: System, native: float, python: float) -> None:
        self.lock = system.lock
        self.native, self.python = native * 1e-6, python * 1e-6
        self.rounds = 0
        self.stopping = False
        self.attention = False
        self.lock.on_contention = self._kick
        started = time.perf_counter()
        for _ in range(100):
            zlib.crc32(BUFFER[: 1 << 16])
        speed = (100 << 16) / (time.perf_counter() - started)
        self.code = memoryview(BUFFER)[: max(8192, int(speed * self.native))]  # smaller ones keep the interpreter lock
        self.loops = self._calibrate()
        self.thread = threading.Thread(target=self._main, daemon=True)

    def _calibrate(self) -> int:
        started = time.perf_counter()
        _spin(100_000)
        return int(self.python / ((time.perf_counter() - started) / 100_000))

    def _kick(self) -> None:
        self.attention = True

    def _main(self) -> None:
        acquire, release = self.lock.acquire, self.lock.release
        acquire()
        while not self.stopping:
            release()
            zlib.crc32(self.code)
            acquire()
            _spin(self.loops)
            self.rounds += 1
            if self.attention:
                self.attention = False
                self.lock.make_way()
        release()


def _spin(count: int) -> None:
    for _ in range(count):
        pass


async def client(path: str, commands: int, rate: float, latencies: list[float]) -> None:
    """One client; adds the seconds that each of its commands took."""
    reader, writer = await asyncio.open_unix_connection(path)
    await reader.readline()
    writer.write(b'{"execute": "qmp_capabilities"}\n')
    await reader.readline()
    due = time.perf_counter()
    for number in range(commands):
        if rate:
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        started = time.perf_counter()
        writer.write(b'{"execute": "query-status", "id": %d}\n' % number)
        reply = await reader.readline()
        latencies.append(time.perf_counter() - started)
        assert b'"return"' in reply and b'"id": %d}' % number in reply, reply
    writer.close()


async def clients(path: str, count: int, commands: int, rate: float) -> None:
    """The other process: prints what it measured as JSON."""
    latencies: list[float] = []
    started = time.perf_counter()
    await asyncio.gather(*(client(path, commands, rate, latencies) for _ in range(count)))
    latencies.sort()
    print(json.dumps({
        "median": statistics.median(latencies), "p99": latencies[len(latencies) * 99 // 100], "worst": latencies[-1],
        "seconds": time.perf_counter() - started, "answered": len(latencies),
    }))  # fmt: skip


class StubMachine:
    """A stub's machine."""

    def __init__(self, native: float, python: float) -> None:
        self.loop = asyncio.new_event_loop()
        self.system = System(loop=self.loop)
        self.vcpu = StubVcpu(self.system, native, python)
        if native:
            self.vcpu.thread.start()

    def rounds(self) -> int:
        return self.vcpu.rounds

    def close(self) -> None:
        self.vcpu.stopping = True
        if self.vcpu.thread.is_alive():
            self.vcpu.thread.join()
        self.loop.run_until_complete(asyncio.sleep(0.1))
        self.loop.close()


class RealMachine:
    """A pc whose boot sector counts in memory; *work* is what it does between."""

    COUNTER = 0x500

    def __init__(self, work: str) -> None:
        code = assemble(f"""
            bits 16
            org 0x7c00
            xor ax, ax
            mov ds, ax
            again: {work}
            inc dword [{self.COUNTER}]
            jmp again
        """).code
        with tempfile.NamedTemporaryFile() as disk:
            disk.write((code.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 16, b"\0"))
            disk.flush()
            drive = DriveOptions.from_mapping({"file": disk.name, "format": "raw", "index": "0"})
            self.machine = Machine(MachineConfig(memory=16 << 20, drives=[drive]))
        self.loop, self.system = self.machine.loop, self.machine.system
        self.machine.start()
        self.loop.run_until_complete(asyncio.sleep(1))

    def rounds(self) -> int:
        with self.system.lock:
            return int.from_bytes(self.machine.cpu.memory.read(self.COUNTER, 4), "little")

    def close(self) -> None:
        self.machine.close()


GUESTS: dict[str, Callable[[], StubMachine | RealMachine]] = {
    "pc, computing": lambda: RealMachine("mov cx, 50000\nhere: dec cx\njnz here"),
    "pc, ports": lambda: RealMachine("in al, 0x61"),
    "stub, computing": lambda: StubMachine(5000, 20),  # microseconds of native code, then of Python with the lock held
    "stub, ports": lambda: StubMachine(5, 10),
    "stub, translating": lambda: StubMachine(2, 300),
    "nothing": lambda: StubMachine(0, 0),
}


def handlers() -> Registry:
    """One command; so that only the server is measured."""
    registry = Registry(COMMANDS, VISITOR)

    @registry.command("query-status")
    def query_status(system: System) -> StatusInfo:
        return StatusInfo(running=True, singlestep=False, status=RunState.RUNNING)

    return registry


def speed(machine: StubMachine | RealMachine, work: Coroutine[Any, Any, Any]) -> tuple[float, Any]:
    """What the guest does in a second while *work* is done, and the result of that."""
    before, started = machine.rounds(), time.perf_counter()
    result = machine.loop.run_until_complete(work)
    return (machine.rounds() - before) / (time.perf_counter() - started), result


def measure(name: str, options: argparse.Namespace, path: str) -> None:
    """One guest. Its own speed is that before and after: other programs on the host have their part in it."""
    machine = GUESTS[name]()
    chardev = Chardevs(machine.system).create("socket", {"id": "qmp", "path": path, "server": "on", "wait": "off"})
    attach_qmp(machine.system, chardev, dispatcher=QapiDispatcher(machine.system, handlers()))
    command = [sys.executable, __file__, "--connect", path, "--clients", str(options.clients)]
    command += ["--commands", str(options.commands), "--rate", str(options.rate)]

    async def run() -> bytes:
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        return (await process.communicate())[0]

    first, _ = speed(machine, asyncio.sleep(ALONE))
    with_clients, text = speed(machine, run())
    second, _ = speed(machine, asyncio.sleep(ALONE))
    chardev.close()
    machine.close()
    found, alone = json.loads(text), (first + second) / 2
    loss = f"{1 - with_clients / alone:6.0%}" if alone else "      "
    print(
        f"{name:18} {found['answered']:6} {found['answered'] / found['seconds']:9.0f} {found['median'] * 1e3:8.2f} "
        f"{found['p99'] * 1e3:8.2f} {found['worst'] * 1e3:8.2f} {loss}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--commands", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=20, help="commands of each client in a second; 0: no limit")
    parser.add_argument("--guest", choices=GUESTS, help="only this one")
    parser.add_argument("--connect", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.connect:
        asyncio.run(clients(options.connect, options.clients, options.commands, options.rate))
        return
    sys.setswitchinterval(SWITCH_INTERVAL)
    print(
        f"{'guest':18} {'number':>6} {'in 1 s':>9} {'median':>8} {'p99':>8} {'worst':>8} {'slower':>6}  (times in ms)"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in [options.guest] if options.guest else GUESTS:
            measure(name, options, str(Path(folder, "qmp")))


if __name__ == "__main__":
    main()
