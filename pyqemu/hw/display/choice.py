"""``-vga NAME``: which model that is."""

from __future__ import annotations

from pyqemu.util.errors import OptionError
from pyqemu.util.options import parse_options

KNOWN = ("std", "cirrus", "vmware", "xenfb", "qxl", "tcx", "cg3", "virtio", "none")


def parse_vga(text: str) -> tuple[str | None, dict[str, str]]:
    """The adapter to make (None: none) and its properties, from an option as ``std,retrace=precise``.

    :raise OptionError: no adapter has that name, or there is no model of it here.
    """
    options = parse_options(text, "type")
    name = options.pop("type", "")
    if name not in KNOWN:
        raise OptionError(f"unknown vga type: {text}", "std or none")
    if name not in ("std", "none"):
        raise OptionError(f"-vga {name} is not supported", "std or none")
    unknown = set(options) - {"retrace"}
    if unknown or options.get("retrace", "dumb") not in ("dumb", "precise"):
        raise OptionError(f"unknown vga type: {text}", "retrace=dumb or retrace=precise")
    return ("VGA", options) if name == "std" else (None, {})
