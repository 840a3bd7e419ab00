"""``help`` and ``info``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.monitor.hmp.table import hmp_command

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp


def _complete(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    return hmp.table.names()


def _complete_info(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    return hmp.table.names(is_info=True)


@hmp_command(
    "help", "name:S?", "what commands there are, or what one of them takes",
    aliases=("?",), parameters="[cmd]", completers={"name": _complete},
)  # fmt: skip
def help_(hmp: Hmp, *, name: str | None = None) -> None:
    words = (name or "").replace('"', " ").split()
    is_info = words[:1] == ["info"]
    if is_info:
        words = words[1:]
    if not words:
        for command in hmp.table.commands(is_info=is_info):
            hmp.print(command.help_line)
        return
    found = hmp.table.find(words[0], is_info=is_info)
    if found is None:
        hmp.print(f"unknown command: '{'info ' if is_info else ''}{words[0]}'")
        return
    hmp.print(found.help_line)
    if found.details is not None:
        hmp.print(found.details())


@hmp_command(
    "info", "item:s?", "the machine's state, by subject; alone: which subjects there are",
    parameters="[subcommand]", completers={"item": _complete_info},
)  # fmt: skip
def info(hmp: Hmp, *, item: str | None = None) -> None:
    """Only reached without an item: with one, its own command is called."""
    for command in hmp.table.commands(is_info=True):
        hmp.print(command.help_line)
