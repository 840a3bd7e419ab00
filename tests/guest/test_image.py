"""The guest's disk as such, and its computing parts against other implementations."""

import struct
import zlib

import pytest
import unicorn
from unicorn import x86_const as x86

from pyqemu.guest import image as guest
from pyqemu.util.x86asm import assemble


def test_it_is_always_the_same_disk() -> None:
    first = guest.build_image()
    guest.build_image.cache_clear()
    assert guest.build_image() == first
    assert len(first) == guest.TOTAL_SECTORS * 512


def test_partition_table() -> None:
    sector = guest.build_image()[:512]
    assert sector[510:] == b"\x55\xaa"
    status, _, kind, _, start, length = struct.unpack("<B3sB3sII", sector[446:462])
    assert (status, kind) == (0x80, 1)
    assert (start, start + length) == (guest.PARTITION_START, guest.TOTAL_SECTORS)


def read_files(volume: bytes) -> dict[bytes, bytes]:
    """The root directory's files of a FAT12 volume (Microsoft's FAT specification 1.03)."""
    sector, cluster, reserved, fats, roots, _, _, fat_size = struct.unpack_from("<HBHBHHBH", volume, 11)
    fat = volume[reserved * sector :]
    root = (reserved + fats * fat_size) * sector
    data = root + roots * 32
    found = {}
    for at in range(root, data, 32):
        name, attributes, number, size = struct.unpack_from("<11sB14xHI", volume, at)
        if not name[0] or attributes & 8:
            continue
        content = b""
        while number < 0xFF8:
            content += volume[data + (number - 2) * cluster * sector :][: cluster * sector]
            (pair,) = struct.unpack_from("<H", fat, number + number // 2)
            number = pair >> 4 if number & 1 else pair & 0xFFF
        found[name] = content[:size]
    return found


def test_volume_holds_the_files() -> None:
    found = read_files(guest.build_image()[guest.PARTITION_START * 512 :])
    assert found == {b"README  TXT": guest.README, b"DATA    BIN": guest.DATA}
    assert zlib.crc32(guest.README) == guest.README_CRC


@pytest.mark.parametrize("name", ["sieve", "crc", "sort"])
def test_benchmark_counts_and_results(name: str) -> None:
    """The constants by which the guest judges itself and computes MIPS."""
    symbols = {"SIEVE_RESULT": 1028, **guest.stage2_symbols()}
    program = assemble(guest.stage2_source(), symbols=guest.stage2_symbols())
    end, stack, count = 0x7000, 0x6FF0, 0
    cpu = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_32)
    cpu.mem_map(0, 1 << 20)
    cpu.mem_write(guest.STAGE2_ADDRESS, program.code)
    cpu.mem_write(stack, end.to_bytes(4, "little"))
    cpu.reg_write(x86.UC_X86_REG_ESP, stack)

    def step(*_: object) -> None:
        nonlocal count
        count += 1

    cpu.hook_add(unicorn.UC_HOOK_CODE, step)
    cpu.emu_start(program.symbols[f"bench_{name}"], end)
    assert cpu.reg_read(x86.UC_X86_REG_EAX) == symbols[f"{name.upper()}_RESULT"]
    assert count == symbols[f"{name.upper()}_INSTRUCTIONS"]


def test_crc_of_the_benchmark_is_the_usual_one() -> None:
    assert zlib.crc32(bytes((i * 7 + 3) & 0xFF for i in range(1024))) == guest.stage2_symbols()["CRC_RESULT"]


def test_result_of_the_64_bit_loop() -> None:
    mask, value = (1 << 64) - 1, 0x123456789ABCDEF0
    for count in range(200_000, 0, -1):
        product = value * 0x9E3779B97F4A7C15
        mixed = ((product & mask) ^ product >> 64) + count & mask
        value = (mixed << 17 | mixed >> 47) & mask
    symbols = guest.stage2_symbols()
    assert value == symbols["LONG_RESULT_HIGH"] << 32 | symbols["LONG_RESULT_LOW"]
