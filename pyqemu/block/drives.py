"""``-drive`` and its short forms: from option strings to drives, by QEMU's rules.

Parsing is separate from opening: `DriveOptions` is what one option says, validated; `DriveTable` gives each
drive its place and name, and opens its image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pyqemu.block.drive import Drive, ErrorPolicy
from pyqemu.block.errors import BlockError, BlockIOError, DriveError
from pyqemu.block.file import FileNode, Opener
from pyqemu.block.formats import CACHE_MODES, open_image
from pyqemu.block.geometry import Translation
from pyqemu.block.graph import BlockGraph
from pyqemu.block.node import SECTOR_SIZE, BlockNode
from pyqemu.io.descriptors import open_plain
from pyqemu.util.errors import OptionError
from pyqemu.util.options import parse_bool, parse_options

__all__ = ["INTERFACES", "DriveOptions", "DriveTable", "cdrom", "floppy", "hard_disk"]

T = TypeVar("T")

INTERFACES = ("none", "ide", "scsi", "floppy", "pflash", "mtd", "sd", "virtio", "xen")
_UNITS_PER_BUS = {"ide": 2, "scsi": 7}  # elsewhere the index is the unit
_WITH_MEDIA_SUFFIX = ("ide", "scsi")  # "ide0-hd0", but "virtio0"
_POLICY_INTERFACES = ("none", "ide", "scsi", "virtio")
_REMOVABLE = ("floppy",)

_CHOICES = {
    "if": INTERFACES,
    "media": ("disk", "cdrom"),
    "cache": tuple(CACHE_MODES),
    "aio": ("threads", "native"),
    "discard": ("ignore", "off", "unmap", "on"),
    "detect-zeroes": ("off", "on", "unmap"),
    "werror": ("ignore", "stop", "report", "enospc"),
    "rerror": ("ignore", "stop", "report"),
    "trans": ("none", "lba", "large", "rechs", "auto"),
}
_NUMBERS = ("index", "bus", "unit", "cyls", "heads", "secs")
_SWITCHES = ("readonly", "snapshot", "copy-on-read")
_STRINGS = ("file", "format", "id", "node-name", "serial", "addr")
_ALIASES = {"driver": "format", "file.filename": "file", "read-only": "readonly"}
_LIMITS = {"cyls": 65535, "heads": 255, "secs": 255}  # what the IDENTIFY words and CHS addresses can say


@dataclass(frozen=True)
class DriveOptions:
    """What one ``-drive`` says; None and empty strings stand for what it does not say."""

    file: str = ""
    format: str | None = None
    interface: str | None = None
    media: str = "disk"
    index: int | None = None
    bus: int | None = None
    unit: int | None = None
    id: str = ""
    node_name: str = ""
    serial: str = ""
    read_only: bool = False
    snapshot: bool = False
    cache: str = "writeback"
    write_error: ErrorPolicy | None = None
    read_error: ErrorPolicy | None = None
    chs: tuple[int, int, int] | None = None
    translation: Translation | None = None
    device_address: str | None = None

    @classmethod
    def parse(cls, text: str) -> DriveOptions:
        """Read the argument of ``-drive``.

        :raise DriveError: an unknown option, a wrong value, or options that exclude each other.
        """
        try:
            return cls.from_mapping(parse_options(text))
        except DriveError:
            raise
        except OptionError as error:
            raise DriveError(str(error)) from error

    @classmethod
    def from_mapping(cls, raw: Mapping[str, str]) -> DriveOptions:
        """The same from a mapping of QEMU's option names to their texts."""
        given = {_ALIASES.get(key, key): value for key, value in raw.items()}
        _check_names_and_choices(given)
        switches = {key: parse_bool(given[key], key) for key in _SWITCHES if key in given}
        numbers = {key: _number(key, given[key]) for key in _NUMBERS if key in given}
        if "index" in numbers and ("bus" in numbers or "unit" in numbers):
            raise DriveError("index cannot be used with bus and unit")
        media = given.get("media", "disk")
        return cls(
            file=given.get("file", ""),
            format=given.get("format"),
            interface=given.get("if"),
            media=media,
            index=numbers.get("index"),
            bus=numbers.get("bus"),
            unit=numbers.get("unit"),
            id=given.get("id", ""),
            node_name=given.get("node-name", ""),
            serial=given.get("serial", ""),
            read_only=switches.get("readonly", False) or media == "cdrom",
            snapshot=switches.get("snapshot", False),
            cache=given.get("cache", "writeback"),
            write_error=ErrorPolicy(given["werror"]) if "werror" in given else None,
            read_error=ErrorPolicy(given["rerror"]) if "rerror" in given else None,
            chs=_geometry(numbers, given),
            translation=_translation(given.get("trans")),
            device_address=given.get("addr"),
        )


def hard_disk(file: str, index: int, **others: str) -> DriveOptions:
    """``-hda`` to ``-hdd`` (index 0 to 3), and the disk image without an option (index 0)."""
    return DriveOptions.from_mapping({"file": file, "index": str(index), "media": "disk", **others})


def cdrom(file: str) -> DriveOptions:
    """``-cdrom``: the master of the second channel."""
    return DriveOptions.from_mapping({"file": file, "index": "2", "media": "cdrom"})


def floppy(file: str, index: int) -> DriveOptions:
    """``-fda`` and ``-fdb``."""
    return DriveOptions.from_mapping({"file": file, "index": str(index), "if": "floppy"})


def _check_names_and_choices(given: Mapping[str, str]) -> None:
    known = (*_CHOICES, *_NUMBERS, *_SWITCHES, *_STRINGS)
    for key, value in given.items():
        if key not in known:
            raise DriveError(f"A drive has no option '{key}'; options are {', '.join(sorted(known))}")
        choices = _CHOICES.get(key)
        if choices is not None and value not in choices:
            raise DriveError(f"'{value}' is not valid for {key}=; it is one of {', '.join(choices)}")


def _number(key: str, text: str) -> int:
    try:
        value = int(text, 0)
    except ValueError:
        value = -1
    if value < 0:
        raise DriveError(f"Parameter '{key}' expects a number, not '{text}'")
    return value


def _geometry(numbers: Mapping[str, int], given: Mapping[str, str]) -> tuple[int, int, int] | None:
    if not any(key in numbers for key in _LIMITS):
        if given.get("trans", "auto") != "auto":
            raise DriveError("'trans' needs a geometry: cyls=, heads= and secs=")
        return None
    for key, limit in _LIMITS.items():
        if not 1 <= numbers.get(key, 0) <= limit:
            raise DriveError(f"a drive's geometry needs {key}= from 1 to {limit}")
    if given.get("media") == "cdrom":
        raise DriveError("a CD-ROM has no geometry: leave out cyls=, heads= and secs=")
    return numbers["cyls"], numbers["heads"], numbers["secs"]


def _translation(text: str | None) -> Translation | None:
    return None if text in (None, "auto") else Translation[str(text).upper()]


class DriveTable:
    """The drives of a machine, in the order in which they were given."""

    def __init__(self, default_interface: str = "ide", *, snapshot: bool = False) -> None:
        """`default_interface` is the board's; `snapshot` is the option ``-snapshot``: all disks are."""
        self.default_interface = default_interface
        self.snapshot = snapshot
        self.opener: Opener = open_plain
        """How image files are opened."""
        self.send: Callable[..., None] | None = None
        """Where the drives' events go."""
        self._drives: list[Drive] = []
        self.graph = BlockGraph(self._drives)

    def __iter__(self) -> Iterator[Drive]:
        return iter(self._drives)

    def __len__(self) -> int:
        return len(self._drives)

    def add(self, options: DriveOptions) -> Drive:
        """Give a drive its place and open its image.

        :raise DriveError: the place or the name is taken, or the interface does not support an option.
        :raise BlockError: the image cannot be used.
        """
        interface = options.interface or self.default_interface
        bus, unit = self._place(options, interface)
        per_bus = _UNITS_PER_BUS.get(interface, 0)
        name = options.id or self._default_id(interface, options.media, bus, unit)
        if self.find(name) is not None:
            raise DriveError(f"Duplicate ID '{name}' for drive; give it another id=")
        _check_policies(options, interface)
        drive = Drive(
            name,
            interface=interface,
            media=options.media,
            index=bus * per_bus + unit if per_bus else unit,
            bus=bus,
            unit=unit,
            serial=options.serial,
            write_cache=CACHE_MODES[options.cache].writeback,
            chs=options.chs,
            translation=options.translation,
            write_error=options.write_error or ErrorPolicy.ENOSPC,
            read_error=options.read_error or ErrorPolicy.REPORT,
            device_address=options.device_address,
        )
        if options.node_name:
            self.graph.check_name(options.node_name)
        if options.file:
            node = self._open(options, drive)
            node.node_name = options.node_name
            drive.node = node
        elif options.media == "disk" and interface not in _REMOVABLE:
            raise DriveError(f"drive '{name}' needs an image: give file=, or media=cdrom for an empty CD-ROM drive")
        self.adopt(drive)
        return drive

    def adopt(self, drive: Drive) -> None:
        """Take in a drive that a device made for itself; one that is in the table already is left there."""
        if drive in self._drives:
            return
        self._drives.append(drive)
        drive.emit = self._emit
        if not drive.id:
            drive.on_detach = lambda: self.remove(drive)
        if drive.node is not None:
            self.graph.name_stack(drive.node)

    def remove(self, drive: Drive) -> None:
        """Close a drive and forget it."""
        if drive in self._drives:
            self._drives.remove(drive)
            drive.close()

    def _emit(self, event: str, **data: object) -> None:
        if self.send is not None:
            self.send(event, **data)

    def add_default(self, interface: str, index: int, media: str = "disk") -> Drive | None:
        """An empty removable drive that a board has unless told otherwise; None if the place is taken."""
        try:
            return self.add(DriveOptions(interface=interface, index=index, media=media))
        except DriveError:
            return None

    def find(self, id: str) -> Drive | None:
        """The drive of that id."""
        return next((drive for drive in self._drives if id and drive.id == id), None)

    def find_by_device(self, name: str) -> Drive | None:
        """The drive of the device of that id, or of that place in the tree of all objects."""
        return next((drive for drive in self._drives if name and drive.device_name == name), None)

    def for_device(self, name: str) -> Drive | None:
        """What a device's ``drive=`` means: a drive, or a node, for which the device gets a drive of its own.

        :raise BlockError: the node serves somebody else.
        """
        drive = self.find(name)
        node = self.graph.find(name) if drive is None else None
        if node is None:
            return drive
        self.graph.check_usable(node, shared=True)
        return Drive("", node, write_cache=True, media="cdrom" if node.read_only else "disk")

    def get(self, interface: str, bus: int, unit: int) -> Drive | None:
        """The drive at a place, for the board."""
        for drive in self._drives:
            if (drive.interface, drive.bus, drive.unit) == (interface, bus, unit):
                return drive
        return None

    def by_index(self, interface: str, index: int) -> Drive | None:
        """The drive with that index, for the board (IDE: index 2 is the second channel's master)."""
        per_bus = _UNITS_PER_BUS.get(interface, 0)
        return self.get(interface, index // per_bus, index % per_bus) if per_bus else self.get(interface, 0, index)

    def check_supported(self, limits: Mapping[str, int]) -> None:
        """Refuse drives that a board has no place for. `limits`: interface -> number of indices (``{"ide":
        4}``).

        :raise DriveError: names the first such drive.
        """
        for drive in self._drives:
            if drive.interface != "none" and drive.index >= limits.get(drive.interface, 0):
                places = ", ".join(f"if={name} with index 0 to {count - 1}" for name, count in limits.items())
                raise DriveError(
                    f"machine type does not support if={drive.interface},bus={drive.bus},unit={drive.unit} "
                    f"(drive '{drive.id}'); it has {places}"
                )

    def flush_all(self) -> None:
        """Flush every medium; all are tried even if one fails.

        :raise BlockIOError: the first failure.
        """
        _each(self._drives, Drive.flush)

    def close_all(self) -> None:
        """Flush and close every medium, as `flush_all`, and all nodes."""
        try:
            _each(self._drives, Drive.close)
        finally:
            _each(self.graph.forget(), lambda node: node.close())

    def _place(self, options: DriveOptions, interface: str) -> tuple[int, int]:
        """Bus and unit: given, from the index, or the first free ones."""
        per_bus = _UNITS_PER_BUS.get(interface, 0)
        if options.index is not None:
            bus, unit = divmod(options.index, per_bus) if per_bus else (0, options.index)
        else:
            bus = options.bus or 0
            if options.unit is None:
                return self._free_place(interface, bus, per_bus)
            unit = options.unit
            if per_bus and unit >= per_bus:
                raise DriveError(f"unit {unit} too big; if={interface} has unit=0 to unit={per_bus - 1} on each bus")
        taken = self.get(interface, bus, unit)
        if taken is not None:
            index = bus * per_bus + unit
            raise DriveError(
                f"drive with bus={bus}, unit={unit} (index={index}) exists: '{taken.id}'; give this one another index="
            )
        return bus, unit

    def _free_place(self, interface: str, bus: int, per_bus: int) -> tuple[int, int]:
        unit = 0
        while self.get(interface, bus, unit) is not None:
            unit += 1
            if per_bus and unit >= per_bus:
                bus, unit = bus + 1, 0
        return bus, unit

    def _default_id(self, interface: str, media: str, bus: int, unit: int) -> str:
        if interface in _WITH_MEDIA_SUFFIX:
            return f"{interface}{bus}-{'cd' if media == 'cdrom' else 'hd'}{unit}"
        return f"{interface}{'-cd' if media == 'cdrom' else ''}{unit}"

    def _open(self, options: DriveOptions, drive: Drive) -> BlockNode:
        snapshot = (options.snapshot or self.snapshot) and not options.read_only
        self._refuse_sharing(options, writes=not (options.read_only or snapshot))
        node = open_image(
            options.file,
            format=options.format,
            read_only=options.read_only,
            snapshot=snapshot,
            cache=options.cache,
            active=self.graph.active,
            opener=self.opener,
        )
        unit, least = ("block", 2048) if options.media == "cdrom" else ("sector", SECTOR_SIZE)
        size = _protocol_node(node).size if node.size <= least else node.size  # without raw's padding
        if size < least:
            node.close()
            raise BlockError(
                f"'{options.file}' is too short ({size} bytes) for drive '{drive.id}': "
                f"its image must have at least one {unit} of {least} bytes"
            )
        return node

    def _refuse_sharing(self, options: DriveOptions, *, writes: bool) -> None:
        """Two drives on one image of which one writes: the lock would refuse as well, but not name the other
        drive.
        """
        try:
            probe = FileNode(options.file, read_only=True, lock=False, opener=self.opener)
        except BlockError:
            return  # opening it in earnest will say why, or it is no file at all
        identity = probe.identity()
        probe.close()
        for other in self._drives:
            file = _protocol_node(other.node) if other.node is not None else None
            if isinstance(file, FileNode) and file.identity() == identity and (writes or not file.read_only):
                raise BlockError(
                    f"'{options.file}' is in use by drive '{other.id}' already; "
                    "only read-only drives may share an image"
                )


def _check_policies(options: DriveOptions, interface: str) -> None:
    for name, policy in (("werror", options.write_error), ("rerror", options.read_error)):
        if policy is not None and interface not in _POLICY_INTERFACES:
            raise DriveError(f"{name} is not supported by if={interface}; it is by {', '.join(_POLICY_INTERFACES)}")


def _protocol_node(node: BlockNode) -> BlockNode:
    """The lowest node of a stack."""
    while node.below is not None:
        node = node.below
    return node


def _each(things: Sequence[T], action: Callable[[T], None]) -> None:
    failure: BlockIOError | None = None
    for thing in list(things):
        try:
            action(thing)
        except BlockIOError as error:
            failure = failure or error
    if failure is not None:
        raise failure
