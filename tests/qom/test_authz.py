"""Access lists: who is let in, and what is no list."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pyqemu.qom import Container, DeviceError
from pyqemu.qom.authz import Authz, AuthzList
from pyqemu.qom.objects import create_object

NAME = "O=Test,CN=client1"


def made(type_name: str, **values: object) -> Authz:
    found = create_object(Container(), type_name, "auth0", values)
    assert isinstance(found, Authz)
    return found


def rule(match: str, policy: str = "allow", **more: str) -> dict[str, str]:
    return {"match": match, "policy": policy, **more}


def test_one_name() -> None:
    simple = made("authz-simple", identity=NAME)
    assert simple.is_allowed(NAME)
    assert not simple.is_allowed("O=Test,CN=client2")
    assert not simple.is_allowed("CN=client1,O=Test")


def test_the_first_rule_that_applies_decides() -> None:
    found = made("authz-list", rules=[rule(NAME, "deny"), rule("O=Test,*", format="glob"), rule("O=Test,CN=x", "deny")])
    assert [found.is_allowed(name) for name in (NAME, "O=Test,CN=x", "O=Best,CN=x")] == [False, True, False]


def test_without_a_rule_the_policy_decides() -> None:
    assert not made("authz-list").is_allowed(NAME)
    assert made("authz-list", policy="allow", rules=[rule("x", "deny")]).is_allowed(NAME)


@pytest.mark.parametrize(
    ("pattern", "name", "applies"),
    [
        ("CN=client?", "CN=client1", True),
        ("CN=client?", "CN=client", False),
        ("*[1]", "CN=client1", False),  # brackets are nothing special
        ("*[1]", "CN=[1]", True),
        ("CN=*", "O=x,CN=y", False),
        ("CN=*", "CN=a\nb", True),
        ("CN=a.b", "CN=axb", False),
    ],
)
def test_patterns(pattern: str, name: str, applies: bool) -> None:
    assert made("authz-list", rules=[rule(pattern, format="glob")]).is_allowed(name) is applies


def test_rules_that_are_compared_exactly_know_no_wildcards() -> None:
    assert not made("authz-list", rules=[rule("CN=*")]).is_allowed("CN=x")


def test_rules_are_shown_as_they_were_given() -> None:
    found = made("authz-list", rules=[rule(NAME)])
    assert isinstance(found, AuthzList)
    assert AuthzList.rules.to_json(found.rules) == [rule(NAME, format="exact")]


@pytest.mark.parametrize("type_name", ["authz-list-file", "authz-listfile"])
def test_a_list_in_a_file_whose_changes_count(tmp_path: Path, type_name: str) -> None:
    path = tmp_path / "names"
    path.write_text(json.dumps({"rules": [rule(NAME)]}))
    fresh, once = made(type_name, filename=str(path)), made(type_name, filename=str(path), refresh=False)
    assert fresh.is_allowed(NAME) and once.is_allowed(NAME)
    path.write_text(json.dumps({"policy": "allow", "rules": [rule(NAME, "deny")]}))
    assert not fresh.is_allowed(NAME)
    assert fresh.is_allowed("CN=else")
    assert once.is_allowed(NAME)
    os.unlink(path)
    assert once.is_allowed(NAME)
    with pytest.raises(DeviceError, match=r"Could not open '.*': No such file or directory"):
        fresh.is_allowed(NAME)


@pytest.mark.parametrize(
    ("type_name", "values", "message"),
    [
        ("authz-simple", {}, "Parameter 'identity' is missing"),
        ("authz-list-file", {}, "Parameter 'filename' is missing"),
        ("authz-list-file", {"filename": "/nosuch"}, "Could not open '/nosuch': No such file or directory"),
        ("authz-list", {"policy": "maybe"}, "Parameter 'policy' does not accept value 'maybe'"),
        ("authz-list", {"rules": "x"}, "Invalid parameter type for 'rules', expected: array"),
        ("authz-list", {"rules": {}}, "Invalid parameter type for 'rules', expected: array"),
        ("authz-list", {"rules": ["x"]}, r"Invalid parameter type for 'rules\[0\]', expected: object"),
        ("authz-list", {"rules": [{"match": "x"}]}, r"Parameter 'rules\[0\].policy' is missing"),
        ("authz-list", {"rules": [{"policy": "deny"}]}, r"Parameter 'rules\[0\].match' is missing"),
        ("authz-list", {"rules": [rule("x", "maybe")]}, r"'rules\[0\].policy' does not accept value 'maybe'"),
        ("authz-list", {"rules": [rule("x", format="re")]}, r"'rules\[0\].format' does not accept value 're'"),
        ("authz-list", {"rules": [rule("x", color="red")]}, r"Parameter 'rules\[0\].color' is unexpected"),
        ("authz-list", {"rules": [{"match": 1, "policy": "deny"}]}, r"type for 'rules\[0\].match', expected: string"),
    ],
)
def test_mistakes(type_name: str, values: dict[str, object], message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        made(type_name, **values)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"policy": "maybe"}', '{"colour": 1}', '{"rules": [1]}', "[" * 100_000, "\xff"]
)
def test_files_that_hold_no_list(tmp_path: Path, text: str) -> None:
    path = tmp_path / "names"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DeviceError, match=r"holds no access list|rules\[0\]"):
        made("authz-list-file", filename=str(path))
