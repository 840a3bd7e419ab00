"""Options about the machine as a whole: its board, processor, memory, clock and name."""

from __future__ import annotations

import datetime
from uuid import UUID

from pyqemu.boards.config import BootConfig, RtcConfig, SmpConfig
from pyqemu.cli.options.registry import CommandLine, Finished, option, switch
from pyqemu.util.errors import OptionError
from pyqemu.util.options import parse_bool, parse_options
from pyqemu.util.units import GIB, MIB, format_size, parse_size

MAX_MEMORY = 64 * GIB
KERNEL_KEYS = {"kernel": "kernel", "initrd": "initrd", "append": "append", "dtb": "dtb", "firmware": "bios"}


@option("machine M", "[type=]name[,prop=value...]", "select the emulated machine ('-machine help' lists them)")
def machine(line: CommandLine, text: str) -> None:
    options = parse_options(text, "type")
    if options.get("type") in ("help", "?"):
        from pyqemu.cli.lists import machines

        raise Finished(machines(line.config.architecture))
    line.groups.record("machine", options)
    kind = options.pop("type", "")
    if "accel" in options:
        line.accelerators += options.pop("accel").split(":")
    if kind:
        line.config.machine = kind
    for key in options.keys() & KERNEL_KEYS:
        setattr(line.config, KERNEL_KEYS[key], options.pop(key))
    line.config.machine_options.update(options)


@option("cpu", "model[,+feature...]", "select the CPU ('-cpu help' lists the models)")
def cpu(line: CommandLine, text: str) -> None:
    if text in ("help", "?"):
        from pyqemu.cli.lists import cpus

        raise Finished(cpus(line.config.architecture))
    line.config.cpu = text


@option("accel", "tcg[,engine=stencil|python]", "select the accelerator; of several the first that there is")
def accel(line: CommandLine, text: str) -> None:
    options = parse_options(text, "accel")
    line.groups.record("accel", options)
    kinds = options.pop("accel", "tcg").split(":")
    if "help" in kinds or "?" in kinds:
        raise Finished("Accelerators supported:\ntcg")
    line.accelerators += kinds
    if "tcg" in kinds:
        _tcg(line, options)


def _tcg(line: CommandLine, options: dict[str, str]) -> None:
    engine = options.pop("engine", None)
    thread = options.pop("thread", "single")
    if engine not in (None, "stencil", "python"):
        raise OptionError(f"-accel tcg: there is no engine '{engine}'", "stencil or python")
    if thread not in ("single", "multi"):
        raise OptionError(f"-accel tcg: thread is 'single' or 'multi', not '{thread}'")
    if options:
        raise OptionError(f"-accel tcg: Invalid parameter '{next(iter(options))}'", "engine=stencil|python")
    line.config.engine = engine


@switch("enable-kvm", "the same as -accel kvm, which does not exist here")
def enable_kvm(line: CommandLine) -> None:
    line.accelerators.append("kvm")


@switch("no-kvm", "the same as -accel tcg")
def no_kvm(line: CommandLine) -> None:
    line.accelerators[:] = ["tcg"]


@option("m", "[size=]megs", "guest memory (default: 128M)")
def memory(line: CommandLine, text: str) -> None:
    options = parse_options(text, "size")
    line.groups.record("memory", options)
    size = parse_size(options.pop("size", "128"), "size", "M")
    if options:
        raise OptionError(f"-m: '{next(iter(options))}' is not supported", "memory hot-plug is not there yet")
    if size < MIB:
        raise OptionError(f"-m {text}: a machine has at least 1 MiB of memory", "such as -m 128")
    if size > MAX_MEMORY:
        raise OptionError(f"-m {text}: {format_size(size)} is more than a machine takes", "up to 64 GiB")
    line.config.memory = -(-size // 8192) * 8192
    line.config.memory_given = True


@option("smp", "[cpus=]n[,sockets=n][,cores=n][,threads=n][,maxcpus=n]", "number of CPUs (1)")
def smp(line: CommandLine, text: str) -> None:
    options = parse_options(text, "cpus")
    line.groups.record("smp-opts", options)
    for key, value in options.items():
        if key not in ("cpus", "maxcpus", "cores", "threads", "sockets", "dies"):
            raise OptionError(f"-smp: Invalid parameter '{key}'")
        if not value.isdigit() or int(value) < 1:
            raise OptionError(f"-smp: Parameter '{key}' expects a number")
        if key == "dies" and int(value) > 1:
            raise OptionError(f"-smp {text}: there are no dies", "-smp without dies=")
    line.config.smp = topology({key: int(value) for key, value in options.items()})


def topology(given: dict[str, int]) -> SmpConfig:
    """The numbers that were left out, sockets before cores before threads.

    :raise OptionError: they contradict each other.
    """
    cpus, sockets, cores, threads = (given.get(key, 0) for key in ("cpus", "sockets", "cores", "threads"))
    if not cpus or not sockets:
        sockets, cores, threads = sockets or 1, cores or 1, threads or 1
        cpus = cpus or sockets * cores * threads
    elif not cores:
        threads = threads or 1
        cores = cpus // (sockets * threads)
    elif not threads:
        threads = cpus // (cores * sockets)
    places = f"sockets ({sockets}) * cores ({cores}) * threads ({threads})"
    if given.keys() >= {"cpus", "sockets", "cores", "threads"} and sockets * cores * threads < cpus:
        raise OptionError(f"-smp: cpu topology: {places} < smp_cpus ({cpus})")
    max_cpus = given.get("maxcpus", cpus)
    if sockets * cores * threads > max_cpus:
        raise OptionError(f"-smp: cpu topology: {places} > maxcpus ({max_cpus})")
    if max_cpus < cpus:
        raise OptionError("-smp: maxcpus must be equal to or greater than smp", f"maxcpus={cpus}")
    return SmpConfig(cpus, sockets, max(cores, 1), max(threads, 1), max_cpus)


@option("boot", "[order=drives][,once=drives][,menu=on|off][,strict=on|off]", "boot order: a floppy, c disk, d CD-ROM")
def boot(line: CommandLine, text: str) -> None:
    options = parse_options(text, "order")
    line.groups.record("boot-opts", options)
    config = BootConfig(order=options.pop("order", ""), once=options.pop("once", ""))
    for drives in (config.order, config.once):
        if bad := [letter for letter in drives if not "a" <= letter <= "p"]:
            raise OptionError(f"-boot: Invalid boot device '{bad[0]}'", "letters a to p, such as 'cad'")
        if doubled := [letter for letter in drives if drives.count(letter) > 1]:
            raise OptionError(f"-boot: Boot device '{doubled[0]}' was given twice")
    config.menu = parse_bool(options.pop("menu", "off"), "menu")
    config.strict = parse_bool(options.pop("strict", "off"), "strict")
    for key in ("splash-time", "reboot-timeout"):
        if key in options:
            value = options.pop(key)
            if not value.lstrip("-").isdigit() or int(value) > 0xFFFF:
                raise OptionError(f"-boot: Parameter '{key}' expects a number of milliseconds up to 65535")
            setattr(config, key.replace("-", "_"), int(value))
    options.pop("splash", None)
    if options:
        raise OptionError(f"-boot: Invalid parameter '{next(iter(options))}'")
    line.config.boot = config


@option("name", "string[,process=NAME][,debug-threads=on|off]", "name of the guest, and of the process")
def name(line: CommandLine, text: str) -> None:
    options = parse_options(text, "guest")
    line.groups.record("name", options)
    line.config.name = options.pop("guest", line.config.name)
    line.process.name = options.pop("process", line.process.name)
    parse_bool(options.pop("debug-threads", "off"), "debug-threads")
    if options:
        raise OptionError(f"-name: Invalid parameter '{next(iter(options))}'", "guest=, process= or debug-threads=")


@option("uuid", "UUID", "UUID of the machine")
def uuid(line: CommandLine, text: str) -> None:
    try:
        line.config.uuid = UUID(text)
    except ValueError:
        raise OptionError(f"-uuid: '{text}' is no UUID", "such as 550e8400-e29b-41d4-a716-446655440000") from None


@option("rtc", "[base=utc|localtime|date][,clock=host|rt|vm][,driftfix=none|slew]", "the real-time clock")
def rtc(line: CommandLine, text: str) -> None:
    options = parse_options(text)
    line.groups.record("rtc", options)
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


@switch("localtime", "the same as -rtc base=localtime")
def localtime(line: CommandLine) -> None:
    rtc(line, "base=localtime")


@option("startdate", "DATE", "the same as -rtc base=DATE")
def startdate(line: CommandLine, text: str) -> None:
    rtc(line, f"base={text}")


@switch("nodefaults", "no default devices")
def nodefaults(line: CommandLine) -> None:
    line.config.defaults = False


@switch("no-acpi", "no ACPI tables")
def no_acpi(line: CommandLine) -> None:
    line.config.acpi = False


@switch("no-hpet", "no HPET")
def no_hpet(line: CommandLine) -> None:
    line.config.hpet = False


@switch("no-fd-bootchk", "boot floppies without a signature as well")
def no_fd_bootchk(line: CommandLine) -> None:
    pass


@option("target", "ARCH", "the architecture, where a board exists for several")
def target(line: CommandLine, text: str) -> None:
    from pyqemu.boards.registry import architectures  # loads all boards

    if text not in architectures():
        raise OptionError(f"--target {text}: this architecture is not there yet", " or ".join(architectures()))
    line.config.architecture = text
