"""Disk and CD images with GRUB, Debian's installer kernels and files of known contents, built without root.

The hard disk is what ``grub-install`` would have made: ``boot.img`` in the master boot record, ``core.img`` in the
gap behind it, modules and ``grub.cfg`` in a FAT32 partition. A second, FAT16 partition is for the guest to write to.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import guest_packages as packages
from guest_packages import find_program, need

SECTOR = 512
MIB = 1 << 20
FIRST_START, FIRST_SIZE = 2048, 136 * MIB // SECTOR  # sectors
SECOND_START, SECOND_SIZE = FIRST_START + FIRST_SIZE, 16 * MIB // SECTOR
DISK_SIZE = (SECOND_START + SECOND_SIZE) * SECTOR
CORE_MODULES = ("biosdisk", "part_msdos", "fat")
DISK_SIGNATURE = 0x20160526
BUILD = 3  # count up when what is built here changes

GRUB_CFG = """\
insmod serial
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=300
set default=0
insmod linux
menuentry "First entry: say hello" { cat /data/hello.txt; echo "The end."; sleep --interruptible 600 }
menuentry "Debian installer for amd64" { @amd64@ }
menuentry "Debian installer for i386" { @i386@ }
menuentry "memtest86+ 64 bit" { linux16 /boot/memtest64.bin console=ttyS0,115200 }
menuentry "memtest86+ 32 bit" { linux16 /boot/memtest32.bin console=ttyS0,115200 }
menuentry "iPXE" { linux16 /boot/ipxe.lkrn }
menuentry "Halt" { halt }
menuentry "Reboot" { reboot }
"""

# Runs before the installer's own /init when the kernel was told rdinit=/pyqemu/init.
GUEST_SCRIPT = """\
#!/bin/sh
export PATH=/sbin:/usr/sbin:/bin:/usr/bin
mkdir -p /proc /sys /dev /pyqemu/one /pyqemu/two /pyqemu/cd
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
exec >/dev/ttyS0 2>&1 </dev/ttyS0
echo "guest: $(uname -r) $(uname -m)"
for module in $(cat /pyqemu/modules); do
    insmod /pyqemu/$module.ko || modprobe $module
done
modprobe sd_mod; modprobe fat; modprobe vfat; modprobe nls_cp437; modprobe nls_ascii
n=0
while [ ! -b /dev/sda2 ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
sed 's/^/guest-partition: /' /proc/partitions
mount -t vfat -o ro /dev/sda1 /pyqemu/one && (cd /pyqemu/one/data && sha256sum *) | sed 's/^/guest-sum: /'
mount -t vfat /dev/sda2 /pyqemu/two && {
    echo "written by $(uname -m)" > /pyqemu/two/hello.txt
    mkdir /pyqemu/two/directory
    dd if=/pyqemu/one/data/noise.bin of=/pyqemu/two/directory/copy.bin bs=65536
    rm -f /pyqemu/two/old.txt
    sync
    umount /pyqemu/two
    echo "guest: data written"
}
umount /pyqemu/one
if [ -b /dev/sr0 ]; then
    mount -t iso9660 -o ro /dev/sr0 /pyqemu/cd 2>/dev/null &&
        (cd /pyqemu/cd/data && sha256sum *) | sed 's/^/guest-cd: /'
    umount /pyqemu/cd 2>/dev/null
fi
rmdir /pyqemu/one /pyqemu/two /pyqemu/cd
umount /sys
case "$(cat /proc/cmdline)" in
*pyqemu=poweroff*) echo "guest: power off"; poweroff -f ;;
*pyqemu=reboot*) echo "guest: reboot"; reboot -f ;;
*pyqemu=shell*) exec setsid -c /bin/sh </dev/ttyS0 >/dev/ttyS0 2>&1 ;;
esac
umount /proc
exec /init
"""


def run(*command: str | Path, **environment: str) -> str:
    """Run a program of the host; its output."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=300, env=os.environ | environment
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip()[-500:]}")
    return done.stdout


def known_files() -> dict[str, bytes]:
    """Files whose contents a guest must read back right."""
    noise = random.Random(20160526)
    text = "Hello from the FAT32 partition.\n"
    return {
        "hello.txt": text.encode(),
        "empty.txt": b"",
        "noise.bin": noise.randbytes(3 * MIB + 4321),
        "a long file name with spaces.bin": noise.randbytes(70_001),
    }


def checksums() -> dict[str, str]:
    """SHA-256 of the known files."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in known_files().items()}


def cpio(files: dict[str, tuple[int, bytes]]) -> bytes:
    """A "newc" archive, as the kernel unpacks it over its root (its
    Documentation/driver-api/early-userspace/buffer-format.rst)."""
    out = bytearray()
    for number, (name, (mode, data)) in enumerate({**files, "TRAILER!!!": (0, b"")}.items(), 1):
        encoded = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
        out += b"070701" + b"".join(b"%08x" % field for field in fields) + encoded
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)


def extra_initrd(architecture: str) -> bytes:
    """What is unpacked over the installer's root: our script and the drivers of IDE disks."""
    modules = packages.kernel_modules(architecture)
    files: dict[str, tuple[int, bytes]] = {
        "pyqemu": (0o040755, b""),
        "pyqemu/init": (0o100755, GUEST_SCRIPT.encode()),
        "pyqemu/modules": (0o100644, "\n".join(name for name, _ in modules).encode()),
    }
    for name, data in modules:
        files[f"pyqemu/{name}.ko"] = 0o100644, data
    return gzip.compress(cpio(files), mtime=0)


def with_extra(architecture: str, target: Path) -> Path:
    """The installer's initial RAM disk with ours behind it, for ``-initrd``."""
    _, initrd = packages.installer(architecture)
    data = initrd.read_bytes()
    target.write_bytes(data + bytes(-len(data) % 4) + extra_initrd(architecture))
    return target


def _linux_entry(architecture: str) -> str:
    base = f"/boot/{architecture}"
    return f"linux {base}/linux console=ttyS0 $extra; initrd {base}/initrd.gz {base}/extra.gz"


def grub_cfg(extra: str) -> str:
    """The menu; *extra* goes to the command lines of the kernels."""
    text = GRUB_CFG
    for architecture in packages.ARCHITECTURES:
        text = text.replace(f"@{architecture}@", _linux_entry(architecture))
    return f"set extra='{extra}'\n" + text


def _tree(root: Path) -> None:
    """Everything in the first partition except ``grub.cfg``."""
    modules = root / "boot" / "grub" / "i386-pc"
    modules.mkdir(parents=True)
    for pattern in ("*.mod", "*.lst"):
        for path in packages.GRUB_MODULES.glob(pattern):
            shutil.copy(path, modules)
    for architecture in packages.ARCHITECTURES:
        target = root / "boot" / architecture
        target.mkdir()
        for path in packages.installer(architecture):
            shutil.copy(path, target)
        (target / "extra.gz").write_bytes(extra_initrd(architecture))
    shutil.copy(need(packages.MEMTEST["amd64"]), root / "boot" / "memtest64.bin")
    shutil.copy(need(packages.MEMTEST["i386"]), root / "boot" / "memtest32.bin")
    shutil.copy(need(packages.IPXE / "ipxe.lkrn"), root / "boot" / "ipxe.lkrn")
    data_tree(root / "data")


def data_tree(target: Path) -> None:
    """The known files, and their checksums as ``sha256sum -c`` wants them."""
    target.mkdir()
    for name, data in known_files().items():
        (target / name).write_bytes(data)
    (target / "SHA256SUMS").write_text("".join(f"{value}  {name}\n" for name, value in checksums().items()))


def _partition(active: int, kind: int, start: int, size: int) -> bytes:
    """An entry of the partition table; the CHS fields say "too far away" as those of large disks do."""
    return struct.pack("<B3sB3sII", active, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", start, size)


def _boot_record() -> bytes:
    """``boot.img`` for a hard disk: it loads sector 1, where ``core.img`` begins."""
    boot = bytearray(need(packages.GRUB_MODULES / "boot.img").read_bytes())
    boot[0x66:0x68] = b"\x90\x90"  # as grub-bios-setup: no jump over the check for a wrong drive number in DL
    boot[0x1B8:0x1BC] = struct.pack("<I", DISK_SIGNATURE)
    table = _partition(0x80, 0x0C, FIRST_START, FIRST_SIZE) + _partition(0, 0x06, SECOND_START, SECOND_SIZE)
    boot[0x1BE:0x1FE] = table.ljust(64, b"\0")
    return bytes(boot)


def _mtools(image: Path, start: int) -> tuple[str, str]:
    return "-i", f"{image}@@{start * SECTOR}"


def _build_disk(image: Path, work: Path) -> None:
    core = work / "core.img"
    run(find_program("grub-mkimage"), "-O", "i386-pc", "-d", packages.GRUB_MODULES, "-p", "(hd0,msdos1)/boot/grub",
        "-o", core, *CORE_MODULES)  # fmt: skip
    core_data = core.read_bytes()
    assert len(core_data) <= (FIRST_START - 1) * SECTOR
    with image.open("wb") as file:
        file.write(_boot_record() + core_data)
        file.truncate(DISK_SIZE)
    for start, size, bits, label in ((FIRST_START, FIRST_SIZE, 32, "BOOT"), (SECOND_START, SECOND_SIZE, 16, "DATA")):
        run(find_program("mkfs.vfat"), "-F", str(bits), "-s", "4", "-n", label, "-i", f"{size:08x}", "-h", str(start),
            "--offset", str(start), "-g", "255/63", image, str(size // 2))  # fmt: skip
    tree = work / "tree"
    _tree(tree)
    first = _mtools(image, FIRST_START)
    for entry in sorted(tree.iterdir()):
        run("mcopy", *first, "-s", entry, "::")
    old = work / "old.txt"
    old.write_text("to be deleted by the guest\n")
    run("mcopy", *_mtools(image, SECOND_START), old, "::")


def base_disk() -> Path:
    """The hard disk image of the cache; copy it, never write to it.

    :raise MissingPackage: something to build it from is missing.
    """
    sources = [packages.GRUB_MODULES / "boot.img", packages.IPXE / "ipxe.lkrn", *packages.MEMTEST.values()]
    for architecture in packages.ARCHITECTURES:
        sources += packages.installer(architecture)
    name = f"disk-{BUILD}-{packages.fingerprint(*sources)}-{_own_fingerprint()}"
    return _cached(name, _build_disk)


def _own_fingerprint() -> str:
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]


def _cached(name: str, build: object) -> Path:
    """The file *name* of the cache; built in a directory of its own first, so that two processes may both try."""
    target = packages.cache_directory() / f"{name}.img"
    if not target.exists():
        for stale in target.parent.glob(f"{name.split('-')[0]}-*.img"):
            stale.unlink()
        work = target.parent / f"work-{os.getpid()}"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            image = work / "image"
            assert callable(build)
            build(image, work)
            image.replace(target)
        finally:
            shutil.rmtree(work)
    return target


def make_disk(target: Path, extra: str = "") -> Path:
    """A disk of its own for a test, with *extra* on the kernels' command lines.

    :raise MissingPackage: something to build it from is missing.
    """
    run("cp", "--sparse=always", "--reflink=auto", base_disk(), target)
    menu = target.with_suffix(".cfg")
    menu.write_text(grub_cfg(extra))
    run("mcopy", *_mtools(target, FIRST_START), "-o", menu, "::boot/grub/grub.cfg")
    return target


@dataclass(frozen=True)
class Written:
    """What the guest left in the second partition."""

    hello: bytes
    copy: bytes
    names: set[str]


def read_back(image: Path, work: Path) -> Written:
    """Read the second partition with the host's tools, after checking that its file system is consistent."""
    second = _mtools(image, SECOND_START)
    partition = work / "second.img"
    with image.open("rb") as file:
        file.seek(SECOND_START * SECTOR)
        partition.write_bytes(file.read(SECOND_SIZE * SECTOR))
    run(find_program("fsck.vfat"), "-n", partition)
    run("mcopy", *second, "-n", "::hello.txt", "::directory/copy.bin", work)
    names = set(run("mdir", *second, "-b", "::").split())
    return Written((work / "hello.txt").read_bytes(), (work / "copy.bin").read_bytes(), names)


def _build_cd(image: Path, work: Path) -> None:
    tree = work / "cd"
    (tree / "boot" / "grub").mkdir(parents=True)
    data_tree(tree / "data")
    (tree / "boot" / "grub" / "grub.cfg").write_text(
        "insmod serial\nserial --unit=0 --speed=115200\nterminal_input console serial\n"
        "terminal_output console serial\nset timeout=300\n"
        'menuentry "CD: say hello" { cat /data/hello.txt; echo "The end."; sleep --interruptible 600 }\n'
    )
    run("grub-mkrescue", "-d", packages.GRUB_MODULES, "-o", image, tree)


def cd_image() -> Path:
    """A CD made by ``grub-mkrescue``; nobody writes to it.

    :raise MissingPackage: something to build it from is missing.
    """
    find_program("grub-mkrescue")
    find_program("xorriso")
    name = f"cd-{BUILD}-{packages.fingerprint(packages.GRUB_MODULES / 'boot.img')}-{_own_fingerprint()}"
    return _cached(name, _build_cd)
