"""Commands about the machine as a whole (pyqemu/system/commands.py, pyqemu/monitor/commands.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyqemu.api import Machine, MachineConfig
from pyqemu.block import DriveOptions
from pyqemu.qapi.generated.commands import COMMANDS
from pyqemu.qapi.generated.events import EVENTS
from pyqemu.system import ShutdownCause
from pyqemu.util.errors import UserError
from tests.monitor.commands.asker import Asker

# --- run state --------------------------------------------------------------------------------------------------------


def test_cont_and_stop_change_the_state_and_tell_so(fresh: Asker) -> None:
    assert fresh("query-status") == {"running": False, "singlestep": False, "status": "prelaunch"}
    fresh("cont")
    assert fresh("query-status") == {"running": True, "singlestep": False, "status": "running"}
    fresh("stop")
    assert fresh("query-status") == {"running": False, "singlestep": False, "status": "paused"}
    assert [name for name, _ in fresh.events] == ["RESUME", "STOP"]


def test_reset_tells_who_wanted_it(fresh: Asker) -> None:
    fresh("system_reset")
    fresh.serve()
    assert fresh.events == [("RESET", {"guest": False, "reason": "host-qmp-system-reset"})]


def test_quit_ends_the_program(fresh: Asker) -> None:
    fresh("quit")
    fresh.serve()
    assert fresh.events == [("SHUTDOWN", {"guest": False, "reason": "host-qmp-quit"})]
    assert fresh.system.exit_code == 0


def test_powerdown_presses_the_button(fresh: Asker) -> None:
    fresh("system_powerdown")
    fresh.serve()
    assert fresh.events == [("POWERDOWN", None)]


def test_machine_that_was_turned_off_must_be_reset_first(fresh: Asker) -> None:
    fresh("set-action", shutdown="pause")
    fresh("cont")
    fresh.system.request_shutdown(ShutdownCause.GUEST_SHUTDOWN)
    fresh.serve()
    assert fresh("query-status")["status"] == "shutdown"
    assert fresh.error("cont") == "Resetting the Virtual Machine is required"
    fresh("system_reset")
    fresh.serve()
    fresh("cont")


def test_only_a_sleeper_is_woken(fresh: Asker) -> None:
    assert fresh.error("system_wakeup") == "Unable to wake up: guest is not in suspended state"
    fresh("cont")
    fresh.system.request_suspend()
    fresh.serve()
    fresh("system_wakeup")
    fresh.serve()
    assert [name for name, _ in fresh.events] == ["RESUME", "SUSPEND", "WAKEUP"]


@pytest.mark.parametrize(
    ("action", "told", "status"),
    [("pause", "pause", "guest-panicked"), ("none", "run", "running"), ("shutdown", "poweroff", "guest-panicked")],
)
def test_panic_leads_to_what_was_set(fresh: Asker, action: str, told: str, status: str) -> None:
    fresh("set-action", panic=action)
    fresh("cont")
    fresh.system.guest_panicked()
    fresh.serve()
    assert ("GUEST_PANICKED", {"action": told}) in fresh.events
    assert fresh("query-status")["status"] == status
    assert (fresh.system.exit_code is not None) == (action == "shutdown")


def test_set_action_changes_what_options_had_said(fresh: Asker) -> None:
    fresh("set-action", reboot="shutdown", watchdog="none")
    assert fresh.system.no_reboot
    assert fresh.system.watchdog_action == "none"
    fresh("watchdog-set-action", action="pause")
    assert fresh.system.watchdog_action == "pause"


def test_nmi_reaches_the_processor_by_its_lint1(fresh: Asker) -> None:
    apic = fresh.machine.board.apic  # type: ignore[attr-defined]
    with fresh.system.lock:
        apic.write(0xF0, 4, 0x1FF)
        apic.write(0x360, 4, 0x400)  # LVT LINT1: NMI, not masked
    fresh("inject-nmi")
    assert fresh.machine.cpu.interrupt_request & 2


# --- identity ---------------------------------------------------------------------------------------------------------


def test_identity(asker: Asker) -> None:
    assert asker("query-name") == {"name": "guest"}
    assert asker("query-uuid") == {"UUID": "00000000-0000-0000-0000-000000000000"}
    assert asker("query-target") == {"arch": "x86_64"}
    assert asker("query-kvm") == {"enabled": False, "present": False}
    assert asker("query-current-machine") == {"wakeup-suspend-support": True}


def test_machine_types_have_one_default(asker: Asker) -> None:
    machines = asker("query-machines")
    (default,) = [machine for machine in machines if machine.get("is-default")]
    assert default["alias"] == "pc"
    assert default["default-cpu-type"] == "qemu64-x86_64-cpu"
    assert f"{default['name']}-machine" == asker("qom-get", path="/machine", property="type")


def test_processors_agree_with_the_tree(asker: Asker) -> None:
    (fast,) = asker("query-cpus-fast")
    (slow,) = asker("query-cpus")
    (place,) = asker("query-hotpluggable-cpus")
    assert fast["qom-path"] == slow["qom_path"] == place["qom-path"]
    assert asker("qom-get", path=fast["qom-path"], property="type") == place["type"]
    assert fast["props"] == place["props"]
    assert slow["pc"] == 0xFFFFFFF0
    assert slow["arch"] == "x86"


def test_memory(asker: Asker, tmp_path: Path) -> None:
    assert asker("query-memory-size-summary")["base-memory"] == 16 << 20
    out = tmp_path / "out"
    asker("pmemsave", val=0xFFFF0, size=16, filename=str(out))
    assert len(out.read_bytes()) == 16
    asker("memsave", val=0, size=8, filename=str(out))
    assert len(out.read_bytes()) == 8
    assert asker.error("memsave", val=0, size=1, filename="/nowhere/x").startswith("Could not open '/nowhere/x'")
    assert asker.error("memsave", val=0, size=1, filename=str(out), cpu_index=1).endswith("expects a CPU number")


def test_there_is_no_balloon(asker: Asker) -> None:
    assert asker.error("query-balloon") == "DeviceNotActive: No balloon device has been activated"


# --- processor models -------------------------------------------------------------------------------------------------


def test_definitions_tell_what_is_missing(asker: Asker) -> None:
    models = {model["name"]: model for model in asker("query-cpu-definitions")}
    assert models["phenom"]["unavailable-features"] != []
    assert models["max"]["unavailable-features"] == []
    assert models["qemu64"]["typename"] == "qemu64-x86_64-cpu"
    assert [name for name, model in models.items() if model["static"]] == ["base"]


def test_static_expansion_makes_the_same_processor_from_base(asker: Asker) -> None:
    wanted = asker("query-cpu-model-expansion", type="static", model={"name": "qemu64"})["model"]
    assert wanted["name"] == "base"
    assert wanted["props"]["sse2"]
    assert asker("query-cpu-model-expansion", type="static", model=wanted)["model"] == wanted


def test_expansion_takes_changes(asker: Asker) -> None:
    def expand(**props: object) -> dict[str, object]:
        model = {"name": "qemu64", "props": props}
        result: dict[str, object] = asker("query-cpu-model-expansion", type="full", model=model)["model"]["props"]
        return result

    assert expand()["nx"] is True
    assert expand(nx=False)["nx"] is False
    assert expand(family=15)["family"] == 15


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ({"name": "nope"}, "CPU model 'nope' not found"),
        ({"name": "qemu64", "props": {"nope": True}}, "CPU property nope not found"),
        ({"name": "qemu64", "props": {"nx": 1}}, "Invalid parameter type for 'model.props.nx', expected: boolean"),
        ({"name": "qemu64", "props": 1}, "Invalid parameter type for 'model.props', expected: object"),
        ({"name": "qemu64", "props": {"vendor": "a,b"}}, "Invalid parameter type for 'model.props.vendor'"
         ", expected: string"),
    ],
)  # fmt: skip
def test_expansion_refuses(asker: Asker, model: object, error: str) -> None:
    assert asker.error("query-cpu-model-expansion", type="full", model=model) == error


# --- the monitor ------------------------------------------------------------------------------------------------------


def test_monitor_knows_what_it_speaks(asker: Asker) -> None:
    assert [entry["name"] for entry in asker("query-commands")] == list(COMMANDS)
    assert [entry["name"] for entry in asker("query-events")] == list(EVENTS)
    assert {"name": "stop", "meta-type": "command"}.items() <= asker("query-qmp-schema")[
        next(i for i, entry in enumerate(asker("query-qmp-schema")) if entry["name"] == "stop")
    ].items()
    assert asker("query-version")["package"].startswith("pyqemu-")


def test_human_monitor_answers_with_terminal_lines(asker: Asker) -> None:
    assert asker("human-monitor-command", command_line="foo") == "unknown command: 'foo'\r\n"


def test_option_groups_can_be_asked_for(asker: Asker) -> None:
    (rtc,) = asker("query-command-line-options", option="rtc")
    assert {entry["name"]: entry["type"] for entry in rtc["parameters"]}["base"] == "string"
    assert asker.error("query-command-line-options", option="nope") == "invalid option name: nope"


# --- no machine -------------------------------------------------------------------------------------------------------


@pytest.fixture
def nothing() -> Iterator[Asker]:
    """``-machine none``."""
    with Machine(MachineConfig(machine="none", paused=True, defaults=False)) as machine:
        machine.start()
        yield Asker(machine)


def test_program_can_be_asked_without_a_machine(nothing: Asker) -> None:
    assert {machine["name"] for machine in nothing("query-machines")} >= {"none", "pc-i440fx-2.6"}
    assert nothing("qom-list-properties", typename="none-machine") == [{"name": "type", "type": "string"}]
    machines = {entry["name"] for entry in nothing("qom-list-types", implements="machine")}
    assert {f"{machine['name']}-machine" for machine in nothing("query-machines")} <= machines
    assert nothing("qom-get", path="/machine", property="type") == "none-machine"
    assert nothing("query-cpus-fast") == []
    assert nothing("query-hotpluggable-cpus") == []
    assert nothing("query-pci") == []
    assert nothing("query-cpu-definitions") != []
    assert nothing.error("device_add", driver="isa-serial") == "No 'ISA' bus found for device 'isa-serial'"
    assert nothing.error("inject-nmi") == "this machine has no non-maskable interrupt"
    nothing("cont")
    assert nothing("query-status")["running"]


def test_nothing_has_no_drives() -> None:
    drive = DriveOptions.from_mapping({"index": "0", "media": "cdrom"})
    with pytest.raises(UserError):
        Machine(MachineConfig(machine="none", drives=[drive]))
