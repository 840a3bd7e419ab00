"""What is saved of every target's processor, in QEMU's layout: the section ``cpu_common``."""

from __future__ import annotations

from typing import ClassVar, Generic, Protocol, TypeVar

from pyqemu.qom.vmstate import I32, U8, U32, VMState


class AnyCpu(Protocol):
    """What all processors have."""

    halted: bool
    interrupt_request: int

    def interrupt(self, mask: int) -> None: ...
    def clear_interrupt(self, mask: int) -> None: ...


C = TypeVar("C", bound=AnyCpu)


class CommonState(Generic[C]):
    """The section.

    :cvar requests: pairs of a target's bits of :attr:`interrupt_request` and QEMU's
    """

    requests: ClassVar[tuple[tuple[int, int], ...]] = ()
    vmstate = VMState(
        "cpu_common",
        version=1,
        fields=(U32("halted"), U32("interrupt_request")),
        subsections=(
            VMState("cpu_common/exception_index", fields=(I32("exception_index"),), needed=lambda _: False),
            VMState("cpu_common/crash_occurred", fields=(U8("crash_occurred"),), needed=lambda _: False),
        ),
        post_load=lambda common: common.loaded(),
    )

    def __init__(self, cpu: C) -> None:
        self.cpu = cpu
        self.exception_index, self.crash_occurred = -1, 0
        self._requested = 0

    @property
    def halted(self) -> int:
        """Whether it waits for an interrupt."""
        return int(self.cpu.halted)

    @halted.setter
    def halted(self, value: int) -> None:
        self.cpu.halted = bool(value)

    @property
    def interrupt_request(self) -> int:
        """Pending requests, in QEMU's bits."""
        return self.to_qemu(self.cpu.interrupt_request)

    @interrupt_request.setter
    def interrupt_request(self, value: int) -> None:
        self._requested = sum(ours for ours, theirs in self.requests if value & theirs)

    @classmethod
    def to_qemu(cls, requests: int) -> int:
        """Requests in QEMU's bits."""
        return sum(theirs for ours, theirs in cls.requests if requests & ours)

    def loaded(self) -> None:
        """Let the processor have what was loaded."""
        self.request(self._requested)

    def request(self, requests: int) -> None:
        """Let these be pending, and no others."""
        self.cpu.clear_interrupt(~0)
        if requests:
            self.cpu.interrupt(requests)
