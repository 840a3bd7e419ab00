"""What generated types are made of."""

from __future__ import annotations

import enum
from typing import ClassVar


class Null(enum.Enum):
    """JSON's null where the schema allows it; ``None`` means that an optional member is absent."""

    NULL = None


NULL = Null.NULL


class Struct:
    """A struct of the schema, or one branch of a union. Two are equal if they are of one class and their members are.

    ``_members`` lists members with those of bases, as ``name:type``, ``name*:type`` for optional ones. ``_tag`` is the
    discriminator in a branch of a union: its JSON name; the attribute of that name is a constant of the class.
    """

    __slots__ = ()
    _members: ClassVar[str] = ""
    _tag: ClassVar[str] = ""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._names())

    __hash__ = None  # type: ignore[assignment]  # members can be assigned to

    def __repr__(self) -> str:
        given = ((name, getattr(self, name)) for name in self._names())
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in given if value is not None)})"

    @classmethod
    def _names(cls) -> list[str]:
        """Attributes, those of bases first."""
        return [name for base in reversed(cls.__mro__) for name in base.__dict__.get("__slots__", ())]
