"""Descriptors by name and in sets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyqemu.io.descriptors import DescriptorError, Descriptors


@pytest.fixture
def store() -> Iterator[Descriptors]:
    store = Descriptors()
    yield store
    store.close_all()


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def null(flags: int = os.O_RDWR) -> int:
    return os.open("/dev/null", flags)


def test_a_named_descriptor_is_taken_once(store: Descriptors) -> None:
    fd = null()
    store.add_named("x", fd)
    assert store.take_named("x") == fd
    with pytest.raises(DescriptorError, match="File descriptor named 'x' has not been found"):
        store.take_named("x")
    os.close(fd)


def test_a_second_descriptor_of_a_name_closes_the_first(store: Descriptors) -> None:
    first, second = null(), null()
    store.add_named("x", first)
    store.add_named("x", second)
    assert not is_open(first) and is_open(second)


def test_names_do_not_begin_with_digits(store: Descriptors) -> None:
    fd = null()
    with pytest.raises(DescriptorError, match="a name not starting with a digit"):
        store.add_named("1x", fd)
    assert not is_open(fd)


def test_numbers_are_inherited_descriptors(store: Descriptors) -> None:
    fd = null()
    assert store.take_named(str(fd)) == fd
    os.close(fd)
    with pytest.raises(DescriptorError, match="Invalid file descriptor number"):
        store.take_named(str(fd))


def test_a_set_serves_many_openings_by_access_mode(store: Descriptors, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"data")
    reader = os.open(path, os.O_RDONLY)
    store.add_to_set(reader, 3, "for reading")
    for _ in range(2):
        fd = store.open("/dev/fdset/3", os.O_RDONLY | os.O_CLOEXEC)
        assert fd != reader and os.pread(fd, 4, 0) == b"data"
        os.close(fd)
    with pytest.raises(PermissionError):
        store.open("/dev/fdset/3", os.O_RDWR)
    with pytest.raises(FileNotFoundError):
        store.open("/dev/fdset/4", os.O_RDONLY)


def test_what_was_opened_outlives_its_set(store: Descriptors) -> None:
    member = null()
    store.add_to_set(member, 0)
    fd = store.open("/dev/fdset/0", os.O_RDWR)
    store.remove_from_set(0)
    assert is_open(fd) and not is_open(member)
    assert list(store) == []
    os.close(fd)


def test_new_sets_get_the_lowest_free_number(store: Descriptors) -> None:
    assert store.add_to_set(null()).id == 0
    assert store.add_to_set(null(), 2).id == 2
    assert store.add_to_set(null()).id == 1
    assert [entry.id for entry in store] == [0, 1, 2]


def test_one_descriptor_is_removed_from_a_set(store: Descriptors) -> None:
    first, second = null(), null()
    store.add_to_set(first, 0)
    store.add_to_set(second, 0)
    store.remove_from_set(0, first)
    assert [member.fd for member in next(iter(store)).members] == [second]
    with pytest.raises(DescriptorError, match=f"named 'fdset-id:0, fd:{first}' not found"):
        store.remove_from_set(0, first)
    with pytest.raises(DescriptorError, match="named 'fdset-id:7' not found"):
        store.remove_from_set(7)


def test_other_paths_are_opened_as_ever(store: Descriptors, tmp_path: Path) -> None:
    os.close(store.open(str(tmp_path / "new"), os.O_WRONLY | os.O_CREAT))
    assert (tmp_path / "new").exists()
