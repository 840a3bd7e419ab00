"""The QMP commands that hand descriptors over: those that came with the command's bytes through a UNIX socket."""

from __future__ import annotations

from pyqemu.io.descriptors import DescriptorError, Descriptors
from pyqemu.monitor.current import take_descriptor
from pyqemu.qapi.commands import command
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated import types as qapi
from pyqemu.system import System


@command("getfd")
def getfd(system: System, *, fdname: str) -> None:
    """Keep the descriptor under a name, for one use."""
    fd = take_descriptor()
    try:
        system.part(Descriptors).add_named(fdname, fd)
    except DescriptorError as error:
        raise QapiError(error.message) from None


@command("closefd")
def closefd(system: System, *, fdname: str) -> None:
    """Close a descriptor that has not been used."""
    try:
        system.part(Descriptors).close_named(fdname)
    except DescriptorError as error:
        raise QapiError(error.message) from None


@command("add-fd")
def add_fd(system: System, *, fdset_id: int | None = None, opaque: str | None = None) -> qapi.AddfdInfo:
    """Put the descriptor into a set, which ``/dev/fdset/N`` then names."""
    fd = take_descriptor()
    try:
        found = system.part(Descriptors).add_to_set(fd, fdset_id, opaque)
    except DescriptorError as error:
        raise QapiError(error.message) from None
    return qapi.AddfdInfo(fdset_id=found.id, fd=fd)


@command("remove-fd")
def remove_fd(system: System, *, fdset_id: int, fd: int | None = None) -> None:
    """Take a descriptor out of its set, or all of them."""
    try:
        system.part(Descriptors).remove_from_set(fdset_id, fd)
    except DescriptorError as error:
        raise QapiError(error.message) from None


@command("query-fdsets")
def query_fdsets(system: System) -> list[qapi.FdsetInfo]:
    """All sets."""
    return [
        qapi.FdsetInfo(
            fdset_id=entry.id, fds=[qapi.FdsetFdInfo(fd=member.fd, opaque=member.opaque) for member in entry.members]
        )
        for entry in system.part(Descriptors)
    ]
