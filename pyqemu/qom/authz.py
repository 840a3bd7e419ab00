"""Access lists as objects of users: who may connect, by the name in his certificate.

``-object authz-simple,id=auth0,identity=O=Example,,CN=client1``, and ``tls-authz=auth0`` where connections come in.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pyqemu.qom.errors import DeviceError
from pyqemu.qom.objects import UserObject, object_type
from pyqemu.qom.property import Property

POLICIES: Final = ("deny", "allow")
FORMATS: Final = ("exact", "glob")
MOST_BYTES = 1 << 20  # of a file with a list


class Authz(UserObject):
    """Decides about names."""

    def is_allowed(self, identity: str) -> bool:
        """Whether who has that name may come in.

        :raise DeviceError: that cannot be found out.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Rule:
    """A line of a list."""

    match: str
    policy: str
    format: str = "exact"

    def applies_to(self, identity: str) -> bool:
        """Whether it says something about that name."""
        if self.format == "exact":
            return identity == self.match
        # As GLib's patterns: only these two are special.
        pattern = re.escape(self.match).replace(r"\*", ".*").replace(r"\?", ".")
        return re.fullmatch(pattern, identity, re.DOTALL) is not None

    def to_json(self) -> dict[str, str]:
        """As the schema has it (``QAuthZListRule``)."""
        return {"match": self.match, "policy": self.policy, "format": self.format}


def parse_rules(value: object, name: str = "rules") -> tuple[Rule, ...]:
    """Rules from JSON.

    :raise DeviceError: they are none.
    """
    if not isinstance(value, list):
        raise DeviceError(f"Invalid parameter type for '{name}', expected: array")
    return tuple(_rule(entry, f"{name}[{number}]") for number, entry in enumerate(value))


def _rule(entry: object, name: str) -> Rule:
    if not isinstance(entry, Mapping):
        raise DeviceError(f"Invalid parameter type for '{name}', expected: object")
    for key in entry:
        if key not in ("match", "policy", "format"):
            raise DeviceError(f"Parameter '{name}.{key}' is unexpected")
    for key in ("match", "policy"):
        if key not in entry:
            raise DeviceError(f"Parameter '{name}.{key}' is missing")
    found = {key: _text(value, f"{name}.{key}") for key, value in entry.items()}
    for key, choices in (("policy", POLICIES), ("format", FORMATS)):
        if key in found and found[key] not in choices:
            raise DeviceError(
                f"Parameter '{name}.{key}' does not accept value '{found[key]}'", f"one of {', '.join(choices)}"
            )
    return Rule(**found)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise DeviceError(f"Invalid parameter type for '{name}', expected: string")
    return value


def decide(rules: tuple[Rule, ...], policy: str, identity: str) -> bool:
    """What the first rule says that applies, or else *policy*."""
    return next((rule.policy for rule in rules if rule.applies_to(identity)), policy) == "allow"


class _Rules(Property["tuple[Rule, ...]"]):
    def parse(self, text: str) -> tuple[Rule, ...]:
        raise DeviceError(f"Invalid parameter type for '{self.name}', expected: array", "rules.0.match=NAME")

    def format(self, value: tuple[Rule, ...]) -> str:
        return json.dumps(self.to_json(value))

    def from_json(self, value: object) -> tuple[Rule, ...]:
        return parse_rules(value, self.name)

    def to_json(self, value: tuple[Rule, ...]) -> object:
        return [rule.to_json() for rule in value]


def _needed(value: str | None, name: str) -> str:
    if value is None:
        raise DeviceError(f"Parameter '{name}' is missing")
    return value


@object_type("authz-simple", "authz")
class AuthzSimple(Authz):
    """Exactly one name."""

    identity = Property.str("identity")

    def complete(self) -> None:
        """See whether there is a name."""
        _needed(self.identity, "identity")

    def is_allowed(self, identity: str) -> bool:
        return identity == self.identity


@object_type("authz-list", "authz")
class AuthzList(Authz):
    """Rules in order; the first that applies decides."""

    policy = Property.enum("policy", POLICIES, "deny")
    rules = _Rules("rules", "QAuthZListRule", ())

    def is_allowed(self, identity: str) -> bool:
        return decide(self.rules, self.policy, identity)


@object_type("authz-list-file", "authz")
class AuthzListFile(Authz):
    """The same in a file, as JSON; with ``refresh`` its changes count at once."""

    filename = Property.str("filename")
    refresh = Property.bool("refresh", True)

    def complete(self) -> None:
        """Read it."""
        _needed(self.filename, "filename")
        self._signature: tuple[int, ...] = ()
        self._policy = "deny"
        self._rules: tuple[Rule, ...] = ()
        self._read()

    def is_allowed(self, identity: str) -> bool:
        """A file that has become unreadable lets nobody in."""
        if self.refresh:
            self._read()
        return decide(self._rules, self._policy, identity)

    def _read(self) -> None:
        path = self.filename or ""
        try:
            with open(path, "rb") as file:
                status = os.fstat(file.fileno())
                signature = (status.st_mtime_ns, status.st_size, status.st_ino)
                if signature == self._signature:
                    return
                text = file.read(MOST_BYTES)
        except OSError as error:
            raise DeviceError(f"Could not open '{path}': {error.strerror}") from None
        self._policy, self._rules = self._parsed(text)
        self._signature = signature

    def _parsed(self, text: bytes) -> tuple[str, tuple[Rule, ...]]:
        try:
            tree = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DeviceError(f"'{self.filename}' holds no access list: {error}") from None
        if not isinstance(tree, dict):
            raise DeviceError(f"'{self.filename}' holds no access list: it is no object with 'policy' and 'rules'")
        policy = tree.get("policy", "deny")
        if policy not in POLICIES or tree.keys() - {"policy", "rules"}:
            raise DeviceError(f"'{self.filename}' holds no access list: 'policy' is deny or allow, 'rules' a list")
        return str(policy), parse_rules(tree.get("rules", []), "rules")


@object_type("authz-listfile", "authz")
class AuthzListfile(AuthzListFile):
    """By the name that it has in the schema."""
