"""ACPI tables: consistent by themselves, the same by both ways, and understood by ACPICA."""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from pyqemu.firmware.acpi import (
    LOADER_FILE,
    RSDP_FILE,
    TABLES_FILE,
    AcpiConfig,
    AcpiTables,
    build_tables,
    loader_files,
)

ADDRESS = 0x7FE0000
PLAIN = AcpiConfig(ram_below_4g=128 << 20)
FULL = AcpiConfig(
    ram_below_4g=3 << 30,
    ram_above_4g=5 << 30,
    cpus=17,
    floppies=(True, False),
    pvpanic_port=0x505,
    hotplug_slots=tuple(range(3, 32)),
)


def table_at(made: AcpiTables, address: int) -> bytes:
    offset = address - made.address
    (length,) = struct.unpack_from("<I", made.tables, offset + 4)
    return made.tables[offset : offset + length]


def walk(made: AcpiTables) -> dict[bytes, bytes]:
    """All tables that the RSDP leads to."""
    (root,) = struct.unpack_from("<I", made.rsdp, 16)
    tables = {b"RSDT": table_at(made, root)}
    for (address,) in struct.iter_unpack("<I", tables[b"RSDT"][36:]):
        table = table_at(made, address)
        tables[table[:4]] = table
    facs, dsdt = struct.unpack_from("<II", tables[b"FACP"], 36)
    tables[b"FACS"], tables[b"DSDT"] = table_at(made, facs), table_at(made, dsdt)
    return tables


@pytest.mark.parametrize("config", [PLAIN, FULL])
def test_every_table_sums_to_zero(config: AcpiConfig) -> None:
    made = build_tables(config, ADDRESS)
    tables = walk(made)
    assert set(tables) == {b"RSDT", b"FACP", b"APIC", b"HPET", b"FACS", b"DSDT"}
    assert sum(made.rsdp) & 0xFF == 0
    for signature, table in tables.items():
        assert signature == b"FACS" or sum(table) & 0xFF == 0, signature


def test_facs_is_64_byte_aligned_and_so_must_the_address_be() -> None:
    (facs,) = struct.unpack_from("<I", walk(build_tables(PLAIN, ADDRESS))[b"FACP"], 36)
    assert facs % 64 == 0
    with pytest.raises(ValueError, match="not 64-byte aligned"):
        build_tables(PLAIN, ADDRESS + 4)


def test_fadt_describes_the_piix4() -> None:
    fadt = walk(build_tables(PLAIN, ADDRESS))[b"FACP"]
    assert (len(fadt), fadt[8]) == (116, 1)
    assert struct.unpack_from("<HIBB", fadt, 46) == (9, 0xB2, 0xF1, 0xF0)
    assert struct.unpack_from("<8I", fadt, 56) == (0x600, 0, 0x604, 0, 0, 0x608, 0xAFE0, 0)
    (flags,) = struct.unpack_from("<I", fadt, 112)
    assert flags & 1 << 4 == 0  # a fixed power button


def test_madt_lists_the_processors_and_overrides() -> None:
    madt = walk(build_tables(FULL, ADDRESS))[b"APIC"]
    entries, at = [], 44
    while at < len(madt):
        entries.append(madt[at : at + madt[at + 1]])
        at += madt[at + 1]
    assert [entry[3] for entry in entries if entry[0] == 0] == list(range(17))
    overrides = [struct.unpack_from("<BIH", entry, 3) for entry in entries if entry[0] == 2]
    assert overrides == [(0, 2, 0), (5, 5, 13), (9, 9, 13), (10, 10, 13), (11, 11, 13)]


def test_hpet_table_is_left_out_without_a_hpet() -> None:
    tables = walk(build_tables(AcpiConfig(64 << 20, hpet=False), ADDRESS))
    assert b"HPET" not in tables


def test_sleep_states_can_be_disabled() -> None:
    dsdt = walk(build_tables(AcpiConfig(64 << 20, disable_s3=True, disable_s4=True), ADDRESS))[b"DSDT"]
    assert b"_S5_" in dsdt
    assert b"_S3_" not in dsdt
    assert b"_S4_" not in dsdt


def run_loader(files: dict[str, bytes], places: dict[str, int]) -> dict[str, bytearray]:
    """Do what firmware does with the table loader's commands."""
    memory: dict[str, bytearray] = {}
    script = files[LOADER_FILE]
    for at in range(0, len(script), 128):
        (command,) = struct.unpack_from("<I", script, at)
        names = [script[at + 4 + i * 56 : at + 60 + i * 56].rstrip(b"\0").decode("latin-1") for i in range(2)]
        if command == 1:
            (align,) = struct.unpack_from("<I", script, at + 60)
            assert places[names[0]] % align == 0
            memory[names[0]] = bytearray(files[names[0]])
        elif command == 2:
            offset, size = struct.unpack_from("<IB", script, at + 116)
            field = memory[names[0]][offset : offset + size]
            value = int.from_bytes(field, "little") + places[names[1]]
            memory[names[0]][offset : offset + size] = value.to_bytes(size, "little")
        elif command == 3:
            offset, start, length = struct.unpack_from("<III", script, at + 60)
            memory[names[0]][offset] = -sum(memory[names[0]][start : start + length]) & 0xFF
        else:
            assert command == 0
    return memory


@pytest.mark.parametrize("config", [PLAIN, FULL])
def test_loader_makes_the_same_tables(config: AcpiConfig) -> None:
    made = build_tables(config, ADDRESS)
    loaded = run_loader(loader_files(config), {TABLES_FILE: ADDRESS, RSDP_FILE: 0xF5000})
    assert bytes(loaded[RSDP_FILE]) == made.rsdp
    assert bytes(loaded[TABLES_FILE])[: len(made.tables)] == made.tables


@pytest.mark.skipif(shutil.which("iasl") is None, reason="needs Debian's acpica-tools")
@pytest.mark.parametrize("config", [PLAIN, FULL])
def test_acpica_reads_and_recompiles_them(config: AcpiConfig, tmp_path: Path) -> None:
    for signature, table in walk(build_tables(config, ADDRESS)).items():
        file = tmp_path / f"{signature.decode()}.dat"
        file.write_bytes(table)
        done = subprocess.run(["iasl", "-d", file.name], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "rror" not in done.stderr, done.stderr
    text = (tmp_path / "DSDT.dsl").read_text()
    assert 'EisaId ("PNP0A03")' in text
    done = subprocess.run(["iasl", "-p", "again", "DSDT.dsl"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert " 0 Errors" in done.stdout
    assert (tmp_path / "again.aml").exists()


@pytest.mark.skipif(shutil.which("acpiexec") is None, reason="needs Debian's acpica-tools")
def test_acpica_executes_the_link_methods(tmp_path: Path) -> None:
    (tmp_path / "DSDT.dat").write_bytes(walk(build_tables(FULL, ADDRESS))[b"DSDT"])
    for term, expected in (("\\_SB.LNKA._CRS", "89 06 00 09 01 00 00 00 00 79 00"), ("\\_SB.LNKB._STA", "0B")):
        done = subprocess.run(
            ["acpiexec", "-b", f"evaluate {term}", "DSDT.dat"], cwd=tmp_path, capture_output=True, text=True
        )
        assert expected in done.stdout, done.stdout


@pytest.mark.skipif(shutil.which("acpiexec") is None, reason="needs Debian's acpica-tools")
@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("\\_SB.PCI0.DVNT 0x80 3", "System Notify on [S38_]"),
        ("\\_SB.PCI0.S38._EJ0 1", "No object was returned"),
        ("\\_GPE._E01", "No object was returned"),
    ],
)
def test_acpica_executes_the_hotplug_methods(term: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "DSDT.dat").write_bytes(walk(build_tables(FULL, ADDRESS))[b"DSDT"])
    done = subprocess.run(
        ["acpiexec", "-b", f"evaluate {term}", "DSDT.dat"], cwd=tmp_path, capture_output=True, text=True
    )
    assert expected in done.stdout, done.stdout
    assert "AE_" not in done.stdout, done.stdout
