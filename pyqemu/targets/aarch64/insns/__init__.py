"""The A64 instructions, grouped as the manual does (ARM DDI 0487A.f, C4); by name they are found in its C6 and C7.

A module of this package registers its instructions when it is imported; :func:`load` imports all there are, so that a
new group of instructions is a new file and nothing else.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules


def load() -> None:
    """Import every module of the package: afterwards the instruction set is complete."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
