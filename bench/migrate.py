"""How fast an idle guest of 1 GiB moves over loopback, and for how long it stands still: pyqemu and QEMU side by side.

    python bench/migrate.py [MEBIBYTES]

Every page of its memory is different from zero. QEMU is left out where it is not installed.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pyqemu.util.x86asm import assemble  # noqa: E402

BEFORE = "        mov edi, 0xfee000f0"
FILL = """        mov edi, 0x100000
.fill:  mov [edi], edi
        add edi, 0x1000
        cmp edi, {end:#x}
        jb .fill
"""


def rom(directory: Path, mebibytes: int) -> Path:
    """The counting guest of the tests, which fills memory first."""
    source = (ROOT / "tests/migration/state/counter.asm").read_text("ascii")
    assert BEFORE in source
    source = source.replace(BEFORE, FILL.format(end=(mebibytes - 1) << 20) + BEFORE, 1)
    path = directory / "guest.bin"
    jump = bytes((0xEA, 0, 0, 0, 0xF0))
    path.write_bytes(assemble(source).code.ljust(0xFFF0, b"\xf4") + jump.ljust(16, b"\0"))
    return path


class Program:
    """An emulator with a QMP monitor on a socket."""

    def __init__(self, command: list[str], control: Path, *options: str) -> None:
        self.process = subprocess.Popen([*command, "-qmp", f"unix:{control},server,nowait", *options], cwd=ROOT)
        self.socket = socket.socket(socket.AF_UNIX)
        while not control.exists():
            assert self.process.poll() is None
            time.sleep(0.01)
        self.socket.connect(str(control))
        self.file = self.socket.makefile("r")
        self.file.readline()
        self.ask("qmp_capabilities")

    def ask(self, execute: str, **arguments: Any) -> Any:
        """The answer to a command."""
        self.socket.sendall(json.dumps({"execute": execute, "arguments": arguments}).encode() + b"\n")
        while "return" not in (answer := json.loads(self.file.readline())):
            assert "error" not in answer, answer
        return answer["return"]

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        self.file.close()
        self.socket.close()


def measure(name: str, command: list[str], directory: Path, mebibytes: int) -> None:
    """Move once, and print what the source says of it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serial = directory / f"{name}.serial"
    source = Program(command, directory / f"{name}.from", "-serial", f"file:{serial}")
    destination = Program(command, directory / f"{name}.to", "-serial", "null", "-incoming", f"tcp:127.0.0.1:{port}")
    try:
        while not serial.exists() or not serial.stat().st_size:
            time.sleep(0.1)  # memory is being filled
        source.ask("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        source.ask("migrate", uri=f"tcp:127.0.0.1:{port}")
        while (found := source.ask("query-migrate"))["status"] not in ("completed", "failed"):
            time.sleep(0.02)
        assert found["status"] == "completed", found
        rate = (mebibytes << 20) / 1e6 / (found["total-time"] / 1000)
        print(f"{name:8} {rate:8.0f} MB/s {found['total-time']:7} ms total {found['downtime']:5} ms downtime")
    finally:
        source.close()
        destination.close()


def main() -> None:
    """Measure both."""
    mebibytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        common = ["-display", "none", "-nodefaults", "-m", str(mebibytes), "-bios", str(rom(directory, mebibytes))]
        measure("pyqemu", [sys.executable, "-m", "pyqemu", *common], directory, mebibytes)
        if shutil.which("qemu-system-x86_64"):
            qemu = ["qemu-system-x86_64", "-M", "pc-i440fx-2.6", "-accel", "tcg", *common]
            measure("QEMU", qemu, directory, mebibytes)


if __name__ == "__main__":
    main()
