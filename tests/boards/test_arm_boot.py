"""What ``-kernel``, ``-initrd`` and ``-dtb`` load on Arm boards, where, and how it is called.

Places are those of QEMU 2.6's boards; the layouts of files are from the documents that `arm_boot_files.py` names.
"""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import fdt
import pytest

from pyqemu.boards.arm_boot import Boot, KernelPlace, load_kernel, load_tree
from pyqemu.boards.arm_boot_tree import parsed
from pyqemu.boards.config import MachineConfig
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.targets.aarch64.state import Aarch64Cpu
from pyqemu.targets.arm.state import ArmCpu
from pyqemu.util.errors import UserError
from pyqemu.util.units import MIB
from tests.qtest_reference import QtestReference, needs_qemu_arm

RAM, ROM = 0x4000_0000, 0
ROM_SIZE = 0x10000
BOARD_ID = 0x183


def tree_blob(address_cells: int = 1, size_cells: int = 1, *, memory: str = "memory") -> bytes:
    """A small device tree."""
    tree = fdt.FDT(entries=[])
    tree.root.append(fdt.PropWords("#address-cells", address_cells))
    tree.root.append(fdt.PropWords("#size-cells", size_cells))
    if memory:
        tree.root.append(fdt.Node(memory))
    blob: bytes = tree.to_dtb(version=17)
    return blob


def place(size: int = 64 * MIB, **changes: Any) -> KernelPlace:
    """RAM as ``virt`` has it, and some ROM."""
    into = place_at(RAM, size, **changes)
    into.memory.root.add(ROM, MemoryRegion.rom("rom", ROM_SIZE))
    return into


def place_at(start: int, size: int, **changes: Any) -> KernelPlace:
    root = MemoryRegion.container("memory", 1 << 40)
    root.add(start, MemoryRegion.ram("ram", size))
    return KernelPlace(AddressSpace("memory", root), start, size, **changes)


class Files:
    """Loads files of given contents."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def load(
        self, into: KernelPlace, kernel: bytes, *, initrd: bytes = b"", dtb: bytes = b"", append: str = ""
    ) -> Boot:
        """As a board does with the options."""
        config = MachineConfig(append=append)
        for name, contents in (("kernel", kernel), ("initrd", initrd), ("dtb", dtb)):
            if contents or name == "kernel":
                path = self.directory / name
                path.write_bytes(contents)
                setattr(config, name, str(path))
        return load_kernel(into, config)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def properties(blob: bytes, node: str) -> dict[str, Any]:
    """Those of a node below the root."""
    found = parsed(blob, "a tree").root.get_subnode(node)
    return {each.name: getattr(each, "data", True) for each in found.props}


def tree_at(boot: Boot) -> bytes:
    memory = boot.loader.place.memory
    head = memory.read(boot.argument, 8)
    assert head[:4] == b"\xd0\x0d\xfe\xed"
    return memory.read(boot.argument, int.from_bytes(head[4:], "big"))


# --- Linux of 32 bits -------------------------------------------------------------------------------------------------

ZIMAGE = (b"\0" * 0x24 + struct.pack("<III", 0x016F2818, 0, 0x4000)).ljust(0x4000, b"\x11")


def test_a_zimage_is_called_with_the_boards_number_and_the_tags(files: Files) -> None:
    boot = files.load(place(board_id=BOARD_ID), ZIMAGE, initrd=b"ramdisk", append="console=ttyAMA0")
    memory = boot.loader.place.memory
    assert memory.read(RAM + 0x10000, len(ZIMAGE)) == ZIMAGE
    assert memory.read(RAM + 32 * MIB, 7) == b"ramdisk"
    cpu = ArmCpu("arm926")
    boot.start(cpu)
    assert (cpu.r[0], cpu.r[1], cpu.r[2], cpu.pc) == (0, BOARD_ID, RAM + 0x100, RAM + 0x10000)
    tags = struct.unpack("<5I 4I 4I 2I16s 2I", memory.read(RAM + 0x100, 84))
    assert tags[:5] == (5, 0x54410001, 1, 0x1000, 0)
    assert tags[5:9] == (4, 0x54410002, 64 * MIB, RAM)
    assert tags[9:13] == (4, 0x54420005, RAM + 32 * MIB, 7)
    assert tags[13:] == (6, 0x54410009, b"console=ttyAMA0\0", 0, 0)


def test_the_boards_own_tag_and_no_others_than_needed(files: Files) -> None:
    boot = files.load(place(board_id=BOARD_ID, board_tag=b"abcde"), ZIMAGE)
    words = struct.unpack("<4I8s2I", boot.loader.place.memory.read(RAM + 0x100 + 20, 32))
    assert words == (4, 0x54410002, 64 * MIB, RAM, b"\4\0\0\0PMOA", 0x64636261, 0x65)


def test_with_a_device_tree_there_are_no_tags(files: Files) -> None:
    boot = files.load(place(256 * MIB), ZIMAGE, initrd=b"x" * 0x1001, dtb=tree_blob(), append="quiet")
    assert boot.argument == RAM + 128 * MIB + 0x2000
    assert properties(tree_at(boot), "memory") == {"device_type": ["memory"], "reg": [RAM, 256 * MIB]}
    assert properties(tree_at(boot), "chosen") == {
        "bootargs": ["quiet"],
        "linux,initrd-start": [RAM + 128 * MIB],
        "linux,initrd-end": [RAM + 128 * MIB + 0x1001],
    }
    assert boot.loader.place.memory.read(RAM + 0x100, 4) == bytes(4)
    cpu = ArmCpu("cortex-a15")
    boot.start(cpu)
    assert (cpu.r[1], cpu.r[2]) == (0xFFFF_FFFF, boot.argument)


@pytest.mark.parametrize("memory", ["memory", "memory@60000000", ""])
def test_cells_are_as_wide_as_the_tree_says(files: Files, memory: str) -> None:
    boot = files.load(place(), ZIMAGE, dtb=tree_blob(2, 2, memory=memory))
    node = memory or "memory"
    assert properties(tree_at(boot), node)["reg"] == [0, RAM, 0, 64 * MIB]


def test_the_option_goes_before_the_boards_own_tree_and_a_board_may_change_both(files: Files) -> None:
    def change(tree: Any) -> None:
        tree.root.append(fdt.Node("virtio"))

    own = place(tree=lambda: tree_blob(2, 2), change_tree=change)
    for dtb, cells in ((b"", 4), (tree_blob(), 2)):
        own = place(tree=lambda: tree_blob(2, 2), change_tree=change)
        boot = files.load(own, ZIMAGE, dtb=dtb)
        assert len(properties(tree_at(boot), "memory")["reg"]) == cells
        assert properties(tree_at(boot), "virtio") == {}


def test_what_trees_reserve_stays_theirs(files: Files) -> None:
    """The library keeps one list for all trees."""
    tree = fdt.FDT(entries=[{"address": 0x1000, "size": 0x2000}])
    tree.root.append(fdt.PropWords("#address-cells", 1))
    tree.root.append(fdt.PropWords("#size-cells", 1))
    first = tree_at(files.load(place(), ZIMAGE, dtb=tree.to_dtb(version=17)))
    second = tree_at(files.load(place(), ZIMAGE, dtb=tree_blob()))
    start = int.from_bytes(first[16:20], "big")
    assert struct.unpack_from(">4Q", first, start) == (0x1000, 0x2000, 0, 0)
    assert struct.unpack_from(">2Q", second, start) == (0, 0)


def test_what_is_crossed_out_of_a_tree_is_left_out(files: Files) -> None:
    """As in those that QEMU writes (``dumpdtb=``)."""
    blob = tree_blob()
    start = int.from_bytes(blob[8:12], "big")
    nops = b"\0\0\0\4" * 2
    header = bytearray(blob[:start])
    for at in (4, 12, 36):  # the sizes of all and of the structure, and where the strings are
        header[at : at + 4] = (int.from_bytes(header[at : at + 4], "big") + 2 * len(nops)).to_bytes(4, "big")
    body = blob[start:]
    first = body.index(b"\0\0\0\1memory")
    crossed = bytes(header) + nops + body[:first] + nops + body[first:]
    boot = files.load(place(), ZIMAGE, dtb=crossed)
    assert properties(tree_at(boot), "memory") == {"device_type": ["memory"], "reg": [RAM, 64 * MIB]}


def test_what_was_loaded_comes_back_with_each_reset(files: Files) -> None:
    boot = files.load(place(), ZIMAGE, initrd=b"ramdisk")
    memory = boot.loader.place.memory
    boot.add(RAM + 0x8000, b"pen", "the pen of the others")
    for address in (RAM + 0x10000, RAM + 32 * MIB, RAM + 0x8000, RAM + 0x100):
        memory.write(address, bytes(16))
    boot.start(ArmCpu("arm926"))
    assert memory.read(RAM + 0x10000, len(ZIMAGE)) == ZIMAGE
    assert memory.read(RAM + 32 * MIB, 7) == b"ramdisk"
    assert memory.read(RAM + 0x8000, 3) == b"pen"
    assert memory.read(RAM + 0x100, 8) == struct.pack("<II", 5, 0x54410001)


def test_linux_leaves_the_secure_state_if_the_board_says_so(files: Files) -> None:
    for secure in (True, False):
        boot = files.load(place(secure=secure), ZIMAGE)
        cpu = ArmCpu("cortex-a15", has_el3=True)
        boot.start(cpu)
        assert cpu.sys.scr_el3 == (0 if secure else 1)


# --- U-Boot's images --------------------------------------------------------------------------------------------------


def uimage(contents: bytes, *, kind: int = 2, system: int = 5, compression: int = 0, size: int | None = None) -> bytes:
    """An image for 0x40008000 that begins at 0x40008040."""
    head = struct.pack(">7I4B", 0x27051956, 0, 0, len(contents) if size is None else size, 0x4000_8000, 0x4000_8040, 0,
                       system, 2, kind, compression)  # fmt: skip
    return head + b"name".ljust(32, b"\0") + contents


@pytest.mark.parametrize("compressed", [False, True])
def test_a_uimage_goes_where_it_says(files: Files, compressed: bool) -> None:
    contents = gzip.compress(ZIMAGE) if compressed else ZIMAGE
    boot = files.load(place(), uimage(contents, compression=int(compressed)))
    assert boot.loader.place.memory.read(RAM + 0x8000, len(ZIMAGE)) == ZIMAGE
    assert (boot.entry, boot.is_linux, boot.argument) == (RAM + 0x8040, True, RAM + 0x100)


def test_a_uimage_of_something_else_is_not_called_as_linux(files: Files) -> None:
    boot = files.load(place(), uimage(ZIMAGE, system=17))
    cpu = ArmCpu("cortex-a15")
    boot.start(cpu)
    assert (cpu.pc, cpu.r[1]) == (RAM + 0x8040, 0)


def test_a_ramdisk_may_be_one_of_u_boots(files: Files) -> None:
    boot = files.load(place(), ZIMAGE, initrd=uimage(b"ramdisk", kind=3))
    assert boot.loader.place.memory.read(RAM + 32 * MIB, 8) == b"ramdisk\0"


# --- ELF --------------------------------------------------------------------------------------------------------------


def elf(segments: list[tuple[int, int, bytes, int]], entry: int, *, machine: int = 40, wide: bool = False,
        order: str = "<", flags: int = 0x05000000) -> bytes:  # fmt: skip
    """A program with segments (virtual and physical address, contents, bytes in memory)."""
    head, each = (64, 56) if wide else (52, 32)
    at = head + each * len(segments)
    table = contents = b""
    for virtual, physical, data, size in segments:
        offset = at + len(contents)
        if wide:
            table += struct.pack(f"{order}IIQQQQQQ", 1, 5, offset, virtual, physical, len(data), size, 4)
        else:
            table += struct.pack(f"{order}8I", 1, offset, virtual, physical, len(data), size, 5, 4)
        contents += data
    ident = b"\x7fELF" + bytes((1 + wide, 1 + (order == ">"), 1)) + bytes(9)
    form = f"{order}HHIQQQIHHHHHH" if wide else f"{order}HHIIIIIHHHHHH"
    return (
        ident
        + struct.pack(form, 2, machine, 1, entry, head, 0, flags, head, each, len(segments), 0, 0, 0)
        + table
        + contents
    )


def test_a_program_begins_at_its_own_entry(files: Files) -> None:
    boot = files.load(place(), elf([(RAM + 0x100, RAM + 0x100, b"code", 64)], RAM + 0x104), initrd=b"not for it")
    memory = boot.loader.place.memory
    memory.write(RAM + 0x100, b"\xff" * 64)
    cpu = ArmCpu("cortex-a15")
    boot.start(cpu)
    assert memory.read(RAM + 0x100, 64) == b"code".ljust(64, b"\0")
    assert (cpu.pc, cpu.r[1], cpu.r[2], cpu.thumb) == (RAM + 0x104, 0, 0, False)


def test_a_program_may_begin_in_thumb_state_and_lie_in_rom(files: Files) -> None:
    boot = files.load(place(), elf([(0, ROM, b"code", 4)], 1))
    cpu = ArmCpu("cortex-a15")
    boot.start(cpu)
    assert boot.loader.place.memory.read(ROM, 4) == b"code"
    assert (cpu.pc, cpu.thumb) == (0, True)


def test_an_entry_is_a_virtual_address(files: Files) -> None:
    boot = files.load(place(), elf([(0xC000_8000, RAM + 0x8000, b"code", 4)], 0xC000_8002))
    assert boot.entry == RAM + 0x8002


def test_a_big_endian_program_finds_big_endian_data(files: Files) -> None:
    program = elf([(RAM, RAM, b"code", 4)], RAM, order=">", flags=0x05800000)
    cpu = ArmCpu("cortex-a15")
    files.load(place(), program).start(cpu)
    assert cpu.cpsr & 1 << 9
    assert cpu.sys.sctlr_el1 & 1 << 25


@pytest.mark.parametrize(("address", "expected"), [(RAM + 0x10000, True), (RAM + 16, False), (RAM, False), (ROM, True)])
def test_the_tree_lies_below_a_program_if_there_is_room(files: Files, address: int, expected: bool) -> None:
    boot = files.load(place(tree=tree_blob), elf([(address, address, b"code", 4)], address))
    assert (boot.loader.place.memory.read(RAM, 4) == b"\xd0\x0d\xfe\xed") is expected


# --- Linux of 64 bits -------------------------------------------------------------------------------------------------


def image(size: int = 0x10000, offset: int = 0, length: int = 0x4000) -> bytes:
    """An arm64 kernel that does nothing."""
    head = struct.pack("<II QQQ", 0x14000000, 0, offset, size, 0xA)
    return (head.ljust(56, b"\0") + b"ARM\x64").ljust(length, b"\x11")


def place64(size: int = 64 * MIB, **changes: Any) -> KernelPlace:
    return place(size, is_64bit=True, tree=lambda: tree_blob(2, 2), **changes)


@pytest.mark.parametrize("compressed", [False, True])
def test_an_image_a_ramdisk_and_the_tree_are_loaded(files: Files, compressed: bool) -> None:
    boot = files.load(place64(), gzip.compress(image()) if compressed else image(), initrd=b"ramdisk" * 100)
    memory = boot.loader.place.memory
    assert memory.read(RAM + 2 * MIB, 0x4000) == image()
    assert memory.read(RAM + 32 * MIB, 700) == b"ramdisk" * 100
    assert boot.argument == RAM + 34 * MIB
    assert properties(tree_at(boot), "chosen") == {
        "linux,initrd-start": [RAM + 32 * MIB],
        "linux,initrd-end": [RAM + 32 * MIB + 700],
    }
    cpu = Aarch64Cpu("cortex-a57")
    boot.start(cpu)
    assert (cpu.pc, cpu.x[0], cpu.x[1]) == (RAM + 2 * MIB, RAM + 34 * MIB, 0)


@pytest.mark.parametrize("kernel", [image(offset=0x80000), image(size=0), b"raw code, as of a program without an OS"])
def test_kernels_without_a_wish_begin_at_512_kib(files: Files, kernel: bytes) -> None:
    assert files.load(place64(), kernel).entry == RAM + 0x80000


def test_a_uimage_of_64_bits(files: Files) -> None:
    boot = files.load(place64(), uimage(image()))
    assert (boot.entry, boot.is_linux, boot.argument) == (RAM + 0x8040, True, RAM + 32 * MIB)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_program_of_64_bits(files: Files, order: str) -> None:
    program = elf([(RAM + 0x8000, RAM + 0x8000, b"code", 4)], RAM + 0x8000, machine=183, wide=True, order=order)
    boot = files.load(place64(), program)
    cpu = Aarch64Cpu("cortex-a57")
    boot.start(cpu)
    assert (cpu.pc, cpu.x[0], bool(cpu.sys.sctlr_el1 & 1 << 25)) == (RAM + 0x8000, 0, order == ">")
    assert boot.loader.place.memory.read(RAM, 4) == b"\xd0\x0d\xfe\xed"


# --- firmware ---------------------------------------------------------------------------------------------------------


def test_firmware_finds_the_tree_at_the_start_of_ram() -> None:
    boot = load_tree(place(tree=tree_blob), MachineConfig(append="quiet"))
    memory = boot.loader.place.memory
    blob = memory.read(RAM, 0x1000)
    assert properties(blob, "chosen") == {"bootargs": ["quiet"]}
    cpu = ArmCpu("cortex-a15")
    boot.start(cpu)
    assert (cpu.pc, cpu.r[2]) == (0, 0)


def test_firmware_of_boards_without_a_tree_finds_nothing() -> None:
    boot = load_tree(place(), MachineConfig())
    assert boot.loader.place.memory.read(RAM, 4) == bytes(4)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contents", "complaint"),
    [
        (b"", "the file is empty"),
        (image(), "this is an arm64 Linux kernel"),
        (b"\0" * 0x202 + b"HdrS" + b"\0" * 64, "this is a kernel for PCs"),
        (b"\x7fELF" + b"\1\1\1", "ends within its headers"),
        (elf([(RAM, RAM, b"code", 4)], RAM, machine=3), r"another processor"),
        (elf([(RAM, RAM, b"code", 4)], RAM, machine=183, wide=True), r"another processor"),
        (elf([(RAM, RAM, b"code", 4)], RAM, order=">"), r"big-endian words"),
        (elf([(RAM, RAM, b"code", 1 << 31)], RAM), "takes 2147483648 bytes"),
        (elf([(RAM, RAM, b"code", 4)], RAM)[:-1], "segment 0 of the ELF file goes on after the end"),
        (elf([(0x9000_0000, 0x9000_0000, b"code", 4)], 0), "at 0x90000000, where there is no memory"),
        (elf([(RAM, RAM, b"code", 4), (RAM + 2, RAM + 2, b"code", 4)], RAM), "segment 1 of .* would be loaded over"),
        (uimage(b"x" * 100)[:90], "of 100 bytes that ends after 26"),
        (uimage(b"")[:20], "ends within its header"),
        (uimage(b"x", kind=3), "wrong image type 3"),
        (uimage(b"x", compression=2), "compression type 2"),
        (uimage(b"\x1f\x8b\x08" + bytes(20), compression=1), "it is compressed, and damaged"),
    ],
)  # fmt: skip
def test_what_is_no_kernel_is_refused_in_one_line(files: Files, contents: bytes, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint) as caught:
        files.load(place(), contents)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("contents", "complaint"),
    [
        (b"", "the file is empty"),
        (ZIMAGE, "this is a Linux kernel of 32 bits"),
        (b"\x1f\x8b\x08" + b"\0" * 20, "it is compressed, and damaged"),
        (image(size=1 << 40), "the kernel does not fit into 64 MiB of RAM"),
        (elf([(RAM, RAM, b"code", 4)], RAM), "another processor"),
    ],
)
def test_what_is_no_kernel_of_64_bits_is_refused_in_one_line(files: Files, contents: bytes, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint) as caught:
        files.load(place64(), contents)
    assert "\n" not in str(caught.value)


def test_the_ramdisk_must_not_lie_on_the_kernel(files: Files) -> None:
    with pytest.raises(UserError, match="the initial ramdisk would be loaded over the kernel"):
        files.load(place64(), image(size=40 * MIB), initrd=b"x")


@pytest.mark.parametrize(
    ("dtb", "complaint"),
    [
        (b"nonsense", "not a device tree"),
        (tree_blob()[:90], "the device tree is damaged"),
        (tree_blob(0, 1), "the device tree has no valid #address-cells"),
    ],
)
def test_what_is_no_device_tree_is_refused(files: Files, dtb: bytes, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint) as caught:
        files.load(place(), ZIMAGE, dtb=dtb)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("-dtb ")


# --- in QEMU ----------------------------------------------------------------------------------------------------------


def everything_loaded(boot: Boot) -> dict[int, bytes]:
    return {part.address: part.data for part in boot.loader.parts}


def in_qemu(qemu: QtestReference, address: int, length: int) -> bytes:
    return bytes.fromhex(qemu.many([f"read {address:#x} {length:#x}"])[0].removeprefix("0x"))


@needs_qemu_arm
@pytest.mark.parametrize("megabytes", [64, 256])
def test_tags_and_ramdisk_are_where_qemu_has_them(files: Files, megabytes: int) -> None:
    """On a Versatile PB, byte by byte; its boot loader ends with the board's number, the argument, and the entry."""
    into = place_at(0, megabytes * MIB, board_id=BOARD_ID)
    boot = files.load(into, ZIMAGE, initrd=b"ramdisk" * 1000, append="console=ttyAMA0 quiet")
    options = ("-M", "versatilepb", "-m", str(megabytes), "-kernel", str(files.directory / "kernel"), "-initrd",
               str(files.directory / "initrd"), "-append", "console=ttyAMA0 quiet")  # fmt: skip
    with QtestReference(*options, binary="qemu-system-arm") as qemu:
        assert struct.unpack("<3I", in_qemu(qemu, 16, 12)) == (BOARD_ID, boot.argument, boot.entry)
        for address, data in everything_loaded(boot).items():
            assert in_qemu(qemu, address, len(data)) == data, hex(address)


@needs_qemu_arm
@pytest.mark.parametrize("initrd", [b"", b"ramdisk" * 1000])
def test_a_tree_is_where_qemu_has_it_and_says_the_same(files: Files, initrd: bytes) -> None:
    """On a Versatile Express, with a tree of ours."""
    start = 0x8000_0000
    into = place_at(start, 256 * MIB, board_id=0x8E0)
    boot = files.load(into, ZIMAGE, initrd=initrd, append="console=ttyAMA0", dtb=tree_blob(memory="memory@80000000"))
    options = ["-M", "vexpress-a15,secure=off", "-m", "256", "-kernel", str(files.directory / "kernel"), "-dtb",
               str(files.directory / "dtb"), "-append", "console=ttyAMA0"]  # fmt: skip
    options += ["-initrd", str(files.directory / "initrd")] if initrd else []
    with QtestReference(*options, binary="qemu-system-arm") as qemu:
        assert struct.unpack("<3I", in_qemu(qemu, start + 16, 12)) == (0x8E0, boot.argument, boot.entry)
        length = int.from_bytes(in_qemu(qemu, boot.argument + 4, 4), "big")
        theirs = in_qemu(qemu, boot.argument, length)
        for name in ("memory@80000000", "chosen"):
            expected = properties(theirs, name)
            for strange in ("rng-seed", "kaslr-seed"):  # of newer versions
                expected.pop(strange, None)
            assert properties(tree_at(boot), name) == expected
        if initrd:
            assert in_qemu(qemu, start + 128 * MIB, len(initrd)) == initrd
