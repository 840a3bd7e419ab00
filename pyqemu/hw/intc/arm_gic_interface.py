"""A processor's interface to the interrupt controller (IHI 0048B 4.4, table 4-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyqemu.hw.intc.arm_gic import ArmGic

# fmt: off
CTLR, PMR, BPR, IAR, EOIR, RPR, HPPIR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18
ABPR, AIAR, AEOIR, AHPPIR             = 0x1C, 0x20, 0x24, 0x28
APR, NSAPR, IIDR, DIR                 = 0xD0, 0xE0, 0xFC, 0x1000
# fmt: on

CTLR_ENABLE_GROUP0, CTLR_ENABLE_GROUP1, CTLR_ACK, CTLR_FIQ, CTLR_CBPR = 0x01, 0x02, 0x04, 0x08, 0x10
CTLR_EOI_SECURE, CTLR_EOI_NONSECURE = 1 << 9, 1 << 10
SPURIOUS, SPURIOUS_GROUP1 = 1023, 1022
IDLE = 0x100
"""Running priority of a processor that handles no interrupt."""
MIN_ABPR = 1
SGIS = 16


class Interface:
    """The interface of one processor."""

    def __init__(self, gic: ArmGic, cpu: int) -> None:
        self.gic = gic
        self.cpu = cpu
        self.reset(0)

    def reset(self, priority_mask: int) -> None:
        """4.4: off, nothing active."""
        self.ctlr = 0
        self.priority_mask = priority_mask
        self.bpr, self.abpr = 0, MIN_ABPR
        self.apr = [0] * 4  # of each group: which priorities are active, a bit for two each
        self.nsapr = [0] * 4
        self.current_pending = SPURIOUS
        self.current_group = 0

    # -- what it shows

    @property
    def running_priority(self) -> int:
        """The priority of what is being handled: the most urgent that is active; 256 if nothing is."""
        for word, (group0, group1) in enumerate(zip(self.apr, self.nsapr, strict=True)):
            if active := group0 | group1:
                return (32 * word + (active & -active).bit_length() - 1) * 2
        return IDLE

    def update(self) -> None:
        """Drive the processor's IRQ and FIQ from state."""
        gic = self.gic
        self.current_pending = SPURIOUS
        irq_level = fiq_level = False
        if self.ctlr & 3 and gic.distributor.ctlr & 3:
            irq, priority = gic.most_urgent(self.cpu)
            if priority < self.priority_mask:
                self.current_pending = irq
                group = int(gic.has_groups and gic.group.test(irq, self.cpu))
                self.current_group = group
                if priority < self.running_priority and self.ctlr >> group & 1:
                    fiq_level = not group and bool(self.ctlr & CTLR_FIQ)
                    irq_level = not fiq_level
        if self.cpu < len(gic.outputs):
            irq_line, fiq_line = gic.outputs[self.cpu]
            irq_line.set(irq_level)
            fiq_line.set(fiq_level)

    # -- acknowledging

    def _restricted(self, secure: bool) -> bool:
        return self.gic.security_extn and not secure

    def pending_for(self, secure: bool) -> int:
        """The number of the most urgent interrupt as an access may know it (HPPIR and IAR)."""
        if self.current_pending == SPURIOUS or not self.gic.has_groups:
            return self.current_pending
        if not self.current_group:
            return SPURIOUS if self._restricted(secure) else self.current_pending
        if self._restricted(secure) or self.ctlr & CTLR_ACK:
            return self.current_pending
        return SPURIOUS_GROUP1

    def _group_priority(self, irq: int) -> int:
        """The part of an interrupt's priority that counts for preemption (3.3.3)."""
        group = self.gic.has_groups and self.gic.group.test(irq, self.cpu)
        if group and not self.ctlr & CTLR_CBPR:
            return self.gic.priority(irq, self.cpu) & -1 << self.abpr
        return self.gic.priority(irq, self.cpu) & -1 << self.bpr + 1

    def acknowledge(self, secure: bool) -> int:
        """IAR, 4.4.4: the interrupt becomes active; its number, with the sender of a software interrupt."""
        irq = self.pending_for(secure)
        gic, cpu = self.gic, self.cpu
        if irq >= SPURIOUS_GROUP1 or gic.priority(irq, cpu) >= self.running_priority:
            return irq if irq >= SPURIOUS_GROUP1 else SPURIOUS
        result = irq
        more = False
        if (irq < SGIS and not gic.is_11mpcore) or (irq < SGIS and gic.sgi_sources[irq][cpu]):
            sources = gic.sgi_sources[irq][cpu]
            source = (sources & -sources).bit_length() - 1 if sources else 0
            gic.sgi_sources[irq][cpu] = sources & ~(1 << source)
            more = bool(gic.sgi_sources[irq][cpu])
            result = irq | source << 10
        self._activate(irq)
        gic.pending.change(1 << irq, cpu, more)
        gic.update()
        return result

    def _activate(self, irq: int) -> None:
        gic = self.gic
        level = (self._group_priority(irq) & 0xFF) >> 1
        aprs = self.nsapr if gic.has_groups and gic.group.test(irq, self.cpu) else self.apr
        aprs[level >> 5] |= 1 << (level & 31)
        gic.active.change(1 << irq, self.cpu, True)

    def complete(self, irq: int, secure: bool) -> None:
        """EOIR, 4.4.5: the priority drops, and unless that is a step of its own, the interrupt is done."""
        gic, cpu = self.gic, self.cpu
        if irq >= gic.num_irq or self.running_priority == IDLE:
            return
        group = bool(gic.has_groups and gic.group.test(irq, cpu))
        if self._restricted(secure) and not group:
            return
        if gic.is_11mpcore:  # a line that is still high counts as a new request
            held = gic.level.test(irq, cpu) and not gic.edge.test(irq, cpu) and gic.enabled.test(irq, cpu)
            if held and (irq < 32 or gic.targets[cpu] >> irq & 1):
                gic.pending.change(1 << irq, cpu, True)
        self._drop_priority(self.nsapr if group else self.apr)
        if not self._splits_eoi(secure):
            gic.deactivate(irq, cpu)
        gic.update()

    @staticmethod
    def _drop_priority(aprs: list[int]) -> None:
        for word, active in enumerate(aprs):
            if active:
                aprs[word] = active & active - 1
                return

    def _splits_eoi(self, secure: bool) -> bool:
        if self.gic.revision != 2:
            return False
        return bool(self.ctlr & (CTLR_EOI_NONSECURE if self._restricted(secure) else CTLR_EOI_SECURE))

    def deactivate(self, irq: int, secure: bool) -> None:
        """DIR, 4.4.15: what EOIR left out."""
        gic = self.gic
        if irq >= gic.num_irq or not self._splits_eoi(secure):
            return
        if self._restricted(secure) and not gic.group.test(irq, self.cpu):
            return
        gic.deactivate(irq, self.cpu)
        gic.update()

    # -- registers

    def read(self, offset: int, secure: bool) -> int:
        """Read a register."""
        gic = self.gic
        restricted = self._restricted(secure)
        match offset:
            case 0x00:
                return self._read_control(restricted)
            case 0x04:
                return self._as_seen(self.priority_mask, restricted)
            case 0x08:
                return self._read_bpr(restricted)
            case 0x0C:
                return self.acknowledge(secure)
            case 0x14:
                running = self.running_priority
                return 0xFF if running == IDLE else self._as_seen(running, restricted)
            case 0x18:
                return self.pending_for(secure)
            case 0x1C:
                return self.abpr if gic.has_groups and not restricted else 0
            case 0xD0 | 0xD4 | 0xD8 | 0xDC:
                word = offset - APR >> 2
                return self._nonsecure_apr(word) if restricted else self.apr[word]
            case 0xE0 | 0xE4 | 0xE8 | 0xEC:
                return self.nsapr[offset - NSAPR >> 2] if gic.revision == 2 and not restricted else 0
            case 0xFC:
                return 0 if gic.is_11mpcore else gic.revision << 16 | 0x43B
            case _:
                return 0

    def write(self, offset: int, value: int, secure: bool) -> None:
        """Write a register."""
        gic = self.gic
        restricted = self._restricted(secure)
        match offset:
            case 0x00:
                self._write_control(value, restricted)
            case 0x04:
                self._write_priority_mask(value & 0xFF, restricted)
            case 0x08:
                self._write_bpr(value & 7, restricted)
            case 0x10:
                self.complete(value & 0x3FF, secure)
            case 0x1C:
                if gic.has_groups and not restricted:
                    self.abpr = max(value & 7, MIN_ABPR)
            case 0xD0 | 0xD4 | 0xD8 | 0xDC:
                if not restricted:
                    self.apr[offset - APR >> 2] = value
            case 0xE0 | 0xE4 | 0xE8 | 0xEC:
                if gic.revision == 2 and not restricted:
                    self.nsapr[offset - NSAPR >> 2] = value
            case 0x1000:
                self.deactivate(value & 0x3FF, secure)
        gic.update(self.cpu)

    def _as_seen(self, priority: int, restricted: bool) -> int:
        """A priority by the ranges of non-secure software: its own half, or 0."""
        if not restricted:
            return priority
        return priority << 1 & 0xFF if priority & 0x80 else 0

    def _nonsecure_apr(self, word: int) -> int:
        """The half of the levels that non-secure software has, from the first register on (4.4.10)."""
        return self.nsapr[word + 2] if word < 2 and self.gic.revision == 2 else 0

    def _read_control(self, restricted: bool) -> int:
        if not restricted:
            return self.ctlr
        value = self.ctlr & ~(CTLR_ENABLE_GROUP0 | CTLR_ACK | CTLR_FIQ | CTLR_CBPR | CTLR_EOI_SECURE)
        value = value >> 1 & ~CTLR_EOI_SECURE
        return value | CTLR_EOI_SECURE if self.ctlr & CTLR_EOI_NONSECURE else value

    def _write_control(self, value: int, restricted: bool) -> None:
        gic = self.gic
        if restricted:
            mask = CTLR_ENABLE_GROUP1 | (CTLR_EOI_NONSECURE if gic.revision == 2 else 0)
            moved = value << 1 & CTLR_ENABLE_GROUP1 | (CTLR_EOI_NONSECURE if value & CTLR_EOI_SECURE else 0)
            self.ctlr = self.ctlr & ~mask | moved & mask
        elif gic.revision == 2:
            self.ctlr = value & (0x61F if gic.security_extn else 0x21F)
        else:
            self.ctlr = value & (0x1F if gic.security_extn else 0x01)

    def _write_priority_mask(self, value: int, restricted: bool) -> None:
        if not restricted:
            self.priority_mask = value
        elif self.priority_mask & 0x80:
            self.priority_mask = 0x80 | value >> 1

    def _read_bpr(self, restricted: bool) -> int:
        if not restricted:
            return self.bpr
        return min(self.bpr + 1, 7) if self.ctlr & CTLR_CBPR else self.abpr

    def _write_bpr(self, value: int, restricted: bool) -> None:
        if not restricted:
            self.bpr = value
        elif not self.ctlr & CTLR_CBPR:
            self.abpr = max(value, MIN_ABPR)


class InterfaceView:
    """The registers of a given processor's interface, or of that of whoever accesses them."""

    def __init__(self, gic: ArmGic, cpu: int | None) -> None:
        self.gic = gic
        self.cpu = cpu

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        cpu, secure = self.gic.requester()
        return self.gic.interfaces[cpu if self.cpu is None else self.cpu].read(offset, secure)

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        cpu, secure = self.gic.requester()
        self.gic.interfaces[cpu if self.cpu is None else self.cpu].write(offset, value, secure)
