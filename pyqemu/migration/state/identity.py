"""The machine's UUID in the stream (``validate-uuid``): that a machine does not end up in another one's place."""

from __future__ import annotations

import struct
from uuid import UUID

from pyqemu.migration.failure import MigrationError
from pyqemu.migration.state.frame import Section, string
from pyqemu.qapi.errors import QapiError
from pyqemu.system import System
from pyqemu.system.inspection import NO_UUID, Identity

NAME, VERSION, LENGTH = "configuration/uuid", 1, 16


def _uuid_of(system: System) -> UUID:
    try:
        return system.part(Identity).uuid
    except QapiError:
        return NO_UUID


def uuid_part(system: System) -> bytes:
    """The part of the configuration; none if ``-uuid`` was not given."""
    uuid = _uuid_of(system)
    if uuid == NO_UUID:
        return b""
    return bytes((Section.SUBSECTION,)) + string(NAME) + struct.pack(">I", VERSION) + uuid.bytes


def check_uuid(received: bytes, system: System) -> None:
    """Compare it with ours. A machine without one takes any: it may be an old one that comes back from a file.

    :raise MigrationError: they differ.
    """
    theirs, ours = UUID(bytes=received), _uuid_of(system)
    if ours not in (NO_UUID, theirs):
        raise MigrationError(f"UUID received is {theirs} and local is {ours}", "-uuid must be the same on both sides")
