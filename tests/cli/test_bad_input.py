"""Whatever the operator does wrong: one line that names it, exit status 1, and no traceback."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from program import AtTerminal, Piped, run

from pyqemu.cli.main import main

# What is asked for, what the line must name, and what it must say of what would be right (empty: nothing to say).
# "{dir}" is a directory with the files that `files` makes.
CASES: dict[str, tuple[str, str, str]] = {
    # images
    "missing image": ("{dir}/none.img", "none.img", "existing"),
    "missing CD image": ("-cdrom {dir}/none.iso", "none.iso", "existing"),
    "missing image of -drive": ("-drive file={dir}/none.img,format=raw", "none.img", "existing"),
    "unreadable image": ("{dir}/secret.img", "secret.img", "readable"),
    "image is a directory": ("{dir}", "directory", "disk image"),
    "empty image": ("{dir}/empty", "empty", "512 bytes"),
    "too short image": ("{dir}/text", "text", "512 bytes"),
    "too short CD image": ("-cdrom {dir}/sector", "sector", "2048 bytes"),
    "too short floppy": ("-fda {dir}/text", "text", "512 bytes"),
    "format that is not raw": ("{dir}/qcow2", "qcow2", "convert"),
    "unknown format": ("-drive file={dir}/disk,format=zip", "zip", "raw"),
    "two images in one place": ("{dir}/disk -hda {dir}/sector", "ide0-hd0", "index="),
    "two disk images": ("{dir}/disk {dir}/sector", "sector", "-hdb"),
    "one image twice": ("{dir}/disk -hdb {dir}/disk", "disk", "read-only"),
    # -drive
    "unknown key of -drive": ("-drive file={dir}/disk,colour=red", "colour", "readonly"),
    "bad value in -drive": ("-drive file={dir}/disk,media=tape", "tape", "cdrom"),
    "bad number in -drive": ("-drive file={dir}/disk,index=one", "index", "number"),
    "interface without a place": ("-drive file={dir}/disk,if=scsi", "scsi", "if=ide"),
    "index without a place": ("-drive file={dir}/disk,index=4", "ide", "0 to 3"),
    "hard disk without an image": ("-drive if=ide", "ide0-hd0", "file="),
    # options
    "unknown option": ("-frobnicate", "-frobnicate", "-h"),
    "almost an option": ("-snapshoot", "-snapshoot", "-snapshot"),
    "option without its argument": ("-m", "-m", "megs"),
    "unknown machine": ("-M pdp11", "pdp11", "-machine help"),
    "almost a machine": ("-M pcc", "pcc", "'pc'"),
    "unknown machine property": ("-M pc,colour=red", "colour", "properties"),
    "unknown architecture": ("--target vax", "vax", "x86_64"),
    "unknown CPU": ("-cpu z80", "z80", "-cpu help"),
    "unknown CPU feature": ("-cpu qemu64,+turbo", "turbo", "-cpu help"),
    "unknown CPU property": ("-cpu qemu64,colour=red", "colour", "-cpu help"),
    "CPU feature without a sign": ("-cpu qemu64,sse2", "sse2", "+feature"),
    "bad CPU property": ("-cpu qemu64,family=x", "family", "number"),
    "several CPUs": ("-smp 2", "-smp 2", "-smp 1"),
    "unknown accelerator": ("-accel kvm", "kvm", "tcg"),
    "unknown engine": ("-accel tcg,engine=steam", "steam", "stencil"),
    "no size": ("-m lots", "-m lots", "suffixes"),
    "negative size": ("-m -5", "-m -5", "suffixes"),
    "too little memory": ("-m 1K", "-m 1K", "1 MiB"),
    "too much memory": ("-m 100000G", "-m 100000G", "64 GiB"),
    "unknown boot device": ("-boot 9", "'9'", "cad"),
    "unknown key of -boot": ("-boot order=c,colour=red", "colour", ""),
    "bad UUID": ("-uuid 12", "12", "550e8400"),
    "bad date": ("-rtc base=yesterday", "yesterday", "2006-06-17"),
    "bad clock": ("-rtc clock=sun", "sun", "host"),
    "bad instruction count": ("-icount shift=99", "-icount", "0 to 10"),
    "unknown log item": ("-d everything", "everything", "in_asm"),
    "log that cannot be written": ("-d int -D {dir}/none/log", "none/log", "No such file"),
    "unknown display": ("-display gtk", "gtk", "curses"),
    "unknown adapter": ("-vga cga", "cga", "std"),
    "network": ("-net user", "-net user", "-net none"),
    "monitor": ("-monitor stdio", "-monitor stdio", "-monitor none"),
    "conflicting displays": ("-nographic -display curses", "-nographic", "leave out"),
    "curses without a terminal": ("-display curses", "no terminal", "-display none"),
    "screenshot of unknown kind": ("-screenshot-on-exit x.gif", "x.gif", ".png"),
    "screenshot into nowhere": ("-screenshot-on-exit {dir}/none/x.png", "none/x.png", "No such file"),
    # firmware and kernels
    "missing BIOS": ("-bios none.bin", "none.bin", "-L"),
    "BIOS of no ROM's size": ("-bios {dir}/text", "text", "64 KiB"),
    "missing kernel": ("-kernel {dir}/none", "none", "No such file"),
    "bad kernel": ("-kernel {dir}/disk", "disk", "bzImage"),
    "empty kernel": ("-kernel {dir}/empty", "empty", "empty"),
    "initrd without kernel": ("-initrd {dir}/text", "-initrd", "-kernel"),
    "command line without kernel": ("-append quiet", "-append", "-kernel"),
    # devices
    "unknown device": ("-device e999", "e999", "-device help"),
    "unknown device asked for help": ("-device e999,help", "e999", "-device help"),
    "unknown property": ("-device isa-serial,colour=red", "colour", "iobase"),
    "bad property": ("-device isa-serial,irq=x", "irq", "value"),
    "property refers to nothing": ("-device isa-serial,chardev=x", "'x'", ""),
    "second adapter": ("-device VGA", "VGA", "-vga none"),
    # character devices
    "unknown serial device": ("-serial teletype", "teletype", "stdio"),
    "serial to unknown chardev": ("-serial chardev:x", "'x'", ""),
    "serial to a file nowhere": ("-serial file:{dir}/none/x", "none/x", "No such file"),
    "serial to a socket nowhere": ("-serial unix:{dir}/none", "none", "No such file"),
    "terminal twice": ("-serial stdio -serial stdio", "stdio", "multiple"),
    "too many serial ports": ("-serial null " * 5, "too many", "4"),
    "parallel to nothing known": ("-parallel teletype", "teletype", "stdio"),
    "chardev without id": ("-chardev null", "no id", "id=ID"),
    "unknown chardev": ("-chardev teletype,id=a", "teletype", "stdio"),
    "unknown key of a chardev": ("-chardev null,id=a,colour=red", "colour", ""),
    "chardev without a path": ("-chardev file,id=a", "file", "filename"),
    "chardev id twice": ("-chardev null,id=a -chardev null,id=a", "'a'", "Duplicate"),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("files")
    (directory / "empty").touch()
    (directory / "text").write_text("hello\n")
    (directory / "sector").write_bytes(bytes(512))
    (directory / "disk").write_bytes(bytes(1 << 16))
    (directory / "qcow2").write_bytes(b"QFI\xfb\0\0\0\3".ljust(1 << 16, b"\0"))
    (directory / "secret.img").write_bytes(bytes(512))
    (directory / "secret.img").chmod(0)
    return directory


def check(status: int, out: str, errors: str, names: str, right: str) -> None:
    assert status == 1
    assert out == ""
    assert len(errors.splitlines()) == 1, errors
    assert errors.startswith("pyqemu: ")
    assert names in errors
    assert right in errors


@pytest.mark.parametrize("case", CASES)
def test_one_line(case: str, files: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    text, names, right = CASES[case]
    if case == "unreadable image" and os.geteuid() == 0:
        pytest.skip("root may read everything")
    monkeypatch.setattr(sys, "argv", ["pyqemu"])
    status = main(text.replace("{dir}", str(files)).split())
    check(status, *capfd.readouterr(), names, right)


@pytest.mark.parametrize(
    "case", ["missing image", "unknown option", "unknown CPU", "bad kernel", "screenshot into nowhere"]
)
def test_one_line_of_the_program(case: str, files: Path) -> None:
    text, names, right = CASES[case]
    result = run(*text.replace("{dir}", str(files)).split())
    check(result.returncode, result.stdout, result.stderr, names, right)


def test_more_memory_than_the_host_has(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import mmap

    def refuse(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(mmap, "mmap", refuse)
    monkeypatch.setattr(sys, "argv", ["pyqemu"])
    assert main(["-m", "32G"]) == 1
    errors = capfd.readouterr().err
    assert "Cannot allocate memory" in errors
    assert "32 GiB" in errors
    assert len(errors.splitlines()) == 1


def test_locked_image(guest_image: Path) -> None:
    with Piped(["-nographic", str(guest_image)]) as first:
        first.wait_for(b"> ")
        second = run("-nographic", str(guest_image))
        check(second.returncode, second.stdout, second.stderr, "guest.img", "in use by another process")
        reader = run("-display", "none", "-snapshot", "-S", str(guest_image))
        check(reader.returncode, reader.stdout, reader.stderr, "guest.img", "in use by another process")
        first.type(b"\x01x")
        assert first.finish()[0] == 0


def test_no_bootable_device_is_the_bios_message(tmp_path: Path) -> None:
    """Nothing that the command line could know: the machine starts, and its BIOS tells."""
    blank = tmp_path / "blank.img"
    blank.write_bytes(bytes(1 << 20))
    picture = tmp_path / "screen.ppm"
    with AtTerminal("-screenshot-on-exit", str(picture), str(blank)) as terminal:
        terminal.wait_for(b"No bootable device")
        terminal.type(b"\x01x")
        assert terminal.finish() == 0
    assert picture.read_bytes().startswith(b"P6\n720 400\n255\n")
