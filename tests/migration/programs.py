"""Real programs that send and load machines: processes, monitors, a guest that counts on its serial line and disk."""

from __future__ import annotations

import array
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pyqemu.util.x86asm import assemble

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
PATIENCE = 60.0  # seconds
SECTOR, SECTORS = 512, 16
FINAL = ("completed", "failed", "cancelled")


def rom(directory: Path) -> Path:
    """The file of the ROM that counts, and writes what it has counted to the disk."""
    here = Path(__file__).parent
    source = (here / "state" / "counter.asm").read_text("ascii")
    source = source.replace("        jmp next\n", "        call store\n        jmp next\n", 1)
    source = source.replace("\ntable:", "\n" + (here / "disk_counter.asm").read_text("ascii") + "\ntable:", 1)
    source = source.replace("add ebx, 10", "add ebx, 5")
    path = directory / "counter.bin"
    jump = bytes((0xEA, 0, 0, 0, 0xF0))
    path.write_bytes(assemble(source).code.ljust(0xFFF0, b"\xf4") + jump.ljust(16, b"\0"))
    return path


class QmpError(Exception):
    """The answer was an error; its text is the description."""


class Program:
    """One pyqemu with the counting guest, its monitor on a socket, its serial line in a file."""

    patience = PATIENCE

    def __init__(self, directory: Path, name: str, *options: str, image: Path | None = None) -> None:
        self.serial = directory / f"{name}.serial"
        self.events: list[dict[str, Any]] = []
        self._rest = b""
        drive = ["-drive", f"file={image},format=raw,if=ide"] if image is not None else []
        control = directory / f"{name}.qmp"
        self.process = subprocess.Popen(
            [*self.command(directory), "-display", "none", "-nodefaults", "-serial", f"file:{self.serial}", *drive,
             "-qmp", f"unix:{control},server,nowait", *options],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.socket = socket.socket(socket.AF_UNIX)
        self.wait(lambda: self._connect(control) or self._ended())
        self._line()
        self.ask("qmp_capabilities")

    def command(self, directory: Path) -> list[str]:
        """The program, and the options of its machine."""
        return [sys.executable, "-m", "pyqemu", "-m", "4", "-bios", str(directory / "counter.bin")]

    def _connect(self, path: Path) -> bool:
        """Whether the program listens by now; the name of a socket is there a moment before that."""
        try:
            self.socket.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def _ended(self) -> bool:
        assert self.process.poll() is None, self.process.communicate()[1]
        return False

    def wait(self, condition: Callable[[], T]) -> T:
        """Until it is true; its value."""
        end = time.monotonic() + self.patience
        while not (found := condition()):
            assert time.monotonic() < end, "what must happen does not"
            time.sleep(0.01)
        return found

    # -- the monitor

    def _line(self) -> dict[str, Any]:
        while b"\n" not in self._rest:
            assert select.select([self.socket], [], [], PATIENCE)[0], "no answer"
            data = self.socket.recv(65536)
            assert data, self.process.communicate()[1]
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, command: str, arguments: dict[str, Any] | None = None, *, fd: int | None = None, **more: Any) -> Any:
        """The answer to a command; with it may go a descriptor.

        :raise QmpError: an error was answered.
        """
        text = json.dumps({"execute": command, "arguments": {**(arguments or {}), **more}}).encode() + b"\n"
        rights = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        self.socket.sendmsg([text], rights)
        while True:
            answer = self._line()
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise QmpError(answer["error"]["desc"])
            else:
                return answer["return"]

    @property
    def state(self) -> str:
        """The run state."""
        return str(self.ask("query-status")["status"])

    def told(self) -> list[str]:
        """The states that MIGRATION events have told of so far."""
        self.ask("query-name")
        return [event["data"]["status"] for event in self.events if event["event"] == "MIGRATION"]

    def migrate(self, uri: str) -> dict[str, Any]:
        """Send the machine there, and wait how that ends."""
        self.ask("migrate", uri=uri)
        return self.ended()

    def ended(self) -> dict[str, Any]:
        """The information about a migration when it is over."""

        def information() -> dict[str, Any]:
            found: dict[str, Any] = self.ask("query-migrate")
            return found if found.get("status") in FINAL else {}

        return self.wait(information)

    # -- the guest

    @property
    def text(self) -> str:
        """What the guest has printed."""
        return self.serial.read_text("ascii") if self.serial.exists() else ""

    def count(self, more: int = 4) -> None:
        """Let it count on."""
        self._ended()
        before = self.text.count("\n")
        self.wait(lambda: self.text.count("\n") >= before + 2 * more or self._ended())

    # -- the end

    def quit(self) -> str:
        """End it; its standard error."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        errors = self.process.communicate(timeout=PATIENCE)[1]
        self.socket.close()
        return errors

    def close(self) -> None:
        """End it, however it is."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.socket.close()


def check(image: Path, *programs: Program) -> int:
    """Whether the guest has counted without a gap on serial lines and disk; how far."""
    text = "".join(program.text for program in programs)
    numbers = [int(line, 16) for line in text[: text.rfind("\n") + 1].split()]  # the last line may have been cut off
    for position, found in enumerate(numbers):
        count = position // 2 + 1
        assert found == (count * (count + 1) // 2 if position % 2 else count), (position, numbers)
    last = len(numbers) // 2
    data = image.read_bytes()
    stored = [_sector(data, number) for number in range(SECTORS)]
    newest = max(stored)
    assert last - 1 <= newest <= last + 1, (last, stored)
    for count in range(max(1, newest - SECTORS + 1), newest + 1):
        assert stored[count % SECTORS] == count, stored
    return last


def _sector(data: bytes, number: int) -> int:
    found = data[(SECTORS + number) * SECTOR :][:SECTOR]
    assert found == found[:4] * (SECTOR // 4), "a sector was written by half"
    return int.from_bytes(found[:4], "little")


def made(directory: Path) -> Iterator[Callable[..., Program]]:
    """Makes programs in a directory with ROM and image, and ends them."""
    rom(directory)
    (directory / "disk.img").write_bytes(bytes(1 << 20))
    programs: list[Program] = []

    def make(name: str, *options: str, image: Path | None = None) -> Program:
        programs.append(Program(directory, name, *options, image=image or directory / "disk.img"))
        return programs[-1]

    yield make
    for program in programs:
        program.close()
