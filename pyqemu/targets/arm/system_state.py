"""The system registers as storage, under their AArch64 names (ARM DDI 0487A.f, D7).

What a register does when it is read or written stands in the tables of accesses; here it only has a place. AArch32
names map to these where the architecture says so (D1.20.1, table D1-70): SCTLR is ``sctlr_el1``, DFAR and IFAR are the
halves of ``far_el1``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

NAMES = (
    # system control
    "sctlr_el1 sctlr_el2 sctlr_el3 actlr_el1 actlr_el2 actlr_el3 cpacr_el1 cptr_el2 cptr_el3 hcr_el2 hstr_el2 "
    "hacr_el2 mdcr_el2 scr_el3 sder32_el3 mdcr_el3 vbar_el1 vbar_el2 vbar_el3 rvbar csselr_el1 vpidr_el2 "
    "vmpidr_el2 "
    # translation
    "ttbr0_el1 ttbr1_el1 tcr_el1 ttbr0_el2 tcr_el2 ttbr0_el3 tcr_el3 vttbr_el2 vtcr_el2 mair_el1 mair_el2 "
    "mair_el3 amair_el1 amair_el2 amair_el3 contextidr_el1 par_el1 dacr32_el2 ifsr32_el2 fpexc32_el2 "
    # exceptions
    "esr_el1 esr_el2 esr_el3 far_el1 far_el2 far_el3 hpfar_el2 afsr0_el1 afsr0_el2 afsr0_el3 afsr1_el1 "
    "afsr1_el2 afsr1_el3 spsr_abt spsr_und spsr_irq spsr_fiq "
    # software's own
    "tpidr_el2 tpidr_el3 tpidrro_el0 "
    # generic timer
    "cntfrq_el0 cntkctl_el1 cnthctl_el2 cntvoff_el2 "
    # debug
    "mdscr_el1 mdccint_el1 osdlr_el1 oslsr_el1 dbgclaim "
    # performance monitors
    "pmcr_el0 pmcnten pmovs pmselr_el0 pmuserenr_el0 pminten pmccfiltr_el0 "
)


class SystemState:
    """All zero, as after a reset that says nothing else; breakpoints and watchpoints are lists of 16."""

    __slots__ = (*NAMES.split(), "dbgbcr", "dbgbvr", "dbgwcr", "dbgwvr")

    def __init__(self) -> None:
        for name in NAMES.split():
            setattr(self, name, 0)
        self.dbgbvr, self.dbgbcr, self.dbgwvr, self.dbgwcr = ([0] * 16 for _ in range(4))

    def of(self, name: str, el: int) -> int:
        """The register of an exception level: ``of("vbar", 1)``."""
        value: int = getattr(self, f"{name}_el{el}")
        return value

    def set(self, name: str, el: int, value: int) -> None:
        """Write the register of an exception level."""
        setattr(self, f"{name}_el{el}", value)

    if TYPE_CHECKING:
        dbgbvr: list[int]
        dbgbcr: list[int]
        dbgwvr: list[int]
        dbgwcr: list[int]

        def __getattr__(self, name: str) -> int: ...
        def __setattr__(self, name: str, value: int | list[int]) -> None: ...
