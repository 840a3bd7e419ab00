"""Schema names in Python: how members, values and branches are spelled there."""

from __future__ import annotations

import keyword
import re


def attribute(name: str) -> str:
    """A member: ``node-name`` is ``node_name``, ``class`` is ``class_``."""
    spelled = re.sub(r"[-.]", "_", name)
    return f"{spelled}_" if keyword.iskeyword(spelled) else spelled


def constant(value: str) -> str:
    """A value of an enum: ``finish-migrate`` is ``FINISH_MIGRATE``, ``1`` is ``_1``."""
    spelled = re.sub(r"[-.]", "_", value).upper()
    return f"_{spelled}" if spelled[0].isdigit() else spelled


def branch_class(union: str, branch: str) -> str:
    """The class of one branch of a union; types of the schema have no ``_``, so this is none of them."""
    return f"{union}_{re.sub(r'[-.]', '_', branch)}"
