"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyqemu.util.whole_file import whole_file


def test_a_new_file_appears_when_it_is_done(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with whole_file(str(path)) as file:
        file.write(b"data")
        assert not path.exists()
    assert path.read_bytes() == b"data"
    assert os.listdir(tmp_path) == ["x"]


def test_a_new_file_has_the_usual_rights(tmp_path: Path) -> None:
    with open(tmp_path / "usual", "wb"), whole_file(str(tmp_path / "x")):
        pass
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def fail() -> None:
        with whole_file(str(path)) as file:
            file.write(b"new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x"]


def test_a_file_that_is_replaced_keeps_its_rights_and_its_link(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(path)
    with whole_file(str(link)) as file:
        file.write(b"new")
    assert link.is_symlink() and path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640


def test_devices_are_written_in_place() -> None:
    with whole_file("/dev/null") as file:
        file.write(b"x")
    assert Path("/dev/null").is_char_device()


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(str(tmp_path / "no" / "x")):
        pass
