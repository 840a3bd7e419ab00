"""Where something stands in a schema, and what is wrong there."""

from __future__ import annotations

from typing import NamedTuple

from pyqemu.util.errors import UserError


class Place(NamedTuple):
    """A position in a schema file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


BUILT_IN = Place("<built in>", 1, 1)


class SchemaError(UserError):
    """The schema breaks a rule of its language; ``str()`` is ``FILE:LINE:COLUMN: message``."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(f"{place}: {message}")
        self.place = place
        self.complaint = message
