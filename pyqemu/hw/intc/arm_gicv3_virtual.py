"""The virtual interface of version 3 of the interrupt controller: registers of hypervisors (ICH) and of their guests
(ICV), which have the names of ICC (IHI 0069H, 12.3 and 12.4)."""

from __future__ import annotations

from pyqemu.hw.intc.arm_gic_lists import (
    CBPR,
    ENABLE_GROUP0,
    EOI_MODE,
    LIST_REGISTERS,
    PRIORITIES,
    PRIORITY_BITS,
    Listed,
    VirtualInterface,
)

HCR_MASK = 0xF8007CFF
TC, TALL0, TALL1, TDIR = 1 << 10, 1 << 11, 1 << 12, 1 << 14
"""Of ICH_HCR_EL2: which accesses of EL1 trap: to common registers, to those of a group, to ICV_DIR_EL1."""
A3V, NV4, TDS = 1 << 21, 1 << 20, 1 << 19
KIND = PRIORITY_BITS - 1 << 29 | PRIORITY_BITS - 1 << 26 | 1 << 23 | A3V | NV4 | TDS | LIST_REGISTERS - 1
CTLR_FIXED = 1 << 15 | 1 << 11 | PRIORITY_BITS - 1 << 8  #: of ICV_CTLR_EL1: Aff3 is valid, bits of numbers, priorities
LR_EOI = 1 << 41
M10, M24 = 0x3FF, 0xFFFFFF


def packed(each: Listed) -> int:
    """ICH_LR_EL2 (12.4.8)."""
    rest = each.physical << 32 if each.hardware else LR_EOI if each.tells else 0
    return each.number | rest | each.priority << 48 | each.group << 60 | each.hardware << 61 | each.state << 62


def unpacked(value: int) -> Listed:
    """What a value of ICH_LR_EL2 stands for."""
    hardware = bool(value >> 61 & 1)
    return Listed(
        value & 0xFFFFFFFF, value >> 48 & PRIORITIES, value >> 62 & 3, value >> 60 & 1, hardware,
        physical=value >> 32 & M10 if hardware else 0, tells=bool(value & LR_EOI) and not hardware,
    )  # fmt: skip


class VirtualCpuInterface:
    """What the system registers of a processor do; the guest's have the functions of `CpuInterface`."""

    def __init__(self, interface: VirtualInterface) -> None:
        self.interface = interface

    # -- ICH

    @property
    def ich_lr_el2(self) -> list[int]:
        """The list registers."""
        return [packed(each) for each in self.interface.lists]

    def read_lr(self, number: int) -> int:
        """ICH_LRn_EL2."""
        return packed(self.interface.lists[number])

    def write_lr(self, number: int, value: int) -> None:
        """ICH_LRn_EL2."""
        self.interface.lists[number] = unpacked(value)
        self.interface.update()

    def read_ich_hcr(self) -> int:
        """ICH_HCR_EL2."""
        return self.interface.hcr

    def write_ich_hcr(self, value: int) -> None:
        """ICH_HCR_EL2."""
        self.interface.set_hcr(value, HCR_MASK)

    def read_vtr(self) -> int:
        """ICH_VTR_EL2."""
        return KIND

    def read_vmcr(self) -> int:
        """ICH_VMCR_EL2."""
        return self.interface.vmcr

    def write_vmcr(self, value: int) -> None:
        """ICH_VMCR_EL2."""
        self.interface.set_vmcr(value)

    def read_misr(self) -> int:
        """ICH_MISR_EL2."""
        return self.interface.misr

    def read_eisr(self) -> int:
        """ICH_EISR_EL2."""
        return self.interface.eisr

    def read_elrsr(self) -> int:
        """ICH_ELRSR_EL2."""
        return self.interface.elrsr

    # -- ICV

    def read_hppir0(self) -> int:
        """12.3.9."""
        return self.interface.pending(0)

    def read_hppir1(self) -> int:
        """12.3.10."""
        return self.interface.pending(1)

    def read_iar0(self) -> int:
        """12.3.11."""
        return self.interface.acknowledge(0)

    def read_iar1(self) -> int:
        """12.3.12."""
        return self.interface.acknowledge(1)

    def write_eoir0(self, value: int) -> None:
        """12.3.7."""
        self.interface.complete(value & M24, 0)

    def write_eoir1(self, value: int) -> None:
        """12.3.8."""
        self.interface.complete(value & M24, 1)

    def write_dir(self, value: int) -> None:
        """12.3.6."""
        self.interface.deactivate(value & M24)

    def read_pmr(self) -> int:
        """12.3.15."""
        return self.interface.pmr

    def write_pmr(self, value: int) -> None:
        """12.3.15."""
        self.interface.set_pmr(value)

    def read_rpr(self) -> int:
        """12.3.16."""
        return self.interface.running_priority

    def read_bpr(self, group1: bool) -> int:
        """12.3.3, 12.3.4."""
        return self.interface.read_bpr(int(group1))

    def write_bpr(self, group1: bool, value: int) -> None:
        """12.3.3, 12.3.4."""
        self.interface.set_bpr(int(group1), value)

    def read_apr(self, group1: bool, number: int) -> int:
        """ICV_AP0Rn, ICV_AP1Rn, and ICH_AP0Rn, ICH_AP1Rn: with so few priorities the first one has them all."""
        return self.interface.apr[group1] if number == 0 else 0

    def write_apr(self, group1: bool, number: int, value: int) -> None:
        """The same."""
        if number == 0:
            self.interface.set_apr(int(group1), value)

    def read_ctlr(self) -> int:
        """12.3.5."""
        control = self.interface.control
        return CTLR_FIXED | (1 if control & CBPR else 0) | (2 if control & EOI_MODE else 0)

    def write_ctlr(self, value: int) -> None:
        """12.3.5."""
        new = (CBPR if value & 1 else 0) | (EOI_MODE if value & 2 else 0)
        self.interface.set_control(new, CBPR | EOI_MODE)

    def read_igrpen(self, group1: bool) -> int:
        """12.3.13, 12.3.14."""
        return self.interface.control >> group1 & 1

    def write_igrpen(self, group1: bool, value: int) -> None:
        """12.3.13, 12.3.14."""
        mask = ENABLE_GROUP0 << group1
        self.interface.set_control(mask if value & 1 else 0, mask)
