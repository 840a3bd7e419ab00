"""``-writeconfig`` and ``-readconfig``."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from program import run

from pyqemu.cli.defaults import parse_command_line
from pyqemu.cli.groups import Groups, parse_config
from pyqemu.cli.options import CommandLine
from pyqemu.util.errors import OptionError, UserError

LINES = [
    "-m 64 -smp 1 -boot order=dc,menu=on,strict=on -machine pc,usb=off -accel tcg -rtc base=utc,clock=vm",
    "-hda {dir}/disk -cdrom {dir}/disk.iso",
    "-machine vexpress-a9 -sd {dir}/disk -pflash {dir}/disk -pflash {dir}/disk.iso",
    "-drive file={dir}/disk,format=raw,if=none,id=d -device ide-hd,drive=d,bootindex=1,id=x",
    "-chardev socket,id=c,path={dir}/q,server=on,wait=off -mon chardev=c,mode=control,pretty=on",
    "-qmp unix:{dir}/q,server,nowait -monitor tcp:127.0.0.1:1,server,nowait",
    "-global VGA.vgamem_mb=32 -global driver=ide-hd,property=ver,value=2",
    '-object {"qom-type":"secret","id":"s","data":"x"} -name guest=me,process=you -msg timestamp=on',
    "-icount shift=3,sleep=off",
    '-device {"driver":"isa-serial","id":"s0","chardev":"c"} -chardev null,id=c',
]
NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1)
VALUES = st.text(st.characters(blacklist_characters='"', blacklist_categories=("Cc", "Cs", "Zl", "Zp")))


def parse(text: str) -> CommandLine:
    return parse_command_line("pyqemu", text.split(), interactive=False)


@pytest.mark.parametrize("text", LINES)
def test_what_is_read_back_is_the_same_machine(text: str, tmp_path: Path) -> None:
    text = text.replace("{dir}", str(tmp_path))
    file = tmp_path / "config"
    written = parse(f"{text} -writeconfig {file}")
    read = parse(f"-readconfig {file}")
    for monitor in (*written.config.monitors, *read.config.monitors):  # these name the option that they came from
        object.__setattr__(monitor, "option", "")
        object.__setattr__(monitor, "device", monitor.label)
    if "-qmp" in text:  # in the file, -qmp is a -chardev and a -mon
        assert len(read.config.chardevs) == 2
        read.config.chardevs.clear()
    assert read.config == written.config
    assert read.process == written.process
    assert read.timestamps == written.timestamps


@pytest.mark.parametrize("text", LINES)
def test_what_is_written_again_is_the_same_file(text: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    parse(f"{text.replace('{dir}', str(tmp_path))} -writeconfig {first}")
    parse(f"-readconfig {first} -writeconfig {second}")
    assert first.read_text() == second.read_text()


def test_the_form_is_qemus(tmp_path: Path) -> None:
    file = tmp_path / "config"
    parse(f"-device isa-serial,id=s,chardev=c -chardev null,id=c -m 64 -writeconfig {file}")
    assert file.read_text() == (
        '# qemu config file\n\n[chardev "c"]\n  backend = "null"\n\n'
        '[device "s"]\n  driver = "isa-serial"\n  chardev = "c"\n\n[memory]\n  size = "64"\n'
    )


def test_to_standard_output(tmp_path: Path) -> None:
    result = run("-m", "64", "-writeconfig", "-", "-hda", str(tmp_path / "none"))
    assert '[memory]\n  size = "64"\n' in result.stdout


def test_a_value_that_the_form_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="cannot hold"):
        parse(f'-name a"b -writeconfig {tmp_path / "config"}')


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("hello", 1, "parse error"),
        ('[device]\n  driver = VGA\n', 2, "parse error"),
        ('\n# note\n[device\n', 3, "parse error"),
        ('  driver = "VGA"\n', 1, "no group"),
        ('[machine]\n\n[nonsense "a"]\n', 3, "'nonsense'"),
        ('[memory]\n  size = "64"\n\n[chardev "c"]\n  backend = "null"\n\n[mon]\n  mode = "control"\n', 7, "'chardev'"),
        ('[device "x"]\n  bus = "pci.0"\n', 1, "'driver'"),
        ('[drive]\n  file = "x"\n  colour = "red"\n', 1, "colour"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(text: str, line: int, says: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        parse(f"-readconfig {file}")
    assert caught.value.message.startswith(f"-readconfig {file}:{line}: ")
    assert says in str(caught.value)


@given(st.lists(st.tuples(st.sampled_from(["device", "drive", "chardev", "global"]), st.dictionaries(NAMES, VALUES))))
def test_any_section_is_read_back(sections: list[tuple[str, dict[str, str]]]) -> None:
    groups = Groups()
    for group, values in sections:
        groups.record(group, values)
    read = [(each.group, each.id, each.values) for each in parse_config(groups.text(), "file")]
    assert sorted(read, key=repr) == sorted(((each.group, each.id, each.values) for each in groups.sections), key=repr)


@given(st.text('[]"= \nabc#\\\0é', max_size=40))
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    complaint = ""
    try:
        list(parse_config(text, "file"))
    except OptionError as error:
        complaint = error.message
    assert not complaint or complaint.startswith("-readconfig file:")
