"""The generated modules: up to date, cheap, and what they look like."""

from __future__ import annotations

import enum
import keyword
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import pyqemu
from pyqemu.qapi import __main__ as program
from pyqemu.qapi.base import Struct
from pyqemu.qapi.generator.files import CONFIGURED, outdated, python_files
from pyqemu.qapi.generator.status import status_page
from pyqemu.qapi.schema import load
from pyqemu.qapi.schema.model import Schema

ROOT = Path(pyqemu.__file__).parents[1]


def test_generated_modules_are_up_to_date() -> None:
    schema = load(ROOT / "qapi-schema.json", CONFIGURED)
    assert not outdated(ROOT, python_files(schema)), "run python -m pyqemu.qapi"


def test_everything_is_up_to_date() -> None:
    """Also the page about supported commands; in a process of its own, whose handlers are those of the program."""
    done = subprocess.run(
        [sys.executable, "-m", "pyqemu.qapi", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_a_program_imports_needs_neither_schema_nor_generator() -> None:
    code = (
        "import sys, pyqemu.qapi.commands, pyqemu.qapi.events;"
        "print([m for m in sys.modules if m.startswith(('pyqemu.qapi.schema', 'pyqemu.qapi.generator')) "
        "or m in ('dataclasses', 'pyqemu.qapi.generated.introspect')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_enums(small: ModuleType) -> None:
    assert issubclass(small.Colour, enum.StrEnum)
    assert [(value.name, value.value) for value in small.Colour] == [
        ("RED", "red"),
        ("DARK_BLUE", "dark-blue"),
        ("_7UP", "7up"),
    ]


def test_structs_inherit_and_take_keywords_only(small: ModuleType) -> None:
    fish = small.Fish(name="Wanda", scales_count=3, class_=1)
    assert isinstance(fish, small.Animal)
    assert (fish.name, fish.class_, fish.scales_count, fish.weights) == ("Wanda", 1, 3, None)
    with pytest.raises(TypeError):
        small.Fish("Wanda", 3)
    with pytest.raises(AttributeError):
        fish.fins = 2


def test_structs_compare_by_their_members(small: ModuleType) -> None:
    assert small.Animal(name="x") == small.Animal(name="x")
    assert small.Animal(name="x") != small.Animal(name="y")
    assert small.Thing_number(data=1) != small.Thing_fish(data=1)
    assert repr(small.Animal(name="x")) == "Animal(name='x')"


def test_branches_know_their_discriminator(small: ModuleType) -> None:
    red = small.Paint_red(shade=1)
    assert red.colour is small.Colour.RED
    assert isinstance(red, small.Paint)
    assert isinstance(small.Paint_7up(), small.Paint)
    assert not isinstance(small.Thing_number(data=1), small.Paint)


def test_docstring_is_the_first_sentence(small: ModuleType) -> None:
    assert small.Colour.__doc__ == "What something looks like."


def test_everything_generated_is_typed(small: ModuleType) -> None:
    structs = [s for s in vars(small).values() if isinstance(s, type) and issubclass(s, Struct) and s is not Struct]
    assert len(structs) > 8
    for struct in structs:
        if struct._members:
            assert {"return"} < struct.__init__.__annotations__.keys()
            assert not any(keyword.iskeyword(name) for name in struct.__init__.__annotations__ if name != "return")


SCHEMA = "{ 'command': 'do-this' } { 'command': 'do-that' }"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "qapi-schema.json").write_text(SCHEMA)
    monkeypatch.setattr(program, "supported", lambda handlers: {"do-that": handlers})
    return tmp_path


def run(checkout: Path, *arguments: str) -> int:
    return program.main(["--root", str(checkout), "--handlers", "some.module", *arguments])


def test_program_writes_and_checks(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(checkout, "--check") == 1
    assert "docs/qmp-status.md is out of date: run python -m pyqemu.qapi" in capsys.readouterr().err
    assert not (checkout / "docs").exists()
    assert run(checkout) == 0
    assert run(checkout, "--check") == 0
    (checkout / "qapi-schema.json").write_text(SCHEMA + " { 'event': 'X' }")
    assert run(checkout, "--check") == 1
    assert capsys.readouterr().err.splitlines() == [
        "pyqemu/qapi/generated/events.py is out of date: run python -m pyqemu.qapi",
        "pyqemu/qapi/generated/introspect.py is out of date: run python -m pyqemu.qapi",
    ]


def test_program_without_handlers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "qapi-schema.json").write_text(SCHEMA)
    assert program.main(["--root", str(tmp_path), "--handlers", "no_such_module"]) == 1
    assert capsys.readouterr().err == "there is no module no_such_module that would list the handlers\n"


def test_program_shows_where_the_schema_is_wrong(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "qapi-schema.json").write_text("{ 'command' }")
    assert run(checkout) == 1
    assert capsys.readouterr().err == f"{checkout}/qapi-schema.json:1:13: expected ':', found '}}'\n"


def test_status_page(small_schema: Schema) -> None:
    page = status_page(small_schema, {"feed": "pyqemu.water.commands"})
    assert "1 of 6 commands are supported." in page
    assert "| `feed` | small | `pyqemu.water.commands` |" in page
    assert "| `mix` | small | no: nothing in it does this yet |" in page
