"""Objects that users create: ``-object``, ``object-add``. They live in ``/objects``."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from pyqemu.qom.declared import Declared
from pyqemu.qom.errors import DeviceError
from pyqemu.qom.tree import Container

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")


def _nothing(_name: str) -> None:
    return None


class UserObject(Declared):
    """Something that a user creates and other things refer to by its id.

    :ivar in_use: why it can't be deleted now; empty if it can
    :ivar find_object: finds another user object by its id
    """

    parent_type = "object"

    def __init__(self) -> None:
        super().__init__()
        self.in_use = ""
        self.find_object: Callable[[str], object | None] = _nothing

    def complete(self) -> None:
        """All properties are set: become what they say.

        :raise DeviceError: they make no sense together.
        """

    def deleted(self) -> None:
        """Give back what :meth:`complete` took."""


O = TypeVar("O", bound=type[UserObject])

MODULES = (
    "pyqemu.qom.authz",
    "pyqemu.qom.memory_backend",
    "pyqemu.qom.rng",
    "pyqemu.qom.secret",
    "pyqemu.qom.tls_creds",
)  #: every file with such types; a new one is a line here

OBJECTS: dict[str, type[UserObject]] = {}
"""The types that can be created, by QEMU's names: filled when their modules are imported."""


def object_type(name: str, parent: str = "object") -> Callable[[O], O]:
    """Register the decorated class."""

    def register(cls: O) -> O:
        cls.type_name = name
        cls.parent_type = parent
        OBJECTS[name] = cls
        return cls

    return register


def object_types() -> dict[str, type[UserObject]]:
    """All types that can be created."""
    for module in MODULES:
        importlib.import_module(module)
    return OBJECTS


def create_object(root: Container, type_name: str, name: str, values: Mapping[str, object]) -> UserObject:
    """Make an object from JSON values, or from the texts of an option, and put it into the tree.

    :raise DeviceError: there is no such type, the id is none or taken, or a property cannot be as asked.
    """
    check_identifier(name)
    known = object_types()
    if type_name not in known:
        hint = f"there are {', '.join(sorted(known))}"
        raise DeviceError(f"object type '{type_name}' is not supported by this build of pyqemu", hint)
    cls = known[type_name]
    made = cls()
    for key, value in values.items():
        prop = cls.find_property(key)
        if isinstance(value, str):
            prop.assign(made, value)
        else:
            setattr(made, prop.attribute, prop.from_json(value))
    objects = root.container("objects")
    if name in objects.qom_children:
        raise DeviceError(f"attempt to add duplicate property '{name}' to object (type 'container')")
    made.find_object = objects.qom_children.get
    made.complete()
    objects.add_child(name, made)
    return made


def delete_object(root: Container, name: str) -> None:
    """Take an object that a user has created away.

    :raise DeviceError: there is none of that id, or it is in use.
    """
    objects = root.container("objects")
    found = objects.qom_children.get(name)
    if not isinstance(found, UserObject):
        raise DeviceError(f"object '{name}' not found")
    if found.in_use:
        raise DeviceError(f"object '{name}' is in use, can not be deleted", found.in_use)
    objects.remove_child(found)
    found.deleted()


def check_identifier(text: str) -> None:
    """:raise DeviceError: it cannot be an id."""
    if not IDENTIFIER.fullmatch(text):
        raise DeviceError(
            "Parameter 'id' expects an identifier",
            "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.",
        )
