"""``--full``, the ``slow`` marker, and repeatable chance.

``pytest`` runs what continuous integration runs; ``pytest --full`` also the tests marked ``slow`` (whole boots, whole
passes, full counts of random cases). A test that only needs to know how much to do asks
``request.config.getoption("--full")``.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, settings

DEFAULT_SEED = 20160526


def pytest_addoption(parser: pytest.Parser) -> None:
    """Our options."""
    group = parser.getgroup("pyqemu")
    group.addoption("--full", action="store_true", help="run the slow tests and full counts as well")
    group.addoption(
        "--seed",
        type=int,
        default=int(os.environ.get("PYQEMU_TEST_SEED", DEFAULT_SEED)),
        help="seed of the random cases (default: %(default)s, or $PYQEMU_TEST_SEED)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Our marker; and hypothesis repeats its cases with our seed and does not complain of a host that is busy."""
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = config.getoption("--seed")
    settings.register_profile("pyqemu", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("pyqemu")
    config.addinivalue_line("markers", "slow: takes long; runs with --full only")


def pytest_report_header(config: pytest.Config) -> str:
    """What is needed to repeat a run."""
    return f"seed: {config.getoption('--seed')}, {'full' if config.getoption('--full') else 'short'} run"


def pytest_collection_modifyitems(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """Leave the slow tests out, unless asked for."""
    if config.getoption("--full"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow: runs with --full"))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of this run's random cases."""
    value: int = request.config.getoption("--seed")
    return value


@pytest.fixture
def rng(seed: int, request: pytest.FixtureRequest) -> random.Random:
    """Chance of its own for each test, the same in every run with the same seed."""
    return random.Random(f"{seed} {request.node.nodeid}")
