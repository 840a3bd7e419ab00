"""Options about the process and about the command line itself."""

from __future__ import annotations

import os
import sys

from pyqemu.boards.config import InheritedDescriptor
from pyqemu.cli.groups import Section, parse_config
from pyqemu.cli.options.registry import OPTIONS, CommandLine, Finished, option, switch
from pyqemu.util.errors import OptionError, UserError
from pyqemu.util.options import join_options, parse_bool, parse_options

# The option that a group of a configuration file stands for, where it has another name.
_OPTION_OF_GROUP = {"memory": "m", "smp-opts": "smp", "boot-opts": "boot"}


@switch("daemonize", "go into the background when the machine is ready")
def daemonize(line: CommandLine) -> None:
    line.process.daemonize = True


@option("pidfile", "FILE", "write the process's number to FILE and lock it")
def pidfile(line: CommandLine, text: str) -> None:
    line.process.pidfile = text


@option("runas", "USER", "when everything is open, become USER")
def runas(line: CommandLine, text: str) -> None:
    import pwd

    try:
        pwd.getpwnam(text)
    except KeyError:
        raise OptionError(f'-runas: User "{text}" doesn\'t exist', "a name from /etc/passwd") from None
    if os.geteuid() != 0:
        raise OptionError(f"-runas {text}: only root may become another user", "leave it out")
    line.process.run_as = text


@option("chroot", "DIR", "not supported: a program in Python needs its library while it runs")
def chroot(line: CommandLine, text: str) -> None:
    raise OptionError(
        f"-chroot {text}: not supported: a program in Python needs its library while it runs",
        "-runas, or a container around the whole program",
    )


@option("sandbox", "on|off", "filter system calls (off: this build has no such filter)")
def sandbox(line: CommandLine, text: str) -> None:
    options = parse_options(text, "enable")
    if parse_bool(options.get("enable", "off"), "enable"):
        raise OptionError(f"-sandbox {text}: seccomp support is disabled", "-sandbox off")


@option("realtime", "mlock=on|off", "keep the whole process in the host's memory")
def realtime(line: CommandLine, text: str) -> None:
    options = parse_options(text)
    line.groups.record("realtime", options)
    line.process.lock_memory = parse_bool(options.pop("mlock", "on"), "mlock")
    if options:
        raise OptionError(f"-realtime: Invalid parameter '{next(iter(options))}'", "mlock=on|off")


@option("overcommit", "[mem-lock=on|off][,cpu-pm=on|off]", "keep the whole process in the host's memory")
def overcommit(line: CommandLine, text: str) -> None:
    options = parse_options(text)
    line.groups.record("overcommit", options)
    line.process.lock_memory = parse_bool(options.pop("mem-lock", "off"), "mem-lock")
    if parse_bool(options.pop("cpu-pm", "off"), "cpu-pm"):
        raise OptionError("-overcommit cpu-pm=on: only an accelerator of the host's could do that", "cpu-pm=off")
    if options:
        raise OptionError(f"-overcommit: Invalid parameter '{next(iter(options))}'", "mem-lock=on|off")


@option("msg", "timestamp=on|off", "begin messages with the time")
def msg(line: CommandLine, text: str) -> None:
    options = parse_options(text)
    line.groups.record("msg", options)
    line.timestamps = parse_bool(options.pop("timestamp", "on"), "timestamp")
    if options:
        raise OptionError(f"-msg: Invalid parameter '{next(iter(options))}'", "timestamp=on|off")


@option("add-fd", "fd=FD,set=SET[,opaque=TEXT]", "let /dev/fdset/SET stand for an inherited file descriptor")
def add_fd(line: CommandLine, text: str) -> None:
    options = parse_options(text)
    line.groups.record("add-fd", options)
    numbers = [_natural(options.pop(key, ""), key) for key in ("fd", "set")]
    opaque = options.pop("opaque", "")
    if options:
        raise OptionError(f"-add-fd: Invalid parameter '{next(iter(options))}'", "fd=, set= and opaque=")
    fd, number = numbers
    if fd <= 2:
        raise OptionError(f"-add-fd fd={fd}: fd cannot be a standard I/O stream", "fd=3 or more")
    try:
        os.fstat(fd)
    except OSError:
        raise OptionError(f"-add-fd fd={fd}: fd is not valid or already in use", "whoever starts us opens it") from None
    line.config.descriptors.append(InheritedDescriptor(fd, number, opaque))


def _natural(text: str, key: str) -> int:
    if not text.isdigit():
        raise OptionError(f"-add-fd: {key} option is required and must be non-negative", f"{key}=NUMBER")
    return int(text)


@option("incoming", "URI", "let the machine come from elsewhere: tcp:, unix:, exec:, fd:, file: or defer")
def incoming(line: CommandLine, text: str) -> None:
    if not text:
        raise OptionError(
            "-incoming: where from?", "tcp:[HOST]:PORT, unix:PATH, exec:COMMAND, fd:NUMBER, file:PATH, defer"
        )
    line.config.incoming = text


@switch("only-migratable", "refuse whatever could not be migrated")
def only_migratable(line: CommandLine) -> None:
    line.config.only_migratable = True


@option("dump-vmstate", "FILE", "write the layouts of saved state as JSON, and run nothing")
def dump_vmstate(line: CommandLine, text: str) -> None:
    line.config.dump_vmstate = text


@option("loadvm", "TAG", "start from a saved state, which is not there yet")
def loadvm(line: CommandLine, text: str) -> None:
    raise OptionError(f"-loadvm {text}: saved states are not there yet", "leave it out: the machine starts from reset")


@switch("preconfig", "not supported: machines are complete when QMP can be spoken")
def preconfig(line: CommandLine) -> None:
    raise OptionError("-preconfig: not supported: the machine is complete when QMP can be spoken", "-S")


# --- configuration files ----------------------------------------------------------------------------------------------


@switch("no-user-config", "there are no user configuration files to leave out")
def no_user_config(line: CommandLine) -> None:
    pass


@switch("nodefconfig", "there are no default configuration files to leave out")
def no_default_config(line: CommandLine) -> None:
    pass


@option("readconfig", "FILE", "read options from a file that -writeconfig wrote (-: standard input)")
def readconfig(line: CommandLine, text: str) -> None:
    try:
        if text == "-":
            content = sys.stdin.read()
        else:
            with open(text, encoding="utf-8") as file:
                content = file.read()
    except OSError as error:
        raise OptionError(f"-readconfig {text}: {error.strerror}", "an existing file") from None
    except UnicodeDecodeError:
        raise OptionError(f"-readconfig {text}: this is no text file", "one that -writeconfig wrote") from None
    for section in parse_config(content, text):
        _apply_section(line, text, section)


def _apply_section(line: CommandLine, file: str, section: Section) -> None:
    """As the option of that group would; what it complains about is told with the place in the file."""
    name = _OPTION_OF_GROUP.get(section.group, section.group)
    where = f"-readconfig {file}:{section.line}"
    if name not in OPTIONS:
        raise OptionError(f"{where}: [{section.group}] is not supported yet", "leave it out")
    values = {"id": section.id, **section.values} if section.id else section.values
    try:
        OPTIONS[name].apply(line, join_options(values))
    except UserError as error:
        error.message = f"{where}: {error.message}"
        raise


@option(
    "writeconfig", "FILE", "write the options that have a form in a configuration file to FILE (-: standard output)"
)
def writeconfig(line: CommandLine, text: str) -> None:
    line.write_config = text


def write_config(line: CommandLine) -> None:
    """Do what ``-writeconfig`` asked for; when all options have been read, so that its place does not matter.

    :raise OptionError: it cannot be written.
    """
    if not line.write_config:
        return
    text = line.groups.text()
    if line.write_config == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        with open(line.write_config, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise OptionError(f"-writeconfig {line.write_config}: {error.strerror}", "a file that can be written") from None


# --- help -------------------------------------------------------------------------------------------------------------


@switch("version", "print the version")
def version(line: CommandLine) -> None:
    from pyqemu import QEMU_VERSION, __version__

    compatible = ".".join(map(str, QEMU_VERSION))
    raise Finished(f"pyqemu emulator version {__version__} (QEMU {compatible} compatible)")


@switch("help h ?", "print this text")
def help_text(line: CommandLine) -> None:
    from pyqemu.cli.lists import usage

    raise Finished(usage())
