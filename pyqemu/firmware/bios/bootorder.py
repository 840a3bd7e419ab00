"""What the user wants booted first: fw_cfg's ``bootorder`` file and the CMOS boot order.

``bootorder`` has one OpenFirmware-like path a line, as QEMU writes them::

    /pci@i0cf8/ide@1,1/drive@0/disk@0
    /pci@i0cf8/isa@1/fdc@03f0/floppy@0
    /pci@i0cf8/ethernet@3/ethernet-phy@0
    /rom@genroms/linuxboot.bin
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pyqemu.block.drive import Drive
from pyqemu.firmware.bios.context import BiosContext, Ports
from pyqemu.firmware.bios.fwcfg import FwCfg

NOT_LISTED = 1000
"""Rank of what ``bootorder`` does not name."""

HALT = "HALT"
"""The line that says: nothing else."""

FLOPPY, DISK, CD, NETWORK = 1, 2, 3, 4
"""Device classes of the CMOS boot order (registers 3Dh and 38h)."""

_IDE = re.compile(r"/ide@[0-9a-f,]+/drive@(\d+)/disk@(\d+)$")
_FLOPPY = re.compile(r"/fdc@[0-9a-f]+/floppy@(\d+)$")
_PCI = re.compile(r"^/pci@i0cf8/[^/@]+@([0-9a-f]+)(?:,([0-7]))?(?:/|$)")


class BootOrder:
    """Ranks of devices: the lower, the earlier."""

    def __init__(self, context: BiosContext, ports: Ports) -> None:
        self.context = context
        self.ports = ports
        self.fw_cfg = FwCfg(ports)
        self._lines: list[str] | None = None

    def refresh(self) -> None:
        """Look at the configuration anew; once in every POST."""
        self.fw_cfg.refresh()
        self._lines = None

    @property
    def lines(self) -> Sequence[str]:
        """The lines of ``bootorder``."""
        if self._lines is None:
            text = (self.fw_cfg.read("bootorder") or b"").rstrip(b"\x00").decode("latin-1")
            self._lines = [line.strip() for line in text.split("\n") if line.strip()]
        return self._lines

    @property
    def strict(self) -> bool:
        """Whether nothing but what is listed may be booted (``-boot strict=on``)."""
        return HALT in self.lines

    def classes(self) -> list[int]:
        """The CMOS order: up to three classes, first to last."""
        first, second = self.ports.cmos_read(0x3D), self.ports.cmos_read(0x38)
        order = [first & 0x0F, first >> 4, second >> 4]
        return [kind for kind in order if FLOPPY <= kind <= NETWORK]

    def check_floppy_signature(self) -> bool:
        """Whether a floppy must end in 55h AAh to be booted (CMOS 38h bit 0 off)."""
        return not self.ports.cmos_read(0x38) & 1

    # -- ranks ----------------------------------------------------------------------------------------------

    def drive(self, drive: Drive) -> int:
        """The rank of a disk or CD-ROM drive."""
        for rank, line in enumerate(self.lines):
            match = _IDE.search(line)
            if match and drive.interface == "ide" and (drive.bus, drive.unit) == (int(match[1]), int(match[2])):
                return rank
            if drive.firmware_path and line.endswith(drive.firmware_path):
                return rank
            if drive.device_address and drive.device_address in line:
                return rank
        return NOT_LISTED

    def floppy(self, unit: int) -> int:
        """The rank of a floppy drive."""
        for rank, line in enumerate(self.lines):
            match = _FLOPPY.search(line)
            if match and int(match[1]) == unit:
                return rank
        return NOT_LISTED

    def pci_rom(self, devfn: int) -> int:
        """The rank of a PCI function's option ROM."""
        for rank, line in enumerate(self.lines):
            match = _PCI.match(line)
            if match and int(match[1], 16) << 3 | int(match[2] or "0") == devfn:
                return rank
        return NOT_LISTED

    def fw_cfg_rom(self, name: str) -> int:
        """The rank of an option ROM that came through fw_cfg."""
        wanted = f"/rom@{name}"
        return self.lines.index(wanted) if wanted in self.lines else NOT_LISTED

    def sort_disks(self, disks: Sequence[Drive]) -> list[Drive]:
        """Hard disks in the order of their BIOS numbers."""
        return sorted(disks, key=self.drive)  # stable: the rest stays in connector order
