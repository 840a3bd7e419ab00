"""The x86 instructions, grouped as the manual groups them (SDM vol. 1, chapter 5).

A module of this package registers its instructions in the opcode map when it is imported; :func:`load`
imports all there are, so that a new group of instructions is a new file and nothing else.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules


def load() -> None:
    """Import every module of the package: afterwards the opcode map is complete."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
