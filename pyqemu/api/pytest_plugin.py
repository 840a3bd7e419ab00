"""The pytest plugin: machines for tests, and what was going on in them for the reports of tests that fail.

::

    def test_boots(pyqemu):
        machine = pyqemu("disk.img", memory="64M", icount=True)
        machine.serial.expect("login:", timeout=60)
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pyqemu.api.scripted import Machine

Factory = Callable[..., "Machine"]
LINES = 100  #: of a serial log, at most
INSTRUCTIONS = 24


class _Machines:
    """The machines of one test."""

    def __init__(self, directory: Callable[[], Path]) -> None:
        self.all: list[Machine] = []
        self._directory = directory

    def make(self, *args: Any, **kwargs: Any) -> Machine:
        """A :class:`pyqemu.Machine` that is closed when the test has ended."""
        from pyqemu.api.scripted import Machine

        machine = Machine(*args, **kwargs)
        self.all.append(machine)
        return machine

    def sections(self) -> Iterator[tuple[str, str]]:
        """Titles and texts for a report."""
        directory: Path | None = None
        for number, machine in enumerate(self.all):
            directory = directory or self._directory()
            name = "pyqemu" if len(self.all) == 1 else f"pyqemu {number}"
            for title, show in _SHOWN:
                try:
                    text = show(machine, directory / f"screen{number}.png")
                except Exception as error:  # a report must not fail because of what it reports
                    text = f"({type(error).__name__}: {error})"
                yield f"{name}: {title}", text


def _serial(machine: Machine, _: Path) -> str:
    return "\n".join(machine.serial.text.replace("\r", "").split("\n")[-LINES:])


def _screen(machine: Machine, path: Path) -> str:
    path.write_bytes(machine.screen.png())
    return f"{machine.screen.text()}\n\npicture: {path}"


def _registers(machine: Machine, _: Path) -> str:
    return machine.cpu.text()


def _instructions(machine: Machine, _: Path) -> str:
    lines = [f"   {address:#x}: {text}" for address, text in machine.cpu.last_instructions(INSTRUCTIONS)]
    lines += [f"-> {address:#x}: {text}" for address, text in machine.cpu.disassemble()]
    return "\n".join(lines)


_SHOWN = (
    ("serial line", _serial), ("screen", _screen), ("registers", _registers), ("last instructions", _instructions),
)  # fmt: skip
_KEY = pytest.StashKey[_Machines]()


@pytest.fixture
def pyqemu(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factory]:
    """Makes machines (``pyqemu.Machine``) that are closed at the end; if the test fails, its report has their serial
    logs, screens, registers and last instructions.
    """
    machines = _Machines(lambda: tmp_path_factory.mktemp("pyqemu"))
    request.node.stash[_KEY] = machines
    yield machines.make
    for machine in machines.all:
        machine.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach what was going on in the machines of a test that failed."""
    report = yield
    machines = item.stash.get(_KEY, None)
    if machines is not None and report.when == "call" and report.failed:
        report.sections.extend(machines.sections())
    return report
