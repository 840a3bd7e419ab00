"""Options that print something and end."""

from __future__ import annotations

import subprocess
from importlib.metadata import entry_points

import pytest
from program import COMMAND, PATIENCE, environment, run

from pyqemu.cli.main import main
from pyqemu.cli.options import OPTIONS


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("-version", "pyqemu emulator version"),
        ("--version", "QEMU 2.6.50 compatible"),
        ("-h", "-screenshot-on-exit FILE"),
        ("-help", "disk.img"),
        ("-M help", "(default)"),
        ("-machine help", "pc-i440fx-2.6"),
        ("-cpu help", "core2duo"),
        ("-cpu ?", "Recognized CPUID flags"),
        ("-device help", 'name "isa-serial", bus ISA'),
        ("-device isa-serial,help", "isa-serial.iobase="),
        ("-accel help", "tcg"),
        ("-chardev help", "stdio"),
        ("-d help", "out_asm"),
        ("-d help", "trace:PATTERN"),
        ("-d trace:help", "pci_cfg_read\n"),
        ("-trace help", "runstate_set\n"),
        ("-trace enable=?", "memory_region_ops_write\n"),
    ],
)
def test_help_is_printed_and_nothing_else_happens(
    arguments: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments.split()) == 0
    out, errors = capsys.readouterr()
    assert expected in out
    assert errors == ""


OLD = ["486", "pentium", "pentium2", "pentium3", "athlon", "qemu32", "kvm32", "coreduo", "n270"]
LONG_MODE = ["qemu64", "kvm64", "phenom", "core2duo", "max"]


@pytest.mark.parametrize("model", OLD + LONG_MODE)
def test_cpu_models_are_listed(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-cpu", "help"]) == 0
    assert f" {model} " in capsys.readouterr().out


def test_lists_are_those_of_the_architecture(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--target", "aarch64", "-cpu", "help"]) == 0
    models = capsys.readouterr().out
    assert "cortex-a57" in models
    assert "486" not in models
    assert main(["--target", "aarch64", "-M", "help"]) == 0
    machines = capsys.readouterr().out
    assert "virt-2.6" in machines
    assert "pc" not in machines


def test_usage_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    main(["-h"])
    text = capsys.readouterr().out
    for option in OPTIONS.values():
        assert f"\n-{option.name}" in text
        assert option.help in text


def test_reader_that_goes_away() -> None:
    """``pyqemu -h | true``."""
    process = subprocess.Popen([*COMMAND, "-h"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, b"")


def test_module_and_scripts_are_one_program() -> None:
    assert run("-version").stdout.startswith("pyqemu emulator version")
    scripts = {
        script.name: script.value for script in entry_points(group="console_scripts") if "pyqemu" in script.value
    }
    if not scripts:
        pytest.skip("the package is not installed")
    assert scripts.keys() >= {"pyqemu", "pyqemu-system-i386", "pyqemu-system-x86_64"}
    assert set(scripts.values()) == {"pyqemu.cli.main:main"}
