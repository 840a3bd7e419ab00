"""``-smp``: what is left out is computed, and what contradicts itself is said."""

from __future__ import annotations

import pytest

from pyqemu.boards.config import SmpConfig
from pyqemu.cli.options.machine import topology
from pyqemu.util.errors import OptionError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"cpus": 4}, SmpConfig(4, 1, 1, 1, 4)),
        ({"cpus": 8, "sockets": 2}, SmpConfig(8, 2, 4, 1, 8)),
        ({"cpus": 8, "sockets": 2, "threads": 2}, SmpConfig(8, 2, 2, 2, 8)),
        ({"cpus": 8, "sockets": 2, "cores": 2}, SmpConfig(8, 2, 2, 2, 8)),
        ({"sockets": 2, "cores": 3}, SmpConfig(6, 2, 3, 1, 6)),
        ({"cpus": 2, "maxcpus": 4}, SmpConfig(2, 1, 1, 1, 4)),
        ({"cpus": 2, "sockets": 4}, SmpConfig(2, 4, 1, 1, 2)),
    ],
)
def test_topology(given: dict[str, int], expected: SmpConfig) -> None:
    assert topology(given) == expected


def test_places_are_qemus() -> None:
    """As ``query-cpus-fast`` has them for ``-smp 4`` and for ``-smp 8,sockets=2,cores=2,threads=2``."""
    plain, said = topology({"cpus": 4}), topology({"cpus": 8, "sockets": 2, "cores": 2, "threads": 2})
    assert [plain.place(index) for index in range(4)] == [(0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0)]
    assert [said.place(index) for index in (0, 1, 2, 3, 4)] == [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0)]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"cpus": 9, "sockets": 2, "cores": 2, "threads": 2},
         r"sockets \(2\) \* cores \(2\) \* threads \(2\) < smp_cpus \(9\)"),
        ({"sockets": 2, "cores": 2, "threads": 2, "maxcpus": 4},
         r"sockets \(2\) \* cores \(2\) \* threads \(2\) > maxcpus \(4\)"),
        ({"cpus": 4, "maxcpus": 2}, "maxcpus must be equal to or greater than smp"),
    ],
)  # fmt: skip
def test_contradictions(given: dict[str, int], complaint: str) -> None:
    with pytest.raises(OptionError, match=complaint):
        topology(given)
