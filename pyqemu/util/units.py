"""Sizes with suffixes, as QEMU reads and prints them."""

from __future__ import annotations

import re

from pyqemu.util.errors import OptionError

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

_SUFFIXES = {"": 0, "B": 0, "K": 10, "M": 20, "G": 30, "T": 40, "P": 50, "E": 60}
_SIZE = re.compile(r"\s*(0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?)([bBkKmMgGtTpPeE]?)\s*\Z")


def parse_size(text: str, what: str = "size", default_suffix: str = "B") -> int:
    """Return the number of bytes of ``text``, such as ``512``, ``1.5G`` or ``0x1000``.

    A number without a suffix is counted in ``default_suffix`` (``-m 128`` means megabytes).

    :raise OptionError: it is no size, or does not fit into 64 bits.
    """
    match = _SIZE.match(text)
    if match is None:
        raise OptionError(
            f"Parameter '{what}' expects a size",
            "You may use k, M, G, T, P or E suffixes for kilobytes, megabytes, gigabytes, terabytes, "
            "petabytes and exabytes.",
        )
    number, suffix = match.groups()
    shift = _SUFFIXES[(suffix or default_suffix).upper()]
    if number[:2].lower() == "0x":
        size = int(number, 16) << shift
    elif "." in number:
        size = int(float(number) * (1 << shift))
    else:
        size = int(number) << shift
    if size >= 1 << 64:
        raise OptionError(f"Value '{text}' is out of range for parameter '{what}'")
    return size


def format_size(size: int) -> str:
    """Return ``size`` with the largest binary suffix that leaves a whole number: ``128 MiB``."""
    for suffix, shift in (("EiB", 60), ("PiB", 50), ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size and size % (1 << shift) == 0:
            return f"{size >> shift} {suffix}"
    return f"{size} B"
