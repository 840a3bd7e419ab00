"""Whole machines through :class:`pyqemu.api.Machine`: what the library gives, and what becomes of guests that fail."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from pyqemu.api import Machine, MachineConfig
from pyqemu.block.drives import DriveOptions
from pyqemu.boards.config import RtcConfig
from pyqemu.chardev.ringbuf import RingbufChardev
from pyqemu.guest import build_image
from pyqemu.util.errors import UserError
from pyqemu.util.x86asm import assemble

PATIENCE = 60.0  # seconds
PYTHON_PATIENCE = 240.0  # of the engine without native code

MakeDisk = Callable[..., DriveOptions]


@pytest.fixture
def make_disk(tmp_path: Path) -> MakeDisk:
    """Makes a hard disk's options from the image's bytes."""

    def make(data: bytes, **others: str) -> DriveOptions:
        path = tmp_path / "disk.img"
        path.write_bytes(data)
        return DriveOptions.from_mapping({"file": str(path), "format": "raw", "index": "0", **others})

    return make


@pytest.fixture
def said() -> list[str]:
    """What machines say to the operator."""
    return []


def boot_sector(source: str) -> bytes:
    """A disk that only has a boot sector."""
    code = assemble(source).code
    assert len(code) <= 510
    return (code.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 16, b"\0")


def config(*drives: DriveOptions, **others: object) -> MachineConfig:
    """A small pc whose serial port is kept in memory."""
    result = MachineConfig(memory=16 << 20, drives=list(drives), serials=["chardev:com"])
    result.chardevs.append(("ringbuf", {"id": "com", "size": "64K"}))
    for name, value in others.items():
        setattr(result, name, value)
    return result


def screen(machine: Machine) -> str:
    frame = machine.frame()
    return "" if frame is None else "\n".join(frame.text)


def serial(machine: Machine) -> bytes:
    """What came out of the serial port since the last look."""
    chardev = machine.chardevs.find("com")
    assert isinstance(chardev, RingbufChardev)
    with machine.system.lock:
        return chardev.read(1 << 16)


def wait_for_screen(machine: Machine, text: str, patience: float = PATIENCE) -> None:
    assert machine.run_for(patience, lambda: text in screen(machine)), screen(machine)


def press(machine: Machine, key: str) -> None:
    with machine.system.lock:
        machine.board.put_key(key, True)
        machine.board.put_key(key, False)


def ended(machine: Machine) -> bool:
    return machine.run_for(PATIENCE) or machine.system.exit_code is not None


# --- the embedded guest ----------------------------------------------------------------------------------------------


def test_guest_comes_up_and_takes_keys(make_disk: MakeDisk) -> None:
    with Machine(config(make_disk(build_image()))) as machine:
        machine.start()
        wait_for_screen(machine, "restart")
        assert b"Welcome inside" in serial(machine)
        press(machine, "d")
        wait_for_screen(machine, "DATA.BIN")
        press(machine, "e")
        wait_for_screen(machine, "read-only page")
        assert "WRONG" not in screen(machine)
        press(machine, "p")
        assert ended(machine)
        assert machine.system.exit_code == 0


def test_guest_on_the_python_engine(make_disk: MakeDisk) -> None:
    with Machine(config(make_disk(build_image()), engine="python")) as machine:
        machine.start()
        wait_for_screen(machine, "restart", PYTHON_PATIENCE)
        assert "Disk 80h" in screen(machine)


def test_guest_on_a_486(make_disk: MakeDisk) -> None:
    with Machine(config(make_disk(build_image()), cpu="486", architecture="i386")) as machine:
        machine.start()
        wait_for_screen(machine, "restart")
        assert "family 4" in screen(machine)


def test_benchmark_under_icount_is_always_the_same(make_disk: MakeDisk) -> None:
    results = []
    for _ in range(2):
        with Machine(config(make_disk(build_image()), icount=7, rtc=RtcConfig(clock="vm"))) as machine:
            machine.start()
            output = bytearray()

            def asked(count: int, machine: Machine = machine, output: bytearray = output) -> bool:
                output.extend(serial(machine))
                return output.count(b"\x1b[0;1;33m> \x1b[0m") >= count

            assert machine.run_for(PATIENCE, lambda asked=asked: asked(1))  # type: ignore[misc]
            begin = len(output)
            press(machine, "b")
            assert machine.run_for(PATIENCE, lambda asked=asked: asked(2))  # type: ignore[misc]
            results.append(bytes(output[begin:]))
    assert results[0].count(b"ok") == 3, results[0]
    assert results[0] == results[1]


# --- screenshots ------------------------------------------------------------------------------------------------------


def test_screenshot_in_text_mode(make_disk: MakeDisk, tmp_path: Path) -> None:
    with Machine(config(make_disk(build_image()))) as machine:
        machine.start()
        wait_for_screen(machine, "restart")
        machine.screenshot(str(tmp_path / "a.png"))
        machine.screenshot(str(tmp_path / "a.ppm"))
        png, ppm = (tmp_path / "a.png").read_bytes(), (tmp_path / "a.ppm").read_bytes()
        assert png.startswith(b"\x89PNG\r\n\x1a\n")
        assert png[16:24] == (720).to_bytes(4, "big") + (400).to_bytes(4, "big")
        assert ppm.startswith(b"P6\n720 400\n255\n")
        pixels = ppm[-720 * 400 * 3 :]
        assert len(set(pixels)) > 2  # letters, in colours
        assert zlib.crc32(pixels) != zlib.crc32(bytes(len(pixels)))
        with pytest.raises(UserError, match=r"none/a\.png"):
            machine.screenshot(str(tmp_path / "none" / "a.png"))


def test_no_screenshot_without_an_adapter(tmp_path: Path) -> None:
    with Machine(config(vga="none")) as machine, pytest.raises(UserError, match="no screen"):
        machine.screenshot(str(tmp_path / "a.png"))


# --- guests that fail -------------------------------------------------------------------------------------------------

TRIPLE_FAULT = """
        bits 16
        org 0x7c00
        mov byte [0x600], 0x55
        lidt [empty]
        int3
        jmp $
empty:  dw 0
        dd 0
"""


def test_triple_fault_with_no_reboot_ends_and_tells_why(make_disk: MakeDisk, said: list[str]) -> None:
    with Machine(config(make_disk(boot_sector(TRIPLE_FAULT)), no_reboot=True), say=said.append) as machine:
        machine.start()
        assert ended(machine)
        assert machine.system.exit_code == 0
    (line,) = said
    assert line.startswith("triple fault, exiting (-no-reboot): INT 03h, then #")
    assert "#DF(0000)" in line
    assert "\n" not in line


def test_triple_fault_resets(make_disk: MakeDisk, said: list[str]) -> None:
    """Again and again, as the boot sector does it each time."""
    with Machine(config(make_disk(boot_sector(TRIPLE_FAULT))), say=said.append) as machine:
        machine.start()
        assert machine.run_for(PATIENCE, lambda: len(said) >= 2)
        assert machine.system.exit_code is None
    assert said[0] == said[1]
    assert said[0].startswith("triple fault, resetting: ")


def test_no_bootable_device() -> None:
    with Machine(config()) as machine:
        machine.start()
        wait_for_screen(machine, "No bootable device")
        assert machine.system.exit_code is None


def test_disk_without_a_signature(make_disk: MakeDisk) -> None:
    with Machine(config(make_disk(bytes(1 << 16)))) as machine:
        machine.start()
        wait_for_screen(machine, "No bootable device")


# --- images -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["write", "snapshot", "snapshot of one drive", "readonly"])
def test_what_becomes_of_writes(how: str, make_disk: MakeDisk) -> None:
    options = {"snapshot of one drive": {"snapshot": "on"}, "readonly": {"readonly": "on"}}.get(how, {})
    disk = make_disk(build_image(), **options)
    with Machine(config(disk, snapshot=how == "snapshot")) as machine:
        machine.start()
        wait_for_screen(machine, "restart")
        press(machine, "w")
        wait_for_screen(machine, "failed" if how == "readonly" else "run 1,")
    assert (Path(disk.file).read_bytes() != build_image()) == (how == "write")


# --- running ----------------------------------------------------------------------------------------------------------


def test_paused_machine_does_not_run(make_disk: MakeDisk) -> None:
    with Machine(config(make_disk(build_image()), paused=True)) as machine:
        machine.start()
        before = machine.cpu.registers_text()
        machine.run_for(1)
        assert machine.cpu.registers_text() == before
        assert "EIP=0000fff0" in before
        with machine.system.lock:
            machine.system.start()
        wait_for_screen(machine, "Welcome inside")


@pytest.mark.parametrize("engine", ["stencil", "python"])
def test_log(engine: str, make_disk: MakeDisk, tmp_path: Path) -> None:
    items = ("in_asm", "op", "exec", "int", "cpu") + (("out_asm",) if engine == "stencil" else ())
    path = tmp_path / "log"
    options = {"log_items": items, "log_file": str(path), "engine": engine}
    with Machine(
        config(make_disk(boot_sector(TRIPLE_FAULT)), no_reboot=True, **options), say=lambda _: None
    ) as machine:
        machine.start()
        assert ended(machine)
    text = path.read_text()
    assert "IN:\n0xfffffff0:  ljmp 0xf000:" in text  # the processor's first instruction
    assert "0x00007c00:  mov byte ptr [0x600], 0x55\n" in text
    assert "OP:\n ---- 000000000000fff0\n" in text
    assert ("OUT: [size=" in text) == (engine == "stencil")
    assert "Trace 0: [0000000000007c00/" in text
    assert "EIP=00007c00 EFL=" in text
    assert " v=03 e=0000 i=1 cpl=0 IP=0000:0000000000007c0a pc=0000000000007c0a " in text
    assert " v=08 e=0000 i=0 " in text  # the double fault that nobody takes


def test_two_machines_in_one_program(make_disk: MakeDisk) -> None:
    with Machine(config()) as first, Machine(config(make_disk(build_image()))) as second:
        first.start()
        second.start()
        wait_for_screen(second, "restart")
        wait_for_screen(first, "No bootable device")


def test_bad_configuration_leaves_nothing_open(make_disk: MakeDisk) -> None:
    disk = make_disk(build_image())
    with pytest.raises(UserError, match="z80"):
        Machine(config(disk, cpu="z80"))
    with Machine(config(disk)):  # the image's lock has gone
        pass


def test_warnings_are_told(said: list[str]) -> None:
    with Machine(config(cpu="qemu64,+avx512f"), say=said.append):
        pass
    assert said == [] or said[0].startswith("warning: ")
