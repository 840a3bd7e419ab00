"""Expressions: against an evaluator of another kind, and the words for what is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.monitor.hmp.expression import ExpressionError, evaluate, parse_expression, signed

REGISTERS = {"eax": 0x1234, "rip": 0xFFFF_FFFF_FFFF_FFF0, "cr0.pe": 1}

# --- an independent evaluator: trees are generated, written out with all parentheses, and computed -------------------


@dataclass(frozen=True)
class Tree:
    """An expression: its text, fully parenthesized, and its value as an unsigned number; None divides by zero."""

    text: str
    value: int | None


def wrap(value: int) -> int:
    return value % 2**64


def as_signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def number_texts(value: int) -> st.SearchStrategy[str]:
    return st.sampled_from([str(value), hex(value), f"0{value:o}" if value else "0", f"0X{value:X}"])


numbers = st.integers(0, 2**64 - 1) | st.integers(0, 20)
literals = numbers.flatmap(lambda value: number_texts(value).map(lambda text: Tree(text, value)))
characters = st.characters(min_codepoint=32, max_codepoint=126).map(lambda char: Tree(f"'{char}'", ord(char)))
registers = st.sampled_from(sorted(REGISTERS)).map(lambda name: Tree(f"${name}", REGISTERS[name]))


def combine(operator: str, left: Tree, right: Tree) -> Tree:
    text = f"({left.text} {operator} {right.text})"
    if left.value is None or right.value is None:
        return Tree(text, None)
    a, b = left.value, right.value
    match operator:
        case "+":
            return Tree(text, wrap(a + b))
        case "-":
            return Tree(text, wrap(a - b))
        case "*":
            return Tree(text, wrap(a * b))
        case "&":
            return Tree(text, a & b)
        case "|":
            return Tree(text, a | b)
        case "^":
            return Tree(text, a ^ b)
    if b == 0:
        return Tree(text, None)
    dividend, divisor = as_signed(a), as_signed(b)
    quotient = abs(dividend) // abs(divisor) * (1 if (dividend < 0) == (divisor < 0) else -1)
    return Tree(text, wrap(quotient if operator == "/" else dividend - quotient * divisor))


def negate(operator: str, tree: Tree) -> Tree:
    text = f"({operator} {tree.text})"
    if tree.value is None:
        return Tree(text, None)
    return Tree(text, {"+": tree.value, "-": wrap(-tree.value), "~": wrap(~tree.value)}[operator])


trees = st.recursive(
    literals | characters | registers,
    lambda inner: (
        st.builds(combine, st.sampled_from("+-*/%&|^"), inner, inner) | st.builds(negate, st.sampled_from("+-~"), inner)
    ),
    max_leaves=12,
)


@given(trees)
def test_values(tree: Tree) -> None:
    if tree.value is None:
        with pytest.raises(ExpressionError, match=r"^division by zero$"):
            evaluate(tree.text, REGISTERS.get)
    else:
        assert wrap(evaluate(tree.text, REGISTERS.get)) == tree.value


@given(st.text(alphabet="0123456789abx+-*/%&|^~()'$ ", max_size=20))
def test_any_text_has_a_value_or_an_error(text: str) -> None:
    try:
        value, end = parse_expression(text)
    except ExpressionError:
        return
    assert -(2**63) <= value < 2**63
    assert 0 < end <= len(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1+2*3", 7),
        ("6&3+1", 3),  # logic binds tighter than sums ...
        ("2*3&1", 0),  # ... and products tighter than logic
        ("1|2&3^5", 6),
        ("10-2-3", 5),
        ("7/-2", -3),
        ("-7%3", -1),
        ("0x7fffffffffffffff+1", -(2**63)),
        ("-0x8000000000000000/-1", -(2**63)),
        ("010", 8),
        ("'a'", 97),
        ("''' ", 39),
        ("  ( 1 ) ", 1),
        ("$rip", -16),
    ],
)
def test_precedence_and_width(text: str, value: int) -> None:
    assert evaluate(text, REGISTERS.get) == value


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "unexpected end of expression"),
        ("1+", "unexpected end of expression"),
        ("abc", "invalid char 'a' in expression"),
        ("1/0", "division by zero"),
        ("1%0", "division by zero"),
        ("(1", "')' expected"),
        ("$foo", "unknown register"),
        ("$", "unknown register"),
        ("'", "character constant expected"),
        ("'ab'", "missing terminating ' character"),
        ("0x10000000000000000", "number too large"),
        ("(" * 200, "expression too deeply nested"),
        ("-" * 5000 + "1", "expression too deeply nested"),
        ("09", "extraneous characters at the end of line"),
        ("1 2", "extraneous characters at the end of line"),
    ],
)
def test_errors(text: str, error: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, REGISTERS.get)
    assert str(caught.value) == error


def test_parsing_stops_where_the_next_argument_begins() -> None:
    text = "x 1 + 2  file"
    assert parse_expression(text, 1) == (3, text.index("file"))


def test_signed() -> None:
    assert (signed(2**64 - 1), signed(2**63 - 1), signed(-1)) == (-1, 2**63 - 1, -1)
