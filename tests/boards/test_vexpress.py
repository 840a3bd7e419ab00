"""``-M vexpress-a9`` and ``-M vexpress-a15``: devices are where QEMU's are, and interrupt as they do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fdt
import pytest

from pyqemu.boards.vexpress import Vexpress
from pyqemu.boards.vexpress_tree import add_virtio
from pyqemu.util.errors import UserError
from tests.boards.arm_board_rig import Cause, board, compare_interrupts, compare_registers, input_port, mmc, uart
from tests.qtest_reference import needs_qemu_arm

NIC = ("-net", "nic,macaddr=52:54:00:12:34:56")
GIC = {"vexpress-a9": 0x1E00_1000, "vexpress-a15": 0x2C00_1000}
NAMES = tuple(GIC)


def small(name: str, number: int) -> int:
    """Where a small device is."""
    return 0x1000_0000 + number * 0x1000 if name == "vexpress-a9" else 0x1C00_0000 + number * 0x10000


def network(name: str) -> int:
    return 0x4E00_0000 if name == "vexpress-a9" else 0x1A00_0000


def sysregs(name: str) -> int:
    return 0x1000_0000 if name == "vexpress-a9" else 0x1C01_0000


@needs_qemu_arm
@pytest.mark.parametrize("name", NAMES)
def test_devices_are_where_qemus_are(name: str) -> None:
    cells = [small(name, number) for number in (5, 6, 7, 9, 10, 11, 12, 17, 18, 23, 31)]
    if name == "vexpress-a9":
        cells += [0x1002_0000, 0x100E_4000]
    places = [base + offset for base in cells for offset in (*range(0xFE0, 0x1000, 4), 0x10, 0x18, 0x30)]
    places += [sysregs(name) + offset for offset in (0, 4, 8, 0x20, 0x48, 0x84, 0x88, 0xA0, 0xA4, 0xA8)]
    places += [network(name) + offset for offset in (0x50, 0x64, 0x74, 0x80, 0xB0)]
    places += [GIC[name] + offset for offset in (0, 4, 8, 0x100, 0xFE0, 0xFE8)]
    places += [small(name, 0x13) + slot * 0x200 + offset for slot in range(4) for offset in (0, 4, 8, 12)]
    places += [0, 0x4000_0000, 0x4800_0000, 0x4C00_0000, 0x1400_0000, 0x1800_0000]
    if name == "vexpress-a9":
        places += [0x1E00_A000, 0x1E00_A004, 0x1E00_0000, 0x1E00_0100, 0x1E00_0600]
    compare_registers(name, places, *NIC, "-m", "256", binary=f"{name},secure=off")


@needs_qemu_arm
@pytest.mark.parametrize("name", NAMES)
def test_interrupts_lead_where_qemus_do(name: str) -> None:
    pending = [GIC[name] + 0x200 + 4 * word for word in range(4)]
    wired = Cause("the network's line, high when active", ((network(name) + 0x54, 0x111),))
    enable = Cause("all enabled", tuple((GIC[name] + 0x100 + 4 * word, 0xFFFFFFFF) for word in range(4)))
    lan = Cause("network", ((network(name) + 0x5C, 0x8000_0000),))
    causes = [
        *(uart(small(name, number)) for number in (9, 10, 11, 12)), input_port(small(name, 6)),
        input_port(small(name, 7)), *mmc(small(name, 5)), lan,
    ]  # fmt: skip
    compare_interrupts(name, causes, pending, *NIC, before=[wired, enable], binary=f"{name},secure=off")


@pytest.mark.parametrize("name", NAMES)
def test_virtio_devices_take_the_last_place_first(name: str) -> None:
    with board(name, "-device", "virtio-rng-device", "-device", "virtio-balloon-device") as made:
        kinds = [made.memory_space.load(small(name, 0x13) + slot * 0x200 + 8, 4) for slot in range(4)]
    assert kinds == [0, 0, 5, 4]


def test_interrupts_of_virtio_are_the_boards() -> None:
    with board("vexpress-a9", "-device", "virtio-rng-device") as made:
        assert isinstance(made, Vexpress)
        made.virtio_slots[3].irq.raise_()
        assert made.mpcore.inputs[43].level


@pytest.mark.parametrize(("options", "message"), [
    (["-m", "2048"], "-m: machine 'vexpress-a9' takes up to 1 GiB of memory"),
    (["-net", "nic,model=e1000"], "-net nic,model=e1000: Unsupported NIC model: e1000"),
    (["-M", "vexpress-a9,secure=on"], "-machine secure=on: boards with EL3 are not there yet"),
    (["-device", "e1000"], "No 'PCI' bus found for device 'e1000'"),
    (["-bios", "/nowhere"], "-bios /nowhere: No such file or directory"),
    (["-bios", "/dev/null", "-drive", "if=pflash,file=FLASH"],
     "-bios /dev/null: the flash has a drive already"),
])  # fmt: skip
def test_what_cannot_be_is_told(options: list[str], message: str, tmp_path: Path) -> None:
    flash = tmp_path / "flash"
    flash.touch()
    flash.open("r+b").truncate(64 << 20)
    given = [option.replace("FLASH", f"{flash},format=raw") for option in options]
    with pytest.raises(UserError) as told, board("vexpress-a9", *given):
        pass
    assert told.value.message == message


def test_flash_has_the_drives_or_the_firmware(tmp_path: Path) -> None:
    first, second, firmware = (tmp_path / name for name in ("first", "second", "firmware"))
    for path, mark in ((first, b"ONE!"), (second, b"TWO!")):
        path.write_bytes(mark.ljust(64 << 20, b"\0"))
    firmware.write_bytes(b"BIOS")
    drives = [word for path in (first, second) for word in ("-drive", f"if=pflash,format=raw,file={path}")]
    with board("vexpress-a15", *drives) as made:
        found = [made.memory_space.read(address, 4) for address in (0, 0x0800_0000, 0x0C00_0000)]
    assert found == [b"ONE!", b"ONE!", b"TWO!"]
    with board("vexpress-a9", "-bios", str(firmware)) as made:
        assert made.boot is None and made.memory_space.read(0, 4) == made.memory_space.read(0x4000_0000, 4) == b"BIOS"


def test_a_card_shows_in_the_system_registers(tmp_path: Path) -> None:
    image = tmp_path / "card"
    image.write_bytes(bytes(1 << 20))
    with board("vexpress-a9", "-drive", f"if=sd,format=raw,file={image}") as made:
        assert made.memory_space.load(sysregs("vexpress-a9") + 0x48, 4) == 1


def tree(*, phandle: bool) -> Any:
    """A tree as of a board."""
    made = fdt.FDT()
    made.root.append(fdt.PropWords("#address-cells", 2))
    made.root.append(fdt.PropWords("#size-cells", 1))
    controller = fdt.Node("interrupt-controller")
    controller.append(fdt.PropStrings("compatible", "arm,cortex-a15-gic", "arm,cortex-a9-gic"))
    if phandle:
        controller.append(fdt.PropWords("phandle", 7))
    made.root.append(controller)
    return made


def test_the_tree_gets_the_places_for_virtio() -> None:
    made = tree(phandle=True)
    add_virtio(made, [(0x1C13_0000, 40), (0x1C13_0200, 41)], 0x200)
    nodes = {node.name: node for node in made.root.nodes}
    second = nodes["virtio_mmio@1c130200"]
    assert second.get_property("reg").data == [0, 0x1C13_0200, 0x200]
    assert second.get_property("interrupts").data == [0, 41, 1] and second.get_property("interrupt-parent").value == 7


def test_an_old_tree_stays_as_it_is() -> None:
    made = tree(phandle=False)
    add_virtio(made, [(0x1C13_0000, 40)], 0x200)
    assert len(made.root.nodes) == 1
