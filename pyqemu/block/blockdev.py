"""``blockdev-add`` and ``-blockdev``: from ``BlockdevOptions`` to nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from pyqemu.block.errors import BlockError
from pyqemu.block.file import FileNode, Opener
from pyqemu.block.graph import BlockGraph
from pyqemu.block.node import SECTOR_SIZE, BlockNode
from pyqemu.block.null import DEFAULT_SIZE, NullNode
from pyqemu.block.raw import RawNode
from pyqemu.io.descriptors import open_plain
from pyqemu.qapi.base import Struct
from pyqemu.qapi.generated import types as qapi
from pyqemu.qapi.names import branch_class
from pyqemu.qapi.visit import VISITOR, fields
from pyqemu.util.errors import OptionError
from pyqemu.util.options import parse_bool

__all__ = ["DRIVERS", "add_node", "options_from_tree", "reopen_nodes"]

Options: TypeAlias = Any  # one of the union qapi.BlockdevOptions; which one, its driver tells
Maker: TypeAlias = Callable[["_Opening", Options], BlockNode]


class _Opening:
    """Opens one tree of nodes; what was opened is closed again if something fails."""

    def __init__(self, graph: BlockGraph, opener: Opener) -> None:
        self.graph = graph
        self.opener = opener
        self.opened: list[BlockNode] = []

    def open(self, options: Options) -> BlockNode:
        """Open the node that *options* describe, and those below it.

        :raise BlockError: it cannot be.
        """
        make = DRIVERS.get(options.driver.value)
        if make is None:
            raise BlockError(f"Unknown driver '{options.driver.value}'; there are {', '.join(DRIVERS)}")
        if options.node_name is not None:
            self.check_name(options.node_name)
        _check_common(options)
        node = make(self, options)
        self.opened.append(node)
        node.node_name = options.node_name or ""
        node.detect_zeroes = (options.detect_zeroes or qapi.BlockdevDetectZeroesOptions.OFF).value
        cache = options.cache or qapi.BlockdevCacheOptions()
        node.direct, node.no_flush = bool(cache.direct), bool(cache.no_flush)
        return node

    def check_name(self, name: str) -> None:
        """Not even two nodes of this tree may have the same name."""
        self.graph.check_name(name)
        if any(node.node_name == name for node in self.opened):
            raise BlockError(f"Duplicate nodes with node-name='{name}'")

    def child(self, reference: Options | str) -> BlockNode:
        """The node below: one that exists, or one to open."""
        if not isinstance(reference, str):
            return self.open(reference)
        node = self.graph.get(reference)
        if node.users and not node.read_only:
            raise BlockError(f"Node '{reference}' is already in use")
        return node

    def give_up(self) -> None:
        """Close what was opened, from the top down."""
        for node in reversed(self.opened):
            if not node.users:
                node.close()


def _check_common(options: Options) -> None:
    for name in ("rerror", "werror", "id"):
        if getattr(options, name) is not None:
            raise BlockError(f"Invalid parameter '{name}': it belongs to a device, not to a node")
    zeroes, discard = options.detect_zeroes, options.discard
    unmap = qapi.BlockdevDetectZeroesOptions.UNMAP
    if zeroes is unmap and discard is not qapi.BlockdevDiscardOptions.UNMAP:
        raise BlockError("setting detect-zeroes to unmap is not allowed without setting discard operation to unmap")


def _file(opening: _Opening, options: Options) -> BlockNode:
    read_only, shared = bool(options.read_only), bool(options.force_share)
    if shared and not read_only:
        raise BlockError("force-share=on can only be used with read-only images")
    lock = options.locking is not qapi.OnOffAuto.OFF and not shared
    automatic = bool(options.auto_read_only) and not read_only
    node = FileNode(
        options.filename, read_only=read_only or automatic, lock=lock, active=opening.graph.active,
        opener=opening.opener,
    )  # fmt: skip
    node.auto_read_only = automatic
    return node


def _null(opening: _Opening, options: Options) -> BlockNode:
    size = DEFAULT_SIZE if options.size is None else options.size
    if size < 0:
        raise BlockError(f"Parameter 'size' expects a size that is not negative, not {size}")
    if options.latency_ns:
        raise BlockError("Parameter 'latency-ns' is not supported: requests take no time here")
    return NullNode(size, read_only=bool(options.read_only), driver=options.driver.value)


def _raw(opening: _Opening, options: Options) -> BlockNode:
    file = opening.child(options.file)
    offset, size = options.offset or 0, options.size
    _check_part(file, offset, size)
    read_only, automatic = bool(options.read_only), bool(options.auto_read_only)
    if not read_only and not automatic:
        file.want_writes()
    node = RawNode(file, offset=offset, length=size)
    node.read_only = read_only or automatic
    node.auto_read_only = automatic and not read_only
    return node


def _check_part(file: BlockNode, offset: int, size: int | None) -> None:
    """Whether the part of the file that ``offset=`` and ``size=`` name exists."""
    if offset < 0 or offset > file.size:
        raise BlockError(f"Offset ({offset}) cannot be greater than size of the containing file ({file.size})")
    if size is not None and size % SECTOR_SIZE:
        raise BlockError(f"Specified size is not multiple of {SECTOR_SIZE}")
    if size is not None and (size < 0 or offset + size > file.size):
        raise BlockError(
            f"The sum of offset ({offset}) and size ({size}) has to be smaller or equal to the actual size of the "
            f"containing file ({file.size})"
        )


DRIVERS: dict[str, Maker] = {
    "file": _file,
    "host_device": _file,
    "host_cdrom": _file,
    "null-aio": _null,
    "null-co": _null,
    "raw": _raw,
}


def add_node(graph: BlockGraph, options: Options, opener: Opener = open_plain) -> BlockNode:
    """Make a node, with those below it, for the operator to own.

    :raise BlockError: it cannot be; then nothing is left open.
    """
    if options.node_name is None:
        raise BlockError("'node-name' must be specified for the root node")
    opening = _Opening(graph, opener)
    try:
        node = opening.open(options)
    except BaseException:
        opening.give_up()
        raise
    graph.own(node)
    return node


# -- blockdev-reopen


def reopen_nodes(graph: BlockGraph, changes: list[Options]) -> None:
    """Change ``read-only`` and ``cache`` of nodes. All is checked before anything is changed.

    :raise BlockError: a node does not exist, or something else differs from what it is.
    """
    pairs = [(_node_to_reopen(graph, options), options) for options in changes]
    for node, options in pairs:
        _check_reopening(node, options, pairs)
    done: list[tuple[BlockNode, bool]] = []
    try:
        for node, options in pairs:
            done.append((node, node.read_only))
            _set_read_only(node, bool(options.read_only))
    except BaseException:
        for node, read_only in reversed(done):
            _set_read_only(node, read_only)
        raise
    for node, options in pairs:
        cache = options.cache or qapi.BlockdevCacheOptions()
        node.direct, node.no_flush = bool(cache.direct), bool(cache.no_flush)


def _node_to_reopen(graph: BlockGraph, options: Options) -> BlockNode:
    if options.node_name is None:
        raise BlockError("node-name not specified")
    node = graph.find(options.node_name)
    if node is None:
        raise BlockError(f"Failed to find node with node-name='{options.node_name}'")
    return node


def _check_reopening(node: BlockNode, options: Options, pairs: list[tuple[BlockNode, Options]]) -> None:
    if options.driver.value != node.format_name:
        raise BlockError("Cannot change the option 'driver'")
    if getattr(options, "filename", node.filename) != node.filename:
        raise BlockError("Cannot change the option 'filename'")
    read_only = bool(options.read_only)
    if isinstance(node, RawNode):
        if not isinstance(options.file, str) or options.file != node.file.node_name:
            raise BlockError("Cannot change the option 'file'")
        if (options.offset or 0, options.size) != (node.offset, node.length):
            raise BlockError("Cannot change the option 'offset' or 'size'")
        below = next((bool(change.read_only) for other, change in pairs if other is node.file), node.file.read_only)
        if below and not read_only:
            raise BlockError("Block node is read-only")
    if read_only and not node.read_only:
        for user in node.users:
            staying = not any(other is user and change.read_only for other, change in pairs)
            if staying and not getattr(user, "read_only", True):
                raise BlockError(f"Read-only block node '{node.node_name}' cannot support read-write users")


def _set_read_only(node: BlockNode, read_only: bool) -> None:
    if isinstance(node, FileNode):
        node.reopen(read_only=read_only)
    elif node.read_only != read_only:
        node.flush()
        node.read_only = read_only


# -- the command line's form


def options_from_tree(tree: Mapping[str, object]) -> Options:
    """``BlockdevOptions`` from a tree whose leaves may be text (``read-only=on``), as ``-blockdev`` has it.

    :raise QapiError: it does not fit the schema.
    :raise OptionError: a text is no value of its type.
    """
    return VISITOR.from_json("BlockdevOptions", _typed_union(tree))


def _typed_union(value: object) -> object:
    """The tree with its texts turned into what the schema wants at their places."""
    if not isinstance(value, Mapping):
        return value
    driver = str(value.get("driver", "")).replace("-", "_")
    branch = getattr(qapi, branch_class("BlockdevOptions", driver), None)
    return value if branch is None else _typed_members(value, branch)


def _typed_members(value: Mapping[str, object], struct: type[Struct]) -> dict[str, object]:
    types = {field.name: field.type for field in fields(struct._members)}
    return {key: _typed(item, types.get(key, ""), key) for key, item in value.items()}


def _typed(value: object, type_: str, name: str) -> object:
    if type_ in ("BlockdevRef", "BlockdevRefOrNull", "BlockdevOptions"):
        return _typed_union(value)
    if isinstance(value, Mapping):
        struct = getattr(qapi, type_, None)
        return _typed_members(value, struct) if isinstance(struct, type) and issubclass(struct, Struct) else value
    if isinstance(value, str) and type_ == "bool":
        return parse_bool(value, name)
    if isinstance(value, str) and type_ in ("int", "size", "uint64", "uint32"):
        try:
            return int(value, 0)
        except ValueError:
            raise OptionError(f"Parameter '{name}' expects an integer") from None
    return value
