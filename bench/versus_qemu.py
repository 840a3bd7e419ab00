"""pyqemu side by side with Debian's QEMU: integer speed, boot of a Debian kernel, start, idling, memory.

    python bench/versus_qemu.py [integer] [boot] [start] [idle] [arm64] [vfp]

Prints ratios; nothing here passes or fails. Needs the Debian packages qemu-system-x86 and
debian-installer-12-netboot-amd64 (for ``boot``).
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

from arm_loops import LOOPS, firmware
from support import ROOT, Emulator, pyqemu, qemu

sys.path.insert(0, str(ROOT))

INSTALLER = Path("/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64")
INSTALLER_ARM64 = Path("/usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64")
KERNEL_DONE = b"Freeing unused kernel image"
_RESULT = re.compile(rb"^\s+(.+?)\s+(\d+) loops/s.*?(\d+) MIPS", re.M)


def _guest_image(directory: str) -> str:
    from pyqemu.guest import build_image

    path = Path(directory) / "guest.img"
    path.write_bytes(build_image())
    return str(path)


def _serial_only(image: str) -> list[str]:
    return ["-m", "64", "-display", "none", "-serial", "stdio", "-monitor", "none",
            "-drive", f"file={image},format=raw,snapshot=on"]  # fmt: skip


def integer(directory: str) -> None:
    """The embedded guest's benchmark in both: million guest instructions a second."""
    options = _serial_only(_guest_image(directory))
    rates: dict[str, dict[str, int]] = {}
    for name, command in (("pyqemu", pyqemu(*options)), ("qemu", qemu(*options))):
        with Emulator(command) as emulator:
            emulator.expect(b"> ", 60)
            emulator.send(b"b")
            emulator.expect(b"per second on average", 60)
            rates[name] = {m[1].decode(): int(m[3]) for m in _RESULT.finditer(emulator.output)}
    ratios = [rates["pyqemu"][work] / rates["qemu"][work] for work in rates["qemu"]]
    for work, ratio in zip(rates["qemu"], ratios, strict=True):
        print(f"integer  {work:24} pyqemu {rates['pyqemu'][work]:5} MIPS, {ratio:5.2f} of QEMU's")
    print(f"integer  median {statistics.median(ratios):.2f} of QEMU's guest MIPS")


def boot(directory: str) -> None:
    """Processor time until the amd64 kernel has freed its init memory, and memory then."""
    options = ["-m", "512", "-display", "none", "-serial", "stdio", "-monitor", "none",
               "-kernel", str(INSTALLER / "linux"), "-initrd", str(INSTALLER / "initrd.gz"),
               "-append", "console=ttyS0"]  # fmt: skip
    costs = {}
    for name, command in (("qemu", qemu(*options)), ("pyqemu", pyqemu(*options)), ("pyqemu again", pyqemu(*options))):
        with Emulator(command) as emulator:
            reached = emulator.expect(KERNEL_DONE, 300)
            costs[name] = emulator.cost()
            ratio = costs[name].cpu / costs["qemu"].cpu
            arrived = "" if reached else "DID NOT ARRIVE: "
            print(f"boot     {name:12} {arrived}cpu {costs[name].cpu:6.1f} s ({ratio:.2f} of QEMU's), "
                  f"wall {costs[name].wall:6.1f} s, pss {costs[name].pss // 1024} MiB (guest: 512)")  # fmt: skip


def arm64(directory: str) -> None:
    """Processor time until the arm64 kernel runs its first process."""
    board = ["-M", "virt", "-cpu", "cortex-a57", "-m", "512", "-net", "none", "-display", "none", "-serial", "stdio",
             "-monitor", "none", "-kernel", str(INSTALLER_ARM64 / "linux"),
             "-initrd", str(INSTALLER_ARM64 / "initrd.gz"), "-append", "console=ttyAMA0"]  # fmt: skip
    costs = {}
    for name, command in (("qemu", qemu(*board, architecture="aarch64")), ("pyqemu", pyqemu(*board))):
        with Emulator(command) as emulator:
            reached = emulator.expect(b"Run /init as init process", 300)
            costs[name] = emulator.cost()
            arrived = "" if reached else "DID NOT ARRIVE: "
            print(f"arm64    {name:12} {arrived}cpu {costs[name].cpu:6.1f} s "
                  f"({costs[name].cpu / costs['qemu'].cpu:.2f} of QEMU's), wall {costs[name].wall:6.1f} s")  # fmt: skip


def vfp(directory: str) -> None:
    """Loops of A32 floating-point instructions: processor time."""
    path, rounds = Path(directory) / "loop.bin", 40_000_000
    board = ["-M", "virt", "-cpu", "cortex-a15", "-m", "64", "-net", "none", "-display", "none", "-serial", "stdio",
             "-monitor", "none", "-bios", str(path)]  # fmt: skip
    for name in LOOPS:
        path.write_bytes(firmware(name, rounds))
        costs = []
        for command in (qemu(*board, architecture="arm"), pyqemu(*board, "--target", "arm")):
            with Emulator(command) as emulator:
                emulator.expect(b"S", 60)
                before = emulator.cost().cpu
                emulator.expect(b"E", 300)
                costs.append(emulator.cost().cpu - before)
        print(f"vfp      {name:18} {costs[1]:5.2f} s, {costs[0] / costs[1]:5.2f} of QEMU's speed")


def start(directory: str) -> None:
    """From the start of the process to the first instruction of a boot sector, which prints a letter."""
    from pyqemu.util.x86asm import assemble

    sector = assemble("mov dx, 3f8h\nmov al, '!'\nout dx, al\nhang: hlt\njmp hang", org=0x7C00, bits=16).code.ljust(
        510, b"\0"
    )
    path = Path(directory) / "sector.img"
    path.write_bytes((sector + b"\x55\xaa").ljust(1 << 20, b"\0"))
    for name, make in (("pyqemu", pyqemu), ("qemu", qemu)):
        times = []
        for _ in range(5):
            with Emulator(make(*_serial_only(str(path)))) as emulator:
                emulator.expect(b"!", 30)
                times.append(emulator.cost().wall)
        print(f"start    {name:12} {min(times):.2f} s best, {statistics.median(times):.2f} s median of {len(times)}")


def idle(directory: str) -> None:
    """Processor time of a guest that is halted under the 18 Hz timer."""
    options = _serial_only(_guest_image(directory))
    for name, command in (("pyqemu", pyqemu(*options)), ("qemu", qemu(*options))):
        with Emulator(command) as emulator:
            emulator.expect(b"> ", 60)
            time.sleep(2)
            before = emulator.cost()
            time.sleep(20)
            after = emulator.cost()
            print(f"idle     {name:12} {100 * (after.cpu - before.cpu) / (after.wall - before.wall):.2f} % of a core")


def main(names: list[str]) -> None:
    parts = {"start": start, "idle": idle, "integer": integer, "boot": boot, "arm64": arm64, "vfp": vfp}
    with tempfile.TemporaryDirectory() as directory:
        for name in names or parts:
            parts[name](directory)


if __name__ == "__main__":
    main(sys.argv[1:])
