"""Programs for boards with 32-bit processors, built with Debian's cross compiler, and what they say in QEMU."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import guest_packages as packages
import pytest
from guest_machine import Guest

PROGRAMS = Path(__file__).parent / "arm_programs"
COMPILER = "arm-linux-gnueabi-gcc"
OPTIONS = ("-nostdlib", "-ffreestanding", "-O1", "-marm", "-mfloat-abi=soft", "-static", "-fno-pic",
           "-Wl,--build-id=none,-z,noexecstack")  # fmt: skip
QEMU = "qemu-system-arm"
PATIENCE = 60.0  # seconds


def build(name: str, directory: Path, *options: str, ram: int = 0) -> Path:
    """The program of that name as an ELF file in *directory*, for a board whose RAM begins at *ram*.

    :param options: for the compiler

    :raise MissingPackage: there is no compiler.
    """
    if shutil.which(COMPILER) is None:
        raise packages.MissingPackage("needs Debian's gcc-arm-linux-gnueabi")
    program = directory / f"{name}.elf"
    sources = [str(PROGRAMS / each) for each in ("start.S", f"{name}.c")]
    subprocess.run(
        [COMPILER, *OPTIONS, *options, f"-Wl,--defsym=RAM={ram:#x}", "-T", str(PROGRAMS / "program.ld"),
         "-o", str(program), *sources, "-lgcc"], check=True, timeout=PATIENCE, cwd=directory,
    )  # fmt: skip
    return program


def said_by_both(directory: Path, options: list[str], *, in_qemu: Sequence[str] = ()) -> tuple[list[str], list[str]]:
    """Run a program that turns its machine off, here and in QEMU; skips the test without QEMU.

    :param in_qemu: more options for QEMU
    :return: the lines that it said
    """
    try:
        expected = said_in_qemu(directory, *options, *in_qemu)
    except packages.MissingPackage as missing:
        pytest.skip(str(missing))
    with Guest("-no-reboot", *options) as guest:
        guest.wait_exit(2 * PATIENCE)
        said = guest.serial.text
    return said.splitlines(), expected.splitlines()


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
