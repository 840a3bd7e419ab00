"""Shapes: what is remembered of an instruction that has been decoded once.

A shape is an instruction without its displacement and immediate bytes. Guests use a few thousand shapes, and use them
hundreds of thousands of times; so staging, optimizing and assembling happen once for a shape (and for what is known of
the flags around it), and a block is put together from ready pieces.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu.tcg.builder import Builder


class Truncated(Exception):
    """The bytes at hand end before the instruction does."""


class Shape:
    """An instruction of *length* bytes whose meaning *stage* tells to a builder.

    :ivar variants: what the engine made of it; keyed by what the translation depends on
    """

    __slots__ = ("length", "mnemonic", "stage", "traits", "variants")

    def __init__(self, length: int, stage: Callable[[Any], None], mnemonic: str = "") -> None:
        self.length = length
        self.stage = stage
        self.mnemonic = mnemonic
        self.variants: dict[Any, Any] = {}
        self.traits: Any = None

    def __repr__(self) -> str:
        return f"<{self.mnemonic or 'instruction'}, {self.length} bytes>"


Stage = Callable[[Builder], None]
