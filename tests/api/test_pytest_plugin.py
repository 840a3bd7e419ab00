"""The pytest plugin: its fixture, and what it adds to the report of a test that fails."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

GUEST = r'''
from pyqemu.util.x86asm import assemble

def sector(text):
    code = assemble(f"""
        bits 16
        org 0x7c00
        mov dx, 0x3f8
        mov si, text
again:  lodsb
        out dx, al
        test al, al
        jnz again
        mov ebx, 0xcafef00d
        cli
        hlt
text:   db "{text}", 0
""").code
    return code.ljust(510, b"\0") + b"\x55\xaa"
'''


def run(pytester: pytest.Pytester, tests: str) -> pytest.RunResult:
    pytester.makepyfile(GUEST + tests)
    return pytester.runpytest_subprocess("-p", "no:pyqemu", "-p", "pyqemu.api.pytest_plugin", "-p", "no:cacheprovider")


def test_machines_are_closed_when_the_test_has_ended(pytester: pytest.Pytester) -> None:
    result = run(pytester, """
made = []

def test_guest(pyqemu):
    made.append(pyqemu(sector("hello"), memory="16M"))
    made[0].serial.expect("hello", 60)

def test_it_is_closed():
    assert made[0]._runner.is_closed
""")  # fmt: skip
    result.assert_outcomes(passed=2)


def test_report_of_a_failure_has_all_that_helps(pytester: pytest.Pytester) -> None:
    result = run(pytester, """
def test_guest(pyqemu):
    machine = pyqemu(sector("hello, report"), memory="16M")
    machine.run(60)
    assert machine.cpu.registers["bx"] == 0
""")  # fmt: skip
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "hello, report" in text
    assert "Booting from Hard Disk" in text
    assert "EBX=cafef00d" in text
    assert re.search(r"   0x7c\w\w: hlt\n", text)
    picture = re.search(r"picture: (.+\.png)", text)
    assert picture is not None
    assert Path(picture[1]).read_bytes().startswith(b"\x89PNG")


def test_report_names_each_of_several_machines(pytester: pytest.Pytester) -> None:
    result = run(pytester, """
def test_guests(pyqemu):
    for number in range(2):
        pyqemu(sector(f"number {number}"), memory="16M").run(60)
    pyqemu(vga="none", args=["-serial", "null"])
    raise RuntimeError
""")  # fmt: skip
    text = result.stdout.str()
    assert "pyqemu 1: serial line" in text
    assert "number 0" in text and "number 1" in text
    assert "(UserError: " in text  # the third has neither screen nor line


def test_error_of_the_machine_itself_is_reported_as_it_is(pytester: pytest.Pytester) -> None:
    result = run(pytester, """
def test_guest(pyqemu):
    pyqemu(memory="much")
""")  # fmt: skip
    result.assert_outcomes(failed=1)
    assert "expects a size" in result.stdout.str()
