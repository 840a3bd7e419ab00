"""Properties: typed attributes that options set."""

from __future__ import annotations

import pytest

from pyqemu.qom import Device, DeviceError, Property, Registry, device_class

registry = Registry()


@device_class("toy", description="a toy", bus="isa", category="misc", alias="plaything", registry=registry)
class Toy(Device):
    iobase = Property.uint("iobase", 0x3F8)
    small = Property.uint("small", 1, bits=8)
    signed = Property.int("signed", -1, bits=16)
    label = Property.str("label")
    fast = Property.bool("fast", True)
    memory = Property.size("memory", 1 << 20)
    mode = Property.enum("mode", ["auto", "lba", "none"], "auto")
    mac = Property.macaddr()
    chardev = Property.link("chardev", "chardev")
    max_speed = Property.uint("max-speed", 9)


@device_class("toy-child", registry=registry, user_creatable=False)
class ToyChild(Toy):
    iobase = Property.uint("iobase", 0x2F8)
    extra = Property.bool("extra")


def test_defaults_constructor_and_attributes() -> None:
    toy = Toy(iobase=0x2F8, max_speed=3)
    assert (toy.iobase, toy.max_speed, toy.label, toy.fast) == (0x2F8, 3, None, True)
    assert Toy().iobase == 0x3F8
    with pytest.raises(TypeError, match="no property attribute 'speed'"):
        Toy(speed=1)


def test_inherited_properties_and_new_defaults() -> None:
    assert set(ToyChild.properties) == {*Toy.properties, "extra"}
    assert ToyChild().iobase == 0x2F8
    assert Toy().iobase == 0x3F8
    assert ToyChild.bus_type == "ISA"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("iobase", "0x2f8", 0x2F8), ("iobase", "010", 8), ("iobase", "10", 10), ("small", "255", 255),
        ("signed", "-5", -5), ("label", "a b", "a b"), ("fast", "off", False), ("memory", "2M", 2 << 20),
        ("mode", "lba", "lba"), ("mac", "52:54:00:12:34:56", bytes.fromhex("525400123456")),
        ("max-speed", "7", 7),
    ],
)  # fmt: skip
def test_options_as_text(name: str, text: str, value: object) -> None:
    toy = Toy()
    toy.set_option(name, text)
    assert getattr(toy, Toy.properties[name].attribute) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("foo", "1", "Property '.foo' not found"),
        ("small", "256", "Parameter 'small' expects uint8_t"),
        ("iobase", "-1", "Parameter 'iobase' expects uint32_t"),
        ("iobase", "abc", "Parameter 'iobase' expects an int64 value or range"),
        ("iobase", "09", "Parameter 'iobase' expects an int64 value or range"),
        ("iobase", "", "Parameter 'iobase' expects an int64 value or range"),
        ("fast", "perhaps", "Parameter 'fast' expects 'on' or 'off'"),
        ("memory", "much", "Parameter 'memory' expects a size"),
        ("mode", "chs", "Parameter 'mode' does not accept value 'chs'"),
        ("mac", "52:54", "Parameter 'mac' expects a MAC address, but it is '52:54'"),
        ("chardev", "c0", "Property 'toy.chardev' can't find value 'c0'"),
    ],
)
def test_bad_options(name: str, text: str, message: str) -> None:
    with pytest.raises(DeviceError) as caught:
        Toy().set_option(name, text)
    assert str(caught.value) == message


def test_links_are_resolved_by_kind_and_id() -> None:
    class Backend:
        label = "c0"

    toy, backend = Toy(), Backend()
    toy.set_option("chardev", "c0", lambda kind, key: backend if (kind, key) == ("chardev", "c0") else None)
    assert toy.chardev is backend
    assert toy.get_option("chardev") == "c0"


def test_values_as_text() -> None:
    toy = Toy(mac=bytes(6), fast=False)
    assert dict(toy.options())["mac"] == "00:00:00:00:00:00"
    assert toy.get_option("fast") == "false"
    assert toy.get_option("label") == ""


def test_registry_finds_by_name_and_alias() -> None:
    assert registry.find("toy").cls is Toy
    assert isinstance(registry.create("plaything", iobase=1), Toy)
    assert "toy" in registry
    assert "nothing" not in registry
    with pytest.raises(DeviceError, match=r"^'nothing' is not a valid device model name$"):
        registry.find("nothing")


def test_a_name_cannot_be_taken_twice() -> None:
    with pytest.raises(ValueError, match="two device models are named 'toy'"):

        @device_class("toy", registry=registry)
        class Other(Device):
            pass


def test_help_texts() -> None:
    assert registry.help() == 'Misc devices:\nname "toy", bus ISA, alias "plaything", desc "a toy"'
    assert 'name "toy-child", bus ISA, no-user' in registry.help(show_internal=True)
    lines = registry.help_device("toy").splitlines()
    assert "toy.chardev=str (ID of a chardev to use as a backend)" in lines
    assert "toy.fast=bool (on/off)" in lines
    assert "toy.iobase=uint32" in lines
    assert lines == sorted(lines)


def test_device_from_options() -> None:
    device = registry.from_options({"driver": "toy", "id": "t0", "bus": "isa.0", "iobase": "0x100"})
    assert isinstance(device, Toy)
    assert (device.id, device.name, device.iobase) == ("t0", "t0", 0x100)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Parameter 'driver' is missing"),
        ({"driver": "tov"}, "'tov' is not a valid device model name"),
        ({"driver": "toy-child"}, "Parameter 'driver' expects pluggable device type, 'toy-child' is none"),
        ({"driver": "toy", "id": "0t"}, "Parameter 'id' expects an identifier"),
        ({"driver": "toy", "speed": "1"}, "Property '.speed' not found"),
    ],
)
def test_bad_device_options(options: dict[str, str], message: str) -> None:
    with pytest.raises(DeviceError) as caught:
        registry.from_options(options)
    assert str(caught.value) == message
