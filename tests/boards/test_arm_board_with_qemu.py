"""Boards with 32-bit processors move between pyqemu and Debian's QEMU: a guest counts on without a gap."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.boards.arm_counter import program
from tests.boards.test_arm_board_saved import settings
from tests.migration.state.saved_rig import check_count, count_on, load, machine, save, text

QEMU = "qemu-system-arm"
MACHINES = {"versatilepb": "versatilepb", "vexpress-a9": "vexpress-a9,secure=off"}
PATIENCE = 60.0  # seconds
ENOUGH = 20  # lines


class Qemu:
    """QEMU with the guest, and what that prints."""

    def __init__(self, name: str, kernel: str, serial: Path, *options: str) -> None:
        self.serial = serial
        command = [QEMU, "-M", MACHINES[name], "-m", "128", "-nodefaults", "-net", "nic,macaddr=52:54:00:12:34:56",
                   "-display", "none", "-serial", f"file:{serial}", "-kernel", kernel, "-rtc",
                   "base=2001-09-09T01:46:40,clock=vm", "-qmp", "stdio", *options]  # fmt: skip
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, text=True, **pipes)
        self._line()
        self.ask("qmp_capabilities")

    def _line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def ask(self, execute: str, **arguments: Any) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        while "return" not in (answer := self._line()):
            assert "error" not in answer, answer
        return answer["return"]

    def printed(self) -> str:
        return self.serial.read_text() if self.serial.exists() else ""

    def wait(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.05)

    def save(self, path: Path) -> bytes:
        self.ask("migrate", uri=f"exec:cat > {path}")
        self.wait(lambda: self.ask("query-migrate").get("status") == "completed")
        return path.read_bytes()

    def __enter__(self) -> Qemu:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.mark.skipif(shutil.which(QEMU) is None, reason="needs Debian's qemu-system-arm")
@pytest.mark.parametrize("name", list(MACHINES))
def test_a_guest_goes_from_qemu_and_back(name: str, tmp_path: Path) -> None:
    kernel = program(name, tmp_path)
    with Qemu(name, kernel, tmp_path / "first") as qemu:
        qemu.wait(lambda: len(qemu.printed().split()) > ENOUGH)
        stream = qemu.save(tmp_path / "there")
        printed = qemu.printed()
    with machine(settings(name, tmp_path)) as made:
        load(made, stream)
        count_on(made, 80)
        stream, _ = save(made)
        printed += text(made)
    (tmp_path / "back").write_bytes(stream)
    with Qemu(name, kernel, tmp_path / "second", "-incoming", f"exec:cat {tmp_path / 'back'}") as qemu:
        qemu.wait(lambda: len(qemu.printed().split()) > ENOUGH)
        printed += qemu.printed()
    numbers = printed.split()
    check_count(numbers[: len(numbers) & ~1], 1)
