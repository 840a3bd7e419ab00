"""What follows from the options, without starting a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyqemu.boards.config import MachineConfig, SemihostingConfig
from pyqemu.cli import default_guest
from pyqemu.cli.defaults import CONSOLE, NO_DISPLAY, parse_command_line
from pyqemu.cli.options import OPTIONS, CommandLine
from pyqemu.util.errors import OptionError


def parse(text: str, *, interactive: bool = False, program: str = "pyqemu") -> CommandLine:
    return parse_command_line(program, text.split(), interactive=interactive)


@pytest.mark.parametrize(
    ("arguments", "interactive", "display"),
    [
        ("", True, "curses"),
        ("", False, "none"),
        ("disk.img", True, "curses"),
        ("-nographic", True, "none"),
        ("-display none", True, "none"),
        ("-display curses", True, "curses"),
        ("-curses", True, "curses"),
        ("-serial stdio", True, "none"),
        ("-serial mon:stdio", True, "none"),
        ("-chardev stdio,id=a -serial chardev:a", True, "none"),
        ("-vga none", True, "none"),
        ("-nodefaults", True, "none"),
        ("-nodefaults -vga std", True, "curses"),
        ("-nodefaults -device VGA", True, "curses"),
    ],
)
def test_display(arguments: str, interactive: bool, display: str) -> None:
    assert parse(arguments, interactive=interactive).config.display == display


@pytest.mark.parametrize(
    ("arguments", "noted"),
    [("", True), ("disk.img", True), ("-nographic", False), ("-display none", False), ("-vga none", False),
     ("-serial stdio", False), ("-nodefaults", False)],
)  # fmt: skip
def test_who_sees_nothing_is_told_how_to(arguments: str, noted: bool) -> None:
    assert (NO_DISPLAY in parse(arguments).notes) == noted


@pytest.mark.parametrize(
    ("arguments", "serials"),
    [
        ("-nographic", ["mon:stdio"]),
        ("", [CONSOLE]),
        ("-serial null", ["null"]),
        ("-serial null -nographic", ["null"]),
        ("-serial none", ["none"]),
        ("-nodefaults", []),
        ("-nodefaults -nographic", []),
        ("-serial stdio -serial null", ["stdio", "null"]),
    ],
)
def test_serial_ports(arguments: str, serials: list[str]) -> None:
    assert parse(arguments).config.serials == serials


def test_curses_and_a_serial_port_cannot_share_the_terminal() -> None:
    with pytest.raises(OptionError, match="-serial stdio"):
        parse("-display curses -serial stdio", interactive=True)


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [("", True), ("-nographic", True), ("-m 64 -cpu 486", True), ("disk.img", False), ("-cdrom x.iso", False),
     ("-fda x", False), ("-drive if=none,id=a", False), ("-kernel x", False), ("-bios x", False),
     ("-nodefaults", False)],
)  # fmt: skip
def test_embedded_guest_runs_where_nothing_else_was_given(arguments: str, wanted: bool) -> None:
    assert default_guest.is_wanted(parse(arguments).config) == wanted


def test_embedded_guest_leaves_nothing_behind() -> None:
    config = MachineConfig()
    with default_guest.plugged(config):
        (drive,) = config.drives
        with open(drive.file, "rb") as file:
            assert file.read(512)[510:] == b"\x55\xaa"
        assert drive.snapshot
    assert not Path(drive.file).exists()


@pytest.mark.parametrize(
    ("program", "architecture"),
    [("pyqemu", None), ("pyqemu-system-i386", "i386"), ("/usr/bin/pyqemu-system-x86_64", "x86_64")],
)
def test_name_of_the_program_says_the_architecture(program: str, architecture: str | None) -> None:
    assert parse("", program=program).config.architecture == architecture


@pytest.mark.parametrize(
    ("arguments", "attribute", "value"),
    [
        ("-m 64", "memory", 64 << 20),
        ("-m 1G", "memory", 1 << 30),
        ("-m size=256M", "memory", 256 << 20),
        ("--snapshot", "snapshot", True),
        ("-no-reboot", "no_reboot", True),
        ("-no-shutdown", "no_shutdown", True),
        ("-S", "paused", True),
        ("-M pc,accel=tcg", "machine", "pc"),
        ("-machine type=pc", "machine", "pc"),
        ("-accel tcg,engine=python", "engine", "python"),
        ("-icount shift=5", "icount", 5),
        ("-icount auto", "icount", 3),
        ("-d int,cpu -d exec", "log_items", ("int", "cpu", "exec")),
        ("-d int,trace:pic_*", "log_items", ("int",)),
        ("-d int,trace:pic_* -trace -pic_set_irq -trace enable=x", "trace", ("pic_*", "-pic_set_irq", "x")),
        ("-trace pic_*,file=a", "log_file", "a"),
        ("-echr ^B", "escape", 2),
        ("-echr 0x14", "escape", 20),
        ("-name guest=me,process=you", "name", "me"),
        ("-no-acpi", "acpi", False),
        ("-no-hpet", "hpet", False),
        ("-kernel k -append quiet", "append", "quiet"),
        ("-target i386", "architecture", "i386"),
        ("-S", "semihosting", None),
        ("-semihosting", "semihosting", SemihostingConfig()),
        ("-semihosting-config on", "semihosting", SemihostingConfig()),
        ("-semihosting-config off", "semihosting", None),
        ("-semihosting -semihosting-config enable=off,arg=x", "semihosting", None),
        ("-semihosting-config target=native,arg=a,arg=b,,c", "semihosting", SemihostingConfig(("a", "b,c"))),
        ("-semihosting-config arg=a -semihosting -semihosting-config target=auto,arg=b", "semihosting",
         SemihostingConfig(("a", "b"))),
    ],
)  # fmt: skip
def test_options_fill_in_the_configuration(arguments: str, attribute: str, value: object) -> None:
    assert getattr(parse(arguments).config, attribute) == value


@pytest.mark.parametrize(
    ("arguments", "index", "media"),
    [
        ("disk.img", 0, "disk"),
        ("-hda x", 0, "disk"),
        ("-hdd x", 3, "disk"),
        ("-cdrom x", 2, "cdrom"),
        ("-fdb x", 1, "disk"),
    ],
)
def test_short_forms_of_drives(arguments: str, index: int, media: str) -> None:
    (drive,) = parse(arguments).config.drives
    assert (drive.index, drive.media) == (index, media)


def test_short_forms_of_boards_drives() -> None:
    drives = parse("-M vexpress-a9 -sd card -pflash first -pflash second").config.drives
    assert [(drive.interface, drive.file) for drive in drives] == [
        ("sd", "card"), ("pflash", "first"), ("pflash", "second"),
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(4))
def test_each_short_form_is_an_option_of_its_own(number: int) -> None:
    assert OPTIONS[f"hd{'abcd'[number]}"].help.endswith(str(number))
