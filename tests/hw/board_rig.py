"""Devices of boards against QEMU: registers by random accesses, layouts of saved state by what both declare."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.memory import AddressSpace
from pyqemu.memory.region import RegionKind
from pyqemu.qom.vmstate import VMState
from tests.migration.state.test_dump import differences
from tests.qtest_reference import QEMU_ARM, Access, QtestReference, disagreement, random_accesses

PRIMECELL_ID = range(0xFE0, 0x1000, 4)


def words(first: int, end: int) -> list[int]:
    """The offsets of 32-bit registers."""
    return list(range(first, end, 4))


class Region:
    """A region of a device, as the processor reaches it."""

    def __init__(self, device: SysBusDevice, number: int = 0) -> None:
        region = device.regions[number]
        holds_others = region.kind is RegionKind.CONTAINER
        self.region = AddressSpace(region.name, region) if holds_others else region

    def read(self, offset: int, size: int = 4) -> int:
        return self.region.load(offset, size)

    def write(self, offset: int, size: int, value: int) -> None:
        self.region.store(offset, size, value)


def compare(
    device: SysBusDevice,
    reference: QtestReference,
    base: int,
    rng: random.Random,
    readable: Sequence[int],
    writable: Sequence[int],
    *,
    count: int = 2000,
    values: Sequence[int] = (),
    only: Mapping[int, Sequence[int]] | None = None,
    first: Sequence[Access] = (),
    number: int = 0,
) -> None:
    """Make the same accesses on both sides.

    :param first: accesses to begin with
    :param number: of the device's region
    """
    accesses = [*first, *random_accesses(rng, count, readable, writable, values, only)]
    found = disagreement(Region(device, number), reference, base, accesses)
    if found is not None:
        done, ours, theirs = found
        story = "\n".join(
            f"{each.offset:#x} {each.value if each.value is None else hex(each.value)}" for each in done[-20:]
        )
        raise AssertionError(f"{ours:#x} instead of {theirs:#x} after\n{story}")


@cache
def qemu_layouts() -> dict[str, Any]:
    """What QEMU saves of each of its devices."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "layouts"
        command = [QEMU_ARM, "-M", "virt-2.6", "-display", "none", "-dump-vmstate", str(path)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        found: dict[str, Any] = json.loads(path.read_text())
    return found


def layout_differences(type_name: str, layout: VMState) -> set[str]:
    """In what the declared layout of a device differs from QEMU's."""
    return set(differences(type_name, layout.declare(), qemu_layouts()[type_name]["Description"]))


Make = Callable[[], SysBusDevice]


def saved_and_loaded(before: SysBusDevice, after: SysBusDevice) -> bool:
    """Whether a device that takes over another one's state has the same state."""
    layout = type(before).vmstate
    assert layout is not None
    state = layout.save(before)
    layout.load(after, state)
    return layout.save(after) == state
