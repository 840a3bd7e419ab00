"""What may come next on a line: commands, subcommands, and arguments by their types."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pyqemu.block import DriveTable
from pyqemu.monitor.hmp.table import Command
from pyqemu.qapi.errors import QapiError

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.arguments import Argument
    from pyqemu.monitor.hmp.dispatch import Hmp


def complete(hmp: Hmp, text: str) -> tuple[int, list[str]]:
    """Where the last word of *text* begins, and what it may become, sorted; nothing if anything may."""
    words = text.split()
    begun = "" if not words or text[-1].isspace() else words.pop()
    start = len(text) - len(begun)
    try:
        candidates = _candidates(hmp, words, begun)
    except QapiError:  # the machine has none of what the argument names
        candidates = []
    return start, sorted({candidate for candidate in candidates if candidate.startswith(begun)})


def find_command(hmp: Hmp, text: str) -> Command | None:
    """The command that a line begins with, as far as it has been typed."""
    words = text.split()
    if words[:1] == ["info"] and len(words) > 1:
        return hmp.table.find(words[1], is_info=True)
    return hmp.table.find(words[0].partition("/")[0] or words[0]) if words else None


def _candidates(hmp: Hmp, words: list[str], begun: str) -> Iterable[str]:
    if not words:
        return hmp.table.names()
    if words == ["info"]:
        return hmp.table.names(is_info=True)
    if words == ["help", "info"]:
        return hmp.table.names(is_info=True)
    command = find_command(hmp, " ".join(words))
    if command is None:
        return ()
    given = words[2 if command.is_info else 1 :]
    if begun.startswith("-"):
        return [f"-{argument.flag}" for argument in command.arguments if argument.letter == "-"]
    argument = _argument(command, given)
    if argument is None:
        return ()
    completer = command.completers.get(argument.name)
    return completer(hmp, begun, given) if completer is not None else _by_type(hmp, argument, begun)


def _argument(command: Command, given: list[str]) -> Argument | None:
    """The argument that comes after those that were *given*."""
    positional = [argument for argument in command.arguments if argument.letter not in "-/"]
    apart = {f"-{argument.flag}" for argument in command.arguments if argument.letter == "-"}
    has_format = any(argument.letter == "/" for argument in command.arguments)
    place = sum(1 for word in given if word not in apart and not (has_format and word.startswith("/")))
    return positional[place] if place < len(positional) else None


def _by_type(hmp: Hmp, argument: Argument, begun: str) -> Iterable[str]:
    match argument.letter:
        case "F":
            return _files(begun)
        case "B":
            return [drive.id for drive in hmp.system.part(DriveTable)]
        case "b":
            return ("on", "off")
        case "i" | "l" | "M":
            return _registers(hmp, begun)
        case _:
            return ()


def _registers(hmp: Hmp, begun: str) -> list[str]:
    match = re.fullmatch(r"(.*\$)\w*", begun)
    return [f"{match[1]}{name}" for name in hmp.cpu.register_names] if match is not None else []


def _files(begun: str) -> list[str]:
    folder, _ = os.path.split(begun)
    try:
        with os.scandir(folder or ".") as entries:
            return [os.path.join(folder, entry.name) + ("/" if entry.is_dir() else "") for entry in entries]
    except OSError:
        return []
