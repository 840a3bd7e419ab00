"""The commands that this program can carry out.

A handler is a function that stands in the subsystem which it commands::

    @command("set_link")
    def set_link(system: System, *, name: str, up: bool) -> None: ...

Parameters are the schema's, snake_case, with generated types; optional ones are ``T | None = None``. A ``boxed``
command has one parameter ``arguments`` of the struct's or union's type. A ``'gen': false`` command takes what the
client sent as ``**arguments: object`` and answers with JSON itself; its system is better positional-only
(``system: System, /``).

A plain function is called with the big lock held; a coroutine function is not, and takes it where it touches devices.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from pyqemu.qapi.errors import ErrorClass, QapiError, SchemaMismatch
from pyqemu.qapi.generated.commands import COMMANDS
from pyqemu.qapi.signature import BOXED, Expected, check_signature
from pyqemu.qapi.unsupported import reason
from pyqemu.qapi.visit import VISITOR, Json, Visitor

F = TypeVar("F", bound=Callable[..., object])


class Handler:
    """A command and the function that carries it out."""

    def __init__(
        self, name: str, function: Callable[..., object], row: tuple[str, str, str, str], visitor: Visitor
    ) -> None:
        self.name = name
        self.function = function
        self.is_async = inspect.iscoroutinefunction(function)
        self.arguments, self.returns, flags, _ = row
        self.flags = frozenset(flags.split())
        self._visitor = visitor

    @property
    def module(self) -> str:
        """Where the function stands."""
        return self.function.__module__

    @property
    def allow_oob(self) -> bool:
        """Whether it may be executed out of band."""
        return "allow-oob" in self.flags

    @property
    def allow_preconfig(self) -> bool:
        """Whether it may be executed before the machine is made."""
        return "allow-preconfig" in self.flags

    @property
    def success_response(self) -> bool:
        """Whether success is answered at all."""
        return "no-success-response" not in self.flags

    def call(self, system: object, arguments: Mapping[str, Json]) -> Json:
        """Validate and convert the arguments, call the function, convert its result.

        The result is the JSON of the answer (``{}`` if the command returns nothing); of a coroutine function
        (``is_async``) it is an awaitable of that. Arguments are validated before anything is called.

        :raise QapiError: the arguments are not what the schema says, or the handler refuses.
        """
        result = self._invoke(system, self._keywords(arguments))
        return self._await(result) if self.is_async else self._answer(result)

    async def call_async(self, system: object, arguments: Mapping[str, Json]) -> Json:
        """:meth:`call` for both kinds of function."""
        result = self._invoke(system, self._keywords(arguments))
        return await self._await(result) if self.is_async else self._answer(result)

    def _invoke(self, system: object, keywords: dict[str, object]) -> object:
        return self.function(system, **keywords)

    def _keywords(self, arguments: Mapping[str, Json]) -> dict[str, object]:
        given = dict(arguments)
        if "no-gen" in self.flags:
            code = self.function.__code__
            if not code.co_posonlyargcount and code.co_varnames[0] in given:
                raise QapiError(f"Parameter '{code.co_varnames[0]}' is unexpected")
            return given
        if "boxed" in self.flags:
            return {BOXED: self._visitor.from_json(self.arguments, given)}
        return self._visitor.members_from_json(self.arguments, given)

    async def _await(self, result: object) -> Json:
        assert inspect.isawaitable(result)
        return self._answer(await result)

    def _answer(self, result: object) -> Json:
        if not self.returns:
            return {}
        if result is None and self.returns != "any" and "no-gen" not in self.flags:
            raise SchemaMismatch(f"handler of {self.name} returned None instead of {self.returns}")
        return self._visitor.to_json(result)


class Registry:
    """Handlers by the name of their command."""

    def __init__(self, table: Mapping[str, tuple[str, str, str, str]], visitor: Visitor) -> None:
        self._table = table
        self._visitor = visitor
        self._handlers: dict[str, Handler] = {}

    def command(
        self, name: str, *, allow_oob: bool | None = None, allow_preconfig: bool | None = None
    ) -> Callable[[F], F]:
        """Register the function that carries out a command. What is said about flags must be what the schema says.

        :raise SchemaMismatch: (at import) the command is not in the schema, has a handler, or has another signature.
        """
        row = self._table.get(name)
        if row is None:
            raise SchemaMismatch(f"command {name} is not in the schema")
        said = {"allow-oob": allow_oob, "allow-preconfig": allow_preconfig}
        flags = row[2].split()
        for flag, value in said.items():
            if value is not None and value != (flag in flags):
                raise SchemaMismatch(f"handler of {name} has {flag}={value}, the schema has {flag in flags}")

        def register(function: F) -> F:
            if name in self._handlers:
                known = self._handlers[name].function
                raise SchemaMismatch(f"command {name} has a handler already: {known.__module__}.{known.__qualname__}")
            check_signature(name, function, Expected(row[0], row[1], row[2], self._visitor))
            self._handlers[name] = Handler(name, function, row, self._visitor)
            return function

        return register

    def handlers(self) -> Mapping[str, Handler]:
        """All that are registered, by name."""
        return MappingProxyType(self._handlers)

    def find(self, name: str) -> Handler:
        """The handler of a command.

        :raise QapiError: there is no such command (``CommandNotFound``), or nothing that carries it out.
        """
        handler = self._handlers.get(name)
        if handler is not None:
            return handler
        row = self._table.get(name)
        if row is None:
            raise QapiError(f"The command {name} has not been found", ErrorClass.CommandNotFound)
        raise QapiError(f"The command {name} is not supported by this build of pyqemu: {reason(name, row[3])}")


REGISTRY = Registry(COMMANDS, VISITOR)
"""Of ``qapi-schema.json``."""

command = REGISTRY.command
handlers = REGISTRY.handlers
find = REGISTRY.find
