"""The options of the emulator, QEMU's names: one function for each, registered by its name.

An option function gets the configuration and, where the option takes one, its argument. Adding an option is adding a
function. Every option may be written with one dash or two.
"""

from __future__ import annotations

import datetime
import difflib
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from pyqemu.block import DriveOptions
from pyqemu.block.drives import cdrom, floppy, hard_disk
from pyqemu.boards.config import MAX_PARALLELS, MAX_SERIALS, BootConfig, MachineConfig, RtcConfig
from pyqemu.util.errors import OptionError, UserError
from pyqemu.util.options import parse_bool, parse_options
from pyqemu.util.units import GIB, MIB, format_size, parse_size

MAX_MEMORY = 64 * GIB


class Finished(Exception):
    """An option such as ``-version`` has done all there is to do; ``str()`` is what to print."""


@dataclass
class CommandLine:
    """What the options have said so far."""

    config: MachineConfig = field(default_factory=MachineConfig)
    nographic: bool = False
    disk: str = ""
    serial_given: bool = False
    parallel_given: bool = False
    display_given: bool = False
    vga_given: bool = False
    notes: list[str] = field(default_factory=list)  # lines for the operator, before the machine starts


WithArgument = Callable[[CommandLine, str], None]
Switch = Callable[[CommandLine], None]


@dataclass(frozen=True)
class Option:
    """One option: *argument* is its argument's form in the help text, empty for a switch."""

    name: str
    argument: str
    help: str
    apply: WithArgument


OPTIONS: dict[str, Option] = {}


def option(names: str, argument: str, help: str) -> Callable[[WithArgument], WithArgument]:
    """Register an option that takes an argument; *names* are its spellings without dashes."""

    def register(function: WithArgument) -> WithArgument:
        for name in names.split():
            OPTIONS[name] = Option(names.split()[0], argument, help, function)
        return function

    return register


def switch(names: str, help: str) -> Callable[[Switch], Switch]:
    """Register an option without an argument."""

    def register(function: Switch) -> Switch:
        for name in names.split():
            OPTIONS[name] = Option(names.split()[0], "", help, lambda line, _: function(line))
        return function

    return register


# --- standard ---------------------------------------------------------------------------------------------------------


@option("machine M", "[type=]name[,prop=value...]", "select the emulated machine ('-machine help' lists them)")
def machine(line: CommandLine, text: str) -> None:
    options = parse_options(text, "type")
    kind = options.pop("type", "")
    if kind in ("help", "?"):
        from pyqemu.cli.lists import machines

        raise Finished(machines())
    if "accel" in options:
        accel(line, options.pop("accel"))
    if kind:
        line.config.machine = kind
    line.config.machine_options.update(options)


@option("cpu", "model[,+feature...]", "select the CPU ('-cpu help' lists the models)")
def cpu(line: CommandLine, text: str) -> None:
    if text in ("help", "?"):
        from pyqemu.cli.lists import cpus

        raise Finished(cpus())
    line.config.cpu = text


@option("accel", "tcg[,engine=stencil|python]", "select the accelerator")
def accel(line: CommandLine, text: str) -> None:
    options = parse_options(text, "accel")
    kinds = options.pop("accel", "tcg").split(":")
    engine = options.pop("engine", None)
    thread = options.pop("thread", "single")
    if "help" in kinds or "?" in kinds:
        raise Finished("Accelerators supported:\ntcg")
    if "tcg" not in kinds:
        raise OptionError(f"-accel {kinds[0]}: this accelerator does not exist here", "tcg is the only one")
    if engine not in (None, "stencil", "python"):
        raise OptionError(f"-accel tcg: there is no engine '{engine}'", "stencil or python")
    if thread not in ("single", "multi"):
        raise OptionError(f"-accel tcg: thread is 'single' or 'multi', not '{thread}'")
    if options:
        raise OptionError(f"-accel tcg: Invalid parameter '{next(iter(options))}'", "engine=stencil|python")
    line.config.engine = engine


@option("m", "[size=]megs", "guest memory (default: 128M)")
def memory(line: CommandLine, text: str) -> None:
    options = parse_options(text, "size")
    size = parse_size(options.pop("size", "128"), "size", "M")
    if options:
        raise OptionError(f"-m: '{next(iter(options))}' is not supported", "memory hot-plug is not there yet")
    if size < MIB:
        raise OptionError(f"-m {text}: a machine has at least 1 MiB of memory", "such as -m 128")
    if size > MAX_MEMORY:
        raise OptionError(f"-m {text}: {format_size(size)} is more than a machine takes", "up to 64 GiB")
    line.config.memory = -(-size // 8192) * 8192


@option("smp", "[cpus=]n", "number of CPUs (1)")
def smp(line: CommandLine, text: str) -> None:
    options = parse_options(text, "cpus")
    for key, value in options.items():
        if key not in ("cpus", "maxcpus", "cores", "threads", "sockets"):
            raise OptionError(f"-smp: Invalid parameter '{key}'")
        if not value.isdigit() or int(value) < 1:
            raise OptionError(f"-smp: Parameter '{key}' expects a number")
        if int(value) > 1:
            raise OptionError(f"-smp {text}: this build runs one CPU", "-smp 1")


@option("boot", "[order=drives][,once=drives][,menu=on|off]", "boot order: a floppy, c disk, d CD-ROM, n network")
def boot(line: CommandLine, text: str) -> None:
    options = parse_options(text, "order")
    config = BootConfig(order=options.pop("order", ""), once=options.pop("once", ""))
    for drives in (config.order, config.once):
        if bad := [letter for letter in drives if not "a" <= letter <= "p"]:
            raise OptionError(f"-boot: Invalid boot device '{bad[0]}'", "letters a to p, such as 'cad'")
        if doubled := [letter for letter in drives if drives.count(letter) > 1]:
            raise OptionError(f"-boot: Boot device '{doubled[0]}' was given twice")
    config.menu = parse_bool(options.pop("menu", "off"), "menu")
    for key in ("splash-time", "reboot-timeout"):
        if key in options:
            value = options.pop(key)
            if not value.lstrip("-").isdigit() or int(value) > 0xFFFF:
                raise OptionError(f"-boot: Parameter '{key}' expects a number of milliseconds up to 65535")
            if key == "splash-time":
                config.splash_time = int(value)
            else:
                config.reboot_timeout = int(value)
    options.pop("strict", None)
    options.pop("splash", None)
    if options:
        raise OptionError(f"-boot: Invalid parameter '{next(iter(options))}'")
    line.config.boot = config


@option(
    "device", "driver[,prop=value...]", "add a device ('-device help' lists them, '-device DRIVER,help' its properties)"
)
def device(line: CommandLine, text: str) -> None:
    options = parse_options(text, "driver")
    driver = options.get("driver", "")
    if driver in ("help", "?"):
        from pyqemu.cli.lists import devices

        raise Finished(devices())
    if "help" in options or "?" in options:
        from pyqemu.cli.lists import device_properties

        raise Finished(device_properties(driver))
    line.config.devices.append(options)


@option("name", "string", "name of the guest")
def name(line: CommandLine, text: str) -> None:
    options = parse_options(text, "guest")
    line.config.name = options.pop("guest", "")
    if unknown := [key for key in options if key not in ("process", "debug-threads")]:
        raise OptionError(f"-name: Invalid parameter '{unknown[0]}'", "guest=, process= or debug-threads=")


@option("uuid", "UUID", "UUID of the machine")
def uuid(line: CommandLine, text: str) -> None:
    try:
        line.config.uuid = UUID(text)
    except ValueError:
        raise OptionError(f"-uuid: '{text}' is no UUID", "such as 550e8400-e29b-41d4-a716-446655440000") from None


@option("rtc", "[base=utc|localtime|date][,clock=host|rt|vm]", "the real-time clock's start and source")
def rtc(line: CommandLine, text: str) -> None:
    options = parse_options(text)
    base, clock = options.pop("base", "utc"), options.pop("clock", "host")
    driftfix = options.pop("driftfix", "none")
    if options:
        raise OptionError(f"-rtc: Invalid parameter '{next(iter(options))}'")
    if clock not in ("host", "rt", "vm"):
        raise OptionError(f"-rtc: invalid option value '{clock}'", "clock=host, rt or vm")
    if driftfix not in ("none", "slew"):
        raise OptionError(f"-rtc: invalid option value '{driftfix}'", "driftfix=none or slew")
    line.config.rtc = RtcConfig(base if base in ("utc", "localtime") else _date(base), clock)


def _date(text: str) -> float:
    for form in ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"):
        try:
            return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.UTC).timestamp()
        except ValueError:
            continue
    raise OptionError(
        f"-rtc: invalid date format '{text}'", "'utc', 'localtime', '2006-06-17T16:01:21' or '2006-06-17'"
    )


@switch("nodefaults", "no default devices")
def nodefaults(line: CommandLine) -> None:
    line.config.defaults = False


# --- drives -----------------------------------------------------------------------------------------------------------


@option("drive", "file=FILE[,if=ide|floppy|none][,index=N][,media=disk|cdrom][,format=F][,...]", "a drive")
def drive(line: CommandLine, text: str) -> None:
    line.config.drives.append(DriveOptions.parse(text))


def _register_drives() -> None:
    for index, letter in enumerate("abcd"):

        @option(f"hd{letter}", "FILE", f"image of IDE hard disk {index}")
        def disk(line: CommandLine, text: str, index: int = index) -> None:
            line.config.drives.append(hard_disk(text, index))

    for index, letter in enumerate("ab"):

        @option(f"fd{letter}", "FILE", f"image of floppy disk {index}")
        def diskette(line: CommandLine, text: str, index: int = index) -> None:
            line.config.drives.append(floppy(text, index))


_register_drives()


@option("cdrom", "FILE", "image of a CD-ROM")
def compact_disc(line: CommandLine, text: str) -> None:
    line.config.drives.append(cdrom(text))


@switch("snapshot", "write to temporary files instead of the images")
def snapshot(line: CommandLine) -> None:
    line.config.snapshot = True


# --- firmware and kernels ---------------------------------------------------------------------------------------------


@option("bios", "FILE", "firmware image to run instead of the built-in BIOS")
def bios(line: CommandLine, text: str) -> None:
    line.config.bios = text


@option("L", "DIR", "directory of firmware and keymaps")
def library(line: CommandLine, text: str) -> None:
    line.config.library.append(text)


@option("kernel", "FILE", "Linux kernel or multiboot program to start")
def kernel(line: CommandLine, text: str) -> None:
    line.config.kernel = text


@option("initrd", "FILE", "initial RAM disk, or modules of a multiboot program")
def initrd(line: CommandLine, text: str) -> None:
    line.config.initrd = text


@option("append", "TEXT", "command line of the kernel")
def append(line: CommandLine, text: str) -> None:
    line.config.append = text


# --- displays and character devices -----------------------------------------------------------------------------------


@option("display", "none|curses", "how the screen is shown")
def display(line: CommandLine, text: str) -> None:
    kind = text.split(",")[0]
    if kind not in ("none", "curses"):
        raise OptionError(f"-display {text}: this display is not available", "none or curses")
    line.config.display = kind
    line.display_given = True


@switch("curses", "the same as -display curses")
def curses(line: CommandLine) -> None:
    display(line, "curses")


@switch("nographic", "no screen: serial port and monitor share the terminal")
def nographic(line: CommandLine) -> None:
    line.nographic = True


@option("vga", "std|none", "the display adapter")
def vga(line: CommandLine, text: str) -> None:
    known = ("std", "cirrus", "vmware", "qxl", "xenfb", "tcx", "cg3", "virtio", "none")
    if text not in known:
        raise OptionError(f"-vga: unknown vga type: {text}", "std or none")
    if text not in ("std", "none"):
        raise OptionError(f"-vga {text}: this display adapter is not supported yet", "std or none")
    line.config.vga = text
    line.vga_given = True


@option("serial", "DEV", "where a serial port leads: stdio, pty, file:, unix:, tcp:, null, mon:stdio, vc, chardev:")
def serial(line: CommandLine, text: str) -> None:
    if len(line.config.serials) == MAX_SERIALS:
        raise OptionError(f"-serial {text}: too many serial ports", f"there are {MAX_SERIALS}")
    line.config.serials.append(text)
    line.serial_given = True


@option("parallel", "DEV", "where a parallel port leads")
def parallel(line: CommandLine, text: str) -> None:
    if len(line.config.parallels) == MAX_PARALLELS:
        raise OptionError(f"-parallel {text}: too many parallel ports", f"there are {MAX_PARALLELS}")
    line.config.parallels.append(text)
    line.parallel_given = True


@option("monitor", "DEV", "where the monitor is (none, for now)")
def monitor(line: CommandLine, text: str) -> None:
    if text not in ("none", "null"):
        raise OptionError(f"-monitor {text}: there is no monitor yet", "-monitor none")


@option("chardev", "backend,id=ID[,...]", "a character device for -device and -serial chardev:ID")
def chardev(line: CommandLine, text: str) -> None:
    options = parse_options(text, "backend")
    backend = options.pop("backend", "")
    if backend in ("help", "?"):
        from pyqemu.cli.lists import chardevs

        raise Finished(chardevs())
    line.config.chardevs.append((backend, options))


@option("echr", "CHAR", "the key that begins commands of a multiplexed terminal, as a number or ^X (Ctrl-A)")
def echr(line: CommandLine, text: str) -> None:
    if len(text) == 2 and text[0] == "^":
        line.config.escape = ord(text[1].upper()) & 0x1F
    elif text.isdigit() or text.startswith("0x"):
        line.config.escape = int(text, 0) & 0xFF
    else:
        raise OptionError(f"-echr: bad argument {text}", "a number, or ^ and a letter")


@option("net", "none", "network (none, for now)")
def net(line: CommandLine, text: str) -> None:
    if text != "none":
        raise OptionError(f"-net {text}: network devices are not there yet", "-net none")


@option("nic", "none", "network (none, for now)")
def nic(line: CommandLine, text: str) -> None:
    net(line, text)


# --- running and debugging --------------------------------------------------------------------------------------------


@option("icount", "[shift=]N|auto", "count instructions, each taking 2^N ns of guest time: runs become repeatable")
def icount(line: CommandLine, text: str) -> None:
    options = parse_options(text, "shift")
    shift = options.pop("shift", "auto")
    line.config.icount_sleep = parse_bool(options.pop("sleep", "on"), "sleep")
    if parse_bool(options.pop("align", "off"), "align"):
        raise OptionError("-icount: align=on is not supported", "align=off")
    if options:
        raise OptionError(f"-icount: Invalid parameter '{next(iter(options))}'")
    if shift != "auto" and not (shift.isdigit() and int(shift) <= 10):
        raise OptionError("-icount: Invalid shift value", "0 to 10, or auto")
    line.config.icount = 3 if shift == "auto" else int(shift)


@option("d", "item,...", "log items: in_asm, op, out_asm, exec, int, cpu ('-d help')")
def log_items(line: CommandLine, text: str) -> None:
    from pyqemu.cli.lists import LOG_ITEMS, log_help

    items = text.split(",")
    if "help" in items or "?" in items:
        raise Finished(log_help())
    if unknown := [item for item in items if item not in LOG_ITEMS]:
        raise OptionError(f"-d: there is no log item '{unknown[0]}'", ", ".join(LOG_ITEMS))
    line.config.log_items += tuple(items)


@option("D", "FILE", "write the log to FILE (default: standard error)")
def log_file(line: CommandLine, text: str) -> None:
    line.config.log_file = text


@switch("S", "do not start the CPU")
def paused(line: CommandLine) -> None:
    line.config.paused = True


@switch("no-reboot", "exit instead of rebooting")
def no_reboot(line: CommandLine) -> None:
    line.config.no_reboot = True


@switch("no-shutdown", "stop before shutdown")
def no_shutdown(line: CommandLine) -> None:
    line.config.no_shutdown = True


@switch("no-acpi", "no ACPI tables")
def no_acpi(line: CommandLine) -> None:
    line.config.acpi = False


@switch("no-hpet", "no HPET")
def no_hpet(line: CommandLine) -> None:
    line.config.hpet = False


@switch("no-user-config", "there are no user configuration files to leave out")
def no_user_config(line: CommandLine) -> None:
    pass


@switch("no-fd-bootchk", "boot floppies without a signature as well")
def no_fd_bootchk(line: CommandLine) -> None:
    pass


@option("screenshot-on-exit", "FILE", "when the program ends, write the screen to FILE (.png or .ppm)")
def screenshot_on_exit(line: CommandLine, text: str) -> None:
    if not text.lower().endswith((".png", ".ppm")):
        raise OptionError(f"-screenshot-on-exit {text}: the name says the format", "FILE.png or FILE.ppm")
    _check_writable(text)
    line.config.screenshot = text


def _check_writable(path: str) -> None:
    """Find out now what would otherwise come to light when it is too late."""
    place = path if os.path.exists(path) else os.path.dirname(path) or "."
    try:
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        os.stat(place)
        if not os.access(place, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as exc:
        raise OptionError(f"-screenshot-on-exit: cannot write '{path}': {exc.strerror}") from None


@option("target", "ARCH", "the architecture, where a board exists for several")
def target(line: CommandLine, text: str) -> None:
    if text not in ("i386", "x86_64"):
        raise OptionError(f"--target {text}: this architecture is not there yet", "i386 or x86_64")
    line.config.architecture = text


@switch("version", "print the version")
def version(line: CommandLine) -> None:
    from pyqemu import __version__

    raise Finished(f"pyqemu emulator version {__version__} (QEMU 2.6.50 compatible)")


@switch("help h ?", "print this text")
def help_text(line: CommandLine) -> None:
    from pyqemu.cli.lists import usage

    raise Finished(usage())


# --- the whole line ---------------------------------------------------------------------------------------------------


def parse_options_of(program: str, arguments: list[str]) -> CommandLine:
    """Read what the command line says, without what follows from it; *program* may say the architecture
    (``pyqemu-system-i386``).

    :raise UserError: in one line, what is wrong and what would be right.
    :raise Finished: an option that only prints something.
    """
    line = CommandLine()
    if "-system-" in program:
        line.config.architecture = program.rsplit("-system-", 1)[1].removesuffix(".exe")
    words = iter(arguments)
    for word in words:
        if word == "-" or not word.startswith("-"):
            _disk(line, word)
            continue
        found = find_option(word)
        argument = next(words, None) if found.argument else ""
        if argument is None:
            raise OptionError(f"{word}: requires an argument", found.argument)
        _apply(found, line, word, argument)
    return line


def _disk(line: CommandLine, word: str) -> None:
    if line.disk:
        raise OptionError(f"'{word}': there is a disk image already ('{line.disk}')", "use -hdb, -drive, ...")
    line.disk = word
    line.config.drives.append(hard_disk(word, 0))


def _apply(found: Option, line: CommandLine, word: str, argument: str) -> None:
    """Let the option speak; what it complains about is told with the option's name."""
    try:
        found.apply(line, argument)
    except UserError as error:
        if not error.message.startswith("-"):
            error.message = f"{word} {argument}: {error.message}".lstrip()
        raise


def find_option(word: str) -> Option:
    """The option that *word* names.

    :raise OptionError: there is none.
    """
    name = word[2:] if word.startswith("--") else word[1:]
    if name in OPTIONS:
        return OPTIONS[name]
    close = difflib.get_close_matches(name, OPTIONS, 1)
    raise OptionError(f"{word}: invalid option", f"did you mean -{close[0]}?" if close else "-h lists the options")
