"""The Linux/x86 boot protocol: ``-kernel bzImage -initrd FILE -append TEXT``.

Follows ``Documentation/x86/boot.rst`` of the kernel. The kernel is entered where a 16-bit boot loader enters
it, at the real-mode setup code, so that protocols from before 2.00 up to today's behave alike, for 32- and
64-bit kernels.

====================  ===============  ============  ===========================
kernel                setup code at    command line  kernel proper at
====================  ===============  ============  ===========================
bzImage, >= 2.02      0x10000          0x20000       0x100000
bzImage, 2.00, 2.01   0x90000          below 0x9a000 0x100000
zImage and older      0x90000          below 0x9a000 0x10000
====================  ===============  ============  ===========================

The initrd goes as high as the kernel and the RAM allow.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from pyqemu.firmware.boot_image import BootImage, FwCfgKey, LoadError, Segment, read_file, word
from pyqemu.util.units import MIB

LOADER_TYPE = 0xB0
"""``type_of_loader``: the number assigned to QEMU, version 0."""

FIRMWARE_RESERVE = MIB
"""Left free at the top of low RAM: firmware puts its tables there."""

_STUB_ADDRESS = 0x7C00
_PAGE = 4096
_WANTED = "give a Linux bzImage or a multiboot image"
_OLD_INITRD_MAX = 0x37FFFFFF  # before protocol 2.03 said it
_OLD_COMMAND_LINE = 255
_OLD_COMMAND_LINE_END = 0x9A000
_VIDEO_MODES = {"normal": 0xFFFF, "ext": 0xFFFE, "ask": 0xFFFD}

# Offsets in the setup header.
_SETUP_SECTS, _SYSSIZE, _VID_MODE, _BOOT_FLAG = 0x1F1, 0x1F4, 0x1FA, 0x1FE
_MAGIC, _VERSION, _TYPE_OF_LOADER, _LOADFLAGS = 0x202, 0x206, 0x210, 0x211
_RAMDISK_IMAGE, _RAMDISK_SIZE, _HEAP_END_PTR, _CMD_LINE_PTR = 0x218, 0x21C, 0x224, 0x228
_INITRD_ADDR_MAX, _CMDLINE_SIZE, _INIT_SIZE = 0x22C, 0x238, 0x260
_OLD_CL_MAGIC, _OLD_CL_OFFSET = 0x20, 0x22
_LOADED_HIGH, _CAN_USE_HEAP = 0x01, 0x80


@dataclass(frozen=True)
class LinuxHeader:
    """What the loader wants to know of a kernel file."""

    protocol: int  # 0x020F is 2.15; 0: older than 2.00
    loaded_high: bool
    setup_size: int  # bytes, boot sector included
    kernel_size: int  # 16-byte rounded size that the header promises; 0: unknown
    initrd_max: int  # highest address that an initrd may occupy
    command_line_max: int
    init_size: int  # memory from 0x100000 on that the kernel needs to unpack itself


def is_linux(image: bytes) -> bool:
    """Whether the file has a boot sector's mark and, in all kernels since 1.3.73, the header's magic."""
    return len(image) > _BOOT_FLAG + 2 and image[_BOOT_FLAG : _BOOT_FLAG + 2] == b"\x55\xaa"


def parse_header(image: bytes, path: str | Path) -> LinuxHeader:
    """Read and check the setup header.

    :raise LoadError: it is no Linux kernel, or part of it is missing.
    """
    if len(image) < 0x268:
        raise LoadError(f"'{path}' is too short for a kernel ({len(image)} bytes); {_WANTED}")
    if not is_linux(image):
        raise LoadError(f"'{path}' is not a kernel that can be started; {_WANTED}")
    modern = image[_MAGIC : _MAGIC + 4] == b"HdrS"
    protocol = _u16(image, _VERSION) if modern else 0
    setup_size = ((image[_SETUP_SECTS] or 4) + 1) * 512
    header = LinuxHeader(
        protocol,
        protocol >= 0x200 and bool(image[_LOADFLAGS] & _LOADED_HIGH),
        setup_size,
        _u32(image, _SYSSIZE) * 16 if protocol >= 0x204 else 0,
        _u32(image, _INITRD_ADDR_MAX) if protocol >= 0x203 else _OLD_INITRD_MAX,
        _u32(image, _CMDLINE_SIZE) if protocol >= 0x206 else _OLD_COMMAND_LINE,
        _u32(image, _INIT_SIZE) if protocol >= 0x20A else 0,
    )
    # The last 16-byte unit need not be full, hence 15 bytes of grace.
    if len(image) <= setup_size or len(image) + 15 < setup_size + header.kernel_size:
        whole = max(setup_size + header.kernel_size, setup_size + 1)
        raise LoadError(f"kernel '{path}' is truncated: {len(image)} bytes of {whole}; give the complete file")
    return header


def load_linux(
    kernel_path: str | Path, ram_below_4g: int, *, initrd_path: str | Path | None = None, append: str = ""
) -> BootImage:
    """Lay out a kernel for a machine with that much RAM below 4 GiB.

    :raise LoadError: a file is missing or bad, or does not fit.
    """
    image = read_file(kernel_path, "kernel")
    header = parse_header(image, kernel_path)
    initrd = read_file(initrd_path, "initial ram disk") if initrd_path else b""
    command_line = append.encode("utf-8") + b"\x00"
    length, limit = len(command_line) - 1, header.command_line_max
    if length > limit:
        raise LoadError(f"-append is {length} bytes long; kernel '{kernel_path}' takes at most {limit}")
    places = _Places.choose(header, len(command_line))
    kernel = image[header.setup_size :]
    _check_ram(header, places, kernel, ram_below_4g, kernel_path)
    initrd_address = _place_initrd(header, places, kernel, initrd, ram_below_4g, initrd_path)
    setup = bytearray(image[: header.setup_size])
    _fill_header(setup, header, places, append, initrd_address, len(initrd))
    return _make_image(places, bytes(setup), kernel, command_line, initrd_address, initrd)


def _u16(data: bytes | bytearray, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 2], "little")


def _u32(data: bytes | bytearray, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "little")


@dataclass(frozen=True)
class _Places:
    """Physical addresses of the parts (see the table on top)."""

    setup: int
    command_line: int
    kernel: int

    @classmethod
    def choose(cls, header: LinuxHeader, command_line_size: int) -> _Places:
        if header.loaded_high and header.protocol >= 0x202:
            return cls(0x10000, 0x20000, 0x100000)
        command_line = _OLD_COMMAND_LINE_END - (command_line_size + 15 & ~15)
        return cls(0x90000, command_line, 0x100000 if header.loaded_high else 0x10000)


def _check_ram(header: LinuxHeader, places: _Places, kernel: bytes, ram: int, path: str | Path) -> None:
    if places.kernel < MIB and places.kernel + len(kernel) > places.setup:
        raise LoadError(f"kernel '{path}' is too big for a zImage: {len(kernel)} bytes; give a bzImage")
    needed = -(-(places.kernel + max(len(kernel), header.init_size)) // MIB)
    if needed * MIB > ram:
        raise LoadError(f"kernel '{path}' needs {needed} MiB of RAM; give at least -m {needed}")


def _place_initrd(
    header: LinuxHeader, places: _Places, kernel: bytes, initrd: bytes, ram: int, path: str | Path | None
) -> int:
    if not initrd:
        return 0
    if header.protocol < 0x200:
        raise LoadError(f"the kernel is too old for the ram disk '{path}'; give one of protocol 2.00 or later")
    limit = min(header.initrd_max + 1, ram - FIRMWARE_RESERVE)
    address = (limit - len(initrd)) & ~(_PAGE - 1)
    lowest = max(places.kernel + max(len(kernel), header.init_size), MIB)
    if address < lowest:
        needed = -(-(lowest + len(initrd) + FIRMWARE_RESERVE + _PAGE) // MIB)
        raise LoadError(f"initial ram disk '{path}' ({len(initrd)} bytes) does not fit; give at least -m {needed}")
    return address


def video_mode(append: str) -> int | None:
    """The value for ``vid_mode`` that ``vga=`` on the command line asks for (boot.rst, "special options")."""
    texts = [option[4:] for option in append.split() if option.startswith("vga=")]
    if not texts:
        return None
    try:
        return _VIDEO_MODES[texts[0]] if texts[0] in _VIDEO_MODES else int(texts[0], 0) & 0xFFFF
    except ValueError:
        what = f"-append: 'vga={texts[0]}' is no video mode; give a number, normal, ext or ask"
        raise LoadError(what) from None


def _fill_header(
    setup: bytearray, header: LinuxHeader, places: _Places, append: str, initrd: int, initrd_size: int
) -> None:
    """Enter what the protocol asks a loader for ("the obligatory fields")."""
    mode = video_mode(append)
    if mode is not None:
        struct.pack_into("<H", setup, _VID_MODE, mode)
    if header.protocol >= 0x202:
        struct.pack_into("<I", setup, _CMD_LINE_PTR, places.command_line)
    else:
        struct.pack_into("<HH", setup, _OLD_CL_MAGIC, 0xA33F, places.command_line - places.setup)
    if header.protocol >= 0x200:
        setup[_TYPE_OF_LOADER] = LOADER_TYPE
        struct.pack_into("<II", setup, _RAMDISK_IMAGE, initrd, initrd_size)
    if header.protocol >= 0x201:
        setup[_LOADFLAGS] |= _CAN_USE_HEAP
        struct.pack_into("<H", setup, _HEAP_END_PTR, places.command_line - places.setup - 0x200)


def _stub(places: _Places) -> bytes:
    """Real-mode code that loads the segment registers and enters the setup code behind its boot sector.

    ::

        cli
        cld
        mov ax, setup >> 4
        mov ds, ax ... mov ss, ax
        mov sp, command_line - setup - 16
        jmp (setup >> 4) + 0x20 : 0
    """
    segment = places.setup >> 4
    code = b"\xfa\xfc\xb8" + struct.pack("<H", segment)
    code += b"\x8e\xd8\x8e\xc0\x8e\xe0\x8e\xe8\x8e\xd0"
    code += b"\xbc" + struct.pack("<H", places.command_line - places.setup - 16)
    return code + b"\xea" + struct.pack("<HH", 0, segment + 0x20)


def _make_image(
    places: _Places, setup: bytes, kernel: bytes, command_line: bytes, initrd_address: int, initrd: bytes
) -> BootImage:
    segments = [
        Segment(_STUB_ADDRESS, _stub(places)),
        Segment(places.setup, setup),
        Segment(places.command_line, command_line),
        Segment(places.kernel, kernel),
    ]
    if initrd:
        segments.append(Segment(initrd_address, initrd))
    fw_cfg: dict[int, bytes] = {
        FwCfgKey.SETUP_ADDRESS: word(places.setup),
        FwCfgKey.SETUP_SIZE: word(len(setup)),
        FwCfgKey.SETUP_DATA: setup,
        FwCfgKey.COMMAND_LINE_ADDRESS: word(places.command_line),
        FwCfgKey.COMMAND_LINE_SIZE: word(len(command_line)),
        FwCfgKey.COMMAND_LINE_DATA: command_line,
        FwCfgKey.KERNEL_ADDRESS: word(places.kernel),
        FwCfgKey.KERNEL_SIZE: word(len(kernel)),
        FwCfgKey.KERNEL_DATA: kernel,
        FwCfgKey.INITRD_ADDRESS: word(initrd_address),
        FwCfgKey.INITRD_SIZE: word(len(initrd)),
        FwCfgKey.INITRD_DATA: initrd,
    }
    return BootImage("linux", tuple(segments), (0, _STUB_ADDRESS), fw_cfg, "genroms/linuxboot.bin")
