"""The machine's parts: ``info qtree``, ``info qom-tree``, ``info mtree``, ``info roms``, ``info pci``, ``info pic``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pyqemu.memory import AddressSpace, MemoryRegion, RegionKind
from pyqemu.memory.region import AliasRegion, RomDeviceRegion
from pyqemu.monitor.hmp.table import hmp_command, info_text_command
from pyqemu.qom import Bus, Device
from pyqemu.qom.tree import Container, Node
from pyqemu.system.inspection import Inspection
from pyqemu.util.units import format_size

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp

# --- devices ----------------------------------------------------------------------------------------------------------


@hmp_command("qtree", "", "the devices by buses, with their properties", is_info=True)
def info_qtree(hmp: Hmp) -> None:
    with hmp.system.lock:
        for bus in hmp.system.part(Inspection).roots:
            for line in _bus_lines(bus):
                hmp.print(line)


def _bus_lines(bus: Bus) -> Iterator[str]:
    yield f"bus: {bus.name}"
    yield f"  type {bus.type_name}"
    for device in reversed(bus.children):
        yield from (f"  {line}" for line in _device_lines(device))


def _device_lines(device: Device) -> Iterator[str]:
    yield f'dev: {device.type_name}, id "{device.id or ""}"'
    for name in device.own_properties():
        yield f"  {name} = {_property(device, name)}"
    yield from (f"  {line}" for line in device.tree_lines())
    for bus in device.child_buses:
        yield from (f"  {line}" for line in _bus_lines(bus))


def _property(device: Device, name: str) -> str:
    prop, text = device.find_property(name), device.get_option(name)
    value: Any = getattr(device, prop.attribute)
    if isinstance(value, bool) or not isinstance(value, int):
        return text if prop.type_name == "bool" else f'"{text}"'
    if prop.type_name == "size":
        return f"{value} ({format_size(value)})"
    return f"{value} ({value & (1 << 64) - 1:#x})"


def complete_path(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    """Places in the tree of all objects."""
    return [node.qom_path for node in hmp.system.part(Container).walk()]


@hmp_command("qom-tree", "path:s?", "the composition of the machine's objects", is_info=True,
             completers={"path": complete_path})  # fmt: skip
def info_qom_tree(hmp: Hmp, *, path: str | None = None) -> None:
    root = hmp.system.part(Container)
    node = root.resolve(path or "/machine") or (root if path is None else None)
    if node is None:
        hmp.print(f"Path '{path}' could not be resolved.")
        return
    for line in _node_lines(node):
        hmp.print(line)


def _node_lines(node: Node) -> Iterator[str]:
    yield f"/{node.qom_name} ({node.type_name})"
    for name in sorted(node.qom_children):
        yield from (f"  {line}" for line in _node_lines(node.qom_children[name]))


# --- memory -----------------------------------------------------------------------------------------------------------


@hmp_command("mtree", "flat:-f", "the tree of memory regions (-f: what answers where in the end)", is_info=True)
def info_mtree(hmp: Hmp, *, flat: bool) -> None:
    with hmp.system.lock:
        spaces = hmp.system.part(Inspection).spaces
        lines = _flat_lines(spaces) if flat else _space_lines(spaces)
        for line in lines:
            hmp.print(line)


def _span(start: int, size: int) -> str:
    return f"{start:016x}-{max(start + size - 1, 0):016x}"


def _space_lines(spaces: list[AddressSpace]) -> Iterator[str]:
    targets: dict[int, MemoryRegion] = {}
    for space in spaces:
        yield f"address-space: {space.name}"
        yield from _region_lines(space.root, 0, 1, targets)
        yield ""
    shown: set[int] = set()
    while waiting := [region for key, region in targets.items() if key not in shown]:
        for region in waiting:
            shown.add(id(region))
            yield f"memory-region: {region.name}"
            yield from _region_lines(region, 0, 1, targets)
            yield ""


def _region_lines(region: MemoryRegion, base: int, depth: int, targets: dict[int, MemoryRegion]) -> Iterator[str]:
    start = base + region.address
    seen = region.target if isinstance(region, AliasRegion) else region
    writable = not region.readonly and seen.kind is not RegionKind.ROM
    romd = isinstance(region, RomDeviceRegion) and region.romd_mode
    readable = not isinstance(region, RomDeviceRegion) or region.romd_mode
    rights = f"{'R' if readable else '-'}{'W' if writable and not romd else '-'}"
    what = region.name
    if isinstance(region, AliasRegion):
        targets.setdefault(id(region.target), region.target)
        what = f"alias {region.name} @{region.target.name} {_span(region.offset, region.size)}"
    off = "" if region.enabled else " [disabled]"
    yield f"{'  ' * depth}{_span(start, region.size)} (prio {region.priority}, {rights}): {what}{off}"
    for child in sorted(region.children, key=lambda child: (child.address, -child.priority)):
        yield from _region_lines(child, start, depth + 1, targets)


def _flat_lines(spaces: list[AddressSpace]) -> Iterator[str]:
    for space in spaces:
        yield f"address-space: {space.name}"
        for section in space.sections:
            region = section.region
            offset = f" @{section.offset:016x}" if section.offset else ""
            span = _span(section.start, section.end - section.start)
            yield f"  {span} (prio {region.priority}, {region.kind.value}): {region.name}{offset}"
        yield ""


@hmp_command("roms", "", "the ROMs in physical memory", is_info=True)
def info_roms(hmp: Hmp) -> None:
    with hmp.system.lock:
        shown: set[int] = set()
        for space in hmp.system.part(Inspection).spaces:
            for section in space.sections:
                region = section.region
                if region.kind is RegionKind.ROM and id(region) not in shown:
                    shown.add(id(region))
                    hmp.print(f'addr={section.start:016x} size=0x{region.size:06x} mem=rom name="{region.name}"')


# --- texts that the devices make --------------------------------------------------------------------------------------


info_text_command("pci", "the PCI devices, and what they map")
info_text_command("pic", "the interrupt controllers")
info_text_command("ioapic", "the I/O APIC's redirection table")
info_text_command("irq", "how often interrupt lines rose")
