"""Each way in which a run can end, provoked by a small guest."""

from __future__ import annotations

import pytest
from _pytest.monkeypatch import MonkeyPatch

from pyqemu.api.outcomes import (
    Breakpoint,
    Exited,
    HaltedForever,
    MachineClosed,
    NotSeen,
    Panicked,
    Shutdown,
    Stepped,
    Stopped,
    TimedOut,
    TripleFault,
)
from pyqemu.system import RunState, ShutdownCause
from pyqemu.util.errors import UserError

LOOP = "here: inc ax\njmp here"
HALT = "cli\nhere: hlt\njmp here"
WAIT_FOR_KEYS = "sti\nhere: hlt\njmp here"
TRIPLE_FAULT = "lidt [empty]\nint3\nempty: dw 0\ndd 0"


def test_exit_status(boot) -> None:
    machine = boot("mov dx, 0x501\nmov al, 3\nout dx, al\njmp $", devices=["isa-debug-exit"])
    assert machine.run(60) == Exited(7)
    assert machine.run(60) == Exited(7)  # it stays off
    assert Exited(7).is_final


def test_quit(boot) -> None:
    machine = boot(LOOP)
    machine.quit()
    assert machine.run(60) == Exited(0)


def test_power_off(boot) -> None:
    machine = boot("mov dx, 0x604\nmov ax, 0x2000\nout dx, ax\njmp $")
    assert machine.run(60) == Shutdown(ShutdownCause.GUEST_SHUTDOWN)


def test_reset_without_reboot(boot) -> None:
    machine = boot("mov al, 0xfe\nout 0x64, al\njmp $", no_reboot=True)
    assert machine.run(60) == Shutdown(ShutdownCause.GUEST_RESET)


def test_reset_boots_again(boot) -> None:
    machine = boot("mov al, 0xfe\nout 0x64, al\njmp $")
    with machine.breakpoint(0x7C00) as again:
        assert machine.run(60) == Breakpoint(0x7C00, again)
        assert machine.run(60) == Breakpoint(0x7C00, again)


def test_panic(boot) -> None:
    machine = boot("mov dx, 0x505\nmov al, 1\nout dx, al\njmp $", devices=["pvpanic"])
    assert machine.run(60) == Panicked()
    assert machine.wait_for_event("GUEST_PANICKED", 0)["action"] in ("pause", "poweroff")


def test_triple_fault_has_its_chain_and_the_state_at_the_fault(boot) -> None:
    machine = boot(TRIPLE_FAULT)
    outcome = machine.run(60)
    assert isinstance(outcome, TripleFault)
    assert [str(fault) for fault in outcome.chain][:2] == ["INT 03h", "#GP(001a)"]
    assert [fault.vector for fault in outcome.chain][-1] in (8, 13)
    assert machine.cpu.disassemble()[0][1] == "int3"
    with machine.breakpoint(0x7C00) as again:
        assert machine.run(60) == Breakpoint(0x7C00, again)  # the processor was reset


def test_triple_fault_without_reboot(boot) -> None:
    machine = boot(TRIPLE_FAULT, no_reboot=True)
    assert isinstance(machine.run(60), TripleFault)
    assert machine.run(60) == Shutdown(ShutdownCause.GUEST_RESET)


def test_halted_for_ever(boot) -> None:
    machine = boot(HALT)
    assert machine.run(60) == HaltedForever()
    assert machine.cpu.is_halted
    assert machine.time < 60


@pytest.mark.parametrize("source", [LOOP, WAIT_FOR_KEYS], ids=["busy", "halted"])
def test_guests_time_is_over(boot, source: str) -> None:
    machine = boot(source, icount=True)
    before = machine.time
    assert machine.run(0.01) == TimedOut(0.01)
    assert 0.01 <= machine.time - before < 0.011
    assert machine.run(0.01) == TimedOut(0.01)


def test_time_stands_still_between_runs(boot) -> None:
    machine = boot(LOOP)
    machine.run(0.01)
    time, registers = machine.time, dict(machine.cpu.registers)
    assert machine.state is RunState.PAUSED
    assert (machine.time, dict(machine.cpu.registers)) == (time, registers)


def test_breakpoint_comes_before_its_instruction(boot) -> None:
    machine = boot("mov ax, 1\nmov ax, 2\nmov ax, 3\njmp $")
    machine.cpu.registers["ax"] = 0
    first, second = machine.breakpoint(0x7C03), machine.breakpoint(0x7C06)
    assert machine.run(60) == Breakpoint(0x7C03, first)
    assert machine.cpu.registers["ax"] == 1
    assert machine.run(60) == Breakpoint(0x7C06, second)
    assert machine.cpu.registers["ax"] == 2
    assert (first.count, second.count) == (1, 1)


def test_breakpoint_in_a_loop_stops_each_time_round(boot) -> None:
    machine = boot(LOOP)
    machine.cpu.registers["ax"] = 0
    here = machine.breakpoint(0x7C01)
    for turn in range(1, 6):
        assert machine.run(60) == Breakpoint(0x7C01, here)
        assert machine.cpu.registers["ax"] == turn
    here.remove()
    here.remove()
    assert machine.run(0.01) == TimedOut(0.01)
    assert machine.cpu.registers["ax"] != 5


def test_steps_are_single_instructions(boot) -> None:
    machine = boot("mov ax, 1\nadd ax, 2\njmp next\nnop\nnext: push ax\npop bx\nint3\njmp $")
    seen = []
    for _ in range(5):
        assert machine.step() == Stepped(1)
        seen.append(machine.cpu.registers["rip"])
    assert seen == [0x7C03, 0x7C06, 0x7C09, 0x7C0A, 0x7C0B]
    assert machine.cpu.registers["bx"] == 3


def test_many_steps_and_then_full_speed(boot) -> None:
    machine = boot(LOOP)
    machine.cpu.registers["ax"] = 0
    assert machine.step(200) == Stepped(200)
    assert machine.cpu.registers["ax"] == 100
    assert machine.run(0.01) == TimedOut(0.01)
    assert machine.cpu.registers["rax"] & 0xFFFF != 100


def test_step_takes_the_way_of_a_fault(boot) -> None:
    machine = boot("xor bx, bx\ndiv bx\njmp $")
    handler = machine.memory.read_int(0, 2) + 16 * machine.memory.read_int(2, 2)
    machine.step(2)
    assert machine.cpu.pc == handler


def test_step_ends_with_a_halt_that_never_ends(boot) -> None:
    machine = boot(HALT)
    assert machine.step(2) == Stepped(2)
    assert machine.step(timeout=60) == HaltedForever()


def test_breakpoint_while_stepping(boot) -> None:
    machine = boot("nop\nnop\nnop\njmp $")
    here = machine.breakpoint(0x7C02)
    assert machine.step(10) == Breakpoint(0x7C02, here)
    assert machine.step(1) == Stepped(1)
    assert machine.cpu.pc == 0x7C03


def test_somebody_else_stops_it(boot) -> None:
    machine = boot(LOOP)
    system = machine.system

    def stop(running: bool, _: RunState) -> None:
        if running:
            system.loop.call_soon_threadsafe(system.request_stop, RunState.PAUSED)

    system.on_state_change(stop)
    assert machine.run(60) == Stopped(RunState.PAUSED)


def test_it_runs_on_by_itself(boot) -> None:
    machine = boot("again: mov dx, 0x3f8\nmov al, 'x'\nout dx, al\nmov cx, 2000\nloop $\njmp again")
    machine.start()
    assert machine.state is RunState.RUNNING
    assert machine.serial.expect("xx", 60).match == b"xx"
    assert machine.state is RunState.RUNNING
    machine.stop()
    assert machine.state is RunState.PAUSED
    with machine.breakpoint(0x7C00) as top:
        machine.cont()
        assert machine.run(60) == Breakpoint(0x7C00, top)
        assert machine.state is RunState.PAUSED


def test_closed_machine(boot) -> None:
    machine = boot(LOOP)
    machine.close()
    machine.close()
    with pytest.raises(MachineClosed):
        machine.run()
    with pytest.raises(MachineClosed):
        machine.cpu.pc  # noqa: B018


def test_bad_arguments(boot, monkeypatch: MonkeyPatch) -> None:
    for options in ({"memory": "much"}, {"icount": 99}, {"cpu": "z80"}, {"args": ["-frobnicate"]}, {"args": ["-help"]},
                    {"devices": ["no-such-device"]}, {"engine": "steam"}):  # fmt: skip
        with pytest.raises(UserError):
            boot(LOOP, **options)
    machine = boot(LOOP)
    with pytest.raises(ValueError):
        machine.step(0)
    with pytest.raises(UserError, match="unknown key"):
        machine.press("hyper-q")
    with pytest.raises(NotSeen):
        machine.wait_for_event("NIC_RX_FILTER_CHANGED", 0.001)
