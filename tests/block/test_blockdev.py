"""``-blockdev``: its texts mean what JSON says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.block.blockdev import options_from_tree
from pyqemu.qapi.errors import QapiError
from pyqemu.util.errors import OptionError

names = st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,20}", fullmatch=True)
common = {
    "read-only": st.booleans(),
    "auto-read-only": st.booleans(),
    "node-name": names,
    "detect-zeroes": st.sampled_from(["off", "on", "unmap"]),
    "cache": st.fixed_dictionaries({}, optional={"direct": st.booleans(), "no-flush": st.booleans()}),
}
files = st.fixed_dictionaries({"driver": st.just("file"), "filename": st.text(min_size=1)}, optional=common)
nulls = st.fixed_dictionaries({"driver": st.just("null-co")}, optional=common | {"size": st.integers(0, 2**60)})
raws = st.fixed_dictionaries(
    {"driver": st.just("raw"), "file": st.one_of(names, files)},
    optional=common | {"offset": st.integers(0, 2**60)},
)


def as_texts(value: object) -> object:
    """The tree as keys and values give it."""
    match value:
        case bool():
            return "on" if value else "off"
        case int():
            return str(value)
        case dict():
            return {key: as_texts(item) for key, item in value.items()}
        case _:
            return value


@given(st.one_of(files, nulls, raws))
def test_texts_and_json_are_the_same(tree: dict[str, object]) -> None:
    texts = as_texts(tree)
    assert isinstance(texts, dict)
    assert options_from_tree(texts) == options_from_tree(tree)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({}, "Parameter 'driver' is missing"),
        ({"driver": "nope"}, "does not accept value 'nope'"),
        ({"driver": "file"}, "Parameter 'filename' is missing"),
        ({"driver": "file", "filename": "x", "read-only": "maybe"}, "read-only"),
        ({"driver": "null-co", "size": "many"}, "Parameter 'size' expects an integer"),
        ({"driver": "raw", "file": {"driver": "file"}}, "Parameter 'file.filename' is missing"),
        ({"driver": "raw", "file": "f", "nope": "1"}, "Parameter 'nope' is unexpected"),
    ],
)
def test_wrong_trees(tree: dict[str, object], message: str) -> None:
    with pytest.raises((QapiError, OptionError), match=message):
        options_from_tree(tree)
