"""The commands of the human monitor: declared where they stand, found by exact name or alias.

::

    @hmp_command("eject", "force:-f,device:B", "remove a medium")
    def eject(hmp: Hmp, *, force: bool, device: str) -> None:

The signature's names are the function's keyword parameters (``-`` becomes ``_``); optional ones have a default there.
``def`` or ``async def``: a command that waits keeps the prompt away until it is done.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pyqemu.monitor.hmp.arguments import Argument, parse_signature
from pyqemu.util.errors import InternalError

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp

Function = Callable[..., "Awaitable[None] | None"]
F = TypeVar("F", bound=Function)
Completer = Callable[["Hmp", str, list[str]], "list[str]"]
"""Candidates for an argument, by its beginning and the words before it; those that do not begin so are dropped."""


@dataclass(frozen=True)
class Command:
    """One command, or subcommand of ``info``."""

    name: str
    arguments: tuple[Argument, ...]
    help: str
    function: Function
    aliases: tuple[str, ...] = ()
    is_info: bool = False
    parameters: str = ""
    completers: Mapping[str, Completer] = field(default_factory=dict)
    details: Callable[[], str] | None = None

    @property
    def names(self) -> str:
        """Its name and aliases as messages have them: ``print|p``."""
        return "|".join((self.name, *self.aliases))

    @property
    def full_name(self) -> str:
        """What one types to call it."""
        return f"info {self.name}" if self.is_info else self.name

    @property
    def usage(self) -> str:
        """Names and parameters, as help shows them."""
        return f"{'info ' if self.is_info else ''}{self.names} {self.parameters}"

    @property
    def help_line(self) -> str:
        """Its line in ``help``."""
        return f"{self.usage} -- {self.help}"


class CommandTable:
    """Commands and ``info`` subcommands by name."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}
        self._infos: dict[str, Command] = {}

    def _level(self, is_info: bool) -> dict[str, Command]:
        return self._infos if is_info else self._commands

    def add(self, command: Command) -> None:
        """Register a command.

        :raise InternalError: a name is taken.
        """
        level = self._level(command.is_info)
        for name in (command.name, *command.aliases):
            if name in level and level[name].function is not command.function:
                raise InternalError(f"two monitor commands are named '{name}'")
            level[name] = command

    def find(self, name: str, *, is_info: bool = False) -> Command | None:
        """The command of that very name or alias."""
        return self._level(is_info).get(name)

    def names(self, *, is_info: bool = False) -> list[str]:
        """All names and aliases, sorted."""
        return sorted(self._level(is_info))

    def commands(self, *, is_info: bool = False) -> list[Command]:
        """All commands, sorted by name."""
        level = self._level(is_info)
        return [level[name] for name in sorted(level) if level[name].name == name]


TABLE = CommandTable()
"""The commands of this program: filled when their modules are imported, constant afterwards."""


def hmp_command(
    name: str,
    args: str,
    help: str,
    *,
    aliases: tuple[str, ...] = (),
    is_info: bool = False,
    parameters: str | None = None,
    completers: Mapping[str, Completer] | None = None,
    details: Callable[[], str] | None = None,
    table: CommandTable = TABLE,
) -> Callable[[F], F]:
    """Register the decorated function as a command.

    :param parameters: how help shows the arguments, where the signature does not tell it
    :param completers: what may be typed, by argument
    :param details: what ``help NAME`` adds to the line
    :raise InternalError: the function does not take what the signature says.
    """
    arguments = parse_signature(args)
    shown = " ".join(argument.display for argument in arguments) if parameters is None else parameters

    def register(function: F) -> F:
        _check(name, arguments, function)
        table.add(Command(name, arguments, help, function, aliases, is_info, shown, completers or {}, details))
        return function

    return register


def info_text_command(name: str, help: str) -> None:
    """Register an ``info`` command that shows what machine and processor tell under its name."""

    @hmp_command(name, "", help, is_info=True)
    def show(hmp: Hmp) -> None:
        if text := hmp.info_text(name):
            hmp.print(text)


def _check(name: str, arguments: tuple[Argument, ...], function: Function) -> None:
    """Compare a function's keyword parameters with the signature."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    for parameter in parameters:
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise InternalError(f"monitor command '{name}': parameter '{parameter.name}' is not keyword-only")
    taken = {parameter.name: parameter.default is not inspect.Parameter.empty for parameter in parameters}
    given = {argument.parameter: argument.optional and argument.letter != "-" for argument in arguments}
    if taken != given:
        raise InternalError(
            f"monitor command '{name}': signature has {given}, function takes {taken} (may be left out?)"
        )
