"""Options that add devices, drives, objects, firmware and kernels, and those that set their properties."""

from __future__ import annotations

from pyqemu.block import DriveOptions
from pyqemu.block.drives import cdrom, floppy, hard_disk
from pyqemu.boards.config import NicConfig
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


@option("balloon", "none|virtio[,addr=SLOT]", "memory balloon: none, or virtio-balloon-pci")
def balloon(line: CommandLine, text: str) -> None:
    kind, comma, rest = text.partition(",")
    if kind not in ("none", "virtio") or (kind == "none" and comma):
        raise OptionError(f"-balloon {text}: there is no such memory balloon", "-balloon none, -balloon virtio")
    if kind == "virtio":
        options = {"driver": "virtio-balloon", **(parse_options(rest) if rest else {})}
        line.groups.record("device", options)
        line.config.devices.append(options)


# --- drives -----------------------------------------------------------------------------------------------------------


@option(
    "drive", "file=FILE[,if=ide|floppy|virtio|sd|pflash|none][,index=N][,media=disk|cdrom][,format=F][,...]", "a drive"
)
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


def _register_boards_drives() -> None:
    """Drives for which boards have places of their own: each option is the next one."""
    for name, what in (("sd", "memory card"), ("pflash", "bank of flash memory")):

        @option(name, "FILE", f"image of a {what}")
        def drive(line: CommandLine, text: str, name: str = name) -> None:
            line.config.drives.append(DriveOptions.from_mapping({"file": text, "if": name}))
            line.groups.record("drive", {"file": text, "if": name})


_register_boards_drives()


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


@option("dtb", "FILE", "device tree to give to the kernel, in its flat form")
def dtb(line: CommandLine, text: str) -> None:
    line.config.dtb = text
    line.groups.record("machine", {"dtb": text})


# --- networks ---------------------------------------------------------------------------------------------------------


# QEMU's kinds of backends: what a card could be connected with.
BACKENDS = ("user", "tap", "socket", "vde", "bridge", "dump", "l2tpv3", "netmap", "hubport", "vhost-user")
NO_BACKENDS = "there are no network backends yet"


@option(
    "net", "none|nic[,model=MODEL][,macaddr=MAC][,addr=SLOT][,name=ID]",
    "a network card, without anybody at the other end; or none, not even the default one",
)  # fmt: skip
def net(line: CommandLine, text: str) -> None:
    options = parse_options(text, "type")
    line.groups.record("net", options)
    kind = options.pop("type", "")
    if kind in BACKENDS:
        raise OptionError(f"-net {text}: {NO_BACKENDS}", "-net nic for a card alone, -net none")
    if kind not in ("none", "nic"):
        raise OptionError(f"-net {text}: Parameter 'type' does not accept value '{kind}'", "none, nic")
    options.pop("vlan", None)  # QEMU 2.6's hubs, by number: each would have one card and nothing else
    if "macaddr" in options:
        options["mac"] = options.pop("macaddr")
    _add_card(line, f"-net {text}", options, wanted=kind == "nic")


@option(
    "nic", "none|[model=MODEL][,mac=MAC][,addr=SLOT][,id=ID]",
    "the same by another name; a card's backend would be told as well",
)  # fmt: skip
def nic(line: CommandLine, text: str) -> None:
    options = parse_options(text, "type")
    kind = options.pop("type", "")
    if kind in BACKENDS:
        raise OptionError(f"-nic {text}: {NO_BACKENDS}", "-nic model=e1000 for a card alone, -nic none")
    if kind not in ("none", ""):
        raise OptionError(f"-nic {text}: Parameter 'type' does not accept value '{kind}'", "none, or model=e1000")
    if "id" in options:
        options["name"] = options.pop("id")
    _add_card(line, f"-nic {text}", options, wanted=kind != "none")


def _add_card(line: CommandLine, option: str, options: dict[str, str], *, wanted: bool) -> None:
    """Note a card; *wanted* is false if it is the default one that is not to be."""
    known = ("model", "mac", "addr", "name", "netdev")
    if strange := [key for key in options if key not in known]:
        raise OptionError(f"{option}: Invalid parameter '{strange[0]}'", f"known: {', '.join(known)}")
    if options.get("model") in ("help", "?"):
        from pyqemu.boards.pc_network import MODELS

        raise Finished("\n".join(["Supported NIC models:", *MODELS]))
    line.config.nics = line.config.nics or []
    if wanted:
        line.config.nics.append(NicConfig(**options, option=option))


@option("netdev", "TYPE,id=ID[,...]", "network backend (none, for now)")
def netdev(line: CommandLine, text: str) -> None:
    raise OptionError(f"-netdev {text}: {NO_BACKENDS}", "-net nic for a card alone, -net none")
