"""The parameters of migrations: defaults, ranges, QEMU's complaints."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from pyqemu.qapi.base import Null
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated import types as qapi
from pyqemu.util.errors import UserError
from pyqemu.util.options import parse_bool
from pyqemu.util.units import MIB, parse_size

PAGE = 4096
LARGEST = (1 << 64) - 1
MOST_DOWNTIME = 2_000_000  # milliseconds
ALIASES: Final = {
    "x-cpu-throttle-initial": "cpu-throttle-initial",
    "x-cpu-throttle-increment": "cpu-throttle-increment",
}
"""Names of QEMU 2.6 that became others; the human monitor takes them."""
_POWER_OF_TWO = "a power of two no less than the target page size"

# fmt: off
_DEFAULTS: Final[dict[str, int | bool | str]] = {
    "compress_level": 1, "compress_threads": 8, "decompress_threads": 2, "cpu_throttle_initial": 20,
    "cpu_throttle_increment": 10, "tls_creds": "", "tls_hostname": "", "tls_authz": "", "max_bandwidth": 128 * MIB,
    "downtime_limit": 300, "block_incremental": False, "multifd_channels": 2, "xbzrle_cache_size": 64 * MIB,
    "max_postcopy_bandwidth": 0, "max_cpu_throttle": 99, "announce_initial": 50, "announce_max": 550,
    "announce_rounds": 5, "announce_step": 100,
}
# fmt: on


class Parameters:
    """Their values; attributes are the schema's members."""

    compress_level: int
    compress_threads: int
    decompress_threads: int
    cpu_throttle_initial: int
    cpu_throttle_increment: int
    tls_creds: str
    tls_hostname: str
    tls_authz: str
    max_bandwidth: int
    downtime_limit: int
    block_incremental: bool
    multifd_channels: int
    xbzrle_cache_size: int
    max_postcopy_bandwidth: int
    max_cpu_throttle: int
    announce_initial: int
    announce_max: int
    announce_rounds: int
    announce_step: int

    def __init__(self) -> None:
        for name, value in _DEFAULTS.items():
            setattr(self, name, value)

    def set(self, changes: qapi.MigrateSetParameters) -> None:
        """Change those that are given: all or, if one of them is out of range, none.

        :raise QapiError: which one, and its range.
        """
        new: dict[str, int | bool | str] = {}
        for name in _DEFAULTS:
            value = getattr(changes, name)
            if value is not None:
                new[name] = "" if isinstance(value, Null) else value
        initial = self.cpu_throttle_initial if changes.cpu_throttle_initial is None else changes.cpu_throttle_initial
        for name, value in new.items():
            if name in _EXPECTED and not isinstance(value, str):
                expected, holds = _EXPECTED[name]
                if not holds(value, initial):
                    raise _expects(name, expected)
        for name, value in new.items():
            setattr(self, name, value)

    def as_qapi(self) -> qapi.MigrationParameters:
        """As ``query-migrate-parameters`` tells them."""
        return qapi.MigrationParameters(**{name: getattr(self, name) for name in _DEFAULTS})

    # -- the commands of QEMU 2.6, and the human monitor's

    def set_speed(self, value: int) -> None:
        """``migrate_set_speed``: bytes a second."""
        self.max_bandwidth = max(0, value)

    def set_downtime(self, seconds: float) -> None:
        """``migrate_set_downtime``.

        :raise QapiError: it is negative or too long.
        """
        if not 0 <= seconds <= MOST_DOWNTIME / 1000:
            raise _expects("downtime_limit", f"an integer in the range of 0 to {MOST_DOWNTIME // 1000} seconds")
        self.downtime_limit = int(seconds * 1000)

    def set_cache_size(self, value: int) -> None:
        """``migrate-set-cache-size``: rounded down to a power of two.

        :raise QapiError: it is smaller than a page, or no machine has so much.
        """
        if value < PAGE:
            raise _expects("cache size", "is smaller than one target page size")
        if value > LARGEST >> 1:
            raise _expects("cache size", "exceeding address space")
        self.xbzrle_cache_size = 1 << (value.bit_length() - 1)

    def set_text(self, name: str, text: str) -> None:
        """``migrate_set_parameter`` of the human monitor.

        :raise QapiError: there is no such parameter, or no such value of it.
        """
        name = ALIASES.get(name, name)
        attribute = name.replace("-", "_")
        if name not in qapi.MigrationParameter._value2member_map_:
            raise QapiError(f"invalid parameter value: {name}", hint=f"one of {', '.join(qapi.MigrationParameter)}")
        value = _parse(name, text, _DEFAULTS[attribute])
        self.set(qapi.MigrateSetParameters(**{attribute: value}))  # type: ignore[arg-type]


def _parse(name: str, text: str, default: int | bool | str) -> int | bool | str:
    if isinstance(default, str):
        return text
    try:
        if isinstance(default, bool):
            return parse_bool(text, name)
        if name in _SIZES:
            return parse_size(text, name, _SIZES[name])
    except UserError:
        raise QapiError(f"Invalid size {text}" if name in _SIZES else f"Parameter '{name}' expects a boolean") from None
    if not re.fullmatch(r"\d+|0[xX][0-9a-fA-F]+", text):
        raise QapiError(f"Parameter '{name}' expects a non-negative number")
    return int(text, 0 if text[:2].lower() == "0x" else 10)


_SIZES: Final = {"max-bandwidth": "M", "max-postcopy-bandwidth": "B", "xbzrle-cache-size": "B"}
"""Parameters that are written as sizes, and in what unit they are counted without one."""


def _expects(name: str, expected: str) -> QapiError:
    return QapiError(f"Parameter '{name}' expects {expected}")


_Holds = Callable[[int, int], bool]  # of the value, and of cpu-throttle-initial


def _between(low: int, high: int) -> tuple[str, _Holds]:
    return f"a value between {low} and {high}", lambda value, _: low <= value <= high


def _range(low: int, high: int) -> tuple[str, _Holds]:
    return f"an integer in the range of {low} to {high}", lambda value, _: low <= value <= high


# fmt: off
_EXPECTED: Final[dict[str, tuple[str, _Holds]]] = {
    "compress_level":         _between(0, 9),
    "compress_threads":       _between(1, 255),
    "decompress_threads":     _between(1, 255),
    "cpu_throttle_initial":   _range(1, 99),
    "cpu_throttle_increment": _range(1, 99),
    "max_cpu_throttle":       ("an integer in the range of cpu_throttle_initial to 99",
                               lambda value, initial: initial <= value <= 99),
    "downtime_limit":         ("an integer in the range of 0 to (2000 * 1000) ms",
                               lambda value, _: 0 <= value <= MOST_DOWNTIME),
    "multifd_channels":       _between(1, 255),
    "xbzrle_cache_size":      (_POWER_OF_TWO, lambda value, _: value >= PAGE and not value & (value - 1)),
    "announce_initial":       _between(0, 100000),
    "announce_max":           _between(0, 100000),
    "announce_rounds":        _between(0, 1000),
    "announce_step":          _between(0, 10000),
}
# fmt: on
