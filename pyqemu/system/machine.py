"""What a board says about its machine, so that commands can answer for any board."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyqemu.qapi.generated.types import (
        CpuDefinitionInfo,
        CpuModelExpansionType,
        CpuModelInfo,
        MachineInfo,
    )


@dataclass(frozen=True)
class CpuPlace:
    """A place for a processor: what is or may be in it, and where in the machine it is.

    :ivar qom_path: of the processor in it; empty if there is none
    """

    type_name: str
    qom_path: str
    socket: int = 0
    core: int = 0
    thread: int = 0


@dataclass
class MachineFacts:
    """The facts of one machine.

    :ivar name: of its type, without ``-machine``
    :ivar target: the architecture that the program emulates (schema, ``SysEmuTarget``)
    :ivar memory: bytes of RAM that it was made with
    :ivar machines: all types that the program could have made
    :ivar inject_nmi: raises the non-maskable interrupt of all processors, if there is such a thing
    :ivar can_wake: whether a sleeping guest can be woken
    :ivar set_boot_order: changes which drives firmware tries, by their letters, if it can be changed
    """

    name: str
    target: str
    memory: int
    machines: Callable[[], list[MachineInfo]]
    cpu_places: list[CpuPlace] = field(default_factory=list)
    inject_nmi: Callable[[], None] | None = None
    can_wake: bool = False
    set_boot_order: Callable[[str], None] | None = None


class CpuModels:
    """The processor models of an architecture."""

    def definitions(self) -> list[CpuDefinitionInfo]:
        """All of them."""
        raise NotImplementedError

    def expand(self, kind: CpuModelExpansionType, model: CpuModelInfo) -> CpuModelInfo:
        """A model with changes, said in full.

        :raise QapiError: there is no such model or property.
        """
        raise NotImplementedError
