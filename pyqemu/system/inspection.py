"""What a machine lets people look at: processors, what ``info NAME`` tells, and the device tree.

Boards, targets and devices fill it in, so that a monitor (or a debugger) knows none of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from pyqemu.memory import AddressSpace
    from pyqemu.qom import Bus

Text = Callable[[], str]
"""Makes what an ``info`` command shows: lines, the last without its end. The machine is parked."""


NO_UUID = UUID(int=0)


@dataclass(frozen=True)
class Identity:
    """Who the machine is: ``-name``, ``-uuid``."""

    name: str = ""
    uuid: UUID = NO_UUID


@dataclass(frozen=True)
class MachineCode:
    """One disassembled instruction."""

    address: int
    code: bytes
    text: str


class CpuView(ABC):
    """One processor, for people to look at. The machine is parked whenever it is asked.

    :ivar memory: what the processor sees as physical memory
    :ivar io: its port space; None where the architecture has none
    :ivar address_digits: hexadecimal digits of a virtual address
    :ivar infos: what ``info NAME`` shows of this processor
    :ivar thread_id: the host thread that runs it, 0 if none does yet
    """

    index = 0
    thread_id = 0
    memory: AddressSpace
    io: AddressSpace | None
    address_digits: int
    infos: Mapping[str, Text]

    @property
    @abstractmethod
    def program_counter(self) -> int:
        """Virtual address of the next instruction."""

    @property
    @abstractmethod
    def halted(self) -> bool:
        """Whether it waits for an interrupt."""

    @property
    @abstractmethod
    def register_names(self) -> Iterable[str]:
        """What may follow ``$`` in an expression."""

    @abstractmethod
    def register(self, name: str) -> int | None:
        """The value of a register; None if there is none of that name."""

    @abstractmethod
    def registers_text(self) -> str:
        """All registers, as ``info registers`` shows them."""

    @abstractmethod
    def translate(self, vaddr: int) -> int | None:
        """Guest-physical address, without side effects; None where nothing is mapped."""

    @abstractmethod
    def disassemble(self, code: bytes, address: int, size: int = -1) -> list[MachineCode]:
        """Instructions as the present mode understands them; an incomplete one at the end is left out.

        :param size: bytes of the word size that code shall be read with; -1: the present mode's
        """


@dataclass
class Inspection:
    """All that a machine shows of itself.

    :ivar roots: buses that hang on nothing but the machine
    """

    cpus: list[CpuView] = field(default_factory=list)
    roots: list[Bus] = field(default_factory=list)
    spaces: list[AddressSpace] = field(default_factory=list)
    _texts: dict[str, list[Text]] = field(default_factory=dict)

    def add_text(self, name: str, text: Text) -> None:
        """Let *text* be a part of what ``info NAME`` shows; parts come in the order of registration."""
        self._texts.setdefault(name, []).append(text)

    def text(self, name: str, cpu: CpuView | None = None) -> str | None:
        """What ``info NAME`` shows, of the machine or else of *cpu*; None if nothing here answers to that name."""
        texts = self._texts.get(name, [])
        if not texts and cpu is not None and name in cpu.infos:
            texts = [cpu.infos[name]]
        return "\n".join(text() for text in texts) if texts else None
