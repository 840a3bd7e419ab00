"""File descriptors that clients hand to the machine: by name (``getfd``), or in sets (``add-fd``).

A named descriptor is for one use: who takes it owns it. A set stands for one file, opened in several ways; its name
``/dev/fdset/N`` may stand where a path is expected, and whoever opens that gets a duplicate of the member whose access
mode fits. So a set serves any number of openings, until its descriptors are removed.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pyqemu.util.errors import UserError

__all__ = ["DescriptorError", "Descriptors", "FdSet", "SetMember", "open_plain"]

_SET_NAME = re.compile(r"/dev/fdset/(\d+)")


class DescriptorError(UserError):
    """There is no such descriptor or set."""


def open_plain(path: str, flags: int, mode: int = 0o666) -> int:
    """``os.open``, for those who know no descriptor sets."""
    return os.open(path, flags, mode)


@dataclass(frozen=True)
class SetMember:
    """A descriptor of a set, and what the client said of it."""

    fd: int
    opaque: str | None = None


@dataclass
class FdSet:
    """A set of descriptors."""

    id: int
    members: list[SetMember] = field(default_factory=list)


class Descriptors:
    """All that clients have handed over and nobody has taken yet. The machine's lock is held by all callers."""

    def __init__(self) -> None:
        self._named: dict[str, int] = {}
        self._sets: dict[int, FdSet] = {}

    # -- by name

    def add_named(self, name: str, fd: int) -> None:
        """Keep *fd* under *name*; one that was there of that name is closed.

        :raise DescriptorError: a name may not begin with a digit (numbers mean inherited descriptors); *fd* is closed.
        """
        if name[:1].isdigit():
            os.close(fd)
            raise DescriptorError("Parameter 'fdname' expects a name not starting with a digit")
        old = self._named.pop(name, None)
        if old is not None:
            os.close(old)
        self._named[name] = fd

    def take_named(self, name: str) -> int:
        """The descriptor of that name, which belongs to the caller from now on; or, if *name* is a number, an
        inherited one.

        :raise DescriptorError: there is none.
        """
        if name[:1].isdigit():
            try:
                number = int(name)
                os.fstat(number)
            except (ValueError, OSError, OverflowError):
                raise DescriptorError(f"Invalid file descriptor number '{name}'") from None
            return number
        if name not in self._named:
            raise DescriptorError(f"File descriptor named '{name}' has not been found")
        return self._named.pop(name)

    def close_named(self, name: str) -> None:
        """Close the descriptor of that name.

        :raise DescriptorError: there is none.
        """
        if name not in self._named:
            raise DescriptorError(f"File descriptor named '{name}' not found")
        os.close(self._named.pop(name))

    # -- sets

    def __iter__(self) -> Iterator[FdSet]:
        return iter(sorted(self._sets.values(), key=lambda entry: entry.id))

    def add_to_set(self, fd: int, set_id: int | None = None, opaque: str | None = None) -> FdSet:
        """Put *fd* into a set, which is made if need be; None: into a new one with the lowest free number.

        :raise DescriptorError: there can't be a set of that number; *fd* is closed.
        """
        if set_id is not None and set_id < 0:
            os.close(fd)
            raise DescriptorError("Parameter 'fdset-id' expects a non-negative value")
        if set_id is None:
            set_id = next(number for number in range(len(self._sets) + 1) if number not in self._sets)
        found = self._sets.setdefault(set_id, FdSet(set_id))
        found.members.append(SetMember(fd, opaque))
        return found

    def remove_from_set(self, set_id: int, fd: int | None = None) -> None:
        """Close one descriptor of a set, or (None) the whole set. What was opened by it stays open.

        :raise DescriptorError: there is no such set, or not that descriptor in it.
        """
        found = self._sets.get(set_id)
        gone = [] if found is None else [member for member in found.members if fd is None or member.fd == fd]
        if found is None or not gone:
            what = f"fdset-id:{set_id}" if fd is None else f"fdset-id:{set_id}, fd:{fd}"
            raise DescriptorError(f"File descriptor named '{what}' not found")
        for member in gone:
            found.members.remove(member)
            os.close(member.fd)
        if not found.members:
            del self._sets[set_id]

    # -- opening

    def open(self, path: str, flags: int, mode: int = 0o666) -> int:
        """``os.open``, which also knows ``/dev/fdset/N``: then a duplicate of the set's descriptor whose access mode is
        that of *flags*; creation and truncation are the client's business then.

        :raise OSError: as ``os.open``; ``ENOENT``: there is no such set; ``EACCES``: it has no descriptor that fits.
        """
        match = _SET_NAME.fullmatch(path)
        if match is None:
            return os.open(path, flags, mode)
        found = self._sets.get(int(match[1]))
        if found is None:
            raise FileNotFoundError(2, os.strerror(2), path)
        wanted = flags & os.O_ACCMODE
        for member in found.members:
            if fcntl.fcntl(member.fd, fcntl.F_GETFL) & os.O_ACCMODE == wanted:
                return os.dup(member.fd)
        raise PermissionError(13, os.strerror(13), path)

    def close_all(self) -> None:
        """The machine ends."""
        for fd in self._named.values():
            os.close(fd)
        for entry in self._sets.values():
            for member in entry.members:
                os.close(member.fd)
        self._named.clear()
        self._sets.clear()
