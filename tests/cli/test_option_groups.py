"""``query-command-line-options`` promises nothing that the command line refuses."""

from __future__ import annotations

import pytest

from pyqemu.cli.options import CommandLine, find_option
from pyqemu.system.option_groups import GROUPS
from pyqemu.util.errors import UserError

SPELLED = {"boot-opts": "boot", "memory": "m", "smp-opts": "smp"}
VALUES = {"?": "on", "#": "1", "*": "1M"}
NEEDED = {"accel": "accel=tcg", "add-fd": "fd=3,set=1", "global": "driver=a,property=b,value=c", "mon": "chardev=a"}

# Keys of -machine and -chardev are looked at when the machine is made, not before.
KEYS = [
    (group, word)
    for group, words in GROUPS.items()
    if group not in ("machine", "chardev")
    for word in words.split()
]  # fmt: skip


@pytest.mark.parametrize(("group", "word"), KEYS)
def test_key_is_known_to_its_option(group: str, word: str) -> None:
    name = word.rstrip("?#*")
    setting = f"{name}={VALUES.get(word[-1], 'x')}"
    given = [part for part in NEEDED.get(group, "").split(",") if part and part.partition("=")[0] != name]
    complaint = ""
    try:
        find_option("-" + SPELLED.get(group, group)).apply(CommandLine(), ",".join([*given, setting]))
    except UserError as error:
        complaint = error.message
    assert "Invalid parameter" not in complaint
    assert f"'{name}' is not supported" not in complaint
