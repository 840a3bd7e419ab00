"""Run state and identity: ``stop``, ``cont``, ``quit``, ``boot_set``, ``info status``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyqemu
from pyqemu.monitor.hmp.table import hmp_command
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated.types import RunState, WatchdogExpirationAction
from pyqemu.system import commands
from pyqemu.system.machine import MachineFacts

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp


# --- run state --------------------------------------------------------------------------------------------------------


@hmp_command("quit", "", "end the program", aliases=("q",))
def quit_(hmp: Hmp) -> None:
    hmp.call(commands.quit)


@hmp_command("stop", "", "stop the guest")
def stop(hmp: Hmp) -> None:
    hmp.call(commands.stop)


@hmp_command("cont", "", "let the guest run", aliases=("c",))
def cont(hmp: Hmp) -> None:
    hmp.call(commands.cont)


@hmp_command("system_reset", "", "reset the machine")
def system_reset(hmp: Hmp) -> None:
    hmp.call(commands.system_reset)


@hmp_command("system_powerdown", "", "press the power button")
def system_powerdown(hmp: Hmp) -> None:
    hmp.call(commands.system_powerdown)


@hmp_command("system_wakeup", "", "wake a guest that sleeps")
def system_wakeup(hmp: Hmp) -> None:
    hmp.call(commands.system_wakeup)


@hmp_command("nmi", "", "raise the non-maskable interrupt of all processors")
def nmi(hmp: Hmp) -> None:
    hmp.call(commands.inject_nmi)


def _complete_action(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    return [action.value for action in WatchdogExpirationAction]


@hmp_command("watchdog_action", "action:s", "what a watchdog's bite leads to", parameters="action",
             completers={"action": _complete_action})  # fmt: skip
def watchdog_action(hmp: Hmp, *, action: str) -> None:
    try:
        wanted = WatchdogExpirationAction(action)
    except ValueError:
        raise QapiError(f"Unknown watchdog action '{action}'") from None
    hmp.call(commands.watchdog_set_action, action=wanted)


# --- what is booted ---------------------------------------------------------------------------------------------------


@hmp_command("boot_set", "bootdevice:s", "which drives are tried from the next reset on, such as cda")
def boot_set(hmp: Hmp, *, bootdevice: str) -> None:
    for place, letter in enumerate(bootdevice):
        if not "a" <= letter <= "p":
            raise QapiError(f"Invalid boot device '{letter}'")
        if letter in bootdevice[:place]:
            raise QapiError(f"Boot device '{letter}' was given twice")
    set_order = hmp.system.part(MachineFacts).set_boot_order
    if set_order is None:
        raise QapiError("no function defined to set boot device list for this architecture")
    with hmp.system.lock:
        set_order(bootdevice)
    hmp.print(f"boot device list now set to {bootdevice}")


# --- information ------------------------------------------------------------------------------------------------------


@hmp_command("version", "", "the version of the program", is_info=True)
def info_version(hmp: Hmp) -> None:
    hmp.print(f"{'.'.join(map(str, pyqemu.QEMU_VERSION))} (pyqemu {pyqemu.__version__})")


@hmp_command("status", "", "whether the guest runs, and if not, why", is_info=True)
def info_status(hmp: Hmp) -> None:
    found = hmp.call(commands.query_status)
    text = "running" if found.running else "paused"
    if found.singlestep:
        text += " (single step mode)"
    if not found.running and found.status is not RunState.PAUSED:
        text += f" ({found.status.value})"
    hmp.print(f"VM status: {text}")


@hmp_command("name", "", "the machine's name", is_info=True)
def info_name(hmp: Hmp) -> None:
    name = hmp.call(commands.query_name).name
    if name:
        hmp.print(name)


@hmp_command("uuid", "", "the machine's UUID", is_info=True)
def info_uuid(hmp: Hmp) -> None:
    hmp.print(hmp.call(commands.query_uuid).UUID)


@hmp_command("history", "", "the lines that were typed", is_info=True)
def info_history(hmp: Hmp) -> None:
    for number, line in enumerate(hmp.history):
        hmp.print(f"{number}: '{line}'")
