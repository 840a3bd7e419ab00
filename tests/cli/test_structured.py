"""Options with structure: JSON, dotted keys, ``-global``, ``-object``, lists of accelerators; and what they make."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from program import Piped, run
from wire import Wire, connect

from pyqemu.cli.structured import flatten, nest, parse_flat, parse_json, parse_tree
from pyqemu.util.errors import OptionError

PC = ("-M", "pc", "-nodefaults", "-display", "none", "-S")


@contextmanager
def asked(*words: str) -> Iterator[Wire]:
    """The program with those options, to ask by QMP."""
    with tempfile.TemporaryDirectory(prefix="pyqemu-") as directory:
        path = Path(directory, "q")
        with Piped([*words, "-qmp", f"unix:{path},server,nowait"]), closing(connect(path)) as peer:
            yield Wire(peer.fileno()).greet()


# --- the forms --------------------------------------------------------------------------------------------------------

LEAVES = st.text("abc \n\\é", min_size=1, max_size=5)
KEYS = st.text("abcde-_", min_size=1, max_size=5)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3) | st.lists(inner, min_size=1, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, TREES, max_size=3))
def test_a_tree_survives_dotted_keys(tree: dict[str, object]) -> None:
    assert nest(flatten(tree)) == tree


@pytest.mark.parametrize(
    ("text", "flat"),
    [
        ('{"driver":"VGA","id":"v"}', {"driver": "VGA", "id": "v"}),
        ("VGA,id=v", {"driver": "VGA", "id": "v"}),
        ('{"driver":"x","unit":1,"on":true,"off":false}', {"driver": "x", "unit": "1", "on": "on", "off": "off"}),
        ('{"a":{"b":[{"c":"d"},"e"]}}', {"a.b.0.c": "d", "a.b.1": "e"}),
        ('{"a,b":"c,d=e"}', {"a,b": "c,d=e"}),
    ],
)
def test_flat_options(text: str, flat: dict[str, str]) -> None:
    assert parse_flat(text, "driver") == flat


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("raw,node-name=n,file.driver=file,file.filename=x",
         {"driver": "raw", "node-name": "n", "file": {"driver": "file", "filename": "x"}}),
        ("quorum,children.0=a,children.1=b", {"driver": "quorum", "children": ["a", "b"]}),
        ('{"driver":"raw","read-only":true}', {"driver": "raw", "read-only": True}),
    ],
)  # fmt: skip
def test_trees(text: str, tree: object) -> None:
    assert parse_tree(text, "driver") == tree


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "JSON parse error"),
        ('{"a":}', "at character 6"),
        ('{"a":1}x', "JSON parse error"),
        ('{"a":1,"a":2}', "duplicate key 'a'"),
        ('{"a":' + "[" * 100_000, "JSON parse error"),
        ("a,b=1,b.c=2", "used inconsistently"),
        ("a,b.c=2,b=1", "used inconsistently"),
        ("a,b.1=x", "'b.0' missing"),
    ],
)
def test_broken_trees(text: str, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        parse_tree(text, "driver")


@pytest.mark.parametrize("text", ['{"driver":null}', '{"driver":1.5}', '{"a":[null]}'])
def test_values_that_no_property_could_have(text: str) -> None:
    with pytest.raises(OptionError, match="cannot be"):
        parse_flat(text, "driver")


@given(st.text('{}[]",:0a\\ é', max_size=40))
def test_any_text_is_an_object_or_refused(text: str) -> None:
    try:
        assert isinstance(parse_json(text), dict)
    except OptionError:
        pass


# --- what they make ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "device",
    ["isa-serial,id=s0,chardev=c,iobase=0x2f8", '{"driver":"isa-serial","id":"s0","chardev":"c","iobase":760}'],
)
def test_device(device: str) -> None:
    with asked(*PC, "-chardev", "null,id=c", "-device", device) as wire:
        names = [entry["name"] for entry in wire.ask("qom-list", path="/machine/peripheral")]
        assert "s0" in names
        assert wire.ask("qom-get", path="/machine/peripheral/s0", property="iobase") == 0x2F8


def test_blockdev(guest_image: Path) -> None:
    """As libvirt describes a disk."""
    storage = {"driver": "file", "filename": str(guest_image), "node-name": "libvirt-1-storage",
               "auto-read-only": True, "discard": "unmap"}  # fmt: skip
    form = {"node-name": "libvirt-1-format", "read-only": False, "driver": "raw", "file": "libvirt-1-storage"}
    device = {"driver": "ide-hd", "bus": "ide.0", "unit": 0, "drive": "libvirt-1-format", "id": "d", "bootindex": 1}
    words = ["-blockdev", json.dumps(storage), "-blockdev", json.dumps(form), "-device", json.dumps(device)]
    with asked(*PC, *words) as wire:
        (block,) = [entry for entry in wire.ask("query-block") if entry.get("inserted")]
        assert block["inserted"]["node-name"] == "libvirt-1-format"
        assert block["qdev"] in ("d", "/machine/peripheral/d")
        nodes = {node["node-name"] for node in wire.ask("query-named-block-nodes")}
        assert nodes >= {"libvirt-1-storage", "libvirt-1-format"}


@pytest.mark.parametrize(
    "object_", ["secret,id=s0,data=open sesame", '{"qom-type":"secret","id":"s0","data":"open sesame"}']
)
def test_object(object_: str) -> None:
    with asked("-M", "none", "-display", "none", "-object", object_) as wire:
        assert ("s0", "child<secret>") in [(e["name"], e["type"]) for e in wire.ask("qom-list", path="/objects")]
        assert wire.ask("qom-get", path="/objects/s0", property="type") == "secret"
        assert wire.ask("object-del", id="s0") == {}


@pytest.mark.parametrize("given", ["VGA.vgamem_mb=32", "driver=VGA,property=vgamem_mb,value=32"])
def test_global(given: str) -> None:
    with asked(*PC, "-global", given, "-device", "VGA,id=v") as wire:
        assert wire.ask("qom-get", path="/machine/peripheral/v", property="vgamem_mb") == 32


def test_what_a_device_says_itself_is_stronger_than_a_global() -> None:
    with asked(*PC, "-global", "VGA.vgamem_mb=32", "-device", "VGA,id=v,vgamem_mb=8") as wire:
        assert wire.ask("qom-get", path="/machine/peripheral/v", property="vgamem_mb") == 8


def test_a_global_of_an_unknown_device_is_only_warned_about() -> None:
    """virt-install gives one for KVM's timer to whoever may have it."""
    with Piped([*PC, "-global", "kvm-pit.lost_tick_policy=delay", "-qmp", "stdio"]) as process:
        process.wait_for(b"QMP")
        process.type(b'{"execute":"qmp_capabilities"}{"execute":"quit"}')
        status, errors = process.finish()
    assert status == 0
    assert "kvm-pit" in errors
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize(
    "option", [("-machine", "none,accel=kvm:tcg"), ("-M", "none", "-accel", "kvm", "-accel", "tcg")]
)
def test_the_first_accelerator_that_there_is(option: tuple[str, ...]) -> None:
    with asked(*option, "-display", "none") as wire:
        assert wire.ask("query-kvm") == {"enabled": False, "present": False}


def test_no_accelerator_that_there_is() -> None:
    result = run("-M", "none", "-accel", "kvm", "-accel", "xen")
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert "tcg" in result.stderr
