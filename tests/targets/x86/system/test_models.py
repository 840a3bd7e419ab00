"""CPU models and CPUID (QEMU 2.6's models; SDM vol. 2, CPUID)."""

from __future__ import annotations

import pytest

from pyqemu.targets.x86.features import BITS
from pyqemu.targets.x86.models import MODELS, CpuModelError, cpu_model, list_models


def test_all_models_are_there():
    names = "486 pentium pentium2 pentium3 athlon qemu32 kvm32 coreduo n270 qemu64 kvm64 phenom core2duo base max"
    assert set(MODELS) == set(names.split())


@pytest.mark.parametrize(
    ("name", "vendor", "signature", "level", "xlevel"),
    [
        ("qemu64", "AuthenticAMD", 0x663, 0xD, 0x8000000A),
        ("qemu32", "GenuineIntel", 0x663, 4, 0x80000004),
        ("kvm64", "GenuineIntel", 0xF61, 0xD, 0x80000008),
        ("phenom", "AuthenticAMD", 0x100F23, 5, 0x8000001A),
        ("core2duo", "GenuineIntel", 0x6FB, 10, 0x80000008),
        ("n270", "GenuineIntel", 0x106C2, 10, 0x80000008),
        ("486", "GenuineIntel", 0x480, 1, 0),
        ("pentium3", "GenuineIntel", 0x673, 3, 0),
    ],
)
def test_identity(name, vendor, signature, level, xlevel):
    model = cpu_model(name)
    top, b, c, d = model.cpuid(0, 0)
    assert top == level
    assert b"".join(word.to_bytes(4, "little") for word in (b, d, c)).decode() == vendor
    assert model.cpuid(1, 0)[0] == signature
    if xlevel:
        assert model.cpuid(0x80000000, 0)[0] == xlevel


def test_qemu64_features():
    _, _, c, d = cpu_model("qemu64").cpuid(1, 0)
    assert d == 0x078BFBFD
    assert c == 0x80002001, "SSE3, CX16, hypervisor"
    _, _, c, d = cpu_model("qemu64").cpuid(0x80000001, 0)
    assert d & (1 << 29 | 1 << 20 | 1 << 11) == 1 << 29 | 1 << 20 | 1 << 11
    assert d & 0x183F3FF == 0x078BFBFD & 0x183F3FF, "AMD repeats leaf 1"
    assert c & 1


def test_brand_string():
    raw = b""
    for leaf in (0x80000002, 0x80000003, 0x80000004):
        raw += b"".join(word.to_bytes(4, "little") for word in cpu_model("core2duo").cpuid(leaf, 0))
    assert raw.rstrip(b"\0").decode() == "Intel(R) Core(TM)2 Duo CPU     T7700  @ 2.40GHz"


def test_cache_leaves():
    model = cpu_model("qemu64")
    assert model.cpuid(2, 0) == (1, 0, 0, 0x2C307D)
    assert model.cpuid(4, 0) == (0x121, 0x1C0003F, 0x3F, 1)
    assert model.cpuid(4, 2)[2] == 0xFFF
    assert model.cpuid(4, 3) == (0, 0, 0, 0)
    assert model.cpuid(0x80000008, 0)[0] == 0x3028


def test_leaves_beyond_the_last_answer_like_the_last_basic_one():
    model = cpu_model("qemu32")
    assert model.cpuid(0x80000005, 0) == model.cpuid(4, 0) == model.cpuid(0x40000000, 0)


def test_apic_id_and_osxsave():
    model = cpu_model("qemu64")
    assert model.cpuid(1, 0, apic_id=3)[1] == 3 << 24 | 8 << 8
    assert model.cpuid(1, 0, osxsave=True)[2] & 1 << 27
    assert model.cpuid(0xB, 0, apic_id=3) == (0, 1, 0x100, 3)


def test_features_on_and_off():
    model = cpu_model("qemu64,+popcnt,-nx,sse3=off,sse4.1=on,family=15,model-id=My CPU")
    assert model.has("popcnt")
    assert model.has("sse4_1")
    assert not model.has("nx")
    assert not model.has("pni")
    assert model.cpuid(1, 0)[0] >> 8 & 15 == 15
    assert not cpu_model("qemu64").has("popcnt"), "the model itself is not changed"


def test_minus_wins():
    assert not cpu_model("qemu64,-sse2,+sse2").has("sse2")


def test_unsupported_feature_is_a_warning_or_with_enforce_an_error():
    model = cpu_model("qemu64,+vmx")
    assert not model.has("vmx")
    assert len(model.warnings) == 1
    with pytest.raises(CpuModelError, match="vmx"):
        cpu_model("qemu64,+vmx,enforce")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("i386", "Unable to find CPU definition: i386"),
        ("qemu64,+frobnicate", "CPU feature frobnicate not found"),
        ("qemu64,frobnicate=on", "CPU property frobnicate not found"),
        ("qemu64,sse2=maybe", "neither on nor off"),
        ("qemu64,family=x", "not a number"),
        ("qemu64,vendor=Short", "12 characters"),
        ("qemu64,sse2", "expected"),
    ],
)
def test_errors_are_one_line(spec, message):
    with pytest.raises(CpuModelError) as info:
        cpu_model(spec)
    assert message in str(info.value)
    assert "\n" not in str(info.value)


def test_help_lists_models_and_flags():
    text = list_models()
    assert "qemu64" in text
    assert "cx16" in text
    assert max(map(len, text.splitlines())) < 100


def test_feature_names_are_unique():
    assert len(BITS) > 100
