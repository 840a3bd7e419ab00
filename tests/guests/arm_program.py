"""Programs for boards with 32-bit processors, built with Debian's cross compiler, and what they say in QEMU."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import guest_packages as packages

PROGRAMS = Path(__file__).parent / "arm_programs"
COMPILER = "arm-linux-gnueabi-gcc"
OPTIONS = ("-nostdlib", "-ffreestanding", "-O1", "-marm", "-mfloat-abi=soft", "-static", "-fno-pic",
           "-Wl,--build-id=none,-z,noexecstack")  # fmt: skip
QEMU = "qemu-system-arm"
PATIENCE = 60.0  # seconds


def build(name: str, directory: Path, architecture: str = "armv5te") -> Path:
    """The program of that name as an ELF file in *directory*.

    :raise MissingPackage: there is no compiler.
    """
    if shutil.which(COMPILER) is None:
        raise packages.MissingPackage("needs Debian's gcc-arm-linux-gnueabi")
    program = directory / f"{name}.elf"
    sources = [str(PROGRAMS / each) for each in ("start.S", f"{name}.c")]
    subprocess.run(
        [COMPILER, *OPTIONS, f"-march={architecture}", "-T", str(PROGRAMS / "program.ld"), "-o", str(program), *sources,
         "-lgcc"], check=True, timeout=PATIENCE, cwd=directory,
    )  # fmt: skip
    return program


def said_in_qemu(directory: Path, *options: str) -> str:
    """What comes over the first serial line of Debian's QEMU until the program resets the machine.

    :raise MissingPackage: it is not there.
    """
    if shutil.which(QEMU) is None:
        raise packages.MissingPackage("needs Debian's qemu-system-arm")
    line = directory / "qemu.serial"
    command = [QEMU, "-nodefaults", "-display", "none", "-no-reboot", "-serial", f"file:{line}", *options]
    subprocess.run(command, check=True, timeout=PATIENCE, stdin=subprocess.DEVNULL, capture_output=True)
    return line.read_bytes().decode("latin-1").replace("\r", "")
