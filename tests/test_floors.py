"""The floors of the house (docs/architecture.md): an import goes down, never up, and never to a neighbour.

Every ``import`` statement counts, also within functions, and those for type checking alone: a type that can be named
only from above would tell that the interface stands on the wrong floor.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pyqemu

ROOT = Path(pyqemu.__file__).parent

FLOORS = (
    ("__main__",),
    ("cli", "tools"),
    ("api",),
    ("boards", "monitor"),
    ("accel", "firmware", "gdbstub"),
    ("targets", "hw", "guest"),
    ("tcg", "migration", "block", "chardev", "net", "ui", "audio"),
    ("system",),
    ("qom", "memory"),
    ("qapi", "io", "crypto", "fpu"),
    ("util",),
    ("__init__",),
)
HEIGHT = {name: len(FLOORS) - number for number, floor in enumerate(FLOORS) for name in floor}

KNOWN_EXCEPTIONS: dict[tuple[str, str], str] = {
    (
        "pyqemu",
        "api",
    ): "people write pyqemu.Machine; it is looked up when it is used, so no import of a part pays for it",
    ("pyqemu.api.construct", "cli"): "Machine(args=[...]) is the command line's language, and its words stand in cli; "
    "who gives no args never loads them",
}
"""(importing module, imported package) -> why there is no better way."""

BUILDS_ON = {"aarch64": "arm"}
"""Architecture -> one that it may know: AArch64 is the second state of the processors whose first state is that of arm;
flags, page tables and system registers are the same things in both."""


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything imported. ``from a import b`` is ``a.b``, which may be a module."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            whole = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{whole}.{alias.name}") for alias in node.names)


def part(name: str) -> str:
    """The part of the house that a module belongs to: the name below ``pyqemu``."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in HEIGHT else "__init__"


def complaint(importer: str, imported: str) -> str | None:
    """What is wrong with an import between two of our modules; None if it may be."""
    above, below = part(importer), part(imported)
    if (importer, below) in KNOWN_EXCEPTIONS:
        return None
    if above == below:
        architectures = [name.split(".")[2] for name in (importer, imported) if name.count(".") > 1]
        strange = len({*architectures}) > 1 and BUILDS_ON.get(architectures[0]) != architectures[1]
        return "one architecture does not know another" if above == "targets" and strange else None
    if HEIGHT[above] < HEIGHT[below]:
        return f"{above} is below {below}"
    if HEIGHT[above] == HEIGHT[below]:
        return f"{above} and {below} are neighbours"
    return None


def test_every_package_has_a_floor() -> None:
    parts = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in modules()}
    assert parts <= HEIGHT.keys(), "a new part of the house needs its floor in design and here"


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_imports_go_down(path: Path) -> None:
    importer = module_name(path)
    wrong = []
    for line, imported in imports(path):
        if imported.split(".")[0] == "pyqemu":
            problem = complaint(importer, imported)
            if problem is not None:
                wrong.append(f"{path.relative_to(ROOT.parent)}:{line}: import of {imported}: {problem}")
    assert not wrong, "\n".join(wrong)


def test_engines_are_known_to_few() -> None:
    """Whoever runs guest code does not know how."""
    engines = ("pyqemu.tcg.stencil", "pyqemu.tcg.python_engine", "pyqemu.tcg.codebuffer")
    curious = {
        module_name(path)
        for path in modules()
        for _, imported in imports(path)
        if imported.startswith(engines) and not module_name(path).startswith("pyqemu.tcg")
    }
    assert curious <= {"pyqemu.accel.tcg"}


def test_only_few_modules_need_a_library() -> None:
    """What comes from outside is imported where it is needed, so that a host may lack it."""
    homes = {
        "llvmlite": ("pyqemu.tcg",),
        "elftools": ("pyqemu.tcg", "pyqemu.firmware"),
        "capstone": ("pyqemu.tcg", "pyqemu.targets"),
        "prompt_toolkit": ("pyqemu.monitor",),
    }
    wrong = []
    for path in modules():
        for line, imported in imports(path):
            home = homes.get(imported.split(".")[0])
            if home is not None and not module_name(path).startswith(home):
                wrong.append(f"{path.relative_to(ROOT.parent)}:{line}: {imported}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("importer", "imported", "ok"),
    [
        ("pyqemu.hw.char.serial", "pyqemu.system.clock", True),
        ("pyqemu.hw.char.serial", "pyqemu.boards.pc", False),
        ("pyqemu.tcg.engine", "pyqemu.targets.x86.state", False),
        ("pyqemu.targets.x86.state", "pyqemu.hw.intc.apic", False),
        ("pyqemu.targets.x86.state", "pyqemu.targets.arm.state", False),
        ("pyqemu.targets.x86.state", "pyqemu.targets.x86.mmu", True),
        ("pyqemu.targets.aarch64.state", "pyqemu.targets.arm.flags", True),
        ("pyqemu.targets.arm.flags", "pyqemu.targets.aarch64.state", False),
        ("pyqemu.hw.char.serial", "pyqemu.hw.isa.bus", True),
        ("pyqemu.block.raw", "pyqemu.chardev.base", False),
        ("pyqemu.util.units", "pyqemu.qom.device", False),
        ("pyqemu.cli.lists", "pyqemu.__version__", True),
    ],
)
def test_the_rule_itself(importer: str, imported: str, ok: bool) -> None:
    assert (complaint(importer, imported) is None) == ok
