"""``python -m pyqemu.qapi``: regenerate what is made from the schema, or ``--check`` that it is up to date.

The page about supported commands needs the handlers, which stand on higher floors. So the module that lists them is not
imported here but named, as an argument; it is loaded last, when the files that handlers are checked against are there.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from pyqemu.qapi.errors import SchemaMismatch
from pyqemu.qapi.generator.files import CONFIGURED, STATUS, outdated, python_files, write
from pyqemu.qapi.generator.status import status_page
from pyqemu.qapi.schema import load
from pyqemu.util.errors import UserError

ROOT = Path(__file__).parents[2]


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m pyqemu.qapi", description="Generate Python from the QAPI schema.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if something is out of date")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (default: the one that this runs from)")
    parser.add_argument(
        "--handlers",
        default="pyqemu.monitor.handlers",
        help="the module that lists modules with handlers, for the status page (default: %(default)s)",
    )
    return parser.parse_args(argv)


def supported(handlers: str) -> dict[str, str]:
    """Command → module of its handler, after all handlers have been imported.

    :raise UserError: there is no module of that name.
    """
    try:
        module = importlib.import_module(handlers)
    except ModuleNotFoundError as error:
        if error.name != handlers:
            raise
        raise UserError(f"there is no module {handlers} that would list the handlers") from None
    for name in getattr(module, "MODULES", ()):
        importlib.import_module(name)
    registry = importlib.import_module("pyqemu.qapi.commands")
    return {name: handler.module for name, handler in registry.handlers().items()}


def main(argv: list[str] | None = None) -> int:
    """Exit status: 0, or 1 if the schema is wrong, a handler does not fit it, or files are out of date."""
    arguments = parse_arguments(argv)
    root: Path = arguments.root
    try:
        schema = load(root / "qapi-schema.json", CONFIGURED)
        files = python_files(schema)
        stale = outdated(root, files)
        if not arguments.check:
            write(root, files)
        page = {STATUS: status_page(schema, supported(arguments.handlers))}
    except (UserError, SchemaMismatch) as error:
        print(error, file=sys.stderr)
        return 1
    stale += outdated(root, page)
    if not arguments.check:
        write(root, page)
        return 0
    for name in stale:
        print(f"{name} is out of date: run python -m pyqemu.qapi", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
