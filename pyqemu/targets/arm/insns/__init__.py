"""The instructions of A32, T16 and T32, grouped as the manual groups them (ARM DDI 0406C.b, A5 and A6).

A module of this package registers its instructions when it is imported; :func:`load` imports all there are, so that a
new group of instructions is a new file and nothing else.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules


def load() -> None:
    """Import every module of the package: afterwards the instruction sets are complete."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
