"""Small guests for the tests of the library: a boot sector, given as assembly text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

import pyqemu
from pyqemu.util.x86asm import assemble

INTERRUPTS = 0x200
Boot = Callable[..., pyqemu.Machine]


def boot_sector(source: str) -> bytes:
    """The sector; what does not fit into it is not loaded."""
    code = assemble(f"bits 16\norg 0x7c00\n{source}").code
    assert len(code) <= 510
    return code.ljust(510, b"\0") + b"\x55\xaa"


@pytest.fixture(params=["stencil", "python"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine."""
    return str(request.param)


@pytest.fixture
def boot(engine: str) -> Iterator[Boot]:
    """Makes machines that boot a sector, with each engine; they are closed at the end."""
    with ExitStack() as stack:

        def make(source: str, *, to_sector: bool = True, **options: Any) -> pyqemu.Machine:
            options = {"memory": "16M", "engine": engine, **options}
            machine = stack.enter_context(pyqemu.Machine(boot_sector(source), **options))
            if to_sector:
                with machine.breakpoint(0x7C00):
                    machine.run(120)
                machine.cpu.registers["rflags"] &= ~INTERRUPTS  # the BIOS's clock must not get in between
            return machine

        yield make
