"""``dump-guest-memory``: the files are read by others' programs, and by a reader made by the formats' descriptions."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile

from pyqemu.io.descriptors import Descriptors
from pyqemu.system.dump.elf import ELF64, PN_XNUM, head
from pyqemu.system.dump.job import Dumps
from pyqemu.system.dump.memory import Block, joined, memory_blocks, within
from pyqemu.system.dump.target import Mapping
from tests.command_rig import Commands
from tests.qemu_reference import Reference, needs_qemu

MIB = 1 << 20
PAGE = 4096


@pytest.fixture
def pc() -> Iterator[Commands]:
    with Commands(vga="none") as commands:
        commands.machine.board.memory_space.write(0x2000, b"marker" * 100)  # type: ignore[attr-defined]
        yield commands


def dump(pc: Commands, path: Path, **options: object) -> Path:
    given: dict[str, object] = {"paging": False, "protocol": f"file:{path}"}
    pc.ask("dump-guest-memory", **(given | options))
    return path


def long_mode(pc: Commands) -> Any:
    """A processor in long mode whose tables map 2 MiB at FFFFFFFF80000000h and one page at 5000h to 2000h."""
    space = pc.machine.board.memory_space  # type: ignore[attr-defined]

    def entry(table: int, index: int, value: int) -> None:
        space.write(table + 8 * index, value.to_bytes(8, "little"))

    entry(0x10000, 511, 0x11003)
    entry(0x11000, 510, 0x12003)
    entry(0x12000, 0, 0x83)  # 2 MiB from 0
    entry(0x10000, 0, 0x13003)
    entry(0x13000, 0, 0x14003)
    entry(0x14000, 0, 0x15003)
    entry(0x15000, 5, 0x2003)
    cpu = pc.machine.cpu
    cpu.cr3, cpu.cr4, cpu.efer = 0x10000, 0x20, 0x500  # type: ignore[attr-defined]
    cpu.cr0 = 0x80000011  # type: ignore[attr-defined]
    cpu.rax, cpu.r15 = 0x1122334455667788, 0xFEDCBA9876543210  # type: ignore[attr-defined]
    return cpu


# -- ELF


def test_segments_are_the_memory(pc: Commands, tmp_path: Path) -> None:
    with open(dump(pc, tmp_path / "core"), "rb") as file:
        elf = ELFFile(file)
        assert (elf.header.e_type, elf.header.e_machine, elf.elfclass) == ("ET_CORE", "EM_386", 64)
        loads = list(elf.iter_segments("PT_LOAD"))
        assert loads[0].header.p_paddr == 0 and loads[0].data()[0x2000:].startswith(b"marker" * 100)
        assert sum(load.header.p_filesz for load in loads) == pc.ask("query-dump")["total"]
        assert all(load.header.p_vaddr == load.header.p_paddr for load in loads)
        reset = next(load for load in loads if load.header.p_paddr + load.header.p_filesz == 1 << 32)
        assert reset.data()[-16] == 0xEA  # a far jump


@needs_qemu
def test_notes_are_qemus(pc: Commands, tmp_path: Path) -> None:
    def notes(path: Path) -> list[tuple[str, bytes]]:
        with open(path, "rb") as file:
            return [
                (note.n_name, note.n_descdata) for seg in ELFFile(file).iter_segments("PT_NOTE")
                for note in seg.iter_notes()
            ]  # fmt: skip

    with Reference("-cpu", "qemu64") as qemu:
        qemu.ask("dump-guest-memory", paging=False, protocol=f"file:{tmp_path / 'theirs'}")
    ours, theirs = notes(dump(pc, tmp_path / "ours")), notes(tmp_path / "theirs")
    assert [(name, len(data)) for name, data in ours] == [(name, len(data)) for name, data in theirs]
    edx, rdx = slice(80, 84), slice(32, 40)  # the processor's signature: another build of the same model
    for (name, one), (_, other) in zip(ours, theirs, strict=True):
        where = edx if name == "CORE" else rdx
        assert one[: where.start] + one[where.stop :] == other[: where.start] + other[where.stop :]


@pytest.mark.skipif(shutil.which("readelf") is None, reason="needs binutils")
def test_readelf_has_nothing_to_complain_about(pc: Commands, tmp_path: Path) -> None:
    path = dump(pc, tmp_path / "core")
    result = subprocess.run(["readelf", "-hln", path], capture_output=True, text=True, check=True)
    assert result.stderr == ""
    assert "NT_PRSTATUS" in result.stdout and "CORE (Core file)" in result.stdout


@pytest.mark.skipif(shutil.which("gdb") is None, reason="needs gdb")
def test_gdb_reads_registers_and_virtual_memory(pc: Commands, tmp_path: Path) -> None:
    long_mode(pc)
    path = dump(pc, tmp_path / "core", paging=True)
    commands = ["p/x $rax", "p/x $r15", "p/x $rip", "x/s 0x5000", "x/s 0xffffffff80002000"]
    arguments = [part for command in commands for part in ("-ex", command)]
    text = subprocess.run(["gdb", "-nx", "-batch", "-ex", f"core {path}", *arguments], capture_output=True, text=True,
                          check=True).stdout  # fmt: skip
    assert "$1 = 0x1122334455667788" in text and "$2 = 0xfedcba9876543210" in text and "$3 = 0xfff0" in text
    assert text.count('"marker') == 2


def test_with_paging_segments_are_what_the_tables_map(pc: Commands, tmp_path: Path) -> None:
    long_mode(pc)
    with open(dump(pc, tmp_path / "core", paging=True), "rb") as file:
        elf = ELFFile(file)
        assert elf.header.e_machine == "EM_X86_64"
        found = {load.header.p_vaddr: load for load in elf.iter_segments("PT_LOAD")}
    high = 0xFFFFFFFF80000000
    assert set(found) == {0x5000, high}
    assert (found[high].header.p_paddr, found[high].header.p_filesz) == (0, 2 * MIB)
    assert (found[0x5000].header.p_paddr, found[0x5000].header.p_filesz) == (0x2000, PAGE)


def test_a_range_limits_the_file(pc: Commands, tmp_path: Path) -> None:
    path = dump(pc, tmp_path / "core", begin=0x2000, length=600)
    with open(path, "rb") as file:
        (load,) = ELFFile(file).iter_segments("PT_LOAD")
        assert (load.header.p_paddr, load.data()) == (0x2000, b"marker" * 100)


def test_many_segments_are_counted_in_a_section_header(tmp_path: Path) -> None:
    count = PN_XNUM + 5
    blocks = [Block(0, count * PAGE)]
    data = head(ELF64, 62, b"", blocks, [Mapping(2 * n * PAGE, n * PAGE, PAGE) for n in range(count)])
    path = tmp_path / "core"
    path.write_bytes(data)
    with open(path, "rb") as file:
        elf = ELFFile(file)
        assert elf.header.e_phnum == PN_XNUM
        assert elf.get_section(0).header.sh_info == count + 1
        assert struct.unpack_from("<Q", data, elf.header.e_phoff + 56 * count + 8)[0] == len(data) + (count - 1) * PAGE


def test_ranges_are_joined_and_clipped() -> None:
    pages = [Mapping(0x1000 * n, 0x5000 + 0x1000 * n, 0x1000) for n in range(3)] + [Mapping(0x3000, 0, 0x1000)]
    whole, other = joined(pages)
    assert (whole, other) == (Mapping(0, 0x5000, 0x3000), Mapping(0x3000, 0, 0x1000))
    assert list(within(whole, [Block(0, 0x5800), Block(0x6800, 0x7000)])) == [
        Mapping(0, 0x5000, 0x800), Mapping(0x1800, 0x6800, 0x800),
    ]  # fmt: skip


# -- kdump


def unflatten(data: bytes) -> bytes:
    assert struct.unpack_from(">16sqq", data) == (b"makedumpfile\0\0\0\0", 1, 1)
    position, out = 4096, bytearray()
    while True:
        offset, size = struct.unpack_from(">qq", data, position)
        position += 16
        if offset == -1:
            assert position == len(data)
            return bytes(out)
        out.extend(bytes(max(0, offset + size - len(out))))
        out[offset : offset + size] = data[position : position + size]
        position += size


class KdumpFile:
    """Reads the format as ``crash`` does."""

    def __init__(self, data: bytes) -> None:
        self.data = data = unflatten(data)
        signature, self.version = struct.unpack_from("<8si", data)
        assert signature == b"KDUMP   "
        self.uname = [data[12 + 65 * n : 77 + 65 * n].rstrip(b"\0") for n in range(6)]
        self.numbers = struct.unpack_from("<10i", data, 424)
        _, page, sub_blocks, bitmap_blocks, *_ = self.numbers
        self.sub = struct.unpack_from("<QiiQQQQQQQQQQQ", data, page)
        self.notes = data[self.sub[7] : self.sub[7] + self.sub[8]]
        start, half = page * (1 + sub_blocks), page * bitmap_blocks // 2
        self.bitmaps = data[start : start + half], data[start + half : start + 2 * half]
        self.pages = [pfn for pfn in range(self.sub[13]) if self.bitmaps[1][pfn >> 3] >> (pfn & 7) & 1]
        self.descs = start + 2 * half

    def page(self, pfn: int) -> bytes:
        offset, size, flags, _ = struct.unpack_from("<QIIQ", self.data, self.descs + 24 * self.pages.index(pfn))
        stored = self.data[offset : offset + size]
        return zlib.decompress(stored) if flags & 1 else stored


def test_kdump_pages_are_the_memory(pc: Commands, tmp_path: Path) -> None:
    kdump = KdumpFile(dump(pc, tmp_path / "vmcore", format="kdump-zlib").read_bytes())
    space = pc.machine.board.memory_space  # type: ignore[attr-defined]
    assert kdump.bitmaps[0] == kdump.bitmaps[1]
    assert len(kdump.pages) == sum(block.size for block in memory_blocks(space)) // PAGE
    for pfn in (0, 2, 0x9F, 0xFF, 0x7FF, 0xFFFFF):
        assert kdump.page(pfn) == space.read(pfn * PAGE, PAGE)
    assert pc.ask("query-dump") == {"status": "completed", "completed": len(kdump.pages) * PAGE,
                                    "total": len(kdump.pages) * PAGE}  # fmt: skip


@needs_qemu
def test_kdump_headers_are_qemus(pc: Commands, tmp_path: Path) -> None:
    with Reference("-cpu", "qemu64") as qemu:
        qemu.ask("dump-guest-memory", paging=False, protocol=f"file:{tmp_path / 'theirs'}", format="kdump-zlib")
    ours = KdumpFile(dump(pc, tmp_path / "ours", format="kdump-zlib").read_bytes())
    theirs = KdumpFile((tmp_path / "theirs").read_bytes())
    for name in ("version", "uname", "numbers", "sub", "descs"):
        assert getattr(ours, name) == getattr(theirs, name), name


# -- the command


def test_the_guest_stands_still_and_goes_on(pc: Commands, tmp_path: Path) -> None:
    with pc.system.lock:
        pc.system.start()
    pc.take_events()
    dump(pc, tmp_path / "core")
    assert [name for name, _ in pc.take_events()] == ["STOP", "RESUME", "DUMP_COMPLETED"]
    assert pc.system.running


def test_a_detached_dump_is_told_by_an_event(pc: Commands, tmp_path: Path) -> None:
    with pc.system.lock:  # who writes it waits for that
        path = dump(pc, tmp_path / "core", detach=True)
        assert pc.ask("query-dump")["status"] == "active"
        assert pc.system.part(Dumps).active
        assert "in process" in pc.error("dump-guest-memory", paging=False, protocol=f"file:{path}")
        assert "in process" in pc.error("cont")
    assert pc.machine.run_for(60, lambda: not pc.system.part(Dumps).active)
    name, data = pc.take_events()[-1]
    assert name == "DUMP_COMPLETED"
    assert data == {"result": pc.ask("query-dump")}
    assert path.stat().st_size > 8 * MIB


def test_a_dump_may_go_to_a_descriptor(pc: Commands, tmp_path: Path) -> None:
    path = tmp_path / "core"
    pc.system.part(Descriptors).add_named("dump", os.open(path, os.O_WRONLY | os.O_CREAT))
    pc.ask("dump-guest-memory", paging=False, protocol="fd:dump", begin=0, length=PAGE)
    assert path.read_bytes().startswith(b"\x7fELF")


def test_a_full_disk_is_told_and_leaves_no_file(pc: Commands) -> None:
    message = pc.error("dump-guest-memory", paging=False, protocol="file:/dev/full")
    assert message == "dump: failed to save memory: No space left on device"
    assert pc.ask("query-dump")["status"] == "failed"
    assert pc.take_events()[-1][1]["error"] == message  # type: ignore[index]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"protocol": "x"}, "Invalid parameter 'protocol'"),
        ({"protocol": "file:/nope/x"}, "Could not open '/nope/x': No such file or directory"),
        ({"protocol": "fd:nope"}, "File descriptor named 'nope' has not been found"),
        ({"begin": 0}, "Parameter 'length' is missing"),
        ({"length": 0}, "Parameter 'begin' is missing"),
        ({"begin": 1 << 40, "length": 5}, "dump: no guest memory to dump"),
        ({"format": "kdump-zlib", "paging": True}, "kdump-compressed format doesn't support paging or filter"),
        ({"format": "kdump-lzo"}, "kdump-lzo is not available now"),
    ],
)
def test_errors(pc: Commands, tmp_path: Path, options: dict[str, object], message: str) -> None:
    given = {"paging": False, "protocol": f"file:{tmp_path / 'x'}"} | options
    assert pc.error("dump-guest-memory", **given) == message
    assert os.listdir(tmp_path) == []
    assert pc.ask("query-dump") == {"status": "none", "completed": 0, "total": 0}


def test_formats(pc: Commands) -> None:
    assert pc.ask("query-dump-guest-memory-capability") == {"formats": ["elf", "kdump-zlib"]}
