"""Options that add devices, drives, objects, firmware and kernels, and those that set their properties."""

from __future__ import annotations

from pyqemu.block import DriveOptions
from pyqemu.block.drives import cdrom, floppy, hard_disk
from pyqemu.cli.options.registry import CommandLine, Finished, option, switch
from pyqemu.cli.structured import flatten, is_json, parse_flat, parse_tree
from pyqemu.qom.defaults import PropertyDefault
from pyqemu.util.errors import OptionError
from pyqemu.util.options import parse_options


@option(
    "device", "driver[,prop=value...]", "add a device ('-device help' lists them, '-device DRIVER,help' its properties)"
)
def device(line: CommandLine, text: str) -> None:
    options = parse_flat(text, "driver")
    driver = options.get("driver", "")
    if not is_json(text):
        if driver in ("help", "?"):
            from pyqemu.cli.lists import devices

            raise Finished(devices())
        if "help" in options or "?" in options:
            from pyqemu.cli.lists import device_properties

            raise Finished(device_properties(driver))
    if not driver:
        raise OptionError("-device: Parameter 'driver' is missing", "-device help lists the models")
    line.groups.record("device", options)
    line.config.devices.append(options)


@option("object", "TYPE,id=ID[,prop=value...]", "make an object; also as JSON")
def make_object(line: CommandLine, text: str) -> None:
    tree = parse_tree(text, "qom-type")
    for key in ("qom-type", "id"):
        if not isinstance(tree.get(key), str) or not tree[key]:
            raise OptionError(f"-object: Parameter '{key}' is missing", "-object TYPE,id=ID,...")
    line.groups.record("object", flatten(tree))
    line.config.objects.append(tree)


@option(
    "global",
    "driver.property=value",
    "give a property of all devices of a model another default; also as driver=D,property=P,value=V",
)
def global_property(line: CommandLine, text: str) -> None:
    name, equals, value = text.partition("=")
    driver, dot, key = name.partition(".")
    if equals and dot and driver and key and "," not in name:
        options = {"driver": driver, "property": key, "value": value}
    else:
        options = parse_options(text)
    for key in ("driver", "property", "value"):
        if key not in options:
            raise OptionError(f"-global {text}: Parameter '{key}' is missing", "-global driver.property=value")
    if unknown := options.keys() - {"driver", "property", "value"}:
        raise OptionError(f"-global: Invalid parameter '{min(unknown)}'", "driver=, property= and value=")
    line.groups.record("global", options)
    line.config.globals.append(PropertyDefault(**options))


@switch("usb", "USB, which is not there yet")
def usb(line: CommandLine) -> None:
    raise OptionError("-usb: USB is not there yet", "leave it out; -machine usb=off is understood")


@option("balloon", "none", "memory balloon (none, for now)")
def balloon(line: CommandLine, text: str) -> None:
    if text != "none":
        raise OptionError(f"-balloon {text}: the memory balloon is not there yet", "-balloon none")


# --- drives -----------------------------------------------------------------------------------------------------------


@option("drive", "file=FILE[,if=ide|floppy|none][,index=N][,media=disk|cdrom][,format=F][,...]", "a drive")
def drive(line: CommandLine, text: str) -> None:
    options = DriveOptions.parse(text)
    line.groups.record("drive", parse_options(text))
    line.config.drives.append(options)


@option("blockdev", "driver=DRIVER,node-name=NAME[,prop=value...]", "a block node for a device's drive=; also as JSON")
def blockdev(line: CommandLine, text: str) -> None:
    tree = parse_tree(text, "driver")
    for key in ("driver", "node-name"):
        if not isinstance(tree.get(key), str) or not tree[key]:
            raise OptionError(f"-blockdev: Parameter '{key}' is missing", "-blockdev driver=DRIVER,node-name=NAME,...")
    line.config.blockdevs.append(tree)


def _register_drives() -> None:
    for index, letter in enumerate("abcd"):

        @option(f"hd{letter}", "FILE", f"image of IDE hard disk {index}")
        def disk(line: CommandLine, text: str, index: int = index) -> None:
            line.config.drives.append(hard_disk(text, index))
            line.groups.record("drive", {"file": text, "index": str(index), "media": "disk"})

    for index, letter in enumerate("ab"):

        @option(f"fd{letter}", "FILE", f"image of floppy disk {index}")
        def diskette(line: CommandLine, text: str, index: int = index) -> None:
            line.config.drives.append(floppy(text, index))
            line.groups.record("drive", {"file": text, "index": str(index), "if": "floppy"})


_register_drives()


@option("cdrom", "FILE", "image of a CD-ROM")
def compact_disc(line: CommandLine, text: str) -> None:
    line.config.drives.append(cdrom(text))
    line.groups.record("drive", {"file": text, "index": "2", "media": "cdrom"})


@switch("snapshot", "write to temporary files instead of the images")
def snapshot(line: CommandLine) -> None:
    line.config.snapshot = True


# --- firmware and kernels ---------------------------------------------------------------------------------------------


@option("bios", "FILE", "firmware image to run instead of the built-in BIOS")
def bios(line: CommandLine, text: str) -> None:
    line.config.bios = text
    line.groups.record("machine", {"firmware": text})


@option("L", "DIR", "directory of firmware and keymaps")
def library(line: CommandLine, text: str) -> None:
    line.config.library.append(text)


@option("kernel", "FILE", "Linux kernel or multiboot program to start")
def kernel(line: CommandLine, text: str) -> None:
    line.config.kernel = text
    line.groups.record("machine", {"kernel": text})


@option("initrd", "FILE", "initial RAM disk, or modules of a multiboot program")
def initrd(line: CommandLine, text: str) -> None:
    line.config.initrd = text
    line.groups.record("machine", {"initrd": text})


@option("append", "TEXT", "command line of the kernel")
def append(line: CommandLine, text: str) -> None:
    line.config.append = text
    line.groups.record("machine", {"append": text})


# --- networks ---------------------------------------------------------------------------------------------------------


@option("net", "none", "network (none, for now)")
def net(line: CommandLine, text: str) -> None:
    if text != "none":
        raise OptionError(f"-net {text}: network devices are not there yet", "-net none")


@option("nic", "none", "network (none, for now)")
def nic(line: CommandLine, text: str) -> None:
    net(line, text)


@option("netdev", "TYPE,id=ID[,...]", "network backend (none, for now)")
def netdev(line: CommandLine, text: str) -> None:
    raise OptionError(f"-netdev {text}: network devices are not there yet", "-net none")
