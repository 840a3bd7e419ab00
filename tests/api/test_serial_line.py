"""``expect`` and ``send`` on the serial line: time-outs in the guest's seconds, and no byte lost."""

from __future__ import annotations

import random
import re

import pytest

import pyqemu
from pyqemu.api.outcomes import Exited, HaltedForever, NotSeen, TimedOut
from pyqemu.util.errors import UserError

HELLO = "mov dx, 0x3f8\nmov si, text\nagain: lodsb\nout dx, al\ntest al, al\njnz again\ncli\nhlt\n"
ECHO = """
        mov dx, 0x3fa
        mov al, {fifo}
        out dx, al
        mov dx, 0x3f8
        mov al, 'R'
        out dx, al
again:  mov dx, 0x3fd
        in al, dx
        test al, 1
        jz again
        mov cx, {delay}
        loop $
        mov dx, 0x3f8
        in al, dx
        out dx, al
        jmp again
"""


def hello(boot, text: str = "one two three") -> pyqemu.Machine:
    machine: pyqemu.Machine = boot(f"{HELLO}\ntext: db '{text}', 0")
    return machine


def test_expected_text_and_what_came_before_it(boot) -> None:
    machine = hello(boot)
    found = machine.serial.expect("two")
    assert (found.before, found.match) == (b"one ", b"two")
    assert machine.serial.expect(b"three").before == b" "
    assert machine.serial.text == "one two three"


def test_guest_stands_right_behind_what_was_expected(boot) -> None:
    machine = hello(boot)
    machine.serial.expect(b"tw")
    assert machine.serial.output == b"one tw"


def test_regular_expression_with_groups(boot) -> None:
    machine = hello(boot, "login as 4711, please")
    found = machine.serial.expect(re.compile(rb"as (\d+),"))
    assert found.groups == (b"4711",)
    assert found.text == "login as 4711,"


def test_text_that_has_come_already_is_found_at_once(boot) -> None:
    machine = hello(boot)
    assert machine.run(60) == HaltedForever()
    time = machine.time
    assert machine.serial.expect(b"one").match == b"one"
    assert machine.serial.expect(b"three").match == b"three"
    assert machine.time == time
    with pytest.raises(NotSeen):
        machine.serial.expect(b"one")  # it was before the last match


def test_what_does_not_come_tells_why_and_what_came(boot) -> None:
    machine = hello(boot)
    with pytest.raises(NotSeen, match="one two three") as caught:
        machine.serial.expect(b"four", timeout=60)
    assert caught.value.outcome == HaltedForever()


def test_timeout_is_in_the_guests_seconds(boot) -> None:
    machine = boot("sti\nhere: hlt\njmp here", icount=True)
    before = machine.time
    with pytest.raises(NotSeen) as caught:
        machine.serial.expect(b"x", timeout=100)  # takes no such time on the host, as the guest only sleeps
    assert caught.value.outcome == TimedOut(100)
    assert 100 <= machine.time - before < 100.1


def test_end_of_the_machine_ends_the_wait(boot) -> None:
    machine = boot("mov dx, 0x501\nmov al, 0\nout dx, al\njmp $", devices=["isa-debug-exit"])
    with pytest.raises(NotSeen) as caught:
        machine.serial.expect(b"x")
    assert caught.value.outcome == Exited(1)


@pytest.mark.parametrize("fifo", [0, 0x07, 0xC7], ids=["no FIFO", "FIFO", "FIFO, trigger at 14"])
@pytest.mark.parametrize("delay", [1, 500])
def test_no_byte_is_lost_however_slow_the_guest_is(boot, fifo: int, delay: int, rng: random.Random) -> None:
    machine = boot(ECHO.format(fifo=fifo, delay=delay))
    machine.serial.expect(b"R", 60)  # to switch the FIFO on would empty it
    data = rng.randbytes(300)
    machine.serial.send(data + b"\r\nEND\r\n")
    assert machine.serial.expect(b"\r\nEND\r\n", 60).before == data
    assert machine.serial.unsent == 0


def test_large_output_is_searched_quickly(boot) -> None:
    machine = boot(
        "mov dx, 0x3f8\nmov cx, 40000\nmov al, '.'\nagain: out dx, al\nloop again\nmov al, '!'\nout dx, al\nhlt"
    )
    assert len(machine.serial.expect(b"!").before) == 40000
    machine = boot(
        "mov dx, 0x3f8\nmov cx, 10000\nmov al, '.'\nagain: out dx, al\nloop again\nmov al, '!'\nout dx, al\nhlt"
    )
    assert machine.serial.expect(re.compile(rb"!")).before == b"." * 10000


def test_serial_port_that_leads_somewhere_else(tmp_path) -> None:
    options = ["-serial", f"file:{tmp_path / 'log'}"]
    with pyqemu.Machine(args=options) as machine, pytest.raises(UserError, match="leads to"):
        machine.serial.expect(b"x")


def test_several_machines_at_once(boot) -> None:
    machines = [hello(boot, f"I am number {n}.") for n in range(4)]
    for machine in machines:
        assert machine.serial.expect("number ").match == b"number "
        assert machine.serial.output == b"I am number "
        machines[0].run(0.001)
    for number, machine in enumerate(machines):
        assert machine.run(60) == HaltedForever()
        assert machine.serial.text.rstrip("\0") == f"I am number {number}."
    for machine in machines:
        machine.reset()
        machine.start()  # all at the same time, in threads of their own
    for number, machine in enumerate(machines):
        assert machine.serial.expect(f"I am number {number}.")
        machine.stop()
