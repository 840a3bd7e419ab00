"""The Linux boot protocol: where things go, what is entered in the header, what is refused, and that it starts."""

import struct
from pathlib import Path

import pytest
from machine import BootMachine

from pyqemu.firmware.boot_image import BootImage, FwCfgKey, LoadError
from pyqemu.firmware.e820 import bios_map
from pyqemu.firmware.kernel import load_kernel
from pyqemu.firmware.linux_boot import video_mode

RAM = 128 << 20


def make_kernel(
    protocol: int = 0x20F, *, loadflags: int = 1, sectors: int = 4, payload: bytes = b"\xcc" * 4096, init_size: int = 0
) -> bytes:
    """A file with the setup header of a kernel."""
    image = bytearray((sectors + 1) * 512)
    image[0x1F1] = sectors
    struct.pack_into("<I", image, 0x1F4, len(payload) // 16)
    image[0x1FE:0x200] = b"\x55\xaa"
    if protocol:
        image[0x202:0x206] = b"HdrS"
        struct.pack_into("<H", image, 0x206, protocol)
        image[0x211] = loadflags
        struct.pack_into("<I", image, 0x22C, 0x37FFFFFF)
        struct.pack_into("<I", image, 0x238, 2047)
        struct.pack_into("<I", image, 0x260, init_size)
    return bytes(image) + payload


def load(tmp_path: Path, image: bytes, *, append: str = "", initrd: bytes = b"", ram: int = RAM) -> BootImage:
    (tmp_path / "vmlinuz").write_bytes(image)
    if initrd:
        (tmp_path / "initrd").write_bytes(initrd)
    name = str(tmp_path / "initrd") if initrd else None
    return load_kernel(tmp_path / "vmlinuz", ram, initrd=name, append=append)


def setup_of(image: BootImage) -> bytes:
    return image.fw_cfg[FwCfgKey.SETUP_DATA]


def u32(data: bytes, offset: int = 0) -> int:
    value: int = struct.unpack_from("<I", data, offset)[0]
    return value


def test_modern_kernel(tmp_path: Path) -> None:
    image = load(tmp_path, make_kernel(), append="quiet", initrd=b"R" * 5000)
    assert [segment.address for segment in image.segments[1:4]] == [0x10000, 0x20000, 0x100000]
    setup = setup_of(image)
    assert setup[0x210] == 0xB0
    assert setup[0x211] & 0x80
    assert u32(setup, 0x228) == 0x20000
    assert struct.unpack_from("<H", setup, 0x224)[0] == 0x10000 - 0x200
    address, size = struct.unpack_from("<II", setup, 0x218)
    assert (address % 4096, size) == (0, 5000)
    assert address + size <= RAM - (1 << 20)
    assert image.segments[-1].data == b"R" * 5000
    assert image.segments[2].data == b"quiet\0"


def test_initrd_stays_below_the_limit_of_the_kernel(tmp_path: Path) -> None:
    image = load(tmp_path, make_kernel(), initrd=b"R" * 5000, ram=3 << 30)
    assert image.segments[-1].address + 5000 <= 0x38000000


def test_protocol_2_01_wants_the_command_line_near_the_setup_code(tmp_path: Path) -> None:
    image = load(tmp_path, make_kernel(0x201), append="ro")
    setup = setup_of(image)
    line = image.segments[2]
    assert (image.segments[1].address, image.segments[3].address) == (0x90000, 0x100000)
    assert struct.unpack_from("<HH", setup, 0x20) == (0xA33F, line.address - 0x90000)
    assert line.data == b"ro\0"


def test_kernel_without_header_is_a_zimage(tmp_path: Path) -> None:
    image = load(tmp_path, make_kernel(0))
    assert image.segments[3].address == 0x10000
    assert setup_of(image)[0x210] == 0


@pytest.mark.parametrize(
    ("append", "mode"),
    [("quiet", None), ("vga=ask", 0xFFFD), ("ro vga=normal", 0xFFFF), ("vga=0x317", 0x317), ("vga=791", 791)],
)
def test_vga_option(append: str, mode: int | None) -> None:
    assert video_mode(append) == mode


def test_vga_option_that_is_no_mode_is_refused() -> None:
    with pytest.raises(LoadError, match="vga=big"):
        video_mode("vga=big")


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (b"", "the file is empty"),
        (b"MZ" + bytes(200), "too short for a kernel"),
        (bytes(8192), "is not a kernel that can be started"),
        (make_kernel()[:4000], "is truncated: 4000 bytes of 6656"),
        (make_kernel(sectors=60, payload=b"")[:2048], "is truncated"),
        (make_kernel(init_size=512 << 20), "needs 513 MiB of RAM; give at least -m 513"),
    ],
)
def test_bad_kernel_is_one_line_that_names_the_file(tmp_path: Path, image: bytes, message: str) -> None:
    with pytest.raises(LoadError, match=message) as caught:
        load(tmp_path, image)
    assert "vmlinuz'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="could not load kernel '/nowhere/vmlinuz': No such file"):
        load_kernel("/nowhere/vmlinuz", RAM)
    (tmp_path / "k").write_bytes(make_kernel())
    with pytest.raises(LoadError, match="could not load initial ram disk '/nowhere/initrd'"):
        load_kernel(tmp_path / "k", RAM, initrd="/nowhere/initrd")


def test_initrd_that_does_not_fit_tells_how_much_ram_it_needs(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"initrd' \(9000000 bytes\) does not fit; give at least -m 11"):
        load(tmp_path, make_kernel(), initrd=bytes(9000000), ram=8 << 20)
    load(tmp_path, make_kernel(), initrd=bytes(9000000), ram=11 << 20)


def test_old_kernel_refuses_an_initrd(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="too old for the ram disk"):
        load(tmp_path, make_kernel(0), initrd=b"R")


def test_long_command_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="takes at most 2047"):
        load(tmp_path, make_kernel(), append="x" * 2048)


def check_started(machine: BootMachine) -> None:
    for name in ("ds", "es", "fs", "gs", "ss"):
        assert machine.reg(name) == 0x1000
    assert machine.reg("cs") == 0x1020
    assert machine.reg("sp") == 0x10000 - 16
    assert machine.read(0x10202, 4) == b"HdrS"
    assert machine.read(0x20000, 3) == b"ro\0"
    assert machine.read(0x100000, 4096) == bytes(range(256)) * 16
    address, size = struct.unpack("<II", machine.read(0x10218, 8))
    assert machine.read(address, size) == b"ram disk"


@pytest.mark.parametrize("way", ["run_segments", "run_rom"])
def test_it_starts(tmp_path: Path, way: str) -> None:
    kernel = make_kernel(payload=bytes(range(256)) * 16)
    image = load(tmp_path, kernel, append="ro", initrd=b"ram disk", ram=8 << 20)
    machine = BootMachine(bios_map(8 << 20), image.fw_cfg)
    getattr(machine, way)(image, 0x10200)
    check_started(machine)


def test_option_rom_is_one_that_firmware_accepts(tmp_path: Path) -> None:
    image = load(tmp_path, make_kernel())
    rom = image.option_rom_data()
    assert rom[:2] == b"\x55\xaa"
    assert len(rom) == rom[2] * 512
    assert sum(rom) & 0xFF == 0
    (header,) = struct.unpack_from("<H", rom, 0x1A)
    assert rom[header : header + 4] == b"$PnP"
    assert sum(rom[header : header + 32]) & 0xFF == 0
    assert image.boot_order == "/rom@genroms/linuxboot.bin"
