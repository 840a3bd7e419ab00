"""``generated/commands.py`` and ``generated/events.py``: tables of strings, which cost nothing to import."""

from __future__ import annotations

from pyqemu.qapi.generator.text import WIDTH, docstring, header, members_text, string
from pyqemu.qapi.schema.model import Command, Event, ObjectType, Schema

COMMANDS_DOC = (
    "Command → its arguments (``name:type``, ``*`` if optional; the name of a type if boxed), what it returns, flags, "
    "and the file of the schema that it stands in."
)
EVENTS_DOC = "Event → its data, as the arguments of commands, and flags."


def _arguments(arguments: ObjectType | None, boxed: bool) -> str:
    if arguments is None:
        return ""
    return arguments.name if boxed else members_text(arguments.members)


def _flags(command: Command) -> str:
    flags = (
        ("boxed", command.boxed),
        ("no-gen", not command.gen),
        ("no-success-response", not command.success_response),
        ("allow-oob", command.allow_oob),
        ("allow-preconfig", command.allow_preconfig),
        ("coroutine", command.coroutine),
    )
    return " ".join(name for name, given in flags if given)


def _row(name: str, arguments: str, *rest: str) -> list[str]:
    others = ", ".join(f'"{text}"' for text in rest)
    line = f'    "{name}": ("{arguments}", {others}),'
    if len(line) <= WIDTH:
        return [line]
    return [f'    "{name}": (', *string(arguments, " " * 8, "", ","), f"        {others},", "    ),"]


def _module(subject: str, constant: str, columns: int, rows: list[list[str]], doc: str) -> str:
    row = ", ".join(["str"] * columns)
    lines = [
        "",
        "from __future__ import annotations",
        "",
        "from typing import Final",
        "",
        f"{constant}: Final[dict[str, tuple[{row}]]] = {{",
        *(line for row in rows for line in row),
        "}",
        *docstring(doc, ""),
    ]
    return header(subject) + "\n".join(lines) + "\n"


def commands_module(schema: Schema) -> str:
    """The text of ``commands.py``."""

    def row(command: Command) -> list[str]:
        returns = command.returns.name if command.returns is not None else ""
        arguments = _arguments(command.arguments, command.boxed)
        return _row(command.name, arguments, returns, _flags(command), command.module)

    return _module("Commands of the schema.", "COMMANDS", 4, [row(c) for c in schema.commands()], COMMANDS_DOC)


def events_module(schema: Schema) -> str:
    """The text of ``events.py``."""

    def row(event: Event) -> list[str]:
        return _row(event.name, _arguments(event.arguments, event.boxed), "boxed" if event.boxed else "")

    return _module("Events of the schema.", "EVENTS", 2, [row(e) for e in schema.events()], EVENTS_DOC)
