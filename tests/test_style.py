"""House rules that no linter knows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import pyqemu

ROOT = Path(pyqemu.__file__).parents[1]
MAX_LINES = 600
SOURCES = sorted(path for part in ("pyqemu", "tests", "bench") for path in (ROOT / part).rglob("*.py"))
WRITTEN = [path for path in SOURCES if path.parent.name != "generated"]
TEXTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *SOURCES, *ROOT.rglob("pyqemu/**/*.asm")])
FOREIGN_PATHS = re.compile(r"/(home|work|Users)/\w")  # of somebody's machine


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_files_are_short_enough_to_be_read() -> None:
    long = {name(path): lines for path in WRITTEN if (lines := len(path.read_text("utf-8").splitlines())) > MAX_LINES}
    assert not long


def test_nothing_depends_on_somebodys_machine() -> None:
    found = [name(path) for path in TEXTS if FOREIGN_PATHS.search(path.read_text("utf-8")) and path != Path(__file__)]
    assert not found


def test_modules_say_what_they_are_about() -> None:
    texts = {name(path): path.read_text("utf-8") for path in SOURCES}
    assert not [path for path, text in texts.items() if text.strip() and not ast.get_docstring(ast.parse(text))]


def test_public_classes_and_functions_say_what_they_do() -> None:
    silent = []
    for path in sorted((ROOT / "pyqemu").rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
                continue
            registered = isinstance(node, ast.FunctionDef) and node.decorator_list  # an option's help says it
            if not registered and not ast.get_docstring(node):
                silent.append(f"{name(path)}: {node.name}")
    assert not silent, "\n".join(silent)


@pytest.mark.parametrize(
    "path", sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]), ids=name
)
def test_documents_name_files_that_exist(path: Path) -> None:
    """Links, and what stands in backquotes and looks like a path: from the root, the package, or the x86 target."""
    text = path.read_text("utf-8")
    words = re.findall(r"`(\w[\w.-]*/[\w./-]*)`", text) + re.findall(r"\]\(([\w./-]+)\)", text)
    bases = (ROOT, ROOT / "pyqemu", ROOT / "pyqemu" / "targets" / "x86", path.parent)
    assert not [word for word in words if not any((base / word).exists() for base in bases)]
