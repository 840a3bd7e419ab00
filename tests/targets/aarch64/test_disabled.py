"""What SCTLR_EL1 disables of old for 32-bit programs (ARM DDI 0487A.f, D7.2.81): SED, ITD, CP15BEN."""

from __future__ import annotations

import pytest

from pyqemu.targets.aarch64.layout import EC_SVC32, EC_UNKNOWN
from pyqemu.targets.aarch64.sysregs import BY_NAME
from tests.targets.aarch64.guest import Guest
from tests.targets.aarch64.test_aarch32 import run

CP15BEN, ITD, SED = 1 << 5, 1 << 7, 1 << 8
CASES = {
    "SETEND": (0, SED, "setend le; svc #0", False),
    "SETEND in Thumb": (0, SED, "setend le; svc #0", True),
    "a long IT block": (0, ITD, "itt eq; moveq r0, #1; moveq r0, #1; svc #0", True),
    "ISB": (CP15BEN, 0, "mcr p15, #0, r0, c7, c5, #4; svc #0", False),
    "DMB": (CP15BEN, 0, "mcr p15, #0, r0, c7, c10, #5; svc #0", False),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_disabled_is_undefined(guest: Guest, name: str) -> None:
    """One value of SCTLR_EL1 with which it is not, and one with which it is."""
    enabled, disabled, text, thumb = CASES[name]
    for bits, expected in ((enabled, EC_SVC32), (disabled, EC_UNKNOWN), (enabled, EC_SVC32)):
        BY_NAME["SCTLR_EL1"].write(guest.cpu, bits)
        run(guest, text, thumb=thumb)
        assert guest.cpu.sys.esr_el1 >> 26 == expected
