"""The interrupt controllers for people: ``info pic``, ``info irq``, ``info ioapic``, ``info lapic``."""

from __future__ import annotations

from collections.abc import Iterable

from pyqemu.hw.intc import apic as local
from pyqemu.hw.intc.apic import Apic
from pyqemu.hw.intc.i8259 import I8259, Pic
from pyqemu.hw.intc.ioapic import IOREDTBL, LEVEL, MASKED, REMOTE_IRR, IoApic

_ACTIVE_LOW, _LOGICAL, _PENDING = 1 << 13, 1 << 11, 1 << 12
_PIN_MODES = ("fixed", "lowest", "SMI", "...", "NMI", "INIT", "...", "extINT")
_LVT_MODES = ("Fixed", "...", "SMI", "...", "NMI", "INIT", "...", "ExtINT")
_LVTS = (
    ("LVT0", local.LVT_LINT0),
    ("LVT1", local.LVT_LINT1),
    ("LVTPC", local.LVT_PERFORMANCE),
    ("LVTERR", local.LVT_ERROR),
    ("LVTTHMR", local.LVT_THERMAL),
    ("LVTT", local.LVT_TIMER),
)
_SHORTHANDS = ("no-shorthand", "self", "all-self", "all")


def pic_text(pic: Pic) -> str:
    """``info pic``: both 8259s."""
    return "\n".join(_chip_line(number, chip) for number, chip in enumerate((pic.master, pic.slave)))


def _chip_line(number: int, chip: I8259) -> str:
    return (
        f"pic{number}: irr={chip.irr:02x} imr={chip.imr:02x} isr={chip.isr:02x} hprio={chip.priority_add} "
        f"irq_base={chip.irq_base:02x} rr_sel={chip.read_reg_select} elcr={chip.elcr:02x} "
        f"fnm={chip.special_fully_nested_mode}"
    )


def irq_text(pic: Pic) -> str:
    """``info irq``: how often each line rose."""
    lines = (f"{number:2}: {line.edges}" for number, line in enumerate(pic.inputs) if line.edges)
    return "\n".join(["IRQ statistics:", *lines])


def ioapic_text(chip: IoApic) -> str:
    """``info ioapic``: the redirection table."""
    head = f"ioapic id=0x{chip.id:02x} sel=0x{chip.ioregsel:02x}"
    if chip.ioregsel >= IOREDTBL:
        head += f" (redir[{(chip.ioregsel - IOREDTBL) >> 1}])"
    remote = [pin for pin, entry in enumerate(chip.ioredtbl) if entry & LEVEL and entry & REMOTE_IRR]
    waiting = [pin for pin in range(len(chip.ioredtbl)) if chip.irr >> pin & 1]
    return "\n".join(
        [head, *map(_pin_line, range(len(chip.ioredtbl)), chip.ioredtbl),
         f"IRR      {_numbers(waiting)}", f"Remote IRR {_numbers(remote)}"]
    )  # fmt: skip


def _pin_line(pin: int, entry: int) -> str:
    destination = entry >> 56 & (0xFF if entry & _LOGICAL else 0xF)
    return (
        f"pin {pin:<2} 0x{entry:016x} dest={destination:x} vec={entry & 0xFF:<3} "
        f"{'active-lo' if entry & _ACTIVE_LOW else 'active-hi'} {'level' if entry & LEVEL else 'edge':5} "
        f"{'masked' if entry & MASKED else '':6} {_PIN_MODES[entry >> 8 & 7]:6} "
        f"{'logical' if entry & _LOGICAL else 'physical'}"
    )


def _numbers(numbers: Iterable[int]) -> str:
    return " ".join(str(number) for number in numbers) or "(none)"


def apic_text(apic: Apic) -> str:
    """``info lapic``: the registers of a processor's local APIC."""
    divisor = 1 << apic.count_shift
    enabled = "enabled" if apic.spurious_vec & local.SPURIOUS_ENABLE else "disabled"
    focus = "on" if apic.spurious_vec & 1 << 9 else "off"
    return "\n".join(
        [
            f"dumping local APIC state for CPU {apic.id:<2}",
            "",
            *(_lvt_line(name, number, apic.lvt[number]) for name, number in _LVTS),
            f"Timer\t DCR=0x{apic.divide_conf:x} (divide by {divisor}) initial_count = {apic.initial_count}"
            f" current_count = {apic.current_count()}",
            f"SPIV\t 0x{apic.spurious_vec:08x} APIC {enabled}, focus={focus}, spurious vec {apic.spurious_vec & 0xFF}",
            *_icr_lines(apic),
            f"ESR\t 0x{apic.esr:08x}",
            f"ISR\t {_vectors(apic.isr, apic.tmr)}",
            f"IRR\t {_vectors(apic.irr, apic.tmr)}",
            "",
            f"APR 0x{apic.arb_id:02x} TPR 0x{apic.tpr:02x} DFR 0x{apic.dest_mode:02x} LDR 0x{apic.log_dest:02x} "
            f"PPR 0x{apic.processor_priority():02x}",
        ]
    )


def _lvt_line(name: str, number: int, lvt: int) -> str:
    mode = lvt >> 8 & 7
    timer = ("periodic" if lvt & local.LVT_PERIODIC else "one-shot") if number == local.LVT_TIMER else ""
    line = (
        f"{name}\t 0x{lvt:08x} {'active-lo' if lvt & _ACTIVE_LOW else 'active-hi'} "
        f"{'level' if lvt & local.LVT_LEVEL else 'edge':5} {'masked' if lvt & local.LVT_MASKED else '':6} "
        f"{'pending' if lvt & _PENDING else '':7} {timer:12} {_LVT_MODES[mode]:6}"
    )
    return f"{line} (vec {lvt & 0xFF})" if mode == 0 else line.rstrip()


def _icr_lines(apic: Apic) -> list[str]:
    low, high = apic.icr
    logical, shorthand = bool(low & _LOGICAL), low >> 18 & 3
    first = (
        f"ICR\t 0x{low:08x} {'logical' if logical else 'physical'} {'level' if low & 1 << 15 else 'edge'} "
        f"{'assert' if low & 1 << 14 else 'de-assert'} {_SHORTHANDS[shorthand]}"
    )
    second = f"ICR2\t 0x{high:08x}"
    if not shorthand:
        destination = high >> 24
        second += f" mask {destination:08b} (APIC ID)" if logical else f" cpu {destination} (APIC ID)"
    return [first, second]


def _vectors(bits: int, levels: int) -> str:
    found = (n for n in range(256) if bits >> n & 1)
    return " ".join(f"{n}{'(level)' if levels >> n & 1 else ''}" for n in found) or "(none)"
