"""Power State Coordination Interface (ARM DEN 0022C): what a kernel asks instead of firmware.

Version 0.2, as QEMU's boards without a secure world answer it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

VERSION, CPU_SUSPEND, CPU_OFF, CPU_ON = 0x84000000, 0x84000001, 0x84000002, 0x84000003
AFFINITY_INFO, MIGRATE, MIGRATE_INFO_TYPE = 0x84000004, 0x84000005, 0x84000006
SYSTEM_OFF, SYSTEM_RESET = 0x84000008, 0x84000009
SMC64 = 0x40000000  #: the bit that tells the 64-bit variant of a function
WITH_64_BITS = frozenset((CPU_SUSPEND, CPU_ON, AFFINITY_INFO, MIGRATE))
IS_PSCI_0_2 = 2  #: major 0, minor 2
SUCCESS, NOT_SUPPORTED, INVALID_PARAMETERS, ALREADY_ON = 0, -1, -2, -4
NO_MIGRATION = 2  #: a trusted OS that need not be migrated, as there is none
ON, OFF = 0, 1
POWER_STATE_RESERVED = 0xFFFE0000  #: bits of CPU_SUSPEND's first argument; power levels are among them
FUNCTIONS = frozenset(
    (VERSION, CPU_SUSPEND, CPU_OFF, CPU_ON, AFFINITY_INFO, MIGRATE, MIGRATE_INFO_TYPE, SYSTEM_OFF, SYSTEM_RESET)
)


class PoweredCpu(Protocol):
    """A processor that can be turned on and off."""

    halted: bool
    powered_off: bool

    @property
    def affinity(self) -> int: ...
    def turn_on(self, entry: int, context: int, level: int) -> None: ...
    def turn_off(self) -> None: ...


@dataclass
class Psci:
    """The interface of a machine.

    :ivar power_off: turns the machine off soon
    :ivar reset: resets it soon
    :ivar cpus: its processors
    """

    power_off: Callable[[], None]
    reset: Callable[[], None]
    cpus: Sequence[PoweredCpu]

    def call(self, caller: PoweredCpu, function: int, arguments: tuple[int, int, int], *, level: int = 1,
             alignment: int = 1) -> int | None:  # fmt: skip
        """The answer to a call, signed; None if the number is no function of this interface.

        :param level: the exception level at which others are started
        :param alignment: of the addresses where they can be started
        """
        plain = function & ~SMC64
        if plain not in FUNCTIONS or (function & SMC64 and plain not in WITH_64_BITS):
            return None
        if plain == VERSION:
            return IS_PSCI_0_2
        if plain == CPU_ON:
            return self._cpu_on(*arguments, level, alignment)
        if plain == AFFINITY_INFO:
            return self._affinity_info(*arguments[:2])
        if plain == MIGRATE_INFO_TYPE:
            return NO_MIGRATION
        if plain == CPU_SUSPEND:
            if arguments[0] & POWER_STATE_RESERVED:
                return INVALID_PARAMETERS
            caller.halted = True
            return SUCCESS
        action = {SYSTEM_OFF: self.power_off, SYSTEM_RESET: self.reset, CPU_OFF: caller.turn_off}.get(plain)
        if action is None:
            return NOT_SUPPORTED
        action()
        return SUCCESS

    def _find(self, affinity: int) -> PoweredCpu | None:
        return next((cpu for cpu in self.cpus if cpu.affinity == affinity), None)

    def _cpu_on(self, affinity: int, entry: int, context: int, level: int, alignment: int) -> int:
        """5.6: start a processor that is off, from a reset on."""
        cpu = self._find(affinity)
        if cpu is None or entry % alignment:
            return INVALID_PARAMETERS
        if not cpu.powered_off:
            return ALREADY_ON
        cpu.turn_on(entry, context, level)
        return SUCCESS

    def _affinity_info(self, affinity: int, lowest_level: int) -> int:
        """5.7: whether a processor is on; a group of them always is."""
        if lowest_level:
            return ON
        cpu = self._find(affinity)
        if cpu is None:
            return INVALID_PARAMETERS
        return OFF if cpu.powered_off else ON
