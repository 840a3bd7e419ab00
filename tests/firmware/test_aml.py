"""AML terms against their encodings in ACPI 5.0, chapter 20 and 6.4."""

import pytest

from pyqemu.firmware import aml


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0, "00"),
        (1, "01"),
        (2, "0a 02"),
        (0xFF, "0a ff"),
        (0x100, "0b 00 01"),
        (0x10000, "0c 00 00 01 00"),
        (1 << 32, "0e 00 00 00 00 01 00 00 00"),
    ],
)
def test_integer_has_its_shortest_form(value: int, code: str) -> None:
    assert aml.integer(value).hex(" ") == code


def test_integer_beyond_64_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        aml.integer(1 << 64)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("PCI0", b"PCI0"),
        ("RTC", b"RTC_"),
        ("\\_SB", b"\\_SB_"),
        ("\\", b"\\\x00"),
        ("PCI0.ISA", b"\x2ePCI0ISA_"),
        ("\\_SB.PCI0.ISA", b"\\\x2f\x03_SB_PCI0ISA_"),
    ],
)
def test_path(text: str, code: bytes) -> None:
    assert aml.path(text) == code


@pytest.mark.parametrize("text", ["TOOLONG", "1ABC", "A..B"])
def test_bad_name_segment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no AML name segment"):
        aml.path(text)


def test_eisa_id() -> None:
    assert aml.eisa_id("PNP0A03").hex(" ") == "0c 41 d0 0a 03"


@pytest.mark.parametrize(
    ("size", "length"),
    [
        (0, "05"),  # name segment and the length byte itself
        (58, "3f"),  # the largest with one byte
        (59, "41 04"),
        (4089, "4f ff"),  # the largest with two bytes
        (4090, "81 00 01"),
    ],
)
def test_package_length_counts_itself(size: int, length: str) -> None:
    term = aml.scope("ABCD", bytes(size))
    encoded = bytes.fromhex(length)
    assert term[1 : 1 + len(encoded)] == encoded
    assert term[1 + len(encoded) :] == b"ABCD" + bytes(size)


def test_resource_template() -> None:
    template = aml.resources(aml.io(0x3F8, 8, alignment=8), aml.irq_no_flags(4), aml.dma(2))
    assert template.hex(" ") == "11 13 0a 10 47 01 f8 03 f8 03 08 08 22 10 00 2a 04 00 79 00"


def test_address_space_descriptor_tells_its_length() -> None:
    code = aml.dword_memory(0xE0000000, 0xFEBFFFFF)
    assert code[:3].hex(" ") == "87 17 00"
    assert len(code) == 3 + 0x17
    assert int.from_bytes(code[-4:], "little") == 0x1EC00000
