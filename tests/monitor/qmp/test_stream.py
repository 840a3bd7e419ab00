"""JSON from bytes: the dialect, errors and how the stream goes on after them, limits, speed."""

from __future__ import annotations

import json
import random
import shutil
import socket
import subprocess
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.monitor.qmp.encode import _pieces, encode
from pyqemu.monitor.qmp.stream import FAST_NESTING, JsonStream, Limits, ParseError

ERROR = "JSON parse error, "
NO_LIMITS = Limits()
MUST_BE_OBJECT = "QMP input must be a JSON object"


def read(*pieces: bytes, limits: Limits = NO_LIMITS, fast: bool = True) -> list[Any]:
    """The messages in some pieces of input; errors are tuples of their text."""
    stream = JsonStream(limits)
    if not fast:
        stream._may_be_fast = lambda data: False  # type: ignore[method-assign]
    found = [message for piece in pieces for message in stream.feed(piece)]
    return [(message.desc,) if isinstance(message, ParseError) else message for message in found]


def wrong(text: bytes) -> str:
    """What is wrong with the only message in a text."""
    ((message,),) = read(text)
    assert isinstance(message, str)
    return message.removeprefix(ERROR)


@pytest.mark.parametrize(("text", "value"), [
    (b'{"a": [1, -2, 1.5, 1e3, true, false, null, "x"]}', {"a": [1, -2, 1.5, 1000.0, True, False, None, "x"]}),
    (b"{'a': 'it\\'s'}", {"a": "it's"}),
    (b'["\'", \'"\']', ["'", '"']),
    (b'"\\"\\\'\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC"', "\"'\\/\b\f\n\r\té€"),
    (b'"\\ud83d\\ude00"', "😀"),
    (b'"\xc3\xa9\x7f"', "é\x7f"),
    (b"[18446744073709551615, -9223372036854775808, -0]", [2**64 - 1, -(2**63), 0]),
    (b"[18446744073709551616, -9223372036854775809]", [2.0**64, -(2.0**63)]),
    (b"[" + b"1" * 300 + b"]", [float("1" * 300)]),
    (b"[0, 0.5, 0e1, 1E+2, 1e-2]", [0, 0.5, 0.0, 100.0, 0.01]),
    (b"{}", {}),
    (b"[]", []),
    (b'{"a": {}, "b": [[]]}', {"a": {}, "b": [[]]}),
])  # fmt: skip
def test_values(text: bytes, value: object) -> None:
    assert read(text) == [value]
    assert repr(read(text)) == repr([value])


def test_top_level_scalars_end_with_the_next_token() -> None:
    assert read(b'1 true "x"null ') == [1, True, "x", None]
    assert read(b"12") == []
    assert read(b"12", b"3 ") == [123]


@pytest.mark.parametrize(("text", "message"), [
    (b"}", "expecting value"), (b"]", "expecting value"), (b",", "expecting value"), (b":", "expecting value"),
    (b"[,]", "expecting value"), (b"[1,]", "expecting value"), (b"[}", "expecting value"),
    (b'{"a":1,}', "expecting value"), (b'{"a":}', "expecting value"), (b'{"a"::1}', "expecting value"),
    (b"{,}", "expecting value"), (b"{:1}", "expecting value"), (b'{"a":[}]', "expecting value"),
    (b"[1 2]", "expected separator in list"), (b'["a""b"]', "expected separator in list"),
    (b"[1:2]", "expected separator in list"), (b"[1}", "expected separator in list"),
    (b'{"a":1 "b":2}', "expected separator in dict"), (b'{"a":1]', "expected separator in dict"),
    (b'{"a" 1}', "missing : in object pair"), (b'{"a",1}', "missing : in object pair"),
    (b"{1:1}", "key is not a string in object"), (b"{[]:1}", "key is not a string in object"),
    (b"{true:1}", "key is not a string in object"),
    (b'{"a":1,"a":2}', "duplicate key"), (b"{'a':1,\"a\":2}", "duplicate key"),
    (b'{"a":1,"\\u0061":2}', "duplicate key"),
    (b"tru ", "invalid keyword 'tru'"), (b"[nul]", "invalid keyword 'nul'"), (b"{[nul]:1}", "invalid keyword 'nul'"),
    (b"[truefalse]", "invalid keyword 'truefalse'"),
    (b"@", "stray '@'"), (b"True ", "stray 'T'"), (b"NaN", "stray 'N'"), (b"+1", "stray '+'"), (b".5", "stray '.'"),
    (b"01", "stray '01'"), (b"-01", "stray '-01'"), (b"--1", "stray '--'"), (b"-a", "stray '-a'"),
    (b"[1.]", "stray '1.]'"), (b"[1e]", "stray '1e]'"), (b"[1e+]", "stray '1e+]'"), (b"[-]", "stray '-]'"),
    (b"\xff", "stray '\ufffd'"), (b"\0", "stray '\0'"), (b'"a\nb', "stray '\"a\n'"), (b'"a\0b', "stray '\"a\0'"),
    (b'"a\tb', "stray '\"a\t'"), (b'"\\\n', "stray '\"\\\n'"),
    (b'"\\q"', "invalid escape sequence in string"), (b'"\\x41"', "invalid escape sequence in string"),
    (b'"\\u12"', '\\u12" is not a valid Unicode character'), (b'"\\u00g0"', "\\u00g0 is not a valid Unicode character"),
    (b'"\\ud800"', "\\ud800 is not a valid Unicode character"),
    (b'"\\uDC00"', "\\uDC00 is not a valid Unicode character"),
    (b'"\\ud83d\\u0041"', "\\ud83d is not a valid Unicode character"),
    (b'"\\ud83f\\udfff"', "\\ud83f\\udfff is not a valid Unicode character"),
    (b'"\\ufffe"', "\\ufffe is not a valid Unicode character"),
    (b'"\\uFDD0"', "\\uFDD0 is not a valid Unicode character"),
    (b'"\\u0000"', "\\u0000 is not a valid Unicode character"),
    (b'"\xc3("', "invalid UTF-8 sequence in string"), (b'"\xed\xa0\x80"', "invalid UTF-8 sequence in string"),
    (b'"\xc0\x80"', "invalid UTF-8 sequence in string"), (b'"\xef\xbf\xbf"', "invalid UTF-8 sequence in string"),
    (b"[1e999]", "number out of range '1e999'"), (b"[" + b"9" * 400 + b"]", f"number out of range '{'9' * 100}...'"),
])  # fmt: skip
def test_errors(text: bytes, message: str) -> None:
    assert wrong(text) == message


def test_0xff_ends_whatever_was_begun() -> None:
    """As clients send it to get back into step."""
    for begun in (b'{"a": [', b'"text', b"{'", b'"\\', b"12", b"tru", b"@@@", b'{"a": 1e'):
        assert read(begun, b'\xff{"id": 1}')[-1] == {"id": 1}, begun


def test_after_a_stray_byte_the_next_structure_counts() -> None:
    assert read(b'@@ garbage {"a": 1}@')[1:] == [{"a": 1}, (f"{ERROR}stray '@'",)]
    assert read(b"[1 @ 2]") == [(f"{ERROR}stray '@'",), (f"{ERROR}expecting value",)]
    assert read(b'@ "no string"\n"a string"') == [(f"{ERROR}stray '@'",), "a string"]


def test_a_message_ends_when_each_kind_of_bracket_balances() -> None:
    assert read(b'{"x":[}') == []
    assert read(b"[[}]") == [(f"{ERROR}expecting value",)] * 2
    assert read(b'[}{"a":1}')[-1] == {"a": 1}


def test_deep_nesting_needs_no_stack() -> None:
    (value,) = read(b"[" * 1024 + b"]" * 1024)
    depth = 0
    while value:
        (value,), depth = value, depth + 1
    assert depth == 1023
    assert read(b"[" * 1025) == [("JSON nesting depth limit exceeded",)]


def test_limits() -> None:
    tokens = Limits(tokens=5)
    assert read(b"[1,2]", limits=tokens) == [[1, 2]]
    assert read(b"[1,2,", b"3]", limits=tokens)[0] == ("JSON token count limit exceeded",)
    size = Limits(size=10)
    assert read(b'["1234"] "12345678"', limits=size) == [["1234"], "12345678"]
    assert read(b'["123456789"]', limits=size)[0] == ("JSON token size limit exceeded",)
    for piece in (b'"1234567890', b"1" * 11, b"a" * 11):
        assert read(piece, b"xyz", b'\n{"a":1}', limits=size) == [("JSON token size limit exceeded",), {"a": 1}]


def test_a_token_that_never_ends_is_not_kept() -> None:
    stream = JsonStream(Limits(size=1000))
    list(stream.feed(b'"'))
    for _ in range(100):
        list(stream.feed(b"x" * 100))
        assert len(stream._lexer._held) <= 1000


# -- properties --------------------------------------------------------------------------------------------------------

CHARACTERS = st.characters(exclude_categories=["Cs"]).filter(
    lambda c: c != "\0" and ord(c) & 0xFFFE != 0xFFFE and not 0xFDD0 <= ord(c) <= 0xFDEF
)
TEXTS = st.text(CHARACTERS, max_size=10)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
ATOMS = st.sampled_from(
    b"{ } [ ] , : \" ' \\ \xff \xfe @ . - + 0 1 01 1.5 1e5 1e 1e999 -0 tru true null false NaN Infinity"
    b' "a" \'b\' "x": {} [] {"a":1} "\\n" "\\ud83d" "\\u0000" "\xc3\xa9" "\xc3" 18446744073709551616'.split()
    + [b" ", b"\n", b"\t", b"\0", b"\x7f"]
)
INPUTS = st.lists(ATOMS, max_size=15).map(b"".join) | st.binary(max_size=30)


@given(VALUES)
def test_what_cannot_recurse_is_written_the_same(value: object) -> None:
    assert "".join(_pieces(value)) == json.dumps(value)


@given(VALUES, st.booleans())
def test_what_json_writes_is_read_back(value: object, ascii_only: bool) -> None:
    text = json.dumps([value], ensure_ascii=ascii_only).encode()
    assert read(text) == [[value]]
    assert read(text, fast=False) == [[value]]


@given(INPUTS, st.lists(st.integers(0, 40), max_size=6))
def test_it_does_not_matter_how_the_bytes_are_cut(data: bytes, cuts: list[int]) -> None:
    places = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    pieces = [data[begin:end] for begin, end in pairwise(places)]
    assert repr(read(*pieces)) == repr(read(data, fast=False))


@given(INPUTS)
def test_the_fast_path_reads_what_the_parser_reads(data: bytes) -> None:
    for text in (data, b'{"a":' + data + b"}", b'{"a":1}' + data):
        assert repr(read(text)) == repr(read(text, fast=False))


def test_the_fast_path_leaves_deep_nesting_alone() -> None:
    for depth in (FAST_NESTING - 1, FAST_NESTING, 1023):
        text = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
        (fast,), (slow,) = read(text), read(text, fast=False)
        assert encode(fast) == encode(slow) == text.replace(b":", b": ") + b"\r\n"


@given(INPUTS)
def test_after_anything_0xff_brings_the_next_message_through(data: bytes) -> None:
    assert read(data, b'\xff{"id": 7}')[-1] == {"id": 7}


HOSTILE = {
    "string in pieces": b'"' + b"x" * 1_000_000,
    "escapes": b'"' + b"\\u0041" * 150_000 + b'"',
    "backslashes": b'"' + b"\\\\" * 500_000,
    "digits": b"1" * 1_000_000,
    "letters": b"a" * 1_000_000,
    "brackets": b"[" * 500_000,
    "closing brackets": b"]" * 50_000,
    "stray bytes": b"\xff" * 50_000,
    "empty objects": b"{}" * 100_000,
    "numbers": b"[" + b"1," * 200_000 + b"]",
    "keys": b"{" + b",".join(b'"%d":0' % n for n in range(50_000)) + b"}",
    "objects that end badly": b'{"a":[{"b":1},' * 10_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_input_is_slower_than_linear(name: str) -> None:
    """Twice the bytes take no more than about twice the time, also in pieces of one read's size."""
    data = HOSTILE[name]

    def cost(part: bytes) -> float:
        stream = JsonStream()
        started = time.process_time()
        for begin in range(0, len(part), 4096):
            for _ in stream.feed(part[begin : begin + 4096]):
                pass
        return time.process_time() - started

    whole = min(cost(data) for _ in range(2))
    assert whole < 60
    quarter = min(cost(data[: len(data) // 4]) for _ in range(2))
    assert whole < 16 * quarter + 0.2


# -- the original ------------------------------------------------------------------------------------------------------

PARTS = [
    *(b"{ } [ ] , : \"a\" 'b' 1 -0 01 1.5 1e tru true null @ \xff \x01 \" ' \\ - . A % / {} [] {\"a\":1}".split()),
    *(b'"\\n" "\\ud83d\\ude00" "\\ud83d" "\\q" "\\u12" "\xc3\xa9" "\xc3" \xfe \xe9 "x": "y": \x7f "\\u0041" '.split()),
    b" ", b"\n", b"\t", b"\r", b"\x0b", b"1e5 ", b'{"execute":"query-name","id":1}', b"18446744073709551616",
]  # fmt: skip


class Original:
    """Debian's QEMU, spoken to over one connection."""

    def __init__(self, path: str) -> None:
        command = ["qemu-system-x86_64", "-M", "none", "-display", "none", "-qmp", f"unix:{path},server=on,wait=off"]
        self.process = subprocess.Popen(command)
        self.socket = socket.socket(socket.AF_UNIX)
        while self.socket.connect_ex(path):  # the name is there a moment before anybody listens
            assert self.process.poll() is None
            time.sleep(0.01)
        self.socket.settimeout(60)
        self.lines = self.socket.makefile("rb")
        self.lines.readline()
        self.ask(b'{"execute":"qmp_capabilities"}')
        self.number = 0

    def ask(self, text: bytes) -> Any:
        self.socket.sendall(text)
        return json.loads(self.lines.readline())

    def complaints(self, data: bytes) -> list[str]:
        """What it says about the messages in *data*, "" to commands that it liked."""
        self.number += 1
        self.socket.sendall(data + b'\xff{"execute":"query-name","id":"end %d"}' % self.number)
        found: list[str] = []
        while (reply := json.loads(self.lines.readline())).get("id") != f"end {self.number}":
            found.append(reply["error"]["desc"] if "error" in reply else "")
        return found[:-1]  # the last is about 0xff

    def close(self) -> None:
        self.socket.close()
        self.process.kill()
        self.process.wait()


def complaint(message: Any) -> str:
    if isinstance(message, tuple):
        return str(message[0])
    return "" if isinstance(message, dict) else MUST_BE_OBJECT


def same_complaint(ours: str, theirs: str) -> bool:
    """Whether we say what QEMU says, up to what is ours: a limit of quotations, and one of numbers."""
    if not ours:  # an object: whatever is said about its members is not about its form
        return "JSON" not in theirs
    cut = ours.endswith("...'") and theirs.startswith(ours[:-4])
    return ours == theirs or cut or "out of range" in ours


@pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="needs Debian's qemu-system-x86")
def test_same_complaints_as_the_original(request: pytest.FixtureRequest, rng: random.Random, tmp_path: Path) -> None:
    original = Original(str(tmp_path / "qmp"))
    try:
        for _ in range(100_000 if request.config.getoption("--full") else 3000):
            data = b"".join(rng.choices(PARTS, k=rng.randint(1, 14)))
            theirs = original.complaints(data)
            ours = [complaint(message) for message in read(data, b"\xff")][:-1]
            assert len(ours) == len(theirs), data
            assert all(map(same_complaint, ours, theirs)), (data, ours, theirs)
    finally:
        original.close()
