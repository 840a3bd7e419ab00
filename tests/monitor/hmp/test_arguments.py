"""Signatures, and lines that fit them or do not."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.monitor.hmp.arguments import (
    ArgumentError,
    Context,
    Format,
    FormatDefaults,
    parse_arguments,
    parse_signature,
)

MIB = 1 << 20


def parse(signature: str, text: str, formats: FormatDefaults | None = None) -> dict[str, object]:
    context = Context("cmd", {"eax": 5}.get, formats or FormatDefaults())
    return parse_arguments(parse_signature(signature), text, context)


@pytest.mark.parametrize(
    ("signature", "text", "values"),
    [
        ("", "  ", {}),
        ("device:B", " ide0 ", {"device": "ide0"}),
        ("force:-f,device:B", "-f ide0", {"force": True, "device": "ide0"}),
        ("force:-f,device:B", "ide0", {"force": False, "device": "ide0"}),
        ("reuse:-n,full:-f,device:B", "-f x", {"reuse": False, "full": True, "device": "x"}),
        ("detach:-d,blk:-b", "-d -b", {"detach": True, "blk": True}),
        ("path:s?", "", {}),
        ("name:S?", "info status ", {"name": "info status "}),
        ("name:s", r'"a b\n\"\\"', {"name": 'a b\n"\\'}),
        ("device:O", "e1000,id=n0,mac=x", {"device": {"driver": "e1000", "id": "n0", "mac": "x"}}),
        ("netdev:O", "user,restrict", {"netdev": {"type": "user", "restrict": "on"}}),
        ("device:O", "", {"device": {}}),
        ("val:l,size:i,filename:s", "$eax*2 (16) f", {"val": 10, "size": 16, "filename": "f"}),
        ("addr:i,index:i.", "0x70.1", {"addr": 0x70, "index": 1}),
        ("addr:i,index:i.", "0x70", {"addr": 0x70}),
        ("value:M", "3", {"value": 3 * MIB}),
        ("size:o", "3", {"size": 3 * MIB}),
        ("size:o", "512B", {"size": 512}),
        ("size:o,base:s", "1.5g x", {"size": 1536 * MIB, "base": "x"}),
        ("value:T", "30ms", {"value": 0.03}),
        ("value:T", "2.5", {"value": 2.5}),
        ("up:b", "on", {"up": True}),
        ("up:b", "off ", {"up": False}),
        ("hold-time:i?", "5", {"hold_time": 5}),
    ],
)
def test_lines_that_fit(signature: str, text: str, values: dict[str, object]) -> None:
    assert parse(signature, text) == values


@pytest.mark.parametrize(
    ("signature", "text", "error"),
    [
        ("", "now", "cmd: extraneous characters at the end of line"),
        ("device:B", "", "cmd: block device name expected"),
        ("filename:F", "", "cmd: filename expected"),
        ("name:s", "", "cmd: string expected"),
        ("name:S", " ", "cmd: string expected"),
        ("name:s", r'"\q"', "unsupported escape code: '\\q'\ncmd: string expected"),
        ("filename:F", '"abc', "unterminated string\ncmd: filename expected"),
        ("force:-f,device:B", "-q x", "cmd: unsupported option -q"),
        ("addr:l", "", "unexpected end of expression"),
        ("addr:l", "abc", "invalid char 'a' in expression"),
        ("addr:i", "0x100000000", "'cmd' has failed: integer is for 32-bit values"),
        ("addr:i", "-1", "'cmd' has failed: integer is for 32-bit values"),
        ("value:M", "-5", "enter a positive value"),
        ("size:o", "abc", "invalid size"),
        ("size:o", "20E", "invalid size"),
        ("up:b", "maybe", "Expected 'on' or 'off'"),
        ("up:b", "", "Expected 'on' or 'off'"),
        ("up:b", "only", "Expected 'on' or 'off'"),
        ("value:T", "soon", "number expected"),
        ("value:T", "3 h", "cmd: extraneous characters at the end of line"),
        ("value:T", "3h", "unknown unit suffix"),
        ("value:T", "1e999", "bad number"),
        ("fmt:/,addr:l", "/4zz 0", "invalid char in format: 'z'"),
        ("fmt:/,addr:l", "/-1 0", "invalid char in format: '-'"),
        # an argument that is an expression goes on over spaces, as QEMU's does
        ("val:l,size:i,filename:s", "0 10 /tmp/x", "invalid char 't' in expression"),
    ],
)
def test_lines_that_do_not(signature: str, text: str, error: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        parse(signature, text)
    assert str(caught.value) == error


@pytest.mark.parametrize("signature", ["x", "x:", ":s", "x:q", "x:ss", "x:-", "x:-ab", "x:s!", "x:s,,y:s"])
def test_malformed_signatures(signature: str) -> None:
    with pytest.raises(ValueError):
        parse_signature(signature)


def test_formats_are_remembered() -> None:
    formats = FormatDefaults()

    def fmt(text: str) -> object:
        return parse("fmt:/,addr:l", f"{text} 0", formats)["fmt"]

    assert fmt("") == Format(1, "x", 4)
    assert fmt("/4dg") == Format(4, "d", 8)
    assert fmt("") == Format(1, "d", 8)
    assert fmt("/2x") == Format(2, "x", 8)
    assert fmt("/b") == Format(1, "x", 1)
    assert fmt("/3i") == Format(3, "i", -1)
    assert fmt("") == Format(1, "i", -1)
    assert fmt("/ih") == Format(1, "i", 2)
    assert fmt("/x") == Format(1, "x", 1)  # an instruction's size is not remembered
    assert fmt(f"/{10**18}x") == Format((1 << 31) - 1, "x", 1)


@given(st.text(max_size=30))
def test_quoting_keeps_any_text(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    assert parse("name:s,rest:S?", f'"{quoted}"') == {"name": text}


@given(st.text(max_size=40), st.sampled_from(["a:-x,b:F,c:s?", "a:/,b:i,c:i.", "a:o,b:T", "a:O", "a:b,b:M?", "a:S"]))
def test_any_line_is_parsed_or_refused(text: str, signature: str) -> None:
    values: dict[str, object] = {}
    with suppress(ArgumentError):
        values = parse(signature, text)
    assert values.keys() <= {"a", "b", "c"}
