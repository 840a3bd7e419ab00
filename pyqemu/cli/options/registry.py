"""What an option is, how it is registered, and what the options have said so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pyqemu.boards.config import MachineConfig
from pyqemu.cli.groups import Groups


class Finished(Exception):
    """An option such as ``-version`` has done all there is to do; ``str()`` is what to print."""


@dataclass
class ProcessOptions:
    """What is asked of the process, whatever machine it runs."""

    daemonize: bool = False
    pidfile: str = ""
    run_as: str = ""
    name: str = ""
    lock_memory: bool = False


@dataclass
class CommandLine:
    """What the options have said so far."""

    config: MachineConfig = field(default_factory=MachineConfig)
    process: ProcessOptions = field(default_factory=ProcessOptions)
    groups: Groups = field(default_factory=Groups)
    nographic: bool = False
    disk: str = ""
    serial_given: bool = False
    parallel_given: bool = False
    monitor_given: bool = False
    display_given: bool = False
    vga_given: bool = False
    accelerators: list[str] = field(default_factory=list)  # wanted ones, best first
    compat_monitors: int = 0  # how many chardevs are named after QEMU's ``compat_monitorN``
    timestamps: bool = False
    write_config: str = ""
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
