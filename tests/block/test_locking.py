"""Locks, against a second process: ours and QEMU's."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyqemu.block import DriveTable, LockError, open_image
from pyqemu.block.drives import DriveOptions
from pyqemu.block.errors import BlockIOError

HOLDER = """
import sys
from pyqemu.block import open_image
node = open_image(sys.argv[1], format="raw", read_only=sys.argv[2] == "reader")
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def other_process(path: Path, role: str) -> Iterator[None]:
    """Another process that has the image open."""
    command = [sys.executable, "-c", HOLDER, str(path), role]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield
        process.stdin.close()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(4096))
    return path


@pytest.mark.parametrize(
    ("theirs", "ours", "message"),
    [
        ("reader", "reader", None),
        ("writer", "writer", 'Failed to get "write" lock'),
        ("reader", "writer", 'Failed to get "write" lock'),
        ("writer", "reader", 'Failed to get shared "write" lock'),
    ],
)
def test_second_process(image: Path, theirs: str, ours: str, message: str | None) -> None:
    with other_process(image, theirs):
        if message is None:
            open_image(str(image), read_only=True).close()
            return
        with pytest.raises(LockError) as failure:
            open_image(str(image), read_only=ours == "reader")
        assert str(failure.value).startswith(f"{message}: '{image}' is in use by another process")
    open_image(str(image), read_only=ours == "reader").close()  # free again


def test_snapshot_is_a_reader(image: Path) -> None:
    with other_process(image, "reader"):
        open_image(str(image), snapshot=True).close()
    with other_process(image, "writer"), pytest.raises(LockError):
        open_image(str(image), snapshot=True)


def test_second_drive_of_the_same_process(image: Path) -> None:
    first = open_image(str(image))
    with pytest.raises(LockError):
        open_image(str(image))
    first.close()
    open_image(str(image)).close()


def test_qemu_img_respects_the_lock(image: Path) -> None:
    """Needs the Debian package qemu-utils."""
    command = ["qemu-img", "resize", "-q", "-f", "raw", str(image), "8192"]
    node = open_image(str(image))
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode == 1 and 'Failed to get "write" lock' in refused.stderr
    node.close()
    subprocess.run(command, check=True)


def test_qemu_io_holds_us_off(image: Path) -> None:
    """Needs the Debian package qemu-utils."""
    command = ["qemu-io", "-f", "raw", str(image)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"write 0 512\n")
        process.stdin.flush()
        while b"wrote" not in process.stdout.readline():
            pass
        with pytest.raises(LockError):
            open_image(str(image))
        process.stdin.close()


def test_dev_null_is_not_locked() -> None:
    first = open_image("/dev/null", format="raw")
    open_image("/dev/null", format="raw").close()
    first.close()


def test_images_change_hands(image: Path) -> None:
    """As when a machine moves: the second user has no lock before the first has let go."""
    first, second = DriveTable(), DriveTable()
    second.graph.active = False
    options = f"file={image},format=raw"
    ours, theirs = first.add(DriveOptions.parse(options)), second.add(DriveOptions.parse(options))
    with pytest.raises(BlockIOError, match="another machine's"):
        theirs.write(0, bytes(512))
    with pytest.raises(LockError):
        second.graph.take_over()
    assert not second.graph.active
    ours.write(0, b"x" * 512)
    first.graph.hand_over()
    second.graph.take_over()
    assert theirs.read(0, 1) == b"x"
    theirs.write(0, b"y" * 512)
    with pytest.raises(BlockIOError, match="another machine's"):
        ours.write(0, bytes(512))
    with pytest.raises(LockError):
        first.graph.take_over()
    second.close_all()
    first.graph.take_over()
    assert ours.read(0, 1) == b"y"
    first.close_all()


def test_of_several_images_all_change_hands_or_none(tmp_path: Path) -> None:
    paths = [tmp_path / "a.img", tmp_path / "b.img"]
    table = DriveTable()
    table.graph.active = False
    for path in paths:
        path.write_bytes(bytes(4096))
        table.add(DriveOptions.parse(f"file={path},format=raw"))
    with other_process(paths[0], "writer"), pytest.raises(LockError):
        table.graph.take_over()
    with other_process(paths[1], "writer"):
        with pytest.raises(LockError):
            table.graph.take_over()
        open_image(str(paths[0])).close()
    table.close_all()
