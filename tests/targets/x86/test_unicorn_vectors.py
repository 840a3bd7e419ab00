"""MMX, SSE and x87 instructions against Unicorn, from random states, faults included.

Integer instructions get random bits; floating-point ones get numbers, as the reference neither keeps MXCSR's exception
flags nor checks the x87 stack. Directed rounding is tried on the instructions whose precision is defined.
``--full`` runs many more cases. What may differ, and why, is in `differential/vectors.py`.
"""

from __future__ import annotations

import pytest

from pyqemu.tcg.stencil_engine import StencilEngine
from tests.targets.x86.differential.vectors import VectorComparison

INTEGER = ("sse_moves", "sse_integer", "mmx", "ssse3", "sse4")
FLOAT = ("sse_float", "sse_convert", "x87")
SAMPLE, FULL, STATES = 300, 6000, 4


@pytest.mark.parametrize("engine", ["functions", "stencil"])
@pytest.mark.parametrize(("modules", "floats"), [(INTEGER, False), (FLOAT, True)], ids=["integer", "float"])
def test_vector_instructions_agree_with_unicorn(
    modules: tuple[str, ...], floats: bool, engine: str, seed: int, request: pytest.FixtureRequest
) -> None:
    native = engine == "stencil"
    comparison = VectorComparison(
        seed + 2 * floats + native, modules, StencilEngine() if native else None, floats=floats
    )
    comparison.mxcsrs = (0x1F80, 0x1FA0)
    report = comparison.run(FULL if request.config.getoption("--full") else SAMPLE, STATES)
    print(report)
    differences = zip(report.differences, comparison.extra, strict=True)
    assert not report.differences, "\n".join(f"{case}\n{text}" for case, text in list(differences)[:5])


def test_directed_rounding_agrees_with_unicorn(seed: int) -> None:
    comparison = VectorComparison(seed + 9, ("sse_float", "sse_convert"), floats=True)
    comparison.mxcsrs = (0x3F80, 0x5F80, 0x7FA0)
    report = comparison.run(SAMPLE, STATES)
    assert not report.differences, "\n".join(str(case) for case in report.differences[:5])
