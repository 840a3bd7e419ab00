"""-drive, its short forms, and what a drive does with media, geometry and errors."""

import errno
from pathlib import Path

import pytest

from pyqemu.block import (
    BlockError,
    BlockIOError,
    Drive,
    DriveError,
    DriveOptions,
    DriveTable,
    ErrorAction,
    ErrorPolicy,
    Geometry,
    MemoryNode,
    Translation,
    guess_geometry,
)
from pyqemu.block.drives import cdrom, floppy, hard_disk


@pytest.fixture(autouse=True)
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.img", "b.img", "c.img", "cd.iso", "x,y.img"):
        Path(name).write_bytes(bytes(4096))
    Path("short.img").write_bytes(bytes(100))
    Path("empty.img").touch()


def add(table: DriveTable, *texts: str) -> list[Drive]:
    return [table.add(DriveOptions.parse(text)) for text in texts]


@pytest.mark.parametrize(
    ("texts", "places"),
    [
        (["file=a.img"], [("ide0-hd0", "ide", 0, 0, 0)]),
        (
            ["file=a.img", "file=b.img", "file=c.img"],
            [("ide0-hd0", "ide", 0, 0, 0), ("ide0-hd1", "ide", 1, 0, 1), ("ide1-hd0", "ide", 2, 1, 0)],
        ),
        (["file=a.img,index=3"], [("ide1-hd1", "ide", 3, 1, 1)]),
        (["file=a.img,bus=1,unit=1"], [("ide1-hd1", "ide", 3, 1, 1)]),
        (["file=cd.iso,media=cdrom"], [("ide0-cd0", "ide", 0, 0, 0)]),
        (
            ["if=floppy", "file=a.img,if=floppy"],
            [("floppy0", "floppy", 0, 0, 0), ("floppy1", "floppy", 1, 0, 1)],
        ),
        (["file=a.img,if=none,id=x"], [("x", "none", 0, 0, 0)]),
        (
            ["file=a.img,if=none", "file=b.img,if=none"],
            [("none0", "none", 0, 0, 0), ("none1", "none", 1, 0, 1)],
        ),
        (["file=a.img,if=virtio"], [("virtio0", "virtio", 0, 0, 0)]),
        (["file=a.img,if=scsi,index=8"], [("scsi1-hd1", "scsi", 8, 1, 1)]),
    ],
)
def test_places_and_names(texts: list[str], places: list[tuple[str, str, int, int, int]]) -> None:
    drives = add(DriveTable(), *texts)
    assert [(d.id, d.interface, d.index, d.bus, d.unit) for d in drives] == places


def test_short_forms() -> None:
    table = DriveTable()
    for options in (hard_disk("a.img", 0), cdrom("cd.iso"), floppy("b.img", 1)):
        table.add(options)
    hda, cd, fdb = table
    assert table.by_index("ide", 0) is hda and table.get("ide", 1, 0) is cd and table.by_index("floppy", 1) is fdb
    assert cd.media == "cdrom" and cd.read_only and not hda.read_only
    assert table.find("ide1-cd0") is cd and table.find("nothing") is None
    assert table.add_default("ide", 2, "cdrom") is None
    default = table.add_default("floppy", 0)
    assert default is not None and not default.inserted and len(table) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file=a.img,foo=1", "A drive has no option 'foo'; options are addr, aio, bus,"),
        ("file=a.img,if=bogus", "'bogus' is not valid for if=; it is one of none, ide, scsi"),
        ("file=a.img,media=tape", "'tape' is not valid for media=; it is one of disk, cdrom"),
        ("file=a.img,cache=hot", "'hot' is not valid for cache=; it is one of writeback"),
        ("file=a.img,aio=no", "'no' is not valid for aio="),
        ("file=a.img,werror=x", "'x' is not valid for werror="),
        ("file=a.img,discard=x", "'x' is not valid for discard="),
        ("file=a.img,readonly=maybe", "Parameter 'readonly' expects 'on' or 'off'"),
        ("file=a.img,index=first", "Parameter 'index' expects a number, not 'first'"),
        ("file=a.img,index=-1", "Parameter 'index' expects a number, not '-1'"),
        ("file=a.img,index=1,unit=1", "index cannot be used with bus and unit"),
        ("file=a.img,unit=2", "unit 2 too big; if=ide has unit=0 to unit=1 on each bus"),
        ("file=a.img,if=floppy,werror=stop", "werror is not supported by if=floppy"),
        ("file=a.img,cyls=10", "a drive's geometry needs heads= from 1 to 255"),
        ("file=a.img,trans=lba", "'trans' needs a geometry"),
        ("file=cd.iso,media=cdrom,cyls=1,heads=1,secs=1", "a CD-ROM has no geometry"),
        ("if=ide", "drive 'ide0-hd0' needs an image: give file=, or media=cdrom"),
        ("file=a.img,format=vmdk", "'a.img' is a vmdk image, and that format cannot be used yet"),
        ("file=no.img", "Could not open 'no.img': No such file or directory"),
        (
            "file=empty.img",
            "'empty.img' is too short (0 bytes) for drive 'ide0-hd0': its image must",
        ),
        ("file=short.img,snapshot=on", "'short.img' is too short (100 bytes)"),
        ("file=short.img,cache=unsafe", "'short.img' is too short (100 bytes)"),
        ("file=/dev/null", "'/dev/null' is too short (0 bytes)"),
        (
            "file=short.img,media=cdrom",
            "'short.img' is too short (100 bytes) for drive 'ide0-cd0': its image",
        ),
        ("=x", "Invalid parameter"),
    ],
)
def test_one_line_for_each_mistake(text: str, message: str) -> None:
    with pytest.raises(BlockError) as failure:
        add(DriveTable(), text)
    assert str(failure.value).startswith(message)
    assert "\n" not in str(failure.value)


def test_taken_place_and_name() -> None:
    table = DriveTable()
    add(table, "file=a.img")
    with pytest.raises(DriveError, match=r"drive with bus=0, unit=0 \(index=0\) exists: 'ide0-hd0'"):
        add(table, "file=b.img,index=0")
    with pytest.raises(DriveError, match="Duplicate ID 'ide0-hd0'"):
        add(table, "file=b.img,if=none,id=ide0-hd0")
    assert len(table) == 1


def test_one_image_twice() -> None:
    table = DriveTable()
    add(table, "file=a.img")
    with pytest.raises(BlockError, match=r"'\./a.img' is in use by drive 'ide0-hd0' already"):
        add(table, "file=./a.img")
    add(table, "file=cd.iso,media=cdrom", "file=cd.iso,media=cdrom,snapshot=on")


def test_unsupported_places() -> None:
    table = DriveTable()
    add(table, "file=a.img,if=none,id=x", "file=b.img,index=4")
    with pytest.raises(DriveError) as failure:
        table.check_supported({"ide": 4, "floppy": 2})
    assert str(failure.value) == (
        "machine type does not support if=ide,bus=2,unit=0 (drive 'ide2-hd0'); "
        "it has if=ide with index 0 to 3, if=floppy with index 0 to 1"
    )


def test_snapshot_of_all_drives() -> None:
    table = DriveTable(snapshot=True)
    (drive,) = add(table, "file=a.img")
    drive.write(0, b"x" * 512)
    assert drive.read(0, 1) == b"x"
    table.close_all()
    assert Path("a.img").read_bytes() == bytes(4096)


def test_options_reach_the_drive() -> None:
    (drive,) = add(
        DriveTable(),
        "file=x,,y.img,serial=S1,cache=writethrough,werror=report,rerror=stop,"
        "cyls=20,heads=2,secs=9,trans=large,aio=native,discard=unmap",
    )
    assert (drive.serial, drive.write_cache) == ("S1", False)
    assert (drive.write_error, drive.read_error) == (ErrorPolicy.REPORT, ErrorPolicy.STOP)
    assert drive.geometry() == Geometry(20, 2, 9, Translation.LARGE)
    assert drive.node is not None and drive.node.filename == "x,y.img"


def test_change_tells_the_device_and_closes_the_old_medium() -> None:
    class Node(MemoryNode):
        closed = False

        def close(self) -> None:
            self.closed = True

    old, changes = Node(512), []
    drive = Drive("cd", old, media="cdrom")
    drive.on_change.append(lambda: changes.append(drive.inserted))
    drive.eject()
    drive.change(MemoryNode(2048))
    assert changes == [False, True] and old.closed and drive.size == 2048


def test_empty_drive_has_no_medium() -> None:
    drive = Drive("cd")
    with pytest.raises(BlockIOError) as failure:
        drive.read(0, 512)
    assert failure.value.errno == errno.ENOMEDIUM
    assert drive.size == 0 and drive.read_only
    drive.flush()


def test_write_through_flushes_each_write() -> None:
    node = MemoryNode(1024)
    Drive("d", node, write_cache=False).write(0, bytes(512))
    assert node.flushes == 1
    Drive("d", node).write(0, bytes(512))
    assert node.flushes == 1


@pytest.mark.parametrize(
    ("policy", "number", "can_stop", "action"),
    [
        (ErrorPolicy.ENOSPC, errno.EIO, True, ErrorAction.REPORT),
        (ErrorPolicy.ENOSPC, errno.ENOSPC, True, ErrorAction.STOP),
        (ErrorPolicy.ENOSPC, errno.ENOSPC, False, ErrorAction.REPORT),
        (ErrorPolicy.STOP, errno.EIO, True, ErrorAction.STOP),
        (ErrorPolicy.IGNORE, errno.EIO, True, ErrorAction.IGNORE),
        (ErrorPolicy.REPORT, errno.ENOSPC, True, ErrorAction.REPORT),
    ],
)
def test_error_policy(policy: ErrorPolicy, number: int, can_stop: bool, action: ErrorAction) -> None:
    drive = Drive("d", write_error=policy)
    if can_stop:
        drive.on_stop = lambda is_write, error: is_write
    assert drive.handle_error(BlockIOError(number, "x"), is_write=True) is action


def test_closing_goes_on_after_a_failure() -> None:
    class Broken(MemoryNode):
        def close(self) -> None:
            raise BlockIOError(errno.EIO, "x")

    table = DriveTable()
    first, second = add(table, "file=a.img", "file=b.img")
    first.node = Broken(512)
    with pytest.raises(BlockIOError):
        table.close_all()
    assert second.node is None


def partition(end_head: int, end_sector: int) -> bytes:
    sector = bytearray(512)
    sector[446 + 5], sector[446 + 6] = end_head, end_sector
    sector[446 + 12] = 1
    sector[510:] = b"\x55\xaa"
    return bytes(sector)


@pytest.mark.parametrize(
    ("size", "boot_sector", "expected"),
    [
        (100 << 20, b"", (203, 16, 63, Translation.NONE)),
        (2 << 30, b"", (4161, 16, 63, Translation.LBA)),
        (512, b"", (2, 16, 63, Translation.NONE)),
        (1 << 40, b"", (16383, 16, 63, Translation.LBA)),
        (2 << 30, partition(254, 63), (4161, 16, 63, Translation.LARGE)),
        (8 << 30, partition(254, 63), (16383, 16, 63, Translation.LBA)),
        (10 << 20, partition(15, 17), (75, 16, 17, Translation.NONE)),
        (10 << 20, partition(0, 0), (20, 16, 63, Translation.NONE)),
    ],
)
def test_geometry_guess(size: int, boot_sector: bytes, expected: tuple[int, int, int, Translation]) -> None:
    assert guess_geometry(size, boot_sector) == expected
