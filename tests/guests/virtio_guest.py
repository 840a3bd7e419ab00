"""A guest of Debian's installer kernel that has nothing but virtio devices, and says what it finds of them.

Its initial RAM disk has the installer's shell and C library, the kernel's virtio drivers, and this script.
"""

from __future__ import annotations

import gzip

import busy_guest
import guest_packages as packages
from guest_images import cpio

MEMORY = 96  # MiB
APPEND = "console=ttyS0 rdinit=/virtio/init loglevel=4"

SCRIPT = r"""#!/bin/busybox sh
export PATH=/bin:/sbin:/usr/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
exec >/dev/ttyS0 2>&1 </dev/ttyS0
for module in $(cat /virtio/modules); do insmod /virtio/$module.ko; done
n=0; while [ ! -b /dev/vdb ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
echo "serial: $(cat /sys/block/vda/serial)"
echo "read: $(dd if=/dev/vda bs=65536 iflag=direct 2>/dev/null | sha256sum)"
dd if=/dev/vda of=/dev/vdb bs=4096 conv=fsync 2>/dev/null
echo "copy: $(dd if=/dev/vdb bs=4096 count=256 iflag=direct 2>/dev/null | sha256sum)"
echo "random: $(dd if=/dev/hwrng bs=64 count=4 2>/dev/null | wc -c) of $(cat /sys/class/misc/hw_random/rng_current)"
echo "address: $(cat /sys/class/net/eth0/address)"
port=/dev/$(basename $(dirname $(grep -l a.port /sys/class/virtio-ports/*/name)))
echo "to the port" >$port
echo "to the console" >/dev/hvc0
for device in /sys/bus/virtio/devices/*; do echo "features: $(cat $device/device) $(cat $device/features)"; done
grep -c virtio /proc/interrupts
echo "virtio: ready"
read line </dev/hvc0; echo "console: $line"
read line <$port; echo "port: $line"
memory() { grep MemTotal /proc/meminfo | tr -dc 0-9; }
before=$(memory); echo "memory: $before"
while [ $(memory) -gt $((before - 8000)) ]; do sleep 0.1; done
echo "balloon: less"
n=0; while :; do
    n=$((n + 1))
    echo $n | dd of=/dev/vdb bs=512 seek=2048 conv=sync,fsync 2>/dev/null
    echo "tick: $n"
done
"""


def initrd(architecture: str) -> bytes:
    """The initial RAM disk.

    :raise MissingPackage: something to build it from is missing.
    """
    files, _ = busy_guest.parts(architecture)
    drivers = packages.kernel_modules(architecture, packages.VIRTIO)
    files["virtio/init"] = 0o100755, SCRIPT.encode()
    files["virtio/modules"] = 0o100644, " ".join(name for name, _ in drivers).encode()
    for name, data in drivers:
        files[f"virtio/{name}.ko"] = 0o100644, data
    return gzip.compress(cpio(busy_guest.with_directories({"sys": (0o040755, b""), **files})), 1, mtime=0)
