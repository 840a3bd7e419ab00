"""Whatever the operator does wrong: one line that names it, exit status 1, and no traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import AtTerminal, Piped, run

from pyqemu.cli.main import main

# What is asked for, what the line must name, and what it must say of what would be right (empty: nothing to say).
# "{dir}" is a directory with the files that `files` makes; "{port}" and "{fd}" are what `taken` has taken.
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
    "several CPUs": ("-smp 2", "CPUs requested (2)", "-smp 1"),
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
    "network backend": ("-net user", "-net user", "-net none"),
    "network backend of -nic": ("-nic tap,model=e1000", "-nic tap", "-nic none"),
    "network backend of its own": ("-netdev user,id=n", "-netdev user", "-net none"),
    "unknown kind of network": ("-net pigeon", "pigeon", "nic"),
    "unknown kind of -nic": ("-nic pigeon", "pigeon", "none"),
    "unknown card": ("-net nic,model=ne1", "ne1", "e1000"),
    "unknown key of -net nic": ("-net nic,colour=red", "colour", "mac"),
    "unknown backend of a card": ("-net nic,netdev=n", "'n'", "no network backends"),
    "unknown backend of -device": ("-device e1000,netdev=n", "'n'", ""),
    "bad address of a card": ("-net nic,macaddr=52:54", "52:54", "52:54:00:12:34:56"),
    "bad slot of a card": ("-net nic,addr=40", "'40'", "1f.7"),
    "slot of another device": ("-nic model=e1000,addr=2", "slot 2", ""),
    "card where no place is": ("-M none -net nic", "none", "-net none"),
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
    "second adapter": ("-vga std -device VGA", "VGA", "-vga none"),
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
    # monitors, objects, the process
    "monitor on nothing known": ("-monitor teletype", "teletype", "stdio"),
    "QMP socket in a directory that is not there": ("-qmp unix:{dir}/none/q,server,nowait", "none/q", "No such file"),
    "QMP socket with a path that is too long": ("-qmp unix:{dir}/" + "x" * 108 + ",server,nowait", "too long", "107"),
    "QMP socket of a running server": ("-qmp unix:{dir}/live,server,nowait", "live", "running server"),
    "QMP socket in the place of a file": ("-qmp unix:{dir}/text,server,nowait", "text", "already in use"),
    "QMP client of a server that has gone": ("-qmp unix:{dir}/dead", "dead", "refused"),
    "port that is taken": ("-qmp tcp:127.0.0.1:{port},server,nowait", "{port}", "already in use"),
    "port that no host has": ("-qmp tcp:127.0.0.1:65536,server,nowait", "65536", "65535"),
    "QMP without a port": ("-qmp tcp:127.0.0.1,server,nowait", "tcp:127.0.0.1", "HOST:PORT"),
    "inherited socket that is not open": ("-chardev socket,id=a,fd=999,server=on,wait=off", "999", "inherited"),
    "inherited socket that is none": ("-chardev socket,id=a,fd={fd},server=on,wait=off", "{fd}", "inherited"),
    "inherited socket that is no number": ("-chardev socket,id=a,fd=x,server=on,wait=off", "FD number x", ""),
    "monitor without a chardev": ("-mon mode=control", "'chardev'", "chardev=ID"),
    "unknown key of -mon": ("-chardev null,id=a -mon a,colour=red", "colour", "mode="),
    "two monitors on one text console": ("-chardev vc,id=a -mon a -mon a", "'a'", "in use"),
    "serial port on a monitor's chardev": ("-chardev null,id=a -mon a -serial chardev:a", "'a'", "in use"),
    "two monitors on the terminal": ("-qmp stdio -monitor stdio", "multiple", "mon:stdio"),
    "unknown monitor mode": ("-chardev null,id=a -mon a,mode=chat", "chat", "control"),
    "pretty human monitor": ("-chardev null,id=a -mon a,pretty=on", "pretty", "mode=control"),
    "monitor on unknown chardev": ("-mon chardev=x,mode=control", "'x'", "not found"),
    "two monitors on one chardev": ("-chardev null,id=a -mon a -mon a,mode=control", "'a'", "in use"),
    "malformed JSON in -device": ('-device {"driver":}', "JSON", "driver"),
    "malformed JSON in -object": ('-object {"qom-type":"secret"', "JSON", "key"),
    "malformed JSON in -blockdev": ('-blockdev {"driver":raw}', "character 11", "key"),
    "JSON with a value that no property has": ('-device {"driver":"VGA","id":null}', "'id'", "text"),
    "JSON without a driver": ('-device {"id":"v"}', "'driver'", "-device help"),
    "block node without a name": ("-blockdev driver=raw,file=x", "'node-name'", "node-name=NAME"),
    "unknown driver of a block node": ("-blockdev zip,node-name=n", "zip", ""),
    "dotted keys that contradict": ("-blockdev raw,node-name=n,file=x,file.driver=file", "inconsistently", ""),
    "JSON key twice": ('-device {"driver":"VGA","driver":"VGA"}', "duplicate", "driver"),
    "unknown type of an object": ("-object nonsense,id=x", "nonsense", "secret"),
    "object without a type": ("-object id=x", "'qom-type'", "TYPE"),
    "object with a property that it has not": ("-object secret,id=x,data=y,colour=red", "colour", ""),
    "two objects of one name": ("-object secret,id=x,data=y -object secret,id=x,data=y", "'x'", ""),
    "object without an id": ("-object secret,data=x", "'id'", "id=ID"),
    "incomplete -global": ("-global VGA", "-global VGA", "driver.property=value"),
    "unknown key of -global": ("-global driver=VGA,property=x,value=y,colour=red", "colour", "value="),
    "value that the property cannot have": ("-global VGA.vgamem_mb=many", "many", ""),
    "property that the device has not": ("-global VGA.colour=red", "colour", ""),
    "standard input in a set": ("-add-fd fd=0,set=1", "fd=0", "3 or more"),
    "descriptor without a set": ("-add-fd fd=3", "set", "NUMBER"),
    "bad -trace": ("-trace runstate_set,x=y", "'x'", "events="),
    "-trace without its file": ("-trace events={dir}/none", "none", "No such file"),
    "-trace with a strange file": ("-trace events={dir}/binary", "binary", "pattern"),
    "trace into nowhere": ("-trace runstate_set,file={dir}/none/log", "none/log", "No such file"),
    "bad -msg": ("-msg timestamp=maybe", "timestamp", "on"),
    "unknown key of -name": ("-name guest=x,colour=red", "colour", "process="),
    "descriptor that is not open": ("-add-fd fd=999,set=1", "999", "opens"),
    "system call filter": ("-sandbox on", "seccomp", "-sandbox off"),
    "chroot": ("-chroot /", "-chroot", "-runas"),
    "unknown user": ("-runas nobody-at-all", "nobody-at-all", "/etc/passwd"),
    "incoming from a strange place": ("-display none -M none -incoming carrier:pigeon", "carrier:pigeon", "tcp:"),
    "incoming without a port": (
        "-display none -M none -incoming tcp:localhost",
        "-incoming tcp:localhost",
        "HOST:PORT",
    ),
    "incoming from a directory": ("-display none -M none -incoming file:/", "file:/", "directory"),
    "layouts to nowhere": ("-dump-vmstate /nowhere/x", "-dump-vmstate", "No such file"),
    "missing -readconfig file": ("-readconfig {dir}/none", "none", "existing"),
    "bad -readconfig line": ("-readconfig {dir}/text", "text:1", "group"),
    "bad option in a -readconfig file": ("-readconfig {dir}/config", "config:4", "control"),
    "-readconfig of an image": ("-readconfig {dir}/binary", "binary", "text"),
    "-writeconfig nowhere": ("-writeconfig {dir}/none/config", "none/config", "written"),
    "pidfile of a running emulator": ("-pidfile {dir}/locked", "locked", "running emulator"),
    "pidfile that is a directory": ("-pidfile {dir}", "directory", "written"),
    "pidfile nowhere": ("-pidfile {dir}/none/pid", "none/pid", "written"),
    "terminal for two": ("-serial stdio -monitor stdio", "multiple", "mon:stdio"),
    "semihosting by a debugger": ("-semihosting-config target=gdb", "no gdb stub", "target=native"),
    "semihosting by nobody known": ("-semihosting-config target=moon", "target=moon", "native, gdb or auto"),
    "unknown key of -semihosting-config": ("-semihosting-config chardev=x", "chardev", "arg="),
    "bad truth in -semihosting-config": ("-semihosting-config enable=perhaps", "enable", "on"),
    "semihosting on a pc": ("-semihosting", "machine 'pc", "aarch64"),
    "device on the empty machine": ("-M none -device VGA", "VGA", "PCI"),
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
    (directory / "config").write_text('[chardev "a"]\n  backend = "null"\n\n[mon]\n  chardev = "a"\n  mode = "chat"\n')
    (directory / "binary").write_bytes(b"\xff\xfe" * 512)
    return directory


@pytest.fixture(scope="module")
def taken(files: Path) -> Iterator[dict[str, str]]:
    """What others have already: a port, sockets in *files*, a locked pid file, and a descriptor that is no socket."""
    with (
        socket.create_server(("127.0.0.1", 0)) as port,
        socket.socket(socket.AF_UNIX) as live,
        socket.socket(socket.AF_UNIX) as dead,
        subprocess.Popen([sys.executable, "-c", LOCKER, str(files / "locked")], stdin=-1, stdout=-1) as locker,
    ):
        live.bind(str(files / "live"))
        live.listen()
        dead.bind(str(files / "dead"))
        dead.close()
        assert locker.stdin is not None and locker.stdout is not None
        locker.stdout.readline()
        yield {"{port}": str(port.getsockname()[1]), "{fd}": str(locker.stdout.fileno())}
        locker.stdin.close()


LOCKER = """if True:
    import fcntl, os, sys
    fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
    fcntl.lockf(fd, fcntl.LOCK_EX)
    print(flush=True)
    sys.stdin.read()
"""


def check(status: int, out: str, errors: str, names: str, right: str) -> None:
    assert status == 1
    assert out == ""
    assert len(errors.splitlines()) == 1, errors
    assert errors.startswith("pyqemu: ")
    assert names in errors
    assert right in errors


@pytest.mark.parametrize("case", CASES)
def test_one_line(
    case: str,
    files: Path,
    taken: dict[str, str],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text, names, right = CASES[case]
    for word, value in taken.items():
        text, names = text.replace(word, value), names.replace(word, value)
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


def test_socket_that_a_dead_server_has_left_behind_is_reused(tmp_path: Path) -> None:
    path = tmp_path / "q"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
    with Piped(
        ["-M", "none", "-display", "none", "-qmp", "stdio", "-monitor", f"unix:{path},server,nowait"]
    ) as process:
        process.wait_for(b"QMP")
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(path))
            assert b"monitor" in peer.recv(4096)
