"""The list of all that is saved of a machine, in the order of the stream.

The board makes it: every device with a layout, every block of RAM. Sections are found by their name (``idstr``) and
instance, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyqemu.memory import RamBlock
from pyqemu.migration.failure import MigrationError
from pyqemu.migration.state.disks import Disk
from pyqemu.qom.vmstate import Values, VMState
from pyqemu.system import System

PAGE_SIZE = 4096
RAM_SECTION = 2  # the number of the section "ram"; QEMU's happens to be the same
MAX_FOREIGN = 1 << 20


@dataclass
class SavedState:
    """A device's section.

    :param order: states are applied in the order of the list, those with a smaller number before all others: whoever
        is driven by others (interrupt controllers, processors) comes after them, so that its own state counts
    :param type_name: QEMU's name of the device's type, where the device does not know it
    """

    idstr: str
    instance: int
    layout: VMState
    device: Any
    order: int = 0
    type_name: str = ""
    prepare: Callable[[Values], None] | None = None
    """Called with what was read, just before it is applied."""
    needed: Callable[[], bool] | None = None
    """Whether it is worth sending; whoever has it may send it all the same."""

    @property
    def title(self) -> str:
        """How to call it in messages."""
        return f"instance {self.instance:#x} of device '{self.idstr}'"


@dataclass
class SavedBlock:
    """A block of RAM or ROM.

    :param length: bytes of it that are in use
    :param resizable: whether it may grow, up to the block's size
    :param loaded: called with the new contents after a load, for blocks that nobody has mapped
    :param is_paged: whether it is reached through address spaces alone: then its pages may come while the guest runs
    """

    name: str
    block: RamBlock
    length: int
    resizable: bool = False
    loaded: Callable[[bytes], None] | None = None
    is_paged: bool = False

    @property
    def pages(self) -> int:
        """Its length in pages."""
        return (self.length + PAGE_SIZE - 1) // PAGE_SIZE


@dataclass
class Foreign:
    """The section of something that this machine does not have, and that a guest does not notice: kept and sent on."""

    idstr: str
    data: bytes | None = None
    instance: int = 0
    version: int = 0
    after: str = ""
    """The section that it follows."""


@dataclass
class SavedMachine:
    """Everything.

    :param name: of the machine type; both sides' must be the same
    :ivar foreign_blocks: blocks of memory that are taken from others, and how long they may be
    :ivar unsaved: devices that have a state and no layout: with one of them the machine cannot leave
    :ivar before_save: called when the machine stands still, before the last memory is read
    :ivar before_load: called before anything is applied
    :ivar after_load: called in the end, when all is applied
    :ivar before_restore: called before a snapshot of this very machine is put back
    :ivar page_written: hears of memory that is put back: block, offset, length
    :ivar disks: those that are in the machine now, for ``migrate -b``
    :ivar page_size: bytes of memory in a record of a stream; a page of the host may be several
    """

    name: str
    system: System
    states: list[SavedState] = field(default_factory=list)
    blocks: list[SavedBlock] = field(default_factory=list)
    foreign: dict[str, Foreign] = field(default_factory=dict)
    foreign_blocks: dict[str, int] = field(default_factory=dict)
    unsaved: list[Any] = field(default_factory=list)
    before_save: list[Callable[[], None]] = field(default_factory=list)
    before_load: list[Callable[[], None]] = field(default_factory=list)
    after_load: list[Callable[[], None]] = field(default_factory=list)
    before_restore: list[Callable[[], None]] = field(default_factory=list)
    page_written: list[Callable[[RamBlock, int, int], None]] = field(default_factory=list)
    disks: Callable[[], Sequence[Disk]] = tuple
    page_size: int = PAGE_SIZE

    def add(self, idstr: str, device: Any, layout: VMState | None = None, *, instance: int | None = None,
            order: int = 0, before: str = "", type_name: str = "",
            needed: Callable[[], bool] | None = None) -> SavedState:  # fmt: skip
        """Add a device's state at the end, or before the section *before*.

        :param layout: its class's if it is left out
        :param instance: by default how many sections of that name there are
        """
        if instance is None:
            instance = sum(state.idstr == idstr for state in self.states)
        state = SavedState(idstr, instance, layout or type(device).vmstate, device, order, type_name, needed=needed)
        place = next((n for n, other in enumerate(self.states) if other.idstr == before), len(self.states))
        self.states.insert(place, state)
        return state

    def remove(self, device: Any) -> None:
        """Forget the states of a device that is gone."""
        self.states = [state for state in self.states if state.device is not device]

    def add_block(self, name: str, block: RamBlock, *, length: int | None = None,
                  loaded: Callable[[bytes], None] | None = None, is_paged: bool = False) -> None:  # fmt: skip
        """Add a block of memory; one with a *length* may grow up to its size."""
        used = block.size if length is None else length
        self.blocks.append(SavedBlock(name, block, used, length is not None, loaded, is_paged))

    def accept(self, idstr: str, *, after: str) -> None:
        """Take that section from others although there is no such device here."""
        self.foreign[idstr] = Foreign(idstr, after=after)

    def find(self, idstr: str, instance: int) -> SavedState | None:
        """The device of a section."""
        return next((state for state in self.states if state.idstr == idstr and state.instance == instance), None)

    def find_block(self, name: str) -> SavedBlock | None:
        """The block of that name."""
        return next((block for block in self.blocks if block.name == name), None)

    def take_block(self, name: str, length: int) -> SavedBlock | None:
        """The block of that name, made now if it is one that others have."""
        found = self.find_block(name)
        if found is None and 0 < length <= self.foreign_blocks.get(name, 0) and length % PAGE_SIZE == 0:
            self.add_block(name, RamBlock(name, length))
            found = self.blocks[-1]
        return found

    def check_is_here(self) -> None:
        """:raise MigrationError: some of memory is still at the host that the guest came from."""
        if any(saved.block.pager is not None for saved in self.blocks):
            raise MigrationError("Not all of the guest's memory has come yet", "wait until its migration has completed")

    @property
    def sorted_blocks(self) -> list[SavedBlock]:
        """The blocks as the stream lists them: the largest first."""
        return sorted(self.blocks, key=lambda saved: -saved.block.size)

    def in_order(self) -> Iterator[SavedState]:
        """The states as they are applied."""
        return iter(sorted(self.states, key=lambda state: state.order))
