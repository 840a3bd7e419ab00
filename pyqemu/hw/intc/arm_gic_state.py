"""The saved state of the interrupt controller, in QEMU's layout: an entry for each interrupt, where we have integers.

A property of a shared interrupt counts for all processors, and so has all bits of a byte set or none. That an interrupt
is pending has the bits of its targets, since QEMU looks at these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.hw.intc.arm_gic_virtual import packed, unpacked
from pyqemu.qom.vmstate import U8, U16, U32, Array, Bool, VMState

if TYPE_CHECKING:
    from pyqemu.hw.intc.arm_gic import ArmGic

__all__ = ["SavedGic", "gic_vmstate"]

IRQS, CPUS, SGIS, INTERNAL, APRS, LISTS = 1020, 8, 16, 32, 4, 64
NONE_PENDING, IDLE = 1023, 0x100
BITS = ("enabled", "pending", "active", "level", "model", "edge", "group")


class SavedInterrupt:
    """The state of one interrupt."""

    __slots__ = BITS

    def __init__(self) -> None:
        self.enabled = self.pending = self.active = self.level = self.group = 0
        self.model = self.edge = False


class SavedGic:
    """All that is saved, in the order of the layout."""

    def __init__(self) -> None:
        self.irq_state = [SavedInterrupt() for _ in range(IRQS)]
        self.irq_target = [0] * IRQS
        self.cpu_ctlr = [0] * CPUS
        self.priority1 = [0] * (INTERNAL * CPUS)
        self.sgi_pending = [0] * (SGIS * CPUS)
        self.priority_mask, self.running_priority, self.current_pending = [0] * CPUS, [0] * CPUS, [0] * CPUS
        self.bpr, self.abpr = [0] * CPUS, [0] * CPUS
        self.apr, self.nsapr = [0] * (APRS * CPUS), [0] * (APRS * CPUS)
        self.h_hcr, self.h_misr, self.h_lr, self.h_apr = [0] * CPUS, [0] * CPUS, [0] * (LISTS * CPUS), [0] * CPUS
        self.v_ctlr, self.v_mask, self.v_bpr, self.v_abpr = [0] * CPUS, [0] * CPUS, [0] * CPUS, [0] * CPUS
        self.v_running, self.v_pending = [0] * CPUS, [0] * CPUS

    def fill(self, gic: ArmGic) -> None:
        """Before saving."""
        everybody = (1 << CPUS) - 1
        for irq, entry in enumerate(self.irq_state):
            target = sum((gic.targets[cpu] >> irq & 1) << cpu for cpu in range(CPUS))
            self.irq_target[irq] = target
            for name in BITS:
                bits = getattr(gic, name)
                if irq >= INTERNAL:
                    value = (bits.shared >> irq & 1) * (target if name == "pending" else everybody)
                else:
                    value = sum((private >> irq & 1) << cpu for cpu, private in enumerate(bits.private))
                setattr(entry, name, bool(value) if name in ("model", "edge") else value)
        for cpu, interface in enumerate(gic.interfaces):
            self.cpu_ctlr[cpu] = interface.ctlr
            self.priority_mask[cpu] = interface.priority_mask
            self.running_priority[cpu] = interface.running_priority
            self.current_pending[cpu] = interface.current_pending
            self.bpr[cpu], self.abpr[cpu] = interface.bpr, interface.abpr
            for n in range(APRS):
                self.apr[n * CPUS + cpu], self.nsapr[n * CPUS + cpu] = interface.apr[n], interface.nsapr[n]
            for irq in range(INTERNAL):
                self.priority1[irq * CPUS + cpu] = gic.priority1[cpu][irq]
            for irq in range(SGIS):
                self.sgi_pending[irq * CPUS + cpu] = gic.sgi_sources[irq][cpu]
        self._fill_virtual(gic)

    def _fill_virtual(self, gic: ArmGic) -> None:
        for cpu, virtual in enumerate(gic.virtual):
            self.h_hcr[cpu], self.h_misr[cpu], self.h_apr[cpu] = virtual.hcr, virtual.misr, virtual.apr[0]
            self.v_ctlr[cpu], self.v_mask[cpu] = virtual.control, virtual.pmr
            self.v_bpr[cpu], self.v_abpr[cpu] = virtual.bpr, virtual.abpr
            best = virtual.most_urgent()
            self.v_pending[cpu] = best.number if best is not None else NONE_PENDING
            self.v_running[cpu] = virtual.running_priority if virtual.apr[0] else IDLE
            for n, each in enumerate(virtual.lists):
                self.h_lr[n * CPUS + cpu] = packed(each)

    def _take_virtual(self, gic: ArmGic) -> None:
        for cpu, virtual in enumerate(gic.virtual):
            virtual.hcr, virtual.apr[0] = self.h_hcr[cpu], self.h_apr[cpu]
            virtual.set_control(self.v_ctlr[cpu])
            virtual.set_pmr(self.v_mask[cpu])
            virtual.bpr, virtual.abpr = self.v_bpr[cpu], self.v_abpr[cpu]
            virtual.lists = [unpacked(self.h_lr[n * CPUS + cpu]) for n in range(len(virtual.lists))]

    def take(self, gic: ArmGic) -> None:
        """After loading."""
        gic.targets = [0] * CPUS
        for name in BITS:
            getattr(gic, name).clear()
        for irq, entry in enumerate(self.irq_state):
            mask = 1 << irq
            for cpu in range(gic.num_cpu):
                if irq >= INTERNAL and self.irq_target[irq] >> cpu & 1:
                    gic.targets[cpu] |= mask
                for name in BITS:
                    value = getattr(entry, name)
                    value = value if irq >= INTERNAL or name in ("model", "edge") else value >> cpu & 1
                    if value:
                        getattr(gic, name).change(mask, cpu, True)
        for cpu, interface in enumerate(gic.interfaces):
            interface.ctlr, interface.priority_mask = self.cpu_ctlr[cpu], self.priority_mask[cpu] & 0xFF
            interface.bpr, interface.abpr = self.bpr[cpu], self.abpr[cpu]
            interface.apr = [self.apr[n * CPUS + cpu] for n in range(APRS)]
            interface.nsapr = [self.nsapr[n * CPUS + cpu] for n in range(APRS)]
            gic.priority1[cpu] = [self.priority1[irq * CPUS + cpu] for irq in range(INTERNAL)]
            for irq in range(SGIS):
                gic.sgi_sources[irq][cpu] = self.sgi_pending[irq * CPUS + cpu]
        self._take_virtual(gic)
        gic.loaded()


irq_vmstate = VMState(
    "arm_gic_irq_state",
    fields=(
        U8("enabled"), U8("pending"), U8("active"), U8("level"), Bool("model"), Bool("edge", wire="edge_trigger"),
        U8("group"),
    ),
)  # fmt: skip

virtual_vmstate = VMState(
    "arm_gic_virt_state",
    fields=(
        Array("saved.h_hcr", U32, CPUS, wire="h_hcr"), Array("saved.h_misr", U32, CPUS, wire="h_misr"),
        Array("saved.h_lr", U32, LISTS * CPUS, wire="h_lr"), Array("saved.h_apr", U32, CPUS, wire="h_apr"),
        Array("saved.v_ctlr", U32, CPUS, wire="cpu_ctlr"), Array("saved.v_mask", U16, CPUS, wire="priority_mask"),
        Array("saved.v_running", U16, CPUS, wire="running_priority"),
        Array("saved.v_pending", U16, CPUS, wire="current_pending"),
        Array("saved.v_bpr", U8, CPUS, wire="bpr", maximum=7), Array("saved.v_abpr", U8, CPUS, wire="abpr", maximum=7),
    ),
    needed=lambda gic: gic.virtualization_extn,
)  # fmt: skip

gic_vmstate = VMState(
    "arm_gic",
    version=12,
    fields=(
        U32("distributor.ctlr", wire="ctlr"), Array("saved.cpu_ctlr", U32, CPUS, wire="cpu_ctlr"),
        Array("saved.irq_state", irq_vmstate, IRQS, wire="irq_state", since=1),
        Array("saved.irq_target", U8, IRQS, wire="irq_target"),
        Array("saved.priority1", U8, INTERNAL * CPUS, wire="priority1"),
        Array("priority2", U8, IRQS - INTERNAL), Array("saved.sgi_pending", U8, SGIS * CPUS, wire="sgi_pending"),
        Array("saved.priority_mask", U16, CPUS, wire="priority_mask"),
        Array("saved.running_priority", U16, CPUS, wire="running_priority"),
        Array("saved.current_pending", U16, CPUS, wire="current_pending"),
        Array("saved.bpr", U8, CPUS, wire="bpr", maximum=7), Array("saved.abpr", U8, CPUS, wire="abpr", maximum=7),
        Array("saved.apr", U32, APRS * CPUS, wire="apr"), Array("saved.nsapr", U32, APRS * CPUS, wire="nsapr"),
    ),
    subsections=(virtual_vmstate,),
    pre_save=lambda gic: gic.saved.fill(gic),
    post_load=lambda gic: gic.saved.take(gic),
)  # fmt: skip
