"""The CPU interface of a GICv3 as system registers (IHI 0069A, 8.2). What they do is the controller's business."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyqemu.targets.aarch64.sysregs import NEVER, Read, Write, constant, define

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

SRE = 7  #: the interface is that of system registers, and nothing goes past it


def _read(name: str, *arguments: Any) -> Read:
    def read(cpu: Aarch64Cpu) -> int:
        method: Callable[..., int] = getattr(cpu.gic, f"read_{name}")
        return method(*arguments)

    return read


def _write(name: str, *arguments: Any) -> Write:
    def write(cpu: Aarch64Cpu, value: int) -> None:
        getattr(cpu.gic, f"write_{name}")(*arguments, value)

    return write


def _nothing(cpu: Aarch64Cpu, value: int) -> None:
    """SRE bits cannot be changed here."""


def define_all() -> None:
    """Enter them."""
    for name, key in (("IAR0", (12, 8, 0)), ("HPPIR0", (12, 8, 2)), ("RPR", (12, 11, 3)), ("IAR1", (12, 12, 0)),
                      ("HPPIR1", (12, 12, 2))):  # fmt: skip
        constant(f"ICC_{name}_EL1", (3, 0, *key), _read(name.lower()))
    for name, key in (("EOIR0", (12, 8, 1)), ("DIR", (12, 11, 1)), ("SGI1R", (12, 11, 5)), ("ASGI1R", (12, 11, 6)),
                      ("SGI0R", (12, 11, 7)), ("EOIR1", (12, 12, 1))):  # fmt: skip
        define(f"ICC_{name}_EL1", (3, 0, *key), read_el=NEVER, write=_write(name.lower()))
    define("ICC_PMR_EL1", (3, 0, 4, 6, 0), read=_read("pmr"), write=_write("pmr"))
    define("ICC_CTLR_EL1", (3, 0, 12, 12, 4), read=_read("ctlr"), write=_write("ctlr"))
    define("ICC_CTLR_EL3", (3, 6, 12, 12, 4), el=3, read=_read("ctlr_el3"), write=_write("ctlr_el3"))
    define("ICC_IGRPEN1_EL3", (3, 6, 12, 12, 7), el=3, read=_read("igrpen1_el3"), write=_write("igrpen1_el3"))
    for group, crm in ((0, 8), (1, 12)):
        one = bool(group)
        define(f"ICC_BPR{group}_EL1", (3, 0, 12, crm, 3), read=_read("bpr", one), write=_write("bpr", one))
        define(f"ICC_IGRPEN{group}_EL1", (3, 0, 12, 12, 6 + group), read=_read("igrpen", one),
               write=_write("igrpen", one))  # fmt: skip
        for number in range(4):
            place = (9, number) if one else (8, 4 + number)
            define(f"ICC_AP{group}R{number}_EL1", (3, 0, 12, *place), read=_read("apr", one, number),
                   write=_write("apr", one, number))  # fmt: skip
    for el, op1, crm in ((1, 0, 12), (2, 4, 9), (3, 6, 12)):
        define(f"ICC_SRE_EL{el}", (3, op1, 12, crm, 5), el=el, read=lambda cpu: SRE, write=_nothing)
