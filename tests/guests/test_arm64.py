"""Debian's installer for arm64, EDK2 and U-Boot on ``-M virt``: unmodified kernels and firmware, and a virtio disk."""

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

BOOT_TIME = 600  # seconds of the host
FIRST_QUESTION = "elect a language"
FIRMWARE = {
    "EDK2": (Path("/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"), "Shell> "),
    "U-Boot": (Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin"), "\n=> "),
}
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


def kernel_options() -> list[str]:
    """The installer's kernel on the board."""
    try:
        kernel, _ = packages.installer("arm64")
    except packages.MissingPackage as missing:
        pytest.skip(str(missing))
    return ["-M", "virt", "-m", "512", "-kernel", str(kernel)]


def with_installer() -> Guest:
    """The machine, booting the installer."""
    options = kernel_options()
    return Guest(*options, "-initrd", str(packages.installer("arm64")[1]), "-append", "console=ttyAMA0")


def test_the_kernel_boots_to_its_first_process() -> None:
    with with_installer() as guest:
        guest.wait_serial("Run /init as init process", BOOT_TIME)
        text = guest.serial.text
        assert "Booting Linux on physical CPU 0x0000000000 [0x411fd070]" in text
        assert "psci: PSCIv0.2 detected in firmware." in text
        assert "arch_timer: cp15 timer(s) running at 62.50MHz (virt)." in text
        assert "9000000.pl011: ttyAMA0 at MMIO 0x9000000" in text
        assert "Kernel panic" not in text


@pytest.mark.slow
def test_the_kernel_uses_a_gicv3() -> None:
    with Guest(*kernel_options(), "-machine", "gic-version=3", "-append", "console=ttyAMA0") as guest:
        guest.wait_serial("Unable to mount root fs", BOOT_TIME)
        assert "GICv3: CPU0: found redistributor 0 region 0:0x00000000080a0000" in guest.serial.text


@pytest.mark.slow
def test_the_installer_asks_its_first_question() -> None:
    with with_installer() as guest:
        guest.wait_serial(FIRST_QUESTION, BOOT_TIME)
        guest.wait_serial("English", 60)
        guest.serial.send("\r")
        guest.wait_serial("elect your location", BOOT_TIME)


def initrd() -> bytes:
    """The installer's shell and C library, the drivers of virtio disks, and the script."""
    files, _ = busy_guest.parts("arm64", packages.VIRTIO)
    drivers = packages.kernel_modules("arm64", packages.VIRTIO)
    files["guest/init"] = 0o100755, SCRIPT.encode()
    files["guest/modules"] = 0o100644, " ".join(name for name, _ in drivers).encode()
    for name, data in drivers:
        files[f"guest/{name}.ko"] = 0o100644, data
    return gzip.compress(cpio(busy_guest.with_directories({"sys": (0o040755, b""), **files})), 1, mtime=0)


def test_a_virtio_disk_is_read_and_written(tmp_path: Path) -> None:
    """Its contents arrive in the guest's programs, and what these write arrives in the image; then it powers off."""
    options = kernel_options()
    try:
        (tmp_path / "initrd").write_bytes(initrd())
    except packages.MissingPackage as missing:
        pytest.skip(str(missing))
    (tmp_path / "read.img").write_bytes(CONTENTS)
    (tmp_path / "write.img").write_bytes(bytes(2 * MIB))
    append = "console=ttyAMA0 rdinit=/guest/init loglevel=4"
    with Guest(*options, "-initrd", str(tmp_path / "initrd"), "-append", append,
               "-drive", f"if=virtio,file={tmp_path / 'read.img'},format=raw,readonly=on",
               "-drive", f"if=virtio,file={tmp_path / 'write.img'},format=raw") as guest:  # fmt: skip
        guest.wait_serial("guest: aarch64 is ready", BOOT_TIME)
        digest = hashlib.sha256(CONTENTS).hexdigest()
        assert f"read: {digest}" in guest.serial.text
        assert f"copy: {digest}" in guest.serial.text
        assert guest.wait_exit(60) == 0
    assert (tmp_path / "write.img").read_bytes() == CONTENTS + bytes(MIB)


@pytest.mark.slow
@pytest.mark.parametrize("name", FIRMWARE)
def test_firmware_reaches_its_prompt(name: str) -> None:
    image, prompt = FIRMWARE[name]
    if not image.exists():
        pytest.skip(f"needs {image}")
    with Guest("-M", "virt", "-m", "512", "-bios", str(image)) as guest:
        guest.wait_serial(prompt, BOOT_TIME)
        guest.serial.send("\r")
        before = guest.serial.text.count(prompt)
        assert guest.machine.run_for(60, until=lambda: guest.serial.text.count(prompt) > before)
