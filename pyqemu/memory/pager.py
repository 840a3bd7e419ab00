"""RAM whose pages are not all here: who touches one that is elsewhere waits until it has come.

While a block has a pager, address spaces show it page by page, and ask the pager for each page before they show it. So
nobody needs to know of pagers who reaches memory through an address space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pyqemu.util.errors import PyqemuError

if TYPE_CHECKING:
    from pyqemu.memory.ram import RamBlock


class PageLost(PyqemuError):
    """A page will never come."""


class Pager(Protocol):
    """Gets pages from elsewhere."""

    def need(self, block: RamBlock, page: int) -> bool:
        """Return when that page of *block* is here. The big lock may be held; it is given away meanwhile.

        Returns whether anything was waited for: then everything may have changed.

        :raise PageLost: it will not come.
        """
