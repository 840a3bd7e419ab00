"""The saved state of version 3 of the interrupt controller, in QEMU's layout: words of bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pyqemu.hw.core.per_part import PerPart
from pyqemu.hw.intc.arm_gicv3_virtual import packed, unpacked
from pyqemu.qom.vmstate import U8, U32, U64, Array, Bool, Field, Reader, Scope, VMState

if TYPE_CHECKING:
    from pyqemu.hw.intc.arm_gic_lists import VirtualInterface
    from pyqemu.hw.intc.arm_gicv3 import ArmGicV3

__all__ = ["SavedGicV3", "SavedVirtual", "gicv3_vmstate"]

IRQS, WORDS, LISTS = 1020, 32, 16
BITS = ("group", "grpmod", "enabled", "pending", "active", "level", "edge")
M32 = 0xFFFF_FFFF


class SavedGicV3:
    """The bits of the distributor as words."""

    def __init__(self) -> None:
        self.group, self.grpmod, self.enabled, self.pending = [0] * WORDS, [0] * WORDS, [0] * WORDS, [0] * WORDS
        self.active, self.level, self.edge = [0] * WORDS, [0] * WORDS, [0] * WORDS
        self.no_shift_bug = True

    def fill(self, gic: ArmGicV3) -> None:
        """Before saving."""
        for name in BITS:
            value = getattr(gic, name)
            getattr(self, name)[:] = [value >> 32 * n & M32 for n in range(WORDS)]
        for cpu in gic.cpus:
            cpu.saved_virtual.fill(cpu.virtual)

    def take(self, gic: ArmGicV3) -> None:
        """After loading. Routes become masks of targets again."""
        for name in BITS:
            words: list[int] = getattr(self, name)
            setattr(gic, name, sum(word << 32 * n for n, word in enumerate(words)) & gic.shared)
        for irq in range(32, gic.num_irq):
            gic.route(irq, gic.gicd_irouter[irq])
        for cpu in gic.cpus:
            if cpu.has_virtual:
                cpu.saved_virtual.take(cpu.virtual)
        gic.loaded()


class SavedVirtual:
    """The virtual interface of a processor."""

    def __init__(self) -> None:
        self.apr = [[0] * 4 for _ in range(3)]
        self.hcr = self.vmcr = 0
        self.lists = [0] * LISTS

    def fill(self, virtual: VirtualInterface) -> None:
        """Before saving: group 1 has the place of Non-secure group 1."""
        self.apr[0][0], self.apr[2][0] = virtual.apr
        self.hcr, self.vmcr = virtual.hcr, virtual.vmcr
        self.lists[: len(virtual.lists)] = [packed(each) for each in virtual.lists]

    def take(self, virtual: VirtualInterface) -> None:
        """After loading."""
        virtual.apr = [self.apr[0][0], self.apr[2][0]]
        virtual.hcr = self.hcr
        virtual.lists = [unpacked(value) for value in self.lists[: len(virtual.lists)]]
        virtual.set_vmcr(self.vmcr)


class _Rows(Field):
    """Numbers in rows."""

    kind = "uint64"

    def encode(self, value: Sequence[Sequence[int]]) -> bytes:
        return b"".join(number.to_bytes(8, "big") for row in value for number in row)

    def write(self, device: object, out: bytearray) -> list[dict[str, Any]]:
        rows = self.fetch(device)
        out += self.encode(rows)
        return [{"name": self.wire, "array_len": sum(map(len, rows)), "type": self.kind, "size": 8}]

    def read(self, reader: Reader, scope: Scope) -> list[list[int]]:
        rows = self.fetch(scope.device)
        return [[int.from_bytes(reader.take(8), "big") for _ in row] for row in rows]

    @property
    def element_size(self) -> int:
        return 8


cpu_vmstate = VMState(
    "arm_gicv3_cpu",
    fields=(
        U32("level"), U32("gicr_ctlr"), Array("gicr_statusr", U32, 2), U32("gicr_waker"), U64("gicr_propbaser"),
        U64("gicr_pendbaser"), U32("group", wire="gicr_igroupr0"), U32("enabled", wire="gicr_ienabler0"),
        U32("pending", wire="gicr_ipendr0"), U32("active", wire="gicr_iactiver0"), U32("edge", wire="edge_trigger"),
        U32("grpmod", wire="gicr_igrpmodr0"), U32("gicr_nsacr"), Array("priority", U8, 32, wire="gicr_ipriorityr"),
        Array("interface.icc_ctlr_el1", U64, 2, wire="icc_ctlr_el1"), U64("interface.icc_pmr_el1", wire="icc_pmr_el1"),
        Array("interface.icc_bpr", U64, 3, wire="icc_bpr", maximum=7), _Rows("interface.icc_apr", wire="icc_apr"),
        Array("interface.icc_igrpen", U64, 3, wire="icc_igrpen"),
        U64("interface.icc_ctlr_el3", wire="icc_ctlr_el3"),
    ),
    subsections=(
        VMState("arm_gicv3_cpu/virt",
                fields=(_Rows("saved_virtual.apr", wire="ich_apr"), U64("saved_virtual.hcr", wire="ich_hcr_el2"),
                        Array("saved_virtual.lists", U64, LISTS, wire="ich_lr_el2"),
                        U64("saved_virtual.vmcr", wire="ich_vmcr_el2")),
                needed=lambda cpu: cpu.has_virtual),
        VMState("arm_gicv3_cpu/sre_el1", fields=(U64("interface.icc_sre_el1", wire="icc_sre_el1"),),
                needed=lambda cpu: cpu.interface.icc_sre_el1 != 7),
    ),
)  # fmt: skip

gicv3_vmstate = VMState(
    "arm_gicv3",
    fields=(
        U32("gicd_ctlr"), Array("gicd_statusr", U32, 2), Array("saved.group", U32, WORDS, wire="group"),
        Array("saved.grpmod", U32, WORDS, wire="grpmod"), Array("saved.enabled", U32, WORDS, wire="enabled"),
        Array("saved.pending", U32, WORDS, wire="pending"), Array("saved.active", U32, WORDS, wire="active"),
        Array("saved.level", U32, WORDS, wire="level"), Array("saved.edge", U32, WORDS, wire="edge_trigger"),
        Array("priority", U8, IRQS, wire="gicd_ipriority"), Array("gicd_irouter", U64, IRQS),
        Array("gicd_nsacr", U32, 64), PerPart("cpus", cpu_vmstate, wire="cpu", each=True),
    ),
    subsections=(
        VMState("arm_gicv3/gicd_no_migration_shift_bug",
                fields=(Bool("saved.no_shift_bug", wire="gicd_no_migration_shift_bug"),)),
    ),
    pre_save=lambda gic: gic.saved.fill(gic),
    post_load=lambda gic: gic.saved.take(gic),
)  # fmt: skip
