"""The registers of distributor and redistributors (IHI 0069H 12.8 to 12.11).

Non-secure accesses, where there is a difference, see the interrupts of non-secure group 1 alone, and their priorities
in the lower half of the range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyqemu.hw.intc.arm_gicv3 import ArmGicV3, Redistributor

# fmt: off
CTLR, TYPER, IIDR, STATUSR          = 0x0000, 0x0004, 0x0008, 0x0010
IGROUPR, ISENABLER, ISPENDR         = 0x0080, 0x0100, 0x0200
ISACTIVER, IPRIORITYR, ICFGR        = 0x0300, 0x0400, 0x0C00
IGRPMODR, NSACR, IROUTER            = 0x0D00, 0x0E00, 0x6000
GICR_TYPER, GICR_WAKER              = 0x0008, 0x0014
GICR_PROPBASER, GICR_PENDBASER      = 0x0070, 0x0078
SGI_FRAME                           = 0x10000
PRODUCT_ID                          = 0xFFD0

CTLR_GROUP0, CTLR_GROUP1NS, CTLR_GROUP1S, CTLR_ARE_NS, CTLR_DS = 1, 2, 4, 1 << 5, 1 << 6
# fmt: on
ARM_IMPLEMENTER = 0x43B
M32 = 0xFFFF_FFFF
WAKER_SLEEP = 2
REDISTRIBUTOR_SIZE = 0x20000
ID_DISTRIBUTOR, ID_REDISTRIBUTOR = 0x92, 0x93


def product_id(offset: int, part: int) -> int:
    """The last words of a frame: designed by Arm, architecture version 3 at 0xFFE8."""
    table = (0x44, 0, 0, 0, part, 0xB4, 0x3B, 0x00, 0x0D, 0xF0, 0x05, 0xB1)
    return table[offset - PRODUCT_ID >> 2]


class _Frame:
    """Registers of 32 bits, of which wider and narrower accesses get parts."""

    gic: ArmGicV3

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        if size == 8:
            return self._word(offset) | self._word(offset + 4) << 32
        return self._word(offset & ~3) >> 8 * (offset & 3) & (1 << 8 * size) - 1

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register, or one priority."""
        if size == 8:
            self._set_word(offset, value & M32)
            self._set_word(offset + 4, value >> 32)
        elif size == 4:
            self._set_word(offset, value)
        else:
            for n in range(size):
                self._set_byte(offset + n, value >> 8 * n & 0xFF)
        self.gic.update()

    def _word(self, offset: int) -> int:
        raise NotImplementedError

    def _set_word(self, offset: int, value: int) -> None:
        raise NotImplementedError

    def _set_byte(self, offset: int, value: int) -> None:
        raise NotImplementedError

    @property
    def _restricted(self) -> bool:
        """Whether the access that is going on may not see secure interrupts."""
        return not self.gic.single_state and not self.gic.secure_access()

    # -- what both have: bits and priorities of a number of interrupts

    def _visible(self, of: ArmGicV3 | Redistributor) -> int:
        return of.group if self._restricted else -1

    def _bits(self, of: ArmGicV3 | Redistributor, kind: int, first: int) -> int:
        """A word of a register of one bit each; *kind* is its offset without the index."""
        match kind:
            case 0x080:
                return 0 if self._restricted else of.group >> first & M32
            case 0x100 | 0x180:
                found = of.enabled
            case 0x200 | 0x280:
                found = of.asking
            case 0x300 | 0x380:
                found = of.active
            case _:
                return 0 if self._restricted or self.gic.single_state else of.grpmod >> first & M32
        return (found & self._visible(of)) >> first & M32

    def _set_bits(self, of: ArmGicV3 | Redistributor, kind: int, first: int, value: int, valid: int) -> None:
        mask = value << first & valid
        lane = M32 << first & valid
        if kind in (0x080, IGRPMODR):
            if not self._restricted:
                name = "group" if kind == 0x080 else "grpmod"
                if kind == 0x080 or not self.gic.single_state:
                    setattr(of, name, getattr(of, name) & ~lane | mask)
            return
        mask &= self._visible(of)
        name = {0x100: "enabled", 0x200: "pending", 0x300: "active"}[kind & ~0x80]
        present = getattr(of, name)
        setattr(of, name, present & ~mask if kind & 0x80 else present | mask)

    def _priority(self, of: ArmGicV3 | Redistributor, irq: int) -> int:
        if irq >= len(of.priority):
            return 0
        if not self._restricted:
            return of.priority[irq]
        return of.priority[irq] << 1 & 0xFF if of.group >> irq & 1 else 0

    def _set_priority(self, of: ArmGicV3 | Redistributor, irq: int, value: int, valid: int) -> None:
        if not valid >> irq & 1:
            return
        if self._restricted:
            if not of.group >> irq & 1:
                return
            value = 0x80 | value >> 1
        of.priority[irq] = value

    def _priorities(self, of: ArmGicV3 | Redistributor, first: int) -> int:
        return sum(self._priority(of, first + n) << 8 * n for n in range(4))

    def _config(self, of: ArmGicV3 | Redistributor, first: int) -> int:
        edge = of.edge & self._visible(of)
        return sum((edge >> first + n & 1) << 2 * n + 1 for n in range(16))

    def _set_config(self, of: ArmGicV3 | Redistributor, first: int, value: int, valid: int) -> None:
        edges = sum((value >> 2 * n + 1 & 1) << n for n in range(16))
        lane = 0xFFFF << first & valid & self._visible(of)
        of.edge = of.edge & ~lane | edges << first & lane


class DistributorV3(_Frame):
    """GICD: interrupts from 32 on."""

    def __init__(self, gic: ArmGicV3) -> None:
        self.gic = gic

    def _word(self, offset: int) -> int:
        gic = self.gic
        if IROUTER <= offset < IROUTER + 8 * 1020:
            return self._router(offset)
        if offset >= PRODUCT_ID:
            return product_id(offset, ID_DISTRIBUTOR)
        if 0x080 <= offset < IPRIORITYR or IGRPMODR <= offset < IGRPMODR + 0x80:
            return self._bits(gic, offset & ~0x7F, (offset & 0x7F) * 8)
        if IPRIORITYR <= offset < IPRIORITYR + 0x400:
            return self._priorities(gic, offset - IPRIORITYR)
        if ICFGR <= offset < ICFGR + 0x100:
            return self._config(gic, (offset - ICFGR) * 4)
        if NSACR <= offset < NSACR + 0x100:
            return 0 if gic.single_state or self._restricted else gic.gicd_nsacr[offset - NSACR >> 2]
        match offset:
            case 0x00:
                return self._control()
            case 0x04:
                return self._type()
            case 0x08:
                return ARM_IMPLEMENTER
            case _:
                return 0

    def _control(self) -> int:
        value = self.gic.gicd_ctlr
        if self._restricted:  # 12.9.4: its own enable and routing bit, each a place lower
            return value & CTLR_GROUP1NS | (value & CTLR_ARE_NS) >> 1
        return value

    def _type(self) -> int:
        gic = self.gic
        secure = not gic.single_state
        return gic.num_irq // 32 - 1 | secure << 10 | 0xF << 19 | 1 << 24 | 1 << 25

    def _router(self, offset: int) -> int:
        gic, irq = self.gic, offset - IROUTER >> 3
        if irq < 32 or irq >= gic.num_irq or not self._may_route(irq):
            return 0
        return gic.gicd_irouter[irq] >> 8 * (offset & 4) & M32

    def _may_route(self, irq: int) -> bool:
        gic = self.gic
        return not self._restricted or bool(gic.group >> irq & 1) or gic.gicd_nsacr[irq >> 4] >> 2 * (irq & 15) & 3 == 3

    def _set_word(self, offset: int, value: int) -> None:
        gic = self.gic
        if IROUTER <= offset < IROUTER + 8 * 1020:
            self._set_router(offset, value)
        elif 0x080 <= offset < IPRIORITYR or IGRPMODR <= offset < IGRPMODR + 0x80:
            self._set_bits(gic, offset & ~0x7F, (offset & 0x7F) * 8, value, gic.shared)
        elif IPRIORITYR <= offset < IPRIORITYR + 0x400:
            for n in range(4):
                self._set_priority(gic, offset - IPRIORITYR + n, value >> 8 * n & 0xFF, gic.shared)
        elif ICFGR <= offset < ICFGR + 0x100:
            self._set_config(gic, (offset - ICFGR) * 4, value, gic.shared)
        elif NSACR <= offset < NSACR + 0x100:
            if not gic.single_state and not self._restricted:
                gic.gicd_nsacr[offset - NSACR >> 2] = value
        elif offset == CTLR:
            self._set_control(value)

    def _set_byte(self, offset: int, value: int) -> None:
        if IPRIORITYR <= offset < IPRIORITYR + 0x400:
            self._set_priority(self.gic, offset - IPRIORITYR, value, self.gic.shared)

    def _set_control(self, value: int) -> None:
        gic = self.gic
        if gic.single_state:
            mask = CTLR_GROUP0 | CTLR_GROUP1NS
        elif self._restricted:
            mask = CTLR_GROUP1NS
        else:
            mask = CTLR_GROUP0 | CTLR_GROUP1NS | CTLR_GROUP1S
            mask |= value & CTLR_DS  # which stays, once it is set
        gic.gicd_ctlr = gic.gicd_ctlr & ~mask | value & mask

    def _set_router(self, offset: int, value: int) -> None:
        gic, irq = self.gic, offset - IROUTER >> 3
        if 32 <= irq < gic.num_irq and self._may_route(irq):
            shift = 8 * (offset & 4)
            gic.route(irq, gic.gicd_irouter[irq] & ~(M32 << shift) | value << shift)


class Redistributors(_Frame):
    """GICR: of each processor a frame for itself and one for its interrupts 0 to 31."""

    def __init__(self, gic: ArmGicV3) -> None:
        self.gic = gic

    def _word(self, offset: int) -> int:
        cpu = self.gic.cpus[offset // REDISTRIBUTOR_SIZE]
        offset %= REDISTRIBUTOR_SIZE
        if offset >= SGI_FRAME:
            return self._private(cpu, offset - SGI_FRAME)
        if offset >= PRODUCT_ID:
            return product_id(offset, ID_REDISTRIBUTOR)
        match offset:
            case 0x00:
                return cpu.gicr_ctlr
            case 0x04:
                return ARM_IMPLEMENTER
            case 0x08:  # 12.11.36: its number, whether it is the last one, and that Aff3 tells who shares tables
                return 1 << 24 | cpu.number << 8 | (cpu is self.gic.cpus[-1]) << 4
            case 0x0C:
                return cpu.affinity
            case 0x14:
                return 0 if self._restricted else cpu.gicr_waker
            case 0x70 | 0x74:
                return cpu.gicr_propbaser >> 8 * (offset & 4) & M32
            case 0x78 | 0x7C:
                return cpu.gicr_pendbaser >> 8 * (offset & 4) & M32
            case _:
                return 0

    def _private(self, cpu: Redistributor, offset: int) -> int:
        if offset in range(0x080, IPRIORITYR, 0x80) or offset == IGRPMODR:
            return self._bits(cpu, offset, 0)
        if IPRIORITYR <= offset < IPRIORITYR + 32:
            return self._priorities(cpu, offset - IPRIORITYR)
        match offset:
            case 0xC00 | 0xC04:
                return self._config(cpu, (offset & 4) * 4)
            case 0xE00:
                return 0 if self.gic.single_state or self._restricted else cpu.gicr_nsacr
            case _:
                return 0

    def _set_word(self, offset: int, value: int) -> None:
        cpu = self.gic.cpus[offset // REDISTRIBUTOR_SIZE]
        offset %= REDISTRIBUTOR_SIZE
        if offset >= SGI_FRAME:
            self._set_private(cpu, offset - SGI_FRAME, value)
        elif offset == GICR_WAKER and not self._restricted:
            value &= WAKER_SLEEP  # its children sleep and wake at once
            cpu.gicr_waker = value | value << 1
        elif offset in (0x70, 0x74):
            cpu.gicr_propbaser = _half(cpu.gicr_propbaser, offset, value)
        elif offset in (0x78, 0x7C):
            cpu.gicr_pendbaser = _half(cpu.gicr_pendbaser, offset, value)

    def _set_private(self, cpu: Redistributor, offset: int, value: int) -> None:
        if offset in range(0x080, IPRIORITYR, 0x80) or offset == IGRPMODR:
            self._set_bits(cpu, offset, 0, value, M32)
        elif IPRIORITYR <= offset < IPRIORITYR + 32:
            for n in range(4):
                self._set_priority(cpu, offset - IPRIORITYR + n, value >> 8 * n & 0xFF, M32)
        elif offset == ICFGR + 4:  # software interrupts are edges for good
            self._set_config(cpu, 16, value, M32)
        elif offset == NSACR and not self.gic.single_state and not self._restricted:
            cpu.gicr_nsacr = value

    def _set_byte(self, offset: int, value: int) -> None:
        cpu = self.gic.cpus[offset // REDISTRIBUTOR_SIZE]
        irq = offset % REDISTRIBUTOR_SIZE - SGI_FRAME - IPRIORITYR
        if 0 <= irq < 32:
            self._set_priority(cpu, irq, value, M32)


def _half(present: int, offset: int, value: int) -> int:
    """A register of 64 bits with another lower or upper half."""
    shift = 8 * (offset & 4)
    return present & ~(M32 << shift) | value << shift
