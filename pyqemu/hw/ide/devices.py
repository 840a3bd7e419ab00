"""The drives as device models: ``ide-hd``, ``ide-cd``, and ``ide-drive``, which is either."""

from __future__ import annotations

from pyqemu.block import BlockIOError, Drive, ErrorPolicy, Translation
from pyqemu.hw.ide.ata import AtaDisk
from pyqemu.hw.ide.atapi import AtapiDrive
from pyqemu.hw.ide.core import IdeBus, Model, Unit
from pyqemu.qom import Device, DeviceError, Property, device_class
from pyqemu.system import RunState

__all__ = ["IdeCd", "IdeDevice", "IdeDrive", "IdeHd"]

NEXT_FREE = 0xFFFF_FFFF
FIRMWARE_VERSION = "2.5+"  # QEMU's of all machine types since 2.5

# What IDENTIFY DEVICE and the registers of CHS addresses can hold.
GEOMETRY_LIMITS = {"cyls": 65535, "heads": 16, "secs": 255}


class IdeDevice(Device):
    """A drive on a channel."""

    bus: IdeBus

    drive = Property.link("drive", "drive")
    unit = Property.uint("unit", NEXT_FREE)
    serial = Property.str("serial")
    ver = Property.str("ver")
    model = Property.str("model")
    wwn = Property.uint("wwn", 0, bits=64)
    bootindex = Property.int("bootindex", -1)
    write_cache = Property.enum("write-cache", ("on", "off", "auto"), "auto", "on/off/auto")
    rerror = Property.enum("rerror", ("report", "ignore", "stop", "auto"), "auto", "what a read error does")
    werror = Property.enum("werror", ("report", "ignore", "enospc", "stop", "auto"), "auto", "what a write error does")

    def realize(self) -> None:
        unit = self._choose_unit()
        drive = self._take_drive()
        drive.on_stop = self._stop_machine
        drive.firmware_path = f"/drive@{self.bus.number}/disk@{unit.number}"
        self.bus.system.on_state_change(self._state_changed)
        unit.model = self._make_model(unit, drive)
        unit.hard_reset()
        self._place = unit
        self.unit = unit.number

    def unrealize(self) -> None:
        self._place.cancel()
        self._place.model = None
        self._place.hard_reset()
        if self.drive is not None:
            self.drive.detach()

    def reset(self) -> None:
        """Nothing: the controller resets its channels, and these their drives."""

    def is_cdrom(self) -> bool:
        """Whether it takes CDs."""
        raise NotImplementedError

    def _choose_unit(self) -> Unit:
        units = self.bus.units
        if self.unit == NEXT_FREE:
            free = next((unit for unit in units if unit.model is None), None)
            if free is None:
                raise DeviceError(f"bus '{self.bus.name}' has no room for another drive: its two units are in use")
            return free
        if self.unit >= len(units):
            raise DeviceError(f"Can't create IDE unit {self.unit}, bus supports only {len(units)} units")
        if units[self.unit].model is not None:
            raise DeviceError(f"IDE unit {self.unit} is in use")
        return units[self.unit]

    def _take_drive(self) -> Drive:
        """The drive behind it; a CD-ROM drive without one is an empty tray."""
        drive: Drive | None = self.drive
        if drive is None:
            if not self.is_cdrom():
                raise DeviceError(f"No drive specified for '{self.name}'", "drive=ID of a -drive with if=none")
            drive = Drive("", media="cdrom")
            self.drive = drive
        if drive.attached_to is not None:
            raise DeviceError(f"Drive '{drive.id}' is already in use by another device", "if=none in its -drive")
        if not drive.inserted and not self.is_cdrom():
            raise DeviceError(f"Device needs media, but drive '{drive.id}' is empty")
        drive.attach(self, removable=self.is_cdrom(), can_stop=True)
        if not self.is_cdrom():
            drive.want_writes()
        if self.write_cache != "auto":
            drive.write_cache = self.write_cache == "on"
        if self.rerror != "auto":
            drive.read_error = ErrorPolicy(self.rerror)
        if self.werror != "auto":
            drive.write_error = ErrorPolicy(self.werror)
        return drive

    def _make_model(self, unit: Unit, drive: Drive) -> Model:
        serial = self.serial or drive.serial or f"QM{self.bus.number * 2 + unit.number + 1:05}"
        version = self.ver or FIRMWARE_VERSION
        if self.is_cdrom():
            return AtapiDrive(unit, drive, serial=serial, firmware=version, model=self.model or "QEMU DVD-ROM")
        self._check_geometry(drive)
        model = self.model or "QEMU HARDDISK"
        return AtaDisk(unit, drive, serial=serial, firmware=version, model=model, wwn=self.wwn)

    def _check_geometry(self, drive: Drive) -> None:
        """The limits of this interface, whether a property or ``-drive`` gave the geometry."""
        if drive.chs is not None:
            for (name, limit), value in zip(GEOMETRY_LIMITS.items(), drive.chs, strict=True):
                if not 1 <= value <= limit:
                    raise DeviceError(f"{name} must be between 1 and {limit}")

    def _stop_machine(self, is_write: bool, error: BlockIOError) -> None:
        """``werror=stop``: the machine stops; when it goes on, the request is tried again."""
        self.bus.system.request_stop(RunState.IO_ERROR)

    def _state_changed(self, running: bool, state: RunState) -> None:
        if running:
            self.drive.forget_errors()
            self._place.resume()


class _DiskProperties(IdeDevice):
    """The geometry as properties."""

    cyls = Property.uint("cyls", 0)
    heads = Property.uint("heads", 0)
    secs = Property.uint("secs", 0)
    translation = Property.enum("bios-chs-trans", ("auto", "none", "lba", "large", "rechs"), "auto")

    def _check_geometry(self, drive: Drive) -> None:
        if self.cyls or self.heads or self.secs:
            drive.chs = self.cyls, self.heads, self.secs
        if self.translation != "auto":
            drive.translation = Translation[self.translation.upper()]
        super()._check_geometry(drive)


@device_class("ide-hd", description="virtual IDE disk", bus="IDE", category="storage")
class IdeHd(_DiskProperties):
    """A hard disk."""

    def is_cdrom(self) -> bool:
        return False


@device_class("ide-cd", description="virtual IDE CD-ROM", bus="IDE", category="storage")
class IdeCd(IdeDevice):
    """A CD-ROM drive."""

    def is_cdrom(self) -> bool:
        return True


@device_class("ide-drive", description="virtual IDE disk or CD-ROM (legacy)", bus="IDE", category="storage")
class IdeDrive(_DiskProperties):
    """Whatever the drive's ``media=`` says."""

    def is_cdrom(self) -> bool:
        return self.drive is not None and self.drive.media == "cdrom"
