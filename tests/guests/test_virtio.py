"""Linux drives our virtio devices: it reads, adds up and writes disks, and uses what else there is.

One disk is reached by messages (MSI-X), the other by a line. Under load or with ``--full`` the same guest moves to
another machine while it writes.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import guest_packages as packages
import pytest
import virtio_guest
from guest_machine import Guest

from pyqemu.chardev import Chardev
from pyqemu.system.balloon import Balloons
from tests.migration.state.saved_rig import load, save

BOOT_TIME = 400
MIB = 1 << 20
RING = 1 << 16
CONTENTS = random.Random(20160526).randbytes(MIB)
DIGEST = hashlib.sha256(CONTENTS).hexdigest()


def options(directory: Path, *, modern: bool) -> list[str]:
    """The command line, with images and initial RAM disk in *directory*."""
    paths = {name: directory / name for name in ("read.img", "write.img", "initrd")}
    if not paths["initrd"].exists():
        try:
            paths["initrd"].write_bytes(virtio_guest.initrd("amd64"))
        except packages.MissingPackage as exc:
            pytest.skip(str(exc))
        paths["read.img"].write_bytes(CONTENTS)
        paths["write.img"].write_bytes(bytes(2 * MIB))
    version = "disable-legacy=on,disable-modern=off" if modern else "disable-modern=on"
    return [
        "-M", "pc", "-m", str(virtio_guest.MEMORY), "-vga", "none", "-nodefaults",
        "-kernel", str(packages.installer("amd64")[0]), "-initrd", str(paths["initrd"]), "-append", virtio_guest.APPEND,
        "-drive", f"if=none,id=read,file={paths['read.img']},format=raw,readonly=on",
        "-device", f"virtio-blk-pci,drive=read,serial=of-the-disk,{version}",
        "-drive", f"if=none,id=write,file={paths['write.img']},format=raw",
        "-device", f"virtio-blk-pci,drive=write,vectors=0,{version}",
        "-device", f"virtio-net-pci,mac=52:54:00:01:02:03,{version}",
        "-device", f"virtio-serial-pci,{version}",
        "-chardev", f"ringbuf,id=console,size={RING}", "-device", "virtconsole,chardev=console",
        "-chardev", f"ringbuf,id=port,size={RING}", "-device", "virtserialport,chardev=port,name=a.port,id=p",
        "-object", "rng-builtin,id=rng", "-device", f"virtio-rng-pci,rng=rng,{version}",
        "-device", f"virtio-balloon-pci,{version}",
    ]  # fmt: skip


def written(guest: Guest, name: str) -> bytes:
    """What has come out of a chardev."""
    chardev: Any = guest.machine.chardevs.find(name)
    with guest.machine.system.lock:
        data: bytes = chardev.read(RING)
    return data


def say(guest: Guest, name: str, text: bytes) -> None:
    """Send the guest a line, as soon as it reads."""
    chardev: Chardev = guest.machine.chardevs.find(name)

    def sent() -> bool:
        with guest.machine.system.lock:
            if chardev.can_receive() < len(text):
                return False
            chardev.on_receive(text)
            return True

    assert guest.machine.run_for(BOOT_TIME, until=sent, interval=0.05)


@pytest.mark.parametrize("modern", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_linux_uses_all_devices(modern: bool, tmp_path: Path) -> None:
    with Guest(*options(tmp_path, modern=modern)) as guest:
        guest.wait_serial("virtio: ready", BOOT_TIME)
        text = guest.serial.text
        assert "serial: of-the-disk" in text
        assert f"read: {DIGEST}" in text
        assert f"copy: {DIGEST}" in text
        assert "random: 256 of virtio_rng.0" in text
        assert "address: 52:54:00:01:02:03" in text
        accepted = [line.split()[2] for line in text.splitlines() if line.startswith("features: ")]
        assert len(accepted) == 6
        assert all(bits[32] == ("1" if modern else "0") for bits in accepted)  # VERSION_1
        assert written(guest, "port") == b"to the port\n"
        assert written(guest, "console") == b"to the console\r\n"
        say(guest, "console", b"typed\n")
        guest.wait_serial("console: typed", BOOT_TIME)
        say(guest, "port", b"sent\n")
        guest.wait_serial("port: sent", BOOT_TIME)
        guest.wait_serial("memory: ", BOOT_TIME)
        balloon = Balloons.of(guest.machine.system).active()
        with guest.machine.system.lock:
            balloon.set_target(88 * MIB)
        guest.wait_serial("balloon: less", BOOT_TIME)
        guest.machine.run_for(BOOT_TIME, until=lambda: balloon.remaining() == 88 * MIB, interval=0.05)
        assert balloon.remaining() == 88 * MIB
        guest.wait_serial("tick: 2\n", BOOT_TIME)
    image = (tmp_path / "write.img").read_bytes()
    assert image[:MIB] == CONTENTS
    assert int(image[MIB : MIB + 512].rstrip(b"\0")) >= 2


@pytest.mark.parametrize("modern", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_firmware_boots_from_a_virtio_disk(modern: bool, make_disk: Callable[..., Path], firmware: list[str]) -> None:
    version = ["-global", f"virtio-blk-pci.disable-modern={'off' if modern else 'on'}"]
    disk = ["-drive", f"if=virtio,file={make_disk()},format=raw"]
    with Guest("-M", "pc", "-m", "64", *firmware, *version, *disk) as guest:
        guest.wait_serial("*First entry", BOOT_TIME)


@pytest.mark.slow
@pytest.mark.parametrize("modern", [True, False])
def test_a_guest_that_writes_moves(modern: bool, tmp_path: Path) -> None:
    """Its state goes to another machine in the middle of its writes; it goes on counting there."""
    with Guest(*options(tmp_path, modern=modern)) as guest:
        guest.wait_serial("virtio: ready", BOOT_TIME)
        for name in ("console", "port"):
            say(guest, name, b"go\n")
        guest.wait_serial("memory: ", BOOT_TIME)
        with guest.machine.system.lock:
            Balloons.of(guest.machine.system).active().set_target(88 * MIB)
        guest.wait_serial("tick: 3\n", BOOT_TIME)
        stream, _ = save(guest.machine)
        last = int(guest.serial.text.replace("\r", "").rpartition("tick: ")[2].split("\n")[0])
    with Guest(*options(tmp_path, modern=modern), "-S") as other:
        assert other.machine.accel is not None
        load(other.machine, stream)
        assert Balloons.of(other.machine.system).active().remaining() == 88 * MIB
        other.wait_serial(f"tick: {last + 20}\n", BOOT_TIME)
        ticks = [int(line[6:]) for line in other.serial.text.splitlines() if line.startswith("tick: ")]
    assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))
    assert ticks[0] in (last + 1, last + 2)
