"""The file of stencils in the user's cache: made, reused, repaired, shared; and hosts where there are none."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from pyqemu.accel.tcg import make_engine
from pyqemu.tcg import stencils
from pyqemu.tcg.ops import operands
from pyqemu.tcg.stencil_build import MAGIC, pack, unpack
from pyqemu.tcg.stencil_engine import StencilEngine
from pyqemu.tcg.stencils import StencilsUnavailable, cache_directory, fingerprint, load
from pyqemu.tcg.tables import full_table
from pyqemu.util.errors import UserError

TABLE = full_table()
ROOT = Path(__file__).parents[2]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache directory of the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory() == tmp_path / "pyqemu"
    return tmp_path / "pyqemu"


@pytest.fixture
def filled(cache: Path) -> Path:
    """The file of stencils of this host in an otherwise empty cache; copied, since making it takes seconds."""
    cache.mkdir()
    path = cache / f"stencils-{fingerprint(TABLE)[:32]}.bin"
    path.write_bytes(pack(SOUND))
    return path


SOUND = load(TABLE)


def never_made(path: Path) -> None:
    raise AssertionError(f"{path} is made though it was there")


def test_cold_start_makes_the_file_and_a_warm_one_uses_it(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(TABLE) == SOUND
    (path,) = cache.iterdir()
    assert unpack(path.read_bytes()) == SOUND
    monkeypatch.setattr(stencils, "_make", never_made)
    assert load(TABLE) == SOUND


def test_warm_start_does_not_import_llvmlite(filled: Path) -> None:
    code = "import sys; from pyqemu.tcg import stencil_engine as e; e.StencilEngine(); print('llvmlite' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped bit", "other magic", "garbage"])
def test_damaged_file_is_made_anew(filled: Path, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = filled.read_bytes()
    middle = len(data) // 2
    flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    filled.write_bytes({
        "empty": b"", "cut": data[:middle], "flipped bit": flipped,
        "other magic": b"pyqemu stencils 0\n" + data[len(MAGIC) :], "garbage": b"\x55" * len(data),
    }[damage])  # fmt: skip
    made: list[Path] = []

    def make(path: Path) -> dict[str, stencils.Piece]:
        made.append(path)
        return SOUND

    monkeypatch.setattr(stencils, "_make", make)
    assert load(TABLE) == SOUND
    assert made == [filled]


def test_damaged_file_is_replaced(filled: Path) -> None:
    filled.write_bytes(b"nonsense")
    assert load(TABLE) == SOUND
    assert unpack(filled.read_bytes()) == SOUND


def test_two_processes_at_once(cache: Path) -> None:
    """Both start from nothing and both run; one sound file remains, and nothing else."""
    code = (
        "import sys; sys.path.insert(0, 'tests/tcg'); from toy import Toy; t = Toy()\n"
        "t.put(0x1000, ('li', 1, 0, 7), ('stop',)); t.run(0x1000); print(t.cpu[1])"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) for _ in range(2)]
    assert [process.communicate()[0].strip() for process in processes] == [b"7", b"7"]
    (path,) = cache.iterdir()
    assert unpack(path.read_bytes()) == SOUND


def test_cache_that_cannot_be_written(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file stands where the directory should be; the stencils are made and used all the same."""
    cache.write_text("in the way")
    assert load(TABLE) == SOUND
    assert cache.read_text() == "in the way"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_cache_directory(cache: Path) -> None:
    cache.mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    assert load(TABLE) == SOUND
    assert list(cache.iterdir()) == []


def test_name_of_the_file_depends_on_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    name = fingerprint(TABLE)
    changed = dict(TABLE)
    changed["add64"] = replace(TABLE["add64"], llvm="%d = sub i64 %a, %b")
    assert fingerprint(changed) != name
    changed["add64"] = replace(TABLE["add64"], operands=operands("d64 a64 c64"), llvm="%d = add i64 %a, %c")
    assert fingerprint(changed) != name
    changed["add64"] = replace(TABLE["add64"], py="{b} + {a}")  # no stencil depends on that
    assert fingerprint(changed) == name


def test_name_of_the_file_depends_on_llvmlite_and_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    name = fingerprint(TABLE)
    with monkeypatch.context() as patch:
        patch.setattr(metadata, "version", lambda package: "0.0.1")
        assert fingerprint(TABLE) != name
    with monkeypatch.context() as patch:
        patch.setattr(stencils, "_host_processor", lambda: "another")
        assert fingerprint(TABLE) != name
    assert fingerprint(TABLE) == name


def without_llvmlite(package: str) -> str:
    raise metadata.PackageNotFoundError(package)


def test_host_without_llvmlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", without_llvmlite)
    with pytest.raises(StencilsUnavailable, match="llvmlite is not installed"):
        load(TABLE)


def test_engine_that_the_host_allows_is_picked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert make_engine().name == "stencil"
    assert make_engine("python").name == "python"
    monkeypatch.setattr(metadata, "version", without_llvmlite)
    assert make_engine().name == "python"
    with pytest.raises(UserError, match="llvmlite"):
        make_engine("stencil")


def test_other_processors_have_no_stencils_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(StencilsUnavailable, match="riscv64"):
        load(TABLE)


def test_llvm_that_fails(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that makes the stencils dies; the reason is one line."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(StencilsUnavailable, match="LLVM could not make the stencils"):
        load(TABLE)
    assert not cache.exists()


def test_no_executable_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(size: int) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("pyqemu.tcg.stencil_engine.CodeBuffer", refuse)
    with pytest.raises(StencilsUnavailable, match="not permitted"):
        StencilEngine()
    assert make_engine().name == "python"


def test_strange_relocation_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that calls a library function fails when the table is built, not when it runs."""
    from pyqemu.tcg.stencil_build import StencilError, build

    bad = replace(TABLE["mov64"], name="bad", llvm="%p = call ptr @malloc(i64 %a)\n%d = ptrtoint ptr %p to i64",
                  declare=("declare ptr @malloc(i64)\n",))  # fmt: skip
    with pytest.raises(StencilError, match="malloc"):
        build({"bad": bad})
