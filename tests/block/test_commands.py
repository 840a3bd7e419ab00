"""The QMP commands of drives and nodes, on a whole machine."""

from __future__ import annotations

import errno
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyqemu.block import BlockIOError, MemoryNode
from pyqemu.util.errors import UserError
from tests.command_rig import Commands
from tests.qemu_reference import Reference, differences, needs_qemu

MIB = 1 << 20
OF_ONE_VERSION = frozenset({
    "encryption_key_missing",  # later QEMUs do not have it any more
    "unmap_operations", "unmap_merged", "unmap_bytes", "unmap_total_time_ns", "failed_unmap_operations",
    "invalid_unmap_operations", "driver-specific",  # QEMU 2.6 does not have them yet
    "idle_time_ns",
})  # fmt: skip


@pytest.fixture
def disk(tmp_path: Path) -> str:
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(MIB))
    return str(path)


@pytest.fixture
def cd(tmp_path: Path) -> str:
    path = tmp_path / "cd.iso"
    path.write_bytes(b"CD" * 8192)
    return str(path)


@pytest.fixture
def pc(disk: str, cd: str) -> Iterator[Commands]:
    """With a disk and a CD-ROM drive on nodes, as libvirt makes them."""
    with Commands(
        blockdevs=[
            {"driver": "file", "filename": disk, "node-name": "f0", "auto-read-only": True},
            {"driver": "raw", "file": "f0", "node-name": "d0", "read-only": "off"},
        ],
        devices=[
            {"driver": "ide-hd", "drive": "d0", "id": "hd0", "bus": "ide.0", "unit": "0"},
            {"driver": "ide-cd", "id": "cd0", "bus": "ide.1", "unit": "0"},
        ],
    ) as commands:
        yield commands


def by_device(pc: Commands, name: str) -> dict[str, object]:
    entries: list[dict[str, object]] = pc.ask("query-block")
    return next(entry for entry in entries if entry.get("qdev") == name)


def add_cd(pc: Commands, cd: str) -> None:
    pc.ask("blockdev-add", driver="file", filename=cd, node_name="f1", read_only=True)
    pc.ask("blockdev-add", driver="raw", file="f1", node_name="n1", read_only=True)


# -- queries


@needs_qemu
def test_answers_have_the_form_of_qemus(pc: Commands, disk: str, cd: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.img"
    copy.write_bytes(Path(disk).read_bytes())
    arguments = ("-blockdev", f"file,filename={copy},node-name=f0", "-blockdev", "raw,file=f0,node-name=d0",
                 "-device", "ide-hd,drive=d0,id=hd0", "-device", "ide-cd,id=cd0,bus=ide.1",
                 "-serial", "null")  # fmt: skip
    with Reference(*arguments) as qemu:
        for name, options in (
            ("query-block", {}), ("query-named-block-nodes", {}), ("query-named-block-nodes", {"flat": True}),
            ("query-blockstats", {}), ("query-blockstats", {"query-nodes": True}),
        ):  # fmt: skip
            ours, theirs = pc.ask(name, **options), qemu.ask(name, **options)
            assert len(ours) == len(theirs)
            found = [list(differences(one, other, OF_ONE_VERSION)) for one, other in zip(ours, theirs, strict=True)]
            assert not any(found), (name, found)


def test_a_disk_is_described(pc: Commands, disk: str) -> None:
    entry = by_device(pc, "hd0")
    assert (entry["device"], entry["removable"], entry["io-status"]) == ("", False, "ok")
    inserted = entry["inserted"]
    assert isinstance(inserted, dict)
    assert (inserted["node-name"], inserted["drv"], inserted["ro"], inserted["file"]) == ("d0", "raw", False, disk)
    assert inserted["image"]["virtual-size"] == MIB


def test_requests_of_the_device_are_counted(pc: Commands) -> None:
    drive = pc.machine.drives.find_by_device("hd0")
    assert drive is not None
    drive.write(4096, bytes(1024))
    drive.read(0, 512)
    drive.read(0, 512)
    drive.flush()
    (entry,) = [entry for entry in pc.ask("query-blockstats") if entry["qdev"] == "hd0"]
    stats = entry["stats"]
    assert (stats["rd_operations"], stats["rd_bytes"]) == (2, 1024)
    assert (stats["wr_operations"], stats["wr_bytes"], stats["flush_operations"]) == (1, 1024, 1)
    assert stats["wr_highest_offset"] == entry["parent"]["stats"]["wr_highest_offset"] == 5120
    assert stats["wr_total_time_ns"] > 0 and stats["idle_time_ns"] >= 0


def test_there_are_no_jobs(pc: Commands) -> None:
    assert pc.ask("query-block-jobs") == pc.ask("query-jobs") == []


# -- media


def test_a_medium_is_changed_as_libvirt_does_it(pc: Commands, cd: str) -> None:
    pc.ask("blockdev-open-tray", id="cd0", force=False)
    pc.ask("blockdev-remove-medium", id="cd0")
    add_cd(pc, cd)
    pc.ask("blockdev-insert-medium", id="cd0", node_name="n1")
    assert by_device(pc, "cd0")["tray_open"] is True
    pc.ask("blockdev-close-tray", id="cd0")
    assert pc.take_events() == [
        ("DEVICE_TRAY_MOVED", {"device": "", "id": "cd0", "tray-open": True}),
        ("DEVICE_TRAY_MOVED", {"device": "", "id": "cd0", "tray-open": False}),
    ]
    entry = by_device(pc, "cd0")
    assert entry["tray_open"] is False
    assert entry["inserted"]["node-name"] == "n1"  # type: ignore[index]
    assert pc.error("blockdev-insert-medium", id="cd0", node_name="n1") == "Node 'n1' is already in use"
    assert pc.error("blockdev-del", node_name="n1") == "Node n1 is in use"
    pc.ask("eject", id="cd0")
    pc.ask("blockdev-del", node_name="n1")
    pc.ask("blockdev-del", node_name="f1")
    assert "inserted" not in by_device(pc, "cd0")


def test_the_guest_sees_another_medium(pc: Commands, cd: str) -> None:
    model = pc.machine.board.ide.ide_buses[1].units[0].model  # type: ignore[attr-defined]
    assert not model.medium_present
    pc.ask("blockdev-change-medium", id="cd0", filename=cd, format="raw")
    assert model.medium_present and model.blocks == 8
    assert model.unit.new_media and model.unit.cdrom_changed


def test_a_locked_tray_needs_force(pc: Commands, cd: str) -> None:
    pc.ask("blockdev-change-medium", id="cd0", filename=cd)
    unit = pc.machine.board.ide.ide_buses[1].units[0]  # type: ignore[attr-defined]
    unit.tray_locked = True
    assert by_device(pc, "cd0")["locked"] is True
    assert "is locked and force was not specified" in pc.error("eject", id="cd0")
    assert unit.eject_request
    pc.ask("blockdev-open-tray", id="cd0")  # is only a request then
    assert by_device(pc, "cd0")["tray_open"] is False
    pc.ask("eject", id="cd0", force=True)
    assert (by_device(pc, "cd0")["tray_open"], unit.tray_locked) == (True, False)


def test_an_image_that_cannot_be_opened_changes_nothing(pc: Commands, cd: str) -> None:
    pc.ask("blockdev-change-medium", id="cd0", filename=cd, format="raw")
    pc.take_events()
    assert pc.error("blockdev-change-medium", id="cd0", filename="/nope").startswith("Could not open '/nope'")
    assert by_device(pc, "cd0")["inserted"]["file"] == cd  # type: ignore[index]
    assert pc.take_events() == []


def test_a_medium_that_cannot_be_flushed_is_not_ejected() -> None:
    class Full(MemoryNode):
        def flush(self) -> None:
            raise BlockIOError(errno.ENOSPC, "no room")

    with Commands(drives=("if=floppy,id=fd",)) as pc:
        drive = pc.machine.drives.find("fd")
        assert drive is not None
        drive.change(Full(1440 * 1024))
        assert "No space left" in pc.error("eject", device="fd")
        assert drive.inserted
        drive._node = None


def test_what_is_written_is_on_the_host_when_the_medium_is_out(tmp_path: Path) -> None:
    image = tmp_path / "floppy.img"
    image.write_bytes(bytes(1440 * 1024))
    with Commands(drives=(f"if=floppy,id=fd,file={image},format=raw",)) as pc:
        drive = pc.machine.drives.find("fd")
        assert drive is not None
        drive.write(0, b"kept" * 128)
        assert "use" in pc.error("blockdev-add", driver="file", filename=str(image), node_name="second")
        pc.ask("eject", device="fd")
        assert image.read_bytes()[:512] == b"kept" * 128
        pc.ask("blockdev-add", driver="file", filename=str(image), node_name="second")  # not locked any more
        assert pc.take_events() == []  # a floppy drive has no tray


@pytest.mark.parametrize(
    ("command", "arguments", "message", "error_class"),
    [
        ("eject", {"device": "nope"}, "Device 'nope' not found", "DeviceNotFound"),
        ("eject", {"id": "hd0"}, "Device 'hd0' is not removable", "GenericError"),
        ("eject", {}, "Need exactly one of 'device' and 'id'", "GenericError"),
        ("blockdev-open-tray", {"id": "hd0"}, "Device 'hd0' is not removable", "GenericError"),
        ("blockdev-close-tray", {"id": "nope"}, "Device 'nope' not found", "DeviceNotFound"),
        ("blockdev-remove-medium", {"id": "cd0"}, "Tray of device 'cd0' is not open", "GenericError"),
        ("blockdev-insert-medium", {"id": "cd0", "node-name": "x"}, "Node 'x' not found", "GenericError"),
        ("blockdev-insert-medium", {"id": "cd0", "node-name": "d0"}, "Node 'd0' is already in use", "GenericError"),
        ("blockdev-del", {"node-name": "x"}, "Failed to find node with node-name='x'", "GenericError"),
        ("blockdev-del", {"node-name": "d0"}, "Node d0 is in use", "GenericError"),
        ("blockdev-del", {"node-name": "f0"}, "Block device f0 is in use", "GenericError"),
        ("blockdev-add", {"driver": "null-co"}, "'node-name' must be specified for the root node", "GenericError"),
        ("blockdev-add", {"driver": "null-co", "node-name": "#x"}, "Invalid node-name: '#x'", "GenericError"),
        (
            "blockdev-add",
            {"driver": "null-co", "node-name": "d0"},
            "Duplicate nodes with node-name='d0'",
            "GenericError",
        ),
        (
            "blockdev-add",
            {"driver": "raw", "file": "x", "node-name": "n"},
            "Cannot find device='x' nor node-name='x'",
            "GenericError",
        ),
        (
            "block_resize",
            {"device": "a", "node-name": "b", "size": 1},
            "Cannot find device='a' nor node-name='b'",
            "GenericError",
        ),
        ("block_resize", {"node-name": "d0", "size": -1}, "Parameter 'size' expects a >0 size", "GenericError"),
        (
            "transaction",
            {"actions": [{"type": "abort", "data": {}}]},
            "Transaction aborted using Abort action",
            "GenericError",
        ),
    ],
)  # fmt: skip
def test_errors(pc: Commands, command: str, arguments: dict[str, object], message: str, error_class: str) -> None:
    assert pc.error(command, **arguments) == message
    assert pc.error_class(command, **arguments) == error_class


# -- nodes


def test_a_failed_blockdev_add_leaves_nothing_open(pc: Commands, cd: str) -> None:
    nested = {"driver": "file", "filename": cd, "node-name": "below"}
    assert "Offset" in pc.error("blockdev-add", driver="raw", file=nested, node_name="n", offset=1 << 40)
    pc.ask("blockdev-add", driver="raw", file=nested, node_name="n")
    names = [node["node-name"] for node in pc.ask("query-named-block-nodes")]
    assert names[:2] == ["n", "below"]


def test_a_part_of_a_file_is_a_disk(pc: Commands, cd: str) -> None:
    file = {"driver": "file", "filename": cd, "read-only": True}
    pc.ask("blockdev-add", driver="raw", file=file, node_name="part", offset=1024, size=2048, read_only=True)
    node = pc.machine.drives.graph.get("part")
    assert (node.size, node.read(0, 4)) == (2048, b"CDCD")
    assert "Cannot resize" in pc.error("block_resize", node_name="part", size=4096)


def test_null_nodes_take_everything_and_keep_nothing(pc: Commands) -> None:
    pc.ask("blockdev-add", driver="null-co", node_name="z", size=65536)
    node = pc.machine.drives.graph.get("z")
    node.write(0, b"x" * 512)
    assert (node.read(0, 512), node.size) == (bytes(512), 65536)


def test_nodes_are_reopened_read_only_and_back(pc: Commands, tmp_path: Path) -> None:
    path = tmp_path / "other.img"
    path.write_bytes(bytes(4096))
    options = {"driver": "file", "filename": str(path), "node-name": "o"}
    pc.ask("blockdev-add", **{"_" + key: value for key, value in options.items()})
    node = pc.machine.drives.graph.get("o")
    pc.ask("blockdev-reopen", options=[options | {"read-only": True}])
    assert node.read_only
    with pytest.raises(BlockIOError):
        node.write(0, bytes(512))
    pc.ask("blockdev-reopen", options=[options | {"read-only": False, "cache": {"no-flush": True}}])
    node.write(0, b"x" * 512)
    assert node.no_flush
    above = {"driver": "raw", "file": "f0", "node-name": "d0", "read-only": True}
    refused = pc.error("blockdev-reopen", options=[above])
    assert refused == "Read-only block node 'd0' cannot support read-write users"
    assert "driver" in pc.error("blockdev-reopen", options=[{"driver": "null-co", "node-name": "d0"}])


def test_auto_read_only_nodes_lock_an_image_for_writing_only_if_somebody_writes(pc: Commands, cd: str) -> None:
    storage = {"_driver": "file", "_filename": cd, "_auto-read-only": True}
    pc.ask("blockdev-add", **storage, node_name="s1")
    pc.ask("blockdev-add", driver="raw", file="s1", node_name="r1", read_only=True)
    with Commands(blockdevs=[{"driver": "file", "filename": cd, "node-name": "s", "auto-read-only": True}]) as other:
        other.ask("blockdev-add", driver="raw", file="s", node_name="r", read_only=True)  # as another machine's CD
        assert "lock" in other.error("blockdev-add", driver="raw", file="s", node_name="w")
    pc.ask("blockdev-del", node_name="r1")
    pc.ask("blockdev-add", driver="raw", file="s1", node_name="w1")
    pc.machine.drives.graph.get("w1").write(0, b"x" * 512)


def test_a_disk_on_auto_read_only_nodes_is_writable(disk: str) -> None:
    storage = {"driver": "file", "filename": disk, "node-name": "s", "auto-read-only": True}
    format = {"driver": "raw", "file": "s", "node-name": "f", "auto-read-only": True}
    with Commands(blockdevs=[storage, format], devices=[{"driver": "ide-hd", "drive": "f", "id": "hd0"}]) as pc:
        assert by_device(pc, "hd0")["inserted"]["ro"] is False  # type: ignore[index]
    with Commands(blockdevs=[storage, format], devices=[{"driver": "ide-cd", "drive": "f", "id": "cd0"}]) as pc:
        assert by_device(pc, "cd0")["inserted"]["ro"] is True  # type: ignore[index]


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="needs Debian's qemu-utils")
def test_a_resized_image_is_what_qemu_img_sees(pc: Commands, disk: str) -> None:
    model = pc.machine.board.ide.ide_buses[0].units[0].model  # type: ignore[attr-defined]
    model._make_words()
    pc.ask("block_resize", node_name="d0", size=3 * MIB)
    text = subprocess.run(["qemu-img", "info", "-U", disk], capture_output=True, text=True, check=True).stdout
    assert "virtual size: 3 MiB" in text
    words = model.unit.identify_data
    assert int.from_bytes(words[120:124], "little") == int.from_bytes(words[200:208], "little") == 3 * MIB // 512
    assert by_device(pc, "hd0")["inserted"]["image"]["virtual-size"] == 3 * MIB  # type: ignore[index]


def test_a_node_has_one_writer(disk: str) -> None:
    blockdevs = [{"driver": "file", "filename": disk, "node-name": "f0"}]
    devices = [{"driver": "ide-hd", "drive": "f0", "id": "a"}, {"driver": "ide-hd", "drive": "f0", "id": "b"}]
    with pytest.raises(UserError, match="Node 'f0' is already in use"):
        Commands(blockdevs=blockdevs, devices=devices)


# -- errors of the host


def test_an_io_error_stops_the_machine_and_is_told(disk: str) -> None:
    with Commands(
        drives=(f"file={disk},if=none,id=d0,format=raw",),
        devices=[{"driver": "ide-hd", "drive": "d0", "id": "hd0", "werror": "stop"}],
    ) as pc:
        drive = pc.machine.drives.find("d0")
        assert drive is not None
        with pc.system.lock:
            drive.handle_error(BlockIOError(errno.EIO, "x"), is_write=True)
        name, data = pc.take_events()[-1]
        assert name == "BLOCK_IO_ERROR"
        assert data == {
            "device": "d0", "node-name": "#block001", "operation": "write", "action": "stop", "nospace": False,
            "reason": "Input/output error",
        }  # fmt: skip
        assert by_device(pc, "hd0")["io-status"] == "failed"
        drive.forget_errors()
        assert by_device(pc, "hd0")["io-status"] == "ok"


# -- the built-in BIOS


@pytest.mark.parametrize(
    ("indices", "first"),
    [(("-1", "-1"), "one"), (("2", "1"), "two"), (("1", "2"), "one"), (("-1", "5"), "two")],
)
def test_the_bios_sees_disks_of_devices_in_boot_order(tmp_path: Path, indices: tuple[str, str], first: str) -> None:
    drives, devices = [], []
    for name, index in zip(("one", "two"), indices, strict=True):
        image = tmp_path / f"{name}.img"
        image.write_bytes(bytes(MIB))
        drives.append(f"file={image},if=none,id={name},format=raw")
        devices.append({"driver": "ide-hd", "drive": name, "bootindex": index})
    with Commands(drives=tuple(drives), devices=devices, paused=False) as pc:
        bios = next(
            region.handler
            for region in pc.machine.board.io.children
            if region.name == "bios-services"  # type: ignore[attr-defined]
        )
        order = bios.handlers[0x13].__self__.disks
        assert pc.machine.run_for(60, lambda: bool(order.order.lines) or indices == ("-1", "-1"))
        with pc.system.parked():
            assert order.hard_disks[0].id == first


def test_two_devices_cannot_have_one_boot_index(disk: str) -> None:
    devices = [{"driver": "ide-hd", "drive": "d0", "bootindex": "1"}, {"driver": "ide-cd", "bootindex": "1"}]
    with pytest.raises(UserError, match="The bootindex 1 has already been used"):
        Commands(drives=(f"file={disk},if=none,id=d0,format=raw",), devices=devices)


def test_nodes_are_closed_when_the_machine_ends(pc: Commands, cd: str) -> None:
    add_cd(pc, cd)
    nodes = [pc.machine.drives.graph.get(name) for name in ("d0", "f0", "n1", "f1")]
    pc.machine.close()
    assert not any(node.users for node in nodes)
    assert [getattr(node, "fd", -1) for node in nodes] == [-1] * 4
