"""Trace events of a machine (pyqemu/system/trace_commands.py, pyqemu/system/memory_trace.py)."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import pytest

from pyqemu.api import Machine, MachineConfig
from pyqemu.monitor.hmp.dispatch import run_line
from pyqemu.util.trace_events import TraceEvents
from tests.migration.state.saved_rig import load, save
from tests.monitor.commands.asker import Asker


def states(asker: Asker, name: str) -> dict[str, str]:
    return {row["name"]: row["state"] for row in asker("trace-event-get-state", name=name)}


def hmp(asker: Asker, line: str) -> str:
    return asyncio.run(run_line(asker.system, line))


def told(text: str) -> list[str]:
    """Lines without process and time."""
    lines = text.splitlines()
    assert all(re.match(rf"{os.getpid()}@\d+\.\d{{6}}:\w+ ", line) for line in lines)
    return [line.split(":", 1)[1] for line in lines]


# --- QMP --------------------------------------------------------------------------------------------------------------


def test_all_events_are_off_at_first(fresh: Asker) -> None:
    assert states(fresh, "*") == dict.fromkeys(TraceEvents.events, "disabled")
    assert states(fresh, "pci_cfg_read") == {"pci_cfg_read": "disabled"}


def test_pattern_switches_what_it_matches(fresh: Asker) -> None:
    fresh("trace-event-set-state", name="pci_*_read", enable=True)
    assert states(fresh, "pci_cfg*") == {"pci_cfg_read": "enabled", "pci_cfg_write": "disabled"}
    fresh("trace-event-set-state", name="*", enable=False, ignore_unavailable=False)
    assert set(states(fresh, "*").values()) == {"disabled"}


def test_name_that_is_no_event(fresh: Asker) -> None:
    assert fresh.error("trace-event-get-state", name="x") == 'unknown event "x"'
    assert fresh.error("trace-event-set-state", name="x", enable=True) == 'unknown event "x"'
    assert fresh.error("trace-event-set-state", name="x", enable=True, ignore_unavailable=True) == 'unknown event "x"'


def test_pattern_that_matches_nothing_is_no_error(fresh: Asker) -> None:
    assert fresh("trace-event-get-state", name="x*") == []
    assert fresh("trace-event-set-state", name="x*", enable=True) == {}


# --- what is told -----------------------------------------------------------------------------------------------------


def test_nothing_is_told_while_all_is_off(fresh: Asker, capsys: pytest.CaptureFixture[str]) -> None:
    fresh("cont")
    fresh("system_powerdown")
    fresh.serve()
    assert capsys.readouterr().err == ""


def test_run_state(fresh: Asker, capsys: pytest.CaptureFixture[str]) -> None:
    fresh("trace-event-set-state", name="runstate_set", enable=True)
    fresh("trace-event-set-state", name="vm_state_notify", enable=True)
    fresh("trace-event-set-state", name="qemu_system_powerdown_request", enable=True)
    fresh("cont")
    fresh("system_powerdown")
    fresh("stop")
    assert told(capsys.readouterr().err) == [
        "runstate_set new state 9", "vm_state_notify running 1 reason 9", "qemu_system_powerdown_request ",
        "runstate_set new state 4", "vm_state_notify running 0 reason 4",
    ]  # fmt: skip


def test_devices(fresh: Asker, capsys: pytest.CaptureFixture[str]) -> None:
    ports = fresh.machine.board.io_space
    for pattern in ("serial_*", "pci_cfg_*", "pic_ioport_write", "ide_exec_cmd", "vga_std_write_io"):
        fresh("trace-event-set-state", name=pattern, enable=True)
    ports.store(0x3FF, 1, 0x5A)
    ports.load(0x3FF, 1)
    ports.store(0xCF8, 4, 0x8000_0000)
    ports.load(0xCFC, 2)
    ports.store(0xA1, 1, 0xFF)
    ports.store(0x3C4, 1, 4)
    ports.store(0x60, 1, 0xED)  # nobody has asked for the keyboard's
    assert told(capsys.readouterr().err) == [
        "serial_ioport_write write addr 0x07 val 0x5a",
        "serial_ioport_read read addr 0x07 val 0x5a",
        "pci_cfg_read i440FX 00:0 @0x0 -> 0x8086",
        "pic_ioport_write master 0 addr 0x1 val 0xff",
        "vga_std_write_io addr 0x3c4, val 0x4",
    ]


def test_keyboard_and_mouse(fresh: Asker, capsys: pytest.CaptureFixture[str]) -> None:
    keyboard, mouse = fresh.machine.board.i8042.keyboard, fresh.machine.board.i8042.mouse
    fresh("trace-event-set-state", name="ps2_*", enable=True)
    keyboard.put_key("a", True)
    mouse.move(1, 2)
    lines = told(capsys.readouterr().err)
    assert [re.sub("0x[0-9a-f]{6,}", "P", line) for line in lines] == [
        "ps2_put_keycode P keycode 28",
        "ps2_read_data P",
        "ps2_mouse_event_disabled P x 1 y 2 z 0 bs 0x0 mx 0 my 0 mz 0 ",
    ]


def test_accesses_to_devices_have_a_tap_only_while_they_are_told(
    fresh: Asker, capsys: pytest.CaptureFixture[str]
) -> None:
    ports, memory = fresh.machine.board.io_space, fresh.machine.board.memory_space
    before = ports.lookup(0x3FF).load
    fresh("trace-event-set-state", name="cpu_*t", enable=True)
    fresh("trace-event-set-state", name="memory_region_ops_read", enable=True)
    ports.store(0x3FF, 1, 0x41)
    memory.load(0x1000, 4)  # memory is no device
    memory.load(0xFEC0_0000, 4)
    lines = told(capsys.readouterr().err)
    assert lines[0] == "cpu_out addr 0x3ff(b) value 65"
    assert re.fullmatch("memory_region_ops_read cpu 0 mr 0x[0-9a-f]+ addr 0xfec00000 value 0x0 size 4", lines[1])
    assert len(lines) == 2
    fresh("trace-event-set-state", name="*", enable=False)
    assert ports.lookup(0x3FF).load == before
    ports.store(0x3FF, 1, 0x42)
    assert capsys.readouterr().err == ""


# --- HMP --------------------------------------------------------------------------------------------------------------


def test_human_monitor(fresh: Asker) -> None:
    assert hmp(fresh, "trace-event runstate_set on") == ""
    assert "runstate_set : state 1\nvm_state_notify : state 0\n" in hmp(fresh, "info trace-events")
    assert hmp(fresh, "trace-event x on") == 'unknown event "x"\n'
    assert hmp(fresh, "trace-event * off") == ""
    assert "state 1" not in hmp(fresh, "info trace-events")


def test_log_takes_patterns(fresh: Asker, tmp_path: Path) -> None:
    assert hmp(fresh, "log trace:runstate*") == ""
    assert states(fresh, "runstate*") == {"runstate_set": "enabled"}
    assert hmp(fresh, "log trace:x") == "WARNING: trace event 'x' does not exist\n"
    assert hmp(fresh, "log trace:help").splitlines() == list(TraceEvents.events)
    assert "trace:PATTERN" in hmp(fresh, "log foo")
    assert hmp(fresh, f"logfile {tmp_path}/log") == ""
    fresh("cont")
    assert told((tmp_path / "log").read_text()) == ["runstate_set new state 9"]


# --- configuration ----------------------------------------------------------------------------------------------------


def test_machine_is_traced_from_its_making_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("of an earlier run\n")
    said: list[str] = []
    config = MachineConfig(memory=16 << 20, paused=True, trace=("fw_cfg_*", "-fw_cfg_select", "x"), log_file=str(path))
    with Machine(config, say=said.append):
        pass
    lines = told(path.read_text())
    assert lines
    assert all(line.startswith("fw_cfg_add_file 0x") for line in lines)
    assert said == ["warning: trace event 'x' does not exist"]


# --- migration --------------------------------------------------------------------------------------------------------


def test_machine_that_is_saved_and_loaded(fresh: Asker, capsys: pytest.CaptureFixture[str]) -> None:
    fresh("trace-event-set-state", name="savevm_*", enable=True)
    fresh("trace-event-set-state", name="vmstate_*", enable=True)
    fresh("trace-event-set-state", name="*global_state*", enable=True)
    stream, _ = save(fresh.machine)
    saved = told(capsys.readouterr().err)
    assert saved[:2] == ["savevm_state_header ", "savevm_state_begin "]
    assert "vmstate_save serial, serial" in saved
    assert saved[-2].startswith("savevm_section_end globalstate, section_id ")
    assert saved[-1] == "savevm_state_cleanup "
    load(fresh.machine, stream)
    loaded = told(capsys.readouterr().err)
    assert "vmstate_load serial, serial" in loaded
    assert "migrate_global_state_post_load loaded state: prelaunch" in loaded
