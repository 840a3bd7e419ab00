"""SMBIOS structures: consistent by themselves and understood by dmidecode."""

import shutil
import struct
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from pyqemu.firmware.smbios import ANCHOR_FILE, TABLES_FILE, SmbiosConfig, SmbiosTables, build_smbios, fw_cfg_files

UUID_TEXT = "00112233-4455-6677-8899-aabbccddeeff"


def structures(made: SmbiosTables) -> list[tuple[int, bytes, list[bytes]]]:
    """(type, formatted part, strings) of every structure."""
    out, at, data = [], 0, made.structures
    while at < len(data):
        kind, length = data[at], data[at + 1]
        end = data.index(b"\0\0", at + length) + 2
        strings = data[at + length : end - 2].split(b"\0") if end - 2 > at + length else []
        out.append((kind, data[at : at + length], strings))
        at = end
    return out


def test_types_and_order() -> None:
    made = build_smbios(SmbiosConfig(128 << 20), 0xF1000)
    assert [kind for kind, _, _ in structures(made)] == [0, 1, 3, 4, 16, 17, 19, 32, 127]


def test_memory_above_4g_adds_modules_and_a_range() -> None:
    made = build_smbios(SmbiosConfig(3 << 30, (40 - 3) << 30, sockets=2), 0xF1000)
    found = structures(made)
    sizes = [struct.unpack_from("<H", body, 12)[0] for kind, body, _ in found if kind == 17]
    assert sizes == [16384, 16384, 8192]
    assert sum(kind == 19 for kind, _, _ in found) == 2
    assert sum(kind == 4 for kind, _, _ in found) == 2


def test_anchor_points_to_the_structures_and_sums_up() -> None:
    made = build_smbios(SmbiosConfig(64 << 20), 0xF1230)
    length, address, count = struct.unpack_from("<HIH", made.anchor, 0x16)
    assert (length, address, count) == (len(made.structures), 0xF1230, len(structures(made)))
    assert sum(made.anchor) & 0xFF == 0
    assert sum(made.anchor[16:]) & 0xFF == 0
    assert struct.unpack_from("<H", made.anchor, 8)[0] >= max(
        len(body) + sum(len(text) + 1 for text in strings) + 1 for _, body, strings in structures(made)
    )


def test_fw_cfg_files_leave_the_address_to_the_firmware() -> None:
    config = SmbiosConfig(64 << 20)
    made_files = fw_cfg_files(config)
    assert made_files[TABLES_FILE] == build_smbios(config, 0).structures
    assert struct.unpack_from("<I", made_files[ANCHOR_FILE], 0x18)[0] == 0


@pytest.mark.skipif(shutil.which("dmidecode") is None, reason="needs Debian's dmidecode")
def test_dmidecode_reads_them(tmp_path: Path) -> None:
    made = build_smbios(SmbiosConfig(128 << 20, uuid=UUID(UUID_TEXT), serial="A7"), 0x20)
    dump = tmp_path / "dump"
    dump.write_bytes(made.anchor.ljust(0x20, b"\0") + made.structures)
    text = subprocess.run(["dmidecode", "--from-dump", str(dump)], capture_output=True, text=True, check=True).stdout
    for line in ("SMBIOS 2.8 present.", f"UUID: {UUID_TEXT}", "Serial Number: A7", "Size: 128 MB", "End Of Table"):
        assert line in text
