"""The integer instructions against Unicorn: every encoding of the opcode map, from random states, faults included.

``--full`` runs more than 300 000 cases; otherwise it is a sample. What may differ, and why, is in
`differential/rules.py`.
"""

from __future__ import annotations

import pytest

from pyqemu.tcg.stencil_engine import StencilEngine
from tests.targets.x86.differential.compare import Comparison

SAMPLE, FULL = 150, 2500  # instructions for each part
PARTS = 8
STATES = 10


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("engine", ["functions", "stencil"])
def test_integer_instructions_agree_with_unicorn(
    part: int, engine: str, seed: int, request: pytest.FixtureRequest
) -> None:
    """Once as functions of the python engine, with flags dead or alive and known or not, once as native blocks."""
    count = FULL if request.config.getoption("--full") else SAMPLE
    native = engine == "stencil"
    comparison = Comparison(seed + 4 * part + 2 * native, engine=StencilEngine() if native else None)
    report = comparison.run(count, STATES)
    print(report)
    assert report.cases == count * STATES
    assert not report.differences, "\n".join(str(case) for case in report.differences[:5])


def test_every_encoding_is_reached() -> None:
    comparison = Comparison(99)
    seen = {id(template.entry) for template in comparison.templates(6 * len(comparison.generator.entries))}
    missed = [entry for entry in comparison.generator.entries if id(entry) not in seen]
    assert not missed, [f"{entry.escape}{entry.opcode:02X} {entry.mnemonic}" for entry in missed]
