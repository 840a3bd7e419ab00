"""What Debian's QEMU shows of a processor that has run a program."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

AT = 0x4020_0000  #: where the program is put, in RAM


def registers_on_qemu(program: str, cpu: str, code: bytes, end: str, directory: Path) -> list[str]:
    """The lines of ``info registers`` when they contain *end*, as the program counter is where *code* ends.

    :param program: ``qemu-system-arm`` or ``qemu-system-aarch64``
    """
    image = directory / "code.bin"
    image.write_bytes(code)
    loader = f"loader,file={image},addr={AT:#x},cpu-num=0"
    command = [program, "-M", "virt", "-cpu", cpu, "-m", "64", "-display", "none", "-nodefaults", "-qmp", "stdio"]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([*command, "-device", loader], text=True, **pipes) as process:

        def ask(execute: str, **arguments: str) -> Any:
            process.stdin.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
            process.stdin.flush()
            while "return" not in (message := json.loads(process.stdout.readline())):
                pass
            return message["return"]

        ask("qmp_capabilities")
        deadline = time.monotonic() + 60
        text = ""
        while end not in text and time.monotonic() < deadline:
            text = ask("human-monitor-command", **{"command-line": "info registers"})
        process.kill()
    return [line.rstrip("\r") for line in text.splitlines() if line.strip() and "CPU#" not in line]
