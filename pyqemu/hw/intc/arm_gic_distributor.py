"""The registers of the distributor (IHI 0048B 4.3, table 4-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyqemu.hw.intc.arm_gic import ArmGic

# fmt: off
CTLR, TYPER, IIDR       = 0x000, 0x004, 0x008
IGROUPR                 = 0x080
ISENABLER, ICENABLER    = 0x100, 0x180
ISPENDR, ICPENDR        = 0x200, 0x280
ISACTIVER, ICACTIVER    = 0x300, 0x380
IPRIORITYR              = 0x400
ITARGETSR               = 0x800
ICFGR                   = 0xC00
SGIR                    = 0xF00
CPENDSGIR, SPENDSGIR    = 0xF10, 0xF20
IDENTIFICATION          = 0xFD0
# fmt: on

ARM_IMPLEMENTER = 0x43B
M32 = 0xFFFF_FFFF
INTERNAL = 32

# from 0xFD0 on, a byte in each word
ID_11MPCORE = bytes((0x00, 0, 0, 0, 0x90, 0x13, 0x04, 0x00, 0x0D, 0xF0, 0x05, 0xB1))
ID_GICV1 = bytes((0x04, 0, 0, 0, 0x90, 0xB3, 0x1B, 0x00, 0x0D, 0xF0, 0x05, 0xB1))
ID_GICV2 = bytes((0x04, 0, 0, 0, 0x90, 0xB4, 0x2B, 0x00, 0x0D, 0xF0, 0x05, 0xB1))


class Distributor:
    """The registers, a byte at a time, as they may be accessed; those of interrupts 0 to 31 are banked.

    Non-secure software of a controller with security extensions sees interrupts of group 1 alone, and their
    priorities in the lower half of the range (3.5.3).
    """

    def __init__(self, gic: ArmGic) -> None:
        self.gic = gic
        self.ctlr = 0

    # -- reading

    def read(self, offset: int, size: int) -> int:
        """Read a register, or a part of one."""
        cpu, secure = self.gic.requester()
        return sum(self._read_byte(offset + n, cpu, secure) << 8 * n for n in range(size))

    def _read_byte(self, offset: int, cpu: int, secure: bool) -> int:
        if offset < IGROUPR:
            return self._control(offset & ~3, secure) >> 8 * (offset & 3) & 0xFF
        if offset < IPRIORITYR:
            return self._bitmap(offset, cpu, secure)
        irq = offset & 0x3FF
        if offset < ITARGETSR:
            return self._read_priority(irq, cpu, secure)
        if offset < ICFGR:
            return self._read_target(irq, cpu)
        if offset < SGIR:
            return self._read_config((offset - ICFGR) * 4, cpu, secure)
        if offset >= IDENTIFICATION:
            return self._identification(offset)
        if CPENDSGIR <= offset < SPENDSGIR + 0x10 and not self.gic.is_11mpcore:
            sgi = offset & 0xF
            hidden = self._hides(sgi, cpu, secure)
            return 0 if hidden else self.gic.sgi_sources[sgi][cpu]
        return 0

    def _hides(self, irq: int, cpu: int, secure: bool) -> bool:
        """Whether an access may not know of an interrupt."""
        gic = self.gic
        return gic.security_extn and not secure and not gic.group.test(irq, cpu)

    def _visible(self, cpu: int, secure: bool) -> int:
        """The interrupts that an access may know of, as a mask."""
        gic = self.gic
        return gic.valid & gic.group.of(cpu) if gic.security_extn and not secure else gic.valid

    def _control(self, offset: int, secure: bool) -> int:
        gic = self.gic
        if offset == CTLR:
            return self.ctlr >> 1 & 1 if gic.security_extn and not secure else self.ctlr
        if offset == TYPER:
            return gic.num_irq // 32 - 1 | gic.num_cpu - 1 << 5 | gic.security_extn << 10
        if offset == IIDR and not gic.is_11mpcore:
            return ARM_IMPLEMENTER
        return 0

    def _bitmap(self, offset: int, cpu: int, secure: bool) -> int:
        gic = self.gic
        first = (offset & 0x7F) * 8
        visible = self._visible(cpu, secure)
        match offset & ~0x7F:
            case 0x080:
                return gic.group.of(cpu) >> first & 0xFF if gic.has_groups and (secure or not gic.security_extn) else 0
            case 0x100 | 0x180:
                found = gic.enabled.of(cpu)
            case 0x200 | 0x280:
                found = gic.asking(cpu)
            case _:
                found = gic.active.of(cpu)
        return (found & visible) >> first & 0xFF

    def _read_priority(self, irq: int, cpu: int, secure: bool) -> int:
        gic = self.gic
        if irq >= gic.num_irq or self._hides(irq, cpu, secure):
            return 0
        priority = gic.priority(irq, cpu)
        return priority << 1 & 0xFF if gic.security_extn and not secure else priority

    def _read_target(self, irq: int, cpu: int) -> int:
        gic = self.gic
        if irq >= gic.num_irq or (gic.num_cpu == 1 and not gic.is_11mpcore):
            return 0  # 4.3.12: there is no choice
        if irq < INTERNAL:
            return 0 if gic.is_11mpcore and irq < 29 else 1 << cpu
        return sum((gic.targets[each] >> irq & 1) << each for each in range(gic.num_cpu))

    def _read_config(self, first: int, cpu: int, secure: bool) -> int:
        """Two bits each: the upper one for edges, the lower one for the 11MPCore's way of sharing."""
        gic = self.gic
        edge = gic.edge.of(cpu) & self._visible(cpu, secure)
        model = gic.model.of(cpu) & gic.valid if gic.is_11mpcore else 0
        return sum((edge >> first + n & 1) << 2 * n + 1 | (model >> first + n & 1) << 2 * n for n in range(4))

    def _identification(self, offset: int) -> int:
        if offset & 3:
            return 0
        gic = self.gic
        table = ID_11MPCORE if gic.is_11mpcore else ID_GICV1 if gic.revision == 1 else ID_GICV2
        return table[offset - IDENTIFICATION >> 2]

    # -- writing

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register, or a part of one."""
        cpu, secure = self.gic.requester()
        if size == 4 and offset == SGIR:
            self._software_interrupt(value, cpu)
            return
        for n in range(size):
            self._write_byte(offset + n, value >> 8 * n & 0xFF, cpu, secure)
        self.gic.update()

    def _write_byte(self, offset: int, value: int, cpu: int, secure: bool) -> None:
        if offset < IGROUPR:
            if offset == CTLR:
                self._write_control(value, secure)
        elif offset < IPRIORITYR:
            self._write_bitmap(offset, value, cpu, secure)
        elif offset < ITARGETSR:
            self._write_priority(offset & 0x3FF, value, cpu, secure)
        elif offset < ICFGR:
            self._write_target(offset & 0x3FF, value)
        elif offset < SGIR:
            self._write_config((offset - ICFGR) * 4, value, cpu, secure)
        elif CPENDSGIR <= offset < SPENDSGIR + 0x10 and not self.gic.is_11mpcore:
            self._write_sgi_pending(offset, value, cpu, secure)

    def _write_control(self, value: int, secure: bool) -> None:
        gic = self.gic
        if gic.security_extn and not secure:
            self.ctlr = self.ctlr & ~2 | (value & 1) << 1
        else:
            self.ctlr = value & (3 if gic.has_groups else 1)

    def _write_bitmap(self, offset: int, value: int, cpu: int, secure: bool) -> None:
        gic = self.gic
        mask = value << (offset & 0x7F) * 8
        if offset & ~0x7F == IGROUPR:
            if gic.has_groups and (secure or not gic.security_extn):
                lane = 0xFF << (offset & 0x7F) * 8 & gic.valid
                gic.group.change(lane & ~mask, cpu, False)
                gic.group.change(lane & mask, cpu, True)
            return
        mask &= self._visible(cpu, secure)
        setting = not offset & 0x80
        match offset & ~0xFF:
            case 0x100:
                self._enable(mask & ~0xFFFF, cpu, setting)  # SGIs are enabled for good
            case 0x200:
                gic.pending.change(mask & ~0xFFFF, cpu, setting)  # theirs is in registers of its own
            case _:
                if not gic.is_11mpcore:
                    gic.active.change(mask, cpu, setting)

    def _enable(self, mask: int, cpu: int, on: bool) -> None:
        gic = self.gic
        gic.enabled.change(mask, cpu, on)
        if on and gic.is_11mpcore:  # a line that is high makes a level interrupt pending once it is enabled
            held = mask & gic.level.of(cpu) & ~gic.edge.of(cpu)
            gic.pending.change(held, cpu, True)

    def _write_priority(self, irq: int, value: int, cpu: int, secure: bool) -> None:
        gic = self.gic
        if irq >= gic.num_irq or self._hides(irq, cpu, secure):
            return
        if gic.security_extn and not secure:
            value = 0x80 | value >> 1
        if irq < INTERNAL:
            gic.priority1[cpu][irq] = value
        else:
            gic.priority2[irq - INTERNAL] = value

    def _write_target(self, irq: int, value: int) -> None:
        gic = self.gic
        if not INTERNAL <= irq < gic.num_irq or (gic.num_cpu == 1 and not gic.is_11mpcore):
            return
        for cpu in range(gic.num_cpu):
            gic.targets[cpu] = gic.targets[cpu] & ~(1 << irq) | (value >> cpu & 1) << irq

    def _write_config(self, first: int, value: int, cpu: int, secure: bool) -> None:
        gic = self.gic
        for n in range(4):
            irq = first + n
            if irq >= gic.num_irq or irq < 16 or self._hides(irq, cpu, secure):
                continue
            gic.edge.change(1 << irq, cpu, value >> 2 * n + 1 & 1)
            if gic.is_11mpcore:
                gic.model.change(1 << irq, cpu, value >> 2 * n & 1)

    def _write_sgi_pending(self, offset: int, value: int, cpu: int, secure: bool) -> None:
        gic = self.gic
        sgi = offset & 0xF
        if self._hides(sgi, cpu, secure):
            return
        if offset < SPENDSGIR:
            gic.sgi_sources[sgi][cpu] &= ~value
        else:
            gic.sgi_sources[sgi][cpu] |= value
        gic.pending.change(1 << sgi, cpu, gic.sgi_sources[sgi][cpu])

    def _software_interrupt(self, value: int, cpu: int) -> None:
        """SGIR, 4.3.15: to a list, to all others, or to the sender."""
        match value >> 24 & 3:
            case 0:
                targets = value >> 16 & 0xFF
            case 1:
                targets = 0xFF & ~(1 << cpu)
            case 2:
                targets = 1 << cpu
            case _:
                return
        self.gic.send_sgi(value & 0xF, targets, cpu)
