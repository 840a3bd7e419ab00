"""The guest's exceptions as Python exceptions, and what two of them make together (SDM vol. 3, chapter 6).

An instruction that faults raises `X86Exception`; nothing architectural may have changed by then. Interrupts take the
same way, so that an event always is one object. `interrupts.py` carries events to the guest's handler.
"""

from __future__ import annotations

from pyqemu.targets.x86.layout import (
    EXC_BP,
    EXC_DB,
    EXC_DE,
    EXC_DF,
    EXC_GP,
    EXC_NM,
    EXC_NMI,
    EXC_NP,
    EXC_OF,
    EXC_PF,
    EXC_SS,
    EXC_TS,
    EXC_UD,
)
from pyqemu.tcg.cpu import GuestException

NAMES = {
    0: "#DE", 1: "#DB", 2: "NMI", 3: "#BP", 4: "#OF", 5: "#BR", 6: "#UD", 7: "#NM", 8: "#DF", 10: "#TS",
    11: "#NP", 12: "#SS", 13: "#GP", 14: "#PF", 16: "#MF", 17: "#AC", 18: "#MC", 19: "#XM",
}  # fmt: skip
CONTRIBUTORY = frozenset({EXC_DE, EXC_TS, EXC_NP, EXC_SS, EXC_GP})
NOT_FAULTS = frozenset({EXC_DB, EXC_NMI, EXC_BP, EXC_OF, EXC_DF})


class X86Exception(GuestException):
    """An exception or interrupt on its way to the guest.

    :ivar vector: number of the handler.
    :ivar error_code: None if none is pushed.
    :ivar is_software: raised by INT n, INT3 or INTO: the gate's DPL is checked, EXT stays clear.
    :ivar is_external: a hardware interrupt or NMI.
    :ivar next_eip: where to return to, if not to the instruction at `eip`.
    :ivar dr6: bits to set in DR6 (#DB only).
    """

    def __init__(
        self,
        vector: int,
        error_code: int | None = None,
        is_software: bool = False,
        next_eip: int | None = None,
        *,
        is_external: bool = False,
        dr6: int = 0,
    ) -> None:
        super().__init__(vector, error_code)
        self.vector = vector
        self.error_code = error_code
        self.is_software = is_software
        self.is_external = is_external
        self.next_eip = next_eip
        self.dr6 = dr6

    @property
    def is_fault(self) -> bool:
        """Whether the instruction at the saved EIP is to be restarted, so that RF is pushed as set (SDM vol. 3,
        17.3.1.1).
        """
        return not (self.is_software or self.is_external or self.vector in NOT_FAULTS)

    def __str__(self) -> str:
        if self.is_software or self.is_external:
            return f"{'INT' if self.is_software else 'IRQ'} {self.vector:02x}h"
        name = NAMES.get(self.vector, f"vector {self.vector}")
        return name if self.error_code is None else f"{name}({self.error_code:04x})"


def combine(first: X86Exception, second: X86Exception) -> X86Exception | None:
    """Return what to deliver after `second` came up in the delivery of `first` (SDM vol. 3, table 6-5).

    :return: `second`, a double fault, or None for shutdown ("triple fault").
    """
    serious = second.vector in CONTRIBUTORY or second.vector == EXC_PF
    if first.is_software or first.is_external:
        return second
    if first.vector == EXC_DF and serious:
        return None
    if (first.vector in CONTRIBUTORY and second.vector in CONTRIBUTORY) or (first.vector == EXC_PF and serious):
        return X86Exception(EXC_DF, 0)
    return second


def ud() -> X86Exception:
    """Return #UD."""
    return X86Exception(EXC_UD)


def nm() -> X86Exception:
    """Return #NM."""
    return X86Exception(EXC_NM)


def gp(code: int = 0) -> X86Exception:
    """Return #GP(code)."""
    return X86Exception(EXC_GP, code)


def np(code: int) -> X86Exception:
    """Return #NP(code)."""
    return X86Exception(EXC_NP, code)


def ss(code: int = 0) -> X86Exception:
    """Return #SS(code)."""
    return X86Exception(EXC_SS, code)


def ts(code: int) -> X86Exception:
    """Return #TS(code)."""
    return X86Exception(EXC_TS, code)
