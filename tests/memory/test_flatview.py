"""Flattening against a model that asks, for each byte, who owns it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from pyqemu.memory import AddressSpace, MemoryRegion, flatten, memory_transaction
from pyqemu.memory.region import AliasRegion

SIZE = 64


class Silent:
    def read(self, offset: int, size: int) -> int:
        return 0

    def write(self, offset: int, size: int, value: int) -> None:
        pass


@dataclass
class Plan:
    """A random tree: what hypothesis draws."""

    kind: str
    size: int
    address: int
    priority: int
    enabled: bool
    readonly: bool
    offset: int
    children: list[Plan] = field(default_factory=list)


leaves = st.builds(
    Plan,
    kind=st.sampled_from(["ram", "mmio", "alias"]),
    size=st.integers(1, 40),
    address=st.integers(0, SIZE - 1),
    priority=st.integers(-1, 1),
    enabled=st.booleans() | st.just(True),
    readonly=st.booleans(),
    offset=st.integers(0, 20),
)
trees = st.recursive(
    leaves,
    lambda inner: st.builds(
        Plan,
        kind=st.sampled_from(["container", "ram", "mmio"]),
        size=st.integers(1, SIZE),
        address=st.integers(0, SIZE - 1),
        priority=st.integers(-1, 1),
        enabled=st.booleans() | st.just(True),
        readonly=st.booleans(),
        offset=st.just(0),
        children=st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)


def build(plan: Plan, targets: list[MemoryRegion]) -> MemoryRegion:
    """Make the region; an alias takes the last region made before it."""
    name = f"{plan.kind}{len(targets)}"
    if plan.kind == "ram":
        region = MemoryRegion.ram(name, plan.size)
    elif plan.kind == "mmio":
        region = MemoryRegion.mmio(name, plan.size, Silent())
    elif plan.kind == "alias" and targets:
        region = MemoryRegion.alias(name, targets[-1], plan.offset, plan.size)
    else:
        region = MemoryRegion.container(name, plan.size)
    region.enabled = plan.enabled
    region.readonly = plan.readonly
    for child in plan.children:
        region.add(child.address, build(child, targets), child.priority)
    targets.append(region)
    return region


def owner(region: MemoryRegion, offset: int) -> tuple[MemoryRegion, int, bool] | None:
    """Who answers at ``offset`` of ``region``, at which offset, and whether read-only."""
    if not region.enabled or not 0 <= offset < region.size:
        return None
    found: tuple[MemoryRegion, int, bool] | None = None
    if isinstance(region, AliasRegion):
        found = owner(region.target, region.offset + offset)
    else:
        for child in region.children:  # in the order of precedence
            found = owner(child, offset - child.address)
            if found is not None:
                break
        else:
            if region.terminates:
                found = (region, offset, False)
    if found is None:
        return None
    return found[0], found[1], found[2] or region.readonly


@given(st.lists(trees, max_size=4))
@settings(max_examples=400, deadline=None)
def test_each_byte_belongs_to_the_region_that_the_model_says(plans: list[Plan]) -> None:
    root = MemoryRegion.container("root", SIZE)
    targets: list[MemoryRegion] = []
    for plan in plans:
        root.add(plan.address, build(plan, targets), plan.priority)
    view = flatten(root)
    assert all(a.end <= b.start for a, b in itertools.pairwise(view))
    assert all(section.start < section.end for section in view)
    for addr in range(SIZE):
        section = next((s for s in view if s.start <= addr < s.end), None)
        expected = owner(root, addr)
        if section is None:
            assert expected is None
        else:
            assert expected is not None
            region, offset, readonly = expected
            assert (section.region, addr - section.base) == (region, offset)
            assert section.writable == (region.ram_block is not None and not readonly)


@given(st.lists(trees, min_size=1, max_size=3), st.data())
@settings(max_examples=150, deadline=None)
def test_the_view_follows_every_change(plans: list[Plan], data: st.DataObject) -> None:
    root = MemoryRegion.container("root", SIZE)
    targets: list[MemoryRegion] = []
    for plan in plans:
        root.add(plan.address, build(plan, targets), plan.priority)
    space = AddressSpace("test", root)
    changes: list[int] = []
    space.topology_listeners.append(lambda: changes.append(1))
    for _ in range(4):
        region = data.draw(st.sampled_from(targets))
        before = [s.key() for s in space.sections]
        changes.clear()
        match data.draw(st.sampled_from(["enabled", "readonly", "address", "size"])):
            case "enabled":
                region.enabled = not region.enabled
            case "readonly":
                region.readonly = not region.readonly
            case "address":
                region.address = data.draw(st.integers(0, SIZE))
            case _:
                region.size = data.draw(st.integers(0, region.size))
        expected = [s.key() for s in flatten(root)]
        assert [s.key() for s in space.sections] == expected
        assert bool(changes) == (before != expected)


def test_later_of_equal_priority_wins() -> None:
    root = MemoryRegion.container("root", 16)
    first, second = MemoryRegion.ram("first", 16), MemoryRegion.ram("second", 8)
    root.add(0, first)
    root.add(4, second)
    assert [(s.start, s.end, s.region.name) for s in flatten(root)] == [
        (0, 4, "first"), (4, 12, "second"), (12, 16, "first"),
    ]  # fmt: skip


def test_neighbours_that_continue_each_other_become_one_section() -> None:
    root, ram = MemoryRegion.container("root", 64), MemoryRegion.ram("ram", 64)
    root.add(0, MemoryRegion.alias("low", ram, 0, 32))
    root.add(32, MemoryRegion.alias("high", ram, 32, 32))
    assert [(s.start, s.end, s.offset) for s in flatten(root)] == [(0, 64, 0)]


def test_transaction_tells_of_many_changes_once() -> None:
    root = MemoryRegion.container("root", 0x10000)
    space = AddressSpace("test", root)
    calls: list[int] = []
    space.topology_listeners.append(lambda: calls.append(len(space.sections)))
    with memory_transaction(), memory_transaction():
        for base in range(0, 0x1000, 0x100):
            root.add(base, MemoryRegion.mmio("x", 0x10, Silent()))
    assert calls == [16]


def test_change_below_a_disabled_region_is_not_told() -> None:
    root, box = MemoryRegion.container("root", 64), MemoryRegion.container("box", 64)
    box.enabled = False
    root.add(0, box)
    space = AddressSpace("test", root)
    generation = space.generation
    box.add(0, MemoryRegion.ram("ram", 64))
    assert space.generation == generation
    box.enabled = True
    assert space.lookup(0).region.name == "ram"


def test_rom_device_leaves_the_direct_path_while_not_in_romd_mode() -> None:
    root = MemoryRegion.container("root", 0x1000)
    flash = MemoryRegion.rom_device("flash", b"\x12" * 0x1000, Silent())
    root.add(0, flash)
    space = AddressSpace("test", root)
    assert space.load(0, 2) == 0x1212
    assert space.lookup(0).ram is not None
    flash.romd_mode = False
    assert space.load(0, 2) == 0
    assert space.lookup(0).ram is None
