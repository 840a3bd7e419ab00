"""Each way to get the schema wrong: one bad input, one message that names its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pyqemu.qapi.schema import SchemaError, load
from pyqemu.qapi.schema.load import load_text

TEXT = [
    ("(", "1:1: stray character '('"),
    ("{ 'enum': \"E\" }", "1:11: strings stand in single quotes"),
    ("{ 'enum': 'Ee }", "1:11: string is not closed on its line"),
    ("{ 'enum': 'E\\n' }", "1:13: unknown escape \\n"),
    ("{ 'enum': 'Eé' }", "1:13: character '\\xe9' is not allowed in a string"),
    ("##\n# @x:", "1:1: documentation comment is not closed by '##'"),
    ("##\n# @x:\n\n{ 'event': 'X' }", "3:1: documentation comment must end with '##'"),
    ("## @x:\n##", "1:3: junk after '##'"),
]

SYNTAX = [
    ("[ 'x' ]", "1:1: expected '{' that opens a definition, found '['"),
    ("{ 'event': 'X'", "1:15: expected ',' or '}', found end of file"),
    ("{ 'event': 'X', }", "1:17: expected a key in quotes, found '}'"),
    ("{ event: 'X' }", "1:3: expected a key in quotes or '}', found 'event'"),
    ("{ 'event' 'X' }", "1:11: expected ':', found 'X'"),
    ("{ 'event': null }", "1:12: expected '{', '[', string or boolean, found 'null'"),
    ("{ 'event': 'X', 'event': 'Y' }", "1:17: duplicate key 'event'"),
    ("{ 'enum': 'Ee', 'data': [ 'a' 'b' ] }", "1:31: expected ',' or ']', found 'b'"),
    ("{ 'x': " + "[" * 60, "1:58: nested too deeply"),
    ("{ 'include': 1 }", "1:14: stray character '1'"),
    ("{ 'include': [] }", "1:14: 'include' needs the name of a file, not an array"),
    ("{ 'include': 'no.json' }", "1:14: can't read 'no.json': No such file or directory"),
    ("{ 'include': 'a', 'event': 'X' }", "1:1: nothing can stand beside 'include'"),
    ("{ 'pragma': [] }", "1:13: 'pragma' needs an object, not an array"),
    ("{ 'pragma': {}, 'x': 'y' }", "1:1: nothing can stand beside 'pragma'"),
    ("{ 'pragma': { 'x': true } }", "1:15: unknown pragma 'x'"),
    ("{ 'pragma': { 'doc-required': 'yes' } }", "1:31: pragma 'doc-required' needs a boolean"),
    (
        "{ 'pragma': { 'command-name-exceptions': [ true ] } }",
        "1:44: pragma 'command-name-exceptions' needs an array of strings",
    ),
]

DEFINITIONS = [
    (
        "{ 'data': {} }",
        "1:1: definition has none of the keys 'enum', 'struct', 'union', 'alternate', 'command', 'event'",
    ),
    ("{ 'event': 'X', 'command': 'y' }", "1:17: definition is both event and command"),
    ("{ 'event': [] }", "1:12: name of an event must be a string, not an array"),
    ("{ 'event': 'X', 'returns': 'str' }", "1:17: event 'X' has the unknown key 'returns'"),
    ("{ 'struct': 'Ss' }", "1:1: struct 'Ss' lacks the key 'data'"),
    ("{ 'event': 'X' }\n{ 'event': 'X' }", "2:12: 'X' is already defined at schema.json:1:12"),
    ("{ 'struct': 'int', 'data': {} }", "1:13: name of struct 'int' must be CamelCase"),
    (
        "{ 'struct': 'FooList', 'data': {} }",
        "1:13: struct 'FooList' uses a reserved name: 'Kind' and 'List' end generated ones",
    ),
    ("{ 'event': 'x-y' }", "1:12: name of event 'x-y' must be in upper case"),
    ("{ 'command': 'Do' }", "1:14: name of command 'Do' must be in lower case, with '-' for '_'"),
    ("{ 'command': 'do_it' }", "1:14: name of command 'do_it' must be in lower case, with '-' for '_'"),
    ("{ 'command': '1st' }", "1:14: command '1st' has an invalid name"),
    ("{ 'command': 'q_x' }", "1:14: command 'q_x' uses a reserved name: 'q_' is for generated ones"),
    ("{ 'event': 'X', 'if': 'lower' }", "1:23: 'lower' is no name of a configuration: upper case, digits and '_'"),
    ("{ 'event': 'X', 'if': [] }", "1:23: 'if' needs a string or an object, not an array"),
    ("{ 'event': 'X', 'if': {} }", "1:23: a condition is one of 'all', 'any' and 'not'"),
    ("{ 'event': 'X', 'if': { 'xor': [] } }", "1:25: unknown operator 'xor' in a condition"),
    ("{ 'event': 'X', 'if': { 'all': [] } }", "1:32: 'all' needs an array that is not empty"),
    ("{ 'event': 'X', 'features': 'f' }", "1:29: 'features' of event 'X' must be an array, not a string"),
    (
        "{ 'event': 'X', 'features': [ true ] }",
        "1:31: a feature of event 'X' must be a string or an object, not a boolean",
    ),
    ("{ 'event': 'X', 'features': [ 'f', 'f' ] }", "1:36: feature 'f' of event 'X' is there twice"),
    ("{ 'event': 'X', 'features': [ { 'if': 'A' } ] }", "1:31: a feature of event 'X' lacks the key 'name'"),
]

TYPES = [
    ("{ 'enum': 'Ee', 'data': {} }", "1:25: 'data' of enum 'Ee' must be an array, not an object"),
    ("{ 'enum': 'Ee', 'data': [ 'a', 'a' ] }", "1:32: value 'a' of enum 'Ee' collides with value 'a' of enum 'Ee'"),
    (
        "{ 'enum': 'Ee', 'data': [ 'A' ] }",
        "1:27: name of value of enum 'Ee', 'A' must be in lower case, with '-' for '_'",
    ),
    ("{ 'enum': 'Ee', 'data': [ { 'nam': 'a' } ] }", "1:29: a value of enum 'Ee' has the unknown key 'nam'"),
    ("{ 'enum': 'Ee', 'data': [], 'prefix': [] }", "1:39: 'prefix' of enum 'Ee' must be a string"),
    ("{ 'struct': 'Ss', 'data': [] }", "1:27: 'data' of struct 'Ss' must be an object, not an array"),
    ("{ 'struct': 'Ss', 'data': { 'a': 'Tt' } }", "1:34: member 'a' of struct 'Ss' uses the unknown type 'Tt'"),
    (
        "{ 'event': 'X' }\n{ 'struct': 'Ss', 'data': { 'a': 'X' } }",
        "2:34: member 'a' of struct 'Ss' uses the unknown type 'X'",
    ),
    (
        "{ 'struct': 'Ss', 'data': { 'a': [ 'str', 'int' ] } }",
        "1:34: member 'a' of struct 'Ss': an array must contain the name of one type",
    ),
    (
        "{ 'struct': 'Ss', 'data': { 'a': true } }",
        "1:34: member 'a' of struct 'Ss' must be the name of a type or an array of one, not a boolean",
    ),
    (
        "{ 'struct': 'Ss', 'data': { 'a': { 'type': 'str', 'x': 'y' } } }",
        "1:51: 'a' in 'data' of struct 'Ss' has the unknown key 'x'",
    ),
    ("{ 'struct': 'Ss', 'data': { 'a': {} } }", "1:34: 'a' in 'data' of struct 'Ss' lacks the key 'type'"),
    ("{ 'struct': 'Ss', 'data': { 'has-a': 'str' } }", "1:29: member of struct 'Ss', 'has-a' uses a reserved name"),
    (
        "{ 'struct': 'Ss', 'data': { 'a': 'str', '*a': 'str' } }",
        "1:41: member 'a' of struct 'Ss' collides with member 'a' of struct 'Ss'",
    ),
    ("{ 'struct': 'Ss', 'base': 'Ss', 'data': {} }", "1:27: struct 'Ss' is its own base"),
    ("{ 'struct': 'Ss', 'base': 'str', 'data': {} }", "1:27: 'base' of struct 'Ss' must be a struct, 'str' is none"),
    (
        "{ 'struct': 'Ss', 'base': {}, 'data': {} }",
        "1:27: 'base' of struct 'Ss' must be the name of a type, not an object",
    ),
    (
        "{ 'struct': 'Bb', 'data': { 'a': 'str' } }\n{ 'struct': 'Ss', 'base': 'Bb', 'data': { 'a': 'int' } }",
        "2:43: member 'a' of struct 'Ss' collides with member 'a' of base 'Bb'",
    ),
    (
        "{ 'alternate': 'Aa', 'data': {} }",
        "1:30: alternate 'Aa' has no alternatives",
    ),
    (
        "{ 'alternate': 'Aa', 'data': { 'a': 'int', 'b': 'number' } }",
        "1:44: alternative 'b' of alternate 'Aa' can't be told from 'a'",
    ),
    (
        "{ 'alternate': 'Aa', 'data': { 'a': 'str', 'b': 'bool' } }",
        "1:44: alternative 'b' of alternate 'Aa' can't be told from 'a'",
    ),
    ("{ 'alternate': 'Aa', 'data': { 'a': 'any' } }", "1:32: alternative 'a' of alternate 'Aa' can't be of type 'any'"),
]

ENUM = "{ 'enum': 'Ee', 'data': [ 'a', 'b' ] }\n{ 'struct': 'Ss', 'data': { 'x': 'str' } }\n"
UNIONS = [
    ("{ 'union': 'Uu', 'data': {} }", "3:26: union 'Uu' has no branches"),
    ("{ 'union': 'Uu', 'base': 'Ss', 'data': { 'a': 'Ss' } }", "3:18: union 'Uu' has a base, but no 'discriminator'"),
    (
        "{ 'union': 'Uu', 'discriminator': 'e', 'data': { 'a': 'Ss' } }",
        "3:1: union 'Uu' has a discriminator, but no 'base'",
    ),
    (
        "{ 'union': 'Uu', 'base': {}, 'discriminator': 'e', 'data': { 'a': 'Ss' } }",
        "3:47: discriminator 'e' of union 'Uu' is no member of its base",
    ),
    (
        "{ 'union': 'Uu', 'base': { 'e': 'str' }, 'discriminator': 'e', 'data': { 'a': 'Ss' } }",
        "3:59: discriminator 'e' of union 'Uu' must be of an enum type",
    ),
    (
        "{ 'union': 'Uu', 'base': { '*e': 'Ee' }, 'discriminator': 'e', 'data': { 'a': 'Ss' } }",
        "3:59: discriminator 'e' of union 'Uu' must not be optional",
    ),
    (
        "{ 'union': 'Uu', 'base': { 'e': 'Ee' }, 'discriminator': 'e', 'data': { 'c': 'Ss' } }",
        "3:73: branch 'c' of union 'Uu' is no value of enum 'Ee'",
    ),
    (
        "{ 'union': 'Uu', 'base': { 'e': 'Ee' }, 'discriminator': 'e', 'data': { 'a': 'str' } }",
        "3:78: branch 'a' of union 'Uu' must be a struct, 'str' is none",
    ),
    (
        "{ 'union': 'Uu', 'base': { 'e': 'Ee' }, 'discriminator': 'e', 'data': { 'a': 'Uu' } }",
        "3:73: branch 'a' of union 'Uu' must be a struct, not a union",
    ),
    (
        "{ 'union': 'Uu', 'base': { 'e': 'Ee', 'x': 'int' }, 'discriminator': 'e', 'data': { 'a': 'Ss' } }",
        "3:85: member 'x' of branch 'a' collides with member 'x' of union 'Uu'",
    ),
    (
        "{ 'union': 'Uu', 'data': { 'a': 'Ss' } }\n{ 'struct': 'Tt', 'base': 'Uu', 'data': {} }",
        "4:27: 'base' of struct 'Tt' must be a struct, 'Uu' is none",
    ),
    (
        "{ 'union': 'Uu', 'data': { 'a': 'Ss' } }\n{ 'command': 'c', 'data': 'Uu' }",
        "4:27: 'data' of command 'c' can be a union only if it is 'boxed'",
    ),
]

COMMANDS = [
    ("{ 'command': 'c', 'data': 'str' }", "1:27: 'data' of command 'c' must be a struct, 'str' is none"),
    ("{ 'command': 'c', 'data': [ 'str' ] }", "1:27: 'data' of command 'c' must be the name of a type, not an array"),
    ("{ 'command': 'c', 'boxed': true }", "1:19: command 'c' is boxed, but has no 'data'"),
    (
        "{ 'event': 'X', 'boxed': true, 'data': {} }",
        "1:40: 'data' of event 'X' must be the name of a type, because it is boxed",
    ),
    ("{ 'command': 'c', 'boxed': false }", "1:28: 'boxed' of command 'c' can only be true"),
    ("{ 'command': 'c', 'gen': true }", "1:26: 'gen' of command 'c' can only be false"),
    ("{ 'command': 'c', 'success-response': 'no' }", "1:39: 'success-response' of command 'c' can only be false"),
    (
        "{ 'command': 'c', 'allow-oob': true, 'coroutine': true }",
        "1:38: command 'c' can't be both 'coroutine' and 'allow-oob'",
    ),
    ("{ 'command': 'c', 'returns': 'str' }", "1:30: command 'c' must return an object or an array of objects"),
    (
        "{ 'command': 'c', 'returns': {} }",
        "1:30: 'returns' of command 'c' must be the name of a type or an array of one, not an object",
    ),
    ("{ 'command': 'c', 'returns': 'Nn' }", "1:30: 'returns' of command 'c' uses the unknown type 'Nn'"),
    (
        "{ 'command': 'c', 'data': { 'a-b': 'str', 'a_b': 'str' } }",
        "1:43: name of member of command 'c', 'a_b' must be in lower case, with '-' for '_'",
    ),
    (
        "{ 'pragma': { 'member-name-exceptions': ['c'] } }\n{ 'command': 'c', 'data': { 'a-b': 'str', 'a_b': 'str' } }",
        "2:43: member 'a_b' of command 'c' collides with member 'a-b' of command 'c'",
    ),
]

STRUCT = "{ 'struct': 'Ss', 'data': { 'a': 'str' } }"
DOCS = [
    (f"{{ 'pragma': {{ 'doc-required': true }} }}\n{STRUCT}", "2:1: struct 'Ss' is not documented"),
    (f"##\n# @Tt:\n##\n{STRUCT}", "2:3: documentation of 'Tt' stands before struct 'Ss'"),
    ("##\n# @Ss:\n##", "1:1: documentation of 'Ss' is not followed by its definition"),
    (f"##\n# @Ss:\n##\n##\n# = X\n##\n{STRUCT}", "1:1: documentation of 'Ss' is not followed by its definition"),
    (f"##\n# @Ss:\n##\n{{ 'pragma': {{}} }}\n{STRUCT}", "1:1: documentation of 'Ss' is not followed by its definition"),
    (f"##\n# @Ss: text\n##\n{STRUCT}", "2:3: the first line must be '@name:' and nothing else"),
    (f"##\n# @Ss:\n#\n# @b: text\n##\n{STRUCT}", "4:3: documented member 'b' does not exist in struct 'Ss'"),
    (f"##\n# @Ss:\n#\n# @a: text\n# @a: text\n##\n{STRUCT}", "5:3: '@a:' is documented twice"),
    (f"##\n# @Ss:\n#\n# @a:\n#\n# Since: 1\n##\n{STRUCT}", "4:3: documentation section '@a:' is empty"),
    (f"##\n# @Ss:\n#\n# Since:\n##\n{STRUCT}", "4:3: documentation section 'Since:' is empty"),
    (f"##\n# @Ss:\n#\n# Since: 1\n# Since: 2\n##\n{STRUCT}", "5:3: second 'Since:'"),
    (f"##\n# @Ss:\n#\n# Returns: x\n##\n{STRUCT}", "4:3: 'Returns:' is for commands only"),
    (f"##\n# @Ss:\n#\n# = Head\n##\n{STRUCT}", "4:3: a heading is not allowed in the documentation of a definition"),
    (f"##\n# @Ss:\n#no blank\n##\n{STRUCT}", "3:2: missing blank after '#'"),
    (
        f"##\n# @Ss:\n#\n# Features:\n# @f: text\n##\n{STRUCT}",
        "5:3: documented feature 'f' does not exist in struct 'Ss'",
    ),
    (
        "##\n# @Ss:\n##\n{ 'struct': 'Ss', 'data': {}, 'features': [ 'f' ] }",
        "2:3: feature 'f' of struct 'Ss' is not documented",
    ),
    ("##\n# Text\n#\n# @a: b\n##", "4:3: '@a:' is not allowed in a comment that stands for itself"),
]


@pytest.mark.parametrize(
    ("text", "message"), TEXT + SYNTAX + DEFINITIONS + TYPES + [(ENUM + t, m) for t, m in UNIONS] + COMMANDS + DOCS
)
def test_message_and_place(text: str, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        load_text(text)
    assert str(caught.value) == f"schema.json:{message}"


def test_error_in_an_included_file_names_that_file(write_schema: Callable[..., Path]) -> None:
    path = write_schema("{ 'include': 'other.json' }", other="\n  )")
    with pytest.raises(SchemaError, match=r"other\.json:2:3: stray character '\)'$"):
        load(path)


def test_files_that_include_each_other(write_schema: Callable[..., Path]) -> None:
    path = write_schema("{ 'include': 'other.json' }", other="{ 'include': 'main.json' }")
    with pytest.raises(SchemaError, match=r"other\.json:1:14: 'main\.json' includes itself$"):
        load(path)


def test_schema_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"can't read the schema: No such file or directory$"):
        load(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{ 'struct': 'Ss', 'data': {}, 'if': 'A' }\n{ 'struct': 'Tt', 'data': { 'a': 'Ss' } }",
            "2:29: 'Tt' uses 'Ss', which is not configured",
        ),
        (
            "{ 'struct': 'Ss', 'data': {}, 'if': 'A' }\n{ 'command': 'c', 'returns': ['Ss'] }",
            "2:14: 'c' uses 'Ss', which is not configured",
        ),
    ],
)
def test_use_of_what_is_not_configured(text: str, message: str) -> None:
    load_text(text)
    load_text(text, configured={"A"})
    with pytest.raises(SchemaError) as caught:
        load_text(text, configured=frozenset())
    assert str(caught.value) == f"schema.json:{message}"
