"""The virtualization extensions of version 2 of the interrupt controller: registers of hypervisors (GICH) and of their
guests (GICV) (IHI 0048B, 5.3 and 5.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.hw.intc.arm_gic_lists import LIST_REGISTERS, PRIORITIES, Listed, VirtualInterface

if TYPE_CHECKING:
    from pyqemu.hw.intc.arm_gic import ArmGic

# fmt: off
HCR, VTR, VMCR, MISR             = 0x00, 0x04, 0x08, 0x10
EISR0, ELRSR0, APR, LR0          = 0x20, 0x30, 0xF0, 0x100
V_CTLR, V_PMR, V_BPR, V_IAR      = 0x00, 0x04, 0x08, 0x0C
V_EOIR, V_RPR, V_HPPIR, V_ABPR   = 0x10, 0x14, 0x18, 0x1C
V_AIAR, V_AEOIR, V_AHPPIR        = 0x20, 0x24, 0x28
V_APR, V_IIDR, V_DIR             = 0xD0, 0xFC, 0x1000
# fmt: on
HCR_MASK = 0xF80000FF
KIND = 4 << 29 | 4 << 26 | LIST_REGISTERS - 1  #: of GICH_VTR: bits of priorities and of preemption, less 1
IDENTITY = 2 << 16 | 0x43B
LR_EOI = 1 << 19


def packed(each: Listed) -> int:
    """GICH_LR (5.3.11)."""
    rest = each.physical << 10 if each.hardware else each.source << 10 | (LR_EOI if each.tells else 0)
    value = each.number | rest | each.priority >> 3 << 23 | each.state << 28
    return value | each.group << 30 | each.hardware << 31


def unpacked(value: int) -> Listed:
    """What a value of GICH_LR stands for."""
    hardware = bool(value >> 31)
    return Listed(
        value & 0x3FF, value >> 23 << 3 & PRIORITIES, value >> 28 & 3, value >> 30 & 1, hardware,
        physical=value >> 10 & 0x3FF if hardware else 0, source=0 if hardware else value >> 10 & 7,
        tells=bool(value & LR_EOI) and not hardware,
    )  # fmt: skip


class _View:
    """Registers of the virtual interface of whoever accesses them, or of a given processor."""

    def __init__(self, gic: ArmGic, cpu: int | None) -> None:
        self._gic, self._cpu = gic, cpu

    @property
    def interface(self) -> VirtualInterface:
        """The interface that is accessed now."""
        return self._gic.virtual[self._gic.requester()[0] if self._cpu is None else self._cpu]


class HypervisorView(_View):
    """GICH (5.3, table 5-2)."""

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        interface = self.interface
        if LR0 <= offset < LR0 + 4 * LIST_REGISTERS:
            return packed(interface.lists[offset - LR0 >> 2])
        registers: dict[int, Callable[[], int]] = {
            HCR: lambda: interface.hcr, VTR: lambda: KIND, VMCR: lambda: interface.vmcr,
            MISR: lambda: interface.misr, EISR0: lambda: interface.eisr, ELRSR0: lambda: interface.elrsr,
            APR: lambda: interface.apr[0],
        }  # fmt: skip
        found = registers.get(offset)
        return found() if found is not None else 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        interface = self.interface
        if LR0 <= offset < LR0 + 4 * LIST_REGISTERS:
            interface.lists[offset - LR0 >> 2] = unpacked(value)
            interface.update()
        elif offset == HCR:
            interface.set_hcr(value, HCR_MASK)
        elif offset == VMCR:
            interface.set_vmcr(value)
        elif offset == APR:
            interface.set_apr(0, value)


class GuestView(_View):
    """GICV (5.5, table 5-3): as GICC is for secure software."""

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        interface = self.interface
        registers: dict[int, Callable[[], int]] = {
            V_CTLR: lambda: interface.control, V_PMR: lambda: interface.pmr, V_BPR: lambda: interface.bpr,
            V_IAR: interface.acknowledge, V_RPR: lambda: interface.running_priority, V_HPPIR: interface.pending,
            V_ABPR: lambda: interface.abpr, V_AIAR: lambda: interface.acknowledge(1),
            V_AHPPIR: lambda: interface.pending(1), V_APR: lambda: interface.apr[0], V_IIDR: lambda: IDENTITY,
        }  # fmt: skip
        found = registers.get(offset)
        return found() if found is not None else 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        interface = self.interface
        registers: dict[int, Callable[[], None]] = {
            V_CTLR: lambda: interface.set_control(value), V_PMR: lambda: interface.set_pmr(value),
            V_BPR: lambda: interface.set_bpr(0, value), V_EOIR: lambda: interface.complete(value & 0x3FF),
            V_ABPR: lambda: interface.set_bpr(1, value), V_AEOIR: lambda: interface.complete(value & 0x3FF, 1),
            V_APR: lambda: interface.set_apr(0, value), V_DIR: lambda: interface.deactivate(value & 0x3FF),
        }  # fmt: skip
        found = registers.get(offset)
        if found is not None:
            found()
