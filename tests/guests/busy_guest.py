"""A guest of Debian's installer kernel that is busy on CPU, disk and serial line at once, and what it must print.

Its initial RAM disk has the installer's own shell, C library and kernel modules, without what is not used here, so
that it runs in 96 MiB. Three loops print one line each time round, each with a number of its own that goes up by one:

* ``tick N S``: S is the MD5 sum of N and the S before, so that each line depends on all before;
* ``work N S``: S is the SHA-256 sum of a file that never changes;
* ``disk N S``: block N was written to the disk; all blocks, read back past the kernel's cache, were as they should be;
  S is the MD5 sum of N.

A block is eight sectors, each with N and S. Block N is at N modulo :data:`BLOCKS`.
"""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import guest_packages as packages
from guest_images import SECTOR, cpio

MEMORY = 96  # MiB; with 80 the kernel does not start
BLOCK, BLOCKS = 4096, 32
DISK_SIZE = 1 << 20
APPEND = "console=ttyS0 rdinit=/busy/init loglevel=4"
LIBRARIES = {"amd64": "lib/x86_64-linux-gnu", "i386": "lib/i386-linux-gnu", "arm64": "lib/aarch64-linux-gnu",
             "armhf": "lib/arm-linux-gnueabihf"}  # fmt: skip
LOADERS = {"amd64": "lib64/ld-linux-x86-64.so.2", "i386": "lib/ld-linux.so.2",
           "arm64": "lib/ld-linux-aarch64.so.1", "armhf": "lib/ld-linux-armhf.so.3"}  # fmt: skip
PROGRAMS = ("bin/busybox", "bin/kmod", "sbin/insmod")
# in the order of loading
DRIVERS = ("crct10dif_common", "crc-t10dif", "crc64", "crc64-rocksoft", "t10-pi",
           "scsi_common", "scsi_mod", "sd_mod", "libata", "ata_piix")  # fmt: skip
FIXED = random.Random(20160526).randbytes(64 << 10)
FIXED_SUM = hashlib.sha256(FIXED).hexdigest()
READY = "busy: begins"

SCRIPT = """\
#!/bin/busybox sh
export PATH=/bin:/sbin:/usr/bin
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
exec >/dev/ttyS0 2>&1 </dev/ttyS0
for module in $(cat /busy/modules); do insmod /busy/$module.ko; done
while [ ! -b /dev/sda ]; do sleep 1; done
echo "busy: begins"

tick() {
    n=0 sum=none
    while :; do
        n=$((n + 1))
        sum=$(echo $n $sum | md5sum)
        sum=${sum%% *}
        echo "tick $n $sum"
    done
}

work() {
    n=0
    while :; do
        n=$((n + 1))
        sum=$(sha256sum /busy/fixed)
        echo "work $n ${sum%% *}"
    done
}

disk() {
    n=0
    dd if=/dev/zero of=/busy/whole bs=4096 count=@blocks@ 2>/dev/null
    while :; do
        n=$((n + 1))
        sum=$(echo $n | md5sum)
        sum=${sum%% *}
        printf '%0478d %s\\n' $n $sum $n $sum $n $sum $n $sum $n $sum $n $sum $n $sum $n $sum >/busy/block
        place=$((n % @blocks@))
        dd if=/busy/block of=/dev/sda bs=4096 seek=$place conv=notrunc,fsync 2>/dev/null || echo "wrong: cannot write"
        dd if=/busy/block of=/busy/whole bs=4096 seek=$place conv=notrunc 2>/dev/null
        dd if=/dev/sda of=/busy/back bs=4096 count=@blocks@ iflag=direct 2>/dev/null || echo "wrong: cannot read"
        cmp /busy/whole /busy/back && echo "disk $n $sum"
    done
}

tick &
work &
disk &
wait
"""


def _members(data: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Names, modes and contents of a "newc" archive."""
    at = 0
    while (start := data.find(b"070701", at)) >= 0:
        fields = [int(data[start + 6 + 8 * n : start + 14 + 8 * n], 16) for n in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        begin = start + 110 + name_size
        begin += -begin % 4
        yield data[start + 110 : start + 109 + name_size].decode(), mode, data[begin : begin + size]
        at = begin + size


def parts(
    architecture: str, wanted_drivers: packages.Drivers = packages.IDE
) -> tuple[dict[str, tuple[int, bytes]], dict[str, bytes]]:
    """Programs and libraries of the installer by their paths, and drivers by their names."""
    loader = LOADERS[architecture]
    libraries = LIBRARIES[architecture]
    wanted = {*PROGRAMS, loader, f"{libraries}/{Path(loader).name}", f"{libraries}/libc.so.6"}
    files: dict[str, tuple[int, bytes]] = {}
    drivers = dict(packages.kernel_modules(architecture, wanted_drivers))
    for name, mode, data in _members(gzip.decompress(packages.installer(architecture)[1].read_bytes())):
        path = Path(name)
        if name in wanted or (data.endswith(b"busybox") and len(data) < 16):
            files[str(path)] = mode, data
        elif path.suffix == ".ko" and path.stem in DRIVERS:
            drivers[path.stem] = data
    return files, drivers


def with_directories(files: dict[str, tuple[int, bytes]]) -> dict[str, tuple[int, bytes]]:
    """The kernel makes none by itself."""
    parents = {str(parent) for name in files for parent in Path(name).parents if parent.name}
    return {**dict.fromkeys(sorted(parents | {"proc", "dev"}), (16877, b"")), **files}


def initrd(architecture: str) -> bytes:
    """The initial RAM disk.

    :raise MissingPackage: something to build it from is missing.
    """
    files, drivers = parts(architecture)
    files["busy/init"] = 0o100755, SCRIPT.replace("@blocks@", str(BLOCKS)).encode()
    files["busy/modules"] = 0o100644, " ".join(DRIVERS).encode()
    files["busy/fixed"] = 0o100644, FIXED
    for name in DRIVERS:
        files[f"busy/{name}.ko"] = 0o100644, drivers[name]
    return gzip.compress(cpio(with_directories(files)), 1, mtime=0)


# -- what it must have done


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def counts(text: str) -> dict[str, int]:
    """How far each loop has come by what the guest has printed on all its serial lines, one after another.

    :raise AssertionError: a line is missing, there twice, wrong, or of somebody else: a kernel in trouble
    """
    text = text.replace("\r", "")
    lines = text[text.index(READY) : text.rfind("\n")].split("\n")[1:]  # the last one may have been cut off
    done = {"tick": 0, "work": 0, "disk": 0}
    chain = "none"
    for position, line in enumerate(lines):
        kind, _, rest = line.partition(" ")
        before = "\n".join(lines[max(0, position - 8) : position + 3])
        assert kind in done, f"not a line of ours: {line!r} in\n{before}"
        done[kind] = number = done[kind] + 1
        match kind:
            case "tick":
                chain = expected = _md5(f"{number} {chain}\n")
            case "work":
                expected = FIXED_SUM
            case _:
                expected = _md5(f"{number}\n")
        assert rest == f"{number} {expected}", f"{line!r} instead of '{kind} {number} {expected}' in\n{before}"
    return done


def check_disk(image: bytes, newest: int) -> None:
    """The image holds all blocks up to *newest*, and whole ones: of those that came after it a few may be there.

    :raise AssertionError: it does not
    """
    stored = []
    for place in range(BLOCKS):
        block = image[place * BLOCK : (place + 1) * BLOCK]
        if not any(block):
            continue  # nothing was written there yet
        assert block[:478].isdigit(), place
        number = int(block[:478])
        assert number % BLOCKS == place, (number, place)
        digest = _md5(f"{number}\n")
        assert block == f"{number:0478d} {digest}\n".encode() * (BLOCK // SECTOR), number
        stored.append(number)
    last = max(stored)
    assert newest <= last <= newest + 2, (newest, last)
    assert sorted(stored) == list(range(max(1, last - BLOCKS + 1), last + 1))
