"""Power State Coordination Interface (ARM DEN 0022C): what a kernel asks instead of firmware.

Version 0.2, as QEMU's boards without a secure world answer it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

VERSION, CPU_SUSPEND, CPU_OFF, CPU_ON = 0x84000000, 0x84000001, 0x84000002, 0x84000003
AFFINITY_INFO, MIGRATE, MIGRATE_INFO_TYPE = 0x84000004, 0x84000005, 0x84000006
SYSTEM_OFF, SYSTEM_RESET = 0x84000008, 0x84000009
SMC64 = 0x40000000  #: the bit that tells the 64-bit variant of a function
WITH_64_BITS = frozenset((CPU_SUSPEND, CPU_ON, AFFINITY_INFO, MIGRATE))
IS_PSCI_0_2 = 2  #: major 0, minor 2
SUCCESS, NOT_SUPPORTED, INVALID_PARAMETERS, DENIED, ALREADY_ON = 0, -1, -2, -3, -4
NO_MIGRATION = 2  #: a trusted OS that need not be migrated, as there is none
ON = 0
FUNCTIONS = frozenset(
    (VERSION, CPU_SUSPEND, CPU_OFF, CPU_ON, AFFINITY_INFO, MIGRATE, MIGRATE_INFO_TYPE, SYSTEM_OFF, SYSTEM_RESET)
)


@dataclass
class Psci:
    """The interface of a machine.

    :ivar power_off: turns the machine off soon
    :ivar reset: resets it soon
    :ivar suspend: lets the calling processor wait for an interrupt
    :ivar affinities: MPIDR fields of the processors
    """

    power_off: Callable[[], None]
    reset: Callable[[], None]
    suspend: Callable[[], None]
    affinities: frozenset[int] = field(default_factory=lambda: frozenset((0,)))

    def call(self, function: int, arguments: tuple[int, int, int]) -> int | None:
        """The answer to a call, signed; None if the number is no function of this interface."""
        plain = function & ~SMC64
        if plain not in FUNCTIONS or (function & SMC64 and plain not in WITH_64_BITS):
            return None
        if plain == VERSION:
            return IS_PSCI_0_2
        if plain == CPU_ON:
            return ALREADY_ON if arguments[0] in self.affinities else INVALID_PARAMETERS
        if plain == AFFINITY_INFO:
            return ON if arguments[0] in self.affinities and not arguments[1] else INVALID_PARAMETERS
        if plain == MIGRATE_INFO_TYPE:
            return NO_MIGRATION
        if plain == CPU_OFF:
            return DENIED  # the last processor that is on stays on
        action = {SYSTEM_OFF: self.power_off, SYSTEM_RESET: self.reset, CPU_SUSPEND: self.suspend}.get(plain)
        if action is None:
            return NOT_SUPPORTED
        action()
        return SUCCESS
