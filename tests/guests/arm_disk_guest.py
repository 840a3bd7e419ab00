"""A guest of Debian's installer kernel for Arm that copies one virtio disk to another one and turns the machine off."""

from __future__ import annotations

import gzip
import hashlib
import random
from pathlib import Path

import busy_guest
import guest_packages as packages
import pytest
from guest_images import cpio
from guest_machine import Guest

MIB = 1 << 20
CONTENTS = random.Random(64).randbytes(MIB)
SCRIPT = r"""#!/bin/busybox sh
export PATH=/bin:/sbin:/usr/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
exec >/dev/ttyAMA0 2>&1 </dev/ttyAMA0
for module in $(cat /guest/modules); do insmod /guest/$module.ko; done
n=0; while [ ! -b /dev/vdb ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
for disk in vda vdb; do [ "$(cat /sys/block/$disk/ro)" = 1 ] && from=$disk || to=$disk; done
echo "read: $(dd if=/dev/$from bs=65536 iflag=direct 2>/dev/null | sha256sum)"
dd if=/dev/$from of=/dev/$to bs=4096 conv=fsync 2>/dev/null
echo "copy: $(dd if=/dev/$to bs=4096 count=256 iflag=direct 2>/dev/null | sha256sum)"
echo "guest: $(uname -m) is ready"
poweroff -f
"""


def initrd(architecture: str, programs: str = "") -> bytes:
    """The installer's shell and C library, the drivers of virtio disks, and the script.

    :param programs: the architecture of shell and library, if it is not the kernel's
    :raise MissingPackage: something to build it from is missing.
    """
    files, _ = busy_guest.parts(programs or architecture, packages.VIRTIO)
    drivers = packages.kernel_modules(architecture, packages.VIRTIO)
    files["guest/init"] = 0o100755, SCRIPT.encode()
    files["guest/modules"] = 0o100644, " ".join(name for name, _ in drivers).encode()
    for name, data in drivers:
        files[f"guest/{name}.ko"] = 0o100644, data
    return gzip.compress(cpio(busy_guest.with_directories({"sys": (0o040755, b""), **files})), 1, mtime=0)


def copies_a_disk(options: list[str], architecture: str, machine: str, directory: Path, seconds: float, *,
                  programs: str = "") -> None:  # fmt: skip
    """What the disk has arrives in the guest's programs, and what these write arrives in the image.

    :param programs: their architecture, if it is not the kernel's
    :param machine: what ``uname -m`` says
    """
    try:
        (directory / "initrd").write_bytes(initrd(architecture, programs))
    except packages.MissingPackage as missing:
        pytest.skip(str(missing))
    (directory / "read.img").write_bytes(CONTENTS)
    (directory / "write.img").write_bytes(bytes(2 * MIB))
    append = "console=ttyAMA0 rdinit=/guest/init loglevel=4"
    with Guest(*options, "-initrd", str(directory / "initrd"), "-append", append,
               "-drive", f"if=virtio,file={directory / 'read.img'},format=raw,readonly=on",
               "-drive", f"if=virtio,file={directory / 'write.img'},format=raw") as guest:  # fmt: skip
        guest.wait_serial(f"guest: {machine} is ready", seconds)
        digest = hashlib.sha256(CONTENTS).hexdigest()
        assert f"read: {digest}" in guest.serial.text
        assert f"copy: {digest}" in guest.serial.text
        assert guest.wait_exit(60) == 0
    assert (directory / "write.img").read_bytes() == CONTENTS + bytes(MIB)
