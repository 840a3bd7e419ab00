"""The boards by QEMU's machine names."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pyqemu.util.errors import UserError

if TYPE_CHECKING:
    from pyqemu.block import DriveTable
    from pyqemu.boards.config import MachineConfig, SmpConfig
    from pyqemu.chardev import Chardevs
    from pyqemu.qapi.generated.types import MachineInfo
    from pyqemu.system import System
    from pyqemu.tcg.cpu import Cpu
    from pyqemu.tcg.engine import Engine
    from pyqemu.ui.frame import Frame

MODULES = {
    "pyqemu.boards.none": ("none",),
    "pyqemu.boards.pc": ("pc", "pc-i440fx-2.6"),
    "pyqemu.boards.raspi": ("raspi2",),
    "pyqemu.boards.versatile": ("versatilepb", "versatileab"),
    "pyqemu.boards.vexpress": ("vexpress-a9", "vexpress-a15"),
    "pyqemu.boards.virt": ("virt", "virt-2.6"),
}
"""Every board's file, and the names and aliases of its machine types: a new one is a line here. Only the one that runs
is loaded."""
DEFAULTS = {None: "pc", "i386": "pc", "x86_64": "pc"}
"""The machine type of who names none, by architecture."""
SEMIHOSTING = frozenset(("arm", "aarch64"))
"""Architectures whose programs may ask the host."""


class Board(Protocol):
    """A wired machine, as its runner needs it."""

    @property
    def cpu(self) -> Cpu:
        """Its processor."""

    def frame(self, *, pixels: bool = True) -> Frame | None:
        """What is on the screen, in text modes without *pixels* only the text; None without a display adapter."""

    def put_key(self, qcode: str, down: bool) -> None:
        """Press or release a key of the keyboard."""


Builder = Callable[["MachineConfig", "System", "Engine", "DriveTable", "Chardevs"], Board]


@dataclass(frozen=True)
class BoardType:
    """One machine type.

    Nothing can run on one that *is_empty*. *default_cpus* has the type of processor for each of the *architectures*
    that it exists for; *default_ram* is the id that clients give the memory backend which stands for its RAM. It has up
    to *max_cpus* processors.
    """

    name: str
    description: str
    architectures: tuple[str, ...]
    build: Builder
    alias: str | None = None
    default: bool = False
    is_empty: bool = False
    default_cpus: dict[str, str] = field(default_factory=dict)
    default_ram: str | None = None
    max_cpus: int = 1

    def check_smp(self, smp: SmpConfig) -> None:
        """See that there is room for that many processors.

        :raise UserError: there is not.
        """
        if smp.max_cpus > self.max_cpus:
            raise UserError(
                f"Number of SMP CPUs requested ({smp.max_cpus}) exceeds max CPUs supported by machine '{self.name}' "
                f"({self.max_cpus})",
                f"-smp {self.max_cpus} or less" if self.max_cpus > 1 else "-smp 1: it runs one processor for now",
            )

    def check_semihosting(self) -> None:
        """See that its programs have a way to ask the host.

        :raise UserError: its architecture has none.
        """
        if not SEMIHOSTING.intersection(self.architectures):
            known = " and ".join(sorted(SEMIHOSTING))
            raise UserError(f"-semihosting: machine '{self.name}' does not support it", f"those of {known} do")


_types: dict[str, BoardType] = {}


def register(board: BoardType) -> None:
    """Make a machine type known."""
    _types[board.name] = board


def all_types() -> list[BoardType]:
    """All machine types, by name."""
    for module in MODULES:
        importlib.import_module(module)
    return sorted(_types.values(), key=lambda board: board.name)


def architectures() -> list[str]:
    """Those that there is a board for."""
    return sorted({architecture for board in all_types() for architecture in board.architectures})


def machine_infos(architecture: str) -> list[MachineInfo]:
    """The machine types of an architecture, as ``query-machines`` tells them."""
    from pyqemu.qapi.generated.types import MachineInfo  # needs the whole schema: not for every start

    return [
        MachineInfo(
            name=board.name, alias=board.alias, is_default=board.default or None, cpu_max=board.max_cpus,
            hotpluggable_cpus=False,
            numa_mem_supported=False, deprecated=False, default_cpu_type=board.default_cpus.get(architecture),
            default_ram_id=board.default_ram,
        )
        for board in all_types()
        if architecture in board.architectures
    ]  # fmt: skip


def find(name: str, architecture: str | None = None) -> BoardType:
    """The machine type of that name or alias; without a name, the default.

    :raise UserError: there is none.
    """
    wanted = name or DEFAULTS.get(architecture)
    if wanted is None:
        raise UserError("No machine specified, and there is no default", "Use -machine help to list supported machines")
    for module, known in MODULES.items():
        if wanted in known:
            importlib.import_module(module)
    for board in _types.values():
        if wanted in (board.name, board.alias) and (architecture is None or architecture in board.architectures):
            return board
    boards = [board for board in all_types() if architecture is None or architecture in board.architectures]
    names = [known for board in boards for known in (board.name, board.alias) if known]
    close = difflib.get_close_matches(wanted, names, 1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    raise UserError(f"unsupported machine type '{wanted}'", hint + "Use -machine help to list supported machines")
