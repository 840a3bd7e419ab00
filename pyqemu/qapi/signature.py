"""Whether a handler's signature is what the schema says, found when its module is imported.

Looks at the function's code object rather than through :mod:`inspect`, because every start with a monitor pays for it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping

from pyqemu.qapi.errors import SchemaMismatch
from pyqemu.qapi.visit import Visitor, fields

Function = Callable[..., object]
RAW = {"**arguments": "object"}
BOXED = "arguments"
"""The one parameter of a boxed command."""


class Expected:
    """What the schema says about one command: its parameters with their types, and whether they are optional."""

    def __init__(self, arguments: str, returns: str, flags: str, visitor: Visitor) -> None:
        self.visitor = visitor
        self.raw = "no-gen" in flags.split()
        self.boxed = not self.raw and "boxed" in flags.split()
        self.returns = returns
        self.parameters: dict[str, tuple[str, bool]] = {}
        if self.boxed:
            self.parameters = {BOXED: (arguments, False)}
        elif not self.raw:
            self.parameters = {field.attribute: (field.type, field.optional) for field in fields(arguments)}

    def __str__(self) -> str:
        if self.raw:
            return f"(system, /, **arguments: object) -> {'object' if self.returns else 'None'}"
        parameters = [
            f"{name}: {self.show(type_)}" + (" | None = None" if optional else "")
            for name, (type_, optional) in self.parameters.items()
        ]
        return f"({', '.join(['system', *(['*'] if parameters else []), *parameters])}) -> {self.show(self.returns)}"

    def show(self, type_: str) -> str:
        """A type as it stands in an annotation."""
        if not type_:
            return "None"
        if type_.startswith("["):
            return f"list[{self.show(type_[1:-1])}]"
        python = self.visitor.python_type(type_) if type_ in BUILTIN_NAMES else None
        return getattr(python, "__name__", type_)

    def python(self, type_: str, optional: bool) -> object:
        """The object that an annotation must be equal to."""
        if not type_:
            return None
        python = self.visitor.python_type(type_)
        return python | None if optional else python  # type: ignore[operator]


BUILTIN_NAMES = frozenset(
    ["str", "number", "int", "bool", "any", "null", "size"]
    + [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
)


def check_signature(name: str, function: Function, expected: Expected) -> None:
    """Compare a handler with the schema.

    :raise SchemaMismatch: they differ; it shows both and tells the first difference.
    """
    problem = next(_problems(function, expected), None)
    if problem is not None:
        raise SchemaMismatch(
            f"handler of {name} does not fit the schema: {problem}\n"
            f"  the schema has {expected}\n"
            f"  {function.__module__}.{function.__qualname__} has {inspect.signature(function)}"
        )


def _problems(function: Function, expected: Expected) -> Iterator[str]:
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    if len(positional) != 1:
        yield "exactly one positional parameter, the system, is expected; all others are keyword-only"
    if code.co_flags & inspect.CO_VARARGS:
        yield "it must not take *args"
    if bool(code.co_flags & inspect.CO_VARKEYWORDS) != expected.raw:
        yield "it must take **arguments" if expected.raw else "it must not take **keywords"
    for name in expected.parameters:
        if name not in keywords:
            yield f"parameter '{name}' is missing"
    for name in keywords:
        if name not in expected.parameters:
            yield f"parameter '{name}' is not in the schema"
    defaults = function.__kwdefaults__ or {}
    annotations = function.__annotations__
    for name, (type_, optional) in expected.parameters.items():
        if optional and (name not in defaults or defaults[name] is not None):
            yield f"parameter '{name}' is optional, its default must be None"
        if not optional and name in defaults:
            yield f"parameter '{name}' must not have a default"
        yield from _annotation(f"parameter '{name}'", annotations, name, function, expected.python(type_, optional))
    returns = "any" if expected.raw and expected.returns else expected.returns
    yield from _annotation("the result", annotations, "return", function, expected.python(returns, False))


def _annotation(
    what: str, annotations: Mapping[str, object], key: str, function: Function, wanted: object
) -> Iterator[str]:
    if key not in annotations:
        yield f"{what} has no annotation"
        return
    given = annotations[key]
    if isinstance(given, str):
        try:
            given = SIMPLE[given] if given in SIMPLE else eval(given, function.__globals__)
        except NameError as error:
            yield f"the annotation of {what} can't be evaluated when the program runs: {error}"
            return
    if given != wanted:
        yield f"{what} is of another type"


SIMPLE = {"None": None, "str": str, "int": int, "bool": bool, "object": object}
"""Annotations that need no evaluation."""
