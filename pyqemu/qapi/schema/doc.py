"""The documentation comment of a definition.

::

    ##
    # @name:
    #
    # What it is.
    #
    # @member: what that is,
    #          on as many lines as it takes
    #
    # Features:
    # @feature: what that means
    #
    # Returns: what a command answers
    #
    # Since: 2.6
    ##

Without ``@name:`` on top the comment stands for itself (headings, chapters) and belongs to no definition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pyqemu.qapi.schema.errors import Place, SchemaError
from pyqemu.qapi.schema.lexer import Token

ARGUMENT = re.compile(r"@([^:\s]+):(?:\s|$)")
TAGS = ("Returns", "Since", "Note", "Notes", "Example", "Examples", "TODO")
TAG = re.compile(rf"({'|'.join(TAGS)}):(?:\s|$)")
FEATURES = "Features:"
UNIQUE = ("Returns", "Since")


@dataclass
class Section:
    """A piece of a comment: of the definition (``name`` empty), a member or feature, or with a tag."""

    name: str
    place: Place
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The lines as they are written, without empty ones at the ends."""
        return "\n".join(self.lines).strip()


@dataclass
class Doc:
    """A whole comment. ``symbol`` is the name of the definition; None in a comment that stands for itself."""

    symbol: str | None
    place: Place
    symbol_place: Place
    body: Section
    members: dict[str, Section] = field(default_factory=dict)
    features: dict[str, Section] = field(default_factory=dict)
    tagged: list[Section] = field(default_factory=list)

    def tag(self, name: str) -> str:
        """The text of the first section with that tag, or nothing."""
        return next((section.text for section in self.tagged if section.name == name), "")

    @property
    def summary(self) -> str:
        """The first sentence of the definition's own text, on one line."""
        paragraph = " ".join(self.body.text.split("\n\n")[0].split())
        return re.split(r"(?<=[.!?])\s+(?=[A-Z(])", paragraph)[0] if paragraph else ""

    def check(self, kind: str, members: Iterable[str], features: Iterable[str]) -> None:
        """Every documented name must exist, and every feature must be documented.

        :raise SchemaError: one does not, or is not.
        """
        assert self.symbol is not None
        members, features = set(members), list(features)
        for name, section in self.members.items():
            if name not in members:
                raise SchemaError(section.place, f"documented member '{name}' does not exist in {kind} '{self.symbol}'")
        for name, section in self.features.items():
            if name not in features:
                raise SchemaError(
                    section.place, f"documented feature '{name}' does not exist in {kind} '{self.symbol}'"
                )
        for name in features:
            if name not in self.features:
                raise SchemaError(self.symbol_place, f"feature '{name}' of {kind} '{self.symbol}' is not documented")
        if kind != "command" and (returns := next((s for s in self.tagged if s.name == "Returns"), None)):
            raise SchemaError(returns.place, "'Returns:' is for commands only")


class _DocParser:
    """Goes through the lines; ``current`` is the section that text is added to."""

    def __init__(self, doc: Doc) -> None:
        self.doc = doc
        self.current = doc.body
        self.in_features = False

    def line(self, text: str, place: Place) -> None:
        if match := ARGUMENT.match(text):
            self.argument(match.group(1), text[match.end() :], place)
        elif text.rstrip() == FEATURES:
            self.in_features = True
            self.open(Section(FEATURES, place))
        elif match := TAG.match(text):
            self.tag(match.group(1), text[match.end() :], place)
        elif text.startswith(("= ", "== ")):
            raise SchemaError(place, "a heading is not allowed in the documentation of a definition")
        else:
            if self.current.name == FEATURES and text.strip():
                self.in_features = False
                self.open(self.doc.body)
            self.current.lines.append(text)

    def open(self, section: Section) -> None:
        self.close()
        self.current = section

    def close(self) -> None:
        section = self.current
        if section is not self.doc.body and section.name != FEATURES and not section.text:
            shown = section.name if section.name in TAGS else f"@{section.name}"
            raise SchemaError(section.place, f"documentation section '{shown}:' is empty")

    def argument(self, name: str, rest: str, place: Place) -> None:
        known = self.doc.features if self.in_features else self.doc.members
        if name in self.doc.members or name in self.doc.features:
            raise SchemaError(place, f"'@{name}:' is documented twice")
        section = Section(name, place, [rest.strip()])
        self.open(section)
        known[name] = section

    def tag(self, name: str, rest: str, place: Place) -> None:
        if name in UNIQUE and any(section.name == name for section in self.doc.tagged):
            raise SchemaError(place, f"second '{name}:'")
        self.in_features = False
        section = Section(name, place, [rest.strip()])
        self.open(section)
        self.doc.tagged.append(section)


def _lines(token: Token) -> list[tuple[Place, str]]:
    """Place and text of each line, without ``#`` and the blank behind it."""
    result = []
    for offset, line in enumerate(token.value.split("\n") if token.value else [], 1):
        place = Place(token.place.file, token.place.line + offset, 3)
        if line[1:2] not in ("", " "):
            raise SchemaError(place._replace(column=2), "missing blank after '#'")
        result.append((place, line[2:]))
    return result


def parse_doc(token: Token) -> Doc:
    """Divide a comment into sections.

    :raise SchemaError: an empty or repeated section, a name that is malformed.
    """
    lines = _lines(token)
    while lines and not lines[0][1].strip():
        lines.pop(0)
    first_place, first = lines[0] if lines else (token.place, "")
    if not first.startswith("@"):
        for place, text in lines:
            if match := ARGUMENT.match(text):
                raise SchemaError(place, f"'@{match.group(1)}:' is not allowed in a comment that stands for itself")
        return Doc(None, token.place, first_place, Section("", token.place, [text for _, text in lines]))
    match = re.fullmatch(r"@([^:\s]+):\s*", first)
    if match is None:
        raise SchemaError(first_place, "the first line must be '@name:' and nothing else")
    doc = Doc(match.group(1), token.place, first_place, Section("", token.place))
    parser = _DocParser(doc)
    for place, text in lines[1:]:
        parser.line(text, place)
    parser.close()
    return doc
