"""Reading the board's configuration channel (QEMU docs/specs/fw_cfg.txt) through its ports."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pyqemu.firmware.bios.context import Ports

_SELECTOR, _DATA = 0x510, 0x511
_SIGNATURE, _BOOT_MENU, _FILE_DIRECTORY = 0x0000, 0x000E, 0x0019
_MAX_FILES = 4096


@dataclass(frozen=True)
class FwCfgFile:
    """One line of the directory."""

    name: str
    key: int
    size: int


class FwCfg:
    """The channel as firmware sees it; everything is absent on a board that has none."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self._files: dict[str, FwCfgFile] | None = None

    def item(self, key: int, size: int) -> bytes:
        """The first *size* bytes of an item."""
        self.ports.outw(_SELECTOR, key)
        inb = self.ports.inb
        return bytes(inb(_DATA) for _ in range(size))

    def refresh(self) -> None:
        """Forget the directory: a new POST looks at it anew."""
        self._files = None

    @property
    def files(self) -> dict[str, FwCfgFile]:
        """The directory by name."""
        if self._files is None:
            self._files = {}
            if self.item(_SIGNATURE, 4) == b"QEMU":
                (count,) = struct.unpack(">I", self.item(_FILE_DIRECTORY, 4))
                raw = [self._entry() for _ in range(min(count, _MAX_FILES))]
                self._files = {file.name: file for file in raw}
        return self._files

    def _entry(self) -> FwCfgFile:
        """The next 64 bytes of the directory, which is selected."""
        inb = self.ports.inb
        size, key, name = struct.unpack(">IHxx56s", bytes(inb(_DATA) for _ in range(64)))
        return FwCfgFile(name.partition(b"\x00")[0].decode("latin-1"), key, size)

    def read(self, name: str) -> bytes | None:
        """The content of a file, or None if there is none of that name."""
        file = self.files.get(name)
        return self.item(file.key, file.size) if file is not None else None

    @property
    def boot_menu(self) -> bool:
        """``-boot menu=on``."""
        return bool(self.files) and self.item(_BOOT_MENU, 2)[0] == 1
