"""Debian's kernels for arm64 and armhf on ``-M virt``, busy on CPU, virtio disk and serial line, move between programs.

The guest and what it must have done are those of :mod:`busy_guest`, with other drivers and devices.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import busy_guest
import guest_packages as packages
import pytest
from busy_guest import BLOCKS, DISK_SIZE, FIXED, READY, SCRIPT
from guest_images import cpio
from journey import QUICK, SLOW, Journey, Traveller

from tests.migration.programs import Program
from tests.qtest_reference import needs_qemu_arm

MEMORY = 256  # MiB
MOVES = 5
APPEND = "console=ttyAMA0 rdinit=/busy/init loglevel=4"
TRANSPORTS = ("unix", "tcp", "exec")


CPUS = {"arm64": "cortex-a57", "armhf": "cortex-a15"}


def initrd(architecture: str) -> bytes:
    """The initial RAM disk.

    :raise MissingPackage: something to build it from is missing.
    """
    files, _ = busy_guest.parts(architecture, packages.VIRTIO)
    script = SCRIPT.replace("@blocks@", str(BLOCKS)).replace("ttyS0", "ttyAMA0").replace("/dev/sda", "/dev/vda")
    drivers = packages.kernel_modules(architecture, packages.VIRTIO)
    files["busy/init"] = 0o100755, script.encode()
    files["busy/modules"] = 0o100644, " ".join(name for name, _ in drivers).encode()
    files["busy/fixed"] = 0o100644, FIXED
    for name, data in drivers:
        files[f"busy/{name}.ko"] = 0o100644, data
    return gzip.compress(cpio(busy_guest.with_directories(files)), 1, mtime=0)


class VirtTraveller(Traveller):
    """One pyqemu with the busy guest on the board."""

    def __init__(self, architecture: str, initrd: Path, directory: Path, name: str, *options: str, image: Path) -> None:
        kernel, _ = packages.installer(architecture)
        guest = ["-cpu", CPUS[architecture], "-kernel", str(kernel), "-initrd", str(initrd), "-append", APPEND,
                 "-drive", f"file={image},format=raw,if=none,id=disk",
                 "-device", "virtio-blk-device,drive=disk"]  # fmt: skip
        Program.__init__(self, directory, name, *guest, *options)

    def command(self, directory: Path) -> list[str]:
        """The program and the board."""
        return [sys.executable, "-m", "pyqemu", "-M", "virt", "-m", str(MEMORY)]


class TwoProcessors(VirtTraveller):
    """The same with two of them."""

    def command(self, directory: Path) -> list[str]:
        return [*super().command(directory), "-smp", "2"]


class InQemu(VirtTraveller):
    """The same, with one, in Debian's QEMU."""

    program = "qemu-system-aarch64"

    def command(self, directory: Path) -> list[str]:
        return [self.program, "-M", "virt-2.6", "-accel", "tcg", "-m", str(MEMORY)]


class TwoInQemu(InQemu):
    """And with two."""

    def command(self, directory: Path) -> list[str]:
        return [*super().command(directory), "-smp", "2"]


def switched_on(directory: Path, architecture: str, traveller: type[VirtTraveller] = VirtTraveller) -> Journey:
    """A guest that boots."""
    path = directory / "initrd.gz"
    try:
        path.write_bytes(initrd(architecture))
    except packages.MissingPackage as missing:
        pytest.skip(str(missing))
    (directory / "disk.img").write_bytes(bytes(DISK_SIZE))
    journey = Journey(directory, architecture, path, traveller)
    journey.enter()
    return journey


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("traveller", [VirtTraveller, TwoProcessors])
@pytest.mark.parametrize("architecture", list(CPUS))
def test_a_busy_guest_moves_and_counts_on(tmp_path: Path, architecture: str, traveller: type[VirtTraveller]) -> None:
    """By turns as fast as can be, and so slowly that it does much meanwhile."""
    journey = switched_on(tmp_path, architecture, traveller)
    try:
        journey.programs[0].wait_until_busy()
        assert READY in journey.text
        for number in range(MOVES):
            journey.hop(TRANSPORTS[number % len(TRANSPORTS)], SLOW if number % 2 else QUICK)
        done = journey.finish()
        print(f"\n{done}", *journey.hops, sep="\n")
    finally:
        journey.close()
    assert min(done.values()) > MOVES


@pytest.mark.slow
@pytest.mark.timeout(1800)
@needs_qemu_arm
@pytest.mark.parametrize(("here", "there"), [(VirtTraveller, InQemu), (TwoProcessors, TwoInQemu)])
@pytest.mark.parametrize("architecture", list(CPUS))
def test_a_busy_guest_that_began_here_goes_to_qemu_and_back(
    tmp_path: Path, architecture: str, here: type[VirtTraveller], there: type[VirtTraveller]
) -> None:
    """Busy while it goes there, but not on its way back: QEMU 7.2 loses what a guest writes meanwhile."""
    journey = switched_on(tmp_path, architecture, here)
    (ours,) = journey.programs
    uri = f"unix:{tmp_path / 'socket'}"
    try:
        ours.wait_until_busy()
        for _ in range(2):
            qemu = journey.enter("-incoming", uri, kind=there)
            journey.migrate(ours, uri, "to QEMU", SLOW)
            qemu.arrived()
            ours.quit()
            qemu.work()
            ours = journey.enter("-incoming", uri)
            qemu.ask("stop")
            journey.migrate(qemu, uri, "from QEMU")
            ours.arrived("paused")
            qemu.quit()
            ours.ask("cont")
            ours.work()
        print(f"\n{journey.finish()}", *journey.hops, sep="\n")
    finally:
        journey.close()
