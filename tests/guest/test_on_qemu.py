"""The guest under another emulator: what it says there is right, so it may judge ours.

Needs Debian's qemu-system-x86 and seabios.
"""

import re
import shutil
import struct
import zlib
from pathlib import Path

import pytest
from serial_console import SerialConsole

from pyqemu.guest import WRITE_SECTOR, build_image

pytestmark = pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="needs Debian's qemu-system-x86")


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / "guest.img"
    path.write_bytes(build_image())
    return path


def start(disk: Path, *options: str, program: str = "qemu-system-x86_64", interface: str = "ide") -> SerialConsole:
    drive = f"file={disk},format=raw,if={interface}"
    return SerialConsole(
        [program, "-m", "16", "-display", "none", "-serial", "stdio", "-no-reboot", "-nodefaults", "-vga", "std",
         "-drive", drive, *options]
    )  # fmt: skip


def test_tour(disk: Path) -> None:
    with start(disk) as console:
        welcome = console.read_prompt()
        assert "pyqemu   Welcome inside." in welcome
        assert "CPU       AuthenticAMD, family 15, model 107, stepping 1" in welcome
        assert "0000000000000000-000000000009fbff      639 KiB  usable" in welcome
        assert "Disk 80h  4032 KiB, 8064 sectors" in welcome

        disks = console.press("d")
        assert "partition 1: type 01, sectors 2048-8063" in disks
        assert "README.TXT      412 bytes, crc32 4d2052ad  ok" in disks
        assert "DATA.BIN      20000 bytes, crc32 21a4a66b  ok" in disks

        faults = console.press("e")
        assert faults.count(" ok\n") == 12
        assert console.press("m").count(" ok\n") == 7
        assert "1de3ac23b7870653 ok" in console.press("l")
        assert "WRONG" not in console.text
        assert "that key does nothing" in console.press("x")
        assert "good bye" in console.press_last("p")[0]


def test_what_it_writes_is_in_the_image(disk: Path) -> None:
    with start(disk) as console:
        console.read_prompt()
        assert "run 1, " in console.press("w")
        assert "run 2, " in console.press("w")
        _, status = console.press_last("p")
    assert status == 0
    sector = disk.read_bytes()[WRITE_SECTOR * 512 :][:512]
    assert sector.startswith(b"pyqemu write test\r\n\0" + struct.pack("<I", 2))
    assert zlib.crc32(sector[:508]) == struct.unpack("<I", sector[508:])[0]


def test_benchmark_under_icount_is_always_the_same(disk: Path) -> None:
    """Nearly: when the key comes is the host's affair, so that a loop more or less fits into the second."""
    results, loops = [], []
    for _ in range(2):
        with start(disk, "-icount", "shift=7", "-rtc", "clock=vm,base=2016-05-26") as console:
            console.read_prompt()
            results.append(console.press("b"))
            loops.append([int(number) for number in re.findall(r"(\d+) loops/s", results[-1])])
            assert "WRONG" not in results[-1]
            assert results[-1].count(" ok ") == 3
    assert len(loops[0]) == 3
    assert all(abs(first - second) <= 1 for first, second in zip(*loops, strict=True))


def test_486_without_long_mode_starting_from_a_floppy(disk: Path) -> None:
    with start(disk, "-cpu", "486", program="qemu-system-i386", interface="floppy") as console:
        assert "CPU       GenuineIntel, family 4" in console.read_prompt()
        assert "has no 64-bit mode" in console.press("l")
        assert console.press("e").count(" ok\n") == 12
        assert "README.TXT      412 bytes, crc32 4d2052ad  ok" in console.press("d")


def test_restart(disk: Path) -> None:
    with start(disk) as console:
        console.read_prompt()
        assert console.press_last("r")[1] == 0  # -no-reboot
