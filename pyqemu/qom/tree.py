"""The tree of everything in a machine: ``/machine/peripheral/net0``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pyqemu.qom.errors import DeviceError


@dataclass(frozen=True)
class Slot:
    """A property of a node, as ``qom-list`` shows it: values are what JSON has."""

    name: str
    type: str
    get: Callable[[], object]
    set: Callable[[object], None] | None = None
    description: str = ""


class Node:
    """Something that has a place in the tree, and maybe things below it."""

    type_name = "container"

    def __init__(self) -> None:
        self.qom_parent: Node | None = None
        self.qom_name = ""
        self._children: dict[str, Node] = {}

    @property
    def qom_children(self) -> dict[str, Node]:
        """The nodes below, by name."""
        return self._children

    def add_child(self, name: str, child: Node) -> None:
        """Put ``child`` below this node. A name that ends in ``[*]`` gets the next free number.

        :raise DeviceError: the name is taken.
        """
        if name.endswith("[*]"):
            number = 0
            while f"{name[:-3]}[{number}]" in self.qom_children:
                number += 1
            name = f"{name[:-3]}[{number}]"
        if name in self.qom_children:
            raise DeviceError(f"attempt to add duplicate property '{name}' to object (type '{self.type_name}')")
        if child.qom_parent is not None:
            raise ValueError(f"'{name}' is in the tree already, as {child.qom_path}")
        self._children[name] = child
        child.qom_parent = self
        child.qom_name = name

    def remove_child(self, child: Node) -> None:
        """Take ``child`` out of the tree."""
        del self._children[child.qom_name]
        child.qom_parent = None
        child.qom_name = ""

    def qom_slots(self) -> Iterator[Slot]:
        """Its properties: its type, what it adds itself, and the nodes below it."""
        yield Slot("type", "string", lambda: self.type_name)
        for name, child in self.qom_children.items():
            yield Slot(name, f"child<{child.type_name}>", lambda child=child: child.qom_path)  # type: ignore[misc]

    @property
    def qom_path(self) -> str:
        """The path from the root; empty if it is not in a tree, "/" for the root itself."""
        if self.qom_parent is None:
            return "/" if self.qom_children else ""
        above = self.qom_parent.qom_path
        return f"{above.rstrip('/')}/{self.qom_name}"

    def resolve(self, path: str) -> Node | None:
        """Return the node at ``path``, relative to this one; None if there is none."""
        node: Node | None = self
        for part in path.split("/"):
            if part and node is not None:
                node = node.qom_children.get(part)
        return node

    def walk(self) -> Iterator[Node]:
        """This node and all below it, from the top down."""
        yield self
        for child in list(self.qom_children.values()):
            yield from child.walk()

    def search(self, path: str) -> list[Node]:
        """The nodes that *path* may mean: an absolute one at most one, a part of a path each that ends so."""
        starts = [self] if path.startswith("/") else self.walk()
        found = (start.resolve(path) for start in starts)
        return list(dict.fromkeys(node for node in found if node is not None))


class Container(Node):
    """A node that is nothing but a place."""

    def container(self, name: str) -> Container:
        """Return the container ``name`` below this one; make it if need be."""
        found = self.qom_children.get(name)
        if found is None:
            found = Container()
            self.add_child(name, found)
        if not isinstance(found, Container):
            raise TypeError(f"{found.qom_path} is no container")
        return found


class Mirror(Node):
    """A node whose children are what lives elsewhere: names and types are looked up whenever somebody looks."""

    def __init__(self, source: Callable[[], dict[str, str]]) -> None:
        super().__init__()
        self._source = source

    @property
    def qom_children(self) -> dict[str, Node]:
        """As the source has them now."""
        present = self._source()
        for name, child in list(self._children.items()):
            if present.get(name) != child.type_name:
                self.remove_child(child)
        for name in present.keys() - self._children.keys():
            child = Node()
            child.type_name = present[name]
            self._children[name] = child
            child.qom_parent, child.qom_name = self, name
        return self._children
