"""Option strings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.util.errors import OptionError
from pyqemu.util.options import join_options, parse_bool, parse_options, parse_pairs


def test_implied_key_flags_and_doubled_commas() -> None:
    assert parse_options("isa-serial,id=a,,b,chardev=c=d,server,nowait", "driver") == {
        "driver": "isa-serial", "id": "a,b", "chardev": "c=d", "server": "on", "wait": "off",
    }  # fmt: skip


def test_first_word_with_an_equals_sign_is_not_implied() -> None:
    assert parse_options("file=x", "driver") == {"file": "x"}
    assert parse_options("", "driver") == {}


def test_keys_that_come_again() -> None:
    assert parse_options("a=1,b=2,a=3") == {"a": "3", "b": "2"}
    assert list(parse_pairs("on,arg=a,,b,arg=c", "enable")) == [("enable", "on"), ("arg", "a,b"), ("arg", "c")]


def test_empty_key_is_an_error() -> None:
    with pytest.raises(OptionError, match="Invalid parameter"):
        parse_options("a=1,=2")


def test_bool() -> None:
    assert parse_bool("on", "x")
    assert not parse_bool("off", "x")
    with pytest.raises(OptionError, match="Parameter 'x' expects 'on' or 'off'"):
        parse_bool("maybe", "x")


names = st.text("abcdefgh-_0", min_size=1)


@given(st.dictionaries(names, st.text("ab,=: /", max_size=8), max_size=5))
def test_join_is_the_inverse(options: dict[str, str]) -> None:
    assert parse_options(join_options(options)) == options
