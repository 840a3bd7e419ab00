"""Multiboot: kernels of all kinds, modules, the information, and that it starts in the right state."""

import struct
from pathlib import Path

import pytest
from machine import BootMachine

from pyqemu.firmware.boot_image import BootImage, LoadError
from pyqemu.firmware.e820 import bios_map
from pyqemu.firmware.kernel import load_kernel

RAM = 8 << 20
MAGIC = 0x1BADB002


def header(flags: int, *fields: int) -> bytes:
    return struct.pack("<III", MAGIC, flags, -(MAGIC + flags) & 0xFFFFFFFF) + struct.pack(f"<{len(fields)}I", *fields)


def flat_kernel(load: int = 0x100000, *, bss: int = 0x2000) -> bytes:
    """Addresses in the header; 16 bytes of something before it."""
    code = bytes(16) + header(0x10003, load + 16, load, 0, load + bss, load + 48)
    return code + b"\xf4" * 16


def elf_kernel(bits: int = 32, *, machine: int = 3, physical: int = 0x100000, virtual: int = 0xC0100000) -> bytes:
    content = header(3) + b"\xf4" * 20
    if bits == 32:
        head = struct.pack("<HHIIIIIHHHHHH", 2, machine, 1, virtual + 12, 52, 0, 0, 52, 32, 1, 0, 0, 0)
        program = struct.pack("<IIIIIIII", 1, 84, virtual, physical, len(content), 0x1000, 5, 4096)
        ident = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    else:
        head = struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, virtual + 12, 64, 0, 0, 64, 56, 1, 0, 0, 0)
        program = struct.pack("<IIQQQQQQ", 1, 5, 120, virtual, physical, len(content), 0x1000, 4096)
        ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    return ident + head + program + content


def load(tmp_path: Path, image: bytes, *, append: str = "", modules: str | None = None, ram: int = RAM) -> BootImage:
    (tmp_path / "kernel").write_bytes(image)
    return load_kernel(tmp_path / "kernel", ram, initrd=modules, append=append)


@pytest.mark.parametrize(
    "image",
    [elf_kernel(), elf_kernel(64, machine=62), elf_kernel(64, machine=62, virtual=0xFFFFFFFF80100000)],
    ids=["elf32", "elf64", "elf64-high"],
)
def test_elf_segments_go_to_physical_addresses(tmp_path: Path, image: bytes) -> None:
    made = load(tmp_path, image)
    assert made.kind == "multiboot"
    assert made.segments[0].address == 0x100000
    assert len(made.segments[0].data) == 0x1000
    assert made.fw_cfg[0x10] == struct.pack("<I", 0x10000C)


def test_addresses_in_the_header(tmp_path: Path) -> None:
    made = load(tmp_path, flat_kernel())
    assert made.segments[0].data == flat_kernel().ljust(0x2000, b"\0")
    assert made.fw_cfg[0x10] == struct.pack("<I", 0x100030)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (header(8) + bytes(64), "asks for unknown features"),
        (header(0) + bytes(64), "is neither ELF nor has load addresses"),
        (flat_kernel()[:30], "is truncated within its header"),
        (bytes(16) + header(0x10000, 0x100000, 0x200000, 0, 0, 0), "contradict each other"),
        (bytes(16) + header(0x10000, 0x100010, 0x100000, 0x200000, 0, 0), "is truncated: 48 bytes of 1048576"),
        (elf_kernel(machine=40), "is an ELF for machine 40"),
        (elf_kernel()[:100], "is truncated|not a kernel|too short"),
        (elf_kernel(physical=RAM), "needs 9 MiB of RAM; give -m 9"),
    ],
)
def test_bad_kernel_is_one_line_that_names_the_file(tmp_path: Path, image: bytes, message: str) -> None:
    with pytest.raises(LoadError, match=message) as caught:
        load(tmp_path, image)
    assert "kernel'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_module_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="could not load multiboot module '/nowhere/mod'"):
        load(tmp_path, flat_kernel(), modules="/nowhere/mod with args")


def text_at(machine: BootMachine, address: int) -> bytes:
    return machine.read(address, 256).split(b"\0")[0]


@pytest.mark.parametrize("way", ["run_segments", "run_rom"])
def test_it_starts_with_modules_and_memory_map(tmp_path: Path, way: str) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    first.write_bytes(b"module one")
    second.write_bytes(b"module two" * 600)
    made = load(tmp_path, flat_kernel(), append="a b", modules=f"{first} x y,{second}")
    memory_map = bios_map(RAM, acpi_start=RAM - 0x20000)
    machine = BootMachine(memory_map, made.fw_cfg)
    getattr(machine, way)(made, 0x100030)

    assert machine.reg("eax") == 0x2BADB002
    assert machine.reg("cr0") & 0x80000001 == 1
    assert not machine.reg("eflags") & 0x200
    info = struct.unpack("<13I", machine.read(machine.reg("ebx"), 52))
    flags, lower, upper, _, line, count, listing = info[:7]
    assert flags & 0x247 == 0x247
    assert (lower, upper) == (639, (RAM >> 10) - 1024)
    assert text_at(machine, line) == f"{tmp_path / 'kernel'} a b".encode()
    modules = [struct.unpack("<4I", machine.read(listing + 16 * i, 16)) for i in range(count)]
    assert [machine.read(start, end - start) for start, end, _, _ in modules] == [
        first.read_bytes(),
        second.read_bytes(),
    ]
    assert [text_at(machine, text) for _, _, text, _ in modules] == [f"{first} x y".encode(), str(second).encode()]
    assert all(start % 4096 == 0 for start, _, _, _ in modules)
    length, address = info[11:13]
    entries = [struct.unpack("<IQQI", machine.read(address + at, 24)) for at in range(0, length, 24)]
    assert entries == [(20, entry.start, entry.length, entry.kind) for entry in memory_map]


def test_information_avoids_a_kernel_in_low_memory(tmp_path: Path) -> None:
    made = load(tmp_path, flat_kernel(0x90000))
    information = made.segments[-2]
    assert information.address == 0x80000
