"""PCI for people: ``info pci``, and a function's lines in ``info qtree``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.hw.pci import regs

if TYPE_CHECKING:
    from pyqemu.hw.pci.bus import PciBus
    from pyqemu.hw.pci.device import Bar, PciDevice

NOWHERE = (1 << 64) - 1  # what is shown of a BAR that maps nothing

# fmt: off
CLASSES = {
    0x0100: "SCSI controller",     0x0101: "IDE controller",       0x0102: "Floppy controller",
    0x0103: "IPI controller",      0x0104: "RAID controller",      0x0106: "SATA controller",
    0x0180: "Storage controller",  0x0200: "Ethernet controller",  0x0201: "Token Ring controller",
    0x0202: "FDDI controller",     0x0203: "ATM controller",       0x0280: "Network controller",
    0x0300: "VGA controller",      0x0301: "XGA controller",       0x0302: "3D controller",
    0x0380: "Display controller",  0x0400: "Video controller",     0x0401: "Audio controller",
    0x0402: "Phone",               0x0403: "Audio controller",     0x0480: "Multimedia controller",
    0x0500: "RAM controller",      0x0501: "Flash controller",     0x0580: "Memory controller",
    0x0600: "Host bridge",         0x0601: "ISA bridge",           0x0602: "EISA bridge",
    0x0603: "MC bridge",           0x0604: "PCI bridge",           0x0605: "PCMCIA bridge",
    0x0606: "NUBUS bridge",        0x0607: "CARDBUS bridge",       0x0608: "RACEWAY bridge",
    0x0680: "Bridge",              0x0C03: "USB controller",       0x0C05: "SMBus",
}
# fmt: on


def class_name(device: PciDevice) -> str:
    """What its class is called."""
    number = device.word(regs.CLASS_DEVICE)
    return CLASSES.get(number, f"Class {number:04x}")


def pci_text(bus: PciBus) -> str:
    """``info pci``: the functions on a bus, with what they map."""
    return "\n".join(line for _, device in sorted(bus.devices.items()) for line in _function_lines(bus, device))


def _function_lines(bus: PciBus, device: PciDevice) -> list[str]:
    lines = [
        f"  Bus {bus.number:2}, device {device.devfn >> 3:3}, function {device.devfn & 7}:",
        f"    {class_name(device)}: PCI device {device.word(0):04x}:{device.word(2):04x}",
    ]
    if device.config[regs.INTERRUPT_PIN]:
        lines.append(f"      IRQ {device.config[regs.INTERRUPT_LINE]}.")
    lines += [f"      BAR{number}: {_bar(bar)}." for number, bar in sorted(device.bars.items())]
    return [*lines, f'      id "{device.id or ""}"']


def _where(bar: Bar) -> tuple[int, int]:
    start = NOWHERE if bar.address is None else bar.address
    return start, (start + bar.size - 1) & NOWHERE


def _bar(bar: Bar) -> str:
    start, end = _where(bar)
    if bar.is_io:
        return f"I/O at 0x{start:04x} [0x{end:04x}]"
    kind = " prefetchable" if bar.flags & regs.BAR_MEM_PREFETCH else ""
    return f"{64 if bar.wide else 32} bit{kind} memory at 0x{start:08x} [0x{end:08x}]"


def tree_lines(device: PciDevice) -> list[str]:
    """What ``info qtree`` shows of a function besides its properties."""
    slot, function, number = device.devfn >> 3, device.devfn & 7, device.bus.number
    ids = f"pci id {device.word(regs.VENDOR_ID):04x}:{device.word(regs.DEVICE_ID):04x}"
    sub = f"(sub {device.word(regs.SUBSYSTEM_VENDOR_ID):04x}:{device.word(regs.SUBSYSTEM_ID):04x})"
    lines = [f"class {class_name(device)}, addr {number:02x}:{slot:02x}.{function:x}, {ids} {sub}"]
    for index, bar in sorted(device.bars.items()):
        start, end = _where(bar)
        lines.append(f"bar {index}: {'i/o' if bar.is_io else 'mem'} at 0x{start:x} [0x{end:x}]")
    return lines
