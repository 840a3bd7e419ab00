"""From the name of a file to a checked schema."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from pyqemu.qapi.schema.builder import Builder
from pyqemu.qapi.schema.errors import Place, SchemaError
from pyqemu.qapi.schema.model import Schema
from pyqemu.qapi.schema.parser import Parsed, Parser
from pyqemu.qapi.schema.prune import prune
from pyqemu.qapi.schema.rules import check


def load(path: Path, configured: Set[str] | None = None) -> Schema:
    """Read, parse and check a schema, and leave in it what is ``configured``; everything if that is None.

    :raise SchemaError: something is wrong with it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise SchemaError(Place(str(path), 1, 1), f"can't read the schema: {reason}") from None
    return load_text(text, path, configured)


def load_text(text: str, path: Path = Path("schema.json"), configured: Set[str] | None = None) -> Schema:
    """The same for a text; ``path`` is where it would stand: what includes are relative to, and messages name."""
    parsed = Parsed()
    Parser(text, path, parsed).parse()
    builder = Builder(parsed)
    schema = builder.build()
    check(schema, builder.headers, parsed.pragmas)
    return schema if configured is None else prune(schema, configured)
