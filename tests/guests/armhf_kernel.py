"""Debian's kernel for armhf on boards that a device tree describes, and what it says in QEMU."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path

import guest_packages as packages
import pytest
from guest_machine import Guest

QEMU = "qemu-system-arm"
BOOT_TIME = 1800  # seconds of the host
QEMU_TIME = 180
FIRST_PROCESS = "Run /init as init process"
FIRST_QUESTION = "elect a language"
# What depends on time, on the version of QEMU, or on how much memory is reserved for the device tree.
_VARIES = (
    re.compile(r"^\[ *[\d.]+\] *"),
    re.compile(
        r"\d+\.\d+ ?MHz|\d+\.\d+ BogoMIPS|lpj=\d+|audit\([\d.:]+\)|\d+ counters|\d+K/\d+K available|\d+K reserved"
    ),
    re.compile(r"\[41[0-9a-f]fc[0-9a-f]{3}\] revision \d"),  # QEMU's Cortex-A15 is a later one by now
    re.compile(r"setting system clock to .*|random: crng init done|hrtimer: interrupt took .*|initramfs.*|audit: .*"),
    re.compile(r".*deferred probe pending.*"),
)


def kernel_options(
    machine: str, tree: str, append: str = "", *, initrd: bool = True, memory: str = "1024"
) -> list[str]:
    """The command line for kernel, device tree and initial RAM disk; skips the test without Debian's package."""
    try:
        kernel, ramdisk = packages.installer("armhf")
        dtb = packages.device_tree(tree)
    except packages.MissingPackage as missing:
        pytest.skip(str(missing))
    options = ["-M", machine, "-kernel", str(kernel), "-dtb", str(dtb), "-append", append or "console=ttyAMA0"]
    options += ["-m", memory] if memory else []
    return [*options, "-initrd", str(ramdisk)] if initrd else options


def until(guest: Guest, text: str, seconds: float = BOOT_TIME) -> str:
    """What the kernel has said when *text* has come; it must not have panicked."""
    guest.wait_serial(text, seconds)
    assert "Internal error" not in guest.serial.text
    return guest.serial.text


def said_in_qemu(directory: Path, options: list[str], text: str, *, qemu: str = QEMU) -> str:
    """What comes over the serial line of Debian's QEMU until *text* has come; skips the test without QEMU."""
    if shutil.which(qemu) is None:
        pytest.skip("needs Debian's qemu-system-arm")
    line = directory / "qemu.serial"
    command = [qemu, "-nodefaults", "-display", "none", "-serial", f"file:{line}", *options]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + QEMU_TIME
        while text not in (said := line.read_text("latin-1") if line.exists() else ""):
            assert time.monotonic() < end and process.poll() is None, f"QEMU does not say {text!r}:\n{said[-2000:]}"
            time.sleep(0.2)
    finally:
        process.kill()
        process.wait()
    return said.replace("\r", "")


def comparable(text: str) -> set[str]:
    """The lines up to the first process, without what varies; in which order they come varies as well."""
    lines = set()
    for line in text[: text.index(FIRST_PROCESS)].splitlines():
        for pattern in _VARIES:
            line = pattern.sub("", line)
        lines.add(line.strip())
    return lines
