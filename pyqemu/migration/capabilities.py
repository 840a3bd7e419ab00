"""What can be switched on for migrations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated.types import MigrationCapability

ALIASES: Final = {"x-postcopy-ram": MigrationCapability.POSTCOPY_RAM}
"""Names of QEMU 2.6 that became others; the human monitor shows and takes them."""
HUMAN: Final = (
    ("xbzrle", MigrationCapability.XBZRLE),
    ("rdma-pin-all", MigrationCapability.RDMA_PIN_ALL),
    ("auto-converge", MigrationCapability.AUTO_CONVERGE),
    ("zero-blocks", MigrationCapability.ZERO_BLOCKS),
    ("compress", MigrationCapability.COMPRESS),
    ("events", MigrationCapability.EVENTS),
    ("x-postcopy-ram", MigrationCapability.POSTCOPY_RAM),
)
"""What the human monitor of QEMU 2.6 lists, and how."""
IMPOSSIBLE: Final = {
    MigrationCapability.RDMA_PIN_ALL: "there is no access to RDMA hardware",
    MigrationCapability.MULTIFD: "memory goes over one connection",
    MigrationCapability.DIRTY_BITMAPS: "bitmaps of block nodes can't be sent",
    MigrationCapability.BACKGROUND_SNAPSHOT: "the guest can't run on while its memory as of the start is sent",
}


class Capabilities:
    """Which are on."""

    def __init__(self) -> None:
        self._on: set[MigrationCapability] = set()

    def __contains__(self, capability: object) -> bool:
        return capability in self._on

    def __iter__(self) -> Iterator[tuple[MigrationCapability, bool]]:
        """All, and whether they are on."""
        return ((capability, capability in self._on) for capability in MigrationCapability)

    def set(self, changes: Iterable[tuple[MigrationCapability, bool]]) -> None:
        """Switch on and off: all or, if one of them cannot be, none.

        :raise QapiError: it cannot be.
        """
        on = set(self._on)
        for capability, state in changes:
            if state and capability in IMPOSSIBLE:
                raise QapiError(
                    f"Capability '{capability}' is not supported by this build of pyqemu: {IMPOSSIBLE[capability]}"
                )
            (on.add if state else on.discard)(capability)
        self._on = on

    @staticmethod
    def named(name: str) -> MigrationCapability:
        """By its name, or the one that it had in QEMU 2.6.

        :raise QapiError: there is none of that name.
        """
        if name in ALIASES:
            return ALIASES[name]
        try:
            return MigrationCapability(name)
        except ValueError:
            raise QapiError(f"invalid parameter value: {name}") from None
