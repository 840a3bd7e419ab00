"""Tokens to expressions; ``include`` and ``pragma`` are carried out here.

A file is a sequence of objects at top level. Each file is read once, however often it is included, at the place of
the first ``include``; a file that includes itself, on whatever way, is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pyqemu.qapi.schema.doc import Doc, parse_doc
from pyqemu.qapi.schema.errors import Place, SchemaError
from pyqemu.qapi.schema.lexer import DOC, END, STRING, WORD, Token, tokenize
from pyqemu.qapi.schema.syntax import Expression, Flag, Sequence, Table, Text, kind

MAX_DEPTH = 50
PRAGMA_LISTS = (
    "command-name-exceptions",
    "command-returns-exceptions",
    "documentation-exceptions",
    "member-name-exceptions",
)


@dataclass
class Pragmas:
    """What ``pragma`` directives have said; names of definitions that are let off a rule."""

    doc_required: bool = False
    exceptions: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in PRAGMA_LISTS})

    def allows(self, rule: str, name: str) -> bool:
        """Whether the definition ``name`` need not obey ``rule``."""
        return name in self.exceptions[rule]


@dataclass(frozen=True)
class Defining:
    """An expression that defines something, its documentation, and the name of its file without folder and suffix."""

    table: Table
    doc: Doc | None
    module: str
    doc_required: bool


@dataclass
class Parsed:
    """All definitions in order, all free-standing comments are dropped."""

    definitions: list[Defining] = field(default_factory=list)
    pragmas: Pragmas = field(default_factory=Pragmas)


class Parser:
    """Parses one file and what it includes into ``parsed``."""

    def __init__(self, text: str, path: Path, parsed: Parsed, shown: str = "", opened: tuple[Path, ...] = ()) -> None:
        self.path, self.parsed = path, parsed
        self.shown = shown or str(path)  # how messages name the file
        self.opened = (*opened, path.resolve())
        self.seen: set[Path] = set()
        self.tokens: Iterator[Token] = tokenize(text, self.shown)
        self.token = next(self.tokens)

    def parse(self, seen: set[Path] | None = None) -> None:
        """Read to the end of the file.

        :raise SchemaError: anything that is not the language.
        """
        self.seen = {self.path.resolve()} if seen is None else seen
        doc: Doc | None = None
        while self.token.kind != END:
            if self.token.kind == DOC:
                self._reject_lonely(doc)
                doc = parse_doc(self._advance())
                continue
            table = self._top_level()
            if "include" in table.entries:
                self._reject_lonely(doc)
                self._include(table)
            elif "pragma" in table.entries:
                self._reject_lonely(doc)
                self._pragma(table)
            else:
                symbol = doc if doc is not None and doc.symbol is not None else None
                required = self.parsed.pragmas.doc_required
                self.parsed.definitions.append(Defining(table, symbol, self.path.stem, required))
            doc = None
        self._reject_lonely(doc)

    def _reject_lonely(self, doc: Doc | None) -> None:
        if doc is not None and doc.symbol is not None:
            raise SchemaError(doc.place, f"documentation of '{doc.symbol}' is not followed by its definition")

    def _advance(self) -> Token:
        token = self.token
        if token.kind != END:
            self.token = next(self.tokens)
        return token

    def _expect(self, kind_: str, what: str) -> Token:
        if self.token.kind != kind_:
            raise SchemaError(self.token.place, f"expected {what}, found {self.token}")
        return self._advance()

    def _top_level(self) -> Table:
        if self.token.kind != "{":
            raise SchemaError(self.token.place, f"expected '{{' that opens a definition, found {self.token}")
        value = self._value(0)
        assert isinstance(value, Table)
        return value

    def _value(self, depth: int) -> Expression:
        token = self.token
        if depth > MAX_DEPTH:
            raise SchemaError(token.place, "nested too deeply")
        if token.kind == "{":
            return self._table(depth + 1)
        if token.kind == "[":
            return self._sequence(depth + 1)
        if token.kind == STRING:
            return Text(self._advance().value, token.place)
        if token.kind == WORD and token.value in ("true", "false"):
            return Flag(self._advance().value == "true", token.place)
        raise SchemaError(token.place, f"expected '{{', '[', string or boolean, found {token}")

    def _table(self, depth: int) -> Table:
        place = self._expect("{", "'{'").place
        table = Table({}, {}, place)
        if self.token.kind == "}":
            self._advance()
            return table
        while True:
            key = self._expect(STRING, "a key in quotes" if table.entries else "a key in quotes or '}'")
            if key.value in table.entries:
                raise SchemaError(key.place, f"duplicate key '{key.value}'")
            self._expect(":", "':'")
            table.entries[key.value], table.keys[key.value] = self._value(depth), key.place
            if self.token.kind == "}":
                self._advance()
                return table
            self._expect(",", "',' or '}'")

    def _sequence(self, depth: int) -> Sequence:
        place = self._expect("[", "'['").place
        sequence = Sequence([], place)
        if self.token.kind == "]":
            self._advance()
            return sequence
        while True:
            sequence.items.append(self._value(depth))
            if self.token.kind == "]":
                self._advance()
                return sequence
            self._expect(",", "',' or ']'")

    def _include(self, table: Table) -> None:
        name = table.entries["include"]
        if len(table.entries) > 1:
            raise SchemaError(table.place, "nothing can stand beside 'include'")
        if not isinstance(name, Text):
            raise SchemaError(name.place, f"'include' needs the name of a file, not {kind(name)}")
        path = self.path.parent / name.value
        if path.resolve() in self.opened:
            raise SchemaError(name.place, f"'{name.value}' includes itself")
        if path.resolve() in self.seen:
            return
        self.seen.add(path.resolve())
        shown = str(Path(self.shown).parent / name.value)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
            raise SchemaError(name.place, f"can't read '{name.value}': {reason}") from None
        Parser(text, path, self.parsed, shown, self.opened).parse(self.seen)

    def _pragma(self, table: Table) -> None:
        value = table.entries["pragma"]
        if len(table.entries) > 1:
            raise SchemaError(table.place, "nothing can stand beside 'pragma'")
        if not isinstance(value, Table):
            raise SchemaError(value.place, f"'pragma' needs an object, not {kind(value)}")
        for name, argument in value.entries.items():
            self._one_pragma(name, argument, value.keys[name])

    def _one_pragma(self, name: str, argument: Expression, place: Place) -> None:
        pragmas = self.parsed.pragmas
        if name == "doc-required":
            if not isinstance(argument, Flag):
                raise SchemaError(argument.place, f"pragma '{name}' needs a boolean")
            pragmas.doc_required = argument.value
        elif name in PRAGMA_LISTS:
            if not isinstance(argument, Sequence):
                raise SchemaError(argument.place, f"pragma '{name}' needs an array of strings")
            for item in argument.items:
                if not isinstance(item, Text):
                    raise SchemaError(item.place, f"pragma '{name}' needs an array of strings")
                pragmas.exceptions[name].add(item.value)
        else:
            raise SchemaError(place, f"unknown pragma '{name}'")
