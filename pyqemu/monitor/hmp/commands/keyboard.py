"""``sendkey``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.monitor.hmp.table import hmp_command
from pyqemu.qapi.errors import QapiError
from pyqemu.ui.keys import KEYS
from pyqemu.ui.typist import HOLD_TIME, MILLISECOND, Typist

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp


def _complete(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    first, dash, _ = begun.rpartition("-")
    return [f"{first}{dash}{key}" for key in KEYS]


@hmp_command(
    "sendkey", "keys:s,hold-time:i?", "press keys together, such as ctrl-alt-f1 or 0x1d-c, for some milliseconds",
    parameters="keys [hold_ms]", completers={"keys": _complete},
)  # fmt: skip
def sendkey(hmp: Hmp, *, keys: str, hold_time: int | None = None) -> None:
    hold = HOLD_TIME if hold_time is None else hold_time * MILLISECOND
    with hmp.system.lock:
        try:
            hmp.system.part(Typist).send("less" if keys == "<" else keys, hold)
        except KeyError as error:
            raise QapiError(f"invalid parameter: {error.args[0]}") from None
