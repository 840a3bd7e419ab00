"""Debian's QEMU, stopped, to ask the same commands as ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

QEMU = "qemu-system-x86_64"

needs_qemu = pytest.mark.skipif(shutil.which(QEMU) is None, reason="needs Debian's qemu-system-x86")


class Reference:
    """One QEMU. It ends with its standard input, so that it can't outlive the test."""

    def __init__(self, *arguments: str) -> None:
        command = [QEMU, "-M", "pc", "-m", "8", "-S", "-display", "none", "-nodefaults", "-vga", "none", *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen([*command, "-qmp", "stdio"], text=True, **pipes)  # type: ignore[call-overload]
        self.process.stdout.readline()
        self.ask("qmp_capabilities")

    def ask(self, execute: str, **arguments: Any) -> Any:
        """The answer to a command that must succeed."""
        arguments = {name.replace("_", "-"): value for name, value in arguments.items()}
        self.process.stdin.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        while "return" not in (message := json.loads(self.process.stdout.readline())):
            assert "error" not in message, message
        return message["return"]

    def __enter__(self) -> Reference:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def differences(ours: Any, theirs: Any, ignored: frozenset[str] = frozenset(), path: str = "") -> Iterator[str]:
    """What is of another type, or is a member that only one side has."""
    if type(ours) is not type(theirs):
        yield f"{path}: {ours!r} instead of {theirs!r}"
    elif isinstance(ours, dict):
        for name in (ours.keys() ^ theirs.keys()) - ignored:
            yield f"{path}.{name} is not on both sides"
        for name in ours.keys() & theirs.keys():
            yield from differences(ours[name], theirs[name], ignored, f"{path}.{name}")
    elif isinstance(ours, list) and ours and theirs:
        yield from differences(ours[0], theirs[0], ignored, f"{path}[0]")
