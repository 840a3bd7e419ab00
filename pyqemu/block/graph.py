"""All block nodes of a machine, and their names.

A node is there because a drive uses it, because a node above does, or because the operator made it
(``blockdev-add``) and has not deleted it yet. Nodes that nobody named get names of their own, which begin with ``#``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pyqemu.block.drive import Drive
from pyqemu.block.errors import BlockError
from pyqemu.block.node import BlockNode

__all__ = ["BlockGraph"]

MAX_NAME = 31  # characters

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")


def _stack(node: BlockNode | None) -> Iterator[BlockNode]:
    """A node and those below it, from the top down."""
    while node is not None:
        yield node
        node = node.below


class BlockGraph:
    """The nodes behind *drives* (a list that may change), and those that the operator owns."""

    def __init__(self, drives: Sequence[Drive]) -> None:
        self.active = True
        """Whether the images are this machine's: not before one that comes from elsewhere is here, nor after one has
        left."""
        self._drives = drives
        self._owned: dict[str, BlockNode] = {}
        self._count = 0

    def __iter__(self) -> Iterator[BlockNode]:
        """Each node once, the ones that were made last first."""
        seen: set[int] = set()
        tops = [*reversed(self._owned.values()), *(drive.node for drive in reversed(self._drives))]
        for top in tops:
            for node in _stack(top):
                if id(node) not in seen:
                    seen.add(id(node))
                    yield node

    def find(self, name: str) -> BlockNode | None:
        """The node of that name."""
        return next((node for node in self if node.node_name == name), None)

    def get(self, name: str) -> BlockNode:
        """The node of that name.

        :raise BlockError: there is none.
        """
        node = self.find(name)
        if node is None:
            raise BlockError(f"Cannot find device='{name}' nor node-name='{name}'")
        return node

    def check_name(self, name: str) -> None:
        """:raise BlockError: the name is none, or taken."""
        if not _NAME.fullmatch(name):
            raise BlockError(f"Invalid node-name: '{name}'")
        if len(name) > MAX_NAME:
            raise BlockError("Node name too long")
        if any(drive.id == name for drive in self._drives):
            raise BlockError(f"node-name={name} is conflicting with a device id")
        if self.find(name) is not None:
            raise BlockError(f"Duplicate nodes with node-name='{name}'")

    def name_stack(self, node: BlockNode) -> None:
        """Give names to a node and those below it that have none."""
        for level in _stack(node):
            if not level.node_name:
                self._count += 1
                level.node_name = f"#block{self._count:03}"

    def own(self, node: BlockNode) -> None:
        """The operator has made *node*, which has a name."""
        node.owned = True
        self.name_stack(node)
        self._owned[node.node_name] = node

    def delete(self, name: str) -> None:
        """``blockdev-del``: close a node that the operator made and nobody uses.

        :raise BlockError: it is none of these.
        :raise BlockIOError: it could not be flushed; it is gone all the same.
        """
        node = self.find(name)
        if node is None:
            raise BlockError(f"Failed to find node with node-name='{name}'")
        if not node.owned:
            raise BlockError(f"Node {name} is not owned by the monitor")
        for user in node.users:
            if isinstance(user, Drive):
                raise BlockError(f"Node {name} is in use")
        if node.users:
            raise BlockError(f"Block device {name} is in use")
        del self._owned[name]
        node.owned = False
        node.close()

    def check_usable(self, node: BlockNode, *, shared: bool = False) -> None:
        """Whether a drive may use *node* now. *shared*: another drive may use it as well, if nobody writes.

        :raise BlockError: it serves somebody else.
        """
        if node.users and not (shared and node.read_only and all(isinstance(user, Drive) for user in node.users)):
            raise BlockError(f"Node '{node.node_name}' is already in use")

    def take_over(self) -> None:
        """The machine is about to run here: its images become ours, all or none.

        :raise BlockError: somebody else has one of them.
        """
        if self.active:
            return
        done: list[BlockNode] = []
        try:
            for node in reversed(list(self)):  # from the bottom up
                node.activate()
                done.append(node)
        except BlockError:
            for node in reversed(done):
                node.deactivate()
            raise
        self.active = True

    def hand_over(self) -> None:
        """The machine is about to run elsewhere: flush its images, and let go of them.

        :raise BlockIOError: one could not be flushed; all are ours still.
        """
        if not self.active:
            return
        nodes = list(self)
        for node in nodes:
            node.flush()
        for node in nodes:
            node.deactivate()
        self.active = False

    def owned(self) -> list[BlockNode]:
        """What ``blockdev-add`` made and is there still."""
        return list(self._owned.values())

    def forget(self) -> list[BlockNode]:
        """The machine ends: give up what the operator owns, the nodes that were made last first."""
        nodes = list(reversed(self._owned.values()))
        self._owned.clear()
        for node in nodes:
            node.owned = False
        return [node for node in nodes if not node.users]
