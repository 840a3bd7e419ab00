"""The commands of QEMU's human monitor, by name and by the arguments that they take (``reference.txt``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyqemu.monitor import handlers
from pyqemu.monitor.hmp import commands
from pyqemu.monitor.hmp.arguments import parse_signature
from pyqemu.monitor.hmp.commands.absent import COMMANDS_TO_COME, INFOS_TO_COME, Absent
from pyqemu.monitor.hmp.table import TABLE
from pyqemu.qapi import commands as qapi_commands

NOT_HERE = {
    "dump-skeys": "of s390x, which is no target yet",
    "info skeys": "of s390x, which is no target yet",
    "trace-file": "QEMU has it only with the trace backend 'simple'",
}
OTHER_ARGUMENTS = {
    "info mtree": "later QEMU has -f, which shows what answers where in the end",
    "migrate_set_parameter": "later QEMU takes any value: parameters may be texts",
}


def reference() -> Iterator[tuple[str, str]]:
    """Names as they are typed, and signatures."""
    for line in Path(__file__).with_name("reference.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, signature = line.rsplit(" ", 1)
            yield name, "" if signature == "-" else signature


REFERENCE = dict(reference())


@pytest.fixture(autouse=True)
def loaded() -> None:
    commands.load()


def test_reference_is_whole() -> None:
    topics = [name for name in REFERENCE if name.startswith("info ")]
    assert (len(REFERENCE) - len(topics), len(topics)) == (103, 54)


@pytest.mark.parametrize("name", [name for name in REFERENCE if name not in NOT_HERE])
def test_command_takes_what_the_reference_says(name: str) -> None:
    first, _, topic = name.partition(" ")
    command = TABLE.find(topic or first, is_info=bool(topic))
    assert command is not None, "no such command"
    if name not in OTHER_ARGUMENTS:
        assert command.arguments == parse_signature(REFERENCE[name])


def test_exceptions_are_still_needed() -> None:
    for name in NOT_HERE:
        first, _, topic = name.partition(" ")
        assert name in REFERENCE
        assert TABLE.find(topic or first, is_info=bool(topic)) is None
    assert OTHER_ARGUMENTS.keys() <= REFERENCE.keys()


@pytest.mark.parametrize(("alias", "name"), [("?", "help"), ("q", "quit"), ("c", "cont"), ("p", "print")])
def test_aliases(alias: str, name: str) -> None:
    assert TABLE.find(alias) is TABLE.find(name) is not None


@pytest.mark.parametrize("row", [*COMMANDS_TO_COME, *INFOS_TO_COME], ids=lambda row: row.name)
def test_what_is_absent_here_is_absent_in_qmp(row: Absent) -> None:
    """As soon as a QMP command does it, the human one shall call that."""
    handlers.load()
    assert bool(row.qmp) != bool(row.why)
    assert row.reason
    assert row.qmp not in qapi_commands.handlers()
