"""Debian's packages as a source of real guests: where their files are, and what identifies a set of them.

Nothing here needs root. Kernel modules that the installer would fetch over the network come from Debian's archive
through a private ``apt`` root and are kept in the user's cache directory.
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

INSTALLER = Path("/usr/lib/debian-installer/images/12")
GRUB_MODULES = Path("/usr/lib/grub/i386-pc")
SEABIOS = Path("/usr/share/seabios/bios-256k.bin")
MEMTEST = {"amd64": Path("/boot/memtest86+x64.bin"), "i386": Path("/boot/memtest86+ia32.bin")}
IPXE = Path("/usr/lib/ipxe")
ARCHITECTURES = ("amd64", "i386")
PROGRAMS = ("grub-mkimage", "mkfs.vfat", "mcopy", "mmd", "grub-mkrescue")


@dataclass(frozen=True)
class Drivers:
    """Kernel modules.

    :ivar directory: where they are kept in the cache
    :ivar packages: the udebs that they are in, without version
    :ivar modules: in the order of loading
    """

    directory: str
    packages: tuple[str, ...]
    modules: tuple[str, ...]


# of our disks and CD-ROMs
IDE = Drivers(
    "modules",
    ("scsi-core-modules", "ata-modules", "pata-modules", "sata-modules", "cdrom-core-modules", "isofs-modules"),
    ("scsi_common", "scsi_mod", "libata", "ata_piix", "ata_generic", "cdrom", "sr_mod", "isofs"),
)
VIRTIO = Drivers(
    "virtio",
    ("kernel-image", "scsi-modules", "nic-modules", "input-modules"),
    ("failover", "net_failover", "virtio", "virtio_ring", "virtio_pci_legacy_dev", "virtio_pci_modern_dev",
     "virtio_pci", "virtio_mmio", "virtio_blk", "virtio_console", "virtio-rng", "virtio_balloon", "virtio_net"),
)  # fmt: skip


class MissingPackage(Exception):
    """A test cannot run here; the message says what it needs."""


def find_program(name: str) -> str:
    """The path of a program that may be in ``sbin``.

    :raise MissingPackage: it is not installed.
    """
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise MissingPackage(f"needs the program {name}")
    return found


def need(path: Path) -> Path:
    """*path*, which a package must have installed.

    :raise MissingPackage: it has not.
    """
    if not path.exists():
        raise MissingPackage(f"needs {path}")
    return path


def cache_directory() -> Path:
    """Where images are kept from one run to the next."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    path = Path(base) / "pyqemu" / "test-guests"
    path.mkdir(parents=True, exist_ok=True)
    return path


@cache
def fingerprint(*paths: Path) -> str:
    """Changes when one of the files does (size and time of change stand for a package's version)."""
    text = "".join(f"{path} {need(path).stat().st_size} {path.stat().st_mtime_ns}\n" for path in paths)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def installer(architecture: str) -> tuple[Path, Path]:
    """Kernel and initial RAM disk of Debian's installer.

    :raise MissingPackage: ``debian-installer-12-netboot-ARCH`` is not installed.
    """
    base = INSTALLER / architecture / "text" / "debian-installer" / architecture
    kernel = "vmlinuz" if architecture == "armhf" else "linux"
    return need(base / kernel), need(base / "initrd.gz")


def device_tree(name: str) -> Path:
    """A device tree of Debian's installer for armhf.

    :raise MissingPackage: ``debian-installer-12-netboot-armhf`` is not installed.
    """
    return need(installer("armhf")[0].parent / "dtbs" / f"{name}.dtb")


def kernel_release(architecture: str) -> str:
    """``6.1.0-50-amd64``: the boot header points to it (Linux boot protocol, ``kernel_version``).

    An arm64 kernel is not compressed: it says so itself. That of armhf tells nothing: its modules do.
    """
    if architecture == "armhf":
        found = re.search(rb"lib/modules/([\w.-]+-armmp)\0", gzip.decompress(installer(architecture)[1].read_bytes()))
        assert found is not None
        return found[1].decode()
    kernel = installer(architecture)[0].read_bytes()
    if architecture == "arm64":
        return kernel[kernel.index(b"Linux version ") :][:100].split(b" ")[2].decode()
    start = int.from_bytes(kernel[0x20E:0x210], "little") + 0x200
    return kernel[start : start + 80].split(b" ")[0].decode()


@cache
def _archive() -> str:
    """The address of Debian's archive that this host uses.

    :raise MissingPackage: apt knows of none, or has never updated its lists.
    """
    form = ["--format", "$(REPO_URI) $(CODENAME)"]
    listed = subprocess.run(
        [find_program("apt-get"), "indextargets", *form], capture_output=True, text=True, timeout=60
    )
    for line in listed.stdout.splitlines():
        address, _, codename = line.partition(" ")
        if codename == "bookworm":
            return address
    raise MissingPackage("needs Debian's archive for bookworm among apt's sources")


def _apt(root: Path, architecture: str) -> list[str]:
    """Options that make apt leave the system's own state alone."""
    (root / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (root / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    (root / "status").touch()
    (root / "sources.list").write_text(f"deb {_archive()} bookworm main main/debian-installer\n")
    settings = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "root",
        "Dir::State::Lists": root / "lists",
        "Dir::Cache": root / "cache",
        "Dir::Etc::SourceList": root / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::status": root / "status",
    }
    return [text for key, value in settings.items() for text in ("-o", f"{key}={value}")]


def _download(architecture: str, release: str, target: Path, drivers: Drivers) -> None:
    """Unpack the modules of the installer's packages, or if the archive has lost those, of the kernel's."""
    base, flavour = release.rsplit("-", 1)
    apt = [find_program("apt-get"), "-q", *_apt(target / "apt", architecture)]
    small = [f"{name}-{base}-{flavour}-di" for name in drivers.packages]
    subprocess.run([*apt, "update"], capture_output=True, timeout=300)
    for packages in (small, [f"linux-image-{release}"]):
        done = subprocess.run([*apt, "download", *packages], cwd=target, capture_output=True, text=True, timeout=600)
        if done.returncode == 0:
            break
        for partial in target.glob("*.*deb"):
            partial.unlink()
    else:
        raise MissingPackage(f"cannot get kernel modules from Debian's archive: {done.stderr.strip()[-200:]}")
    for archive in target.glob("*.*deb"):
        subprocess.run([find_program("dpkg-deb"), "-x", archive, target / "root"], check=True, timeout=120)
        archive.unlink()


def _keep(root: Path, target: Path, drivers: Drivers) -> None:
    """Move the modules that we want out of the unpacked packages."""
    found = {path.name.split(".")[0]: path for path in root.rglob("*.ko*")}
    for name in drivers.modules:
        if path := found.get(name):
            data = path.read_bytes()
            (target / f"{name}.ko").write_bytes(lzma.decompress(data) if path.suffix == ".xz" else data)


def kernel_modules(architecture: str, drivers: Drivers = IDE) -> list[tuple[str, bytes]]:
    """Names and contents of kernel modules, in the order of loading; those that the installer's own initial RAM disk
    has may be left out.

    :raise MissingPackage: they are not in the cache and cannot be downloaded.
    """
    release = kernel_release(architecture)
    target = cache_directory() / f"{drivers.directory}-{release}"
    if not (target / "complete").exists():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        _download(architecture, release, target, drivers)
        _keep(target / "root", target, drivers)
        shutil.rmtree(target / "apt")
        shutil.rmtree(target / "root")
        (target / "complete").touch()
    return [(name, path.read_bytes()) for name in drivers.modules if (path := target / f"{name}.ko").exists()]
