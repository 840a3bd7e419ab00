"""Nodes: files, raw images, overlays, and what open_image says of bad ones."""

import errno
import os
import socket
import subprocess
from pathlib import Path

import pytest

from pyqemu.block import BlockError, BlockIOError, MemoryNode, open_image
from pyqemu.block.file import FileNode
from pyqemu.block.formats import probe_format
from pyqemu.block.overlay import CLUSTER_SIZE, SnapshotNode
from pyqemu.block.raw import RawNode


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(range(256)) * 8)  # 4 sectors
    return path


def test_raw_reads_and_writes_the_files_bytes(image: Path) -> None:
    node = open_image(str(image), format="raw")
    assert node.size == 2048
    assert node.read(512, 4) == b"\0\1\2\3"
    node.write(1024, b"x" * 512)
    node.flush()
    node.close()
    node.close()
    assert image.read_bytes()[1024:1536] == b"x" * 512


def test_a_partial_last_sector_is_padded_and_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "odd.img"
    path.write_bytes(b"a" * 700)
    node = open_image(str(path), format="raw")
    assert node.size == 1024
    assert node.read(512, 512) == b"a" * 188 + bytes(324)
    node.write(512, b"b" * 512)
    node.close()
    assert path.read_bytes() == b"a" * 512 + b"b" * 512


def test_writes_past_the_end_fail(image: Path) -> None:
    node = open_image(str(image), format="raw")
    with pytest.raises(BlockIOError) as failure:
        node.write(1536, bytes(1024))
    assert failure.value.errno == errno.EIO
    assert node.read(1536, 1024) == image.read_bytes()[1536:] + bytes(512)


def test_read_only_is_kept(image: Path) -> None:
    before = image.read_bytes()
    node = open_image(str(image), format="raw", read_only=True)
    with pytest.raises(BlockIOError) as failure:
        node.write(0, bytes(512))
    assert failure.value.errno == errno.EPERM
    node.close()
    assert image.read_bytes() == before


def test_write_through_opens_the_file_synchronous(image: Path) -> None:
    import fcntl

    node = open_image(str(image), format="raw", cache="writethrough")
    assert isinstance(node, RawNode) and isinstance(node.file, FileNode)
    assert fcntl.fcntl(node.file.fd, fcntl.F_GETFL) & os.O_DSYNC
    node.close()


def test_unsafe_ignores_flushes(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    node = open_image(str(image), format="raw", cache="unsafe")
    node.write(0, bytes(512))
    node.flush()
    assert not synced
    node.close()
    synced.clear()
    node = open_image(str(image), format="raw")
    node.flush()
    assert len(synced) == 1
    node.close()


def test_snapshot_leaves_the_base_alone(image: Path) -> None:
    before = image.read_bytes()
    node = open_image(str(image), format="raw", snapshot=True)
    assert not node.read_only
    node.write(512, b"z" * 512)
    assert node.read(0, 2048) == before[:512] + b"z" * 512 + before[1024:]
    node.close()
    assert image.read_bytes() == before


def test_overlay_copies_partial_clusters() -> None:
    base = MemoryNode(os.urandom(5 * CLUSTER_SIZE + 512), read_only=True)
    expected = bytearray(base.data)
    node = SnapshotNode(base)
    for offset, length in (
        (1000, 3),
        (CLUSTER_SIZE - 1, 2),
        (2 * CLUSTER_SIZE + 5, 2 * CLUSTER_SIZE),
        (node.size - 1, 1),
    ):
        data = os.urandom(length)
        node.write(offset, data)
        expected[offset : offset + length] = data
        assert node.read(0, node.size) == bytes(expected)
        assert node.read(offset, length) == data


def test_overlay_without_a_place_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", fail)
    with pytest.raises(BlockError, match="set TMPDIR"):
        SnapshotNode(MemoryNode(512))


def test_host_errors_become_block_io_errors(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = open_image(str(image), format="raw")

    def fail(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "pwrite", fail)
    with pytest.raises(BlockIOError) as failure:
        node.write(0, bytes(512))
    assert failure.value.errno == errno.ENOSPC
    assert "disk.img" in str(failure.value)


def test_short_host_writes_are_continued(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pwrite, pread = os.pwrite, os.pread
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: pwrite(fd, bytes(data[:100]), offset))
    monkeypatch.setattr(os, "pread", lambda fd, length, offset: pread(fd, min(length, 77), offset))
    node = open_image(str(image), format="raw")
    node.write(512, b"q" * 1024)
    assert node.read(512, 1024) == b"q" * 1024


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "missing.img",
            "Could not open '{}': No such file or directory; give the path of an existing disk image",
        ),
        (".", "Could not open '{}': it is a directory, not a disk image file or host device"),
        ("fifo", "Could not open '{}': it is a pipe, not a disk image file or host device"),
        ("socket", "Could not open '{}': it is a socket, not a disk image file or host device"),
        ("file.img/x", "Could not open '{}': Not a directory"),
    ],
)
def test_what_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    Path("file.img").touch()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        with pytest.raises(BlockError) as failure:
            open_image(name)
    assert str(failure.value) == message.format(name)


def test_unreadable_image(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(BlockError) as failure:
        open_image(str(image))
    assert str(failure.value) == (
        f"Could not open '{image}': Permission denied; it must be readable and writable, or be opened with readonly=on"
    )


def test_a_name_with_a_null_character() -> None:
    with pytest.raises(BlockError, match="null"):
        open_image("a\0b")


def test_unknown_format_protocol_and_cache_are_named(image: Path) -> None:
    with pytest.raises(BlockError, match=r"Unknown driver 'foo' for .*; formats are raw"):
        open_image(str(image), format="foo")
    with pytest.raises(BlockError, match="Unknown protocol 'gopher'"):
        open_image("gopher://there/disk.img")
    with pytest.raises(BlockError, match="invalid cache option 'maybe'"):
        open_image(str(image), cache="maybe")
    open_image(f"file:{image}", format="raw").close()


def test_a_failed_open_leaves_no_lock(image: Path) -> None:
    with pytest.raises(BlockError):
        open_image(str(image), format="foo")
    open_image(str(image)).close()


@pytest.mark.parametrize("format", ["qcow2", "qcow", "vmdk", "vdi", "vhdx", "vpc", "qed", "parallels", "luks"])
def test_other_formats_are_recognized(tmp_path: Path, format: str) -> None:
    """Needs the Debian package qemu-utils."""
    path = tmp_path / "disk.img"
    if format == "luks":  # qemu-img would measure how fast the host hashes
        path.write_bytes(b"LUKS\xba\xbe\0\1".ljust(1 << 20, b"\0"))
    else:
        subprocess.run(["qemu-img", "create", "-q", "-f", format, str(path), "4M"], check=True)
    with pytest.raises(BlockError, match=rf"'{path}' is a {format} image.*convert it: qemu-img convert -f {format}"):
        open_image(str(path))


@pytest.mark.parametrize("size", ["512", "1000", "1474560", "5G"])
def test_size_of_qemu_img_images(tmp_path: Path, size: str) -> None:
    path = tmp_path / "disk.img"
    subprocess.run(["qemu-img", "create", "-q", "-f", "raw", str(path), size], check=True)
    node = open_image(str(path))
    assert node.size == -(-path.stat().st_size // 512) * 512
    node.close()


def test_guest_cannot_turn_a_probed_image_into_another_format(image: Path) -> None:
    header = b"QFI\xfb\0\0\0\3"
    node = open_image(str(image))
    with pytest.raises(BlockIOError) as failure:
        node.write(0, header.ljust(1024, b"\0"))
    assert failure.value.errno == errno.EPERM
    node.write(0, b"\xeb\x3c\x90".ljust(512, b"\0"))
    node.write(512, header.ljust(512, b"\0"))
    node.close()
    said = open_image(str(image), format="raw")
    said.write(0, header.ljust(512, b"\0"))
    said.close()
    assert probe_format(image.read_bytes(), "") == "qcow2"


def test_host_device_sizes(tmp_path: Path) -> None:
    with_size = FileNode("/dev/null")
    assert with_size.size == 0
    with_size.flush()
    with_size.close()
    assert FileNode("/dev/zero", read_only=True).size == 0


def test_memory_node_counts_flushes_and_zeroes() -> None:
    node = MemoryNode(b"x" * 600)
    assert node.size == 1024
    node.write_zeroes(0, 100)
    assert node.read(99, 2) == b"\0x"
    node.flush()
    assert node.flushes == 1
